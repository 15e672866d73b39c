"""The queue, in the file and on a real PostgreSQL server."""

from __future__ import annotations

import threading

import msgspec
import pytest
from msgspec import structs
from tests.unit.state.conftest import Opened

from memrunbook.core.run.notification import Notification
from memrunbook.core.run.together import together
from memrunbook.core.units import DAY, HOUR
from memrunbook.state.store import notifications as queue
from memrunbook.state.store.changes import Store

NOW, LEASE = 1.8e9, 60.0
FAILED = Notification(occasion="failed", key="failed web1", at=NOW, verdict="web1: it failed", host="web1")


def due(store: Store, now: float, *names: str) -> list[tuple[str, int]]:
    return [(one.notification.key, one.seen) for one in queue.claim(store, names or ("hook",), now, LEASE)]


def test_what_is_claimed_is_nobody_elses_until_its_lease_ends(opened: Opened) -> None:
    queue.queue(opened(), "hook", [FAILED], HOUR, NOW)
    assert due(opened(), NOW) == [("failed web1", 1)]
    assert due(opened(), NOW + LEASE - 1) == []
    [again] = queue.claim(opened(), ["hook"], NOW + LEASE + 1, LEASE)
    assert again.notification == FAILED
    queue.sent(opened(), again, NOW + 70)
    assert due(opened(), NOW + 5 * HOUR) == []
    assert [(one.state, one.ended) for one in queue.listed(opened())] == [("sent", NOW + 70)]


def test_the_same_within_its_interval_is_counted_and_told_after_it(opened: Opened) -> None:
    store = opened()
    for minute in range(14):
        queue.queue(store, "hook", [FAILED], HOUR, NOW + 60 * minute)
        if minute == 0:
            [first] = queue.claim(store, ["hook"], NOW, LEASE)
            queue.sent(store, first, NOW)
    assert due(store, NOW + HOUR - 1) == []
    assert [one.seen for one in queue.listed(store)] == [14]
    queue.queue(store, "hook", [FAILED], HOUR, NOW + HOUR)
    assert due(store, NOW + HOUR) == [("failed web1", 14)]  # 13 untold ones and this one
    queue.queue(store, "other", [FAILED], HOUR, NOW + HOUR)
    assert due(store, NOW + HOUR, "other") == [("failed web1", 1)]


def test_what_waits_is_counted_however_long_ago_it_was_queued(opened: Opened) -> None:
    store = opened()
    queue.queue(store, "hook", [FAILED], HOUR, NOW)
    queue.queue(store, "hook", [FAILED], HOUR, NOW + 3 * HOUR)
    assert due(store, NOW + 3 * HOUR) == [("failed web1", 2)]


def test_it_is_tried_later_and_later_and_then_given_up(opened: Opened) -> None:
    store, now, waits = opened(), NOW, []
    queue.queue(store, "hook", [FAILED], HOUR, now)
    for _ in range(queue.MOST_ATTEMPTS):
        [one] = queue.claim(store, ["hook"], now, LEASE)
        queue.failed(store, one, "it says 500", now)
        [left] = queue.listed(store)
        assert due(store, left.due - 1) == []
        waits.append(left.due - now)
        now = left.due + 1
    assert waits[:4] == [30, 120, 480, 1920]
    assert max(waits) == queue.LONGEST_WAIT
    [end] = queue.listed(store)
    assert (end.state, end.problem, end.attempts) == ("given-up", "it says 500", queue.MOST_ATTEMPTS)
    assert due(store, now) == []
    queue.queue(store, "hook", [FAILED], HOUR, now)  # what was given up was never told
    assert due(store, now) == [("failed web1", 1)]


def test_with_all_also_what_is_tried_later(opened: Opened) -> None:
    store = opened()
    queue.queue(store, "hook", [FAILED], HOUR, NOW)
    [one] = queue.claim(store, ["hook"], NOW, LEASE)
    queue.failed(store, one, "no", NOW)
    assert due(store, NOW + 1) == []
    assert len(queue.claim(store, ["hook"], NOW + 1, LEASE, every=True)) == 1


def test_what_is_too_old_or_too_much_is_given_up(opened: Opened) -> None:
    store = opened()
    queue.queue(store, "hook", [FAILED], HOUR, NOW)
    assert due(store, NOW + queue.OLDEST + 1) == []
    [old] = queue.listed(store)
    assert (old.state, old.problem) == ("given-up", "too old by now; ")
    many = [msgspec.structs.replace(FAILED, key=f"k{n}") for n in range(queue.MOST_WAITING + 3)]
    queue.queue(store, "hook", many, HOUR, NOW + 4 * DAY)
    assert queue.counts(store) == {("hook", "waiting"): queue.MOST_WAITING, ("hook", "given-up"): 4}
    assert due(store, NOW + 4 * DAY)[0] == ("k3", 1)
    assert len(due(store, NOW + 4 * DAY)) == queue.AT_ONCE


