"""What the alerts for a host lead to, by what a fresh diagnosis finds there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from memrunbook.core.plan.judged import Judged
from memrunbook.core.run.answered import AlertAnswer, AnsweredAlert
from memrunbook.documents.alert_rules import AlertRule
from memrunbook.documents.alerts import FiredAlert


@dataclass
class FiredOn:
    """One alert on its way to an answer; what `AnsweredAlert` says of it in the end.

    Hosts of one `round` are looked at together, and no two of them have the same name.
    """

    alert: FiredAlert
    rule: AlertRule | None = None
    host: str = ""
    answer: AlertAnswer = "resolved"
    why: str = ""
    seen: int = 1
    found: tuple[str, ...] = ()
    run: str = ""
    outcome: str = ""
    plan: str = ""
    round: int = 0

    @property
    def runbook(self) -> str:
        """What is done where its incident is found; empty where no entry is about it."""
        return self.rule.spec.runbook if self.rule else ""

    def answered(self) -> AnsweredAlert:
        """What came of it."""
        return AnsweredAlert(
            alert=self.alert.name,
            host=self.host,
            runbook=self.runbook,
            answer=self.answer,
            why=self.why,
            seen=self.seen,
            found=self.found,
            run=self.run,
            outcome=self.outcome,
            plan=self.plan,
        )


def by_host(due: Iterable[FiredOn]) -> list[list[FiredOn]]:
    """The alerts for each host, in their order."""
    found: dict[tuple[int, str], list[FiredOn]] = {}
    for one in due:
        found.setdefault((one.round, one.host), []).append(one)
    return list(found.values())


def worst_by_host(due: Iterable[FiredOn]) -> list[list[FiredOn]]:
    """The alerts of each host that is not as it should be and where nothing was run, what weighs most first."""
    ranks: list[AlertAnswer] = ["unreachable", "other", "not-judged"]
    found = []
    for several in by_host(due):
        bad = sorted((one for one in several if one.answer in ranks), key=lambda one: ranks.index(one.answer))
        if bad and not any(one.run for one in several):
            found.append(bad)
    return found


def by_rule(chosen: Iterable[FiredOn | None]) -> list[tuple[AlertRule, list[FiredOn]]]:
    """By the entry that counts; its hosts are one run."""
    found: dict[str, tuple[AlertRule, list[FiredOn]]] = {}
    for one in chosen:
        if one is not None and one.rule is not None:
            found.setdefault(one.rule.where, (one.rule, []))[1].append(one)
    return list(found.values())


def decide(answered: Sequence[FiredOn], judged: Judged) -> FiredOn | None:
    """What the alerts for one host lead to: of those whose incident is found the one that the diagnosis puts first."""
    name = answered[0].host
    if judged.diagnosis is None:
        error = judged.reached.error
        why = "it was not read" if error is None else error.message if error.where == name else str(error)
        for one in answered:
            one.answer, one.why = "unreachable", f"not reached: {why}"
        return None
    found = [entry.runbook for entry in judged.diagnosis.incidents]
    told = {entry.runbook: entry.incident.state for entry in judged.diagnosis.runbooks}
    chosen: FiredOn | None = None
    for one in sorted(answered, key=lambda one: _rank(one, found)):
        runbook = one.runbook
        one.found = tuple(found)
        if runbook in found and chosen is None:
            chosen = one
        elif runbook in found and chosen is not None:
            one.answer, one.why = "joined", f"{chosen.alert.name} led to a run there: one at a time"
        elif told.get(runbook, "unknown") == "unknown":
            one.answer, one.why = "not-judged", f"whether {runbook} applies there could not be judged"
        elif found:
            one.answer, one.why = "other", f"{runbook} does not apply there now; found: {', '.join(found)}"
        else:
            one.answer, one.why = "healthy", "nothing wrong now"
    return chosen


def _rank(one: FiredOn, found: Sequence[str]) -> int:
    return found.index(one.runbook) if one.runbook in found else len(found)
