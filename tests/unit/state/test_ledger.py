"""The ledger: one signed chain for many processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from memrunbook.core.errors import JournalError
from memrunbook.state import chain, disk, heads, keys, ledger
from memrunbook.state.chain import Link, Verified
from memrunbook.state.ledger import LedgerEntry

AT = "2026-11-22T09:41:07.000Z"
ENTRY = LedgerEntry("20261122T094107Z-abcd", "run.jsonl", "start", "0" * 64, 0)
WRITER = """
import sys
from pathlib import Path
from memrunbook.state import ledger
from memrunbook.state.ledger import LedgerEntry
for number in range(20):
    ledger.append(Path(sys.argv[1]), [LedgerEntry(sys.argv[2], "f", "start", "0", number)], "now")
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    ledger.append(tmp_path, [ENTRY, ENTRY], AT)
    return tmp_path


def count(state: Path) -> int:
    with ledger.ledger_file(state).open("rb") as lines:
        end = chain.verify(lines)
    assert isinstance(end, Verified)
    return end.count


def test_entries_are_sealed_in_order_and_read_back(state: Path) -> None:
    sealed = ledger.append(state, [msgspec.structs.replace(ENTRY, event="end", count=3)], AT)
    entries = ledger.read(state)
    assert sealed == entries[-1:]
    assert [(entry.event, entry.count, entry.seq, entry.at) for entry in entries] == [
        ("start", 0, 1, AT),
        ("start", 0, 2, AT),
        ("end", 3, 3, AT),
    ]
    assert ledger.end(state) == Link(entries[-1].hash, 3)
    assert ledger.first_key(state) == entries[0].key
    assert all(entry.signed for entry in entries)
    assert count(state) == 3


def test_a_seal_is_for_one_entry_at_one_place(state: Path) -> None:
    first, second = ledger.read(state)
    for changed in (
        msgspec.structs.replace(first, count=9),
        msgspec.structs.replace(first, seq=2),
        msgspec.structs.replace(first, prev=second.prev),
        msgspec.structs.replace(first, seal=second.seal),
        msgspec.structs.replace(first, seal="no hex"),
        msgspec.structs.replace(first, key="00"),
    ):
        assert not changed.signed


def test_the_key_is_made_once_for_its_owner_alone(state: Path) -> None:
    path = keys.key_file(state)
    raw = path.read_bytes()
    ledger.append(state, [ENTRY], AT)
    assert path.read_bytes() == raw
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {entry.key for entry in ledger.read(state)} == {keys.load(state).public}
    assert sorted(one.name for one in path.parent.iterdir()) == ["ledger.head", path.name, "ledger.pub"]
    assert keys.public_file(state).read_text() == f"{keys.load(state).public}\n"


def test_a_lost_key_is_never_replaced_in_silence(state: Path) -> None:
    keys.key_file(state).unlink()
    with pytest.raises(JournalError, match="could not be read"):
        ledger.append(state, [ENTRY], AT)
    assert count(state) == 2


def test_a_lost_key_is_never_replaced_where_its_public_half_is_left(state: Path) -> None:
    keys.key_file(state).unlink()
    ledger.ledger_file(state).unlink()
    heads.seen_file(state).unlink()
    with pytest.raises(JournalError, match="could not be read"):
        ledger.append(state, [ENTRY], AT)


def test_the_key_of_an_older_version_gets_its_public_half(state: Path) -> None:
    keys.public_file(state).unlink()
    ledger.append(state, [ENTRY], AT)
    assert keys.public_file(state).read_text() == f"{keys.load(state).public}\n"


def test_a_key_that_others_may_read_is_refused(state: Path) -> None:
    keys.key_file(state).chmod(0o640)
    with pytest.raises(JournalError) as caught:
        ledger.append(state, [ENTRY], AT)
    assert caught.value.hint == f"chmod 600 {keys.key_file(state)}"


def test_a_damaged_key_is_refused(state: Path) -> None:
    keys.key_file(state).write_bytes(b"short")
    with pytest.raises(JournalError, match="the sealing key is damaged"):
        ledger.append(state, [ENTRY], AT)


def test_a_draft_that_a_crash_left_does_not_stop_the_making_of_the_key(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ledger.new").write_bytes(b"half")
    ledger.append(tmp_path, [ENTRY], AT)
    assert count(tmp_path) == 1


def test_a_torn_last_entry_is_removed_before_the_next(state: Path) -> None:
    with ledger.ledger_file(state).open("ab") as file:
        file.write(b'{"run":"2026')
    ledger.append(state, [ENTRY], AT)
    assert count(state) == 3


def test_a_torn_first_entry_is_removed(tmp_path: Path) -> None:
    ledger.ledger_file(tmp_path).write_bytes(b'{"run"')
    ledger.append(tmp_path, [ENTRY], AT)
    assert count(tmp_path) == 1


@pytest.mark.parametrize("damage", [b"x\n", b"x" * (1 << 17)])
def test_nothing_is_added_to_a_broken_end(state: Path, damage: bytes) -> None:
    with ledger.ledger_file(state).open("ab") as file:
        file.write(damage)
    before = ledger.ledger_file(state).read_bytes()
    with pytest.raises(JournalError, match="the ledger is not what was sealed"):
        ledger.append(state, [ENTRY], AT)
    assert ledger.ledger_file(state).read_bytes() == before


def test_a_whole_entry_whose_newline_was_changed_is_not_removed(state: Path) -> None:
    path = ledger.ledger_file(state)
    path.write_bytes(path.read_bytes()[:-1] + b"\r")
    with pytest.raises(JournalError, match="the ledger is not what was sealed"):
        ledger.append(state, [ENTRY], AT)


def test_a_long_ledger_is_continued_from_its_end(state: Path) -> None:
    ledger.append(state, [ENTRY] * 300, AT)
    assert ledger.ledger_file(state).stat().st_size > 2 * ledger.TAIL
    ledger.append(state, [ENTRY], AT)
    assert count(state) == 303


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    env = {"PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, name], env=env) for name in ("a", "b", "c")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert count(tmp_path) == 60
    entries = ledger.read(tmp_path)
    assert [entry.count for entry in entries if entry.run == "b"] == list(range(20))
    assert all(entry.signed for entry in entries)


def test_a_ledger_that_stays_locked_is_not_waited_for_for_ever(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ledger.ledger_file(state)
    held, wanted = (os.open(path, os.O_RDWR) for _ in range(2))
    try:
        assert disk.try_lock(held)
        with pytest.raises(JournalError, match="another process is writing here"):
            disk.lock(wanted, path, patience=0.1)
    finally:
        os.close(held)
    disk.lock(wanted, path, patience=0.1)
    os.close(wanted)


def test_reading_leaves_out_what_is_no_entry(state: Path) -> None:
    with ledger.ledger_file(state).open("ab") as file:
        file.write(b'\xff\n{"run": 5}\n[]\n')
    assert len(ledger.read(state)) == 2
    assert ledger.read(state / "nowhere") == []
