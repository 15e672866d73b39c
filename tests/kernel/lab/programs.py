"""Compiles the guest programs in C, statically, so that they run in any guest."""

from pathlib import Path

from tests.kernel.lab.command import execute
from tests.kernel.lab.store import kept, key_of, store

PROGRAMS = Path(__file__).parents[1] / "programs"
_COMPILE = ["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s"]


def compiled(name: str) -> bytes:
    """Return the executable of `programs/NAME.c`, compiled if its text changed."""
    source = PROGRAMS / f"{name}.c"

    def make(directory: Path) -> None:
        execute([*_COMPILE, "-o", directory / name, source])

    key = key_of(source.read_text(), *_COMPILE)
    return (kept(store() / "programs" / key, make) / name).read_bytes()
