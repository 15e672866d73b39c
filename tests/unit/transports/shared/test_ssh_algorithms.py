"""Which algorithms a configuration leaves."""

from __future__ import annotations

import pytest

from memrunbook.transports.shared.ssh_algorithms import ANY, Algorithms, algorithms_of

PRINTED = {
    "kexalgorithms": ["curve25519-sha256,ecdh-sha2-nistp256"],
    "ciphers": ["aes256-ctr"],
    "pubkeyacceptedkeytypes": ["ssh-ed25519*,rsa-sha2-256"],
    "requiredrsasize": ["3072"],
}


def test_what_is_printed_holds_and_what_is_not_holds_nobody_back() -> None:
    found = algorithms_of(PRINTED)
    assert found.allow("kex", "curve25519-sha256@libssh.org"), "one algorithm of two names"
    assert not found.allow("kex", "ecdh-sha2-nistp521")
    assert [name for name in ("aes128-ctr", "aes256-ctr") if found.allow("ciphers", name)] == ["aes256-ctr"]
    assert found.allow("macs", "hmac-md5")
    assert found is algorithms_of(dict(PRINTED)), "one for all hosts"
    assert algorithms_of({}) == ANY


@pytest.mark.parametrize(
    ("kind", "bits", "what", "why"),
    [
        ("ssh-ed25519", 0, "bare", ""),
        ("ssh-ed25519", 0, "certificate", ""),
        ("ssh-rsa", 3072, "bare", ""),
        ("ssh-rsa", 2048, "bare", "RSA with 2048 bits: RequiredRSASize of the ssh configuration is 3072"),
        ("ssh-rsa", 4096, "certificate", "ssh-rsa-cert-v01@openssh.com: PubkeyAcceptedAlgorithms"),
        ("ecdsa-sha2-nistp256", 0, "bare", "ecdsa-sha2-nistp256: PubkeyAcceptedAlgorithms"),
        ("", 0, "bare", ""),
    ],
)
def test_which_keys_may_be_shown(kind: str, bits: int, what: str, why: str) -> None:
    said = algorithms_of(PRINTED).against_key(kind, bits, certified=what == "certificate")
    assert said.startswith(why)
    assert bool(said) is bool(why)


def test_nothing_said_bars_no_key() -> None:
    assert Algorithms().against_key("ssh-rsa", 1024) == ""
