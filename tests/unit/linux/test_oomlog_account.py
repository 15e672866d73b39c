"""What is said of an event: the panic, the place, the crowd, the limit and whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from memrunbook.core.units import GIB, KIB, MIB
from memrunbook.linux.oomlog.account import OomAccount, OomPlace
from memrunbook.linux.oomlog.event import KernelLog, LogEvent
from memrunbook.linux.oomlog.failing import failure_account
from memrunbook.linux.oomlog.limits import limit_of
from memrunbook.linux.oomlog.places import KERNELS, kernel_share, largest, of_host, places
from memrunbook.linux.oomlog.reader import read_log
from memrunbook.linux.oomlog.telling import account

HEADER = "app invoked oom-killer: gfp_mask={gfp}, order={order}, oom_score_adj=0"
COUNTS = {
    "active_anon": 20000, "inactive_anon": 10000, "isolated_anon": 0, "active_file": 500, "inactive_file": 500,
    "unevictable": 0, "slab_reclaimable": 1000, "slab_unreclaimable": 2000, "mapped": 100, "shmem": 1000,
    "pagetables": 500, "free": 1500, "free_pcp": 0,
}  # fmt: skip
ZONES = (
    "Node 0 DMA32 free:6000kB min:4000kB low:5000kB high:6100kB managed:200000kB kernel_stack:900kB free_cma:0kB",
    "lowmem_reserve[]: 0 0 0 0",
)
TABLE = "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"
KILL = "Out of memory: Killed process 20 (app) total-vm:900kB, anon-rss:400kB, file-rss:0kB, shmem-rss:0kB"
SUMMARY = "oom-kill:constraint={},nodemask=(null),cpuset=/,mems_allowed=0{},task_memcg={},task=app,pid=20,uid=0"


def row(pid: int, name: str, rss: int, adjusted: int = 0) -> str:
    return f"[{pid:7}]     0 {pid:5}    90000 {rss:8}    53248        0 {adjusted:13} {name}"


def report(
    *more: str,
    gfp: str = "0x140dca",
    order: int = 0,
    zones: tuple[str, ...] = ZONES,
    rows: tuple[str, ...] = (row(20, "app", 100), row(30, "big", 20000)),
    **counts: Any,  # or a mapping of counts could hold the other parameters
) -> list[str]:
    told = " ".join(f"{name}:{value}" for name, value in {**COUNTS, **counts}.items())
    head = [HEADER.format(gfp=gfp, order=order), "Mem-Info:", told, *zones, "Free swap  = 0kB", "Total swap = 8kB"]
    stamped = [*head, "50000 pages RAM", "0 pages reserved", TABLE, *rows, *more]
    return [f"[  100.{place:06}] {line}" for place, line in enumerate(stamped)]


def told(lines: list[str]) -> OomAccount:
    (event,) = read_log(lines).events
    return account(event)


def said(found: OomAccount) -> str:
    return " | ".join([found.meaning, *found.helps, "NOT", *found.useless])


def test_a_full_host_is_short_and_its_largest_process_is_named() -> None:
    found = told(report(KILL))
    assert (found.class_, found.short, found.zone) == ("global", "short", "Node 0 DMA32")
    assert said(found) == (
        "the whole host was short of memory | limit or restart big, the largest with 78.1 MiB | more swap or RAM | NOT"
    )
    assert (found.hog[0].name, found.hog[0].count, found.following[0].name) == ("big", 1, "big")
    assert found.places[0] == OomPlace(name="anonymous", size_bytes=29000 * 4 * KIB)


MANY = tuple(row(100 + n, "worker", 1400 + n) for n in range(17))


def test_many_small_processes_of_one_name_are_the_hog() -> None:
    rows = (row(20, "app", 2500), *MANY, row(99, "worker", 60), row(50, "solo", 3000))
    found = told(report(KILL, rows=rows))
    (hog,) = found.hog
    held = (sum(1400 + n for n in range(17)) + 60) * 4 * KIB
    assert (hog.name, hog.count, hog.memory_bytes, hog.largest_bytes) == ("worker", 17, held, 1416 * 4 * KIB)
    assert found.helps[0].startswith("limit or restart the worker processes, or allow fewer of them")
    assert found.places[0].detail == "17 worker"


def test_one_large_process_stays_one_though_it_has_small_namesakes() -> None:
    rows = (row(20, "app", 100), row(21, "java", 20000), row(22, "java", 400), row(23, "java", 400))
    (hog,) = told(report(KILL, rows=rows)).hog
    assert (hog.name, hog.pid, hog.count) == ("java", 21, 1)


def test_a_single_one_that_is_larger_than_all_of_the_many_is_the_hog() -> None:
    rows = (row(20, "app", 100), *MANY, row(50, "solo", 26000))
    assert [(one.name, one.count) for one in told(report(KILL, rows=rows)).hog] == [("solo", 1)]


def test_what_processes_share_is_not_counted_for_each() -> None:
    rows = (row(20, "app", 100), *(row(n, "postgres", 15000) for n in range(30, 40)))
    (hog,) = told(report(KILL, rows=rows, shmem=14000)).hog
    assert (hog.count, hog.memory_bytes) == (10, 30000 * 4 * KIB + 8 * KIB)


def test_rows_among_other_lines_are_summed_as_well() -> None:
    rows = tuple(part for one in MANY for part in (one, "usb 1-1: new device"))
    (hog,) = told(report(KILL, rows=(row(20, "app", 100), *rows))).hog
    assert (hog.name, hog.count) == ("worker", 17)


def test_very_many_names_are_bounded() -> None:
    rows = tuple(part for n in range(3000) for part in (row(n, f"n{n}", n), "noise"))
    (event,) = read_log(report(rows=rows)).events
    assert len(event.sums) <= 1000
    (event,) = read_log(report(KILL, rows=rows)).events
    assert len(event.sums) == 3


SLAB = ("Unreclaimable slab info:", "Name                      Used          Total", "leaky-64   9000KB   90000KB",
        "kmalloc-8   1KB    2KB", "dentry   10KB   20KB")  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "more", "words"),
    [
        ({"slab_unreclaimable": 24000, "active_anon": 3000}, (), "slabtop"),
        ({"slab_unreclaimable": 24000, "active_anon": 3000}, SLAB, "most is in leaky-64"),
        ({"pagetables": 24000, "active_anon": 3000}, (), "fewer processes: each has page tables"),
        ({"pagetables": 18000, "shmem": 19000, "active_anon": 19000, "inactive_anon": 0}, (), "huge pages for the seg"),
        ({"active_anon": 3000}, ("Node 0 hugepages_total=50 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB",),
         "fewer reserved huge pages"),
        ({"active_anon": 1000}, (), "ballooning"),
        ({"shmem": 28000}, (), "df -t tmpfs"),
        ({}, ("Node 0 Normal free:0kB min:1kB low:2kB high:3kB kernel_stack:150000kB",), "fewer threads"),
    ],
)  # fmt: skip
def test_where_it_sat_decides_what_helps(counts: dict[str, Any], more: tuple[str, ...], words: str) -> None:
    found = told(report(KILL, zones=(*ZONES, *more), **counts))
    assert words in said(found), said(found)
    assert "limit or restart" not in said(found)


def test_what_the_kernel_mostly_holds_is_no_process_s_fault() -> None:
    found = told(report(KILL, slab_unreclaimable=40000, active_anon=1000, inactive_anon=1000))
    assert "killing or limiting one process: the kernel holds 9" in said(found)


def test_stacks_that_no_counter_holds_are_not_a_driver_s() -> None:
    zones = ("Node 0 DMA32 free:6000kB min:4000kB low:5000kB high:6100kB",)
    found = told(report(KILL, zones=zones, active_anon=2000, inactive_anon=0, pagetables=9000))
    assert "fewer processes" in said(found)


def test_a_known_leak_is_called_by_its_name() -> None:
    zones = (*ZONES, *SLAB[:2], "kmemleak_object  90000KB  90000KB")
    found = told(report(KILL, zones=zones, slab_unreclaimable=24000, active_anon=3000))
    assert "kmemleak=off" in said(found)
    assert found.places[0].detail == "kmemleak_object 87.9 MiB"


HIGHMEM = ("Normal free:2000kB min:1000kB low:2000kB high:3000kB present:800000kB", "lowmem_reserve[]: 0 0 9 9",
           "HighMem free:900000kB min:1kB low:2kB high:3kB present:900000kB")  # fmt: skip
IN_MOVABLE = ("Node 0 Normal free:2000kB min:1000kB low:2000kB high:3000kB managed:800000kB",
              "Node 0 Movable free:900000kB min:1kB low:2kB high:3kB managed:900000kB")  # fmt: skip
IN_CMA = ("Node 0 DMA32 free:90000kB min:1000kB low:2000kB high:3000kB managed:800000kB free_cma:88000kB",)


@pytest.mark.parametrize(
    ("zones", "gfp", "words"),
    [
        (HIGHMEM, "0xd0", "low memory, the part that a 32-bit kernel itself can use, was full"),
        (HIGHMEM, "0xd0", "NOT | more swap, more RAM"),
        (IN_MOVABLE, "0xcc0", "a smaller Movable zone"),
        (IN_CMA, "0x100cca", "a smaller CMA area"),
        (("Node 0 Normal free:900000kB min:1kB low:2kB high:3kB",), "0xcc0", "although memory was free"),
        ((), "0xcc0", "the whole host was short of memory"),
    ],
)
def test_the_zone_decides_what_is_said(zones: tuple[str, ...], gfp: str, words: str) -> None:
    assert words in said(told(report(KILL, zones=zones, gfp=gfp)))


def test_fragmented_memory_is_no_shortage() -> None:
    zones = (
        "Node 0 Normal free:90000kB min:1kB low:2kB high:3kB",
        "Node 0 Normal: 22500*4kB (UM) 0*8kB 0*4096kB = 9kB",
    )
    found = told(report(KILL, zones=zones, order=2))
    assert (found.class_, found.short) == ("high-order", "fragmented")
    assert found.zone_says == (
        "Node 0 Normal: 87.9 MiB free, but too little of it in blocks of the size that was asked for (index 0.750)"
    )


def test_one_page_is_never_fragmented() -> None:
    zones = ("Node 0 Normal free:1kB min:1kB low:2kB high:3kB", "Node 0 Normal: 1*4kB (UM) 0*8kB 0*4096kB = 9kB")
    assert told(report(KILL, zones=zones, order=2)).class_ == "global"


FREE = ("Node 0 Normal free:900000kB min:1000kB low:2000kB high:3000kB",)


@pytest.mark.parametrize(
    ("lines", "kind", "short"),
    [
        (report(KILL, gfp="0x0", zones=FREE), "page-fault", "not-short"),
        (report(KILL, gfp="0x0()", zones=FREE), "page-fault", "not-short"),
        (report(KILL, gfp="0x0"), "page-fault", "short"),
        (["[  1.0]  pagefault_out_of_memory+0x34/0x56", "[  1.1] Mem-Info:", f"[  1.2] {KILL}"], "global", "unknown"),
        (report(KILL, gfp="0x0", order=1, zones=FREE), "high-order", "fragmented"),
        (report(SUMMARY.format("CONSTRAINT_MEMCG", ",oom_memcg=/a", "/a"), KILL, gfp="0x0"), "memcg", "short"),
    ],
)  # fmt: skip
def test_a_failed_page_fault_is_no_lack_of_memory(lines: list[str], kind: str, short: str) -> None:
    found = told(lines)
    assert (found.class_, found.short) == (kind, short)
    blameless = kind == "page-fault" and short != "short"
    assert ("restarting or limiting the victim, swap, RAM" in found.useless) == blameless
    if kind == "page-fault":
        assert bool(found.hog) != blameless
        assert ("memory was short as well" in found.meaning) != blameless


def test_the_trace_alone_tells_of_a_page_fault() -> None:
    lost = [
        "[  1.0] app invoked oom-killer: gfp_mask=0x0, order=0, oom_adj=0",
        "[  1.1]  ? pagefault_out_of_memory+0x1/0x2",
    ]
    (event,) = read_log([*lost, f"[  1.2] {KILL}"]).events
    assert (event.page_fault, account(event).short) == (True, "unknown")
    assert "whether the host was short the log does not show" in account(event).meaning
    event.gfp = None
    assert account(event).class_ == "page-fault"


PANIC = "Kernel panic - not syncing: "


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("Out of memory: system-wide panic_on_oom is enabled", "panic", "vm.panic_on_oom is on"),
        ("out of memory. panic_on_oom is selected", "panic", "vm.panic_on_oom is on"),
        ("Out of memory: compulsory panic_on_oom is enabled", "panic", "vm.panic_on_oom is 2"),
        ("out of memory. Compulsory panic_on_oom is selected.", "panic", "vm.panic_on_oom is 2"),
        ("System is deadlocked on memory", "no-victim", "nobody was left to kill"),
        ("Out of memory and no killable processes...", "no-victim", "nobody was left to kill"),
    ],
)
def test_each_panic_has_its_own_advice(line: str, kind: str, words: str) -> None:
    found = told(report(PANIC + line))
    assert (found.class_, found.fate, found.following) == (kind, "", ())
    assert words in found.meaning
    assert "-1000" not in said(found)
    assert ("vm.panic_on_oom=0" in said(found)) == (kind == "panic")


def test_a_panic_at_a_container_s_limit_names_the_limit() -> None:
    group = "/system.slice/docker-0123456789ab.scope"
    usage = "memory: usage 1024kB, limit 1024kB, failcnt 3"
    panic = f"{PANIC}Out of memory: compulsory panic_on_oom is enabled"
    lines = [HEADER.format(gfp="0xcc0", order=0), usage, f"Memory cgroup stats for {group}:", panic]
    found = told([f"[  1.{n}] {line}" for n, line in enumerate(lines)])
    assert (found.class_, found.limit[0].owner, found.limit[0].limit_bytes) == ("panic", "container", MIB)
    assert "here a control group reached its own limit" in found.meaning


def test_protection_is_blamed_where_the_table_shows_it() -> None:
    rows = tuple(row(n, f"d{n}", 100, -1000) for n in range(19))
    found = told(report("Out of memory and no killable processes...", rows=(*rows, row(20, "x", 1))))
    assert "19 of 20 processes have oom_score_adj -1000" in found.meaning
    few = told(
        report(
            "Out of memory and no killable processes...", rows=(*rows[:10], *(row(n, "x", 1) for n in range(30, 40)))
        )
    )
    assert "-1000" not in said(few)


KUBE = "/kubepods/pod0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
CONTAINER = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("limited", "victim", "owner"),
    [
        ("/system.slice/a.service", "/system.slice/a.service", "own"),
        ("/system.slice/a.service", "/system.slice/a.service/child", "ancestor"),
        ("/system.slice", "/system.slice/a.service", "slice"),
        ("/user.slice/user-1000.slice", "/user.slice/user-1000.slice/session-1.scope", "slice"),
        ("/machine.slice", "/machine.slice/machine-qemu.scope", "slice"),
        (
            "/kubepods.slice",
            f"/kubepods.slice/kubepods-pod1.slice/cri-containerd-{CONTAINER}.scope",
            "node-allocatable",
        ),
        ("/kubepods", f"{KUBE}/{CONTAINER}", "node-allocatable"),
        ("/kubelet.slice/kubelet-kubepods.slice", KUBE, "node-allocatable"),
        ("/kubepods/burstable", KUBE, "quality-of-service"),
        ("/kubepods.slice/kubepods-besteffort.slice", KUBE, "quality-of-service"),
        (KUBE, f"{KUBE}/{CONTAINER}", "pod"),
        (f"{KUBE}/{CONTAINER}", f"{KUBE}/{CONTAINER}", "container"),
        (f"/docker/{CONTAINER}", f"/docker/{CONTAINER}", "container"),
        ("/app", "/app/x", "ancestor"),
        ("/app", "/app", "own"),
        ("", "/app", "own"),
    ],
)
def test_whose_limit_it_was(limited: str, victim: str, owner: str) -> None:
    (found,) = limit_of(LogEvent(oom_memcg=limited, task_memcg=victim, usage_kib=10, limit_kib=10))
    assert (found.owner, found.group) == (owner, limited)
    assert found.says.startswith(limited or "its control group")


@pytest.mark.parametrize(
    ("owner", "words", "never"),
    [
        ("/kubepods.slice", "fewer pods here, a larger node", "raise"),
        ("/kubepods/burstable", "requests and limits", "raise that"),
        ("/user.slice", "raise the slice's limit", "raise that"),
        (KUBE, "the pod's containers", "raise that"),
        ("/system.slice/a.service", "raise that limit", "slice's"),
    ],
)
def test_who_may_raise_it(owner: str, words: str, never: str) -> None:
    victim = owner if "service" in owner else f"{owner}/{CONTAINER}"
    found = account(
        LogEvent(constraint="CONSTRAINT_MEMCG", oom_memcg=owner, task_memcg=victim, usage_kib=1, limit_kib=1)
    )
    assert words in " ".join(found.helps)
    assert never not in " ".join(found.helps)


@pytest.mark.parametrize(
    "usage", ["18014398509481968", "18446744073709551615", "18446744073709547520", "9007199254740992"]
)
def test_a_counter_that_underflowed_does_not_lose_the_limit(usage: str) -> None:
    found = told([f"[  1.0] memory: usage {usage}kB, limit 16777216kB, failcnt 18446744073709551615",
                  "[  1.1] Task in /a killed as a result of limit of /a", f"[  1.2] {KILL}"])  # fmt: skip
    (limit,) = found.limit
    assert (limit.used_bytes, limit.limit_bytes) == (None, 16 * GIB)
    assert limit.says == "/a: 16.0 GiB (its usage is not known)"
    assert "memory report" not in found.missing


def test_a_group_without_a_limit_says_so() -> None:
    found = told(["[  1.0] memory: usage 8kB, limit 9007199254740988kB, failcnt 0", f"[  1.2] {KILL}"])
    assert (found.limit[0].limit_bytes, found.limit[0].says) == (None, "its control group: 8.0 KiB used of no limit")


GUARANTEED = {"task_memcg": f"{KUBE}/{CONTAINER}", "oom_memcg": KUBE, "limit_kib": 1 << 24, "usage_kib": 1 << 24}


@pytest.mark.parametrize(
    ("kernel", "path", "held", "levelled"),
    [
        ("5.4.0-1", KUBE, 4, True),
        (None, KUBE, 4, True),
        ("4.19.0", KUBE, 4, True),
        ("5.10.0", KUBE, 4, False),
        ("6.1.0", KUBE, 4, False),
        ("5.4.0", KUBE, 1 << 23, False),
        ("5.4.0", "/kubepods/burstable/pod1", 4, False),
        ("5.4.0", "/system.slice/a.service", 4, False),
    ],
)
def test_the_first_process_of_a_guaranteed_pod(kernel: str | None, path: str, held: int, *, levelled: bool) -> None:
    fields: dict[str, Any] = {**GUARANTEED, "task_memcg": f"{path}/{CONTAINER}", "kernel": kernel}
    (event,) = read_log(
        [f"[  1.0] Memory cgroup out of memory: Killed process 5 (pause) total-vm:9kB, anon-rss:{held}kB"]
    ).events
    for name, value in fields.items():
        setattr(event, name, value)
    assert ("Guaranteed" in account(event).why) == levelled


def test_the_places_of_a_group() -> None:
    stat = {"anon": 50, "file": 30, "shmem": 10, "kernel": 300, "pagetables": 20, "slab_unreclaimable": 5, "sock": 7}
    found = {place.name: place.size_bytes // KIB for place in places(LogEvent(group_kib=stat, usage_kib=400))}
    assert found == {"other kernel memory": 275, "anonymous": 50, "page cache": 20, "page tables": 20,
                     "shared memory": 10, "sockets": 7, "slab": 5}  # fmt: skip
    old = places(LogEvent(group_kib={"rss": 5, "cache": 4, "kmem": 90}))
    assert [(place.name, place.size_bytes // KIB) for place in old] == [
        ("other kernel memory", 90), ("anonymous", 5), ("page cache", 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stat", "words"),
    [
        ({"anon": 5, "kernel": 300}, "most of it is other kernel memory, memory of the kernel"),
        ({"anon": 5, "file": 290, "shmem": 280}, "files in its tmpfs"),
        ({"anon": 50, "file": 9}, "raise that limit"),
    ],
)
def test_where_a_group_s_memory_sat_decides_too(stat: dict[str, int], words: str) -> None:
    event = LogEvent(group_kib=stat, usage_kib=400, limit_kib=400, oom_memcg="/a", task_memcg="/a")
    assert words in " ".join(account(event).helps)


def test_kernel_memory_of_a_version_one_group_is_read() -> None:
    usage = ["memory: usage 90kB, limit 90kB, failcnt 1", "kmem: usage 80kB, limit 9kB, failcnt 0"]
    underflowed = "kmem: usage 18446744073709551615kB, limit 9kB"
    (event,) = read_log([f"[  1.0] {line}" for line in (*usage, underflowed, KILL)]).events
    assert event.group_kib == {"kmem": 80}


def test_nothing_known_is_nothing_said() -> None:
    found = account(LogEvent())
    assert (found.places, found.limit, found.hog, found.zone_says, found.fate) == ((), (), (), "", "")
    assert largest(()) is None
    assert kernel_share(()) == 0.0
    assert "free" not in KERNELS


FAILURE = "app: page allocation failure: order:{}, mode:{}"


def failed(*zones: str, order: int = 0, mode: str = "0xcc0(GFP_KERNEL)", more: str = "") -> tuple[str, str]:
    lines = [
        FAILURE.format(order, mode) + more,
        "Mem-Info:",
        "active_anon:5 inactive_anon:5 free:9 slab_unreclaimable:3",
    ]
    log = read_log([f"[  5.0] {line}" for line in (*lines, *zones)])
    found = failure_account(log.failures[0], log)
    return found.short, found.says


@pytest.mark.parametrize(
    ("zones", "order", "mode", "more", "short", "words"),
    [
        (FREE, 0, "0xcc0", ", nodemask=0,cpuset=/,mems_allowed=0-1", "not-short", "the memory policy (nodes 0)"),
        (FREE, 0, "0xcc0", "", "not-short", "memory was not short: a group's limit, a cpuset or code of the vendor"),
        (FREE, 0, "0x20(GFP_ATOMIC)", "", "not-short", "memory was not short"),
        (ZONES[:1], 0, "0xcc0", "", "not-short", "5.9 MiB free; 4.9 MiB must stay (low watermark)"),
        (IN_CMA, 0, "0xcc0", "", "short", "KiB free that are usable"),
        (IN_CMA, 0, "0x100cca", "", "not-short", "memory was not short"),
        (("Node 0 Normal free:9kB min:10kB low:20kB high:30kB",), 0, "0xcc0", "", "short", "no page was left"),
        (("Node 0 Normal free:1kB min:10kB low:20kB high:30kB",), 0, "0x20", "", "short", "the reserve was empty"),
        (("Node 0 Normal free:1kB min:10kB low:20kB high:30kB",), 3, "0xcc0", "", "short", "memory was short"),
        ((), 0, "0xcc0", "", "unknown", "the log does not show"),
        ((), 2, "0xcc0", "", "unknown", "does not show the free blocks"),
        ((), 99, "0xcc0", "", "unknown", "very many pages in one piece"),
    ],
)  # fmt: skip
def test_a_failure_says_what_it_was_for_want_of(  # noqa: PLR0913, PLR0917  the columns of the table
    zones: tuple[str, ...], order: int, mode: str, more: str, short: str, words: str
) -> None:
    found = failed(*zones, order=order, mode=mode, more=more)
    assert found[0] == short, found
    assert words in found[1], found
    assert short != "not-short" or "no page was left" not in found[1]


def test_a_failure_has_places_too() -> None:
    first = "[  100.0] app: page allocation failure: order:0, mode:0xcc0"
    log = read_log([first, *report()[1:], *(f"[  101.0] {line}" for line in SLAB)])
    found = of_host(log.failures[0])
    assert found[0].name == "anonymous"
    assert failure_account(log.failures[0], KernelLog()).total_bytes == 50000 * 4 * KIB


POD_UID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (f'kubelet[9]: I0101 12:00:00.1 9 x.go:1] "SyncLoop" pod="shop/web-1" podUID="{POD_UID}"', "shop/web-1"),
        (f"kubelet[9]: E0101 12:00:00.1 9 x.go:1] msg pod=shop/web-1, podUID={POD_UID} z", "shop/web-1"),
        (f'kubelet[9]: W0101 12:00:00.1 9 x.go:1] killed "web-1_shop({POD_UID})" again', "shop/web-1"),
        (f'containerd[7]: level=info msg="&PodSandboxMetadata{{Name:web-1,Uid:{POD_UID},Namespace:shop,Attempt:0,}}"',
         "shop/web-1"),
        (f'kubelet[9]: "SyncLoop" pod="shop/web-1" podUID="{POD_UID.replace("0f", "1f")}"', ""),
        ('kubelet[9]: "SyncLoop" pod="shop/web-1"', ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("group", [KUBE, f"/kubepods.slice/kubepods-pod{POD_UID.replace('-', '_')}.slice"])
def test_a_pod_is_called_as_a_line_near_calls_it(line: str, name: str, group: str) -> None:
    summary = SUMMARY.format("CONSTRAINT_MEMCG", f",oom_memcg={group}", f"{group}/{CONTAINER}")
    lines = [f"Nov 22 09:43:52 node {line}", *(f"Nov 22 09:43:53 node kernel: {one}" for one in (summary, KILL))]
    found = told(lines)
    assert (found.pod, found.container) == (name, f"kubernetes:{POD_UID}")
