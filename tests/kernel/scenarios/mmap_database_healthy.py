"""A busy database on mmap: the page cache is full, some major faults every second, and nothing is wrong."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo, pressure, rates
from tests.kernel.lab.scenario import HEALTHY, Scenario

HOT_MIB = 128
FILE = "/var/tmp/database"
FREE_PERCENT = 10
AVAILABLE_PERCENT = 20
FAULTS_PER_SECOND = 4
CALM_PERCENT = 5


def _prepare(guest: Guest) -> None:
    guest.install("database")
    # A hole reads as zeros and fills the page cache as data does, without minutes of emulated disk.
    guest.check(f"truncate --size=512M {FILE} && cat {FILE} >/dev/null")
    guest.start_service("database", f"/usr/local/bin/database {FILE} {HOT_MIB}")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    full = 100 * memory["MemFree"] / memory["MemTotal"] < FREE_PERCENT and memory["Mapped"] > HOT_MIB * 1024
    healthy = available_percent(guest) > AVAILABLE_PERCENT and pressure(guest)["some"] < CALM_PERCENT
    return full and healthy and rates(guest)["pgmajfault"] > FAULTS_PER_SECOND


SCENARIO = Scenario(
    "mmap_database_healthy",
    "a database reads its mapped file, nobody waits for memory",
    _prepare,
    _reached,
    HEALTHY,
)
