"""What a host is used for, judged by its active services and the paths that roles leave behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import cache

REMEDIATORS = ("earlyoom", "systemd-oomd", "nohang", "oomd", "tuned")
"""Services that act on memory or its kernel parameters as we do."""

UNITS = {
    "kubernetes": (
        "kubelet.service", "k3s.service", "k3s-agent.service", "rke2-*.service", "k0s*.service", "crio.service",
        "snap.kubelet*", "snap.microk8s.*",
    ),
    "hypervisor": (
        "libvirtd.service", "virtqemud.service", "virtxend.service", "pvedaemon.service", "pve-cluster.service",
        "xenstored.service", "*nova-compute.service",
    ),
    "database": (
        "postgres*", "mysql*", "mariadb*", "mongo*", "redis*", "valkey*", "oracle*", "cassandra*", "scylla*",
        "elasticsearch*", "opensearch*", "clickhouse*", "influxd*", "etcd*", "couchdb*", "neo4j*", "db2*",
    ),
    "cluster_managed": ("pacemaker*", "corosync*", "patroni*", "keepalived*"),
    "quorum": ("etcd*", "zookeeper*", "ceph-mon@*"),
}  # fmt: skip
# Only pseudo file systems and /run: looking at a path on a network or FUSE mount may hang for ever.
PATHS = {
    "kubernetes": (
        "/sys/fs/cgroup/kubepods*", "/sys/fs/cgroup/memory/kubepods*", "/sys/fs/cgroup/systemd/kubepods*",
    ),
    "hypervisor": (
        "/sys/fs/cgroup/qemu.slice", "/sys/fs/cgroup/machine.slice/machine-qemu*",
        "/sys/fs/cgroup/systemd/qemu.slice", "/sys/fs/cgroup/systemd/machine.slice/machine-qemu*",
    ),
    "database": ("/run/postgresql/.s.PGSQL.*", "/run/mysqld/mysqld.sock", "/run/redis/redis*.pid"),
    "cluster_managed": ("/run/corosync.pid", "/run/keepalived.pid", "/run/crm"),
    "quorum": (),
}  # fmt: skip

NOTHING = r"(?!)"
"""Fits no text."""


def plays(role: str, units: Iterable[str], paths: Iterable[str]) -> bool:
    """True when an active service or a path on the host belongs to the role."""
    return _any(units, UNITS[role]) or _any(paths, PATHS[role])


def remediators(units: Iterable[str]) -> list[str]:
    """The remediators among the active services (nohang-desktop.service is a nohang)."""
    active = list(units)
    return [name for name in REMEDIATORS if _any(active, (f"{name}.service", f"{name}-*.service"))]


def _any(names: Iterable[str], patterns: tuple[str, ...]) -> bool:
    return any(map(_one_of(patterns), names))


@cache
def _one_of(patterns: tuple[str, ...]) -> Callable[[str], object]:
    """All patterns as one: a host has hundreds of services, and each would be held against every pattern."""
    return re.compile("|".join(map(translate, patterns)) or NOTHING).match
