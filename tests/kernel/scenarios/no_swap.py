"""A host without swap on which memory is getting short; nobody waits for it yet."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo, pressure
from tests.kernel.lab.scenario import Scenario, Truth

LEFT_PERCENT = 15
LEAST_PERCENT, MOST_PERCENT = 12, 18
CALM_PERCENT = 1


def _prepare(guest: Guest) -> None:
    guest.install("fill")
    guest.start_service("index", f"/usr/local/bin/fill -a {LEFT_PERCENT}")


def _reached(guest: Guest) -> bool:
    short = LEAST_PERCENT < available_percent(guest) < MOST_PERCENT and meminfo(guest)["SwapTotal"] == 0
    return short and pressure(guest)["some"] < CALM_PERCENT


SCENARIO = Scenario(
    "no_swap",
    f"about {LEFT_PERCENT} % of the memory is available, and there is no swap",
    _prepare,
    _reached,
    Truth("swap-capacity", checks=("no-swap", "no-swap-short"), cause="index.service"),
)
