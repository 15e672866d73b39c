"""Many lives on few workers. Here time passes only when nobody is at work: so intervals are counted, not timed."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from memrunbook.core.errors import DocumentError, HostError, Interrupted
from memrunbook.runtime import fleet
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.fleet import each
from memrunbook.runtime.life import Life, Pause
from memrunbook.testing import START, FixedClock

SAMPLE = 5.0
LONG = 3600.0


def _sampled(host: int) -> Life[int]:
    yield Pause(SAMPLE)
    return host


class Lives:
    """Lives of one pause that note, under their numbers, when they begin, go on, are told to stop and are closed."""

    def __init__(self, clock: FixedClock | SystemClock, seconds: Callable[[int], float] = lambda _: SAMPLE) -> None:
        self.clock = clock
        self.seconds = seconds
        self.log: list[tuple[str, int]] = []
        self.at_begin: Callable[[int], object] = lambda _: None

    def __call__(self, host: int) -> Life[str]:
        self.log.append(("begins", host))
        self.at_begin(host)
        try:
            yield Pause(self.seconds(host))
            self.log.append(("goes on", host))
        except Interrupted:
            self.log.append(("stops", host))
            return f"{host} interrupted"
        else:
            return f"{host} done"
        finally:
            self.log.append(("closes", host))

    def who(self, what: str) -> list[int]:
        return [host for did, host in self.log if did == what]


@pytest.fixture
def files() -> Iterator[Callable[[int], None]]:
    """Sets the limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def limit(count: int) -> None:
        if hard != resource.RLIM_INFINITY and hard < count:
            pytest.skip(f"no more than {hard} files may be open here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))

    yield limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(("hosts", "forks"), [(100, 50), (10, 1), (2, 50), (0, 50)])
def test_all_hosts_wait_through_one_interval_together(hosts: int, forks: int) -> None:
    clock = FixedClock()
    assert each(range(hosts), _sampled, forks, clock) == list(range(hosts))
    assert clock.now().since(START) == (SAMPLE if hosts else 0.0)


def test_results_come_in_the_order_of_the_hosts_whoever_ends_first() -> None:
    lives = Lives(FixedClock(), lambda host: 10.0 - host)
    assert each(range(10), lives, 3, lives.clock) == [f"{host} done" for host in range(10)]
    assert lives.who("goes on") == list(reversed(range(10)))


def _never_waits(host: int) -> Life[int]:
    yield from ()
    return host * host


def test_who_never_waits_is_done_at_once() -> None:
    clock = FixedClock()
    assert each(range(20), _never_waits, 4, clock) == [host * host for host in range(20)]
    assert clock.now() == START


def test_who_waited_long_enough_goes_on_before_others_begin() -> None:
    """Each piece of work takes a second on the only worker; an interval of 2 s is not stretched by those that wait."""
    clock = FixedClock()
    lives = Lives(clock, lambda _: 2.0)
    lives.at_begin = lambda _: clock.sleep(1.0)
    each(range(6), lives, 1, clock)
    order = [entry for entry in lives.log if entry[0] != "closes"]
    assert order[:4] == [("begins", 0), ("begins", 1), ("begins", 2), ("goes on", 0)]
    assert sorted(lives.who("begins")) == list(range(6))


class Treated:
    """Lives that are read for 5 s and then treated for 10 s, at work even while they wait; `most` at once were."""

    def __init__(self) -> None:
        self.now: set[int] = set()
        self.most = 0
        self.order: list[int] = []

    def __call__(self, host: int) -> Life[int]:
        yield Pause(SAMPLE)
        self.now.add(host)
        self.order.append(host)
        self.most = max(self.most, len(self.now))
        for _ in range(2):
            yield Pause(SAMPLE, at_work=True)
        self.now.remove(host)
        return host


@pytest.mark.parametrize(("forks", "rounds"), [(1, 6), (2, 3), (4, 2), (50, 1)])
def test_who_waits_at_work_keeps_the_place(forks: int, rounds: int) -> None:
    clock, treated = FixedClock(), Treated()
    assert each(range(6), treated, forks, clock) == list(range(6))
    assert treated.most == min(forks, 6)
    assert clock.now().since(START) == SAMPLE + rounds * 2 * SAMPLE
    assert treated.order == list(range(6)) or forks > 1


def test_who_waits_at_work_is_told_to_stop_too() -> None:
    stop = threading.Event()

    def live(host: int) -> Life[str]:
        try:
            yield Pause(0.0)
            stop.set()
            yield Pause(LONG, at_work=True)
        except Interrupted:
            return f"{host} interrupted"
        return f"{host} done"

    assert each(range(5), live, 2, SystemClock(stop)) == [f"{host} interrupted" for host in range(5)]


def test_no_more_threads_than_forks_however_many_wait() -> None:
    before = threading.active_count()
    most: list[int] = []
    lives = Lives(FixedClock())
    lives.at_begin = lambda _: most.append(threading.active_count())
    each(range(200), lives, 8, lives.clock)
    assert max(most) <= before + 8
    assert threading.active_count() == before


def test_one_host_alone_is_worked_on_in_this_thread() -> None:
    lives = Lives(FixedClock())
    threads: list[threading.Thread] = []
    lives.at_begin = lambda _: threads.append(threading.current_thread())
    assert each([7], lives, 50, lives.clock) == ["7 done"]
    assert threads == [threading.current_thread()]


def test_no_more_are_open_than_there_are_files_for(files: Callable[[int], None]) -> None:
    files(fleet._open_files() + fleet.SPARE_FILES + 15 * fleet.FILES)
    lives = Lives(FixedClock())
    opened: list[int] = []
    lives.at_begin = lambda _: opened.append(len(lives.who("begins")) - len(lives.who("closes")))
    assert each(range(60), lives, 8, lives.clock) == [f"{host} done" for host in range(60)]
    assert 15 - 8 < max(opened) <= 15
    assert lives.clock.now().since(START) == 4 * SAMPLE


def test_with_files_enough_a_thousand_hosts_take_one_interval(files: Callable[[int], None]) -> None:
    files(fleet._open_files() + fleet.SPARE_FILES + 1000 * fleet.FILES)
    clock = FixedClock()
    assert each(range(1000), _sampled, 50, clock) == list(range(1000))
    assert clock.now().since(START) == SAMPLE


@pytest.mark.parametrize("limit", [1, resource.RLIM_INFINITY])
def test_whatever_the_limit_of_files_is_somebody_begins(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert each(range(3), _sampled, 2, FixedClock()) == [0, 1, 2]


def test_after_an_error_nobody_begins_and_who_began_lives_to_the_end() -> None:
    lives = Lives(FixedClock())

    def doomed(host: int) -> Life[str]:
        if host == 5:
            raise ValueError(host)
        result = yield from lives(host)
        if host in (1, 2):
            raise HostError(f"host {host}")
        return result

    with pytest.raises(HostError, match="host 1"):
        each(range(100), doomed, 1, lives.clock)
    assert lives.who("begins") == [0, 1, 2, 3, 4]
    assert sorted(lives.who("closes")) == [0, 1, 2, 3, 4]
    assert lives.who("goes on") == [0, 1, 2, 3, 4]


def test_who_asks_to_stop_ends_every_wait_at_once() -> None:
    stop = threading.Event()
    lives = Lives(SystemClock(stop), lambda _: LONG)
    lives.at_begin = lambda host: stop.set() if host == 9 else None
    began = time.monotonic()
    assert each(range(10), lives, 2, lives.clock) == [f"{host} interrupted" for host in range(10)]
    assert time.monotonic() - began < 30
    assert sorted(lives.who("closes")) == list(range(10))


def test_who_asks_to_stop_while_all_wait_is_heard_too() -> None:
    stop = threading.Event()
    lives = Lives(SystemClock(stop), lambda _: LONG)
    lives.at_begin = lambda host: threading.Timer(0.3, stop.set).start() if host == 2 else None
    assert each(range(3), lives, 3, lives.clock) == [f"{host} interrupted" for host in range(3)]


def test_who_waits_again_after_that_is_told_again() -> None:
    stop = threading.Event()
    told: list[int] = []

    def stubborn(host: int) -> Life[int]:
        stop.set()
        for _ in range(3):
            try:
                yield Pause(LONG)
            except Interrupted:
                told.append(host)
        return host

    assert each(range(4), stubborn, 2, SystemClock(stop)) == list(range(4))
    assert sorted(told) == sorted(list(range(4)) * 3)


class TornClock(FixedClock):
    """Whoever sleeps on it is torn away once all lives wait."""

    def sleep(self, seconds: float) -> None:
        if seconds:
            raise KeyboardInterrupt


def test_when_the_calling_thread_is_torn_away_every_sleeper_is_told() -> None:
    lives = Lives(TornClock(), lambda _: LONG)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        each(range(10), lives, 2, lives.clock)
    assert sorted(lives.who("stops")) == sorted(lives.who("closes")) == list(range(10))
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


class BusyTornClock(FixedClock):
    """It tears the calling thread away when a life is stuck at work and all others wait."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        super().__init__()
        self.waiting = waiting

    def sleep(self, seconds: float) -> None:
        del seconds
        if self.waiting() == 5:
            raise KeyboardInterrupt


def test_a_host_that_is_stuck_at_work_keeps_nobody_from_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "GRACE", 0.3)
    freed = threading.Event()
    before = threading.enumerate()
    lives = Lives(FixedClock(), lambda _: LONG)
    lives.at_begin = lambda host: freed.wait(60) if host == 0 else None
    clock = BusyTornClock(lambda: len(lives.who("begins")) - 1)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            each(range(6), lives, 2, clock)
        assert time.monotonic() - began < 30
        assert sorted(lives.who("stops")) == [1, 2, 3, 4, 5]
        assert all(thread.daemon for thread in threading.enumerate() if thread not in before)
    finally:
        freed.set()


@pytest.mark.parametrize("hosts", [1, 12])
def test_what_is_needed_only_afterwards_is_done_once_when_somebody_waits(hosts: int) -> None:
    lives = Lives(FixedClock())
    each(range(hosts), lives, 4, lives.clock, lambda: lives.log.append(("loads", -1)))
    assert lives.who("loads") == [-1]
    assert lives.log.index(("begins", 0)) < lives.log.index(("loads", -1)) < lives.log.index(("goes on", 0))


def test_where_nobody_waits_it_is_not_done() -> None:
    done: list[int] = []
    each(range(5), _never_waits, 2, FixedClock(), lambda: done.append(1))
    assert done == []


def test_what_fails_meanwhile_is_raised_when_all_have_ended() -> None:
    lives = Lives(FixedClock())

    def broken() -> None:
        raise DocumentError([])

    with pytest.raises(DocumentError):
        each(range(3), lives, 3, lives.clock, broken)
    assert sorted(lives.who("closes")) == [0, 1, 2]
