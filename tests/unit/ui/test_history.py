"""What is drawn of the past: a verdict first, no holder's name cut, swap that is not there left out."""

from __future__ import annotations

import re
from typing import Any

from msgspec import structs

from memrunbook.core.instant import Instant
from memrunbook.core.reading.baseline import Baseline, Headroom, HostPast
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.ui.history import fleet_view, host_view, nothing_view, plots_view
from memrunbook.ui.layout import lay_out, plain
from memrunbook.ui.plot import Canvas

GIB = float(1 << 30)
NOW = Instant(1_700_000_000.0, 0.0)
LONG = "a-service-whose-name-is-so-long-that-nothing-else-has-room-beside-it.service"


def known(figure: str, name: str = "", kind: Kind = "host", begun: tuple[float, ...] = (), **more: Any) -> Baseline:
    values: dict[str, Any] = {
        "now": GIB,
        "median": GIB,
        "p95": GIB,
        "peak": 2 * GIB,
        "per_day": 0.0,
        "limit": 4 * GIB,
        **more,
    }
    return Baseline(
        kind=kind, name=name, figure=figure, points=9, since=NOW.utc - 99_999, until=NOW.utc, least=0.0, begun=begun,
        course=(1.0, None, 2.0), **values,
    )  # fmt: skip


def past(percent: float | None, *more: Baseline, host: str = "db") -> HostPast:
    room = Headroom(
        "not known yet" if percent is None else "too little" if percent < 20 else "enough", percent, GIB, 60
    )
    return HostPast(host, room, 2, (), (known("memory.used_bytes", per_day=GIB), *more))


def drawn(blocks: object, width: int | None = None) -> str:
    return "\n".join(plain(line) for line in lay_out(blocks, width))  # type: ignore[arg-type]


def test_the_verdict_stands_first() -> None:
    assert drawn(host_view(past(40.0), NOW, plain=False)).startswith("OK: db has 40 % of its RAM left")
    assert drawn(host_view(past(4.0), NOW, plain=False)).startswith("WARNING: db has 4 % of its RAM left")
    assert drawn(host_view(past(None), NOW, plain=False)).startswith("UNKNOWN: db is known for 60 s: what is usual")


def test_a_host_has_its_figures_and_its_largest_holders() -> None:
    units = [known("units.own_bytes", name, "unit", begun=(1.0,)) for name in (LONG, "b.service")]
    page = drawn(host_view(past(40.0, *units, known("swap.used_bytes", limit=0.0)), NOW, plain=False), 80)
    assert "RAM used  ▁ █     1.0 GiB  1.0 GiB  1.0 GiB  2.0 GiB  +1.0 GiB" in page
    assert "OOM kills  2" in page
    assert "b.service, limit 4.0 GiB, 2 runs" in page
    assert "swap used" not in page
    assert LONG in drawn(host_view(past(40.0, *units), NOW, plain=False))
    assert drawn(host_view(past(40.0, *units), NOW, plain=True)).isascii()


def test_of_several_hosts_the_worst_stand_first() -> None:
    page = drawn(fleet_view([past(40.0), past(4.0, host="web"), past(None, host="new")], ["gone"], plain=False))
    assert page.startswith("WARNING: 1 of 3 hosts with less than 20 % of RAM left when busy: web")
    assert page.index("\n  web") < page.index("\n  db") < page.index("\n  new")
    assert "Nothing is known of 1 host: gone" in page
    assert drawn(fleet_view([past(40.0)], [], plain=False)).startswith("OK: 1 host with 20 %")
    assert drawn(fleet_view([past(None)], [], plain=False)).startswith("UNKNOWN: no host is known for a day yet")


def test_nothing_is_known_and_how_to_begin() -> None:
    assert "runbook diagnose --host db" in drawn(nothing_view(["db"], "runbook diagnose --host db"))
    assert drawn(nothing_view([], "x")).startswith("UNKNOWN: nothing is known of any host yet")


