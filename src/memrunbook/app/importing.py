"""Takes over what others recorded of hosts, so that the first run already knows a month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from memrunbook import catalog
from memrunbook.app.connectors import Connectors
from memrunbook.core.errors import HostError, RunbookError
from memrunbook.core.host import Host
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.core.units import DAY
from memrunbook.linux.sadf import READ, SCRIPT, read_sadf
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.life import run_alone
from memrunbook.runtime.ports import Past, Session
from memrunbook.transports.shared.prometheus import PrometheusServer, matcher

MONTH = 31 * DAY
MOST_FILES, MOST_BYTES = 31, 4 << 20
PATIENCE = 60.0
NO_SAR = "sysstat is not installed there"


@dataclass(frozen=True, kw_only=True)
class ImportArguments:
    """The hosts whose records are taken over, and the history that they are kept in."""

    hosts: tuple[Host, ...]
    past: Past
    connectors: Connectors = field(default_factory=Connectors)


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
    return [_of_host(arguments, host) for host in arguments.hosts]


def import_prometheus(
    arguments: ImportArguments, server: PrometheusServer, now: float, match: str = ""
) -> list[Imported]:
    """Asks a Prometheus server for the month before `now` (seconds since 1970), host by host, and keeps it.

    `match` are the matchers of one host; without them `instance` is the host's name, with any port.
    """
    server.checked()
    found = []
    for host in arguments.hosts:
        try:
            series = server.series(match or matcher(host.name), now - MONTH, now)
            found.append(_kept(arguments.past, host.name, "", series))
        except HostError as error:
            found.append(Imported(host.name, error=error))
    return found


def _of_host(arguments: ImportArguments, host: Host) -> Imported:
    try:
        session = arguments.connectors.connector(host).connect()
        try:
            return _recorded(arguments.past, host, session)
        finally:
            session.close()
    except HostError as error:
        return Imported(host.name, error=error)


def _recorded(past: Past, host: Host, session: Session) -> Imported:
    listed = session.execute(SCRIPT, timeout=PATIENCE).text.split("\n")
    files = [line for line in listed if line.startswith("/")][-MOST_FILES:]
    if not files:
        hint = "apt install sysstat, or dnf install sysstat; it records from then on"
        said = NO_SAR if "no sadf" in listed else "sysstat has recorded nothing there that this login may read"
        return Imported(host.name, error=HostError(said, where=host.name, hint=hint))
    found: list[Series] = []
    skipped: list[str] = []
    for file in files:
        output = session.execute(READ, (file,), timeout=PATIENCE, limit=MOST_BYTES)
        try:
            found += read_sadf(output.text)
        except ValueError as error:
            skipped.append(f"{file}: {error}")
    clock = SystemClock()
    seen = run_alone(Collector(host, session, clock, catalog.facts()).collect(["host"], count=1, every=1.0), clock)
    kept = _kept(past, host.name, seen.identity.machine_id, _joined(found))
    return Imported(host.name, kept.points, kept.series, tuple(skipped))


def _joined(found: Sequence[Series]) -> tuple[Series, ...]:
    """The days of each figure as one series."""
    days: dict[tuple[Kind, str], list[Observation]] = {}
    for one in found:
        days.setdefault((one.kind, one.figure), []).extend(one.points)
    return tuple(Series(kind, "", figure, tuple(sorted(points, key=_at))) for (kind, figure), points in days.items())


def _at(point: Observation) -> float:
    return point.at


def _kept(past: Past, host: str, machine: str, series: Sequence[Series]) -> Imported:
    past.keep(host, machine, series)
    return Imported(host, sum(len(one.points) for one in series), len(series))
