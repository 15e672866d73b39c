"""Collecting: with recorded samples, and in a real shell."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import pytest
from msgspec import structs

from memrunbook import catalog
from memrunbook.core.errors import SessionLost
from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import (
    Answer,
    Command,
    Detail,
    Fact,
    Question,
    Read,
    Reading,
    Sample,
    Samples,
    Unavailable,
    Walk,
    Whole,
)
from memrunbook.core.reading.probe import build_probe
from memrunbook.core.reading.snapshot import NOT_READ, Snapshot
from memrunbook.facts.shared.sampling import ONE_SAMPLE
from memrunbook.runtime import collect
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.life import Finished, Pause, resume, run_alone
from memrunbook.runtime.ports import Output, Session
from memrunbook.testing import ScriptedSession
from memrunbook.transports.local import LocalConnector
from memrunbook.transports.replay import ReplaySession
from memrunbook.transports.shared.child import Child
from memrunbook.transports.shared.shell import Shell, ShellSession

HOST = Host(name="web01")
COUNTERS: tuple[Question, ...] = (Read("/c", each=True), Read("/s"))


class Said(Reading, frozen=True):
    """What the parser was given."""

    samples: list[dict[str, str]]
    needed: list[str]


class Identity(Reading, frozen=True):
    machine_id: str = ""
    boot_id: str = ""


def _said(samples: Samples, readings: Mapping[str, Reading | Unavailable]) -> Said:
    shown = [{key: _shown(answer) for key, answer in sample.answers.items()} for sample in samples]
    return Said(samples=shown, needed=list(readings))


def _shown(answer: Answer) -> str:
    return answer.text.strip() if answer.problem is None else f"{answer.problem.reason}: {answer.problem.why}"


def _fact(*asks: Question, needs: tuple[str, ...] = ()) -> Fact:
    return Fact(reading=Said, parse=_said, asks=asks, needs=needs)


class StepClock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> Instant:
        return Instant(utc=1e9 + self.seconds, monotonic=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


def _sample(before: float, *, complete: bool = True, **answers: str) -> Sample:
    named = {f"/{key}": Answer(text + "\n") for key, text in answers.items()}
    return Sample(before=before, after=before, answers=named, complete=complete)


def _collector(samples: list[Sample], facts: Mapping[str, Fact], clock: StepClock) -> Collector:
    return Collector(HOST, ReplaySession(samples), clock, facts)


def _read(collector: Collector, names: Sequence[str], *, count: int, every: float) -> Snapshot:
    return run_alone(collector.collect(names, count=count, every=every), collector.clock)


def _reading(snapshot: Snapshot, name: str = "f") -> Said:
    reading = snapshot.reading(name)
    assert isinstance(reading, Said)
    return reading


def test_one_full_sample_and_then_only_what_repeats() -> None:
    clock = StepClock()
    samples = [_sample(100, c="1", s="x"), _sample(105, c="2"), _sample(110, c="4")]
    snapshot = _read(_collector(samples, {"f": _fact(*COUNTERS)}, clock), ["f"], count=3, every=5)
    assert _reading(snapshot).samples == [{"/c": "1", "/s": "x"}, {"/c": "2"}, {"/c": "4"}]
    assert clock.slept == [5, 5]
    assert (snapshot.host, snapshot.samples, snapshot.span, snapshot.seconds) == ("web01", 3, 10, 10)
    assert snapshot.taken_at == clock.now()
    assert snapshot.fork_ok


def test_needed_facts_are_read_first_and_handed_over() -> None:
    facts = {"a": _fact(Read("/c"), needs=("b",)), "b": _fact(Read("/s"), needs=("d",)), "d": _fact(), "x": _fact()}
    snapshot = _read(_collector([_sample(1, c="1", s="2")], facts, StepClock()), ["a", "b"], count=1, every=5)
    assert list(snapshot.readings) == ["d", "b", "a"]
    assert _reading(snapshot, "a").needed == ["b"]


def test_the_details_of_a_walk_stay_with_that_walk() -> None:
    walked = [{"w": "1", "d": "at first"}, {"w": "2"}, {"w": "3", "d": "now"}]
    samples = [
        Sample(before, before, {key: Answer(text) for key, text in answers.items()})
        for before, answers in zip((100.0, 105.0, 110.0), walked, strict=True)
    ]
    fact = _fact(Walk("w", "true", each=True), Detail("d", "$x", "print item"))
    collector = _collector(samples, {"f": fact}, StepClock())
    assert _reading(_read(collector, ["f"], count=2, every=5)).samples == walked[:2]
    again = _reading(_read(collector, ["f"], count=2, every=5)).samples
    assert again == [{"w": "2", "d": "at first"}, {"w": "3", "d": "now"}]


def test_a_valid_earlier_sample_makes_the_next_read_one_exchange() -> None:
    clock = StepClock()
    samples = [_sample(100, c="1", s="old"), _sample(105, c="2", s="new")]
    collector = _collector(samples, {"f": _fact(*COUNTERS)}, clock)
    _read(collector, ["f"], count=1, every=5)
    clock.seconds += 2
    snapshot = _read(collector, ["f"], count=3, every=5)
    assert _reading(snapshot).samples == [{"/s": "new", "/c": "1"}, {"/c": "2", "/s": "new"}]
    assert clock.slept == [3]
    assert (snapshot.samples, snapshot.span) == (2, 5)


def test_a_single_sample_pairs_with_an_earlier_one_without_waiting() -> None:
    clock = StepClock()
    samples = [_sample(100 + n, c=str(n), s="x") for n in range(3)]
    collector = _collector(samples, {"f": _fact(*COUNTERS)}, clock)
    _read(collector, ["f"], count=1, every=5)
    clock.seconds += 1
    assert _read(collector, ["f"], count=1, every=5).samples == 1
    clock.seconds += 5
    assert _read(collector, ["f"], count=1, every=5).samples == 2
    assert clock.slept == []


def test_no_wait_when_the_earlier_sample_is_old_enough() -> None:
    clock = StepClock()
    samples = [_sample(100, c="1", s="x"), _sample(108, c="2", s="x")]
    collector = _collector(samples, {"f": _fact(*COUNTERS)}, clock)
    _read(collector, ["f"], count=1, every=5)
    clock.seconds += 8
    assert _read(collector, ["f"], count=3, every=5).span == 8
    assert clock.slept == []


@pytest.mark.parametrize("spoil", ["change", "age", "more"])
def test_rates_never_span_a_change_or_a_long_time_or_other_questions(spoil: str) -> None:
    clock = StepClock()
    samples = [_sample(100, c="1", s="x"), _sample(105, c="2", s="x"), _sample(110, c="3")]
    facts = {"f": _fact(*COUNTERS), "more": _fact(Read("/d", each=True))}
    collector = _collector(samples, facts, clock)
    _read(collector, ["f"], count=1, every=5)
    if spoil == "change":
        collector.changed()
    if spoil == "age":
        clock.seconds += 121
    names = ["f", "more"] if spoil == "more" else ["f"]
    assert _reading(_read(collector, names, count=2, every=5)).samples[0]["/c"] == "2"


@pytest.mark.parametrize("spoil", ["", "change", "age"])
def test_what_was_watched_stays_part_of_the_reading_until_something_is_changed(spoil: str) -> None:
    clock = StepClock()
    samples = [_sample(100 + 10 * n, c=str(n), s=f"once {n}") for n in range(11)]
    collector = _collector(samples, {"f": _fact(*COUNTERS)}, clock)
    assert _read(collector, ["f"], count=8, every=10).span == 70
    if spoil == "change":
        collector.changed()
    if spoil == "age":
        clock.seconds += 121
    again = _read(collector, ["f"], count=2, every=5)
    counted = [sample["/c"] for sample in _reading(again).samples]
    if spoil:
        assert counted == ["8", "9"]
        return
    assert counted == ["0", "1", "2", "3", "4", "5", "6", "7", "8"]
    assert _reading(again).samples[0]["/s"] == "once 8"
    assert (again.samples, again.span) == (9, 80)
    assert _read(collector, ["f"], count=2, every=5).samples == 10


def test_one_sample_more_is_no_watch() -> None:
    clock = StepClock()
    samples = [_sample(100 + 10 * n, c=str(n), s="x") for n in range(10)]
    collector = _collector(samples, {"f": _fact(*COUNTERS)}, clock)
    _read(collector, ["f"], count=2, every=10)
    watched = _read(collector, ["f"], count=8, every=10)
    assert (watched.samples, watched.span) == (8, 70)


@pytest.mark.parametrize("spoil", ["change", "age"])
def test_a_watch_that_is_asked_for_again_begins_anew_where_the_old_one_is_spoilt(spoil: str) -> None:
    clock = StepClock()
    samples = [_sample(100 + 10 * n, c=str(n), s="x") for n in range(16)]
    collector = _collector(samples, {"f": _fact(*COUNTERS)}, clock)
    _read(collector, ["f"], count=8, every=10)
    if spoil == "change":
        collector.changed()
    else:
        clock.seconds += 121
    again = _read(collector, ["f"], count=8, every=10)
    assert [sample["/c"] for sample in _reading(again).samples] == ["8", "9", "10", "11", "12", "13", "14", "15"]


def test_fewer_samples_are_no_watch() -> None:
    samples = [_sample(100 + 10 * n, c=str(n), s="x") for n in range(8)]
    collector = _collector(samples, {"f": _fact(*COUNTERS)}, StepClock())
    _read(collector, ["f"], count=7, every=10)
    assert _read(collector, ["f"], count=2, every=5).samples == 2


def _leak(*available: int) -> list[Sample]:
    """One sample every 10 s of a host of 1,000 KiB without swap."""
    info = "MemTotal: 1000 kB\nMemAvailable: {} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
    return [
        Sample(100.0 + 10 * place, 100.0 + 10 * place, {"/proc/meminfo": Answer(info.format(left))})
        for place, left in enumerate(available)
    ]


@pytest.mark.parametrize(
    ("available", "count", "taken"),
    [
        ((900, 500, 50, 50, 50, 50, 50, 50, 50), 9, 3),
        ((240, 200, 160, 120, 80, 40, 20, 10, 5), 9, 3),
        ((900, 500, 50), 3, 3),
        ((900,) * 9, 9, 9),
        ((900, 890, 880, 870, 860, 850, 840, 830, 820), 9, 9),
    ],
)
def test_a_watch_that_memory_does_not_outlast_ends_early(available: tuple[int, ...], count: int, taken: int) -> None:
    clock, fact = StepClock(), _fact(Read("/proc/meminfo", each=True))
    snapshot = _read(_collector(_leak(*available), {"f": fact}, clock), ["f"], count=count, every=10)
    assert (snapshot.samples, len(clock.slept)) == (taken, taken - 1)


def test_a_repeat_that_was_cut_is_left_out() -> None:
    clock = StepClock()
    samples = [_sample(100, c="1", s="x"), _sample(105, complete=False, c="2")]
    snapshot = _read(_collector(samples, {"f": _fact(*COUNTERS)}, clock), ["f"], count=3, every=5)
    assert (snapshot.samples, snapshot.span) == (1, 0)
    assert snapshot.fork_ok


def test_the_host_fact_names_the_machine() -> None:
    said = Identity(machine_id="m1", boot_id="b1")
    facts = {"host": Fact(reading=Identity, parse=lambda _samples, _readings: said, asks=())}
    snapshot = _read(_collector([_sample(1)], facts, StepClock()), ["host"], count=1, every=5)
    assert (snapshot.identity.address, snapshot.identity.machine_id, snapshot.identity.boot_id) == (
        "replay",
        "m1",
        "b1",
    )


def test_a_shell_that_is_gone_answers_nothing() -> None:
    facts = {"f": _fact(*COUNTERS), "p": _fact(Read("/p*")), "w": _fact(Walk("w", ":"))}
    snapshot = _read(_collector([], facts, StepClock()), ["f", "p", "w"], count=3, every=5)
    assert _reading(snapshot).samples[0]["/c"] == "failed: /c: the shell on the host ended before it was read"
    assert snapshot.reading("p") == Unavailable("failed", "/p*: the read was cut short")
    assert _reading(snapshot, "w").samples[0]["w"].startswith("failed")
    assert snapshot.fork_ok


@pytest.fixture
def local() -> Iterator[Session]:
    session = LocalConnector("never").connect()
    yield session
    session.close()


def test_a_real_shell(local: Session) -> None:
    facts = {"f": _fact(Read("/proc/uptime", each=True), Whole("/proc/sys/vm/swappi*"), Command("id", ("id", "-u")))}
    snapshot = _read(Collector(HOST, local, SystemClock(), facts), ["f"], count=2, every=0.2)
    first, second = _reading(snapshot).samples
    assert set(first) == {"/proc/uptime", "/proc/sys/vm/swappiness", "id"}
    assert set(second) == {"/proc/uptime"}
    assert 0.1 <= snapshot.span < 5


@pytest.mark.parametrize("left", ["unset IFS", "IFS=", "IFS=:"])
def test_what_a_change_left_in_the_shell_does_not_garble_the_next_reads(local: Session, left: str) -> None:
    walks = [ask for fact in catalog.facts().values() for ask in fact.asks if isinstance(ask, Walk)]
    collector = Collector(HOST, local, SystemClock(), {"f": _fact(Read("/proc/uptime", each=True), *walks)})
    assert local.execute(left).status == 0
    for _ in range(3):
        assert 0 < _read(collector, ["f"], count=2, every=0.1).span < 60


def test_a_shell_that_dies_at_fork_keeps_what_came_before(local: Session) -> None:
    dying = Command("dying", ("sh", "-c", "echo 'sh: 0: Cannot fork'; kill -s KILL $PPID"))
    facts = {"f": _fact(Read("/proc/uptime"), dying), "p": _fact(Read("/proc/upt*"))}
    snapshot = _read(Collector(HOST, local, SystemClock(), facts), ["f", "p"], count=3, every=60)
    assert not snapshot.fork_ok
    assert set(_reading(snapshot).samples[0]) == {"/proc/uptime", "dying"}
    assert _reading(snapshot).samples[0]["dying"].endswith("(fork fails)")
    assert isinstance(snapshot.reading("p"), Said)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another user's right to fork")
@pytest.mark.parametrize("shell", [("dash", "-s"), ("busybox", "sh", "-s")], ids=["dash", "busybox"])
def test_where_fork_really_fails_the_built_in_reads_stand(shell: tuple[str, ...]) -> None:
    if not all(shutil.which(word) for word in ("prlimit", "setpriv", shell[0])):
        pytest.skip(f"prlimit, setpriv or {shell[0]} is not installed here")
    child = Child(("prlimit", "--nproc=1", "setpriv", "--reuid=65534", "--clear-groups", *shell))
    session = ShellSession(Shell(child), HostIdentity(), child)
    facts = {"f": _fact(Read("/proc/uptime"), Whole("/proc/sys/vm/swappiness"), Command("id", ("id",)))}
    snapshot = _read(Collector(HOST, session, SystemClock(), facts), ["f"], count=3, every=60)
    session.close()
    assert not snapshot.fork_ok
    answers = _reading(snapshot).samples[0]
    assert float(answers["/proc/uptime"].split()[0]) > 0
    assert answers["id"] == "failed: id: the host can start no process for this login (fork fails)"
    assert answers["/proc/sys/vm/swappiness"].startswith("failed")


def test_a_stalled_host_is_a_timeout(local: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "PROBE_SECONDS", 0.5)
    facts = {"f": _fact(Read("/proc/uptime"), Command("slow", ("sleep", "60")))}
    snapshot = _read(Collector(HOST, local, SystemClock(), facts), ["f"], count=1, every=5)
    assert _reading(snapshot).samples[0]["slow"].startswith("timeout: slow: no answer in ")
    assert "/proc/uptime" in _reading(snapshot).samples[0]


def test_a_host_that_says_nothing_at_all_is_lost(local: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "PROBE_SECONDS", 0.3)
    os.kill(int(local.execute("echo $$").text), signal.SIGSTOP)
    facts = {"f": _fact(*COUNTERS), "p": _fact(Read("/p*"))}
    with pytest.raises(SessionLost, match="the shell stopped answering: nothing was read in 0 s"):
        _read(Collector(HOST, local, SystemClock(), facts), ["f", "p"], count=3, every=5)


def test_patience_gives_a_read_more_time(local: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "PROBE_SECONDS", 0.5)
    facts = {"f": _fact(Command("slow", ("sh", "-c", "sleep 1; echo done")))}
    snapshot = _read(Collector(HOST, local, SystemClock(), facts, patience=30.0), ["f"], count=1, every=5)
    assert _reading(snapshot).samples[0]["slow"] == "done"


def test_little_patience_gives_a_read_less_time(local: Session) -> None:
    facts = {"f": _fact(Command("slow", ("sleep", "60")))}
    with pytest.raises(SessionLost, match="nothing was read"):
        _read(Collector(HOST, local, SystemClock(), facts, patience=0.3), ["f"], count=1, every=5)


def test_too_long_an_answer_is_left_out(local: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "PROBE_BYTES", 1 << 20)
    facts = {"f": _fact(Command("long", ("sh", "-c", "yes | head -c 2000000")))}
    snapshot = _read(Collector(HOST, local, SystemClock(), facts), ["f"], count=1, every=5)
    assert _reading(snapshot).samples[0]["long"] == "failed: long: left out, the answers exceed 1 MiB"


def test_a_parser_that_raises_is_a_defect_and_not_hidden() -> None:
    broken = Fact(reading=Said, parse=partial(_raise), asks=())
    with pytest.raises(ZeroDivisionError):
        _read(_collector([_sample(1)], {"f": broken}, StepClock()), ["f"], count=1, every=5)


def _raise(_samples: Samples, _readings: Mapping[str, Reading | Unavailable]) -> Said:
    raise ZeroDivisionError


def _following(needed: Mapping[str, Reading | Unavailable]) -> tuple[Question, ...]:
    found = needed["first"]
    return (Read("/detail"),) if isinstance(found, Said) and found.samples[-1].get("/c") == "2" else ()


FOLLOWING = {
    "first": _fact(*COUNTERS),
    "second": Fact(reading=Said, parse=_said, asks=(), needs=("first",), follow=_following),
    "third": _fact(needs=("second",)),
}


def test_a_fact_asks_again_by_what_others_say_and_finds_the_answer_in_the_last_sample() -> None:
    samples = [_sample(10.0, c="1", s="x"), _sample(15.0, c="2"), _sample(15.1, detail="many maps")]
    snapshot = _read(_collector(samples, FOLLOWING, StepClock()), ["third"], count=2, every=5.0)
    second, third = snapshot.reading("second"), snapshot.reading("third")
    assert isinstance(second, Said)
    assert isinstance(third, Said)
    assert [one.get("/detail") for one in second.samples] == [None, "many maps"]
    assert third.needed == ["second"]
    assert (snapshot.fork_ok, snapshot.lost) == (True, False)


def test_without_a_reason_nothing_is_asked_again() -> None:
    samples = [_sample(10.0, c="1", s="x"), _sample(15.0, c="3"), _sample(99.0, detail="never asked for")]
    session = ReplaySession(samples)
    _read(Collector(HOST, session, StepClock(), FOLLOWING), ["third"], count=2, every=5.0)
    assert "99.0" in session.execute(build_probe((Read("/detail"),), repeat=False), ("n",)).text


class LeavingSession(ReplaySession):
    """A host that is gone after so many answers."""

    def __init__(self, samples: list[Sample]) -> None:
        super().__init__(samples)
        self.left = len(samples)

    def execute(self, script: str, args: Sequence[str] = (), *, timeout: float = 30.0, limit: int = 1 << 20) -> Output:
        self.left -= 1
        return super().execute(script if self.left >= 0 else "", args, timeout=timeout, limit=limit)


def test_a_follow_up_without_an_answer_leaves_the_rest_standing() -> None:
    session = LeavingSession([_sample(10.0, c="1", s="x"), _sample(15.0, c="2")])
    snapshot = _read(Collector(HOST, session, StepClock(), FOLLOWING), ["third"], count=2, every=5.0)
    first, second = snapshot.reading("first"), snapshot.reading("second")
    assert isinstance(first, Said)
    assert isinstance(second, Said)
    assert second.samples[-1]["/detail"].startswith("failed: /detail")


def test_a_read_asks_for_its_waits_and_sleeps_through_none() -> None:
    clock = StepClock()
    samples = [_sample(100, c="1", s="x"), _sample(105, c="2"), _sample(110, c="4")]
    reading = _collector(samples, {"f": _fact(*COUNTERS)}, clock).collect(["f"], count=3, every=5)
    assert [resume(reading), resume(reading)] == [Pause(5.0), Pause(5.0)]
    end = resume(reading)
    assert isinstance(end, Finished)
    assert end.result.samples == 3
    assert clock.slept == []


@pytest.mark.parametrize("late", [60.0, 121.0])
def test_who_was_left_waiting_for_too_long_begins_anew(late: float) -> None:
    clock = StepClock()
    samples = [_sample(100 + n, c=str(n), s=f"once {n}") for n in range(6)]
    reading = _collector(samples, {"f": _fact(*COUNTERS)}, clock).collect(["f"], count=3, every=5)
    pauses = [resume(reading)]
    clock.seconds += 5.0 + late
    while isinstance(pauses[-1], Pause):
        pauses.append(resume(reading))
        clock.seconds += 5.0
    (*asked, end) = pauses
    assert isinstance(end, Finished)
    counted = [sample["/c"] for sample in _reading(end.result).samples]
    assert counted == (["1", "2", "3"] if late > 120 else ["0", "1", "2"])
    assert _reading(end.result).samples[0]["/s"] == ("once 1" if late > 120 else "once 0")
    assert len(asked) == (3 if late > 120 else 2)


def test_whose_host_is_gone_after_too_long_a_wait_has_one_sample_which_says_so() -> None:
    clock = StepClock()
    session = LeavingSession([_sample(100, c="1", s="x")])
    reading = Collector(HOST, session, clock, {"f": _fact(*COUNTERS)}).collect(["f"], count=3, every=5)
    resume(reading)
    clock.seconds += 126.0
    end = resume(reading)
    assert isinstance(end, Finished)
    assert (end.result.samples, end.result.lost) == (1, True)


def test_a_host_that_is_gone_in_the_wait_for_a_sample_is_lost() -> None:
    session = LeavingSession([_sample(100, c="1", s="x")])
    snapshot = _read(Collector(HOST, session, StepClock(), {"f": _fact(*COUNTERS)}), ["f"], count=3, every=5)
    assert (snapshot.samples, snapshot.lost) == (1, True)


def test_why_there_is_no_root_is_kept() -> None:
    session = ScriptedSession(no_root="sudo: a password is required", sample=lambda: _sample(1.0, c="1", s="x"))
    snapshot = _read(Collector(HOST, session, StepClock(), {"f": _fact(*COUNTERS)}), ["f"], count=1, every=5)
    assert snapshot.no_root == "sudo: a password is required"


def test_too_old_a_sample_of_an_earlier_read_is_not_paired_after_too_long_a_wait() -> None:
    clock = StepClock()
    samples = [_sample(100 + n, c=str(n), s="x") for n in range(3)]
    collector = _collector(samples, {"f": _fact(*COUNTERS)}, clock)
    _read(collector, ["f"], count=1, every=5)
    reading = collector.collect(["f"], count=2, every=5)
    resume(reading)
    clock.seconds += 126.0
    assert resume(reading) == Pause(5.0)
    end = resume(reading)
    assert isinstance(end, Finished)
    assert [sample["/c"] for sample in _reading(end.result).samples] == ["1", "2"]


class FirstLook:
    """Who is told what the first sample says; `slept` is what was slept by then."""

    def __init__(self, samples: list[Sample], facts: Mapping[str, Fact]) -> None:
        self.clock = StepClock()
        self.told: list[Snapshot] = []
        self.slept: list[list[float]] = []
        self.collector = _collector(samples, facts, self.clock)
        self.collector.on_first = self.tell

    def tell(self, snapshot: Snapshot) -> None:
        self.told.append(snapshot)
        self.slept.append(list(self.clock.slept))


def test_the_first_look_is_told_before_the_interval_and_once_only() -> None:
    samples = [_sample(100 + n, c=str(n), s="x") for n in range(4)]
    look = FirstLook(samples, {"f": _fact(*COUNTERS)})
    assert _read(look.collector, ["f"], count=3, every=5).samples == 3
    look.collector.changed()
    _read(look.collector, ["f"], count=2, every=5)
    (first,) = look.told
    assert look.slept == [[]]
    assert _reading(first).samples == [{"/c": "0", "/s": "x"}]
    assert (first.host, first.samples, first.span, first.taken_at) == ("web01", 1, 0.0, StepClock().now())
    assert (first.fork_ok, first.lost) == (True, False)


def test_the_first_look_asks_nothing_more_of_the_host() -> None:
    samples = [_sample(10.0, c="2", s="x"), _sample(15.0, c="2"), _sample(15.1, detail="many maps")]
    look = FirstLook(samples, FOLLOWING)
    snapshot = _read(look.collector, ["third"], count=2, every=5.0)
    (first,) = look.told
    assert isinstance(first.reading("first"), Said)
    assert first.reading("third") == NOT_READ
    assert _reading(snapshot, "second").samples[-1]["/detail"] == "many maps"


@pytest.mark.parametrize(("count", "complete"), [(1, True), (3, False)])
def test_where_no_second_sample_is_waited_for_there_is_no_first_look(count: int, *, complete: bool) -> None:
    look = FirstLook([_sample(100, complete=complete, c="1", s="x")], {"f": _fact(*COUNTERS)})
    assert _read(look.collector, ["f"], count=count, every=5).samples == 1
    assert look.told == []


def test_every_fact_is_parsed_from_a_first_sample_alone(local: Session) -> None:
    told: list[Snapshot] = []
    collector = Collector(HOST, local, SystemClock(), catalog.facts(), on_first=told.append)
    resume(collector.collect(sorted(catalog.facts()), count=2, every=60))
    (first,) = told
    assert isinstance(first.value("memory.available_bytes"), int)
    quick = _read(Collector(HOST, local, SystemClock(), catalog.facts()), sorted(catalog.facts()), count=1, every=60)
    assert quick.value("vmstat.major_faults_per_second") == ONE_SAMPLE


class SlowSession(ReplaySession):
    """A host that takes long before it begins to answer, and over each answer."""

    def __init__(self, samples: list[Sample], clock: StepClock, delays: list[float]) -> None:
        super().__init__(samples)
        self.clock = clock
        self.delays = delays

    def execute(self, script: str, args: Sequence[str] = (), *, timeout: float = 30.0, limit: int = 1 << 20) -> Output:
        self.clock.seconds += self.delays.pop(0)
        return super().execute(script, args, timeout=timeout, limit=limit)


def test_a_slow_host_is_given_the_whole_interval() -> None:
    """Its first answer took 11 s, 3 of them on the host: the next one is asked for 2 s later, not at once."""
    clock = StepClock()
    answers = [structs.replace(_sample(100, c="1", s="x"), after=103.0), _sample(105, c="2"), _sample(110, c="4")]
    session = SlowSession(answers, clock, [11.0, 0.0, 0.0])
    _read(Collector(HOST, session, clock, {"f": _fact(*COUNTERS)}), ["f"], count=3, every=5)
    assert clock.slept == [2, 5]


def test_the_host_has_the_tags_that_its_operator_gave() -> None:
    def tags(host: Host) -> object:
        session = ReplaySession([_sample(1)])
        facts = {"host": catalog.facts()["host"]}
        return _read(Collector(host, session, StepClock(), facts), ["host"], count=1, every=1).value("host.tags")

    assert tags(structs.replace(HOST, tags=("realtime", "spare"))) == ["realtime", "spare"]
    assert tags(HOST) == []
