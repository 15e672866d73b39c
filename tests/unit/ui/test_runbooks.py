from __future__ import annotations

from memrunbook.documents.runbooks import load_runbook
from memrunbook.ui.layout import lay_out
from memrunbook.ui.runbooks import show_view

SOURCE = b"""\
apiVersion: memrunbook/v1
name: shortage
title: Memory shortage
description: >
  Too little is left.
parameters:
  least: {type: number, default: 10.0, description: Available in percent}
checks:
  - {id: low, name: Little is available, when: memory.available_percent < parameters.least, severity: critical,
     explain: The next allocation may stall.}
incident: checks.low
resolved: {that: memory.available_percent > 15.0, hold: 60s}
subsumes: [swap-exhausted]
steps:
  - {id: evidence, name: Save the evidence, action: capture_evidence, on_failure: continue}
  - id: restart
    name: Restart what grows
    action: restart_unit
    for_each: units.growing
    when: checks.low
    with: {unit: '${{ item.name }}'}
    guard: [{that: size(units.growing) <= 2, why: more is not one leak}]
    verify: {that: memory.available_percent > 15.0, within: 3m, hold: 90s}
"""


def shown(source: bytes) -> list[str]:
    blocks = show_view(load_runbook(source, "shortage.yaml", "file"))
    return ["".join(span.text for span in content).rstrip() for content in lay_out(blocks, None)]


def test_a_runbook_is_explained_from_its_name_to_its_last_step() -> None:
    lines = shown(SOURCE)
    assert lines[:2] == ["Memory shortage (shortage)", "  Too little is left."]
    for expected in (
        "Origin   file",
        "  least  10.0     number  Available in percent",
        "  CRITICAL  Little is available",
        "            when  memory.available_percent < parameters.least",
        "            The next allocation may stall.",
        "Applies when   checks.low",
        "Resolved when  memory.available_percent > 15.0, held for 60 s",
        "Comes before   swap-exhausted",
        "  1  evidence  Save the evidence    risk at most none",
        "  2  restart   Restart what grows   risk at most high",
        "               each    of units.growing, at most 1",
        "               when    checks.low",
        "               guard   size(units.growing) <= 2: more is not one leak",
        "               verify  memory.available_percent > 15.0, held for 90 s, within 3 min",
        "               fails   then go on; undo: none",
        "               fails   then stop; undo: none",
    ):
        assert expected in lines


def test_a_runbook_without_an_end_of_its_own_ends_with_its_incident() -> None:
    source = SOURCE.replace(b"resolved: {that: memory.available_percent > 15.0, hold: 60s}\n", b"")
    source = source.replace(b"subsumes: [swap-exhausted]\n", b"").replace(
        b"parameters:\n  least: {type: number, default: 10.0, description: Available in percent}\n", b""
    )
    lines = shown(source.replace(b"parameters.least", b"10.0"))
    assert "Resolved when  it no longer applies" in lines
    assert not any(line.startswith(("Parameters", "Comes before")) for line in lines)
