"""Files that live in memory (tmpfs): what each mount holds. Asked only where shared memory is worth a question."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Command, Cut, Doc, Fact, Question, Reading, Samples, Unavailable
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import Readings

MOUNTS = "tmpfs"
ASKED_PERCENT = 5.0
QUIET = Unavailable("failed", f"shared memory is at most {ASKED_PERCENT:.0f} % of RAM: not asked")
SOURCE = "statfs of every tmpfs in /proc/self/mountinfo"

# `df` of coreutils before 8.30 also looks at mounts that were not asked for, and never comes back from a dead NFS.
# One process: the shell becomes `stat`. A bind mount shows what its file system has shown already.
SCRIPT = """\
t_seen=' '
while read -r t_id t_parent t_device t_root t_point t_rest; do
  case $t_rest in *' - tmpfs '*) ;; *) continue ;; esac
  case $t_seen in *" $t_device "*) continue ;; esac
  case $t_point in *[\\\\]*) continue ;; esac
  t_seen="$t_seen$t_device "
  set -- "$@" "$t_point"
  [ $# -lt 1000 ] || break
done </proc/self/mountinfo
[ $# = 0 ] || exec stat -f -c '%S %b %f %n' -- "$@"
"""

_ROW = re.compile(r"(\d{1,19}) (\d{1,19}) (\d{1,19}) (/.*)", re.ASCII)


class Mount(Struct, frozen=True):
    """One file system in memory; sizes are None for one without a limit, which does not count what it holds."""

    name: Annotated[str, Doc("where it is mounted", source=SOURCE)]
    size_bytes: Annotated[int | None, Doc("what it may hold", Unit.BYTES, SOURCE)]
    used_bytes: Annotated[int | None, Doc("what its files hold, in RAM or in swap", Unit.BYTES, SOURCE)]
    used_percent: Annotated[float | None, Doc("of what it may hold", Unit.PERCENT, SOURCE)]
    ram_percent: Annotated[float | None, Doc("what its files hold, of RAM", Unit.PERCENT, "statfs / MemTotal")]


class TmpfsReading(Reading, frozen=True, kw_only=True):
    """The mounts that our login sees, apart from names with a blank; none where there was no reason to ask."""

    mounts: Annotated[list[Mount], Doc("file systems in memory, largest first", source=SOURCE)]
    used_bytes: Annotated[int | None, Doc("what all of them hold", Unit.BYTES, SOURCE)] = None


def follow(readings: Readings) -> tuple[Question, ...]:
    """Asks for the mounts where shared memory holds more than 5 % of RAM."""
    share = _shared_percent(readings)
    worth = not isinstance(share, Unavailable) and share > ASKED_PERCENT
    return (Command(MOUNTS, ("sh", "-c", SCRIPT, "sh")),) if worth else ()


def parse(samples: Samples, readings: Readings) -> TmpfsReading | Unavailable:
    """Reads one line of `stat` for each mount: block size, blocks, free blocks, mount point."""
    share = _shared_percent(readings)
    if isinstance(share, Unavailable):
        return share
    if share <= ASKED_PERCENT:
        return TmpfsReading(mounts=[], unavailable={"used_bytes": QUIET}, cut={"mounts": Cut(QUIET.why)})
    answer = samples[-1].get(MOUNTS)
    if answer.problem:
        return answer.problem
    ram = getattr(readings.get("memory"), "total_bytes", None)
    rows = [_ROW.fullmatch(line) for line in answer.text.split("\n")]
    mounts = {row[4]: _mount(row[4], [numbers.whole(word) for word in row.groups()[:3]], ram) for row in rows if row}
    found = sorted(mounts.values(), key=lambda mount: mount.used_bytes or 0, reverse=True)
    return TmpfsReading(mounts=found, used_bytes=min(sum(mount.used_bytes or 0 for mount in found), numbers.MOST))


def _shared_percent(readings: Readings) -> float | Unavailable:
    memory = readings.get("memory", Unavailable("failed", "memory was not read"))
    if isinstance(memory, Unavailable):
        return memory
    share: float | None = getattr(memory, "shared_percent", None)
    return Unavailable("absent", "this kernel does not count shared memory") if share is None else share


def _mount(name: str, counts: list[int | None], ram: int | None) -> Mount:
    match counts:
        case [int(block), int(blocks), int(free)] if blocks:
            size, used = (numbers.fits(block * count) for count in (blocks, max(blocks - free, 0)))
            return Mount(name, size, used, numbers.share(used, size), numbers.share(used, ram))
    return Mount(name, None, None, None, None)


FACT = Fact(
    reading=TmpfsReading,
    parse=parse,
    asks=(),
    needs=("memory",),
    meaning="file systems in memory",
    follow=follow,
)
