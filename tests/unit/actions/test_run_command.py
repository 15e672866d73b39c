from __future__ import annotations

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change
from tests.unit.actions.hosts import DENIED, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.run_command import RunCommand
from memrunbook.core.action.action import IN_ARGUMENTS, Repeat, Risk
from memrunbook.core.units import Duration, decode

USE = Use(RunCommand(command=("true",), risk="low"))


def test_a_command_is_run_once_with_the_risk_that_its_author_declares() -> None:
    action = RunCommand(command=("jcmd", "812", "GC.run"), risk="medium", costs="a pause", timeout=Duration(90))
    made = change(action, host())
    assert (made.summary, made.target, made.risk) == ("Run jcmd 812 GC.run", "jcmd 812 GC.run", Risk.MEDIUM)
    assert (made.args, made.timeout, made.costs) == (("jcmd", "812", "GC.run"), 90.0, "a pause")
    assert made.repeat is Repeat.ONCE
    assert made.acts_on == (IN_ARGUMENTS,)
    assert made.verify is None


def test_what_is_shown_is_bounded_and_quoted() -> None:
    made = change(RunCommand(command=("logger", "a b\x1b[0m", "x" * 500), risk="low"), host())
    assert "\x1b" not in made.summary
    assert "'a b" in made.summary
    assert len(made.summary) <= 130


@pytest.mark.parametrize(
    "parameters", [{"command": [], "risk": "low"}, {"command": ["x"]}, {"command": ["x"], "risk": "none"}]
)
def test_a_program_and_a_risk_are_needed(parameters: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(parameters, RunCommand, dec_hook=decode)


def test_hosts_on_which_it_is_refused() -> None:
    action = RunCommand(command=("true",), risk="low")
    assert "Kubernetes" in blocked(action, host({"host.kubernetes": True}))
    assert "fork" in blocked(action, host(fork_ok=False))
    assert "boot_id" in blocked(action, host({"host": DENIED}))


def test_arguments_are_never_shell_text(machine: Machine) -> None:
    made = change(RunCommand(command=("printf", "%s|", "$(id)", "a b", "*", "; exit"), risk="low"), host())
    result = machine.do(made.script, *made.args)
    assert (result.status, result.text) == (0, "$(id)|a b|*|; exit|")


def test_any_other_status_is_a_failure_and_never_taken_for_one_of_ours(machine: Machine) -> None:
    made = change(RunCommand(command=("sh", "-c", "cat; exit 4"), risk="low"), host())
    result = machine.do(made.script, *made.args)
    assert (result.status, result.text) == (1, "exit status 4\n")
