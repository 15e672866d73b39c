"""Runs, journals and heads that are gone, or are no files: said, with exit code 6, and never waited for."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from tests.cli.console import here
from tests.unit.state.conftest import ENDED, INVOKED

from memrunbook.core.action.action import Change, Repeat, Risk, Undo
from memrunbook.core.host import Host
from memrunbook.core.instant import Instant
from memrunbook.core.run.event import RunFinished
from memrunbook.core.run.record import Answered, Asked, Invoked, Order, Recorded, plain
from memrunbook.core.run.request import Done, Execute
from memrunbook.state.run_directory import RunDirectory
from memrunbook.version import __version__

FIRST, SECOND, TWIN = "20261122T094107Z-abcd", "20261122T094207Z-efgh", "20261122T094207Z-ijkl"
NOW = Instant(1795340467.0, 5.0)
MISSING = "its directory is missing"


@pytest.fixture
def runs(state: Path) -> Path:
    for run_id in (FIRST, SECOND):
        with RunDirectory.create(state, run_id, lambda: NOW) as run:
            run.run.append(plain(INVOKED))
            for host in ("web-1", "web-2"):
                run.host(host).append(plain(Recorded(RunFinished("healthy"))))
            run.run.append(plain(ENDED))
            run.end()
    return state / "runs"


def test_a_run_that_was_removed_is_missed_by_every_view(runs: Path) -> None:
    shutil.rmtree(runs / FIRST)
    here("report", FIRST).refused(6, MISSING, hint="restore it from a backup")
    shown = here("audit", "show")
    assert shown.code == 6
    assert shown.out.startswith("NOT INTACT: ")
    assert FIRST in shown.out
    assert here("audit", "show", "--host", "web-1").code == 6
    assert here("runs").code == 6
    assert here("report", "last").code == 0, "another run is none of its business"


def test_the_newest_run_is_not_the_one_before_it(runs: Path) -> None:
    shutil.rmtree(runs / SECOND)
    here("report", "last").refused(6, MISSING, hint="restore it")
    shutil.rmtree(runs / FIRST)
    here("report", "last").refused(6, MISSING, hint="restore it")


def test_a_report_of_which_no_journal_is_left_says_so(runs: Path) -> None:
    for host in ("web-1", "web-2"):
        (runs / FIRST / f"{host}.jsonl").unlink()
    told = here("report", FIRST)
    assert told.code == 6
    assert "the file is missing" in " ".join(told.out.split())
    assert "no journal of a host is there" in told.out
    assert "ada" in told.out


def test_the_beginning_of_an_id_is_enough_where_it_names_one_run(runs: Path) -> None:
    assert SECOND in here("report", SECOND[:-2]).out
    assert SECOND in here("report", "20261122T094207").out
    here("report", "20261122").refused(2, "2 runs begin with '20261122'", hint=SECOND)
    here("undo", "2026112", "--yes").refused(2, "2 runs begin with", hint=FIRST)
    shutil.copytree(runs / SECOND, runs / TWIN)
    here("report", "20261122T094207Z").refused(2, "2 runs begin with", hint=TWIN)
    here("report", "20261122T094207Z-x").refused(2, "there is no run", hint="runbook runs")


def test_a_short_beginning_is_asked_back(runs: Path) -> None:
    here("report", "20261122T0941").refused(2, "there is no run '20261122T0941'", hint=f"did you mean: {FIRST}")


@pytest.mark.parametrize("kind", ["pipe", "folder"])
@pytest.mark.parametrize("name", ["run.jsonl", "web-1.jsonl"])
def test_a_journal_that_is_no_file_is_said_and_not_waited_for(runs: Path, kind: str, name: str) -> None:
    path = runs / FIRST / name
    path.unlink()
    (os.mkfifo if kind == "pipe" else os.mkdir)(path)
    for words in (("report", FIRST), ("audit", "show", FIRST), ("audit", "verify"), ("undo", FIRST, "--yes")):
        begun = time.monotonic()
        told = here(*words)
        assert told.code == 6, told.said
        assert name in "".join(told.said.split())
        assert "Traceback" not in told.said
        assert time.monotonic() - begun < 10


def test_heads_that_are_no_files(runs: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "head")
    here("audit", "verify", "--expect-file", str(tmp_path / "head")).refused(6, "no regular file", hint="ls -ld")
    kept = runs.parent / "keys" / "ledger.head"
    kept.unlink()
    os.mkfifo(kept)
    assert here("audit", "verify").code == 6


def test_a_file_for_heads_may_be_empty_at_first(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "head").touch()
    words = ("audit", "verify", "--expect-file", str(tmp_path / "head"))
    assert here(*words).out.startswith("INTACT UP TO ITS END: ")
    assert here(*words).out.startswith("INTACT: ")
    kept = runs.parent / "keys" / "ledger.head"
    kept.write_text("")
    assert here("audit", "verify").code == 6, "the one beside the key is never empty"


FOR_A_WHILE = Change(action="set_sysctl", summary="vm.swappiness 60 -> 10", target="vm.swappiness", script="act",
                     risk=Risk.LOW, repeat=Repeat.IDEMPOTENT, undo=Undo("back", "undo"), back_after=7200.0)  # fmt: skip


@pytest.mark.parametrize("answered", [True, False])
def test_what_a_run_that_was_cut_off_holds_for_a_while_is_listed(state: Path, *, answered: bool) -> None:
    now = Instant(time.time(), 0.0)
    invoked = Invoked(
        time=now.isoformat(), engine=__version__, actor=INVOKED.actor, command="", reason="", runbook="book",
        runbook_digest="", origin="", parameters={}, hosts=("web",), order=Order(runbook="book", hosts=(Host("web"),)),
    )  # fmt: skip
    with RunDirectory.create(state, FIRST, lambda: now) as run:
        run.run.append(plain(invoked))
        journal = run.host("web")
        journal.append({"time": now.isoformat(), **plain(Asked(Execute("swap-less", FOR_A_WHILE)))})
        if answered:
            journal.append({"time": now.isoformat(), **plain(Answered(Done(now)))})
        run.seal("web")
    listed = here("runs").out
    assert "vm.swappiness 60 -> 10" in listed
    assert "web: vm.swappiness 60 -> 10" in " ".join(listed.split())
