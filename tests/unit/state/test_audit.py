"""The audit: silent on what is intact, and never on what was changed."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.state.conftest import NOW, RUN_ID

from memrunbook.core.errors import JournalError
from memrunbook.core.instant import Instant
from memrunbook.state import audit, chain, heads, keys, ledger
from memrunbook.state.audit import verify, verify_listed, verify_runs
from memrunbook.state.chain import Link
from memrunbook.state.ledger import LedgerEntry
from memrunbook.state.run_directory import RunDirectory

Damage = Callable[[Path], object]


def errors(state: Path) -> list[str]:
    return [finding.message for finding in verify(state) if finding.level == "error"]


def notes(state: Path) -> list[str]:
    return [finding.message for finding in verify(state) if finding.level == "note"]


def drop_line(path: Path, number: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))


def swap_lines(path: Path) -> None:
    first, second, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([second, first, *rest]))


def rewrite(path: Path) -> None:
    """Seals the whole journal anew with another content, as somebody with the code but without the key can."""
    link, lines = Link(), []
    for _ in path.read_bytes().splitlines():
        line, link = chain.seal(link, {"event": "forged"})
        lines.append(line)
    path.write_bytes(b"".join(lines))


def add_record(path: Path) -> None:
    last = chain.last(path.read_bytes().splitlines(keepends=True)[-1])
    assert last
    with path.open("ab") as file:
        file.write(chain.seal(last, {"event": "forged"})[0])


def append_bytes(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def unknown_journal(path: Path) -> None:
    path.write_bytes(chain.seal(Link(), {"event": "forged"})[0])


def test_an_empty_state_directory_is_intact(state: Path) -> None:
    assert verify(state) == []


def test_a_finished_run_is_intact(state: Path, finished: Path) -> None:
    assert verify(state) == []


def test_a_running_run_is_intact(state: Path, open_run: RunDirectory) -> None:
    open_run.host("web-1").append({"event": "asked"})
    assert verify(state) == []


def test_an_interrupted_run_is_a_note(state: Path, open_run: RunDirectory) -> None:
    open_run.close()
    assert errors(state) == []
    assert notes(state) == ["the run was interrupted: it has no end, and nobody vouches for what its journals say"]


def test_a_run_that_went_on_after_an_interruption_is_intact(
    state: Path, open_run: RunDirectory, now: Callable[[], Instant]
) -> None:
    open_run.run.append({"event": "began"})
    open_run.close()
    with RunDirectory.reopen(state, RUN_ID, now) as again:
        again.run.append({"event": "ended"})
        again.end()
    assert verify(state) == []


def test_a_torn_last_record_of_an_interrupted_run_is_a_note(state: Path, open_run: RunDirectory) -> None:
    open_run.host("web-1").append({"event": "asked"})
    open_run.close()
    append_bytes(open_run.path / "web-1.jsonl", b'{"event":"answ')
    assert errors(state) == []
    assert notes(state)[0] == "the last record was cut off while it was written"


def test_a_crash_before_the_ledger_was_written_is_no_error(state: Path, finished: Path) -> None:
    crashed = state / "runs" / "20261122T094108Z-efgh"
    crashed.mkdir()
    (crashed / "run.jsonl").touch()
    assert errors(state) == []


def test_a_torn_ledger_is_a_note(state: Path, finished: Path) -> None:
    append_bytes(ledger.ledger_file(state), b'{"run":')
    assert errors(state) == []
    assert notes(state) == ["the last entry was cut off while it was written"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shutil.rmtree, "the run is in the ledger, its directory is missing"),
        (lambda run: (run / "web-1.jsonl").unlink(), "the journal is in the ledger, the file is missing"),
        (lambda run: (run / "web-1.jsonl").write_bytes(b""), "2 of the 2 records that the ledger knows are missing"),
        (lambda run: drop_line(run / "web-1.jsonl", 1), "1 of the 2 records that the ledger knows are missing"),
        (lambda run: drop_line(run / "web-1.jsonl", 0), "record 2 stands where record 1 belongs"),
        (lambda run: swap_lines(run / "web-1.jsonl"), "record 2 stands where record 1 belongs"),
        (lambda run: rewrite(run / "web-1.jsonl"), "this is not the record that the ledger knows"),
        (lambda run: add_record(run / "web-1.jsonl"), "something was added behind the end"),
        (lambda run: append_bytes(run / "web-1.jsonl", b"{"), "something was added behind the end"),
        (lambda run: unknown_journal(run / "web-9.jsonl"), "the ledger does not know this journal"),
        (lambda run: (run / "evidence/web-1/meminfo").write_text("x"), "the evidence is not what was saved"),
        (lambda run: (run / "evidence/web-1/meminfo").unlink(), "the evidence is in the journal, the file is missing"),
        (lambda run: (run.parents[1] / "ledger.jsonl").unlink(), "the ledger does not know this journal"),
        (lambda run: drop_line(run.parents[1] / "ledger.jsonl", 2), "record 4 stands where record 3 belongs"),
        (lambda run: swap_lines(run.parents[1] / "ledger.jsonl"), "record 2 stands where record 1 belongs"),
        (lambda run: shutil.rmtree(run.parents[1] / "keys"), "neither the sealing key nor its public half is here"),
        (lambda run: keys.public_file(run.parents[1]).write_text("0" * 64), "it is not the public half of the key"),
        (lambda run: other_public(run.parents[1]), "the entry is sealed by another key than this state directory's"),
    ],
)
def test_what_was_changed_is_an_error(state: Path, finished: Path, damage: Damage, message: str) -> None:
    damage(finished)
    assert [said for said in errors(state) if said.startswith(message)]


def other_public(state: Path) -> None:
    """A copy without the private key, and with another's public half."""
    keys.key_file(state).unlink()
    keys.public_file(state).write_text("0" * 64)


