"""Runs a program of this machine under a deadline."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.kernel.lab.errors import CommandFailed

_SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
_SHOWN_CHARACTERS = 2000


def located(program: str) -> str | None:
    """Return the path of *program*, looked for where administrators' programs are, too."""
    return shutil.which(program, path=_SEARCH_PATH)


def execute(argv: Sequence[str | Path], *, seconds: float = 60, cwd: Path | None = None, **variables: str) -> str:
    """Return what the program printed, in the folder *cwd*; *variables* are added to its environment.

    Raise CommandFailed with the end of what it said if it exits with another status than 0 or takes too long.
    """
    words = [str(word) for word in argv]
    environment = {**os.environ, "PATH": _SEARCH_PATH, **variables}
    try:
        finished = subprocess.run(
            words,
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (subprocess.TimeoutExpired, OSError) as failure:
        raise CommandFailed(str(failure)) from failure
    if finished.returncode != 0:
        message = f"{words[0]} exited with {finished.returncode}: {finished.stderr[-_SHOWN_CHARACTERS:].strip()}"
        raise CommandFailed(message)
    return finished.stdout
