"""Where ledgers stand, in the file and in a real PostgreSQL server: never back or elsewhere; the runs of all."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memrunbook.state import ledger
from memrunbook.state.chain import Link
from memrunbook.state.ledger import LedgerEntry, SealedEntry
from memrunbook.state.store.changes import Store
from memrunbook.state.store.journals import (
    IndexedRun,
    LedgerGrowth,
    known,
    ledgers_of,
    of_other_ledgers,
    runs_elsewhere,
    runs_of,
    saw,
)
from memrunbook.state.store.node_tables import JOURNALS
from memrunbook.state.store.tables import METADATA

RUN = "20261122T094107Z-abcd"
NOW = 1.8e9
Opened = Callable[[], Store]


@pytest.fixture(params=["file", "server"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Opens the same store each time."""
    url = request.getfixturevalue("server").url if request.param == "server" else ""
    stores: list[Store] = []

    def one() -> Store:
        stores.append(Store.open(tmp_path, url))
        return stores[-1]

    yield one
    if url:
        with stores[0].engine.begin() as connection:
            METADATA.drop_all(connection)
            connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    for store in stores:
        store.close()


def written(folder: Path, count: int, run: str = RUN) -> list[SealedEntry]:
    """The entries of a ledger that so many were written to, each of another host."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        ledger.append(folder, [LedgerEntry(run, f"web-{number}.jsonl", "so-far", f"{number:064}", number)], "now")
    return ledger.read(folder)


def growth(entries: Sequence[SealedEntry], *runs: IndexedRun, node: str = "ctl-1", key: str = "") -> LedgerGrowth:
    return LedgerGrowth(key or entries[0].key, node, NOW, entries, runs)


def end(entries: Sequence[SealedEntry]) -> Link:
    return Link(entries[-1].hash, entries[-1].seq)


def indexed(run: str = RUN, began: float = NOW, **more: object) -> IndexedRun:
    plain = {"node": "ctl-1", "runbook": "small", "who": "ada", "reason": "ticket 7", "hosts": ["web-1", "web-2"]}
    return msgspec.convert({**plain, "run": run, "began": began, **more}, IndexedRun)


def test_a_ledger_is_known_as_far_as_it_was_told(opened: Opened, tmp_path: Path) -> None:
    entries = written(tmp_path / "a", 5)
    assert known(opened(), entries[0].key) is None
    assert saw(opened(), growth(entries[:2])) == end(entries[:2])
    assert saw(opened(), growth(entries[2:], key=entries[0].key, node="ctl-2")) == end(entries)
    sight = known(opened(), entries[0].key)
    assert sight is not None
    assert (sight.link, sight.node, sight.at) == (end(entries), "ctl-2", NOW)
    with opened().engine.connect() as connection:
        rows = connection.execute(sa.select(JOURNALS.c.file, JOURNALS.c.head).order_by(JOURNALS.c.file))
        assert [tuple(row) for row in rows] == [(f"web-{number}.jsonl", f"{number:064}") for number in range(5)]


def test_a_place_never_goes_back_and_nothing_is_left_out(opened: Opened, tmp_path: Path) -> None:
    entries, store = written(tmp_path / "a", 6), opened()
    key = entries[0].key
    saw(store, growth(entries[:4]))
    for told in (entries[:2], entries[:4], entries[1:4], entries[5:], entries[2:5]):
        assert saw(store, growth(told, indexed(reason="forged"), key=key)) == end(entries[:4])
    assert runs_of(store, key) == (), "what is not taken leaves nothing"
    assert saw(store, growth(entries[4:], key=key)) == end(entries)


def test_another_ledger_in_its_place_is_not_taken(opened: Opened, tmp_path: Path) -> None:
    entries, store = written(tmp_path / "a", 3), opened()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    saw(store, growth(written(tmp_path / "a", 1)))
    other = written(tmp_path / "b", 4, "20261122T094107Z-efgh")
    assert (other[0], len(other)) == (entries[0], 7)
    for told in (other, other[3:], other[4:]):
        assert saw(store, growth(told, key=entries[0].key)).count == 4
    sight = known(store, entries[0].key)
    assert sight is not None
    assert sight.link == end(ledger.read(tmp_path / "a"))


def test_entries_that_do_not_follow_on_one_another_are_refused(opened: Opened, tmp_path: Path) -> None:
    entries, store = written(tmp_path / "a", 3), opened()
    for told in ([entries[0], entries[2]], [entries[1], entries[0]], [entries[0], entries[0]]):
        with pytest.raises(ValueError, match="does not follow"):
            saw(store, growth(told))
    assert known(store, entries[0].key) is None


def test_of_many_that_tell_at_once_each_place_is_taken_once(opened: Opened, tmp_path: Path) -> None:
    entries = written(tmp_path / "a", 6)
    stores = [opened() for _ in range(6)]
    places: list[Link] = []

    def tell(number: int) -> None:
        store = stores[number]
        while (place := saw(store, growth([entries[number]], key=entries[0].key))).count <= number:
            pass
        places.append(place)

    threads = [threading.Thread(target=tell, args=(number,)) for number in reversed(range(6))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(places) == 6
    sight = known(stores[0], entries[0].key)
    assert sight is not None
    assert sight.link == end(entries)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(1, 5)), max_size=12))
def test_whatever_is_told_the_witness_takes_no_shorter_and_no_other_ledger(
    told: list[tuple[bool, int, int]], tmp_path_factory: pytest.TempPathFactory, chains: list[list[SealedEntry]]
) -> None:
    """Parts of the ledger and of a forged one with the same beginning, in any order: it moves on along one of them."""
    folder = tmp_path_factory.mktemp("store")
    store, key = Store.open(folder), chains[0][0].key
    before = Link()
    for forged, first, count in told:
        part = chains[forged][first : first + count]
        if not part:
            continue
        place = saw(store, growth(part, key=key))
        sight = known(store, key)
        assert place == (sight.link if sight else Link())
        assert place.count >= before.count
        on = [chain for chain in chains if place.count == 0 or chain[place.count - 1].hash == place.head]
        assert [one for one in on if before.count == 0 or one[before.count - 1].hash == before.head]
        before = place
    store.close()


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> list[list[SealedEntry]]:
    folder = tmp_path_factory.mktemp("chains")
    written(folder / "a", 3)
    shutil.copytree(folder / "a", folder / "b")
    return [written(folder / "a", 7), written(folder / "b", 7, "20261122T094107Z-efgh")]


def test_runs_are_listed_with_the_newest_first_and_a_bound(opened: Opened, tmp_path: Path) -> None:
    mine, theirs, store = written(tmp_path / "a", 2), written(tmp_path / "b", 2), opened()
    ended = indexed(ended=NOW + 5, outcomes=[["web-1", "resolved"], ["web-2", "failed"]], part_of="R0")
    odd = indexed("20261122T094107Z-nulx", NOW + 2, reason="a\0b\udc80\n", who="bob", hosts=[])
    saw(store, growth(mine[:1], indexed()))
    saw(store, growth(mine[1:], ended, key=mine[0].key))
    saw(store, growth(theirs, odd, indexed("20261122T094109Z-newx", NOW + 3), node="ctl-2"))
    assert runs_of(store, mine[0].key) == (msgspec.structs.replace(ended, key=mine[0].key),)
    assert [one.run[-4:] for one in runs_elsewhere(store)] == ["newx", "nulx", "abcd"]
    assert [one.run[-4:] for one in runs_elsewhere(store, mine[0].key, most=1)] == ["newx"]
    [found] = runs_elsewhere(store, mine[0].key, begins="20261122T094107Z")
    assert (found.reason, found.who, found.hosts) == ("ab\\udc80\n", "bob", ())
    assert runs_elsewhere(store, begins="2026%") == ()


def test_a_run_of_another_ledger_of_the_same_node_is_known(opened: Opened, tmp_path: Path) -> None:
    old, new, store = written(tmp_path / "a", 2), written(tmp_path / "b", 2), opened()
    saw(store, growth(old))
    saw(store, growth(written(tmp_path / "c", 1, "20261122T094109Z-abcd"), node="ctl-2"))
    asked = ["20261122T094108Z-none", RUN, "20261122T094109Z-abcd"]
    assert of_other_ledgers(store, [new[0].key], "ctl-1", asked) == ((RUN, old[0].key),)
    assert of_other_ledgers(store, [old[0].key], "ctl-1", asked) == ()
    assert list(ledgers_of(store, "ctl-1")) == [old[0].key]
    assert ledgers_of(store, "ctl-3") == {}
