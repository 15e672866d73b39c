"""Journals held against a host's own log: what was changed, cut or deleted is found; what logs lose is no fault."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.state.conftest import NOW, RUN_ID

from memrunbook.core.host import HostIdentity
from memrunbook.runtime.witness import HostLog, Witness
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.witness import LogComparison, compare, made

NODE = os.uname().nodename
KEY = "SHA256:abc"


def asked(step: str, time: str, kind: str = "Execute") -> dict[str, object]:
    return {
        "event": "asked", "host": "web-1", "time": time, "actor": {"user": "ada", "control_node": "ctl-1"},
        "identity": {"host_key": KEY}, "request": {"type": kind, "step": step},
    }  # fmt: skip


@pytest.fixture
def records(state: Path) -> list[Witness]:
    """A run of two changes; the lines that they left on the host."""
    with RunDirectory.create(state, RUN_ID, lambda: NOW) as run:
        journal = run.host("web-1")
        journal.append(asked("look", "1", "ReadFacts"))
        first = journal.append(asked("one", "2"))
        second = journal.append(asked("two/web", "3"))
        journal.append({"event": "answered", "host": "web-1", "answer": {"type": "Done", "output": '"Execute"'}})
        run.end()
    return [Witness(RUN_ID, "one", first[:16], f"ada@{NODE}"), Witness(RUN_ID, "two/web", second[:16])]


def against(state: Path, *lines: Witness, name: str = "web-1", problem: str = "") -> LogComparison:
    return compare(state, name, HostIdentity(host_key=KEY), HostLog(lines, ("its journal",), problem))


def messages(found: LogComparison) -> list[tuple[str, str]]:
    return [(one.level, one.message) for one in found.findings]


def test_two_logs_that_agree(state: Path, records: list[Witness]) -> None:
    found = against(state, *records)
    assert (found.here, found.agreed, found.end_known, found.findings) == (2, 2, True, ())
    assert [one.step for one in made(state)] == ["one", "two/web"]
    assert against(state, *records, name="10.0.0.7").agreed == 2, "the host key tells who it is"
    assert not against(state, *records, problem="it was cut").end_known


def test_a_log_that_was_rotated_or_lost_with_a_reboot_is_no_fault(state: Path, records: list[Witness]) -> None:
    newest = against(state, records[1])
    assert (newest.here, newest.agreed, newest.end_known, newest.findings) == (2, 1, True, ())
    oldest = against(state, records[0])
    assert (oldest.agreed, oldest.end_known, oldest.findings) == (1, False, ())
    nothing = compare(state, "web-9", HostIdentity(), HostLog((), ()))
    assert (nothing.here, nothing.end_known, nothing.findings) == (0, False, ())


def test_a_change_that_was_altered_here_and_sealed_again(state: Path, records: list[Witness]) -> None:
    was = Witness(RUN_ID, "two/web", "0" * 16)
    [(level, message)] = messages(against(state, records[0], was))
    assert level == "error"
    assert message.startswith(f"step two/web of run {RUN_ID} was made under record {'0' * 16}")
    assert message.endswith("it was changed and sealed again")


def test_a_change_that_was_cut_off_here(state: Path, records: list[Witness]) -> None:
    [(level, message)] = messages(against(state, *records, Witness(RUN_ID, "three", "0" * 16)))
    assert (level, message.rpartition(", ")[2]) == ("error", "which its journal here does not hold: it was cut")


def test_runs_that_are_not_here(state: Path, records: list[Witness]) -> None:
    other = "20261123T094107Z-efgh"
    lines = [Witness(other, step, step * 16) for step in "abc"]
    [(level, message)] = messages(against(state, *records, *lines))
    assert level == "error"
    assert message == (
        f"3 changes on web-1 that this journal does not hold: run {other}: "
        "deleted here, or made with another state directory or from another control node"
    )
    mine = [Witness(other, "a", "a" * 16, f"ada@{NODE}"), Witness(other, "b", "b" * 16, "eve@ctl-1")]
    for line in mine:
        [(level, message)] = messages(against(state, *records, line))
        assert (level, "deleted here, or made with another state directory" in message) == ("error", True)
    [(level, message)] = messages(against(state, *records, Witness(other, "a", "a" * 16, "mary@ctl-2")))
    assert (level, message.rpartition(", ")[2]) == ("note", "made by mary@ctl-2: another control node")


def test_a_flood_of_strange_runs_is_one_finding(state: Path, records: list[Witness]) -> None:
    strange = [Witness(f"20261123T0941{number:02}Z-efgh", "a", "a" * 16) for number in range(12)]
    [(_, message)] = messages(against(state, *records, *strange))
    assert message.startswith("12 changes on web-1 that this journal does not hold: runs 20261123T094100Z-efgh, ")
    assert "20261123T094109Z-efgh and 2 more: " in message
