"""A healthy guest whose free memory is all page cache, as that of any file server."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo, pressure
from tests.kernel.lab.scenario import Scenario

FREE_PERCENT = 8
AVAILABLE_PERCENT = 60
CALM_PERCENT = 0.5


def _prepare(guest: Guest) -> None:
    # A hole reads as zeros and fills the page cache as data does, without minutes of emulated disk.
    guest.check("truncate --size=512M /var/tmp/big && cat /var/tmp/big >/dev/null")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    free, available = (100 * memory[field] / memory["MemTotal"] for field in ("MemFree", "MemAvailable"))
    calm = pressure(guest).get("some", 0.0) < CALM_PERCENT
    return free < FREE_PERCENT and available > AVAILABLE_PERCENT and calm


SCENARIO = Scenario(
    "cache_full_healthy", "page cache has filled the free memory and nothing is wrong", _prepare, _reached
)
