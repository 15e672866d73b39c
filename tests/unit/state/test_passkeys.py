"""Passkeys sign as SSH keys do, and OpenSSH agrees."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.passkey import Passkey

from memrunbook.state.passkeys import BrowserAnswer, passkey_of, signed_by_passkey
from memrunbook.state.signatures import NAMESPACE, FaultySignatureError, to_sign, verified

PLAN = b'{"format": "a plan"}\n'


def signature(passkey: Passkey, content: bytes = PLAN) -> str:
    return signed_by_passkey(passkey.key, passkey.answers(to_sign(content)))


def openssh_agrees(tmp_path: Path, passkey: Passkey, armoured: str, content: bytes) -> bool:
    allowed, file = tmp_path / "allowed_signers", tmp_path / "signature"
    allowed.write_text(passkey.line("ada"))
    file.write_text(armoured)
    words = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", "ada", "-n", NAMESPACE, "-s", str(file)]
    return subprocess.run(words, input=content, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("flags", [0x05, 0x1D], ids=["bound", "synced"])
def test_openssh_and_we_take_what_a_passkey_signed(tmp_path: Path, flags: int) -> None:
    for _ in range(20):  # numbers with and without a leading zero
        passkey = Passkey(flags=flags)
        assert verified(signature(passkey), PLAN) == passkey.key
        assert openssh_agrees(tmp_path, passkey, signature(passkey), PLAN)
        assert not openssh_agrees(tmp_path, passkey, signature(passkey), PLAN + b" ")


def test_extensions_are_signed_too(tmp_path: Path) -> None:
    passkey = Passkey(flags=0x85, extensions=b"\xa1\x61a\x01")
    assert verified(signature(passkey), PLAN) == passkey.key
    assert openssh_agrees(tmp_path, passkey, signature(passkey), PLAN)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"flags": 0x04}, "did not ask"),
        ({"flags": 0x01}, "did not ask"),
        ({"flags": 0x45}, "no signature of a passkey"),
        ({"flags": 0x85}, "no signature of a passkey"),
        ({"extensions": b"\xa0"}, "no signature of a passkey"),
        ({"origin": 'http://localhost","'}, "no signature of a passkey"),
    ],
)
def test_what_no_authenticator_says_counts_for_nothing(changed: dict[str, object], why: str) -> None:
    with pytest.raises(FaultySignatureError, match=why):
        verified(signature(replace(Passkey(), **changed)), PLAN)  # type: ignore[arg-type]


def test_another_plan_another_purpose_another_party_another_key() -> None:
    passkey = Passkey()
    with pytest.raises(FaultySignatureError, match="changed after it was signed"):
        verified(signature(passkey), PLAN + b" ")
    signing_in = passkey.answers(b"x" * 32)  # what a sign-in signs is no approval
    with pytest.raises(FaultySignatureError, match="changed after it was signed"):
        verified(signed_by_passkey(passkey.key, signing_in), PLAN)
    made = passkey.answers(to_sign(PLAN), "webauthn.create")
    with pytest.raises(FaultySignatureError, match="changed after it was signed"):
        verified(signed_by_passkey(passkey.key, made), PLAN)
    for other in (Passkey().key, replace(passkey, relying_party="evil.example").key):
        with pytest.raises(FaultySignatureError):
            verified(signed_by_passkey(other, passkey.answers(to_sign(PLAN))), PLAN)


def test_no_flipped_bit_goes_unseen() -> None:
    passkey = Passkey()
    armoured = signature(passkey)
    first, *lines, last = armoured.splitlines()
    bare = base64.b64decode("".join(lines))
    for place in range(0, len(bare), 5):
        broken = bytearray(bare)
        broken[place] ^= 1 << place % 8
        try:
            found = verified("\n".join([first, base64.b64encode(broken).decode(), last]), PLAN)
        except FaultySignatureError:
            continue
        assert found != passkey.key, place


@pytest.mark.parametrize(
    "answer",
    [
        BrowserAnswer(b"\0" * 36, b"{}", b"0", "http://localhost"),
        BrowserAnswer(b"\0" * 37, b"{}", b"", "http://localhost"),
    ],
)
def test_no_answer_of_a_passkey(answer: BrowserAnswer) -> None:
    with pytest.raises(FaultySignatureError):
        signed_by_passkey(Passkey().key, answer)
    with pytest.raises(FaultySignatureError):
        passkey_of(b"", b"\0" * 32, "localhost")
