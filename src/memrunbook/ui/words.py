"""The words for metrics, moments, risks and states: one place, so that every view says the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from memrunbook.core.action.action import Risk
from memrunbook.core.instant import Instant
from memrunbook.core.plan.diagnosis import Finding
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.runbook.condition import Evidence, EvidenceItem
from memrunbook.core.units import MINUTE, Unit, format_duration, format_value
from memrunbook.ui.block import Span, Style, Text, joined, text

SEVERITY_STYLES: Mapping[str, Style] = {"critical": "critical", "warning": "warning", "info": "hint"}
SEVERITY_WORDS: Mapping[str, str] = {"critical": "CRITICAL"}
RISK_STYLES: Mapping[Risk, Style] = {Risk.MEDIUM: "warning", Risk.HIGH: "critical"}
RISK_MEANINGS: Mapping[Risk, str] = {
    Risk.NONE: "nothing is changed",
    Risk.LOW: "costs performance, or is taken back exactly",
    Risk.MEDIUM: "users may notice",
    Risk.HIGH: "data or a service may be lost",
}
SUFFIXES: Mapping[str, Unit] = {
    "_bytes_per_second": Unit.BYTES_PER_SECOND,
    "_per_second": Unit.PER_SECOND,
    "_bytes": Unit.BYTES,
    "_percent": Unit.PERCENT,
    ".percent": Unit.PERCENT,
    "_seconds": Unit.SECONDS,
}
LOWEST = "_min"
# What is plain without the name of its fact.
OBVIOUS = ("sysctl.", "vmstat.")
# What people call a figure where its name is one of ours.
CALLED: Mapping[str, str] = {
    "memory.foreign_percent": "in a balloon or in no counter",
    "memory.page_tables_percent": "page tables",
    "memory.shared_percent": "shared memory",
    "memory.committed_percent": "committed",
    "hugepages.idle_percent": "idle huge pages",
    "slab.unreclaimable_percent": "unreclaimable slab",
    "numa.lopsided": "NUMA",
    "holds.all": "frozen",
    "units.growing": "growing",
    "units.all": "service",
    "suspects.all": "process",
    "processes.all": "process",
    "cgroups.all": "group",
    "cgroups.pressed": "at its limit",
    "buddy.zones": "zones",
    "oom.events": "hit",
    "oom.failures": "asked by",
    "oom.victim_units": "service",
    "oom.last_class": "class",
    "oom.last_age_seconds": "age",
    "oom.refusal_age_seconds": "last refusal, age",
}
# Numbers that are names: nobody groups their digits.
NAMES = ("pid", "main_pid", "victim_pid", "parent", "uid", "start_ticks")


NEVER = 1e9
"""Seconds since what never was, as facts say it: conditions over ages need a number."""


def unit_of(name: str) -> Unit:
    """The unit that a metric carries in its name."""
    bare = name.removesuffix(LOWEST)
    if bare.rpartition(".")[2] in ("percent", "avg10", "avg60", "avg300"):
        return Unit.PERCENT
    if bare.startswith(("buddy.unusable", "buddy.extfrag")):
        return Unit.RATIO
    return next((unit for suffix, unit in SUFFIXES.items() if bare.endswith(suffix)), Unit.NONE)


def metric_words(name: str) -> str:
    """A metric's name without the unit, as its value stands beside it: "swap in", "swap in at least"."""
    if name in CALLED:
        return CALLED[name]
    bare = name.removesuffix(LOWEST)
    lowest = " at least" if bare != name else ""
    bare = next((bare.removesuffix(suffix) for suffix in SUFFIXES if bare.endswith(suffix)), bare)
    if name.startswith("sysctl."):
        return bare.removeprefix("sysctl.")
    for prefix in OBVIOUS:
        bare = bare.removeprefix(prefix)
    return bare.replace(".", " ").replace("_", " ") + lowest


def value_words(value: Any, unit: Unit) -> str:
    """A value with its unit; lists by their items, what is missing as "-", the age of what never was as "never"."""
    if value is None:
        return "-"
    if value == "":
        return "none"
    if unit is Unit.SECONDS and isinstance(value, int | float) and value >= NEVER:
        return "never"
    if isinstance(value, list | tuple):
        return ", ".join(value_words(item, unit) for item in value) or "none"
    return format_value(value, unit)


