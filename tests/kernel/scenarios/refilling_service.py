"""A service holds nearly all memory and takes it again seconds after each restart, while readers fight for the rest."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, pressure, rates, stalls
from tests.kernel.lab.scenario import Scenario, Truth

UNIT = "refill.service"
DATA = "/var/tmp/data"
DATA_MIB = 64
READERS = 2
REQUEST_MIB = 4
MIN_FREE_KIB = 4096
SHORTAGE_PERCENT = 5
LEFT_PERCENT = 4
PRESSURE_PERCENT = 15


def read_again(guest: Guest, readers: int, data_mib: int = DATA_MIB) -> None:
    """Start a service that wants its file in whatever memory somebody else leaves."""
    guest.install("wander")
    guest.check(f"dd if=/dev/zero of={DATA} bs=1M count={data_mib} conv=fsync")
    reading = " & ".join([f"/usr/local/bin/wander -f {DATA} -r 500"] * readers)
    guest.start_service("reader", f"/bin/sh -c '{reading}'")


def request(guest: Guest, mib: int) -> None:
    """Start a service that wants memory for a moment: who only reads is served by kswapd, often without a stall."""
    guest.install("burst")
    guest.start_service("requests", f"/usr/local/bin/burst -m {mib}")


def starve(guest: Guest) -> None:
    """Start who suffers in a guest of more than a gibibyte, where huge pages would keep 45 MiB out of reach."""
    guest.check(f"sysctl -q vm.min_free_kbytes={MIN_FREE_KIB}")
    read_again(guest, READERS, 2 * DATA_MIB)
    request(guest, 4 * REQUEST_MIB)


def short(guest: Guest) -> bool:
    """Tell whether hardly anything is available and somebody waits for it: for what he reads, or to reclaim."""
    waiting = pressure(guest)["some"] >= PRESSURE_PERCENT or stalls(rates(guest)) > 0
    return waiting and available_percent(guest) < SHORTAGE_PERCENT


def _prepare(guest: Guest) -> None:
    guest.install("fill")
    read_again(guest, READERS)
    request(guest, REQUEST_MIB)
    guest.start_service("refill", f"/usr/local/bin/fill -k -a {LEFT_PERCENT}")


def _reached(guest: Guest) -> bool:
    return pressure(guest)["some"] >= PRESSURE_PERCENT and stalls(rates(guest)) > 0 and short(guest)


SCENARIO = Scenario(
    "refilling_service",
    f"{UNIT} leaves less than {SHORTAGE_PERCENT} % available",
    _prepare,
    _reached,
    Truth(
        "memory-shortage",
        checks=("low", "starving"),
        cause=UNIT,
        beside=("swap-capacity",),
        allowed=("memory-shortage.stalled", "memory-shortage.file-thrash", "swap-capacity.no-swap-short"),
    ),
)
