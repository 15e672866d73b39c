"""Hears what workers tell of the parts of a run: told on as though it were done here, and kept beside the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from memrunbook.app.notice import Notice
from memrunbook.app.reporting import events_of
from memrunbook.core.run.cut_off import without_endings
from memrunbook.core.run.event import Event
from memrunbook.core.run.flight import OpenStep, flight
from memrunbook.core.run.placed import PART_SAID, PartSaid
from memrunbook.core.run.record import Asked, Recorded, decode
from memrunbook.core.run.report import HostReport, fold
from memrunbook.core.run.request import Record
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.told import ToldHost, ToldRecords, mark_of, plain_told, told_of_hosts, without_readings

if TYPE_CHECKING:
    from memrunbook.state.store.orders import PartSeen


@dataclass
class PartsHeard:
    """What was told of each host, from the copy in the run's directory on: nothing is told, or kept, twice."""

    directory: RunDirectory
    notice: Notice
    hosts: dict[str, ToldHost] = field(init=False)
    _known: dict[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.hosts = told_of_hosts(self.directory.path)
        self._known = {host: told.known for host, told in self.hosts.items()}

    @property
    def was_placed(self) -> bool:
        """True where the parts had been placed before this node goes on with it."""
        return bool(self.hosts)

    def placed(self) -> None:
        """Keeps that the parts are in the store: whoever goes on with the run must find them there."""
        if not self.was_placed:
            self.hosts[""] = ToldHost()
            self.directory.told().append(plain_told(ToldRecords(time=SystemClock().now().isoformat())))

    def all_told(self) -> None:
        """Nothing more is told: what was is on the disk before the run is sealed."""
        self.directory.told().append(plain_told(ToldRecords(time=SystemClock().now().isoformat())))

    def tell(self, host: str, part: str, seen: PartSeen | None, records: Sequence[Mapping[str, Any]]) -> None:
        """Tells on what is new of a host; JournalError where it cannot be kept."""
        for record in self.keep(host, part, seen, records):
            if record.get("hash"):
                self.notice.recorded(record)
            self._show(host, record)

    def keep(
        self, host: str, part: str, seen: PartSeen | None, records: Sequence[Mapping[str, Any]]
    ) -> list[Mapping[str, Any]]:
        """Keeps what is new of these records, and returns it."""
        known, told = self._known.get(host, frozenset()), self.hosts.setdefault(host, ToldHost(records=[]))
        new = [record for record in records if mark_of(record) not in known]
        node = seen.node if seen is not None else ""
        if (kept := without_readings(one for one in new if one.get("event") != PART_SAID)) or node != told.node:
            said = ToldRecords(time=SystemClock().now().isoformat(), host=host, part=part, node=node, records=(*kept,))
            self.directory.told().append(plain_told(said), durable=False)
            told.node, told.records = node or told.node, [*told.records, *kept]
        return new

    def report(self, host: str, part: str, end: Sequence[Event] = ()) -> HostReport:
        """How it stands on a host, as its worker told; `end` is what is known here beside that."""
        told = self.hosts.get(host, ToldHost(records=[]))
        report = fold(host, [*events_of(without_endings(told.records)), *end])
        return structs.replace(report, node=told.node, part=part if told.node and told.journaled else "")

    def forget(self, host: str) -> None:
        """A host has ended: what it told is on the disk, and needed here no more."""
        if host in self.hosts:
            self.hosts[host].records = []

    def in_flight(self) -> list[OpenStep]:
        """What is under way by now."""
        return [opened for told in list(self.hosts.values()) for opened in flight(list(told.records)).open]

    def _show(self, host: str, record: Mapping[str, Any]) -> None:
        with suppress(msgspec.ValidationError):
            if record.get("event") == PART_SAID:
                said = msgspec.convert(record, PartSaid)
                self.notice.waits(host, said.waits) if said.waits else self.notice.remark(said.remark, said.hint)
            elif record.get("event") in ("asked", "recorded"):
                envelope = decode(record, {})
                if isinstance(envelope, Recorded):
                    self.notice.asked(host, Record(envelope.record))
                elif isinstance(envelope, Asked):
                    self.notice.asked(host, envelope.request)
