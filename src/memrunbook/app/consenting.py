"""Who approved a saved plan, and whether that is enough to carry it out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from memrunbook.core.errors import Refused
from memrunbook.core.instant import Instant
from memrunbook.core.plan.approval import Person, one_by_one, people_for, person_behind, same_person
from memrunbook.core.run.applied import again
from memrunbook.core.run.record import ApprovalVerdict, KeptApproval
from memrunbook.core.units import format_duration
from memrunbook.documents.library import Library, config_dirs
from memrunbook.state.approvals import SignedApproval, read_approvals
from memrunbook.state.plans import PlanFile
from memrunbook.state.signatures import FaultySignatureError, SigningKey, kind_of, signed_with, verified
from memrunbook.state.signers import Signers
from memrunbook.ui.words import plural

CHANGED = "have the plan as it is now approved: remove FILE.approvals, then: runbook approve FILE"
UNVOUCHED = "signed by {0} ({1}), who says {2}: config.yaml names no allowed_signers, so nobody vouches for that"
UNCOUNTED: ApprovalVerdict = "not-counted"
ONE = "keys and names of one person"


@dataclass(frozen=True)
class Consent:
    """What the approvals of a plan come to: those that count, those that do not and why, and a refusal if need be.

    `unvouched` are signatures of this file by keys of which no `allowed_signers` says whose they are: they count for
    nobody, and the name that stands in them is told as what the signer says. `kept` are all approvals as they were
    given, for the journal.
    """

    counted: tuple[str, ...] = ()
    unvouched: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    refused: Refused | None = None
    kept: tuple[KeptApproval, ...] = ()

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Every approval that does not count, in words, for the journal."""
        return (*self.unvouched, *self.faults)

    @property
    def words(self) -> str:
        """Who approved it, in words, and whose word nobody vouches for; empty where nobody did."""
        return "; ".join([*([f"approved by {', '.join(self.counted)}"] if self.counted else []), *self.unvouched])


def consent_of(file: PlanFile, library: Library, now: Instant) -> Consent:
    """Judges the approvals beside a plan by config.yaml as it is now; DocumentError for a faulty list of keys."""
    config = library.config()
    signers = Signers.read_all(config.allowed_signers, config.revoked_keys)
    kept = [_judged(one, file, signers, now) for one in read_approvals(file.path)]
    void = next((_void(one) for one in kept if one.judged == "faulty"), "")
    faults = [f"the approval by {one.principal} does not count: {one.why}" for one in kept if one.judged == UNCOUNTED]
    unvouched = [UNVOUCHED.format(one.key, one.kind, one.principal) for one in kept if one.judged == "unvouched"]
    people = {n: _person(one, signers) for n, one in enumerate(kept) if one.judged == "counted"}
    persons = one_by_one(people.values())
    for first, *more in persons:
        for one in more:
            once = f"counts once with that by {first.told}: {ONE}"
            faults.append(f"the approval by {one.told} {once}")
            place = next(n for n, person in people.items() if person is one)
            kept[place] = replace(kept[place], judged=UNCOUNTED, why=f"it {once}")
    counted = tuple(first.told for first, *_ in persons)
    refused = Refused(void, hint=CHANGED) if void else _refused(file, library, len(counted), faults, now)
    return Consent(counted, tuple(unvouched), (*faults, *([void] if void else [])), refused, tuple(kept))


def _judged(one: SignedApproval, file: PlanFile, signers: Signers, now: Instant) -> KeptApproval:
    """An approval as it was given, and what it comes to by itself."""
    kept = KeptApproval(
        principal=one.principal,
        key=one.key,
        kind=kind_of(one.signature),
        time=one.time,
        signature=one.signature,
        judged="counted" if signers.named else "unvouched",
    )
    try:
        key = verified(one.signature, file.content)
    except FaultySignatureError as error:
        return replace(kept, judged="faulty", why=str(error))
    kept = replace(kept, key=key.fingerprint)
    fault = fault_of(key, one.principal, file, signers, now)
    return replace(kept, judged=UNCOUNTED, why=fault) if fault else kept


def _void(one: KeptApproval) -> str:
    return f"the approval by {one.principal} is not for this file: {one.why}"


def _person(one: KeptApproval, signers: Signers) -> Person:
    names = frozenset((one.principal, *signers.principals(signed_with(one.signature))))
    return Person(one.principal, one.key, names, one.kind)


def fault_of(key: SigningKey, principal: str, file: PlanFile, signers: Signers, now: Instant) -> str:
    """Why an approval with this key, in this name, does not count; empty where it does, or nobody says whose do.

    Whose key it is, is what all its lines say of it, not the one name that was given.
    """
    creator = person_behind(file.saved.creator)
    if same_person(principal, creator):
        return f"{creator} made the plan, and others must approve it"
    if not signers.named:
        return ""
    if theirs := signers.may_be(key, creator):
        return f"{creator} made the plan, and others must approve it; {signers.named} lists the key for {theirs} too"
    fault = signers.fault(key, principal, now)
    if not fault and not signers.principals(key):
        return f"{signers.named} lists the key for a pattern alone, which says of nobody who it is: write a name"
    return fault


def lacking(file: PlanFile, library: Library, now: Instant) -> int:
    """How many people must still approve a plan."""
    needed = people_for(library.config().approvals, file.saved.plans)
    return max(0, needed - len(consent_of(file, library, now).counted))


def _refused(file: PlanFile, library: Library, counted: int, faults: list[str], now: Instant) -> Refused | None:
    """Why what was approved is not enough, if it is not."""
    config = library.config()
    needed = people_for(config.approvals, file.saved.plans)
    if not needed:
        return None
    if any(now.utc > plan.taken_at.utc + config.deadline for plan in file.saved.plans):
        late = f"it was to be approved within {format_duration(config.deadline)}, and no answer in time is a no"
        return Refused(late, hint=again())
    if counted >= needed:
        return None
    creator = person_behind(file.saved.creator)
    asked = f"config.yaml asks for {needed} {'person' if needed == 1 else 'people'} other than {creator}"
    words = f"{plural(needed - counted, 'more approval')} needed: {asked}"
    return Refused("; ".join([words, *faults]), hint=_approve_command(file.path, library))


def _approve_command(plan: Path, library: Library) -> str:
    """The command that approves a plan, by the configuration that asks for it."""
    folder = library.own_settings.parent if library.own_settings else None
    where = [] if folder is None or folder in config_dirs() else ["--config-dir", str(folder)]
    return shlex.join(["runbook", "approve", str(plan), *where])
