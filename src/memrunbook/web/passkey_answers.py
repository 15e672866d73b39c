"""What a browser says of a passkey, checked by `webauthn`: a new one as we keep it, a known one as who it is."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

import webauthn
from webauthn.helpers import bytes_to_base64url, decode_credential_public_key, encode_cbor
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey
from webauthn.helpers.exceptions import WebAuthnException

from memrunbook.state.known_passkeys import KnownPasskey
from memrunbook.state.passkeys import COORDINATE, passkey_of
from memrunbook.state.signatures import FaultySignatureError, SshFields
from memrunbook.web.base64url import unpacked

LONGEST = 12 << 10
"""Characters of an answer."""
EC2, ES256, P256 = 2, -7, 1
"""As of COSE (RFC 9053): a key with two coordinates, ECDSA with SHA-256, its curve."""


class BadAnswerError(Exception):
    """Why an answer is not taken, in words for whoever sent it."""


@dataclass(frozen=True)
class AskedOfPasskey:
    """What a passkey was asked: by which page (`origin`), for which host (`party`), to sign which challenge."""

    challenge: bytes
    origin: str
    party: str


def challenge_in(answer: str) -> str:
    """The challenge that was signed, as it was given (base64url); BadAnswerError where none can be read."""
    try:
        if len(answer) > LONGEST:
            raise BadAnswerError("more was sent than any passkey says")
        said = json.loads(answer)["response"]["clientDataJSON"]
        return str(json.loads(unpacked(said))["challenge"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BadAnswerError("that is no answer of a passkey") from None


def credential_in(answer: str) -> tuple[str, bytes | None]:
    """The id of the passkey that answers, and whose it says that it is, where it does."""
    try:
        said = json.loads(answer)
        handle = said["response"].get("userHandle")
        return str(said["id"]), unpacked(handle) if handle else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadAnswerError("that is no answer of a passkey") from None


def new_passkey(answer: str, asked: AskedOfPasskey, person: str, at: str) -> tuple[KnownPasskey, int]:
    """The passkey that a browser made, and where its counter stands; BadAnswerError for anything else."""
    try:
        made = webauthn.verify_registration_response(
            credential=answer, expected_challenge=asked.challenge, expected_rp_id=asked.party,
            expected_origin=asked.origin, require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier.ECDSA_SHA_256],
        )  # fmt: skip
        key = decode_credential_public_key(made.credential_public_key)
    except WebAuthnException as error:
        raise BadAnswerError(_words(str(error))) from None
    except Exception as error:  # noqa: BLE001  its readers of CBOR and of certificates throw whatever they like
        raise BadAnswerError(f"that is no answer of a passkey ({type(error).__name__})") from None
    if not isinstance(key, DecodedEC2PublicKey) or int(key.crv) != P256:
        raise BadAnswerError("the passkey's key is not of the kind ES256")
    try:
        kept = passkey_of(key.x, key.y, asked.party)
    except FaultySignatureError as error:
        raise BadAnswerError(str(error)) from None
    known = KnownPasskey(
        person=person,
        credential=bytes_to_base64url(made.credential_id),
        key=base64.b64encode(kept.blob).decode(),
        relying_party=asked.party,
        at=at,
    )
    return known, made.sign_count


def counted(answer: str, asked: AskedOfPasskey, passkey: KnownPasskey, count: int) -> int:
    """Where the counter of a known passkey stands now, that signed what it was asked; BadAnswerError where not."""
    try:
        found = webauthn.verify_authentication_response(
            credential=answer, expected_challenge=asked.challenge, expected_rp_id=asked.party,
            expected_origin=asked.origin, credential_public_key=_cose(passkey), credential_current_sign_count=count,
            require_user_verification=True,
        )  # fmt: skip
    except WebAuthnException as error:
        raise BadAnswerError(_words(str(error))) from None
    except Exception as error:  # noqa: BLE001  its readers of CBOR throw whatever they like
        raise BadAnswerError(f"that is no answer of a passkey ({type(error).__name__})") from None
    return found.new_sign_count


def handle_of(person: str) -> bytes:
    """What a passkey keeps of whose it is: nothing that tells it to whoever finds the key."""
    return hashlib.sha256(b"memrunbook passkey of " + person.encode()).digest()


def _cose(passkey: KnownPasskey) -> bytes:
    """The key as `webauthn` reads keys."""
    wire = SshFields(passkey.signing_key.blob)
    wire.string()
    wire.string()
    point = wire.string()
    x, y = point[1 : 1 + COORDINATE], point[1 + COORDINATE :]
    return encode_cbor({1: EC2, 3: ES256, -1: P256, -2: x, -3: y})


def _words(said: str) -> str:
    """The library's reason in ours, where it is one that people meet."""
    for piece, words in (
        ("not verified", "the passkey did not ask whose hand it was"),
        ("origin", "it was made for another address than that of this page"),
        ("RP ID", "it was made for another host than this one"),
        ("sign count", "its counter went back: it may have been copied"),
        ("algorithm", "its key is not of the kind ES256"),
        ("signature", "its signature does not match"),
    ):
        if piece.lower() in said.lower():
            return words
    return "that is no answer of a passkey"
