"""Whoever is told where the ledger stands is told when it is on the disk, and heeded before anything begins."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.unit.state.conftest import INVOKED, NOW, RUN_ID

from memrunbook.core.errors import JournalError
from memrunbook.core.run.record import plain
from memrunbook.state import ledger
from memrunbook.state.ledger import SealedEntry
from memrunbook.state.run_directory import RunDirectory


class Told:
    """Keeps what it is told; what is on the disk by then is held against it. `away` it knows nothing of an end."""

    def __init__(self, state: Path) -> None:
        self.state, self.away = state, False
        self.heard: list[tuple[list[str], bool]] = []

    def told(self, entries: Sequence[SealedEntry], *, begins: bool) -> None:
        assert ledger.read(self.state)[len(ledger.read(self.state)) - len(entries) :] == list(entries)
        for one in entries:
            lines = (self.state / "runs" / one.run / one.file).read_bytes().splitlines()
            assert len(lines) == one.count
            assert not lines or json.loads(lines[-1])["hash"] == one.head
        self.heard.append(([f"{one.event} {one.file}" for one in entries], begins))
        if self.away and begins:
            raise JournalError("it is away")


@pytest.fixture
def witness(state: Path) -> Told:
    return Told(state)


def test_it_is_told_what_is_on_the_disk_in_the_order_of_the_ledger(state: Path, witness: Told) -> None:
    with RunDirectory.create(state, RUN_ID, lambda: NOW, witness) as directory:
        directory.run.append(plain(INVOKED))
        directory.hosts(["web-1", "web-2"])
        directory.host("web-1").append({"event": "asked"})
        directory.seal("web-1", demanded=True)
        directory.host("web-1").append({"event": "answered"})
        directory.seal("web-1")
        directory.save("web-1", "meminfo", "MemTotal: 5 kB\n")
        directory.end()
    assert witness.heard == [
        (["start run.jsonl"], True),
        (["so-far run.jsonl", "start web-1.jsonl", "start web-2.jsonl"], True),
        (["so-far web-1.jsonl"], True),
        (["so-far web-1.jsonl"], False),
        (["start evidence.jsonl"], False),
        (["end evidence.jsonl", "end run.jsonl", "end web-1.jsonl", "end web-2.jsonl"], False),
    ]


def test_what_it_does_not_know_is_not_begun(state: Path, witness: Told) -> None:
    witness.away = True
    with pytest.raises(JournalError, match="it is away"):
        RunDirectory.create(state, RUN_ID, lambda: NOW, witness)
    witness.away = False
    with RunDirectory.reopen(state, RUN_ID, lambda: NOW, witness) as directory:
        journal = directory.host("web-1")
        witness.away = True
        journal.append({"event": "asked"})
        for _ in range(2):
            with pytest.raises(JournalError, match="it is away"):
                directory.seal("web-1", demanded=True)
        directory.seal("web-1")
        directory.end()
    assert ledger.read(state)[-1].event == "end"
