"""What no action may ever touch, and what only a runbook that names it may touch."""

from __future__ import annotations

import fnmatch

UNTOUCHABLE_UNITS = (
    "ssh.service", "sshd.service", "ssh@*.service", "sshd@*.service", "ssh.socket", "sshd.socket", "dropbear*.service",
    "init.scope", "systemd-*", "dbus.service", "dbus-broker.service", "dbus.socket", "user@*.service", "*.slice",
    "getty@*.service", "serial-getty@*.service", "polkit.service", "-.mount", "*.scope",
    "NetworkManager.service", "networking.service", "wpa_supplicant.service", "auditd.service",
)  # fmt: skip
CLUSTER_UNITS = ("pacemaker*", "corosync*", "patroni*", "keepalived*", "sbd.service", "heartbeat*", "pcsd.service")
NAMED_ONLY_UNITS = (
    "postgres*", "mysql*", "mariadb*", "mongod*", "redis*", "oracle*", "cassandra*", "elasticsearch*", "opensearch*",
    "clickhouse*", "influxd*", "etcd*", "kafka*", "zookeeper*", "ceph*", "patroni*", "keepalived*", "pacemaker*",
    "corosync*", "haproxy*", "docker.service", "containerd.service", "podman*", "crio.service", "kubelet.service",
    "k3s*", "libvirtd.service", "virtqemud.service", "iscsid.service", "chronyd.service", "chrony.service",
    "multipathd.service", "lvm2-*",
)  # fmt: skip
# A process has another name than its unit, of 15 bytes at most; Java and Python programs cannot be told by it.
NAMED_ONLY_PROCESSES = (
    "postgres*", "postmaster", "mysqld*", "mariadbd*", "mongod*", "mongos", "redis-*", "valkey-*", "oracle*", "ora_*",
    "asm_*", "tnslsnr", "db2*", "sqlservr", "hdb*", "scylla", "clickhouse*", "influxd", "etcd", "couchdb", "beam.smp",
    "slapd", "ns-slapd", "memcached", "aerospike*", "cockroach*",
    "cassandra*", "elasticsearch*", "opensearch*", "kafka*", "zookeeper*",
    "docker*", "containerd*", "podman*", "conmon*", "crio", "runc", "crun", "kubelet", "kube-*", "k3s*",
    "rke2*", "k0s*", "lxc-*", "lxcfs", "lxd", "incusd", "nomad", "consul", "vault",
    "qemu-*", "kvm", "libvirtd", "virtqemud", "virtxend", "virt*d", "xenstored", "oxenstored", "cloud-hyperviso",
    "firecracker", "VBox*", "vmware-*",
    "corosync", "pacemaker*", "patroni", "keepalived", "haproxy", "ceph-*", "glusterfs*", "iscsid", "multipathd",
    "lvm*", "dmeventd", "chronyd", "ntpd", "nfsd",
)  # fmt: skip
UNTOUCHABLE_PROCESSES = (
    "init", "(sd-pam)", "tini", "dumb-init", "runit*", "runsv*", "s6-*", "supervise*", "openrc*", "procd",
    "agetty", "getty", "login", "dbus-*", "polkitd", "NetworkManager", "wpa_supplicant", "dhclient", "dhcpcd",
    "udhcpc", "auditd", "udevd", "elogind*", "crond", "cron", "rsyslogd", "syslogd", "syslog-ng",
)  # fmt: skip
UNTOUCHABLE_PIDS = frozenset({0, 1, 2})
NEVER_KILLED = -1000


def untouchable_unit(unit: str) -> bool:
    """True for units that the host or our own way in depends on."""
    return _matches(unit, UNTOUCHABLE_UNITS)


def named_only_unit(unit: str) -> bool:
    """True for databases, container runtimes and cluster members: never chosen by a rule."""
    return _matches(unit, NAMED_ONLY_UNITS)


def cluster_unit(unit: str) -> bool:
    """True for cluster managers and what they run themselves: never touched, not even where a runbook names them."""
    return _matches(unit, CLUSTER_UNITS)


def protected_name(name: str) -> bool:
    """True for processes that are, by their name, databases, runtimes, cluster members or what the host depends on."""
    return _matches(name, NAMED_ONLY_PROCESSES + UNTOUCHABLE_PROCESSES)


def untouchable_process(pid: int, name: str, oom_score_adj: int | None, *, kernel_thread: bool) -> str:
    """Why a process may not be touched, empty where it may."""
    if pid in UNTOUCHABLE_PIDS:
        return "it is the init process or a kernel thread"
    if kernel_thread:
        return "it is a kernel thread"
    if oom_score_adj == NEVER_KILLED:
        return "its oom_score_adj is -1000: its owner exempted it"
    if name in ("sshd", "systemd", "dropbear") or name.startswith(("sshd-", "sshd:", "systemd-")):
        return "it belongs to sshd or the init system"
    return ""


def _matches(unit: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(unit, pattern) for pattern in patterns)
