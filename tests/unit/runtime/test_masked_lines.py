"""Lines of answers: what is known to the end stays, under other names; what is not is left out."""

from __future__ import annotations

import pytest

from memrunbook.runtime import masked_lines as lines
from memrunbook.runtime.masked_lines import LineMasking, by_word, each_line, figures, joined_stats, put_together
from memrunbook.runtime.masking import Masks


@pytest.mark.parametrize(
    ("how", "line", "shown"),
    [
        (figures, "1 -2 max - swapped", "1 -2 max - swapped"),
        (figures, "1 acme", None),
        (lines.stat, "7 (acme (x)) S 1 7 -1", "7 (process-1) S 1 7 -1"),
        (lines.stat, "7 (acme", None),
        (lines.stat, "7 (java) S 1 acme", None),
        (lines.sizes, "VmRSS:\t  12 kB", "VmRSS:\t  12 kB"),
        (lines.sizes, "Name:\tacme", None),
        (lines.cgroup, "4:memory,cpu:/acme.slice", "4:memory,cpu:/unit-1.slice"),
        (lines.cgroup, "1:name=systemd:/", "1:name=systemd:/"),
        (lines.cgroup, "1:name=acme:/", "1:hierarchy-1:/"),
        (lines.cgroup, "acme", None),
        (lines.controllers, "2 cpuset cpu io memory", "2 cpuset cpu io memory"),
        (lines.controllers, "2 acme", None),
        (lines.swap, "/srv/acme/swap file 1 0 -2", "/srv/name-1/swap file 1 0 -2"),
        (lines.swap, "/dev/zram0 partition 1 0 100", "/dev/zram0 partition 1 0 100"),
        (lines.swap, "Filename\tType\tSize\tUsed\tPriority", "Filename\tType\tSize\tUsed\tPriority"),
        (lines.swap, "acme", None),
        (lines.disk, "1 sda 8:0", "1 sda 8:0"),
        (lines.disk, "0 md_acme 9:127", "0 name-1 9:127"),
        (lines.disk, "mount 8:1 tank/acme /acme", "mount 8:1 name-1/name-2 /name-2"),
        (lines.disk, "mount 8:1 acme", None),
        (lines.mapped, "7f00-7f10 rw-s 00000000 00:01 3 [anon_shmem:acme]",
         "7f00-7f10 rw-s 00000000 00:01 3 [anon_shmem:memfd-1]"),
        (lines.mapped, "7f00-7f10 rw-s 00000000 00:01 3 /memfd:acme (deleted)",
         "7f00-7f10 rw-s 00000000 00:01 3 /memfd:memfd-1 (deleted)"),
        (lines.mapped, "7f00-7f10 rw-s 00000000 00:01 3 /SYSV0000162e (deleted)",
         "7f00-7f10 rw-s 00000000 00:01 3 /SYSV0000162e (deleted)"),
        (lines.mapped, "acme", None),
        (lines.mount, "4096 1 1 /acme", "4096 1 1 /name-1"),
        (lines.counted, " 4100 /proc/7/maps", " 4100 /proc/7/maps"),
        (lines.counted, " 4100 /acme", None),
        (lines.slab, "dentry  1 2 192 21 1 : tunables 0 0 0 : slabdata 1 1 0",
         "dentry  1 2 192 21 1 : tunables 0 0 0 : slabdata 1 1 0"),
        (lines.slab, "acme_session 1 2 3", "slab-1 1 2 3"),
        (lines.slab, "dentry 1 acme", None),
        (lines.slab, "slabinfo - version: 2.1", "slabinfo - version: 2.1"),
    ],
)  # fmt: skip
def test_a_line(how: LineMasking, line: str, shown: str | None) -> None:
    assert how(line, Masks()) == shown


def test_a_word_that_nobody_named_is_left_out() -> None:
    masking = by_word(group=lines.group, seen=figures)
    assert masking("group /acme\nseen 3\nnews acme\nacme\n", Masks()) == "group /group-1\nseen 3\n"


def test_a_name_that_holds_a_line_feed_is_one_name() -> None:
    masks, masking = Masks(), joined_stats(by_word(pid=figures, stat=lines.stat))
    assert masking("pid 7\nstat 7 (ac\nstat me) S 1\npid 8\nstat 8 (ac\nstat me) S 1\n", masks) == (
        "pid 7\nstat 7 (process-1) S 1\npid 8\nstat 8 (process-1) S 1\n"
    )
    assert masks.given == {"ac\nme": "process-1"}
    assert lines.whole_stat("7 (ac\nme) S 1 7\n", masks).strip() == "7 (process-1) S 1 7"


def test_blank_lines_keep_blocks_apart_and_a_text_without_any_line_left_is_not_empty() -> None:
    assert each_line(figures)("1\n\nacme\n\n2\n", Masks()) == "1\n\n\n2\n"
    assert each_line(figures)("acme\n", Masks()) == "\n"
    assert each_line(figures)("", Masks()) == ""
    assert put_together("x", ["1", "2"]) == "1\n2"


@pytest.mark.parametrize("value", ["", "active", "[not set]", "infinity", "1min 30s", "536870912", "oom-kill", "yes"])
def test_what_systemd_says_of_a_unit_is_known(value: str) -> None:
    assert lines.state(value)


@pytest.mark.parametrize("value", ["acme", "active acme", "10.1.2.3", "acme-7"])
def test_what_it_never_says_is_not(value: str) -> None:
    assert not lines.state(value)


def test_one_word_of_a_list_stays_and_any_other_is_called_alike() -> None:
    masking = lines.one_of({"lxc"}, "container-other")
    assert (masking("lxc\n", Masks()), masking("acme\n", Masks())) == ("lxc\n", "container-other\n")
