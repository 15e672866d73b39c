"""Services of systemd: which run or failed, what memory each holds, which of them grow, which are suspects.

The control groups are read with shell built-ins at every sample; `systemctl` says the rest once. Where it cannot run,
what the control groups say still stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from memrunbook.core.reading.fact import Command, Doc, Fact, Reading, Samples, Unavailable, Walk
from memrunbook.core.reading.figures import Holders
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.growth import growth_of, is_fast, thinned
from memrunbook.facts.shared.leaking_units import LeakingUnits, with_leaking
from memrunbook.facts.shared.room import foreign_of, passing_of, room_of
from memrunbook.linux.blame import LEAST_PERCENT, explains
from memrunbook.linux.service import (
    PROPERTIES,
    UNREAD,
    Growth,
    Service,
    ServiceMemory,
    charged,
    read_service,
    with_reclaimable,
    with_released,
)
from memrunbook.linux.systemctl import blocks

SUSPECT_PERCENT, EMPTY = 30.0, ServiceMemory(0, 0, 0, 0)
NO_PROCESS = frozenset({"exited", "failed", "dead", "auto-restart"})
GROUPS, SHOW = "units", "systemctl"
MOST_REMEMBERED = 25  # services of which the history keeps points at a reading: the largest

# Nothing is swapped in twice where nothing is in swap: then the first two lines of memory.stat are enough, but for who
# holds 1 % of RAM beside its anonymous memory: shared memory or the kernel's. cgroup v1 counts a group's own pages
# first and those of all below it many lines later: the same where there is none below.
SCRIPT = """\
u_root=/sys/fs/cgroup u_version=2 u_list= u_small= u_line='
'
[ -e "$u_root/cgroup.controllers" ] || u_root=/sys/fs/cgroup/memory u_version=1
read -r u_key u_small u_value </proc/meminfo
u_small=$((${u_small:-0} / 100 * 1024))
units_more() {
  case $1 in again) return 1 ;; deep) return 0 ;; esac
  case $u_total$u_anon in '' | *[!0-9]*) return 1 ;; esac
  [ $((u_total - u_anon)) -ge "$u_small" ]
}
units_deep() {
  u_leaf=deep u_more="total $u_total${u_line}file $u_file$u_line"
  while read -r u_key u_value; do
    case $u_key in
      kernel | kernel_stack | pagetables | sec_pagetables | percpu | sock | shmem | slab_reclaimable)
        u_more="$u_more$u_key $u_value$u_line" ;;
      swapcached) u_cached=$u_value ;;
      slab_unreclaimable) u_more="$u_more$u_key $u_value$u_line"; break ;;
    esac
  done
}
units_two() {
  u_swap= u_anon= u_file= u_cached= u_more=
  read -r u_swap <"$1/memory.swap.current"
  { read -r u_key u_anon
    [ "$2" = again ] || read -r u_key u_file
    units_more "$2" && units_deep
    case $u_more$u_swap in '' | 0 | *"$u_line"*) ;; *)
      while read -r u_key u_value; do
        case $u_key in swapcached) u_cached=$u_value; break ;; inactive_anon) break ;; esac
      done ;;
    esac; } <"$1/memory.stat"
}
units_one() {
  u_swap= u_anon= u_file= u_cached= u_more= u_below=total_ u_last=total_swap
  [ "$2" = leaf ] && u_below= u_last=swap
  { while read -r u_key u_value; do
      case $u_key in
        "${u_below}rss") u_anon=$u_value ;;
        "${u_below}cache") u_file=$u_value ;;
        "${u_below}shmem") u_more="shmem $u_value$u_line" ;;
        "$u_last") u_swap=$u_value; break ;;
        hierarchical_memory_limit) [ -z "$u_below" ] && break ;;
      esac
    done; } <"$1/memory.stat"
}
for u_dir in "$u_root"/*.slice/*.service "$u_root"/*.slice/*.slice/*.service; do
  [ -d "$u_dir" ] || continue
  u_total= u_swap= u_anon= u_file= u_cached= u_more= u_leaf=leaf
  if read -r u_total <"$u_dir/memory.current"; then
    units_two "$u_dir"
  elif read -r u_total <"$u_dir/memory.usage_in_bytes"; then
    for u_value in "$u_dir"/*/; do [ -d "$u_value" ] && u_leaf=tree; break; done
    units_one "$u_dir" "$u_leaf"
  else
    u_leaf=
  fi
  [ -n "$u_leaf" ] && u_list=$u_list$u_leaf$u_dir$u_line
  printf 'unit %s\\ntotal %s\\nswap %s\\nanonymous %s\\nfile %s\\nswap_cached %s\\n%s' \\
    "${u_dir#"$u_root"}" "$u_total" "$u_swap" "$u_anon" "$u_file" "$u_cached" "$u_more"
