"""Ranges in host names."""

from __future__ import annotations

import pytest

from memrunbook.core.ranges import names_in


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("web1", ["web1"]),
        ("web[1:3]", ["web1", "web2", "web3"]),
        ("web[08:10]", ["web08", "web09", "web10"]),
        ("web[:2]", ["web0", "web1", "web2"]),
        ("web[1:9:4]", ["web1", "web5", "web9"]),
        ("rack-[a:c].x", ["rack-a.x", "rack-b.x", "rack-c.x"]),
        ("[y:B]", ["y", "z", "A", "B"]),
        ("a[1:2]b[3:4]", ["a1b3", "a1b4", "a2b3", "a2b4"]),
        ("[2001:db8::1]:22", ["[2001:db8::1]:22"]),
        ("[::1]", ["[::1]"]),
    ],
)
def test_a_word_stands_for_names_in_order(word: str, names: list[str]) -> None:
    assert list(names_in(word)) == names


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("web[3:1]", "empty or too large"),
        ("web[c:a]", "empty or too large"),
        ("web[1:60000]", "empty or too large"),
        ("web[1:9:0]", "a step of 0"),
        ("web[01:100]", "begins with 2 digits and ends with 3"),
    ],
)
def test_a_range_that_stands_for_nothing_is_refused(word: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        list(names_in(word))
