"""What a command says: little with --quiet, once more in the file of --log-file, and never that it waits for nobody."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from tests.cli.books import act, book, look
from tests.cli.console import ROOT, apart, here, terminal

TIMED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ .*\S")
RECORDED = str(ROOT / "tests" / "hosts" / "swap-thrash.txt")


@pytest.fixture
def fails(tmp_path: Path) -> str:
    return book(tmp_path, look("first", "true"), act("second", "false"), act("third", "true"))


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("words", [("diagnose",), ("plan", "swap-thrashing")])
def test_quiet_leaves_the_verdict_and_the_exit_code(words: tuple[str, ...]) -> None:
    loud, quiet = (here(*words, "--replay", RECORDED, *more) for more in ((), ("-q",)))
    assert quiet.code == loud.code
    assert quiet.out.splitlines() == loud.out.splitlines()[:1]
    assert "worker.service holds" in quiet.out
    assert quiet.err == ""


@pytest.fixture
def words(request: pytest.FixtureRequest, tmp_path: Path, state: Path) -> tuple[str, ...]:
    """A command that reaches no host here, but works for long; with something to say below its verdict."""
    inventory, log = tmp_path / "hosts.ini", tmp_path / "kernel.log"
    inventory.write_text("web1\nweb2\n")
    log.write_text("Nov 22 09:41:07 web1 kernel: Out of memory: Killed process 4242 (worker), UID 0\n")
    here("diagnose", "--replay", RECORDED, "--state-dir", str(state))
    found = {"history": (), "hosts": ("-i", str(inventory)), "oom-log": (str(log),), "audit verify": ()}
    return (*request.param.split(), *found[request.param])


@pytest.mark.parametrize("words", ["history", "hosts", "oom-log", "audit verify"], indirect=True)
def test_what_works_for_long_is_quiet_and_keeps_a_log_too(words: tuple[str, ...], tmp_path: Path) -> None:
    log = tmp_path / "log"
    loud, quiet = here(*words), here(*words, "-q", "--log-file", str(log))
    assert quiet.code == loud.code
    said, shown = loud.said.splitlines(), quiet.said.splitlines()
    assert shown == said[: len(shown)]
    assert len(shown) >= 1
    logged = [line[21:].strip() for line in log.read_text().splitlines()]
    assert [line for line in said if line.strip() and line.strip() not in logged] == []


@pytest.mark.usefixtures("machine")
def test_a_quiet_run_says_what_went_wrong_and_the_verdict(fails: str) -> None:
    loud, quiet = (here("run", fails, "--host", "local", "--yes", *more) for more in ((), ("-q",)))
    assert quiet.code == loud.code == 3
    assert [line for line in quiet.err.splitlines() if "second" not in line] == []
    assert "failed" in quiet.err
    assert len(loud.err.splitlines()) > 3
    assert quiet.out.splitlines()[0].split(":")[0] == loud.out.splitlines()[0].split(":")[0]
    assert len(quiet.out.splitlines()) < 4


@pytest.mark.usefixtures("machine")
def test_the_log_has_all_that_is_said_with_times_for_its_owner_alone(fails: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("kept\n")
    log.chmod(0o644)
    ran = here("run", fails, "--host", "local", "--yes", "-q", "--log-file", str(log), "--reason", "password=hunter2")
    kept, *lines = log.read_text().splitlines()
    assert kept == "kept"
    assert all(TIMED.match(line) for line in lines), lines
    assert log.stat().st_mode & 0o777 == 0o600
    said = "\n".join(line[21:] for line in lines)
    assert "runbook run" in lines[0]
    assert said.endswith(f"exit code {ran.code}")
    assert "hunter2" not in said
    loud = here("run", fails, "--host", "local", "--yes")
    for line in ("first", "second", loud.out.splitlines()[0].split(":")[0], "Signals"):
        assert line in said, said


@pytest.mark.usefixtures("state")
def test_a_log_has_a_commands_lines_whole_however_narrow_the_terminal_is(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with terminal("diagnose", "--replay", RECORDED, "--log-file", str(log), columns=40) as screen:
        assert screen.wait() == 8
    [verdict] = [line for line in log.read_text().splitlines() if " CRITICAL: " in line]
    assert verdict.endswith(f"next: runbook plan swap-thrashing --replay {RECORDED}")
    assert "\x1b" not in log.read_text()


@pytest.mark.usefixtures("state")
def test_an_error_is_in_the_log_too(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert here("plan", "no-such-runbook", "--replay", RECORDED, "--log-file", str(log)).code == 2
    assert "error: no runbook is called 'no-such-runbook'" in log.read_text()


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("kind", ["missing", "fifo", "link"])
def test_a_log_that_cannot_be_one_is_refused_before_anything_is_done(tmp_path: Path, kind: str) -> None:
    log = tmp_path / ("none/log" if kind == "missing" else "log")
    if kind == "fifo":
        os.mkfifo(log)
    elif kind == "link":
        log.symlink_to(tmp_path / "elsewhere")
    ran = here("diagnose", "--replay", RECORDED, "--log-file", str(log))
    ran.refused(2, f"--log-file {log}", hint="a folder of your own")
    assert ran.out == ""


@pytest.mark.usefixtures("state")
def test_a_log_that_takes_no_more_ends_nothing_and_is_said(tmp_path: Path) -> None:
    limited = ("sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh")
    log = tmp_path / "log"
    log.write_text("x" * 400 + "\n")
    ran = apart("diagnose", "--replay", RECORDED, "--no-history", "--log-file", str(log), before=limited)
    assert ran.code == 8
    assert f"note: the log {log} is not whole: File too large" in ran.err


@pytest.mark.parametrize("other", ["--json", "--format=jsonl", "-v"])
def test_quiet_is_refused_with_what_asks_for_all(other: str) -> None:
    here("diagnose", "--replay", RECORDED, "-q", other).refused(2, hint="leave")


@pytest.mark.usefixtures("machine")
def test_nobody_is_waited_for_where_consent_was_given(fails: str) -> None:
    assert "waiting for an answer" not in here("run", fails, "--host", "local", "--yes").said
    with terminal("run", fails, "--host", "local", "--yes") as screen:
        screen.wait()
    assert "waiting for an answer" not in screen.drawn
    assert "waiting for an answer" not in here("run", fails, "--host", "local").said, "nobody can be asked"
