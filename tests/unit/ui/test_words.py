from __future__ import annotations

import pytest
from tests.golden import samples as s

from memrunbook.core.plan.diagnosis import Suspect
from memrunbook.core.units import GIB, MIB, Unit
from memrunbook.ui.block import Span
from memrunbook.ui.suspects import cause_rows, sentence
from memrunbook.ui.words import metric_words, moment_words, plural, unit_of, value_words


@pytest.mark.parametrize(
    ("name", "words", "unit"),
    [
        ("swap.in_bytes_per_second", "swap in", Unit.BYTES_PER_SECOND),
        ("swap.in_bytes_per_second_min", "swap in at least", Unit.BYTES_PER_SECOND),
        ("vmstat.refaults_per_second", "refaults", Unit.PER_SECOND),
        ("memory.available_percent", "memory available", Unit.PERCENT),
        ("pressure.full.percent", "pressure full", Unit.PERCENT),
        ("pressure.full.avg10", "pressure full avg10", Unit.PERCENT),
        ("host.uptime_seconds", "host uptime", Unit.SECONDS),
        ("sysctl.vm.min_free_kbytes", "vm.min_free_kbytes", Unit.NONE),
        ("units.failed_count", "units failed count", Unit.NONE),
    ],
)
def test_a_metric_is_called_without_its_unit_which_stands_at_the_value(name: str, words: str, unit: Unit) -> None:
    assert metric_words(name) == words
    assert unit_of(name) is unit


def test_values_are_written_for_people() -> None:
    assert value_words(None, Unit.NONE) == "-"
    assert value_words([1, 2], Unit.NONE) == "1, 2"
    assert value_words([], Unit.NONE) == "none"
    assert value_words("", Unit.NONE) == "none"
    assert value_words(1e9, Unit.SECONDS) == "never"
    assert value_words(1e9, Unit.COUNT) != "never"
    assert value_words(3 * GIB, Unit.BYTES) == "3.0 GiB"


def test_a_moment_has_its_span_beside_it() -> None:
    assert moment_words(s.TAKEN.utc) == "2026-11-22 09:41:07 UTC"
    assert moment_words(s.TAKEN.utc, s.LATER) == "2026-11-22 09:41:07 UTC (15 min ago)"
    assert moment_words(s.LATER.utc, s.TAKEN) == "2026-11-22 09:56:07 UTC (in 15 min)"


def test_one_is_not_many() -> None:
    assert (plural(1, "step"), plural(0, "step"), plural(2000, "step")) == ("1 step", "0 steps", "2,000 steps")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"anonymous_bytes": 2 * GIB}, "holds 2.0 GiB"),
        ({"anonymous_bytes": GIB, "growth_bytes_per_second": 2 * MIB}, "holds 1.0 GiB and grows 120 MiB/min"),
        ({"swap_bytes": GIB}, "has 1.0 GiB in swap"),
        ({"growth_bytes_per_second": 2 * MIB}, "grows 120 MiB/min"),
        ({"growth_bytes_per_second": 5, "anonymous_bytes": None}, "is the likely cause"),
        ({"used_bytes": GIB}, "holds 1.0 GiB"),
        ({"anonymous_bytes": GIB, "major_faults_per_second": 2800.0}, "holds 1.0 GiB, has 2,800 major faults/s"),
        ({"major_faults_per_second": 9.9, "anonymous_bytes": GIB}, "holds 1.0 GiB"),
    ],
)
def test_a_suspect_is_told_in_one_sentence(facts: dict[str, object], said: str) -> None:
    assert sentence(Suspect("unit", "x", 1.0, facts)) == said


def test_a_suspect_without_figures_is_told_by_its_kind() -> None:
    [row] = cause_rows([Suspect("kernel", "slab", 1.0)])
    assert row.cells[0] == (Span("Cause    "),)
    assert row.body == (Span("memory of the kernel"),)


def test_an_index_is_a_ratio() -> None:
    assert value_words(0.407, unit_of("buddy.unusable_9")) == "0.407"
