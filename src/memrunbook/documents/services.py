"""Reads `services.yaml`: what may be done to a service, how it is drained and proven, on how many hosts at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from memrunbook.core.action.policy import MAY, ServicePolicy, ServiceRule
from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.text import clean
from memrunbook.documents.freezes import SHOWN, near_zone, zone_named
from memrunbook.documents.owned import is_there, read_owned
from memrunbook.documents.problems import convert
from memrunbook.documents.source import Source
from memrunbook.documents.yaml_source import load

COMMANDS = ("health", "drain", "undrain")
NEEDS = (("health_within", "health"), ("drain_within", "drain"), ("undrain", "drain"))
TIMES, SHORTEST = ("health_within", "drain_within"), 1.0
NEVER_CHOSEN = {
    "database": "a database is never chosen by a rule: it is named in a runbook, and then of high risk",
    "cluster": "what a cluster manager runs is never touched by us",
}


def load_policy(path: Path) -> ServicePolicy:
    """The service policy; an absent file is an empty one: nothing is allowed to a rule. DocumentError else."""
    if not is_there(path):
        return ServicePolicy()
    source = load(read_owned(path), str(path))
    policy = convert(source, source.data, ServicePolicy)
    problems = [problem for n, rule in enumerate(policy.services) for problem in _problems(source, policy, n, rule)]
    if problems:
        raise DocumentError(problems)
    return policy


def _problems(source: Source, policy: ServicePolicy, number: int, rule: ServiceRule) -> Iterator[Problem]:
    """What the form of an entry does not show, and what would silently mean nothing."""
    at = ("services", number)
    yield from _named(source, policy, at, rule)
    yield from _commands(source, at, rule)
    yield from _window(source, (*at, "window"), rule)
    allowed = next((key for key in MAY if getattr(rule, key) == "yes"), None)
    if rule.kind in NEVER_CHOSEN and allowed:
        hint = f"leave {allowed}: yes out, or write another kind"
        yield Problem(source.where_key((*at, allowed)), f"kind is {rule.kind}: {NEVER_CHOSEN[rule.kind]}", hint)


def _named(source: Source, policy: ServicePolicy, at: tuple[str, int], rule: ServiceRule) -> Iterator[Problem]:
    """An entry that no unit can match, or that another one in front of it hides."""
    where = source.where((*at, "unit"))
    if any(one.unit == rule.unit for one in policy.services[: at[1]]):
        yield Problem(where, f"{rule.unit} stands here twice: the first entry that matches counts", "make one of both")
    if not set(".*?[") & set(rule.unit):
        yield Problem(where, f"no unit is called {rule.unit!r}", f"write its whole name, as in {rule.unit}.service")


def _window(source: Source, at: tuple[str | int, ...], rule: ServiceRule) -> Iterator[Problem]:
    """A window that never opens, in no place, or for nothing."""
    window = rule.window
    if window is None:
        return
    if rule.restart != "yes":
        hint = "add restart: yes, or leave window out"
        yield Problem(source.where_key(at), "window without restart: yes means nothing", hint)
    if zone_named(window.zone) is None:
        what = f'there is no time zone "{clean(window.zone, SHOWN)}"'
        yield Problem(source.where((*at, "zone")), what, near_zone(window.zone))
    if window.from_ in (window.until, "24:00"):
        hint = 'for a whole day write from: "00:00", until: "24:00"'
        yield Problem(source.where((*at, "until")), "the window ends when it begins", hint)


def _commands(source: Source, at: tuple[str, int], rule: ServiceRule) -> Iterator[Problem]:
    """Commands that cannot be run, and what is said of one that is not there."""
    for key, other in NEEDS:
        if getattr(rule, key) is not None and getattr(rule, other) is None:
            where = source.where_key((*at, key))
            yield Problem(where, f"{key} without {other} means nothing", f"add {other}, or leave {key} out")
    for key in TIMES:
        if getattr(rule, key) is not None and getattr(rule, key) < SHORTEST:
            yield Problem(source.where((*at, key)), "this is shorter than a second", 'write a time, as in "2m"')
    for key in COMMANDS:
        if any("\0" in word for word in getattr(rule, key) or ()):
            where = source.where((*at, key))
            yield Problem(where, "it holds a NUL byte, which no command line can", "leave that byte out")
