"""How much swap a host should have by its RAM: up to 2 GiB twice as much, to 8 GiB as much, above that by policy."""

from __future__ import annotations

from typing import Literal

from memrunbook.core.units import GIB, MIB

Policy = Literal["fixed8", "half", "min", "max"]

STEP = 512 * MIB
"""RAM is what is installed: MemTotal, which lacks what firmware and kernel took, rounded up to the next half GiB."""
TWICE, AS_MUCH, FIXED = 2 * GIB, 8 * GIB, 8 * GIB


def installed_ram(total_bytes: int) -> int:
    """MemTotal rounded up to the next 512 MiB, in bytes."""
    return -(-total_bytes // STEP) * STEP


def recommended_swap(total_bytes: int, policy: Policy = "fixed8") -> int:
    """Swap in bytes for this MemTotal. Above 8 GiB of RAM "8 GiB or half the RAM" is ambiguous: the policy chooses."""
    ram = installed_ram(total_bytes)
    if ram <= TWICE:
        return 2 * ram
    if ram <= AS_MUCH:
        return ram
    sizes = {"fixed8": FIXED, "half": ram // 2, "min": min(FIXED, ram // 2), "max": max(FIXED, ram // 2)}
    return sizes[policy]
