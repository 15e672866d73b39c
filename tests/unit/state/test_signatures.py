"""SSHSIG as ssh-keygen makes it, of every kind of key; and security keys, made in software as the protocol says."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.sshd import MISSING

from memrunbook.state.signatures import NAMESPACE, FaultySignatureError, key_of, verified

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason=MISSING)
PLAN = b'{"format": "memrunbook.saved-plan/2"}\n'
KINDS = {
    "ed25519": (),
    "rsa": ("-b", "2048"),
    "ecdsa": ("-b", "256"),
    "ecdsa-384": ("-b", "384"),
    "ecdsa-521": ("-b", "521"),
}


def made(folder: Path, kind: str = "ed25519") -> Path:
    key = folder / f"id-{kind}"
    words = ["ssh-keygen", "-q", "-t", kind.partition("-")[0], *KINDS[kind], "-N", "", "-C", "ada", "-f", str(key)]
    subprocess.run(words, check=True)
    return key


def signed(key: Path, content: bytes = PLAN, namespace: str = NAMESPACE, *more: str) -> str:
    words = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key), *more]
    return subprocess.run(words, check=True, input=content, capture_output=True).stdout.decode()


def blob(key: Path) -> bytes:
    return base64.b64decode(key.with_name(f"{key.name}.pub").read_text().split()[1])


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def integer(number: int) -> bytes:
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def armoured(key: bytes, signature: bytes, namespace: str = NAMESPACE, hashed: str = "sha512") -> str:
    parts = (key, namespace.encode(), b"", hashed.encode(), signature)
    data = b"SSHSIG" + (1).to_bytes(4, "big") + b"".join(map(string, parts))
    return f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(data).decode()}\n-----END SSH SIGNATURE-----\n"


def to_sign(hashed: str = "sha512", namespace: str = NAMESPACE) -> bytes:
    digest = hashlib.new(hashed, PLAN).digest()
    return b"SSHSIG" + b"".join(map(string, (namespace.encode(), b"", hashed.encode(), digest)))


def touched(application: bytes, flags: int) -> bytes:
    flags_and_counter = bytes([flags]) + (7).to_bytes(4, "big")
    return hashlib.sha256(application).digest() + flags_and_counter + hashlib.sha256(to_sign()).digest()


def security_key(*, curve: bool, flags: int = 1, application: bytes = b"ssh:") -> tuple[bytes, str]:
    """The blob of a FIDO key, and its signature of the plan."""
    tail, data = bytes([flags]) + (7).to_bytes(4, "big"), touched(application, flags)
    if curve:
        private = ec.generate_private_key(ec.SECP256R1())
        point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        kind = b"sk-ecdsa-sha2-nistp256@openssh.com"
        key = string(kind) + string(b"nistp256") + string(point) + string(application)
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA256())))
        return key, armoured(key, string(kind) + string(integer(r) + integer(s)) + tail)
    own = Ed25519PrivateKey.generate()
    kind = b"sk-ssh-ed25519@openssh.com"
    key = string(kind) + string(own.public_key().public_bytes_raw()) + string(application)
    return key, armoured(key, string(kind) + string(own.sign(data)) + tail)


@pytest.mark.parametrize("kind", KINDS)
def test_what_ssh_keygen_signs_is_verified(tmp_path: Path, kind: str) -> None:
    key = made(tmp_path, kind)
    found = verified(signed(key), PLAN)
    assert found.blob == blob(key)
    told = subprocess.run(["ssh-keygen", "-l", "-f", f"{key}.pub"], check=True, capture_output=True, text=True).stdout
    assert found.fingerprint == told.split()[1]
    with pytest.raises(FaultySignatureError, match="changed after it was signed"):
        verified(signed(key), PLAN + b" ")


@pytest.mark.parametrize("hashed", ["sha256", "sha512"])
def test_both_hashes_are_known(tmp_path: Path, hashed: str) -> None:
    assert verified(signed(made(tmp_path), PLAN, NAMESPACE, "-O", f"hashalg={hashed}"), PLAN).kind == "ssh-ed25519"


@pytest.mark.parametrize("curve", [False, True])
def test_a_security_key_counts_when_it_was_touched(tmp_path: Path, curve: bool) -> None:  # noqa: FBT001
    key, signature = security_key(curve=curve)
    assert verified(signature, PLAN).blob == key
    with pytest.raises(FaultySignatureError, match="changed after it was signed"):
        verified(signature, b"another plan")
    # OpenSSH says the same of what was made here in software.
    kind = key_of(key).kind
    (tmp_path / "signers").write_text(f"ada {kind} {base64.b64encode(key).decode()}\n")
    (tmp_path / "sig").write_text(signature)
    words = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        str(tmp_path / "signers"),
        "-I",
        "ada",
        "-n",
        NAMESPACE,
        "-s",
        str(tmp_path / "sig"),
    ]
    assert subprocess.run(words, check=False, input=PLAN, capture_output=True).returncode == 0
    with pytest.raises(FaultySignatureError, match="nobody touched"):
        verified(security_key(curve=curve, flags=0)[1], PLAN)


def test_one_for_another_purpose_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FaultySignatureError, match="made for 'git'"):
        verified(signed(made(tmp_path), PLAN, "git"), PLAN)


def _odd() -> dict[str, tuple[str, str]]:
    own = Ed25519PrivateKey.generate()
    key = string(b"ssh-ed25519") + string(own.public_key().public_bytes_raw())
    proof = string(b"ssh-ed25519") + string(own.sign(to_sign()))
    text = armoured(key, proof)
    raw = base64.b64decode("".join(text.split("\n")[1:-2]))
    small = string(b"ssh-rsa") + integer(65537) + integer((1 << 1024) - 105)

    def packed(data: bytes) -> str:
        return f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(data).decode()}\n-----END SSH SIGNATURE-----"

    certificate = string(b"ssh-ed25519-cert-v01@openssh.com") + string(b"x")
    off = string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(b"\x04" + bytes(64))
    strange = string(b"ecdsa-sha2-nistp256") + string(b"nistp999") + string(b"")
    return {
        "no armour": ("hello", "no SSH signature"),
        "no base64": ("-----BEGIN SSH SIGNATURE-----\nAAA\n-----END SSH SIGNATURE-----", "no SSH signature"),
        "more before": (f"x{text}", "no SSH signature"),
        "more after": (f"{text}x", "no SSH signature"),
        "no end": (text.partition("-----END")[0], "no SSH signature"),
        "other letters": (text.replace("\n", "\n\xe9", 1), "no SSH signature"),
        "too long": (text.replace("\n", "\n" * 16_384, 1), "no SSH signature"),
        "another magic": (packed(b"GPGSIG" + raw[6:]), "no SSH signature that is known"),
        "another version": (packed(raw[:9] + b"\2" + raw[10:]), "no SSH signature that is known"),
        "cut": (packed(raw[:-3]), "cut short"),
        "more behind": (packed(raw + b"x"), "more than belongs"),
        "more in it": (armoured(key, proof + b"x"), "more than belongs"),
        "another hash": (armoured(key, proof, hashed="md5"), "its hash 'md5'"),
        "another algorithm": (armoured(key, string(b"ssh-rsa") + string(b"x")), "algorithm 'ssh-rsa'"),
        "a certificate": (armoured(certificate, proof), "this is a certificate"),
        "an unknown key": (armoured(string(b"ssh-dss"), proof), "the type 'ssh-dss'"),
        "a small key": (armoured(small, string(b"rsa-sha2-512") + string(b"x")), "1024 bits"),
        "a damaged rsa key": (armoured(string(b"ssh-rsa") + integer(2) + integer(3), proof), "key is damaged"),
        "a short key": (armoured(string(b"ssh-ed25519") + string(b"x"), proof), "key is damaged"),
        "no point": (armoured(off, string(b"ecdsa-sha2-nistp256") + string(integer(1) + integer(1))), "is damaged"),
        "no curve": (armoured(strange, string(b"ecdsa-sha2-nistp999") + string(b"")), "curve 'nistp999'"),
        "another curve": (armoured(off, string(b"ecdsa-sha2-nistp384") + string(b"")), "'ecdsa-sha2-nistp384'"),
    }


@pytest.mark.parametrize("what", _odd())
def test_what_is_no_signature_is_said(what: str) -> None:
    text, why = _odd()[what]
    with pytest.raises(FaultySignatureError, match=why):
        verified(text, PLAN)


def test_any_flipped_byte_is_found(tmp_path: Path) -> None:
    text = signed(made(tmp_path))
    raw = bytearray(base64.b64decode("".join(text.split("\n")[1:-2])))
    wrong: list[Any] = []
    for place in range(len(raw)):
        raw[place] ^= 1
        body = base64.b64encode(bytes(raw)).decode()
        with suppress(FaultySignatureError):
            wrong.append(verified(f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----", PLAN))
        raw[place] ^= 1
    assert wrong == []


@pytest.mark.parametrize("count", [1_000, 15_000])
def test_white_space_without_end_costs_no_time(count: int) -> None:
    began = time.process_time()
    for text in ("-----BEGIN SSH SIGNATURE-----" + "\n" * count + "!", "\n" * count, "A" + " \n" * (count // 2)):
        with pytest.raises(FaultySignatureError, match="no SSH signature"):
            verified(text, PLAN)
    assert time.process_time() - began < 1.0


def test_rsa_with_sha1_is_refused(tmp_path: Path) -> None:
    key = blob(made(tmp_path, "rsa"))
    with pytest.raises(FaultySignatureError, match="algorithm 'ssh-rsa'"):
        verified(armoured(key, string(b"ssh-rsa") + string(b"x")), PLAN)
