"""One log in every frame: what is read is equal."""

from __future__ import annotations

import copy
import io
from typing import Any

import msgspec
import pytest
from tests.unit.linux.oomlog.framing import FRAMES, Record

from memrunbook.app import explaining
from memrunbook.linux.oomlog.event import KernelLog
from memrunbook.linux.oomlog.reader import LogReader
from memrunbook.linux.oomlog.source import plain

ZONE = (
    "Node 0 {0} free:{1}kB min:67584kB low:84480kB high:101376kB active_anon:1501234kB inactive_anon:1204412kB "
    "active_file:88kB inactive_file:312kB unevictable:0kB writepending:0kB present:3129220kB managed:3045112kB "
    "mlocked:0kB bounce:0kB free_pcp:1032kB local_pcp:248kB free_cma:0kB"
)
BLOCKS = (
    "Node 0 {0}: 1003*4kB (UME) 812*8kB (UME) 301*16kB (UE) 17*32kB (U) 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB "
    "0*2048kB 0*4096kB = 15868kB"
)
HEAD = "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"
COUNTS = (
    "active_anon:612345 inactive_anon:301234 isolated_anon:0\n active_file:22 inactive_file:78 isolated_file:0\n"
    " unevictable:0 dirty:0 writeback:0\n slab_reclaimable:4021 slab_unreclaimable:9120\n"
    " mapped:30211 shmem:41235 pagetables:5120\n free:33512 free_pcp:310 free_cma:0"
)
GLOBAL = [
    "sql-worker invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0",
    "CPU: 3 PID: 4711 Comm: sql-worker Not tainted 6.1.0-18-amd64 #1  Debian 6.1.76-1",
    "Call Trace:",
    " <TASK>",
    " dump_stack_lvl+0x44/0x5c",
    " </TASK>",
    "Mem-Info:",
    COUNTS,
    ZONE.format("DMA32", 62112),
    "lowmem_reserve[]: 0 0 12843 12843 12843",
    ZONE.format("Normal", 66012),
    "lowmem_reserve[]: 0 0 0 0 0",
    BLOCKS.format("DMA32"),
    BLOCKS.format("Normal"),
    "Node 0 hugepages_total=16 hugepages_free=2 hugepages_surp=0 hugepages_size=2048kB",
    "41510 total pagecache pages",
    "Free swap  = 64kB",
    "Total swap = 1998844kB",
    "4194168 pages RAM",
    "98213 pages reserved",
    "Tasks state (memory values in pages):",
    HEAD,
    "[    389]     0   389    12101      233   102400       10          -250 systemd-journal",
    "[    902]   107   902  1843201   604411  6041600    31022             0 sql & worker",
    "[   1310]  1000  1310   301222    80114   901120     1204             0 node",
    "[   1388]    33  1388    70122     9010   200704        0           100 fpm: pool <www>",
    (
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
        "task_memcg=/system.slice/sql.service,task=sql & worker,pid=902,uid=107"
    ),
    (
        "Out of memory: Killed process 902 (sql & worker) total-vm:7372804kB, anon-rss:2411644kB, file-rss:6000kB, "
        "shmem-rss:0kB, UID:107 pgtables:5900kB oom_score_adj:0"
    ),
    "oom_reaper: reaped process 902 (sql & worker), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
]
POD = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod6f1c77aa_0d0f_4f1b_9d5e_0242ac110002.slice"
SCOPE = f"{POD}/cri-containerd-90d1aa71f7e9.scope"
GROUP = [
    "java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=984",
    "CPU: 1 PID: 20877 Comm: java Not tainted 6.1.0-18-amd64 #1  Debian 6.1.76-1",
    "memory: usage 524288kB, limit 524288kB, failcnt 8812",
    "swap: usage 0kB, limit 9007199254740988kB, failcnt 0",
    f"Memory cgroup stats for {POD}:",
    "anon 509121024\nfile 8192\nkernel 27533312\nshmem 0\nslab_reclaimable 391824\nslab_unreclaimable 803072",
    "Tasks state (memory values in pages):",
    HEAD,
    "[  20801]     0 20801      257        1    28672        0          -998 pause",
    "[  20877] 10001 20877   812012   124071  1560576        0           984 java",
    (
        f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri-containerd-90d1aa71f7e9.scope,mems_allowed=0,"
        f"oom_memcg={POD},task_memcg={SCOPE},task=java,pid=20877,uid=10001"
    ),
    (
        "Memory cgroup out of memory: Killed process 20877 (java) total-vm:3248048kB, anon-rss:496284kB, file-rss:0kB, "
        "shmem-rss:0kB, UID:10001 pgtables:1524kB oom_score_adj:984"
    ),
]
FAILURE = [
    "kworker/u8:2: page allocation failure: order:4, mode:0x40dc0(GFP_KERNEL|__GFP_COMP|__GFP_ZERO), nodemask=(null)",
    "CPU: 0 PID: 77 Comm: kworker/u8:2 Not tainted 6.1.0-18-amd64 #1  Debian 6.1.76-1",
    "Mem-Info:",
    COUNTS,
    ZONE.format("Normal", 166012),
    BLOCKS.format("Normal"),
    "4194168 pages RAM",
]
KILLER = (
    "Killed /user.slice/user-1000.slice/user@1000.service/app.slice/app-browser-7.scope due to memory pressure for "
    "/user.slice/user-1000.slice being 62.11% > 50.00% for > 20s with reclaim activity"
)


