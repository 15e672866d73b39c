"""A person approves a saved plan: sees what a gate would show, says yes to each change, and signs the file."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook.app.actor import this_actor
from memrunbook.app.consenting import fault_of, lacking
from memrunbook.app.saving import author
from memrunbook.app.sharing_plans import share_approvals, unheard
from memrunbook.app.stored import Stored, Told
from memrunbook.core.action.action import Risk
from memrunbook.core.errors import JournalError, Refused, UsageError
from memrunbook.core.instant import Instant
from memrunbook.core.plan.saved import approved_changes
from memrunbook.core.run.applied import again
from memrunbook.core.run.record import Actor
from memrunbook.core.run.request import AskApproval
from memrunbook.documents.library import Library, usual_library
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.ports import Approver
from memrunbook.state.approvals import SignedApproval, add_approval
from memrunbook.state.plans import PlanFile, load_plan
from memrunbook.state.signatures import NAMESPACE, FaultySignatureError, SigningKey, key_of, refuse_unfit, verified
from memrunbook.state.signers import Signers
from memrunbook.transports.shared.signing import SIGNING, PersonalKey, key_in, personal_keys, sign

HIDDEN_PARTS = "a secret is hidden here: what is shown cannot be compared with what will be done"

SHARED_LATER = "it is as soon as the store answers: runbook pending"
OTHER = "another key: --key FILE"


@dataclass(frozen=True, kw_only=True)
class ApproveArguments:
    """A saved plan; `key` is the file of the key to sign with, `principal` the name that it stands for.

    `seconds` is how long a signature may take. `told` is told, with a hint, where other control nodes that share the
    `store` do not know of the approval yet.
    """

    plan: PlanFile
    library: Library = field(default_factory=usual_library)
    key: Path | None = None
    principal: str = ""
    seconds: float = SIGNING
    actor: Actor = field(default_factory=this_actor)
    store: str = ""
    told: Told = unheard


@dataclass(frozen=True)
class ApproveResult:
    """The approval, the file that it was added to, and how many people must still approve the plan.

    `vouched` says whether `allowed_signers` vouches for whose approval it is.
    """

    approval: SignedApproval
    file: Path
    lacking: int
    vouched: bool = True


@dataclass(frozen=True)
class Signatory:
    """Who signs: the public key, whose approval it will be, where the key is, and what makes the signature.

    `other` says what to do where no signature of this key would count.
    """

    key: SigningKey
    principal: str
    place: str
    sign: Callable[[bytes], str]
    other: str = OTHER


@dataclass(frozen=True)
class GateOfPlan:
    """The question of one change of a plan; `asked`: an approval needs an answer to it."""

    host: str
    question: AskApproval
    asked: bool


def approve(
    arguments: ApproveArguments,
    approver: Approver,
    signing: Callable[[PersonalKey, str], None] = lambda _key, _principal: None,
) -> ApproveResult:
    """Asks about every change of a plan as a gate would, and signs the file where all were answered with yes.

    `signing` is told the key and the principal before the signature is waited for. Refused where the answer was no,
    where no signature came, and where the approval would not count; UsageError and DocumentError as usual.
    """

    def chosen(signers: Signers, now: Instant) -> Signatory:
        key, principal = _who(arguments, signers, now)

        def signed(content: bytes) -> str:
            signing(key, principal)
            return sign(content, key, NAMESPACE, arguments.seconds)

        return Signatory(_public(key), principal, key.place, signed)

    _share(arguments, unheard)  # how many are lacking counts those that were given elsewhere
    result = approve_as(arguments.plan, arguments.library, chosen, approver)
    _share(arguments, arguments.told)
    return result


def _share(arguments: ApproveArguments, told: Told) -> None:
    try:
        share_approvals(Stored(config=arguments.library.config(), named=arguments.store), arguments.plan, told)
    except (JournalError, UsageError) as error:
        told(f"the approval is not shared yet with other control nodes: {error}", SHARED_LATER)


def approve_as(
    file: PlanFile, library: Library, chosen: Callable[[Signers, Instant], Signatory], approver: Approver
) -> ApproveResult:
    """The same by whoever is `chosen` of the keys that count: one way, wherever the person sits."""
    config, clock = library.config(), SystemClock()
    refuse_outdated(file, clock.now())
    signers = Signers.read_all(config.allowed_signers, config.revoked_keys)
    signer = chosen(signers, clock.now())
    _ask(file, approver)
    signature = signer.sign(file.content)
    try:
        signed = verified(signature, file.content)
    except FaultySignatureError as error:  # as of a security key that wants no touch
        why = f"the approval would not count: the signature of {signer.place}: {error}"
        raise Refused(why, hint=signer.other) from None
    approval = SignedApproval(
        principal=signer.principal, key=signed.fingerprint, time=clock.now().isoformat(), signature=signature
    )
    if load_plan(file.path).digest != file.digest:
        raise Refused("another plan lies there by now", where=str(file.path), hint=f"look at it: {again()}")
    path = add_approval(file.path, approval)
    return ApproveResult(approval, path, lacking(file, library, clock.now()), bool(signers.named))


def refuse_outdated(file: PlanFile, now: Instant) -> None:
    """Refused for a plan that may neither be approved nor applied any more."""
    difference = file.outdated(now)
    if difference is not None:
        raise Refused(f"{difference.what}: approved: {difference.approved}; now: {difference.now}", hint=again())


def gates_of(file: PlanFile) -> Iterator[GateOfPlan]:
    """The question of each change of a plan, in their order; the file may say of one that it has no gate."""
    for plan, digests in zip(file.saved.plans, file.saved.digests, strict=True):
        for step, digest in approved_changes(plan, digests):
            hidden = "" if step.digest == digest else HIDDEN_PARTS
            asked = bool(step.gate or hidden or (step.change and step.change.risk > Risk.NONE))
            yield GateOfPlan(plan.host, AskApproval(step, plan.taken_at, step.evidence, hidden), asked)


def _ask(file: PlanFile, approver: Approver) -> None:
    """Refused as soon as the answer to a change is not yes."""
    asked = [gate for gate in gates_of(file) if gate.asked]
    for gate in asked:
        answer = approver.approve(gate.host, gate.question)
        if answer.answer != "yes":
            raise Refused(f"not approved: {answer.why or 'declined'}", hint="nothing was signed")
    if not asked:
        raise Refused("the plan changes nothing that would need an approval", where=str(file.path))


def _who(arguments: ApproveArguments, signers: Signers, now: Instant) -> tuple[PersonalKey, str]:
    """The key to sign with and whose it is; Refused where the approval would not count."""
    keys = [key_in(arguments.key)] if arguments.key else personal_keys()
    if not keys:
        raise UsageError("there is no key to sign with", hint="--key FILE, or: ssh-add")
    if not signers.named and len(keys) > 1:
        raise UsageError(f"there are several keys to sign with: {_named(keys)}", hint="say which: --key FILE")
    faults = []
    for key in keys:
        try:
            public = _public(key)
        except FaultySignatureError as error:
            faults.append(f"{key.words[0]} {key.comment} ({key.place}): {error}")
            continue
        principal = _principal(arguments, signers, public)
        fault = fault_of(public, principal, arguments.plan, signers, now)
        if not fault:
            return key, principal
        faults.append(fault)
    raise Refused(f"the approval would not count: {'; '.join(dict.fromkeys(faults))}", hint=OTHER)


def _public(key: PersonalKey) -> SigningKey:
    """The public half of a key; FaultySignatureError where it is damaged, or no signature of it would count."""
    try:
        public = key_of(base64.b64decode(key.words[1], validate=True))
    except ValueError:
        raise FaultySignatureError("the key is damaged") from None
    refuse_unfit(public)
    return public


def _principal(arguments: ApproveArguments, signers: Signers, key: SigningKey) -> str:
    known = signers.principals(key)
    return arguments.principal or (known[0] if known else author(arguments.actor))


def _named(keys: list[PersonalKey]) -> str:
    return ", ".join(f"{key.words[0]} {key.comment} ({key.place})" for key in keys)
