"""A scheduler whose time passes only when it sleeps: what it carries out, and what it records."""

from __future__ import annotations

import datetime as dt
import resource
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from memrunbook.app.attendance import CROWDED, NEWER, UNUSED
from memrunbook.app.connectors import Connectors
from memrunbook.app.firing import FiringResult, Surroundings
from memrunbook.app.firing_stop import SCHEDULER
from memrunbook.app.scheduler import (
    AT_ONCE,
    CROWDED_WAIT,
    LONGEST_WAIT,
    NO_THREAD,
    RETRY,
    SHORTEST_WAIT,
    Scheduler,
)
from memrunbook.core.instant import Instant
from memrunbook.core.plan.shadows import Shadow
from memrunbook.core.run.notification import Notification
from memrunbook.core.schedule import MOST_CAUGHT_UP, MOST_MISSED, Moment
from memrunbook.core.units import DAY, HOUR
from memrunbook.documents.library import Library
from memrunbook.documents.schedules import ScheduledRun, Schedules, load_schedules
from memrunbook.state.store import firings, sightings
from memrunbook.state.store.changes import Store
from memrunbook.testing import FixedClock

CarriesOut = Callable[[ScheduledRun, Moment, Surroundings], FiringResult]
WELL = FiringResult("done")


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()


class Wall(FixedClock):
    """A clock whose wall can be put forward alone, as while a machine sleeps."""

    def jump(self, seconds: float) -> None:
        now = self.now()
        self._now = Instant(now.utc + seconds, now.monotonic)


class Bench:
    """One scheduler on a store of the test's own, with what it said and told."""

    def __init__(self, folder: Path, entries: Sequence[str], start: str, does: CarriesOut = lambda *_: WELL) -> None:
        self.state, self.said, self.told = folder / "state", list[str](), list[Notification]()
        (folder / "schedules.yaml").write_text("schedules:\n" + "".join(f"  - {one}\n" for one in entries), "utf-8")
        self.clock = Wall(Instant(at(start), 0.0))
        self.scheduler = self.another(load_schedules(folder / "schedules.yaml"), does)

    def another(self, schedules: object, does: CarriesOut, node: str = "node") -> Scheduler:
        around = Surroundings(library=Library(), state=self.state, reaches=lambda _: ((), Connectors()))
        return Scheduler(
            schedules, around, self.told.extend, self.said.append, node, self.clock, does  # type: ignore[arg-type]
        )  # fmt: skip

    def until(self, text: str, longest: float = 12 * HOUR) -> None:
        """Looks whenever something is due, and now and then; what is carried out ends before the next look."""
        end = at(text)
        while (now := self.clock.now().utc) < end:
            due = self.scheduler.coming()
            coming = None if due is None else max(0.0, due.starts - self.clock.now().utc)
            wait = longest if coming is None or self.scheduler.trouble else min(coming, longest)
            self.clock.sleep(min(end - now, wait))
            self.scheduler.look()
            self.scheduler.settle()

    def whys(self) -> dict[str, str]:
        store = Store.open(self.state)
        found = firings.firings(store, most=1000)
        store.close()
        return {one.id: one.why for one in found}

    def records(self) -> list[tuple[str, str]]:
        store = Store.open(self.state)
        found = sorted(firings.firings(store, most=1000), key=lambda one: (one.nominal, one.schedule))
        store.close()
        return [(one.id, one.state) for one in found]


NIGHT = "{name: night, cron: '30 2 * * *', timezone: Europe/Berlin, jitter: 0s, runbook: r, hosts: h}"
HALF = "{name: half, every: 12h, jitter: 0s, runbook: r, hosts: h}"
LONG = (
    "{name: long, cron: '0 12,13,14 * * *', jitter: 0s, valid_from: '2026-03-27', valid_until: '2026-03-28', "
    "runbook: r, hosts: h}"
)
BROKEN = "{name: broken, cron: '61 2 * * *', runbook: r, hosts: h}"


