"""Buffers of the kernel that no counter shows, as those of a driver, leave too little for a service: it swaps."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo, rates
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.scenarios.swap_thrash import UNIT, overwork, swaps

BUFFERS_MIB = 180
BEYOND_MIB = 80
UNSEEN_PERCENT = 33
COUNTED = (
    "MemFree", "Buffers", "Cached", "SwapCached", "AnonPages", "Slab", "KernelStack", "PageTables", "Percpu",
    "VmallocUsed", "Hugetlb",
)  # fmt: skip


def _prepare(guest: Guest) -> None:
    guest.install("ring")
    guest.enable_swap()
    guest.start_service("capture", f"/usr/local/bin/ring {BUFFERS_MIB}")
    overwork(guest, BEYOND_MIB)


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    unseen = memory["MemTotal"] - sum(memory[field] for field in COUNTED)
    return 100 * unseen / memory["MemTotal"] > UNSEEN_PERCENT and swaps(guest, rates(guest))


SCENARIO = Scenario(
    "driver_memory",
    f"more than {UNSEEN_PERCENT} % of the memory is in no counter, what is left is too little for {UNIT}",
    _prepare,
    _reached,
    Truth(
        "swap-thrashing",
        checks=("thrashing",),
        cause="in no counter",
        says=("in no counter",),
        targets=(),
        allowed=(
            "memory-shortage.low",
            "memory-shortage.starving",
            "memory-shortage.stalled",
            "memory-shortage.not-ours",
            "memory-shortage.outside",
        ),
    ),
)