def evidence_words(evidence: Sequence[Evidence]) -> Text:
    """What a verdict rests on, on one line."""
    return joined([_evidence(line) for line in evidence])


def finding_words(finding: Finding) -> Text:
    """What a finding rests on: of one that fires the figures that decide, of others all that was looked at."""
    told = [line for line in finding.evidence if line.metric in finding.telling]
    return evidence_words([line for line in told or finding.evidence if line.value is not True or not told])


def _evidence(line: Evidence) -> Text:
    if line.value is None:
        return text(Span(f"{metric_words(line.metric)} not read", "unknown"))
    if line.items:
        return text(f"{metric_words(line.metric)}: {items_words(line)}")
    return text(f"{metric_words(line.metric)} {measured_words(line)}")


def items_words(line: Evidence) -> str:
    """Who of a list it is: "hog.service (412.0 MiB), java (pid 812, 3.0 GiB), 2 more"."""
    more = [f"{line.more} more"] if line.more else []
    return ", ".join([*(_item(item) for item in line.items), *more])


def _item(item: EvidenceItem) -> str:
    parts = [f"pid {item.pid}"] if item.pid is not None else []
    if item.value is not None:
        unit = Unit(item.unit)
        label = "" if unit is Unit.BYTES else f"{metric_words(item.field)} "
        parts.append(f"{label}{value_words(item.value, unit)}")
    return f"{item.name} ({', '.join(parts)})" if parts else item.name


def measured_words(line: Evidence) -> str:
    """The value of a piece of evidence, with its unit."""
    if line.value == "[]":
        return "none"
    named = line.metric.rpartition(".")[2] in NAMES
    return str(line.value) if named and line.value is not None else value_words(line.value, Unit(line.unit))


def range_words(least: str, most: str) -> str:
    """Two figures with a unit as a range: "2.1-38.2 GiB", "412.0 MiB to 38.2 GiB"; one where they are the same."""
    (low, unit), (high, units) = ((number, rest) for number, _, rest in (least.partition(" "), most.partition(" ")))
    if least == most:
        return least
    if unit != units or low.startswith("-") or not (low + high).replace(".", "").replace(",", "").isdecimal():
        return f"{least} to {most}"
    return f"{low}-{high} {unit}".rstrip()


def moment_words(utc: float, now: Instant | None = None) -> str:
    """A moment in UTC, with the span since then or until then where that is a minute or more."""
    written = f"{dt.datetime.fromtimestamp(utc, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    if now is None or abs(now.utc - utc) < MINUTE:
        return written
    span = format_duration(abs(now.utc - utc))
    return f"{written} ({span} ago)" if now.utc > utc else f"{written} (in {span})"


def counts(words: Iterable[tuple[int, str]]) -> str:
    """Counts of what there is at all: "3 to run, 1 blocked"."""
    return ", ".join(f"{count} {word}" for count, word in words if count)


def listed(words: Sequence[str]) -> str:
    """Words in a row, as in "10 runbooks, config.yaml and schedules.yaml"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def plural(count: int, word: str) -> str:
    """A count and its word."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def proof_words(that: str, within: float, hold: float) -> str:
    """What must come true for a step to count as done."""
    held = f", held for {format_duration(hold)}" if hold else ""
    return f"{' '.join(that.split())}{held}, within {format_duration(within)}"


def planned_proof(step: PlannedStep) -> str:
    """What proves a planned step, with the values of the parameters that it names; empty where nothing does."""
    given = ", ".join(f"{name} = {value}" for name, value in step.given.items())
    proof = proof_words(step.verify, step.within, step.hold) if step.verify else ""
    return f"{proof} ({given})" if proof and given else proof


def severity(word: str) -> Span:
    """A severity's word."""
    return Span(SEVERITY_WORDS.get(word, word), SEVERITY_STYLES[word])


def risk(level: Risk) -> Span:
    """A risk's word."""
    return Span(level.word, RISK_STYLES.get(level, ""))


def digest_words(digest: str) -> str:
    """The beginning of a digest."""
    return f"sha256:{digest.removeprefix('sha256:')[:8]}"
