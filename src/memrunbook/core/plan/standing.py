"""What stands on a host: the worst of it, and each finding once, however many runbooks ask for the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from memrunbook.core.plan.diagnosis import SEVERITIES, Finding, RunbookDiagnosis

Word = Literal["CRITICAL", "WARNING", "UNKNOWN", "OK"]
Worst = Literal["critical", "warning", "info", "none"]
ALIKE = 0.5
"""Findings of two runbooks that share so much of what they rest on are about the same thing."""
# How short a host is and how it is made stands in conditions about anything: it is not what they are about.
CONTEXT = (
    "memory.available_", "memory.total_", "memory.free_", "pressure.", "host.", "swap.total_bytes", "cpu.",
    "units.samples", "units.watched_", "oom.last_",
)  # fmt: skip
# What stays as it is until somebody changes it: an info about nothing else greets a healthy host for ever.
SETTINGS = (
    "sysctl.", "sysctl_files.", "host.", "thp.", "memory.total_bytes", "writeback.limit_bytes", "zswap.enabled",
    "swap.total_bytes", "swap.recommended_bytes", "swap.devices", "swap.zram_only",
)  # fmt: skip
SUPPORTED = ".supported"


class Standing(Struct, frozen=True):
    """The findings that fire, each once.

    `within` holds them by the runbook whose incident applies; `apart` are those of runbooks that do not apply, the
    worst first; `tuning` are remarks on settings among these. `unjudged` names the runbooks of which it is not known
    whether they apply.
    """

    within: Mapping[str, tuple[Finding, ...]]
    apart: tuple[Finding, ...]
    tuning: tuple[Finding, ...]
    unjudged: tuple[str, ...]
    worst: Worst

    @property
    def judged(self) -> bool:
        """False where an incident may be there that could not be judged, and none is known."""
        return bool(self.within) or not self.unjudged

    @property
    def word(self) -> Word:
        """The first word of the verdict: the worst that stands."""
        if self.worst in ("critical", "warning"):
            return "CRITICAL" if self.worst == "critical" else "WARNING"
        return "UNKNOWN" if self.unjudged else "OK"


def standing(entries: Sequence[RunbookDiagnosis]) -> Standing:
    """What stands by what runbooks say of a host, those that apply first."""
    applying = [entry for entry in entries if entry.incident.holds]
    told: list[Finding] = []
    within = {entry.runbook: tuple(_fresh(_about_it(entry), told)) for entry in applying}
    beside = (finding for entry in applying for finding in _firing([entry]) if not _belongs(finding))
    outside = sorted([*_firing(entry for entry in entries if not entry.incident.holds), *beside], key=_rank)
    found = list(_fresh(outside, told))
    tuning = tuple(finding for finding in found if is_tuning(finding))
    severities = [max(entry.severity, "warning", key=SEVERITIES.index) for entry in applying]
    severities += [finding.severity for finding in found]
    return Standing(
        within=within,
        apart=tuple(finding for finding in found if finding not in tuning),
        tuning=tuning,
        unjudged=tuple(entry.runbook for entry in entries if entry.incident.state == "unknown"),
        worst=_worst(severities),
    )


def _about_it(entry: RunbookDiagnosis) -> list[Finding]:
    """The findings that belong to an incident: those by which it applies first, then the worst."""
    found = [finding for finding in _firing([entry]) if _belongs(finding)]
    return sorted(found, key=lambda finding: (not finding.decides, _rank(finding)))


def _belongs(finding: Finding) -> bool:
    """False for a remark on a setting that the incident does not apply by."""
    return finding.decides or not is_tuning(finding)


def is_tuning(finding: Finding) -> bool:
    """True for a remark that rests on settings alone."""
    names = [evidence.metric for evidence in finding.evidence]
    return finding.severity == "info" and bool(names) and all(map(_is_setting, names))


def once(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without those that say the same as one before them."""
    return list(_fresh(findings, []))


def _fresh(findings: Iterable[Finding], told: list[Finding]) -> Iterable[Finding]:
    """Those that no finding that is told already says at least as loudly; they count as told from then on."""
    for finding in findings:
        if not any(_rank(one) <= _rank(finding) and _alike(finding, one) for one in told):
            told.append(finding)
            yield finding


def _alike(one: Finding, other: Finding) -> bool:
    if _milder(one, other):
        return True
    if one.name != other.name and one.runbook == other.runbook:
        return False
    names, others = _metrics(one), _metrics(other)
    about, like = _in_question(names), _in_question(others)
    shared, all_of = about & like, about | like
    if one.name == other.name:
        return bool(shared) or not about or not like
    if not all_of:  # how short the host is, in other words
        return not set(names).isdisjoint(others)
    return bool(shared) and len(shared) >= ALIKE * len(all_of)


def _milder(one: Finding, other: Finding) -> bool:
    """A milder word for a part of the same figures; of lists two runbooks say the same where they name the same."""
    if one.decides or not one.telling or _rank(other) >= _rank(one) or not set(one.telling) <= set(other.telling):
        return False
    named, others = ({line.metric: line.items for line in found.evidence} for found in (one, other))
    lists = [metric for metric in one.telling if named.get(metric)]
    return not lists or (one.runbook != other.runbook and all(named[name] == others.get(name) for name in lists))


@lru_cache(maxsize=4096)
def _in_question(metrics: tuple[str, ...]) -> frozenset[str]:
    """Those that a finding is about. Each of a hundred checks is held against all the others, on every host."""
    return frozenset(name for name in metrics if not name.startswith(CONTEXT) and not name.endswith(SUPPORTED))


def _metrics(finding: Finding) -> tuple[str, ...]:
    return tuple([evidence.metric for evidence in finding.evidence])


def _firing(entries: Iterable[RunbookDiagnosis]) -> list[Finding]:
    return [finding for entry in entries for finding in entry.findings if finding.state == "firing"]


def _is_setting(name: str) -> bool:
    return name.startswith(SETTINGS) or name.endswith(SUPPORTED)


def _rank(finding: Finding) -> int:
    return -SEVERITIES.index(finding.severity)


def _worst(severities: Iterable[str]) -> Worst:
    found = set(severities)
    if "critical" in found:
        return "critical"
    return "warning" if "warning" in found else "info" if "info" in found else "none"
