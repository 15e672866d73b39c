"""A store that is a server knows where each ledger stands: what was cut or sealed again is found, on its own too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.cli.books import act, book
from tests.cli.console import Ran, environment, here
from tests.cli.killing import effects
from tests.postgres import MISSING, Postgres, postgres, programs

from memrunbook.app.braking import HostBrakes
from memrunbook.app.journaling import HostJournal
from memrunbook.app.reporting import list_runs
from memrunbook.app.stored import Stored
from memrunbook.core.run.record import Asked, Envelope
from memrunbook.core.run.request import Execute
from memrunbook.state import heads, ledger
from memrunbook.state.chain import Link
from memrunbook.state.ledger import LedgerEntry
from memrunbook.state.store import journals
from memrunbook.state.store.changes import Store
from memrunbook.state.store.journals import known
from memrunbook.state.store.tables import METADATA

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture(scope="module")
def running() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(MISSING)
    with postgres() as running:
        yield running


@pytest.fixture
def server(running: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """The store that everybody uses, empty; it may be stopped."""
    monkeypatch.setenv("RUNBOOK_STORE", running.url)
    yield running
    running.stop()
    running.start()
    engine = sa.create_engine(running.url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        METADATA.drop_all(connection)
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    engine.dispose()


def words(folder: Path, name: str = "small") -> list[str]:
    """A command that changes something once, harmlessly."""
    steps = act("once", "sh", "-c", f"echo {name} >>{folder / 'effects'}")
    return ["run", book(folder, steps, name=name, resolved="memory.available_percent > 100.0"), "--host=local", "--yes"]


def place(state: Path, server: Postgres) -> Link | None:
    """Where the store saw the ledger of a state directory."""
    store = Store.open(state, server.url)
    sight = known(store, ledger.first_key(state))
    store.close()
    return sight.link if sight else None


def stopping(server: Postgres, monkeypatch: pytest.MonkeyPatch, when: Callable[[Envelope], bool]) -> None:
    """Stops the server right before the first such record is written."""
    append = HostJournal.append

    def stopped(self: HostJournal, envelope: Envelope) -> str:
        if when(envelope):
            server.stop()
        return append(self, envelope)

    monkeypatch.setattr(HostJournal, "append", stopped)


def begins(envelope: Envelope) -> bool:
    return isinstance(envelope, Asked) and isinstance(envelope.request, Execute)


def test_the_store_knows_the_end_of_each_ledger(tmp_path: Path, state: Path, server: Postgres) -> None:
    other = tmp_path / "other"
    assert here(*words(tmp_path)).code == 3
    assert here(*words(tmp_path, "second"), "--state-dir", str(other)).code == 3
    for one in (state, other):
        assert place(one, server) == ledger.end(one)
        assert ledger.end(one).count > 0


def test_nothing_is_begun_that_the_store_was_not_told(
    tmp_path: Path, state: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Stored, "patience", 0.0)  # nobody waits for it
        stopping(server, patch, begins)
        here(*words(tmp_path)).refused(6, "the store does not answer", hint="runbook resume")
    assert effects(tmp_path) == {}
    [run] = list_runs(state).runs
    last = json.loads((run.path / "local.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["request"]["type"]) == ("asked", "Execute"), "the store said no before anything else"
    server.start()
    assert here("resume", "last", "--yes").code == 3
    assert effects(tmp_path) == {"small": 1}
    assert place(state, server) == ledger.end(state)


def test_what_it_cannot_be_told_at_the_end_it_is_told_by_the_next_run(
    tmp_path: Path, state: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = HostBrakes.ran

    def then_stopped(self: HostBrakes, outcome: str, *, changed: bool) -> None:
        ran(self, outcome, changed=changed)
        server.stop()

    with monkeypatch.context() as patch:
        patch.setattr(HostBrakes, "ran", then_stopped)
        first = here(*words(tmp_path))
    assert first.code == 3, first.said
    assert first.err.count("where the ledger stands is not told: ") == 1
    assert "the next run tells it" in first.err
    server.start()
    behind = place(state, server)
    assert behind is not None
    assert behind.count < ledger.end(state).count
    assert here(*words(tmp_path, "again")).code == 3
    assert place(state, server) == ledger.end(state)


def test_a_node_that_was_away_joins_by_itself(tmp_path: Path, state: Path, server: Postgres) -> None:
    away = "--store", str(tmp_path / "own.sqlite")
    for name in ("one", "two"):
        assert here(*words(tmp_path, name), *away).code == 3
    assert place(state, server) is None
    assert here(*words(tmp_path, "three")).code == 3
    assert place(state, server) == ledger.end(state)
    assert here(*words(tmp_path, "four"), *away).code == 3
    assert here("undo", "last", "--yes").code in (0, 5)
    assert here(*words(tmp_path, "five")).code == 3
    assert place(state, server) == ledger.end(state)


def store_row(ran: Ran) -> str:
    """What is said of the store, on one line."""
    return " ".join(ran.out.split())


def test_an_audit_is_intact_where_the_store_knows_the_end(
    tmp_path: Path, state: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(*words(tmp_path))
    count = ledger.end(state).count
    known_end = here("audit", "verify")
    assert known_end.code == 0
    assert known_end.out.startswith("INTACT: ")
    assert f"saw entry {count} of {count}, the last" in store_row(known_end)
    monkeypatch.delenv("RUNBOOK_STORE")
    assert here("audit", "verify").out.startswith("INTACT UP TO ITS END: ")
    document = json.loads(here("audit", "verify", "--store", server.url, "--json").out)
    assert (document["verdict"], document["store"]["entry"]) == ("intact", count)
    here(*words(tmp_path, "away"))
    behind = here("audit", "verify", "--store", server.url)
    assert behind.out.startswith("INTACT UP TO ITS END: ")
    assert f"saw entry {count} of {ledger.end(state).count}; of the " in store_row(behind)


def test_a_copy_of_before_with_its_key_and_head_is_found(tmp_path: Path, state: Path, server: Postgres) -> None:
    assert here(*words(tmp_path)).code == 3
    shutil.copytree(state, tmp_path / "before")
    assert here(*words(tmp_path, "hidden")).code == 3
    hidden, lost = list_runs(state).runs[0].run_id, ledger.end(state).count
    shutil.rmtree(state)
    (tmp_path / "before").rename(state)
    lost -= ledger.end(state).count
    alone = here("audit", "verify", "--store", str(tmp_path / "none.sqlite"))
    assert (alone.code, alone.out.partition(":")[0]) == (0, "INTACT UP TO ITS END"), alone.said
    found = json.loads(here("audit", "verify", "--json").out)
    assert found["verdict"] == "not-intact"
    told = {one["where"]: one["message"] for one in found["findings"] if one["level"] == "error"}
    assert f"{lost} of the " in told[str(state / "ledger.jsonl")]
    assert "it was cut" in told[str(state / "ledger.jsonl")]
    assert "knows this run (hidden, by " in told[str(state / "runs" / hidden)]
    assert here("audit", "verify").code == 6
    here(*words(tmp_path, "more")).refused(6, "it was cut", hint="audit verify --store")
    assert effects(tmp_path) == {"small": 1, "hidden": 1}
    assert len(list_runs(state).runs) == 1, "nothing was written behind the cut"


def forged(state: Path, *, new_key: bool) -> None:
    """The ledger sealed again, by its key or by a new one: each entry as it was, but for who wrote them when."""
    entries = ledger.read(state)
    for file in (ledger.ledger_file(state), heads.seen_file(state)):
        file.unlink()
    if new_key:
        shutil.rmtree(state / "keys")
    for one in entries:
        ledger.append(state, [LedgerEntry(one.run, one.file, one.event, one.head, one.count)], "2026-01-01T00:00:00Z")


def test_a_ledger_that_was_sealed_again_is_found(tmp_path: Path, state: Path, server: Postgres) -> None:
    here(*words(tmp_path))
    forged(state, new_key=False)
    assert here("audit", "verify", "--store", str(tmp_path / "none.sqlite")).code == 0
    found = here("audit", "verify")
    assert found.code == 6
    assert "the ledger was sealed again" in found.out
    here(*words(tmp_path, "more")).refused(6, "the ledger was sealed again", hint="audit verify --store")
    assert effects(tmp_path) == {"small": 1}


def test_a_ledger_that_was_made_anew_with_another_key_is_found(tmp_path: Path, state: Path, server: Postgres) -> None:
    here(*words(tmp_path))
    forged(state, new_key=True)
    assert here("audit", "verify", "--store", str(tmp_path / "none.sqlite")).code == 0
    found = here("audit", "verify")
    assert found.code == 6
    assert "from another ledger of this control node" in " ".join(found.out.split())
    assert json.loads(here("audit", "verify", "--json").out)["store"]["other_ledgers"] == 1


def test_all_entries_gone_are_found_by_the_key_that_is_left(tmp_path: Path, state: Path, server: Postgres) -> None:
    here(*words(tmp_path))
    count = ledger.end(state).count
    for file in (ledger.ledger_file(state), heads.seen_file(state)):
        file.unlink()
    shutil.rmtree(state / "runs")
    assert f"{count} of the {count} entries that the store at " in here("audit", "verify").out


def test_a_store_that_does_not_answer_is_a_note(tmp_path: Path, state: Path, server: Postgres) -> None:
    here(*words(tmp_path))
    server.stop()
    silent = here("audit", "verify")
    assert silent.code == 0
    assert silent.out.startswith("INTACT UP TO ITS END: ")
    assert "the store was not asked what it saw of this ledger: the store does not answer" in store_row(silent)
    assert "Traceback" not in silent.said
    assert json.loads(here("audit", "verify", "--json").out)["store"]["problem"]


def test_a_store_that_knows_nothing_of_it_is_a_note(tmp_path: Path, state: Path, server: Postgres) -> None:
    here(*words(tmp_path), "--store", str(tmp_path / "own.sqlite"))
    unmade = here("audit", "verify")
    assert (unmade.code, "its tables are not there yet" in unmade.out) == (0, True), unmade.out
    assert here("on").code == 0
    unknown = here("audit", "verify")
    assert (unknown.code, unknown.out.partition(":")[0]) == (0, "INTACT UP TO ITS END")
    assert "the store knows nothing of this ledger" in unknown.out
    here("audit", "verify", "--store", "mysql://x/y").refused(2, "is no store", hint="postgresql://")


@pytest.fixture
def nodes(tmp_path: Path, state: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A run here and one on another control node, by their ids; both use the store."""
    assert here(*words(tmp_path), "--reason", "ticket 7").code == 3
    with monkeypatch.context() as patch:
        name = os.uname()
        patch.setattr(os, "uname", lambda: os.uname_result((name[0], "ctl-2", *name[2:])))
        assert (
            here(*words(tmp_path, "far"), "--state-dir", str(tmp_path / "far-away"), "--reason", "ticket 8").code == 3
        )
    return [list_runs(one).runs[0].run_id for one in (state, tmp_path / "far-away")]