def test_the_largest_are_plotted_and_the_others_named() -> None:
    pairs = [
        (
            Series("unit", f"u{number}", "units.own_bytes", (Observation(NOW.utc, GIB),)),
            known("units.own_bytes", f"u{number}", "unit", begun=(NOW.utc,), now=number * GIB),
        )
        for number in range(6)
    ]
    pages = [drawn(page) for page in plots_view("db", pairs, Canvas(60))]
    assert len(pages) == 5
    assert pages[0].startswith("units.own_bytes of u5 on db: now 5.0 GiB")
    assert "^ seen in a new run: 1 time" in pages[0]
    assert pages[4] == "2 more, named with --unit: u0, u1"


def test_figures_are_not_called_units() -> None:
    figures = [f"swap.f{number}" for number in range(6)]
    pairs = [(Series("host", "", one, (Observation(NOW.utc, 1.0),)), known(one)) for one in figures]
    last = drawn(list(plots_view("db", pairs, Canvas(60)))[-1])
    assert last == "2 more, each drawn by its name: swap.f4, swap.f5"
    one_unit = [(series, known(series.figure, "api.service", "unit")) for series, _ in pairs]
    assert drawn(list(plots_view("db", one_unit, Canvas(60)))[-1]) == last


LEAK = {
    "growth_bytes_per_second": int(60 * GIB / 1024 / 3600),
    "growth_low_bytes_per_second": int(57 * GIB / 1024 / 3600),
    "growth_high_bytes_per_second": int(66 * GIB / 1024 / 3600),
    "known_seconds": 3 * 86400.0,
    "lives": 4,
    "limit_bytes": int(4 * GIB),
    "seconds_to_limit": 21 * 3600.0,
    "earliest_seconds_to_limit": 19 * 3600.0,
    "latest_seconds_to_limit": 24 * 3600.0,
}
WORDS = "over 4 lives; reaches its own limit of 4.0 GiB in 21 h (19-24 h), if nothing changes"


def test_a_leak_that_restarts_hide_is_not_called_steady() -> None:
    leaky = known("units.own_bytes", "api.service", "unit", begun=(1.0, 2.0, 3.0), leak=LEAK)
    page = drawn(host_view(past(40.0, leaky, known("slab.unreclaimable_bytes", leak=LEAK)), NOW, plain=False))
    assert "leaks  api.service, limit 4.0 GiB, 4 runs" in re.sub(" {3,}", "  ", page)
    assert page.count(WORDS) == 2
    assert "steady" not in "".join(line for line in page.splitlines() if "api.service" in line or "slab" in line)
    series = Series("unit", "api.service", "units.own_bytes", (Observation(1.0, GIB), Observation(2.0, GIB)))
    plotted = drawn(next(iter(plots_view("db", [(series, leaky)], Canvas(78)))))
    assert WORDS in plotted
    assert "no trend" not in plotted


def test_a_host_whose_room_is_not_known_is_named() -> None:
    bare = HostPast("old", None, 0, (), (known("memory.free_bytes"),))
    page = drawn(fleet_view([past(40.0), bare], [], plain=False))
    assert "How much RAM is left is not known of 1 host: old" in page


def test_a_thousand_hosts_are_not_named_in_a_sentence() -> None:
    many = [past(4.0, host=f"web-{number:02}") for number in range(20)]
    first = drawn(fleet_view(many, [f"db-{number}" for number in range(9)], plain=False)).splitlines()
    assert "web-00, web-01, web-02, web-03, web-04 and 15 more; " in first[0]
    assert "Nothing is known of 9 hosts: db-0, db-1, db-2, db-3, db-4 and 4 more" in first
    assert "of db-0, db-1, db-2, db-3, db-4 and 4 more yet" in drawn(nothing_view([f"db-{n}" for n in range(9)], "x"))


def test_of_less_than_a_day_nobody_says_that_it_is_steady() -> None:
    young = structs.replace(known("units.own_bytes", "api.service", "unit"), since=NOW.utc - 3600)
    used = structs.replace(known("memory.used_bytes"), since=NOW.utc - 3600)
    short = HostPast("db", Headroom("not known yet", None, GIB, 3600), 2, (), (used, young))
    for page in (host_view(short, NOW, plain=False), fleet_view([short, short], (), plain=False)):
        assert "steady" not in drawn(page)
        assert "no trend" not in drawn(page)
    assert "steady" in drawn(host_view(past(40.0, known("units.own_bytes", "api.service", "unit")), NOW, plain=False))
