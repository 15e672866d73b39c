"""Which facts a runbook reads when: all of them for a diagnosis, for a step what that step needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.runbook.bound import ENGINE_FACTS, Runbook
from memrunbook.documents.library import Library

BOOK = """
apiVersion: memrunbook/v1
name: two
title: Two kinds of steps
description: For a test.
checks:
  - {id: short, name: Short, when: memory.available_percent < 10.0, severity: info}
incident: checks.short
resolved: {that: buddy.orders > 0}
causes:
  - {kind: process, from: processes.all, name: item.name, score: "1.0"}
signals: [swap.used_percent]
steps:
  - {id: knob, name: A knob, action: set_sysctl, with: {key: vm.page_cluster, value: 1}}
  - {id: stop, name: A service, action: stop_unit, with: {unit: web.service}}
  - {id: pages, name: Pages, action: set_thp, with: {enabled: never}, when: units.failed_count == 0}
"""


@pytest.fixture
def book(tmp_path: Path) -> Runbook:
    (tmp_path / "two.yaml").write_text(BOOK)
    return Library((tmp_path,)).runbook("two", {})


def test_a_diagnosis_reads_what_checks_causes_and_every_step_need(book: Runbook) -> None:
    assert book.facts >= {*ENGINE_FACTS, "buddy", "processes", "swap", "sysctl", "thp"}
    assert "failed_units" not in book.facts


def test_how_it_stands_is_told_without_causes_and_services(book: Runbook) -> None:
    assert book.judging_facts == {"memory", "buddy", "swap"}
    assert book.end_facts == {"memory", "buddy", "swap", "host", "pressure", "vmstat", "holds"}


def test_a_step_about_the_host_reads_who_failed_in_place_of_the_services(book: Runbook) -> None:
    knob = book.facts_of(book.steps[0])
    assert knob == book.end_facts | {"sysctl", "failed_units"}


def test_a_step_about_a_service_or_that_names_them_reads_them(book: Runbook) -> None:
    for step in book.steps[1:]:
        assert "units" in book.facts_of(step)
        assert "failed_units" not in book.facts_of(step)


def test_no_step_reads_what_only_another_one_needs(book: Runbook) -> None:
    assert "thp" not in book.facts_of(book.steps[0])
    assert "sysctl" not in book.facts_of(book.steps[2])
    assert not any("processes" in book.facts_of(step) for step in book.steps)


def test_what_is_read_for_several_steps_serves_each_of_them(book: Runbook) -> None:
    knob, stop, pages = book.steps
    assert book.facts_of(knob, stop) == (book.facts_of(knob) - {"failed_units"}) | book.facts_of(stop)
    assert book.facts_of() == book.end_facts
    assert (list(book.behind(knob)), list(book.behind(stop)), list(book.behind(pages))) == ([stop], [pages], [])
