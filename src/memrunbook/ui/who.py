"""Who did it, when, why, and with whose consent each change was made."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterator, Mapping, Sequence

from memrunbook.core.instant import Instant
from memrunbook.core.run.account import Account, ChangeAccount, HostAccount
from memrunbook.core.run.batches import batches, few
from memrunbook.core.run.record import Actor, AppliedPlan
from memrunbook.core.units import format_duration
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, Style, line, note, row
from memrunbook.ui.report import OUTCOMES, STATES
from memrunbook.ui.words import moment_words, plural

CARRIED_OUT: Mapping[str, tuple[str, Style]] = {
    "asked": ("not made", ""),
    "begun": ("begun, its outcome is unknown", "critical"),
    "Done": ("done", "good"),
    "Failed": ("failed", "critical"),
    "Unknown": ("outcome unknown", "unknown"),
}
NOT_BEGUN = "not_begun"
NO_REASON = "no reason was given (--reason)"


def who_view(account: Account, host: str = "") -> list[Block]:
    """The block of a report: who, when, the command, why, and the consent to each change on this host."""
    return [Grid((*_about(account), *_consents(account, host)), indent=0)]


def consent_view(account: Account, host: str) -> list[Block]:
    """The consent to each change on one of several hosts, where there was any."""
    rows = tuple(_consents(account, host))
    return [Grid(rows, indent=0)] if rows else []


def _consents(account: Account, host: str) -> Iterator[Row | Note]:
    for one in account.hosts:
        if one.host == host and one.changes:
            yield row("Consent", body=plural(len(one.changes), "change"))
            yield from _changes(one)


def accounts_view(accounts: Sequence[Account], now: Instant | None = None) -> list[Block]:
    """The page of every run that was asked for, the newest first."""
    if not accounts:
        return [line("No run is as asked for.")]
    changes = sum(one.state != "asked" for account in accounts for host in account.hosts for one in host.changes)
    blocks: list[Block] = [line(plural(len(accounts), "run"), f", {plural(changes, 'change')}")]
    for account in accounts:
        runbook = account.invoked.runbook if account.invoked else "?"
        state = "" if account.state == "ended" else f", {account.state}"
        blocks += [BLANK, line(Span(account.run, "strong", whole=True), f"  {runbook}{state}")]
        rows: list[Row | Note] = [*_about(account, now)]
        for host in account.hosts:
            rows += [row("Host", body=(Span(host.host, "strong"), Span(": "), _outcome(host.outcome)))]
            rows += [*_locks(host), *_changes(host)]
        blocks.append(Grid(tuple(rows)))
    return blocks


def _about(account: Account, now: Instant | None = None) -> Iterator[Row]:
    invoked = account.invoked
    if invoked is None:
        yield row("Who", body=Span("unknown: the run's own journal does not tell", "unknown"))
        return
    yield row("Who", body=Span(actor_words(invoked.actor), whole=True))
    if invoked.asked:
        yield row("Asked", body=Span(invoked.asked, whole=True, quoted=True))
    if invoked.part_of:
        yield row(
            "Part of", body=Span(f"{invoked.part_of}, which {invoked.asked or 'another node'} has ordered", whole=True)
        )
    yield row("When", body=_when(account, now))
    yield row("Command", body=_typed(invoked.command))
    yield row("Why", body=Span(invoked.reason or NO_REASON, whole=True, quoted=True))
    if invoked.applied is not None:
        plan = invoked.applied
        yield row("Plan", body=Span(f"{plan.file}, made by {plan.creator}; {_approved(plan)}", whole=True))
    yield from _batches(account)
    if account.ended is not None and account.ended.unused:
        words = " ".join(f"--allow {shlex.quote(word)}" for word in account.ended.unused)
        yield row("Unused", body=Span(words, whole=True))
    for one in account.resumed:
        yield row("Resumed", body=Span(f"{_day(one.time)} by {actor_words(one.actor)}", whole=True))
        before = invoked.applied and _approved(invoked.applied)
        if one.applied is not None and (now_approved := _approved(one.applied)) != before:
            yield row("Plan then", body=Span(now_approved, whole=True))


def _approved(plan: AppliedPlan) -> str:
    """Who approved a plan, and which approvals did not count."""
    by = ", ".join(plan.approvals) or "nobody"
    return "; ".join([f"approved by {by}", *plan.uncounted])


def _batches(account: Account) -> Iterator[Row]:
    """The batches of a run in their order, as far as it came: "1 web01; 2 web02, web03 (not begun: web03)"."""
    order = account.invoked.order if account.invoked else None
    if order is None or not order.rollout.serial or len(order.hosts) == 1:
        return
    outcomes = {one.host: one.outcome for one in account.hosts}
    told = []
    for number, batch in enumerate(batches([host.name for host in order.hosts], order.rollout.sizes), 1):
        unbegun = [name for name in batch if outcomes.get(name, NOT_BEGUN) == NOT_BEGUN]
        state = ": not begun" if len(unbegun) == len(batch) else f" (not begun: {few(unbegun)})" if unbegun else ""
        told.append(f"{number} {few(batch)}{state}")
    yield row("Batches", body=Span("; ".join(told), whole=True))


def actor_words(actor: Actor) -> str:
    """Who it was: "root by sudo of ada, on ctl-1, from 10.0.0.9, at /dev/pts/3"."""
    words = [f"{actor.user} by sudo of {actor.sudo_user}" if actor.sudo_user else actor.user]
    words += [f"logged in as {actor.login_user}"] if actor.login_user not in ("", actor.user, actor.sudo_user) else []
    words += [f"on {actor.control_node}"] if actor.control_node else []
    words += [f"from {actor.ssh_client}"] if actor.ssh_client else []
    words += [f"at {actor.tty}"] if actor.tty else ["without a terminal"]
    return ", ".join(words)


def _typed(command: str) -> Span:
    return Span(f"runbook {command}" if command else "not known", whole=True, quoted=True)


def _when(account: Account, now: Instant | None) -> str:
    began = _moment(account.invoked.time if account.invoked else "")
    ended = _moment(account.ended.time if account.ended else "")
    if began is None:
        return "not known"
    took = f", took {format_duration(ended - began)}" if ended is not None and ended >= began else ""
    return f"{moment_words(began, now)}{took}"


def _moment(time: str) -> float | None:
    try:
        return dt.datetime.fromisoformat(time).timestamp()
    except ValueError:
        return None


def _outcome(outcome: str) -> Span:
    known = (Span(word, style) for name, (word, style, _) in OUTCOMES.items() if name == outcome)
    return next(known, Span(outcome or "unknown", "unknown"))


def _locks(host: HostAccount) -> Iterator[Row]:
    for one in host.broken:
        yield row("Lock", body=Span(one.told, whole=True))


def _changes(host: HostAccount) -> Iterator[Row | Note]:
    for change in host.changes:
        ended = {name: found for name, found in STATES.items() if name == change.ended and not change.undo}
        word, style = next(iter(ended.values()), CARRIED_OUT[change.state])
        did = f"Take back: {change.summary}" if change.undo else change.summary
        yield row("", body=(Span(word, style), Span(f"  {change.step}: {did}", whole=True)))
        yield note("consent: ", Span(f"{_consent(change)}, {_clock(change.answered or change.at)}", whole=True))


def _consent(change: ChangeAccount) -> str:
    if not change.answer:
        return "none asked: the engine took it back" if change.undo else "no answer at the gate"
    by = f" by {change.who}" if change.who else ""
    how = f" ({change.how})" if change.how and change.how != "none" else ""
    why = f": {change.why}" if change.why else ""
    return f"{change.answer}{by}{how}{why}"


def _day(time: str) -> str:
    moment = _moment(time)
    return "at a time that is not known" if moment is None else moment_words(moment)


def _clock(time: str) -> str:
    moment = _moment(time)
    return "at a time that is not known" if moment is None else f"{dt.datetime.fromtimestamp(moment, dt.UTC):%H:%M:%S}"
