"""What no action may ever touch, and what only a runbook that names it may touch."""

from __future__ import annotations

import pytest

from memrunbook.core.action.protect import named_only_unit, protected_name, untouchable_process, untouchable_unit


@pytest.mark.parametrize(
    "unit",
    [
        "ssh.service", "sshd.service", "sshd@7-10.0.0.1:22.service", "ssh@1.service", "ssh.socket", "sshd.socket",
        "dropbear.service", "init.scope", "systemd-journald.service", "systemd-logind.service", "dbus.service",
        "dbus-broker.service", "dbus.socket", "user@1000.service", "session-4.scope", "user.slice",
        "getty@tty1.service", "serial-getty@ttyS0.service", "polkit.service", "-.mount", "NetworkManager.service",
        "networking.service", "wpa_supplicant.service", "auditd.service",
    ],
)  # fmt: skip
def test_the_host_and_our_way_in_are_untouchable(unit: str) -> None:
    assert untouchable_unit(unit)


@pytest.mark.parametrize(
    "unit",
    [
        "postgresql@14-main.service", "mysql.service", "mariadb.service", "mongod.service", "redis-server.service",
        "oracle-xe.service", "cassandra.service", "elasticsearch.service", "opensearch.service",
        "clickhouse-server.service", "influxd.service", "etcd.service", "kafka.service", "zookeeper.service",
        "ceph-osd@3.service", "patroni.service", "keepalived.service", "pacemaker.service", "corosync.service",
        "haproxy.service", "docker.service", "containerd.service", "podman.service", "crio.service",
        "kubelet.service", "k3s-agent.service", "libvirtd.service", "virtqemud.service", "iscsid.service",
        "chronyd.service", "chrony.service", "multipathd.service", "lvm2-monitor.service",
    ],
)  # fmt: skip
def test_databases_runtimes_and_clusters_are_never_chosen_by_a_rule(unit: str) -> None:
    assert named_only_unit(unit)
    assert not untouchable_unit(unit)


@pytest.mark.parametrize("unit", ["search-api.service", "my-ssh.service", "nginx.service", "cron.service", ""])
def test_an_ordinary_service_is_neither(unit: str) -> None:
    assert not untouchable_unit(unit)
    assert not named_only_unit(unit)


@pytest.mark.parametrize(
    "name",
    [
        "postgres", "postmaster", "mysqld", "mariadbd", "mongod", "redis-server", "ora_pmon_ORCL", "clickhouse-serv",
        "slapd", "beam.smp", "etcd", "dockerd", "containerd", "containerd-shim", "conmon", "kubelet", "k3s-server",
        "qemu-system-x86", "qemu-kvm", "kvm", "libvirtd", "virtqemud", "corosync", "pacemakerd", "keepalived",
        "ceph-osd", "iscsid", "chronyd", "init", "(sd-pam)", "tini", "agetty", "dbus-daemon", "polkitd",
        "NetworkManager", "dhclient", "auditd", "crond",
    ],
)  # fmt: skip
def test_processes_that_are_known_by_their_name(name: str) -> None:
    assert protected_name(name)
    assert len(name) <= 15, "the kernel keeps no more"


@pytest.mark.parametrize("name", ["java", "python3", "leak", "nginx", "bash", "report.py", "", "virtual", "initdb"])
def test_a_name_that_anybody_may_have_protects_nothing(name: str) -> None:
    assert not protected_name(name)


@pytest.mark.parametrize(
    ("pid", "name", "adj", "kernel", "why"),
    [
        (0, "x", 0, False, "it is the init process or a kernel thread"),
        (1, "x", 0, False, "it is the init process or a kernel thread"),
        (2, "x", 0, False, "it is the init process or a kernel thread"),
        (3, "kswapd0", 0, True, "it is a kernel thread"),
        (300, "agent", -1000, False, "its oom_score_adj is -1000: its owner exempted it"),
        (300, "sshd", 0, False, "it belongs to sshd or the init system"),
        (300, "sshd-session", 0, False, "it belongs to sshd or the init system"),
        (300, "sshd: root@pts/0", 0, False, "it belongs to sshd or the init system"),
        (300, "systemd", 0, False, "it belongs to sshd or the init system"),
        (300, "systemd-journal", 0, False, "it belongs to sshd or the init system"),
        (300, "dropbear", 0, False, "it belongs to sshd or the init system"),
        (300, "leak", -999, False, ""),
        (300, "leak", None, False, ""),
        (3, "leak", 0, False, ""),
        (300, "sshdx", 0, False, ""),
    ],
)
def test_processes(pid: int, name: str, adj: int | None, kernel: bool, why: str) -> None:  # noqa: FBT001
    found = untouchable_process(pid, name, adj, kernel_thread=kernel)
    assert found == why
