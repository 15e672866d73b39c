"""A single life: its pauses, what is done meanwhile, and how it ends when it is not left to wait."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memrunbook.core.errors import DocumentError, HostError, Interrupted
from memrunbook.runtime.life import Finished, Life, Pause, resume, run_alone
from memrunbook.testing import START, FixedClock


class Noted:
    """A life of two pauses that notes what it sees."""

    def __init__(self, *, hardened: bool = False) -> None:
        self.seen: list[str] = []
        self.hardened = hardened

    def live(self) -> Life[str]:
        try:
            for name in ("first", "second"):
                try:
                    yield Pause(5.0)
                    self.seen.append(name)
                except Interrupted:
                    self.seen.append("told to stop")
                    if not self.hardened:
                        return "stopped"
            return "lived"
        finally:
            self.seen.append("closed")


class TornClock(FixedClock):
    """A clock whose sleep is ended by an error."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def sleep(self, seconds: float) -> None:
        del seconds
        raise self.error


def test_a_life_goes_on_from_pause_to_pause() -> None:
    life = Noted().live()
    assert resume(life) == Pause(5.0)
    assert resume(life) == Pause(5.0)
    assert resume(life) == Finished("lived")


def test_alone_it_sleeps_in_its_pauses_and_gives_its_result() -> None:
    clock, noted = FixedClock(), Noted()
    assert run_alone(noted.live(), clock) == "lived"
    assert clock.now().since(START) == 10.0
    assert noted.seen == ["first", "second", "closed"]


def _never() -> Life[int]:
    yield from ()
    return 3


@pytest.mark.parametrize(("seconds", "passed"), [(2.0, 10.0), (7.0, 12.0)])
def test_what_is_done_meanwhile_is_done_once_and_is_part_of_the_first_pause(seconds: float, passed: float) -> None:
    clock, done = FixedClock(), []

    def meanwhile() -> None:
        done.append(clock.now().since(START))
        clock.sleep(seconds)

    run_alone(Noted().live(), clock, meanwhile)
    assert done == [0.0]
    assert clock.now().since(START) == passed


def test_where_nobody_waits_there_is_no_meanwhile() -> None:
    done: list[int] = []
    work: Callable[[], None] = lambda: done.append(1)  # noqa: E731  one word
    assert run_alone(_never(), FixedClock(), work) == 3
    assert done == []


def test_who_asks_to_stop_is_heard_by_the_life_which_ends_by_itself() -> None:
    noted = Noted()
    assert run_alone(noted.live(), TornClock(Interrupted())) == "stopped"
    assert noted.seen == ["told to stop", "closed"]


@pytest.mark.parametrize("hardened", [False, True])
def test_when_its_thread_is_torn_away_it_is_told_and_may_not_wait_again(*, hardened: bool) -> None:
    noted = Noted(hardened=hardened)
    with pytest.raises(KeyboardInterrupt):
        run_alone(noted.live(), TornClock(KeyboardInterrupt()))
    assert noted.seen == ["told to stop", "closed"]


def test_what_fails_meanwhile_ends_the_life_and_is_raised() -> None:
    def meanwhile() -> None:
        raise DocumentError([])

    noted = Noted()
    with pytest.raises(DocumentError):
        run_alone(noted.live(), FixedClock(), meanwhile)
    assert noted.seen == ["told to stop", "closed"]


def test_what_a_life_raises_is_raised() -> None:
    def broken() -> Life[None]:
        yield Pause(1.0)
        raise HostError("gone")

    with pytest.raises(HostError, match="gone"):
        run_alone(broken(), FixedClock())
