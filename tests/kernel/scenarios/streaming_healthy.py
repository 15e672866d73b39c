"""A backup reads far more than fits, one file after the other: the page cache is full, kswapd works, nobody waits."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo, pressure, rates, stalls
from tests.kernel.lab.scenario import Scenario

UNIT = "backup.service"
EXPORT = "/srv/export"
RATE_MIB = 4
MARKS = 300
"""In ten thousandths of the memory."""
PAGES_A_SECOND = 500
FREE_PERCENT, AVAILABLE_PERCENT = 10, 50
CALM_PERCENT = 1


def _prepare(guest: Guest) -> None:
    guest.install("stream")
    # The marks of a server lie megabytes apart, those of so small a guest 150 pages: kswapd would come too late.
    guest.check(f"sysctl -q vm.watermark_scale_factor={MARKS}")
    # A hole reads as zeros and goes through the page cache as data does, without minutes of emulated disk.
    guest.check(f"truncate --size=2G {EXPORT} && dd if={EXPORT} of=/dev/null bs=1M count=400 status=none")
    guest.start_service("backup", f"/usr/local/bin/stream {EXPORT} {RATE_MIB}")


def _reached(guest: Guest) -> bool:
    seen, memory = rates(guest, seconds=4), meminfo(guest)
    streams = seen["pgsteal_kswapd"] >= PAGES_A_SECOND and 100 * memory["MemFree"] / memory["MemTotal"] < FREE_PERCENT
    calm = stalls(seen) < 1 and pressure(guest).get("some", 0.0) < CALM_PERCENT
    return streams and calm and available_percent(guest) > AVAILABLE_PERCENT


SCENARIO = Scenario("streaming_healthy", f"{UNIT} streams through the page cache, nobody waits", _prepare, _reached)
