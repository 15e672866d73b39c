"""A person approves a saved plan in a browser: the same questions, signed by a passkey over the plan's bytes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from memrunbook.app.approving import ApproveResult, Signatory, approve_as
from memrunbook.app.consenting import fault_of
from memrunbook.core.errors import Refused
from memrunbook.core.instant import Instant
from memrunbook.documents.library import Library
from memrunbook.runtime.ports import Approver
from memrunbook.state.known_passkeys import known_passkeys
from memrunbook.state.passkeys import BrowserAnswer, signed_by_passkey
from memrunbook.state.plans import PlanFile
from memrunbook.state.signatures import FaultySignatureError, SigningKey
from memrunbook.state.signers import Signers

PLACE = "the passkey"
OTHER = "another passkey, or at the terminal: runbook approve FILE"


class OwnPasskey(NamedTuple):
    """A passkey of a person: its id (base64url), the host for which it was made, and the SSH key that it is."""

    credential: str
    relying_party: str
    key: SigningKey


def own_passkeys(state: Path, person: str) -> Sequence[OwnPasskey]:
    """The passkeys that a person registered; one that is damaged is left out."""
    found = []
    for one in known_passkeys(state):
        with suppress(FaultySignatureError):
            if one.person == person:
                found.append(OwnPasskey(one.credential, one.relying_party, one.signing_key))
    return found


def approve_by_passkey(  # noqa: PLR0913, PLR0917  who approves what, by which key, with which answers
    file: PlanFile, library: Library, person: str, passkey: OwnPasskey, answer: BrowserAnswer, approver: Approver
) -> ApproveResult:
    """Adds the approval of a `person` whose passkey answered; `approver` tells what was confirmed of each change.

    Refused where anything of it would not count, as of any approval: then nothing is kept.
    """

    def chosen(signers: Signers, now: Instant) -> Signatory:
        fault = fault_of(passkey.key, person, file, signers, now)
        if fault:
            raise Refused(f"the approval would not count: {fault}", hint=OTHER)
        return Signatory(passkey.key, person, PLACE, signed, OTHER)

    def signed(_content: bytes) -> str:
        try:
            return signed_by_passkey(passkey.key, answer)
        except FaultySignatureError as error:
            raise Refused(f"the approval would not count: {error}", hint=OTHER) from None

    return approve_as(file, library, chosen, approver)


def counting(
    file: PlanFile, library: Library, person: str, passkeys: Sequence[OwnPasskey], now: Instant
) -> tuple[Sequence[OwnPasskey], str]:
    """Those of a person's passkeys whose approval would count; where there are none, why."""
    config = library.config()
    signers = Signers.read_all(config.allowed_signers, config.revoked_keys)
    faults = {one: fault_of(one.key, person, file, signers, now) for one in passkeys}
    found = [one for one, fault in faults.items() if not fault]
    return found, "" if found else "; ".join(dict.fromkeys(faults.values()))
