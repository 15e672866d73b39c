"""Lines beside events in the forms of the kernels' sources: waits, caches, hung tasks, swap disks, refused forks."""

from __future__ import annotations

import pytest

from memrunbook.linux.oomlog.event import KernelLog
from memrunbook.linux.oomlog.reader import read_log
from memrunbook.linux.oomlog.stalls import reserve_share, starved


def read(text: str) -> KernelLog:
    return read_log(text.strip("\n").split("\n"))


STALLS = {
    "4.10": (
        "[ 450.9] a b: page allocation stalls for 10014ms, order:0, mode:0x24280ca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO)",
        ("a b", 10014, 0, "0x24280ca", "GFP_HIGHUSER_MOVABLE|__GFP_ZERO"),
    ),
    "4.13, with the nodes": (
        "[ 450.9] kworker/1:1: page allocation stalls for 300003ms, order:2, mode:0x14001c2(GFP_KERNEL), nodemask=0",
        ("kworker/1:1", 300003, 2, "0x14001c2", "GFP_KERNEL"),
    ),
    "in a syslog": (
        "Mar 14 14:31:20 x kernel: [ 450.9] DOM Worker: page allocation stalls for 10646ms, order:1, mode:0x1(GFP_X)",
        ("DOM Worker", 10646, 1, "0x1", "GFP_X"),
    ),
    "broken by a mail program": (
        "[ 450.9] web: page allocation stalls for 10311ms,\norder:3, mode:0x1400040(GFP_NOFS|__GFP_COLD),\nnodemask=0",
        ("web", 10311, 3, "0x1400040", "GFP_NOFS|__GFP_COLD"),
    ),
    "a vendor's": ("[ 450.9] app: page allocation stalls for 2000 ms, order: 4", ("app", 2000, 4, "", None)),
    "cut short": ("[ 450.9] app: page allocation stalls for 2000ms", ("app", 2000, 0, "", None)),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), STALLS.values(), ids=STALLS)
def test_who_waited_for_a_page(text: str, told: tuple[object, ...]) -> None:
    log = read(text)
    (stall,) = log.stalls
    assert (stall.name, stall.waited_ms, stall.order, stall.mode, stall.flags) == told
    assert (log.failures, log.events, stall.stamp) == ((), (), 450.9)


REPORT = """
[ 450.9] web: page allocation stalls for 10646ms, order:0, mode:0x1(GFP_X), nodemask=(null)
[ 450.9] web cpuset=/ mems_allowed=0
[ 450.9] CPU: 0 PID: 77 Comm: web Not tainted 4.13.0 #1
[ 450.9] Mem-Info:
[ 450.9] active_anon:10 inactive_anon:20 isolated_anon:0
                free:{free} free_pcp:876 free_cma:0
[ 450.9] Node 0 DMA free:15900kB min:{dma}kB low:60kB high:70kB active_anon:0kB
[ 450.9] Node 0 Normal free:{normal}kB min:{kept}kB low:2418140kB
high:2901768kB active_anon:24921492kB
[ 450.9] Node 0 Normal: {blocks}*4kB (U) 0*4096kB = 9kB
[ 450.9] Free swap  = 50kB
[ 450.9] Total swap = 100kB
[ 450.9] 250100 pages RAM
[ 450.9] 100 pages reserved
"""


@pytest.mark.parametrize(
    ("dma", "normal", "kept", "below", "share"),
    [
        (40, 81_800, 99_960, ["Normal"], 0.1),
        (16_000, 81_800, 84_000, ["DMA", "Normal"], 0.1),
        (100, 9_000, 9_900, ["Normal"], 0.01),
        (40, 81_800, 9_960, [], 0.01),
        (100, 0, 29_900, ["Normal"], 0.03),
    ],
)
def test_a_wait_is_judged_by_the_zones_of_its_report(
    dma: int, normal: int, kept: int, below: list[str], share: float
) -> None:
    (stall,) = read(REPORT.format(free=9, dma=dma, normal=normal, kept=kept, blocks=9)).stalls
    assert [(zone.name, zone.free_kib, zone.min_kib) for zone in stall.zones] == [
        ("DMA", 15900, dma),
        ("Normal", normal, kept),
    ]
    assert [zone.name for zone in starved(stall)] == below
    assert reserve_share(stall) == pytest.approx(share, rel=0.01)
    assert (stall.pid, stall.counts["free"], stall.free_swap_kib, stall.total_swap_kib) == (77, 9, 50, 100)


