"""Signatures by SSH keys, as `ssh-keygen -Y sign` makes them (SSHSIG, OpenSSH's PROTOCOL.sshsig and PROTOCOL.u2f)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from memrunbook.core.run.record import KeyKind

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

NAMESPACE = "memrunbook-plan"
MAGIC = b"SSHSIG"
VERSION = 1
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
LONGEST = 16 << 10
"""Characters of a signature with its armour: one by the largest RSA key that ssh-keygen makes has less than 6,000."""
HASHES = ("sha256", "sha512")
CURVES = {"nistp256": ("SECP256R1", "SHA256"), "nistp384": ("SECP384R1", "SHA384"), "nistp521": ("SECP521R1", "SHA512")}
RSA = {"rsa-sha2-256": "SHA256", "rsa-sha2-512": "SHA512"}
LEAST_RSA_BITS = 2048
TOUCHED, KNOWN_PERSON, ATTESTED, EXTENDED = 0x01, 0x04, 0x40, 0x80
"""Flags of a FIDO key: somebody touched it; it knows who (by PIN or finger); a key, extensions stand behind."""
PASSKEY = "sk-ecdsa-sha2-nistp256@openssh.com"
BY_BROWSER = f"webauthn-{PASSKEY}"
"""A signature that a browser asked a security key or a passkey for (PROTOCOL.u2f, webauthn signatures)."""


class FaultySignatureError(Exception):
    """A signature that is none, or not one of this content; the message says why."""


@dataclass(frozen=True)
class SigningKey:
    """The public key of a signature: its type's name and its blob, as in an authorized_keys file."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """Its fingerprint, as ssh-keygen -l tells it."""
        return f"SHA256:{base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip('=')}"


class SshFields:
    """Reads the strings and numbers that SSH writes (RFC 4251, section 5); FaultySignatureError at a cut."""

    def __init__(self, data: bytes) -> None:
        self._rest = data

    def take(self, count: int) -> bytes:
        """So many bytes."""
        if len(self._rest) < count:
            raise FaultySignatureError("it is cut short")
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def number(self) -> int:
        """Four bytes as a number."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """A string with its length before it."""
        return self.take(self.number())

    def text(self) -> str:
        """A string of ASCII."""
        return self.string().decode("ascii", "replace")

    def integer(self) -> int:
        """A number of any length (mpint)."""
        return int.from_bytes(self.string(), "big", signed=True)

    def end(self) -> None:
        """FaultySignatureError where anything is left."""
        if self._rest:
            raise FaultySignatureError("there is more than belongs to it")


def key_of(blob: bytes) -> SigningKey:
    """The key in a blob; FaultySignatureError where it is none."""
    return SigningKey(SshFields(blob).text(), blob)


def refuse_unfit(key: SigningKey) -> None:
    """FaultySignatureError where no signature of this key would be believed: its kind, its size, or it is damaged."""
    if key.kind not in CHECKS:
        what = "a certificate" if "-cert-" in key.kind else f"a key of the type {key.kind!r}"
        raise FaultySignatureError(f"this is {what}: sign with a plain ed25519, ecdsa or rsa key")
    if key.kind == "ssh-rsa":
        wire = SshFields(key.blob)
        wire.string()
        try:
            _rsa_key(wire)
        except ValueError as error:
            raise FaultySignatureError(f"the key is damaged: {error}") from None


class _Parts(NamedTuple):
    """The parts of a signature, as they stand in it."""

    key: SigningKey
    namespace: str
    reserved: bytes
    hashed: str
    signature: bytes


def verified(armoured: str, content: bytes) -> SigningKey:
    """The key that signed this content for this purpose; FaultySignatureError with the reason where none did."""
    key, namespace, reserved, hashed, signature = _parts(armoured)
    if namespace != NAMESPACE:
        raise FaultySignatureError(f"it was made for {namespace!r}, not for {NAMESPACE!r}")
    if hashed not in HASHES:
        raise FaultySignatureError(f"its hash {hashed!r} is not one of {', '.join(HASHES)}")
    parts = (namespace.encode(), reserved, hashed.encode(), hashlib.new(hashed, content).digest())
    signed = MAGIC + wired(*parts)
    _check(key, SshFields(signature), signed)
    return key


def signed_with(armoured: str) -> SigningKey:
    """The key that a signature says it is by; FaultySignatureError where it is none."""
    return _parts(armoured).key


def kind_of(armoured: str) -> KeyKind:
    """What a signature says that it was made with; empty where it is none."""
    try:
        found = _parts(armoured)
        algorithm = SshFields(found.signature).text()
    except FaultySignatureError:
        return ""
    if algorithm == BY_BROWSER:
        return "passkey"
    return "security key" if algorithm.startswith("sk-") else "SSH key"


def _parts(armoured: str) -> _Parts:
    """FaultySignatureError for what is no signature."""
    wire = SshFields(_bare(armoured))
    if wire.take(len(MAGIC)) != MAGIC or wire.number() != VERSION:
        raise FaultySignatureError("it is no SSH signature that is known here")
    found = _Parts(key_of(wire.string()), wire.text(), wire.string(), wire.text(), wire.string())
    wire.end()
    return found


def wired(*parts: bytes) -> bytes:
    """Strings as SSH writes them: each with its length before it."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def to_sign(content: bytes) -> bytes:
    """What is signed for a content by SHA-512: a passkey signs it as its challenge."""
    return MAGIC + wired(NAMESPACE.encode(), b"", b"sha512", hashlib.sha512(content).digest())


