"""What a store is told of a ledger: before anything begins, later where it was away, and never of one that was cut."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.postgres import MISSING, Postgres, postgres, programs

from memrunbook.app import witnessing
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.stored import Stored
from memrunbook.app.witnessing import StoreWitness, witness_of
from memrunbook.core.errors import JournalError
from memrunbook.core.instant import Instant
from memrunbook.core.run.record import Actor, Ended, EndedHost, Invoked, plain
from memrunbook.runtime.clock import SystemClock
from memrunbook.state import ledger
from memrunbook.state.chain import Link
from memrunbook.state.ledger import LedgerEntry
from memrunbook.state.run_directory import RunDirectory, new_run_id
from memrunbook.state.store import journals
from memrunbook.state.store.changes import Store
from memrunbook.state.store.journals import known, runs_of
from memrunbook.state.store.tables import METADATA
from memrunbook.state.witnessed import UNWITNESSED, LedgerWitness

NOW = Instant(1795340467.0, 5.0)
RUN = "20261122T094107Z-abcd"
INVOKED = Invoked(
    time="2026-11-22T09:41:07.000Z",
    engine="0",
    actor=Actor("ada", control_node="ctl-1"),
    command="run small",
    reason="ticket 7",
    runbook="small",
    runbook_digest="",
    origin="file",
    parameters={},
    hosts=("web-1", "web-2"),
)
ENDED = Ended(
    time="2026-11-22T09:42:00.000Z", hosts=(EndedHost("web-1", "resolved", "m1"), EndedHost("web-2", "failed", "m2"))
)


class Heard(Notice):
    """Keeps what is remarked."""

    def __init__(self) -> None:
        self.remarks: list[str] = []

    def remark(self, words: str, hint: str) -> None:
        self.remarks.append(f"{words} ({hint})")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(MISSING)
    with postgres() as running:
        yield running


@pytest.fixture(params=["file", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = request.getfixturevalue("server").url if request.param == "server" else ""
    store = Store.open(tmp_path, url)
    yield store
    if url:
        with store.engine.begin() as connection:
            METADATA.drop_all(connection)
            connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    store.close()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Makes the store answer nobody, or answer again."""
    real = journals.saw, journals.known

    def refuse(*_: object) -> None:
        raise JournalError("the store does not answer: it is away", where="postgresql://db")

    def switch(gone: bool) -> None:  # noqa: FBT001  away(True) reads well
        for name, one in zip(("saw", "known"), real, strict=True):
            monkeypatch.setattr(journals, name, refuse if gone else one)

    return switch


def place(store: Store, state: Path) -> Link:
    sight = known(store, ledger.first_key(state))
    return sight.link if sight else Link()


def make_run(state: Path, witness: LedgerWitness, *, end: bool = True) -> str:
    """A run on two hosts."""
    with RunDirectory.create(state, new_run_id(NOW), lambda: NOW, witness) as directory:
        directory.run.append(plain(INVOKED))
        for journal in directory.hosts(["web-1", "web-2"]):
            journal.append({"event": "asked"})
        directory.seal("web-1", demanded=True)
        if end:
            directory.run.append(plain(ENDED))
            directory.end()
        return directory.run_id


def test_a_run_is_in_the_index_from_its_beginning_with_its_end(store: Store, state: Path) -> None:
    witness = StoreWitness(store, state, "ctl-9", SILENT)
    make_run(state, witness, end=False)
    [begun] = runs_of(store, ledger.first_key(state))
    assert (begun.node, begun.runbook, begun.who, begun.reason) == ("ctl-1", "small", "ada", "ticket 7")
    assert (begun.hosts, begun.began, begun.ended, begun.outcomes) == (("web-1", "web-2"), 1795340467.0, None, ())
    make_run(state, witness)
    ended = next(one for one in runs_of(store, ledger.first_key(state)) if one.run != begun.run)
    assert (ended.ended, ended.outcomes) == (1795340520.0, (("web-1", "resolved"), ("web-2", "failed")))
    assert place(store, state) == ledger.end(state)


def test_a_run_that_is_gone_on_with_has_no_end_meanwhile(store: Store, state: Path) -> None:
    witness = StoreWitness(store, state, "ctl-1", SILENT)
    run = make_run(state, witness)
    with RunDirectory.reopen(state, run, lambda: NOW, witness):
        [again] = runs_of(store, ledger.first_key(state))
        assert (again.run, again.ended, again.outcomes) == (run, None, ())


