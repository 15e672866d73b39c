"""Diagnosis: what fires, what applies, what comes first, and who may be behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from tests.lab.small import METRICS, Memory, Service, Units, condition, runbook, scope_of, snapshot

from memrunbook.core.plan.diagnosis import diagnose, diagnose_one, suspects, world_of
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.runbook.bound import Cause, Runbook
from memrunbook.core.runbook.condition import Expression, Verdict
from memrunbook.core.runbook.spec import CauseSpec

SHORT = snapshot(
    memory=Memory(available_percent=5.0),
    units=Units(all=(Service(name="web", bytes=5), Service(name="db", bytes=9), Service(name="cron", bytes=None))),
)
WELL = snapshot(memory=Memory(available_percent=50.0))
BLIND = snapshot()


def named(name: str, *, severity: Any = "critical", subsumes: tuple[str, ...] = (), **parts: Any) -> Runbook:
    book = runbook(**parts)
    (check,) = book.checks
    check = replace(check, spec=msgspec.structs.replace(check.spec, severity=severity))
    spec = msgspec.structs.replace(book.spec, name=name, title=name.title(), subsumes=list(subsumes))
    return replace(book, spec=spec, checks=(check,))


def cause(score: str, *, items: str = "", name: str = '"somebody"') -> Cause:
    scope = scope_of(items=bool(items))
    each = scope.compile(items, boolean=False) if items else None
    spec = CauseSpec("unit", name, score, items)
    return Cause(spec, each, scope.compile(name, boolean=False), scope.compile(score, boolean=False))


@pytest.mark.parametrize(
    ("seen", "state", "incident", "severity"),
    [
        (SHORT, "firing", "holds", "critical"),
        (WELL, "clear", "fails", "info"),
        (BLIND, "unknown", "unknown", "info"),
    ],
)
def test_one_runbook(seen: Any, state: str, incident: str, severity: str) -> None:
    found = diagnose_one(named("lab"), seen)
    (finding,) = found.findings
    assert (finding.runbook, finding.check, finding.name) == ("lab", "short", "Memory is short")
    assert (finding.state, found.incident.state, found.severity) == (state, incident, severity)
    assert (found.runbook, found.title) == ("lab", "Lab")
    assert bool(finding.why) == (state == "unknown")
    assert finding.evidence[0].metric == "memory.available_percent"


def test_an_unknown_check_is_neither_true_nor_false() -> None:
    assert world_of(runbook(), SHORT).checks == {"short": True}
    assert world_of(runbook(), WELL).checks == {"short": False}
    assert world_of(runbook(), BLIND).checks == {}


def test_the_variable_of_a_check_has_no_hyphen() -> None:
    book = named("lab")
    (check,) = book.checks
    check = replace(check, spec=msgspec.structs.replace(check.spec, id="so-short"))
    assert world_of(replace(book, checks=(check,)), SHORT).checks == {"so_short": True}


def test_incidents_come_first_then_what_is_not_subsumed_then_severity_then_name() -> None:
    books = [
        named("calm", incident="!checks.short"),
        named("b-warning", severity="warning"),
        named("a-warning", severity="warning"),
        named("below"),
        named("main", subsumes=("below", "calm")),
    ]
    found = diagnose(books, SHORT)
    assert [entry.runbook for entry in found.runbooks] == ["main", "a-warning", "b-warning", "below", "calm"]
    assert [entry.runbook for entry in found.incidents] == ["main", "a-warning", "b-warning", "below"]
    assert (found.primary, found.subsumed, found.host) == ("main", ("below",), "lab")


def test_a_runbook_that_does_not_apply_subsumes_nothing() -> None:
    found = diagnose([named("below"), named("main", incident="!checks.short", subsumes=("below",))], SHORT)
    assert (found.primary, found.subsumed) == ("below", ())


def test_two_that_subsume_each_other_leave_one_primary() -> None:
    found = diagnose([named("one", subsumes=("two",)), named("two", subsumes=("one",))], SHORT)
    assert (found.primary, found.subsumed) == ("one", ("two",))


def test_without_an_incident_nothing_is_primary() -> None:
    assert diagnose([named("lab")], WELL).primary == ""
    assert diagnose([named("lab")], BLIND).primary == ""
    assert diagnose([], WELL).runbooks == ()


def test_the_three_highest_scores_are_suspects() -> None:
    causes = (cause("item.bytes", items="units.all", name="item.name"), cause("7.5"), cause("1"), cause("2"))
    found = suspects(replace(runbook(), causes=causes), world_of(runbook(), SHORT))
    assert [(one.name, one.score) for one in found] == [("db", 9.0), ("somebody", 7.5), ("web", 5.0)]
    assert found[0].facts["bytes"] == 9
    assert "policy" not in found[0].facts
    assert found[1].facts == {}


@pytest.mark.parametrize("score", ["0", "-1", "memory.available_bytes", '"text"'])
def test_who_has_no_score_is_no_suspect(score: str) -> None:
    assert suspects(replace(runbook(), causes=(cause(score),)), world_of(runbook(), SHORT)) == ()


def test_who_has_no_name_is_no_suspect() -> None:
    nameless = (cause("1", name="memory.available_bytes"),)
    assert suspects(replace(runbook(), causes=nameless), world_of(runbook(), SHORT)) == ()


def test_items_that_are_unknown_name_nobody() -> None:
    unknown = (cause("1", items="units.all"),)
    assert suspects(replace(runbook(), causes=unknown), world_of(runbook(), BLIND)) == ()


def test_items_that_are_no_maps_have_no_facts() -> None:
    (one,) = suspects(replace(runbook(), causes=(cause("1", items="[4]"),)), world_of(runbook(), BLIND))
    assert one.facts == {}


def test_causes_are_looked_for_only_where_something_fires() -> None:
    book = replace(named("lab"), causes=(cause("1"),))
    assert diagnose_one(book, SHORT).causes
    assert not diagnose_one(book, WELL).causes


def test_a_runbook_reads_what_its_parts_name() -> None:
    book = replace(runbook(signals=["vmstat.available_bytes"]), causes=(cause("item.bytes", items="units.all"),))
    assert book.diagnosis_facts == {"memory", "units", "vmstat"}
    assert book.name == "lab"
    with_end = runbook(resolved="pressure.full.percent < 1.0")
    assert with_end.diagnosis_facts == {"memory", "pressure"}
    assert with_end.facts == {"host", "memory", "pressure", "vmstat", "units", "holds"}
    assert condition(scope_of(), "host.supported").facts == {"host"} <= {m.partition(".")[0] for m in METRICS}


class Counting(dict[str, Any]):
    """Readings that count how often each is looked at."""

    def __init__(self, readings: Mapping[str, Any]) -> None:
        super().__init__(readings)
        self.looks: Counter[str] = Counter()

    def get(self, key: str, default: Any = None) -> Any:
        self.looks[key] += 1
        return super().get(key, default)


def test_a_host_is_converted_once_however_many_runbooks_judge_it() -> None:
    names = [f"book-{place}" for place in range(20)]
    asks = (cause("item.bytes", items="units.all", name="item.name"),)
    looks = []
    for books in ([named(name) for name in names], [replace(named(name), causes=asks) for name in [*names, "last"]]):
        readings = Counting(SHORT.readings)
        found = diagnose(books, msgspec.structs.replace(SHORT, readings=readings))
        looks.append(readings.looks)
    assert all(entry.causes[0].name == "db" for entry in found.runbooks)
    assert set(looks[1]) == set(looks[0])
    assert sum(looks[1].values()) == sum(looks[0].values()) + 1  # the list, once it is asked for


def test_whoever_asks_little_of_a_snapshot_converts_that_alone() -> None:
    readings = Counting(SHORT.readings)
    diagnose([named("lab")], msgspec.structs.replace(SHORT, readings=readings))
    assert set(readings.looks) == {"memory"}


def test_a_check_is_evaluated_once_for_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = Expression.value

    def counted(self: Expression, world: Any) -> Any:
        asked.append(self.source)
        return real(self, world)

    monkeypatch.setattr(Expression, "value", counted)
    book, seen = named("lab"), msgspec.structs.replace(SHORT)
    (part,) = book.checks[0].when.parts
    diagnose_one(book, seen)
    make_plan(book, seen)
    assert [world_of(book, seen).checks, world_of(book, seen).checks] == [{"short": True}] * 2
    assert asked.count(part.source) == 1
    world_of(named("other"), seen)
    assert asked.count(part.source) == 2


def test_evidence_is_computed_for_what_is_shown_alone() -> None:
    book, seen = named("lab"), msgspec.structs.replace(SHORT)
    world = world_of(book, seen)
    assert world.values.told == {}
    assert book.checks[0].when.verdict(world) == Verdict("holds")
    assert world.values.told == {}
    diagnose_one(book, seen)
    assert set(world.values.told) == {"memory.available_percent"}


def test_a_diagnosis_leaves_nothing_with_the_snapshot() -> None:
    seen = msgspec.structs.replace(SHORT)
    diagnose([named("lab")], seen)
    assert seen.aside == {}


def test_each_runbook_judges_the_snapshot_that_it_has_seen() -> None:
    other = msgspec.structs.replace(SHORT, readings={**SHORT.readings, "memory": Memory(available_percent=50.0)})
    same = msgspec.structs.replace(SHORT)
    found = diagnose([named("one"), named("two"), named("three")], SHORT, {"two": other, "three": same})
    assert {entry.runbook: entry.incident.state for entry in found.runbooks} == {
        "one": "holds",
        "two": "fails",
        "three": "holds",
    }
