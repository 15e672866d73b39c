"""What a run began and nobody saw the end of: folded from a host's journal, shown, and never just repeated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from memrunbook.core.action.action import Repeat
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.cut_off import is_unproven, without_endings
from memrunbook.core.run.event import LookedAt

AnswerWord = Literal["", "done", "failed", "unknown"]
CUT_OFF = frozenset({"interrupted", "unknown", "unreachable"})
"""Outcomes of a run that came to no end of its own."""
UNKNOWN = "outcome unknown"
ENDS: Mapping[AnswerWord, str] = {"done": "carried out, not proven", "failed": "failed, and nothing was done about it"}


class OpenStep(Struct, frozen=True, kw_only=True):
    """A step that a run began on a host and that has no end in its journal.

    `step` is its label, `record` the hash of the question that began it, `started` when that was (UTC, ISO 8601).
    `answer` is how its command ended; empty where nobody heard of that, else the step's proof is what is missing.
    `undo` marks one that was being taken back. `timeout` is the seconds that its command may take.
    """

    run: str
    runbook: str
    host: str
    step: str
    action: str
    target: str
    summary: str
    started: str
    record: str
    who: str = ""
    identity: str = ""
    once: bool = True
    undo: bool = False
    touches: str = ""
    timeout: float = 30.0
    boot_id: str = ""
    answer: AnswerWord = ""
    why: str = ""

    @property
    def named(self) -> str:
        """What consent names: ACTION:TARGET."""
        return f"{self.action}:{self.target}"

    @property
    def consent(self) -> str:
        """The word that lets it happen once more although its outcome is unknown."""
        return f"again:{self.named}"

    def is_on(self, snapshot: Snapshot) -> bool:
        """True on the host of a snapshot: by its name, or by the boot that it is in, whatever it is called."""
        boot = snapshot.identity.boot_id
        return self.host == snapshot.host or (bool(boot) and self.boot_id == boot)

    @property
    def told(self) -> str:
        """What is known of it: "restart-hog: Restart hog.service: started 03:12:07 UTC, outcome unknown"."""
        taken = "was being taken back, " if self.undo else ""
        return f"{self.step}: {self.summary}: {taken}started {clock(self.started)}, {ENDS.get(self.answer, UNKNOWN)}"


class Flight(Struct, frozen=True):
    """What a host's journal leaves open, and what this run saw of the open steps of others when it looked at them."""

    open: tuple[OpenStep, ...] = ()
    looks: tuple[LookedAt, ...] = ()


def clock(time: str) -> str:
    """The time of day of a moment in ISO 8601 (UTC), as people say it: "03:12:07 UTC"."""
    day, _, rest = time.partition("T")
    return f"{rest[:8]} UTC" if rest else day or "at an unknown time"


def flight(records: Iterable[Mapping[str, Any]]) -> Flight:
    """Folds the records of one host's journal, in their order; what is no record of ours is passed over."""
    folding = _Folding()
    for record in without_endings(records):
        folding.take(record)
    return Flight(tuple(folding.open.values()), tuple(folding.looks))


def proven(records: Iterable[Mapping[str, Any]], sealed: int) -> Iterator[Mapping[str, Any]]:
    """The records of a host's journal, without what nobody vouches for behind the question that began a change.

    `sealed` is the number of the last record that the ledger knows. Where that began a change, what else is told of it
    could be anybody's: it is open, and looked at. Else all is told; so it is where the ledger knows none (0).
    """
    began = False
    for record in records:
        if began and int(record.get("seq", 0)) > sealed:
            return
        if record.get("seq") == sealed:
            began = _begun(record) is not None
        yield record


class _Folding:
    def __init__(self) -> None:
        self.open: dict[str, OpenStep] = {}
        self.looks: list[LookedAt] = []
        self._asked = ""
        self._before: OpenStep | None = None
        self._stopped: list[str] = []

    def take(self, record: Mapping[str, Any]) -> None:
        match record.get("event"):
            case "asked":
                self._asked = ""
                opened = _begun(record)
                if opened is not None:
                    self._asked, self._before = opened.step, self.open.get(opened.step)
                    self.open[opened.step] = opened
            case "answered" if self._asked:
                self._answer(record.get("answer") or {})
            case "error" if self._asked:  # thrown in before it was begun: what was open then still is
                del self.open[self._asked]
                if self._before is not None:
                    self.open[self._asked] = self._before
                self._asked = ""
            case "recorded":
                self._remember(record.get("record") or {})

    def _answer(self, answer: Mapping[str, Any]) -> None:
        told = str(answer.get("type", "")).lower()
        opened = self.open[self._asked]
        if told in ("done", "failed", "unknown"):
            self.open[self._asked] = msgspec.structs.replace(opened, answer=told, why=str(answer.get("why", "")))
        self._asked = ""

    def _remember(self, event: Mapping[str, Any]) -> None:
        if event.get("type") == "looked-at":
            self._look(msgspec.convert(event, LookedAt))
        if event.get("type") == "step-finished":
            label = f"{event.get('id')}/{event['item']}" if event.get("item") else str(event.get("id"))
            unproven = is_unproven(event)
            self._stopped += [label] if unproven else []
            if not event.get("open") and not unproven:
                self.open.pop(label, None)
        if event.get("type") == "run-finished" and event.get("outcome") not in CUT_OFF:
            for label in self._stopped:  # the run itself came to its end, and left it so
                self.open.pop(label, None)

    def _look(self, look: LookedAt) -> None:
        """One at a step of this very run says how it ended; until the step itself has ended it stays."""
        opened = self.open.get(look.step)
        if opened is None or opened.record != look.record:
            self.looks.append(look)
        elif look.found == "again" or (look.found == "not-done" and not opened.undo):  # else the change is there still
            del self.open[look.step]
        elif look.found in ("done", "failed"):
            self.open[look.step] = msgspec.structs.replace(opened, answer=look.found, why=look.why)


def _begun(record: Mapping[str, Any]) -> OpenStep | None:
    request = record.get("request") or {}
    change = request.get("change") or {}
    if request.get("type") != "Execute" or change.get("effect") == Repeat.READ.value:
        return None
    actor = record.get("actor") or {}
    return OpenStep(
        run=str(record.get("run", "")),
        runbook=str(record.get("runbook", "")),
        host=str(record.get("host", "")),
        step=str(request.get("step", "")),
        started=str(record.get("time", "")),
        record=str(record.get("hash", "")),
        who=f"{actor.get('user', '')}@{actor.get('control_node', '')}".strip("@"),
        once=change.get("effect") == Repeat.ONCE.value,
        undo=bool(request.get("undo")),
        timeout=float(change.get("timeout", 30.0)),
        boot_id=str((record.get("identity") or {}).get("boot_id", "")),
        action=str(change.get("action", "")),
        target=str(change.get("target", "")),
        summary=str(change.get("summary", "")),
        identity=str(change.get("identity", "")),
        touches=str(change.get("touches", "")),
    )


def still_open(found: Iterable[Flight]) -> tuple[OpenStep, ...]:
    """What is open over several journals: without what a later look, of whatever run, has answered."""
    found = tuple(found)
    settled = {look.record for one in found for look in one.looks if look.settled}
    return tuple(opened for one in found for opened in one.open if opened.record not in settled)
