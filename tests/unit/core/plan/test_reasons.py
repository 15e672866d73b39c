"""What speaks for a change names the items that make a condition hold, not how many were looked at."""

from __future__ import annotations

from tests.lab.small import MIB, Service, Units, runbook, snapshot, step

from memrunbook.core.plan.reasons import reasons

UNITS = Units(all=(Service(name="web", bytes=90 * MIB), Service(name="db", bytes=MIB)))


def test_who_is_meant_is_named() -> None:
    large = "units.all.exists(u, u.bytes > 9 * MiB)"
    act = step(when=large)
    told = reasons(runbook(act, short=large), act, ("", None), snapshot(units=UNITS))
    assert [title for title, _ in told] == ["Memory is short", "the step's own condition"]
    for _, evidence in told:
        [line] = evidence
        assert [item.name for item in line.items] == ["web"]
