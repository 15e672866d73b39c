"""Chooses hosts by patterns, as Ansible does: web:&prod:!web7, *.example.com, ~db[0-9], web[0], web[0:2]."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence

from memrunbook.core.errors import UsageError
from memrunbook.core.inventory.inventory import ALL, Inventory
from memrunbook.core.ranges import RANGE, names_in

PART = re.compile(r"(?:[^\s:,\[\]]|\[[^\]]*\])+")
SUBSCRIPT = re.compile(r"(?P<group>.+)\[(?:(?P<one>-?\d+)|(?P<first>\d+)[:-](?P<last>\d*))\]")
NAME_AND_PORT = re.compile(r"(?:[^:\[\]@]*@)?(?:[^:\[\]]|\[[^\]]*\])*:\d+")
ADDRESS_6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.%\w]*")
GLOB = frozenset("*?[")


def split(pattern: str) -> list[str]:
    """The parts of a pattern: between commas, or where there are none between colons."""
    if "," in pattern:
        return [part.strip() for part in pattern.split(",") if part.strip()]
    if NAME_AND_PORT.fullmatch(pattern) or (ADDRESS_6.fullmatch(pattern) and "&" not in pattern):
        return [pattern]
    return PART.findall(pattern)


def is_empty(pattern: str) -> bool:
    """True for a pattern of which something is left out, as by a script's empty variable: it would mean too many hosts.

    Nothing at all, a mark with nothing behind it (web:!), or an empty part where all else only takes away (,!web7).
    """
    parts = split(pattern)
    bare = any(not part.lstrip("&!~") for part in parts)
    ends = pattern.strip().startswith(":") or pattern.strip().endswith(":")
    left_out = ends or ("," in pattern and not all(part.strip() for part in pattern.split(",")))
    return not parts or bare or (left_out and all(part[0] in "&!" for part in parts))


def chooses(word: str, inventory: Inventory) -> bool:
    """True for a word that chooses among the hosts of an inventory, and does not just name hosts."""
    parts = split(word)
    if any(part[0] in "&!~" or set(part) & set("*?") for part in parts):
        return True
    if "," not in word and len(parts) > 1 and any(part in inventory.hosts for part in parts):
        return True
    return any(part == ALL or part in inventory.groups or _subscript(part, inventory) for part in parts)


def select(inventory: Inventory, patterns: Sequence[str], where: str) -> list[str]:
    """The names of the hosts that the patterns choose, in the inventory's order of each; UsageError for what is none.

    Those with & and ! count after all others, as if the patterns were one. `where` is the option in messages.
    """
    parts = [part for pattern in patterns for part in split(pattern)]
    plain = [part for part in parts if part[0] not in "&!"]
    found = {name: None for part in plain or [ALL] for name in _matched(inventory, part, where)}
    for part in (part for part in parts if part[0] == "&"):
        wanted = set(_matched(inventory, part[1:], where))
        found = {name: None for name in found if name in wanted}
    for part in (part for part in parts if part[0] == "!"):
        for name in _matched(inventory, part[1:], where, excludes=True):
            found.pop(name, None)
    return list(found)


def _matched(inventory: Inventory, part: str, where: str, *, excludes: bool = False) -> list[str]:
    """The hosts of one part; a pattern that excludes may find nothing, a name must be one that there is."""
    if part in inventory.hosts:
        return [part]
    subscript = _subscript(part, inventory)
    found = _sliced(inventory, subscript, where) if subscript else _enumerated(inventory, part, where)
    if not found and not (excludes and (part[:1] == "~" or set(part) & GLOB)) and part not in inventory.groups:
        raise UsageError(f"no host or group matches {part!r}", where=where, hint=_near(inventory, part))
    return found


def _subscript(part: str, inventory: Inventory) -> re.Match[str] | None:
    """What chooses by position: only behind a group or a glob; behind anything else it is a range of names.

    So is what begins with a zero, as in web[01:20].
    """
    match = None if part[0] == "~" else SUBSCRIPT.fullmatch(part.lstrip("&!"))
    if match is None or not (match["group"] in inventory.groups or set(match["group"]) & set("*?")):
        return None
    if (match["first"] or "").startswith("0") and len(match["first"]) > 1:
        return None
    return match


def _sliced(inventory: Inventory, match: re.Match[str], where: str) -> list[str]:
    hosts = _enumerated(inventory, match["group"], where)
    if RANGE.fullmatch(match[0], len(match["group"])) and next(_expanded(match[0], where)) in inventory.hosts:
        what = f"{match[0]} may be hosts of these names, or hosts of the group {match['group']} by their position"
        raise UsageError(what, where=where, hint="write the names out, between commas")
    if match["one"]:
        place = int(match["one"])
        if not -len(hosts) <= place < len(hosts):
            hint = f"{match['group']} has {len(hosts)}, counted from 0"
            raise UsageError(f"no host stands at {match[0]!r}", where=where, hint=hint)
        return [hosts[place]]
    last = int(match["last"]) if match["last"] else len(hosts) - 1
    return hosts[int(match["first"]) : last + 1]


def _enumerated(inventory: Inventory, part: str, where: str) -> list[str]:
    if part[0] != "~" and RANGE.search(part):  # to a shell pattern [1:3] would be three characters
        return list(dict.fromkeys(host for name in _expanded(part, where) for host in _matched(inventory, name, where)))
    groups = [ALL] if part == ALL else list(_like(part, inventory.groups, where))
    found = {name: None for group in groups if group in inventory.groups for name in inventory.members(group)}
    if not groups or part[0] == "~" or set(part) & {*GLOB, "."}:
        found |= dict.fromkeys(_like(part, inventory.hosts, where))
    if not found and (host := inventory.known(part)) is not None:
        found = {host.name: None}
    return list(found)


def _expanded(part: str, where: str) -> Iterator[str]:
    try:
        yield from names_in(part)
    except ValueError as error:
        raise UsageError(str(error), where=where) from None


def _like(part: str, names: Iterable[str], where: str) -> Iterator[str]:
    try:
        pattern = re.compile(part[1:] if part[0] == "~" else fnmatch.translate(part))
    except re.error as error:
        hint = "behind ~ stands a regular expression"
        raise UsageError(f"{part!r} is no pattern: {error}", where=where, hint=hint) from None
    return (name for name in names if pattern.match(name))


def _near(inventory: Inventory, part: str) -> str:
    known = [*inventory.groups, *inventory.hosts]
    close = difflib.get_close_matches(part, known, n=1)
    return f"did you mean {close[0]!r}?" if close else "runbook hosts lists hosts and groups"
