"""Gives idle huge pages back to the rest of the host; what is in use or promised to a process stays."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import guards
from memrunbook.actions.shared.scripts import LOOK_ONLY, OWN_CHILD, WRITE_SLOWLY
from memrunbook.core.action.action import (
    Action,
    Blocked,
    Change,
    Concerns,
    Decision,
    NotNeeded,
    Repeat,
    Risk,
    Undo,
    UndoMode,
    Verify,
)
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import KIB, Size, format_bytes
from memrunbook.facts.hugepages import POOL, HugepagePool
from memrunbook.facts.shared import roles
from memrunbook.linux.service import Service

WAIT = 300
OWNERS = ("database", "hypervisor")
"""The roles of those for whom such pools are made."""
NO_HYPERVISOR = guards.is_not(
    "host.hypervisor",
    True,
    "this host runs virtual machines, which will ask for the pages when they start",
    "shrink the pool with the tools of the virtual machines",
)

_READ = """\
pool_read() { # FOLDER: its counts as they are now
  { read -r pool_total <"$1/nr_hugepages" && read -r pool_free <"$1/free_hugepages" &&
    read -r pool_reserved <"$1/resv_hugepages"; } 2>/dev/null && return 0
  printf '%s\\n' "$1 cannot be read any more" >&2
  return 3
}
"""
SCRIPT = (
    WRITE_SLOWLY
    + _READ
    + """\
act() { # FOLDER PAGES SECONDS
  pool_read "$1" || return
  pool_held=$((pool_total - pool_free + pool_reserved))
  if [ "$pool_held" -gt "$2" ]; then
    printf '%s\\n' "$pool_held pages are in use or promised by now: more than the $2 that were to stay" >&2
    return 3
  fi
  write_slowly "$1/nr_hugepages" "$2" "$3" || return
  pool_read "$1" || return
  [ "$pool_total" -gt "$2" ] || return 0
  printf '%s\\n' "the kernel kept $pool_total pages instead of $2: it may need free memory to release more" >&2
  return 1
}
act "$@"
"""
)
# A tenth of RAM must stay available: the pages would be taken from whoever has the memory by now.
UNDO = (
    OWN_CHILD
    + WRITE_SLOWLY
    + _READ
    + """\
