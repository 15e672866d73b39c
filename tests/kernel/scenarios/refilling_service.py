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


def _prepare(guest: Guest) -> None:
    for program in ("fill", "wander", "burst"):
        guest.install(program)
    guest.check(f"dd if=/dev/zero of={DATA} bs=1M count={DATA_MIB} conv=fsync")
    readers = " & ".join([f"/usr/local/bin/wander -f {DATA} -r 500"] * READERS)
    guest.start_service("reader", f"/bin/sh -c '{readers}'")
    # Readers alone are served by kswapd often enough for a sample without a stall.
    guest.start_service("requests", "/usr/local/bin/burst -m 4")
    guest.start_service("refill", f"/usr/local/bin/fill -k -a {LEFT_PERCENT}")


def _reached(guest: Guest) -> bool:
    waiting = pressure(guest)["some"] >= PRESSURE_PERCENT and stalls(rates(guest)) > 0
    return waiting and available_percent(guest) < SHORTAGE_PERCENT


SCENARIO = Scenario(
    "refilling_service",
    f"{UNIT} leaves less than {SHORTAGE_PERCENT} % available",
    _prepare,
    _reached,
    Truth("memory-shortage", checks=("low", "starving"), cause=UNIT),
)
