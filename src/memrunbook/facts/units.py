"""Services of systemd: which run or failed, what memory each holds, which of them grow, which are suspects.

The control groups are read with shell built-ins at every sample; `systemctl` says the rest once. Where it cannot run,
what the control groups say still stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec

from memrunbook.core.reading.fact import Command, Doc, Fact, Reading, Samples, Unavailable, Walk
from memrunbook.core.units import MIB, MINUTE, Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.growth import growth_of, thinned
from memrunbook.linux.service import PROPERTIES, Growth, Service, ServiceMemory, read_service
from memrunbook.linux.systemctl import blocks

SUSPECT_PERCENT = 30.0
MATTERS_PERCENT = 5.0
"""Of the suspects those that grow come first, but not one that holds less of the RAM than this."""
GROWING_BYTES_PER_SECOND = MIB
GROWING_PERCENT_PER_MINUTE = 1.0
EMPTY = ServiceMemory(0, 0, 0, 0)
NO_PROCESS = frozenset({"exited", "failed", "dead", "auto-restart"})
GROUPS, SHOW = "units", "systemctl"

# Nothing is swapped in twice where nothing is in swap: then the first two lines of memory.stat are enough. cgroup v1
# counts a group's own pages first and those of all below it many lines later: the same where there is none below.
SCRIPT = """\
u_root=/sys/fs/cgroup u_list= u_line='
'
[ -e "$u_root/cgroup.controllers" ] || u_root=/sys/fs/cgroup/memory
units_two() {
  u_swap= u_anon= u_file= u_cached=
  read -r u_swap <"$1/memory.swap.current"
  { read -r u_key u_anon
    [ "$2" = again ] || read -r u_key u_file
    case $u_swap in '' | 0) ;; *)
      while read -r u_key u_value; do
        case $u_key in swapcached) u_cached=$u_value; break ;; inactive_anon) break ;; esac
      done ;;
    esac; } <"$1/memory.stat"
}
units_one() {
  u_swap= u_anon= u_file= u_cached= u_below=total_ u_last=total_swap
  [ "$2" = leaf ] && u_below= u_last=swap
  { while read -r u_key u_value; do
      case $u_key in
        "${u_below}rss") u_anon=$u_value ;;
        "${u_below}cache") u_file=$u_value ;;
        "$u_last") u_swap=$u_value; break ;;
        hierarchical_memory_limit) [ -z "$u_below" ] && break ;;
      esac
    done; } <"$1/memory.stat"
}
for u_dir in "$u_root"/*.slice/*.service "$u_root"/*.slice/*.slice/*.service; do
  [ -d "$u_dir" ] || continue
  u_total= u_swap= u_anon= u_file= u_cached= u_leaf=leaf
  if read -r u_total <"$u_dir/memory.current"; then
    units_two "$u_dir"
  elif read -r u_total <"$u_dir/memory.usage_in_bytes"; then
    for u_value in "$u_dir"/*/; do [ -d "$u_value" ] && u_leaf=tree; break; done
    units_one "$u_dir" "$u_leaf"
  else
    u_leaf=
  fi
  [ -n "$u_leaf" ] && u_list=$u_list$u_leaf$u_dir$u_line
  printf 'unit %s\\ntotal %s\\nswap %s\\nanonymous %s\\nfile %s\\nswap_cached %s\\n' \\
    "${u_dir#"$u_root"}" "$u_total" "$u_swap" "$u_anon" "$u_file" "$u_cached"
