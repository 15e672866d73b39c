"""Runs the walk of a fact in every POSIX shell that is here, on this machine or on a tree of files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SHELLS = [
    pytest.param(
        command, marks=pytest.mark.skipif(shutil.which(command[0]) is None, reason=f"{command[0]} is not here")
    )
    for command in (("dash",), ("bash",), ("busybox", "ash"))
]


def walked(shell: tuple[str, ...], script: str) -> str:
    """What the script prints; it must say nothing on standard error and must not end the shell."""
    wrapped = f"walk() {{\n{script}\n}}\nwalk </dev/null\nprintf 'alive\\n'\n"
    done = subprocess.run([*shell, "-s"], input=wrapped.encode(), capture_output=True, timeout=60, check=True)
    output = done.stdout.decode(errors="replace")
    assert output.endswith("alive\n")
    return output.removesuffix("alive\n")


def tree(root: Path, files: dict[str, str]) -> None:
    """Writes files below a folder."""
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
