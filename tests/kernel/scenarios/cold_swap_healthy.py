"""A healthy guest with much of a service's memory in swap, where it stays: nobody has asked for it again."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo, rates
from tests.kernel.lab.scenario import HEALTHY, Scenario
from tests.kernel.lab.waiting import wait_until

COLD_MIB = 200
SWAPPED_MIB = 110
SHORT_PERCENT = 5
HEADROOM_PERCENT = 60


def _prepare(guest: Guest) -> None:
    guest.install("cold")
    guest.install("fill")
    guest.enable_swap()
    guest.start_service("archive", f"/usr/local/bin/cold {COLD_MIB}")
    wait_until(lambda: _swapped_mib(guest, copies=True) >= SWAPPED_MIB, seconds=180, what="it is written to swap")
    # The kernel keeps a copy of them in memory until somebody else needs it.
    guest.start_service("visitor", f"/usr/local/bin/fill -a {SHORT_PERCENT}")
    wait_until(lambda: _swapped_mib(guest) >= SWAPPED_MIB, seconds=180, what="it is only in swap")
    guest.check("systemctl stop visitor")


def _swapped_mib(guest: Guest, *, copies: bool = False) -> int:
    memory = meminfo(guest)
    used = memory["SwapTotal"] - memory["SwapFree"]
    return (used if copies else used - memory["SwapCached"]) // 1024


def _reached(guest: Guest) -> bool:
    seen = rates(guest)
    calm = seen["pswpin"] == seen["pswpout"] == 0
    return _swapped_mib(guest) >= SWAPPED_MIB and calm and available_percent(guest) > HEADROOM_PERCENT


SCENARIO = Scenario(
    "cold_swap_healthy", "100 MiB of swap hold cold pages and nothing moves in or out", _prepare, _reached, HEALTHY
)
