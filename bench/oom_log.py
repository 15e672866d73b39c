"""How fast a kernel log is read: 100 MB of ordinary lines with a few events, of large OOM reports, of small ones.

Makes its own logs. Prints seconds of CPU time, MB/s and the peak of memory, each log read by a process of its own:
by the reader alone, and by the whole command as JSON.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from memrunbook.cli.main import main as runbook
from memrunbook.linux.oomlog.reader import LogReader
from memrunbook.linux.oomlog.source import plain

SIZE = 100_000_000
PIECE = 1 << 18
GOAL_SECONDS = 3.0
TASKS, GROUP_TASKS = 300, 20
EVENTS = 5
NOISE = (
    "usb 1-{0}: new high-speed USB device number {0} using xhci_hcd",
    "IPv4: martian source 10.0.0.{0} from 10.1.1.2, on dev eth0",
    "EXT4-fs (sda{0}): mounted filesystem with ordered data mode. Opts: (null)",
    "docker0: port {0}(veth1a2b3c{0}) entered blocking state",
    "[UFW BLOCK] IN=eth0 OUT= SRC=10.0.0.{0} DST=10.0.0.2 LEN=40 TOS=0x00 PREC=0x00 TTL=240 PROTO=TCP SPT=43 DPT=23",
)
REPORT = """\
web-{n} invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), order=0, oom_score_adj=0
CPU: 3 PID: {pid} Comm: web-{n} Not tainted 6.1.0-1-amd64 #1  Debian 6.1.1-1
Call Trace:
 <TASK>
{stack}
 </TASK>
Mem-Info:
active_anon:1203 inactive_anon:2913341 isolated_anon:0
 active_file:84 inactive_file:131 isolated_file:0
 slab_reclaimable:130091 slab_unreclaimable:89304
 mapped:9021 shmem:19540 pagetables:25704
 free:34629 free_pcp:61 free_cma:0
Node 0 DMA32 free:62088kB boost:0kB min:7000kB low:9000kB high:11000kB active_anon:0kB present:3094644kB managed:2848kB
lowmem_reserve[]: 0 0 13055 13055
Node 0 DMA32: 203*4kB (UEM) 231*8kB (UEM) 259*16kB (UEM) 231*32kB (UEM) 157*64kB 90*128kB 49*256kB 20*512kB 3*1024kB \
1*2048kB 0*4096kB = 63668kB
100155 total pagecache pages
Free swap  = 84kB
Total swap = 25165820kB
4115400 pages RAM
97082 pages reserved
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
{tasks}
oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,\
task_memcg=/system.slice/web.service,task=web-{n},pid={pid},uid=33
Out of memory: Killed process {pid} (web-{n}) total-vm:30290680kB, anon-rss:9234320kB, file-rss:4kB, shmem-rss:0kB, \
UID:33 pgtables:59264kB oom_score_adj:0
"""


GROUP = """\
web-{n} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
CPU: 1 PID: {pid} Comm: web-{n} Not tainted 6.1.0-1-amd64 #1  Debian 6.1.1-1
Call Trace:
{stack}
memory: usage 524288kB, limit 524288kB, failcnt {pid}
swap: usage 0kB, limit 9007199254740988kB, failcnt 0
Memory cgroup stats for /system.slice/web-{n}.service:
anon 531628032
file 8192
shmem 0
slab_reclaimable 391824
slab_unreclaimable 803072
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
{tasks}
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,\
oom_memcg=/system.slice/web-{n}.service,task_memcg=/system.slice/web-{n}.service,task=web-{n},pid={pid},uid=33
Memory cgroup out of memory: Killed process {pid} (web-{n}) total-vm:600000kB, anon-rss:519168kB, file-rss:4kB, \
shmem-rss:0kB, UID:33 pgtables:1180kB oom_score_adj:0
"""


def main() -> int:
    """Measures all logs; fails where ordinary lines take longer than the goal."""
    if len(sys.argv) == 3:
        return _read(Path(sys.argv[1])) if sys.argv[2] == "read" else _command(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        logs = {"ordinary": _ordinary, "reports": _reports, "groups": _groups}
        print(f"goal: at most {GOAL_SECONDS:.0f} s for 100 MB")
        slow = []
        for name, lines in logs.items():
            path = Path(folder) / f"{name}.log"
            _write(path, lines())
            slow += [name for how in ("read", "json") if not _measured(path, how)]
            path.unlink()
    return 1 if "ordinary" in slow else 0


def _measured(path: Path, how: str) -> bool:
    return subprocess.run([sys.executable, "-m", "bench.oom_log", str(path), how], check=False).returncode == 0


def _read(path: Path) -> int:
    began = time.process_time()
    reader = LogReader()
    with path.open("rb") as stream:
        for piece in plain(iter(lambda: stream.read(PIECE), b"")):
            reader.feed(piece)
    log = reader.result()
    return _told(path, time.process_time() - began, f"{len(log.events):,} events")


def _command(path: Path) -> int:
    began = time.process_time()
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.suppress(SystemExit),
    ):
        runbook(["oom-log", "--json", str(path)])
    return _told(path, time.process_time() - began, "the command with --json")


def _told(path: Path, took: float, what: str) -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    speed = path.stat().st_size / 1e6 / took
    print(f"{path.name:14} {took:6.1f} s CPU {speed:7.0f} MB/s {peak:5.0f} MiB peak, {what}")
    return 1 if took > GOAL_SECONDS else 0


def _write(path: Path, pieces: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        written = 0
        while written < SIZE:
            written += stream.write(next(pieces))


def _ordinary() -> Iterator[str]:
    """Lines of drivers and firewalls, and a few events among them."""
    clock, number, every = 0.0, 0, SIZE // 85 // EVENTS
    while True:
        number, clock = number + 1, clock + 0.01
        yield f"[{clock:12.6f}] {NOISE[number % len(NOISE)].format(number % 200)}\n"
        if number % every == 0:
            yield _stamped(number, clock)


def _reports() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield _stamped(number, number * 100.0)


def _groups() -> Iterator[str]:
    """A service that its own limit kills again and again, in a file that syslog wrote."""
    number = 0
    while True:
        number += 1
        yield _stamped(number, number * 100.0, GROUP, GROUP_TASKS, "Nov 22 09:43:52 host kernel: ")


def _stamped(number: int, clock: float, report: str = REPORT, tasks: int = TASKS, frame: str = "") -> str:
    pid = 1000 + number % 30000
    rows = (
        f"[{1000 + row:7}]    33 {1000 + row:5} {row * 977 % 90000:8} {row * 613 % 50000:8} {row * 4096:8} "
        f"{row * 31 % 900:8} {0 if row % 9 else -1000:13} task-{row}"
        for row in range(tasks)
    )
    stack = "\n".join(f" some_function_of_the_kernel_{depth}+0x{depth:x}/0x1f0" for depth in range(25))
    text = report.format(n=number % 100, pid=pid, stack=stack, tasks="\n".join(rows))
    return "".join(f"{frame}[{clock + place / 1e6:12.6f}] {line}\n" for place, line in enumerate(text.splitlines()))


if __name__ == "__main__":
    sys.exit(main())