def test_ten_days_with_a_change_of_clocks_missed_nights_an_overlap_and_a_broken_schedule(tmp_path: Path) -> None:
    release, carried = threading.Event(), list[str]()

    def does(job: ScheduledRun, moment: Moment, _: Surroundings) -> FiringResult:
        carried.append(moment.id)
        if moment.id == "long@2026-03-27T12:00:00Z":
            release.wait(60)
        return WELL

    bench = Bench(tmp_path, [NIGHT, HALF, BROKEN, LONG], "2026-03-25T20:00", does)
    scheduler = bench.scheduler
    scheduler.look()
    bench.until("2026-03-27T11:59")
    while bench.clock.now().utc < at("2026-03-27T13:30"):  # the run of 12:00 takes an hour and a half
        bench.clock.sleep(60)
        scheduler.look()
    release.set()
    scheduler.settle()
    bench.until("2026-03-30T20:00")
    bench.clock.sleep(2 * DAY)  # nobody is there: the nights of the 31st and the 1st are missed
    scheduler.look()
    scheduler.settle()
    bench.until("2026-04-04T20:00")
    nights = [
        ("26T01:30", "done"), ("27T01:30", "done"), ("28T01:30", "done"),
        ("29T01:00", "done"),  # 2:30 is left out that day: at 3:00, which is 1:00 UTC
        ("30T00:30", "done"), ("31T00:30", "missed"),
    ]  # fmt: skip
    april = [("01T00:30", "missed"), ("02T00:30", "done"), ("03T00:30", "done"), ("04T00:30", "done")]
    halves = [(f"{day}T{hour}:00", "done") for day in range(26, 31) for hour in ("00", "12")]
    halves += [("31T00:00", "missed"), ("31T12:00", "missed")]
    april_halves = [("01T00:00", "missed"), ("01T12:00", "missed")]
    april_halves += [(f"0{day}T{hour}:00", "done") for day in (2, 3, 4) for hour in ("00", "12")]
    expected = {
        *((f"night@2026-03-{one}:00Z", state) for one, state in nights),
        *((f"night@2026-04-{one}:00Z", state) for one, state in april),
        *((f"half@2026-03-{one}:00Z", state) for one, state in halves),
        *((f"half@2026-04-{one}:00Z", state) for one, state in april_halves),
        ("long@2026-03-27T12:00:00Z", "done"),
        ("long@2026-03-27T13:00:00Z", "overlapped"),
        ("long@2026-03-27T14:00:00Z", "done"),
    }
    records = bench.records()
    assert set(records) == expected
    assert len(records) == len(expected)
    assert sorted(carried) == sorted(one for one, state in expected if state == "done")
    assert list(scheduler.schedules.broken) == ["broken"]


