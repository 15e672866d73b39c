"""An `apply` that was cut off goes on: what was approved needs no second approval, everything else is asked."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from tests.cli.console import here
from tests.cli.killing import KILLED, effects, four_steps, gone, killed, writes

from memrunbook.app.applying import PlanApprover, approved_by
from memrunbook.app.others import OthersFirst
from memrunbook.app.still_approved import Approvals, StillApproved
from memrunbook.core.instant import Instant
from memrunbook.core.plan.approval import ApprovalRule
from memrunbook.core.run.record import Resumed
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.state.approvals import SignedApproval, add_approval
from memrunbook.state.lines import read_lines
from memrunbook.state.plans import PlanFile, load_plan
from memrunbook.state.run_directory import APPLIED_PLAN, RUN
from memrunbook.state.runs import runs
from memrunbook.state.store import plans
from memrunbook.state.store.changes import Store

pytestmark = [
    pytest.mark.usefixtures("machine"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the marks of root are where this test looks"),
]


@pytest.fixture
def cut(tmp_path: Path, state: Path) -> Path:
    """A saved plan of four steps, whose `apply` died in the middle of its second command; its run is the newest."""
    (tmp_path / "whole").mkdir()
    here("run", four_steps(tmp_path / "whole"), "--host", "local", "--yes")
    at, path = writes(state, "answered")[1], tmp_path / "plan.json"
    assert here("plan", four_steps(tmp_path), "--host", "local", "--out", str(path)).code == 0
    assert killed(["apply", str(path)], at, "before") == KILLED
    gone(runs(state)[0].run_id)
    assert effects(tmp_path) == {"one": 1, "two": 1}
    return path


def test_what_was_approved_is_done_without_a_second_word(cut: Path, tmp_path: Path) -> None:
    resumed = here("resume", "last")
    assert resumed.code == 3, resumed.said
    assert "Steps: 4 done" in resumed.out
    assert effects(tmp_path) == dict.fromkeys(("one", "two", "three", "four"), 1)
    assert f"apply {load_plan(cut).digest[:8]}" in here("audit", "show", "last", "-v").out.replace("sha256:", "")
    here("apply", str(cut)).refused(5, "carried out before", hint="plan again")


def test_a_run_that_goes_on_keeps_the_approvals_as_they_are_judged_then(cut: Path, state: Path) -> None:
    run = runs(state)[0].path
    digest, content = load_plan(cut).digest, cut.read_bytes()
    signature = SignedApproval(principal="ada", key="", time="", signature="none at all")
    add_approval(cut, signature)
    assert here("resume", "last").code == 5, "the approval is not for this file: others are asked, and nobody is here"
    [resumed] = read_lines(run / RUN, Resumed, having=b'"resumed"')
    assert resumed.applied is not None
    assert resumed.applied.digest == digest
    assert [(one.principal, one.judged) for one in resumed.applied.signatures or ()] == [("ada", "faulty")]
    assert (run / APPLIED_PLAN).read_bytes() == content
    assert here("audit", "verify").code == 0
    assert "approved by nobody; the approval by ada is not for this file" in " ".join(
        here("audit", "show", "last").out.split()
    )


def test_what_another_node_began_meanwhile_does_not_go_on(cut: Path, tmp_path: Path, state: Path) -> None:
    digest, run = load_plan(cut).digest, runs(state)[0].run_id
    with closing(Store.open(state)) as store:
        mine = plans.claimed(store, digest, "local")
        assert mine is not None
        assert (mine.run, mine.until) == (run, load_plan(cut).saved.plans[0].expires_at)
        plans.forget(store, mine.until + 1.0)
        assert plans.claim(store, msgspec.structs.replace(mine, run="20261130T000000Z-zzzz", actor="bob@ctl-b")) is None
    here("resume", "last").refused(5, "carried out before", "20261130T000000Z-zzzz by bob@ctl-b", hint="plan again")
    assert effects(tmp_path) == {"one": 1, "two": 1}


def test_a_plan_that_is_not_there_any_more_is_asked_about(cut: Path, tmp_path: Path) -> None:
    cut.rename(tmp_path / "elsewhere.json")
    refused = here("resume", "last")
    assert refused.code == 5, refused.said
    assert f"the approval of {cut} does not cover it: the plan cannot be read" in refused.out
    assert effects(tmp_path) == {"one": 1, "two": 1}


def test_a_plan_that_was_changed_is_asked_about(cut: Path, tmp_path: Path) -> None:
    cut.write_bytes(cut.read_bytes() + b"\n")
    refused = here("resume", "last")
    assert refused.code == 5, refused.said
    assert "does not cover it: the file is another one by now" in refused.out
    assert here("resume", "last", "--yes").code == 5, "that run has ended: refused is refused"
    assert effects(tmp_path) == {"one": 1, "two": 1}


class Nobody:
    """Says no, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[AskApproval] = []

    def approve(self, host: str, question: AskApproval) -> Approval:
        del host
        self.asked.append(question)
        return Approval(question.snapshot_at, "no", question.step.digest, why="nobody is here")


