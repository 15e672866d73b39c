"""The page of many hosts: its first line, that it names everybody, and that it is short."""

from __future__ import annotations

import io
from collections.abc import Sequence

from msgspec import structs
from tests.golden import samples as s
from tests.golden.fleet_pages import BLIND, CALM, HOSTS, away, grower, read, thrashing

from memrunbook.core.errors import Unreachable
from memrunbook.core.plan.headline import Headline
from memrunbook.core.plan.ranking import ranked
from memrunbook.core.ranges import names_in
from memrunbook.ui.fleet import TYPED, fleet_view
from memrunbook.ui.screen import Screen


def page(hosts: Sequence[Headline], command: str = "", off: str = "", width: int | None = None) -> list[str]:
    ranking = ranked(hosts)
    stream = io.StringIO()
    screen = Screen("never", stream, {"TERM": "dumb"}, width)
    screen.width = width
    screen.show(fleet_view(ranking, [command for _ in ranking.groups], off))
    return stream.getvalue().splitlines()


def test_every_host_that_is_not_healthy_is_named() -> None:
    text = "\n".join(page(HOSTS))
    named = {
        name for word in text.replace(",", " ").replace(":\n", "\n").split() for name in names_in(word.strip(":;"))
    }
    assert {one.name for one in HOSTS if one.word != "OK"} <= named


def test_the_first_line_is_never_ok_above_what_is_not() -> None:
    calm, blind, gone = read("a", CALM), read("b", BLIND), away("c", Unreachable("gone"))
    assert page([calm])[0] == "OK: nothing is wrong with the memory of 1 host"
    assert page([calm, blind])[0].startswith("UNKNOWN: 1 of 2 hosts: 1 not judged; no incident is proven on b")
    assert page([calm, gone])[0] == "UNKNOWN: 1 of 2 hosts: 1 not reached; c not reached: gone"
    assert page([calm, gone, read("d", s.LEAK)])[0].startswith("WARNING: 1 of 3 hosts, 1 not reached; a service grows")


def test_a_command_too_long_for_the_verdict_stands_in_the_table_alone() -> None:
    hosts = [read("a", thrashing(grower(2, 0, 0))), read("b", CALM)]
    long = "runbook plan " + "x" * TYPED
    lines = page(hosts, long)
    assert lines[0].endswith("; next: see below")
    assert f"next: {long}" in "\n".join(lines[1:])
    assert page(hosts, "runbook plan x")[0].endswith("; next: runbook plan x")


def test_what_is_held_or_switched_off_comes_before_the_table() -> None:
    held = structs.replace(read("w1", CALM), held=("x is frozen",))
    off = structs.replace(read("w2", CALM), switched_off="changes are switched off on this host: why")
    lines = page([held, off], off="changes are switched off: maintenance")
    assert lines[1] == "SWITCHED OFF: changes are switched off: maintenance; nothing will be changed"
    assert lines[2].startswith("HELD: frozen or changed for a while")
    assert lines[2].endswith(": w1")
    assert lines[3] == "SWITCHED OFF: w2; nothing will be changed there"


def test_nothing_is_cut_on_a_narrow_terminal() -> None:
    narrow = " ".join(" ".join(page(HOSTS, width=60)).split())
    assert all(len(line) <= 60 for line in page(HOSTS, width=60))
    assert "if that is right: ssh-keygen -R db9.example.com" in narrow


def test_two_hundred_hosts_in_one_trouble_are_a_few_lines() -> None:
    lines = page([read(f"web{number:03}", thrashing(grower(1 + number, 0, 1))) for number in range(200)])
    assert len(lines) < 12
    assert "web[000:199]" in "\n".join(lines)
