"""How long a restart helped: until the next, until the unit began anew by itself, until its memory was back."""

from __future__ import annotations

import msgspec

from memrunbook.core.plan.limits import PastChange
from memrunbook.core.plan.restarts import helped
from memrunbook.core.reading.series import Observation


def change(begun: float, state: str = "done") -> PastChange:
    return PastChange(
        run="R",
        host="web",
        action="restart_unit",
        target="api.service",
        risk=2,
        begun=begun,
        ended=begun + 1,
        state=state,
    )


def ends(changes: list[PastChange], points: list[Observation], now: float = 1000.0) -> list[tuple[float, str]]:
    return [(one.seconds, one.until) for one in helped(changes, points, now)]


def test_without_a_history_the_next_change_ends_it() -> None:
    assert ends([change(100), change(400)], []) == [(299.0, "changed again"), (599.0, "still")]


def test_its_memory_at_the_level_of_before_ends_it() -> None:
    points = [Observation(90.0, 8.0, "a"), Observation(110.0, 1.0, "b"), Observation(300.0, 8.0, "b")]
    assert ends([change(100)], points) == [(199.0, "memory was back")]


def test_a_run_of_it_that_no_change_began_ends_it() -> None:
    points = [Observation(90.0, 8.0, "a"), Observation(110.0, 1.0, "b"), Observation(200.0, 1.0, "c")]
    assert ends([change(100)], points) == [(99.0, "began anew")]


def test_a_reading_that_does_not_know_the_run_is_no_new_run() -> None:
    lives = ["", "b", "", "b"]
    points = [Observation(110.0 + number, 1.0, life) for number, life in enumerate(lives)]
    assert ends([change(100)], points) == [(899.0, "still")]


def test_what_comes_after_the_next_change_says_nothing_of_this_one() -> None:
    points = [Observation(90.0, 8.0, "a"), Observation(110.0, 1.0, "b"), Observation(500.0, 9.0, "c")]
    assert ends([change(100), change(400)], points)[0] == (299.0, "changed again")


def test_what_was_not_carried_out_helped_nobody() -> None:
    assert ends([change(100, "failed")], []) == [(0.0, "did not end well")]


def test_what_nobody_saw_end_is_not_known_to_have_helped() -> None:
    cut_off = msgspec.structs.replace(change(100, ""), ended=None)
    assert ends([cut_off], []) == ends([change(100, "unknown")], []) == [(0.0, "not known")]


def test_an_hour_kept_as_one_tells_neither_of_before_nor_of_after_a_change_in_it() -> None:
    hour = 3600.0
    for minute in (10, 50):  # the means of both lives stand at the hour's middle: after the change, or before it
        begun = 10 * hour + minute * 60
        old = [Observation(number * hour + 1800, 8.0, "a") for number in range(11)]
        new = [Observation(number * hour + 1800, 1.0, "b") for number in range(10, 40)]
        points = sorted([*old, *new], key=lambda point: point.at)
        assert ends([change(begun)], points, 40 * hour) == [(40 * hour - begun - 1, "still")]
        back = [*points, Observation(41 * hour, 8.0, "b")]
        assert ends([change(begun)], back, 42 * hour) == [(41 * hour - begun - 1, "memory was back")]


def test_the_hour_of_the_next_change_tells_of_no_run_that_began_by_itself() -> None:
    hour = 3600.0
    first, second = change(hour * 2), change(hour * 10 + 3000)
    lives = [(number, "a" if number < 2 else "b" if number <= 10 else "c") for number in range(20)]
    points = [Observation(number * hour + 1800, 9.0 if life == "a" else 1.0, life) for number, life in lives]
    points.insert(11, Observation(hour * 10 + 1800, 1.0, "c"))
    assert ends([first, second], points, 20 * hour)[0] == (second.begun - first.begun - 1, "changed again")
