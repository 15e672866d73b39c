"""What is said of a step that is not needed: what does not hold, or what was looked for and what was seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.runbook.condition import Condition, Evidence
from memrunbook.core.runbook.expression import CHECK, Expression
from memrunbook.core.runbook.handed_out import items_of
from memrunbook.core.runbook.world import World
from memrunbook.core.units import Unit, format_bytes, format_value

NOUNS: Mapping[str, tuple[str, str]] = {
    "units": ("service", "services"),
    "processes": ("process", "processes"),
    "cgroups": ("control group", "control groups"),
    "containers": ("container", "containers"),
    "oom": ("service", "services"),
}
SIZES = (
    "own_bytes",
    "anonymous_bytes",
    "usage_bytes",
    "memory_bytes",
    "rss_bytes",
    "used_bytes",
    "size_bytes",
    "bytes",
)
AMONG: Mapping[str, str] = {
    "units.suspects": "large or growing ",
    "units.growing": "growing ",
    "oom.victim_units": "killed ",
}
ASKED: Mapping[str, str] = {
    r'\.freezer_state == "frozen"': "that is frozen",
    r'\.policy\.freeze == "yes"': "that may be frozen (services.yaml, freeze: yes)",
    r'\.policy\.stop == "yes"': "that may be stopped (services.yaml, stop: yes)",
    r'\.policy\.restart != "no"': "that may be restarted",
    r'\.policy\.limit == "yes"': "that may be limited (services.yaml, limit: yes)",
    r'\.policy\.limit != "no"': "that may be limited",
    r"\.policy\.in_window": "whose window is open (services.yaml, window)",
    r'\.policy\.kind == "batch"': "that is a batch job (services.yaml, kind: batch)",
    r"\.memory_percent >= ([\d.]+)": "with {} % of RAM or more",
    r"\.(?:own_bytes) > (\d+) \* MiB": "with more than {} MiB of its own",
    r"\.dirty_bytes > (\d+) \* MiB": "with more than {} MiB to write",
    r"\.maps_percent >= ([\d.]+)": "with {} % of the mappings that it may have",
    r'!\w+\.unit\.endsWith\("\.service"\)': "outside any service",
}
"""What the filters of runbooks ask, in words."""
SHARES = ("memory_percent", "ram_percent", "usage_percent")


def nothing_found(for_each: Expression | None, world: World) -> str:
    """Why a `for_each` handed out nothing: "no service in units.suspects: 34 services seen, the largest …"."""
    if for_each is None:
        return "there is nothing to do it for"
    listed = items_of(for_each)
    if listed is None:
        return f"nothing matches {_short(for_each.source)}"
    fact = listed.name.partition(".")[0]
    one, many = NOUNS.get(fact, ("item", "items"))
    looked = _items(world, listed.name)
    seen = looked or _items(world, f"{fact}.all")
    source = _short(for_each.source)
    words = ", ".join(_words(source))
    known = words or source == listed.name in AMONG
    which = AMONG.get(listed.name, "") if known else ""
    asked = f" {words}".rstrip() if known else f" fits {source}" if looked else f" in {source}"
    if not seen:
        return f"no {which}{one}{asked}: none was seen"
    return f"no {which}{one}{asked}: {len(seen):,} {one if len(seen) == 1 else many} seen{_largest(seen)}"


def why_not(when: Condition, world: World) -> str:
    """What makes a condition fail, in words: the check that is clear, or the figure as it is."""
    names = when.lacking(world)
    told = {one.metric: one for one in when.evidence(world)}
    parts = [f"the check {name.removeprefix(CHECK).replace('_', '-')} is {_state(name, world)}"
             for name in names if name.startswith(CHECK)]  # fmt: skip
    parts += [f"nothing in {name} fits" if _searched(when, told[name])
              else f"{name} is {format_value(told[name].value, Unit(told[name].unit))}"
              for name in names if name in told]  # fmt: skip
    return ", ".join(parts) or _short(when.source)


def _searched(when: Condition, told: Evidence) -> bool:
    """True of a list that has items of which none fits: how many there are says nothing then."""
    lists = {name for part in when.parts for name in part.metrics if part.scope.metrics[name].kind == "list"}
    return told.metric in lists and bool(told.value) and f"size({told.metric})" not in when.source


def _state(name: str, world: World) -> str:
    return "firing" if world.lookup(name) is True else "clear"


def _words(source: str) -> Iterator[str]:
    """What a filter asks; nothing where there are no words for it."""
    found = (words.format(*match.groups()) for asked, words in ASKED.items() for match in re.finditer(asked, source))
    return iter(dict.fromkeys(found))


def _items(world: World, listed: str) -> list[Mapping[str, Any]]:
    found = world.lookup(listed) if listed in world.metrics else Unavailable("absent", "")
    return found if isinstance(found, list) else []


def _largest(seen: list[Mapping[str, Any]]) -> str:
    field = next((name for name in SIZES if any(isinstance(item.get(name), int) for item in seen)), "")
    if not field:
        return ""
    largest = max(seen, key=lambda item: item.get(field) or 0)
    share = next((item for name in SHARES if isinstance(item := largest.get(name), float)), None)
    part = "" if share is None else f" ({share:.1f} %)"
    name = largest.get("name") or largest.get("path") or "one"
    return f", the largest, {name}, holds {format_bytes(largest.get(field) or 0)}{part}"


def _short(source: str) -> str:
    return " ".join(source.split())