def test_two_schedulers_on_one_store_carry_out_each_once(tmp_path: Path) -> None:
    carried: list[str] = []

    def does(job: ScheduledRun, moment: Moment, _: Surroundings) -> FiringResult:
        carried.append(moment.id)
        return WELL

    bench = Bench(tmp_path, [HALF], "2026-03-25T20:00", does)
    other = bench.another(bench.scheduler.schedules, does, "other")
    for _ in range(40):
        threads = [threading.Thread(target=one.look) for one in (bench.scheduler, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        bench.scheduler.settle()
        other.settle()
        bench.clock.sleep(4 * HOUR)
    assert len(carried) == len(set(carried)) == 13
    assert [state for _, state in bench.records()] == ["done"] * 13


def test_a_clock_that_is_put_back_and_forth_repeats_nothing(tmp_path: Path) -> None:
    carried: list[str] = []

    def does(job: ScheduledRun, moment: Moment, _: Surroundings) -> FiringResult:
        carried.append(moment.id)
        return WELL

    bench = Bench(tmp_path, [HALF.replace("}", ", catch_up: last}")], "2026-03-25T20:00", does)
    bench.scheduler.look()
    for jump in (5 * HOUR, -6 * HOUR, 6 * HOUR, -9 * HOUR, 9 * HOUR, 400 * DAY, -400 * DAY, 12 * HOUR):
        bench.clock.sleep(jump)
        bench.scheduler.look()
        bench.scheduler.settle()
    assert len(carried) == len(set(carried))
    assert "half@2026-03-26T12:00:00Z" in carried, "after a wrong clock it goes on with the right one"


def test_what_fails_too_often_is_paused_until_it_is_resumed(tmp_path: Path) -> None:
    entry = HALF.replace("}", ", pause_on_failure: 2}")
    bench = Bench(tmp_path, [entry], "2026-03-25T20:00", lambda *_: FiringResult("failed", "no"))
    bench.scheduler.look()
    bench.until("2026-03-27T13:00")
    assert [state for _, state in bench.records()] == ["failed", "failed", "paused", "paused"]
    (told,) = [one for one in bench.told if "paused" in one.verdict]
    assert told.command == "runbook schedule resume half"
    store = Store.open(bench.state)
    firings.resume(store, "half", bench.clock.now().utc)
    store.close()
    bench.until("2026-03-28T01:00")
    assert bench.records()[-1][1] == "failed"


def test_one_that_is_not_there_any_more_is_told_and_not_repeated(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [HALF], "2026-03-25T20:00")
    bench.scheduler.look()
    store = Store.open(bench.state)
    nominal = at("2026-03-26T00:00")
    firings.claim(store, Moment("half", nominal, nominal), "dead/1", nominal)
    store.close()
    bench.until("2026-03-26T01:00")
    assert bench.records() == [("half@2026-03-26T00:00:00Z", "interrupted")]
    assert "cut off" in bench.told[-1].verdict


@pytest.mark.parametrize("gone", [False, True])
def test_without_a_store_nothing_is_begun_and_that_is_told_once(tmp_path: Path, *, gone: bool) -> None:
    bench = Bench(tmp_path, [HALF], "2026-03-25T20:00")
    bench.scheduler.look()
    if gone:
        shutil.rmtree(bench.state)
        bench.state.write_text("no folder")
    else:
        (bench.state / "store.sqlite").write_text("no database at all, but long enough to be looked at" * 9)
        for beside in bench.state.glob("store.sqlite-*"):
            beside.unlink()
    bench.until("2026-03-26T02:00", 3600.0)
    (told,) = bench.told
    assert "begins nothing" in told.verdict
    assert bench.scheduler.trouble
    shutil.rmtree(bench.state, ignore_errors=True)
    bench.state.unlink(missing_ok=True)
    bench.until("2026-03-26T13:00", 3600.0)
    assert bench.scheduler.trouble == ""
    assert bench.records() == [("half@2026-03-26T12:00:00Z", "done")]


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process grows any more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_while_the_state_directory_is_full_nothing_is_begun(tmp_path: Path) -> None:
    carried: list[str] = []

    def does(job: ScheduledRun, moment: Moment, _: Surroundings) -> FiringResult:
        carried.append(moment.id)
        return WELL

    bench = Bench(tmp_path, [HALF], "2026-03-25T20:00", does)
    bench.scheduler.look()
    with full_disk():
        bench.until("2026-03-26T00:10", 300.0)
    assert carried == []
    assert "begins nothing" in bench.told[0].verdict
    bench.until("2026-03-26T00:12", 60.0)
    assert carried == []
    assert bench.records() == [("half@2026-03-26T00:00:00Z", "missed")]
    assert bench.whys()["half@2026-03-26T00:00:00Z"].startswith("nothing could be begun: ")


def test_what_was_missed_is_caught_up_in_order_where_that_is_wanted(tmp_path: Path) -> None:
    carried: list[str] = []

    def does(job: ScheduledRun, moment: Moment, _: Surroundings) -> FiringResult:
        carried.append(moment.id[5:18])
        return WELL

    bench = Bench(tmp_path, [HALF.replace("}", ", catch_up: all}")], "2026-03-25T20:00", does)
    bench.scheduler.look()
    bench.clock.sleep(DAY)
    bench.scheduler.look()
    bench.scheduler.settle()
    assert carried == ["2026-03-26T00", "2026-03-26T12"]
    assert [state for _, state in bench.records()] == ["done", "done"]


@pytest.mark.parametrize("paused", [False, True])
def test_what_was_to_be_caught_up_and_is_not_has_a_record(tmp_path: Path, *, paused: bool) -> None:
    carried: list[str] = []

    def does(job: ScheduledRun, moment: Moment, around: Surroundings) -> FiringResult:
        carried.append(moment.id[5:18])
        around.stop.set()
        return WELL

    bench = Bench(tmp_path, [HALF.replace("}", ", catch_up: all}")], "2026-03-25T20:00", does)
    bench.scheduler.look()
    if paused:
        store = Store.open(bench.state)
        firings.pause(store, "half", bench.clock.now().utc, "by hand")
        store.close()
    bench.clock.sleep(DAY)
    bench.scheduler.look()
    bench.scheduler.settle()
    assert carried == ([] if paused else ["2026-03-26T00"])
    assert [state for _, state in bench.records()] == (["paused", "missed"] if paused else ["done", "missed"])
    why = bench.whys()["half@2026-03-26T12:00:00Z"]
    assert why == ("half@2026-03-26T00:00:00Z, which came before it, was paused" if paused else SCHEDULER)


def test_where_no_thread_starts_the_firing_failed_and_the_scheduler_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, [HALF.replace("}", ", catch_up: all}")], "2026-03-25T20:00")
    bench.scheduler.look()
    bench.clock.sleep(DAY)
    with monkeypatch.context() as limited:
        limited.setattr(threading.Thread, "start", _refused)
        bench.scheduler.look()
        bench.scheduler.settle()
    assert [state for _, state in bench.records()] == ["failed", "missed"]
    assert bench.whys()["half@2026-03-26T00:00:00Z"] == f"not begun: {NO_THREAD}"
    assert [one.verdict for one in bench.told] == [f"schedule half: not begun: {NO_THREAD}"]
    bench.until("2026-03-27T00:30")
    assert [state for _, state in bench.records()] == ["failed", "missed", "done"]


def _refused(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_all_firings_of_a_scheduler_that_died_are_told_of_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [HALF], "2026-03-25T20:00")
    bench.scheduler.look()
    store, then = Store.open(bench.state), at("2026-03-25T19:00")
    for name in ("one", "two", "three"):
        firings.claim(store, Moment(name, then, then), "gone/1", then)
    store.close()
    tellings: list[int] = []
    bench.scheduler.records = replace(bench.scheduler.records, tell=lambda several: tellings.append(len(several)))
    bench.scheduler.look()
    assert tellings == [3], "each telling may wait for dead receivers: the watchdog would end a scheduler that is well"


def test_that_it_goes_again_is_told_after_its_silence_was(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [HALF], "2026-03-25T20:00")
    bench.scheduler.look()
    store = Store.open(bench.state)
    firings.was_told(store, "node")
    store.close()
    bench.clock.sleep(HOUR)
    bench.scheduler.look()
    assert [one.occasion for one in bench.told] == ["restored"]


def test_what_falls_due_during_a_look_is_due_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [HALF], "2026-03-25T23:59:59.5")
    bench.scheduler.look()
    assert bench.scheduler.until_next() == pytest.approx(0.5)
    bench.clock.sleep(0.6)  # the look took so long
    due = bench.scheduler.coming()
    assert due is not None
    assert due.starts <= bench.clock.now().utc
    assert bench.scheduler.until_next() == SHORTEST_WAIT
    bench.scheduler.look()
    bench.scheduler.settle()
    assert bench.records() == [("half@2026-03-26T00:00:00Z", "done")]
    assert bench.scheduler.until_next() == LONGEST_WAIT


