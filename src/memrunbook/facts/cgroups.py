"""Control groups: what each holds, its limits, how often it hits them, and which of them are pressed.

One walk of shell built-ins at every sample: a few short reads of every group, details only of those that matter.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Doc, Fact, Reading, Samples, Unavailable, Walk
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.group import ROOT, Group, Point, read_group
from memrunbook.facts.shared.sampling import ONE_SAMPLE, Readings, latest

WALK = "cgroups"
MOST_SEEN, MOST_SHOWN = 10_000, 200
NEAR_PERCENT = 90.0
STALLED_PERCENT = 10.0
HELD_PERCENT = 80.0
RESTORED_PER_SECOND = 10.0
"""File cache that can go does not press: either so much of the limit is held by something else, or so many file pages
in use are read again. Streaming through a file at a limit hits it all the time, and shows as a stall."""
NO_GROUPS = Unavailable("absent", "this host has no control groups that count memory")
SWITCHED_OFF = Unavailable("absent", "control groups do not count memory here: cgroup_disable=memory, or not delegated")

# A name holds no line feed: the kernel refuses to make such a group. 19 digits and more are no limit (v1). A group may
# vanish between two reads, and arithmetic on an empty text would end the shell.
# Listing a folder is what costs. cgroup.stat begins with the number of groups below (4.14): 0 need no listing; v1 has
# no such file, and hardly ever groups below a service or scope.
SCRIPT = f"""\
c_root={ROOT} c_usage=memory.current c_max=memory.max c_version=2 c_value=
if [ -e "$c_root/cgroup.controllers" ]; then
  read -r c_value <"$c_root/cgroup.controllers"
  c_pids=$c_root
elif [ -d "$c_root/memory" ]; then
  c_pids=$c_root/pids c_root=$c_root/memory c_usage=memory.usage_in_bytes c_max=memory.limit_in_bytes c_version=1
else
  return 0
