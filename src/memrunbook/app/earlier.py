"""What is behind a run that goes on after it was cut off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memrunbook.app.reporting import events_of
from memrunbook.core.reading.fact import Reading
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.cut_off import without_endings
from memrunbook.core.run.event import Event, RunFinished, StepFinished
from memrunbook.core.run.flight import flight
from memrunbook.core.run.record import Answered, decode
from memrunbook.core.run.resume import Behind


@dataclass(frozen=True)
class Earlier:
    """What an interrupted run had done on one host before it goes on: how far it came, and what it remembered."""

    behind: Behind | None = None
    events: tuple[Event, ...] = ()

    @property
    def begun(self) -> bool:
        """True where it had begun to change things, or may have: it is brought to its end there, whoever failed."""
        return self.behind is not None and (self.behind.begun or self.behind.locked)


def is_over(part: Earlier) -> bool:
    """True where a run had come to its end on a host, and has given the lock back."""
    return part.behind is not None and part.behind.ended and not part.behind.locked


def earlier(run_id: str, told: Sequence[Mapping[str, Any]], readings: Mapping[str, type[Reading]]) -> Earlier:
    """What a run had done on one host, from the records of its journal there; `readings` are the types of the facts.

    Where the host was lost, whatever the run said of that, it had come as far as to there.
    """
    told, every = without_endings(told, the_last=True), told
    events: tuple[Event, ...] = tuple(events_of(told))
    finished = tuple(event for event in events if isinstance(event, StepFinished))
    labels = {f"{end.id}/{end.item}" if end.item else end.id for end in finished}
    opened = next((one for one in flight(told).open if one.step not in labels), None)
    begun = next((n for n, record in enumerate(told) if opened and record.get("hash") == opened.record), 0)
    behind = Behind(
        run=run_id,
        finished=finished,
        open=opened,
        first=_snapshot(told, readings),
        before=_snapshot(told[:begun][::-1], readings),
        acted=_acted(every),
        ended=any(isinstance(event, RunFinished) for event in events),
        locked=_locked(every),
    )
    return Earlier(behind, events)


def _locked(told: Iterable[Mapping[str, Any]]) -> bool:
    """True where the lock may have been taken and was not given back."""
    locked = False
    asked = ""
    for record in told:
        if record.get("event") == "asked":
            asked = record["request"]["type"]
            locked = locked or asked == "Lock"
        elif (record.get("event"), asked) in (("answered", "Unlock"), ("error", "Lock")):
            locked = False
    return locked


def _acted(told: Iterable[Mapping[str, Any]]) -> bool:
    asked = [record["request"] for record in told if record.get("event") == "asked"]
    return any(one["type"] == "Execute" and one["change"]["effect"] != "read" for one in asked)


def _snapshot(told: Iterable[Mapping[str, Any]], readings: Mapping[str, type[Reading]]) -> Snapshot | None:
    """The first snapshot among these records; None where there is none."""
    for record in told:
        if isinstance(record.get("answer"), dict) and record["answer"].get("type") == Snapshot.__name__:
            envelope = decode(record, readings)
            if isinstance(envelope, Answered) and isinstance(envelope.answer, Snapshot):
                return envelope.answer
    return None
