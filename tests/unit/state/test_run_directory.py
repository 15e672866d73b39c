"""A run's directory: its journals, its evidence, and their places in the ledger."""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.state.conftest import NOW, RUN_ID

from memrunbook.core.errors import JournalError, UsageError
from memrunbook.core.instant import Instant
from memrunbook.state import ledger
from memrunbook.state.run_directory import RunDirectory, new_run_id

Clock = Callable[[], Instant]


def events(state: Path) -> list[tuple[str, str, int]]:
    return [(entry.file, entry.event, entry.count) for entry in ledger.read(state)]


def test_a_run_id_is_the_time_and_four_letters() -> None:
    assert re.fullmatch(r"20261122T094107Z-[a-z]{4}", new_run_id(NOW))
    assert len({new_run_id(NOW) for _ in range(20)}) > 1


def test_every_journal_is_in_the_ledger_from_its_beginning_to_its_end(state: Path, finished: Path) -> None:
    assert events(state) == [
        ("run.jsonl", "start", 0),
        ("run.jsonl", "so-far", 1),
        ("web-1.jsonl", "start", 0),
        ("web-2.jsonl", "start", 0),
        ("evidence.jsonl", "start", 0),
        ("evidence.jsonl", "end", 1),
        ("run.jsonl", "end", 2),
        ("web-1.jsonl", "end", 2),
        ("web-2.jsonl", "end", 2),
    ]


def test_many_hosts_are_one_write_to_the_ledger(state: Path, open_run: RunDirectory) -> None:
    journals = open_run.hosts(["b", "a", "b"])
    assert [journal.path.name for journal in journals] == ["b.jsonl", "a.jsonl", "b.jsonl"]
    assert journals[0] is journals[2] is open_run.host("b")
    assert events(state) == [("run.jsonl", "start", 0), ("b.jsonl", "start", 0), ("a.jsonl", "start", 0)]


