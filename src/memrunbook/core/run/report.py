"""Folds the events of a run into a report: what was done, what was not, and what it changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from memrunbook.core.run.cut_off import LOST, NOT_REACHED, UNANSWERED
from memrunbook.core.run.event import Diagnosed, Event, Outcome, RunFinished, Signals, StepFinished, StillHeld
from memrunbook.core.run.flight import OpenStep, clock

Reported = Outcome | Literal["running"]

CUT_OFF = RunFinished(
    "interrupted",
    "the run has no end in the journal",
    hint="runbook audit verify shows whether the journal is intact",
)
CUT = f"{NOT_REACHED}the run was cut off"
GOES_ON = RunFinished("interrupted", "it has not come to its end yet")
NOTHING_DONE = "nothing was done there"
"""Of a host that whoever pressed Ctrl-C was quicker than."""


class HostReport(Struct, frozen=True):
    """What a run did on one host; `interrupted` where it has no end, `running` where it has none yet.

    `node` is the control node that did it and `part` the id of the run there, where that is not the node that asked.
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
    node: str = ""
    part: str = ""

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


def is_left_unended(report: HostReport) -> bool:
    """True for a host whose run has ended, and can be gone on with.

    It was stopped, or lost, or has a step that is open, or one whose gate nobody was there to answer.
    """
    unanswered = any(step.state == "refused" and step.why.startswith(UNANSWERED) for step in report.steps)
    return unanswered or report.open or report.outcome in ("interrupted", "unreachable")


def fold(
    host: str,
    events: Iterable[Event],
    *,
    running: bool = False,
    left: Sequence[OpenStep] | None = None,
    under_way: Sequence[OpenStep] = (),
) -> HostReport:
    """The report of one host's events, in the order they happened; `running` says that more of them will come.

    `left` is what is open by now, where that is known (None: as the events say); `under_way` what a running run is at.
    """
    begun: list[Diagnosed] = []
    end: RunFinished | None = None
    steps: list[StepFinished] = []
    others: list[Event] = []
    for event in events:
        if isinstance(event, StepFinished):
            steps.append(event if left is None else _as_known(event, left))
        elif isinstance(event, Diagnosed):
            begun.append(event)
        elif isinstance(event, RunFinished):
            end = event
        else:
            others.append(event)
    if end is None:
        end = _going_on(under_way) if running else _cut_off(left or ())
        steps += [_open_step(opened) for opened in left or ()]
    if not running and begun and end.outcome in LOST:  # it may have planned what it has no record of
        steps += _not_reached(begun[-1], steps)
    return HostReport(
        host=host,
        outcome="running" if running and end.outcome == "interrupted" else end.outcome,
        steps=tuple(steps),
        before=begun[0].signals if begun else {},
        after=end.signals,
        why=end.why,
        hint=end.hint,
        begun=begun[-1] if begun else None,
        others=tuple(others),
        where=end.where,
    )


def _going_on(under_way: Sequence[OpenStep]) -> RunFinished:
    doing = "; ".join(f"{one.step}: {one.summary}, since {clock(one.started)}" for one in under_way)
    return RunFinished("interrupted", f"under way: {doing}") if doing else GOES_ON


def _cut_off(left: Sequence[OpenStep]) -> RunFinished:
    """The end of a run that has none: unknown where a step is open."""
    if not left:
        return CUT_OFF
    runs = ", ".join(dict.fromkeys(opened.run for opened in left))
    told = "; ".join(opened.told for opened in left)
    hint = f"runbook resume {runs} looks at it and goes on"
    return RunFinished("unknown", f"the run was cut off: {told}", hint=hint)


def _open_step(opened: OpenStep) -> StepFinished:
    """An open step as a step of the report."""
    name, _, item = opened.step.partition("/")
    told = opened.told.removeprefix(f"{opened.step}: {opened.summary}: ")
    return StepFinished(
        id=name,
        name=name,
        action=opened.action,
        item=item,
        state="unknown",
        why=told,
        summary=opened.summary,
        open=True,
    )


def _as_known(step: StepFinished, left: Sequence[OpenStep]) -> StepFinished:
    """A step that its run left open is open until a later look has answered it."""
    label = f"{step.id}/{step.item}" if step.item else step.id
    if not step.open or any(opened.step == label for opened in left):
        return step
    return msgspec.structs.replace(step, open=False, why=f"{step.why}; a later run has found out how it ended")


def _not_reached(begun: Diagnosed, steps: Sequence[StepFinished]) -> list[StepFinished]:
    """What was planned and has no record: the run was cut off before."""
    known = {step.id for step in steps}
    return [
        StepFinished(id=one.id, name=one.name, action=one.action, item=one.item, state="skipped", why=CUT)
        for one in begun.plan.steps
        if one.id not in known
    ]
