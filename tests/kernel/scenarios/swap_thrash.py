"""A service works at random on more memory than there is, so that swap is read and written all the time."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo, rates, touched_share
from tests.kernel.lab.scenario import Scenario, Truth

UNIT = "worker.service"
SETTINGS = "/etc/default/worker"
BEYOND_MIB = 150
SMALL_MIB = 64
TRAFFIC_KIB = 1024
PAGE_KIB = 4
FILLED = 0.98


def _prepare(guest: Guest) -> None:
    guest.install("wander")
    guest.enable_swap()
    too_much = meminfo(guest)["MemAvailable"] // 1024 + BEYOND_MIB
    guest.write(SETTINGS, f"MIB={too_much}\n")
    guest.start_service("worker", "/usr/local/bin/wander -m $MIB", f"EnvironmentFile={SETTINGS}", "Restart=no")
    # From its second start on it fits: a restart cures.
    guest.write(SETTINGS, f"MIB={SMALL_MIB}\n")


def _reached(guest: Guest) -> bool:
    seen = rates(guest)
    swapped = min(seen["pswpin"], seen["pswpout"]) * PAGE_KIB >= TRAFFIC_KIB
    return swapped and touched_share(guest, UNIT) >= FILLED


SCENARIO = Scenario(
    "swap_thrash",
    f"{UNIT} needs more than the memory and swaps in and out without end",
    _prepare,
    _reached,
    Truth("swap-thrashing", checks=("thrashing",), cause=UNIT, beside=("memory-shortage",)),
)