def test_a_wait_without_a_report_has_no_share() -> None:
    (stall,) = read("[ 1.0] a: page allocation stalls for 10646ms, order:0, mode:0x1(GFP_X)").stalls
    assert (reserve_share(stall), starved(stall)) == (None, [])


def test_the_report_of_an_event_below_a_wait_is_the_events() -> None:
    log = read(
        "[ 1.0] a: page allocation stalls for 10646ms, order:0, mode:0x1(GFP_X)\n"
        "[ 1.1] b invoked oom-killer: gfp_mask=0x1(GFP_X), order=0, oom_score_adj=0\n"
        "[ 1.1] Mem-Info:\n[ 1.1] active_anon:5 inactive_anon:6\n"
        "[ 1.1] Node 0 Normal free:4kB min:5kB low:6kB high:7kB\n[ 1.2] Killed process 5 (b)"
    )
    assert (len(log.events), log.stalls[0].zones, log.stalls[0].counts) == (1, [], {})
    assert log.events[0].free_kib == 4


UNABLE = "[ 9.5] SLUB: Unable to allocate memory on node -1 (gfp=0x20)\n"
CACHES = {
    "a container's, 3.10": (
        (
            f"{UNABLE}[ 9.5]   cache: kmalloc-256(255:{'2c' * 32}), object size: 256, buffer size: 256, default"
            " order: 1, min order: 0\n[ 9.5]   node 0: slabs: 299, objs: 9568, free: 0"
        ),
        ("kmalloc-256", 256, 255, "2c" * 32, "2c2c2c2c2c2c"),
    ),
    "Docker's of early 3.x": (
        f"{UNABLE}[ 9.5]   cache: dentry(3:docker/{'ab' * 32}), object size: 192, buffer size: 192",
        ("dentry", 192, 3, f"docker/{'ab' * 32}", "abababababab"),
    ),
    "a unit's, 5.x": (
        (
            "[ 9.5] SLUB: Unable to allocate memory on node -1, gfp=0xa20(GFP_ATOMIC)\n"
            "[ 9.5]   cache: tw_sock_TCPv6(960:helper-logs), object size: 232, buffer size: 240"
        ),
        ("tw_sock_TCPv6", 232, 960, "helper-logs", ""),
    ),
    "the host's": (
        (
            "[ 9.5] SLUB: Unable to allocate memory on node 0, gfp=0xcc0(GFP_KERNEL)\n"
            "[ 9.5]   cache: pgtable-2^12, object size: 32768, buffer size: 65536, default order: 4"
        ),
        ("pgtable-2^12", 32768, None, "", ""),
    ),
    "SLAB": (
        (
            "[ 9.5] SLAB: Unable to allocate memory on node 0 (gfp=0x11200)\n"
            "[ 9.5]    cache: bio-0, object size: 192, order: 0\n[ 9.5]    node0: slabs: 3/3, objs: 60/60, free: 0"
        ),
        ("bio-0", 192, None, "", ""),
    ),
    "another processor's line between": (
        (
            f"{UNABLE}[ 9.5] CPU: 1 PID: 456 Comm: web Not tainted 5.7.0 #49\n"
            "[ 9.5]   cache: skbuff_head_cache, object size: 224, buffer size: 320"
        ),
        ("skbuff_head_cache", 224, None, "", ""),
    ),
    "cut short": (UNABLE, ("", None, None, "", "")),
}


@pytest.mark.parametrize(("text", "told"), CACHES.values(), ids=CACHES)
def test_which_cache_could_not_grow_and_whose_it_is(text: str, told: tuple[object, ...]) -> None:
    log = read(text)
    (one,) = log.caches
    assert (one.cache, one.object_bytes, one.group_id, one.group, one.container) == told
    assert (log.slub_failures, log.cut) == (1, False)


