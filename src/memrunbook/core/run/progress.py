"""How far a run has come: the newest snapshot, what is finished, and why nothing more is done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import to_builtins

from memrunbook.core.action.action import Change
from memrunbook.core.plan.diagnosis import world_of
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.reading.trend import LEAST_POINTS
from memrunbook.core.run.event import WHERE, LookedAt, Signals, StepFinished, StepState
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.run.harm import UnitNames, failed_in
from memrunbook.core.run.request import Asking, ReadFacts, Record, ask
from memrunbook.core.runbook.bound import FAILED_UNITS, UNITS, Runbook, Step

PAIR = 2
HELD = ("holds",)
TOO_SHORT = (
    "the watch was cut short (the host did not answer any more, memory was about to be full, or the OOM killer came), "
    "and what that did not show may still go on"
)


@dataclass
class Doing:
    """The step and item that are under way."""

    step: Step
    item: str

    def is_of(self, opened: OpenStep | None) -> bool:
        """True where they are those of an open step."""
        label = f"{self.step.spec.id}/{self.item}" if self.item else self.step.spec.id
        return opened is not None and opened.step == label


@dataclass
class Progress:
    """The one mutable thing of a run.

    `fresh` is how many samples the newest snapshot was asked for with, 0 once a command, a gate or a wait made it old.
    `executed` is true once the change of the step under way was carried out. `items` holds the keys of each step whose
    `for_each` was evaluated, so that none is lost when a run is cut short. `looks` are what was seen of steps that
    earlier runs left open here; `own_open` is the open step of this very run, resumed, until it has its end, was seen
    not to have begun or may happen again, and `own_look` is what was seen of it. `read` are the facts that the newest
    snapshot was asked for, `failed_units` who had failed when that was last told, `failed_locked` when it was last told
    behind the lock: who failed before the lock is no harm of what is done behind it.
    """

    runbook: Runbook
    snapshot: Snapshot
    fresh: int = field(init=False)
    acted: bool = False
    uncertain: bool = False
    ending: str = ""
    resolved: bool = False
    failed: bool = False
    locked: bool = False
    doing: Doing | None = None
    executed: bool = False
    finished: list[StepFinished] = field(default_factory=list)
    items: dict[str, list[str]] = field(default_factory=dict)
    looks: list[LookedAt] = field(default_factory=list)
    own_look: LookedAt | None = None
    own_open: OpenStep | None = None
    read: frozenset[str] = field(init=False)
    failed_units: UnitNames = None
    failed_locked: UnitNames = None

    def __post_init__(self) -> None:
        self.first = self.snapshot
        self.take(self.snapshot, self.runbook.facts, self._enough)

    @property
    def watches(self) -> bool:
        """True for a runbook that reads as often as a trend needs: what it asks, a few samples do not answer."""
        return self.runbook.spec.sample.count >= LEAST_POINTS

    @property
    def too_short(self) -> bool:
        """True where a watch was cut short: what it did not show may still go on."""
        return self.watches and self.snapshot.samples < LEAST_POINTS

    @property
    def _enough(self) -> int:
        """As many samples as at first while nothing was changed; then a pair, but for a watch when a step is over."""
        if self.executed or (self.acted and not self.watches):
            return PAIR
        return max(self.runbook.spec.sample.count, PAIR)

    def take(self, snapshot: Snapshot, facts: Collection[str], count: int) -> None:
        """The newest snapshot, of these facts in so many samples."""
        self.snapshot, self.read, self.fresh = snapshot, frozenset(facts), count
        failed = failed_in(snapshot)
        self.failed_units = self.failed_units if failed is None else failed
        self.failed_locked = failed if self.locked and failed is not None else self.failed_locked

    def refresh(self, why: str, *steps: Step) -> Asking[None]:
        """Reads what these steps need again, unless the newest snapshot is still fresh and holds it."""
        facts = facts_of(self, *steps)
        known = self.read | {FAILED_UNITS} if UNITS in self.read else self.read
        if self.fresh < self._enough or not facts <= known:
            count = self._enough
            snapshot = yield from ask(question(self.runbook, facts, count, why))
            self.take(snapshot, facts, count)

    def record(self, step: Step, item: str, state: StepState, **details: Any) -> Asking[StepFinished]:
        """Records how a step ended."""
        spec = step.spec
        end = StepFinished(id=spec.id, name=spec.name, action=spec.action, item=item, state=state, **details)
        self.finished.append(end)
        self.doing, self.executed = None, False
        if Doing(step, item).is_of(self.own_open):
            self.own_open = None
        yield from ask(Record(end))
        return end

    def has_ended(self, step: Step) -> bool:
        """True where this step has its record as a whole, or some of it has and nothing more is done.

        Of a run that goes on, steps have theirs from before.
        """
        items = [end.item for end in self.finished if end.id == step.spec.id]
        return "" in items or bool(items and self.ending)

    def left_of(self, step: Step, keys: Sequence[str]) -> list[str]:
        """The items of a step that have no record yet; with those that have, not more than its limit."""
        ended = [end.item for end in self.finished if end.id == step.spec.id]
        return [key for key in keys if key not in ended][: max(0, step.spec.limit - len(ended))]

    def looks_of(self, change: Change | None) -> tuple[LookedAt, ...]:
        """What was seen of earlier beginnings of the same change that are not known not to have happened."""
        if change is None:
            return ()
        same = (change.action, change.target)
        return tuple(look for look in self.looks if (look.action, look.target) == same and look.found != "again")

    def resolved_by(self, step: Step) -> None:
        """The incident is over; the remaining steps are not needed."""
        name = step.spec.id
        states = {end.state for end in self.finished if end.id == name}
        self.resolved = True
        self.ending = f"resolved after step {name}"
        if states and states <= {"undone", "failed"}:
            self.ending = f"it ended, though step {name} {'was taken back' if 'undone' in states else 'failed'}"

    def stop(self, why: str) -> None:
        """Nothing more is done on this host."""
        self.ending = self.ending or why


def facts_of(progress: Progress, *steps: Step) -> frozenset[str]:
    """What these steps are decided and proven on; without one, what says how the host stands.

    A watch reads everything: only samples of the same facts go on with it.
    """
    runbook = progress.runbook
    return frozenset(runbook.facts) if progress.watches else runbook.facts_of(*steps)


def question(runbook: Runbook, facts: Collection[str], count: int, why: str) -> ReadFacts:
    """The question for these facts; what is held is told without the services where nothing else asks for them."""
    alone = HELD if UNITS not in facts else ()
    return ReadFacts(tuple(sorted(facts)), count, runbook.spec.sample.every, why, alone)


def signals(runbook: Runbook, snapshot: Snapshot, more: Iterable[str] = ()) -> Signals:
    """The values of the runbook's signals and of `more` metrics, None where one could not be had."""
    values = {name: snapshot.value(name) for name in (*runbook.spec.signals, *more)}
    return {name: None if isinstance(value, Unavailable) else value for name, value in values.items()}


def where(snapshot: Snapshot) -> Signals:
    """Where the memory is, in plain values; empty where a runbook does not read that."""
    values = {name: snapshot.value(name) for name in WHERE}
    known = {name: value for name, value in values.items() if not isinstance(value, Unavailable)}
    return {name: to_builtins(value) for name, value in known.items()}


def kept(runbook: Runbook, snapshot: Snapshot) -> dict[str, Any]:
    """The metrics that a report shows as they were, as plain data; those that were not read are not there."""
    names = [metric.name for metric in runbook.metrics.values() if metric.kept]
    values = {name: snapshot.value(name) for name in names}
    return {name: to_builtins(value) for name, value in values.items() if value and not isinstance(value, Unavailable)}


def incident_over(progress: Progress) -> bool:
    """True when the incident is over on the newest snapshot: `resolved` holds, or without one the incident fails."""
    runbook = progress.runbook
    if progress.too_short:
        return False
    world = world_of(runbook, progress.snapshot).at(before=progress.first)
    if runbook.resolved is None:
        return runbook.incident.evaluate(world).state == "fails"
    return runbook.resolved.evaluate(world).holds
