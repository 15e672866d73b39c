"""Is the journal intact, and who but this machine knows where it ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memrunbook.core.errors import HostError, JournalError, UsageError
from memrunbook.core.host import Host
from memrunbook.state import audit as journals
from memrunbook.state import chain, heads, ledger
from memrunbook.state.audit import AuditFinding
from memrunbook.state.chain import Link

if TYPE_CHECKING:
    from memrunbook.app.connectors import Connectors
    from memrunbook.runtime.life import Life
    from memrunbook.state.witness import LogComparison

AuditVerdict = Literal["intact", "intact-up-to-end", "not-intact", "nothing"]


@dataclass(frozen=True, kw_only=True)
class AuditArguments:
    """A state directory, and who else knows its end.

    `expect` is a head of the ledger that was kept elsewhere, `expect_file` a file that keeps the last one: it is read,
    and gets the new one where everything is intact. The logs of `hosts` are held against the journals.
    """

    state: Path
    expect: str = ""
    expect_file: Path | None = None
    hosts: tuple[Host, ...] = ()
    connectors: Connectors | None = None


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """What was found, the ledger's head and how many entries lead up to it.

    `expected` is the entry at which the newest head stands that somebody kept elsewhere, None where none was named.
    `compared` are the hosts whose logs were asked, `unreached` those that could not be, with the reason. `kept` is the
    file that has the new head now.
    """

    findings: tuple[AuditFinding, ...]
    head: str
    count: int = 0
    expected: int | None = None
    compared: tuple[LogComparison, ...] = ()
    unreached: tuple[tuple[str, HostError], ...] = ()
    kept: Path | None = None

    @property
    def intact(self) -> bool:
        """True when nothing was found that was changed."""
        return not any(finding.level == "error" for finding in self.findings)

    @property
    def verdict(self) -> AuditVerdict:
        """`intact` only where somebody else knows the end; `nothing` where no run was made yet."""
        if not self.intact:
            return "not-intact"
        if not self.count:
            return "nothing"
        known = self.expected == self.count or any(one.end_known for one in self.compared)
        return "intact" if known else "intact-up-to-end"


def audit(arguments: AuditArguments) -> AuditResult:
    """Checks every journal and the ledger, then the hosts' own logs.

    UsageError without a state directory, JournalError for a head that cannot be read or kept, and where a head is
    expected of a directory that is gone.
    """
    expected = _expected(arguments)
    if not arguments.state.is_dir():
        _refuse_missing(arguments.state, expected)
    entries = ledger.read(arguments.state)
    findings: list[AuditFinding] = []
    for head in expected or [""]:
        findings += [one for one in journals.verify(arguments.state, head) if one not in findings]
    places = {entry.hash: entry.seq for entry in entries}
    compared, unreached = _compared(arguments)
    findings += [found for one in compared for found in one.findings]
    link = Link(entries[-1].hash, entries[-1].seq) if entries else chain.Link()
    kept = _keep(arguments.expect_file, findings, link)
    return AuditResult(
        findings=tuple(findings),
        head=link.head if entries else "",
        count=link.count,
        expected=max((places[head] for head in expected if head in places), default=0) if expected else None,
        compared=compared,
        unreached=unreached,
        kept=kept,
    )


def _expected(arguments: AuditArguments) -> list[str]:
    """The heads that were kept elsewhere; a file that is not there yet has none, its folder must be there."""
    file = arguments.expect_file
    if file is not None and not file.parent.is_dir():
        raise UsageError("there is no such folder", where=f"--expect-file {file}", hint="make it, or correct the path")
    link = heads.read(file) if file is not None else None
    return [head for head in (arguments.expect, link.head if link else "") if head]


def _refuse_missing(state: Path, expected: list[str]) -> None:
    hint = "--state-dir names another place"
    if expected:
        gone = f"it is gone, or this is the wrong place: its ledger is expected to hold {expected[0]}"
        raise JournalError(gone, where=str(state), hint=hint)
    raise UsageError("there is no journal here: this directory does not exist", where=str(state), hint=hint)


def _keep(file: Path | None, findings: list[AuditFinding], link: Link) -> Path | None:
    if file is None or not link.count or any(finding.level == "error" for finding in findings):
        return None
    heads.write(file, link)
    return file


def _compared(arguments: AuditArguments) -> tuple[tuple[LogComparison, ...], tuple[tuple[str, HostError], ...]]:
    if not arguments.hosts:
        return (), ()
    from memrunbook.app.connectors import Connectors
    from memrunbook.app.reading import refuse_twins
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.runtime.fleet import each

    connectors = arguments.connectors or Connectors()
    refuse_twins(arguments.hosts)
    connectors.check(arguments.hosts)
    lives = partial(_asked, arguments.state, connectors)
    found = list(zip(arguments.hosts, each(arguments.hosts, lives, connectors.forks, SystemClock()), strict=True))
    unreached = tuple((host.name, one) for host, one in found if isinstance(one, HostError))
    return tuple(one for _, one in found if not isinstance(one, HostError)), unreached


def _asked(state: Path, connectors: Connectors, host: Host) -> Life[LogComparison | HostError]:
    """Asks one host for its log; it never waits for anything but the host."""
    from memrunbook.runtime.witness import read_log
    from memrunbook.state.witness import compare

    yield from ()
    try:
        session = connectors.connector(host).connect()
    except HostError as error:
        return error
    try:
        return compare(state, host.name, session.identity, read_log(session))
    finally:
        session.close()
