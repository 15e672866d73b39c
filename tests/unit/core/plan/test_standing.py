"""What stands on a host: the worst is the verdict's word, and one finding is told once."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from memrunbook.core.plan.diagnosis import Finding, RunbookDiagnosis
from memrunbook.core.plan.standing import is_tuning, once, standing
from memrunbook.core.runbook.condition import Evidence, Verdict


def finding(name: str, severity: str, *metrics: str, runbook: str = "one", state: Any = "firing") -> Finding:
    return Finding(runbook, name.replace(" ", "-"), name, state, severity, tuple(Evidence(m, 1, "") for m in metrics))


def entry(name: str, state: Any, *findings: Finding, severity: str = "info") -> RunbookDiagnosis:
    own = tuple(structs.replace(one, runbook=name) for one in findings)
    return RunbookDiagnosis(name, name.title(), own, Verdict(state), severity)


BAD = finding("it is bad", "critical", "swap.in_bytes_per_second")
WARNS = finding("it is full", "warning", "slab.unreclaimable_percent")
NOTED = finding("it is large", "info", "units.count")
REMARK = finding("it is low", "info", "sysctl.min_free_percent", "memory.total_bytes")
CLEAR = structs.replace(BAD, state="clear")


@pytest.mark.parametrize(
    ("entries", "word", "worst", "judged"),
    [
        ([entry("a", "holds", BAD, severity="critical")], "CRITICAL", "critical", True),
        ([entry("a", "holds", WARNS, severity="warning")], "WARNING", "warning", True),
        ([entry("a", "holds", NOTED)], "WARNING", "warning", True),
        ([entry("a", "holds", WARNS, severity="warning"), entry("b", "fails", BAD)], "CRITICAL", "critical", True),
        ([entry("a", "fails", WARNS)], "WARNING", "warning", True),
        ([entry("a", "fails", WARNS), entry("b", "unknown", CLEAR)], "WARNING", "warning", False),
        ([entry("a", "holds", WARNS, severity="warning"), entry("b", "unknown")], "WARNING", "warning", True),
        ([entry("a", "fails", NOTED), entry("b", "unknown")], "UNKNOWN", "info", False),
        ([entry("a", "unknown")], "UNKNOWN", "none", False),
        ([entry("a", "fails", NOTED, REMARK)], "OK", "info", True),
        ([entry("a", "fails", REMARK)], "OK", "info", True),
        ([entry("a", "fails", CLEAR)], "OK", "none", True),
        ([], "OK", "none", True),
    ],
)
def test_the_word_is_the_worst_that_stands(entries: Any, word: str, worst: str, judged: bool) -> None:  # noqa: FBT001
    found = standing(entries)
    assert (found.word, found.worst, found.judged) == (word, worst, judged)


def test_whoever_could_not_be_judged_is_named() -> None:
    assert standing([entry("a", "unknown"), entry("b", "fails"), entry("c", "unknown")]).unjudged == ("a", "c")


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        # The same name about the same thing.
        (("it grows", "info", "units.growing"), ("it grows", "info", "units.growing", "units.samples"), 1),
        (("it grows", "info", "units.growing"), ("it grows", "info", "slab.caches"), 2),
        (("no swap", "info", "swap.total_bytes"), ("no swap", "info", "swap.total_bytes", "host.tags"), 1),
        # Different words for the same thing: the slab that was told three times.
        (("kernel is large", "warning", "slab.unreclaimable_percent"),
         ("kernel objects", "warning", "slab.unreclaimable_percent"), 1),
        (("kernel is large", "warning", "slab.unreclaimable_percent"),
         ("kernel or driver", "warning", "memory.unaccounted_percent", "slab.unreclaimable_percent"), 1),
        # What they have in common is only how short the host is, or too little.
        (("little", "info", "memory.available_percent"),
         ("idle", "warning", "hugepages.idle_percent", "memory.available_percent"), 2),
        (("filling", "warning", "swap.free_percent"),
         ("starving", "warning", "swap.free_percent", "vmstat.allocstalls_per_second", "sysctl.min_free_percent"), 2),
        (("psi", "info", "pressure.supported"), ("other", "info", "numa.supported"), 2),
    ],
)  # fmt: skip
def test_one_finding_is_told_once(one: Any, other: Any, told: int) -> None:
    found = standing([entry("a", "fails", finding(*one)), entry("b", "fails", finding(*other))])
    assert len(found.apart) + len(found.tuning) == told


def test_of_the_same_the_worst_is_told() -> None:
    mild, hard = finding("kernel", "info", "slab.bytes"), finding("kernel memory", "warning", "slab.bytes")
    [told] = standing([entry("a", "fails", mild), entry("b", "fails", hard)]).apart
    assert (told.runbook, told.severity) == ("b", "warning")


def test_two_checks_of_one_runbook_are_two_though_they_look_at_the_same() -> None:
    below, equal = finding("below a disk", "warning", "swap.devices"), finding("equal", "warning", "swap.devices")
    assert len(standing([entry("a", "fails", below, equal)]).apart) == 2


def test_what_belongs_to_an_incident_is_told_there_unless_it_is_worse_outside() -> None:
    inside, same = finding("kernel", "warning", "slab.bytes"), finding("kernel objects", "warning", "slab.bytes")
    found = standing(
        [entry("a", "holds", inside, severity="warning"), entry("b", "holds", same), entry("c", "fails", same)]
    )
    assert ([one.name for one in found.within["a"]], found.within["b"], found.apart) == (["kernel"], (), ())
    worse = structs.replace(same, severity="critical")
    found = standing([entry("a", "holds", inside, severity="warning"), entry("c", "fails", worse)])
    assert [one.severity for one in found.apart] == ["critical"]


def test_the_worst_comes_first_and_remarks_on_settings_stand_apart() -> None:
    found = standing([entry("a", "fails", REMARK, NOTED), entry("b", "fails", WARNS)])
    assert [one.name for one in found.apart] == ["it is full", "it is large"]
    assert [one.name for one in found.tuning] == ["it is low"]


@pytest.mark.parametrize(
    ("severity", "metrics", "expected"),
    [
        ("info", ("sysctl.vm.max_map_count",), True),
        ("info", ("swap.total_bytes", "host.tags"), True),
        ("info", ("pressure.supported",), True),
        ("info", ("swap.devices",), True),
        ("info", ("units.growing", "units.supported"), False),
        ("info", ("memory.available_percent",), False),
        ("info", (), False),
        ("warning", ("sysctl.min_free_percent",), False),
    ],
)
def test_a_remark_on_settings(severity: str, metrics: tuple[str, ...], expected: bool) -> None:  # noqa: FBT001
    assert is_tuning(finding("it", severity, *metrics)) is expected


def test_the_same_asked_by_two_is_listed_once() -> None:
    assert once([WARNS, structs.replace(WARNS, runbook="two"), BAD]) == [WARNS, BAD]
