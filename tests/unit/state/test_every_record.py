"""Each record of journals and ledger, flipped, removed, doubled, moved and cut off: found, or said not to be.

What one machine cannot find is here too: then the verdict is never "intact".
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.state.conftest import ENDED, INVOKED, NOW

from memrunbook.app.auditing import AuditArguments, audit
from memrunbook.core.run.record import plain
from memrunbook.state import heads, keys, ledger
from memrunbook.state.chain import Link
from memrunbook.state.run_directory import RunDirectory

RUNS = ("20261122T094107Z-abcd", "20261122T094207Z-efgh", "20261122T094307Z-ijkl")
Lines = list[bytes]
Spoil = Callable[[Lines, int], Iterator[Lines]]


def flipped(lines: Lines, place: int) -> Iterator[Lines]:
    """One bit of every 29th byte, begun elsewhere in each record, so that each part of one has its turn."""
    line = lines[place]
    for byte in range(place % 29, len(line), 29):
        spoilt = line[:byte] + bytes([line[byte] ^ 1 << byte % 8]) + line[byte + 1 :]
        yield [*lines[:place], spoilt, *lines[place + 1 :]]


def removed(lines: Lines, place: int) -> Iterator[Lines]:
    yield lines[:place] + lines[place + 1 :]


def duplicated(lines: Lines, place: int) -> Iterator[Lines]:
    yield [*lines[: place + 1], lines[place], *lines[place + 1 :]]
    yield [*lines, lines[place]]


def reordered(lines: Lines, place: int) -> Iterator[Lines]:
    rest = lines[:place] + lines[place + 1 :]
    for other in range(len(lines)):
        if other != place:
            yield [*rest[:other], lines[place], *rest[other:]]


def truncated(lines: Lines, place: int) -> Iterator[Lines]:
    line = lines[place]
    yield lines[:place]
    yield [*lines[:place], line[: len(line) // 2]]
    yield [*lines[:place], line[:-1]]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("sealed") / "state"
    for run_id in RUNS:
        with RunDirectory.create(state, run_id, lambda: NOW) as run:
            run.run.append(plain(INVOKED))
            for host in ("web-1", "web-2"):
                run.host(host).append({"event": "asked", "host": host, "script": "echo 1 >/proc/sys/vm/compact_memory"})
                run.host(host).append({"event": "answered", "host": host, "seconds": 0.5})
            run.save("web-1", "meminfo", "MemTotal: 5 kB\n")
            run.run.append(plain(ENDED))
            run.end()
    return state


@pytest.fixture
def state(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "state"))


def verdict(state: Path, expect: str = "") -> str:
    return audit(AuditArguments(state=state, expect=expect)).verdict


@pytest.mark.parametrize("spoil", [flipped, removed, duplicated, reordered, truncated])
def test_every_record_of_every_journal_and_of_the_ledger(state: Path, spoil: Spoil) -> None:
    tried = 0
    newest = state / "runs" / RUNS[-1]
    for path in [*sorted(newest.glob("*.jsonl")), ledger.ledger_file(state)]:
        whole = path.read_bytes()
        lines = whole.splitlines(keepends=True)
        for place in range(len(lines)):
            for spoilt in spoil(lines, place):
                path.write_bytes(b"".join(spoilt))
                assert verdict(state) == "not-intact", (path.name, place, spoil.__name__)
                tried += 1
        path.write_bytes(whole)
    assert tried >= 20
    assert verdict(state) == "intact-up-to-end"


@pytest.mark.parametrize("spoil", [flipped, removed, duplicated, reordered, truncated])
def test_every_record_that_a_run_had_sealed_when_it_was_cut_off(state: Path, spoil: Spoil) -> None:
    with RunDirectory.create(state, "20261122T094407Z-mnop", lambda: NOW) as run:
        run.run.append(plain(INVOKED))
        for event in ("asked", "answered", "asked"):
            run.host("web-1").append({"event": event, "host": "web-1", "script": "echo 1 >/proc/sys/vm/compact_memory"})
        run.seal("web-1")
    assert verdict(state) == "intact-up-to-end"
    for path in sorted(run.path.glob("*.jsonl")):
        whole = path.read_bytes()
        lines = whole.splitlines(keepends=True)
        for place in range(len(lines)):
            for spoilt in spoil(lines, place):
                path.write_bytes(b"".join(spoilt))
                added = len(spoilt) > len(lines) and spoilt[: len(lines)] == lines
                assert verdict(state) == "not-intact" or added, (path.name, place, spoil.__name__)
        path.write_bytes(whole)


def test_a_run_that_was_removed_is_found_while_the_ledger_knows_it(state: Path) -> None:
    for run_id in RUNS:
        shutil.move(state / "runs" / run_id, state / "aside")
        assert verdict(state) == "not-intact"
        shutil.move(state / "aside", state / "runs" / run_id)
    assert verdict(state) == "intact-up-to-end"


def test_the_newest_runs_removed_with_all_that_tells_of_them_are_not_provable_here_and_so_it_is_said(
    state: Path,
) -> None:
    entries = ledger.read(state)
    head = entries[-1].hash
    assert verdict(state, head) == "intact"
    path = ledger.ledger_file(state)
    kept = [entry for entry in entries if entry.run == RUNS[0]]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[: len(kept)]))
    for run_id in RUNS[1:]:
        shutil.rmtree(state / "runs" / run_id)
    assert verdict(state) == "not-intact"  # the head beside the key still tells
    heads.write(heads.seen_file(state), Link(kept[-1].hash, len(kept)))
    assert verdict(state) == "intact-up-to-end"
    assert verdict(state, head) == "not-intact"


def test_everything_but_the_keys_removed_is_found(state: Path) -> None:
    shutil.rmtree(state / "runs")
    ledger.ledger_file(state).unlink()
    assert verdict(state) == "not-intact"
    heads.seen_file(state).unlink()
    assert verdict(state) == "not-intact"
    keys.key_file(state).unlink()
    assert verdict(state) == "not-intact"
    keys.key_file(state).with_suffix(".pub").unlink()
    assert verdict(state) == "nothing"  # an empty directory; a head that was kept elsewhere tells


def test_a_reseal_by_whoever_has_the_key_is_not_provable_here_and_so_it_is_said(state: Path) -> None:
    head = ledger.read(state)[-1].hash
    shutil.rmtree(state / "runs")
    for path in (ledger.ledger_file(state), heads.seen_file(state)):
        path.unlink()
    with RunDirectory.create(state, RUNS[0], lambda: NOW) as run:
        run.run.append(plain(INVOKED))
        run.end()
    assert verdict(state) == "intact-up-to-end"
    assert verdict(state, head) == "not-intact"
