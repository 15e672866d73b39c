"""Numbers read straight from a guest's kernel, so that tests can prove a state without the product."""

from collections.abc import Mapping

from tests.kernel.lab.guest import Guest

ORDER_OF_HUGE_PAGE = 9
PAGE_KIB = 4


def meminfo(guest: Guest) -> dict[str, int]:
    """Return /proc/meminfo by field, in KiB (plain counts where the kernel gives counts)."""
    rows = (line.split() for line in guest.check("cat /proc/meminfo").splitlines())
    return {row[0].rstrip(":"): int(row[1]) for row in rows}


def vmstat(guest: Guest) -> dict[str, int]:
    """Return /proc/vmstat by counter: pages or events since boot."""
    rows = (line.split() for line in guest.check("cat /proc/vmstat").splitlines())
    return {name: int(count) for name, count in rows}


def statistics(guest: Guest, file: str) -> dict[str, int]:
    """Return a file of rows of a name and a number (memory.stat, memory.events) by name; nothing where it is gone."""
    rows = (line.split() for line in guest.run(f"cat {file}").stdout.splitlines())
    return {name: int(value) for name, value in rows}


def unit_statistics(guest: Guest, unit: str) -> dict[str, int]:
    """Return memory.stat of the control group of a service, in bytes and events; cgroup v2."""
    return statistics(guest, f"/sys/fs/cgroup/system.slice/{unit}/memory.stat")


def node_meminfo(guest: Guest, node: int) -> dict[str, int]:
    """Return a NUMA node's meminfo by field, in KiB."""
    rows = (line.split() for line in guest.check(f"cat /sys/devices/system/node/node{node}/meminfo").splitlines())
    return {row[2].rstrip(":"): int(row[3]) for row in rows}


def slab_kib(guest: Guest, cache: str) -> int:
    """Return what a slab cache holds, by /proc/slabinfo: its slabs, of so many pages each."""
    row = guest.check(f"grep '^{cache} ' /proc/slabinfo").split()
    return int(row[row.index("slabdata") + 2]) * int(row[5]) * PAGE_KIB


def available_percent(guest: Guest) -> float:
    """Return MemAvailable as a share of MemTotal."""
    memory = meminfo(guest)
    return 100 * memory["MemAvailable"] / memory["MemTotal"]


def unusable_index(guest: Guest, order: int = ORDER_OF_HUGE_PAGE) -> float:
    """Return the share of the biggest zone's free memory that no request of *order* can use (mm/vmstat.c), 0 to 1."""
    rows = [line.split()[4:] for line in guest.check("grep -w -e DMA32 -e Normal /proc/buddyinfo").splitlines()]
    zones = [[int(count) for count in row] for row in rows]
    blocks = max(zones, key=_pages)
    free = _pages(blocks)
    suitable = sum(count << size for size, count in enumerate(blocks) if size >= order)
    return (free - suitable) / free if free else 1.0


def stalls(counters: Mapping[str, float]) -> float:
    """Return how often a process had to reclaim memory itself, as *counters* have it: since boot, or a second."""
    return sum(count for name, count in counters.items() if name.startswith("allocstall"))


def pressure(guest: Guest, resource: str = "memory") -> dict[str, float]:
    """Return the pressure averages of a *resource* (memory, io) over the last 10 s in percent: `some` and `full`.

    Nothing at all where the kernel keeps none (`psi=0`).
    """
    answer = guest.run(f"cat /proc/pressure/{resource}")
    rows = (line.split() for line in answer.stdout.splitlines())
    return {row[0]: float(row[1].removeprefix("avg10=")) for row in rows}


def rates(guest: Guest, seconds: float = 2) -> dict[str, float]:
    """Return how fast each counter of /proc/vmstat grew over the next *seconds*: pages or events a second."""
    snapshot = "cat /proc/uptime /proc/vmstat"
    rows = [line.split() for line in guest.check(f"{snapshot}; sleep {seconds}; {snapshot}").splitlines()]
    half = len(rows) // 2
    passed = float(rows[half][0]) - float(rows[0][0])
    pairs = zip(rows[1:half], rows[half + 1 :], strict=True)
    return {name: (int(later) - int(earlier)) / passed for (name, earlier), (_, later) in pairs}


def touched_share(guest: Guest, unit: str) -> float:
    """Return which share of its own memory the main process of a running *unit* has touched so far, 0 to 1."""
    process = f"/proc/$(systemctl show --value --property=MainPID {unit})/status"
    rows = (line.split() for line in guest.check(f"grep -e VmData: -e RssAnon: -e VmSwap: {process}").splitlines())
    kib = {name.rstrip(":"): int(value) for name, value, _ in rows}
    return (kib["RssAnon"] + kib["VmSwap"]) / kib["VmData"]


def unit_bytes(guest: Guest, unit: str) -> int:
    """Return what systemd counts as the memory of a running *unit*, file cache included and swap not."""
    return int(guest.check(f"systemctl show --value --property=MemoryCurrent {unit}"))


def _pages(blocks: list[int]) -> int:
    return sum(count << size for size, count in enumerate(blocks))
