"""Who may approve, with which key: every way to a signature, and every reason why there is none."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.cli.agents import AGENT, agent, line, person, silent_agent
from tests.cli.console import terminal
from tests.lab.scripted import at
from tests.lab.small import runbook, snapshot, step
from tests.sshd import MISSING, make_key
from tests.unit.state.test_signatures import integer, security_key, string

from memrunbook.app.applying import PlanApprover
from memrunbook.app.approving import ApproveArguments, ApproveResult, approve
from memrunbook.core.errors import Refused, RunbookError, UsageError
from memrunbook.core.host import Host
from memrunbook.core.instant import Instant
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.plan.saved import SavedPlan
from memrunbook.core.run.applied import ApprovedPlan
from memrunbook.core.run.record import Actor
from memrunbook.core.run.request import AskApproval, GateAnswer
from memrunbook.documents.library import Library
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.approvals import approvals_file
from memrunbook.state.plans import PlanFile, load_plan, save_plan
from memrunbook.testing import ScriptedApprover
from memrunbook.transports.shared import signing

pytestmark = pytest.mark.skipif(not AGENT, reason=MISSING)
ADA = Actor(user="ada")
NOW = SystemClock().now()
BOOK = runbook(step("one", values={"risk": 2}), step("look", values={"kind": "read", "risk": 0}))


def planned(folder: Path, creator: str = "carol", expires: float = 900.0) -> PlanFile:
    plan = make_plan(BOOK, snapshot(0.0, **at(5.0)))
    plan = msgspec.structs.replace(plan, taken_at=NOW, expires_at=NOW.utc + expires)
    digests = tuple(one.digest for one in plan.changes)
    saved = SavedPlan(
        engine="0", creator=creator, runbook="lab", hosts=(Host("lab"),), plans=(plan,), digests=(digests,)
    )
    save_plan(folder / "plan.json", saved)
    return load_plan(folder / "plan.json")


def library(folder: Path, allowed: str, people: int = 2) -> Library:
    (folder / "allowed").write_text(allowed)
    (folder / "config.yaml").write_text(f"approvals: [{{people: {people}}}]\nallowed_signers: allowed\n")
    return Library(settings=folder / "config.yaml")


def approved(plan: PlanFile, where: Library | None = None, *answers: GateAnswer, **more: Any) -> ApproveResult:
    arguments = ApproveArguments(plan=plan, library=where or Library(), actor=ADA, **more)
    return approve(arguments, ScriptedApprover(answers or ("yes",)))


def fails(kind: type[RunbookError], words: str, plan: PlanFile, where: Library | None = None, **more: Any) -> None:
    with pytest.raises(kind, match=words):
        approved(plan, where, **more)
    assert not approvals_file(plan.path).exists()


def test_the_key_of_the_usual_file_signs_for_whoever_runs_it(tmp_path: Path, own_home: Path) -> None:
    plan = planned(tmp_path)
    fails(UsageError, "there is no key to sign with", plan)
    make_key(own_home / ".ssh" / "id_ed25519")
    result = approved(plan)
    assert (result.approval.principal, result.lacking, result.file) == ("ada", 0, approvals_file(plan.path))
    assert approved(plan, principal="ada@example.com").approval.principal == "ada@example.com"


def test_the_agents_key_that_counts_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, keys = planned(tmp_path), [person(tmp_path, name) for name in ("ada", "other")]
    where = library(tmp_path, line("ada@example.com", keys[0]))
    with agent(tmp_path, keys[1], keys[0]) as place:
        monkeypatch.setenv("SSH_AUTH_SOCK", place)
        fails(UsageError, "there are several keys", plan)
        result = approved(plan, where)
        assert (result.approval.principal, result.lacking) == ("ada@example.com", 1)
        by_file = approved(plan, where, key=Path(f"{keys[0]}.pub"))
        assert by_file.approval.key == result.approval.key
        assert by_file.lacking == 1, "the same person once more"
    approvals_file(plan.path).unlink()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    fails(UsageError, "there is no key to sign with", plan, where)


def test_what_would_not_count_is_not_signed(tmp_path: Path) -> None:
    ada = person(tmp_path, "ada")
    plan = planned(tmp_path)
    fails(Refused, "would not count: the key SHA256:.* is not in", plan, library(tmp_path, ""), key=ada)
    where = library(tmp_path, line("bob", ada))
    fails(Refused, "the key is bob's", plan, where, key=ada, principal="ada")
    fails(Refused, "ada made the plan", planned(tmp_path, creator="ada"), key=ada)
    fails(Refused, "ada made the plan", planned(tmp_path, creator="mcp:ada"), key=ada)  # an assistant, for her
    fails(Refused, "expired: approved: until", planned(tmp_path, expires=-1.0), key=ada)


def test_no_to_any_change_signs_nothing(tmp_path: Path) -> None:
    plan, ada = planned(tmp_path), person(tmp_path, "ada")
    answers: tuple[GateAnswer, ...] = ("no", "skip", "quit")
    for answer in answers:
        with pytest.raises(Refused, match="not approved"):
            approved(plan, None, answer, key=ada)
    harmless = msgspec.structs.replace(plan.saved.plans[0], steps=plan.saved.plans[0].steps[1:])
    changed = msgspec.structs.replace(plan.saved, plans=(harmless,), digests=(plan.saved.digests[0][1:],))
    save_plan(plan.path, changed)
    fails(Refused, "changes nothing that would need an approval", load_plan(plan.path), key=ada)


def test_a_key_that_cannot_sign_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(tmp_path)
    make_key(tmp_path / "locked", passphrase="secret words")
    fails(Refused, f"{tmp_path / 'locked'} did not sign", plan, key=tmp_path / "locked")
    (tmp_path / "odd.pub").write_text("hello\n")
    fails(UsageError, "there is no public key", plan, key=tmp_path / "odd")
    ada = person(tmp_path, "ada")
    with silent_agent(tmp_path) as place:
        monkeypatch.setenv("SSH_AUTH_SOCK", place)
        monkeypatch.setattr(signing, "LISTING", 0.5)
        fails(Refused, "the ssh agent accepts, and did not answer within 0 s", plan)
        fails(Refused, "no signature came within 1 s", plan, key=ada, seconds=1.0)
    monkeypatch.delenv("SSH_AUTH_SOCK")
    monkeypatch.setenv("PATH", str(tmp_path))
    fails(UsageError, "ssh-keygen is not installed here", plan, key=ada)


@pytest.mark.parametrize(
    ("public", "why"),
    [
        ("ssh-ed25519 AAAA me", "it is cut short"),
        ("ssh-ed25519 AAAAC3N me", "the key is damaged"),
        ("ssh-ed25519 \u00e9 me", "the key is damaged"),
        ("ssh-dss AAAAB3NzaC1kc3M= me", "the type 'ssh-dss'"),
        ("ssh-ed25519-cert-v01@openssh.com {certificate} me", "this is a certificate"),
        ("ssh-rsa {rsa} me", "1024 bits, at least 2048"),
    ],
)
def test_a_key_whose_signature_would_not_count_is_named_before_anything_is_asked(
    tmp_path: Path, public: str, why: str
) -> None:
    plan = planned(tmp_path)
    certificate = base64.b64encode(string(b"ssh-ed25519-cert-v01@openssh.com") + string(b"x")).decode()
    rsa = base64.b64encode(string(b"ssh-rsa") + integer(65537) + integer((1 << 1024) - 105)).decode()
    (tmp_path / "odd.pub").write_text(public.format(certificate=certificate, rsa=rsa), "utf-8")
    asked = ScriptedApprover()
    arguments = ApproveArguments(plan=plan, library=Library(), actor=ADA, key=tmp_path / "odd")
    with pytest.raises(Refused, match=why) as caught:
        approve(arguments, asked)
    assert asked.asked == []
    assert str(tmp_path / "odd") in str(caught.value)
    assert not approvals_file(plan.path).exists()


def test_a_security_key_that_wants_no_touch_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, (blob, signature) = planned(tmp_path), security_key(curve=False, flags=0)
    (tmp_path / "sk.pub").write_text(f"sk-ssh-ed25519@openssh.com {base64.b64encode(blob).decode()} me")
    (tmp_path / "made.sig").write_text(signature)
    program = tmp_path / "bin" / "ssh-keygen"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nfor last; do :; done\ncp {tmp_path / "made.sig"} "$last.sig"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    fails(Refused, f"the signature of {tmp_path / 'sk'}: nobody touched the security key", plan, key=tmp_path / "sk")


def test_a_security_key_is_known_by_its_type() -> None:
    key = signing.PersonalKey("sk-ssh-ed25519@openssh.com AAAA ada at work", "the ssh agent")
    assert (key.touched, key.comment) == (True, "ada at work")
    assert signing.PersonalKey("ssh-ed25519 AAAA", "x").comment == ""


def test_at_the_gate_exactly_what_was_approved_is_allowed(tmp_path: Path) -> None:
    saved = planned(tmp_path).saved
    approver = PlanApprover({"lab": ApprovedPlan(saved.plans[0], saved.digests[0])}, "d" * 64, "ada", "approved by bob")
    [shown, *_] = saved.plans[0].changes
    yes = approver.approve("lab", AskApproval(shown, Instant(0.0, 0.0)))
    assert (yes.answer, yes.digest, yes.how, yes.why) == ("yes", shown.digest, f"apply {'d' * 64}", "approved by bob")
    assert shown.change is not None
    other = msgspec.structs.replace(shown, change=msgspec.structs.replace(shown.change, identity="another"))
    no = approver.approve("lab", AskApproval(other, Instant(0.0, 0.0)))
    assert no.answer == "no"
    assert "approved: Adjust web" in no.why
    assert "now: Adjust web (another" in no.why
    limited = approver.approve("lab", AskApproval(shown, Instant(0.0, 0.0), limits=("it was done a minute ago",)))
    assert (limited.answer, limited.how) == ("no", "none")
    assert limited.why == "it was done a minute ago; a person at a terminal may still allow it"


@pytest.mark.parametrize(("expires", "said"), [(900.0, "can be applied until"), (-60.0, "could be applied until")])
def test_a_plan_whose_time_is_over_is_not_offered_as_one_that_can_be_applied(
    tmp_path: Path, expires: float, said: str
) -> None:
    planned(tmp_path, expires=expires)
    with terminal("approve", str(tmp_path / "plan.json"), "--key", str(tmp_path / "none")) as screen:
        assert screen.wait() != 0
    assert said in screen.drawn