def test_what_a_killed_run_left_in_the_cache_is_on_the_disk_before_the_ledger_knows_it(
    state: Path, open_run: RunDirectory, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut takes records away that are vouched for, and the run looks tampered with."""
    for host in ("web-1", "web-2"):
        open_run.host(host).append({"event": "asked"}, durable=False)
    open_run.host("idle")
    open_run.close()
    synced, plain = list[str](), os.fsync

    def fsync(file: int) -> None:
        plain(file)
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)

    monkeypatch.setattr(os, "fsync", fsync)
    RunDirectory.reopen(state, RUN_ID, now).close()
    before = synced[: synced.index("ledger.jsonl")]
    assert {"web-1.jsonl", "web-2.jsonl"} <= {*before}
    assert "idle.jsonl" not in synced, "there is nothing in it"


def test_hosts_may_be_opened_by_many_threads(state: Path, open_run: RunDirectory) -> None:
    threads = [
        threading.Thread(target=lambda n=number: open_run.host(f"h{n % 4}").append({"n": n})) for number in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    open_run.end()
    assert sorted(events(state)[-5:]) == [(f"h{n}.jsonl", "end", 4) for n in range(4)] + [("run.jsonl", "end", 0)]


def test_a_host_called_run_has_a_journal_of_its_own(open_run: RunDirectory) -> None:
    assert open_run.host("run").path != open_run.run.path
    assert open_run.host("evidence").path.name != "evidence.jsonl"


def test_evidence_is_saved_with_its_digest(open_run: RunDirectory) -> None:
    path, digest = open_run.save("web-1", "slab/info", "a\udcffb\n")
    saved = open_run.path / path
    assert path == "evidence/web-1/slab%2Finfo"
    assert saved.read_bytes() == b"a\\udcffb\n"
    assert digest == hashlib.sha256(saved.read_bytes()).hexdigest()
    [record] = [json.loads(line) for line in (open_run.path / "evidence.jsonl").read_text().splitlines()]
    assert (record["host"], record["path"], record["sha256"], record["bytes"]) == ("web-1", path, digest, 9)
    assert record["at"] == "2026-11-22T09:41:07.000Z"


def test_evidence_is_never_overwritten(open_run: RunDirectory) -> None:
    paths = [open_run.save("h", "dmesg", text)[0] for text in "abc"]
    assert paths == ["evidence/h/dmesg", "evidence/h/dmesg-2", "evidence/h/dmesg-3"]
    assert [(open_run.path / path).read_text() for path in paths] == ["a", "b", "c"]


def test_a_run_exists_once(state: Path, open_run: RunDirectory, now: Clock) -> None:
    with pytest.raises(JournalError, match="could not be made: file exists"):
        RunDirectory.create(state, RUN_ID, now)


@pytest.mark.parametrize("run_id", ["../etc", "", "20261122T094107Z-abcd/..", "20261122T094107Z-ABCD"])
def test_what_is_no_run_id_is_refused(state: Path, now: Clock, run_id: str) -> None:
    with pytest.raises(UsageError, match="is no run id"):
        RunDirectory.reopen(state, run_id, now)


def test_a_run_that_does_not_exist_cannot_go_on(state: Path, now: Clock) -> None:
    with pytest.raises(UsageError, match=f"there is no run {RUN_ID}"):
        RunDirectory.reopen(state, RUN_ID, now)


def test_an_interrupted_run_goes_on_with_all_its_journals(state: Path, open_run: RunDirectory, now: Clock) -> None:
    open_run.run.append({"event": "began"})
    open_run.host("web-1").append({"event": "asked"})
    open_run.close()
    with RunDirectory.reopen(state, RUN_ID, now) as again:
        again.host("web-1").append({"event": "answered"})
        again.end()
    assert events(state)[3:] == [
        ("run.jsonl", "start", 1),
        ("web-1.jsonl", "start", 1),
        ("run.jsonl", "end", 1),
        ("web-1.jsonl", "end", 2),
    ]


def test_what_a_run_did_so_far_is_sealed_with_what_belongs_to_no_host(state: Path, open_run: RunDirectory) -> None:
    open_run.host("web-1").append({"event": "asked"})
    open_run.seal("web-1")
    open_run.host("web-1").append({"event": "answered"})
    open_run.save("web-1", "meminfo", "MemTotal: 5 kB\n")
    open_run.run.append({"event": "resumed"})
    open_run.seal("web-1")
    open_run.seal("web-1")
    assert events(state)[2:] == [
        ("web-1.jsonl", "so-far", 1),
        ("evidence.jsonl", "start", 0),
        ("run.jsonl", "so-far", 1),
        ("evidence.jsonl", "so-far", 1),
        ("web-1.jsonl", "so-far", 2),
        ("web-1.jsonl", "so-far", 2),
    ]
    assert ledger.vouched(ledger.read(state)) == {"run.jsonl": 1, "evidence.jsonl": 1, "web-1.jsonl": 2}


def test_many_threads_seal_at_once_and_each_is_sealed_when_it_goes_on(state: Path, open_run: RunDirectory) -> None:
    hosts = [f"h{number}" for number in range(8)]
    open_run.hosts(hosts)
    unsealed: list[str] = []

    def work(host: str) -> None:
        for number in range(4):
            open_run.host(host).append({"n": number})
            open_run.seal(host)
            if ledger.vouched(ledger.read(state)).get(f"{host}.jsonl", 0) < number + 1:
                unsealed.append(host)

    threads = [threading.Thread(target=work, args=(host,)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unsealed == []


def test_a_seal_that_failed_is_made_by_the_next(state: Path, open_run: RunDirectory) -> None:
    open_run.host("web-1").append({"event": "asked"})
    path = ledger.ledger_file(state)
    whole = path.read_bytes()
    path.write_bytes(b"broken\n")
    with pytest.raises(JournalError, match="the ledger is not what was sealed"):
        open_run.seal("web-1")
    path.write_bytes(whole)
    open_run.seal("web-1")
    assert events(state)[-1] == ("web-1.jsonl", "so-far", 1)


def test_a_run_that_is_running_cannot_be_reopened(state: Path, open_run: RunDirectory, now: Clock) -> None:
    with pytest.raises(JournalError, match="another process is writing here"):
        RunDirectory.reopen(state, RUN_ID, now)


def test_a_finished_host_may_be_closed_before_the_end(state: Path, open_run: RunDirectory) -> None:
    journal = open_run.host("web-1")
    journal.append({"event": "done"})
    journal.close()
    open_run.end()
    assert ("web-1.jsonl", "end", 1) in events(state)


def test_nothing_is_opened_when_the_ledger_cannot_be_written(state: Path, open_run: RunDirectory) -> None:
    whole = ledger.ledger_file(state).read_bytes()
    ledger.ledger_file(state).write_bytes(b"broken\n")
    with pytest.raises(JournalError, match="the ledger is not what was sealed"):
        open_run.host("web-1")
    ledger.ledger_file(state).write_bytes(whole)
    assert open_run.host("web-1").append({"event": "asked"})
