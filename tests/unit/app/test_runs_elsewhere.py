"""The runs of other control nodes: parts of a run that is shown are told with it, and have no line of their own."""

from __future__ import annotations

from pathlib import Path

from memrunbook.app.elsewhere import RunsElsewhere
from memrunbook.state.runs import Run
from memrunbook.state.store.journals import IndexedRun

HERE = Run("20261122T094107Z-here", Path("/runs/here"), "ended", ("web-1",))


def indexed(run: str, part_of: str = "", key: str = "other") -> IndexedRun:
    return IndexedRun(
        run=run, node="n2", runbook="small", who="ada", reason="", hosts=(), began=1.0, part_of=part_of, key=key
    )


def names(found: tuple[IndexedRun, ...]) -> list[str]:
    return [one.run for one in found]


def test_a_part_of_a_run_that_is_shown_here_or_there_has_no_line() -> None:
    order, lost = indexed("order"), indexed("part-of-none", "gone")
    parts = [indexed("part-of-here", HERE.run_id), indexed("part-of-order", "order")]
    found = RunsElsewhere(runs=(order, *parts, lost), own="mine")
    assert names(found.others([HERE])) == ["order", "part-of-here", "part-of-order", "part-of-none"]
    assert names(found.alone([HERE])) == ["order", "part-of-none"]
    assert names(found.alone([])) == ["order", "part-of-here", "part-of-none"]
