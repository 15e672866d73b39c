"""Names that say nothing of whose host it is: what distributions and well-known programs are called."""

from __future__ import annotations

from memrunbook.linux.kernel_names import LONGEST

_SYSTEMD = frozenset(
    """
    ask-password-console ask-password-plymouth ask-password-wall backlight battery-check binfmt bless-boot
    boot-check-no-failures boot-random-seed boot-system-token boot-update bootctl bsod cat cgls cgroups-agent cgtop
    confext coredump cryptsetup detect-virt executor exit firstboot fsck fsck-root fsckd growfs growfs-root halt
    hibernate hibernate-clear hibernate-resume homed homed-activate homework hostnamed hwdb-update hybrid-sleep
    importd inhibit initctl integritysetup journal journal-catalog-update journal-flush journal-gatewayd
    journal-remote journal-upload journald journald-audit journald-dev-log journald-varlink kexec localed logind
    logind-varlink loop machine-id-commit machined makefs mkswap modules-load mountfsd network-generator networkd
    networkd-persistent-storage networkd-wait-online notify nspawn nsresourced oomd pcrextend pcrfs pcrfs-root
    pcrlock pcrmachine pcrphase pcrphase-initrd pcrphase-sysinit portabled poweroff pstore quotacheck
    quotacheck-root random-seed reboot remount-fs repart resolved rfkill run shutdown sleep soft-reboot storagetm
    suspend suspend-then-hibernate sysctl sysext sysupdate sysupdated sysusers time-wait-sync timedated timesyncd
    tmpfiles tmpfiles-clean tmpfiles-setup tmpfiles-setup-dev tmpfiles-setup-dev-early tpm2-setup tpm2-setup-early
    udev-load-credentials udev-settle udev-trigger udevd udevd-control udevd-kernel udevd-varlink update-done
    update-utmp update-utmp-runlevel user-runtime-dir user-sessions userdbd userwork userwork: vconsole-setup
    veritysetup volatile-root zram-setup
    """.split()  # noqa: SIM905  hundreds of quoted words would hide what they are
)
SYSTEMD_UNITS = frozenset(f"systemd-{name}" for name in _SYSTEMD)
"""What systemd ships: another unit whose name begins so is somebody's own."""
UNITS = SYSTEMD_UNITS | frozenset(
    """
    accounts-daemon acpid alertmanager anacron apache2 apparmor apport apt-daily apt-daily-upgrade atd auditd
    avahi-daemon bind9 bluetooth boot cassandra ceph-mds ceph-mgr ceph-mon ceph-osd chef-client chrony chronyd
    clickhouse-server cloud-config cloud-final cloud-init cloud-init-local cloud-init-network cockroach collectd
    colord console-getty console-setup consul containerd coredns corosync couchdb cri-o crio cron crond cups
    cups-browsed dbus dbus-broker dev-hugepages dev-mqueue display-manager dm-event dnf-makecache dnsmasq docker
    dovecot dpkg-db-backup e2scrub_all e2scrub_reap earlyoom efi elasticsearch emergency etcd exim4 fail2ban
    firewalld fstrim fwupd fwupd-refresh gdm getty getty-static gitlab-runner gpm grafana-server gssproxy haproxy
    home httpd hypervkvpd ifup influxdb init initrd iptables irqbalance iscsid jenkins k3s k3s-agent kafka kdump
    keepalived kexec-load keyboard-setup kibana kmod-static-nodes kubelet ldconfig libvirtd lightdm lm-sensors
    logrotate logstash lvm2-lvmpolld lvm2-monitor lvm2-pvscan man-db mariadb mariadbd mdadm mdmonitor memcached mnt
    ModemManager modprobe mongod mongos motd-news multi-user multipathd munin-node mysql mysqld named
    networkd-dispatcher networking NetworkManager NetworkManager-wait-online nfs-idmapd nfs-mountd nfs-server
    nftables nginx nmbd node_exporter nohang nomad nscd nslcd ntp ntpd ntpsec oomd opensearch openvpn opt pacemaker
    packagekit patroni pcsd php-fpm plymouth-halt plymouth-quit plymouth-quit-wait plymouth-read-write
    plymouth-reboot plymouth-start podman polkit pollinate postfix postgresql proc-sys-fs-binfmt_misc prometheus
    prometheus-node-exporter puppet qemu-guest-agent rabbitmq-server rc-local redis redis-server rescue rpc-statd
    rpcbind rsync rsyslog rtkit-daemon run-lock run-user salt-minion serial-getty smartd smbd snapd snapd-seeded
    snmpd srv ssh sshd sssd stunnel4 sudo supervisor sys-fs-fuse-connections sys-kernel-config sys-kernel-debug
    sys-kernel-tracing syslog sysstat telegraf thermald tmp tomcat10 tomcat9 traefik tuned ua-timer udisks2 ufw
    unattended-upgrades unbound upower user user-runtime-dir uuidd valkey valkey-server var varnish vault virtlockd
    virtlogd virtqemud vmtoolsd winbind wpa_supplicant xenstored zabbix-agent zfs-zed zookeeper
    """.split()  # noqa: SIM905  as above
)
PROGRAMS = frozenset(name[:LONGEST] for name in SYSTEMD_UNITS) | frozenset(
    """
    (sd-pam) (sd-worker) (udev-worker) agetty alertmanager anacron apache2 atd auditd avahi-daemon awk bash beam.smp
    bluetoothd busybox caddy cat celery chronyd clickhouse clickhouse-serv cockroach collectd conmon consul
    containerd containerd-shim coredns corosync couchdb cp crio cron crond crun cupsd curl dash dbus-broker
    dbus-broker-lau dbus-daemon dd dhclient dhcpcd dmesg dmeventd dnsmasq docker docker-proxy dockerd dotnet dovecot
    dropbear du earlyoom epmd etcd exim4 fail2ban-server find firewalld fish gawk getty git gitea grafana
    grafana-server grep gunicorn gzip haproxy httpd influxd init iscsid java journalctl k3s keepalived kubelet kvm
    less libvirtd login logrotate lvmetad mariadbd mawk memcached minio ModemManager mongod mongos multipathd mysqld
    named networkd-dispat NetworkManager nfsd nginx nmbd node nodejs nohang nomad npm ns-slapd nscd ntpd oomd
    opensearch pacemakerd packagekitd patroni perl pgbouncer php php-fpm podman polkitd postgres postmaster
    prometheus promtail puma python python2 python3 qemu-system-x86 rabbitmq redis-server rpcbind rsync rsyslogd
    ruby runc sed sh sidekiq slapd sleep smartd smbd snapd sqlservr ssh sshd sshd-auth sshd-session sssd stat
    stunnel4 su sudo supervisord sync syslog-ng systemctl systemd tail tar telegraf timeout tini tmux tomcat top traefik
    tuned udevd udisksd unattended-upgr unbound upowerd uvicorn uwsgi valkey-server varnishd vault vim virtqemud
    wget winbindd wpa_supplicant xargs xenstored xz zabbix_agentd zsh zstd
    """.split()  # noqa: SIM905  as above
)
FOLDERS = frozenset(
    """
    bin boot by-id by-label by-partuuid by-path by-uuid cgroup containers credentials default dev disk docker
    docker.sock etc home hugepages i915 kubernetes lib lib64 libpod local lock log lxc mapper media memrunbook-holds
    memrunbook.zram mnt mqueue opt overlay2 podman pods proc root run sbin shm srv swap swap.img swapfile
    swapfile-runbook sys sysctl.d system system.attached system.control systemd tmp tmpfs user usr var vg
    x86_64-linux-gnu zero zram
    """.split()  # noqa: SIM905  as above
)
SYSCTL_FILES = frozenset(
    """
    10-bufferbloat.conf 10-console-messages.conf 10-default-yama-scope.conf 10-ipv6-privacy.conf
    10-kernel-hardening.conf 10-magic-sysrq.conf 10-map-count.conf 10-network-security.conf 10-ptrace.conf
    10-zeropage.conf 30-postgresql-shm.conf 30-tracker.conf 50-bubblewrap.conf 50-coredump-debian.conf
    50-coredump.conf 50-default.conf 50-libkcapi-optmem_max.conf 50-libreswan.conf 50-pid-max.conf 50-redhat.conf
    50-rhel.conf 51-alpine.conf 60-libvirtd.conf 60-qemu-postcopy-migration.conf 60-runbook-memory.conf
    99-cloudimg-ipv6.conf 99-docker.conf 99-protect-links.conf 99-sysctl.conf elasticsearch.conf libvirtd.conf
    protect-links.conf pve.conf pve-firewall.conf sysctl.conf
    """.split()  # noqa: SIM905  as above
)
"""Files that distributions lay below sysctl.d, and the engine's own."""
DROP_INS = frozenset({
    "override.conf", "50-pacemaker.conf", "10-coredump-debian.conf", "dbus.conf", "syscall-architecture.conf",
})  # fmt: skip
"""Files beside a unit: what `systemctl edit` writes, Pacemaker's, and those of distributions."""
CONTAINERS = frozenset({
    "systemd-nspawn", "lxc", "lxc-libvirt", "docker", "podman", "rkt", "wsl", "proot", "pouch", "oci", "openvz",
    "kubernetes", "container-other",
})  # fmt: skip
"""What systemd calls managers of containers: systemd-detect-virt(1)."""
CONTROLLERS = frozenset({
    "blkio", "cpu", "cpuacct", "cpuset", "debug", "devices", "dmem", "freezer", "hugetlb", "io", "memory", "misc",
    "name=systemd", "name=elogind", "net_cls", "net_prio", "ns", "perf_event", "pids", "rdma", "",
})  # fmt: skip
"""Controllers of control groups, and the hierarchies of init systems; others have whatever name they were given."""
STATES = frozenset(
    """
    no yes infinity [not set] success resources protocol timeout exit-code signal core-dump watchdog exec-condition
    oom-kill start-limit-hit active reloading inactive failed activating deactivating maintenance refreshing dead
    condition start-pre start start-post running exited reload reload-signal reload-notify refresh-extensions stop
    stop-watchdog stop-sigterm stop-sigkill stop-post final-watchdog final-sigterm final-sigkill auto-restart
    auto-restart-queued dead-before-auto-restart failed-before-auto-restart dead-resources-pinned cleaning mounting
    simple forking exec oneshot dbus notify notify-reload idle on-success on-failure on-abnormal on-watchdog
    on-abort always continue kill freezing freezing-by-parent frozen frozen-by-parent thawing
    """.split()  # noqa: SIM905  as above
)
"""What systemd says of a unit, beside numbers and spans of time: systemd.service(5), org.freedesktop.systemd1(5)."""
