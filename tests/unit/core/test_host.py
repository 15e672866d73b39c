"""How hosts are named on the command line."""

from __future__ import annotations

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host, parse_hosts


def test_user_name_and_port() -> None:
    assert parse_hosts(["root@db7:2222", "web", "local"]) == [
        Host("db7", "root", 2222),
        Host("web"),
        Host("local", transport="local"),
    ]


def test_an_address_of_version_six_stands_in_brackets() -> None:
    assert parse_hosts(["ops@[::1]:22"]) == [Host("::1", "ops", 22)]


def test_lists_and_ranges_name_each_host_once() -> None:
    found = parse_hosts(["web[08:10],web09", "a[1:2]b[1:2]"])
    assert [host.name for host in found] == ["web08", "web09", "web10", "a1b1", "a1b2", "a2b1", "a2b2"]


@pytest.mark.parametrize("word", ["", " ", ",", " , "])
def test_an_empty_word_is_refused(word: str) -> None:
    """A script's empty variable."""
    with pytest.raises(UsageError, match="names no host"):
        parse_hosts(["web1", word])


@pytest.mark.parametrize("word", ["-oProxyCommand=x", "a b", "web:99999", "$(reboot)", "a@b@c", "web[1:x]", "/etc"])
def test_what_is_no_host_is_refused(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_hosts([word])
    assert "is no host" in caught.value.message


@pytest.mark.parametrize("word", ["web[3:1]", "web[1:60000]"])
def test_a_range_that_is_empty_or_too_large(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_hosts([word])
    assert "empty or too large" in caught.value.message


def test_too_many_hosts() -> None:
    with pytest.raises(UsageError) as caught:
        parse_hosts(["a[1:49999]", "b[1:49999]"])
    assert "more than 50000 hosts" in caught.value.message


@pytest.mark.parametrize("word", ["db7", "ada@db7", "ada@db7:2222", "[::1]:22", "root@[fe80::1]", "local"])
def test_a_host_is_typed_as_it_was_named(word: str) -> None:
    [host] = parse_hosts([word])
    assert host.typed == word
    assert parse_hosts([host.typed]) == [host]
