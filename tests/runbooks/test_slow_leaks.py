"""Slow leaks that the history tells: found by four runbooks, told in words, restarted before the limit is reached."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.runbooks.worlds import book, causes, planned, service, services, snapshot, states

from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.plan.diagnosis import Suspect, diagnose_one
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.units import DAY, GIB, HOUR, MIB
from memrunbook.facts.shared.leaking_units import LeakingUnit
from memrunbook.facts.shared.leaks import Leak
from memrunbook.ui.suspects import cause_rows, sentence

LEAK = LeakingUnit(
    name="search-api.service",
    kind="unit",
    own_bytes=int(2.8 * GIB),
    gained_bytes=2 * GIB,
    growth_bytes_per_second=int(61 * MIB / HOUR) + 1,
    growth_low_bytes_per_second=int(57 * MIB / HOUR) + 1,
    growth_high_bytes_per_second=int(66 * MIB / HOUR) + 1,
    memory_percent=17.5,
    known_seconds=3 * DAY,
    readings=864,
    limit_bytes=4 * GIB,
    seconds_to_limit=21 * HOUR,
    earliest_seconds_to_limit=19 * HOUR,
    latest_seconds_to_limit=24 * HOUR,
    seconds_to_exhaustion=90 * HOUR,
    seconds_left=21 * HOUR,
    restartable=True,
    policy=UnitPolicy(restart="yes"),
)


def seen(*leaks: LeakingUnit, **more: Any) -> Any:
    running = services(service("search-api.service", int(2.8 * GIB), 0))
    return snapshot(running, {"units.leaking": list(leaks), "units.leaks_known": True}, more)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (21 * HOUR, {"leaks-slowly": "holds", "leak-due": "fails", "leak-scheduled": "fails", "incident": "holds"}),
        (0.5 * HOUR, {"leaks-slowly": "holds", "leak-due": "holds", "incident": "holds"}),
        (9 * DAY, {"leaks-slowly": "fails", "leak-scheduled": "holds", "incident": "fails"}),
    ],
)
def test_a_slow_leak_is_as_bad_as_it_is_soon(left: float, expected: dict[str, str]) -> None:
    said = states(book("memory-leak"), seen(msgspec.structs.replace(LEAK, seconds_left=left)))
    assert {name: said[name] for name in expected} == expected


def test_a_slow_leak_is_restarted_and_not_again_when_it_has_given_back_what_it_gained() -> None:
    step = planned(book("memory-leak"), seen(LEAK), "restart-slow-leaker")
    assert step.decision == "change"
    restarted = seen(msgspec.structs.replace(LEAK, gained_bytes=0, own_bytes=800 * MIB))
    assert states(book("memory-leak"), restarted)["incident"] == "fails"


@pytest.mark.parametrize("whose", ["cgroups", "slab", "memory"])
def test_whatever_leaks_is_coming_exhaustion_though_no_runbook_restarts_it(whose: str) -> None:
    fields = {name: getattr(LEAK, name) for name in Leak.__struct_fields__}
    leak = Leak(**{**fields, "name": "payments"})
    none: dict[str, list[Leak]] = {f"{name}.leaking": [] for name in ("cgroups", "slab", "memory")}
    now, calm = (seen(**{**none, f"{whose}.leaking": found}) for found in ([leak], []))
    runbook = book("preventive-maintenance")
    assert (states(runbook, now)["exhaustion"], states(runbook, now)["incident"]) == ("holds", "fails")
    assert causes(runbook, now)[0] == "payments"
    assert states(runbook, calm)["exhaustion"] == "fails"


def test_without_history_nothing_of_it_is_unknown() -> None:
    unknown = Unavailable("not yet", "no history yet: only this reading is known; 8 over 30 min are needed")
    now = snapshot({"units.leaking": unknown})
    for name in ("memory-leak", "memory-shortage", "oom-event", "preventive-maintenance"):
        said = states(book(name), now)
        assert not [check for check, state in said.items() if state == "unknown"], name


def test_it_is_named_where_memory_is_short_and_before_it_is() -> None:
    assert states(book("memory-shortage"), seen(LEAK))["leaking"] == "holds"
    ahead = states(book("preventive-maintenance"), seen(LEAK))
    assert (ahead["exhaustion"], ahead["slow-leak"]) == ("holds", "fails")
    assert causes(book("preventive-maintenance"), seen(LEAK))[0] == "search-api.service"


def test_a_leak_of_the_kernel_is_told_and_nobody_restarted() -> None:
    kernel = Leak(**{name: getattr(LEAK, name) for name in Leak.__struct_fields__})
    kernel = msgspec.structs.replace(kernel, name="slab cache filp", kind="kernel")
    now = seen(**{"slab.leaking": [kernel], "memory.leaking": []})
    said = states(book("memory-leak"), now)
    assert (said["kernel-leaks"], said["incident"]) == ("holds", "fails")


def test_it_is_said_for_people() -> None:
    found = diagnose_one(book("memory-leak"), seen(LEAK))
    cause: Suspect = found.causes[0]
    words = "grows 61 MiB/h (57 to 66) for 3 d; reaches its own limit of 4.0 GiB in 21 h (19-24 h), if nothing changes"
    assert sentence(cause) == words
    assert words in str(cause_rows([cause])[0])
    host = msgspec.structs.replace(LEAK, seconds_to_limit=None, limit_bytes=None, lives=4)
    [other] = diagnose_one(book("memory-leak"), seen(host)).causes
    assert sentence(other) == (
        "grows 61 MiB/h (57 to 66) for 3 d, over 4 lives; memory and swap are full in 4 d, if nothing changes"
    )


NIGHTLY = "02:00-04:00 UTC"


def in_window(left: float, *, is_open: bool, opens: float, gained: int = 2 * GIB) -> Any:
    policy = UnitPolicy(restart="yes", window=NIGHTLY, in_window=is_open, window_opens_seconds=float(opens))
    return seen(msgspec.structs.replace(LEAK, seconds_left=left, gained_bytes=gained, policy=policy))


@pytest.mark.parametrize(
    ("left", "is_open", "opens", "gained", "expected"),
    [
        (21 * HOUR, True, DAY, 2 * GIB, "change"),
        (47 * HOUR, True, DAY, 2 * GIB, "change"),
        (49 * HOUR, True, DAY, 2 * GIB, ""),  # the next window is soon enough
        (13 * DAY, True, 7 * DAY, 2 * GIB, "change"),
        (21 * HOUR, True, DAY, 63 * MIB, ""),  # a restart would give back next to nothing
        (21 * HOUR, False, 9 * HOUR, 2 * GIB, ""),
    ],
)
def test_preventive_maintenance_restarts_a_leak_in_its_window_and_in_the_last_one_that_is_safe(
    left: float, is_open: object, opens: float, gained: int, expected: str
) -> None:
    runbook, now = book("preventive-maintenance"), in_window(left, is_open=is_open is True, opens=opens, gained=gained)
    assert states(runbook, now)["incident"] == ("holds" if expected else "fails")
    if expected:
        assert planned(runbook, now, "restart-slow-leaker").decision == expected
        assert states(runbook, now)["resolved"] == "fails"
        after = in_window(left, is_open=True, opens=opens, gained=0)
        assert states(runbook, after, now)["resolved"] == "holds"


def test_without_a_window_preventive_maintenance_only_tells() -> None:
    assert states(book("preventive-maintenance"), seen(LEAK))["incident"] == "fails"


def test_a_leak_that_does_not_last_until_its_window_is_told() -> None:
    runbook = book("preventive-maintenance")
    assert states(runbook, in_window(8 * HOUR, is_open=False, opens=9 * HOUR))["too-late"] == "holds"
    assert states(runbook, in_window(10 * HOUR, is_open=False, opens=9 * HOUR))["too-late"] == "fails"
    [cause] = diagnose_one(runbook, in_window(8 * HOUR, is_open=False, opens=9 * HOUR)).causes
    assert sentence(cause).endswith("if nothing changes; its window (02:00-04:00 UTC) opens in 9 h")
    [cause] = diagnose_one(runbook, in_window(8 * HOUR, is_open=True, opens=DAY)).causes
    assert sentence(cause).endswith("if nothing changes; its window (02:00-04:00 UTC) is open")


@pytest.mark.parametrize("name", ["memory-leak", "preventive-maintenance"])
def test_what_could_not_be_read_is_not_blamed_on_systemd(name: str) -> None:
    policy = UnitPolicy(restart="yes", window=NIGHTLY, in_window=True, window_opens_seconds=float(DAY))
    unread = msgspec.structs.replace(LEAK, restartable=False, details_known=False, policy=policy)
    step = planned(book(name), seen(unread), "restart-slow-leaker")
    assert step.decision == "blocked"
    assert "its systemd details could not be read" in str(step)
    assert "systemd does not let it" not in str(step)
    refuses = planned(book(name), seen(msgspec.structs.replace(unread, details_known=True)), "restart-slow-leaker")
    assert "systemd does not let it" in str(refuses)


@pytest.mark.parametrize("why", ["failed", "denied", "timeout"])
def test_a_host_whose_services_could_not_be_read_is_not_healthy(why: Any) -> None:
    now = snapshot()
    unread = msgspec.structs.replace(now, readings={**now.readings, "units": Unavailable(why, "systemctl was killed")})
    assert states(book("preventive-maintenance"), unread)["incident"] == "unknown"
