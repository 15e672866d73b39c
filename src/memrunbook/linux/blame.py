"""Whether a service may be blamed for what the host lacks: it must hold a part that matters, and nobody else more."""

from __future__ import annotations

LEAST_PERCENT = 5.0
"""A service that holds less of the RAM than this explains no shortage: to restart it would gain nothing."""
FOREIGN_PERCENT = 25.0
"""From this share of RAM on a balloon, a driver or the kernel itself is looked at before a service is."""


def explains(held: int | None, ram: int | None, foreign: int) -> bool:
    """True for a service that holds so many bytes of this RAM while balloon, drivers and kernel hold `foreign`.

    Where the RAM is not known, nobody is cleared by it.
    """
    if not ram:
        return True
    size = held or 0
    elsewhere = 100.0 * foreign / ram > FOREIGN_PERCENT and foreign > size
    return 100.0 * size / ram >= LEAST_PERCENT and not elsewhere
