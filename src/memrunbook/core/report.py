"""Folds the events of a run into a report: what was done, what was not, and what it changed."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from memrunbook.core.events import Diagnosed, Event, Outcome, RunFinished, Signals, StepFinished


class HostReport(Struct, frozen=True):
    """What a run did on one host; `interrupted` where it has no end."""

    host: str
    outcome: Outcome
    steps: tuple[StepFinished, ...]
    before: Signals = {}
    after: Signals = {}
    why: str = ""
    hint: str = ""
    begun: Diagnosed | None = None

    @property
    def open(self) -> bool:
        """True when the outcome of a once-only effect is unknown."""
        return any(step.open for step in self.steps)


def fold(host: str, events: Iterable[Event]) -> HostReport:
    """The report of one host's events, in the order they happened."""
    begun: Diagnosed | None = None
    end: RunFinished | None = None
    steps: list[StepFinished] = []
    for event in events:
        if isinstance(event, StepFinished):
            steps.append(event)
        elif isinstance(event, Diagnosed):
            begun = event
        else:
            end = event
    return HostReport(
        host=host,
        outcome=end.outcome if end else "interrupted",
        steps=tuple(steps),
        before=begun.signals if begun else {},
        after=end.signals if end else {},
        why=end.why if end else "the run has no end in the journal",
        hint=end.hint if end else "runbook audit verify shows whether the journal is intact",
        begun=begun,
    )
