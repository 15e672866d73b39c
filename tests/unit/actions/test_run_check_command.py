from __future__ import annotations

from tests.unit.actions.decisions import Use, blocked, change
from tests.unit.actions.hosts import host
from tests.unit.actions.shells import Machine

from memrunbook.actions.run_check_command import RunCheckCommand
from memrunbook.core.action.action import IN_ARGUMENTS, Repeat, Risk

USE = Use(RunCheckCommand(command=("free", "-m")))


def test_a_reader_needs_no_gate_and_its_output_is_evidence() -> None:
    made = change(RunCheckCommand(command=("grep", "-i", "my page", "/proc/meminfo")), host())
    assert made.summary == "Look with grep -i 'my page' /proc/meminfo"
    assert made.target == made.command == "grep -i 'my page' /proc/meminfo"
    assert (made.risk, made.repeat, made.evidence) == (Risk.NONE, Repeat.READ, True)
    assert made.acts_on == (IN_ARGUMENTS,)


def test_a_program_that_may_do_anything_is_asked_for() -> None:
    assert change(RunCheckCommand(command=("/usr/local/bin/check",)), host()).risk is Risk.LOW
    assert change(RunCheckCommand(command=("./free",)), host()).risk is Risk.LOW
    assert change(RunCheckCommand(command=("systemctl", "reboot")), host()).risk is Risk.LOW


def test_it_needs_a_process() -> None:
    assert "fork" in blocked(RunCheckCommand(command=("free",)), host(fork_ok=False))


def test_the_status_of_a_check_is_part_of_what_it_says(machine: Machine) -> None:
    made = change(RunCheckCommand(command=("grep", "nothing", "/dev/null")), host())
    result = machine.do(made.script, *made.args)
    assert (result.status, result.text) == (0, "exit status 1\n")


def test_a_program_that_is_not_there_is_a_failure(machine: Machine) -> None:
    made = change(RunCheckCommand(command=("no-such-program-here",)), host())
    result = machine.do(made.script, *made.args)
    assert result.status == 1
    assert result.text.endswith("exit status 127\n")
