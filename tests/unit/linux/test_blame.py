from __future__ import annotations

import pytest

from memrunbook.core.units import GIB, MIB
from memrunbook.linux.blame import explains


@pytest.mark.parametrize(
    ("held", "ram", "foreign", "blamed"),
    [
        (22 * GIB, 64 * GIB, 2 * GIB, True),
        (11 * MIB, 480 * MIB, 20 * MIB, False),
        (4 * GIB, 64 * GIB, 0, True),
        (3 * GIB, 64 * GIB, 0, False),
        (20 * GIB, 64 * GIB, 30 * GIB, False),
        (33 * GIB, 64 * GIB, 30 * GIB, True),
        (5 * GIB, 64 * GIB, 15 * GIB, True),
        (None, 64 * GIB, 0, False),
        (11 * MIB, None, 30 * GIB, True),
    ],
)
def test_who_may_be_blamed(held: int | None, ram: int | None, foreign: int, blamed: bool) -> None:  # noqa: FBT001 - a case
    assert explains(held, ram, foreign) is blamed
