"""The engine is killed (SIGKILL) at every record of a run, against OpenSSH's own server, and the run gone on with.

Each once-only effect happens once, whatever happened in between, and every run ends in a state that is true.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import needs_login
from tests.cli.console import here
from tests.cli.killing import KILLED, Where, effects, four_steps, gone, killed, left_on_host, writes
from tests.sshd import Sshd, make_key, public, running

from memrunbook.app.reporting import list_runs, report

pytestmark = pytest.mark.usefixtures("machine")
UNANSWERED: tuple[Where, ...] = ("before", "torn")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    needs_login()
    with running(tmp_path_factory.mktemp("host")) as server:
        yield server


def cut_off_and_gone_on_with(folder: Path, host: Sshd, at: int, where: Where) -> bool:
    """False where the run had ended before it could be killed; what is said of it in the end is true."""
    state = folder.parent / "state"
    folder.mkdir()
    path = Path(four_steps(folder))  # a name of its own: runs of one runbook that do not help stop that one
    path.write_text(path.read_text().replace("name: small", f"name: small-{folder.name}"))
    code = killed(["run", str(path), *host.arguments, "--yes"], at, where)
    assert all(count == 1 for count in effects(folder).values())
    if code == KILLED:
        resumed = here("resume", "last", "--yes")
        assert "Traceback" not in resumed.said
        assert resumed.code in (3, 5, 7), resumed.said
    is_true(state, effects(folder))
    return code == KILLED


def is_true(state: Path, done: Counter[str]) -> None:
    """What is said of each step is what happened, and nothing is left running or interrupted."""
    run = list_runs(state).runs[0]
    assert run.state == "ended"
    for told in report(state, run.run_id).reports:
        assert told.outcome not in ("running", "interrupted")
        for step in told.steps:
            expected = {"done": [1], "failed": [1], "unknown": [0, 1]}.get(step.state, [0])
            assert done[step.id] in expected, (step, done)
            assert step.state != "unknown" or step.open
    assert all(count == 1 for count in done.values())


@pytest.mark.timeout(300)
def test_killed_at_every_record_each_effect_happens_once_and_the_end_is_true(
    tmp_path: Path, state: Path, host: Sshd
) -> None:
    at = 1
    while cut_off_and_gone_on_with(tmp_path / f"{at}", host, at, "after"):
        at += 1
    ended = list_runs(state)
    assert len(ended.runs) == at
    assert ended.open == ()
    assert at > 40
    assert not left_on_host(state)
    assert here("audit", "verify").code == 0


@pytest.mark.timeout(300)
def test_killed_between_a_command_and_its_answer_the_host_tells_how_it_ended(
    tmp_path: Path, state: Path, host: Sshd
) -> None:
    assert not cut_off_and_gone_on_with(tmp_path / "whole", host, 10_000, "after")
    for at in writes(state, "answered", "127.0.0.1"):
        for where in UNANSWERED:
            folder = tmp_path / f"{at}-{where}"
            assert cut_off_and_gone_on_with(folder, host, at, where)
            assert set(effects(folder).values()) == {1}
            assert len(effects(folder)) == 4
    assert list_runs(state).open == ()
    assert here("audit", "verify").code == 0
    assert not left_on_host(state)


@pytest.mark.timeout(120)
def test_a_host_whose_key_has_changed_is_not_gone_on_with_and_its_step_stays_open(
    tmp_path: Path, state: Path, host: Sshd
) -> None:
    assert not cut_off_and_gone_on_with(tmp_path / "whole", host, 10_000, "after")
    folder = tmp_path / "cut"
    folder.mkdir()
    at = writes(state, "answered", "127.0.0.1")[0]
    assert killed(["run", four_steps(folder), *host.arguments, "--yes"], at, "before") == KILLED
    other = tmp_path / "other"
    make_key(other)
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{host.port} {public(tmp_path / 'other.pub')}\n")
    resumed = here("resume", "last", "--yes", "--known-hosts", str(known))
    assert resumed.code == 7, resumed.said
    assert "THE HOST KEY HAS CHANGED" in resumed.out
    assert "it could not be looked at" in resumed.out
    assert "To allow it" not in resumed.out
    is_true(state, effects(folder))
    run = list_runs(state).runs[0].run_id
    assert f"Go on    runbook resume {run}" in resumed.out
    assert "3 skipped" in resumed.out, "what was not reached is listed"
    assert here("runs").code == 7
    once_more = here("resume", "last", "--yes", "--known-hosts", str(known))
    assert once_more.code == 7, once_more.said
    gone(run)
    again = here("resume", run, "--yes")
    assert again.code == 3, again.said
    assert "4 done" in again.out
    assert "Steps: 4 done" in here("report", run).out
    assert here("runs").code == 0
    assert effects(folder) == dict.fromkeys(("one", "two", "three", "four"), 1)
    assert list_runs(state).open == ()