done
units_again() {
  set -f
  IFS=$u_line
  for u_dir in $u_list; do
    unset IFS
    u_anon= u_leaf=${u_dir%%/*} u_dir=/${u_dir#*/}
    case $u_version$u_leaf in
      1*) units_one "$u_dir" "$u_leaf" ;;
      2deep) read -r u_total <"$u_dir/memory.current" && units_two "$u_dir" deep ;;
      *) units_two "$u_dir" again ;;
    esac
    [ -n "$u_anon" ] || continue
    printf 'unit %s\\nswap %s\\nanonymous %s\\nswap_cached %s\\n%s' \\
      "${u_dir#"$u_root"}" "$u_swap" "$u_anon" "$u_cached" "$u_more"
  done
  unset IFS
  set +f
}
"""
AGAIN = "units_again"
"""What may grow of the services that the first sample saw: one that started since has no growth yet."""


class Units(Reading, frozen=True, kw_only=True):
    """The services that run or failed (those that just start or stop too); the largest first."""

    count: Annotated[int, Doc("services", Unit.COUNT, "systemctl show")]
    failed_count: Annotated[int | None, Doc("services that failed", Unit.COUNT, "systemctl show")] = None
    all: Annotated[list[Service], Doc("every service that is not inactive", source="systemctl show, cgroups")]
    growing: Annotated[
        list[Service] | None,
        Doc(
            "grew in every interval (watched: by its trend), over 1 MiB/s or 1 % of RAM a minute; fastest first",
            source="memory.stat",
        ),
    ] = None
    leaking: LeakingUnits = None
    leaks_known: Annotated[bool, Doc("enough is known from earlier to tell who leaks", source="the history")] = False
    watched_seconds: Annotated[float, Doc("what the samples span; 0 for one", Unit.SECONDS, "/proc/uptime")] = 0.0
    samples: Annotated[int, Doc("readings that growth rests on", Unit.COUNT, "the read itself")] = 1
    kernel_holders: Annotated[
        list[Service],
        Doc("the kernel holds 5 % of RAM and more for them, most first", source="memory.stat kernel"),
    ] = []  # noqa: RUF012  msgspec copies it
    suspects: Annotated[
        list[Service],
        Doc(
            "growing with 5 % of RAM, or with 30 % and more, growing ones first, the largest first;"
            " none where a balloon, a driver or the kernel holds over 25 % and more than it",
            source="memory.stat",
        ),
    ]


def parse(samples: Samples, readings: Mapping[str, Reading | Unavailable]) -> Units | Unavailable:
    """Joins what systemctl shows with the control groups of every sample."""
    passing = passing_of(readings)
    series = [(sample.before, _groups(sample.text(GROUPS) or "", passing)) for sample in thinned(samples)]
    shown = blocks(samples[0].text(SHOW) or "")
    if not shown and not series[0][1]:
        return _missing(samples, readings.get("host"))
    ram = getattr(readings.get("memory"), "total_bytes", None)
    room = room_of(readings)
    given_back = getattr(readings.get("memory"), "slab_reclaimable_bytes", None)
    newest = {path: with_reclaimable(_newest(path, series), given_back) for path in series[-1][1]}
    growth = _shares({path: growth_of(_sizes(path, series)) for path in newest})
    found = _services(shown, newest, samples[0].before) if shown else _bare(newest)
    held = sum(map(_own, found))
    services = sorted((_completed(one, growth, ram, room, held) for one in found), key=_own, reverse=True)
    growing = [one for one in services if is_fast(growth.get(one.cgroup, Growth()), ram)]
    foreign = foreign_of(readings)
    suspects = [
        one
        for one in services
        if (one in growing or (one.memory_percent or 0.0) >= SUSPECT_PERCENT)
        and explains(one.own_bytes, ram, foreign - (newest.get(one.cgroup) or EMPTY).kept)
    ]
    return Units(
        count=len(services),
        failed_count=sum(one.failed for one in services) if shown else None,
        all=services,
        growing=sorted(growing, key=lambda one: one.growth_bytes_per_second or 0, reverse=True)
        if len(samples) > 1
        else None,
        watched_seconds=max(0.0, samples[-1].before - samples[0].before),
        samples=len(samples),
        kernel_holders=sorted(
            (one for one in services if ram and _kernel(one) * 100 >= ram * LEAST_PERCENT), key=_kernel, reverse=True
        ),
        suspects=sorted(suspects, key=lambda one: one not in growing),
    )


def _missing(samples: Samples, host: Reading | Unavailable | None) -> Unavailable:
    answer = samples[0].get(SHOW)
    if answer.problem is not None:
        return answer.problem
    if getattr(host, "systemd", None) is False or "not been booted with systemd" in answer.text:
        return Unavailable("absent", "units: systemd does not run this host")
    return Unavailable("failed", "units: systemctl shows no services and no control group has any")


def _groups(text: str, passing: int) -> dict[str, ServiceMemory]:
    """The control groups that the walk printed, by path: every line begins with a word of ours."""
    found = {}
    for block in f"\n{text}".split("\nunit ")[1:]:
        path, *lines = block.split("\n")
        said = numbers.wholes(dict(line.split(" ", 1) for line in lines if " " in line))
        found[path] = with_released(charged(said), passing)
    return found


def _newest(path: str, series: list[tuple[float, dict[str, ServiceMemory]]]) -> ServiceMemory:
    """What the last sample says of a group; of what it left out, the newest before it."""
    known: dict[str, Any] = {}
    for _, groups in series:
        said = msgspec.structs.asdict(groups.get(path, ServiceMemory()))
        known |= {name: size for name, size in said.items() if size is not None}
    return ServiceMemory(**known)


def _services(shown: list[dict[str, str]], groups: Mapping[str, ServiceMemory], uptime: float) -> list[Service]:
    return [
        read_service(one, groups.get(one.get("ControlGroup", ""), _without_group(one)), uptime)
        for one in shown
        if one.get("ActiveState") != "inactive" and one["Id"].endswith(".service")
    ]


def _without_group(shown: Mapping[str, str]) -> ServiceMemory:
    """A service that has no process holds nothing; one that has (no accounting on cgroup v1) is unknown."""
    return EMPTY if shown.get("SubState") in NO_PROCESS else ServiceMemory()


def _bare(groups: Mapping[str, ServiceMemory]) -> list[Service]:
    """Without systemctl: a control group exists while its service runs, and nothing may be done with it."""
    return [
        Service(
            name=path.rpartition("/")[2],
            active=True,
            state=UNREAD,
            cgroup=path,
            memory_bytes=memory.total,
            anonymous_bytes=memory.anonymous,
            file_bytes=memory.file,
            **memory.held,
        )
        for path, memory in groups.items()
    ]


def _sizes(path: str, series: list[tuple[float, dict[str, ServiceMemory]]]) -> list[tuple[float, int | None]]:
    return [(time, groups[path].own if path in groups else None) for time, groups in series]


def _shares(growth: Mapping[str, Growth]) -> dict[str, Growth]:
    total = sum(max(0, one.bytes_per_second or 0) for one in growth.values())
    return {
        path: msgspec.structs.replace(one, share=max(0, one.bytes_per_second) / total if total else 0.0)
        for path, one in growth.items()
        if one.bytes_per_second is not None
    }


def _completed(service: Service, growth: Mapping[str, Growth], ram: int | None, room: int | None, held: int) -> Service:
    grown = growth.get(service.cgroup, Growth())
    rate = grown.bytes_per_second or 0
    return msgspec.structs.replace(
        service,
        memory_percent=numbers.share(service.own_bytes, ram),
        own_share=_own(service) / held if held else None,
        growth_bytes_per_second=grown.bytes_per_second,
        growth_share=grown.share,
        seconds_to_exhaustion=room / rate if room is not None and rate > 0 else None,
    )


def _kernel(service: Service) -> int:
    return service.kernel_bytes or 0


def _own(service: Service) -> int:
    return service.own_bytes or 0


def _argv(properties: Iterable[str]) -> tuple[str, ...]:
    return ("systemctl", "show", "--no-pager", f"--property={','.join(properties)}", "*.service")


FACT = Fact(
    reading=Units,
    recall=with_leaking,
    parse=parse,
    asks=(Walk(GROUPS, SCRIPT, each=True, again=AGAIN), Command(SHOW, _argv(PROPERTIES))),
    needs=("host", "memory", "shm", "swap", "tmpfs"),
    meaning="the services of systemd and their memory",
    history=(
        Holders(
            "unit",
            "all",
            {"own_bytes": ("own_bytes",), "memory_bytes": ("memory_bytes",)},
            life=("invocation_id",),
            limit="memory_max_bytes",
            most=MOST_REMEMBERED,
        ),
    ),
)