def test_a_cache_that_nobody_asked_for() -> None:
    assert read("[ 9.5]   cache: dentry, object size: 192, buffer size: 192").caches == ()
    named = f"{UNABLE}[ 9.5] app[7]:   cache: dentry, object size: 192"
    assert [one.cache for one in read(named).caches] == [""]


def hung(*frames: str) -> str:
    return (
        "[ 480.9] INFO: task {}:21576 blocked for more than 120 seconds.\n"
        '[ 480.9] "echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.\n'
        "[ 480.9] Call Trace:\n" + "".join(f"[ 480.9]  {frame}\n" for frame in frames)
    )


HUNG = {
    "direct reclaim, 5.x": (
        hung("__schedule+0x2ee/0x900", "shrink_inactive_list+0x1/0x2", "try_to_free_pages+0x3/0x4"),
        ("reclaim", "shrink_inactive_list"),
    ),
    "with addresses, 2.6": (
        hung("[<ffffffff8107d5d8>] congestion_wait+0x68/0x90", "[<ffffffff8158db60>] shrink_zone+0x30/0x40"),
        ("reclaim", "congestion_wait"),
    ),
    "in the allocator": (hung("schedule+0x1/0x2", "__alloc_pages_slowpath.constprop.0+0x9/0xa"), None),
    "swap in": (hung("io_schedule+0x1/0x2", "swap_readpage+0x3/0x4", "do_swap_page+0x5/6"), ("swap", "swap_readpage")),
    "dirty pages": (
        hung("io_schedule_timeout+0x1/0x2", "balance_dirty_pages_ratelimited+0x3/0x4"),
        ("writeback", "balance_dirty_pages_ratelimited"),
    ),
    "throttled, 5.16": (hung("reclaim_throttle+0x1/0x2", "shrink_node+0x3/0x4"), ("reclaim", "reclaim_throttle")),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), HUNG.values(), ids=HUNG)
def test_tasks_that_hung_while_memory_was_looked_for(text: str, told: tuple[str, str] | None) -> None:
    (one,) = read(text.format("ipc a:b")).hung
    assert (one.name, one.pid, one.seconds, one.stamp) == ("ipc a:b", 21576, 120, 480.9)
    assert (one.waits, one.frame) == (told or ("reclaim", "__alloc_pages_slowpath"))


@pytest.mark.parametrize(
    "text",
    [
        hung("__down_write+0xb/0x10", "ipcctl_pre_down+0x3d/0x50"),
        hung("? shrink_node+0x3/0x4", "[<ffffffff8107d5d8>] ? try_to_free_pages+0x68/0x90"),
        hung("schedule+0x1/0x2", *["x+0x1/0x2"] * 70, "shrink_node+0x3/0x4"),
        "[ 480.9] app[7]: INFO: task a:1 blocked for more than 120 seconds.\n[ 480.9]  shrink_node+0x3/0x4",
        hung(),
    ],
)
def test_tasks_that_hung_elsewhere_are_not_ours(text: str) -> None:
    assert read(text.format("a")).hung == ()


