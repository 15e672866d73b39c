"""A healthy guest whose free memory is all page cache, as that of any file server."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo
from tests.kernel.lab.scenario import Scenario

FREE_PERCENT = 8
AVAILABLE_PERCENT = 60


def _prepare(guest: Guest) -> None:
    # A hole reads as zeros and fills the page cache as data does, without minutes of emulated disk.
    guest.check("truncate --size=1G /var/tmp/big && cat /var/tmp/big >/dev/null")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    free, available = (100 * memory[field] / memory["MemTotal"] for field in ("MemFree", "MemAvailable"))
    return free < FREE_PERCENT and available > AVAILABLE_PERCENT


SCENARIO = Scenario(
    "cache_full_healthy", "page cache has filled the free memory and nothing is wrong", _prepare, _reached
)
