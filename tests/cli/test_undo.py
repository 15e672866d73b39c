"""runbook undo as a person and a script use it, on this machine and over a real sshd; the changes are real ones."""

from __future__ import annotations

import fcntl
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.books import HEAD
from tests.cli.console import Ran, here, terminal
from tests.cli.killing import KILLED, gone, killed, writes
from tests.holding import MIB, holding
from tests.sshd import Sshd

pytestmark = pytest.mark.usefixtures("machine")
STEP = """\
  - id: {id}
    name: Prefer it
    action: set_oom_score_adj
    with: {{pid: {pid}, value: {value}}}
    on_failure: continue
"""


@dataclass(frozen=True)
class Victim:
    """A process whose oom_score_adj a run changes, and a runbook that does."""

    pid: int
    book: str

    @property
    def value(self) -> int:
        return int(self._file.read_text())

    def set(self, value: int) -> None:
        self._file.write_text(f"{value}\n")

    @property
    def _file(self) -> Path:
        return Path(f"/proc/{self.pid}/oom_score_adj")


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    with holding(64 * MIB, b"victim") as process:
        steps = [STEP.format(id=name, pid=process.pid, value=value) for name, value in (("some", 500), ("more", 700))]
        path = tmp_path / "prefer.yaml"
        path.write_text(HEAD.format(name="prefer", resolved="false", more="") + "".join(steps))
        found = Victim(process.pid, str(path))
        found.set(0)
        yield found


def newest(state: Path) -> str:
    """The id of the newest run."""
    runs = json.loads(here("runs", "--json", "--state-dir", str(state)).out)["runs"]
    return str(runs[0]["run_id"])


def carried_out(victim: Victim, state: Path, *where: str) -> str:
    """The id of a run that changed the value twice, whatever others did to this machine meanwhile."""
    for _ in range(3):
        ran = here("run", victim.book, *(where or ("--host", "local")), "--yes")
        if victim.value == 700:
            return newest(state)
    raise AssertionError(ran.said)


def states(ran: Ran) -> list[tuple[str, str]]:
    summary = json.loads(ran.out.splitlines()[-1])
    return [(step["id"], step["state"]) for host in summary["hosts"] for step in host["steps"]]


