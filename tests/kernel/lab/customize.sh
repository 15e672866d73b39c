#!/bin/sh
# Turns a fresh Debian tree into the lab's guest. mmdebstrap runs this text with the tree as $1 once its packages are in,
# maybe as a user who can read no file of ours: so LAB_CLIENT_KEY is the public key to let in, LAB_HOST_KEY the host's
# private key.
set -eu
tree=$1

write() { # write PATH: standard input becomes that file of the guest
    mkdir -p "$tree/$(dirname "$1")"
    cat >"$tree/$1"
}

echo lab >"$tree/etc/hostname"
echo '127.0.0.1 localhost lab' >"$tree/etc/hosts"
echo '/dev/vda / ext4 defaults,noatime 0 1' >"$tree/etc/fstab"
tr -d - </proc/sys/kernel/random/uuid >"$tree/etc/machine-id"

write etc/systemd/network/10-lab.network <<'END'
[Match]
Type=ether
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
LinkLocalAddressing=no
IPv6AcceptRA=no
END

write etc/ssh/sshd_config.d/lab.conf <<'END'
UseDNS no
PasswordAuthentication no
PermitRootLogin prohibit-password
HostKey /etc/ssh/ssh_host_ed25519_key
MaxStartups 30
END
rm -f "$tree"/etc/ssh/ssh_host_*
printf '%s\n' "$LAB_HOST_KEY" >"$tree/etc/ssh/ssh_host_ed25519_key"
chmod 600 "$tree/etc/ssh/ssh_host_ed25519_key"

chroot "$tree" useradd --create-home --shell /bin/bash ops
chroot "$tree" useradd --create-home --shell /bin/bash plain
echo 'ops ALL=(ALL) NOPASSWD: ALL' >"$tree/etc/sudoers.d/ops"
chmod 440 "$tree/etc/sudoers.d/ops"
for home in root home/ops home/plain; do
    mkdir -p "$tree/$home/.ssh"
    printf '%s\n' "$LAB_CLIENT_KEY" >"$tree/$home/.ssh/authorized_keys"
    chmod 700 "$tree/$home/.ssh"
    chmod 600 "$tree/$home/.ssh/authorized_keys"
done
chroot "$tree" chown -R ops:ops /home/ops/.ssh
chroot "$tree" chown -R plain:plain /home/plain/.ssh

# Nothing of its own accord: a timer or a wait in the background would blur what a scenario measures.
chroot "$tree" systemctl enable systemd-networkd.service ssh.service
for unit in \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    systemd-tmpfiles-clean.timer systemd-networkd-wait-online.service systemd-pcrphase.service \
    getty@tty1.service serial-getty@ttyS0.service console-getty.service; do
    ln -sf /dev/null "$tree/etc/systemd/system/$unit"
done

# Only the drivers that the lab's machine has: the initrd shrinks to a fifth and boots that much sooner.
echo 'MODULES=list' >"$tree/etc/initramfs-tools/conf.d/lab"
printf '%s\n' virtio_pci virtio_blk virtio_net ext4 >>"$tree/etc/initramfs-tools/modules"
chroot "$tree" update-initramfs -u

rm -rf "$tree"/var/lib/apt/lists/* "$tree"/var/cache/*
rm -f "$tree"/etc/apt/sources.list "$tree"/etc/apt/sources.list.d/* "$tree"/etc/apt/apt.conf.d/99mmdebstrap
