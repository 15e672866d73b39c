"""What to do for good about who holds the memory, with the unit's name and its own figures: at most three lines.

The settings are those of the runtimes' own documentation (java(1), Go's runtime package, node(1), gunicorn, PHP-FPM,
Apache's mpm modules, PostgreSQL); the shares of a limit that they get are ours. The long form, how to find a leak with
which tool, is docs/how-to/find-a-leak.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from memrunbook.core.units import GIB, MIB, format_bytes

MOST = 3
HEADROOM_PERCENT = 125
HEAP_PERCENT, SOFT_PERCENT = 75, 90
FULL_PERCENT = 90
SHARE_PERCENT = 80
WAITS = (
    "what it reads does not fit beside the rest: move or limit what else runs here, give it less to read, or add RAM; "
    "a limit on it makes it worse"
)
HOW_TO = "docs/how-to/find-a-leak.md"


class Consumer(Struct, frozen=True, kw_only=True):
    """Who holds memory, in bytes: a service (`unit`) or a process outside any, and its MemoryMax (`limit`).

    `programs` are the names of its processes, the largest first; `workers` of them have the name of the largest.
    It `waits` where it is named for the files that it reads again and again, not for what it holds.
    """

    name: str
    unit: bool = True
    held: int = 0
    limit: int | None = None
    grows: bool = False
    waits: bool = False
    killed: bool = False
    programs: Sequence[str] = ()
    workers: int = 1


class Capacity(Struct, frozen=True, kw_only=True):
    """RAM and what all services need to work, in bytes: that they grow is no need."""

    ram: int = 0
    working_set: int = 0
    grows: bool = False


def advice(holder: Consumer, host: Capacity) -> tuple[str, ...]:
    """The lines, the most telling first."""
    if holder.waits:
        return (WAITS,)
    if not holder.held:
        return ()
    more = _more_memory(holder, host)
    if more:
        return (more, *_runtime(holder))[:MOST]
    return (*_limit(holder, host), *_runtime(holder), *_leak(holder))[:MOST]


def _more_memory(holder: Consumer, host: Capacity) -> str:
    """RAM helps where what is used all the time does not fit; a leak would only take longer to fill it."""
    if holder.grows or host.grows or not host.ram or host.working_set * 100 < FULL_PERCENT * host.ram:
        return ""
    return (
        f"this host needs more RAM, or less work: the working set of its services is {format_bytes(host.working_set)} "
        f"of {format_bytes(host.ram)}, and none of them grows"
    )


def _limit(holder: Consumer, host: Capacity) -> Sequence[str]:
    """A quarter above what it holds, which is all that is known of its need, and no more than the host can give.

    Nothing where the RAM is not known: a limit above it protects nobody.
    """
    if not holder.unit or holder.limit is not None or not host.ram:
        return ()
    size = min(_room(holder), host.ram * SHARE_PERCENT // 100 // MIB * MIB)
    when = "at its next restart" if size < holder.held else "so that it fails alone"
    holds = "held" if holder.killed else "holds"
    held, command = format_bytes(holder.held), f"systemctl set-property {holder.name} MemoryMax={size // MIB}M"
    return (f"limit it {when} (it {holds} {held}): {command}",)


def _room(holder: Consumer) -> int:
    """Its limit, or the one that it should have."""
    wanted = holder.held * HEADROOM_PERCENT // 100
    step = 64 * MIB if wanted < 4 * GIB else 512 * MIB
    return holder.limit or -(-wanted // step) * step


def _leak(holder: Consumer) -> Sequence[str]:
    tool = next((leak for pattern, _, leak in RUNTIMES if _is(holder, pattern)), "heaptrack, valgrind or ASan")
    return (f"it grows: find out what it keeps ({tool}; {HOW_TO})",) if holder.grows else ()


def _is(holder: Consumer, pattern: str) -> bool:
    return any(re.match(pattern, program, re.ASCII) for program in holder.programs[:1])


def _runtime(holder: Consumer) -> Sequence[str]:
    return next(((says(holder),) for pattern, says, _ in RUNTIMES if _is(holder, pattern)), ())


def _java(holder: Consumer) -> str:
    heap = _room(holder) * HEAP_PERCENT // 100 // MIB
    return f"JVM: cap the heap below the limit, -Xmx{heap}m or -XX:MaxRAMPercentage={HEAP_PERCENT}; more is off-heap"


def _go(holder: Consumer) -> str:
    return f"Go: GOMEMLIMIT={_room(holder) * SOFT_PERCENT // 100 // MIB}MiB makes the collector work before the limit"


def _node(holder: Consumer) -> str:
    heap = _room(holder) * HEAP_PERCENT // 100 // MIB // max(1, holder.workers)
    return f"Node: --max-old-space-size={heap} (NODE_OPTIONS) for each of {holder.workers} processes"


def _python(_holder: Consumer) -> str:
    return "Python: recycle workers (gunicorn --max-requests 1000 --max-requests-jitter 100), MALLOC_ARENA_MAX=2"


def _ruby(_holder: Consumer) -> str:
    return "Ruby: MALLOC_ARENA_MAX=2 or jemalloc, and recycle workers (puma_worker_killer, max_requests)"


def _each(holder: Consumer) -> int:
    return max(1, holder.held // max(1, holder.workers))


def _apache(holder: Consumer) -> str:
    return _pool(holder, "Apache", "MaxRequestWorkers", "MaxConnectionsPerChild 1000 recycles them")


def _php(holder: Consumer) -> str:
    return _pool(holder, "PHP-FPM", "pm.max_children", "pm.max_requests = 500 recycles them")


def _pool(holder: Consumer, what: str, setting: str, recycles: str) -> str:
    fit = max(1, _room(holder) // _each(holder))
    each = format_bytes(_each(holder))
    return f"{what}: {holder.workers} processes of {each} each; {setting} {fit} fits its limit, {recycles}"


def _postgres(holder: Consumer) -> str:
    return (
        f"PostgreSQL: {holder.workers} processes; shared_buffers + max_connections x work_mem must fit "
        f"{format_bytes(_room(holder))}; a pooler (pgbouncer) instead of more connections"
    )


def _mysql(holder: Consumer) -> str:
    pool = format_bytes(_room(holder) * 70 // 100)
    return f"MySQL: innodb_buffer_pool_size at most {pool}, the rest is for max_connections x their buffers"


def _redis(holder: Consumer) -> str:
    return f"Redis: maxmemory {_room(holder) * 60 // 100 // MIB}mb with a policy; a save forks and may need as much"


GO_PROGRAMS = (
    r"(prometheus|alertmanager|grafana|loki|promtail|etcd|consul|vault|nomad|traefik|caddy|minio|telegraf|influxd"
    r"|node_exporter|cockroach|coredns|gitea|kubelet|dockerd|containerd)"
)
RUNTIMES: Sequence[tuple[str, Callable[[Consumer], str], str]] = (
    (r"java$", _java, "jcmd PID GC.class_histogram"),
    (r"node$|npm |nodejs", _node, "--heapsnapshot-signal=SIGUSR2"),
    (r"(gunicorn|python|uwsgi|celery|uvicorn)", _python, "memray attach PID"),
    (r"(ruby|puma|unicorn|sidekiq)", _ruby, "rbtrace, ObjectSpace"),
    (r"(apache2|httpd)$", _apache, "Apache's server-status"),
    (r"php-fpm", _php, "pm.status_path"),
    (r"(postgres|postmaster)", _postgres, "pg_backend_memory_contexts"),
    (r"(mysqld|mariadbd)", _mysql, "performance_schema memory tables"),
    (r"(redis-server|valkey-server)", _redis, "redis-cli --bigkeys"),
    (GO_PROGRAMS, _go, "go tool pprof .../debug/pprof/heap"),
)
"""By the name of the largest process: what its runtime can be told, and what shows a leak there."""
