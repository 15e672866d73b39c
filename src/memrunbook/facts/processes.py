"""Processes: the largest by memory of their own and swap, with the unit and container that each belongs to.

One walk of shell built-ins: a short read of `statm` for every process, details only of the largest ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Doc, Fact, Reading, Samples, Unavailable, Walk
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers
from memrunbook.linux.attribution import groups_of, owner_of

TICKS_PER_SECOND = 100
"""USER_HZ, the unit of times in /proc: 100 on every architecture that we know."""

STAT_FIELDS = (1, 17, 19)
"""Fields 4, 20 and 22 of proc(5), counted from the state, the first behind the name."""

# Most processes are sorted out by how many digits their size has, which costs less than comparing numbers. Before 4.5
# `statm` alone tells anonymous memory.
SCRIPT = """\
p_total=0 p_swap=0 p_free=0 p_pages=0 p_page=4
{ while read -r p_key p_value p_rest; do
    case $p_key in
      MemTotal:) p_total=$p_value ;;
      SwapTotal:) p_swap=$p_value ;;
      SwapFree:) p_free=$p_value; break ;;
    esac
  done; } </proc/meminfo
read -r p_pages p_rest </proc/$$/statm
{ while read -r p_key p_value p_rest; do
    case $p_key in VmSize:) [ "$p_pages" -gt 0 ] && p_page=$((p_value / p_pages)); break ;; esac
  done; } </proc/$$/status
[ "$p_page" -gt 0 ] || p_page=4
printf 'page %s\\n' "$p_page"
p_big=$((p_total / 100 / p_page)) p_middle=$((p_total / 400 / p_page)) p_small=$((p_total / 1000))
[ "$p_small" -lt 1024 ] && p_small=1024
p_small=$((p_small / p_page))
p_first= p_second= p_third= p_hiding= p_maybe= p_looked=0 p_shown=0 p_none=0 p_wide='*' p_line=$p_small
while [ -n "$p_line" ]; do p_wide="[0-9]$p_wide" p_line=${p_line%?}; done
processes_sort() {
  if [ "$p_rss" -ge "$p_big" ]; then p_first="$p_first $p_pid"
  elif [ "$p_data" -ge "$p_big" ]; then p_hiding="$p_hiding $p_pid"
  elif [ "$p_data" -ge "$p_small" ]; then p_maybe="$p_maybe $p_pid"
  elif [ "$p_rss" -ge "$p_middle" ] && [ "$p_rss" -ge "$p_small" ]; then p_second="$p_second $p_pid"
  elif [ "$p_rss" -ge "$p_small" ]; then p_third="$p_third $p_pid"
  fi
}
cd /proc || return 0
set -- [0-9]*
p_seen=$#
if [ "$p_free" -lt "$p_swap" ]; then
  for p_pid; do
    read -r p_size p_rss p_shared p_text p_lib p_data p_rest <"$p_pid/statm" || p_size= p_rss= p_data=
    case $p_rss in $p_wide) processes_sort ;; *)
      case $p_data in $p_wide) processes_sort ;; *) case $p_size in '' | 0) p_none=$((p_none + 1)) ;; esac ;; esac ;;
    esac
  done
else
  p_data=0
  for p_pid; do
    p_line=
    read -r p_line <"$p_pid/statm"
    p_rss=${p_line#* }
    case $p_rss in
      $p_wide) p_rss=${p_rss%% *}; processes_sort ;;
      *) case $p_line in '' | '0 '*) p_none=$((p_none + 1)) ;; esac ;;
    esac
  done
fi
p_seen=$((p_seen - p_none))
set --
for p_pid in $p_hiding $p_maybe; do
  p_looked=$((p_looked + 1))
  if [ "$p_looked" -gt 300 ]; then p_third="$p_third $p_pid"; continue; fi
  p_size=0
  { while read -r p_key p_value p_rest; do
      case $p_key in
        VmRSS:) p_size=$p_value ;;
        VmSwap:) p_size=$((p_size + p_value)); break ;;
      esac
    done; } <"/proc/$p_pid/status" || continue
  p_size=$((p_size / p_page))
  if [ "$p_size" -ge "$p_big" ]; then p_first="$p_first $p_pid"
  elif [ "$p_size" -ge "$p_middle" ] && [ "$p_size" -ge "$p_small" ]; then p_second="$p_second $p_pid"
  elif [ "$p_size" -ge "$p_small" ]; then p_third="$p_third $p_pid"
  fi
