"""What stands first of a host: the worst, who is behind it, and what else a line about it needs; little to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from memrunbook.core.errors import Interrupted, RunbookError
from memrunbook.core.host import Host
from memrunbook.core.plan.diagnosis import SEVERITIES, Diagnosis, Finding, RunbookDiagnosis, Suspect
from memrunbook.core.plan.held import held_words
from memrunbook.core.plan.judged import Judged
from memrunbook.core.plan.rules import host_off_words
from memrunbook.core.plan.standing import Standing, Word, standing
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.snapshot import Snapshot

HostOutcome = Literal["judged", "not-judged", "unreachable", "interrupted"]
PEOPLE = ("unit", "process")
HELD = "held"
"""The check by which a runbook applies where somebody holds its incident back."""


class Applying(Struct, frozen=True):
    """The runbook whose incident applies first; `worst` names what fires by it, `held` that somebody holds it back."""

    runbook: str
    title: str
    worst: str
    suspect: Suspect | None = None
    held: bool = False


class Headline(Struct, frozen=True, kw_only=True):
    """A host in one line.

    `incident` is what applies first. `finding` is what is worse than that, or the worst where nothing applies, and
    `culprit` is behind it. `unjudged` are the runbooks of which nobody knows whether they apply; `denied` facts could
    not be read, for sudo gave no root and said `no_root`. `remarks` are things to know that are no trouble; `tuning`
    counts those on settings. `held` says what is frozen or changed for a while, `switched_off` why nothing is changed.
    Of a host that was not read `why` says why, and `hint` what to do about it.
    """

    host: Host
    outcome: HostOutcome
    word: Word
    incident: Applying | None = None
    finding: Finding | None = None
    culprit: Suspect | None = None
    unjudged: tuple[str, ...] = ()
    no_root: str = ""
    denied: int = 0
    remarks: tuple[str, ...] = ()
    tuning: int = 0
    held: tuple[str, ...] = ()
    switched_off: str = ""
    why: str = ""
    hint: str = ""

    @property
    def name(self) -> str:
        """The host's name."""
        return self.host.name


def headline(judged: Judged) -> Headline:
    """What stands first of a host, whatever became of it."""
    snapshot, diagnosis, host = judged.reached.snapshot, judged.diagnosis, judged.reached.host
    if snapshot is None or diagnosis is None:
        return _not_read(host, judged.reached.error)
    return headline_of(host, diagnosis, standing(diagnosis.runbooks), snapshot)


def headline_of(host: Host, diagnosis: Diagnosis, stands: Standing, snapshot: Snapshot) -> Headline:
    """The same of a host that was read."""
    first = diagnosis.incidents[0] if diagnosis.incidents else None
    finding = _worse(first, stands)
    return Headline(
        host=host,
        outcome="judged" if stands.judged else "not-judged",
        word=stands.word,
        incident=_applying(first) if first is not None else None,
        finding=finding,
        culprit=culprit(finding, _causes(diagnosis, finding)) if finding is not None else None,
        unjudged=stands.unjudged,
        no_root=snapshot.no_root,
        denied=denied_facts(snapshot),
        remarks=tuple(one.name for one in stands.apart if one.severity == "info"),
        tuning=len(stands.tuning),
        held=held_words(snapshot),
        switched_off=host_off_words(snapshot),
    )


def culprit(finding: Finding, causes: Sequence[Suspect]) -> Suspect | None:
    """Who is behind a finding, of those whom its runbook suspects.

    A remark on a setting has no culprit: that some service is large does not stand beside it.
    """
    first = causes[0] if causes else None
    return first if first and (finding.severity != "info" or first.kind not in PEOPLE) else None


def denied_facts(snapshot: Snapshot) -> int:
    """How many facts this login may not read, or not all of."""
    return sum(map(is_denied, snapshot.readings.values()))


def is_denied(reading: Reading | Unavailable) -> bool:
    """True for a fact that this login may not read, or not all of it."""
    if isinstance(reading, Unavailable):
        return reading.reason == "denied"
    return any(gone.reason == "denied" for gone in reading.unavailable.values())


def _not_read(host: Host, error: RunbookError | None) -> Headline:
    outcome: HostOutcome = "interrupted" if isinstance(error, Interrupted) else "unreachable"
    why, hint = (error.message, error.hint) if error is not None else ("", "")
    return Headline(host=host, outcome=outcome, word="UNKNOWN", why=why, hint=hint)


def _worse(first: RunbookDiagnosis | None, stands: Standing) -> Finding | None:
    """The worst finding outside of incidents, where it is worse than the first of them."""
    found = stands.apart[0] if stands.apart else None
    least = max(SEVERITIES.index(first.severity), SEVERITIES.index("warning")) if first is not None else 0
    return found if found is not None and SEVERITIES.index(found.severity) > least else None


def _causes(diagnosis: Diagnosis, finding: Finding) -> Sequence[Suspect]:
    return next((entry.causes for entry in diagnosis.runbooks if entry.runbook == finding.runbook), ())


def _applying(entry: RunbookDiagnosis) -> Applying:
    firing = [finding for finding in entry.findings if finding.state == "firing"]
    return Applying(
        runbook=entry.runbook,
        title=entry.title,
        worst=next((one.name for one in firing if one.severity == entry.severity), entry.title),
        suspect=entry.causes[0] if entry.causes else None,
        held={one.check for one in entry.findings if one.decides} == {HELD},
    )
