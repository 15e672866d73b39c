from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.facts.shell_walks import SHELLS, tree, walked

from memrunbook.core.reading.fact import Answer, Cut, Sample
from memrunbook.facts.shm import BOOT, SCRIPT, SEGMENTS, ShmReading, parse

HEAD = "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n"


def read(rows: list[str], boot: str = "btime 1000\n") -> ShmReading:
    answers = {SEGMENTS: Answer(HEAD + "".join(row + "\n" for row in rows)), BOOT: Answer(boot)}
    reading = parse((Sample(before=50.0, after=50.1, answers=answers),), {})
    assert isinstance(reading, ShmReading)
    return reading


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("rows", "said"), [("1 2\n", "btime 1700000000\n"), ("", "")])
def test_only_a_host_with_segments_is_asked_for_its_clock(
    shell: tuple[str, ...], rows: str, said: str, tmp_path: Path
) -> None:
    tree(tmp_path, {"sysvipc/shm": f"key shmid\n{rows}", "stat": "cpu 1 2\nintr 9 9 9\nbtime 1700000000\nctxt 1\n"})
    assert walked(shell, SCRIPT.replace("/proc", str(tmp_path))) == said


@pytest.mark.parametrize("shell", SHELLS)
def test_this_machine_is_walked(shell: tuple[str, ...]) -> None:
    assert re.fullmatch(r"(btime \d+\n)?", walked(shell, SCRIPT))


def test_the_twenty_that_hold_most_are_shown_and_all_are_counted() -> None:
    rows = [f"0 {number} 600 8192 1 1 {number % 2} 0 0 0 0 0 0 1040 {number} 1" for number in range(30)]
    found = read(rows)
    assert (found.count, len(found.segments), found.segments[0].id) == (30, 20, 29)
    assert (found.total_bytes, found.rss_bytes) == (30 * 8192, sum(range(30)))
    assert (found.orphaned_count, found.orphaned_bytes) == (15, sum(range(0, 30, 2)) + 15)


def test_a_clock_that_was_set_back_makes_no_negative_age() -> None:
    row = "0 1 600 8192 1 1 0 0 0 0 0 0 0 9999 0 0"
    assert read([row]).segments[0].age_seconds == 0.0
    assert read([row], boot="").segments[0].age_seconds is None


def test_of_the_smaller_segments_it_is_known_how_much_they_hold_at_most() -> None:
    rows = [f"0 {number} 600 8192 1 1 1 0 0 0 0 0 0 1040 {number} 1" for number in range(30)]
    cut = Cut("10 smaller segments are not in the list", {"rss_bytes": 11.0, "swap_bytes": 11.0})
    assert (read(rows).cut, read(rows[:20]).cut) == ({"segments": cut}, {})


def test_where_the_kernel_does_not_tell_what_they_hold_their_size_is_known() -> None:
    rows = [f"0 {number} 600 {number} 1 1 1 0 0 0 0 0 0 1040" for number in range(22)]
    assert read(rows).cut["segments"].below == {"size_bytes": 2.0}