def test_while_too_many_are_under_way_it_looks_now_and_then_and_says_why_one_was_missed(tmp_path: Path) -> None:
    release = threading.Event()

    def does(job: ScheduledRun, moment: Moment, _: Surroundings) -> FiringResult:
        release.wait(60)
        return WELL

    entries = [HALF.replace("half", f"one-{number}") for number in range(AT_ONCE + 1)]
    bench = Bench(tmp_path, entries, "2026-03-25T20:00", does)
    bench.scheduler.look()
    bench.clock.sleep(4 * HOUR)
    bench.scheduler.look()
    assert bench.scheduler.until_next() == CROWDED_WAIT
    bench.clock.sleep(HOUR)
    bench.scheduler.look()
    release.set()
    bench.scheduler.settle()
    states = [state for _, state in bench.records()]
    assert sorted(states) == [*["done"] * AT_ONCE, "missed"]
    assert CROWDED in bench.whys().values()


def test_a_machine_that_slept_and_a_schedule_that_was_away_are_said_as_that(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [HALF], "2026-03-25T20:00")
    scheduler = bench.scheduler
    scheduler.look()
    bench.clock.jump(DAY)
    scheduler.look()
    scheduler.settle()
    usable, scheduler.schedules = scheduler.schedules, Schedules()
    bench.until("2026-03-28T23:00")
    scheduler.schedules = usable
    scheduler.look()
    scheduler.settle()
    whys = bench.whys()
    assert whys["half@2026-03-26T00:00:00Z"] == "this machine slept, or its clock was put forward, for 24 h"
    assert whys["half@2026-03-28T00:00:00Z"] == UNUSED
    after = bench.another(usable, lambda *_: WELL, "other")
    bench.clock.sleep(DAY)
    after.look()
    after.settle()
    assert bench.whys()["half@2026-03-29T00:00:00Z"] == "no scheduler was there after 2026-03-28 23:00:00 UTC"