fi
printf 'version %s %s\\n' "$c_version" "$c_value"
c_seen=0 c_near= c_near_count=0 c_limited= c_limited_count=0 c_named= c_named_count=0 c_plain= c_plain_count=0
c_line='
'
cgroups_sort() {{
  c_now= c_least= c_high=
  read -r c_now <"$1/$c_usage"
  case $c_now in '' | *[!0-9]*) return 1 ;; esac
  read -r c_least <"$1/$c_max"
  [ "$c_version" = 2 ] && read -r c_high <"$1/memory.high"
  case $c_least in '' | *[!0-9]* | ???????????????????*) c_least=max ;; esac
  case $c_high in '' | *[!0-9]*) ;; *)
    if [ "$c_least" = max ] || [ "$c_high" -lt "$c_least" ]; then c_least=$c_high; fi ;;
  esac
  [ "$1" = "$c_root" ] && [ "$c_least" = max ] && return 0
  c_seen=$((c_seen + 1))
  if [ "$c_least" != max ]; then
    if [ "$c_now" -ge $((c_least / 100 * 85)) ]; then
      [ "$c_near_count" -lt {MOST_SHOWN} ] && c_near=$c_near$1$c_line c_near_count=$((c_near_count + 1))
    else
      [ "$c_limited_count" -lt {MOST_SHOWN} ] && c_limited=$c_limited$1$c_line c_limited_count=$((c_limited_count + 1))
    fi
    return 0
  fi
  case ${{1#"$c_root"}} in
    *.scope | *.slice | */kubepods* | /docker/* | /lxc/* | */lxc.payload* | */libpod* | /machine*)
      [ "$c_named_count" -lt {MOST_SHOWN} ] && c_named=$c_named$1$c_line c_named_count=$((c_named_count + 1)) ;;
    *)
      [ "$c_now" -lt 1048576 ] && return 0
      [ "$c_plain_count" -lt {MOST_SHOWN} ] && c_plain=$c_plain$1$c_line c_plain_count=$((c_plain_count + 1)) ;;
  esac
  return 0
}}
cgroups_walk() {{
  cgroups_sort "$1" || [ "$2" = 0 ] || return 0
  [ "$2" -ge 6 ] && return 0
  if [ "$c_version" = 2 ]; then
    c_key= c_value=
    read -r c_key c_value <"$1/cgroup.stat"
    [ "$c_key $c_value" = "nr_descendants 0" ] && return 0
  else
    case $1 in *.service | *.scope) return 0 ;; esac
  fi
  for c_dir in "$1"/*/; do
    [ "$c_seen" -ge {MOST_SEEN} ] && return 0
    [ -d "$c_dir" ] && cgroups_walk "${{c_dir%/}}" $(($2 + 1))
  done
}}
cgroups_value() {{
  c_value=
  read -r c_value <"$2" && printf '%s %s\\n' "$1" "$c_value"
}}
cgroups_two() {{
  cgroups_value swap "$1/memory.swap.current"
  cgroups_value high_limit "$1/memory.high"
  cgroups_value swap_limit "$1/memory.swap.max"
  cgroups_value oom_group "$1/memory.oom.group"
  c_events=$1/memory.events.local
  [ -e "$c_events" ] || c_events=$1/memory.events
  {{ while read -r c_key c_value; do
      case $c_key in
        high | max) printf '%s %s\\n' "$c_key" "$c_value" ;;
      esac
    done; }} <"$c_events"
  {{ while read -r c_key c_value; do
      [ "$c_key" = oom_kill ] && printf 'oom_kill %s\\n' "$c_value"
    done; }} <"$1/memory.events"
  {{ while read -r c_key c_value c_value c_value c_value; do
      printf '%s %s\\n' "$c_key" "${{c_value#total=}}"
    done; }} <"$1/memory.pressure"
  {{ while read -r c_key c_value; do
      case $c_key in
        anon | file | kernel | kernel_stack | pagetables | percpu | shmem | slab_reclaimable)
          printf '%s %s\\n' "$c_key" "$c_value" ;;
        file_dirty | file_writeback | inactive_file) printf '%s %s\\n' "$c_key" "$c_value" ;;
        slab_unreclaimable)
          printf '%s %s\\n' "$c_key" "$c_value"
          [ "$c_shown" -gt "$c_near_count" ] && break ;;
        workingset_restore_file | workingset_restore) printf 'restored %s\\n' "$c_value"; break ;;
      esac
    done; }} <"$1/memory.stat"
}}
cgroups_one() {{
  printf 'high_limit max\\n'
  cgroups_value memsw_limit "$1/memory.memsw.limit_in_bytes"
  cgroups_value max "$1/memory.failcnt"
  cgroups_value kernel "$1/memory.kmem.usage_in_bytes"
  {{ while read -r c_key c_value; do
      [ "$c_key" = oom_kill ] && printf 'oom_kill %s\\n' "$c_value"
    done; }} <"$1/memory.oom_control"
  {{ while read -r c_key c_value; do
      case $c_key in
        total_cache | total_rss | total_shmem | total_dirty | total_writeback | total_swap | total_inactive_file)
          printf '%s %s\\n' "$c_key" "$c_value" ;;
      esac
    done; }} <"$1/memory.stat"
}}
cgroups_walk "$c_root" 0
c_shown=0 IFS=$c_line
set -f
for c_dir in $c_near $c_limited $c_named $c_plain; do
  unset IFS
  [ "$c_shown" -ge {MOST_SHOWN} ] && break
  c_shown=$((c_shown + 1))
  c_path=${{c_dir#"$c_root"}}
  printf 'group %s\\n' "${{c_path:-/}}"
  cgroups_value usage "$c_dir/$c_usage"
  cgroups_value limit "$c_dir/$c_max"
  cgroups_value pids "$c_pids$c_path/pids.current"
  cgroups_value pids_limit "$c_pids$c_path/pids.max"
  if [ "$c_version" = 2 ]; then cgroups_two "$c_dir"; else cgroups_one "$c_dir"; fi
done
unset IFS
set +f
printf 'seen %s\\n' "$c_seen"
"""


class CgroupsReading(Reading, frozen=True, kw_only=True):
    """The groups that matter: near a limit first, then limited, containers and slices, the rest of 1 MiB and more."""

    version: Annotated[int, Doc("control groups that count memory: 2 or 1", source=ROOT)]
    seen: Annotated[int, Doc(f"groups found, at most six levels deep and {MOST_SEEN}", Unit.COUNT, ROOT)]
    shown: Annotated[int, Doc(f"of these, read; at most {MOST_SHOWN}", Unit.COUNT, ROOT)]
    all: Annotated[list[Group], Doc("the groups read, the largest first", source=ROOT)]
    pressed: Annotated[
        list[Group] | None,
        Doc(
            "90 % of a limit used, stalled 10 % of the time or hitting it, and not for file cache that can go",
            source="memory.events, memory.pressure",
        ),
    ] = None


class _Walked(Struct, frozen=True):
    """What one walk printed: the lines of every group by its path."""

    time: float
    version: int | None
    controllers: list[str]
    seen: int
    groups: dict[str, str]


def parse(samples: Samples, _readings: Readings) -> CgroupsReading | Unavailable:
    """Reads the groups of the newest walk, and their counters over all walks."""
    answer = latest(samples, WALK)
    if answer.problem:
        return answer.problem
    walks = [_walked(sample.before, text) for sample in samples if (text := sample.text(WALK)) is not None]
    last = walks[-1]
    if last.version is None:
        return NO_GROUPS
    if not last.groups and last.version > 1 and "memory" not in last.controllers:
        return SWITCHED_OFF
    groups = [read_group(path, _points(path, walks)) for path in last.groups]
    return CgroupsReading(
        version=last.version,
        seen=max(last.seen, len(groups)),
        shown=len(groups),
        all=sorted(groups, key=lambda group: group.usage_bytes or 0, reverse=True),
        pressed=sorted(filter(_is_pressed, groups), key=_badness, reverse=True) if len(walks) > 1 else None,
        unavailable={} if len(walks) > 1 else {"pressed": ONE_SAMPLE},
    )


def _walked(time: float, text: str) -> _Walked:
    head, *blocks = f"\n{text}".split("\ngroup ")
    heads, groups = _words(head), dict[str, str]()
    for block in blocks:
        path, _, lines = block.partition("\n")
        groups[path] = lines
    seen = text.rpartition("\nseen ")[2].partition("\n")[0]
    version, _, controllers = heads.get("version", "").partition(" ")
    return _Walked(
        time=time,
        version={"1": 1, "2": 2}.get(version),
        controllers=controllers.split(),
        seen=numbers.whole(seen) or 0,
        groups=groups,
    )


def _points(path: str, walks: list[_Walked]) -> list[Point]:
    """A group in the first and the last walk that show it: what lies between tells nothing more."""
    seen = [walk for walk in walks if path in walk.groups]
    return [Point(walk.time, _words(walk.groups[path])) for walk in (*seen[:1], *seen[1:][-1:])]


def _words(lines: str) -> dict[str, str]:
    """Lines by their first word; they come by the thousands."""
    return {word: rest for word, _, rest in [line.partition(" ") for line in lines.split("\n")]}


def _is_pressed(group: Group) -> bool:
    """At its limit with file cache that can go is healthy, however often it is hit: every page read hits it."""
    if (group.usage_percent or 0.0) < NEAR_PERCENT:
        return False
    stalled = (group.full_percent or 0.0) >= STALLED_PERCENT
    if (group.held_percent or 0.0) >= HELD_PERCENT:
        return stalled or _hits(group) > 0
    return stalled and (group.file_restores_per_second or 0.0) >= RESTORED_PER_SECOND


def _hits(group: Group) -> float:
    return (group.limit_hits_per_second or 0.0) + (group.high_hits_per_second or 0.0)


def _badness(group: Group) -> tuple[float, float, float]:
    return group.full_percent or 0.0, group.usage_percent or 0.0, _hits(group)


FACT = Fact(
    reading=CgroupsReading,
    parse=parse,
    asks=(Walk(WALK, SCRIPT, each=True),),
    meaning="control groups, their memory, limits and pressure",
)