def test_a_copy_is_verified_without_what_signs(state: Path, finished: Path) -> None:
    keys.key_file(state).unlink()
    assert errors(state) == []
    add_record(finished / "web-1.jsonl")
    assert errors(state) == ["something was added behind the end that the ledger knows"]


def test_a_copy_of_a_team_s_is_verified_by_each_public_half(state: Path, finished: Path) -> None:
    (state / "keys" / "ledger.key").unlink()
    (state / "keys" / "ledger.pub").rename(state / "keys" / "ledger-4711.pub")
    assert errors(state) == []
    assert set(keys.known(state).owners.values()) == {4711}


def test_a_finding_names_the_line(state: Path, finished: Path) -> None:
    path = finished / "web-2.jsonl"
    path.write_bytes(path.read_bytes().replace(b"answered", b"answerde"))
    [finding] = verify(state)
    assert finding.where == f"{path}:2"


def test_a_ledger_that_was_sealed_with_another_key_is_an_error(state: Path, finished: Path) -> None:
    known = ledger.read(state)
    ledger.ledger_file(state).unlink()
    mine = keys.key_file(state).read_bytes()
    keys.key_file(state).unlink()
    keys.public_file(state).unlink()
    seen = heads.seen_file(state)
    last = heads.read(seen)
    seen.unlink()
    ledger.append(state, [LedgerEntry(one.run, one.file, one.event, one.head, one.count) for one in known], "now")
    assert errors(state) == []
    assert last
    heads.write(seen, last)
    assert errors(state) == ["this is not the entry that was written: the ledger was sealed again"]
    seen.unlink()
    keys.public_file(state).unlink()
    keys.key_file(state).write_bytes(mine)
    assert set(errors(state)) == {"the entry is sealed by another key than this state directory's"}


def test_an_entry_that_was_forged_without_the_key_is_an_error(state: Path, finished: Path) -> None:
    path = ledger.ledger_file(state)
    [*_, last] = path.read_bytes().splitlines(keepends=True)
    entry = ledger.read(state)[-1]
    link = chain.last(last)
    assert link
    forged = {"run": entry.run, "file": entry.file, "event": "end", "head": entry.head, "count": entry.count}
    append_bytes(path, chain.seal(link, {**forged, "at": "now", "key": entry.key, "seal": entry.seal})[0])
    assert errors(state) == ["the entry's seal is not that of the key"]


def test_a_head_that_was_kept_elsewhere_finds_a_cut_at_the_end(
    state: Path, finished: Path, now: Callable[[], Instant]
) -> None:
    before = ledger.ledger_file(state).read_bytes()
    with RunDirectory.create(state, "20261123T094107Z-efgh", now) as later:
        later.run.append({"event": "began"})
        head = later.end()
    assert verify(state, expect=head) == []
    ledger.ledger_file(state).write_bytes(before)
    shutil.rmtree(later.path)
    lost = "2 of the 11 entries that were written are missing at its end: it was cut"
    assert errors(state) == [lost]
    heads.seen_file(state).unlink()
    assert verify(state) == []
    assert "is not in the ledger: its end was cut" in verify(state, expect=head)[0].message


