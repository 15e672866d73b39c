"""Hosts are read by workers: what they tell is kept in the order of the hosts, once, and why a host was not read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from tests.unit.app.ordered import LOOK, ActingClock, clock, given

from memrunbook.app import following, looking_elsewhere, sites
from memrunbook.app.carried_errors import carried
from memrunbook.app.looking_elsewhere import TOGETHER, LooksTold, look_elsewhere
from memrunbook.app.notice import Notice
from memrunbook.app.sites import SILENT
from memrunbook.app.stored import Stored
from memrunbook.core.errors import Interrupted, Refused, RunbookError, Unreachable, UsageError
from memrunbook.core.host import LOCAL, Host
from memrunbook.core.run.placed import LOOKS
from memrunbook.state.store.changes import Store
from memrunbook.state.store.node_tables import ORDERS, PARTS, TOLD
from memrunbook.state.store.orders import Orders
from memrunbook.state.store.parts import PartTelling, TakenPart, WorkerParts
from memrunbook.testing import MemoryJobs

__all__ = ["clock"]
WEB = (Host("web-1"), Host("web-2"), Host("web-3"))


@dataclass(frozen=True)
class Here(Stored):
    """A store of a file with a queue in memory, in the place of a server."""

    queue: MemoryJobs = field(default_factory=MemoryJobs)

    def jobs(self, stalled_after: float = 30.0) -> Any:
        del stalled_after
        return self.queue


@dataclass
class Ended(Notice):
    """How hosts ended."""

    ends: list[tuple[str, str]] = field(default_factory=list)

    def ended(self, host: str, outcome: str, why: str = "") -> None:
        del why
        self.ends.append((host, outcome))


@dataclass
class Looking:
    """Somebody who has hosts read, and the workers that do it while that one waits."""

    store: Store
    stored: Here
    clock: ActingClock
    notice: Ended = field(default_factory=Ended)
    stop: threading.Event = field(default_factory=threading.Event)
    failed: dict[str, RunbookError] = field(default_factory=dict)
    sites: list[str] = field(default_factory=list)

    @property
    def orders(self) -> Orders:
        return Orders(self.store)

    def worker(self, node: str = "node-1", site: str = "default") -> WorkerParts:
        parts = WorkerParts(self.store, f"{node}-worker", node)
        parts.beat([site], 5, self.clock.now().utc)
        return parts

    def look(self, hosts: Sequence[Host]) -> list[str]:
        listening = LooksTold(keep=self._keep, fail=self._fail, notice=self.notice, stop=self.stop)
        return look_elsewhere(hosts, LOOK, self.stored, listening)

    def begun(self, node: str = "node-1", number: int = 0) -> TakenPart:
        """A worker begins the part with this number."""
        job = list(self.stored.queue.kept.values())[number].job
        self.sites.append(job.site)
        taken = WorkerParts(self.store, f"{node}-worker", node).begin(job.part, self.clock.now().utc)
        assert taken is not None
        return taken

    def tells(self, taken: TakenPart, **looks: str) -> PartTelling:
        """It tells of hosts, by their name with _ for -."""
        lines = tuple(
            msgspec.json.encode({"host": host.replace("_", "-"), "look": look}) for host, look in looks.items()
        )
        return PartTelling(part=taken.id, attempt=taken.attempt, number=taken.number, lines=lines)

    def ends(self, telling: PartTelling, result: bytes = b"") -> None:
        WorkerParts(self.store, "any", "node-1").end(telling, "read", result, self.clock.now().utc)

    def _keep(self, host: Host, look: bytes) -> str:
        return f"{host.name} {msgspec.json.decode(look)}"

    def _fail(self, reached: Any) -> str:
        self.failed[reached.name] = reached.error
        return f"{reached.name} not read"


@pytest.fixture
def looking(tmp_path: Path, clock: ActingClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looking]:
    stored = Here(state=tmp_path)
    store = stored.open()
    given(clock, monkeypatch, looking_elsewhere, following, sites)
    try:
        yield Looking(store, stored, clock)
    finally:
        store.close()


def rows(looking: Looking) -> list[int]:
    with looking.store.engine.connect() as connection:
        return [
            connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in (ORDERS, PARTS, TOLD)
        ]


def test_what_is_told_is_kept_in_the_order_of_the_hosts_and_forgotten_in_the_store(looking: Looking) -> None:
    looking.worker()

    def reads() -> None:
        looking.ends(looking.tells(looking.begun(), web_3="c", web_1="a", web_2="b", web_9="of no host here"))

    looking.clock.meanwhile.append(reads)
    assert looking.look(WEB) == ["web-1 a", "web-2 b", "web-3 c"]
    assert looking.notice.ends == [("web-3", "read"), ("web-1", "read"), ("web-2", "read")]
    assert looking.sites == [f"{LOOKS}default"]
    assert rows(looking) == [0, 0, 0]


def test_a_host_that_is_read_twice_counts_once(looking: Looking) -> None:
    looking.worker()

    def dies() -> None:
        taken = looking.begun()
        WorkerParts(looking.store, "node-1-worker", "node-1").tell(
            looking.tells(taken, web_1="first"), looking.clock.now().utc
        )

    def goes_on() -> None:
        looking.ends(looking.tells(looking.begun("node-2"), web_1="again", web_2="b", web_3="c"))

    looking.clock.meanwhile += [dies, lambda: looking.clock.leap(1.0), goes_on]
    assert looking.look(WEB) == ["web-1 first", "web-2 b", "web-3 c"]
    assert looking.notice.ends.count(("web-1", "read")) == 1


def test_hosts_of_a_site_without_a_worker_are_unreachable_and_the_others_are_read(looking: Looking) -> None:
    looking.worker(site="berlin")
    hosts = (Host("web-1"), Host("web-2", site="berlin"))
    looking.clock.meanwhile.append(lambda: looking.ends(looking.tells(looking.begun(), web_2="b")))
    assert looking.look(hosts) == ["web-1 not read", "web-2 b"]
    assert isinstance(looking.failed["web-1"], Unreachable)
    assert looking.failed["web-1"].message == "no worker of site default is there"
    assert looking.failed["web-1"].hint == "start one there: runbook worker --site default"
    assert len(looking.stored.queue.kept) == 1


def test_a_part_has_hosts_of_one_site_and_not_too_many(looking: Looking) -> None:
    hosts = [Host(f"web-{n}", site="berlin" if n % 2 else "") for n in range(2 * TOGETHER + 2)]
    looking.worker(site="berlin")
    seen: list[list[str]] = []

    def reads(number: int) -> Callable[[], None]:
        def does() -> None:
            taken = looking.begun(number=number)
            seen.append([host.name for host in taken.hosts])
            looking.ends(looking.tells(taken, **{host.name.replace("-", "_"): "x" for host in taken.hosts}))

        return does

    looking.clock.meanwhile += [reads(0), reads(1)]
    found = looking.look(hosts)
    assert seen == [[f"web-{n}" for n in range(1, 2 * TOGETHER, 2)], [f"web-{2 * TOGETHER + 1}"]]
    assert found.count("web-1 x") == 1
    assert sum(one.endswith("not read") for one in found) == TOGETHER + 1


def test_why_a_part_failed_is_said_of_each_of_its_hosts(looking: Looking) -> None:
    looking.worker()
    refused = msgspec.json.encode(carried(Refused("the runbook is another one here")))
    looking.clock.meanwhile.append(lambda: looking.ends(looking.tells(looking.begun(), web_2="b"), refused))
    assert looking.look(WEB) == ["web-1 not read", "web-2 b", "web-3 not read"]
    assert {type(error) for error in looking.failed.values()} == {Refused}
    assert looking.failed["web-3"].message == "the runbook is another one here"


def test_a_part_that_waits_where_nobody_is_there_any_more_is_taken_back(looking: Looking) -> None:
    looking.worker()
    leaps: list[Callable[[], object]] = [lambda: looking.clock.leap(40.0), lambda: looking.clock.leap(SILENT + 1)]
    looking.clock.meanwhile += [*leaps, lambda: None, lambda: looking.clock.leap(1.0)]
    assert looking.look(WEB) == ["web-1 not read", "web-2 not read", "web-3 not read"]
    assert {error.message for error in looking.failed.values()} == {"no worker of site default is there"}


def test_after_ctrl_c_what_was_not_begun_is_taken_back_and_what_was_read_is_kept(looking: Looking) -> None:
    looking.worker()
    hosts = [Host(f"web-{n}") for n in range(TOGETHER + 1)]
    begun: list[TakenPart] = []

    def reads_one() -> None:
        begun.append(looking.begun())
        WorkerParts(looking.store, "node-1-worker", "node-1").tell(
            looking.tells(begun[0], web_0="a"), looking.clock.now().utc
        )

    def stopped() -> None:
        looking.stop.set()

    def ends() -> None:
        looking.clock.leap(1.0)
        [first] = begun
        told = msgspec.structs.replace(looking.tells(first), number=1)
        looking.ends(told)

    looking.clock.meanwhile += [reads_one, lambda: looking.clock.leap(1.0), stopped, ends]
    found = looking.look(hosts)
    assert found[:2] == ["web-0 a", "web-1 not read"]
    assert {type(error) for error in looking.failed.values()} == {Interrupted}
    assert looking.notice.ends.count(("web-50", "interrupted")) == 1


def test_ctrl_c_while_a_single_host_is_read_is_raised(looking: Looking) -> None:
    looking.worker()
    looking.clock.meanwhile.append(looking.stop.set)
    with pytest.raises(Interrupted):
        looking.look(WEB[:1])
    assert rows(looking) == [0, 0, 0]


def test_a_host_that_is_another_one_on_each_node_is_refused(looking: Looking) -> None:
    with pytest.raises(UsageError, match="is another host on each control node"):
        looking.look([WEB[0], Host("local", transport=LOCAL)])
    assert rows(looking) == [0, 0, 0]
