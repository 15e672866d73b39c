"""How many people other than its author must approve a plan before it may be carried out. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from memrunbook.core.action.action import Risk
from memrunbook.core.plan.plan import Plan

RiskWord = Literal["low", "medium", "high"]
ASSISTANT = "mcp:"
"""How the creator of a plan begins that an assistant proposed; the person for whom it did stands behind."""


class ApprovalRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `approvals` in config.yaml: what it is about, and how many people other than the author must agree.

    A change is meant where all that is said of it matches; of several rules the one that asks for the most counts.
    """

    people: Annotated[int, Meta(ge=1, le=20, description="how many people other than the author")] = 1
    risk: Annotated[RiskWord, Meta(description="changes of this risk and above")] = "low"
    hosts: Annotated[str, Meta(description="a shell pattern of host names")] = "*"
    runbook: Annotated[str, Meta(description="a shell pattern of runbook names")] = "*"

    def about(self, runbook: str, host: str, risk: Risk) -> bool:
        """True where the rule is about a change of this risk."""
        return (
            risk >= Risk[self.risk.upper()]
            and fnmatch.fnmatchcase(host, self.hosts)
            and fnmatch.fnmatchcase(runbook, self.runbook)
        )


def people_needed(rules: Iterable[ApprovalRule], runbook: str, host: str, risk: Risk) -> int:
    """How many people other than the author must approve a change; 0 where nobody need."""
    return max((rule.people for rule in rules if rule.about(runbook, host, risk)), default=0)


def people_for(rules: Iterable[ApprovalRule], plans: Iterable[Plan]) -> int:
    """How many people other than the author must approve all that these plans would change."""
    rules = tuple(rules)
    return max(
        (
            people_needed(rules, plan.runbook, plan.host, step.change.risk)
            for plan in plans
            for step in plan.changes
            if step.change is not None and (step.gate or step.change.risk > Risk.NONE)
        ),
        default=0,
    )


def who_signed(name: str, key: str, kind: str = "") -> str:
    """A name and the fingerprint of a key, with the kind of the key where it is known, for people."""
    return f"{name} ({key}, {kind})" if kind else f"{name} ({key})"


class Person(Struct, frozen=True):
    """Who signed: the name that was given, the fingerprint of the key, all names for which it may sign, its kind."""

    name: str
    key: str
    names: frozenset[str]
    kind: str = ""

    @property
    def told(self) -> str:
        """Name and key, for people."""
        return who_signed(self.name, self.key, self.kind)

    def is_also(self, other: Person) -> bool:
        """True where one human being may hold both keys, as far as names and keys tell."""
        shared = any(same_person(one, two) or same_person(two, one) for one in self.names for two in other.names)
        return self.key == other.key or shared


def one_by_one(people: Iterable[Person]) -> list[list[Person]]:
    """Those who signed, as human beings: the entries that are one person stand together, the first of them first."""
    found: list[list[Person]] = []
    for person in people:
        same = [entries for entries in found if any(person.is_also(entry) for entry in entries)]
        joined = [*(entry for entries in same for entry in entries), person]
        place = found.index(same[0]) if same else len(found)
        found[place:] = [joined, *(entries for entries in found[place:] if entries not in same)]
    return found


def same_person(principal: str, user: str) -> bool:
    """True where a principal of `allowed_signers` (`ada`, or `ada@example.com`) is a user of a control node."""
    return bool(user) and user.casefold() in (principal.casefold(), principal.partition("@")[0].casefold())


def person_behind(creator: str) -> str:
    """The person whose plan it is: what an assistant proposes is of whoever it works for."""
    return creator.removeprefix(ASSISTANT)
