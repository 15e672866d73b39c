"""Accounts for a run: who asked for it, when and why, and with whose consent each change was made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from memrunbook.core.action.action import Repeat
from memrunbook.core.run.event import LockBroken
from memrunbook.core.run.record import Ended, Invoked, Resumed

T = TypeVar("T")
ChangeState = Literal[
    "asked",  # a gate was shown, and nothing was carried out
    "begun",  # it was begun, and its end was not seen
    "Done",
    "Failed",
    "Unknown",
]
UNASKED = Raw(b"null")


class JournaledLine(Struct, frozen=True):
    """One line of a host's journal, as far as an account needs it; what was asked and answered is left as it stands."""

    time: str = ""
    event: str = ""
    request: Raw = UNASKED
    answer: Raw = UNASKED
    record: Raw = UNASKED
    hash: str = ""


class ChangeAccount(Struct, frozen=True, kw_only=True):
    """One change that was asked for `at` that time, at a gate or without one, and what came of it.

    `answer`, when it was `answered`, `who`, `how` and `why` are those of the gate, empty where there was none (what the
    engine takes back by itself). `state` is how its script ended, `ended` the word of its step. `record` is the hash of
    the record that was on disk before the script ran: the host's own log holds its first 16 digits.
    """

    at: str
    step: str
    action: str
    target: str
    summary: str
    undo: bool = False
    answer: str = ""
    answered: str = ""
    who: str = ""
    how: str = ""
    why: str = ""
    state: ChangeState = "asked"
    ended: str = ""
    record: str = ""


class HostAccount(Struct, frozen=True):
    """What was asked for on one host; `outcome` is empty where its journal has no end.

    `broken` are the locks of other runs that were taken over there.
    """

    host: str
    outcome: str
    changes: tuple[ChangeAccount, ...]
    broken: tuple[LockBroken, ...] = ()


class Account(Struct, frozen=True, kw_only=True):
    """One run: its state (running, interrupted, ended), how it began, was gone on with and ended, and its hosts."""

    run: str
    state: str
    invoked: Invoked | None
    ended: Ended | None
    hosts: tuple[HostAccount, ...]
    resumed: tuple[Resumed, ...] = ()


class _Change(Struct):
    action: str = ""
    target: str = ""
    summary: str = ""
    effect: str = ""


class _Planned(Struct):
    id: str = ""
    item: str = ""
    change: _Change | None = None


class _Gate(Struct):
    step: _Planned = msgspec.field(default_factory=_Planned)


class _Execution(Struct):
    step: str = ""
    change: _Change = msgspec.field(default_factory=_Change)
    undo: bool = False


class _Tag(Struct):
    type: str = ""


class _Approval(Struct):
    answer: str = ""
    who: str = ""
    how: str = ""
    why: str = ""


class _Event(Struct):
    type: str = ""
    id: str = ""
    item: str = ""
    state: str = ""
    outcome: str = ""


class _Folding:
    """The changes of one host, line by line."""

    def __init__(self) -> None:
        self.changes: list[ChangeAccount] = []
        self.outcome = ""
        self.broken: list[LockBroken] = []
        self._open: int | None = None
        self._latest: dict[str, int] = {}
        self._unended: dict[str, list[int]] = {}

    def take(self, line: JournaledLine) -> None:
        kind = _read(line.request if line.event == "asked" else line.answer, _Tag).type
        if line.event == "asked":
            self._open = None
            if kind == "AskApproval":
                self._asked(line, _read(line.request, _Gate).step)
            elif kind == "Execute":
                self._executed(line, _read(line.request, _Execution))
        elif line.event == "answered" and self._open is not None:
            self._answered(line, kind)
        elif line.event == "recorded":
            self._recorded(_read(line.record, _Event))
            self.broken += _broken(line.record)

    def _asked(self, line: JournaledLine, step: _Planned) -> None:
        change = step.change or _Change()
        label = f"{step.id}/{step.item}" if step.item else step.id
        self._add(ChangeAccount(at=line.time, step=label, action=change.action, target=change.target,
                                summary=change.summary))  # fmt: skip

    def _executed(self, line: JournaledLine, asked: _Execution) -> None:
        change = asked.change
        if change.effect == Repeat.READ.value:
            return
        place = None if asked.undo else self._latest.get(asked.step)
        if place is None or self.changes[place].state != "asked" or self.changes[place].answer != "yes":
            again = self.changes[place] if place is not None and self.changes[place].answer == "yes" else None
            self._add(ChangeAccount(at=line.time, step=asked.step, action=change.action, target=change.target,
                                    summary=change.summary, undo=asked.undo))  # fmt: skip
            if again is not None:  # another try of what was consented to
                said = {name: getattr(again, name) for name in ("answer", "answered", "who", "how", "why")}
                self._put(**said)
        else:
            self._open = place
        self._put(state="begun", record=line.hash)

    def _answered(self, line: JournaledLine, kind: str) -> None:
        if kind == "Approval":
            said = _read(line.answer, _Approval)
            self._put(answer=said.answer, answered=line.time, who=said.who, how=said.how, why=said.why)
        elif kind in ("Done", "Failed", "Unknown"):
            self._put(state=kind)

    def _recorded(self, event: _Event) -> None:
        self.outcome = event.outcome or self.outcome
        label = f"{event.id}/{event.item}" if event.item else event.id
        latest = [self._latest[label]] if label in self._latest else []  # of a run that went on: it ends once more
        for place in self._unended.pop(label, latest) if event.type == "step-finished" else []:
            self.changes[place] = msgspec.structs.replace(self.changes[place], ended=event.state)

    def _add(self, change: ChangeAccount) -> None:
        self.changes.append(change)
        self._open = place = len(self.changes) - 1
        self._unended.setdefault(change.step, []).append(place)
        self._latest[change.step] = place

    def _put(self, **fields: Any) -> None:
        if self._open is not None:
            self.changes[self._open] = msgspec.structs.replace(self.changes[self._open], **fields)


def account_of(host: str, lines: Iterable[JournaledLine]) -> HostAccount:
    """What was asked for on a host, by the lines of its journal; what no version of them says is left out."""
    folding = _Folding()
    for line in lines:
        folding.take(line)
    return HostAccount(host, folding.outcome, tuple(folding.changes), tuple(folding.broken))


def _broken(record: Raw) -> list[LockBroken]:
    try:
        return [msgspec.json.decode(record, type=LockBroken)]
    except msgspec.ValidationError:
        return []  # another event


def _read(raw: Raw, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError:
        return kind()