pool_fits() { # PAGES KIB: so many pages of this size leave a tenth of RAM available
  pool_ram=0 pool_available=0
  { while read -r pool_key pool_value pool_unit; do
      case $pool_key in
        MemTotal:) pool_ram=$pool_value ;;
        MemAvailable:) pool_available=$pool_value; break ;;
      esac
    done; } </proc/meminfo
  [ $((pool_available - $1 * $2)) -ge $((pool_ram / 10)) ] && return 0
  printf '%s\\n' "$1 pages of $2 KiB would leave less than a tenth of RAM available: they are not taken back" >&2
  return 4
}
take_back() { # FOLDER OURS OLD KIB SECONDS
  pool_read "$1" || return
  [ "$pool_total" = "$3" ] && return 0
  if [ "$pool_total" != "$2" ]; then
    printf '%s\\n' "the pool has $pool_total pages, not $2 as we left it: somebody else has changed it" >&2
    return 4
  fi
  pool_fits "$(($3 - $2))" "$4" || return
  """
    + LOOK_ONLY
    + """\
  write_slowly "$1/nr_hugepages" "$3" "$5" || return
  pool_read "$1" || return
  [ "$pool_total" = "$3" ] && return 0
  printf '%s\\n' "only $pool_total of $3 pages: memory is fragmented; compact it, then write $3 to $1/nr_hugepages" >&2
  return 1
}
take_back "$@"
"""
)


class ReleaseHugepages(Action, frozen=True, kw_only=True):
    """Shrinks a pool of huge pages to what is in use or promised; its owner may miss them when it starts again.

    An idle pool looks the same whether nobody wants it or its database is just down: what speaks for the latter blocks.
    """

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = ("host", "hugepages", "memory", "sysctl_files", "units")
    undo_mode: ClassVar[UndoMode] = "offer"
    moves: ClassVar[Moves | None] = {"memory.available_bytes": "up"}
    concerns: ClassVar[Concerns] = "gives up huge pages"

    size: Annotated[Size | None, Meta(description='size of the pages, as in "2 MiB"; default: the kernel\'s own')] = (
        None
    )
    keep: Annotated[int, Meta(ge=0, description="pages that the pool has at least afterwards, in use or not")] = 0

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where no page is idle; blocked where the pool is not known, or somebody will want it back."""
        known = guards.known("hugepages.pools", "hugepages.size_bytes", "memory.available_bytes")
        blocked = guards.first(snapshot, *guards.HOST_WIDE, known, NO_HYPERVISOR, _nobody_is_down)
        if blocked is not None:
            return blocked
        size = self.size or snapshot.value("hugepages.size_bytes")
        pools: list[HugepagePool] = snapshot.value("hugepages.pools")
        pool = next((pool for pool in pools if pool.size_bytes == size), None)
        if pool is None:
            return Blocked(f"this host has no huge pages of {format_bytes(size)}", "`runbook facts` lists the pools")
        if pool.surplus:
            return Blocked(
                f"{pool.surplus} pages of {pool.name} more than configured are in use",
                "what uses them gives them back by itself; look at its settings",
            )
        pages = max(self.keep, pool.total - pool.free + pool.reserved)
        if pages >= pool.total:
            return NotNeeded(f"the pool has {pool.total} pages of {pool.name}, and {pages} are to stay")
        return _configured(snapshot, pool, pages) or self._change(snapshot, pool, pages)

    def _change(self, snapshot: Snapshot, pool: HugepagePool, pages: int) -> Change:
        kib = pool.size_bytes // KIB
        folder = f"{POOL}{kib}kB"
        freed = (pool.total - pages) * pool.size_bytes
        return self.change(
            summary=f"Huge pages of {pool.name}: {pool.total} -> {pages}, {format_bytes(freed)} come free",
            target=pool.name,
            command=f"echo {pages} > {folder}/nr_hugepages",
            identity=f"pool {folder} {guards.boot(snapshot)}",
            script=SCRIPT,
            args=(folder, str(pages), str(WAIT)),
            undo=Undo(
                f"{pool.total} pages of {pool.name} again; there may be fewer, as memory is fragmented by then",
                UNDO,
                (folder, str(pages), str(pool.total), str(kib), str(WAIT)),
                costs="the pages are taken from whoever has the memory by now; the kernel may work on it for minutes",
            ),
            costs="whoever the pool was made for (a database, virtual machines) may not start again without it",
            verify=Verify(
                f"hugepages.pools.exists(p, p.size_bytes == {pool.size_bytes} && p.total <= {pages})"
                f" && 2 * (memory.available_bytes - before.memory.available_bytes) >= {freed}"
            ),
            timeout=2.0 * WAIT,
        )


def _nobody_is_down(snapshot: Snapshot) -> Blocked | None:
    """No service that such pools are made for has failed or is just starting: it would not start without its pages."""
    if snapshot.value("host.systemd") is False:
        return None
    blocked = guards.known("units.all")(snapshot)
    if blocked is not None:
        return blocked
    units: list[Service] = snapshot.value("units.all")
    down = [one.name for one in units if not one.active and any(roles.plays(role, [one.name], []) for role in OWNERS)]
    if not down:
        return None
    return Blocked(f"{down[0]} is down and may need the huge pages to start", f"start it first (start_unit {down[0]})")


def _configured(snapshot: Snapshot, pool: HugepagePool, pages: int) -> Blocked | None:
    """The pool of the default size stays as large as sysctl.d asks for: somebody meant it to be."""
    if pool.size_bytes != snapshot.value("hugepages.size_bytes"):
        return None
    blocked = guards.known("sysctl_files.nr_hugepages")(snapshot)
    if blocked is not None:
        return blocked
    asked: int = snapshot.value("sysctl_files.nr_hugepages")
    if pages >= asked:
        return None
    why = f"the files below sysctl.d ask for {asked} pages, and only {pages} would stay"
    return Blocked(why, f"change vm.nr_hugepages there if nobody needs them, or keep {asked}")
