from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import API, DENIED, host, with_process, with_unit
from tests.unit.actions.shells import Machine

from memrunbook.actions.set_oom_score_adj import SCRIPT, UNDO, SetOomScoreAdj
from memrunbook.core.action.action import Risk
from memrunbook.core.units import decode

EXPOSE = SetOomScoreAdj(pid=812, value=500)
EXPOSE_UNIT = SetOomScoreAdj(unit=API.name, value=500)
USE = Use(EXPOSE)


def test_a_process_is_exposed() -> None:
    made = change(EXPOSE, host())
    assert made.summary == "oom_score_adj of search-api (pid 812) 0 -> 500"
    assert (made.target, made.identity) == ("pid 812", "process 812 start 4711 boot b001")
    assert made.args == ("812", "4711", "500")
    assert made.risk is Risk.LOW
    assert "sooner" in made.costs
    assert made.undo is not None
    assert made.undo.args == ("812", "4711", "500", "0")


def test_a_service_is_known_by_its_main_process() -> None:
    made = change(EXPOSE_UNIT, host())
    assert made.summary == "oom_score_adj of the main process of search-api.service 0 -> 500"
    assert made.target == API.name
    assert made.args == ("812", "4711", "500")


def test_a_rule_asks_the_policy_of_the_unit_that_it_runs_in() -> None:
    assert SetOomScoreAdj.policy == "limit"
    assert change(EXPOSE, host()).touches == change(EXPOSE_UNIT, host()).touches == API.name
    assert change(EXPOSE, with_process(unit="")).touches == ""


def test_our_own_session_is_left_alone() -> None:
    assert "our own session" in blocked(EXPOSE, host({"host.own_pids": [900, 812, 1]}))
    assert change(EXPOSE, host({"host.own_pids": DENIED})).touches == API.name


def test_sparing_one_is_to_the_cost_of_others() -> None:
    made = change(SetOomScoreAdj(pid=812, value=-500), host())
    assert made.risk is Risk.MEDIUM
    assert "others sooner" in made.costs


def test_databases_are_of_high_risk() -> None:
    assert change(EXPOSE, with_process(unit="postgresql.service")).risk is Risk.HIGH


def test_never_to_be_killed_is_not_offered() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"pid": 812, "value": -1000}, SetOomScoreAdj, dec_hook=decode)


def test_what_has_the_value_keeps_it() -> None:
    assert "is 500" in not_needed(EXPOSE, with_process(oom_score_adj=500))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"pid": 1}, "is not among"),
        ({"oom_score_adj": None}, "is unknown"),
        ({"oom_score_adj": -1000}, "exempted"),
        ({"parent": 2}, "kernel thread"),
        ({"name": "sshd"}, "sshd"),
        ({"unit": "session-4.scope"}, "our own way in"),
    ],
)
def test_processes_that_are_left_alone(changes: dict[str, object], word: str) -> None:
    assert word in blocked(EXPOSE, with_process(**changes))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"processes": DENIED}, "processes.all is unknown"),
        ({"host.root": False}, "root"),
        ({"host.kubernetes": True}, "Kubernetes"),
    ],
)
def test_hosts_on_which_it_is_refused(changes: dict[str, object], word: str) -> None:
    assert word in blocked(EXPOSE, host(changes))


def test_it_must_be_clear_who_is_meant() -> None:
    assert "not clear" in blocked(SetOomScoreAdj(value=1), host())
    assert "not clear" in blocked(SetOomScoreAdj(pid=812, unit=API.name, value=1), host())
    assert "no active or failed" in blocked(SetOomScoreAdj(unit="nginx.service", value=1), host())
    assert "no main process" in blocked(EXPOSE_UNIT, with_unit(main_pid=None))


@pytest.fixture
def victim() -> Iterator[tuple[int, int, int]]:
    """Pid, start and oom_score_adj of a process whose name looks like the end of a name and more."""
    rename = 'printf "a) R 1 (b" >/proc/$$/comm; echo ready; read line'
    with subprocess.Popen(["sh", "-c", rename], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        folder = Path(f"/proc/{process.pid}")
        stat = (folder / "stat").read_text()
        assert "(a) R 1 (b)" in stat
        yield process.pid, int(stat.rpartition(")")[2].split()[19]), int((folder / "oom_score_adj").read_text())


def test_the_script_and_its_undo_on_a_real_process(machine: Machine, victim: tuple[int, int, int]) -> None:
    pid, start, old = victim
    if old > 900:
        pytest.skip("our own oom_score_adj leaves no room above it")
    knob = Path(f"/proc/{pid}/oom_score_adj")
    ours = str(old + 50)
    assert machine.do(SCRIPT, str(pid), str(start), ours).status == 0
    assert knob.read_text().strip() == ours
    args = (str(pid), str(start), ours, str(old))
    assert machine.undo(UNDO, *args).status == 0
    assert knob.read_text().strip() == str(old)
    assert machine.do(UNDO, *args).status == 0
    knob.write_text(str(old + 60))
    result = machine.undo(UNDO, *args)
    assert (result.status, "somebody else has changed it" in result.text) == (4, True)


def test_another_process_with_that_pid_is_left_alone(machine: Machine, victim: tuple[int, int, int]) -> None:
    pid, start, old = victim
    gone = f"process {pid} is gone or another one by now\n"
    result = machine.do(SCRIPT, str(pid), str(start + 1), "1000")
    assert (result.status, result.text) == (3, gone)
    assert machine.undo(UNDO, str(pid), str(start + 1), "1000", "0").status == 3
    assert machine.do(SCRIPT, str(2**22 + 1), str(start), "1000").status == 3
    assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == old


def test_a_value_that_the_kernel_refuses_is_a_failure(machine: Machine, victim: tuple[int, int, int]) -> None:
    pid, start, _ = victim
    assert machine.do(SCRIPT, str(pid), str(start), "1001").status == 1
