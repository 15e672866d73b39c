"""Which algorithms a configuration leaves: our own client uses none that `ssh` would not use."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

KEYWORDS = {
    "kex": "KexAlgorithms",
    "ciphers": "Ciphers",
    "macs": "MACs",
    "keys": "HostKeyAlgorithms",
    "pubkeys": "PubkeyAcceptedAlgorithms",
}
"""The keyword of each list, by paramiko's word for it."""
OLDER = {"pubkeyacceptedalgorithms": "pubkeyacceptedkeytypes"}
_ALIAS = "@libssh.org"
"""curve25519-sha256 has two names, and paramiko knows it by the other one."""
CERTIFICATE = "-cert-v01@openssh.com"
_RSA = ("rsa-sha2-512", "rsa-sha2-256")


@dataclass(frozen=True)
class Algorithms:
    """Names by paramiko's word for their list; where a list is not there, nothing is said.

    RSA keys may be no shorter than `rsa_bits`, those of hosts and those of users.
    """

    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rsa_bits: int = 0

    def allow(self, what: str, name: str) -> bool:
        """Whether this algorithm may be used; `what` is paramiko's word for its list."""
        names = self.listed.get(what)
        bare = name.removesuffix(_ALIAS)
        return names is None or any(fnmatch.fnmatchcase(bare, one.removesuffix(_ALIAS)) for one in names)

    def against_key(self, kind: str, bits: int, *, certified: bool = False) -> str:
        """Why a key of a user may not be shown, in words; empty where it may."""
        if not kind:
            return ""
        if kind == "ssh-rsa" and bits < self.rsa_bits:
            return f"RSA with {bits} bits: RequiredRSASize of the ssh configuration is {self.rsa_bits}"
        ending = CERTIFICATE if certified else ""
        if any(self.allow("pubkeys", name + ending) for name in (_RSA if kind == "ssh-rsa" else (kind,))):
            return ""
        return f"{kind}{ending}: PubkeyAcceptedAlgorithms of the ssh configuration leaves it out"


ANY = Algorithms()
"""Nothing is said: all of them."""


def algorithms_of(printed: Mapping[str, Iterable[str]]) -> Algorithms:
    """What `ssh -G` printed of them."""
    keywords = [keyword.lower() for keyword in KEYWORDS.values()]
    found = (printed.get(keyword) or printed.get(OLDER.get(keyword, "")) or ("",) for keyword in keywords)
    return _made(tuple(next(iter(values)) for values in found), next(iter(printed.get("requiredrsasize", ())), ""))


@lru_cache
def _made(values: tuple[str, ...], bits: str) -> Algorithms:
    """The same object for hosts for which the same is said: that is most of them."""
    listed = {what: tuple(value.split(",")) for what, value in zip(KEYWORDS, values, strict=True) if value}
    return Algorithms(listed, int(bits) if bits.isdecimal() else 0)
