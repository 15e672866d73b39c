"""A saved log without any event of the OOM killer that tells of something all the same: its first line, its parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.console import here, terminal
from tests.cli.test_oom_log import saved, told

STALLED = """\
[ 450.900000] web: page allocation stalls for 10646ms, order:0, mode:0x1400040(GFP_NOFS|__GFP_HIGHMEM), nodemask=(null)
[ 450.900001] CPU: 0 PID: 77 Comm: web Not tainted 4.13.0 #1
[ 451.000000] db: page allocation stalls for 12000ms, order:1, mode:0x1(GFP_KERNEL), nodemask=(null)
[ 451.000001] CPU: 0 PID: 78 Comm: db Not tainted 4.13.0 #1
[ 451.000002] Mem-Info:
[ 451.000003] Node 0 Normal free:{free}kB min:{kept}kB low:110000kB high:120000kB
[ 451.000004] Free swap  = 512000kB
[ 451.000005] Total swap = 1024000kB
[ 451.000006] 250100 pages RAM
[ 451.000007] 100 pages reserved
"""
SEEN = """\
ALLOCATIONS STALLED: 2 tasks waited up to 12.0 s for memory

2 tasks waited up to 12.0 s for memory
  450.9 s  web, pid 77  waited 10.6 s for 1 page (GFP_NOFS)
  451.0 s  db, pid 78   waited 12.0 s for 2 pages (GFP_KERNEL)
  Why    less was free than must stay (zone Normal: 78.1 MiB free, 97.7 MiB must
         stay); swap: 500.0 MiB of 1000.0 MiB are free
  Helps  vm.min_free_kbytes keeps 10.0 % of RAM back, far too much: about
         9.8 MiB (1 %) do; lower it, more swap or RAM changes nothing
