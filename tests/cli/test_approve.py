"""One plans, another approves with a key of an SSH agent, a script without a terminal applies."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.cli.agents import AGENT, agent, line, person, silent_agent
from tests.cli.books import act, book
from tests.cli.console import Ran, apart, here, terminal
from tests.cli.killing import FIRST, KILLED, killed
from tests.sshd import MISSING, Sshd

from memrunbook.core.action.action import Risk, Undo
from memrunbook.core.errors import Refused
from memrunbook.core.plan.saved import SavedPlan
from memrunbook.state.plans import load_plan, save_plan
from memrunbook.transports.shared import signing

pytestmark = pytest.mark.skipif(not (AGENT and shutil.which("ssh-keygen")), reason=MISSING)
alone = pytest.mark.usefixtures("machine")
NEVER = "memory.available_percent > 100.0"
QUESTION = "y/N"
PAGE = (
    "You are asked to approve",
    "made by carol",
    *("Host", "127.0.0.1", "Step", "Because", "The host has memory", "Command", "touch", "Costs", "Proven by"),
    *("Undo", "Risk", "users may notice", QUESTION),
)


@dataclass
class Office:
    """A folder of configuration that asks for the approval of others, a runbook, and the keys of its people."""

    folder: Path
    config: Path
    runbook: str
    keys: dict[str, Path]

    @property
    def plan(self) -> Path:
        return self.folder / "plan.json"

    @property
    def done(self) -> Path:
        return self.folder / "done"

    def asks(self, rules: str, more: str = "") -> None:
        text = f"approvals:\n{rules}allowed_signers: allowed_signers\n{more}"
        (self.config / "config.yaml").write_text(text)

    def planned(self, creator: str = "carol", host: tuple[str, ...] = ("--host", "local")) -> Path:
        """A plan that carol made, whoever runs the tests."""
        ran = here("plan", self.runbook, *host, "--config-dir", str(self.config), "--out", str(self.plan))
        assert ran.code == 0, ran.said
        self.rewritten(creator=creator)
        return self.plan

    def rewritten(self, **changes: Any) -> None:
        saved: SavedPlan = msgspec.structs.replace(load_plan(self.plan).saved, **changes)
        save_plan(self.folder / "rewritten.json", saved)
        (self.folder / "rewritten.json").replace(self.plan)

    def lies(self) -> None:
        """A plan that calls its change harmless: what hides a secret cannot be compared with its digest."""
        self.planned()
        saved = load_plan(self.plan).saved
        [step] = saved.plans[0].steps
        assert step.change is not None
        harmless = msgspec.structs.replace(step.change, risk=Risk.NONE, costs="[redacted]")
        lying = msgspec.structs.replace(step, gate=False, change=harmless)
        self.rewritten(plans=(msgspec.structs.replace(saved.plans[0], steps=(lying,)),))

    def signed(self, *people: str, principal: str = "") -> None:
        """What `approve` writes for each of these people, or for the `principal` that is named."""
        for name in people:
            key = signing.key_in(self.keys[name])
            signature = signing.sign(self.plan.read_bytes(), key, "memrunbook-plan")
            with Path(f"{self.plan}.approvals").open("a") as file:
                told = {"format": "memrunbook.approval/1", "principal": principal or name, "key": "", "time": ""}
                file.write(json.dumps({**told, "signature": signature}) + "\n")

    def applied(self, *words: str) -> Ran:
        return here("apply", str(self.plan), "--config-dir", str(self.config), *words)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    config = tmp_path / "config"
    config.mkdir()
    people = ("ada", "bob", "carol", "mallory")
    keys = {name: person(tmp_path, name) for name in people}
    lines = "".join(line(name, keys[name]) for name in people if name != "mallory")
    (config / "allowed_signers").write_text(lines)
    named = book(tmp_path, act("one", "touch", str(tmp_path / "done"), risk="medium"), resolved=NEVER)
    found = Office(tmp_path, config, named, keys)
    found.asks("  - {risk: medium, people: 1}\n")
    return found


@alone
def test_one_plans_another_approves_and_a_script_applies(
    office: Office, sshd: Sshd, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["plan", office.runbook, *sshd.arguments, "--config-dir", str(office.config), "--out", str(office.plan)]
    planned = here(*words)
    assert planned.code == 0, planned.said
    assert f"approved by 1 person other than you first:  runbook approve {office.plan}" in planned.out
    office.rewritten(creator="carol")
    reach = [*sshd.arguments[1:], "--config-dir", str(office.config)]
    refused = apart("apply", str(office.plan), *reach)
    refused.refused(
        5,
        "1 more approval needed",
        "other than carol",
        hint=f"runbook approve {office.plan} --config-dir {office.config}",
    )
    assert not office.done.exists()
    with agent(office.folder, office.keys["ada"]) as place:
        monkeypatch.setenv("SSH_AUTH_SOCK", place)
        with terminal("approve", str(office.plan), "--config-dir", str(office.config), columns=80) as screen:
            for word in PAGE:
                screen.expect(word)
            screen.type("y\n")
            screen.expect("Signing as ada")
            screen.expect("APPROVED by ada")
            assert screen.wait() == 0, screen.drawn
        assert all(len(row) <= 80 for row in screen.drawn.splitlines() if str(office.folder) not in row), screen.drawn
    monkeypatch.delenv("SSH_AUTH_SOCK")
    # What was signed is the file itself: OpenSSH verifies it without us.
    [told] = [json.loads(one) for one in Path(f"{office.plan}.approvals").read_text().splitlines()]
    (office.folder / "sig").write_text(told["signature"])
    verify = ["ssh-keygen", "-Y", "verify", "-f", str(office.config / "allowed_signers"), "-I", "ada"]
    verify += ["-n", "memrunbook-plan", "-s", str(office.folder / "sig")]
    assert subprocess.run(verify, check=False, input=office.plan.read_bytes(), capture_output=True).returncode == 0
    ran = apart("apply", str(office.plan), *reach, "--reason", "drill", "--json")
    assert ran.code == 3, ran.said
    assert office.done.exists()
    answers = [json.loads(one).get("answer", {}) for one in ran.out.splitlines()]
    [approval] = [one for one in answers if one.get("type") == "Approval"]
    assert approval["why"].startswith("approved by ada (SHA256:")
    assert approval["how"] == f"apply {load_plan(office.plan).digest}"
    assert here("audit", "verify").code == 0
    told = here("report", "last").out
    assert "approved by ada (SHA256:" in " ".join(told.split())
    assert "drill" in told
    newest = max((state / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    invoked = json.loads((newest / "run.jsonl").read_text().splitlines()[0])
    assert invoked["applied"]["approvals"][0].startswith("ada (SHA256:")


@alone
def test_run_refuses_what_others_must_approve_whatever_is_allowed(office: Office) -> None:
    words = ["run", office.runbook, "--host", "local", "--config-dir", str(office.config)]
    ran = here(*words, "--allow", "run_command")
    assert ran.code == 5, ran.said
    assert "asks for the approval of 1 person other than you" in ran.out
    assert "runbook approve " in ran.out
    assert "To allow it" not in ran.out
    assert not office.done.exists()
    office.asks("  - {risk: high, people: 1}\n")
    assert here(*words, "--allow", "run_command").code == 3
    assert office.done.exists()


def _void(office: Office, *words: str, state: Path) -> None:
    """It is refused, says so in these words, and that is in the journal."""
    ran = office.applied()
    ran.refused(5, *words)
    assert not office.done.exists()
    newest = max((state / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    journal = (newest / "local.jsonl").read_text()
    assert '"outcome":"refused"' in journal
    invoked = json.loads((newest / "run.jsonl").read_text().splitlines()[0])
    said = json.dumps(invoked["applied"]["uncounted"]) + journal
    assert all(word in said for word in words[:1]), said


def test_approvals_that_do_not_count_are_refused_and_recorded(office: Office, state: Path) -> None:
    approvals = Path(f"{office.planned()}.approvals")
    for name, why in (("carol", "carol made the plan"), ("mallory", "is not in ")):
        office.signed(name)
        _void(office, f"the approval by {name} does not count", why, "1 more approval needed", state=state)
        approvals.unlink()
    office.signed("ada")
    office.asks("  - {risk: medium, people: 2}\n")
    _void(office, "1 more approval needed", "2 people other than carol", state=state)
    office.signed("ada")  # the same person once more
    _void(office, "1 more approval needed", state=state)
    office.asks("  - {risk: medium}\n", "revoked_keys: revoked\n")
    (office.config / "revoked").write_text(Path(f"{office.keys['ada']}.pub").read_text())
    _void(office, "the approval by ada does not count", "is revoked", state=state)
    (office.config / "revoked").write_text("")
    allowed = line("ada", office.keys["ada"], 'valid-before="20200101Z"')
    (office.config / "allowed_signers").write_text(allowed)
    _void(office, "the approval by ada does not count", "has expired", state=state)


@pytest.mark.parametrize(
    ("creator", "lines", "signed", "said"),
    [
        ("carol", "carol,c.smith@corp ada\n", "c.smith@corp ada", "lists the key for carol too"),
        ("carol", "*@corp ada\n", "oncall@corp ada", "lists the key for *@corp too"),
        ("carol", "ops-* ada\n", "ops-1 ada", "lists the key for a pattern alone"),
        ("dora", "ada,ada@corp ada\nada,ada@corp bob\n", "ada ada,ada@corp bob", "counts once with that by ada ("),
        ("dora", "ada ada\nada@corp bob\n", "ada ada,ada@corp bob", "1 more approval needed"),
    ],
)
def test_whose_approval_it_is_all_lines_of_the_key_say(  # noqa: PLR0913, PLR0917  a row of the table
    office: Office, state: Path, creator: str, lines: str, signed: str, said: str
) -> None:
    people = 2 if "," in signed else 1
    office.asks(f"  - {{risk: medium, people: {people}}}\n")
    named = [words.split() for words in lines.splitlines()]
    allowed = "".join(line(principals, office.keys[key]) for principals, key in named)
    (office.config / "allowed_signers").write_text(allowed)
    office.planned(creator)
    for words in signed.split(","):
        principal, key = words.split()
        office.signed(key, principal=principal)
    _void(office, said, "1 more approval needed", state=state)


@alone
def test_without_allowed_signers_a_name_is_only_what_the_signer_says(office: Office, state: Path) -> None:
    (office.config / "config.yaml").write_text("reason: optional\n")
    office.planned()
    with terminal(
        "approve", str(office.plan), "--key", str(office.keys["mallory"]), "--principal", "cto@corp"
    ) as screen:
        screen.expect(QUESTION)
        screen.type("y\n")
        assert screen.wait() == 0, screen.drawn
    assert "SIGNED in the name of cto@corp" in screen.drawn
    assert "APPROVED" not in screen.drawn
    assert "nobody vouches for whose key it is" in " ".join(screen.drawn.split())
    ran = office.applied()
    assert ran.code == 3, ran.said
    newest = max((state / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    applied = json.loads((newest / "run.jsonl").read_text().splitlines()[0])["applied"]
    assert applied["approvals"] == []
    [told] = applied["uncounted"]
    assert told.startswith("signed by SHA256:")
    assert ", who says cto@corp: config.yaml names no allowed_signers" in told
    page = " ".join(here("report", "last").out.split())
    assert "approved by nobody; signed by SHA256:" in page
    assert "approved by cto@corp" not in page + (newest / "local.jsonl").read_text()


@alone
def test_a_file_that_calls_its_changes_harmless_is_judged_by_what_would_be_done(office: Office) -> None:
    office.lies()
    ran = office.applied()
    assert ran.code == 5, ran.said
    assert "is not what the plan's file says of it" in ran.out
    assert not office.done.exists()
    with terminal("approve", str(office.plan), "--key", str(office.keys["ada"])) as screen:
        screen.expect("cannot be compared with what will be done")
        screen.expect(QUESTION)
        screen.type("n\n")
        assert screen.wait() == 5


@alone
@pytest.mark.parametrize(
    ("lie", "difference"),
    [
        ({"summary": "Look at the free memory"}, "Look at the free memory"),
        ({"command": "free -m"}, "free -m"),
        ({"costs": "nothing"}, "nothing"),
        ({"undo": None}, "asked at a gate"),
        ({"name": "Look"}, "Look"),
        ({"gate": False}, "asked at no gate"),
    ],
)
def test_a_page_that_does_not_say_what_is_done_is_signed_for_nothing(
    office: Office, lie: dict[str, Any], difference: str
) -> None:
    """Whoever wrote the file may have written anything beside a digest: what was read is held to the change."""
    office.planned()
    saved = load_plan(office.plan).saved
    [step] = saved.plans[0].steps
    assert step.change is not None
    change = msgspec.structs.replace(step.change, undo=Undo("Take it back", ":"))
    of_step = {name: lie[name] for name in lie if name in ("name", "gate")}
    of_change = {name: lie[name] for name in lie if name not in of_step}
    lying = msgspec.structs.replace(step, **of_step, change=msgspec.structs.replace(step.change, **of_change))
    if "undo" in lie:
        lying = msgspec.structs.replace(step, change=change)
    office.rewritten(plans=(msgspec.structs.replace(saved.plans[0], steps=(lying,)),))
    with terminal("approve", str(office.plan), "--key", str(office.keys["ada"])) as screen:
        screen.expect(QUESTION)  # what its file calls harmless is asked all the same
        screen.type("n\n")
        assert screen.wait() == 5
    office.signed("ada")
    ran = office.applied()
    assert ran.code == 5, ran.said
    assert "is not what the plan's file says of it" in ran.out
    assert difference in ran.out
    assert not office.done.exists()


@alone
def test_so_it_is_when_the_run_was_cut_off_and_goes_on(office: Office, state: Path) -> None:
    office.lies()
    assert killed(["apply", str(office.plan), "--config-dir", str(office.config)], FIRST + 1, "after") == KILLED
    resumed = here("resume", "last", "--config-dir", str(office.config))
    assert resumed.code == 5, resumed.said
    assert "asks for the approval of 1 person other than you" in resumed.out
    assert not office.done.exists()
    office.planned()
    office.signed("ada")
    assert killed(["apply", str(office.plan), "--config-dir", str(office.config)], FIRST + 1, "after") == KILLED
    resumed = here("resume", "last", "--config-dir", str(office.config))
    assert resumed.code == 3, resumed.said
    assert office.done.exists()


@alone
def test_a_plan_changed_after_it_or_past_its_deadline_is_refused(office: Office, state: Path) -> None:
    office.planned()
    office.signed("ada")
    approved = office.plan.read_bytes()
    office.rewritten(watch=10.0)
    _void(office, "the approval by ada is not for this file", "changed after it was signed", state=state)
    office.plan.write_bytes(approved)
    office.asks("  - {risk: medium}\n", "deadline: 1ms\n")
    _void(office, "was to be approved within", "no answer in time is a no", state=state)
    office.asks("  - {risk: medium}\n")
    ran = office.applied()
    assert ran.code == 3, ran.said
    assert office.done.exists()


def test_a_plan_beside_the_approvals_of_another_is_refused_before_a_host_is_read(office: Office) -> None:
    office.planned()
    office.signed("ada")
    before = office.plan.read_bytes()
    words = ["plan", office.runbook, "--host", "nobody.invalid", "--out", str(office.plan)]
    here(*words).refused(2, "approvals of an earlier plan lie there", hint="save the plan as another file")
    assert office.plan.read_bytes() == before


def test_no_and_silence_and_no_terminal_sign_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    path = office.planned()
    here("approve", str(path)).refused(5, "nobody can be asked here", hint="at a terminal")
    words = ["approve", str(path), "--config-dir", str(office.config)]
    for key in ("n\n", "\n", "s\n", "\x04"):
        with terminal(*words, "--key", str(office.keys["ada"])) as screen:
            screen.expect(QUESTION)
            screen.type(key)
            assert screen.wait() == 5, screen.drawn
            assert "nothing was signed" in screen.drawn
    with terminal(*words, "--key", str(office.keys["carol"])) as screen:
        assert screen.wait() == 5
        assert "carol made the plan" in screen.drawn
    with terminal(*words, "--key", str(office.folder / "none")) as screen:
        assert screen.wait() == 2
        assert "there is no public key" in " ".join(screen.drawn.split()), "folded where the terminal is narrow"
    with terminal(*words) as screen:
        assert screen.wait() == 2
        assert "there is no key to sign with" in screen.drawn
    with silent_agent(office.folder) as place:
        monkeypatch.setenv("SSH_AUTH_SOCK", place)
        with terminal(*words) as screen:
            screen.expect("did not answer within 10 s", seconds=30)
            assert screen.wait() == 5
    assert not Path(f"{path}.approvals").exists()


def test_a_signature_that_does_not_come_is_given_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    with silent_agent(office.folder) as place:
        monkeypatch.setenv("SSH_AUTH_SOCK", place)
        with pytest.raises(Refused, match="no signature came within 1 s"):
            signing.sign(b"plan", signing.key_in(office.keys["ada"]), "memrunbook-plan", 1.0)


def test_a_run_does_not_wait_for_an_agent_that_never_answers(
    office: Office, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent_agent(office.folder) as place:
        monkeypatch.setenv("SSH_AUTH_SOCK", place)
        ran = apart("facts", "memory", *sshd.arguments[:1], *sshd.arguments[2:], timeout=60)
    ran.refused(4, "the ssh agent accepts, and did not answer within 10 s", hint="SSH_AUTH_SOCK=")