def test_it_is_shown_first_and_changes_nothing(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    shown = here("undo", run, "--dry-run")
    assert shown.code == 0, shown.said
    assert f"2 of 2 changes of run {run} are to be taken back on local" in shown.out
    assert shown.out.index("back to 500") < shown.out.index("back to 0"), "the newest change first"
    for words in ("undoes: ", "500 -> 700", "provisional", "2 to take back. Nothing was changed."):
        assert words in shown.out
    assert f"runbook undo {run} --host local" in shown.out
    assert victim.value == 700
    assert newest(state) == run, "a dry run is no run"
    document = json.loads(here("undo", run, "--dry-run", "--json").out)
    assert (document["format"], document["run"]) == ("memrunbook.undo/1", run)
    assert [step["decision"] for step in document["hosts"][0]["steps"]] == ["change", "change"]


def test_nobody_to_ask_is_a_refusal_with_the_command_that_allows_it(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    refused = here("undo", run)
    assert refused.code == 5, refused.said
    assert victim.value == 700
    command = re.search(r"To allow it:\s+runbook (.*)", refused.out)
    assert command is not None, refused.out
    allowed = here(*shlex.split(command[1]))
    assert allowed.code == 0, allowed.said
    assert victim.value == 0
    assert allowed.out.startswith("RESTORED: undo of")
    assert here("audit", "verify").code == 0


def test_it_is_a_run_of_its_own_that_can_be_undone(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    assert here("undo", run, "--yes").code == 0
    undone = newest(state)
    assert f"undo of {run}" in here("runs").out
    assert "RESTORED" in here("report", undone).out
    again = here("undo", undone, "--yes", "--json")
    assert (again.code, states(again)) == (0, [("some", "done"), ("more", "done")])
    assert victim.value == 700
    third = here("undo", newest(state), "--yes", "--json")
    assert (third.code, victim.value) == (0, 0), third.said
    assert here("audit", "verify").code == 0


def test_what_is_back_already_is_not_needed_and_says_who_did_it(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    assert here("undo", run, "--yes").code == 0
    by = newest(state)
    again = here("undo", run, "--yes")
    assert again.code == 0, again.said
    assert again.out.count(f"run {by} took it back") == 2
    assert victim.value == 0


def test_what_somebody_else_changed_is_left_alone_and_said(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    victim.set(300)
    left = here("undo", run, "--yes")
    assert left.code == 5
    assert f"oom_score_adj of process {victim.pid} is 300 now; we set 700: not ours any more" in left.out
    assert victim.value == 300


def test_one_step_alone_and_what_there_is_not(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    alone = here("undo", run, "--step", "more", "--yes")
    assert (alone.code, victim.value) == (0, 500), alone.said
    here("undo", run, "--step", "none").refused(2, "step 'none'", hint="these did: some, more")
    here("undo", run, "--host", "elsewhere").refused(2, "did not work on elsewhere", hint="it did on: local")
    here("undo", "20260101T000000Z-none").refused(2, "there is no run", hint="runbook runs")


def test_a_run_that_changed_nothing_has_nothing_to_take_back(victim: Victim, state: Path) -> None:
    here("run", victim.book, "--host", "local")
    run = newest(state)
    nothing = here("undo", run)
    assert (nothing.code, nothing.out) == (0, f"Run {run} changed nothing: there is nothing to take back.\n")
    assert here("undo", run, "--dry-run").out == nothing.out
    assert newest(state) == run


def test_a_journal_that_was_changed_takes_nothing_back(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    journal = state / "runs" / run / "local.jsonl"
    journal.write_text(journal.read_text().replace("oom_score_adj", "oom_score_adX", 1))
    here("undo", run, "--yes").refused(6, "not to be trusted", hint="audit verify")
    here("undo", run, "--dry-run").refused(6, "nothing is taken back by it", hint="audit verify")
    assert victim.value == 700


def test_a_run_that_goes_on_is_not_undone(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    journal = state / "runs" / run
    (state / "ledger.jsonl").write_text("")  # so that it has no end
    with (journal / "run.jsonl").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        here("undo", run, "--yes").refused(5, "is running", hint="wait until it has ended")
    assert victim.value == 700


def test_a_person_is_asked_for_each_change(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    with terminal("undo", run, columns=80) as screen:
        screen.expect("to be taken back on local")
        screen.expect("hosts): ")
        screen.type("y\n")
        screen.expect("hosts): ")
        screen.type("n\n")
        assert screen.wait() == 5
    assert victim.value == 500
    lines = [line for line in screen.drawn.splitlines() if not line.lstrip().startswith("runbook ")]
    assert all(len(line) <= 80 for line in lines), screen.drawn


def test_options_of_the_run_that_an_undo_has_not_are_left_out(victim: Victim, state: Path, tmp_path: Path) -> None:
    run = carried_out(victim, state, "--host", "local", "--runbooks", str(tmp_path))
    done = here("undo", run, "--yes")
    assert (done.code, victim.value) == (0, 0), done.said


def test_over_ssh_the_hosts_are_reached_as_the_run_reached_them(victim: Victim, state: Path, sshd: Sshd) -> None:
    run = carried_out(victim, state, *sshd.arguments)
    done = here("undo", run, "--yes", "--json")
    assert done.code == 0, done.said
    assert (victim.value, states(done)) == (0, [("more", "done"), ("some", "done")])
    again = here("undo", newest(state), "--yes", "--json")
    assert (again.code, victim.value) == (0, 700), again.said
    assert here("audit", "verify").code == 0


def test_a_journal_whose_end_the_ledger_misses_takes_nothing_back(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    path = state / "runs" / run / "local.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    here("undo", run, "--yes").refused(6, "missing at its end", "nothing is taken back by it", hint="audit verify")
    assert victim.value == 700


APPROVALS = "allowed_signers: signers\napprovals:\n  - risk: low\n    people: 2\n    runbook: prefer\n"
FREEZE = """\
freeze:
  - {name: always, days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", until: "24:00", zone: UTC, why: no}
"""
MAXIMUM = "maximum_risk:\n  - risk: none\n    modes: [run]\n"


@pytest.mark.parametrize("text", [APPROVALS, FREEZE, MAXIMUM])
def test_undoing_an_undo_is_held_up_by_all_that_holds_up_the_run(
    victim: Victim, state: Path, tmp_path: Path, text: str
) -> None:
    run = carried_out(victim, state)
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.yaml").write_text(text)
    (config / "signers").write_text("# nobody yet\n")
    words = ("--yes", "--config-dir", str(config))
    assert here("undo", run, *words).code == 0, "what takes back is not held up"
    assert victim.value == 0
    undone = newest(state)
    again = here("undo", undone, *words)
    assert again.code == 5, again.said
    assert victim.value == 0
    (config / "config.yaml").unlink()
    assert here("undo", undone, *words).code == 0
    assert victim.value == 700
    third = newest(state)
    (config / "config.yaml").write_text(text)
    assert here("undo", third, *words).code == 0, "it takes back again"
    fourth = here("undo", newest(state), *words)
    assert (fourth.code, victim.value) == (5, 0), fourth.said


def test_a_run_that_was_killed_is_undone_past_the_lock_that_it_left(victim: Victim, state: Path) -> None:
    carried_out(victim, state)
    victim.set(0)
    command = ["run", victim.book, "--host", "local", "--yes"]
    assert killed(command, writes(state, "answered")[0], "before") == KILLED
    run = newest(state)
    gone(run)
    assert victim.value == 500
    undone = here("undo", run, "--yes")
    assert (undone.code, victim.value) == (0, 0), undone.said
    assert f"took over the lock of run {run} by " in undone.out


def test_a_run_that_was_taken_back_is_not_gone_on_with(victim: Victim, state: Path) -> None:
    carried_out(victim, state)
    victim.set(0)
    assert killed(["run", victim.book, "--host", "local", "--yes"], writes(state, "answered")[1], "before") == KILLED
    run = newest(state)
    gone(run)
    assert victim.value == 700
    assert here("undo", run, "--yes").code == 0
    by = newest(state)
    why = f"run {run} cannot be gone on with: run {by} has taken back what it did (step "
    here("resume", run, "--yes").refused(5, why, hint="begin anew: runbook run")
    here("resume", "last", "--yes").refused(5, f"run {by} has ended")
    told = here("report", run).out
    assert f"Taken back since by runbook report {by}: " in told
    assert f"runbook resume {run}" not in told
    [host] = json.loads(here("report", run, "--json").out)["hosts"]
    assert set(host["taken_back"].values()) == {by}
    assert victim.value == 0
    assert here("undo", by, "--yes").code == 0, "it is there again"
    assert victim.value != 0
    assert f"runbook resume {run}" in here("report", run).out
    assert here("resume", run, "--yes").code == 3


def test_what_somebody_changed_after_an_undo_was_undone_is_left_alone(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    assert here("undo", run, "--yes").code == 0
    assert here("undo", newest(state), "--yes").code == 0
    assert victim.value == 700
    victim.set(111)
    told = here("undo", run, "--yes", "--json")
    assert (told.code, victim.value) == (5, 111), told.said
    assert ("more", "blocked") in states(told)
    assert "took it back" not in told.said


def test_a_step_that_a_later_one_of_the_run_changed_blames_nobody_else(victim: Victim, state: Path) -> None:
    run = carried_out(victim, state)
    told = here("undo", run, "--step", "some", "--yes")
    assert told.code == 5
    assert "step more of the same run has changed it since" in " ".join(told.out.split())
    assert "undo that first (--step more)" in " ".join(told.out.split())
    assert "somebody else" not in told.said
    assert here("undo", run, "--step", "more", "--yes").code == 0
    assert here("undo", run, "--step", "some", "--yes").code == 0
    assert victim.value == 0
