"""The keys of an inventory that are this engine's own: typed, and told where they are misspelt."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import get_args

from memrunbook.core.host import Criticality, HostParameter, ProtectedUnit
from memrunbook.core.text import clean
from memrunbook.documents.inventory.gathered import Encrypted, Given, Unread, Variables, is_read
from memrunbook.runtime.redaction import named_secret

ALONE = frozenset({"host_key_sha256", "criticality", "protected_units", "runbook_parameters"})
"""Keys that nobody has for anything else: a word that is nearly one of them is a mistake."""
FINGERPRINT = re.compile(r"(?:SHA256:)?([A-Za-z0-9+/]{43})=?")
TAG = re.compile(r"[A-Za-z0-9][\w.:/-]*")
LIKE = 0.84
SHOWN = 60
Told = Callable[[str, str, str], None]
"""Told of what is wrong: its place, what it is, what to do."""


def words(name: str, given: Given, problem: Told) -> tuple[str, ...]:
    """A list of words, or words between commas; what is neither is a problem."""
    value = given.value
    if value is None:
        return ()
    parts = value.split(",") if isinstance(value, str) else value
    if isinstance(parts, Sequence) and all(isinstance(one, str) for one in parts):
        return tuple(one.strip() for one in parts if one.strip())
    problem(given.where, f"{name} must be a list of words, is {_kind(value)}", f"as in {name}: [one, another]")
    return ()


def tags(given: Given, problem: Told) -> tuple[str, ...]:
    """Tags; labels of a cloud, which are a mapping, are none of ours."""
    if isinstance(given.value, dict):
        return ()
    found = words("tags", given, problem)
    for tag in found:
        if not TAG.fullmatch(tag):
            problem(
                given.where, f'"{clean(tag, SHOWN)}" is no tag', "letters, digits, - and . as in realtime, kubernetes"
            )
    return found


def host_keys(given: Given, problem: Told) -> str:
    """Fingerprints as `ssh-keygen -l` shows them, with their prefix and commas between them."""
    found = []
    for word in words("host_key_sha256", given, problem):
        match = FINGERPRINT.fullmatch(word)
        if match is None:
            hint = "as ssh-keygen -lf FILE shows it: SHA256: and 43 characters"
            problem(given.where, f'"{clean(word, SHOWN)}" is no SHA256 fingerprint', hint)
        else:
            found.append(f"SHA256:{match[1]}")
    return ",".join(found)


def criticality(given: Given, problem: Told) -> Criticality:
    """One of the words that there are."""
    known = [word for word in get_args(Criticality) if word]
    if given.value not in known:
        what = f"criticality must be one of {', '.join(known)}, is {_kind(given.value)}"
        problem(given.where, what, _near(str(given.value), known))
        return ""
    found: Criticality = given.value
    return found


def protected_units(levels: Iterable[Given], problem: Told) -> tuple[ProtectedUnit, ...]:
    """The units that any level protects: what one says no other takes away."""
    found: dict[str, ProtectedUnit] = {}
    for given in levels:
        for pattern in words("protected_units", given, problem):
            if not pattern.strip("*"):
                hint = "name what is meant; to change nothing on a host: untouchable in config.yaml"
                problem(given.where, "this pattern is every unit", hint)
            found.setdefault(pattern, ProtectedUnit(pattern, given.where))
    return tuple(found.values())


def parameters(given: Given, problem: Told) -> tuple[HostParameter, ...]:
    """Parameters for each runbook that has them, or under a runbook's name for that one alone."""
    if not isinstance(given.value, dict):
        hint = "as in runbook_parameters: {window: 1h} or {swap-thrashing: {window: 1h}}"
        problem(given.where, f"runbook_parameters must be a mapping, is {_kind(given.value)}", hint)
        return ()
    return tuple(_parameters(given, problem))


def _parameters(given: Given, problem: Told) -> Iterator[HostParameter]:
    for name, value in given.value.items():
        for inner, one in value.items() if isinstance(value, dict) else [("", value)]:
            runbook, parameter = (str(name), str(inner)) if isinstance(value, dict) else ("", str(name))
            if named_secret(parameter):
                hint = "give it on the command line: -p NAME=VALUE"
                problem(given.where, f"{clean(parameter)} is a secret, and an inventory is no place for one", hint)
            elif isinstance(one, str | int | float):
                yield HostParameter(runbook, parameter, _text(one), given.where)
            else:
                problem(given.where, f"the parameter {clean(parameter)} must be one value, is {_kind(one)}", "")


def misspelt(variables: Variables, problem: Told, note: Told) -> None:
    """Tells of words that are nearly a key of ours: they would silently do nothing."""
    for name, given in variables.items():
        if is_read(name):
            continue
        if meant := _meant(name):
            problem(given.where, f'"{clean(name, SHOWN)}" is not known', f"did you mean {meant}?")
        elif name in ("tag", "peer"):
            note(given.where, f'"{name}" is not used', f"if it is meant for runbook: {name}s")


@lru_cache(maxsize=4096)
def _meant(name: str) -> str:
    close = difflib.get_close_matches(name, sorted(ALONE), n=1, cutoff=LIKE)
    return close[0] if close else ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _near(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else ""


def _kind(value: object) -> str:
    """A value in words."""
    if isinstance(value, Encrypted):
        return "encrypted by ansible-vault"
    if isinstance(value, Unread) or value is None:
        return "empty" if value is None else "not read here"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return f'"{clean(value, SHOWN)}"' if isinstance(value, str) else f"the value {clean(str(value), SHOWN)}"
