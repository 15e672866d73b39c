"""Who did what, when, why and with whose consent: accounts of the runs of a state directory, and their records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from memrunbook.app.reporting import LAST, find_run
from memrunbook.core.errors import JournalError, UsageError
from memrunbook.core.run.account import Account, HostAccount, JournaledLine, account_of
from memrunbook.core.run.record import Invoked, Resumed
from memrunbook.state import audit as journals
from memrunbook.state.audit import AuditFinding, VerifiedRun
from memrunbook.state.disk import explained
from memrunbook.state.lines import decoded, read_lines
from memrunbook.state.names import file_name
from memrunbook.state.run_directory import RUN, TOLD
from memrunbook.state.runs import Run, run_of, runs
from memrunbook.state.told import ToldHost, told_of_hosts


@dataclass(frozen=True, kw_only=True)
class AccountArguments:
    """Which runs: one by its id or "last", all where it is empty; and which of them, where something is named.

    `host`, `actor` (user, sudo user, or user@control-node) and `runbook` are patterns as of a shell. `since` and
    `until` (seconds since 1970) keep the runs that were under way in between; `outcome` is that of a host.
    """

    state: Path
    run: str = ""
    host: str = ""
    actor: str = ""
    runbook: str = ""
    since: float | None = None
    until: float | None = None
    outcome: str = ""


@dataclass(frozen=True)
class AccountsResult:
    """The accounts, the newest first, and what is wrong with the journals that they were read from."""

    accounts: tuple[Account, ...]
    doubts: tuple[AuditFinding, ...]


@dataclass(frozen=True)
class TrustedRun:
    """A run by the very bytes of its journals that were verified."""

    run_id: str
    read: VerifiedRun
    ended: bool

    @property
    def invoked(self) -> Invoked | None:
        """How it was begun; None where nobody vouches for that."""
        if not self.vouched:
            return None
        return next(decoded(self.read.files.get(RUN, b""), Invoked, having=b'"invoked"'), None)

    @property
    def vouched(self) -> bool:
        """True where the ledger knows what was ordered: then it knows each command too, before it was carried out."""
        return self.read.sealed.get(RUN, 0) > 0

    def records(self, host: str) -> list[dict[str, Any]]:
        """What one host's journal says."""
        return list(decoded(self.read.files.get(f"{file_name(host)}.jsonl", b""), dict[str, Any]))

    def sealed(self, host: str) -> int:
        """How many of these the ledger vouches for; 0 where it knows of none."""
        return self.read.sealed.get(f"{file_name(host)}.jsonl", 0)


@dataclass(frozen=True)
class JournalLine:
    """One record as it stands in a journal (`RUN/FILE`), without its newline."""

    journal: str
    line: bytes


def accounts(arguments: AccountArguments) -> AccountsResult:
    """The runs that were asked for, read after their journals were verified. UsageError for a run that is not there."""
    wanted = _wanted(arguments)
    gone = [] if arguments.run else journals.removed(arguments.state)  # whose they were nobody knows any more
    doubts = doubts_about(arguments.state, *(run.run_id for run in wanted), *gone)
    found = (_account(arguments, run) for run in wanted)
    return AccountsResult(tuple(one for one in found if one.hosts or not _by_host(arguments)), doubts)


def account(state: Path, run: str) -> Account:
    """One run, by its id or "last"."""
    found = find_run(state, run) if run == LAST else run_of(state, run)
    return _account(AccountArguments(state=state, run=run), found)


def doubts_about(state: Path, *run_ids: str) -> tuple[AuditFinding, ...]:
    """What of these runs, or of the ledger that vouches for them, is not as it was written."""
    return tuple(one for one in journals.verify_runs(state, run_ids) if one.level == "error")


