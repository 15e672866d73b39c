"""Takes over what others recorded of hosts, so that the first run already knows a month."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from msgspec import structs

from memrunbook import catalog
from memrunbook.app.connectors import Connectors
from memrunbook.core.errors import HostError, RunbookError, UsageError
from memrunbook.core.host import Host
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.core.units import DAY
from memrunbook.linux.sadf import EACH_MINUTE, READ, SCRIPT, WHY, RecordedDay, read_sadf, said_of, with_lives
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.fleet import each
from memrunbook.runtime.life import Life
from memrunbook.runtime.ports import Output, Past, Session
from memrunbook.transports.shared.prometheus import NoAnswerError, PrometheusServer, matcher

MONTH = 31 * DAY
MOST_FILES, MOST_BYTES = 31, 4 << 20
PATIENCE = 60.0
AT_ONCE = 8
"""Hosts that a Prometheus server is asked for at once: it works for others too."""
OF_RAM = frozenset({"memory.available_bytes", "memory.free_bytes", "memory.anonymous_bytes"})
"""Figures of which the RAM is the limit: without it nobody knows how much room they leave."""
NO_SAR, INSTALL = "sysstat is not installed there", "apt install sysstat, or dnf install sysstat; then enable it"
NO_DAYS = "sysstat has recorded nothing there that this login may read"
ENABLE = 'systemctl enable --now sysstat (Debian: ENABLED="true" in /etc/default/sysstat); it records from then on'


@dataclass(frozen=True, kw_only=True)
class ImportArguments:
    """The hosts whose records are taken over, and the history that they are kept in.

    `told` is told how many hosts are done, whenever that is one more.
    """

    hosts: tuple[Host, ...]
    past: Past
    connectors: Connectors = field(default_factory=Connectors)
    told: Callable[[int], object] = lambda _done: None


@dataclass(frozen=True)
class Imported:
    """What was taken over of one host: how many points, and of how many series; or why nothing was."""

    host: str
    points: int = 0
    series: int = 0
    skipped: tuple[str, ...] = ()
    error: RunbookError | None = None


def import_sar(arguments: ImportArguments) -> list[Imported]:
    """Reads the days that sysstat recorded on each host, with its own sadf, and keeps them; nothing is changed there.

    Days that cannot be read are `skipped`, with why. A host that is not reached, or has no sysstat, has its error.
    """
    turn = threading.Lock()
    done = _Counted(arguments.told)

    def life(host: Host) -> Life[Imported]:
        found = yield from _of_host(arguments, host, turn)
        done.one_more()
        return found

    return each(arguments.hosts, life, arguments.connectors.forks, SystemClock())


def import_prometheus(
    arguments: ImportArguments, server: PrometheusServer, now: float, match: str = ""
) -> list[Imported]:
    """Asks a Prometheus server for the month before `now` (seconds since 1970), some hosts at once, and keeps it.

    Once it does not answer no further host is asked for: each has that error.

    `match` are the matchers of one host; without them `instance` is the host's name, with any port.
    """
    server.checked()
    turn, silent = threading.Lock(), list[NoAnswerError]()
    done = _Counted(arguments.told)

    def asked(host: Host) -> Imported:
        if silent:
            return Imported(host.name, error=silent[0])
        try:
            series = server.series(match or matcher(host.name), now - MONTH, now)
            with turn:
                return _kept(arguments.past, host.name, "", series)
        except NoAnswerError as error:
            silent.append(error)
            return Imported(host.name, error=silent[0])
        except (HostError, UsageError) as error:
            return Imported(host.name, error=error)

    def life(host: Host) -> Life[Imported]:
        yield from ()
        found = asked(host)
        done.one_more()
        return found

    return each(arguments.hosts, life, min(arguments.connectors.forks, AT_ONCE), SystemClock())


class _Counted:
    """Counts the hosts that are done, for whoever waits."""

    def __init__(self, told: Callable[[int], object]) -> None:
        self._told, self._done, self._turn = told, 0, threading.Lock()

    def one_more(self) -> None:
        """Tells the new number, one thread after the other."""
        with self._turn:
            self._done += 1
            self._told(self._done)


def _of_host(arguments: ImportArguments, host: Host, turn: threading.Lock) -> Life[Imported]:
    try:
        with ExitStack() as opened:

            def connect() -> Session:
                session = arguments.connectors.connector(host).connect()
                opened.callback(session.close)
                return session

            return (yield from _recorded(arguments.past, host, connect, turn))
    except HostError as error:
        return Imported(host.name, error=error)


def _recorded(past: Past, host: Host, connect: Callable[[], Session], turn: threading.Lock) -> Life[Imported]:
    """Hosts are read at once and kept one after the other: none waits for the history until it gives up."""
    reader = _Reader(host, connect, connect())
    listed = reader.session.execute(SCRIPT, timeout=PATIENCE).text.split("\n")
    files = [line for line in listed if line.startswith("/")][-MOST_FILES:]
    if not files:
        said, hint = (NO_SAR, INSTALL) if "no sadf" in listed else (NO_DAYS, ENABLE)
        return Imported(host.name, error=HostError(said, where=host.name, hint=hint))
    found: list[RecordedDay] = []
    skipped: list[str] = []
    for file in files:
        try:
            found.append(reader.day(file))
        except ValueError as error:
            skipped.append(f"{file}: {error}")
    collector = Collector(host, reader.session, SystemClock(), catalog.facts())
    seen = yield from collector.collect(["host", "memory"], count=1, every=1.0)
    total = getattr(seen.readings.get("memory"), "total_bytes", None)
    with turn:
        kept = _kept(past, host.name, seen.identity.machine_id, _joined(found, total))
    return Imported(host.name, kept.points, kept.series, tuple(skipped))


@dataclass
class _Reader:
    """Reads the days of one host; its session is opened anew where one was ended with what it read."""

    host: Host
    connect: Callable[[], Session]
    session: Session

    def day(self, file: str) -> RecordedDay:
        """One day, of a large one a line a minute; ValueError with why it cannot be read."""
        output = self._printed(file)
        cut = _cut(output)
        if output.truncated:
            output = self._printed(file, EACH_MINUTE)
        try:
            day = read_sadf(output.text)
        except ValueError as error:
            said = "" if cut else said_of(file, self.session.execute(WHY, (file,), timeout=PATIENCE).text)
            raise ValueError(_cut(output) or cut or said or str(error)) from error
        if cut and not day.series:
            raise ValueError(cut)
        return day

    def _printed(self, file: str, every: str = "") -> Output:
        output = self.session.execute(READ, (file, str(MOST_BYTES + 1), every), timeout=PATIENCE, limit=MOST_BYTES)
        if output.lost:
            hint = "repeat it: what is known stays as it is"
            raise HostError("the connection was lost", where=self.host.name, hint=hint)
        if output.status is None:  # its shell was ended with it
            self.session = self.connect()
        return output


def _cut(output: Output) -> str:
    """Why a day is not whole; empty where it is."""
    if output.timed_out:
        return f"sadf took longer than {PATIENCE:.0f} s"
    return f"it is larger than {MOST_BYTES >> 20} MiB" if output.truncated else ""


def _joined(found: Sequence[RecordedDay], total: int | None) -> tuple[Series, ...]:
    """The days of each figure as one series; sar tells no size of the RAM, so that of now is taken."""
    restarts = {at for day in found for at in day.restarts}
    days: dict[tuple[Kind, str], list[Observation]] = {}
    for one in (series for day in found for series in day.series):
        limit = float(total) if total is not None and one.figure in OF_RAM else None
        points = one.points if limit is None else (structs.replace(point, limit=limit) for point in one.points)
        days.setdefault((one.kind, one.figure), []).extend(points)
    return tuple(Series(kind, "", figure, with_lives(points, restarts)) for (kind, figure), points in days.items())


def _kept(past: Past, host: str, machine: str, series: Sequence[Series]) -> Imported:
    past.keep(host, machine, series)
    return Imported(host, sum(len(one.points) for one in series), len(series))
