"""What others recorded of hosts comes into the history; whoever has nothing says why."""

from __future__ import annotations

import json
from functools import partial

from tests.unit.transports.shared.test_prometheus import matrix, says, server

from memrunbook.app.connectors import Connectors
from memrunbook.app.importing import ImportArguments, import_prometheus, import_sar
from memrunbook.core.errors import LoginError
from memrunbook.core.host import Host
from memrunbook.linux.sadf import READ, SCRIPT
from memrunbook.runtime.ports import Connector, Output
from memrunbook.testing import Call, MemoryPast, ScriptedConnector, ScriptedSession
from memrunbook.transports.shared.prometheus import PrometheusServer

HOST = Host("web1")
STAMP = {"date": "2026-03-01", "time": "23:55:01", "utc": 1}
DAY = json.dumps({"sysstat": {"hosts": [{"statistics": [{"timestamp": STAMP, "memory": {"memfree": 1, "avail": 2}}]}]}})


class To(Connectors):
    """Reaches the host of a test."""

    def __init__(self, connector: Connector) -> None:
        super().__init__()
        object.__setattr__(self, "reaches", connector)

    def connector(self, host: Host) -> Connector:
        del host
        found: Connector = self.__dict__["reaches"]
        return found


def recorded(call: Call) -> Output:
    if call.script == SCRIPT:
        return Output(0, "/var/log/sysstat/sa01\n/var/log/sysstat/sa02\n/var/log/sysstat/sa03\n")
    if call.script == READ:
        return Output(0, "Invalid system activity file" if call.args[0].endswith("3") else DAY)
    return Output(0, "m1\n")


def test_the_days_of_sysstat_are_kept_once() -> None:
    past, session = MemoryPast(), ScriptedSession(recorded)
    arguments = ImportArguments(hosts=(HOST,), past=past, connectors=To(ScriptedConnector(session)))
    for _ in range(2):
        (told,) = import_sar(arguments)
        assert (told.host, told.series, told.error) == ("web1", 2, None)
        assert told.skipped == ("/var/log/sysstat/sa03: this is not what sadf -j prints",)
    assert {one.figure: len(one.points) for one in past.series("web1", "", 0.0)} == {
        "memory.free_bytes": 1,
        "memory.available_bytes": 1,
    }
    assert session.closed


def _says(text: str, _call: Call) -> Output:
    return Output(0, text)


def test_without_sysstat_and_without_days_it_says_so() -> None:
    for text, why in (("no sadf\n", "not installed"), ("", "recorded nothing")):
        session = ScriptedSession(partial(_says, text))
        arguments = ImportArguments(hosts=(HOST,), past=MemoryPast(), connectors=To(ScriptedConnector(session)))
        (told,) = import_sar(arguments)
        assert told.error is not None
        assert why in told.error.message


def test_a_host_that_is_not_reached_has_its_error() -> None:
    lost = To(ScriptedConnector(error=LoginError("no")))
    (told,) = import_sar(ImportArguments(hosts=(HOST,), past=MemoryPast(), connectors=lost))
    assert isinstance(told.error, LoginError)


def test_a_month_of_prometheus_is_kept() -> None:
    past = MemoryPast()
    with server(says(matrix((1000, "1"), (1300, "2")))) as url:
        (told,) = import_prometheus(ImportArguments(hosts=(HOST,), past=past), PrometheusServer(url), now=2000.0)
    assert (told.points, told.series) == (16, 8)
    assert {len(one.points) for one in past.series("web1", "", 0.0)} == {2}
    (lost,) = import_prometheus(ImportArguments(hosts=(HOST,), past=past), PrometheusServer(url), now=2000.0)
    assert lost.error is not None
