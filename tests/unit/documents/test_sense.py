"""What is allowed but seldom meant."""

from __future__ import annotations

import pytest

from memrunbook.documents.runbooks import load_runbook
from memrunbook.documents.sense import warnings

HEAD = """
apiVersion: memrunbook/v1
name: lab
title: Lab
checks:
  - {id: low, name: Low, when: memory.available_percent < 10.0, severity: warning}
incident: checks.low
"""


def doubts(steps: str, head: str = HEAD) -> list[str]:
    return [one.message for one in warnings(load_runbook((head + "steps:\n" + steps).encode(), "lab", "test"))]


STEP = "  - {{id: act, name: Act, action: {action}, with: {values}{more}}}\n"


@pytest.mark.parametrize(
    ("action", "values", "more", "doubt"),
    [
        ("drop_caches", "{what: all}", "", "a full page cache is healthy"),
        ("drop_caches", "{what: all}", ", when: checks.low", ""),
        ("compact_memory", "{}", ", when: memory.available_percent < 9.0", "not low memory"),
        ("compact_memory", "{}", ", when: buddy.unusable_9 > 0.9", ""),
        ("restart_unit", "{unit: web.service}", "", "without evidence"),
        ("restart_unit", "{unit: web.service}", ", when: checks.low", ""),
        ("compact_memory", "{}", ", verify: {that: parameters.x == 1}", "reads no metric"),
        ("compact_memory", "{}", ", verify: {that: buddy.unusable_9 < 0.5}", ""),
        ("compact_memory", "{}", ", guard: [{that: pressure.full.percent < 9.0, why: busy}]", "pressure alone"),
        ("compact_memory", "{}", ", guard: [{that: memory.free_percent > 9.0, why: full}]", ""),
        ("compact_memory", "{}", ", for_each: units.suspects", ""),
    ],
)
def test_steps(action: str, values: str, more: str, doubt: str) -> None:
    head = HEAD.replace("checks:", "parameters: {x: {type: integer, default: 1}}\nchecks:", 1)
    found = doubts(STEP.format(action=action, values=values, more=more), head)
    assert len(found) == bool(doubt)
    assert all(doubt in one for one in found)


def test_the_incident() -> None:
    past = HEAD.replace("memory.available_percent < 10.0", "oom.log_lost")
    assert "state when it is `resolved`" in doubts("  []", past)[0]
    assert doubts("  []", past + "resolved: {that: memory.available_percent > 20.0}\n") == []
    alone = HEAD.replace("memory.available_percent < 10.0", "pressure.full.percent > 10.0")
    assert "rests on pressure alone" in doubts("  []", alone)[0]
    assert doubts("  []", HEAD.replace("memory.available_percent < 10.0", "'!pressure.supported'")) == []


@pytest.mark.parametrize(
    ("title", "doubt"),
    [
        ("Free memory of nginx", "order"),
        ("Purge the page cache", "order"),
        ("Flush all dirty pages", "order"),
        ("How to save a host", "speaks to the reader"),
        ("We are out of memory", "speaks to the reader"),
        ("Nginx is too fat on", "ends in 'on'"),
        ("Nginx is too fat.", "ends in '.'"),
        ('"nginx: too fat"', "has a : or ; inside"),
        ("A cache that nobody needs and that has grown since the last release of it", "more than 60 characters"),
        ("Nginx is too fat", ""),
        ("All the swap is used", ""),
        ("Half the swap is used", ""),
        ("Out of the reserve", ""),
        ("The cache grows", ""),
        ("Writers wait for the disk", ""),
        ("JVM heap near its limit", ""),
    ],
)
def test_a_title_that_makes_a_bad_sentence_is_told_with_it(title: str, doubt: str) -> None:
    found = doubts("  []", HEAD.replace("title: Lab", f"title: {title}"))
    assert len(found) == bool(doubt), found
    for one in found:
        assert doubt in one
        bare = title.strip('"')
        assert f"CRITICAL: {bare[:1].lower()}{bare[1:]} on db7: …" in one


def test_shipped_runbooks_raise_no_doubt() -> None:
    from memrunbook.documents.shipped import shipped

    for file in shipped("runbooks").glob("*.yaml"):
        assert warnings(load_runbook(file.read_bytes(), file.name, "shipped")) == []
