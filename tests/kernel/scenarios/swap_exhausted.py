"""Swap is full, hardly any memory is available and nothing moves any more: the next request may meet the OOM killer."""

from tests.kernel.lab.guest import SWAP_DEVICE, Guest
from tests.kernel.lab.readings import available_percent, meminfo
from tests.kernel.lab.scenario import Scenario, Truth

UNIT = "hoard.service"
SWAP_KIB = 256 * 1024
LEFT_PERCENT = 6
SWAP_LEFT_PERCENT = 4
LOW_PERCENT = 9


def _prepare(guest: Guest) -> None:
    guest.install("fill")
    # Half of the disk: filling all of it takes a minute.
    guest.check(f"mkswap {SWAP_DEVICE} {SWAP_KIB} && swapon {SWAP_DEVICE}")
    guest.start_service("hoard", f"/usr/local/bin/fill -a {LEFT_PERCENT} -s {SWAP_LEFT_PERCENT}")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    swap_free = 100 * memory["SwapFree"] / memory["SwapTotal"]
    return swap_free < LOW_PERCENT and available_percent(guest) < LOW_PERCENT


SCENARIO = Scenario(
    "swap_exhausted",
    f"{UNIT} has filled the memory and the swap",
    _prepare,
    _reached,
    Truth(
        "swap-exhausted",
        checks=("exhausted",),
        cause=UNIT,
        beside=("memory-shortage", "swap-thrashing", "swap-capacity"),
        allowed=(
            "swap-thrashing.exhausted",
            "memory-shortage.low",
            "memory-shortage.starving",
            "memory-shortage.stalled",
            "swap-capacity.too-small-and-full",
        ),
    ),
)
