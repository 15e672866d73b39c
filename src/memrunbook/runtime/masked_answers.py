"""Masks what a host answered, question by question; an answer of which nobody said what stands in it is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from msgspec import structs

from memrunbook import catalog
from memrunbook.core.reading.fact import NOT_ASKED, Answer, Sample, Unavailable
from memrunbook.facts.failed_units import NAME as FAILED_UNITS
from memrunbook.facts.host import MARKERS
from memrunbook.facts.shared.process_told import DETAIL, WALK
from memrunbook.linux.hold import MARKS
from memrunbook.linux.kernel_names import SETTINGS, release
from memrunbook.linux.public_names import CONTAINERS
from memrunbook.linux.switch import FILES
from memrunbook.linux.systemctl import failed_in
from memrunbook.runtime import masked_lines as lines
from memrunbook.runtime.masked_lines import LineMasking, Masking, by_word, each_line, figures, one_of, shaped
from memrunbook.runtime.masked_log import masked_log
from memrunbook.runtime.masking import TYPES, Masks

LEFT_OUT = "left out, as its names cannot be masked"
_SETTING = re.compile(r"[ \t]*-?[ \t]*vm[./]([a-z_-]+)[ \t]*=[ \t]*-?[\d \t]*\r?", re.ASCII)
_REFUSED = re.compile(
    r"(?:Failed to (?:connect to (?:system scope )?bus(?: via local transport)?|list units|get properties): )?"
    r"(?:Access denied|Connection (?:refused|timed out|terminated|reset by peer)|Host is down|No medium found"
    r"|No such file or directory|Permission denied|Operation not permitted|Remote peer disconnected"
    r"|Transport endpoint is not connected)",
    re.ASCII,
)
_NOT_BOOTED = "System has not been booted with systemd"
_STARTED = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]{8,18} ?(?:Z|[+-]\d\d:?\d\d)?(?: [A-Z]{3,4})?", re.ASCII)
_RUN = re.compile(r"\d{8}T\d{6}Z-[a-z]{4,8}", re.ASCII)
_TIMER = re.compile(r"(memrunbook-\d{8}t\d{6}z-[a-z]{4,8})-[0-9a-f]{8}", re.ASCII)
_MARK = re.compile(rf"({MARKS}/)([0-9a-f]{{16}})", re.ASCII)
RESTARTED = frozenset({"", "no", "always", "unless-stopped", "on-failure"})
COMPRESSORS = frozenset({"lzo", "lzo-rle", "lz4", "lz4hc", "zstd", "deflate", "842"})
UNITS_OF = frozenset({"Id", "RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf"})
WORDS = frozenset({
    "ActiveState", "SubState", "Result", "Type", "MainPID", "NRestarts", "MemoryCurrent", "MemoryHigh", "MemoryMax",
    "MemorySwapMax", "ActiveEnterTimestampMonotonic", "OOMPolicy", "Restart", "WatchdogUSec", "CanStart", "CanStop",
    "CanFreeze", "RefuseManualStop", "RefuseManualStart", "NeedDaemonReload", "FreezerState", "TimeoutStartUSec",
    "TimeoutStopUSec", "StartLimitBurst",
})  # fmt: skip


def masked(sample: Sample, masks: Masks, called: str) -> Sample:
    """The sample with other names for all that somebody named; its host is then `called` so."""
    answers = {}
    for key, answer in sample.answers.items():
        how = _how(key, called)
        name = _key(key, masks, known=how is not None)
        if answer.problem is not None:
            answers[name] = Answer(problem=structs.replace(answer.problem, why=name))
        elif how is None:
            answers[name] = Answer(problem=Unavailable("failed", LEFT_OUT))
        else:
            answers[name] = Answer(how(answer.text, masks))
    return structs.replace(sample, answers=answers)


def maskable(key: str) -> bool:
    """True where it is known what stands in the answer to a question."""
    return _how(key, "") is not None


def _how(key: str, called: str) -> Masking | None:
    if key in _BY_NAME:
        return _BY_NAME[key]
    if key == "host":
        return _host(called)
    return next((how for pattern, how in _BY_PATH if pattern.fullmatch(key)), None)


def _key(key: str, masks: Masks, *, known: bool) -> str:
    """The question under its other name, where it holds one that somebody gave."""
    if mark := _MARK.fullmatch(key):
        return f"{mark[1]}{masks.identifier(mark[2])}"
    if known and "sysctl" not in key and not key.startswith(MARKS):
        return key
    return masks.path(key) if key.startswith("/") else masks.named("question", key)


def _plain(text: str, _masks: Masks) -> str:
    """What the kernel alone writes: numbers, and words of its own."""
    return text


def _host(called: str) -> Masking:
    return by_word(
        own=figures,
        osrelease=lambda rest, _masks: release(rest),
        hostname=lambda _rest, _masks: called,
        boot_id=lines.identifier,
        hidden=shaped("/proc/1"),
        unit=lines.unit,
        path=_marker,
        off=lambda said, _masks: f"{path} says: masked" if (path := said.partition(" ")[0]) in FILES else "masked",
    )


def _marker(path: str, _masks: Masks) -> str | None:
    """The probe asks for these paths itself; where a pattern of its own leaves it open, a name may stand."""
    if path in MARKERS:
        return path
    pattern = next((pattern for pattern in MARKERS if fnmatchcase(path, pattern)), None)
    version = re.search(r"-(\d{3}(?:\.\d{1,3})?)(?:[-.~]|$)", path, re.ASCII) if "libsystemd-shared-" in path else None
    return pattern and pattern.replace("/*/", "/x86_64-linux-gnu/").replace("*", version[1] if version else "1")


def _property(line: str, masks: Masks) -> str | None:
    """A line of what systemctl shows; one that nobody knows is left out."""
    name, _, value = line.partition("=")
    how: dict[str, Callable[[str], str]] = {
        **dict.fromkeys(UNITS_OF, lambda names: " ".join(masks.unit(one) if one else "" for one in names.split(" "))),
        "ControlGroup": masks.group,
        "DropInPaths": lambda paths: " ".join(map(masks.path, paths.split(" "))),
        "InvocationID": masks.identifier,
    }
    if name in how:
        return f"{name}={how[name](value)}"
    if line.startswith(_NOT_BOOTED):
        return _NOT_BOOTED
    return line if (name in WORDS and lines.state(value)) or _REFUSED.fullmatch(line) else None


def _failed_unit(line: str, masks: Masks) -> str | None:
    """The name alone; of a line that names no service nothing is left."""
    names = failed_in(line)
    if names:
        return " ".join(map(masks.unit, names))
    return line if line == NOT_ASKED or _REFUSED.fullmatch(line) else None


def _setting(line: str, _masks: Masks) -> str | None:
    """Parameters of memory that are set to numbers: comments, texts and names of others are somebody's own."""
    found = _SETTING.fullmatch(line)
    known = found is not None and found[1] in SETTINGS | {name.replace("_", "-") for name in SETTINGS}
    return line if known else None


