from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import API, DENIED, FAILED, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.start_unit import StartUnit
from memrunbook.core.action.action import Risk
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import MIB
from memrunbook.facts.cgroups import CgroupsReading
from memrunbook.facts.oom import Oom
from memrunbook.facts.shared.group import Group
from memrunbook.facts.shared.victims import VictimUnit

START = StartUnit(unit=FAILED.name)
USE = Use(START)


def test_a_failed_service_is_started_and_must_stay_up() -> None:
    made = change(START, host())
    assert (made.summary, made.risk) == ("Start report.service", Risk.MEDIUM)
    assert made.args == (FAILED.name, "0", "4f1c")
    assert made.verify is not None
    assert made.verify.hold >= 60.0


def test_a_service_that_runs_is_not_started() -> None:
    assert "active" in not_needed(StartUnit(unit=API.name), host())


def test_systemd_is_not_interrupted() -> None:
    starting = host({"units.all": [msgspec.structs.replace(FAILED, failed=False, state="activating")]})
    assert "activating: systemd is at it" in blocked(START, starting)


def test_only_a_known_service_is_started() -> None:
    assert "no active or failed service" in blocked(StartUnit(unit="nginx.service"), host())
    assert "protected" in blocked(StartUnit(unit="ssh.service"), host())


def test_a_service_is_not_started_into_the_next_oom_kill() -> None:
    assert "4.9 % of memory" in blocked(START, host({"memory.available_percent": 4.9}))
    assert "unknown" in blocked(START, host({"memory": DENIED}))


def test_the_script_clears_the_failure_and_starts(machine: Machine) -> None:
    made = change(START, host())
    machine.shows(MainPID="0", InvocationID="4f1c")
    assert machine.do(made.script, *made.args).status == 0
    assert machine.calls == [
        "reset-failed --no-ask-password -- report.service",
        "start --no-ask-password -- report.service",
    ]
    machine.fails()
    assert machine.do(made.script, *made.args).status == 1


def test_the_script_leaves_a_service_alone_that_came_back(machine: Machine) -> None:
    made = change(START, host())
    machine.shows(MainPID="77", InvocationID="4f1d")
    assert machine.do(made.script, *made.args).status == 3
    assert machine.calls == []


def victim(**changes: Any) -> VictimUnit:
    """The failed service as one that reached its own limit 8 s after its start."""
    known = {name: getattr(FAILED, name) for name in FAILED.__struct_fields__}
    said = {
        "own_limit": True,
        "limit_group": f"/system.slice/{FAILED.name}",
        "limit_bytes": 256 * MIB,
        "memory_max_bytes": 256 * MIB,
        "kills": 1,
        "lived_seconds": 8.0,
        "died_soon": True,
        "limit_stands": True,
    }
    return VictimUnit(**{**known, **said, **changes})


def killed(*victims: VictimUnit, **more: Any) -> Snapshot:
    log = Oom(
        events=[], count_24h=1, repeated_units=[], victim_units=list(victims), failures=[], cache_drops=[],
        overcommit_refusals=0,
    )  # fmt: skip
    return host({"oom": log, **more})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "was killed 8.0 s after its last start at its own limit of 256.0 MiB, which still stands: it"),
        ({"kills": 4, "lived_seconds": 30.0}, "was killed 4 times, 30 s after its last start"),
        ({"kills": 2, "lived_seconds": None, "limit_bytes": None}, "2 times, soon after its last start"),
    ],
)  # fmt: skip
def test_a_service_is_not_started_into_the_limit_that_just_ended_it(changes: dict[str, Any], said: str) -> None:
    assert said in blocked(START, killed(victim(**changes)))


@pytest.mark.parametrize(
    "changes", [{"limit_stands": False}, {"died_soon": False}, {"name": "other.service"}], ids=str
)  # fmt: skip
def test_a_raised_limit_and_a_slow_leak_are_worth_a_start(changes: dict[str, Any]) -> None:
    assert change(START, killed(victim(**changes))).summary == "Start report.service"


SHARED = {"own_limit": False, "limit_stands": False, "limit_group": "/app.slice"}


def groups(limit: int | None) -> dict[str, Any]:
    slice_ = Group(path="/app.slice", name="app.slice", kind="slice", unit="", container="", limit_bytes=limit)
    return {"cgroups": CgroupsReading(version=2, seen=1, shown=1, all=[slice_], pressed=[])}


def test_of_a_shared_limit_only_who_grew_is_held_back() -> None:
    grew, innocent = victim(**SHARED), victim(**SHARED, name="web.service")
    why = blocked(START, killed(innocent, grew, **groups(256 * MIB)))
    assert "at the limit of app.slice, a group above it, of 256.0 MiB, which still stands" in why
    assert "still stands" in blocked(START, killed(grew)), "nothing says that it was raised"
    assert change(START, killed(grew, innocent, **groups(256 * MIB)))
    assert change(START, killed(innocent, grew, **groups(512 * MIB)))
    assert change(START, killed(innocent, grew, **groups(None)))
