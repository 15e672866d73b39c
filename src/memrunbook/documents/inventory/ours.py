"""The keys of an inventory that are this engine's own, as far as they have its shape.

Others have keys of these names too: what has another shape is noted and not used. What may say that a host must not be
touched and cannot be understood refuses that host, and no other.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import get_args

from memrunbook.core.host import SITE, Criticality, HostParameter, ProtectedUnit
from memrunbook.core.inventory.patterns import GLOB, split
from memrunbook.core.plan.rules import ROLES
from memrunbook.core.text import clean
from memrunbook.documents.inventory.connection import READ
from memrunbook.documents.inventory.gathered import Encrypted, Given, Unread, Variables, is_read
from memrunbook.runtime.redaction import named_secret

ALONE = frozenset({"host_key_sha256", "criticality", "protected_units", "runbook_parameters"})
"""Keys that nobody has for anything else: a word that is nearly one of them is a mistake."""
FINGERPRINT = re.compile(r"(?:SHA256:)?([A-Za-z0-9+/]{43})=?")
TAG = re.compile(r"[A-Za-z0-9][\w.:/-]*")
KEY = re.compile(r"[A-Za-z0-9+/]{43}=?|[0-9a-fA-F]{32,}")
"""A public key, or an identity in hexadecimal digits: too long for the name of a host."""
ENDPOINT = re.compile(r"(?:\[(?P<inside>[^\]]+)\]|(?P<name>[^:\[\]]+)):\d+")
LIKE = 0.84
TYPO = 0.91
"""As LIKE, for words that all begin alike: ansible_hostname, a fact of Ansible's, is not meant to be ansible_host."""
SHOWN = 60
SAFETY = ("realtime", *ROLES)
"""Tags by which changes are refused or made otherwise, whatever config.yaml says."""
UNUSED = "it is not used"
Told = Callable[[str, str, str], None]
"""Told of what is wrong: its place, what it is, what to do."""


def words(name: str, given: Given, told: Told) -> tuple[str, ...]:
    """A list of words, or words between commas; what is neither is told."""
    value = given.value
    if value is None:
        return ()
    parts = value.split(",") if isinstance(value, str) else value
    if isinstance(parts, Sequence) and all(isinstance(one, str) for one in parts):
        return tuple(one.strip() for one in parts if one.strip())
    told(given.where, f"{name} must be a list of words, is {_kind(value)}", f"as in {name}: [one, another]")
    return ()


def tags(given: Given, note: Told, refuse: Told, ruling: Collection[str] = ()) -> tuple[str, ...]:
    """The good ones of a list; an item that may mean what keeps us away, of `ruling` tags too, refuses.

    Labels of a cloud, which are a mapping, are none of ours.
    """
    value = given.value
    if isinstance(value, dict):
        return ()
    if not isinstance(value, str | list | tuple):
        return words("tags", given, refuse if isinstance(value, Encrypted) else _unused(note))
    items = [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value)
    good = [item.strip() for item in items if isinstance(item, str) and TAG.fullmatch(item.strip())]
    for tag in good:
        if meant := _nearly(tag, tuple(sorted({*SAFETY, *ruling}))):
            note(given.where, f"the tag {tag} is not known, {meant} is", f"did you mean {meant}?")
    for item in items:
        text = item.strip() if isinstance(item, str) else item
        if text != "" and text not in good:
            _no_tag(given, text, (*SAFETY, *ruling), _unused(note), refuse)
    return tuple(good)


def _no_tag(given: Given, item: object, safety: Iterable[str], note: Told, refuse: Told) -> None:
    """Tells of an item of a list that is no tag; one that is not known may be any."""
    if isinstance(item, Encrypted | Unread):
        refuse(given.where, f"one of the tags is {_kind(item)}", "write it in plain text")
        return
    if isinstance(item, str) and "{{" in item and isinstance(given.value, list):
        refuse(given.where, f'one of the tags is computed: "{clean(item, SHOWN)}"', "write its value out")
        return
    meant = [word for word in dict.fromkeys(safety) if _stands_in(word, str(item))]
    told, hint = (refuse, f"as in tags: [{', '.join(map(_quoted, meant))}]") if meant else (note, "")
    told(given.where, f"{_kind(item)} is no tag", hint or "letters, digits, - and . as in realtime")


def _stands_in(word: str, text: str) -> bool:
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(word.lower())}(?![a-z0-9])", text.lower()))


def _quoted(tag: str) -> str:
    """A tag as it is a word in YAML: one of digits would be a number."""
    return tag if tag[:1].isalpha() else f'"{tag}"'


def host_keys(given: Given, refuse: Told) -> str:
    """Fingerprints as `ssh-keygen -l` shows them, with their prefix and commas between them."""
    found = []
    for word in words("host_key_sha256", given, refuse):
        match = FINGERPRINT.fullmatch(word)
        if match is None:
            hint = "as ssh-keygen -lf FILE shows it: SHA256: and 43 characters"
            refuse(given.where, f'"{clean(word, SHOWN)}" is no SHA256 fingerprint', hint)
        else:
            found.append(f"SHA256:{match[1]}")
    return ",".join(found)


def criticality(given: Given, note: Told) -> Criticality:
    """One of the words that there are; empty for another, which is noted."""
    known = [word for word in get_args(Criticality) if word]
    if given.value not in known:
        what = f"criticality must be one of {', '.join(known)}, is {_kind(given.value)}"
        _unused(note)(given.where, what, _near(str(given.value), known))
        return ""
    found: Criticality = given.value
    return found


