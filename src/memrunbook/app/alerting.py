"""Answers alerts: one fresh diagnosis of each host that they name, and what that finds decides, never the alert."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.app.actor import this_actor
from memrunbook.app.alert_claims import Claimed
from memrunbook.app.alert_ends import FiredOn, by_host, by_rule, decide, worst_by_host
from memrunbook.app.alert_hosts import meant_host
from memrunbook.app.allowing import checked
from memrunbook.app.checking_rules import check_rules
from memrunbook.app.connectors import Connectors
from memrunbook.app.diagnosing import DiagnoseArguments, diagnose
from memrunbook.app.no_further import NoFurther
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.pending_plans import forget_plans
from memrunbook.app.run_arguments import RunArguments, RunResult
from memrunbook.app.stored import Stored, settings_of
from memrunbook.core.errors import Interrupted, JournalError, UsageError
from memrunbook.core.host import Host
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.core.plan.judged import Judged
from memrunbook.core.run.answered import AnsweredAlert
from memrunbook.core.run.batches import Rollout
from memrunbook.core.run.notification import Notification, Occasion
from memrunbook.core.run.record import Actor
from memrunbook.core.text import clean
from memrunbook.documents.alert_rules import AlertRule
from memrunbook.documents.alerts import AlertsPosted, FiredAlert, host_named
from memrunbook.documents.config import Config
from memrunbook.documents.library import Library, usual_library
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.ports import Approver
from memrunbook.state.names import file_name
from memrunbook.state.paths import prepare, usual_state_dir
from memrunbook.state.waiting import withdraw_others
from memrunbook.ui.approve import UnattendedApprover

if TYPE_CHECKING:
    from memrunbook.state.store.changes import Store


@dataclass(frozen=True, kw_only=True)
class AlertArguments:
    """A document of alerts.

    `inventory_of` reads the inventories that an entry names, `as_reached` says how a host of them is reached.
    `options` are the words that say how hosts are reached, `command` what was typed, `asked` who posted it, where that
    was on the pages.
    """

    posted: AlertsPosted
    inventory_of: Callable[[tuple[str, ...]], Inventory]
    as_reached: Callable[[Host], Host] = lambda host: host
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    store: str = ""
    command: str = ""
    options: tuple[str, ...] = ()
    rollout: Rollout = field(default_factory=Rollout)
    actor: Actor = field(default_factory=this_actor)
    asked: str = ""


@dataclass(frozen=True)
class AlertResult:
    """What came of each alert, in their order, and the runs that they led to; `untold`: who may not be told of it."""

    alerts: tuple[AnsweredAlert, ...]
    runs: tuple[RunResult, ...] = ()
    untold: tuple[str, ...] = ()


def refuse_unanswered(config: Config, where: str = "") -> None:
    """UsageError where config.yaml says of no alert what it means: whatever is told would lead to nothing."""
    if not config.alerts:
        hint = "alerts: in config.yaml says which alert means which runbook (docs/how-to/alertmanager.md)"
        raise UsageError("config.yaml says nothing of alerts", where=where, hint=hint)


def answer_alerts(
    arguments: AlertArguments, notice: Notice = SILENT, *, stop: threading.Event | None = None
) -> AlertResult:
    """Looks at each host that an alert names, once, and runs what config.yaml says, where its incident is found there.

    UsageError where config.yaml says nothing of alerts, or what cannot be; JournalError where state cannot be written.
    """
    config = settings_of(arguments.library)
    refuse_unanswered(config)
    check_rules(config.alerts, arguments.library)  # a mistake is told before any host is asked
    answering = _Answering(arguments, notice, stop or threading.Event(), config.alerts)
    try:
        with closing(Stored(prepare(arguments.state), config, arguments.store).open()) as store:
            return answering.all(store)
    except JournalError as error:
        answering.tell_of(error)
        raise


class _Answering:
    """One document, on all hosts that it names."""

    def __init__(
        self, arguments: AlertArguments, notice: Notice, stop: threading.Event, rules: Sequence[AlertRule]
    ) -> None:
        self._arguments, self._notice, self._stop, self._rules = arguments, notice, stop, rules
        self._known: dict[tuple[str, ...], Inventory] = {}
        self._rounds: list[dict[str, Host]] = []
        self._now = SystemClock().now().utc

    def all(self, store: Store) -> AlertResult:
        answered = [self._understood(alert) for alert in self._arguments.posted.alerts]
        due = [one for one in answered if one.answer == "run" and self._is_due(store, one)]
        forget_plans(self._arguments.state, self._now, store)
        runs: list[RunResult] = []
        with Claimed(store, due) as claimed:
            for number in range(len(self._rounds)):
                runs += self._done([one for one in due if one.round == number])
            claimed.answered([one for one in due if one.answer not in ("unreachable", "not-judged")])
        return AlertResult(
            tuple(one.answered() for one in answered),
            tuple(runs),
            (*self._tell(due), *(why for one in runs for why in one.untold)),
        )

    def _done(self, due: Sequence[FiredOn]) -> Iterable[RunResult]:
        """Looks at the hosts of a round, and runs what that decides."""
        judged = self._diagnosed(due)
        chosen = [decide(several, judged[several[0].host]) for several in by_host(due)]
        for rule, several in by_rule(chosen):
            yield from self._run(rule, several)

    def _understood(self, alert: FiredAlert) -> FiredOn:
        if alert.status == "resolved":
            return FiredOn(alert, answer="resolved", why="it does not fire any more: nothing is done")
        rule = next((rule for rule in self._rules if rule.matches(alert.labels)), None)
        if rule is None:
            return FiredOn(alert, answer="unknown-alert", why="no entry of alerts: in config.yaml is about it")
        if rule.inventory not in self._known:
            self._known[rule.inventory] = self._arguments.inventory_of(rule.inventory)
        label = rule.spec.host_label
        host, why = meant_host(self._known[rule.inventory], host_named(alert.labels, label), label)
        if host is None:
            return FiredOn(alert, rule, answer="unknown-host", why=why)
        return FiredOn(alert, rule, host.name, "run", round=self._round_of(self._arguments.as_reached(host)))

    def _round_of(self, host: Host) -> int:
        """The round in which a host is looked at: two inventories may call two machines by one name."""
        for number, hosts in enumerate(self._rounds):
            if _way(hosts.setdefault(host.name, host)) == _way(host):
                return number
        self._rounds.append({host.name: host})
        return len(self._rounds) - 1

    def _is_due(self, store: Store, one: FiredOn) -> bool:
        """Whether it was not answered of late, and nobody is at it; else it is counted."""
        from memrunbook.state.store.alerts import answered_before

        window = float(one.rule.spec.window) if one.rule else 0.0
        one.seen = answered_before(store, one.alert.fingerprint, window, self._now) or 1
        if one.seen > 1:
            one.answer, one.why = "counted", f"told {one.seen} times since it was answered: nothing is done again yet"
        return one.seen == 1

    def _diagnosed(self, due: Sequence[FiredOn]) -> Mapping[str, Judged]:
        names = list(dict.fromkeys(one.host for one in due))
        if not names:
            return {}
        hosts = tuple(self._rounds[due[0].round][name] for name in names)
        asked = self._arguments
        diagnosis = DiagnoseArguments(
            hosts=hosts,
            connectors=asked.connectors,
            library=asked.library,
            state=asked.state,
            store=asked.store,
        )
        found = diagnose(diagnosis, self._notice, stop=self._stop)
        if self._stop.is_set():
            raise Interrupted
        return dict(zip(names, found.hosts, strict=True))

    def _run(self, rule: AlertRule, several: Sequence[FiredOn]) -> Iterable[RunResult]:
        from memrunbook.app.running import run

        asked = self._arguments
        names = ", ".join(dict.fromkeys(one.alert.name for one in several))
        result = run(
            RunArguments(
                runbook=rule.spec.runbook,
                hosts=tuple(self._rounds[one.round][one.host] for one in several),
                connectors=asked.connectors,
                library=replace(asked.library, hosts=self._known[rule.inventory].hosts),
                state=asked.state,
                store=asked.store,
                reason=f"alert {clean(names)} ({rule.where})",
                command=asked.command,
                options=asked.options,
                rollout=asked.rollout,
                kept_as=f"alert:{file_name(rule.spec.runbook)}",
                unblocks=True,
                actor=asked.actor,
                asked=asked.asked,
            ),
            approver_of(rule, asked.actor.user),
            self._notice
            if rule.spec.mode == "run"
            else SILENT,  # a gate that says no is no refusal where it only plans
            stop=self._stop,
        )
        outcomes = {report.host: report for report in result.reports}
        for one in several:
            report, saved = outcomes[one.host], result.saved.get(one.host)
            if saved is not None:
                withdraw_others(asked.state, saved, one.host)
            one.run, one.outcome, one.plan = result.run_id, report.outcome, str(saved or "")
            if rule.spec.mode == "plan" and saved is not None:
                one.answer, one.why = "planned", f"{rule.spec.runbook} applies there: plan saved, it waits for a person"
            else:
                one.why = f"{rule.spec.runbook}: {report.outcome}{': ' if report.why else ''}{report.why}"
        yield result

    def tell_of(self, error: JournalError) -> None:
        """Tells that nothing can be answered: who posted the alerts reads no exit code."""
        from memrunbook.app.notifying import told

        asked = self._arguments
        names = ", ".join(dict.fromkeys(one.name for one in asked.posted.alerts if one.status == "firing"))
        notification = Notification(
            occasion="failed",
            key="alerts are not answered",
            at=self._now,
            verdict=f"alerts are not answered: {error}",
            evidence=tuple(words for words in (f"firing: {clean(names)}", error.hint) if words),
            command="runbook doctor",
        )
        if names:
            told([notification], asked.state, asked.library, asked.store, asked.options)

    def _tell(self, due: Sequence[FiredOn]) -> tuple[str, ...]:
        from memrunbook.app.notifying import told

        notifications = [self._notification(several) for several in worst_by_host(due)]
        asked = self._arguments
        return told(notifications, asked.state, asked.library, asked.store, asked.options)

    def _notification(self, of_host: Sequence[FiredOn]) -> Notification:
        """One for all alerts of a host that led to no run there: the first says most, the others are told beside it."""
        import shlex

        one, *others = of_host
        occasion: Occasion = "unreachable" if one.answer == "unreachable" else "unresolved"
        labels = (f"{clean(name)}={clean(value)}" for name, value in sorted(one.alert.labels.items()))
        beside = (f"also alert {other.alert.name}: {other.why}" for other in others)
        return Notification(
            occasion=occasion,
            key=f"{occasion} alert {one.host} {one.why if occasion == 'unresolved' else ''}",
            at=self._now,
            verdict=f"{one.host}: alert {one.alert.name}: {one.why}",
            host=one.host,
            runbook=one.runbook,
            evidence=(*beside, *labels),
            command=shlex.join(["runbook", "diagnose", "--host", one.host, *self._arguments.options]),
        )


def _way(host: Host) -> tuple[object, ...]:
    """Where a host is reached: one that is reached elsewhere is another machine."""
    return host.transport, host.address or host.name, host.port, host.user


def approver_of(rule: AlertRule, who: str) -> Approver:
    """Who answers at the gates of what an alert started: nobody beyond what its entry in config.yaml allows."""
    consent = UnattendedApprover(rule.spec.mode == "run", checked(rule.spec.allow), SystemClock().now, who)
    most = rule.risk if rule.spec.mode == "run" else None
    return NoFurther(consent, most, f"{rule.where} (alerts)")
