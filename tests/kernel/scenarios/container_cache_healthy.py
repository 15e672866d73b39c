"""A container reads files all the time: its page cache stands at its limit, its own memory is far below."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, pressure, statistics
from tests.kernel.lab.scenario import Scenario
from tests.kernel.scenarios.container_pressure import CONTAINER, GROUP, HITS, HOST_AVAILABLE_PERCENT, LIMIT_MIB

HEAP_MIB = 16
HEAP_PERCENT, CACHE_PERCENT = 25, 60
CALM_PERCENT = 5
RATE_MIB = 4
_WORK = f"leak -f {HEAP_MIB} & exec stream /var/tmp/data {RATE_MIB}"


def _prepare(guest: Guest) -> None:
    guest.install("leak")
    guest.install("stream")
    guest.check("truncate --size=512M /var/tmp/data")
    limits = f"--property=MemoryMax={LIMIT_MIB}M --property=MemorySwapMax=0"
    run = f"setsid systemd-run --quiet --scope --unit={CONTAINER} {limits} sh -c '{_WORK}'"
    guest.check(f"{run} </dev/null >/dev/null 2>&1 &")


def _reached(guest: Guest) -> bool:
    held, events = (statistics(guest, f"{GROUP}/memory.{file}") for file in ("stat", "events"))
    if not held:
        return False
    heap, cache = (100 * held[field] / (LIMIT_MIB << 20) for field in ("anon", "file"))
    calm = pressure(guest)["some"] < CALM_PERCENT and available_percent(guest) > HOST_AVAILABLE_PERCENT
    return heap < HEAP_PERCENT and cache > CACHE_PERCENT and events["max"] >= HITS and calm


SCENARIO = Scenario(
    "container_cache_healthy",
    f"the page cache of a container stands at its limit of {LIMIT_MIB} MiB, which costs it nothing",
    _prepare,
    _reached,
)