def records(start: int, texts: list[str], program: str = "kernel") -> list[Record]:
    return [Record(start + 137 * place, program, text) for place, text in enumerate(texts)]


LOG = [
    *records(5_100_000, ["eth0: link is up", "EXT4-fs (sda1): mounted filesystem with ordered data mode"]),
    *records(139_201_253, GLOBAL),
    *records(612_000_017, GROUP),
    *records(900_500_000, FAILURE),
    *records(1_801_000_003, [KILLER], "systemd-oomd"),
    *records(1_900_000_000, ["eth0: link is down"]),
]


def told(content: bytes) -> KernelLog:
    reader = LogReader()
    for piece in plain(explaining.unpacked(io.BufferedReader(io.BytesIO(content)))):
        reader.feed(piece)
    return reader.result()


def shape(log: KernelLog) -> Any:
    """All that a log says but its dates and what wrote it."""
    value = msgspec.json.decode(msgspec.json.encode(log))
    for one in (*value["events"], *value["failures"], *value["notes"]):
        one.pop("date", None)
        one.pop("style", None)
    return value


WANTED = shape(told(FRAMES["dmesg"](LOG)))
NO_STAMPS = {"syslog", "cloud logging", "cloud logging, an array", "cloud logging, newest first", "json in a mail"}
NO_STAMPS |= {"json in a fence", "json wrapped by a mail"}


def test_what_the_log_says() -> None:
    first, second, third = WANTED["events"]
    assert (first["trigger"], first["tasks"], first["stamp"], len(first["blocks"])) == ("sql-worker", 4, 139.204952, 2)
    assert (first["kills"][0][:2], first["counts"]["free"]) == ([902, "sql & worker"], 33512)
    assert (second["limit_kib"], second["group_kib"]["anon"], second["tasks"]) == (524288, 497188, 2)
    assert (second["task_memcg"], second["kills"][0][0]) == (SCOPE, 20877)
    assert (third["killer"], third["task_memcg"]) == ("systemd-oomd", KILLER.split()[1])
    (failure,) = WANTED["failures"]
    assert (failure["order"], failure["pid"], len(failure["blocks"])) == (4, 77, 1)
    assert WANTED["kernel"] is True


@pytest.mark.parametrize("name", FRAMES)
def test_what_is_read_is_equal_in_every_frame(name: str) -> None:
    found = shape(told(FRAMES[name](LOG)))
    wanted = WANTED
    if name in NO_STAMPS:
        wanted = copy.deepcopy(WANTED)
        for one in (*wanted["events"], *wanted["failures"]):
            one["stamp"] = None
    assert found == wanted
