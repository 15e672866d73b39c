"""A journal that cannot be written stops everything before anything is done; one that was changed is found out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.cli.books import act, book, look
from tests.cli.console import apart, here

pytestmark = pytest.mark.usefixtures("machine")
# A file that may not grow: what a full disk does, for anybody, at any point of the journal.
SMALL_FILES = ["sh", "-c", 'ulimit -f "$1"; shift; exec "$@"', "sh"]


def _namespaces() -> bool:
    tried = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(tried, check=False, capture_output=True).returncode == 0


def _once(folder: Path) -> tuple[Path, list[str]]:
    done = folder / "done"
    path = book(folder, act("once", "touch", str(done)), resolved="memory.available_percent > 100.0")
    return done, ["run", path, "--host", "local", "--yes"]


@pytest.mark.parametrize("blocks", [0, 1, 4, 8])
def test_a_disk_that_is_full_at_any_point_stops_before_the_change(tmp_path: Path, blocks: int) -> None:
    done, words = _once(tmp_path)
    ran = apart(*words, before=[*SMALL_FILES, str(blocks)])
    ran.refused(6, str(tmp_path / "state"), hint="--state-dir")
    if done.exists():
        runs = list((tmp_path / "state" / "runs").glob("*/local.jsonl"))
        asked = [line for line in runs[0].read_text().splitlines() if '"Execute"' in line]
        assert asked, "it was changed, and the journal does not know"


@pytest.mark.skipif(not _namespaces(), reason="mounting in a namespace of its own is not allowed here (root is needed)")
@pytest.mark.parametrize(("options", "word"), [("size=8k", "no space left"), ("ro", "read-only")])
def test_a_full_or_read_only_file_system(tmp_path: Path, options: str, word: str) -> None:
    done, words = _once(tmp_path)
    place = tmp_path / "place"
    place.mkdir()
    mount = [
        "unshare",
        "-m",
        "sh",
        "-c",
        f'mount -t tmpfs -o {options} none "$1" && shift && exec "$@"',
        "sh",
        str(place),
    ]
    apart(*words, "--state-dir", str(place / "state"), before=mount).refused(6, word, hint="--state-dir")
    assert not done.exists()


def test_a_state_directory_that_is_no_directory_or_open_to_everybody(tmp_path: Path) -> None:
    done, words = _once(tmp_path)
    (tmp_path / "file").touch()
    here(*words, "--state-dir", str(tmp_path / "file")).refused(6, str(tmp_path / "file"), hint="--state-dir")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    here(*words, "--state-dir", str(tmp_path / "open")).refused(6, "everybody may write", hint="chmod 700")
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        here(*words, "--state-dir", str(tmp_path / "closed")).refused(6, "permission denied", hint="--state-dir")
    assert not done.exists()


def test_one_changed_byte_anywhere_in_the_journal_is_found(tmp_path: Path, state: Path) -> None:
    done, words = _once(tmp_path)
    here(*words)
    assert done.exists()
    assert here("audit", "verify").code == 0
    for file in [*state.glob("runs/*/*.jsonl"), state / "ledger.jsonl"]:
        whole = file.read_bytes()
        middle = whole.index(b'"', len(whole) // 2) + 1
        file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        broken = here("audit", "verify")
        assert broken.code == 6, (file, broken.said)
        assert broken.out.startswith("NOT INTACT")
        assert str(file) in broken.out
        assert here("audit", "verify", "--json").code == 6
        file.write_bytes(whole)
    assert here("audit", "verify").code == 0


def test_records_that_were_removed_added_or_swapped_are_found(tmp_path: Path, state: Path) -> None:
    _, words = _once(tmp_path)
    here(*words)
    [file] = state.glob("runs/*/local.jsonl")
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    for spoilt in (lines[:-1], lines[1:], [*lines, lines[-1]], [*lines[:2], lines[3], lines[2], *lines[4:]], []):
        file.write_bytes(b"".join(spoilt))
        assert here("audit", "verify").code == 6
    file.unlink()
    assert here("audit", "verify").code == 6
    shutil.rmtree(file.parent)
    assert here("audit", "verify").code == 6


def test_a_head_that_was_kept_elsewhere_finds_a_ledger_that_was_cut(tmp_path: Path, state: Path) -> None:
    _, words = _once(tmp_path)
    here(*words)
    head = json.loads(here("audit", "verify", "--json").out)["head"]
    assert head in here("audit", "verify").out
    known = here("audit", "verify", "--expect", head)
    assert known.code == 0
    assert known.out.startswith("INTACT: ")
    assert here("audit", "verify").out.startswith("INTACT UP TO ITS END: ")
    cut = here("audit", "verify", "--expect", "0" * 64)
    assert cut.code == 6
    assert "is not in the ledger" in cut.out


def test_runs_and_report_tell_the_runs_of_the_past(tmp_path: Path) -> None:
    here("report", "last").refused(2, "no runs yet", hint="--state-dir")
    _, words = _once(tmp_path)
    here(*words, "--reason", "ticket 7")
    here(*[word for word in words if word != "--yes"])
    listed = here("runs")
    assert listed.out.startswith("2 runs")
    newest, oldest = listed.out.splitlines()[1:3]
    assert "refused" in newest
    assert "unresolved" in oldest or "failed" in oldest
    last = here("report", "last")
    assert last.out.startswith("REFUSED")
    run, first = newest.split()[0], oldest.split()[0]
    assert here("report", run).out == last.out
    here("report", "20200101T000000Z-abcd").refused(2, "there is no run", hint="runbook runs")
    here("report", "../../etc").refused(2, "there is no run", hint="runbook runs")
    assert "ticket 7" in (tmp_path / "state" / "runs" / first / "run.jsonl").read_text()


def test_a_secret_in_a_parameter_or_a_reason_is_not_kept(tmp_path: Path, state: Path) -> None:
    secrets = "parameters: {db_password: {type: string, default: x}, level: {type: integer, default: 1}}\n"
    path = book(tmp_path, look("one", "uptime"), more=secrets)
    words = ("run", path, "--host", "local", "--yes", "-p", "db_password=hunter2PW", "--reason", "password: hunter3PW")
    assert here(*words).code == 0
    kept = "".join(file.read_text("utf-8", "replace") for file in state.rglob("*") if file.is_file())
    assert "hunter" not in kept
    assert "[redacted]" in kept
    assert '"level":"1"' in kept


def test_records_that_cannot_be_written_are_no_defect(tmp_path: Path) -> None:
    here("run", book(tmp_path, look("one", "uptime")), "--host", "local", "--yes")
    ran = apart("audit", "export", "last", before=["sh", "-c", 'exec "$@" >/dev/full', "sh"])
    ran.refused(2, "the result cannot be written", hint="elsewhere")
