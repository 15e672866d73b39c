"""The value of a variable: what other variables say in it is put in; whatever else is computed is not known."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from memrunbook.core.text import clean
from memrunbook.documents.inventory.gathered import Encrypted, Given, Unread, Variables

EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*")
FROM_ENVIRONMENT = re.compile(r"""\s*lookup\(\s*['"]env['"]\s*,\s*['"](\w+)['"]\s*\)\s*""")
DEEPEST = 8
LET_ANSIBLE = "write its value out"
DECRYPT = "write it in plain text, or let Ansible read it: -i ansible:FILE"


class NotKnown(Exception):  # noqa: N818  what it is, not an error of ours
    """What a variable says is not known here; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(message)


def plain(name: str, given: Given, variables: Variables, own: Mapping[str, str], depth: int = 0) -> Any:
    """The value of a variable, with the names in it filled in. `own` are the words that Ansible itself gives a host.

    NotKnown where it is encrypted, or computed by more than names of other variables.
    """
    if isinstance(given.value, Encrypted):
        raise NotKnown(f"{name} is encrypted by ansible-vault ({given.where})", DECRYPT)
    if isinstance(given.value, Unread):
        raise NotKnown(f"{name} has a value that is not read here ({given.where})", LET_ANSIBLE)
    if not isinstance(given.value, str):
        return given.value
    if "{%" in given.value:
        raise NotKnown(f"{name} is computed by a template ({given.where})", LET_ANSIBLE)

    def fill(match: re.Match[str]) -> str:
        found = NAME.fullmatch(match[1])
        if found is not None and found[1] in variables and found[1] not in own and depth < DEEPEST:
            return str(plain(found[1], variables[found[1]], variables, own, depth + 1))
        text = _of_ansible(match[1], own)
        if text is None:
            raise NotKnown(f"{name} is computed by {clean(match[0])} ({given.where})", LET_ANSIBLE)
        return text

    return EXPRESSION.sub(fill, given.value)


def _of_ansible(expression: str, own: Mapping[str, str]) -> str | None:
    """What Ansible itself, or the environment, says by this word; None where that is not known here."""
    found, environment = NAME.fullmatch(expression), FROM_ENVIRONMENT.fullmatch(expression)
    if environment is not None:
        return os.environ.get(environment[1], "")
    return own.get(found[1]) if found is not None else None
