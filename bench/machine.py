"""A busy host as a tree of files: what a probe reads on it, without the host.

Control groups (version 2), processes and services, as many as one likes, and short of memory. A probe runs here with
its paths led into the tree, so that it may ask and print what it likes. The rest is copied from this machine.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Self

UPTIME, EVERY = 90_000.0, 5.0
TOTAL_KIB = 16 << 20
KERNEL_THREADS = 0.15
"""This part of the processes has no memory of its own."""
_ROOTS = re.compile(r"(?<![\w.}])/(?=(?:proc|sys)(?:/|\b))")
_WRAPPED = """\
PATH={tree}/bin:$PATH
child() {{ "$@"; }}
probe() {{
{script}
}}
probe {nonce} </dev/null
"""
_MEMINFO = f"""\
MemTotal:       {TOTAL_KIB} kB
MemFree:          421932 kB
MemAvailable:     811016 kB
Buffers:           20172 kB
Cached:          1204168 kB
SwapCached:       100400 kB
Active:          9034980 kB
Inactive:        4034800 kB
Active(anon):    8534980 kB
Inactive(anon):  3534800 kB
Active(file):     500000 kB
Inactive(file):   500000 kB
SwapTotal:       4194300 kB
SwapFree:         104300 kB
Dirty:              3160 kB
Writeback:             0 kB
AnonPages:      12034000 kB
Mapped:           534000 kB
Shmem:            220000 kB
KReclaimable:     410000 kB
Slab:             910000 kB
SReclaimable:     410000 kB
SUnreclaim:       500000 kB
KernelStack:       34000 kB
PageTables:       134000 kB
CommitLimit:    12582900 kB
Committed_AS:   22582900 kB
VmallocUsed:       60000 kB
Percpu:            20000 kB
HugePages_Total:       0
HugePages_Free:        0
Hugepagesize:       2048 kB
"""
_PRESSURE = """\
some avg10=32.10 avg60=28.44 avg300=12.91 total=912398123
full avg10=18.04 avg60=15.20 avg300=6.01 total=512398123
"""
HEALTHY = {
    "MemFree:          421932": "MemFree:         4219320",
    "MemAvailable:     811016": "MemAvailable:    9811016",
    "SwapFree:         104300": "SwapFree:        4194300",
    "avg10=32.10 avg60=28.44 avg300=12.91": "avg10=0.00 avg60=0.00 avg300=0.00",
    "avg10=18.04 avg60=15.20 avg300=6.01": "avg10=0.00 avg60=0.00 avg300=0.00",
}
"""What a host that lacks nothing says instead."""
_STATUS = """\
Name:	app-{pid}
Umask:	0022
State:	S (sleeping)
Tgid:	{pid}
Pid:	{pid}
PPid:	1
Uid:	1000	1000	1000	1000
Gid:	1000	1000	1000	1000
VmPeak:	{virtual} kB
VmSize:	{virtual} kB
VmHWM:	{rss} kB
VmRSS:	{rss} kB
RssAnon:	{anon} kB
RssFile:	{file} kB
RssShmem:	0 kB
VmData:	{anon} kB
VmSwap:	{swap} kB
Threads:	4
"""
_SERVICE = """\
Type=simple
Restart=on-failure
TimeoutStartUSec=1min 30s
TimeoutStopUSec=1min 30s
WatchdogUSec=0
MainPID={pid}
Result=success
NRestarts=0
OOMPolicy=stop
ControlGroup={group}
MemoryCurrent={usage}
MemoryHigh=infinity
MemoryMax=infinity
MemorySwapMax=infinity
Id={name}
ActiveState=active
SubState=running
DropInPaths=
ActiveEnterTimestampMonotonic=81234567
CanStart=yes
CanStop=yes
CanFreeze=yes
RefuseManualStart=no
RefuseManualStop=no
NeedDaemonReload=no
InvocationID=0123456789abcdef0123456789abcdef
FreezerState=running
StartLimitBurst=5
"""
_STAT_KEYS = """\
anon file kernel kernel_stack pagetables sec_pagetables percpu sock vmalloc shmem zswap zswapped file_mapped file_dirty
file_writeback swapcached anon_thp file_thp shmem_thp inactive_anon active_anon inactive_file active_file unevictable
slab_reclaimable slab_unreclaimable slab workingset_refault_anon workingset_refault_file workingset_activate_anon
workingset_activate_file workingset_restore_anon workingset_restore_file workingset_nodereclaim pgscan pgsteal
pgscan_kswapd pgscan_direct pgsteal_kswapd pgsteal_direct pgfault pgmajfault pgrefill pgactivate pgdeactivate
pglazyfree pglazyfreed thp_fault_alloc thp_collapse_alloc
"""


def build(tree: Path, groups: int, processes: int, asked: Iterable[str]) -> None:
    """Writes the tree. `asked` are the paths and patterns that facts read: those in /proc and /sys are copied."""
    dice = random.Random(7)
    for file in (found for pattern in asked for found in Path("/").glob(pattern.lstrip("/"))):
        if _ROOTS.match(str(file)) and file.is_file():
            _write(tree / str(file).lstrip("/"), _content(file))
    paths = list(_paths(groups))
    for path, below in _with_parents(paths).items():
        _make_group(tree / "sys/fs/cgroup" / path, below, dice)
    _write(tree / "sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n")
    _write(tree / "sys/fs/cgroup/cgroup.stat", f"nr_descendants {groups}\nnr_dying_descendants 3\n")
    for number in range(processes):
        _make_process(tree / "proc" / str(300 + number), paths[number % groups], dice)
    files = {"meminfo": _MEMINFO, "pressure/memory": _PRESSURE, "pressure/io": _PRESSURE}
    for name, text in files.items():
        _write(tree / "proc" / name, text)
    services = [path for path in paths if path.endswith(".service")]
    _make_programs(tree / "bin", services)


def heal(tree: Path) -> None:
    """Lets the host have enough memory and swap, and no pressure."""
    for name in ("meminfo", "pressure/memory", "pressure/io"):
        file = tree / "proc" / name
        text = file.read_text(encoding="ascii")
        for ill, well in HEALTHY.items():
            text = text.replace(ill, well)
        _write(file, text)


class Asked:
    """One shell on the tree, as a session has one on a host: what a first probe leaves there, later ones use."""

    def __init__(self, tree: Path, nonce: str) -> None:
        self._tree, self._nonce = tree, nonce
        self._shell = subprocess.Popen(["sh", "-s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.communicate(timeout=10)

    def probe(self, script: str, sample: int) -> str:
        """What a probe prints, as if asked for the sample of this number, counted from 0."""
        now = UPTIME + EVERY * sample
        _write(self._tree / "proc/uptime", f"{now:.2f} 100000.00\n")
        led = _ROOTS.sub(f"{self._tree}/", script)
        if self._shell.stdin is None or self._shell.stdout is None:
            raise RuntimeError("the shell has no pipes")
        self._shell.stdin.write(_WRAPPED.format(tree=self._tree, script=led, nonce=self._nonce).encode())
        self._shell.stdin.flush()
        end, lines = f"@@{self._nonce} end ".encode(), list[bytes]()
        while not (lines and lines[-1].startswith(end)):
            lines.append(self._shell.stdout.readline())
            if not lines[-1]:
                raise RuntimeError("the shell ended in the middle of a probe")
        return b"".join(lines).decode(errors="backslashreplace").replace(f"{self._tree}/", "/")


def _paths(count: int) -> Iterator[str]:
    """Two of three are services, the others containers of Kubernetes, four in a pod."""
    for number in range(count):
        if number % 3:
            yield f"system.slice/app-{number}.service"
        else:
            yield f"kubepods.slice/kubepods-pod{number // 12:032x}.slice/cri-containerd-{number:064x}.scope"


def _with_parents(paths: list[str]) -> Counter[str]:
    """Every group, and how many are below it."""
    below = Counter(dict.fromkeys(paths, 0))
    for path in paths:
        below.update(str(parent) for parent in PurePath(path).parents if parent.name)
    return below


def _make_group(folder: Path, below: int, dice: random.Random) -> None:
    usage = int(dice.lognormvariate(17, 1.5))
    stat = "".join(f"{key} {usage // dice.randint(2, 99)}\n" for key in _STAT_KEYS.split())
    events = "low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\noom_group_kill 0\n"
    limit = "max" if dice.random() < 0.7 else str(int(usage * 1.5))
    files = {"current": str(usage), "max": limit, "high": "max", "swap.max": "max", "oom.group": "0"}
    files |= {"swap.current": str(usage // 9), "stat": stat, "events": events, "events.local": events}
    files["pressure"] = _PRESSURE
    for name, text in files.items():
        _write(folder / f"memory.{name}", text if text.endswith("\n") else text + "\n")
    for name, text in {"pids.current": "7", "pids.max": "4915", "cgroup.stat": f"nr_descendants {below}"}.items():
        _write(folder / name, text + "\n")


def _make_process(folder: Path, group: str, dice: random.Random) -> None:
    pid, user = folder.name, dice.random() > KERNEL_THREADS
    rss = int(dice.lognormvariate(8, 1.5)) if user else 0
    sizes = {"rss": rss, "anon": rss * 3 // 4, "file": rss // 4, "swap": rss // 8, "virtual": rss * 5 + 100}
    pages = (sizes["virtual"] // 4, rss // 4, sizes["file"] // 4, 1, 0, sizes["anon"] // 4, 0)
    ticks = int(UPTIME * 100) - dice.randint(1000, 5_000_000)
    files = {
        "stat": f"{pid} (app-{pid}) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 4 0 {ticks} 0 0",
        "statm": " ".join(map(str, pages if user else (0,) * 7)),
        "status": _STATUS.format(pid=pid, **sizes),
        "cgroup": f"0::/{group}",
        "oom_score": str(666 + rss % 300),
        "oom_score_adj": "0",
    }
    for name, text in files.items():
        _write(folder / name, text.rstrip("\n") + "\n")


def _make_programs(folder: Path, services: list[str]) -> None:
    """A systemctl and a dmesg that print what a file beside them holds."""
    shown = "\n".join(
        _SERVICE.format(name=path.rpartition("/")[2], group=f"/{path}", pid=300 + number, usage=1 << 25)
        for number, path in enumerate(services)
    )
    log = "".join(f"[{100 + line / 7:12.6f}] eth0: link is up, message {line}\n" for line in range(2_000))
    for name, text in {"systemctl": shown, "dmesg": log}.items():
        _write(folder / f"{name}.txt", text)
        _write(folder / name, f'#!/bin/sh\nexec cat "{folder}/{name}.txt"\n')
        (folder / name).chmod(0o755)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="backslashreplace")
    except OSError:
        return ""
