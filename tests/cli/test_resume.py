"""What a run that was cut off leaves behind: shown everywhere, looked at, gone on with, and never just repeated."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.books import act, book
from tests.cli.console import Ran, here, terminal
from tests.cli.killing import KILLED, Where, effects, four_steps, gone, killed, writes

from memrunbook.runtime.clock import SystemClock
from memrunbook.state.run_directory import RunDirectory

pytestmark = [
    pytest.mark.usefixtures("machine"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the marks of root are where this test looks"),
]
AGAIN = "again:run_command:sh -c 'echo two >>{}/effects'"
Cut = Callable[..., str]


@pytest.fixture
def cut(tmp_path: Path, state: Path) -> Cut:
    """Cuts a run of four steps off at its second command: `after` it was asked for, or `before` its answer is kept.

    With `unseen` the host cannot tell any more how that command ended. The run's id.
    """
    (tmp_path / "whole").mkdir()
    here("run", four_steps(tmp_path / "whole"), "--host", "local", "--yes")
    asked, answered = writes(state, "asked")[1], writes(state, "answered")[1]

    def off(where: Where, *, unseen: bool = False) -> str:
        words = ["run", four_steps(tmp_path), "--host", "local", "--yes"]
        assert killed(words, asked if where == "after" else answered, where) == KILLED
        run = max(path.name for path in (state / "runs").iterdir() if "interrupted" in _line(path.name))
        gone(run)
        mark = Path(f"/run/memrunbook-{run}.started")
        if unseen:
            mark.write_text("".join(mark.read_text().splitlines(keepends=True)[:-1]))
        return run

    return off


def _line(run: str) -> str:
    return next((line for line in here("runs").out.splitlines() if run in line), "")


def run_again(folder: Path, *more: str) -> Ran:
    return here("run", str(folder / "small.yaml"), "--host", "local", "--yes", *more)


def test_the_step_in_flight_is_seen_wherever_somebody_looks(cut: Cut, tmp_path: Path) -> None:
    run = cut("before")
    told = f"two: Run sh -c 'echo two >>{tmp_path}/effects': started "
    listed = here("runs")
    assert listed.code == 7
    assert f"open: local: {told}" in listed.out
    assert "outcome unknown" in listed.out
    assert f"runbook resume {run}" in listed.out
    [opened] = [one["open"] for one in json.loads(here("runs", "--json").out)["runs"] if one["open"]]
    assert (opened[0]["step"], opened[0]["outcome"], opened[0]["run"]) == ("two", "outcome unknown", run)
    assert opened[0]["consent"] == AGAIN.format(tmp_path)
    shown = here("report", run)
    assert shown.code == 7
    assert shown.out.startswith("UNKNOWN: small on local; the run was cut off: ")
    assert "1 done, 2 skipped, 1 unknown" in shown.out
    assert told in shown.out.splitlines()[0]
    steps = json.loads(here("report", run, "--json").out)["hosts"][0]["steps"]
    assert [(step["id"], step["state"], step["open"]) for step in steps] == [
        ("one", "done", False), ("two", "unknown", True), ("three", "skipped", False), ("four", "skipped", False),
    ]  # fmt: skip
    planned = here("plan", str(tmp_path / "small.yaml"), "--host", "local")
    assert planned.code == 7
    assert planned.out.splitlines()[1].startswith("OPEN: ")
    assert told in planned.out.splitlines()[2]
    assert json.loads(here("plan", str(tmp_path / "small.yaml"), "--host", "local", "--json").out)["open"]
    refused = run_again(tmp_path)
    refused.refused(5, "an earlier run left its lock", told, hint=f"runbook resume {run}")
    assert effects(tmp_path) == {"one": 1, "two": 1}


@pytest.mark.parametrize(("where", "count"), [("after", 0), ("before", 1)])
def test_what_the_host_can_tell_is_told_and_decides(cut: Cut, tmp_path: Path, where: Where, count: int) -> None:
    run = cut(where)
    assert effects(tmp_path)["two"] == count
    resumed = here("resume", run, "--yes", "--reason", "the night shift")
    assert resumed.code == 3, resumed.said
    assert ("never began" if where == "after" else "says that its command ended well") in resumed.out
    assert effects(tmp_path) == dict.fromkeys(("one", "two", "three", "four"), 1)
    assert "4 done" in here("report", run).out
    assert here("plan", str(tmp_path / "small.yaml"), "--host", "local").code == 0
    kept = [json.loads(line) for line in here("audit", "export", run).out.splitlines()]
    [again] = [record for record in kept if record["event"] == "resumed"]
    assert again["reason"] == "the night shift"
    here("resume", run, "--yes").refused(5, f"run {run} has ended (local unresolved)", hint="runbook report")
    assert here("audit", "verify").code == 0


def test_what_nobody_can_tell_is_left_open_and_repeated_on_its_own_word_alone(cut: Cut, tmp_path: Path) -> None:
    run = cut("before", unseen=True)
    resumed = here("resume", run, "--yes", "--allow", "run_command")
    assert resumed.code == 7, resumed.said
    assert resumed.out.startswith("UNKNOWN: ")
    assert "how it ended is not on the host" in resumed.out
    assert here("report", run).code == 7
    assert "interrupted" not in _line(run)
    plain = AGAIN.format(tmp_path).removeprefix("again:")
    once_more = run_again(tmp_path, "--allow", "run_command", "--allow", plain)
    assert once_more.code == 5, once_more.said
    [allow] = [line.partition(":  ")[2] for line in once_more.out.splitlines() if line.startswith("To allow it:")]
    assert "--allow 'again:run_command:sh -c" in allow
    assert effects(tmp_path)["two"] == 1
    assert here("report", run).code == 7, "the look could not tell: it is open still"
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text("limits: {most_without_help: 9}\n")  # that word goes past no limit
    config = ("--config-dir", str(tmp_path / "config"))
    allowed = run_again(tmp_path, *config, "--allow", AGAIN.format(tmp_path))
    assert allowed.code == 3, allowed.said
    assert "let happen again" in allowed.out
    assert effects(tmp_path)["two"] == 2
    assert here("report", run).code == 0
    assert "open:" not in here("runs").out


def test_taking_the_lock_takes_nothing_else(cut: Cut, tmp_path: Path) -> None:
    run = cut("before")
    ran = run_again(tmp_path, "--break-lock", "--allow", "run_command")
    assert effects(tmp_path)["two"] == 1
    assert f"run {run} has carried it out, started " in ran.out
    broken = f"took over the lock of run {run} by "
    assert broken in ran.out
    assert broken in here("report", "last").out
    assert "Lock" in here("audit", "show", "last").out
    assert broken in " ".join(here("audit", "show", "last").out.split())
    assert here("report", run).code == 0
    resumed = here("resume", run, "--yes")
    assert resumed.code == 3, resumed.said
    assert effects(tmp_path)["two"] == 1
    assert "interrupted" not in here("runs").out


def test_at_a_terminal_the_word_is_typed(cut: Cut, tmp_path: Path) -> None:
    cut("before", unseen=True)
    words = ("run", str(tmp_path / "small.yaml"), "--host", "local", "--yes", "--break-lock")
    with terminal(*words, columns=250) as screen:
        screen.expect("Before")
        screen.expect("how it ended is not on the host")
        screen.expect(f"Type {AGAIN.format(tmp_path)} to go on")
        screen.type("y\n")
        screen.expect("A y is not enough: how it ended before is unknown.")
        screen.type(f"{AGAIN.format(tmp_path)}\n")
        screen.wait()
    assert effects(tmp_path)["two"] == 2


def test_a_runbook_that_is_another_one_by_now_is_refused(cut: Cut, tmp_path: Path) -> None:
    run = cut("after")
    path = tmp_path / "small.yaml"
    path.write_text(path.read_text() + "# changed\n")
    here("resume", run, "--yes").refused(5, "is another one by now", hint="put the file back")
    assert "interrupted" in _line(run)


def test_a_host_that_was_rebooted_cannot_tell(cut: Cut, tmp_path: Path) -> None:
    run = cut("before")
    Path(f"/run/memrunbook-{run}.started").unlink()
    Path("/run/memrunbook.lock").unlink()
    resumed = here("resume", run, "--yes")
    assert resumed.code == 7, resumed.said
    assert "its mark is not on the host any more" in resumed.out
    assert effects(tmp_path)["two"] == 1


def test_a_journal_that_was_changed_is_not_gone_on_with(cut: Cut, tmp_path: Path, state: Path) -> None:
    run = cut("after")
    path = state / "runs" / run / "local.jsonl"
    path.write_text(path.read_text().replace("echo two", "echo ten", 1))
    here("resume", run, "--yes").refused(6, "the run does not go on by it", hint="runbook audit verify")
    assert effects(tmp_path) == {"one": 1}


def test_a_torn_last_line_is_no_record(cut: Cut, tmp_path: Path, state: Path) -> None:
    run = cut("torn")
    assert here("report", run).code == 7
    assert here("resume", run, "--yes").code == 3
    assert effects(tmp_path) == dict.fromkeys(("one", "two", "three", "four"), 1)
    assert here("audit", "verify").code == 0


def test_while_another_run_holds_the_lock_nothing_is_done_and_nothing_hidden(cut: Cut, tmp_path: Path) -> None:
    run = cut("before")
    lock = Path("/run/memrunbook.lock")
    stat = Path(f"/proc/{os.getpid()}/stat").read_text()
    lock.write_text(f"20260101T000000Z-abcd ada@desk\n{os.getpid()} {stat.rpartition(')')[2].split()[19]}\n")
    try:
        resumed = here("resume", run, "--yes")
    finally:
        lock.unlink()
    assert resumed.code == 7, resumed.said
    assert "another run is at work on the host: 20260101T000000Z-abcd ada@desk" in resumed.out
    assert effects(tmp_path) == {"one": 1, "two": 1}
    again = run_again(tmp_path)
    assert f"run {run} has carried it out" in again.out
    assert effects(tmp_path)["two"] == 1


def test_a_run_that_is_running_is_left_alone(cut: Cut, tmp_path: Path, state: Path) -> None:
    run = cut("after")
    with RunDirectory.reopen(state, run, SystemClock().now):
        here("resume", run, "--yes").refused(5, f"run {run} is running", hint="wait for it")
        shown = here("report", run)
        assert shown.out.startswith("RUNNING: small on local; under way: two: Run sh -c 'echo two")
        assert shown.code == 0
    assert here("report", run).code == 7


def test_a_shell_that_dies_in_a_command_leaves_it_open_and_the_next_run_asks(tmp_path: Path) -> None:
    does = act("dies", "sh", "-c", f"echo dies >>{tmp_path / 'effects'}; kill -9 $PPID")
    path = book(tmp_path, does, resolved="memory.available_percent > 100.0")
    lost = here("run", path, "--host", "local", "--yes")
    assert lost.code == 7, lost.said
    assert "the connection was lost before the command's end was seen" in lost.out
    assert here("report", "last").code == 7
    Path("/run/memrunbook.lock").unlink()
    again = here("run", path, "--host", "local", "--yes", "--allow", "run_command")
    assert again.code == 5, again.said
    assert effects(tmp_path) == {"dies": 1}
    assert "Before" not in again.out
    assert "--allow 'again:run_command:sh -c" in again.out


def test_what_was_never_begun_is_closed(tmp_path: Path) -> None:
    here("resume", "last").refused(2, "there are no runs yet")
    path = book(tmp_path, act("one", "true"))
    assert killed(["run", path, "--host", "local", "--yes"], 1, "after") == KILLED
    here("resume", "last").refused(5, "cut off before it had begun", hint="repeat the command")
    assert "ended" in here("runs").out
