from __future__ import annotations

import pytest

from memrunbook.facts.shared.unlisted import HIDDEN, Unlisted, extent_of

WALKED = {"pids": "1 2 3 4 x", "none": "2"}
LISTED = "listed\n"


def test_a_walk_that_was_cut_short_says_nothing() -> None:
    assert extent_of({}, {"least": "0 0"}, LISTED, set(), hidden=False) is None


@pytest.mark.parametrize(
    ("tail", "details", "extent"),
    [
        ({"seen": "3", "least": "4 8"}, LISTED, Unlisted(3, 1, 4 << 10, False, False, (3,))),
        ({"seen": "3", "least": "4 8 swapped"}, "", Unlisted(3, 1, 8 << 10, True, False, (3,))),
        ({"seen": "3", "least": " 8"}, LISTED, Unlisted(3, 1, None, False, False, (3,))),
        ({"seen": "3", "least": "4 "}, "", Unlisted(3, 1, None, False, False, (3,))),
        ({"seen": "3"}, LISTED, Unlisted(3, 1, None, False, False, (3,))),
        ({"seen": "2"}, LISTED, Unlisted(2, 0, 0, False, False, ())),
        ({"seen": "3", "least": "0 8"}, LISTED, Unlisted(3, 0, 0, False, False, ())),
        ({"seen": "3", "least": f"{'9' * 19} 8"}, LISTED, Unlisted(3, 1, None, False, False, (3,))),
    ],
)
def test_how_far_the_list_goes(tail: dict[str, str], details: str, extent: Unlisted) -> None:
    assert extent_of(WALKED, tail, details, {1, 4}, hidden=False) == extent


def test_an_older_walk_does_not_say_which_pids_there_are() -> None:
    found = extent_of({}, {"seen": "3"}, "", {1, 4}, hidden=None)
    assert found == Unlisted(3, 1, None, None, None, None)
    assert found is not None
    assert found.cut is not None
    assert (found.cut.below, found.cut.among) == ({}, {})


def test_what_is_whole_is_not_cut_and_what_is_hidden_has_no_bounds() -> None:
    assert Unlisted(3, 0, 0, False, False, ()).cut is None
    assert Unlisted(3, 0, 0, False, None, ()).cut is None
    assert Unlisted(3, 1, 4096, False, True, (3,)).cut is HIDDEN
