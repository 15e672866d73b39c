"""Where this control node keeps its state."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from memrunbook.core.errors import JournalError
from memrunbook.state import disk, forwarding
from memrunbook.state.ownership import is_shared

FOR_ROOT = Path("/var/lib/memrunbook")


def state_dir(given: str | None, environment: Mapping[str, str], uid: int) -> Path:
    """The state directory: the given one, else $RUNBOOK_STATE_DIR, else /var/lib for root, else the XDG one."""
    if chosen := given or environment.get("RUNBOOK_STATE_DIR"):
        return Path(chosen).absolute()
    if uid == 0:
        return FOR_ROOT
    xdg = Path(environment.get("XDG_STATE_HOME", ""))
    return (xdg if xdg.is_absolute() else _home(environment) / ".local" / "state") / "memrunbook"


def _home(environment: Mapping[str, str]) -> Path:
    """The user's home; JournalError for a user without one."""
    if environment.get("HOME"):
        return Path(environment["HOME"])
    try:
        return Path.home()
    except RuntimeError:
        hint = "name a place with --state-dir or RUNBOOK_STATE_DIR, or set HOME"
        raise JournalError("this user has no home directory to keep the journal in", hint=hint) from None


def prepare(path: Path) -> Path:
    """Makes the state directory (0700) where it is missing; JournalError where that fails or anybody could write it.

    One whose group may write and that is no directory of a team is refused too: what one makes no other could read.
    """
    forwarding.usual()  # a place that is none is told before anything is done
    disk.make_directory(path, own=True)
    with disk.explained(path, "be looked at"):
        mode = path.stat().st_mode
    if mode & stat.S_IWOTH:
        raise JournalError(
            "everybody may write to the state directory: nothing in it could be trusted",
            where=str(path),
            hint=f"chmod 700 {path}",
        )
    if mode & stat.S_IWGRP and not is_shared(path):
        raise JournalError(
            "the group may write to the state directory, and what is made there would not be the group's",
            where=str(path),
            hint=f"for a team: chmod 3770 {path}; for one user: chmod 700 {path}",
        )
    return path


def usual_state_dir() -> Path:
    """The state directory of whoever runs this process, when nobody names another."""
    return state_dir(None, os.environ, os.getuid())
