"""What control nodes tell each other by a store: here two folders, and a file that stands for the server."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.passkey import Passkey
from tests.unit.app.test_pending_plans import kept
from tests.unit.state.test_passkeys import signature

from memrunbook.app import sharing_plans
from memrunbook.app.pending_plans import KEPT, forget_plans
from memrunbook.app.sharing_plans import LATE, share_approvals, share_plans
from memrunbook.app.stored import Stored
from memrunbook.core.units import DAY
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.approvals import SignedApproval, add_approval, approvals_file, line_of, read_approvals
from memrunbook.state.plans import load_plan
from memrunbook.state.store import plans
from memrunbook.state.store.changes import Store
from memrunbook.state.store.node_tables import PLAN_APPROVALS, PLANS
from memrunbook.state.waiting import Declined, decline, declined, plan_path, waiting, withdraw_others


@dataclass(frozen=True)
class AsServer(Stored):
    """A store that is shared, whatever it is."""

    shared: Path = field(kw_only=True)

    @property
    def file(self) -> None:
        """A server has none."""

    def open(self) -> Store:
        return Store.open(self.shared)


@dataclass
class Node:
    """A control node: its state directory, and what it was told."""

    stored: AsServer
    told: list[str] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.stored.state

    def shares(self) -> list[Path]:
        """Shares, and says what waits here then."""
        share_plans(self.stored, lambda said, _hint: self.told.append(said))
        return waiting(self.state)

    def keeps(self, name: str = "night", host: str = "lab", until: float = 600.0) -> Path:
        return kept(plan_path(self.state, name, host), until=until)


@pytest.fixture
def nodes(tmp_path: Path) -> tuple[Node, Node]:
    made = [Node(AsServer(tmp_path / name, shared=tmp_path)) for name in ("a", "b")]
    for one in made:
        one.state.mkdir(mode=0o700)
    return made[0], made[1]


def approval(plan: Path) -> SignedApproval:
    signed = signature(Passkey(), plan.read_bytes())
    return SignedApproval(principal="ada", key="", time="", signature=signed)


def test_a_plan_lies_elsewhere_under_its_digest_which_no_schedule_touches(nodes: tuple[Node, Node]) -> None:
    here, there = nodes
    one = here.keeps()
    assert (here.shares(), here.told) == ([one], [])
    [copy] = there.shares()
    assert copy == there.state / "waiting" / f"{load_plan(one).digest}.json"
    assert copy.read_bytes() == one.read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o600
    own = there.keeps("day", "other")
    withdraw_others(there.state, own, "lab")
    assert there.shares() == [copy, own]
    assert len(here.shares()) == 2, "that of the other node came here"


def test_a_newer_firing_takes_the_place_of_the_one_before_wherever_it_was(nodes: tuple[Node, Node]) -> None:
    here, there = nodes
    old = here.keeps(until=600.0)
    here.shares()
    assert len(there.shares()) == 1
    new = there.keeps(until=900.0)
    there.shares()
    assert there.shares() == [new]
    [copy] = here.shares()
    assert (copy.read_bytes(), old.exists()) == (new.read_bytes(), False)


def test_what_somebody_approved_stays(nodes: tuple[Node, Node]) -> None:
    here, there = nodes
    old = here.keeps(until=600.0)
    here.shares()
    [copy] = there.shares()
    add_approval(copy, approval(copy))
    there.keeps(until=900.0)
    there.shares()
    assert old in here.shares()
    assert read_approvals(old) == read_approvals(copy)
    assert len(there.shares()) == 2


def test_approvals_go_both_ways_once_and_only_those_of_this_file(nodes: tuple[Node, Node]) -> None:
    here, there = nodes
    one = here.keeps()
    here.shares()
    [copy] = there.shares()
    mine, theirs = approval(one), approval(copy)
    add_approval(one, mine)
    add_approval(copy, theirs)
    here.shares()
    there.shares()
    here.shares()
    assert {*map(line_of, read_approvals(one))} == {*map(line_of, (mine, theirs))}
    assert read_approvals(copy) == [theirs, mine]
    of_another = here.state / "another"
    of_another.write_text("{}")
    with closing(here.stored.open()) as store:
        for line in (line_of(approval(of_another)), b"{", b"[]"):
            plans.approve(store, load_plan(one).digest, line, 1.0)
    there.shares()
    assert [said.count("is not shared: what the store has is none") for said in there.told] == [1, 1, 1]
    assert read_approvals(copy) == [theirs, mine]


def test_a_file_of_ones_own_gets_the_approvals_of_its_plan_and_gives_its_own(nodes: tuple[Node, Node]) -> None:
    here, there = nodes
    one = here.keeps()
    here.shares()
    add_approval(one, approval(one))
    own = there.state.parent / "own.json"
    own.write_bytes(one.read_bytes())
    add_approval(own, approval(own))
    share_approvals(there.stored, load_plan(own))
    assert len(read_approvals(own)) == 1, "the other one is not shared yet"
    here.shares()
    share_approvals(there.stored, load_plan(own))
    assert len(read_approvals(own)) == len(read_approvals(one)) == 2
    other = kept(there.state.parent / "other.json", until=60.0)
    add_approval(other, approval(other))
    share_approvals(there.stored, load_plan(other))
    assert len(there.shares()) == 1, "a plan that somebody saved for themselves is not shared"


def test_damaged_approvals_and_those_beyond_what_a_file_holds_are_told(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = nodes
    one = here.keeps()
    here.shares()
    [copy] = there.shares()
    approvals_file(copy).write_text("{\n")
    there.shares()
    assert "this is no approval" in there.told[-1]
    approvals_file(copy).unlink()
    for _ in range(3):
        add_approval(one, approval(one))
    here.shares()
    monkeypatch.setattr(sharing_plans, "LARGEST", int(2.5 * len(line_of(read_approvals(one)[0]))))
    there.shares()
    assert len(read_approvals(copy)) == 2
    assert "more than a file holds" in there.told[-1]


def test_a_no_is_known_everywhere_and_such_a_plan_is_not_shared(nodes: tuple[Node, Node]) -> None:
    here, there = nodes
    one, two = here.keeps("night"), here.keeps("day")
    here.shares()
    digests = [load_plan(path).digest for path in (one, two)]
    for node, digest in zip(nodes, digests, strict=True):
        decline(node.state, Declined(file="x", digest=digest, who="ada", time="", why="no"))
    there.shares()
    here.shares()
    there.shares()
    assert declined(here.state) == declined(there.state) == frozenset(digests)
    three = here.keeps("noon")
    decline(here.state, Declined(file="x", digest=load_plan(three).digest, who="ada", time=""))
    here.shares()
    assert load_plan(three).digest not in {load_plan(path).digest for path in there.shares()}


def test_a_no_that_is_none_is_told(nodes: tuple[Node, Node]) -> None:
    here, there = nodes
    digest = load_plan(here.keeps()).digest
    here.shares()
    with closing(here.stored.open()) as store:
        plans.decline(store, digest, b'{"file":"x","digest":"another","who":"eve","time":""}')
    there.shares()
    assert there.told == [f"who declined plan {digest[:8]} cannot be read in the store"]
    assert not declined(there.state)


def test_what_was_changed_is_over_or_too_large_is_not_shared(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = nodes
    changed = here.keeps("night")
    changed.write_text(changed.read_text().replace('"ada"', '"eve"'))
    here.keeps("day", until=-60.0)
    here.shares()
    assert (there.shares(), here.told) == ([], [])
    large = here.keeps("noon")
    with monkeypatch.context() as patched:
        patched.setattr(plans, "LARGEST", 10)
        here.shares()
        assert here.told == [f"the plan is too large to be shared: {large}"]
    here.shares()
    for module, name in ((plans, "LARGEST"), (sharing_plans, "MOST_BYTES")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, 10)
            assert there.shares() == []
            assert "too large to be kept here" in there.told.pop()
    assert len(there.shares()) == 1


def test_approvals_are_shared_with_their_plan_and_forgotten_with_it(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = nodes
    one = here.keeps()
    add_approval(one, approval(one))

    def there() -> int:
        with closing(here.stored.open()) as store, store.engine.connect() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(PLAN_APPROVALS)) or 0)

    with monkeypatch.context() as patched:
        patched.setattr(plans, "LARGEST", 10)
        here.shares()
    assert there() == 0, "nobody could fetch their plan"
    here.shares()
    with closing(here.stored.open()) as store:
        plans.approve(store, "of no plan", b"{}", 1.0)
        assert there() == 2
        plans.forget(store, 0.0)
        assert there() == 1
        plans.forget(store, SystemClock().now().utc + DAY)
        assert there() == 0


def test_what_is_no_plan_is_told_and_not_written(nodes: tuple[Node, Node]) -> None:
    here, there = nodes
    here.keeps()
    here.shares()
    with closing(here.stored.open()) as store, store.engine.begin() as connection:
        connection.execute(sa.update(PLANS).values(digest=plans.sha256(b"{}"), content=b"{}"))
    there.shares()
    assert "is not taken: this is no saved plan" in there.told[0]
    assert not (there.state / "waiting").exists()


def test_what_came_from_elsewhere_goes_when_nobody_lists_it_any_more(nodes: tuple[Node, Node]) -> None:
    _, there = nodes
    path = there.state / "waiting" / f"{'0' * 64}.json"
    kept(path, until=-LATE - 60.0, approved=True)
    stays = [kept(path.with_name(f"{'1' * 64}.json"), until=-LATE + 600.0), there.keeps(until=-LATE - 60.0)]
    assert there.shares() == stays
    assert not approvals_file(path).exists()


def test_what_is_forgotten_here_is_forgotten_in_the_store(nodes: tuple[Node, Node]) -> None:
    here, _ = nodes
    here.keeps()
    here.shares()
    now = SystemClock().now().utc
    with closing(here.stored.open()) as store:
        forget_plans(here.state, now + KEPT, store)
        assert len(plans.shared(store, 0.0)) == 1
        forget_plans(here.state, now + KEPT + DAY, store)
        assert plans.shared(store, 0.0) == []


def test_who_shares_with_nobody_loads_no_library_of_databases(tmp_path: Path) -> None:
    kept(plan_path(tmp_path, "night", "lab"), until=600.0)
    look = (
        "import sys; from pathlib import Path; from memrunbook.app.pending_plans import PendingArguments, pending; "
        "print(len(pending(PendingArguments(state=Path(sys.argv[1])))), 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", look, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "1 False\n"