done
units_again() {
  set -f
  IFS=$u_line
  for u_dir in $u_list; do
    unset IFS
    u_leaf=${u_dir%%/*} u_dir=/${u_dir#*/}
    if [ "$u_root" = /sys/fs/cgroup ]; then units_two "$u_dir" again; else units_one "$u_dir" "$u_leaf"; fi
    [ -n "$u_anon" ] || continue
    printf 'unit %s\\nswap %s\\nanonymous %s\\nswap_cached %s\\n' \\
      "${u_dir#"$u_root"}" "$u_swap" "$u_anon" "$u_cached"
  done
  unset IFS
  set +f
}
"""
AGAIN = "units_again"
"""What may grow of the services that the first sample saw: one that started since has no growth yet."""

MEMORY = frozenset(ServiceMemory.__struct_fields__)


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
    watched_seconds: Annotated[float, Doc("what the samples span; 0 for one", Unit.SECONDS, "/proc/uptime")] = 0.0
    samples: Annotated[int, Doc("readings that growth rests on", Unit.COUNT, "the read itself")] = 1
    suspects: Annotated[
        list[Service],
        Doc(
            "growing, or with 30 % of RAM and more; growing ones of 5 % first, the largest first", source="memory.stat"
        ),
    ]


def parse(samples: Samples, readings: Mapping[str, Reading | Unavailable]) -> Units | Unavailable:
    """Joins what systemctl shows with the control groups of every sample."""
    series = [(sample.before, _groups(sample.text(GROUPS) or "")) for sample in thinned(samples)]
    shown = blocks(samples[0].text(SHOW) or "")
    if not shown and not series[0][1]:
        return _missing(samples, readings.get("host"))
    ram = getattr(readings.get("memory"), "total_bytes", None)
    room = _room(readings)
    newest = {path: _newest(path, series) for path in series[-1][1]}
    growth = _shares({path: growth_of(_sizes(path, series)) for path in newest})
    found = _services(shown, newest, samples[0].before) if shown else _bare(newest)
    held = sum(map(_own, found))
    services = sorted((_completed(one, growth, ram, room, held) for one in found), key=_own, reverse=True)
    growing = [one for one in services if _grows(one, growth, ram)]
    suspects = [one for one in services if one in growing or (one.memory_percent or 0.0) >= SUSPECT_PERCENT]
    return Units(
        count=len(services),
        failed_count=sum(one.failed for one in services) if shown else None,
        all=services,
        growing=sorted(growing, key=lambda one: one.growth_bytes_per_second or 0, reverse=True)
        if len(samples) > 1
        else None,
        watched_seconds=max(0.0, samples[-1].before - samples[0].before),
        samples=len(samples),
        suspects=sorted(suspects, key=lambda one: one not in growing or (one.memory_percent or 0.0) < MATTERS_PERCENT),
    )


def _room(readings: Mapping[str, Reading | Unavailable]) -> int | None:
    """What is left for those who grow: available memory and free swap, in bytes; None where that is not known."""
    available = getattr(readings.get("memory"), "available_bytes", None)
    swap = getattr(readings.get("swap"), "free_bytes", None)
    return None if available is None or swap is None else available + swap


def _missing(samples: Samples, host: Reading | Unavailable | None) -> Unavailable:
    answer = samples[0].get(SHOW)
    if answer.problem is not None:
        return answer.problem
    if getattr(host, "systemd", None) is False or "not been booted with systemd" in answer.text:
        return Unavailable("absent", "units: systemd does not run this host")
    return Unavailable("failed", "units: systemctl shows no services and no control group has any")


def _groups(text: str) -> dict[str, ServiceMemory]:
    """The control groups that the walk printed, by path: every line begins with a word of ours."""
    found = {}
    for block in f"\n{text}".split("\nunit ")[1:]:
        path, *lines = block.split("\n")
        words = {word: rest for word, _, rest in [line.partition(" ") for line in lines] if word in MEMORY}
        found[path] = ServiceMemory(**numbers.wholes(words))
    return found


def _newest(path: str, series: list[tuple[float, dict[str, ServiceMemory]]]) -> ServiceMemory:
    """What the last sample says of a group; of what it left out, the newest before it."""
    known: dict[str, int | None] = {}
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
            state="unknown",
            cgroup=path,
            memory_bytes=memory.total,
            anonymous_bytes=memory.anonymous,
            file_bytes=memory.file,
            swap_bytes=memory.swap,
            own_bytes=memory.own,
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


def _own(service: Service) -> int:
    return service.own_bytes or 0


def _grows(service: Service, growth: Mapping[str, Growth], ram: int | None) -> bool:
    grown = growth.get(service.cgroup, Growth())
    fast = [float(GROWING_BYTES_PER_SECOND)]
    if ram:
        fast.append(ram * GROWING_PERCENT_PER_MINUTE / 100 / MINUTE)
    return grown.steady and (grown.bytes_per_second or 0) > min(fast)


def _argv(properties: Iterable[str]) -> tuple[str, ...]:
    return ("systemctl", "show", "--no-pager", f"--property={','.join(properties)}", "*.service")


FACT = Fact(
    reading=Units,
    parse=parse,
    asks=(Walk(GROUPS, SCRIPT, each=True, again=AGAIN), Command(SHOW, _argv(PROPERTIES))),
    needs=("memory", "swap", "host"),
    meaning="the services of systemd and their memory",
)
