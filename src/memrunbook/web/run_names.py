"""A run is looked up by its whole id: what stands in an address never becomes a path unchecked."""

from __future__ import annotations

from pathlib import Path

from memrunbook.state.run_directory import RUN_ID, run_path


def is_run(state: Path, run: str) -> bool:
    """True for the id of a run that is there."""
    return RUN_ID.fullmatch(run) is not None and run_path(state, run).is_dir()