def test_what_ended_long_ago_is_forgotten(opened: Opened) -> None:
    store = opened()
    queue.queue(store, "hook", [FAILED], HOUR, NOW)
    [one] = queue.claim(store, ["hook"], NOW, LEASE)
    queue.sent(store, one, NOW)
    assert due(store, NOW + queue.KEPT + 1) == []
    assert queue.listed(store) == []


def test_what_was_put_back_waits_a_minute_and_is_not_counted(opened: Opened) -> None:
    store = opened()
    queue.queue(store, "hook", [FAILED], HOUR, NOW)
    queue.put_back(store, queue.claim(store, ["hook"], NOW, LEASE), NOW)
    assert due(store, NOW + 59) == []
    [one] = queue.claim(store, ["hook"], NOW + 61, LEASE)
    assert one.attempts == 0


def test_two_who_queue_and_claim_at_once_tell_it_once(opened: Opened) -> None:
    stores, claimed = [opened(), opened()], list[str]()
    begin = threading.Barrier(2)

    def work(store: Store) -> None:
        begin.wait()
        queue.queue(store, "hook", [FAILED], HOUR, NOW)
        claimed.extend(key for key, _ in due(store, NOW + 1))

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert claimed == ["failed web1"]
    [one] = queue.listed(stores[0])
    assert one.seen == 2


@pytest.mark.parametrize(("after", "due"), [(0.0, 30.0), (300.0, 300.0), (1e9, HOUR)])
def test_a_receiver_says_when_it_may_be_tried_again(opened: Opened, after: float, due: float) -> None:
    store = opened()
    queue.queue(store, "hook", [FAILED], HOUR, NOW)
    [one] = queue.claim(store, ["hook"], NOW, LEASE)
    queue.failed(store, one, "it says 429", NOW, after)
    assert queue.listed(store)[0].due == NOW + due


def test_one_look_by_a_clock_that_is_a_year_ahead_silences_nobody(opened: Opened) -> None:
    store, ahead = opened(), NOW + 365 * DAY
    queue.queue(store, "hook", [FAILED], HOUR, ahead)
    [first] = queue.claim(store, ["hook"], ahead, LEASE)
    queue.queue(store, "other", [FAILED], HOUR, ahead)
    [other] = queue.claim(store, ["other"], ahead, LEASE)
    queue.failed(store, other, "down", ahead)
    queue.sent(store, first, ahead)
    queue.queue(store, "hook", [FAILED], HOUR, NOW)
    assert due(store, NOW) == [("failed web1", 1)], "it was not told an hour ago"
    assert due(store, NOW, "other") == [("failed web1", 1)], "it is tried again within the hour"
    queue.queue(store, "third", [FAILED], HOUR, ahead)
    assert queue.claim(store, ["third"], ahead, LEASE)
    assert due(store, NOW, "third") == [("failed web1", 1)], "nobody has it for a year"
    queue.queue(store, "hook", [FAILED], HOUR, NOW - 5)
    assert due(store, NOW + LEASE + 1) == [("failed web1", 2)], "clocks of two nodes differ by seconds"


def test_of_several_hosts_only_those_are_told_that_were_not_told_of_late(opened: Opened) -> None:
    store = opened()
    told = []
    for hour in range(4):  # each time another host of the same twenty is well
        hosts = [host for host in range(20) if (host + hour) % 20]
        failed = [structs.replace(FAILED, key=f"failed {host}", host=f"h{host}", run=f"r{hour}") for host in hosts]
        queue.queue(store, "hook", failed, 5 * HOUR, NOW + hour * HOUR, join=lambda some: together(some, str))
        for one in queue.claim(store, ["hook"], NOW + hour * HOUR, LEASE):
            told.append(one.notification.verdict)
            queue.sent(store, one, NOW + hour * HOUR)
    assert [words.split(": ")[0] for words in told] == ["19 hosts (h[1:19])", "web1"]
    assert [one.seen for one in queue.listed(store)] == [3, 4]
    queue.queue(store, "hook", failed, 5 * HOUR, NOW + 5 * HOUR, join=lambda some: together(some, str))
    [again] = queue.claim(store, ["hook"], NOW + 5 * HOUR, LEASE)
    assert (len(again.notification.covers), again.seen) == (18, 4)
