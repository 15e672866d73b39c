"""The small swap is full to the last page with what a service put aside; memory is there, and nobody asks for it."""

from tests.kernel.lab.guest import SWAP_DEVICE, Guest
from tests.kernel.lab.readings import available_percent, meminfo, pressure, rates
from tests.kernel.lab.scenario import Scenario

SWAP_MIB = 96
COLD_MIB = 160
FREE_PERCENT = 1
AVAILABLE_PERCENT = 30
CALM_PERCENT = 0.5


def _prepare(guest: Guest) -> None:
    guest.install("cold")
    guest.check(f"mkswap {SWAP_DEVICE} {SWAP_MIB * 1024} && swapon {SWAP_DEVICE}")
    guest.start_service("archive", f"/usr/local/bin/cold {COLD_MIB}")


def _reached(guest: Guest) -> bool:
    memory, seen = meminfo(guest), rates(guest)
    full = 100 * memory["SwapFree"] / memory["SwapTotal"] < FREE_PERCENT
    calm = seen["pswpin"] == seen["pswpout"] == 0 and pressure(guest)["some"] < CALM_PERCENT
    return full and calm and available_percent(guest) > AVAILABLE_PERCENT


SCENARIO = Scenario("swap_full_healthy", "cold pages fill all swap there is and nothing moves", _prepare, _reached)
