"""Each action that there is, in worlds that answer anything: what it changed is proven, taken back, or listed as open.

What really became of a change is chosen beside the answer: a host that says nothing may have done its work, and one
that says it failed may have done half of it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest
from tests.contract.test_actions import use_of
from tests.lab.scripted import Scripted
from tests.lab.worlds import follow
from tests.unit.actions.hosts import host

from memrunbook import catalog
from memrunbook.core.action.action import Repeat
from memrunbook.core.errors import RunbookError, SessionLost
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.request import Compare, Compared, Done, Execute, Failed, ReadFacts, Unknown
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.units import written
from memrunbook.documents.runbooks import load_runbook

Choose = Callable[[Any], Any]
WORLDS = 40
EACH = pytest.mark.parametrize("word", sorted(catalog.actions()))


@cache
def runbook_of(word: str) -> Runbook:
    """A runbook of this one step, as a file would have it."""
    values = msgspec.to_builtins(use_of(word).action, enc_hook=written)
    given = {name.rstrip("_"): value for name, value in values.items() if value not in (None, "", [], "0s")}
    step = {"id": "act", "name": "Act", "action": word, "with": given, "on_failure": "continue"}
    if use_of(word).action.repeat is not Repeat.READ:
        step["verify"] = {"that": "memory.available_percent > 30.0", "within": "20s"}
    book = {
        "apiVersion": "memrunbook/v1", "name": "one", "title": "One action", "signals": ["memory.available_percent"],
        "checks": [{"id": "any", "name": "Any", "when": "memory.total_bytes > 0", "severity": "warning"}],
        "incident": "checks.any", "resolved": {"that": "memory.available_percent > 1000.0"}, "steps": [step],
    }  # fmt: skip
    return load_runbook(json.dumps(book).encode(), "one.yaml", "file", {})


class World(Scripted):
    """A host on which the change is in force or not, whatever is answered."""

    def __init__(self, word: str, choose: Choose) -> None:
        super().__init__(())
        self.percent = 20.0 if word == "setup_zram" else 5.0  # it wants some memory left to begin with
        self.choose, self.before, self.in_force, self.begun = choose, host(dict(use_of(word).on)), False, False

    def error(self, request: Any) -> RunbookError | None:
        super().error(request)
        lost = self.begun and isinstance(request, ReadFacts) and self.choose([False] * 9 + [True])
        return SessionLost("the connection was lost") if lost else None

    def answer(self, request: Any) -> Any:
        now = self._next(request)
        if isinstance(request, ReadFacts):
            return self._read(request)
        if isinstance(request, Execute):
            return self._execute(request, now)
        if isinstance(request, Compare):
            return Compared(now, "made" if self.in_force else "back")
        return super().answer(request)

    def _read(self, request: ReadFacts) -> Snapshot:
        available = self.choose([self.percent, 60.0]) if self.begun else self.percent
        memory = msgspec.structs.replace(self.before.readings["memory"], available_percent=available)
        readings = {**self.before.readings, "memory": memory}
        at = type(self.before.taken_at)(1_700_000_000.0 + self.time, self.time)
        seen = self.choose([self.before.readings, host().readings]) if self.begun else readings
        return msgspec.structs.replace(
            self.before, taken_at=at, readings={**seen, "memory": memory}, samples=request.count
        )

    def _execute(self, request: Execute, now: Any) -> Any:
        answer = self.choose(
            [Done(now), Done(now), Failed(now, "no"), Failed(now, "no", untouched=True), Unknown(now, "?")]
        )
        happened = isinstance(answer, Done) or (not getattr(answer, "untouched", False) and self.choose([True, False]))
        if happened:
            self.in_force = not request.undo
        self.begun = True
        return answer


def ends_of(word: str, seed: int) -> tuple[World, list[StepFinished]]:
    world = World(word, Random(f"{word} {seed}").choice)
    return world, follow(runbook_of(word), world).finished


@EACH
def test_what_an_action_changed_is_proven_taken_back_or_listed(word: str) -> None:
    reads = use_of(word).action.repeat is Repeat.READ
    states: Counter[str] = Counter()
    for seed in range(WORLDS):
        world, ends = ends_of(word, seed)
        assert ends, (word, seed)
        [end] = ends
        states[end.state] += 1
        if reads:
            assert not end.left
            assert end.state in ("done", "failed", "interrupted")
            continue
        assert not world.in_force or end.state == "done" or end.left or end.open, (seed, end)
        assert end.state != "undone" or not world.in_force, (seed, end)
    assert states["done"] + states["executed"] > 0, states
    assert reads or states["unknown"] + states["failed"] > 0, states
