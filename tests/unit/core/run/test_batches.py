"""Batches: their sizes as typed, and that no host is left out, begun twice or out of its order."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.errors import UsageError
from memrunbook.core.run.batches import Rollout, Share, batches, few, share

SHARES = st.one_of(st.builds(Share, st.integers(1, 300)), st.builds(Share, st.integers(1, 100), percent=st.just(True)))


@given(st.integers(0, 400), st.lists(SHARES, max_size=4))
def test_each_host_is_in_one_batch_in_its_order_and_none_is_empty(hosts: int, serial: list[Share]) -> None:
    found = batches(range(hosts), serial)
    assert [host for batch in found for host in batch] == list(range(hosts))
    assert all(found)
    sizes = [serial[min(number, len(serial) - 1)].of(hosts) if serial else hosts for number in range(len(found))]
    assert [len(batch) for batch in found[:-1]] == sizes[:-1]
    assert not found or len(found[-1]) <= sizes[-1]


@pytest.mark.parametrize(
    ("hosts", "serial", "sizes"),
    [
        (20, ("1", "10%", "50%"), [1, 2, 10, 7]),
        (20, ("30%",), [6, 6, 6, 2]),
        (3, ("10%",), [1, 1, 1]),
        (3, ("5",), [3]),
        (5, (), [5]),
        (7, ("1", "3"), [1, 3, 3]),
        (4, ("100%",), [4]),
    ],
)
def test_the_sizes_are_as_ansibles(hosts: int, serial: tuple[str, ...], sizes: list[int]) -> None:
    assert [len(batch) for batch in batches(range(hosts), Rollout(serial=serial).sizes)] == sizes


@given(st.integers(1, 1000), st.integers(1, 100))
def test_percent_of_failures_are_reached_and_not_before(hosts: int, percent: int) -> None:
    count = Share(percent, percent=True).reached_at(hosts)
    assert 1 <= count <= hosts
    assert count * 100 >= percent * hosts
    assert (count - 1) * 100 < percent * hosts


@pytest.mark.parametrize(
    "word", ["0", "0%", "-1", "101%", "1000%", "", "x", "1.5", "5 %", "1%%", "٣", "01", "1e3", "9" * 30]
)
@pytest.mark.parametrize("where", ["--serial", "--max-failures"])
def test_what_is_no_number_of_hosts_is_refused(word: str, where: str) -> None:
    with pytest.raises(UsageError, match="is no number of hosts") as refused:
        share(word, where)
    assert (refused.value.where, "1% to 100%" in refused.value.hint) == (where, True)


def test_a_rollout_of_rubbish_cannot_be_made() -> None:
    with pytest.raises(UsageError):
        Rollout(serial=("1", "x")).checked()
    with pytest.raises(UsageError):
        Rollout(max_failures="0").checked()


def test_with_batches_the_first_failure_ends_the_run_unless_more_were_said() -> None:
    assert Rollout().most is None
    assert Rollout(serial=("1",)).most == Share(1)
    assert Rollout(serial=("1",), max_failures="20%").most == Share(20, percent=True)
    assert Rollout(max_failures="3").most == Share(3)


def test_it_is_kept_as_it_was_typed() -> None:
    rollout = Rollout(serial=("1", "10%"), max_failures="2", retry_file="/tmp/x")
    assert msgspec.convert(msgspec.to_builtins(rollout), Rollout) == rollout
    assert rollout.with_file("") == rollout
    assert rollout.with_file("/y").retry_file == "/y"


def test_of_many_names_the_first_are_told() -> None:
    assert few(["a", "b", "c"]) == "a, b, c"
    assert few(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
