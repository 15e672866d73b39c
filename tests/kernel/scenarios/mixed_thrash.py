"""Anonymous memory and mapped file data both fight for too little: sparing the one makes the other one fault more."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo, rates, touched_share
from tests.kernel.lab.scenario import Scenario, Truth

UNIT = "worker.service"
SETTINGS = "/etc/default/worker"
DATA = "/var/tmp/data"
DATA_MIB = 96
READS_PER_SECOND = 800
BEYOND_MIB = 60
SMALL_MIB = 64
TRAFFIC_KIB = 1024
REFAULTS = 100
PAGE_KIB = 4
FILLED = 0.98


def _prepare(guest: Guest) -> None:
    guest.install("wander")
    guest.enable_swap()
    guest.check(f"dd if=/dev/zero of={DATA} bs=1M count={DATA_MIB} conv=fsync", seconds=120)
    guest.start_service("reader", f"/usr/local/bin/wander -f {DATA} -r {READS_PER_SECOND}")
    # More than there is even without a single page of the file: no swappiness can end it.
    too_much = meminfo(guest)["MemAvailable"] // 1024 + BEYOND_MIB
    guest.write(SETTINGS, f"MIB={too_much}\n")
    guest.start_service("worker", "/usr/local/bin/wander -m $MIB", f"EnvironmentFile={SETTINGS}", "Restart=no")
    guest.write(SETTINGS, f"MIB={SMALL_MIB}\n")


def _reached(guest: Guest) -> bool:
    seen = rates(guest)
    swapped = min(seen["pswpin"], seen["pswpout"]) * PAGE_KIB >= TRAFFIC_KIB
    return swapped and seen["workingset_refault_file"] >= REFAULTS and touched_share(guest, UNIT) >= FILLED


SCENARIO = Scenario(
    "mixed_thrash",
    f"{UNIT} swaps in and out while the mapped file of another service is read again and again",
    _prepare,
    _reached,
    Truth("swap-thrashing", checks=("thrashing",), cause=UNIT, beside=("memory-shortage",)),
)
