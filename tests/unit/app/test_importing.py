"""What others recorded of hosts comes into the history; whoever has nothing says why."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.unit.transports.shared.test_prometheus import matrix, says, server

from memrunbook.app.connectors import Connectors
from memrunbook.app.importing import (
    AT_ONCE,
    MOST_BYTES,
    ImportArguments,
    Imported,
    _joined,
    import_prometheus,
    import_sar,
)
from memrunbook.app.looking_back import LookBackArguments, look_back
from memrunbook.app.stored import Stored
from memrunbook.core.errors import LoginError, UsageError
from memrunbook.core.host import Host
from memrunbook.core.reading.series import Observation, Series
from memrunbook.documents.library import Library
from memrunbook.linux.sadf import READ, SCRIPT, WHY, RecordedDay
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.ports import Connector, Output
from memrunbook.testing import Call, MemoryPast, ScriptedConnector, ScriptedSession
from memrunbook.transports.shared.prometheus import PrometheusServer

HOST = Host("web1")
STAMP = {"date": "2026-03-01", "time": "23:55:01", "utc": 1}
PRINTED = json.dumps(
    {"sysstat": {"hosts": [{"statistics": [{"timestamp": STAMP, "memory": {"memfree": 1, "avail": 2}}]}]}}
)


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
        return Output(0, "Invalid system activity file" if call.args[0].endswith("3") else PRINTED)
    return Output(0, "" if call.script == WHY else "m1\n")


def test_the_days_of_sysstat_are_kept_once() -> None:
    past, session = MemoryPast(), ScriptedSession(recorded)
    arguments = ImportArguments(hosts=(HOST,), past=past, connectors=To(ScriptedConnector(session)))
    for _ in range(2):
        (told,) = import_sar(arguments)
        assert (told.host, told.series, told.error) == ("web1", 2, None)
        assert told.skipped == ("/var/log/sysstat/sa03: what sadf prints of it cannot be read",)
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


def test_a_server_that_does_not_answer_is_not_asked_for_every_host() -> None:
    asked: list[str] = []

    def silent(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        says("", 401)(handler)

    hosts, counted = tuple(Host(f"web{number}") for number in range(40)), list[int]()
    arguments = ImportArguments(hosts=hosts, past=MemoryPast(), told=counted.append)
    with server(silent) as url:
        told = import_prometheus(arguments, PrometheusServer(url), now=2000.0)
    assert [(one.host, str(one.error)) for one in told] == [(host.name, str(told[0].error)) for host in hosts]
    assert len(asked) <= AT_ONCE
    assert counted == list(range(1, 41))


def test_one_query_that_fails_is_not_the_end_of_all() -> None:
    def busy(handler: BaseHTTPRequestHandler) -> None:
        says(*(("", 503) if "web1" in handler.path else (matrix((1000, "1")),)))(handler)

    hosts = tuple(Host(f"web{number}") for number in range(3))
    with server(busy) as url:
        told = import_prometheus(ImportArguments(hosts=hosts, past=MemoryPast()), PrometheusServer(url), now=2000.0)
    assert [one.points for one in told] == [8, 0, 8]


def test_hosts_are_read_at_once() -> None:
    together = threading.Barrier(3, timeout=10.0)

    def answered(call: Call) -> Output:
        if call.script == SCRIPT:
            together.wait()
        return recorded(call)

    hosts = tuple(Host(f"web{number}") for number in range(3))
    to = To(ScriptedConnector(ScriptedSession(answered)))
    told = import_sar(ImportArguments(hosts=hosts, past=MemoryPast(), connectors=to))
    assert [(one.host, one.series, one.error) for one in told] == [(host.name, 2, None) for host in hosts]


def test_what_is_left_is_known_beside_the_ram_of_the_host() -> None:
    days = [
        Series("host", "", name, (Observation(1.0, 2.0),)) for name in ("memory.available_bytes", "swap.free_bytes")
    ]
    assert [one.points[0].limit for one in _joined([RecordedDay(tuple(days), ())], 16)] == [16.0, None]
    assert [one.points[0].limit for one in _joined([RecordedDay(tuple(days), ())], None)] == [None, None]


def test_a_restart_of_one_day_begins_the_life_of_the_days_after_it() -> None:
    def day(number: int, *restarts: float) -> RecordedDay:
        points = tuple(Observation(number * 86400.0 + hour * 3600, 1.0) for hour in range(24))
        return RecordedDay((Series("kernel", "", "memory.page_tables_bytes", points),), restarts)

    restart = 2 * 86400.0 + 43200
    (found,) = _joined([day(1), day(2, restart), day(3)], None)
    assert {point.life for point in found.points if point.at < restart} == {"since 0"}
    assert {point.life for point in found.points if point.at >= restart} == {f"since {restart:.0f}"}


def test_a_day_that_is_not_whole_says_why() -> None:
    late = Output(None, PRINTED[:40], timed_out=True)
    for day, why in (
        (Output(0, PRINTED[:40] + " " * MOST_BYTES), "larger than 4 MiB"),
        (late, "took longer than 60 s"),
    ):

        def answered(call: Call, day: Output = day) -> Output:
            return day if call.script == READ else recorded(call)

        session = ScriptedSession(answered)
        arguments = ImportArguments(hosts=(HOST,), past=MemoryPast(), connectors=To(ScriptedConnector(session)))
        (told,) = import_sar(arguments)
        assert [why in one for one in told.skipped] == [True] * 3


def imported(days: Callable[[Call], Output], past: MemoryPast) -> Imported:
    session = ScriptedSession(lambda call: days(call) if call.script in (READ, WHY) else recorded(call))
    (told,) = import_sar(ImportArguments(hosts=(HOST,), past=past, connectors=To(ScriptedConnector(session))))
    return told


def test_what_sadf_says_of_a_file_that_it_cannot_read_is_told() -> None:
    def days(call: Call) -> Output:
        said = f"Invalid system activity file: {call.args[0]}\nFile created by sysstat version 11.0.1\n"
        return Output(0, said if call.script == WHY else "")

    told = imported(days, MemoryPast())
    assert told.skipped[0] == (
        "/var/log/sysstat/sa01: Invalid system activity file; File created by sysstat version 11.0.1"
    )


def test_a_day_that_is_too_large_is_read_by_the_minute() -> None:
    def days(call: Call) -> Output:
        return Output(0, PRINTED) if call.args[2:] == ("60",) else Output(None, "{" * (MOST_BYTES + 1))

    past = MemoryPast()
    assert imported(days, past).skipped == ()
    assert {len(one.points) for one in past.series("web1", "", 0.0)} == {1}


def test_a_day_that_takes_too_long_takes_no_other_day_with_it() -> None:
    class Ending(Connector):
        """Each session is at its end when a script was killed with its shell."""

        def connect(self) -> ScriptedSession:
            dead: list[bool] = []

            def answered(call: Call) -> Output:
                if dead:
                    return Output(None, "", lost=True)
                if call.script == READ and call.args[0].endswith("1"):
                    dead.append(True)
                    return Output(None, "", timed_out=True)
                return recorded(call)

            return ScriptedSession(answered)

    (told,) = import_sar(ImportArguments(hosts=(HOST,), past=MemoryPast(), connectors=To(Ending())))
    assert (told.series, told.error, len(told.skipped)) == (2, None, 2)
    assert told.skipped[0] == "/var/log/sysstat/sa01: sadf took longer than 60 s"


def test_no_more_of_a_day_is_printed_than_is_read() -> None:
    with_sadf = f"sadf() {{ yes '{{}}'; }}\n{READ.replace('LC_ALL=C ', '')}"
    done = subprocess.run(["sh", "-c", with_sadf, "sh", "/var/log/sa/sa01", "4097"], capture_output=True, check=True)
    assert len(done.stdout) == 4097


def test_a_host_with_several_series_is_told_and_the_others_are_imported() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        twice = ("web1:9100", "web1:9101") if "web1" in handler.path else ("db:9100",)
        says(matrix((1000, "1"), instances=twice))(handler)

    hosts = (HOST, Host("db"))
    with server(answer) as url:
        told = import_prometheus(ImportArguments(hosts=hosts, past=MemoryPast()), PrometheusServer(url), now=2000.0)
    assert [(one.points, type(one.error)) for one in told] == [(0, UsageError), (8, type(None))]


def test_an_imported_month_says_how_much_room_there_is(tmp_path: Path) -> None:
    now = SystemClock().now().utc
    past = Stored(tmp_path).past()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        size = "1000" if "MemTotal" in handler.path else "400"
        says(matrix(*((now - hour * 3600, size) for hour in range(48, 0, -1))))(handler)

    with server(answer) as url:
        import_prometheus(ImportArguments(hosts=(HOST,), past=past), PrometheusServer(url), now=now)
    library = Library((), None, None, None)
    (found,) = look_back(LookBackArguments(hosts=("web1",), state=tmp_path, library=library))
    assert found.left == 40.0