def test_nothing_begins_while_it_is_away_and_all_else_goes_on(
    store: Store, state: Path, away: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    witness = StoreWitness(store, state, "ctl-1", heard)
    with RunDirectory.create(state, RUN, lambda: NOW, witness) as directory:
        directory.run.append(plain(INVOKED))
        journal = directory.host("web-1")
        behind = place(store, state)
        away(True)
        for _ in range(2):
            journal.append({"event": "answered"})
            directory.seal("web-1")
        with pytest.raises(JournalError, match="it is away"):
            directory.seal("web-1", demanded=True)
        with pytest.raises(JournalError, match="it is away"):
            directory.host("web-2")
        directory.save("web-1", "meminfo", "MemTotal: 5 kB\n")
        assert place(store, state) == behind
        away(False)
        monkeypatch.setattr(witnessing, "AGAIN", 0.0)
        directory.seal("web-1", demanded=True)
        assert place(store, state) == ledger.end(state)
    [remark] = heard.remarks
    assert remark.startswith("where the ledger stands is not told: postgresql://db: the store does not answer")
    assert remark.endswith("(nothing is lost by that: the next run tells it)")


def test_right_after_it_did_not_answer_it_is_not_asked_again_but_at_the_end_of_a_run(
    store: Store, state: Path, away: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnessing, "AGAIN", 3600.0)
    with RunDirectory.create(state, RUN, lambda: NOW, StoreWitness(store, state, "ctl-1", SILENT)) as directory:
        directory.run.append(plain(INVOKED))
        directory.host("web-1")
        away(True)
        directory.seal("web-1")
        away(False)
        behind = place(store, state)
        with pytest.raises(JournalError, match="it is away"):
            directory.seal("web-1", demanded=True)
        assert place(store, state) == behind
        directory.end()
    assert place(store, state) == ledger.end(state)


def test_who_was_away_tells_all_of_it_and_what_others_told_is_not_told_again(store: Store, state: Path) -> None:
    alone = [make_run(state, UNWITNESSED) for _ in range(3)]
    StoreWitness(store, state, "ctl-1", SILENT).told((), begins=True)
    assert place(store, state) == ledger.end(state)
    assert {one.run for one in runs_of(store, ledger.first_key(state))} == set(alone)
    first, second = (StoreWitness(store, state, "ctl-1", SILENT) for _ in range(2))
    for witness in (first, second, first):
        make_run(state, witness)
    assert place(store, state) == ledger.end(state)


def test_of_many_that_write_at_once_all_is_told_and_nobody_is_accused(store: Store, state: Path) -> None:
    state.mkdir()
    ledger.append(state, [LedgerEntry(RUN, "f", "so-far", "0" * 64, 0)], "now")
    heard, problems = Heard(), list[Exception]()

    def write(number: int) -> None:
        witness = StoreWitness(store, state, f"ctl-{number}", heard)
        try:
            for count in range(15):
                entry = LedgerEntry(RUN, f"{number}.jsonl", "so-far", "0" * 64, count)
                witness.told(ledger.append(state, [entry], "now"), begins=True)
        except JournalError as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (problems, heard.remarks) == ([], [])
    assert place(store, state) == ledger.end(state)
    assert ledger.end(state).count == 61


def test_a_ledger_that_was_cut_or_sealed_again_is_told_to_nobody(store: Store, state: Path, tmp_path: Path) -> None:
    make_run(state, StoreWitness(store, state, "ctl-1", SILENT))
    shutil.copytree(state, tmp_path / "copy")
    make_run(state, StoreWitness(store, state, "ctl-1", SILENT))
    there = place(store, state)
    for runs in (0, 1, 2):
        copy = tmp_path / f"copy-{runs}"
        shutil.copytree(tmp_path / "copy", copy)
        for _ in range(runs):
            make_run(copy, UNWITNESSED)
        witness = StoreWitness(store, copy, "ctl-1", SILENT)
        with pytest.raises(JournalError, match=r"it was cut|sealed again") as caught:
            witness.told((), begins=True)
        assert "runbook audit verify" in caught.value.hint
        assert place(store, state) == there


def test_a_ledger_that_is_spoilt_is_told_to_nobody(store: Store, state: Path) -> None:
    make_run(state, UNWITNESSED)
    file = ledger.ledger_file(state)
    file.write_bytes(file.read_bytes().replace(b"so-far", b"so_far", 1))
    with pytest.raises(JournalError, match="not the one that was sealed"):
        StoreWitness(store, state, "ctl-1", SILENT).told((), begins=True)
    assert place(store, state) == Link()


def test_only_a_server_is_a_second_witness(store: Store, state: Path) -> None:
    made = witness_of(Stored(state), store, SILENT, SystemClock())
    assert (made is UNWITNESSED) == (store.engine.dialect.name == "sqlite")


def test_of_many_threads_that_write_through_one_witness_all_is_told(store: Store, state: Path) -> None:
    state.mkdir()
    witness, problems = StoreWitness(store, state, "ctl-1", SILENT), list[Exception]()

    def write(number: int) -> None:
        try:
            for count in range(15):
                entry = LedgerEntry(RUN, f"{number}.jsonl", "so-far", "0" * 64, count)
                witness.told(ledger.append(state, [entry], "now"), begins=True)
                known_by_now = place(store, state).count
                assert known_by_now >= count + 1
        except (JournalError, AssertionError) as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert place(store, state) == ledger.end(state)
    assert ledger.end(state).count == 120


def test_an_older_copy_that_is_put_back_under_a_witness_at_work_is_found_at_once(
    store: Store, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnessing, "AGAIN", 0.0)
    witness = StoreWitness(store, state, "ctl-1", SILENT)
    make_run(state, witness)
    shutil.copytree(state, tmp_path / "copy")
    make_run(state, witness)
    there = place(store, state)
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "copy", state)
    with pytest.raises(JournalError, match="it was cut"):
        make_run(state, witness)
    for _ in range(3):
        make_run(state, UNWITNESSED)
    with pytest.raises(JournalError, match="sealed again"):
        make_run(state, witness)
    assert place(store, state) == there


def test_what_is_spoilt_before_the_place_that_is_known_is_left_to_the_audit(store: Store, state: Path) -> None:
    make_run(state, StoreWitness(store, state, "ctl-1", SILENT))
    file = ledger.ledger_file(state)
    file.write_bytes(file.read_bytes().replace(b"so-far", b"so_far", 1))
    make_run(state, StoreWitness(store, state, "ctl-1", SILENT))
    assert place(store, state) == ledger.end(state)
