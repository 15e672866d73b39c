"""The same tests for the file and for a real PostgreSQL server."""

from __future__ import annotations

import threading

import pytest
from msgspec import structs
from tests.unit.state.conftest import Opened

from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.plan.limits import Here, History
from memrunbook.core.plan.shadows import HostFound, HostSighting, Shadow
from memrunbook.core.schedule import Due, Moment
from memrunbook.core.units import DAY, HOUR
from memrunbook.state.store import firings, sightings
from memrunbook.state.store.changes import Store
from memrunbook.state.store.firing_figures import ScheduleFigures, figures_of_schedules
from memrunbook.state.store.firings import SILENT_AFTER, FiringEnd

NOW = 1.8e9


def moment(number: int = 0, schedule: str = "night") -> Moment:
    return Moment(schedule, NOW + 60 * number, NOW + 60 * number)


def states(store: Store) -> list[str]:
    return [one.state for one in reversed(firings.firings(store))]


def test_of_many_that_come_at_once_one_has_it(opened: Opened) -> None:
    stores = [opened() for _ in range(4)]
    won: list[str | None] = []
    ready = threading.Barrier(8)

    def claims(number: int) -> None:
        ready.wait()
        won.append(firings.claim(stores[number % 4], moment(), f"node-{number}", NOW))

    threads = [threading.Thread(target=claims, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won, key=str) == [None] * 7 + ["running"]
    assert states(stores[0]) == ["running"]


def test_two_that_overlap_are_one_that_runs_and_one_that_is_recorded(opened: Opened) -> None:
    store = opened()
    assert firings.claim(store, moment(0), "a", NOW) == "running"
    assert firings.claim(opened(), moment(1), "b", NOW + 60) == "overlapped"
    assert firings.claim(store, moment(0, "other"), "a", NOW) == "running", "another schedule is another matter"
    assert firings.end(store, moment(0).id, FiringEnd("done", "R1"), NOW + 61) == 0
    assert firings.claim(store, moment(2), "b", NOW + 120) == "running"
    found = firings.firings(store, "night")
    assert [one.state for one in found] == ["running", "overlapped", "done"]
    assert "still ran" in found[1].why
    assert found[2].run == "R1"


def test_what_a_clock_that_was_ahead_left_behind_holds_up_nothing(opened: Opened) -> None:
    store, ahead = opened(), NOW + 365 * 86_400.0
    firings.decide_until(store, ["night"], NOW)
    assert firings.claim(store, Moment("night", ahead, ahead), "node/7", ahead) == "running"
    assert firings.claim(store, moment(), "node/8", NOW) == "running", "nobody was heard of who is a year ahead"
    (gone,) = firings.give_up(store, NOW)
    assert (gone.owner, gone.state) == ("node/7", "interrupted")


@pytest.mark.parametrize("state", ["missed", "paused", "done"])
def test_what_a_clock_that_was_ahead_missed_is_carried_out_when_its_time_comes(opened: Opened, state: str) -> None:
    store, ahead = opened(), NOW + 3 * HOUR
    firings.decide_until(store, ["night"], NOW)
    if state == "missed":
        firings.record_missed(store, Due(missed=(moment(),)), ahead, {})
    elif state == "paused":
        firings.pause(store, "night", ahead, "by ada")
        assert firings.claim(store, moment(), "node/7", ahead) == "paused"
        firings.resume(store, "night", NOW)
    else:
        assert firings.claim(store, moment(), "node/7", ahead) == "running"
        firings.end(store, moment().id, FiringEnd("done"), ahead)
    assert firings.claim(store, moment(), "node/8", NOW) == (None if state == "done" else "running")
    assert firings.claim(store, moment(), "node/9", NOW) is None, "once"


def test_what_was_missed_a_moment_ago_stays_missed(opened: Opened) -> None:
    store = opened()
    firings.decide_until(store, ["night"], NOW)
    assert firings.record_missed(store, Due(missed=(moment(),)), NOW + 60, {}) == 1
    assert firings.record_missed(store, Due(missed=(moment(),)), NOW, {}) == 0, "clocks of two nodes differ a little"
    assert firings.claim(store, moment(), "node/8", NOW) is None


def test_what_ran_on_a_scheduler_that_died_is_interrupted_and_not_repeated(opened: Opened) -> None:
    store = opened()
    firings.decide_until(store, ["night"], NOW)
    firings.claim(store, moment(), "node/7", NOW)
    firings.beat(store, [moment().id], NOW + 60)
    assert firings.give_up(store, NOW + 60 + SILENT_AFTER - 1) == ()
    (gone,) = firings.give_up(store, NOW + 61 + SILENT_AFTER)
    assert (gone.state, gone.ended) == ("interrupted", NOW + 61 + SILENT_AFTER), "as it is told of"
    assert gone.why == "node/7 was not heard of any more; it is not begun again"
    assert firings.firings(store, "night") == (gone,)
    assert states(store) == ["interrupted"]
    assert firings.claim(store, moment(), "node/8", NOW + 300) is None, "it is not begun again"
    assert firings.claim(store, moment(1), "node/8", NOW + 300) == "running"
    assert firings.kept(store)["night"].failures == 1


@pytest.mark.parametrize("place", ["server"], indirect=True)  # a file has one writer at a time
def test_one_that_ended_while_it_was_looked_at_is_not_given_up(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    store, late = opened(), NOW + 2 * SILENT_AFTER
    firings.decide_until(store, ["night"], NOW)
    firings.claim(store, moment(), "node/7", NOW)
    cut_off = firings._cut_off

    def ends_meanwhile(one: firings.Firing, now: float) -> firings.Firing:
        firings.end(opened(), one.id, FiringEnd("done"), now)
        return cut_off(one, now)

    monkeypatch.setattr(firings, "_cut_off", ends_meanwhile)
    assert firings.give_up(store, late) == (), "nobody is told that it was cut off"
    assert firings.kept(store)["night"].failures == 0
    assert states(store) == ["done"]


def test_missed_ones_are_records_that_nobody_carries_out(opened: Opened) -> None:
    store = opened()
    found = Due(missed=(moment(0), moment(1)), before=7)
    why = {one.id: "off" for one in found.missed}
    assert firings.record_missed(store, found, NOW + 90, why) == 2
    assert firings.record_missed(store, found, NOW + 90, why) == 0, "a second scheduler records them no more"
    assert [(one.state, one.count) for one in reversed(firings.firings(store))] == [("missed", 8), ("missed", 1)]
    assert firings.claim(store, moment(1), "a", NOW + 91) is None


def test_failures_in_a_row_are_counted_and_what_is_paused_waits(opened: Opened) -> None:
    store = opened()
    firings.decide_until(store, ["night"], NOW)
    for number, (state, failures) in enumerate(
        [("failed", 1), ("failed", 2), ("frozen", 2), ("done", 0), ("failed", 1)]
    ):
        firings.claim(store, moment(number), "a", NOW)
        assert firings.end(store, moment(number).id, FiringEnd(state), NOW) == failures  # type: ignore[arg-type]
    firings.pause(store, "night", NOW, "3 failed")
    assert firings.claim(store, moment(9), "a", NOW) == "paused"
    firings.resume(store, "night", NOW + 5)
    assert firings.claim(store, moment(10), "a", NOW) == "running"
    assert firings.kept(store)["night"] == firings.KeptSchedule(name="night", decided=NOW + 5)


def test_what_is_told_of_schedules_is_when_they_were_carried_out_last(opened: Opened) -> None:
    store = opened()
    assert figures_of_schedules(store) == []
    firings.decide_until(store, ["night", "week"], NOW)
    firings.claim(store, moment(), "node/7", NOW + 1)
    firings.end(store, moment().id, FiringEnd("failed"), NOW + 2)
    firings.record_missed(store, Due(missed=(moment(1),)), NOW + 60, {})
    firings.pause(store, "week", NOW, "a release")
    assert figures_of_schedules(store) == [
        ScheduleFigures("night", NOW + 1, 1, paused=False),
        ScheduleFigures("week", None, 0, paused=True),
    ]


def test_a_scheduler_is_heard_of_and_its_silence_told_once(opened: Opened) -> None:
    store = opened()
    assert firings.scheduling(store, "node", NOW) is None
    firings.was_told(store, "node")
    before = firings.scheduling(store, "node", NOW + 500)
    assert before is not None
    assert before.told
    assert not firings.schedulers(store)[0].told
    firings.scheduling(store, "node", NOW + 501, stopped=True)
    assert firings.schedulers(store)[0].stopped


def test_what_would_have_been_done_is_kept_for_ninety_days(opened: Opened) -> None:
    store = opened()
    shadow = Shadow(firing="f", schedule="night", host="web", machine="m", runbook="r", at=NOW, step="s",
                    action="restart_unit", target="api.service", summary="Restart", digest="d")  # fmt: skip
    sightings.keep_shadows(store, [shadow])
    firings.claim(store, moment(), "a", NOW)
    firings.end(store, moment().id, FiringEnd("done"), NOW)
    assert sightings.shadows(store, "night") == (shadow,)
    firings.forget(store, NOW + 89 * DAY)
    assert len(firings.firings(store)) == len(sightings.shadows(store, "night")) == 1
    firings.forget(store, NOW + 91 * DAY)
    assert not firings.firings(store)
    assert not sightings.shadows(store, "night")


def test_what_was_found_of_a_host_is_a_row_until_something_changes(opened: Opened) -> None:
    store = opened()

    def keep(number: int, found: HostFound, host: str = "web", kills: int | None = 0) -> None:
        at = NOW + 3600 * number
        one = HostSighting(schedule="night", host=host, runbook="r", found=found, firing=f"f{number}", since=at,
                           until=at, machine="m", boot="b", kills=kills)  # fmt: skip
        sightings.keep_sightings(store, [one])

    for number, found in enumerate(("over", "over", "acts", "acts", "acts", "over")):
        keep(number, found)  # type: ignore[arg-type]
    keep(5, "over")
    keep(2, "over", "db", None)
    rows = sightings.sightings(store, "night")
    assert [(one.host, one.found, one.count, one.firing, one.widest) for one in rows] == [
        ("web", "over", 2, "f0", 3600), ("web", "acts", 3, "f2", 3600), ("web", "over", 1, "f5", 0),
        ("db", "over", 1, "f2", 0),
    ]  # fmt: skip
    assert sightings.schedules_seen(store) == ("night",)
    assert sightings.sightings(store, "other") == ()
    firings.forget(store, NOW + 3600 * 4 + 90 * DAY)
    assert [one.found for one in sightings.sightings(store, "night")] == ["acts", "over"], "as long as it was seen"


def test_what_would_have_been_done_is_kept_once_however_often_its_end_is_written(opened: Opened) -> None:
    store = opened()
    first = Shadow(firing="f", schedule="night", host="web", machine="m", runbook="r", at=NOW, step="s", risk=2,
                   action="restart_unit", target="api.service", summary="Restart", digest="d", asks=True)  # fmt: skip
    other = structs.replace(first, firing="g", provisional=True)
    for kept in ([first], [first], [other]):
        sightings.keep_shadows(store, kept)
    assert sightings.shadows(store, "night") == (first, other)


def test_what_runs_did_on_a_host_is_told_by_machine_or_name(opened: Opened) -> None:
    store = opened()
    change = Change(action="restart_unit", summary="Restart", target="api.service", script=":", risk=Risk.MEDIUM,
                    repeat=Repeat.ONCE)  # fmt: skip
    for number, (host, machine) in enumerate((("web", "m"), ("other-name", "m"), ("db", "n"))):
        here = Here(run=f"R{number}", host=host, runbook="r", now=NOW + number, machine=machine)
        begun = store.begin(change, "restart", here, "ada")
        assert isinstance(begun, int)
        store.end(begun, "done" if number else "not begun", NOW + number + 0.5)
        store.ran(here, "resolved", changed=True)
    found = store.of_host("web", "m", NOW - 1)
    assert [one.run for one in found.changes] == ["R1"], "what was not begun is left out"
    assert [one.run for one in found.runs] == ["R0", "R1"]
    assert [one.run for one in store.of_host("web", "", NOW - 1).runs] == ["R0"]
    assert store.of_host("web", "m", NOW + 9) == History()
