"""An account of a host's journal: each change with the consent to it and what came of it, whatever the lines say."""

from __future__ import annotations

from typing import Any

import msgspec

from memrunbook.core.run.account import ChangeAccount, JournaledLine, account_of
from memrunbook.core.run.event import LockBroken

CHANGE = {"action": "set_sysctl", "target": "vm.x", "summary": "vm.x 1 -> 2", "effect": "idempotent"}


def line(event: str, **parts: Any) -> JournaledLine:
    content = msgspec.json.encode({"event": event, "time": f"T {event}", "hash": "h", **parts})
    return msgspec.json.decode(content, type=JournaledLine)


def gate(step: str = "act", item: str = "") -> JournaledLine:
    return line("asked", request={"type": "AskApproval", "step": {"id": step, "item": item, "change": CHANGE}})


def approval(answer: str = "yes", why: str = "") -> JournaledLine:
    return line("answered", answer={"type": "Approval", "answer": answer, "who": "ada", "how": "terminal", "why": why})


def execute(step: str = "act", *, undo: bool = False, effect: str = "idempotent") -> JournaledLine:
    change = {**CHANGE, "effect": effect}
    return line("asked", request={"type": "Execute", "step": step, "change": change, "undo": undo})


def answered(kind: str) -> JournaledLine:
    return line("answered", answer={"type": kind})


def finished(state: str, step: str = "act", item: str = "") -> JournaledLine:
    return line("recorded", record={"type": "step-finished", "id": step, "item": item, "state": state})


def told(*lines: JournaledLine) -> tuple[ChangeAccount, ...]:
    return account_of("web-1", lines).changes


def test_a_change_with_its_consent_and_its_end() -> None:
    found = account_of(
        "web-1",
        [gate("act", "web"), approval(), answered("Snapshot"), execute("act/web"), answered("Done"),
         finished("done", "act", "web"), line("recorded", record={"type": "run-finished", "outcome": "resolved"})],
    )  # fmt: skip
    assert (found.host, found.outcome) == ("web-1", "resolved")
    [change] = found.changes
    assert (change.step, change.action, change.target) == ("act/web", "set_sysctl", "vm.x")
    assert (change.answer, change.who, change.how) == ("yes", "ada", "terminal")
    assert (change.at, change.answered) == ("T asked", "T answered"), "who thinks for long consents later"
    assert (change.state, change.ended, change.record) == ("Done", "done", "h")


def test_a_lock_that_was_broken_is_told() -> None:
    broken = line("recorded", record={"type": "lock-broken", "owner": "R2 you", "shell": "stale"})
    assert account_of("web-1", [broken, finished("done")]).broken == (LockBroken("R2 you", "stale"),)


def test_a_refused_change_was_not_made() -> None:
    [change] = told(gate(), approval("no", "declined"), finished("refused"))
    assert (change.answer, change.why, change.state, change.ended, change.record) == (
        "no", "declined", "asked", "refused", ""
    )  # fmt: skip


def test_a_change_that_was_begun_and_has_no_end() -> None:
    [change] = told(gate(), approval(), execute())
    assert (change.state, change.ended) == ("begun", "")
    assert told(gate())[0].answer == ""


def test_what_the_engine_takes_back_by_itself_has_no_gate() -> None:
    made, back = told(
        gate(), approval(), execute(), answered("Done"), execute(undo=True), answered("Done"), finished("undone")
    )
    assert (made.undo, made.state, made.ended) == (False, "Done", "undone")
    assert (back.undo, back.answer, back.state) == (True, "", "Done")


def test_each_try_of_a_change_is_one_of_its_own() -> None:
    first, second = told(
        gate(), approval(), execute(), answered("Failed"), execute(), answered("Done"), finished("done")
    )
    assert (first.state, second.state) == ("Failed", "Done")
    assert (second.answer, second.who) == ("yes", "ada"), "the consent was to every try"


def test_what_only_looks_is_no_change() -> None:
    assert told(execute(effect="read"), answered("Done")) == ()


def test_lines_that_no_version_wrote_are_passed_over() -> None:
    odd = [
        line("asked", request=5), line("asked", request={"type": "AskApproval", "step": "x"}), line("answered"),
        line("recorded", record=[]), line("error", error="Refused"),
        line("asked", request={"type": "Execute", "step": 5}),
    ]  # fmt: skip
    found = account_of("web-1", odd)
    assert (found.outcome, len(found.changes)) == ("", 2)
