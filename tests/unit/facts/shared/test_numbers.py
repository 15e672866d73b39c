from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.facts.shared import numbers


@pytest.mark.parametrize(("text", "value"), [("60", 60), (" 60\n", 60), ("0", 0), (str(numbers.MOST), numbers.MOST)])
def test_a_number_is_read(text: str, value: int) -> None:
    assert numbers.whole(text) == value


@pytest.mark.parametrize("text", ["", "-1", "6 0", "0x1f", "1.5", "²", "١٢", "9" * 19, "9" * 5000, "max"])
def test_anything_else_is_missing(text: str) -> None:
    assert numbers.whole(text) is None


def test_keys_are_first_words_and_kb_become_bytes() -> None:
    text = "MemFree:   2 kB\nActive(anon):\t3 kB\nHugePages_Total:  4\npgfault 5\nNode 0, zone DMA\nodd 1 2\n"
    assert numbers.keyed(text) == {"MemFree": 2048, "Active(anon)": 3072, "HugePages_Total": 4, "pgfault": 5}


def test_a_value_beyond_64_bits_is_left_out() -> None:
    assert numbers.keyed(f"a {'9' * 19}\nb {1 << 62} kB\nc 1") == {"c": 1}


@given(st.dictionaries(st.from_regex(r"[A-Za-z_()]{1,12}", fullmatch=True), st.integers(0, numbers.MOST)))
def test_every_counter_comes_back(counters: dict[str, int]) -> None:
    assert numbers.keyed("".join(f"{key} {value}\n" for key, value in counters.items())) == counters


def test_a_share_needs_both_sides() -> None:
    assert numbers.share(1, 4) == 25.0
    assert numbers.share(None, 4) is None
    assert numbers.share(1, None) is None
    assert numbers.share(1, 0) is None


LINE = re.compile(r"^([^\s:]+):?[ \t]+(\d{1,19})([ \t]+kB)?[ \t]*$", re.MULTILINE | re.ASCII)
PARTS = ["a", "MemFree", "Active(anon)", *": \t\n\r\f\x85\xa0-\u0661", "7", "007", "9" * 19, "kB"]


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(alphabet=":kB17 \t\n\r\u00b2"))
def test_lines_are_read_as_this_expression_says(text: str) -> None:
    found = [(key, int(digits) * (numbers.KIB if kilo else 1)) for key, digits, kilo in LINE.findall(text)]
    said = {key: value for key, value in found if value <= numbers.MOST}
    assert numbers.lines_by_key(text) == said


@given(st.text(alphabet="0123456789 -+_.\n\u0661\u00b2", max_size=22))
def test_a_number_is_what_this_expression_says(text: str) -> None:
    word = text.strip()
    value = int(word) if re.fullmatch(r"\d{1,19}", word, re.ASCII) else None
    expected = None if value is None or value > numbers.MOST else value
    assert numbers.whole(text) == expected
    assert numbers.wholes({"a": text}) == ({} if expected is None else {"a": expected})
    assert numbers.is_whole(word) == (value is not None)


def test_a_file_that_several_facts_read_is_read_once() -> None:
    text = "pgfault 5\n" * 3
    assert numbers.keyed(text) is numbers.keyed(text)
    with pytest.raises(TypeError):
        numbers.keyed(text)["pgfault"] = 6  # type: ignore[index]