done
for p_pid in $p_first $p_second $p_third; do
  [ "$p_shown" -ge 120 ] && break
  p_shown=$((p_shown + 1))
  cd "/proc/$p_pid" || continue
  printf 'pid %s\\n' "$p_pid"
  { while IFS= read -r p_line || [ -n "$p_line" ]; do printf 'stat %s\\n' "$p_line"; done; } <stat
  p_rest=
  { while IFS= read -r p_line; do
      case $p_line in
        VmSwap:*) printf 'status %s\\n' "$p_line"; break ;;
        Uid:* | VmRSS:*) printf 'status %s\\n' "$p_line" ;;
        Rss*) printf 'status %s\\n' "$p_line"; p_rest=split ;;
      esac
    done; } <status
  [ -n "$p_rest" ] || { read -r p_line <statm && printf 'statm %s\\n' "$p_line"; }
  { while IFS= read -r p_line || [ -n "$p_line" ]; do
      case $p_line in
        0::* | *:name=systemd:* | *:memory:* | *,memory:* | *:memory,* | *,memory,*) printf 'cgroup %s\\n' "$p_line" ;;
      esac
    done; } <cgroup
  read -r p_line <oom_score && printf 'score %s\\n' "$p_line"
  read -r p_line <oom_score_adj && printf 'adjustment %s\\n' "$p_line"
done
printf 'seen %s\\n' "$p_seen"
"""


class Process(Struct, frozen=True, kw_only=True):
    """One process, known by pid and start; what this kernel does not tell is None."""

    pid: Annotated[int, Doc("process id", source="/proc/PID")]
    name: Annotated[str, Doc("the kernel's name for it, at most 15 bytes, chosen by its owner", source="stat field 2")]
    parent: Annotated[int, Doc("pid of the parent", source="stat field 4")]
    uid: Annotated[int | None, Doc("real user id", source="status Uid")] = None
    threads: Annotated[int, Doc("threads", Unit.COUNT, "stat field 20")]
    rss_bytes: Annotated[int, Doc("resident memory, shared pages counted fully", Unit.BYTES, "status VmRSS")]
    anonymous_bytes: Annotated[int, Doc("resident anonymous memory", Unit.BYTES, "status RssAnon")]
    file_bytes: Annotated[int | None, Doc("resident file pages", Unit.BYTES, "status RssFile (4.5)")] = None
    shared_bytes: Annotated[int | None, Doc("resident shared memory", Unit.BYTES, "status RssShmem (4.5)")] = None
    swap_bytes: Annotated[int | None, Doc("anonymous memory in swap", Unit.BYTES, "status VmSwap")] = None
    oom_score: Annotated[int | None, Doc("badness for the OOM killer, to compare only", source="oom_score")] = None
    oom_score_adj: Annotated[int | None, Doc("-1000 (never killed) to 1000", source="oom_score_adj")] = None
    start_ticks: Annotated[int, Doc("start in ticks since boot: with the pid, its identity", source="stat field 22")]
    age_seconds: Annotated[float, Doc("since its start", Unit.SECONDS, "stat field 22, /proc/uptime")]
    cgroup: Annotated[str, Doc("control group that its memory counts in", source="/proc/PID/cgroup")] = ""
    unit: Annotated[str, Doc("unit of this host's systemd, empty for none", source="/proc/PID/cgroup")] = ""
    container: Annotated[str, Doc("runtime:id of its container or guest", source="/proc/PID/cgroup")] = ""


class Processes(Reading, frozen=True, kw_only=True):
    """The largest processes by anonymous memory and swap, largest first."""

    seen: Annotated[int, Doc("processes that this user can see, kernel threads apart", Unit.COUNT, "/proc")]
    shown: Annotated[int, Doc("processes read in detail", Unit.COUNT, "/proc")]
    hidden: Annotated[bool | None, Doc("others' processes are hidden from this user", source="/proc/mounts")] = None
    all: Annotated[list[Process], Doc("the largest processes", source="/proc/PID")]


def parse(samples: Samples, readings: Mapping[str, Reading | Unavailable]) -> Processes | Unavailable:
    """Reads what the walk printed; a process that went away while it was read is left out."""
    answer = samples[0].get("processes")
    if answer.problem is not None:
        return answer.problem
    head, *blocks = _blocks(answer.text)
    seen = numbers.whole((blocks or [head])[-1].get("seen", ""))
    if seen is None:
        return Unavailable("failed", "processes: the list is cut short")
    page_bytes = (numbers.whole(head.get("page", "")) or 4) * numbers.KIB
    rows = (_process(block, page_bytes, samples[0].before) for block in blocks)
    found = [row for row in rows if row is not None]
    found.sort(key=lambda one: one.anonymous_bytes + (one.swap_bytes or 0), reverse=True)
    return Processes(seen=seen, shown=len(found), hidden=_hidden(readings.get("host")), all=found)


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """The lines of each process by their first word: every line has one of ours, so no name can forge another's."""
    block: dict[str, str] = {}
    for line in text.split("\n"):
        word, _, rest = line.partition(" ")
        if word == "pid":
            yield block
            block = {"pid": rest}
        else:
            block[word] = f"{block[word]}\n{rest}" if word in block else rest
    yield block


