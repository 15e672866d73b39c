"""A container works at its own memory limit all the time while most of the host's memory is available."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent
from tests.kernel.lab.scenario import Scenario, Truth

CONTAINER = "docker-3f9d0c1b7a52e8647d1f0b9ac3e5d284716f0a9be2c4d8135f7a60e91b2c4d38.scope"
GROUP = f"/sys/fs/cgroup/system.slice/{CONTAINER}"
LIMIT_MIB = 96
HEAP_MIB = 88
HEAP_PERCENT = 90
HITS = 20
HOST_AVAILABLE_PERCENT = 40
_WORK = f"leak -f {HEAP_MIB} & while :; do cat /var/tmp/data >/dev/null; done"


def _prepare(guest: Guest) -> None:
    guest.install("leak")
    guest.check("truncate --size=64M /var/tmp/data")
    limits = f"--property=MemoryMax={LIMIT_MIB}M --property=MemorySwapMax=0"
    run = f"setsid systemd-run --quiet --scope --unit={CONTAINER} {limits} sh -c '{_WORK}'"
    guest.check(f"{run} </dev/null >/dev/null 2>&1 &")


def _reached(guest: Guest) -> bool:
    rows = (line.split() for line in guest.run(f"cat {GROUP}/memory.stat {GROUP}/memory.events").stdout.splitlines())
    figures = {name: int(value) for name, value in rows} or {"anon": 0, "max": 0}
    filled = 100 * figures["anon"] / (LIMIT_MIB * 1024 * 1024) >= HEAP_PERCENT
    return filled and figures["max"] >= HITS and available_percent(guest) > HOST_AVAILABLE_PERCENT


SCENARIO = Scenario(
    "container_pressure",
    f"a container with {LIMIT_MIB} MiB hits its limit, the host has memory enough",
    _prepare,
    _reached,
    Truth("memory-shortage", incident=False, checks=("group-limit",), cause="docker-3f9d0c1b7a52"),
)
