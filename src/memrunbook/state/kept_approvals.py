"""The approvals that the journal of a run keeps: whether their signatures hold, and who vouches for whose keys."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from memrunbook.core.errors import JournalError
from memrunbook.core.instant import Instant
from memrunbook.core.run.record import AppliedPlan, Invoked, KeptApproval, Resumed
from memrunbook.state import disk
from memrunbook.state.lines import decoded
from memrunbook.state.plans import LARGEST
from memrunbook.state.run_directory import APPLIED_PLAN, RUN

if TYPE_CHECKING:
    from memrunbook.state.signatures import SigningKey
    from memrunbook.state.signers import Signers

NOBODY = "nobody here vouches for whose key it is"


@dataclass(frozen=True)
class ProvenApproval:
    """An approval that the journal of a run keeps, at a time when the run was begun or gone on with (`at`).

    `key` made the signature; where it does not hold there is none, and `fault` says why.
    """

    run: str
    at: float
    kept: KeptApproval
    key: SigningKey | None = None
    fault: str = ""

    @property
    def given(self) -> float:
        """When it was given, as far as is known: whoever signed says so, and it was before it was judged."""
        return min(_seconds(self.kept.time, self.at), self.at)


@dataclass(frozen=True)
class RunApprovals:
    """The approvals of a run, and what is wrong with them: an error or a note, where, and in which words."""

    approvals: tuple[ProvenApproval, ...] = ()
    findings: tuple[tuple[Literal["error", "note"], str, str], ...] = ()


@dataclass(frozen=True)
class ToldApproval:
    """An approval as it is told. `vouched` says whether it is that person's key, None where nobody was asked."""

    approval: ProvenApproval
    words: str
    vouched: bool | None = None

    @property
    def run(self) -> str:
        """The run of whose plan it is."""
        return self.approval.run

    @property
    def holds(self) -> bool:
        """True where its signature is one of the plan that the run carried out."""
        return not self.approval.fault

    @property
    def wrong(self) -> bool:
        """True where it counted, and whoever was asked now says that it was not that person's key."""
        return self.vouched is False and self.approval.kept.judged == "counted"


def keep_plan(folder: Path, content: bytes) -> None:
    """Keeps the plan that a run carries out in its directory, where it does not yet: on the disk when it returns."""
    path = folder / APPLIED_PLAN
    with disk.explained(path, "be read"):
        there = os.path.lexists(path)
    if not there:
        disk.replace(path, content)


def proof_of(folder: Path, content: bytes) -> RunApprovals:
    """What the directory of a run proves of its approvals; `content` is the run's own journal."""
    both = cast("type[Invoked | Resumed]", Invoked | Resumed)
    told = [one for one in decoded(content, both, having=b'"applied":{') if one.applied is not None]
    if not told:
        return RunApprovals()
    place = folder / APPLIED_PLAN
    try:
        plan = disk.contents(place, LARGEST + 1)
    except JournalError as error:
        return RunApprovals(findings=(("error", error.where, error.message),))
    approvals: list[ProvenApproval] = []
    findings: list[tuple[Literal["error", "note"], str, str]] = []
    journal = str(folder / RUN)
    for one in told:
        applied = cast("AppliedPlan", one.applied)
        if applied.signatures is None:
            findings += [(level, journal, why) for level, why in _unsigned(applied, kept=place.exists())]
            continue
        other = _other(place, plan, applied)
        found = [_proven(folder.name, one.time, approval, plan, other) for approval in applied.signatures]
        approvals += found
        findings += [("error", str(place), other)] if other else []
        findings += [("error", journal, why) for why in _doubts(applied, found, unread=bool(other))]
    return RunApprovals(tuple(approvals), tuple(dict.fromkeys(findings)))


def _unsigned(applied: AppliedPlan, *, kept: bool) -> Iterator[tuple[Literal["error", "note"], str]]:
    """What is said of a record without signatures: whoever keeps the plan keeps them too."""
    if kept:
        yield "error", "the signatures of its approvals were taken out"
    elif applied.approvals:
        by = ", ".join(applied.approvals)
        yield "note", f"it says that {by} approved it, and keeps no signature: an earlier version wrote it"


def _other(place: Path, plan: bytes, applied: AppliedPlan) -> str:
    """Why what lies there is not the plan that was carried out; empty where it is."""
    if hashlib.sha256(plan).hexdigest() == applied.digest:
        return ""
    if not place.exists():
        return "the plan that was carried out is missing: its approvals are signatures of it"
    return "this is not the plan that was carried out: its SHA-256 is not that of the journal"


def _proven(run: str, time: str, kept: KeptApproval, plan: bytes, other: str) -> ProvenApproval:
    from memrunbook.state.signatures import FaultySignatureError, verified

    at = _seconds(time, 0.0)
    if other:
        return ProvenApproval(run, at, kept, fault="the plan that it is of is not there")
    try:
        key = verified(kept.signature, plan)
    except FaultySignatureError as error:
        return ProvenApproval(run, at, kept, fault=str(error))
    return ProvenApproval(run, at, kept, key)


def _doubts(applied: AppliedPlan, found: Sequence[ProvenApproval], *, unread: bool) -> Iterator[str]:
    """What the journal says of approvals that their signatures do not bear out."""
    for one in found:
        if one.kept.judged == "faulty" or unread:
            continue
        if one.key is None:
            yield f"the approval by {one.kept.principal} does not hold: {one.fault}"
        elif one.key.fingerprint != one.kept.key:
            yield f"the approval by {one.kept.told} is signed by another key, {one.key.fingerprint}"
    signed = sorted(one.kept.told for one in found if one.kept.judged == "counted")
    if signed != sorted(applied.approvals):
        said, kept = ", ".join(applied.approvals) or "nobody", ", ".join(signed) or "nobody"
        yield f"it says that {said} approved it, and keeps the signature of {kept}"


def told_approval(one: ProvenApproval, signers: Signers | None, now: Instant) -> ToldApproval:
    """An approval in words, with what the `signers` say of its key; None where there is no list of them."""
    kept = one.kept
    who = {
        "counted": f"approved by {kept.told}",
        "unvouched": f"signed by {kept.key} ({kept.kind}), who says {kept.principal}",
    }.get(kept.judged, f"the approval by {kept.told} did not count ({kept.why})")
    if one.key is None:
        return ToldApproval(one, f"{who}; the signature does not hold: {one.fault}")
    holds = f"{who}, the signature holds"
    if signers is None:
        return ToldApproval(one, f"{holds}; {NOBODY}")
    vouched, why = _vouched(signers, one, one.key, now)
    return ToldApproval(one, f"{holds}; {why}", vouched)


def _vouched(signers: Signers, one: ProvenApproval, key: SigningKey, now: Instant) -> tuple[bool, str]:
    """Whether it is that person's key, by the time of the approval where the list says times, and what came since."""
    name = one.kept.principal
    ever = replace(signers, revoked=frozenset())
    fault = ever.fault(key, name, Instant(one.given, 0.0))
    if not fault and not signers.principals(key):
        fault = f"{signers.named} lists the key for a pattern alone"
    if fault:
        return False, f"it is not known as the key of {name}: {fault}"
    since = "the key is revoked by now" if key.blob in signers.revoked else ever.fault(key, name, now)
    return True, f"it is the key of {name} ({signers.named})" + (f"; since then: {since}" if since else "")


def _seconds(time: str, otherwise: float) -> float:
    """A time in seconds since 1970, UTC where it says no zone; `otherwise` for what is none."""
    try:
        moment = dt.datetime.fromisoformat(time)
    except ValueError:
        return otherwise
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