def _target(name: str, masks: Masks) -> str:
    """Of whom a change for a while is: a parameter, a unit, a container, a process."""
    if name.removeprefix("vm.").removeprefix("/proc/sys/vm/") in SETTINGS or re.fullmatch(r"pid \d{1,10}", name):
        return name
    if name.rpartition(".")[2] in TYPES:
        return masks.unit(name)
    runtime, colon, container = name.partition(":")
    if colon and re.fullmatch(r"[0-9a-f]{12,64}", container) and runtime in ("docker", "podman", "cri"):
        return f"{runtime}:{masks.identifier(container)}"
    return masks.path(name) if name.startswith("/") else masks.named("target", name)


def _mark_path(path: str, masks: Masks) -> str | None:
    found = _MARK.fullmatch(path)
    return f"{found[1]}{masks.identifier(found[2])}" if found else None


def _container(line: str, masks: Masks) -> str | None:
    """What docker or podman says of a container, in the words that are asked for and no others."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return json.dumps({key: _CONTAINER[key](one, masks) for key, one in found.items() if key in _CONTAINER})


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _label(value: object, masks: Masks) -> str:
    text = _text(value)
    return masks.unit(text) if text.endswith(".service") else masks.named("label", text)


def _number(value: object, _masks: Masks) -> int:
    return value if isinstance(value, int) else 0


def _flag(value: object, _masks: Masks) -> bool:
    return value is True


_CONTAINER: dict[str, Callable[[object, Masks], object]] = {
    "running": _flag,
    "paused": _flag,
    "auto_remove": _flag,
    "pid": _number,
    "restarts": _number,
    "id": lambda value, masks: masks.identifier(_text(value)),
    "name": lambda value, masks: f"/{masks.named('container', _text(value).removeprefix('/'))}",
    "image": lambda value, masks: masks.named("image", _text(value)),
    "started": lambda value, _masks: value if _STARTED.fullmatch(_text(value)) else "",
    "restart_policy": lambda value, _masks: value if value in RESTARTED else "no",
    "labels": lambda value, masks: [_label(one, masks) for one in value] if isinstance(value, list) else [],
}


def _counts(*names: str) -> dict[str, LineMasking]:
    return dict.fromkeys(names, figures)


_PROCESSES = lines.joined_stats(
    by_word(
        stat=lines.stat,
        status=lines.sizes,
        cgroup=lines.cgroup,
        listed=figures,
        **_counts("page", "pids", "none", "pid", "statm", "score", "adjustment", "least", "seen"),
    )
)
_GROUPS = by_word(
    group=lines.group,
    version=lines.controllers,
    **_counts(
        "small", "seen", "usage", "limit", "high_limit", "pids", "pids_limit", "swap", "swap_limit", "oom_group",
        "high", "max", "oom_kill", "some", "full", "restored", "anon", "file", "kernel", "kernel_stack", "pagetables",
        "percpu", "sock", "shmem", "slab_reclaimable", "slab_unreclaimable", "file_dirty", "file_writeback",
        "inactive_file", "memsw_limit", "kernel_limit", "kernel_failures", "total_cache", "total_rss", "total_shmem",
        "total_dirty", "total_writeback", "total_swap", "total_inactive_file",
    ),
)  # fmt: skip
_SERVICES = by_word(
    unit=lines.group,
    **_counts(
        "total", "swap", "anonymous", "file", "swap_cached", "kernel", "kernel_stack", "pagetables", "sec_pagetables",
        "percpu", "sock", "shmem", "slab_reclaimable", "slab_unreclaimable",
    ),
)  # fmt: skip
_HOLD = by_word(
    timer=lambda name, _masks: f"{found[1]}-00000000" if (found := _TIMER.fullmatch(name)) else "memrunbook-1",
    action=lambda name, _masks: name if name in catalog.actions() else "masked",
    target=_target,
    what=lambda _said, _masks: "masked",
    run=lambda name, _masks: name if _RUN.fullmatch(name) else "masked",
    runbook=lambda name, masks: masks.named("runbook", name),
    since=shaped(r"\d{1,12}(?:\.\d{1,9})?"),
    seconds=figures,
    sleeper=figures,
)
_BY_NAME: dict[str, Masking] = {
    FAILED_UNITS: each_line(_failed_unit),
    WALK: _PROCESSES,
    DETAIL: _PROCESSES,
    "cgroups": _GROUPS,
    "cgroup-details": _GROUPS,
    "units": _SERVICES,
    "systemctl": each_line(_property),
    "dmesg": masked_log,
    "holds": by_word(frozen=lines.group, seen=figures, lost=_mark_path),
    "shm": by_word(btime=figures),
    "blocked": each_line(figures),
    "disks": each_line(lines.disk),
    "tmpfs": each_line(lines.mount),
    "maps": each_line(lines.counted),
    "shared-maps": each_line(lines.mapped),
    "containers-docker": each_line(_container),
    "containers-podman": each_line(_container),
    "/proc/slabinfo": each_line(lines.slab),
    "/proc/swaps": each_line(lines.swap),
    "/etc/machine-id": each_line(lines.identifier),
    "/run/systemd/container": one_of(CONTAINERS, "container-other"),
    "/proc/1/cgroup": each_line(lines.cgroup),
    "/proc/self/cgroup": each_line(lines.cgroup),
    "/proc/self/status": each_line(lines.sizes),
    "/proc/self/statm": each_line(figures),
    "/sys/module/zswap/parameters/compressor": one_of(COMPRESSORS, "other"),
}
KERNELS = (
    r"/proc/(?:meminfo|vmstat|stat|buddyinfo|zoneinfo|pressure/(?:memory|io)|sysvipc/shm|spl/kstat/zfs/arcstats)",
    rf"/proc/sys/(?:vm/(?:{'|'.join(sorted(SETTINGS))})|fs/dentry-state|kernel/(?:pid_max|threads-max))",
    r"/proc/\d{1,10}/smaps_rollup|/sys/fs/cgroup/(?:cgroup|memory)\.stat",
    r"/sys/kernel/mm/hugepages/hugepages-\d{1,12}kB/(?:nr|free|resv|surplus)_hugepages",
    r"/sys/kernel/mm/(?:lru_gen/(?:enabled|min_ttl_ms)|transparent_hugepage/(?:enabled|defrag))",
    r"/sys/kernel/debug/zswap/(?:pool_total_size|stored_pages)|/sys/module/zswap/parameters/(?:enabled|max_pool_percent)",
    r"/sys/devices/system/(?:cpu/online|node/node\d{1,5}/(?:meminfo|numastat))",
    r"/sys/block/zram\d{1,5}/(?:mm_stat|disksize)",
)
"""Files in which nobody's name can stand, each as it is asked for."""
_BY_PATH: tuple[tuple[re.Pattern[str], Masking], ...] = (
    (re.compile(r"/proc/\d{1,10}/stat", re.ASCII), lines.whole_stat),
    (re.compile(r"/(?:etc|run|usr/lib|usr/local/lib)/sysctl(?:\.d/[^/]*)?\.conf"), each_line(_setting)),
    (re.compile(rf"{MARKS}/[^/]*"), _HOLD),
    *((re.compile(pattern, re.ASCII), _plain) for pattern in KERNELS),
)
