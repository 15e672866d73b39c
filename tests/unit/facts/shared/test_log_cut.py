from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Cut
from memrunbook.facts.shared.log_cut import FIRST, WHY, lost_events


@pytest.mark.parametrize("lost", [False, None])
def test_without_lost_kills_the_log_has_all_events(*, lost: bool | None) -> None:
    assert lost_events(["[ 100.5] x"], 900.0, lost=lost) == {}


@pytest.mark.parametrize(
    ("lines", "least"),
    [
        (["[  100.500000] x", "[ 200.0] y"], {"age_seconds": 799.5}),
        (["<6>[100.5] x"], {"age_seconds": 799.5}),
        (["rest of a message", "", "[100.5] x"], {"age_seconds": 799.5}),
        (["[1000.0] the clock of the log runs ahead"], {"age_seconds": 0.0}),
        (["no time at all"], {}),
        ([*["more"] * FIRST, "[100.5] x"], {}),
        ([], {}),
    ],
)
def test_what_is_lost_is_older_than_the_oldest_line(lines: list[str], least: dict[str, float]) -> None:
    assert lost_events(lines, 900.0, lost=True) == {"events": Cut(WHY, least=least)}
