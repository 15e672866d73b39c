"""Why a firing was missed: the real reason, not a guess."""

from __future__ import annotations

from memrunbook.app.attendance import CROWDED, NOBODY, UNDER_WAY, UNUSED, Attendance
from memrunbook.core.instant import Instant
from memrunbook.core.schedule import Moment


def moment(starts: float) -> Moment:
    return Moment("night", starts, starts)


def looking(*looks: float, names: tuple[str, ...] = ("night",), crowded: tuple[str, ...] = ()) -> Attendance:
    found = Attendance()
    for at in looks:
        found.looked(Instant(at, at), names, crowded)
    return found


def test_nobody_was_there_before_the_first_look_and_since_when() -> None:
    now = Instant(5000.0, 10.0)
    assert Attendance().why(moment(4000.0), now, ()) == NOBODY
    assert Attendance(heard=3000.0).why(moment(4000.0), now, ()) == f"{NOBODY} after 1970-01-01 00:50:00 UTC"
    assert "did not come to it" in Attendance(heard=4500.0).why(moment(4000.0), now, ())
    stopped = Attendance(heard=4500.0, stopped=True).why(moment(4000.0), now, ())
    assert stopped == "the scheduler was being stopped, until 1970-01-01 01:15:00 UTC"
    assert looking(4500.0).why(moment(4000.0), now, ()) == NOBODY


def test_a_store_that_did_not_answer_is_the_reason_only_since_it_did_not() -> None:
    found = Attendance(heard=1000.0)
    found.troubled(Instant(3000.0, 0.0), "the store is locked")
    found.troubled(Instant(3500.0, 0.0), "the store is locked")
    now = Instant(4000.0, 0.0)
    assert found.why(moment(3200.0), now, ()) == "nothing could be begun: the store is locked"
    assert found.why(moment(2000.0), now, ()).startswith(NOBODY)
    found.looked(now, ["night"], ())
    assert found.trouble == ""


def test_a_schedule_that_came_back_was_not_in_use() -> None:
    found = looking(1000.0, names=())
    found.looked(Instant(2000.0, 2000.0), ["night"], ())
    assert found.why(moment(1500.0), Instant(2500.0, 2500.0), ()) == UNUSED


def test_others_that_were_under_way_are_the_reason() -> None:
    found = looking(1000.0, 2000.0, crowded=("night",))
    assert found.why(moment(1900.0), Instant(2010.0, 2010.0), ()) == CROWDED


def test_time_that_passed_on_the_wall_alone_is_sleep_or_a_clock_put_forward() -> None:
    found = looking(1000.0)
    slept = found.why(moment(2000.0), Instant(8200.0, 1000.0), ("night",))
    assert slept == "this machine slept, or its clock was put forward, for 2 h"
    assert found.why(moment(2000.0), Instant(8200.0, 8200.0), ("night",)) == UNDER_WAY
    assert found.why(moment(8000.0), Instant(8200.0, 8200.0), ()) == (
        "the scheduler was there and came 3 min late to it"
    )
