"""Two control nodes and one store: a plan that one keeps is listed, approved, declined and applied on either, once."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.cli.agents import line, person
from tests.cli.books import act, book
from tests.cli.console import Ran, here, terminal
from tests.postgres import MISSING, Postgres, postgres, programs
from tests.sshd import Sshd

from memrunbook.state.approvals import approvals_file, read_approvals
from memrunbook.state.plans import load_plan
from memrunbook.state.store import firings, plans
from memrunbook.state.store.changes import Store
from memrunbook.state.store.node_tables import PLAN_APPROVALS, PLANS
from memrunbook.state.store.tables import FIRINGS

pytestmark = [pytest.mark.usefixtures("machine"), pytest.mark.slow]
NEVER = "memory.available_percent > 100.0"
PEOPLE = ("ada", "bob")


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(MISSING)
    with postgres() as running:
        yield running


@dataclass
class Nodes:
    """Two state directories that share a store; what asks for the approval of two people."""

    folder: Path
    config: Path
    url: str
    sshd: Sshd
    runbook: str
    keys: dict[str, Path]

    @property
    def done(self) -> Path:
        return self.folder / "done"

    def state(self, node: str) -> Path:
        return self.folder / node

    def words(self, node: str) -> list[str]:
        return ["--state-dir", str(self.state(node)), "--config-dir", str(self.config), "--store", self.url]

    def allows(self) -> None:
        """From now on nobody else needs to approve anything."""
        (self.config / "config.yaml").write_text("reason: optional\n")

    def refused(self, node: str = "a") -> Path:
        """A run's gate refuses: the plan that it keeps."""
        ran = here("run", self.runbook, *self.sshd.arguments, *self.words(node))
        assert ran.code == 5, ran.said
        return max((self.state(node) / "runs").glob("*/plan-*.json"), key=lambda path: path.stat().st_mtime_ns)

    def fires(self, node: str) -> None:
        """A scheduler there carries out what was due, and what it kept is shared before anybody asks."""
        self.state(node).mkdir(mode=0o700, exist_ok=True)
        with closing(Store.open(self.state(node), self.url)) as store:
            firings.decide_until(store, ["often"], time.time() - 20)
        self.execute(sa.delete(FIRINGS))
        ran = here("schedule", "run", "--once", *self.words(node))
        assert (ran.code, "a plan waits" in ran.said) == (0, True), ran.said
        with closing(Store.open(self.state(node), self.url)) as store:
            assert [one for one in plans.shared(store, time.time()) if one.kept_as == "often" and not one.withdrawn]

    def pending(self, node: str) -> list[dict[str, object]]:
        ran = here("pending", *self.words(node), "--json")
        assert (ran.code, ran.err) == (0, ""), ran.said
        found: list[dict[str, object]] = json.loads(ran.out)["plans"]
        return found

    def listed(self, node: str) -> Path:
        """The file of the only plan that waits there."""
        [one] = self.pending(node)
        return Path(str(one["path"]))

    def approve(self, name: str, path: Path) -> str:
        """What the terminal says when this person says yes."""
        words = ["approve", str(path), "--config-dir", str(self.config), "--store", self.url]
        with terminal(*words, "--key", str(self.keys[name])) as screen:
            screen.expect("y/N")
            screen.type("y\n")
            assert screen.wait() == 0, screen.drawn
        return screen.drawn

    def apply(self, node: str, path: Path) -> Ran:
        return here("apply", str(path), *self.sshd.arguments[1:], *self.words(node))

    def execute(self, statement: sa.Executable) -> None:
        engine = sa.create_engine(self.url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            connection.execute(statement)
        engine.dispose()


@pytest.fixture
def nodes(tmp_path: Path, database: Postgres, sshd: Sshd) -> Iterator[Nodes]:
    config = tmp_path / "config"
    config.mkdir()
    keys = {name: person(tmp_path, name) for name in PEOPLE}
    (config / "allowed_signers").write_text("".join(line(name, key) for name, key in keys.items()))
    (config / "config.yaml").write_text("approvals: [{risk: medium, people: 2}]\nallowed_signers: allowed_signers\n")
    named = book(tmp_path, act("one", "touch", str(tmp_path / "done"), risk="medium"), resolved=NEVER)
    found = Nodes(tmp_path, config, database.url, sshd, named, keys)
    yield found
    if database.running:
        for table in ("plans", "plan_approvals", "plans_applied", "changes", "runs"):
            found.execute(sa.text(f"DELETE FROM {table}"))


def test_kept_on_one_node_approved_on_both_and_applied_on_the_other_once(nodes: Nodes) -> None:
    kept = nodes.refused("a")
    copy = nodes.listed("b")
    assert copy.read_bytes() == kept.read_bytes(), "byte for byte: approvals are over them"
    assert "1 more approval needed" in nodes.approve("ada", kept)
    assert [one["approvals"] for one in nodes.pending("b")] == [1]
    assert "needed" not in nodes.approve("bob", copy)
    assert sorted(one.principal for one in read_approvals(copy)) == ["ada", "bob"]
    assert [one["approvals"] for one in nodes.pending("a")] == [2]
    applied = nodes.apply("b", copy)
    assert applied.code == 3, applied.said
    assert nodes.done.exists()
    nodes.done.unlink()
    assert (nodes.pending("a"), nodes.pending("b")) == ([], [])
    [run] = (nodes.state("b") / "runs").iterdir()
    again = nodes.apply("a", kept)
    again.refused(5, "carried out before", f"run {run.name} by ", hint="plan again")
    assert not nodes.done.exists()
    assert here("audit", "verify", "--state-dir", str(nodes.state("a"))).code == 0
    assert here("audit", "verify", "--state-dir", str(nodes.state("b"))).code == 0


def test_an_approval_that_was_given_elsewhere_meanwhile_counts_when_it_is_applied(nodes: Nodes) -> None:
    kept = nodes.refused("a")
    copy = nodes.listed("b")
    nodes.approve("ada", copy)
    nodes.approve("bob", copy)
    assert not approvals_file(kept).exists()
    applied = nodes.apply("a", kept)
    assert (applied.code, nodes.done.exists()) == (3, True), applied.said


def test_what_was_refused_before_its_first_change_can_still_be_applied_elsewhere(nodes: Nodes) -> None:
    kept = nodes.refused("a")
    copy = nodes.listed("b")
    for name in PEOPLE:
        nodes.approve(name, copy)
    off = ["off", "a", "release", *nodes.words("b")]
    assert here(*off).code == 0
    nodes.apply("b", copy).refused(5, "changes are switched off", hint="runbook on")
    assert here("on", *nodes.words("b")).code == 0
    applied = nodes.apply("a", kept)
    assert (applied.code, nodes.done.exists()) == (3, True), applied.said


def test_what_was_carried_out_before_there_was_a_store_is_not_shared(nodes: Nodes) -> None:
    """The claim stands in the store of then; the journal is here."""
    nodes.allows()
    ran = here("run", nodes.runbook, *nodes.sshd.arguments, *nodes.words("a")[:4])
    assert ran.code == 5, ran.said
    [kept] = (nodes.state("a") / "runs").glob("*/plan-*.json")
    applied = here("apply", str(kept), *nodes.sshd.arguments[1:], *nodes.words("a")[:4])
    assert applied.code == 3, applied.said
    assert (nodes.pending("a"), nodes.pending("b")) == ([], [])


def test_a_firing_on_one_node_replaces_the_plan_of_a_firing_on_another(nodes: Nodes) -> None:
    entry = f"{{name: often, every: 5s, jitter: 0s, catch_up: last, runbook: {nodes.runbook}, hosts: local}}"
    (nodes.config / "schedules.yaml").write_text(f"schedules:\n  - {entry}\n")
    nodes.fires("a")
    old = nodes.listed("b")
    nodes.fires("b")
    [mine] = (nodes.state("b") / "waiting").glob("often@*.json")
    assert (nodes.listed("b"), old.exists()) == (mine, False)
    assert nodes.listed("a").read_bytes() == mine.read_bytes()


def test_what_is_declined_on_one_node_waits_on_none(nodes: Nodes) -> None:
    kept = nodes.refused("a")
    [one] = nodes.pending("b")
    declined = here("pending", "--decline", str(one["id"]), "--reason", "not now", *nodes.words("b"))
    assert declined.code == 0, declined.said
    nodes.apply("a", kept).refused(5, "a person declined this plan", hint="plan anew")
    assert (nodes.pending("a"), nodes.pending("b")) == ([], [])
    assert "not now" in (nodes.state("a") / "declined.jsonl").read_text()


def test_what_somebody_changed_in_the_store_is_told_and_used_nowhere(nodes: Nodes) -> None:
    kept = nodes.refused("a")
    digest, content = load_plan(kept).digest, kept.read_bytes()
    other = content.replace(b"done", b"evil")
    nodes.execute(sa.update(PLANS).values(content=other))
    ran = here("pending", *nodes.words("b"), "--json")
    assert json.loads(ran.out)["plans"] == []
    assert f"plan {digest[:8]} is not taken" in ran.err
    junk = b'{"a": 1}'
    rows = [
        {"digest": hashlib.sha256(junk).hexdigest(), "content": junk},
        {"digest": "../" * 20 + "etc", "content": other},
        {"digest": "\x1b[31m\n", "content": other},
    ]
    known = {"kept_as": "../../x", "host": "../x", "machine": "", "runbook": "", "node": "", "at": 4e9, "until": 5e9}
    nodes.execute(sa.insert(PLANS).values([{**known, **row} for row in rows]))
    ran = here("pending", *nodes.words("b"), "--json")
    assert json.loads(ran.out)["plans"] == []
    assert ran.err.count("is not taken") == 4, ran.err
    ran.plain()
    assert list(nodes.folder.rglob("etc*")) == list((nodes.state("b") / "waiting").glob("*")) == []
    nodes.execute(sa.update(PLANS).where(PLANS.c.digest == digest).values(content=content))
    approval = {"format": "memrunbook.approval/1", "principal": "ada", "key": "", "time": "", "signature": "none"}
    bad = {"digest": digest, "line_digest": "x", "line": json.dumps(approval), "at": 1.0}
    nodes.execute(sa.insert(PLAN_APPROVALS).values(bad))
    ran = here("pending", *nodes.words("a"), "--json")
    assert [one["approvals"] for one in json.loads(ran.out)["plans"]] == [0]
    assert "is not shared: what the store has is none" in " ".join(ran.err.split())
    assert not approvals_file(kept).exists(), "a faulty signature would make the plan void"


def test_where_the_store_is_away_what_is_here_is_listed_approved_and_not_applied(
    nodes: Nodes, database: Postgres
) -> None:
    kept = nodes.refused("a")
    database.stop()
    try:
        ran = here("pending", *nodes.words("a"), "--json")
        assert [one["path"] for one in json.loads(ran.out)["plans"]] == [str(kept)]
        assert "the store does not answer" in " ".join(ran.err.split())
        said = " ".join(nodes.approve("ada", kept).split())
        assert "APPROVED by ada" in said
        assert "is not shared yet" in said
        nodes.apply("a", kept).refused(6, "the store does not answer", hint="nothing is changed")
        one = here("pending", *nodes.words("a"), "--decline", load_plan(kept).digest[:8])
        assert one.code == 0
        assert "do not know yet that it was declined" in " ".join(one.err.split())
    finally:
        database.start()
    assert nodes.pending("a") == []
    assert nodes.pending("b") == [], "a told it as soon as the store answered"