def test_a_key_without_a_ledger_is_an_error(state: Path, finished: Path) -> None:
    shutil.rmtree(state / "runs")
    ledger.ledger_file(state).unlink()
    assert errors(state) == ["9 of the 9 entries that were written are missing at its end: it was cut"]
    heads.seen_file(state).unlink()
    assert errors(state) == [
        "there is a key and no entry sealed by it: the ledger was removed, or the very first run was cut off"
    ]


def test_nothing_is_added_to_a_ledger_that_was_cut(state: Path, finished: Path) -> None:
    path = ledger.ledger_file(state)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(JournalError, match="the ledger holds 8 entries, not the 9 that were written") as caught:
        ledger.append(state, [LedgerEntry(RUN_ID, "run.jsonl", "start", "0", 0)], "now")
    assert "runbook audit verify" in caught.value.hint


def test_a_damaged_head_is_an_error_and_no_entry_is_added(state: Path, finished: Path) -> None:
    heads.seen_file(state).write_text("none\n")
    assert errors(state) == ["this is no head of a ledger"]
    with pytest.raises(JournalError, match="no head of a ledger"):
        ledger.append(state, [LedgerEntry(RUN_ID, "run.jsonl", "start", "0", 0)], "now")


def test_one_run_and_the_list_of_runs_are_checked_for_what_they_show(
    state: Path, finished: Path, now: Callable[[], Instant]
) -> None:
    with RunDirectory.create(state, "20261123T094107Z-efgh", now) as later:
        later.run.append({"event": "began"})
        later.end()
    assert verify_runs(state, [RUN_ID]) == verify_listed(state) == []
    rewrite(finished / "web-1.jsonl")
    assert [one.where for one in verify_runs(state, [RUN_ID])] == [f"{finished / 'web-1.jsonl'}:2"]
    assert verify_runs(state, [later.run_id]) == verify_listed(state) == []
    rewrite(finished / "run.jsonl")
    assert [one.where for one in verify_listed(state)] == [f"{finished / 'run.jsonl'}:1"]
    shutil.rmtree(later.path)
    assert [one.where for one in verify_listed(state)] == [f"{finished / 'run.jsonl'}:1", str(later.path)]
    drop_line(ledger.ledger_file(state), 0)
    assert "record 2 stands where record 1 belongs" in verify_runs(state, [RUN_ID])[0].message


def test_a_run_that_was_begun_after_the_ledger_was_read_is_no_error(
    state: Path, finished: Path, now: Callable[[], Instant]
) -> None:
    book = audit._read(state)
    with RunDirectory.create(state, "20261123T094107Z-efgh", now) as later:
        later.run.append({"event": "began"})
        later.end()
        assert [one for one in audit._run(book, later.run_id) if one.level == "error"] == []


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("sealed")
    with RunDirectory.create(state, RUN_ID, lambda: NOW) as run:
        run.run.append({"event": "began"})
        run.host("web-1").append({"event": "asked", "script": "echo 1 >/proc/sys/vm/compact_memory"})
        run.host("web-1").append({"event": "answered", "seconds": 0.5})
        run.save("web-1", "meminfo", "MemTotal: 5 kB\n")
        run.end()
    assert verify(state) == []
    return state


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_flipped_bit_of_any_file_is_found(sealed: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(one for one in sealed.rglob("*") if one.is_file())))
    whole = path.read_bytes()
    place, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
    try:
        assert errors(sealed)
    finally:
        path.write_bytes(whole)


def test_every_flipped_bit_of_the_public_key_is_found(sealed: Path) -> None:
    path = next(sealed.rglob("*.pub"))
    whole = path.read_bytes()
    try:
        for place, bit in itertools.product(range(len(whole)), range(8)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            assert errors(sealed), (place, bit)
    finally:
        path.write_bytes(whole)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_line_removed_doubled_or_moved_is_found(sealed: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(sealed.rglob("*.jsonl"))))
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    rest = lines[:place] + lines[place + 1 :]
    changed = [rest] if path.name != "ledger.jsonl" or place < len(lines) - 1 else []
    changed += [[*lines[:place], lines[place], *lines[place:]]]
    changed += [[*rest[:other], lines[place], *rest[other:]] for other in range(len(lines)) if other != place]
    try:
        for variant in changed:
            path.write_bytes(b"".join(variant))
            assert errors(sealed)
    finally:
        path.write_bytes(whole)
