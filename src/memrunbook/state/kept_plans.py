"""The files of plans that wait, read: those that were written of late, wherever they were kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG

from memrunbook.core.errors import Refused, UsageError
from memrunbook.state.plans import PlanFile, load_plan
from memrunbook.state.waiting import waiting


def recent_plans(state: Path, since: float) -> Iterator[PlanFile]:
    """Those that were written since then: of years of runs the others are not even read, nor is a pipe waited for."""
    with_time = ((path, _written(path)) for path in waiting(state))
    yield from read_plans(path for path, written in with_time if written is not None and written >= since)


def read_plans(paths: Iterable[Path]) -> Iterator[PlanFile]:
    """The plans of these files; one that cannot be read as a plan, or has just gone, is passed over."""
    for path in paths:
        try:
            yield load_plan(path)
        except (UsageError, Refused, FileNotFoundError):
            continue


def _written(path: Path) -> float | None:
    """When a file was written, in seconds since 1970; None for what is no file, and for one that has just gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime if S_ISREG(found.st_mode) else None
