"""Few at one door at once, each in its turn; nobody waits at a dead one longer than the first that came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from memrunbook.core.errors import Interrupted, LoginError, Unreachable
from memrunbook.transports.shared import doors
from memrunbook.transports.shared.doors import MOST, Door, Doors, Visit, pass_through
from memrunbook.transports.shared.patience import TurnedAway

LONG = 30.0


def _silence(_: float) -> None:
    """Nobody is told."""


def _through(door: Door, attempt: Callable[[Sequence[Visit]], str], where: str = "web") -> str:
    return pass_through([door], attempt, where, LONG, _silence)


def _full(door: Door) -> list[Visit]:
    return [door.come("first", LONG, _silence) for _ in range(MOST)]


def test_no_more_than_so_many_are_at_one_door_and_all_get_in() -> None:
    door, lock, inside, most = Door("bastion"), threading.Lock(), 0, 0

    def attempt(_: Sequence[Visit]) -> str:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.02)
        with lock:
            inside -= 1
        return "in"

    with ThreadPoolExecutor(30) as pool:
        assert list(pool.map(lambda _: _through(door, attempt), range(30))) == ["in"] * 30
    assert most == MOST


def test_another_door_is_not_waited_for() -> None:
    shared = Doors()
    _full(shared.at("bastion"))
    assert shared.at("bastion") is shared.at("bastion")
    assert _through(shared.at("other"), lambda _: "in") == "in"


def test_a_place_is_free_once_it_is_given_up_within_the_attempt() -> None:
    door = Door("bastion")
    _full(door)[0].is_over()

    def attempt(visits: Sequence[Visit]) -> str:
        visits[0].is_in()
        return _through(door, lambda _: "in")

    assert _through(door, attempt) == "in"


def test_who_is_turned_away_comes_again_and_in_the_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "PAUSES", (0.01, 0.01))
    tries = 0

    def attempt(_: Sequence[Visit]) -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise TurnedAway("closed")
        return "in"

    assert _through(Door("bastion"), attempt) == "in"
    tries = -9
    with pytest.raises(TurnedAway, match="closed"):
        _through(Door("bastion"), attempt)
    assert tries == -6


def test_a_door_that_turns_away_gets_fewer_at_once() -> None:
    door = Door("bastion")
    for visit in _full(door):
        visit.is_over(TurnedAway("closed"))
    visit = door.come("web", LONG, _silence)
    with pytest.raises(Unreachable, match=r"the wait for its turn at bastion was not finished after 0 s"):
        door.come("db", 0.1, _silence)
    visit.is_in()
    door.come("db", 0.1, _silence).is_in()


@pytest.mark.parametrize("quick", [0.0, 60.0])
def test_a_slow_failure_is_that_of_all_who_waited_and_a_quick_one_is_not(
    monkeypatch: pytest.MonkeyPatch, quick: float
) -> None:
    monkeypatch.setattr(doors, "QUICK", quick)
    door = Door("bastion")
    ahead = _full(door)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(_through, door, lambda _: "in")
        _until_somebody_waits(door)
        ahead[0].is_over(Unreachable("no answer at TCP port 22 in 10 s", where="first", hint="look"))
        if quick:
            assert waiting.result(5) == "in"
            return
        error = waiting.exception(5)
    assert isinstance(error, Unreachable)
    assert (error.message, error.where, error.hint) == ("no answer at TCP port 22 in 10 s", "web", "look")


def test_where_nobody_sees_who_failed_each_fails_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ProxyCommand: the first rack behind a bastion is down, the others are not."""
    monkeypatch.setattr(doors, "QUICK", 0.0)
    door = Doors().at("ProxyCommand ssh -W %h:%p bastion", seen=False)
    ahead = _full(door)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(_through, door, lambda _: "in")
        _until_somebody_waits(door)
        ahead[0].is_over(Unreachable("no route to host"))
        assert waiting.result(5) == "in"


def _refused(ahead: list[Visit]) -> None:
    ahead[0].is_over(LoginError("the host refused ada"))


def _until_somebody_waits(door: Door) -> None:
    deadline = time.monotonic() + 5
    while not door._queue:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _in_and_late(ahead: list[Visit]) -> None:
    """One gets in, another comes to nothing: the door is alive."""
    ahead[1].is_in()
    ahead[2].is_over(Unreachable("no SSH banner"))


@pytest.mark.parametrize("ended", [_refused, _in_and_late])
def test_what_is_wrong_with_one_alone_is_not_told_to_those_who_wait(
    monkeypatch: pytest.MonkeyPatch, ended: Callable[[list[Visit]], None]
) -> None:
    monkeypatch.setattr(doors, "QUICK", 0.0)
    door = Door("bastion")
    ahead = _full(door)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(_through, door, lambda _: "in")
        _until_somebody_waits(door)
        ended(ahead)
        assert waiting.result(5) == "in"


def test_ctrl_c_ends_the_wait_and_leaves_the_place_in_the_queue_to_others() -> None:
    door = Door("bastion")
    ahead = _full(door)

    def stop(_: float) -> None:
        raise Interrupted("given up")

    with pytest.raises(Interrupted):
        door.come("web", LONG, stop)
    ahead[0].is_in()
    assert _through(door, lambda _: "in") == "in"


def test_of_several_doors_the_failure_belongs_to_the_first_that_was_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "QUICK", 0.0)
    bastion, host = Door("b bastion"), Door("a host")
    others = [bastion.come("first", LONG, _silence) for _ in range(MOST - 1)]

    def attempt(visits: Sequence[Visit]) -> str:
        visits[0].is_in()
        raise Unreachable("the host is silent")

    with pytest.raises(Unreachable, match="the host is silent"):
        pass_through([bastion, host], attempt, "web", LONG, _silence)
    others.append(bastion.come("db", LONG, _silence))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(_through, bastion, lambda _: "in")
        _until_somebody_waits(bastion)
        others[0].is_in()
        assert waiting.result(5) == "in"
