"""Runs that workers carry out while these, PostgreSQL and connections end at random: nothing twice, nothing lost.

`python -m bench.chaos` does the same with more of everything.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.chaos.course import Course, carried_out
from bench.chaos.stage import missing

LACK = missing()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(bool(LACK), reason=LACK)
@pytest.mark.parametrize("seed", [1])
def test_every_effect_once_and_every_end_true(tmp_path: Path, seed: int) -> None:
    course = Course(runs=6, hosts=4, workers=2, seed=seed, fronts=3, loses=0.0)
    said: list[str] = []
    result = carried_out(course, tmp_path / "chaos", said.append)
    assert result.wrong == [], "\n".join([*said, *result.table()])
