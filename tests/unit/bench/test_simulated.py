"""Simulated hosts are read, judged and changed as hosts are; what was under way at once can be counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.simulated import ChangeMade, SimulatedConnectors, SimulatedHost, Simulation, most_at_once
from tests.cli.books import act, book

from memrunbook import transports
from memrunbook.app.connectors import Connectors
from memrunbook.app.diagnosing import DiagnoseArguments, diagnose
from memrunbook.app.run_arguments import RunArguments
from memrunbook.app.running import run
from memrunbook.app.scheduled_consent import ScheduledConsent
from memrunbook.core.action.action import Risk
from memrunbook.core.host import Host
from memrunbook.core.plan.consents import Consents
from memrunbook.runtime.clock import SystemClock
from memrunbook.transports.ssh import SshConnector

HOSTS = tuple(Host(f"sim-{number:05}") for number in range(1, 9))


def world(folder: Path, sick: float) -> Simulation:
    return Simulation(folder, sick=sick, slower=0.0, change_seconds=0.01)


def test_so_many_are_sick_and_each_is_a_machine_of_its_own(tmp_path: Path) -> None:
    for sick in (0.0, 1.0):
        ways = SimulatedConnectors(world=world(tmp_path, sick))
        found = diagnose(DiagnoseArguments(hosts=HOSTS, connectors=ways, state=tmp_path / "state", quick=True)).hosts
        snapshots = [one.reached.snapshot for one in found if one.reached.snapshot is not None]
        machines = {one.identity.machine_id for one in snapshots}, {one.identity.boot_id for one in snapshots}
        assert tuple(map(len, machines)) == (len(HOSTS), len(HOSTS))
        applying = [one.diagnosis is not None and bool(one.diagnosis.incidents) for one in found]
        assert applying == [sick == 1.0] * len(HOSTS)


def test_a_change_is_remembered_by_whoever_asks_next(tmp_path: Path) -> None:
    small = book(tmp_path, act("renew", "renew", "app.service"), resolved="memory.available_percent > 30.0")
    simulation = world(tmp_path, 1.0)
    host = next(one for one in HOSTS if simulation.recording(one.name) == "swap-exhausted")
    ways = SimulatedConnectors(world=simulation, forks=1)
    consent = ScheduledConsent("nightly", Risk.HIGH, Consents(()), SystemClock().now)
    ran = run(RunArguments(runbook=small, hosts=(host,), connectors=ways, state=tmp_path / "state"), consent)
    assert [one.outcome for one in ran.reports] == ["resolved"], ran.reports
    [made] = simulation.changes()
    assert (made.host, made.what) == (host.name, "renew app.service")
    assert made.begin < made.end
    assert world(tmp_path, 1.0).recording(host.name) == "idle-healthy"


def test_changes_that_overlap_are_under_way_at_once() -> None:
    times = [(0.0, 2.0), (1.0, 3.0), (1.5, 1.8), (3.0, 4.0)]
    made = [ChangeMade(f"sim-{number}", "x", begin, end) for number, (begin, end) in enumerate(times)]
    assert [most_at_once(made[:count]) for count in range(5)] == [0, 1, 2, 3, 3]
    assert most_at_once(made[-1:] + made[1:2]) == 1


def test_whatever_else_a_process_reaches_it_reaches_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "way", transports.way)
    world(tmp_path, 0.0).install()
    ways = Connectors()
    assert [type(ways.connector(Host(name))) for name in ("sim-00001", "web01")] == [SimulatedHost, SshConnector]
