"""What a host has left for its services, and what of its memory no service can give back."""

from __future__ import annotations

from memrunbook.core.reading.fact import Unavailable
from memrunbook.facts.shared.sampling import Readings


def room_of(readings: Readings) -> int | None:
    """What is left for those who grow: available memory and free swap, in bytes; None where that is not known."""
    available = getattr(readings.get("memory"), "available_bytes", None)
    swap = getattr(readings.get("swap"), "free_bytes", None)
    return None if available is None or swap is None else available + swap


def foreign_of(readings: Readings) -> int:
    """What neither processes nor files hold, in bytes: balloon, drivers, and the kernel but for what it gives back."""
    memory = readings.get("memory")
    foreign, kernel, given = (
        getattr(memory, f"{name}_bytes", None) or 0 for name in ("foreign", "kernel", "slab_reclaimable")
    )
    return int(foreign + max(kernel - given, 0))


def passing_of(readings: Readings) -> int:
    """Shared memory that is no file of a tmpfs and no left segment, in bytes; 0 where it is not known."""
    memory, tmpfs, shm = (readings.get(name) for name in ("memory", "tmpfs", "shm"))
    shared = getattr(memory, "shared_bytes", None)
    if shared is None or tmpfs is None or isinstance(tmpfs, Unavailable):
        return 0
    lasting = (getattr(tmpfs, "used_bytes", None) or 0) + (getattr(shm, "orphaned_bytes", None) or 0)
    return max(int(shared) - lasting, 0)
