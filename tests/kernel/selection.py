"""Which tests on guests run: a fixed core always, of the rest those that lean on a file that changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

Imports = Mapping[str, frozenset[str]]
"""By file the files that it imports."""
ALWAYS = "core"
MOST = 5
"""Of the tests that a change selects so many run at a time, in turn by the commit: else CI had no bound."""
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
    """The tests that run, each with why, in their order; and those that are left out.

    `later` are those of them that a change selects, and whose turn it is not.
    """

    base: str
    kept: Mapping[str, str]
    left_out: tuple[str, ...]
    later: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """What runs and why, and what does not, in a few lines."""
        core = sum(why == ALWAYS for why in self.kept.values())
        yield f"kernel tests: {core} scenarios of the core always; of the rest what changed against {self.base}"
        for why in dict.fromkeys(self.kept.values()):
            if why != ALWAYS:
                yield f"  selected by {why}: {', '.join(test for test, one in self.kept.items() if one == why)}"
        if self.later:
            told = f"{len(self.later)} more of what changed, {MOST} at a time"
            yield f"  left for another commit (FULL=1 runs them too), {told}: {', '.join(self.later)}"
        if rest := [test for test in self.left_out if test not in self.later]:
            yield f"  left out (FULL=1 runs them too), {len(rest)}: {', '.join(rest)}"


def select(candidates: Iterable[Candidate], changed: frozenset[str], base: str, turn: int = 0) -> Selection:
    """The core, and of the rest those that lean on one of the changed files; `base` is in words for whoever reads.

    Where those are more than `MOST`, as many beginning with the `turn`th, in a circle.
    """
    candidates = list(candidates)
    moved = {one.test: sorted(one.files & changed) for one in candidates if not one.core and one.files & changed}
    first = turn % len(moved) if moved else 0
    due = set([*moved, *moved][first : first + MOST])
    kept = {
        one.test: ALWAYS if one.core else _named(moved[one.test]) for one in candidates if one.core or one.test in due
    }
    left_out = tuple(one.test for one in candidates if one.test not in kept)
    return Selection(base, kept, left_out, tuple(test for test in left_out if test in moved))


def _named(files: list[str]) -> str:
    more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
    return ", ".join(files[:SHOWN]) + more


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