def site(given: Given, note: Told) -> str:
    """The name of a site; empty for what is none, which is noted."""
    value = given.value.strip() if isinstance(given.value, str) else given.value
    if isinstance(value, str) and SITE.fullmatch(value):
        return value
    number = isinstance(value, int) and not isinstance(value, bool)
    hint = f'as in site: "{value}"' if number else "at most 64 letters, digits, -, . and _ as in fra-1"
    _unused(note)(given.where, f"{_kind(value)} is no site", hint)
    return ""


def protected_units(levels: Iterable[Given], refuse: Told) -> tuple[ProtectedUnit, ...]:
    """The units that any level protects: what one says no other takes away."""
    found: dict[str, ProtectedUnit] = {}
    for given in levels:
        for pattern in words("protected_units", given, refuse):
            if not pattern.strip("*"):
                hint = "name what is meant; to change nothing on a host: untouchable in config.yaml"
                refuse(given.where, "this pattern is every unit", hint)
            found.setdefault(pattern, ProtectedUnit(pattern, given.where))
    return tuple(found.values())


def parameters(given: Given, refuse: Told) -> tuple[HostParameter, ...]:
    """Parameters for each runbook that has them, or under a runbook's name for that one alone."""
    if not isinstance(given.value, dict):
        hint = "as in runbook_parameters: {window: 1h} or {swap-thrashing: {window: 1h}}"
        refuse(given.where, f"runbook_parameters must be a mapping, is {_kind(given.value)}", hint)
        return ()
    return tuple(_parameters(given, refuse))


def _parameters(given: Given, refuse: Told) -> Iterator[HostParameter]:
    for name, value in given.value.items():
        for inner, one in value.items() if isinstance(value, dict) else [("", value)]:
            runbook, parameter = (str(name), str(inner)) if isinstance(value, dict) else ("", str(name))
            if named_secret(parameter):
                hint = "give it on the command line: -p NAME=VALUE"
                refuse(given.where, f"{clean(parameter)} is a secret, and an inventory is no place for one", hint)
            elif isinstance(one, str | int | float):
                yield HostParameter(runbook, parameter, _text(one), given.where)
            else:
                refuse(given.where, f"the parameter {clean(parameter)} must be one value, is {_kind(one)}", "")


def peers_meant(
    given: Given, known: Sequence[str], addresses: Collection[str], note: Told, refuse: Told
) -> tuple[str, ...]:
    """Patterns of hosts, as far as they can be meant to be some: peers of tunnels and routers are addresses or keys.

    `known` are names of hosts and groups, `addresses` those of hosts.
    """
    inside = [text for text in _texts(given.value) if text in known]
    patterns = words("peers", given, refuse if inside else _unused(note))
    parts = [part.lstrip("&!") for pattern in patterns for part in split(pattern)]
    if any(part in known or part in addresses for part in parts):
        return patterns
    strange = [part for part in parts if not _elsewhere(part, known)]
    if any(part[:1] == "~" or set(part) & GLOB for part in strange):
        return patterns
    for part in strange[:1]:
        hint = _near(part.rpartition(":")[0] or part, known) or "runbook hosts lists hosts and groups"
        refuse(given.where, f"peers: no host or group matches {clean(part, SHOWN)!r}", hint)
        return ()
    if parts:
        what = f"peers names neither a host nor a group of the inventory, but {clean(', '.join(parts), SHOWN)}"
        _unused(note)(given.where, what, "if it is meant for runbook: names of hosts or groups")
    return ()


def _elsewhere(part: str, known: Sequence[str]) -> bool:
    """True for what can be no name in an inventory: an address, a key, a port at what is not nearly a known name."""
    endpoint = ENDPOINT.fullmatch(part)
    if endpoint is not None:
        name = endpoint["inside"] or endpoint["name"]
        return _is_address(name) or not (name in known or _near(name, known))
    return _is_address(part) or KEY.fullmatch(part) is not None


def _is_address(text: str) -> bool:
    """True for an address or a network."""
    try:
        ipaddress.ip_network(text.partition("%")[0], strict=False)
    except ValueError:
        return False
    return True


def _texts(value: object) -> Iterator[str]:
    """All words inside of mappings in a value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from [inner] if isinstance(inner, str) else _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _unused(note: Told) -> Told:
    return lambda where, what, hint: note(where, f"{what}: {UNUSED}", hint)


def misspelt(variables: Variables, refuse: Told, note: Told) -> None:
    """Tells of words that are nearly a key of ours, or one of how a host is reached: they silently do nothing."""
    for name, given in variables.items():
        if is_read(name):
            if meant := _nearly(name, READ, TYPO):
                note(given.where, f'"{clean(name, SHOWN)}" is not read', f"did you mean {meant}?")
            continue
        if meant := _nearly(name, tuple(sorted(ALONE))):
            told = _unused(note) if meant == "criticality" else refuse
            told(given.where, f'"{clean(name, SHOWN)}" is not known', f"did you mean {meant}?")
        elif name in ("tag", "peer"):
            note(given.where, f'"{name}" is not used', f"if it is meant for runbook: {name}s")


@lru_cache(maxsize=4096)
def _nearly(name: str, known: tuple[str, ...], like: float = LIKE) -> str:
    """The known word that this one is nearly, but not quite; empty for a known one, and for one that is like none."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=like) if name not in known else []
    return close[0] if close else ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _near(word: str, known: Sequence[str]) -> str:
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
