"""A service holds nearly all memory and takes it again seconds after each restart, while readers fight for the rest."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo, pressure, stalls, vmstat
from tests.kernel.lab.scenario import Scenario, Truth

UNIT = "refill.service"
SHORTAGE_PERCENT = 5
LEFT_AVAILABLE_PERCENT = 3.5
PRESSURE_PERCENT = 15
# Two of them: one alone is served by kswapd often enough for a sample without a stall.
_READ = "/bin/sh -c 'while :; do cat /var/tmp/data >/dev/null & cat /var/tmp/data >/dev/null; wait; sleep 0.2; done'"


def _prepare(guest: Guest) -> None:
    guest.install("leak")
    guest.check("yes 'a line of the data that is read again and again' | head -c 64M >/var/tmp/data && sync")
    guest.start_service("reader", _READ)
    memory = meminfo(guest)
    fill_kib = memory["MemAvailable"] - memory["MemTotal"] * LEFT_AVAILABLE_PERCENT / 100
    guest.start_service("refill", f"/usr/local/bin/leak -f {fill_kib // 1024:.0f}", "Restart=on-failure")


def _reached(guest: Guest) -> bool:
    before = stalls(vmstat(guest))
    pressed = pressure(guest)["some"] >= PRESSURE_PERCENT
    return available_percent(guest) < SHORTAGE_PERCENT and pressed and stalls(vmstat(guest)) > before


SCENARIO = Scenario(
    "refilling_service",
    f"{UNIT} leaves less than 5 % available",
    _prepare,
    _reached,
    Truth("memory-shortage", checks=("low", "starving"), cause=UNIT),
)
