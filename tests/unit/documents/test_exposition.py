"""The text format of Prometheus: escapes, bounds, and what promtool says of it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from memrunbook.documents.exposition import MOST, FigureFamily, exposition, labelled

HOSTILE = 'a"b\\c\nd\x1b[31m é # {x="1"} 5'


def test_what_a_host_is_called_cannot_leave_its_label() -> None:
    family = FigureFamily("memrunbook_things", "gauge", "Things\nof \\ hosts.", {labelled(host=HOSTILE, unit="x"): 2.5})
    text = exposition([family])
    assert text.startswith("# HELP memrunbook_things Things\\nof \\\\ hosts.\n# TYPE memrunbook_things gauge\n")
    assert text.splitlines()[2] == (
        'memrunbook_things{host="a\\"b\\\\c\\\\nd\\\\x1b[31m é # {x=\\"1\\"} 5",unit="x"} 2.5'
    )


def test_families_are_in_order_and_bounded_and_no_series_stands_twice() -> None:
    many = {labelled(host=f"h{n:05}"): float(n) for n in range(MOST + 7)}
    alike = {labelled(host="x" * 500 + end): 1.0 for end in "ab"}
    text = exposition(
        [FigureFamily("memrunbook_b", "gauge", "B.", many), FigureFamily("memrunbook_a", "counter", "A.", alike)]
    )
    names = [line.split("{")[0] for line in text.splitlines() if not line.startswith("#")]
    assert names == ["memrunbook_a", *["memrunbook_b"] * MOST, "memrunbook_series_left_out"]
    assert text.endswith('memrunbook_series_left_out{family="memrunbook_b"} 7\n')


@pytest.mark.parametrize("least_first", [False, True])
def test_of_too_many_the_weightiest_are_kept(*, least_first: bool) -> None:
    many = {labelled(host=f"h{n:05}"): float(n) for n in range(MOST + 1)}
    lines = exposition([FigureFamily("memrunbook_b", "gauge", "B.", many, least_first=least_first)])
    assert ('{host="h00000"} 0\n' in lines) is least_first
    assert (f'{{host="h{MOST:05}"}} {MOST}\n' in lines) is not least_first


def test_a_figure_without_labels_and_a_name_that_is_none() -> None:
    assert "\nmemrunbook_a 1795964811.92\n" in exposition(
        [FigureFamily("memrunbook_a", "gauge", "A.", {(): 1795964811.92})]
    )
    with pytest.raises(ValueError, match="no name"):
        exposition([FigureFamily("memrunbook_a b", "gauge", "A.", {})])


def test_promtool_accepts_it() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed here (Debian: prometheus)")
    family = FigureFamily("memrunbook_things", "gauge", "Things\nof hosts.", {labelled(host=HOSTILE): 1e300})
    text = exposition([family, FigureFamily("memrunbook_none", "counter", "None.", {})])
    done = subprocess.run(["promtool", "check", "metrics"], check=False, input=text, capture_output=True, text=True)
    assert "error" not in done.stderr, done.stderr