def covered(
    file: PlanFile, state: Path, rules: tuple[ApprovalRule, ...] = (), people: int = 0, **more: object
) -> tuple[StillApproved, Nobody, AskApproval]:
    """What is approved of a plan, who is asked else, and the question for its first change."""
    nobody, plan = Nobody(), file.saved.plans[0]
    approvals = Approvals("plan.json", PlanApprover(approved_by(file, state), file.digest, "ada"), people)
    late = Instant(plan.expires_at + 1, 0.0)
    now = late if more.pop("late", False) else plan.taken_at
    asked = AskApproval(next(iter(plan.changes)), plan.taken_at)
    others = OthersFirst(nobody, rules, "small", lambda: now)
    return StillApproved(approvals, others, lambda: now), nobody, msgspec.structs.replace(asked, **more)


@pytest.fixture
def saved(tmp_path: Path) -> PlanFile:
    assert here("plan", four_steps(tmp_path), "--host", "local", "--out", str(tmp_path / "plan.json")).code == 0
    return load_plan(tmp_path / "plan.json")


def test_exactly_what_was_approved_counts_and_only_in_its_time(saved: PlanFile, state: Path) -> None:
    still, nobody, question = covered(saved, state)
    assert still.approve("local", question).answer == "yes"
    assert nobody.asked == []
    assert "it is for other hosts" in still.approve("other", question).why
    another = msgspec.structs.replace(question.step, id="two")
    assert "another change" in still.approve("local", msgspec.structs.replace(question, step=another)).why
    still, nobody, question = covered(saved, state, late=True, changed="it moved")
    assert still.approve("local", question).why.endswith("does not cover it: the plan has expired")
    assert nobody.asked[0].changed.startswith("it moved; the approval of plan.json does not cover it")


def test_what_a_reboot_or_a_limit_or_an_offer_asks_is_asked(saved: PlanFile, state: Path) -> None:
    still, nobody, question = covered(saved, state)
    differs = still.approvals.approved()["local"].differs
    assert differs is not None
    for more in ({"limits": ("enough",)}, {"offered": True}):
        assert still.approve("local", msgspec.structs.replace(question, **more)).why == "nobody is here"
    plan = saved.saved.plans[0]
    identity = msgspec.structs.replace(plan.identity, boot_id="next")
    from memrunbook.core.plan.saved import other_host

    different = other_host(plan.identity, identity)
    assert different is not None
    differs(different)
    assert "rebooted" in still.approve("local", question).why
    assert len(nobody.asked) == 3


def test_others_come_first_for_what_would_be_done_and_count_for_what_they_approved(
    saved: PlanFile, state: Path
) -> None:
    rules, words = (ApprovalRule(people=2),), "asks for the approval of 2 people"
    still, nobody, question = covered(saved, state, rules, people=1)
    assert words in still.approve("local", question).why
    still, nobody, question = covered(saved, state, rules, people=2)
    assert still.approve("local", question).answer == "yes"
    another = msgspec.structs.replace(question.step, id="two")
    assert words in still.approve("local", msgspec.structs.replace(question, step=another)).why
    assert nobody.asked == []
    limited = msgspec.structs.replace(question, limits=("it was done a minute ago",))
    assert still.approve("local", limited).why == "nobody is here", "a person is asked: the two have approved it"
