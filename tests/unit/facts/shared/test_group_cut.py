from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Cut
from memrunbook.facts.shared.group import Group
from memrunbook.facts.shared.group_cut import SIZES, group_cut, pressed_cut
from memrunbook.facts.shared.group_walk import MOST_SEEN, MOST_SHOWN

MIB = 1 << 20


def group(path: str, usage: int = 100 * MIB, percent: float | None = None) -> Group:
    return Group(path=path, name="x", kind="other", unit="", container="", usage_bytes=usage, usage_percent=percent)


WEB, LITTLE = group("/system.slice/web.service"), group("/user.slice/a.scope", MIB)
DEEP = group("/a/b/c/d/e/f")


def test_where_every_group_was_seen_the_list_is_whole() -> None:
    assert group_cut([group("/system.slice"), WEB], 2, 2, 16 * MIB) is None


def test_small_services_were_counted_only() -> None:
    cut = group_cut([WEB], 8, 2, 16 * MIB)
    assert cut == Cut(
        "7 smaller control groups are not in the list, each of less than 16.0 MiB (8 in all)",
        dict.fromkeys(SIZES, float(16 * MIB)),
    )


def test_what_is_within_a_small_scope_is_smaller_still() -> None:
    cut = group_cut([WEB, LITTLE], 2, 2, 16 * MIB)
    assert cut is not None
    assert cut.why == "control groups within small or deep ones are not looked for, each of less than 16.0 MiB"
    assert cut.below["usage_bytes"] == 16 * MIB


@pytest.mark.parametrize(
    ("groups", "seen", "version", "small"),
    [
        ([WEB], 1, 1, 16 * MIB),
        ([WEB], 9, 2, None),
        ([WEB], 1, 2, None),
        ([DEEP], 1, 2, 16 * MIB),
        ([group("/a/b/c/d/e/f.service")], 1, 2, 16 * MIB),
        ([WEB] * MOST_SHOWN, MOST_SHOWN, 2, 16 * MIB),
        ([WEB], MOST_SEEN, 2, 16 * MIB),
    ],
    ids=["version 1", "an older walk", "an older walk, all seen", "deep", "deep service", "very many", "all too many"],
)
def test_of_these_it_is_not_known_how_large_they_are(
    groups: list[Group], seen: int, version: int, small: int | None
) -> None:
    cut = group_cut(groups, seen, version, small)
    assert cut is not None
    assert cut.below == {}
    assert "each of less" not in cut.why


def test_who_is_near_a_limit_comes_first() -> None:
    near, far = group("/a", percent=95.0), group("/b", percent=20.0)
    assert pressed_cut([near] * MOST_SHOWN) is not None
    assert pressed_cut([*[near] * (MOST_SHOWN - 1), far]) is None
    assert pressed_cut([near]) is None
    assert pressed_cut([*[near] * (MOST_SHOWN - 1), group("/c")]) is None
