"""Ranges in host names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.ranges import compact, names_in, natural


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


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([f"web{number:02}" for number in range(1, 15)] + ["web20"], ["web[01:14]", "web20"]),
        (["web10", "web2", "web1", "web3"], ["web[1:3]", "web10"]),
        (["db1", "db2"], ["db1", "db2"]),
        ([f"rack{rack}-node{node:02}" for rack in (1, 2, 3) for node in range(1, 21)], ["rack[1:3]-node[01:20]"]),
        ([f"web{number}.dc1.example.com" for number in range(98, 103)], ["web[98:102].dc1.example.com"]),
        (["08", "09", "10", "98", "99", "100"], ["[08:10]", "[98:100]"]),
        ([f"ada@h{number}:2222" for number in (1, 2, 3)], ["ada@h[1:3]:2222"]),
        (["h:2201", "h:2202", "h:2203"], ["h:2201", "h:2202", "h:2203"]),
        (["u1@h", "u2@h", "u3@h"], ["u1@h", "u2@h", "u3@h"]),
        (["fe80::1", "fe80::2", "fe80::3"], ["fe80::1", "fe80::2", "fe80::3"]),
        (["[fe80::1]:22", "[fe80::2]:22", "[fe80::3]:22"], ["[fe80::1]:22", "[fe80::2]:22", "[fe80::3]:22"]),
        (["b", "a", "b"], ["a", "b"]),
        ([], []),
    ],
)
def test_names_become_as_few_words_as_people_would_write(names: list[str], words: list[str]) -> None:
    assert compact(names) == words


@given(st.lists(st.from_regex(r"[a-c]{0,2}[01289]{1,3}(-[a-c][0129]{1,2})?(\.x)?", fullmatch=True), max_size=40))
def test_the_words_stand_for_exactly_these_names(names: list[str]) -> None:
    words = compact(names)
    assert sorted(name for word in words for name in names_in(word)) == sorted(set(names))
    assert compact(reversed(names)) == words


@given(st.lists(st.from_regex(r"[a-c]?[0129]{0,3}[a-c]?", fullmatch=True), max_size=20))
def test_natural_order_tells_all_names_apart(names: list[str]) -> None:
    ordered = sorted(set(names), key=natural)
    assert len({natural(name) for name in ordered}) == len(ordered)


def test_people_count_and_do_not_spell() -> None:
    assert sorted(["web10", "web2", "db1", "web02"], key=natural) == ["db1", "web02", "web2", "web10"]
