"""What five checked steps cost a host: exchanges, facts and processes, counted over a real server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from bench import farm as farms
from bench.meter import hosts_of, settled
from bench.peers.account import forks_of
from bench.peers.contestants import JOBS_FOLDER, STEPS
from tests.cli.console import here

from memrunbook.core.reading.probe import AGAIN, MARK
from memrunbook.documents import library
from memrunbook.runtime.ports import Output
from memrunbook.transports.shared.shell import ShellSession

LACK = farms.missing() or ("" if farms.can_be_apart() else "only root can give each server a /run of its own")
ONE_STEP = ["full", "script", "full", "again"]
"""Looked at behind the gate, carried out, and proven by a pair of samples; the next step goes on from there."""
NEEDED = {"failed_units", "holds", "host", "memory", "pressure", "sysctl", "vmstat"}
MOST_PROCESSES = 22
"""One for the kernel's parameters at each of the 11 readings, one of each step's own, those of the diagnosis and of the
shell, and three of a login."""

pytestmark = [
    pytest.mark.skipif(bool(LACK), reason=LACK or "nothing is missing"),
    pytest.mark.timeout(300),
]


@dataclass
class Counted:
    """What went to and fro on the host, in order, and what the journal kept of it."""

    exchanges: list[str] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    processes: int | None = None

    @property
    def readings(self) -> list[dict[str, Any]]:
        asked = [record["request"] for record in self.records if record["event"] == "asked"]
        return [request for request in asked if request["type"] == "ReadFacts"]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    """The job of `bench/peers`, run once on one host."""
    folder, found = tmp_path_factory.mktemp("steps"), Counted()
    plain = ShellSession.execute

    def execute(session: ShellSession, script: str, args: Sequence[str] = (), **bounds: Any) -> Output:
        found.exchanges.append("again" if script.startswith(AGAIN) else "full" if script.startswith(MARK) else "script")
        return plain(session, script, args, **bounds)

    with pytest.MonkeyPatch.context() as patched, farms.running(1, apart=True) as farm:
        patched.setattr(library, "ADMINISTRATORS", folder / "etc")
        patched.setattr(ShellSession, "execute", execute)
        words = ["run", "five-steps", f"--runbooks={JOBS_FOLDER}", "--yes", f"--state-dir={folder / 'state'}"]
        with hosts_of(farm.servers) as meter, forks_of(farm.servers) as forks:
            ran = here(*words, f"--config-dir={folder}", *farm.options(1))
            settled(meter)
        assert ran.code == 0, ran.said
        [journal] = (folder / "state").glob("runs/*/127.0.1.1.jsonl")
        found.records = [msgspec.json.decode(line) for line in journal.read_bytes().splitlines()]
        found.processes = None if forks is None else forks.count
        yield found


def test_a_step_is_a_look_a_change_and_a_pair_of_samples(counted: Counted) -> None:
    diagnosis, lock, *steps, unlock = counted.exchanges
    assert (diagnosis, lock, unlock) == ("full", "script", "script")
    assert steps == ONE_STEP * STEPS


def test_a_step_reads_what_it_needs_and_no_services(counted: Counted) -> None:
    diagnosis, *steps = counted.readings
    assert "units" in diagnosis["facts"]
    assert len(steps) == 2 * STEPS
    assert all(set(read["facts"]) <= NEEDED for read in steps), steps


def test_what_was_read_is_enough_for_the_report(counted: Counted) -> None:
    events = [record["record"] for record in counted.records if record["event"] == "recorded"]
    assert [event["state"] for event in events if event["type"] == "step-finished"] == ["done"] * STEPS
    assert events[-1]["where"]["memory.available_bytes"] > 0


def test_the_host_starts_few_processes(counted: Counted) -> None:
    if counted.processes is None:
        pytest.skip("this kernel does not tell of processes")
    assert 0 < counted.processes <= MOST_PROCESSES
