"""What was found of a host, as a line of JSON: one control node looks at it, another draws it as if it had looked.

Without the whole snapshot only that of it is carried which the line, the document and the exit code of a host are made
of: few kilobytes, where a snapshot and all findings are tens of them.
"""

from __future__ import annotations

import threading
from typing import TypeVar

import msgspec
from msgspec import Struct, structs

from memrunbook import catalog
from memrunbook.app.carried_errors import CarriedError, carried, error_of
from memrunbook.app.held_up import FrozenNow, HeldUp
from memrunbook.core.errors import HostError
from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.plan.diagnosis import Diagnosis, Finding, RunbookDiagnosis
from memrunbook.core.plan.headline import Headline, headline, is_denied
from memrunbook.core.plan.held import HOLDS, held_words
from memrunbook.core.plan.judged import Judged, Planned
from memrunbook.core.plan.plan import Plan
from memrunbook.core.plan.rules import SWITCHED_OFF, host_off_words
from memrunbook.core.reading.baseline import KILLS
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.reached import Reached
from memrunbook.core.reading.rules import NO_RULES
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.run.record import readings_of
from memrunbook.core.runbook.condition import Evidence, Verdict
from memrunbook.documents.written import without_secrets

SCORED = frozenset({KILLS.partition(".")[0]})
"""The facts that the score of a plan needs, whatever else is left out."""
_ONE = threading.Lock()
"""msgspec learns a type when it is first decoded: a second thread that comes meanwhile ends the process (SIGSEGV)."""


class _Look(Struct, frozen=True, kw_only=True, omit_defaults=True):
    snapshot: Snapshot | None = None
    error: CarriedError | None = None
    off: str = ""


class _JudgedLook(_Look, frozen=True, kw_only=True, omit_defaults=True):
    diagnosis: Diagnosis | None = None


class _PlannedLook(_Look, frozen=True, kw_only=True, omit_defaults=True):
    diagnosis: RunbookDiagnosis | None = None
    plan: Plan | None = None
    open: tuple[OpenStep, ...] = ()
    freezes: tuple[FrozenNow, ...] = ()


L = TypeVar("L", bound=_Look)


def pack_judged(judged: Judged, off: str, *, full: bool, printed: bool = False) -> bytes:
    """A diagnosis, and why nothing may be changed now; what looks like a secret is hidden.

    `full` carries the snapshot and every finding. Without it the host's headline and exit code are the same, and what
    is for neither is left out, its identity too; with `printed` its part of the JSON document is the same besides.
    """
    snapshot, diagnosis = judged.reached.snapshot, judged.diagnosis
    if snapshot is not None and diagnosis is not None and not full:
        snapshot = _reduced(snapshot)
        diagnosis = _printed(diagnosis) if printed else _in_a_line(diagnosis, headline(judged))
        if not printed:
            snapshot = structs.replace(snapshot, identity=HostIdentity())
    return without_secrets(_JudgedLook(snapshot=snapshot, error=_error(judged.reached), diagnosis=diagnosis, off=off))


def unpack_judged(content: bytes, host: Host) -> tuple[Judged, str]:
    """The diagnosis of a host, and why nothing may be changed now; HostError for what cannot be read here."""
    look = _unpacked(content, _JudgedLook, host)
    return Judged(_reached(look, host), look.diagnosis), look.off


def pack_planned(planned: Planned, held: HeldUp, *, full: bool) -> bytes:
    """A plan, and what keeps it from being carried out; what looks like a secret is hidden.

    Without `full` what a saved plan, a document, the score and the exit code need is there, and the snapshot is not.
    """
    snapshot = planned.reached.snapshot
    if snapshot is not None and not full:
        snapshot = _reduced(snapshot, SCORED)
    look = _PlannedLook(
        snapshot=snapshot,
        error=_error(planned.reached),
        diagnosis=planned.diagnosis,
        plan=planned.plan,
        open=held.open,
        freezes=held.freezes,
        off=held.off,
    )
    return without_secrets(look)


