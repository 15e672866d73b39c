"""Is the journal intact, and who but this machine knows where it ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memrunbook.app.second_witness import StoreAnswer, asked_store
from memrunbook.core.errors import HostError, JournalError, UsageError
from memrunbook.core.host import Host
from memrunbook.documents.library import Library
from memrunbook.runtime.clock import SystemClock
from memrunbook.state import audit as journals
from memrunbook.state import chain, disk, heads, ledger
from memrunbook.state.asked import asked_doubts
from memrunbook.state.audit import AuditFinding
from memrunbook.state.chain import Link
from memrunbook.state.kept_approvals import ProvenApproval, ToldApproval, told_approval
from memrunbook.state.known_passkeys import passkey_doubts
from memrunbook.state.names import name_of
from memrunbook.state.run_directory import COMMON, RUN
from memrunbook.state.sign_ins import sign_in_doubts
from memrunbook.state.signers import Signers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memrunbook.app.connectors import Connectors
    from memrunbook.runtime.life import Life
    from memrunbook.state.ledger import SealedEntry
    from memrunbook.state.witness import LogComparison

AuditVerdict = Literal["intact", "intact-up-to-end", "not-intact", "nothing"]


@dataclass(frozen=True, kw_only=True)
class AuditArguments:
    """A state directory, and who else knows its end.

    `expect` is a head of the ledger that was kept elsewhere, `expect_file` a file that keeps the last one: it is read,
    and gets the new one where everything is intact. The logs of `hosts` are held against the journals. Each of the
    lists `allowed_signers` must say whose key signed an approval that counted; `revoked_keys` are told. `store` (else
    the environment's, else that of config.yaml) is asked where it is a server: None asks none.
    """

    state: Path
    expect: str = ""
    expect_file: Path | None = None
    hosts: tuple[Host, ...] = ()
    connectors: Connectors | None = None
    allowed_signers: tuple[Path, ...] = ()
    revoked_keys: tuple[Path, ...] = ()
    library: Library | None = None
    store: str | None = None


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """What was found, the ledger's head and how many entries lead up to it.

    `expected` is the entry at which the newest head stands that somebody kept elsewhere, None where none was named.
    `compared` are the hosts whose logs were asked, `unreached` those that could not be, with the reason. `unasked` are
    the hosts of the ledger that were not asked; `witnessed`: the logs of all of them know their newest change, and the
    ledger ends with one of these. `kept` is the file that has the new head now. `approvals` are those of the plans that
    runs carried out, the newest run first. `store` is what a store that is a server knows of the ledger, None where
    there is none.
    """

    findings: tuple[AuditFinding, ...]
    head: str
    count: int = 0
    expected: int | None = None
    compared: tuple[LogComparison, ...] = ()
    unreached: tuple[tuple[str, HostError], ...] = ()
    unasked: tuple[str, ...] = ()
    witnessed: bool = False
    kept: Path | None = None
    approvals: tuple[ToldApproval, ...] = ()
    store: StoreAnswer | None = None

    @property
    def intact(self) -> bool:
        """True when nothing was found that was changed."""
        return not any(finding.level == "error" for finding in self.findings)

    @property
    def unended(self) -> bool:
        """True where a run was cut off: nobody knows what it wrote last."""
        return any(finding.unended for finding in self.findings)

    @property
    def verdict(self) -> AuditVerdict:
        """`intact` only where somebody else knows the end; `nothing` where no run was made yet."""
        if not self.intact:
            return "not-intact"
        if not self.count:
            return "nothing"
        seen = self.expected == self.count or (self.store is not None and self.store.entry == self.count)
        known = (seen or self.witnessed) and not self.unended
        return "intact" if known else "intact-up-to-end"


def audit(arguments: AuditArguments) -> AuditResult:
    """Checks every journal, the ledger, the sign-ins and the passkeys, the store's word, then the hosts' own logs.

    UsageError without a state directory, DocumentError for a faulty list of keys, JournalError for a head that cannot
    be read or kept, and where a head is expected of a directory that is gone.
    """
    expected = _expected(arguments)
    if not arguments.state.is_dir():
        _refuse_missing(arguments.state, expected)
    store = None if arguments.store is None else asked_store(arguments.state, arguments.library, arguments.store)
    entries = ledger.read(arguments.state)
    signers = _signers(arguments)
    findings: list[AuditFinding] = []
    for head in expected or [""]:
        proven: list[ProvenApproval] = []
        findings += [one for one in journals.verify(arguments.state, head, proven) if one not in findings]
    approvals = tuple(told_approval(one, signers, SystemClock().now()) for one in _newest_first(proven))
    findings += [_not_theirs(arguments.state, one) for one in approvals if one.wrong]
    beside = (sign_in_doubts, passkey_doubts, asked_doubts)
    findings += [one for doubts in beside for one in doubts(arguments.state)]
    findings += store.findings(arguments.state, entries) if store else ()
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
        unasked=_unasked(entries, compared) if arguments.hosts else (),
        witnessed=_witnessed(entries, compared),
        kept=kept,
        approvals=approvals,
        store=store,
    )


def _newest_first(proven: list[ProvenApproval]) -> list[ProvenApproval]:
    """The approvals of the newest run first, those of a run as they were given."""
    return sorted(proven, key=lambda one: one.run, reverse=True)


def _signers(arguments: AuditArguments) -> Signers | None:
    """Who says whose keys there are; None where nobody is asked. DocumentError for a faulty list."""
    if arguments.revoked_keys and not arguments.allowed_signers:
        what, hint = "a list of revoked keys alone says of nobody whose key it is", "add: --allowed-signers FILE"
        raise UsageError(what, where="--revoked-keys", hint=hint)
    return Signers.read_all(arguments.allowed_signers, arguments.revoked_keys) if arguments.allowed_signers else None


def _not_theirs(state: Path, one: ToldApproval) -> AuditFinding:
    return AuditFinding("error", str(state / "runs" / one.run / RUN), one.words)


def _unasked(entries: Sequence[SealedEntry], compared: Sequence[LogComparison]) -> tuple[str, ...]:
    """The hosts of the ledger whose logs nobody has asked."""
    files = {entry.file for entry in entries} - {*COMMON}
    known = {name_of(file.removesuffix(".jsonl")) for file in files}
    return tuple(sorted(known - {name for one in compared for name in (one.host, *one.names)}))


def _witnessed(entries: Sequence[SealedEntry], compared: Sequence[LogComparison]) -> bool:
    """True where the hosts know the end: each of them its newest change, and one of these is of the ledger's last run.

    A run that changed nothing leaves no line anywhere; what a host that was not asked knows is not known here.
    """
    asked = bool(entries) and not _unasked(entries, compared) and all(one.end_known for one in compared)
    return asked and entries[-1].run in {one.newest for one in compared}


def _expected(arguments: AuditArguments) -> list[str]:
    """The heads that were kept elsewhere: none in a file that is empty or not there yet; its folder must be there."""
    file = arguments.expect_file
    if file is not None and not file.parent.is_dir():
        raise UsageError("there is no such folder", where=f"--expect-file {file}", hint="make it, or correct the path")
    link = heads.read(file) if file is not None and disk.contents(file, 1) else None
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
