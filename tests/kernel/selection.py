"""Which tests on guests run: a fixed core always, of the rest those that lean on a file that changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

Imports = Mapping[str, frozenset[str]]
"""By file the files that it imports."""
ALWAYS = "core"
SHOWN = 2
"""Changed files that are named; of more the number is told."""


@dataclass(frozen=True)
class Candidate:
    """A test, and the files whose change selects it. One of the core leans on nothing: it runs always."""

    test: str
    core: bool
    files: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Selection:
    """The tests that run, each with why, in their order; and those that are left out."""

    base: str
    kept: Mapping[str, str]
    left_out: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """What runs and why, and what does not, in a few lines."""
        core = sum(why == ALWAYS for why in self.kept.values())
        yield f"kernel tests: {core} scenarios of the core always; of the rest what changed against {self.base}"
        for why in dict.fromkeys(self.kept.values()):
            if why != ALWAYS:
                yield f"  selected by {why}: {', '.join(test for test, one in self.kept.items() if one == why)}"
        if self.left_out:
            yield f"  left out (FULL=1 runs them too), {len(self.left_out)}: {', '.join(self.left_out)}"


def select(candidates: Iterable[Candidate], changed: frozenset[str], base: str) -> Selection:
    """The core, and of the rest those that lean on one of the changed files; `base` is in words for whoever reads."""
    kept: dict[str, str] = {}
    left_out = []
    for candidate in candidates:
        moved = sorted(candidate.files & changed)
        if candidate.core:
            kept[candidate.test] = ALWAYS
        elif moved:
            more = f" and {len(moved) - SHOWN} more" if len(moved) > SHOWN else ""
            kept[candidate.test] = ", ".join(moved[:SHOWN]) + more
        else:
            left_out.append(candidate.test)
    return Selection(base, kept, tuple(left_out))


def reached(start: Iterable[str], imports: Imports) -> frozenset[str]:
    """The files themselves and all that they import, directly or through others."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += imports.get(file, frozenset())
    return frozenset(found)