def test_how_a_firing_ended_is_kept_once_the_store_takes_it(tmp_path: Path) -> None:
    """Not lost, and not taken for one whose scheduler died."""
    shadow = Shadow(
        firing="f", schedule="half", host="h", machine="", runbook="r", at=1.0, step="s", action="a", target="t",
        summary="s", digest="d",
    )  # fmt: skip

    def does(job: ScheduledRun, moment: Moment, _: Surroundings) -> FiringResult:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        return FiringResult("failed", "no", shadows=(shadow,))

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    bench = Bench(tmp_path, [HALF], "2026-03-25T20:00", does)
    bench.scheduler.look()
    bench.clock.sleep(4 * HOUR)
    try:
        bench.scheduler.look()
        bench.scheduler.settle()
        assert any("cannot be kept yet" in one for one in bench.said), bench.said
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    bench.clock.sleep(200)
    bench.scheduler.look()
    assert bench.records() == [("half@2026-03-26T00:00:00Z", "failed")]
    store = Store.open(bench.state)
    assert firings.kept(store)["half"].failures == 1
    assert len(sightings.shadows(store, "half")) == 1
    store.close()
    assert not [one for one in bench.told if "cut off" in one.verdict]


@pytest.mark.parametrize(
    ("catch_up", "done", "missed"), [("none", 0, 168), ("last", 1, 167), ("all", MOST_CAUGHT_UP, 168 - MOST_CAUGHT_UP)]
)
def test_after_a_week_without_a_scheduler_what_was_missed_is_counted(
    tmp_path: Path, catch_up: str, done: int, missed: int
) -> None:
    entry = f"{{name: hourly, every: 1h, jitter: 0s, catch_up: {catch_up}, runbook: r, hosts: h}}"
    bench = Bench(tmp_path, [entry], "2026-03-01T00:30")
    bench.scheduler.look()
    after = bench.another(bench.scheduler.schedules, lambda *_: WELL)
    bench.clock.sleep(7 * DAY)
    after.look()
    after.settle()
    store = Store.open(bench.state)
    found = firings.firings(store, most=1000)
    store.close()
    count = {state: sum(one.count for one in found if one.state == state) for state in ("done", "missed")}
    assert count == {"done": done, "missed": missed}
    assert len([one for one in found if one.state == "missed"]) == min(missed, MOST_MISSED)
    assert {one.why for one in found if one.state == "missed"} == {
        "no scheduler was there after 2026-03-01 00:30:00 UTC"
    }
    (said,) = [one for one in bench.said if " missed since " in one]
    assert f"hourly: {missed} missed since 2026-03-0" in said


def test_a_document_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [HALF], "2026-03-25T20:00")
    (tmp_path / "config.yaml").write_text("nonsense: 1\n", "utf-8")
    library = Library(settings=tmp_path / "config.yaml")
    bench.scheduler.around = replace(bench.scheduler.around, library=library)
    bench.scheduler.records = replace(bench.scheduler.records, around=bench.scheduler.around)
    bench.scheduler.look()
    assert f"{tmp_path / 'config.yaml'}:1:1: " in bench.told[0].verdict
    assert bench.scheduler.until_next() == RETRY


def test_a_store_that_is_gone_in_the_middle_lets_no_second_firing_of_a_schedule_begin(tmp_path: Path) -> None:
    release, carried = threading.Event(), list[str]()

    def does(job: ScheduledRun, moment: Moment, _: Surroundings) -> FiringResult:
        carried.append(moment.id)
        release.wait(60)
        return WELL

    bench = Bench(tmp_path, [HALF], "2026-03-25T23:59", does)
    bench.scheduler.look()
    bench.clock.sleep(90)
    bench.scheduler.look()
    shutil.rmtree(bench.state)
    for _ in range(3):
        bench.clock.sleep(6 * HOUR)
        bench.scheduler.look()
    release.set()
    bench.scheduler.settle()
    assert carried == ["half@2026-03-26T00:00:00Z"]
    assert bench.records() == [("half@2026-03-26T12:00:00Z", "overlapped")]


def test_of_several_that_are_due_in_time_the_newest_stands_for_the_others(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ["{name: minutes, every: 1m, jitter: 0s, runbook: r, hosts: h}"], "2026-03-25T20:00:30")
    bench.scheduler.look()
    bench.clock.sleep(120)
    bench.scheduler.look()
    bench.scheduler.settle()
    assert bench.records() == [("minutes@2026-03-25T20:01:00Z", "missed"), ("minutes@2026-03-25T20:02:00Z", "done")]
    why = bench.whys()["minutes@2026-03-25T20:01:00Z"]
    assert why == f"the scheduler was there and came 90 s late to it{NEWER}"
