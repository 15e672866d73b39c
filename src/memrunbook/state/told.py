"""What other nodes told of a run that they carried out: a copy in the run's own directory, sealed with it.

It is no journal of this node: what was done is written down, and can be taken back, where it was done. What was read
of the hosts is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from memrunbook.state.lines import read_lines
from memrunbook.state.run_directory import TOLD


class ToldRecords(Struct, frozen=True, kw_only=True, tag_field="event", tag="told"):
    """Records of the journal of one `part` of a run, on one host, as the `node` told them that was at it then.

    Without a host: at that time the parts had been placed in the store, or all of them had come to their end.
    """

    time: str
    host: str = ""
    part: str = ""
    node: str = ""
    records: tuple[dict[str, Any], ...] = ()


class ToldHost(Struct):
    """What is known of one host: the node that told last, and all records in their order."""

    node: str = ""
    records: list[dict[str, Any]] = []

    @property
    def known(self) -> frozenset[str]:
        """The marks of the records."""
        return frozenset(map(mark_of, self.records))

    @property
    def journaled(self) -> bool:
        """False where a worker told of it and no journal has that: it has refused the order before it began one."""
        return not self.records or any(record.get("hash") for record in self.records)


def told_of_hosts(path: Path) -> dict[str, ToldHost]:
    """By host what is kept in a run's directory; with the empty name, too, where the run was placed at all."""
    found: dict[str, ToldHost] = {}
    for line in read_lines(path / TOLD, ToldRecords):
        host = found.setdefault(line.host, ToldHost())
        host.node = line.node
        host.records += line.records
    return found


def mark_of(record: Mapping[str, Any]) -> str:
    """What tells a record from all others: its hash, or the words of one that stands in no journal."""
    return str(record.get("hash") or msgspec.json.encode(record))


def plain_told(told: ToldRecords) -> dict[str, Any]:
    """It as JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(told)
    return plain


def without_readings(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Records without what was read of the host."""
    return [_small(record) for record in records]


def _small(record: Mapping[str, Any]) -> dict[str, Any]:
    answer = record.get("answer")
    if isinstance(answer, dict) and "readings" in answer:
        return {**record, "answer": {name: value for name, value in answer.items() if name != "readings"}}
    return dict(record)
