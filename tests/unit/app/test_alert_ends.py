"""What a diagnosis finds decides what alerts lead to."""

from __future__ import annotations

from typing import Any

from memrunbook.app.alert_ends import FiredOn, by_host, by_rule, decide, worst_by_host
from memrunbook.core.errors import Unreachable
from memrunbook.core.host import Host
from memrunbook.core.plan.diagnosis import Diagnosis, RunbookDiagnosis
from memrunbook.core.plan.judged import Judged
from memrunbook.core.reading.reached import Reached
from memrunbook.core.runbook.condition import Verdict
from memrunbook.documents.alert_rules import AlertRule, AlertSpec
from memrunbook.documents.alerts import FiredAlert


def fired(runbook: str, host: str = "web1") -> FiredOn:
    rule = AlertRule(AlertSpec(alertname="*", runbook=runbook), f"config.yaml:{len(runbook)}")
    return FiredOn(FiredAlert("firing", {"alertname": runbook}), rule, host, "run")


def judged(**states: Any) -> Judged:
    found = [RunbookDiagnosis(name, name, (), Verdict(state), "warning") for name, state in states.items()]
    return Judged(Reached(Host("web1")), Diagnosis("web1", tuple(found)))


def test_only_what_is_found_is_run_and_one_of_it() -> None:
    shortage, thrashing, leak = fired("shortage"), fired("thrashing"), fired("leak")
    chosen = decide([leak, shortage, thrashing], judged(thrashing="holds", shortage="holds", leak="fails"))
    assert chosen is thrashing, "the diagnosis puts it first"
    assert [one.answer for one in (shortage, thrashing, leak)] == ["joined", "run", "other"]
    assert "found: thrashing, shortage" in leak.why


def test_nothing_wrong_not_known_and_not_reached() -> None:
    well, unsure, lost = fired("leak"), fired("leak"), fired("leak")
    assert decide([well], judged(leak="fails", shortage="fails")) is None
    assert decide([unsure], judged(leak="unknown", shortage="holds")) is None
    gone = Judged(Reached(Host("web1"), error=Unreachable("no route", where="web1")))
    assert decide([lost], gone) is None
    assert [one.answer for one in (well, unsure, lost)] == ["healthy", "not-judged", "unreachable"]
    assert (well.why, lost.why) == ("nothing wrong now", "not reached: no route")


def test_hosts_of_one_entry_are_one_run() -> None:
    first, second, other = fired("leak"), fired("leak", "web2"), fired("shortage", "web3")
    assert [one[0].host for one in by_host([first, second, other])] == ["web1", "web2", "web3"]
    assert [[one.host for one in several] for _, several in by_rule([first, None, other, second])] == [
        ["web1", "web2"],
        ["web3"],
    ]


def test_a_host_is_told_once_whatever_its_alerts_say_and_not_where_something_was_run() -> None:
    first, second, gone, ran = fired("leak"), fired("thrashing"), fired("leak", "web2"), fired("shortage", "web3")
    first.answer, second.answer, gone.answer = "not-judged", "other", "unreachable"
    beside = fired("leak", "web3")
    beside.answer, ran.run = "other", "R1"
    assert worst_by_host([first, second, gone, ran, beside]) == [[second, first], [gone]]
    assert worst_by_host([]) == []
