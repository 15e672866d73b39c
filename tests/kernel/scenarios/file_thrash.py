"""No swap: one service holds most of the memory, the mapped data of another no longer fits and is read again."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, pressure, rates, stalls
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.lab.waiting import wait_until

UNIT = "hoard.service"
DATA = "/var/tmp/data"
DATA_MIB = 200
READERS = 2
LEFT_PERCENT = 12
MOST_PERCENT = 18
FAULTS = 300
PRESSURE_PERCENT = 15


def _prepare(guest: Guest) -> None:
    guest.install("fill")
    guest.install("wander")
    guest.install("burst")
    # Blocks of zeros, not a hole: a page of a hole comes back without the disk, and nobody waits for it.
    guest.check(f"dd if=/dev/zero of={DATA} bs=1M count={DATA_MIB} conv=fsync")
    guest.start_service("hoard", f"/usr/local/bin/fill -a {LEFT_PERCENT}")
    wait_until(lambda: available_percent(guest) <= LEFT_PERCENT + 1, seconds=180, what="most memory is taken")
    # One alone is busy computing under emulation; two make each other wait for the disk.
    readers = " & ".join([f"/usr/local/bin/wander -f {DATA}"] * READERS)
    guest.start_service("reader", f"/bin/sh -c '{readers}'")
    # Where the kernel reports no pressure, only tasks that reclaim themselves show that somebody waits.
    guest.start_service("requests", "/usr/local/bin/burst -m 6 -p 800")


def _reached(guest: Guest) -> bool:
    seen = rates(guest)
    read_again = min(seen["workingset_refault_file"], seen["pgmajfault"]) >= FAULTS
    waiting = pressure(guest).get("some", PRESSURE_PERCENT) >= PRESSURE_PERCENT
    return read_again and waiting and stalls(seen) > 0 and available_percent(guest) < MOST_PERCENT


SCENARIO = Scenario(
    "file_thrash",
    f"{UNIT} holds the memory and the mapped file of another service is read again and again",
    _prepare,
    _reached,
    Truth(
        "memory-shortage",
        checks=("file-thrash",),
        cause=UNIT,
        beside=("swap-capacity",),
        allowed=("memory-shortage.low", "memory-shortage.stalled", "swap-capacity.no-swap-short"),
    ),
)
