"""What only a hold keeps away is no health; who hit whose limit; strict overcommit by what a kernel can say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.runbooks.worlds import MORE, book, causes, planned, service, services, snapshot, states

from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.plan.held import held_words
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.units import GIB, MIB
from memrunbook.facts.holds import Hold, Holds
from memrunbook.facts.oom import Oom, OomEvent
from memrunbook.facts.shared.victims import VictimUnit
from memrunbook.linux.swap_size import Policy, recommended_swap

RULES: dict[str, Policy] = {"": "min", "_half": "half", "_max": "max"}
NEVER = Unavailable("absent", "this kernel writes no line")
FREEZERS = ("memory-shortage", "swap-exhausted", "swap-thrashing", "writeback-stall")
FREEZABLE = UnitPolicy(restart="yes", freeze="yes")


def frozen(name: str, **changes: Any) -> dict[str, Any]:
    """A host on which one service is frozen, and all is quiet."""
    one = service(name, 2 * GIB, freezer_state="frozen", policy=FREEZABLE)
    hold = Hold(name=name, kind="frozen", own_bytes=one.own_bytes, memory_percent=one.memory_percent)
    held = {"holds": Holds(all=[msgspec.structs.replace(hold, **changes)])}
    return {**services(one, service("other.service", GIB)), "units.suspects": [], **held}


def ours(runbook: str) -> dict[str, Any]:
    return {"ours": True, "run": "R1", "runbook": runbook, "since_seconds": 60.0, "left_seconds": 240.0}


@pytest.mark.parametrize("name", FREEZERS)
def test_an_incident_that_our_own_hold_keeps_away_is_held_and_not_healthy(name: str) -> None:
    runbook, seen = book(name), snapshot(frozen("batch.service", **ours(name)))
    said = states(runbook, seen)
    assert (said["held"], said["incident"], said["resolved"]) == ("holds", "holds", "fails")
    assert causes(runbook, seen)[0] == "batch.service"
    assert held_words(seen)[0].startswith("batch.service is frozen and does nothing, by run R1")
    thaw = planned(runbook, seen, "thaw")
    assert (thaw.decision, thaw.item) == ("change", "batch.service")


@pytest.mark.parametrize("name", FREEZERS)
def test_a_hold_of_another_runbook_is_that_runbooks(name: str) -> None:
    seen = snapshot(frozen("batch.service", **ours("my-own-runbook")))
    assert states(book(name), seen)["incident"] == "fails"


@pytest.mark.parametrize(
    ("percent", "state"), [(19.0, "holds"), (5.0, "holds"), (0.4, "fails"), (None, "unknown")]
)  # fmt: skip
def test_what_somebody_froze_counts_where_it_holds_much(percent: float | None, state: str) -> None:
    seen = snapshot(frozen("app.service", memory_percent=percent))
    assert states(book("memory-shortage"), seen)["held"] == state
    assert states(book("swap-thrashing"), seen)["held"] == "fails"


def test_a_recording_from_before_marks_says_nothing_is_held() -> None:
    seen = snapshot({"holds": Unavailable("absent", "holds")})
    assert {states(book(name), seen)["held"] for name in FREEZERS} == {"fails"}


@pytest.mark.parametrize(
    ("name", "step"),
    [("swap-thrashing", "restart-grower"), ("memory-shortage", "restart-hog"), ("swap-exhausted", "restart-hog")],
)
def test_the_ladder_goes_on_with_who_is_frozen_though_pressure_is_gone(name: str, step: str) -> None:
    seen = snapshot(frozen("batch.service", **ours(name)))
    decided = planned(book(name), seen, step)
    assert (decided.decision, decided.item) == ("change", "batch.service")


def test_a_held_writer_that_may_be_stopped_is_stopped() -> None:
    seen = frozen("w.service", **ours("writeback-stall"))
    stoppable = [msgspec.structs.replace(one, policy=UnitPolicy(stop="yes")) for one in seen["units.all"][:1]]
    decided = planned(book("writeback-stall"), snapshot({**seen, "units.all": stoppable}), "stop-writer")
    assert (decided.decision, decided.item) == ("change", "w.service")


OVERCOMMIT = [
    # committed in %, mode, the kernel logs refusals, seconds since one -> refused, incident
    ("el7 at 97 %", 97.0, 2, False, NEVER, "unknown", "holds"),
    ("el8 at 95.0 %", 95.0, 2, False, NEVER, "unknown", "holds"),
    ("el8 at 92 %: it may refuse, and would not say so", 92.0, 2, False, NEVER, "unknown", "unknown"),
    ("el7 at 60 %: there is room", 60.0, 2, False, NEVER, "fails", "fails"),
    ("6.1 at 62 %, one large request refused", 62.0, 2, True, 30.0, "holds", "holds"),
    ("6.12 at 91 %, refused just now", 91.0, 2, True, 0.0, "holds", "holds"),
    ("6.12 at 91 %, refused yesterday", 91.0, 2, True, 86400.0, "fails", "fails"),
    ("6.12 at 91 %, never refused", 91.0, 2, True, 1e9, "fails", "fails"),
    ("6.12 at 99 %, never refused", 99.0, 2, True, 1e9, "fails", "holds"),
    ("mode 0 at 180 %, something absurd refused", 180.0, 0, True, 5.0, "fails", "fails"),
    ("mode 1 at 300 % on el7", 300.0, 1, False, NEVER, "fails", "fails"),
]


@pytest.mark.parametrize(
    ("name", "committed", "mode", "logs", "age", "refused", "incident"), OVERCOMMIT, ids=[one[0] for one in OVERCOMMIT]
)
def test_strict_overcommit_is_judged_by_what_the_kernel_can_say(  # noqa: PLR0913  the columns of the table
    name: str, *, committed: float, mode: int, logs: object, age: Any, refused: str, incident: str
) -> None:
    seen = snapshot(
        {
            "memory.committed_percent": committed,
            "sysctl.vm.overcommit_memory": mode,
            "oom.logs_refusals": logs,
            "oom.refusal_age_seconds": age,
        }
    )
    said = states(book("kernel-tuning"), seen)
    assert (said["overcommit-limit"], said["incident"]) == (refused, incident), name
    if incident == "holds":
        assert planned(book("kernel-tuning"), seen, "commit-more").decision in ("change", "blocked")


def test_a_refusal_of_before_is_no_reason_to_go_on() -> None:
    refused = {"sysctl.vm.overcommit_memory": 2, "oom.logs_refusals": True, "oom.refusal_age_seconds": 30.0}
    before = snapshot({**refused, "oom.overcommit_refusals": 3})
    assert states(book("kernel-tuning"), before, before)["resolved"] == "holds"
    later = snapshot({**refused, "oom.overcommit_refusals": 4})
    assert states(book("kernel-tuning"), later, before)["resolved"] == "fails"


def event(unit: str, group: str, **changes: Any) -> OomEvent:
    known = {"class_": "memcg", "age_seconds": 60.0, "unit": unit, "oom_memcg": group, "victim_is_largest": True}
    return OomEvent(**{**known, "victim_bytes": 200 * MIB, "limit_bytes": 256 * MIB, **changes})


def victim(name: str, **changes: Any) -> VictimUnit:
    one = service(name, 0, active=False, failed=True, state="failed", result="oom-kill", main_pid=None)
    known = {field: getattr(one, field) for field in one.__struct_fields__}
    said = {"own_limit": True, "limit_group": f"/system.slice/{name}", "limit_bytes": 256 * MIB, "kills": 1}
    stands = {"memory_max_bytes": 256 * MIB, "memory_max_set": True, "died_soon": True, "limit_stands": True}
    return VictimUnit(**{**known, **said, **stands, "kill_age_seconds": 60.0, "lived_seconds": 5.0, **changes})


def killed(*victims: VictimUnit, events: list[OomEvent], **more: Any) -> Any:
    log = MORE["oom"]
    assert isinstance(log, Oom)
    reading = msgspec.structs.replace(
        log, events=events, count_24h=len(events), last_class="memcg", last_age_seconds=60.0, victim_units=list(victims)
    )
    return snapshot({"units.all": list(victims), "units.suspects": [], **more, "oom": reading})


def test_a_service_that_died_soon_of_its_own_limit_gets_more_before_it_is_started() -> None:
    seen = killed(victim("app.service"), events=[event("app.service", "/system.slice/app.service")])
    said = states(book("oom-event"), seen)
    assert (said["own-limit"], said["group-limit"], said["incident"]) == ("holds", "fails", "holds")
    raised = planned(book("oom-event"), seen, "raise-before-start")
    assert raised.change is not None
    assert raised.change.args[-1] == f"MemoryMax={384 * MIB}"
    assert raised.change.back_after == 86400.0
    start = planned(book("oom-event"), seen, "start-victim")
    assert (start.decision, "its own limit of 256.0 MiB, which still stands" in start.why) == ("blocked", True)


@pytest.mark.parametrize(
    "changes",
    [
        {"limit_stands": False, "memory_max_bytes": 512 * MIB},
        {"died_soon": False, "lived_seconds": 40000.0},
        {"own_limit": False, "limit_group": "", "died_soon": False, "limit_stands": False},
    ],
    ids=["raised by hand", "a slow leak", "a kill of the whole host"],
)
def test_a_start_that_is_not_hopeless_is_made(changes: dict[str, Any]) -> None:
    seen = killed(victim("app.service", **changes), events=[event("app.service", "/system.slice/app.service")])
    assert planned(book("oom-event"), seen, "raise-before-start").decision == "not_needed"
    assert planned(book("oom-event"), seen, "start-victim").decision == "change"


def test_the_limit_of_a_pod_or_on_a_tight_host_is_not_raised() -> None:
    events = [event("app.service", "/system.slice/app.service")]
    tight = killed(victim("app.service"), events=events, **{"memory.available_bytes": 300 * MIB})
    assert "twice the room" in planned(book("oom-event"), tight, "raise-before-start").why


def nobody_killed(**changes: Any) -> Any:
    """A service whose processes may not be killed, at its own limit."""
    one = service("ledger.service", 60 * MIB, memory_max_bytes=64 * MIB, memory_max_set=True)
    no_victim = {"class_": "no-victim", "victim_bytes": None, "largest": "ledger", "largest_bytes": 60 * MIB}
    told = event("ledger.service", "/system.slice/ledger.service", **no_victim, **changes)
    return killed(events=[told], **{"units.all": [one], "units.growing": []})


def test_a_limit_at_which_nobody_may_be_killed_is_raised_and_the_unit_named() -> None:
    seen = nobody_killed(age_seconds=1.0)
    said = states(book("oom-event"), seen)
    assert (said["nobody"], said["happened"], said["wrong-victim"]) == ("holds", "fails", "fails")
    assert (said["incident"], said["resolved"]) == ("holds", "fails")
    assert causes(book("oom-event"), seen)[0] == "ledger.service"
    raised = planned(book("oom-event"), seen, "raise-for-nobody")
    assert raised.change is not None
    assert raised.change.args[-1] == f"MemoryMax={96 * MIB}"


def test_nobody_killed_long_ago_is_over_and_of_another_group_raises_nothing() -> None:
    assert states(book("oom-event"), nobody_killed(age_seconds=60.0))["resolved"] != "fails"
    seen = nobody_killed(oom_memcg="/system.slice")
    assert planned(book("oom-event"), seen, "raise-for-nobody").decision == "not_needed"


def test_victim_grower_and_limit_are_three_names() -> None:
    grower = service("leak.service", GIB, 40 * MIB, cgroup="/app.slice/leak.service")
    bystander = service("far.service", 30 * GIB, MIB, cgroup="/system.slice/far.service")
    shared = {"own_limit": False, "limit_group": "/app.slice", "limit_stands": False}
    seen = killed(
        victim("web.service", **shared),
        events=[event("web.service", "/app.slice")],
        **{"units.growing": [grower, bystander]},
    )
    said = states(book("oom-event"), seen)
    assert (said["own-limit"], said["group-limit"]) == ("fails", "holds")
    assert causes(book("oom-event"), seen) == ["leak.service", "web.service", "limit of /app.slice"]


TUNING = [
    ("60 -> nothing", 60, {}, "not_needed", ""),
    ("9 -> 10", 9, {"all": "true"}, "change", "vm.swappiness 9 -> 10"),
    ("100 -> 60", 100, {"all": "true"}, "change", "vm.swappiness 100 -> 60"),
    ("0 -> 10", 0, {}, "change", "vm.swappiness 0 -> 10"),
    ("100 -> 30 as asked", 100, {"all": "true", "swappiness": "30"}, "change", "vm.swappiness 100 -> 30"),
]


@pytest.mark.parametrize(("name", "now", "given", "decision", "did"), TUNING, ids=[one[0] for one in TUNING])
def test_swappiness_goes_to_the_nearer_end_of_its_range(
    name: str, now: int, given: dict[str, str], decision: str, did: str
) -> None:
    step = planned(book("kernel-tuning", **given), snapshot({"sysctl.vm.swappiness": now}), "swappiness")
    assert (step.decision, step.change.summary if step.change else "") == (decision, did), name


RESERVES = [
    # share of RAM -> firing checks, incident
    (0.1, "min-free-low", "fails"),
    (1.0, "", "fails"),
    (3.0, "", "fails"),
    (3.1, "min-free-above", "fails"),
    (5.0, "min-free-above", "fails"),
    (5.1, "min-free-high", "holds"),
]


@pytest.mark.parametrize(("percent", "firing", "incident"), RESERVES)
def test_each_reserve_is_told_once(percent: float, firing: str, incident: str) -> None:
    said = states(book("kernel-tuning"), snapshot({"sysctl.min_free_percent": percent}))
    found = [check for check in said if check.startswith("min-free") and said[check] == "holds"]
    assert (found, said["incident"]) == ([firing] if firing else [], incident)


def test_a_reserve_is_raised_on_request_and_never_beyond_a_gibibyte() -> None:
    asked = book("kernel-tuning", reserve_percent="1")
    small = {"sysctl.min_free_percent": 0.1, "sysctl.vm.min_free_kbytes": 67584}
    assert states(asked, snapshot(small))["incident"] == "holds"
    assert states(book("kernel-tuning"), snapshot(small))["incident"] == "fails"
    step = planned(asked, snapshot(small), "more-reserve")
    assert step.change is not None
    assert step.change.summary == "vm.min_free_kbytes 67584 -> 671088"
    large = {**small, "memory.total_bytes": 512 * GIB, "memory.available_bytes": 400 * GIB}
    step = planned(asked, snapshot(large), "more-reserve")
    assert step.change is not None
    assert step.change.summary == "vm.min_free_kbytes 67584 -> 1048576"
    full = {"sysctl.min_free_percent": 0.2, "sysctl.vm.min_free_kbytes": 1048576}
    assert states(asked, snapshot({**large, **full}))["incident"] == "fails"


SWAPS = [
    # RAM and swap in GiB, policy -> too small; "8 GiB or half" accepts the smaller where nothing else is asked
    (12, 6, "fixed8", "fails"),
    (12, 5, "fixed8", "holds"),
    (64, 8, "fixed8", "fails"),
    (64, 8, "half", "holds"),
    (64, 32, "half", "fails"),
    (12, 6, "max", "holds"),
    (12, 8, "max", "fails"),
    (64, 8, "min", "fails"),
]


@pytest.mark.parametrize(("ram", "swap", "policy", "small"), SWAPS)
def test_the_audit_of_swap_asks_for_what_the_policy_says(ram: int, swap: int, policy: Policy, small: str) -> None:
    sizes = {
        f"swap.recommended{suffix}_bytes": recommended_swap(ram * GIB, rule)
        for suffix, rule in RULES.items()
    }  # fmt: skip
    seen = snapshot({"memory.total_bytes": ram * GIB, "swap.total_bytes": swap * GIB, **sizes})
    assert states(book("swap-capacity", policy=policy), seen)["too-small"] == small


@pytest.mark.parametrize("name", ["swap-capacity", "preventive-maintenance"])
def test_a_realtime_host_does_well_without_swap(name: str) -> None:
    seen = snapshot({"swap.total_bytes": 0, "swap.free_percent": NEVER})
    assert states(book(name), seen)["no-swap"] == "holds"
    tagged = snapshot({"swap.total_bytes": 0, "swap.free_percent": NEVER, "host.tags": ["realtime"]})
    assert states(book(name), tagged)["no-swap"] == "fails"


def test_a_realtime_host_gets_no_swap_in_a_shortage() -> None:
    short = {"memory.available_percent": 2.0, "memory.available_bytes": 600 * MIB, "vmstat.allocstalls_per_second": 9.0}
    seen = snapshot({**short, "swap.total_bytes": 0, "swap.free_percent": NEVER})
    assert planned(book("memory-shortage"), seen, "add-swap").decision == "change"
    tagged = snapshot({**short, "swap.total_bytes": 0, "swap.free_percent": NEVER, "host.tags": ["realtime"]})
    assert planned(book("memory-shortage"), tagged, "add-swap").decision == "not_needed"


def test_swap_that_is_to_stay_is_added_so() -> None:
    seen = snapshot({"swap.total_bytes": 0, "swap.free_percent": NEVER})
    step = planned(book("swap-capacity", always="true", persist="true"), seen, "add-swap")
    assert step.change is not None
    assert step.change.summary.endswith("also after a reboot")
