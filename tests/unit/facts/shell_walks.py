"""Runs the walk of a fact in every POSIX shell that is here, on this machine or on a tree of files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from memrunbook.core.reading.fact import Question, Samples
from memrunbook.core.reading.probe import build_probe, read_sample

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


def sampled(
    shell: tuple[str, ...], asks: Iterable[Question], moved: Mapping[str, Path], between: Sequence[str] = ()
) -> Samples:
    """The samples of one shell: a full one, and behind each script of `between` (a change of the files) a later one.

    Folders of this machine are moved to others. The shell must say nothing on standard error.
    """
    probes = [build_probe(asks, repeat=repeat) for repeat in (False, *(True for _ in between))]
    whole = 'child() { ( exec "$@" ); }\nset -- n\n'
    for script, probe in zip(("", *between), probes, strict=True):
        for old, new in moved.items():
            probe = probe.replace(old, str(new))  # noqa: PLW2901 - the same probe with another path
        whole += f"{script}\nprobe() {{\n{probe}\n}}\nprobe n </dev/null\n"
    done = subprocess.run([*shell, "-s"], input=whole.encode(), capture_output=True, timeout=60, check=True)
    assert done.stderr == b""
    _, *texts = done.stdout.decode(errors="replace").split("@@n begin ")
    samples = tuple(read_sample(f"@@n begin {text}", "n") for text in texts)
    assert all(sample.complete for sample in samples)
    return samples


def tree(root: Path, files: dict[str, str]) -> None:
    """Writes files below a folder."""
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
