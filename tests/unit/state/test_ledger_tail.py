"""What follows on a place in the ledger: the entry there and all behind it, whatever stands before."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.errors import JournalError
from memrunbook.state import disk, ledger, ledger_tail
from memrunbook.state.ledger import LedgerEntry, SealedEntry, ledger_file

RUN = "20261122T094107Z-abcd"
COUNT = 12


@pytest.fixture(params=[1 << 16, 700], ids=["one-window", "many-windows"])
def sealed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[SealedEntry]:
    """A ledger of twelve entries, read by windows of so many bytes: one and a half entries, or all."""
    monkeypatch.setattr(ledger_tail, "TAIL", request.param)
    entries = [LedgerEntry(RUN, "web-1.jsonl", "so-far", f"{number:064}", number) for number in range(COUNT)]
    return [one for entry in entries for one in ledger.append(tmp_path, [entry], "now")]


@pytest.mark.parametrize(("number", "first"), [(0, 1), (1, 1), (2, 2), (7, 7), (12, 12), (13, 12), (99, 12)])
def test_it_begins_with_the_entry_of_the_number_or_the_last_one(
    sealed: list[SealedEntry], tmp_path: Path, number: int, first: int
) -> None:
    assert ledger_tail.ledger_tail(tmp_path, number) == sealed[first - 1 :]


def test_no_ledger_has_none(tmp_path: Path) -> None:
    assert ledger_tail.ledger_tail(tmp_path, 3) == []
    ledger_file(tmp_path).touch()
    assert ledger_tail.ledger_tail(tmp_path, 3) == []


def test_what_was_cut_off_in_the_middle_is_no_entry(sealed: list[SealedEntry], tmp_path: Path) -> None:
    with ledger_file(tmp_path).open("ab") as file:
        file.write(b'{"at":"now"')
    assert ledger_tail.ledger_tail(tmp_path, 5) == sealed[4:]


@pytest.mark.parametrize("line", range(1, COUNT + 1))
def test_a_line_that_is_spoilt_counts_from_the_place_on(sealed: list[SealedEntry], tmp_path: Path, line: int) -> None:
    file = ledger_file(tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b"so-far", b"so_far")
    file.write_bytes(b"".join(lines))
    if line < 6:
        assert ledger_tail.ledger_tail(tmp_path, 6) == sealed[5:]
        return
    with pytest.raises(JournalError, match="not the one that was sealed") as caught:
        ledger_tail.ledger_tail(tmp_path, 6)
    assert str(caught.value).startswith(f"{file}:")


def test_an_entry_that_is_being_written_is_waited_for(
    sealed: list[SealedEntry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "POLL", 0.01)
    path = ledger_file(tmp_path)
    whole = disk.lock
    monkeypatch.setattr(disk, "lock", lambda file, path: whole(file, path, patience=0.1))
    with path.open("ab") as file:
        assert disk.try_lock(file.fileno())
        with pytest.raises(JournalError, match="another process is writing here"):
            ledger_tail.ledger_tail(tmp_path, 1)
    assert ledger_tail.ledger_tail(tmp_path, COUNT) == sealed[-1:]
