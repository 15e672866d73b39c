"""Which machine an alert leads to, and that what was not looked at is not answered; hosts and diagnoses are doubles."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from memrunbook.app import alerting
from memrunbook.app.alerting import AlertArguments, AlertResult, answer_alerts
from memrunbook.core.errors import Interrupted, Unreachable
from memrunbook.core.host import Host
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.core.plan.judged import Judged
from memrunbook.core.reading.reached import Reached
from memrunbook.documents.alerts import AlertsPosted, FiredAlert
from memrunbook.documents.library import usual_library

CONFIG = """
defaults: {inventory: blue}
alerts:
  - {alertname: Blue, runbook: memory-leak}
  - {alertname: Green, runbook: memory-leak, inventory: green}
"""
Answers = Callable[..., AlertResult]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The addresses that were looked at, a tuple a diagnosis; none of them is reached."""
    found: list[tuple[str, ...]] = []

    def diagnose(arguments: Any, _notice: object, *, stop: threading.Event) -> Any:
        found.append(tuple(host.address for host in arguments.hosts))
        gone = [Judged(Reached(host, error=Unreachable("no route", where=host.name))) for host in arguments.hosts]
        return SimpleNamespace(hosts=gone, stop=stop)

    monkeypatch.setattr(alerting, "diagnose", diagnose)
    return found


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    (tmp_path / "config.yaml").write_text(CONFIG)

    def inventory_of(sources: Sequence[str]) -> Inventory:
        name = Path(sources[0]).name if sources else "blue"
        return inventories[name]

    def answer(*names: str, hosts: Mapping[str, Sequence[Host]], stop: threading.Event | None = None) -> AlertResult:
        inventories.update({name: Inventory({one.name: one for one in known}) for name, known in hosts.items()})
        alerts = tuple(FiredAlert("firing", {"alertname": name, "instance": "web1:9100"}) for name in names)
        arguments = AlertArguments(
            posted=AlertsPosted("4", alerts), inventory_of=inventory_of,
            library=usual_library((), tmp_path), state=tmp_path / "state",
        )  # fmt: skip
        return answer_alerts(arguments, stop=stop)

    inventories: dict[str, Inventory] = {}
    return answer


def test_two_inventories_may_call_two_machines_by_one_name(answers: Answers, asked: list[tuple[str, ...]]) -> None:
    hosts = {"blue": [Host("web1", address="192.0.2.1")], "green": [Host("web1", address="192.0.2.2")]}
    found = answers("Blue", "Green", hosts=hosts)
    assert asked == [("192.0.2.1",), ("192.0.2.2",)], "the second alert is not about the first machine"
    assert [one.answer for one in found.alerts] == ["unreachable", "unreachable"]


def test_one_machine_in_two_inventories_is_looked_at_once(answers: Answers, asked: list[tuple[str, ...]]) -> None:
    hosts = {name: [Host("web1", address="192.0.2.1", tags=(name,))] for name in ("blue", "green")}
    assert len(answers("Blue", "Green", hosts=hosts).alerts) == 2
    assert asked == [("192.0.2.1",)]


def test_what_was_not_looked_at_is_not_answered(answers: Answers, asked: list[tuple[str, ...]]) -> None:
    hosts, stop = {"blue": [Host("web1", address="192.0.2.1")]}, threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        answers("Blue", hosts=hosts, stop=stop)
    again = answers("Blue", hosts=hosts)
    assert [one.answer for one in again.alerts] == ["unreachable"], "told again, it is tried again, not counted"
    assert len(asked) == 2
