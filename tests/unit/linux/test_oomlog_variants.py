"""Every form that kernels and tools have given these lines: our own words in the forms of the kernel's source."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memrunbook.documents.printed.oom_log import OomLogDocument
from memrunbook.documents.printed.oom_log import oom_log_document as document
from memrunbook.linux.oomlog import lines, reader
from memrunbook.linux.oomlog.category import category, constraint
from memrunbook.linux.oomlog.event import KernelLog, Kill, LogEvent, TaskRow
from memrunbook.linux.oomlog.frame import unframe
from memrunbook.linux.oomlog.reader import LogReader, read_log
from memrunbook.linux.oomlog.source import plain
from memrunbook.linux.oomlog.words import ALL, INSIDE, STARTS

KILL = "Out of memory: Killed process 20 (app) total-vm:4000kB, anon-rss:100kB, file-rss:20kB, shmem-rss:0kB"
GROUP_SET = "Tasks in /a are going to be killed due to memory.oom.group set"
SUMMARY = (
    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
    "task_memcg=/system.slice/app.service,task=app,pid=20,uid=7"
)
BODY = [
    "web invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    "CPU: 1 PID: 77 Comm: web Not tainted 6.1.0-1 #1",
    "Mem-Info:",
    "active_anon:10 inactive_anon:20 isolated_anon:0",
    " active_file:3 inactive_file:4 isolated_file:0",
    " slab_reclaimable:5 slab_unreclaimable:6",
    " mapped:1 shmem:7 pagetables:8 bounce:0",
    " free:9 free_pcp:0 free_cma:0",
    "Node 0 DMA32 free:36kB boost:0kB min:900kB low:1100kB high:1300kB active_anon:40kB present:500kB",
    "Node 0 DMA32: 9*4kB (U) 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB = 36kB",
    "Node 0 hugepages_total=2 hugepages_free=1 hugepages_surp=0 hugepages_size=2048kB",
    "0 pages in swap cache",
    "Free swap  = 12kB",
    "Total swap = 1024kB",
    "125 pages RAM",
    "5 pages reserved",
    "Tasks state (memory values in pages):",
    "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name",
    "[     10]     0    10     1000       10       10        0         0    53248        0         -1000 sshd",
    "[     20]     0    20     1000       30       30        0         0    53248       40             0 app",
    "[     30]     0    30     1000       20       20        0         0    53248        0           500 systemd-oomd",
    SUMMARY,
    KILL,
]


def read(*lines: str) -> KernelLog:
    return read_log(lines)


def only(*lines: str) -> LogEvent:
    (event,) = read(*lines).events
    return event


def stamped(at: float, lines: list[str] = BODY, caller: str = "") -> list[str]:
    return [f"[{at + number / 1e6:12.6f}]{caller} {line}" for number, line in enumerate(lines)]


def from_bytes(content: bytes) -> KernelLog:
    found = LogReader()
    for piece in plain([content[start : start + 50] for start in range(0, len(content), 50)]):
        found.feed(piece)
    return found.result()


FRAMES = {
    "dmesg": "[  100.000000] {}",
    "raw": "<4>[  100.000000] {}",
    "dmesg -x": "kern  :warn  : [  100.000000] {}",
    "dmesg -T": "[Di Aug 12 10:00:00 2025] {}",
    "dmesg -e": "[Aug12 10:00] {}",
    "dmesg --time-format iso": "2026-11-22T09:43:52,535391+00:00 {}",
    "syslog": "Nov 22 09:43:52 host kernel: [  100.000000] {}",
    "syslog in German": "Mär  3 09:43:52 host kernel: {}",
    "syslog in French": "févr. 03 09:43:52 host kernel: {}",
    "journal in Chinese": "9月 18 02:27:12 host kernel: {}",
    "journal": "2026-11-22T09:43:52+0000 host kernel: {}",
    "journal short-full": "Sun 2026-11-22 09:43:52 UTC host kernel: {}",
    "journal short-unix": "1795340632.535391 host kernel: {}",
    "journal short-monotonic": "[  100.000000] host kernel: {}",
    "journal short-delta": "[  100.000000 <    0.000012>] host kernel: {}",
    "rsyslog": "2026-11-22T09:43:52.535391+00:00 host kernel: [  100.000000] {}",
    "rfc 5424": "<4>1 2026-11-22T09:43:52.535391+00:00 host kernel - - - {}",
    "kmsg": "4,1234,100000000,-;{}",
    "kmsg with caller": "4,1234,100000000,-,caller=T77;{}",
    "caller": "[  100.000000][   T77] {}",
    "caller apart": "[  100.000000] [   T77] {}",
    "grep": "/var/log/kern.log:Nov 22 09:43:52 host kernel: [  100.000000] {}",
    "cpu": "[  100.000000@3] {}",
    "bare": "{}",
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_an_event_is_the_same_in_every_frame(frame: str) -> None:
    event = only(*(frame.format(line) for line in BODY))
    assert (event.trigger, event.trigger_pid, event.order, event.kernel) == ("web", 77, 0, "6.1.0-1")
    assert (event.tasks, event.task_pages, event.ram_pages, event.reserved_pages) == (3, 60, 125, 5)
    assert [task.name for task in event.largest] == ["app", "systemd-oomd", "sshd"]
    assert [task.pid for task in event.likeliest] == [30, 20]
    assert (event.chosen, event.task_memcg) == (TaskRow(20, "app"), "/system.slice/app.service")
    assert (event.free_swap_kib, event.total_swap_kib, event.huge_kib) == (12, 1024, 4096)
    assert (event.counts["free"], event.counts["shmem"], event.counts["inactive_file"]) == (9, 7, 4)
    assert (event.page_kib, event.blocks) == (4, {"Node 0 DMA32": [9, *[0] * 10]})
    assert (event.complete, event.missing) == (True, [])


@pytest.mark.parametrize(
    ("line", "trigger", "order", "nodemask"),
    [
        ("oom-killer: gfp_mask=0x201d2, order=0", None, 0, None),
        ("oom-killer: gfp_mask=0xd0", None, None, None),
        ("a b invoked oom-killer: gfp_mask=0x44d0, order=2, oomkilladj=0", "a b", 2, None),
        ("a invoked oom-killer: gfp_mask=0x280da, order=0, oom_adj=0", "a", 0, None),
        ("a invoked oom-killer: gfp_mask=0x280da, order=0, oom_adj=-17, oom_score_adj=-1000", "a", 0, None),
        ("a invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0", "a", 0, None),
        ("a invoked oom-killer: gfp_mask=0x24000c0(GFP_KERNEL|__GFP_X), order=3, oom_score_adj=0", "a", 3, None),
        ("a invoked oom-killer: gfp_mask=0x1(GFP_X), nodemask=0-1,  order=0, oom_score_adj=0", "a", 0, "0-1"),
        ("a invoked oom-killer: gfp_mask=0x1(GFP_X), nodemask=(null), order=0, oom_score_adj=0", "a", 0, "(null)"),
        ("a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0", "a", -1, None),
        ("a invoked oom-killer: order=-1, oom_score_adj=0, gfp_mask=0x24000c0(GFP_KERNEL)", "a", -1, None),
        ("[  1.0]  invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=1, oom_score_adj=0", "", 1, None),
        ("invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=1, oom_score_adj=0", None, 1, None),
    ],
)
def test_headers_of_all_kernels(line: str, trigger: str | None, order: int | None, nodemask: str | None) -> None:
    event = only(line)
    assert (event.trigger, event.order, event.nodemask, event.by_hand) == (trigger, order, nodemask, order == -1)
    assert event.missing == ["memory report", "task table", "kill"]


@pytest.mark.parametrize(
    ("lines", "word", "kind"),
    [
        (["No available memory (MPOL_BIND): Killed process 7 (a)."], "CONSTRAINT_MEMORY_POLICY", "mempolicy"),
        (["No available memory in cpuset: Killed process 7 (a)."], "CONSTRAINT_CPUSET", "cpuset"),
        (["Task in /a killed as a result of limit of /b"], "CONSTRAINT_MEMCG", "memcg"),
        (
            ["a invoked oom-killer: gfp_mask=0x1, nodemask=1,  order=0", "a cpuset=/ mems_allowed=0-1"],
            "CONSTRAINT_MEMORY_POLICY",
            "mempolicy",
        ),
        (
            [
                "a invoked oom-killer: gfp_mask=0x1, order=0, oom_score_adj=0",
                "a cpuset=/ mems_allowed=1",
                "Node 0 Normal free:1kB min:1kB low:1kB high:1kB",
                "Node 1 Normal free:1kB min:1kB low:1kB high:1kB",
            ],
            "CONSTRAINT_CPUSET",
            "cpuset",
        ),
    ],
)
def test_what_old_kernels_do_not_print_is_inferred(lines: list[str], word: str, kind: str) -> None:
    event = only(*lines)
    assert (constraint(event), category(event)) == ((word, True), kind)


def test_what_a_kernel_prints_is_not_inferred() -> None:
    assert constraint(only(*BODY)) == ("CONSTRAINT_NONE", False)
    assert constraint(only(BODY[0])) == (None, False)


COLUMNS = {
    "2.6.32": ("[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name", "0 20 1000 30 1 0 0", 30),
    "3.x": ("[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name", "0 20 1000 30 5 40 0", 70),
    "4.x": (
        "[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name",
        "0 2 9 30 5 1 4 0",
        34,
    ),
    "4.15": (
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "0 2 9 30 8 1 0",
        31,
    ),
    "old": ("[ pid ]   uid  tgid total_vm      rss cpu oom_adj name", "0 20 1000 30 1 -17", 30),
}


@pytest.mark.parametrize(("header", "cells", "pages"), COLUMNS.values(), ids=COLUMNS)
def test_tables_are_read_by_their_header(header: str, cells: str, pages: int) -> None:
    event = only(*stamped(100.0, [header, f"[   20] {cells} a b", "noise", f"[   21] {cells} c", "[   22] 1 cut"]))
    assert event.tasks == 2
    assert {(task.name, task.pages) for task in event.largest} == {("a b", pages), ("c", pages)}


def test_version_one_groups_are_summed() -> None:
    event = only(
        "Task in /a/b killed as a result of limit of /a",
        "memory: usage 980kB, limit 1000kB, failcnt 5",
        "memory+swap: usage 0kB, limit 9007199254740988kB, failcnt 0",
        "Memory cgroup stats for /a: cache:1KB rss:2KB rss_huge:0KB",
        "Memory cgroup stats for /a/b: cache:10KB rss:20KB swap:3KB",
    )
    assert (event.group_kib["cache"], event.group_kib["rss"], event.group_kib["swap"]) == (11, 22, 3)
    assert (event.usage_kib, event.limit_kib) == (980, 1000)


@pytest.mark.parametrize("below", ["{}", "                     {}", "[  100.100000] {}"])
def test_version_two_groups_are_read_in_bytes(below: str) -> None:
    stats = ["anon 4096", "file 8192", "shmem 1024", "slab_unreclaimable 2048", "pgfault 77"]
    event = only(
        "[  100.000000] a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "[  100.000001] Memory cgroup stats for /a:",
        *(below.format(line) for line in stats),
        "[  100.200000] Tasks state (memory values in pages):",
        "[  100.200001] Memory cgroup out of memory: Killed process 5 (a) total-vm:1kB, anon-rss:1kB",
    )
    assert [event.group_kib[name] for name in ("anon", "file", "shmem", "slab_unreclaimable")] == [4, 8, 1, 2]


def test_a_group_without_a_name() -> None:
    assert only(BODY[0], "Memory cgroup stats for : cache:1KB").oom_memcg == ""


def test_newlines_that_rsyslog_wrote_as_numbers() -> None:
    event = only(
        "a invoked oom-killer: gfp_mask=0xcc0, order=0, oom_score_adj=0",
        "Mem-Info:",
        "active_anon:1 inactive_anon:2#012 active_file:3 inactive_file:4#012 free:5 free_pcp:6",
        "Memory cgroup stats for /a:#012anon 4096#012file 8192",
    )
    assert (event.counts["active_file"], event.counts["free"]) == (3, 5)
    assert (event.oom_memcg, event.group_kib) == ("/a", {"anon": 4, "file": 8})


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled", "panic"),
        ("Kernel panic - not syncing: out of memory. Compulsory panic_on_oom is selected", "panic"),
        ("Kernel panic - not syncing: out of memory. panic_on_oom is selected", "panic"),
        ("Kernel panic - not syncing: System is deadlocked on memory", "no-victim"),
    ],
)
def test_panics(line: str, kind: str) -> None:
    event = only(*BODY[:3], line)
    assert (category(event), event.reason, event.is_over) == (kind, line, True)


def test_the_lines_below_a_panic_name_the_kernel() -> None:
    event = only("Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled", "", BODY[1])
    assert (event.kernel, event.trigger_pid, event.hopeless) == ("6.1.0-1", 77, True)


def test_other_panics_are_no_events() -> None:
    assert read("Kernel panic - not syncing: VFS: Unable to mount root fs").events == ()


def test_a_victim_that_dies_already_is_not_killed() -> None:
    event = only(*BODY[:3], "Out of memory: OOM victim 20 (a b) is already exiting. Skip killing the task")
    assert (event.victim, event.kills, event.missing[-1]) == (TaskRow(20, "a b"), [], "kill")


def test_lines_of_two_processors_are_told_apart() -> None:
    one = stamped(100.0, caller="[  T77]")
    two = stamped(100.0, [line.replace("app", "db").replace("20", "21") for line in BODY], caller="[  C1]")
    log = read(*(line for pair in zip(one, two, strict=True) for line in pair))
    assert [(event.victim, event.tasks, event.chosen) for event in log.events] == [
        (TaskRow(20, "app"), 3, TaskRow(20, "app")),
        (TaskRow(21, "db"), 3, TaskRow(21, "db")),
    ]


def test_the_reaper_is_a_thread_of_its_own() -> None:
    one = stamped(100.0, caller="[  T77]")
    two = stamped(100.1, [line.replace("app", "db").replace("20", "21") for line in BODY], caller="[  T78]")
    log = read(
        *one,
        *two,
        "[  100.200000][  T18] oom_reaper: reaped process 20 (app), now anon-rss:0kB",
        "[  100.300000][  T18] oom_reaper: reaped process 99 (x), now anon-rss:0kB",
    )
    assert [event.reaped for event in log.events] == [[TaskRow(20, "app")], [TaskRow(99, "x")]]


def test_very_many_threads_do_not_fill_memory() -> None:
    lines = [f"[  100.000000][  T{number}] Killed process {number} (a)" for number in range(200)]
    assert len(read(*lines).events) == 200


def test_a_little_disorder_does_not_split_an_event() -> None:
    lines = stamped(100.0)
    lines[5] = lines[5].replace("[  100.000005]", "[   99.500000]")
    assert only(*lines).tasks == 3


def test_the_same_event_from_two_sources_is_one() -> None:
    undated = [f"Nov 22 09:43:52 host kernel: {line}" for line in BODY]
    dated = [f"Nov 22 09:43:52 host kernel: {line}" for line in stamped(100.0)]
    assert [event.seen for event in read(*stamped(100.0), *dated).events] == [2]
    assert [event.seen for event in read(*dated, *dated, *dated).events] == [3]
    assert [event.seen for event in read(*undated, *undated).events] == [2]
    assert [event.seen for event in read(*BODY, *BODY).events] == [1, 1]
    assert [event.seen for event in read(*stamped(100.0), *stamped(100.0)).events] == [1, 1]


def test_what_only_the_second_source_tells_is_kept() -> None:
    log = read(f"[  100.000022] host kernel: {KILL}", *stamped(100.0))
    assert [(event.trigger, event.tasks, event.seen) for event in log.events] == [("web", 3, 2)]
    assert [event.trigger for event in read(*stamped(100.0), f"[  100.000022] host kernel: {KILL}").events] == ["web"]


def test_another_boot_is_another_event() -> None:
    later = [line.replace("[  100", "[   50") for line in stamped(100.0)]
    assert len(read(*stamped(100.0), "[    0.000000] Linux version 6.1.0-1", *later).events) == 2
    assert len(read(*stamped(100.0), "-- Boot 1234 --", *stamped(100.0)).events) == 2
    assert [event.boot for event in read("", "-- Reboot --", *stamped(100.0)).events] == [1]


@pytest.mark.parametrize(
    "line",
    [
        "Nov 22 09:43:52 host app[9]: begin",
        "[  100.000000] host app[9]: begin",
        "2026-11-22T09:43:52+0000 host systemd[1]: begin",
    ],
)
def test_what_a_program_logs_on_several_lines_is_not_the_kernel_s(line: str) -> None:
    assert read(line, f"          {KILL}").events == ()
    assert len(read("[  100.000000] begin", f"          {KILL}").events) == 1


@pytest.mark.parametrize(
    "frame", ["Nov 22 09:43:52 host app[9]: {}", "[  100.0] host app[9]: {}", "1795340632.500000 h a[9]: {}"]
)
def test_what_a_program_logs_is_not_the_kernel_s(frame: str) -> None:
    assert read(*(frame.format(line) for line in BODY)).events == ()


def test_the_owner_of_a_line_is_looked_for_so_far_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    told = ["Nov 22 09:43:52 host app[9]: begin", *["    more"] * 10, f"    {KILL}"]
    assert read(*told).events == ()
    monkeypatch.setattr(reader, "OWNER_LINES", 5)
    assert len(read(*told).events) == 1


def test_the_owner_of_a_line_may_stand_in_the_block_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "BLOCK", 20)
    assert read("Nov 22 09:43:52 host app[9]: begin", "    more", f"    {KILL}").events == ()


UNITS = [
    ("a.service: A process of this unit has been killed by the OOM killer.", "a.service"),
    ("a.service: Failed with result 'oom-kill'.", "a.service"),
    ("a.service: Main process exited, code=killed, status=9/KILL", ""),
]


@pytest.mark.parametrize(("text", "unit"), UNITS)
def test_systemd_names_the_unit(text: str, unit: str) -> None:
    lines = [f"Nov 22 09:43:52 host kernel: {line}" for line in (BODY[0], KILL)]
    log = read(*lines, f"Nov 22 09:43:53 host systemd[1]: {text}")
    assert (log.events[0].unit, [note.name for note in log.notes]) == (unit, [unit] if unit else [])


@pytest.mark.parametrize(
    "line",
    [
        "Nov 22 11:43:53 host systemd[1]: a.service: Failed with result 'oom-kill'.",
        "host systemd[1]: a.service: Failed with result 'oom-kill'.",
    ],
)
def test_a_unit_that_ended_at_another_time_is_not_the_victim_s(line: str) -> None:
    log = read(f"Nov 22 09:43:52 host kernel: {KILL}", line)
    assert (log.events[0].unit, len(log.notes)) == ("", 1)


def test_a_unit_of_another_group_is_not_the_victim_s() -> None:
    log = read(*stamped(100.0), "[  101.000000] host systemd[1]: b.service: Failed with result 'oom-kill'.")
    assert log.events[0].unit == ""
    log = read(*stamped(100.0), "[  101.000000] host systemd[1]: app.service: Failed with result 'oom-kill'.")
    assert log.events[0].unit == "app.service"


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("[ 5.0] bash (123): drop_caches: 3", ("drop_caches", 5.0, "bash", 123, 3)),
        ("[ 5.0] a (b) (123): drop_caches: 1", ("drop_caches", 5.0, "a (b)", 123, 1)),
        (
            "[ 5.0] __vm_enough_memory: pid: 7, comm: a, b, no enough memory for the allocation",
            ("overcommit", 5.0, "a, b", 7, None),
        ),
        (
            "[ 5.0] __vm_enough_memory: pid: 7, comm: a, bytes: 4096 not enough memory for the allocation",
            ("overcommit", 5.0, "a", 7, 4096),
        ),
        (
            "[ 5.0] insmod: vmalloc error: size 12288, page order 0, failed to allocate pages",
            ("vmalloc", 5.0, "insmod", None, 12288),
        ),
        ("[ 5.0] vmalloc: allocation failure: 8192 bytes", ("vmalloc", 5.0, "", None, 8192)),
        ("[ 5.0] vmalloc error of another kind", None),
        ("[ 5.0] nothing of drop_caches: here", None),
    ],
)
def test_other_lines_that_matter(line: str, note: tuple[object, ...] | None) -> None:
    found = [(n.kind, n.stamp, n.name, n.pid, n.value) for n in read(line).notes]
    assert found == ([note] if note else [])


@pytest.mark.parametrize(
    ("line", "lost"),
    [
        ("** 7 printk messages dropped **", True),
        ("dump_header: 12 callbacks suppressed", True),
        ("oom_kill_process: 2 callbacks suppressed", True),
        ("Nov 22 09:43:52 host systemd-journald[3]: Missed 24 kernel messages", True),
        ("net_ratelimit: 44 callbacks suppressed", False),
        ("Nov 22 09:43:52 host app[3]: ** 7 printk messages dropped **", False),
    ],
)
def test_only_lost_lines_of_ours_make_a_log_incomplete(line: str, *, lost: bool) -> None:
    assert read(line).cut is lost


@pytest.mark.parametrize(
    ("line", "victim"),
    [
        ("nohang[5]: Sending SIGTERM to the victim", None),
        ("nohang[5]: Sending SIGKILL to the victim (Name: a b, PID: 7)", TaskRow(7, "a b")),
        ("nohang[5]: Sending SIGTERM to the victim: PID: 7, Name: ab", TaskRow(7, "ab")),
    ],
)
def test_nohang(line: str, victim: TaskRow | None) -> None:
    event = only(line)
    assert (event.killer, event.victim, category(event), event.missing) == ("nohang", victim, "userspace", [])


def test_a_failure_has_its_own_memory_report() -> None:
    report = [line for line in BODY[1:16] if "Comm" not in line]
    (failure,) = read(*stamped(1.0, ["a: page allocation failure: order:3, mode:0x1(GFP_X)", *report])).failures
    assert (failure.counts["free"], failure.ram_pages, failure.blocks) == (9, 125, {"Node 0 DMA32": [9, *[0] * 10]})


def test_a_late_report_is_not_the_failure_s() -> None:
    log = read(*stamped(1.0, ["a: page allocation failure: order:3, mode:0x1(GFP_X)"]), *stamped(500.0, BODY[2:]))
    assert (log.failures[0].counts, log.events[0].counts["free"]) == ({}, 9)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n[", b"\n\x1b[32m[").replace(b"] ", b"]\x1b[0m "),
        lambda text: text.replace(b"process", b"\x1b[01;31m\x1b[Kprocess\x1b[m\x1b[K"),
        lambda text: b"\0" * 100 + text + b"\0\0",
        lambda text: b"\xff\xfe noise\n" + text + b"\xc3",
        lambda text: text.rstrip(b"\n"),
    ],
    ids=["crlf", "colour", "grep --color", "nul", "not utf-8", "no last newline"],
)
def test_spoilt_files_are_read(change: object) -> None:
    log = from_bytes(change("\n".join(stamped(100.0)).encode() + b"\n"))  # type: ignore[operator]  # one of the above
    assert [(event.victim, event.tasks, event.missing) for event in log.events] == [(TaskRow(20, "app"), 3, [])]


def test_records_of_the_journal_are_read() -> None:
    def record(text: str, number: int) -> str:
        return json.dumps(
            {"MESSAGE": text, "SYSLOG_IDENTIFIER": "kernel", "_SOURCE_MONOTONIC_TIMESTAMP": f"{100000000 + number}"}
        )

    others = [
        {"MESSAGE": list(KILL.encode()), "SYSLOG_IDENTIFIER": "app"},
        {"MESSAGE": None, "SYSLOG_IDENTIFIER": "kernel"},
        {"MESSAGE": "x", "SYSLOG_IDENTIFIER": "kernel", "__MONOTONIC_TIMESTAMP": "soon"},
        {"MESSAGE": f"x\n{KILL}", "SYSLOG_IDENTIFIER": "systemd"},
    ]
    lines = [*map(json.dumps, others), "{broken", *(record(line, number) for number, line in enumerate(BODY))]
    (event,) = from_bytes("\n".join(lines).encode()).events
    assert (event.victim, event.tasks, event.counts["free"]) == (TaskRow(20, "app"), 3, 9)
    assert event.stamp == 100.000022


def test_a_line_without_an_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "BLOCK", 1000)
    found = LogReader()
    for _ in range(100):
        found.feed(b"x" * 999)
    found.feed(f" {KILL}\n[  100.000000] {KILL}\n".encode())
    assert [event.victim for event in found.result().events] == [TaskRow(20, "app")]


def test_a_table_that_ended_without_a_kill_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_STRANGE", 2)
    event = only(*BODY[17:19], "noise", "noise", "noise", "noise", BODY[19])
    assert event.tasks == 1


LINES = st.sampled_from([*BODY, *stamped(100.0), *UNITS[0][:1], "", " ", "{", "[", "[1]", "Mem-Info:", "\x1b[m"])
TEXTS = st.lists(LINES | st.text(max_size=40), max_size=60).map(
    lambda lines: "\n".join(lines).encode("utf-8", "replace")
)


NEEDLES = [needle for rules in (*STARTS.values(), *INSIDE.values()) for needle in rules]
PARTS = [
    *NEEDLES,
    *(word.decode() for word in ALL),
    *re.split(r"(?<=[ ,:=()])", "\n".join(BODY)),
    "\n",
    ": ",
    "#012",
    "{",
    "9" * 25,
]
SOUP = st.lists(st.sampled_from(PARTS), max_size=60).map(lambda parts: "".join(parts).encode())


@given(st.binary(max_size=3000) | TEXTS | SOUP)
def test_no_bytes_break_the_reader(content: bytes) -> None:
    told = document(from_bytes(content))
    assert msgspec.json.decode(msgspec.json.encode(told), type=OomLogDocument) == told


ROW_WITHOUT_A_STAMP = [*BODY[:1], *stamped(100.0)[17:18], BODY[18], "active_anon:10 inactive_anon:20 isolated_anon:0"]


def test_a_row_that_has_its_name_ends_there() -> None:
    (event,) = from_bytes("\n".join(ROW_WITHOUT_A_STAMP).encode()).events
    assert [task.name for task in event.largest] == ["sshd"]


@given(TEXTS, st.integers(1, 200))
@example("\n".join([BODY[0], *ROW_WITHOUT_A_STAMP]).encode(), 1)
def test_it_does_not_matter_where_a_log_is_cut_into_blocks(content: bytes, size: int) -> None:
    whole, block = LogReader(), LogReader()
    whole.feed(content)
    with pytest.MonkeyPatch.context() as patch:
        wanted = whole.result()
        patch.setattr(reader, "BLOCK", size + 400)
        for start in range(0, len(content), size):
            block.feed(content[start : start + size])
        assert block.result() == wanted


def test_dates_and_callers_are_kept() -> None:
    line = unframe("Nov 22 09:43:52 host kernel: [  100.5][  T7] x")
    assert (line.date, line.caller, line.style, line.stamp) == ("Nov 22 09:43:52", "T7", "syslog", 100.5)
    line = unframe("4,1,1000000,-,caller=C3;x")
    assert (line.caller, line.style) == ("C3", "kmsg")


def test_rows_among_other_lines_are_found() -> None:
    rows = [
        f"[{pid:7}]     0 {pid:5}     1000       10       10        0         0    53248        0 0 a{pid}"
        for pid in range(50)
    ]
    mixed = [line for row in rows for line in (row, "eth0: link up")]
    for told in ([*rows, "eth0: link up", *rows], mixed):
        event = only(*stamped(100.0, [*BODY[:18], *told, SUMMARY, KILL]))
        assert (event.tasks, event.task_pages) == (len(told) - told.count("eth0: link up"), 10 * event.tasks)


def test_a_table_goes_on_in_the_next_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "BLOCK", 500)
    assert only(*stamped(100.0)).tasks == 3


@pytest.mark.parametrize(
    "line",
    [
        "[  100.0] total_vm of nothing",
        "[  100.0] 4*4096kB of nothing",
        "[  100.0] 1kB min: of nothing",
        "[  100.0] hugepages_total=x",
        "[  100.0] Mem-ory",
        "[  100.0] a Mem-Info",
        "[  100.0] cgroup stats for",
        "[  100.0] he sharing same memory ill process",
        "[  100.0] OOM victim is already exiting",
        "nohang[7]: started",
        "a oom-killer: gfp of nothing",
        "[  100.0] this is no Linux version of ours",
    ],
)
def test_lines_that_only_look_like_a_report_change_nothing(line: str) -> None:
    assert only(*BODY[:8], line, *BODY[8:]).largest == only(*BODY).largest


def test_a_table_behind_a_very_long_frame_is_read_line_by_line() -> None:
    event = only(*(f"{'/long' * 80}{line}" if "sshd" in line else line for line in BODY), *["noise"])
    assert event.tasks == 2
    assert only(*(f"Nov 22 09:43:52 {'host' * 80} kernel: {line}" for line in BODY)).tasks == 3


@pytest.mark.parametrize(("kills", "held"), [((1, 2, 3), 6), ((None, 2, None), 2), ((None, None, None), None)])
def test_what_a_victim_held(kills: tuple[int | None, ...], held: int | None) -> None:
    assert Kill(1, "a", None, 9, *kills).held_kib == held


def test_only_so_many_killed_processes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_KILLS", 2)
    told = [f"Killed process {pid} (a)" for pid in range(3)]
    event = only("Tasks in /a are going to be killed due to memory.oom.group set", *told)
    assert len(event.kills) == 2


@pytest.mark.parametrize(
    "frame",
    [
        "Sat Nov 22 09:43:52 2026 kern.warn kernel: [  100.000000] {}",
        "Thu Jan  1 00:00:00 UTC 2026 host kernel: {}",
        "Nov 22 2026 09:43:52 host kernel: {}",
        "22 нояб 09:43:52 host kernel: {}",
        "Nov 22 09:43:52 host kern.warn kernel: [  100.000000] {}",
        "Nov 22 09:43:52 (none) kern.warn kernel: {}",
        "Nov 22 09:43:52 router warning kernel: {}",
        "Nov 22 09:43:52 host kernel: kernel: [  100.000000] {}",
        "Nov 22 09:43:52 host kernel: : [  100.000000] {}",
        "Nov 22 09:43:52 10.0.0.1 [  100.000000] {}",
        "2026/11/22 09:43:52 host kernel: {}",
        "2026-11-22 09:43:52.123456 +0200 host kernel: {}",
        "1 2026-11-22T09:43:52Z host kernel - - - {}",
        "kern: warning: [2026-11-22T09:43:52.913975631Z]: {}",
        "10.0.0.1: kern: warning: [2026-11-22T09:43:52.913975631Z]: {}",
        "2026-11-22T09:43:52.123456789Z stdout F [  100.000000] {}",
        "2026-11-22T09:43:52.123456789Z stderr F Nov 22 09:43:52 host kernel: {}",
        "6.1.0-1-amd64,4,1234,100000000,-;{}",
        "[2026-11-22 09:43:52] [  100.000000] {}",
        "[Sun Nov 22 09:43:52 2026 <    0.000002>] {}",
        "[<    0.000012>] {}",
        "[11/22/26 09:43:52] {}",
        "00:12:34.567 [  100.000000] {}",
        "console_1  | [  100.000000] {}",
        "123-Nov 22 09:43:52 host kernel: {}",
        "kern.log.1-[  100.000000] {}",
        "12: [  100.000000] {}",
        "> [  100.000000] {}",
        "> > {}",
        ">> \t[  100.000000] {}",
        "    [  100.000000] {}",
        "    {}",
        "&gt; [  100.000000] {}",
        "&lt;4&gt;[  100.000000] {}",
        "<4>[  100.000000]  (0)[1234:kworker/0:1]{}",
        "[  100.000000] I[0:      swapper/0:    1] {}",
        "[  100.000000] c0   1234 {}",
        "<4>[  100.000000, 0] {}",
        "11-22 09:43:52.035     0     0 W [  100.000000]: {}",
        "`[  100.000000] {}`",
        "[  100.000000] {}   ",
        "[  100.000000]\N{NO-BREAK SPACE}{}",
    ],
)
def test_a_kill_is_read_behind_rarer_frames(frame: str) -> None:
    (event,) = from_bytes("".join(frame.format(line) + "\n" for line in BODY).encode()).events
    assert (event.trigger, event.trigger_pid, event.order, event.kernel) == ("web", 77, 0, "6.1.0-1")
    assert (event.tasks, event.ram_pages, event.task_memcg) == (3, 125, "/system.slice/app.service")
    assert (event.chosen, event.victim, event.missing) == (TaskRow(20, "app"), TaskRow(20, "app"), [])


def test_a_name_behind_an_unknown_frame_is_the_last_that_it_may_be() -> None:
    assert only(f"what|ever is here: {BODY[0]}").trigger == "web"
    assert read("what|ever is here: web: page allocation failure: order:3, mode:0x20").failures[0].name == "web"
    assert only(BODY[0].replace("web", "a: b| [c] d")).trigger == "a: b| [c] d"


@pytest.mark.parametrize("text", ["invoked [1.000000] web", "CPU: 1 PID: 2 Comm: kernel: web"])
def test_a_stamp_behind_words_of_the_kernel_is_no_frame(text: str) -> None:
    assert unframe(text).text == text


def test_a_program_behind_an_unknown_frame_is_not_the_kernel() -> None:
    assert unframe("Nov 22 09:43:52 host app[9]: kernel: [  100.000000] x").program == "app"


@pytest.mark.parametrize(
    ("line", "program", "text"),
    [
        ("4,1,100000000,-;systemd[1]: x", "kernel", "systemd[1]: x"),
        ("30,1,100000000,-;systemd[1]: x", "systemd", "x"),
        ("30,1,100000000,-;app[9]: x", "app", "x"),
        ("12,1,100000000,-;x", "", "x"),
        ("4,1,100000000,-;[1.000000] x", "kernel", "[1.000000] x"),
    ],
)
def test_a_record_s_priority_says_who_wrote_it(line: str, program: str, text: str) -> None:
    assert (unframe(line).program, unframe(line).text, unframe(line).stamp) == (program, text, 100.0)


@pytest.mark.parametrize("name", ["systemd", "earlyoom", "nohang"])
@pytest.mark.parametrize("frame", ["[  100.000000] {}", "[  100.000000] kernel: {}", "Nov 22 09:43:52 h kernel: {}"])
def test_a_program_that_asked_for_memory_did_not_write_the_line(frame: str, name: str) -> None:
    (failure,) = read(frame.format(f"{name}: page allocation failure: order:4, mode:0x40cc0(GFP_KERNEL)")).failures
    assert (failure.name, failure.order) == (name, 4)


BROKEN = [
    ["web invoked", "oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=2,", "oom_score_adj=0"],
    ["web", "invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=2, oom_score_adj=0"],
    ["web invoked oom-killer:", "gfp_mask=0xcc0(GFP_KERNEL), nodemask=(null),", "order=2, oom_score_adj=0"],
    ["web invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL),", "order=2, oom_score_adj=0"],
]


@pytest.mark.parametrize("margin", ["", "> ", "    "])
@pytest.mark.parametrize("header", BROKEN)
def test_lines_that_a_mail_program_broke_are_joined(header: list[str], margin: str) -> None:
    told = [
        f"[  100.000000] {header[0]}",
        *header[1:],
        "[  100.000001] CPU: 1 PID: 77 Comm: web Not tainted",
        "6.1.0-1 #1",
        "[  100.000002] Task in /a/b killed as a result of limit of",
        "/a",
        "[  100.000003] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents",
        "oom_score_adj name",
        "[  100.000004] [     20]     0    20     1000       30    53248       40             0 app",
        "[  100.000005] Memory cgroup out of memory: Kill process 20 (app)",
        "score 9 or sacrifice child",
        "[  100.000006] Killed process 20 (app) total-vm:400kB,",
        "anon-rss:100kB, file-rss:20kB,",
        "shmem-rss:0kB",
    ]
    event = only(*(margin + line for line in told))
    assert (event.trigger, event.order, event.trigger_pid, event.kernel) == ("web", 2, 77, "6.1.0-1")
    assert (event.task_memcg, event.oom_memcg, event.score) == ("/a/b", "/a", 9)
    assert [(task.name, task.swap) for task in event.largest] == [("app", 40)]
    assert event.kills == [Kill(20, "app", None, 400, 100, 20, 0)]


@pytest.mark.parametrize("margin", ["", "> ", ">> ", "    "])
def test_broken_rows_are_joined(margin: str) -> None:
    told = [
        "[  100.000003] [ pid ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "[  100.000004] [   20]     0    20     1000       30    53248",
        "40             0 a b",
        "[  100.000005] [   30]     0    30     1000       30    53248       41             0 app",
        "[  100.000006] [   40]     0",
        "40     1000       30    53248       42             0 c",
        "[  100.000007] something else [40]",
        "[  100.000008] [   50]     0",
    ]
    event = only(*(margin + line for line in told))
    assert [(task.name, task.swap) for task in event.largest] == [("c", 42), ("app", 41), ("a b", 40)]
    assert event.tasks == 3


def test_other_lines_are_not_joined() -> None:
    assert only("web", "oom-killer: gfp_mask=0xd0, order=1").trigger is None
    assert only("oom-killer: gfp_mask=0xd0, order=1").trigger is None
    event = only("Killed process 20 (app)", *["pid=1"] * 9, "total-vm:400kB")
    assert event.kills[0].total_vm_kib is None
    (failure,) = read(
        "> web: page allocation failure: order:4,", "> mode:0x40cc0(GFP_KERNEL), nodemask=(null)"
    ).failures
    assert (failure.order, failure.flags) == (4, "GFP_KERNEL")


def test_a_summary_is_joined_without_a_blank() -> None:
    event = only(
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a,", "task_memcg=/a/b,task=x,pid=5,uid=0"
    )
    assert (event.oom_memcg, event.task_memcg, event.chosen) == ("/a", "/a/b", TaskRow(5, "x"))


@pytest.mark.parametrize(
    ("line", "kill"),
    [
        (
            "Killed process 5 (a b), UID 33, total-vm:9kB, anon-rss:5kB, file-rss:1kB, shmem-rss:2kB",
            Kill(5, "a b", None, 9, 5, 1, 2, 33),
        ),
        (
            "Killed process 5, UID 27,(a) total-vm:9kB, anon-rss:5kB, file-rss:1kB",
            Kill(5, "a", None, 9, 5, 1, None, 27),
        ),
        ("Killed process 5 (a) vsz:9kB, anon-rss:5kB, file-rss:1kB", Kill(5, "a", None, 9, 5, 1)),
        ("Out of memory: Killed process 5, UID 48, (a).", Kill(5, "a", "Out of memory", uid=48)),
        ("Out of memory: Killed process 5 (a) total-", Kill(5, "a", "Out of memory")),
        ("Killed process 5 (", Kill(5, "")),
        (
            "OOMKilling Out of memory: Kill process 4 (b) score 5 or sacrifice child Killed process 5 (a) total-vm:9kB",
            Kill(5, "a", "OOMKilling Out of memory", 9),
        ),
        (
            r"x: Kill process 4 (b) score 5 or sacrifice child\nKilled process 5 (a) total-vm:9kB, anon-rss:5kB",
            Kill(5, "a", "x", 9, 5),
        ),
    ],
)
def test_kills_of_rarer_kernels(line: str, kill: Kill) -> None:
    assert only(line).kills == [kill]


@pytest.mark.parametrize(
    ("line", "constraint_", "groups", "chosen"),
    [
        (
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,task=a,pid=5,uid=7",
            "CONSTRAINT_NONE",
            (None, None),
            TaskRow(5, "a"),
        ),
        (
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=x,pi",
            "CONSTRAINT_MEMCG",
            ("/a", "/a/b"),
            None,
        ),
        (
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/",
            "CONSTRAINT_MEMCG",
            ("/a", None),
            None,
        ),
        (
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task_memcg=/b,task=x,pid=5",
            "CONSTRAINT_NONE",
            (None, "/b"),
            None,
        ),
    ],
)
def test_summaries_without_groups_or_cut(
    line: str, constraint_: str, groups: tuple[str | None, str | None], chosen: TaskRow | None
) -> None:
    event = only(line)
    assert (event.constraint, event.inferred, event.chosen) == (constraint_, False, chosen)
    assert (event.oom_memcg, event.task_memcg) == groups


def test_a_cut_summary_does_not_undo_what_is_known() -> None:
    event = only(
        BODY[0], "Memory cgroup stats for /a:", "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=..."
    )
    assert (event.oom_memcg, event.constraint) == ("/a", "CONSTRAINT_MEMCG")


def test_the_choice_of_a_group_is_inferred() -> None:
    event = only("Memory cgroup out of memory: Kill process 5 (a) score 9 or sacrifice child")
    assert (event.constraint, event.inferred) == ("CONSTRAINT_MEMCG", True)


def test_a_group_named_under_another_constraint_is_still_a_group_s() -> None:
    event = only(
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),oom_memcg=/a,task_memcg=/a,task=x,pid=5,uid=0",
        "memory: usage 5kB, limit 5kB, failcnt 9",
        "[ pid ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "[    5]     0     5     1000       30    53248       40             0 x",
        "Memory cgroup out of memory: Killed process 5 (x) total-vm:9kB",
    )
    assert (category(event), constraint(event), event.missing) == ("memcg", ("CONSTRAINT_NONE", False), ["header"])


def test_a_nodemask_alone_is_no_policy() -> None:
    header = "a invoked oom-killer: gfp_mask=0x1(GFP_X), nodemask={}, order=0, oom_score_adj=0"
    assert constraint(only(header.format("0"))) == (None, False)
    assert constraint(only(header.format("1"))) == ("CONSTRAINT_MEMORY_POLICY", True)


def test_who_exits_already_is_not_who_was_chosen_for_a_group() -> None:
    event = only(SUMMARY, KILL, GROUP_SET, "Out of memory: OOM victim 31 (b) is already exiting. Skip killing the task")
    assert (event.chosen, event.reason, len(event.kills)) == (TaskRow(20, "app"), "", 1)


@pytest.mark.parametrize(
    ("text", "kernel"),
    [
        ("Pid: 5, comm: a 1.2 b Not tainted 2.6.32-5 #1", "2.6.32-5"),
        ("Pid: 5, comm: a Not tainted (2.6.24-19-server #1)", "2.6.24-19-server"),
        ("Pid: 5, comm: a Tainted: P (2.6.26 #1)", "2.6.26"),
        (
            "CPU: 0 PID: 5 Comm: Comm: x 1.2.3 Kdump: loaded Tainted: G          I    ------------ T 3.10.0-8 #1",
            "3.10.0-8",
        ),
    ],
)
def test_the_version_stands_behind_the_taint(text: str, kernel: str) -> None:
    assert only(BODY[0], text).kernel == kernel


def test_a_zone_is_a_report_too() -> None:
    zone = "DMA free:16kB min:16kB low:32kB high:48kB active:0kB inactive:0kB present:16384kB"
    assert "memory report" not in only("oom-killer: gfp_mask=0xd0", zone).missing


def test_tables_of_two_threads_end_one_after_the_other() -> None:
    header = "[ pid ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"
    row = "[   {0}]     0    {0}     1000       30    53248       40             0 x"
    told = [("1", header), ("1", row.format(21)), ("2", header), ("2", row.format(31)), ("1", row.format(22))]
    told += [("1", "Killed process 21 (x)"), ("2", row.format(32)), ("2", "Killed process 31 (x)")]
    events = read(*(f"[  100.00000{at}][   T{caller}] {line}" for at, (caller, line) in enumerate(told))).events
    assert [(event.tasks, [kill.pid for kill in event.kills]) for event in events] == [(2, [21]), (2, [31])]


@pytest.mark.parametrize(
    ("text", "victim"),
    [
        ('sending SIGTERM to process 7 "a b": badness 858, VmRSS 5 MiB', Kill(7, "a b", rss_kib=5120)),
        ('sending SIGTERM to process 7 "a":"/bin/a": badness 858, VmRSS 5 MiB', Kill(7, "a", rss_kib=5120)),
        ('killing process 7 "a" with signal 9: badness 858, VmRSS 5 MiB', Kill(7, "a", rss_kib=5120)),
    ],
)
def test_earlier_versions_of_earlyoom(text: str, victim: Kill) -> None:
    assert only(f"Nov 22 09:43:52 host earlyoom[5]: {text}").kills == [victim]


def test_caches_of_either_allocator() -> None:
    log = read(
        "SLAB: Unable to allocate memory on node 0 (gfp=0x20)",
        "SLUB: Unable to allocate memory on CPU 0 (of node 0) on node -1, gfp=0x920(GFP_ATOMIC)",
        "SLUB: Unable to agree",
    )
    assert log.slub_failures == 2
    assert read("__vm_enough_memory: of what").overcommit_refusals == 0


def test_a_name_that_looks_like_markup_stays() -> None:
    (event,) = from_bytes(KILL.replace("app", "&lt;b&gt;").encode()).events
    assert event.kills[0].name == "&lt;b&gt;"


def test_a_container_s_log_is_read() -> None:
    told = [json.dumps({"log": f"{line}\n", "stream": "stdout", "time": "x"}) for line in stamped(100.0)]
    (event,) = from_bytes("\n".join(told).encode()).events
    assert (event.victim, event.tasks, event.missing) == (TaskRow(20, "app"), 3, [])


def _exported(text: str, number: int, program: str = "kernel", stamp: str = "_SOURCE_MONOTONIC_TIMESTAMP") -> bytes:
    content = text.encode()
    told = b"MESSAGE\n" + len(content).to_bytes(8, "little") if "\n" in text else b"MESSAGE="
    head = f"__CURSOR=s=1;i={number}\n_TRANSPORT=kernel\nSYSLOG_IDENTIFIER={program}\n".encode()
    return head + told + content + f"\n{stamp}={100000000 + number}\n\n".encode()


def test_exported_records_of_the_journal_are_read() -> None:
    told = [BODY[0], BODY[1], "\n".join(BODY[2:8]), *BODY[8:]]
    records = [_exported(line, number) for number, line in enumerate(told)]
    others = [
        _exported(KILL, 1, "app"),
        _exported(f"x\n{KILL}", 2, "systemd"),
        _exported(KILL, 3).replace(b"_SOURCE_MONOTONIC_TIMESTAMP=", b"_SOURCE_MONOTONIC_TIMESTAMP=x"),
        _exported("a\nb", 4).replace(b"MESSAGE\n", b"OTHER\n"),
        _exported("x", 5, stamp="__MONOTONIC_TIMESTAMP"),
    ]
    (event,) = from_bytes(b"".join([*others, *records]).rstrip(b"\n")).events
    assert (event.victim, event.tasks, event.counts["free"], event.missing) == (TaskRow(20, "app"), 3, 9, [])
    assert event.stamp == pytest.approx(100.0, abs=0.001)


def test_a_log_of_no_kind_at_all_is_empty() -> None:
    assert from_bytes(b"") == read()
    assert from_bytes(b"__CURSOR=s").events == ()
    assert len(from_bytes(b"{\n" + f'"message": "{KILL}"\n'.encode() + b"}\n").events) == 1
