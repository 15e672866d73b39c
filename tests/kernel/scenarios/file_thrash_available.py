"""Mapped data that does not fit is read again and again, and just those pages count as available: a quarter of all."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, pressure, rates
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.lab.waiting import wait_until

UNIT = "reader.service"
DATA = "/var/tmp/data"
DATA_MIB = 200
READERS = 3
LEFT_PERCENT = 26
LEAST_PERCENT, MOST_PERCENT = 20, 35
FAULTS = 400
FULL_PERCENT = 6
READS_A_SECOND = 1200


def _prepare(guest: Guest) -> None:
    guest.install("fill")
    guest.install("wander")
    guest.check(f"dd if=/dev/zero of={DATA} bs=1M count={DATA_MIB} conv=fsync")
    guest.start_service("heap", f"/usr/local/bin/fill -a {LEFT_PERCENT}")
    wait_until(lambda: available_percent(guest) <= LEFT_PERCENT + 1, seconds=180, what="most memory is taken")
    readers = " & ".join([f"/usr/local/bin/wander -f {DATA}"] * READERS)
    # A disk that takes its time: under emulation the processor is what a fast one waits for.
    guest.start_service("reader", f"/bin/sh -c '{readers}'", f"IOReadIOPSMax=/dev/vda {READS_A_SECOND}")


def _reached(guest: Guest) -> bool:
    seen = rates(guest)
    read_again = min(seen["workingset_refault_file"], seen["pgmajfault"]) >= FAULTS
    waiting = pressure(guest)["full"] >= FULL_PERCENT
    return read_again and waiting and LEAST_PERCENT < available_percent(guest) < MOST_PERCENT


SCENARIO = Scenario(
    "file_thrash_available",
    f"the mapped file of {UNIT} is read again and again though more than {LEAST_PERCENT} % are available",
    _prepare,
    _reached,
    Truth(
        "memory-shortage",
        checks=("file-thrash",),
        beside=("swap-capacity",),
        allowed=("swap-capacity.no-swap-short", "memory-shortage.stalled"),
        says=(UNIT,),
    ),
)
