from __future__ import annotations

import os
from pathlib import Path

from tests.unit.actions.shells import Machine

from memrunbook.actions.shared.scripts import OWN_CHILD, SAME_RUN, STILL_GOING, WRITE_SLOWLY

SAME = SAME_RUN + 'same_run "$@"\n'
WRITE = WRITE_SLOWLY + 'write_slowly "$@"\n'


def test_the_same_run_is_recognised(machine: Machine) -> None:
    machine.shows(MainPID="812", InvocationID="4f1c")
    assert machine.do(SAME, "search-api.service", "812", "4f1c").status == 0


def test_another_main_process_is_not_the_same_run(machine: Machine) -> None:
    machine.shows(MainPID="8121", InvocationID="4f1c")
    result = machine.do(SAME, "search-api.service", "812", "4f1c")
    assert (result.status, result.text) == (3, "search-api.service has another main process by now\n")


def test_another_invocation_is_not_the_same_run(machine: Machine) -> None:
    machine.shows(MainPID="0", InvocationID="9999")
    result = machine.do(SAME, "report.service", "0", "4f1c")
    assert (result.status, result.text) == (3, "report.service was started again meanwhile\n")


def test_an_old_systemd_without_invocations_is_known_by_the_process(machine: Machine) -> None:
    machine.shows(MainPID="812")
    assert machine.do(SAME, "search-api.service", "812", "").status == 0


def test_without_systemctl_nothing_is_the_same_run(machine: Machine) -> None:
    assert machine.do(SAME, "search-api.service", "812", "4f1c").status == 1


def test_a_slow_write_ends_with_the_status_of_the_write(machine: Machine, tmp_path: Path) -> None:
    knob = tmp_path / "knob"
    assert machine.do(WRITE, str(knob), "$(id) 1", "30").status == 0
    assert knob.read_text() == "$(id) 1\n"
    refused = machine.do(WRITE, str(tmp_path / "none" / "knob"), "1", "30")
    assert refused.status == 1
    assert "the kernel refused 1 for" in refused.text


def test_a_write_that_takes_longer_than_the_wait_is_unknown(machine: Machine, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    result = machine.do(WRITE, str(fifo), "1", "1")
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    os.close(reader)
    assert result.status == STILL_GOING
    assert "goes on without us" in result.text


def test_an_undo_brings_its_own_child_where_there_is_none(machine: Machine) -> None:
    assert machine.undo(OWN_CHILD + "child echo here", "x").text == "here\n"
    assert machine.do("child() { echo mine; }\n" + OWN_CHILD + "child echo here", "x").text == "mine\n"
