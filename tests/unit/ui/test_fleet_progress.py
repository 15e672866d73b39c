from __future__ import annotations

import pytest

from memrunbook.core.instant import Instant
from memrunbook.ui.fleet_progress import ENDED_BADLY, LISTED, HostNow, HostState, fleet_lines
from memrunbook.ui.layout import cells


def at(seconds: float) -> Instant:
    return Instant(utc=1000.0 + seconds, monotonic=seconds)


def shown(hosts: dict[str, HostNow], width: int = 80, height: int = 24, now: float = 60.0) -> list[str]:
    lines = fleet_lines(hosts, at(0), at(now), width, height)
    assert all(cells(content) <= width for content in lines)
    assert len(lines) <= max(1, height)
    return ["".join(span.text for span in content) for content in lines]


def test_hosts_are_counted_by_state_and_those_at_work_are_listed_the_longest_first() -> None:
    hosts = {
        "web-1": HostNow("changing", "restart: Restart hog.service", at(19), 60.0),
        "web-2": HostNow("connecting", "connecting", at(58)),
        "web-3": HostNow("waiting", "", at(0)),
        "web-4": HostNow("resolved", "", at(10)),
        "web-5": HostNow("read", "", at(10)),
        "web-6": HostNow("unreachable", "", at(10)),
    }
    first, *rows = shown(hosts)
    assert first == "6 hosts, 60 s: 1 waiting, 1 connecting, 1 changing, 2 done, 1 unreachable"
    assert [row.split() for row in rows] == [
        ["web-1", "restart:", "Restart", "hog.service", "41", "s", "of", "60", "s"],
        ["web-2", "connecting", "2.0", "s"],
    ]


def test_those_that_are_not_listed_are_counted() -> None:
    hosts = {f"web-{n:02}": HostNow("reading", "reading 20 facts", at(n / 10)) for n in range(20)}
    first, *rows, last = shown(hosts)
    assert first == "20 hosts, 60 s: 20 reading"
    assert [row.split()[0] for row in rows] == [f"web-{n:02}" for n in range(LISTED - 1)]
    assert last == "  and 13 more"


@pytest.mark.parametrize("width", [40, 57, 77, 117])
@pytest.mark.parametrize("height", [3, 6, 24, 60])
def test_it_is_never_wider_or_taller_than_the_terminal(width: int, height: int) -> None:
    states: tuple[HostState, ...] = ("connecting", "reading", "at a gate", "changing", "proving")
    hosts = {
        f"a-very-long-host-name-of-the-search-cluster-{n}.example.org": HostNow(
            states[n % 5], "restart: Restart search-api\x1b[31m.service 搜索" * 3, at(n), 90.0
        )
        for n in range(30)
    }
    hosts |= {f"done-{state}": HostNow(state, "", at(0)) for state in ENDED_BADLY}
    told = shown(hosts, width, height)
    assert told[0].startswith(f"{len(hosts)} hosts, 60 s: ")
    assert "\x1b" not in "".join(told)


def test_a_host_that_waits_for_nothing_in_particular_has_no_deadline() -> None:
    assert shown(
        {"a": HostNow("connecting", "TCP answers, no SSH banner", at(19)), "b": HostNow("waiting", "", at(0))}
    )[1].endswith("  41 s")
