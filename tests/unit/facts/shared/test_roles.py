from __future__ import annotations

import pytest

from memrunbook.facts.shared import roles


@pytest.mark.parametrize(
    ("role", "unit"),
    [
        ("kubernetes", "kubelet.service"),
        ("kubernetes", "k3s-agent.service"),
        ("hypervisor", "libvirtd.service"),
        ("hypervisor", "openstack-nova-compute.service"),
        ("database", "postgresql@15-main.service"),
        ("database", "redis-server.service"),
        ("cluster_managed", "pacemaker.service"),
        ("quorum", "zookeeper.service"),
        ("quorum", "ceph-mon@a.service"),
    ],
)
def test_an_active_service_gives_the_role(role: str, unit: str) -> None:
    assert roles.plays(role, ["cron.service", unit], [])
    assert [other for other in roles.UNITS if roles.plays(other, [unit], [])] == [role]


def test_a_path_gives_the_role_where_no_systemd_tells() -> None:
    assert roles.plays("database", [], ["/run/mysqld/mysqld.sock"])
    assert roles.plays("kubernetes", [], ["/sys/fs/cgroup/kubepods.slice"])


def test_nothing_gives_no_role() -> None:
    assert not any(roles.plays(role, ["ssh.service"], ["/run/systemd/system"]) for role in roles.UNITS)


def test_remediators_are_named_once_and_whole() -> None:
    units = ["nohang-desktop.service", "systemd-oomd.service", "my-earlyoom-exporter.service", "tuned.service"]
    assert roles.remediators(iter(units)) == ["systemd-oomd", "nohang", "tuned"]
