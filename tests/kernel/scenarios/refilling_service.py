"""A service holds nearly all memory and takes it again seconds after each restart, while readers fight for the rest."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, pressure, rates, stalls
from tests.kernel.lab.scenario import Scenario, Truth

UNIT = "refill.service"
DATA = "/var/tmp/data"
DATA_MIB = 64
READERS = 2
SHORTAGE_PERCENT = 5
LEFT_PERCENT = 4
PRESSURE_PERCENT = 15


def contend(guest: Guest, readers: int = READERS) -> None:
    """Start small services that fight for whatever memory somebody else leaves."""
    guest.install("wander")
    guest.install("burst")
    guest.check(f"dd if=/dev/zero of={DATA} bs=1M count={DATA_MIB} conv=fsync")
    reading = " & ".join([f"/usr/local/bin/wander -f {DATA} -r 500"] * readers)
    guest.start_service("reader", f"/bin/sh -c '{reading}'")
    # Readers alone are served by kswapd often enough for a sample without a stall.
    guest.start_service("requests", "/usr/local/bin/burst -m 4")


def starving(guest: Guest) -> bool:
    """Tell whether hardly anything is available and somebody waits for it."""
    waiting = pressure(guest)["some"] >= PRESSURE_PERCENT and stalls(rates(guest)) > 0
    return waiting and available_percent(guest) < SHORTAGE_PERCENT


def _prepare(guest: Guest) -> None:
    guest.install("fill")
    contend(guest)
    guest.start_service("refill", f"/usr/local/bin/fill -k -a {LEFT_PERCENT}")


SCENARIO = Scenario(
    "refilling_service",
    f"{UNIT} leaves less than {SHORTAGE_PERCENT} % available",
    _prepare,
    starving,
    Truth("memory-shortage", checks=("low", "starving"), cause=UNIT),
)
