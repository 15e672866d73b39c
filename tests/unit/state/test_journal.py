"""A journal: on the disk before the work goes on, and closed to what is not intact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from memrunbook.core.errors import JournalError
from memrunbook.state import disk
from memrunbook.state.chain import Verified, verify
from memrunbook.state.journal import RunJournal

NOBODY = 65534
LIMITED = """
import resource, signal, sys
from pathlib import Path
from memrunbook.core.errors import JournalError
from memrunbook.state.journal import RunJournal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = RunJournal(Path(sys.argv[1]))
journal.append({"fits": 1})
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    journal.append({"large": "x" * 2000})
except JournalError as error:
    print(error.message)
journal.append({"fits": 2})
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)]
    done = subprocess.run(mount, capture_output=True, check=False) if os.getuid() == 0 else None
    if done is None or done.returncode:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def intact(path: Path) -> int:
    with path.open("rb") as lines:
        state = verify(lines)
    assert isinstance(state, Verified)
    return state.count


def test_a_record_is_in_the_file_when_append_returns(path: Path) -> None:
    journal = RunJournal(path)
    first = journal.append({"event": "asked"})
    second = journal.append({"event": "answered"})
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(record["event"], record["hash"]) for record in records] == [("asked", first), ("answered", second)]
    assert path.stat().st_mode & 0o777 == 0o600
    assert (journal.link.head, journal.link.count) == (second, 2)
    journal.close()
    journal.close()


def test_it_goes_on_where_it_ended(path: Path) -> None:
    for number in range(3):
        journal = RunJournal(path)
        journal.append({"number": number})
        journal.close()
    assert intact(path) == 3


def test_a_torn_last_record_is_cut_off_and_told(path: Path) -> None:
    journal = RunJournal(path)
    journal.append({"event": "whole"})
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"event":"to')
    again = RunJournal(path)
    assert again.torn == b'{"event":"to'
    again.append({"event": "next"})
    again.close()
    assert intact(path) == 2


def test_a_broken_journal_is_not_written(path: Path) -> None:
    journal = RunJournal(path)
    journal.append({"event": "true"})
    journal.close()
    path.write_bytes(path.read_bytes().replace(b"true", b"fals"))
    with pytest.raises(JournalError) as caught:
        RunJournal(path)
    assert caught.value.where == f"{path}:1"
    assert caught.value.hint == "see runbook audit verify"


def test_only_one_process_writes_it(path: Path) -> None:
    journal = RunJournal(path)
    with pytest.raises(JournalError, match="another process is writing here"):
        RunJournal(path)
    journal.close()
    RunJournal(path).close()


def test_threads_take_turns(path: Path) -> None:
    journal = RunJournal(path)
    threads = [
        threading.Thread(target=lambda: [journal.append({"text": "x" * 100}) for _ in range(10)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    assert intact(path) == 80


def test_a_file_where_a_directory_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError) as caught:
        RunJournal(tmp_path / "file" / "run.jsonl")
    assert caught.value.where == str(tmp_path / "file" / "run.jsonl")
    assert "not a directory" in caught.value.message
    assert "--state-dir" in caught.value.hint


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError):
        RunJournal(path)


def test_a_record_that_does_not_fit_leaves_the_journal_whole(path: Path) -> None:
    env = {"PYTHONPATH": ":".join(sys.path)}
    said = subprocess.run([sys.executable, "-c", LIMITED, path], check=True, capture_output=True, text=True, env=env)
    assert said.stdout == "it could not be written: file too large\n"
    assert intact(path) == 2


def test_a_full_disk_is_told_and_leaves_the_journal_whole(small_disk: Path) -> None:
    journal = RunJournal(small_disk / "run.jsonl")
    journal.append({"fits": 1})
    with pytest.raises(JournalError) as caught:
        journal.append({"large": "x" * 100_000})
    assert "no space left" in caught.value.message
    assert caught.value.hint.startswith("free space there")
    journal.append({"fits": 2})
    journal.close()
    assert intact(small_disk / "run.jsonl") == 2


def test_a_read_only_file_system_is_told(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(JournalError) as caught:
        RunJournal(small_disk / "run.jsonl")
    assert "read-only" in caught.value.message
    assert caught.value.hint.startswith("remount it writable")


def test_missing_permission_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o500)
    user = os.geteuid()
    os.seteuid(NOBODY if user == 0 else user)  # root may write anywhere
    try:
        with pytest.raises(JournalError) as caught:
            RunJournal(closed / "run.jsonl")
    finally:
        os.seteuid(user)
    assert "permission denied" in caught.value.message
    assert caught.value.hint.startswith("run as its owner")


def test_a_file_that_exists_is_not_made_again(tmp_path: Path) -> None:
    disk.create(tmp_path / "once", b"first")
    with pytest.raises(JournalError, match="file exists"):
        disk.create(tmp_path / "once", b"second")
    assert (tmp_path / "once").read_bytes() == b"first"


def test_a_file_that_does_not_fit_is_not_left_half_written(small_disk: Path) -> None:
    with pytest.raises(JournalError, match="no space left"):
        disk.create(small_disk / "large", b"x" * 100_000)
    assert not (small_disk / "large").exists()
