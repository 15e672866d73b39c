"""Numbers read straight from a guest's kernel, so that tests can prove a state without the product."""

from tests.kernel.lab.guest import Guest

ORDER_OF_HUGE_PAGE = 9


def meminfo(guest: Guest) -> dict[str, int]:
    """Return /proc/meminfo by field, in KiB (plain counts where the kernel gives counts)."""
    rows = (line.split() for line in guest.check("cat /proc/meminfo").splitlines())
    return {row[0].rstrip(":"): int(row[1]) for row in rows}


def vmstat(guest: Guest) -> dict[str, int]:
    """Return /proc/vmstat by counter: pages or events since boot."""
    rows = (line.split() for line in guest.check("cat /proc/vmstat").splitlines())
    return {name: int(count) for name, count in rows}


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


def stalls(counters: dict[str, int]) -> int:
    """Return how often a process had to reclaim memory itself since boot."""
    return sum(count for name, count in counters.items() if name.startswith("allocstall"))


def pressure(guest: Guest) -> dict[str, float]:
    """Return the memory pressure averages of the last 10 s in percent: `some` and `full`."""
    rows = (line.split() for line in guest.check("cat /proc/pressure/memory").splitlines())
    return {row[0]: float(row[1].removeprefix("avg10=")) for row in rows}


def _pages(blocks: list[int]) -> int:
    return sum(count << size for size, count in enumerate(blocks))
