"""Events that an earlier run has dealt with."""

from __future__ import annotations

import msgspec

from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.runtime.handled import with_handled


class Event(msgspec.Struct, frozen=True):
    """An event as the `oom` fact gives it."""

    age_seconds: float | None
    handled: bool = False


class Oom(Reading, frozen=True, kw_only=True):
    """The parts of the `oom` reading that this is about."""

    events: list[Event]
    failures: list[Event]


def snapshot(oom: Reading | Unavailable | None, machine: str = "m") -> Snapshot:
    readings = {} if oom is None else {"oom": oom}
    return Snapshot("h", HostIdentity(machine_id=machine), Instant(1000.0, 5.0), readings)


def test_what_is_older_than_the_run_is_handled() -> None:
    oom = Oom(events=[Event(10.0), Event(300.0), Event(None)], failures=[Event(301.0)])
    after = with_handled(snapshot(oom), {("h", "m"): 900.0}).readings["oom"]
    assert isinstance(after, Oom)
    assert [event.handled for event in after.events] == [False, True, False]
    assert [event.handled for event in after.failures] == [True]


def test_another_machine_and_an_unread_log_stay_as_they_are() -> None:
    oom = Oom(events=[Event(300.0)], failures=[])
    for before in (snapshot(oom, "other"), snapshot(None), snapshot(Unavailable("denied", "no"))):
        assert with_handled(before, {("h", "m"): 900.0}) == before
