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