NOTES = {
    "[ 5.0] cgroup: fork rejected by pids controller in /user.slice/user-1000.slice/session-7.scope": (
        "pids", "/user.slice/user-1000.slice/session-7.scope", None, "",
    ),
    "[Чт мар 23 19:11:18 2023] cgroup: fork rejected by pids controller in /system.slice/docker-2e3d.scope": (
        "pids", "/system.slice/docker-2e3d.scope", None, "",
    ),
    "[ 5.0] Write-error on swap-device (254:1:39256632)": ("swap-write", "254:1", None, ""),
    "[ 5.0][   C96] Write-error on swap-device (7:22:655368)": ("swap-write", "7:22", None, ""),
    "<1>[ 5.0] Read-error on swap-device (8:2:8)": ("swap-read", "8:2", None, ""),
    "[ 5.0] cma: cma_alloc: alloc failed, req-size: 129 pages, ret: -12": ("cma", "", 129, "error -12"),
    "[ 5.0] cma: cma_alloc: linux,cma: alloc failed, req-size: 148 pages, ret: -16": (
        "cma", "linux,cma", 148, "error -16",
    ),
    "[ 5.0] cma_alloc: reserved: alloc failed, req-size: 1 pages, ret: -16": ("cma", "reserved", 1, "error -16"),
    "[ 5.0] percpu: allocation failed, size=32 align=8 atomic=1, alloc from reserved chunk failed": (
        "percpu", "", 32, "alloc from reserved chunk failed",
    ),
    "[ 5.0] insmod: vmalloc error: size 12288, page order 0, failed to allocate pages, mode:0xcc2(GFP_KERNEL)": (
        "vmalloc", "insmod", 12288, "page order 0, failed to allocate pages",
    ),
    "[ 5.0] udevd: vmalloc error: size 2395133, vm_struct allocation failed, mode:0xcc0(GFP_KERNEL), nodemask=": (
        "vmalloc", "udevd", 2395133, "vm_struct allocation failed",
    ),
    "[ 5.0] x: vmalloc error: size 9, exceeds total pages, mode:0x1": ("vmalloc", "x", 9, "exceeds total pages"),
    "[ 5.0] x: vmalloc: allocation failure, allocated 4096 of 15729534 bytes, mode:0xd0": (
        "vmalloc", "x", 15729534, "",
    ),
    "[ 5.0] x: vmalloc: allocation failure: 17179873280 bytes": ("vmalloc", "x", 17179873280, ""),
    "[ 5.0] vmap allocation for size 16781312 failed: use vmalloc=<size> to increase size.": (
        "vmalloc", "", 16781312, "no address space left",
    ),
    "[ 5.0] allocation failed: out of vmalloc space - use vmalloc=<size> to increase size.": (
        "vmalloc", "", None, "no address space left",
    ),
    "[ 5.0] Huh VM_FAULT_OOM leaked out to the #PF handler. Retrying PF": ("fault", "", 1, ""),
    "[ 5.0] pagefault_out_of_memory: 120780 callbacks suppressed": ("fault", "", 120780, ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), NOTES.items())
def test_what_other_lines_tell(text: str, told: tuple[object, ...]) -> None:
    log = read(text)
    assert [(n.kind, n.name, n.value, n.detail) for n in log.notes] == [told]
    assert (log.events, log.failures, log.cut) == ((), (), False)


@pytest.mark.parametrize(
    "text",
    [
        "[ 5.0] app[7]: cgroup: fork rejected by pids controller in /x",
        "[ 5.0] app[7]: Write-error on swap-device (254:1:39256632)",
        "[ 5.0] app[7]: Huh VM_FAULT_OOM leaked out to the #PF handler. Retrying PF",
        "[ 5.0] app[7]: cma: cma_alloc: alloc failed, req-size: 129 pages, ret: -12",
        "[ 5.0] app[7]: percpu: allocation failed, size=32 align=8 atomic=1, x",
        "[ 5.0] app[7]: vmap allocation for size 16781312 failed: use vmalloc=<size>",
        "[ 5.0] app[7]: a: page allocation stalls for 10014ms, order:0, mode:0x1",
        "[ 5.0] app[7]: SLUB: Unable to allocate memory on node -1 (gfp=0x20)",
        "[ 5.0] app[7]: send sigkill to 12 (com.b), adj 15, size 5196",
        "[ 5.0] cma_alloc(cma 1, count 2, align 3)",
        "[ 5.0] some allocation failed of another kind",
    ],
)
def test_lines_of_programs_and_of_other_kinds_tell_nothing(text: str) -> None:
    log = read(text)
    assert (log.events, log.failures, log.notes, log.stalls, log.caches) == ((), (), (), (), ())


def test_a_table_of_tasks_goes_on_below_a_task_that_hung() -> None:
    rows = [
        f"[ 9.5] [{pid:7}]     0 {pid:5}     1000     {pid}    53248        0             0 t{pid}" for pid in range(9)
    ]
    head = "[ 9.5] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"
    begin = "[ 9.5] a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
    between = "[ 9.5] INFO: task b:5 blocked for more than 120 seconds."
    kill = "[ 9.6] Out of memory: Killed process 8 (t8) total-vm:1kB, anon-rss:1kB"
    (event,) = read("\n".join([begin, head, *rows[:4], between, *rows[4:], kill])).events
    assert event.tasks == 9