def trusted(state: Path, found: Run, then: str) -> TrustedRun:
    """What the journals of a run say, to act by it; JournalError where they are not as they were written."""
    findings, read = journals.read_verified(state, found.run_id)
    doubts = [one for one in findings if one.level == "error"]
    if doubts:
        more = f" (and {len(doubts) - 1} more)" if len(doubts) > 1 else ""
        raise JournalError(
            f"{doubts[0].message}{more}: what it says was done is not to be trusted, and {then}",
            where=doubts[0].where,
            hint="runbook audit verify shows all that was changed",
        )
    return TrustedRun(found.run_id, read, ended=found.state == "ended")


def doubts_about_list(state: Path) -> tuple[AuditFinding, ...]:
    """The same of what a list of runs shows."""
    return tuple(one for one in journals.verify_listed(state) if one.level == "error")


def records(arguments: AccountArguments) -> Iterator[JournalLine]:
    """The records of the runs that were asked for, the oldest first: its own journal, what it was told, its hosts'."""
    for one in reversed(accounts(arguments).accounts):
        for name in (RUN, TOLD, *(f"{file_name(host.host)}.jsonl" for host in one.hosts)):
            yield from _lines(arguments.state, one.run, name)


def _lines(state: Path, run: str, name: str) -> Iterator[JournalLine]:
    path = state / "runs" / run / name
    if path.is_file():
        with explained(path, "be read"):
            file = path.open("rb")
        with file:
            yield from (JournalLine(f"{run}/{name}", line.rstrip(b"\n")) for line in file if line.endswith(b"\n"))


def _wanted(arguments: AccountArguments) -> list[Run]:
    if not arguments.state.is_dir():
        raise UsageError("there is no journal", where=str(arguments.state), hint="--state-dir names another place")
    known = [find_run(arguments.state, arguments.run)] if arguments.run else runs(arguments.state)
    return [run for run in known if _fits(arguments, run)]


def _fits(arguments: AccountArguments, run: Run) -> bool:
    actor = run.invoked.actor if run.invoked else None
    names = (actor.user, actor.sudo_user, actor.login_user, f"{actor.user}@{actor.control_node}") if actor else ()
    began = seconds(run.invoked.time) if run.invoked else None
    ended = seconds(run.ended.time) if run.ended else None
    return (
        (not arguments.actor or any(name and fnmatchcase(name, arguments.actor) for name in names))
        and (not arguments.runbook or fnmatchcase(run.invoked.runbook if run.invoked else "", arguments.runbook))
        and (not arguments.host or any(fnmatchcase(host, arguments.host) for host in run.hosts))
        and (arguments.until is None or (began is not None and began <= arguments.until))
        and (arguments.since is None or ended is None or ended >= arguments.since)
    )


def _by_host(arguments: AccountArguments) -> bool:
    return bool(arguments.host or arguments.outcome)


def _account(arguments: AccountArguments, run: Run) -> Account:
    hosts = [_host(arguments.state, run, host) for host in run.hosts if fnmatchcase(host, arguments.host or "*")]
    wanted = tuple(host for host in hosts if arguments.outcome in ("", host.outcome))
    resumed = tuple(read_lines(run.path / RUN, Resumed))
    return Account(run=run.run_id, state=run.state, invoked=run.invoked, ended=run.ended, hosts=wanted, resumed=resumed)


def _host(state: Path, run: Run, host: str) -> HostAccount:
    elsewhere = run.invoked is not None and host in run.invoked.parts
    own = read_lines(state / "runs" / run.run_id / f"{file_name(host)}.jsonl", JournaledLine)
    found = account_of(host, _told(run, host) if elsewhere else own)
    return found if found.outcome else structs.replace(found, outcome=run.state)


def _told(run: Run, host: str) -> Iterator[JournaledLine]:
    """What the worker told that carried it out."""
    for record in told_of_hosts(run.path).get(host, ToldHost(records=[])).records:
        yield msgspec.json.decode(msgspec.json.encode(record), type=JournaledLine)


def seconds(time: str) -> float | None:
    """A record's time in seconds since 1970; None where it is no time."""
    try:
        return dt.datetime.fromisoformat(time).timestamp()
    except ValueError:
        return None
