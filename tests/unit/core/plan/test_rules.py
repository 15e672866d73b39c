"""What is refused by the kind of host: at least three hosts of each kind, and the same hosts without it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.actions.hosts import API, DENIED, FAILED, IDLE_POOL, host

from memrunbook.actions.add_swap_file import AddSwapFile
from memrunbook.actions.capture_evidence import CaptureEvidence
from memrunbook.actions.drop_caches import DropCaches
from memrunbook.actions.freeze_unit import FreezeUnit
from memrunbook.actions.limit_unit import LimitUnit
from memrunbook.actions.release_hugepages import ReleaseHugepages
from memrunbook.actions.restart_unit import RestartUnit
from memrunbook.actions.run_command import RunCommand
from memrunbook.actions.set_sysctl import SetSysctl
from memrunbook.actions.setup_zram import SetupZram
from memrunbook.actions.stop_unit import StopUnit
from memrunbook.core.action.action import Action, Blocked, Change, Repeat, Risk, Undo
from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.plan.rules import host_off_words, ruled_out
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.facts.holds import Hold
from memrunbook.facts.shared import roles

ROLES = ("kubernetes", "hypervisor", "database", "cluster_managed", "quorum")
HOLDS = Blocked("whatever the action itself says")


def seen(*services: str, paths: tuple[str, ...] = (), tags: tuple[str, ...] = ()) -> Snapshot:
    """A host with these active services, judged as its facts are."""
    played = {f"host.{role}": roles.plays(role, services, paths) for role in ROLES}
    return host({**played, "host.tags": list(tags)})


def touching(unit: str, action: type[Action] = RestartUnit) -> Change:
    return Change(
        action="restart_unit", summary="x", target=unit, touches=unit, script=":", risk=Risk.HIGH, repeat=action.repeat
    )


def said(action: type[Action], snapshot: Snapshot, decision: Any = HOLDS) -> Blocked:
    blocked = ruled_out(action, decision, snapshot)
    assert blocked is not None
    assert blocked.rule
    assert blocked.hint
    return blocked


NODES = {
    "kubelet": seen("kubelet.service", "containerd.service"),
    "k3s server": seen("k3s.service"),
    "k3s agent": seen("k3s-agent.service"),
    "crio alone": seen("crio.service"),
    "pods seen in cgroups": seen("cron.service", paths=("/sys/fs/cgroup/kubepods.slice",)),
    "said by a tag": seen("cron.service", tags=("kubernetes",)),
}
CHANGES = (RestartUnit, FreezeUnit, LimitUnit, AddSwapFile, DropCaches, SetSysctl, RunCommand, ReleaseHugepages)


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("action", CHANGES)
def test_a_kubernetes_node_is_only_reported_on(node: str, action: type[Action]) -> None:
    blocked = said(action, NODES[node])
    assert "this is a Kubernetes node" in blocked.why
    assert "kubectl cordon NODE, kubectl drain NODE" in blocked.hint


@pytest.mark.parametrize("node", NODES)
def test_what_only_reads_is_done_there_too(node: str) -> None:
    assert ruled_out(CaptureEvidence, HOLDS, NODES[node]) is None
    look = msgspec.structs.replace(touching("api.service"), repeat=Repeat.READ)
    assert ruled_out(RestartUnit, look, NODES[node]) is None


ORDINARY = {
    "a web server": seen("nginx.service", "cron.service"),
    "a docker host": seen("docker.service", "containerd.service"),
    "a database": seen("postgresql@15-main.service"),
    "a haproxy": seen("haproxy.service", "search-api.service"),
    "nothing known": host({"host": DENIED, "units": DENIED}),
}


@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.parametrize("action", CHANGES)
def test_other_hosts_are_left_to_actions_and_runbooks(name: str, action: type[Action]) -> None:
    assert ruled_out(action, touching("search-api.service"), ORDINARY[name]) is None


@pytest.mark.parametrize("action", [RestartUnit, StopUnit, FreezeUnit, LimitUnit])
@pytest.mark.parametrize(
    "unit",
    [
        "patroni.service",
        "keepalived.service",
        "corosync.service",
        "pacemaker.service",
        "sbd.service",
        "patroni@14.service",
    ],
)
def test_cluster_managers_are_never_touched_whoever_names_them(unit: str, action: type[Action]) -> None:
    blocked = said(action, host(), touching(unit))
    assert f"{unit} belongs to a cluster" in blocked.why
    assert "act through the cluster manager" in blocked.hint


MANAGED = {
    "a drop-in of pacemaker": msgspec.structs.replace(API, cluster_managed=True),
    "services.yaml says so": msgspec.structs.replace(API, policy=UnitPolicy(kind="cluster")),
    "both": msgspec.structs.replace(API, cluster_managed=True, policy=UnitPolicy(kind="cluster", restart="no")),
}


@pytest.mark.parametrize("name", MANAGED)
def test_what_a_cluster_manager_runs_is_not_restarted_behind_its_back(name: str) -> None:
    there = host({"units.all": [MANAGED[name], FAILED]})
    assert "belongs to a cluster" in said(RestartUnit, there, touching(API.name)).why
    assert ruled_out(RestartUnit, touching(FAILED.name), there) is None
    assert ruled_out(RestartUnit, HOLDS, there) is None, "whom it would touch is not known"


QUORUM = {
    "etcd": seen("etcd.service"),
    "zookeeper": seen("zookeeper.service"),
    "a ceph monitor": seen("ceph-mon@a.service"),
    "corosync": seen("corosync.service", "pacemaker.service"),
    "patroni": seen("patroni.service"),
    "said by a tag": seen("rabbitmq-server.service", tags=("quorum",)),
}


@pytest.mark.parametrize("name", QUORUM)
@pytest.mark.parametrize("action", [AddSwapFile, SetupZram])
def test_a_member_of_a_quorum_gets_no_swap(name: str, action: type[Action]) -> None:
    assert "member of a quorum" in said(action, QUORUM[name]).why
    assert ruled_out(SetSysctl, HOLDS, QUORUM[name]) is None
    assert ruled_out(RestartUnit, touching("search-api.service"), QUORUM[name]) is None


HYPERVISORS = {
    "libvirt": seen("libvirtd.service"),
    "proxmox": seen("pvedaemon.service", "pve-cluster.service"),
    "openstack": seen("openstack-nova-compute.service"),
    "guests seen in cgroups": seen(paths=("/sys/fs/cgroup/machine.slice/machine-qemu*",)),
    "said by a tag": seen(tags=("hypervisor",)),
}
STANDBYS = {
    "a pacemaker member": seen("pacemaker.service"),
    "a patroni member": seen("patroni.service", "etcd.service"),
    "said by a tag": seen(tags=("standby", "eu-west")),
}


@pytest.mark.parametrize("name", HYPERVISORS)
def test_a_hypervisor_keeps_its_idle_huge_pages(name: str) -> None:
    there = msgspec.structs.replace(HYPERVISORS[name])
    assert "runs virtual machines" in said(ReleaseHugepages, there).why
    assert ruled_out(SetSysctl, HOLDS, there) is None


@pytest.mark.parametrize("name", STANDBYS)
def test_a_standby_keeps_its_idle_huge_pages(name: str) -> None:
    assert "is a standby, or may become one" in said(ReleaseHugepages, STANDBYS[name]).why


def test_elsewhere_idle_huge_pages_are_given_back() -> None:
    there = host({"hugepages.pools": [IDLE_POOL]})
    decision = ReleaseHugepages().decide(there)
    assert isinstance(decision, Change)
    assert ruled_out(ReleaseHugepages, decision, there) is None


@pytest.mark.parametrize("text", ["/etc/memrunbook/off says: ada: a release", "/run/memrunbook/off says: nothing"])
@pytest.mark.parametrize("action", CHANGES)
def test_a_host_that_is_switched_off_is_left_alone(text: str, action: type[Action]) -> None:
    there = host({"host.switched_off": text})
    assert host_off_words(there) == f"changes are switched off on this host: {text}"
    assert text in said(action, there).why
    assert ruled_out(CaptureEvidence, HOLDS, there) is None
    assert host_off_words(host()) == host_off_words(host({"host": DENIED})) == ""


def holding(action: str, name: str, kind: str = "changed") -> Snapshot:
    hold = Hold(
        name=name, kind=kind, action=action, what="x 1 -> 2", ours=True, run="R1", since_seconds=9.0, left_seconds=51.0
    )
    return host({"holds.all": [hold]})


def changing(action: str, target: str, **more: Any) -> Change:
    undo = Undo("back", ":")
    return Change(action=action, summary="x", target=target, script=":", risk=Risk.LOW, repeat=Repeat.IDEMPOTENT,
                  **{"undo": undo, **more})  # fmt: skip


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (("set_sysctl", "vm.swappiness"), ("set_sysctl", "vm.swappiness")),
        (("set_sysctl", "vm.overcommit_ratio"), ("set_sysctl", "vm.overcommit_kbytes")),
        (("set_sysctl", "vm.dirty_ratio"), ("set_sysctl", "vm.dirty_bytes")),
        (("set_dirty_limits", "vm.dirty"), ("set_sysctl", "vm.dirty_background_bytes")),
        (("set_sysctl", "vm.dirty_bytes"), ("set_dirty_limits", "vm.dirty")),
        (("set_thp", "thp"), ("set_thp", "thp")),
        (("set_lru_gen_min_ttl", "lru_gen"), ("set_lru_gen_min_ttl", "lru_gen")),
        (("limit_unit", "web.service"), ("limit_unit", "web.service")),
    ],
)
def test_what_is_changed_for_a_while_is_not_changed_on_top(held: tuple[str, str], wanted: tuple[str, str]) -> None:
    for back_after in (0.0, 60.0):
        blocked = ruled_out(SetSysctl, changing(*wanted, back_after=back_after), holding(*held))
        assert blocked is not None
        assert blocked.why.startswith(f"{held[1]} is changed for a while (x 1 -> 2), by run R1 9.0 s ago")
        assert "the host takes it back in 51 s" in blocked.why
        assert blocked.hint == "wait, or take that back first: runbook undo R1"


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (("set_sysctl", "vm.swappiness"), ("set_sysctl", "vm.min_free_kbytes")),
        (("set_sysctl", "vm.overcommit_memory"), ("set_sysctl", "vm.overcommit_ratio")),
        (("limit_unit", "web.service"), ("limit_unit", "db.service")),
        (("limit_unit", "web.service"), ("freeze_unit", "web.service")),
        (("set_thp", "thp"), ("set_lru_gen_min_ttl", "lru_gen")),
    ],
)
def test_another_state_may_be_changed(held: tuple[str, str], wanted: tuple[str, str]) -> None:
    assert ruled_out(SetSysctl, changing(*wanted), holding(*held)) is None


def test_the_very_same_change_may_be_made_again() -> None:
    """A run that was cut off between mark and change goes on."""
    held = holding("set_thp", "thp")
    for summary in ("x 1 -> 2", "x 1 -> 2, back after 2 h"):
        assert ruled_out(SetSysctl, msgspec.structs.replace(changing("set_thp", "thp"), summary=summary), held) is None


def test_a_freeze_and_what_has_no_way_back_hold_no_value() -> None:
    frozen = holding("freeze_unit", "web.service", "frozen")
    assert ruled_out(FreezeUnit, changing("freeze_unit", "web.service"), frozen) is None
    restart = changing("limit_unit", "web.service", undo=None)
    assert ruled_out(LimitUnit, restart, holding("limit_unit", "web.service")) is None
    assert ruled_out(SetSysctl, changing("set_thp", "thp"), host({"holds": DENIED})) is None
