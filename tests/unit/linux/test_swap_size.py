"""The sizing rule, with its boundaries on what is installed and not on what the kernel left."""

from __future__ import annotations

import pytest

from memrunbook.core.units import GIB, MIB
from memrunbook.linux.swap_size import Policy, installed_ram, recommended_swap


@pytest.mark.parametrize(
    ("ram", "fixed8", "half"),
    [(1, 2, 2), (2, 4, 4), (4, 4, 4), (8, 8, 8), (12, 8, 6), (16, 8, 8), (64, 8, 32), (256, 8, 128)],
)
def test_the_table(ram: int, fixed8: int, half: int) -> None:
    assert recommended_swap(ram * GIB) == fixed8 * GIB
    assert recommended_swap(ram * GIB, "half") == half * GIB
    assert recommended_swap(ram * GIB, "min") == min(fixed8, half) * GIB
    assert recommended_swap(ram * GIB, "max") == max(fixed8, half) * GIB


@pytest.mark.parametrize(("total", "installed"), [(1950, 2048), (2048, 2048), (2049, 2560), (470, 512), (7900, 8192)])
def test_what_the_kernel_shows_is_less_than_what_is_installed(total: int, installed: int) -> None:
    assert installed_ram(total * MIB) == installed * MIB


@pytest.mark.parametrize("policy", ["fixed8", "half", "min", "max"])
def test_below_the_last_row_the_policy_changes_nothing(policy: Policy) -> None:
    assert recommended_swap(7900 * MIB, policy) == 8 * GIB
