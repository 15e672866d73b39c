"""The engine's own harm check: what must not have become worse by a change, whatever the runbook verifies."""

from __future__ import annotations

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot

# A change is blamed only for more than noise: half as much again and at least this much more.
GREW = 1.5
PRESSURE = ("pressure.full.percent", 10.0, "full memory pressure in %")
REFAULTS = ("vmstat.refaults_per_second", 200.0, "refaults per second")
# With this much memory available, refaults are other work that begins, not harm.
PLENTY = 20.0


UnitNames = frozenset[str] | None
"""Units that have failed; None where that could not be told."""


def harm(before: Snapshot, after: Snapshot, target: str, failed: tuple[UnitNames, UnitNames]) -> list[str]:
    """What is worse than before: full pressure, refaults while memory is short, failed units other than the target.

    `failed` are the units that had failed before, and after: a snapshot alone need not tell. What could not be read is
    no proof of harm.
    """
    available = after.value("memory.available_percent")
    found = [_grew(before, after, *PRESSURE)]
    if isinstance(available, Unavailable) or available < PLENTY:
        found.append(_grew(before, after, *REFAULTS))
    had, have = failed
    if had is not None and have is not None and (more := sorted(have - had - {target})):
        found.append(f"{', '.join(more)} failed meanwhile")
    return [line for line in found if line]


def _grew(before: Snapshot, after: Snapshot, metric: str, least: float, name: str) -> str:
    old, new = before.value(metric), after.value(metric)
    if isinstance(old, Unavailable) or isinstance(new, Unavailable):
        return ""
    worse = new > old * GREW and new - old >= least
    return f"{name} rose from {old:.1f} to {new:.1f}" if worse else ""


def failed_in(snapshot: Snapshot) -> UnitNames:
    """The units that have failed; None where they were not asked for, or could not be told."""
    units, names = snapshot.value("units.all"), snapshot.value("failed_units.names")
    if not isinstance(units, Unavailable):
        return frozenset(unit.name for unit in units if unit.failed)
    return None if isinstance(names, Unavailable) else frozenset(names)