def test_the_runs_of_other_control_nodes_are_listed_with_their_node(nodes: list[str]) -> None:
    mine, theirs = nodes
    listed = here("runs").out
    assert listed.startswith("2 runs\n")
    [line] = [one for one in listed.splitlines() if theirs in one]
    assert line.split()[1:4] == ["unresolved", "far", "local"]
    assert " on ctl-2, " in listed
    assert listed.index(theirs) < listed.index(mine), "the newest first"
    assert "One of them in full: runbook report RUN, on its own control node" in listed
    document = json.loads(here("runs", "--json").out)
    assert [one["run_id"] for one in document["runs"]] == [mine]
    [far] = document["elsewhere"]
    assert (far["run_id"], far["node"], far["runbook"], far["reason"]) == (theirs, "ctl-2", "far", "ticket 8")
    assert (far["outcomes"], far["ended"] > far["began"]) == ({"local": "unresolved"}, True)


def test_that_older_runs_of_others_are_left_out_is_said(nodes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Older runs" not in here("runs").out
    assert json.loads(here("runs", "--json").out)["elsewhere_cut"] is False
    monkeypatch.setattr(journals, "MOST", len(nodes))
    assert here("runs").out.splitlines()[-1] == "Older runs of other control nodes are not listed."
    assert json.loads(here("runs", "--json").out)["elsewhere_cut"] is True


def test_a_report_of_a_run_of_another_node_says_where_it_is(nodes: list[str], state: Path) -> None:
    mine, theirs = nodes
    for run in (theirs, theirs[:-1]):
        here("report", run).refused(2, f"run {theirs} is on control node ctl-2 (far, by ", hint=f"report {theirs}")
    here("report", "20200101T000000Z-none").refused(2, "there is no run", hint="runbook runs")
    here("report", theirs[:4]).refused(2, "there is no run", hint=f"did you mean: {mine}")
    assert here("report", mine).code == 0
    assert here("report", "last").code == 0
    shutil.rmtree(state / "runs" / mine)
    here("report", mine).refused(6, "its directory is missing", hint="audit verify")


def test_a_run_of_this_ledger_that_is_gone_is_no_run_of_another_node(
    nodes: list[str], tmp_path: Path, state: Path
) -> None:
    shutil.copytree(state, tmp_path / "before")
    assert here(*words(tmp_path, "hidden")).code == 3
    hidden = list_runs(state).runs[0].run_id
    shutil.rmtree(state)
    (tmp_path / "before").rename(state)
    listed = here("runs")
    assert listed.code == 6
    assert "knows this run (hidden, by " in " ".join(listed.out.split())
    assert [run in listed.out for run in nodes] == [True, True]
    assert [one["run_id"] for one in json.loads(here("runs", "--json").out)["elsewhere"]] == nodes[1:]
    here("report", hidden).refused(6, "knows this run, and it is gone here", hint="audit verify")


def test_what_others_did_is_not_known_where_the_store_does_not_answer(
    nodes: list[str], state: Path, server: Postgres, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = nodes
    server.stop()
    listed = here("runs")
    assert listed.code == 0
    assert mine in listed.out
    assert "UNKNOWN: the runs of other control nodes: postgresql://" in listed.out
    assert "the store does not answer" in json.loads(here("runs", "--json").out)["elsewhere_problem"]
    here("report", theirs).refused(2, "there is no run", hint="runbook runs")
    monkeypatch.delenv("RUNBOOK_STORE")
    folder = own_home / ".config" / "memrunbook"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("store: [\n")
    assert here("runs").out.startswith("1 run\n")
    noted = here("audit", "verify")
    assert noted.code == 0
    assert "the store of config.yaml" in noted.out


def test_without_a_server_no_library_of_databases_is_loaded(tmp_path: Path, state: Path) -> None:
    assert here(*words(tmp_path)).code == 3
    asks = "import sys; from memrunbook.cli.main import main\n"
    asks += "try:\n main()\nfinally:\n print('loaded:', 'sqlalchemy' in sys.modules)"
    for command in (["runs"], ["report", "last"], ["audit", "verify"]):
        done = subprocess.run(
            [sys.executable, "-c", asks, *command], check=False, capture_output=True, text=True, env=environment()
        )
        assert done.stdout.endswith("loaded: False\n"), done.stdout + done.stderr
