"""Key `serve: roles:` of config.yaml: who may what on the pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta, Struct

from memrunbook.core.errors import Problem
from memrunbook.documents.source import Source

Role = Literal["viewer", "approver", "operator"]
"""What a session may do: look; approve and decline plans that wait too; apply them too. Each may all before it."""
ORDER: tuple[Role, ...] = ("viewer", "approver", "operator")
ANYBODY = "*"
PERSON = re.compile(r'[^\s"\\,*?!#]{1,200}')
"""A name as `allowed_signers` has it, where patterns and lists are something else."""
Names = tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...]


class RolesSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`serve: roles`: people by their names in `allowed_signers`; each may what those above it may."""

    viewer: Annotated[
        Names, Meta(description='who may look at everything; "*" is everybody who is known by a name')
    ] = ()
    approver: Annotated[Names, Meta(description="who may approve and decline plans that wait, too")] = ()
    operator: Annotated[Names, Meta(description="who may apply them, too")] = ()


@dataclass(frozen=True)
class Roles:
    """The role of each person, and that of `anybody` else whose name is known: None for none."""

    named: Mapping[str, Role] = field(default_factory=dict)
    anybody: Role | None = None

    def role_of(self, person: str) -> Role | None:
        """What this person may; None: not even look. Names are told apart by their case, as in `allowed_signers`."""
        return self.named.get(person, self.anybody) if person else None

    def within(self, other: Roles) -> Roles:
        """Nobody may more than by both."""
        people = dict.fromkeys((*self.named, *other.named))
        found = {person: _lower(self.role_of(person), other.role_of(person)) for person in people}
        anybody = _lower(self.anybody, other.anybody)
        return Roles({person: role for person, role in found.items() if role is not None}, anybody)


def roles_of(source: Source, spec: RolesSpec | None, problems: list[Problem]) -> Roles:
    """The same, checked; of two roles of one person the higher counts."""
    if spec is None:
        return Roles()
    named: dict[str, Role] = {}
    anybody: Role | None = None
    for role in ORDER:
        for number, name in enumerate(getattr(spec, role)):
            where = source.where(("serve", "roles", role, number))
            if name == ANYBODY and role == "viewer":
                anybody = role
            elif name == ANYBODY:
                hint = f'name who is {role}; viewer: ["*"] lets everybody look'
                problems.append(Problem(where, f"not everybody can be {role}", hint))
            elif not PERSON.fullmatch(name) or not name.isprintable():
                hint = "write one name as allowed_signers has it, without blanks and patterns: ada@example.com"
                problems.append(Problem(where, f"{name!r} is no name of a person", hint))
            else:
                named[name] = role
    return Roles(named, anybody)


def _lower(one: Role | None, other: Role | None) -> Role | None:
    return None if one is None or other is None else min(one, other, key=ORDER.index)
