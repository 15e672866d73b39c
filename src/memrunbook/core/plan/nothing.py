"""What is said of a step for which nothing was found: what was looked for, and what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.runbook.expression import Expression
from memrunbook.core.runbook.handed_out import items_of
from memrunbook.core.runbook.world import World
from memrunbook.core.units import format_bytes

NOUNS: Mapping[str, tuple[str, str]] = {
    "units": ("service", "services"),
    "processes": ("process", "processes"),
    "cgroups": ("control group", "control groups"),
    "containers": ("container", "containers"),
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
    asked = f" fits {_short(for_each.source)}" if looked else f" in {_short(for_each.source)}"
    if not seen:
        return f"no {one}{asked}: none was seen"
    return f"no {one}{asked}: {len(seen):,} {one if len(seen) == 1 else many} seen{_largest(seen)}"


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