def _process(block: dict[str, str], page_bytes: int, uptime: float) -> Process | None:
    pid = numbers.whole(block.get("pid", ""))
    stat = _stat(block.get("stat", ""))
    sizes = numbers.lines_by_key(block.get("status", ""))
    rss = sizes.get("VmRSS")
    if pid is None or stat is None or rss is None:
        return None
    name, parent, threads, start = stat
    groups = groups_of(block.get("cgroup", ""))
    owner = owner_of(groups.unit)
    return Process(
        pid=pid,
        name=name,
        parent=parent,
        uid=_uid(block["status"]),
        threads=threads,
        rss_bytes=rss,
        anonymous_bytes=sizes.get("RssAnon", _anonymous(block.get("statm", ""), page_bytes, rss)),
        file_bytes=sizes.get("RssFile"),
        shared_bytes=sizes.get("RssShmem"),
        swap_bytes=sizes.get("VmSwap"),
        oom_score=_signed(block.get("score", "")),
        oom_score_adj=_signed(block.get("adjustment", "")),
        start_ticks=start,
        age_seconds=max(0.0, uptime - start / TICKS_PER_SECOND),
        cgroup=groups.memory,
        unit=owner.unit,
        container=owner.container or (owner if groups.memory == groups.unit else owner_of(groups.memory)).container,
    )


def _stat(text: str) -> tuple[str, int, int, int] | None:
    """Name, parent, threads and start: a name may hold anything, so what counts is behind the last parenthesis."""
    before, _, after = text.rpartition(")")
    fields = after.split()
    if len(fields) <= max(STAT_FIELDS):
        return None
    parent, threads, start = (numbers.whole(fields[place]) for place in STAT_FIELDS)
    if parent is None or threads is None or start is None:
        return None
    return before.partition("(")[2], parent, threads, start


def _anonymous(statm: str, page_bytes: int, rss: int) -> int:
    """Before 4.5: resident pages less shared ones (fields 2 and 3)."""
    match [numbers.whole(word) for word in statm.split(" ")[:3]]:
        case [int(), int(resident), int(shared)]:
            return min(max(0, resident - shared) * page_bytes, numbers.MOST)
    return rss


def _uid(status: str) -> int | None:
    line = next((line for line in status.split("\n") if line.startswith("Uid:")), "")
    return numbers.whole(line.removeprefix("Uid:").strip().partition("\t")[0])


def _signed(text: str) -> int | None:
    return int(text) if numbers.is_whole(text.removeprefix("-")) else None


def _hidden(host: Reading | Unavailable | None) -> bool | None:
    hides, root = getattr(host, "hidepid", None), getattr(host, "root", None)
    return None if hides is None or root is None else bool(hides and not root)


FACT = Fact(
    reading=Processes,
    parse=parse,
    asks=(Walk("processes", SCRIPT),),
    needs=("host",),
    meaning="the largest processes and whom they belong to",
)