"""
HUNG = """\
[ 480.9] INFO: task web:7 blocked for more than {} seconds.
[ 480.9] Call Trace:
[ 480.9]  io_schedule+0x1/0x2
[ 480.9]  {}+0x3/0x4
"""
CACHE = """\
[ 9.5] SLUB: Unable to allocate memory on node -1 (gfp=0x20)
[ 9.5]   cache: {}, object size: 256, buffer size: 256, default order: 1, min order: 0
"""
OOMD = "Nov 1 10:00:00 h systemd-oomd[9]: "
LINES = {
    "a swap disk that fails": (
        "[ 5.0] Write-error on swap-device (254:1:8)\n[ 5.0] Write-error on swap-device (254:1:16)",
        "SWAP FAILS: 2 errors of swap on 254:1 (2x); what lay there is lost",
        "the disk below swap fails",
    ),
    "a swap disk that does not read": (
        "[ 5.0] Read-error on swap-device (254:1:8)", "SWAP FAILS: 1 error of swap on 254:1", "need those pages die",
    ),
    "reclaim": (
        HUNG.format(1200, "shrink_node"),
        "TASKS HUNG: web, blocked for more than 1,200 s while the kernel looked for memory",
        "for memory to be reclaimed (shrink_node)",
    ),
    "swap in": (HUNG.format(120, "swap_readpage"), "TASKS HUNG: web", "the swap disk is slow, or does not answer"),
    "dirty pages": (HUNG.format(120, "balance_dirty_pages"), "TASKS HUNG: web", "the disk is slow, or takes nothing"),
    "the cache of a container": (
        CACHE.format(f"kmalloc-256(25:{'2c' * 32})"),
        "KERNEL CACHES COULD NOT GROW: 1 time: kmalloc-256 of container 2c2c2c2c2c2c (group 25)",
        "memory.kmem.limit_in_bytes",
    ),
    "the caches of a group without a name and of the host": (
        CACHE.format("dentry(5:)") + CACHE.format("skbuff") + CACHE.format("skbuff"),
        "KERNEL CACHES COULD NOT GROW: 3 times: skbuff, 1 more",
        "1x  dentry of no name (group 5): its control group may have no more",
    ),
    "a cache that could wait": (
        CACHE.format("skbuff").replace("(gfp=0x20)", ", gfp=0xcc0(GFP_KERNEL)"),
        "KERNEL CACHES COULD NOT GROW: 1 time: skbuff",
        "no page was left for it",
    ),
    "a cache that could not": (
        CACHE.format("skbuff").replace("(gfp=0x20)", ", gfp=0xa20(GFP_ATOMIC)"),
        "KERNEL CACHES COULD NOT GROW: 1 time: skbuff",
        "it could not wait for a page",
    ),
    "no cache named": ("[ 9.5] SLUB: Unable to allocate", "KERNEL CACHES COULD NOT GROW: 1 time", "SLUB"),
    "large pieces": (
        ("[ 5.0] cma: cma_alloc: alloc failed, req-size: 129 pages, ret: -12\n"
        "[ 5.0] percpu: allocation failed, size=32 align=8 atomic=1, alloc failed"),
        "ALLOCATIONS FAILED: memory for a device (CMA), memory for each processor (percpu), no out-of-memory event",
        "129 pages, error -12 (1x)",
    ),
    "no address space": (
        "[ 5.0] vmap allocation for size 16781312 failed: use vmalloc=<size> to increase size.",
        "ALLOCATIONS FAILED: address space of the kernel (vmalloc)",
        "16.0 MiB, no address space left (32 bit: vmalloc= at boot), RAM is not the matter",
    ),
    "page faults": (
        ("[ 5.0] Huh VM_FAULT_OOM leaked out to the #PF handler. Retrying PF\n"
        "[ 5.0] pagefault_out_of_memory: 4055 callbacks suppressed"),
        "PAGE FAULTS FAILED: 4,056 times, and tried again; a driver or a limit refused memory, not the host",
        "no process has to be killed",
    ),
    "a unit by systemd's word": (
        "Nov 1 10:00:00 h systemd[1]: shop.service: Failed with result 'oom-kill'.",
        "UNITS KILLED: shop.service, by systemd's word; the kernel's own lines are not in this log",
        "shop.service (1x) lost a process",
    ),
    "a container by its runtime's word": (
        f'containerd[9]: msg="TaskOOM event container_id:\\"{"ab" * 32}\\""',
        "CONTAINERS OUT OF MEMORY: abababababab, by the runtime's word",
        "out of memory, by the runtime's word",
    ),
    "a node that was short": (
        'I1122 09:43:52.1 9 eviction_manager.go:1] "Eviction manager: attempting to reclaim" resourceName="memory"',
        "NODE SHORT OF MEMORY: the kubelet tried 1 time to free memory; no eviction is shown",
        "no limit was hit",
    ),
    "a pod, for whatever": (
        'I1122 09:43:53.1 9 eviction_manager.go:1] "Eviction manager: pod is evicted successfully" pod="shop/web"',
        "PODS EVICTED: pod shop/web; the log does not show whether for memory or for disk",
        "Pods evicted  pod shop/web (1x)",
    ),
    "a killer that found nobody": (
        f"{OOMD}No cgroup candidates found for swap-based OOM action",
        "NOBODY KILLED: systemd-oomd wanted to free memory and killed nobody",
        "systemd-oomd: No cgroup candidates found for swap-based OOM action",
    ),
    "forks": (
        "[ 5.0] cgroup: fork rejected by pids controller in /a.slice",
        "FORKS REFUSED: /a.slice may have no more processes (pids.max); not a lack of memory",
        "as many processes as it may",
    ),
    "requests": (
        "[ 5.0] __vm_enough_memory: pid: 7, comm: redis, no enough memory for the allocation",
        "REQUESTS REFUSED: 1 request by vm.overcommit_memory; not a lack of memory",
        "redis (1x)",
    ),
    "many of one kind": (
        "\n".join(f"[ 5.0] cgroup: fork rejected by pids controller in /{name}" for name in "abcdefg"),
        "FORKS REFUSED: /a, /b, /c, 4 more may have no more processes",
        "2 more",
    ),
}  # fmt: skip


def test_waits_on_a_terminal_of_eighty_columns(tmp_path: Path) -> None:
    path = saved(tmp_path, STALLED.format(free=80_000, kept=100_000))
    with terminal("oom-log", "--color", "never", str(path), columns=80) as screen:
        assert screen.wait() == 0
    assert screen.drawn == SEEN


@pytest.mark.parametrize(
    ("free", "kept", "words"),
    [
        (9_000, 10_000, "Helps  memory was short: limit or restart what grew, more RAM"),
        (50_000, 10_000, "it waited for a disk or a lock, not for a free page"),
    ],
)
def test_what_helps_against_waits(free: int, kept: int, words: str, tmp_path: Path) -> None:
    ran = here("oom-log", str(saved(tmp_path, STALLED.format(free=free, kept=kept))))
    assert words in ran.out
    assert "min_free_kbytes" not in ran.out


def test_waits_without_a_report(tmp_path: Path) -> None:
    ran = here("oom-log", str(saved(tmp_path, STALLED.partition("[ 451")[0].replace("(GFP_NOFS|__GFP_HIGHMEM)", ""))))
    assert " ".join(ran.out.splitlines()[-1].split()) == "450.9 s web, pid 77 waited 10.6 s for 1 page"


@pytest.mark.parametrize(("text", "first", "part"), LINES.values(), ids=LINES)
def test_no_such_log_is_called_empty(text: str, first: str, part: str, tmp_path: Path) -> None:
    ran = here("oom-log", str(saved(tmp_path, text)))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0].startswith(first)
    assert part in ran.out
    told(saved(tmp_path, text))


KILLED = {
    "a user's scope": (
        f"{OOMD}Killed /user.slice/user-1000.slice/user@1000.service/app.slice/tab-7.scope due to memory pressure",
        "OUT OF MEMORY: tab-7.scope of user 1000 was killed by systemd-oomd",
        "Whose   tab-7.scope of user 1000: /user.slice",
    ),
    "a pod": (
        ('[talos] Sending SIGKILL to cgroup {"cgroup": '
        '"/sys/fs/cgroup/kubepods/besteffort/pod0a1b2c3d-1111-2222-3333-444455556666"}'),
        "OUT OF MEMORY: kubernetes:0a1b2c3d-1111-2222-3333-444455556666 was killed by Talos",
        "No help  restarting that pod",
    ),
    "an evicted pod": (
        ('I1122 09:43:52.1 9 eviction_manager.go:1] "Eviction manager: attempting to reclaim" resourceName="memory"\n'
        'I1122 09:43:53.1 9 eviction_manager.go:1] "Eviction manager: pod is evicted successfully" pod="shop/web"'),
        "OUT OF MEMORY: pod shop/web was evicted by the kubelet",
        "no limit was hit",
    ),
    "a process": (
        'Nov 1 10:00:00 h earlyoom[4]: sending SIGTERM to process 7 uid 9 "tail": badness 9, VmRSS 5 MiB',
        "OUT OF MEMORY: tail was killed by earlyoom",
        "Killed  tail, pid 7, uid 9, held 5.0 MiB",
    ),
    "a process without a name": (
        "I lmkd: lmkd watchdog killed process 77, oom_score_adj 100",
        "OUT OF MEMORY: pid 77 was killed by Android's lmkd",
        "fewer or smaller apps",
    ),
    "a process that is not named at all": (
        "Nov 1 10:00:00 h nohang[4]: Sending SIGTERM to the victim", "OUT OF MEMORY: a process was killed by nohang",
        "thresholds",
    ),
    "cached apps": (
        "I lowmemorykiller: Kill 'a' (7), uid 9, oom_score_adj 905 to free 9kB rss, 4kB swap; reason: low",
        "CACHED APPS ENDED: 1 cached app ended to free memory; no app that was in use",
        "held 9.0 KiB, in swap 4.0 KiB, oom_score_adj 905",
    ),
    "by the driver, for somebody": (
        "[ 1.0] lowmemorykiller: Killing 'a' (7), adj 0,\\x0a to free 9kB on behalf of 'kswapd0' (44) because",
        "OUT OF MEMORY: a was killed by lowmemorykiller",
        "Asked by  kswapd0, pid 44",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "first", "part"), KILLED.values(), ids=KILLED)
def test_who_was_killed_by_whom(text: str, first: str, part: str, tmp_path: Path) -> None:
    ran = here("oom-log", str(saved(tmp_path, text)))
    assert ran.out.splitlines()[0] == first
    assert part in ran.out


def test_the_document_of_such_lines(tmp_path: Path) -> None:
    text = STALLED.format(free=80_000, kept=100_000) + HUNG.format(120, "shrink_node")
    document = told(saved(tmp_path, text + CACHE.format(f"kmalloc-256(25:{'2c' * 32})")))
    assert [(one["trigger"], one["trigger_pid"], one["waited_ms"]) for one in document["stalls"]] == [
        ("web", 77, 10646), ("db", 78, 12000),
    ]  # fmt: skip
    last = document["stalls"][1]
    assert (last["zones"], last["reserve_share"]) == ([{"zone": "Normal", "free_kb": 80_000, "min_kb": 100_000}], 0.1)
    assert (last["ram_kb"], last["free_swap_kb"], last["total_swap_kb"]) == (1_000_000, 512_000, 1_024_000)
    assert document["hung_tasks"] == [
        {
            "time": None, "stamp_seconds": 480.9, "name": "web", "pid": 7, "seconds": 120, "waits": "reclaim",
            "frame": "shrink_node",
        }
    ]  # fmt: skip
    assert document["caches"] == [
        {
            "time": None, "stamp_seconds": 9.5, "cache": "kmalloc-256", "object_bytes": 256, "group_id": 25,
            "group": "2c" * 32, "container": "2c" * 6,
        }
    ]  # fmt: skip
    assert document["slub_failures"] == 1


def test_the_document_of_killers(tmp_path: Path) -> None:
    text = (
        "I lowmemorykiller: Kill 'a' (7), uid 9, oom_score_adj 905 to free 9kB rss, 4kB swap; reason: low\n"
        "[ 1.0] lowmemorykiller: Killing 'b' (8), adj 0,\\x0a to free 9kB on behalf of 'kswapd0' (44) because\n"
    )
    document = told(saved(tmp_path, text))
    (daemon,), (driver,) = document["userspace"], document["events"]
    assert (daemon["killer"], daemon["pid"], daemon["uid"], daemon["rss_kb"], daemon["swap_kb"]) == ("lmkd", 7, 9, 9, 4)
    assert (driver["class"], driver["trigger"], driver["victims"][0]["rss_kb"]) == ("global", "kswapd0", 9)
