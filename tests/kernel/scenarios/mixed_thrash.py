"""Anonymous memory and mapped file data both fight for too little: sparing the one makes the other one fault more."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import rates
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.scenarios.swap_thrash import UNIT, overwork, swaps

DATA = "/var/tmp/data"
DATA_MIB = 96
READS_PER_SECOND = 800
BEYOND_MIB = 60
"""More than there is even without a single page of the file: no swappiness can end it."""
REFAULTS = 100


def _prepare(guest: Guest) -> None:
    guest.install("wander")
    guest.enable_swap()
    guest.check(f"dd if=/dev/zero of={DATA} bs=1M count={DATA_MIB} conv=fsync")
    guest.start_service("reader", f"/usr/local/bin/wander -f {DATA} -r {READS_PER_SECOND}")
    overwork(guest, BEYOND_MIB)


def _reached(guest: Guest) -> bool:
    seen = rates(guest)
    return seen["workingset_refault_file"] >= REFAULTS and swaps(guest, seen)


SCENARIO = Scenario(
    "mixed_thrash",
    f"{UNIT} swaps in and out while the mapped file of another service is read again and again",
    _prepare,
    _reached,
    Truth(
        "swap-thrashing",
        checks=("thrashing",),
        cause=UNIT,
        beside=("memory-shortage",),
        allowed=(
            "memory-shortage.low",
            "memory-shortage.starving",
            "memory-shortage.stalled",
            "memory-shortage.file-thrash",
        ),
    ),
)
