"""The audit as people use it: who did what, exports, journals that were spoilt, and a host's own log over SSH."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from tests.cli.books import act, book, look
from tests.cli.conftest import needs_login
from tests.cli.console import here
from tests.sshd import running

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture
def two_runs(tmp_path: Path, state: Path) -> list[str]:
    """A run that changed something, by consent and with a reason, and one that only looked; their ids, newest first."""
    changes = book(tmp_path, act("once", "touch", str(tmp_path / "done")), resolved="memory.available_percent > 100.0")
    here("run", changes, "--host", "local", "--yes", "--reason", "ticket 7")
    looks = book(tmp_path, look("one", "uptime"), name="looks")
    assert here("run", looks, "--host", "local", "--yes").code == 0
    return [run["run"] for run in json.loads(here("audit", "show", "--json").out)["runs"]]


def test_who_did_what_when_why_and_with_whose_consent(two_runs: list[str]) -> None:
    page = here("audit", "show")
    assert page.code == 0
    assert page.out.startswith("2 runs, 1 change\n")
    for words in ("ticket 7", "no reason was given (--reason)", "consent: yes by ", "(--yes)", os.uname().nodename):
        assert words in page.out
    assert here("audit", "show", "last").out.splitlines()[2].startswith(two_runs[0])
    report = here("report", two_runs[1]).out
    for words in ("Who ", "When ", "Command  runbook run ", "Why      ticket 7", "Consent  1 change"):
        assert words in report
    [told] = json.loads(here("report", two_runs[1], "--json").out)["account"]["hosts"]
    assert [(one["step"], one["answer"], one["how"], one["ended"]) for one in told["changes"]] == [
        ("once", "yes", "--yes", "done")
    ]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--host", "local"), 2),
        (("--host", "web-*"), 0),
        (("--runbook", "look*"), 1),
        (("--outcome", "unresolved"), 1),
        (("--outcome", "running"), 0),
        (("--actor", "nobody-else"), 0),
        (("--actor", "*@*"), 2),
        (("--since", "1h"), 2),
        (("--since", "2100-01-01"), 0),
        (("--until", "2020-01-01T10:00"), 0),
        (("--until", "2100-01-01T10:00+02:00"), 2),
    ],
)
def test_the_runs_are_chosen(words: tuple[str, ...], count: int, two_runs: list[str]) -> None:
    assert len(json.loads(here("audit", "show", "--json", *words).out)["runs"]) == count
    exported = {
        json.loads(line)["journal"].partition("/")[0] for line in here("audit", "export", *words).out.splitlines()
    }
    assert len(exported) == count


def test_what_cannot_be_chosen_is_refused(state: Path) -> None:
    here("audit", "show").refused(2, "there is no journal", hint="--state-dir")
    state.mkdir()
    assert here("audit", "show").out == "No run is as asked for.\n"
    here("audit", "show", "last").refused(2, "no runs yet", hint="--state-dir")
    here("audit", "show", "--since", "7x").refused(2, "'7x' is no time", hint="2026-11-22")
    here("audit", "show", "--outcome", "resloved").refused(2, "no run ends as", hint="resolved")
    here("audit", "show", "--outcome", "xyzzy").refused(2, "no run ends as", hint="there are:")


def test_an_export_holds_the_records_as_they_stand(two_runs: list[str], tmp_path: Path, state: Path) -> None:
    lines = here("audit", "export").out.splitlines()
    journals = [json.loads(line)["journal"] for line in lines]
    assert list(dict.fromkeys(journals)) == [
        f"{run}/{name}" for run in reversed(two_runs) for name in ("run.jsonl", "local.jsonl")
    ]
    for line in lines:
        record = "{" + line.partition(",")[2]
        body, _, digest = record.rpartition(',"hash":"')
        assert hashlib.sha256(f"{body}}}".encode()).hexdigest() == digest[:64]
    rows = list(csv.DictReader(io.StringIO(here("audit", "export", "--format", "csv").out)))
    assert len(rows) == len(lines)
    assert [row["how"] for row in rows if row["kind"] == "Approval"] == ["'--yes"], (
        "no spreadsheet takes it for a formula"
    )
    [execute] = [row for row in rows if row["kind"] == "Execute" and row["action"] == "run_command"]
    assert (execute["step"], execute["target"]) == ("once", f"touch {tmp_path / 'done'}")
    file = tmp_path / "export.jsonl"
    assert here("audit", "export", "-o", str(file)).code == 0
    assert file.read_text().splitlines() == lines
    assert file.stat().st_mode & 0o777 == 0o600
    here("audit", "export", "-o", str(file)).refused(2, "file exists", hint="new file")
    here("audit", "export", "-o", str(tmp_path / "no" / "file")).refused(2, "no such file", hint="new file")


@pytest.mark.parametrize(
    "words", [("report", "last"), ("audit", "show", "last"), ("audit", "show"), ("audit", "export"), ("runs",)]
)
def test_a_spoilt_journal_is_named_first_and_ends_in_6(
    words: tuple[str, ...], two_runs: list[str], state: Path
) -> None:
    name = "run.jsonl" if words == ("runs",) else "local.jsonl"
    journal = state / "runs" / two_runs[0] / name
    journal.write_bytes(journal.read_bytes().replace(b'"looks"', b'"LOOKS"'))
    said = here(*words)
    first = (said.err if words == ("audit", "export") else said.out).splitlines()[0]
    assert first.startswith(f"NOT INTACT: {journal}:1: the record is not the one that was sealed")
    assert said.code == 6
    assert two_runs[0] in said.out, "what can still be shown is shown"
    if words != ("audit", "export"):
        document = here(*words, "--json")
        assert (document.code, json.loads(document.out)["intact"]) == (6, False)


def test_a_journal_that_the_ledger_no_longer_vouches_for(two_runs: list[str], state: Path) -> None:
    ledger = state / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:-2]))
    for words in (("report", "last"), ("runs",), ("audit", "show", "last")):
        said = here(*words)
        assert said.code == 6
        assert "are missing at its end: it was cut" in said.out.splitlines()[0]


def test_a_head_that_a_file_keeps(two_runs: list[str], tmp_path: Path, state: Path) -> None:
    kept = tmp_path / "elsewhere" / "head"
    words = ("audit", "verify", "--expect-file", str(kept))
    here(*words).refused(2, "no such folder", hint="make it")
    kept.parent.mkdir()
    assert here(*words).out.startswith("INTACT UP TO ITS END: ")
    assert here(*words).out.startswith("INTACT: ")
    before = kept.read_text()
    shutil.copytree(state, tmp_path / "copy")
    assert here("run", str(tmp_path / "looks.yaml"), "--host", "local", "--yes").code == 0
    newer = here(*words)
    assert newer.out.startswith("INTACT UP TO ITS END: "), "nobody else knows the newest entries"
    assert "after it nobody else knows the end" in newer.out
    assert kept.read_text() != before
    cut = here(*words, "--state-dir", str(tmp_path / "copy"))
    assert cut.code == 6
    assert "is not in the ledger" in cut.out
    assert kept.read_text() != before, "what was kept stays where something was found"
    here(*words, "--state-dir", str(tmp_path / "gone")).refused(6, "it is gone, or this is the wrong place")
    kept.write_text("nothing\n")
    here(*words).refused(6, "no head of a ledger", hint="64 hex digits")


def test_a_state_directory_that_is_missing_or_empty(tmp_path: Path, state: Path) -> None:
    here("audit", "verify").refused(2, "this directory does not exist", hint="--state-dir")
    state.mkdir()
    empty = here("audit", "verify")
    assert (empty.code, empty.out) == (0, f"NOTHING TO VERIFY: no run was made in {state} yet\n")
    assert here("audit", "verify", "--expect", "0" * 64).code == 6


def test_a_hosts_own_log_is_held_against_the_journal(tmp_path: Path, state: Path) -> None:
    """Over a real sshd; its kernel log is a file of the test: what a change writes is put there."""
    needs_login()
    programs, log = tmp_path / "programs", tmp_path / "kernel.log"
    programs.mkdir()
    log.touch()
    for name, script in {"dmesg": f"cat {log}", "journalctl": "exit 1"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    (tmp_path / "sshd").mkdir()
    with running(tmp_path / "sshd", f"SetEnv PATH={programs}:{os.environ['PATH']}") as sshd:
        verify = ("audit", "verify", *sshd.arguments)
        changes = book(
            tmp_path, act("once", "touch", str(tmp_path / "done")), resolved="memory.available_percent > 100.0"
        )
        here("run", changes, *sshd.arguments, "--yes")
        [host] = [one for one in state.glob("runs/*/*.jsonl") if one.name != "run.jsonl"]
        [asked] = [
            one
            for one in map(json.loads, host.read_text().splitlines())
            if one.get("request", {}).get("type") == "Execute"
        ]
        silent = here(*verify)
        assert silent.code == 0
        assert silent.out.startswith("INTACT UP TO ITS END: ")
        assert "1 do not (unknown: the log was rotated" in silent.out
        log.write_text(
            f"[1.0] runbook: run={host.parent.name} step=once record={asked['hash'][:16]} by=me@{os.uname().nodename}\n"
        )
        agreed = here(*verify)
        assert agreed.out.startswith("INTACT: ")
        assert "1 change here: 1 stand in its log too; the newest is there (read: its kernel log" in agreed.out
        document = json.loads(here(*verify, "--json").out)
        assert (document["verdict"], document["hosts"][0]["agreed"]) == ("intact", 1)
        here("run", book(tmp_path, look("one", "uptime"), name="looks"), "--host", "local", "--yes")
        elsewhere = here(*verify)  # a host's log tells nothing of a run on another
        assert elsewhere.out.startswith("INTACT UP TO ITS END: ")
        assert "Not asked" in elsewhere.out
        assert "local: what was changed there last is not known" in elsewhere.out
        assert json.loads(here(*verify, "--json").out)["verdict"] == "intact-up-to-end"
        shutil.rmtree(state)
        assert here("run", str(tmp_path / "small.yaml"), *sshd.arguments).code == 5  # another run, in a new directory
        deleted = here(*verify)
        assert deleted.code == 6
        assert f"1 change on 127.0.0.1 that this journal does not hold: run {host.parent.name}" in deleted.out
    unreached = here(*verify)
    assert unreached.code == 4
    assert "127.0.0.1" in unreached.out
