"""Names that say nothing of whose host it is: what distributions and well-known programs are called."""

from __future__ import annotations

import re

UNITS = frozenset(
    """
    accounts-daemon acpid alertmanager anacron apache2 apparmor atd auditd avahi-daemon bind9 bluetooth boot
    cassandra ceph-mds ceph-mgr ceph-mon ceph-osd chef-client chrony chronyd clickhouse-server cloud-config
    cloud-final cloud-init cloud-init-local cockroach collectd colord console-getty console-setup consul
    containerd coredns corosync couchdb cri-o crio cron crond cups cups-browsed dbus dbus-broker dev-hugepages
    dev-mqueue dm-event dnsmasq docker dovecot earlyoom efi elasticsearch emergency etcd exim4 fail2ban
    firewalld fstrim fwupd gdm getty gitlab-runner gpm grafana-server gssproxy haproxy home httpd hypervkvpd
    ifup influxdb init initrd iptables irqbalance iscsid jenkins k3s k3s-agent kafka kdump keepalived
    keyboard-setup kibana kmod-static-nodes kubelet libvirtd lightdm lm-sensors logrotate logstash lvm2-lvmpolld
    lvm2-monitor lvm2-pvscan man-db mariadb mariadbd mdadm mdmonitor memcached mnt ModemManager modprobe mongod
    mongos multi-user multipathd munin-node mysql mysqld named networkd-dispatcher networking NetworkManager
    NetworkManager-wait-online nfs-idmapd nfs-mountd nfs-server nftables nginx nmbd node_exporter nohang nomad
    nscd nslcd ntp ntpd ntpsec oomd opensearch openvpn opt pacemaker packagekit patroni pcsd php-fpm
    plymouth-quit podman polkit postfix postgresql proc-sys-fs-binfmt_misc prometheus prometheus-node-exporter
    puppet qemu-guest-agent rabbitmq-server redis redis-server rescue rpc-statd rpcbind rsync rsyslog
    rtkit-daemon run-lock run-user salt-minion serial-getty smartd smbd snapd snmpd srv ssh sshd sssd stunnel4
    sudo supervisor sys-fs-fuse-connections sys-kernel-config sys-kernel-debug sys-kernel-tracing sysstat
    telegraf thermald tmp tomcat10 tomcat9 traefik tuned udisks2 ufw unattended-upgrades unbound upower user
    user-runtime-dir uuidd valkey valkey-server var varnish vault virtlockd virtlogd virtqemud vmtoolsd winbind
    wpa_supplicant xenstored zabbix-agent zfs-zed zookeeper
    """.split()  # noqa: SIM905  two hundred quoted words would hide what they are
)
PROGRAMS = frozenset(
    """
    (sd-pam) agetty alertmanager anacron apache2 atd auditd avahi-daemon awk bash beam.smp bluetoothd busybox
    caddy cat celery chronyd clickhouse clickhouse-serv cockroach collectd conmon consul containerd
    containerd-shim coredns corosync couchdb cp crio cron crond crun cupsd curl dash dbus-broker dbus-broker-lau
    dbus-daemon dd dhclient dhcpcd dmesg dmeventd dnsmasq docker docker-proxy dockerd dotnet dovecot du earlyoom
    epmd etcd exim4 fail2ban-server find firewalld fish gawk getty git gitea grafana grafana-server grep
    gunicorn gzip haproxy httpd influxd init iscsid java journalctl k3s keepalived kubelet kvm less libvirtd
    login logrotate lvmetad mariadbd mawk memcached minio ModemManager mongod mongos multipathd mysqld named
    networkd-dispat NetworkManager nfsd nginx nmbd node nodejs nohang nomad npm ns-slapd nscd ntpd oomd
    opensearch pacemakerd packagekitd patroni perl pgbouncer php php-fpm podman polkitd postgres postmaster
    prometheus promtail puma python python2 python3 qemu-system-x86 rabbitmq redis-server rpcbind rsync rsyslogd
    ruby runc sed sh sidekiq slapd sleep smartd smbd snapd sqlservr ssh sshd sshd-auth sshd-session sssd stat
    stunnel4 su sudo supervisord sync syslog-ng systemctl systemd tail tar telegraf tini tmux tomcat top traefik
    tuned udevd udisksd unattended-upgr unbound upowerd uvicorn uwsgi valkey-server varnishd vault vim virtqemud
    wget winbindd wpa_supplicant xargs xenstored xz zabbix_agentd zsh zstd
    """.split()  # noqa: SIM905  as above
)
KERNEL = re.compile(
    r"k(?:swapd|compactd|worker|softirqd|thread|hugepaged|smd|integrityd|blockd|auditd|devtmpfs|throtld|strp)[\w/:.+-]*"
    r"|(?:jbd2|xfs\w*|btrfs|ext4|md\d+|dm|loop|scsi|nvme|ata|mmcqd|irq|migration|cpuhp|idle_inject|watchdog|rcu"
    r"|writeback|swapper|khungtaskd|oom_reaper|netns|mm_percpu_wq|systemd)(?:[-_/:][\w/:.+-]*)?",
    re.ASCII,
)
"""Threads of the kernel, and what systemd's own programs are called."""
FOLDERS = frozenset(
    """
    bin boot cgroup containers credentials default dev disk docker docker.sock etc home hugepages kubernetes lib
    lib64 libpod local lock log lxc mapper media mnt mqueue opt overlay2 podman pods proc root run sbin shm srv
    swap swap.img swapfile sys sysctl.d system system.attached system.control systemd tmp tmpfs user usr var vg
    x86_64-linux-gnu zram
    """.split()  # noqa: SIM905  as above
)
DEVICE = re.compile(
    r"(?:[shv]d|xvd)[a-z]{1,3}\d{0,3}|(?:nvme\d+n\d+|mmcblk\d+)(?:p\d+)?|(?:zram|dm-|md|loop|nbd|sr)\d+", re.ASCII
)
"""Disks as the kernel numbers them."""
