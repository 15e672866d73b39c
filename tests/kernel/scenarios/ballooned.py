"""The machine's balloon took memory away that a service works on: it fits no more and swaps without end."""

from tests.kernel.lab.configuration import BALLOON
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import PAGE_KIB, rates, touched_share, vmstat
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.lab.waiting import wait_until
from tests.kernel.scenarios.swap_thrash import FILLED, UNIT, overwork, swaps

SPARE_MIB = 200
"""Of what is available this much is not the service's: without the balloon it has room."""
BEYOND_MIB = 80
TAKEN_PERCENT = 40


def ballooned_mib(guest: Guest) -> int:
    """Return what the balloon has taken and not given back."""
    counters = vmstat(guest)
    return (counters["balloon_inflate"] - counters["balloon_deflate"]) * PAGE_KIB // 1024


def _prepare(guest: Guest) -> None:
    guest.enable_swap()
    overwork(guest, -SPARE_MIB)
    wait_until(lambda: touched_share(guest, UNIT) >= FILLED, seconds=120, what="the service has filled its memory")
    guest.balloon(BALLOON.memory_mib - SPARE_MIB - BEYOND_MIB)


def _reached(guest: Guest) -> bool:
    taken = 100 * ballooned_mib(guest) / BALLOON.memory_mib > TAKEN_PERCENT
    return taken and swaps(guest, rates(guest))


SCENARIO = Scenario(
    "ballooned",
    f"a balloon holds more than {TAKEN_PERCENT} % of the machine's memory, what is left is too little for {UNIT}",
    _prepare,
    _reached,
    Truth(
        "swap-thrashing",
        checks=("thrashing",),
        cause="balloon",
        says=("balloon",),
        targets=(),
        allowed=(
            "memory-shortage.low",
            "memory-shortage.starving",
            "memory-shortage.stalled",
            "memory-shortage.not-ours",
            "memory-shortage.outside",
        ),
    ),
    configuration=BALLOON,
)