def armoured(key: bytes, signature: bytes) -> str:
    """A signature over `to_sign`, by the key of this blob, in its armour as ssh-keygen writes it."""
    bare = MAGIC + VERSION.to_bytes(4, "big") + wired(key, NAMESPACE.encode(), b"", b"sha512", signature)
    text = base64.b64encode(bare).decode()
    return "\n".join([BEGIN, *(text[at : at + 70] for at in range(0, len(text), 70)), END, ""])


def _bare(armoured: str) -> bytes:
    """What stands between the two lines of the armour."""
    before, begin, rest = armoured.partition(BEGIN) if len(armoured) <= LONGEST else ("", "", "")
    body, end, behind = rest.partition(END)
    try:
        if begin and end and not (before + behind).strip():
            return base64.b64decode("".join(body.split()), validate=True)
    except ValueError:  # no base64, or no ASCII
        pass
    raise FaultySignatureError("it is no SSH signature")


def _check(key: SigningKey, signature: SshFields, signed: bytes) -> None:
    """Whether the signature is the key's over these bytes."""
    from cryptography.exceptions import InvalidSignature

    refuse_unfit(key)
    wire, kind = SshFields(key.blob), signature.text()
    wire.string()
    try:
        CHECKS[key.kind](wire, kind, signature, signed)
    except InvalidSignature:
        raise FaultySignatureError("it does not match: the file was changed after it was signed") from None
    except ValueError as error:
        raise FaultySignatureError(f"its key is damaged: {error}") from None
    signature.end()


def _expect(kind: str, *known: str) -> None:
    if kind not in known:
        raise FaultySignatureError(f"its algorithm {kind!r} is not {' or '.join(known)}")


