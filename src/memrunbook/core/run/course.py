"""The course of a run on one host, out of its journal: each reading with its time, when each step was at work, gates.

Nothing is filled in: a number that no record holds is not there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from memrunbook.core.host import HostIdentity
from memrunbook.core.plan.plan import Plan
from memrunbook.core.reading.fact import Reading
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import Diagnosed, RunFinished, Signals, StepFinished, UndoPlanned
from memrunbook.core.run.record import Answered, Asked, Envelope, Recorded, decode
from memrunbook.core.run.request import Approval, AskApproval, Done, Execute, Failed, ReadFacts, Unknown


class CourseReading(Struct, frozen=True):
    """What one moment said: when (seconds since 1970), what it was read for, and the numbers by metric."""

    at: float
    why: str
    values: dict[str, float]


class CourseStep(Struct, frozen=True):
    """When a script of a step was at work, in seconds since 1970; `ended` is None where nobody saw its end."""

    label: str
    begun: float
    ended: float | None = None
    undo: bool = False


class GateAnswered(Struct, frozen=True):
    """An answer at a gate: when (seconds since 1970), for which step and digest, what was said, by whom and how."""

    at: float
    step: str
    summary: str
    digest: str
    answer: str
    who: str = ""
    how: str = ""
    why: str = ""


class Course(Struct, frozen=True, kw_only=True):
    """What a host's journal says of the time of its run.

    `readings` are those of snapshots, `told` the values that the run itself remembered at its begin, behind each step
    and at its end: all there is where a snapshot cannot be read. `unread` counts such snapshots. `head` is the hash of
    the last record, `records` how many there are.
    """

    readings: tuple[CourseReading, ...] = ()
    told: tuple[CourseReading, ...] = ()
    steps: tuple[CourseStep, ...] = ()
    gates: tuple[GateAnswered, ...] = ()
    plan: Plan | None = None
    identity: HostIdentity = HostIdentity()
    engine: str = ""
    runbook: str = ""
    runbook_digest: str = ""
    unread: int = 0
    records: int = 0
    head: str = ""


class _Following:
    """The course, record by record."""

    def __init__(self, metrics: Collection[str], readings: Mapping[str, type[Reading]]) -> None:
        self.metrics = sorted(metrics)
        self.facts = {name.partition(".")[0] for name in metrics}
        self.kinds = readings
        self.asked: object = None
        self.readings: list[CourseReading] = []
        self.told: list[CourseReading] = []
        self.steps: list[CourseStep] = []
        self.gates: list[GateAnswered] = []
        self.plan: Plan | None = None
        self.unread = 0

    def take(self, record: Mapping[str, Any]) -> None:
        """Takes a record; one that this version cannot read says nothing."""
        answer = record.get("answer")
        of_snapshot = isinstance(answer, dict) and answer.get("type") == Snapshot.__name__
        try:
            envelope = decode(self._needed(record, answer) if isinstance(answer, dict) else record, self.kinds)
        except (msgspec.ValidationError, ValueError):
            self.unread += of_snapshot
            return
        self._follow(envelope, _seconds(record.get("time")))

    def _needed(self, record: Mapping[str, Any], answer: dict[str, Any]) -> Mapping[str, Any]:
        """The record with those readings alone that are wanted: of hundreds a few."""
        read = answer.get("readings")
        if not isinstance(read, dict):
            return record
        return {**record, "answer": {**answer, "readings": {k: v for k, v in read.items() if k in self.facts}}}

    def _follow(self, envelope: Envelope, at: float | None) -> None:
        if isinstance(envelope, Asked):
            self._question(envelope.request, at)
        elif isinstance(envelope, Answered):
            self._answer(envelope.answer)
        elif isinstance(envelope, Recorded) and at is not None:
            self._event(envelope.record, at)

    def _question(self, request: object, at: float | None) -> None:
        self.asked = request
        if isinstance(request, Execute) and at is not None:
            self.steps.append(CourseStep(request.step, at, undo=request.undo))

    def _answer(self, answer: object) -> None:
        if isinstance(answer, Snapshot):
            why = self.asked.why if isinstance(self.asked, ReadFacts) else ""
            self.readings.append(CourseReading(answer.taken_at.utc, why, numbers_of(answer, self.metrics)))
        elif isinstance(answer, Approval) and isinstance(self.asked, AskApproval):
            self.gates.append(_gate(self.asked, answer))
        elif isinstance(answer, Done | Failed | Unknown) and isinstance(self.asked, Execute) and self.steps:
            seen = None if isinstance(answer, Unknown) else answer.at.utc
            self.steps[-1] = msgspec.structs.replace(self.steps[-1], ended=seen)

    def _event(self, event: object, at: float) -> None:
        if isinstance(event, Diagnosed | UndoPlanned):
            self.plan = event.plan
        if isinstance(event, Diagnosed):
            self._tell(at, "before the run", event.signals)
        elif isinstance(event, StepFinished):
            self._tell(at, f"after {event.id}", event.after)
        elif isinstance(event, RunFinished):
            self._tell(at, "at its end", event.signals)

    def _tell(self, at: float, why: str, signals: Signals) -> None:
        values = {name: float(value) for name, value in signals.items() if is_number(value)}
        self.told += [CourseReading(at, why, values)] if values else []


def is_number(value: object) -> bool:
    """True for what can be drawn: a truth value is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def numbers_of(snapshot: Snapshot, metrics: Iterable[str]) -> dict[str, float]:
    """Those of the metrics that are numbers there, and were read."""
    values = ((name, snapshot.value(name)) for name in metrics)
    return {name: float(value) for name, value in values if is_number(value)}


def course_of(
    records: Sequence[Mapping[str, Any]], metrics: Collection[str], readings: Mapping[str, type[Reading]]
) -> Course:
    """The course by the records of a host's journal, of these `metrics`; `readings` as of `decode`."""
    following = _Following(metrics, readings)
    for record in records:
        following.take(record)
    first, last = (records[0], records[-1]) if records else ({}, {})
    identities = [found for record in records if (found := _identity(record.get("identity"))) != HostIdentity()]
    return Course(
        readings=tuple(following.readings),
        told=tuple(following.told),
        steps=tuple(following.steps),
        gates=tuple(following.gates),
        plan=following.plan,
        identity=identities[-1] if identities else HostIdentity(),
        engine=_word(first, "engine"),
        runbook=_word(first, "runbook"),
        runbook_digest=_word(first, "runbook_digest"),
        unread=following.unread,
        records=len(records),
        head=_word(last, "hash"),
    )


def _gate(asked: AskApproval, answer: Approval) -> GateAnswered:
    step = asked.step
    summary = step.change.summary if step.change else step.name
    return GateAnswered(
        answer.at.utc, step.label, summary, answer.digest, answer.answer, answer.who, answer.how, answer.why
    )


def _identity(value: object) -> HostIdentity:
    try:
        return msgspec.convert(value, HostIdentity)
    except msgspec.ValidationError:
        return HostIdentity()


def _word(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _seconds(time: object) -> float | None:
    try:
        return dt.datetime.fromisoformat(str(time)).timestamp()
    except ValueError:
        return None
