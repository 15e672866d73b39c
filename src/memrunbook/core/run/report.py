"""Folds the events of a run into a report: what was done, what was not, and what it changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.core.run.event import Diagnosed, Event, Outcome, RunFinished, Signals, StepFinished, StillHeld

Reported = Outcome | Literal["running"]

CUT_OFF = RunFinished(
    "interrupted",
    "the run has no end in the journal",
    hint="runbook audit verify shows whether the journal is intact",
)
GOES_ON = RunFinished("interrupted", "it has not come to its end yet")


class HostReport(Struct, frozen=True):
    """What a run did on one host; `interrupted` where it has no end, `running` where it has none yet.

    `others` are the events that have no place of their own here: each says for itself what happened.
    """

    host: str
    outcome: Reported
    steps: tuple[StepFinished, ...]
    before: Signals = {}
    after: Signals = {}
    why: str = ""
    hint: str = ""
    begun: Diagnosed | None = None
    others: tuple[Event, ...] = ()
    where: Signals = {}

    @property
    def held(self) -> tuple[str, ...]:
        """What was frozen or changed for a while when the run ended, a sentence each."""
        return tuple(words for event in self.others if isinstance(event, StillHeld) for words in event.held)

    @property
    def changed(self) -> bool:
        """True where it changed anything, if only for a moment."""
        return any(step.state in ("done", "failed", "undone", "unknown") and not step.evidence for step in self.steps)

    @property
    def open(self) -> bool:
        """True when the outcome of a once-only change is unknown."""
        return any(step.open for step in self.steps)


def fold(host: str, events: Iterable[Event], *, running: bool = False) -> HostReport:
    """The report of one host's events, in the order they happened; `running` says that more of them will come."""
    begun: Diagnosed | None = None
    end: RunFinished | None = None
    steps: list[StepFinished] = []
    others: list[Event] = []
    for event in events:
        if isinstance(event, StepFinished):
            steps.append(event)
        elif isinstance(event, Diagnosed):
            begun = event
        elif isinstance(event, RunFinished):
            end = event
        else:
            others.append(event)
    if end is None:
        end = GOES_ON if running else CUT_OFF
    return HostReport(
        host=host,
        outcome="running" if end is GOES_ON else end.outcome,
        steps=tuple(steps),
        before=begun.signals if begun else {},
        after=end.signals,
        why=end.why,
        hint=end.hint,
        begun=begun,
        others=tuple(others),
        where=end.where,
    )