def _ed25519(wire: SshFields, kind: str, signature: SshFields, signed: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    _expect(kind, "ssh-ed25519")
    Ed25519PublicKey.from_public_bytes(wire.string()).verify(signature.string(), signed)


def _rsa(wire: SshFields, kind: str, signature: SshFields, signed: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

    _expect(kind, *RSA)
    _rsa_key(wire).verify(signature.string(), signed, PKCS1v15(), getattr(hashes, RSA[kind])())


def _rsa_key(wire: SshFields) -> RSAPublicKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    key = RSAPublicNumbers(wire.integer(), wire.integer()).public_key()
    if key.key_size < LEAST_RSA_BITS:
        raise FaultySignatureError(f"its key has {key.key_size} bits, at least {LEAST_RSA_BITS} are wanted")
    return key


def _ecdsa(wire: SshFields, kind: str, signature: SshFields, signed: bytes) -> None:
    curve = wire.text()
    _expect(kind, f"ecdsa-sha2-{curve}")
    _on_curve(curve, wire.string(), signature.string(), signed)


def _on_curve(curve: str, point: bytes, signature: bytes, signed: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    if curve not in CURVES:
        raise FaultySignatureError(f"its curve {curve!r} is not known here")
    name, hashed = CURVES[curve]
    key = ec.EllipticCurvePublicKey.from_encoded_point(getattr(ec, name)(), point)
    numbers = SshFields(signature)
    key.verify(encode_dss_signature(numbers.integer(), numbers.integer()), signed, ec.ECDSA(getattr(hashes, hashed)()))


def _touched(application: bytes, signature: SshFields, signed: bytes) -> bytes:
    """What a FIDO key signs in place of the bytes; behind its signature stand its flags and its counter."""
    flags, counter = signature.take(1), signature.take(4)
    if not flags[0] & TOUCHED:
        raise FaultySignatureError("nobody touched the security key")
    return hashlib.sha256(application).digest() + flags + counter + hashlib.sha256(signed).digest()


def _sk_ed25519(wire: SshFields, kind: str, signature: SshFields, signed: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    _expect(kind, "sk-ssh-ed25519@openssh.com")
    key, application, proof = wire.string(), wire.string(), signature.string()
    Ed25519PublicKey.from_public_bytes(key).verify(proof, _touched(application, signature, signed))


def _sk_ecdsa(wire: SshFields, kind: str, signature: SshFields, signed: bytes) -> None:
    _expect(kind, PASSKEY, BY_BROWSER)
    curve, point, application, proof = wire.text(), wire.string(), wire.string(), signature.string()
    asked = _asked_by_browser if kind == BY_BROWSER else _touched
    _on_curve(curve, point, proof, asked(application, signature, signed))


def ecdsa_proof(signature: bytes) -> bytes:
    """The two numbers of an ECDSA signature (DER) as SSH writes them; FaultySignatureError for none."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    try:
        numbers = decode_dss_signature(signature)
    except ValueError:
        raise FaultySignatureError("it is no signature of a passkey") from None
    return wired(*(one.to_bytes(one.bit_length() // 8 + 1, "big") for one in numbers))


def _asked_by_browser(application: bytes, signature: SshFields, signed: bytes) -> bytes:
    """What a passkey signs: the browser's words, which begin with the challenge and the page's origin."""
    flags, counter = signature.take(1), signature.take(4)
    origin, words, extensions = signature.string(), signature.string(), signature.string()
    if not flags[0] & TOUCHED or not flags[0] & KNOWN_PERSON:
        raise FaultySignatureError("the passkey did not ask whose hand it was")
    if flags[0] & ATTESTED or bool(flags[0] & EXTENDED) != bool(extensions) or b'"' in origin:
        raise FaultySignatureError("it is no signature of a passkey")
    challenge = base64.urlsafe_b64encode(signed).rstrip(b"=")
    if not words.startswith(b'{"type":"webauthn.get","challenge":"' + challenge + b'","origin":"' + origin + b'"'):
        raise FaultySignatureError("it does not match: the file was changed after it was signed")
    return hashlib.sha256(application).digest() + flags + counter + extensions + hashlib.sha256(words).digest()


CHECKS: dict[str, Callable[[SshFields, str, SshFields, bytes], Any]] = {
    "ssh-ed25519": _ed25519,
    "ssh-rsa": _rsa,
    **{f"ecdsa-sha2-{curve}": _ecdsa for curve in CURVES},
    "sk-ssh-ed25519@openssh.com": _sk_ed25519,
    PASSKEY: _sk_ecdsa,
}
