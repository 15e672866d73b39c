"""What a run rests on, in blocks that a terminal draws too."""

from __future__ import annotations

from tests.golden import samples as s

from memrunbook.core.host import HostIdentity
from memrunbook.core.run.course import Course, GateAnswered
from memrunbook.ui.block import Block
from memrunbook.ui.layout import lay_out
from memrunbook.ui.record import approval_blocks, identity_blocks, journal_blocks, plan_blocks

DIGEST = "57ff" * 16


def drawn(blocks: list[Block]) -> list[str]:
    return ["".join(span.text for span in content).rstrip() for content in lay_out(blocks, None)]


def test_the_plan_is_drawn_as_it_was_before_anything_was_done() -> None:
    said = drawn(plan_blocks(s.plan(*s.NOT_RUN)))
    assert said[1] == "Plan: 1 not needed, 1 blocked"
    assert any("guard: more than two services growing" in one for one in said)
    assert plan_blocks(None) == []


def test_each_answer_has_who_how_when_and_the_whole_digest() -> None:
    yes = GateAnswered(1_795_340_467.0, "restart", "Restart x", DIGEST, "yes", "ada", "terminal", "looks right")
    quits = GateAnswered(1_795_340_470.0, "stop", "Stop y", "", "quit-all")
    assert drawn(approval_blocks([yes, quits])) == [
        "",
        "Approvals: 2 answers",
        "  yes             restart  Restart x",
        "                  by ada, terminal, 2026-11-22 09:41:07 UTC",
        "                  why: looks right",
        f"                  digest: {DIGEST}",
        "  quit all hosts  stop     Stop y",
        "                  by nobody, 2026-11-22 09:41:10 UTC",
    ]
    assert drawn(approval_blocks([])) == ["", "Approvals", "No gate was answered in this run."]


def test_the_identity_has_what_is_known_and_nothing_else() -> None:
    known = HostIdentity(address="10.0.0.9", machine_id="m1")
    assert drawn(identity_blocks("web1", known, "0.9", "swap", "sha256:ab")) == [
        "", "Identity", "Host        web1", "Address     10.0.0.9", "Machine id  m1", "Runbook     swap, sha256:ab",
        "Engine      memrunbook 0.9",
    ]  # fmt: skip


def test_the_journal_has_its_file_its_head_and_the_command_that_verifies_it() -> None:
    said = drawn(journal_blocks(Course(head="h1", records=44, unread=2), "/x/web1.jsonl", "l9"))
    assert said[1:] == [
        "Journal", "Journal  /x/web1.jsonl", "Head     h1, 44 records", "Ledger   l9",
        "Verify   runbook audit verify --expect l9", "2 readings of it cannot be read by this version",
    ]  # fmt: skip
    assert len(drawn(journal_blocks(Course(head="h1"), "/x", ""))) == 4
