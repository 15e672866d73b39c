"""Patterns that choose among the hosts of an inventory."""

from __future__ import annotations

import pytest
from tests.unit.core.inventory.fleet import FLEET

from memrunbook.core.errors import UsageError
from memrunbook.core.inventory.patterns import chooses, is_empty, select, split

WEB = [f"web{number}" for number in range(1, 8)]
DB = ["db1.example.com", "db2.example.com"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("all", ["lone", "twin", *WEB, *DB]),
        ("web", WEB),
        ("web:db", [*WEB, *DB]),
        ("web,db", [*WEB, *DB]),
        ("web:&staging", ["web6", "web7"]),
        ("web:&prod:!web7", WEB[:6]),
        ("!web", ["lone", "twin", *DB]),
        ("prod:!staging:!db", WEB[:5]),
        ("ungrouped", ["lone", "twin"]),
        ("*.example.com", DB),
        ("db?.example.com", DB),
        ("~web[12]$", ["web1", "web2"]),
        ("~(db|lo)", [*DB, "lone"]),
        ("web[0]", ["web1"]),
        ("web[-1]", ["web7"]),
        ("web[0:2]", ["web1", "web2", "web3"]),
        ("web[5:]", ["web6", "web7"]),
        ("db[0:1]", DB),
        ("web[1-2]", ["web2", "web3"]),
        ("w*[0]", ["web1"]),
        ("db1.example.com", ["db1.example.com"]),
        ("192.0.2.4", ["web4"]),
        ("web:!nothing*", WEB),
    ],
)
def test_what_a_pattern_chooses(pattern: str, names: list[str]) -> None:
    assert sorted(select(FLEET, [pattern], "--limit")) == sorted(names)


def test_behind_what_is_no_group_brackets_are_a_range_of_names() -> None:
    assert select(FLEET, ["db[1:2].example.com"], "--limit") == DB


def test_what_begins_with_a_zero_is_a_range_of_names_even_behind_a_group() -> None:
    with pytest.raises(UsageError, match="no host or group matches 'web01'"):
        select(FLEET, ["web[01:02]"], "--limit")


def test_several_patterns_are_one() -> None:
    assert select(FLEET, ["web", "!web[0:5]"], "--limit") == ["web7"]


@pytest.mark.parametrize(
    ("pattern", "why", "hint"),
    [
        ("wbe", "no host or group matches 'wbe'", "'web'"),
        ("web:!web77", "no host or group matches 'web77'", "web7"),
        ("web:&prd", "no host or group matches 'prd'", "prod"),
        ("web[1:3]", "may be hosts of these names, or hosts of the group web by their position", "names out"),
        ("web[9]", "no host stands at 'web[9]'", "web has 7"),
        ("~web(", "is no pattern", "regular expression"),
        ("zz[3:1]", "empty or too large", ""),
    ],
)
def test_what_chooses_nothing_is_refused(pattern: str, why: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        select(FLEET, [pattern], "--limit")
    assert why in refused.value.message
    assert hint in refused.value.hint
    assert refused.value.where == "--limit"


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("a:b", ["a", "b"]),
        ("a,b:c", ["a", "b:c"]),
        ("web01:22", ["web01:22"]),
        ("2001:db8::1", ["2001:db8::1"]),
        ("ada@web01:2222", ["ada@web01:2222"]),
        ("web[0:2]:!x[1:3]", ["web[0:2]", "!x[1:3]"]),
    ],
)
def test_where_a_pattern_is_split(pattern: str, parts: list[str]) -> None:
    assert split(pattern) == parts


NOTHING = ["", " ", ",", ":", ", ,", "!", "&", "~", "!~"]
SOMETHING_LEFT_OUT = ["web:!", "web:&", "web,!", ",!web1", "!web1,", ":!web1", "!web1:"]


@pytest.mark.parametrize("pattern", [*NOTHING, *SOMETHING_LEFT_OUT])
def test_something_is_left_out_where_it_would_mean_too_many(pattern: str) -> None:
    assert is_empty(pattern)


PLAIN = ["web", "web,", ",web", "web:", "!web1", "web:!web1", "web,&prod,!~db.*", "2001:db8::1", "::1", "h:22"]


@pytest.mark.parametrize("pattern", PLAIN)
def test_nothing_is_left_out_where_less_is_meant(pattern: str) -> None:
    assert not is_empty(pattern)


def test_a_word_chooses_where_it_is_a_pattern_or_a_group() -> None:
    assert all(chooses(word, FLEET) for word in ("web", "all", "web:!web1", "~x", "w*", "web[0]", "a,!b"))
    assert not any(chooses(word, FLEET) for word in ("web1", "ada@web1:22", "new[1:3]", "a,b", "::1"))
