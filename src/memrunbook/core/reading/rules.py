"""What an organisation forbids on one host, whoever asks: it travels with the snapshot that decisions are made on."""

from __future__ import annotations

import fnmatch
from typing import Literal

from msgspec import Struct

TargetKind = Literal["unit", "process", "container", "host"]
RiskLimit = Literal["none", "low", "medium", "high"]
COMM = 15
"""The kernel cuts the name of a process to so many bytes."""


class Untouchable(Struct, frozen=True, kw_only=True):
    """What nothing may ever act on: everything of a kind whose name matches a shell pattern. `where` is its line."""

    kind: TargetKind
    pattern: str
    where: str
    why: str = ""

    def matches(self, kind: str, name: str) -> bool:
        """True for a target of this kind and name; a "word" of a command line may name a target of any kind."""
        if kind not in (self.kind, "word"):
            return False
        names, patterns = [name], [self.pattern]
        if self.kind == "unit":  # people leave .service out, here and on command lines
            names += [f"{name}.service"] if kind == "word" else []
            patterns += [] if "." in self.pattern else [f"{self.pattern}.service"]
        elif self.kind == "process":
            patterns += [self.pattern[:COMM]]
        return any(fnmatch.fnmatchcase(one, pattern) for one in names for pattern in patterns)


class HostRules(Struct, frozen=True):
    """What config.yaml forbids on a host.

    `risk` is the highest that is done here, `risk_why` says whose word that is (empty where nobody limits it), and
    `risk_hint` what else there is to do.
    """

    untouchable: tuple[Untouchable, ...] = ()
    risk: RiskLimit = "high"
    risk_why: str = ""
    risk_hint: str = ""

    def reads(self, facts: tuple[str, ...]) -> tuple[str, ...]:
        """The facts to read: where a process is listed, whoever reads units reads whose processes they are."""
        listed = any(one.kind == "process" for one in self.untouchable)
        return tuple(sorted({*facts, "processes"})) if listed and "units" in facts else facts


NO_RULES = HostRules()