def unpack_planned(content: bytes, host: Host) -> tuple[Planned, HeldUp]:
    """The plan for a host, and what keeps it from being carried out; HostError for what cannot be read here."""
    look = _unpacked(content, _PlannedLook, host)
    return Planned(_reached(look, host), look.diagnosis, look.plan), HeldUp(look.open, look.freezes, look.off)


def _reduced(snapshot: Snapshot, kept: frozenset[str] = frozenset()) -> Snapshot:
    """What a headline and a printed host say of a snapshot beside its diagnosis, and the facts that are kept."""
    telling = {HOLDS: bool(held_words(snapshot)), SWITCHED_OFF: bool(host_off_words(snapshot))}
    wanted = {metric.partition(".")[0] for metric, tells in telling.items() if tells} | kept
    readings = {
        name: reading if name in wanted else Unavailable("denied", "")
        for name, reading in snapshot.readings.items()
        if name in wanted or is_denied(reading)
    }
    return structs.replace(snapshot, readings=readings, rules=NO_RULES)


def _in_a_line(diagnosis: Diagnosis, said: Headline) -> Diagnosis:
    """What fires; the figures of the finding that stands in the line, and who is behind what stands there."""
    named = [one.runbook for one in (said.incident, said.finding) if one is not None]

    def short(entry: RunbookDiagnosis) -> RunbookDiagnosis:
        return structs.replace(
            entry,
            title=entry.title if entry.incident.holds else "",
            findings=tuple(one if one is said.finding else _marked(one) for one in entry.findings if _counts(one)),
            incident=Verdict(entry.incident.state),
            causes=entry.causes[:1] if entry.runbook in named else (),
        )

    return structs.replace(diagnosis, runbooks=tuple(map(short, diagnosis.runbooks)))


def _marked(finding: Finding) -> Finding:
    """A finding by which others are held to say the same or not: what it is about, without its figures."""
    evidence = (
        Evidence(one.metric, None, "", items=one.items if one.metric in finding.telling else ())
        for one in finding.evidence
    )
    return structs.replace(finding, why="", explain="", evidence=tuple(evidence))


def _printed(diagnosis: Diagnosis) -> Diagnosis:
    """What every check and every runbook says, without what a document does not hold."""

    def said(entry: RunbookDiagnosis) -> RunbookDiagnosis:
        findings = (
            one if _counts(one) else structs.replace(one, name="", explain="", telling=()) for one in entry.findings
        )
        others = (structs.replace(one, facts={}) for one in entry.causes[1:])
        return structs.replace(
            entry,
            findings=tuple(findings),
            incident=Verdict(entry.incident.state, why=entry.incident.why),
            causes=(*entry.causes[:1], *others),
        )

    return structs.replace(diagnosis, runbooks=tuple(map(said, diagnosis.runbooks)))


def _counts(finding: Finding) -> bool:
    """True for a finding that may stand in the line of its host, or decides what does."""
    return finding.state == "firing" or finding.decides


def _error(reached: Reached) -> CarriedError | None:
    return carried(reached.error) if reached.error is not None else None


def _reached(look: _Look, host: Host) -> Reached:
    return Reached(host, look.snapshot, error_of(look.error) if look.error is not None else None)


def _unpacked(content: bytes, kind: type[L], host: Host) -> L:
    try:
        with _ONE:
            look = msgspec.json.decode(content, type=kind)
            if look.snapshot is None and look.error is None:
                raise msgspec.ValidationError("it says neither what was read nor why not")
            if look.snapshot is None:
                return look
            types = {name: fact.reading for name, fact in catalog.facts().items()}
            typed = structs.replace(look.snapshot, readings=readings_of(look.snapshot.readings, types))
    except msgspec.MsgspecError as error:
        what = f"what another control node found of this host cannot be read here: {error}"
        raise HostError(what, where=host.name, hint="let every control node have the same version") from None
    return structs.replace(look, snapshot=typed)
