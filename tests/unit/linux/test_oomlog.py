from __future__ import annotations

import pytest

from memrunbook.linux.oomlog import collection, reader
from memrunbook.linux.oomlog.category import category
from memrunbook.linux.oomlog.event import Failure, KernelLog, Kill, LogEvent, Task, TaskRow
from memrunbook.linux.oomlog.frame import LogLine, unframe
from memrunbook.linux.oomlog.reader import read_log
from memrunbook.linux.zones import PrintedZone

HEADER = "[  100.000000] web invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
CPU = "[  100.000001] CPU: 1 UID: 0 PID: 77 Comm: web Not tainted 6.12.0-1 #1"
TABLE = [
    "[  100.000002] Mem-Info:",
    "[  100.000003] Node 0 DMA32 free:1000kB boost:0kB min:900kB low:1100kB high:1300kB active_anon:0kB",
    "[  100.000004] Free swap  = -4kB",
    "[  100.000005] Total swap = 1024kB",
    "[  100.000006] 125 pages RAM",
    "[  100.000007] Tasks state (memory values in pages):",
    "[  100.000008] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
    "[  100.000009] [     10]     0    10     1000       10    53248        0         -1000 sshd",
    "[  100.000010] [     20]     0    20     1000       30    53248       40             0 my (big) app",
    "[  100.000011] [     30]     0    30     1000       20    53248        0             0 ",
    "[  100.000012] [     40]     0    40     1000        5    53248        0             0 small",
]
SUMMARY = (
    "[  100.000020] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
    "task_memcg=/system.slice/app.service,task=my (big) app,pid=20,uid=1000"
)
KILL = (
    "[  100.000030] Out of memory: Killed process 20 (my (big) app) total-vm:4000kB, anon-rss:100kB, file-rss:20kB, "
    "shmem-rss:0kB, UID:1000 pgtables:52kB oom_score_adj:0"
)
GROUPS = "oom_memcg=/a,b,task_memcg=/a,b/c d,task=x,pid=1,uid=0"
FULL = [HEADER, CPU, *TABLE, SUMMARY, KILL]


def only(*lines: str) -> LogEvent:
    (event,) = read_log(lines).events
    return event


def test_a_whole_event_is_read() -> None:
    event = only(*FULL, "[  101.000000] oom_reaper: reaped process 20 (my (big) app), now anon-rss:0kB")

    assert (event.trigger, event.trigger_pid, event.order, event.kernel) == ("web", 77, 0, "6.12.0-1")
    assert (event.free_swap_kib, event.total_swap_kib, event.ram_pages) == (-4, 1024, 125)
    assert (event.tasks, event.task_pages) == (4, 65)
    assert event.largest == [
        Task(20, "my (big) app", 30, 40, 0, 13, 1000),
        Task(30, "", 20, 0, 0, 13, 1000),
        Task(10, "sshd", 10, 0, -1000, 13, 1000),
    ]
    assert event.chosen == TaskRow(20, "my (big) app")
    assert event.task_memcg == "/system.slice/app.service"
    assert event.kills == [Kill(20, "my (big) app", "Out of memory", 4000, 100, 20, 0, 1000, 52, 0)]
    assert event.reaped == [TaskRow(20, "my (big) app")]
    assert event.stamp == 100.00003
    assert event.victim == TaskRow(20, "my (big) app")
    assert event.complete


def test_a_log_without_events_is_empty() -> None:
    assert read_log(["[ 1.0] eth0: link up", "", "\x00\xff", "[ 2.0] Memory: 1K available"]) == KernelLog()


def test_two_events_are_two() -> None:
    assert [
        event.stamp for event in read_log([*FULL, *(line.replace("[  100", "[  200") for line in FULL)]).events
    ] == [
        100.00003,
        200.00003,
    ]


def test_kills_alone_are_events_of_their_own() -> None:
    second = "[  100.100000] Out of memory: Killed process 21 (b) total-vm:1kB, anon-rss:1kB, file-rss:0kB"
    first, later = read_log([*FULL, second]).events
    assert first.victim == TaskRow(20, "my (big) app")
    assert later.victim == TaskRow(21, "b")
    assert not later.complete


def test_a_group_dies_together_and_nobody_dies_twice() -> None:
    event = only(
        HEADER,
        "[  100.1] Memory cgroup out of memory: Killed process 5 (a) total-vm:1kB, anon-rss:1kB",
        "[  100.2] Tasks in /pod are going to be killed due to memory.oom.group set",
        "[  100.3] Memory cgroup out of memory: Killed process 5 (a) total-vm:1kB, anon-rss:1kB",
        "[  100.4] Memory cgroup out of memory: Killed process 6 (b) total-vm:1kB, anon-rss:1kB",
    )
    assert [kill.pid for kill in event.kills] == [5, 6]
    assert (event.constraint, event.inferred, category(event)) == ("CONSTRAINT_MEMCG", True, "memcg")


def test_who_shares_the_memory_dies_too() -> None:
    event = only(
        "[ 1.0] Out of memory: Kill process 5 (a) score 9 or sacrifice child",
        "[ 1.1] Killed process 5 (a) total-vm:1kB, anon-rss:1kB, file-rss:0kB",
        "[ 1.2] Kill process 6 (b) sharing same memory",
    )
    assert [kill.pid for kill in event.kills] == [5, 6]
    assert (event.selected, event.score) == (TaskRow(5, "a"), 9)


def test_a_minute_later_it_is_another_event() -> None:
    late = "[  170.000000] oom_reaper: reaped process 9 (late), now anon-rss:0kB"
    assert [event.victim for event in read_log([*FULL, late]).events] == [
        TaskRow(20, "my (big) app"),
        TaskRow(9, "late"),
    ]


@pytest.mark.parametrize("sign", [SUMMARY, *TABLE[6:7]])
def test_what_comes_before_a_kill_begins_a_new_event_after_one(sign: str) -> None:
    assert len(read_log([*FULL, sign]).events) == 2


def test_a_memory_report_counts_once_an_event_follows() -> None:
    assert read_log(TABLE[:5]).events == ()
    event = only(*TABLE[:5], SUMMARY, KILL)
    assert event.ram_pages == 125
    assert event.trigger is None


def test_a_memory_report_after_a_kill_belongs_to_something_else() -> None:
    event = only(*FULL, "[  100.1] Mem-Info:", "[  100.1] 999 pages RAM")
    assert event.ram_pages == 125


def test_the_table_of_a_cut_log_is_an_event() -> None:
    event = only(*TABLE[5:])
    assert event.tasks == 4
    assert event.victim is None
    assert not event.complete


def test_an_unusual_table_is_read_by_its_header() -> None:
    event = only(
        "[ pid ]   uid  tgid total_vm      rss (01)nrss  nr_ptes swapents oom_score_adj name",
        "[  390]     0   390    39012     6739       78   11    51             0 a b",
        "[  391]     0   391",
        "[  392]     0   392    39012     x       78   11    51             0 c",
    )
    assert event.largest == [Task(390, "a b", 6739, 51, 0, 11, 39012), Task(392, "c", 0, 51, 0, 11, 39012)]


def test_a_header_cut_short_still_leads_its_rows() -> None:
    event = only(
        "[  pid  ]   uid  tgid total_vm      rss rss_anon sw...", "[     10]     0    10     1000       10    9 ..."
    )
    assert event.largest == [Task(10, "...", 10, 0, None, 0, 1000)]


@pytest.mark.parametrize(
    ("line", "constraint", "memcg"),
    [
        (
            "Task in /a b killed as a result of limit of /a",
            "CONSTRAINT_MEMCG",
            ("/a", "/a b"),
        ),
        (
            f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,y,mems_allowed=0-1,3,{GROUPS}",
            "CONSTRAINT_MEMCG",
            ("/a,b", "/a,b/c d"),
        ),
        ("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=us...", "CONSTRAINT_MEMCG", (None, None)),
        (
            "Memory cgroup out of memory: Kill process 1 (a) score 1046 or sacrifice child",
            "CONSTRAINT_MEMCG",
            (None,) * 2,
        ),
    ],
)
def test_the_group_of_an_event(line: str, constraint: str, memcg: tuple[str | None, str | None]) -> None:
    event = only(line)
    assert event.constraint == constraint
    assert (event.oom_memcg, event.task_memcg) == memcg


def test_the_limit_and_the_first_statistics_count() -> None:
    event = only(
        HEADER,
        "[  100.1] memory: usage 512kB, limit 512kB, failcnt 3",
        "[  100.1] memory: usage 1kB, limit 2kB, failcnt 3",
        "[  100.1] Memory cgroup stats for /a: cache:0KB rss:1KB",
        "[  100.1] Memory cgroup stats for /a/b:",
    )
    assert (event.usage_kib, event.limit_kib, event.oom_memcg) == (512, 512, "/a")


@pytest.mark.parametrize(
    ("line", "pid", "name", "message"),
    [
        ("Out of Memory: Killed process 1336 (memtest).", 1336, "memtest", "Out of Memory"),
        ("Killed process 19776 (VirtualBox)", 19776, "VirtualBox", None),
        ("No available memory in cpuset: Killed process 7 (a b).", 7, "a b", "No available memory in cpuset"),
        ("Killed process 9, UID 500, (java) total-vm:7kB, anon-rss:3kB, file-rss:1kB", 9, "java", None),
        (
            "Memory cgroup out of memory: Killed process 4 (py) total-vm:9kB, anon-...",
            4,
            "py",
            "Memory cgroup out of memory",
        ),
        ("Out of memory (oom_kill_allocating_task): Killed process 3 (x) total-vm:1kB", 3, "x", None),
        ("Killed process 5 (cut off", 5, "cut off", None),
        ("Killed process 141 ((sd-pam))", 141, "(sd-pam)", None),
    ],
)
def test_the_line_of_a_kill_in_all_its_forms(line: str, pid: int, name: str, message: str | None) -> None:
    (kill,) = only(line).kills
    assert (kill.pid, kill.name) == (pid, name)
    assert message is None or kill.message == message


@pytest.mark.parametrize(
    "line",
    [
        "Killed process without a number",
        "oom-kill: something else, oom-kill:constraint",
        "x invoked oom-killer: but not so",
        "Task killed as a result of nothing",
        "oom_reaper: started",
        "the score of Kill process",
        "who is sharing same memory?",
        "memory.oom.group set by hand",
        "OOM killer enabled.",
        "systemd[1]: x.service: Killed process 5 (forged)",
        "Nov 22 09:43:52 host app[9]: Out of memory: Killed process 5 (forged) total-vm:1kB",
    ],
)
def test_lines_that_only_look_like_it_are_no_events(line: str) -> None:
    assert read_log([line]).events == ()


def test_a_report_of_what_dies_does_not_end_the_event() -> None:
    event = only(
        *FULL,
        "[  100.1] app: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)",
        "[  100.1] Mem-Info:",
        "[  100.1] 999 pages RAM",
        "[  100.2] oom_reaper: reaped process 20 (app), now anon-rss:0kB",
    )
    assert (event.ram_pages, event.reaped) == (125, [TaskRow(20, "app")])


def test_a_kill_that_the_summary_names_otherwise_leaves_the_summary() -> None:
    event = only(HEADER, SUMMARY, "[  100.1] Out of memory: Killed process 20 (other) total-vm:1kB")
    assert event.task_memcg == "/system.slice/app.service"


def test_sysrq_is_by_hand() -> None:
    assert category(only(HEADER.replace("order=0", "order=-1"), KILL)) == "manual"
    assert category(only(HEADER, "[  100.1] Workqueue: events moom_callback", KILL)) == "manual"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Out of memory and no killable processes...", "no-victim"),
        ("Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled", "panic"),
    ],
)
def test_nobody_to_kill(line: str, kind: str) -> None:
    event = only(HEADER, f"[  100.1] {line}")
    assert (category(event), event.victim, event.reason) == (kind, None, line)


NORMAL = PrintedZone(name="Normal", free_kib=900, min_kib=60, low_kib=80, high_kib=100)
FULL_NORMAL = PrintedZone(name="Normal", free_kib=90, min_kib=60, low_kib=80, high_kib=100)


def event_with(**fields: object) -> LogEvent:
    return LogEvent(**fields)  # type: ignore[arg-type]  # the test's table holds one field each


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (event_with(constraint="CONSTRAINT_NONE"), "global"),
        (event_with(constraint="CONSTRAINT_CPUSET"), "cpuset"),
        (event_with(constraint="CONSTRAINT_MEMORY_POLICY"), "mempolicy"),
        (event_with(mems_allowed="0", nodes={0, 1}), "cpuset"),
        (event_with(mems_allowed="0-1", nodes={0, 1}), "global"),
        (event_with(mems_allowed="1,0", nodes={0, 1}), "global"),
        (event_with(mems_allowed="0-x,", nodes={0, 1}), "cpuset"),
        (event_with(nodemask="0", mems_allowed="0-1"), "mempolicy"),
        (event_with(nodemask="(null)", mems_allowed="0-1"), "global"),
        (event_with(nodemask="0-1", mems_allowed="0-1"), "global"),
        (event_with(order=2, gfp="0xcc0", zones=[NORMAL], blocks={"Normal": [225]}), "high-order"),
        (event_with(order=2, gfp="0xcc0", zones=[FULL_NORMAL], blocks={"Normal": [22]}), "global"),
        (event_with(order=2, free_kib=90), "global"),
        (event_with(killer="earlyoom"), "userspace"),
    ],
)
def test_the_class_of_an_event(event: LogEvent, kind: str) -> None:
    assert category(event) == kind


def test_old_headers_name_nodes_and_processor() -> None:
    event = only(
        "a.out invoked oom-killer: gfp_mask=0x14280ca(GFP_X|GFP_Y), nodemask=0-1,  order=0, oom_score_adj=0",
        "a.out cpuset=/ mems_allowed=0-1",
        "b cpuset=/x mems_allowed=7",
        "Pid: 9, comm: a.out Not tainted 2.6.32-642.el6 #1",
        "Pid: 10, comm: b Not tainted 3.0 #1",
    )
    assert (event.nodemask, event.cpuset, event.mems_allowed) == ("0-1", "/", "0-1")
    assert (event.trigger_pid, event.kernel) == (9, "2.6.32-642.el6")


def test_lines_of_the_kernel_that_an_event_does_not_know_change_nothing() -> None:
    plain, noisy = (
        only(*FULL),
        only(HEADER, CPU, "[ 100.0] the swap free: pages RAM", "[ 100.0]  free:x PID: x", *FULL[2:]),
    )
    assert plain == noisy


def test_an_event_that_kills_nobody_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PATIENCE", 3)
    monkeypatch.setattr(reader, "BLOCK", 3)
    event = only(HEADER, *["noise"] * 3, "125 pages RAM")
    assert event.ram_pages is None


def test_only_the_newest_events_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "MOST", 2)
    log = read_log(f"[ {stamp}.0] Killed process {stamp} (a)" for stamp in (100, 200, 300))
    assert [event.stamp for event in log.events] == [200.0, 300.0]


@pytest.mark.parametrize(
    ("line", "failure", "atomic"),
    [
        ("a: page allocation failure. order:5, mode:0x8020", Failure(None, "a", 5, "0x8020"), True),
        (
            "kworker/u:0: page allocation failure: order:4, mode:0x2000d0",
            Failure(None, "kworker/u:0", 4, "0x2000d0"),
            False,
        ),
        (
            "a b: page allocation failure: order:0, mode:0xa20(GFP_ATOMIC), nodemask=(null)",
            Failure(None, "a b", 0, "0xa20", "GFP_ATOMIC", "(null)"),
            True,
        ),
        (
            "[ 5.5] a: page allocation failure: order:3, mode:0xcc0(GFP_KERNEL|__GFP_NOWARN)",
            Failure(5.5, "a", 3, "0xcc0", "GFP_KERNEL|__GFP_NOWARN"),
            False,
        ),
    ],
)
def test_a_failed_allocation(line: str, failure: Failure, *, atomic: bool) -> None:
    log = read_log([line])
    assert log.failures == (failure,)
    assert log.failures[0].atomic is atomic


def test_the_pid_of_a_failure_stands_in_the_line_below() -> None:
    log = read_log(
        [
            "a: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)",
            "CPU: 1 PID: 2029 Comm: a Not tainted 5.4.17+ #1",
            "CPU: 1 PID: 1 Comm: b Not tainted 5.4.17+ #1",
        ]
    )
    assert log.failures[0].pid == 2029


def test_a_failure_inside_an_event_takes_its_own_line_only() -> None:
    log = read_log(
        [
            HEADER,
            "[  100.1] a: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)",
            "[  100.1] Mem-Info:",
            "[  100.1] CPU: 1 PID: 2029 Comm: a Not tainted 5.4.17+ #1",
            *FULL[1:],
        ]
    )
    assert log.failures[0].pid == 2029
    assert log.events[0].trigger_pid == 77


def test_other_lines_are_counted() -> None:
    log = read_log(
        [
            "SLUB: Unable to allocate memory on node -1, gfp=0xa20(GFP_ATOMIC)",
            "__vm_enough_memory: pid: 5, comm: a, no enough memory for the allocation",
            "page allocation failure it was not",
        ]
    )
    assert (log.slub_failures, log.overcommit_refusals, log.failures, log.cut) == (1, 1, (), False)


@pytest.mark.parametrize("line", ["warn_alloc: 12 callbacks suppressed", "** 7 printk messages dropped **"])
def test_lost_lines_are_known(line: str) -> None:
    assert read_log([line]).cut


@pytest.mark.parametrize(
    ("line", "killer", "victim", "group"),
    [
        (
            "Nov 22 09:43:52 host systemd-oomd[944]: Killed /a/b.scope due to memory pressure for /a being 8% > 5%",
            "systemd-oomd",
            None,
            "/a/b.scope",
        ),
        (
            "2026-09-19T05:00:00+0000 host systemd-oomd[6]: Marked /a/b.service for killing due to memory used (1)",
            "systemd-oomd",
            None,
            "/a/b.service",
        ),
        (
            'earlyoom[454]: sending SIGTERM to process 99 uid 1000 "a "b": badness 1181, VmRSS 45 MiB',
            "earlyoom",
            TaskRow(99, 'a "b'),
            None,
        ),
        (
            "[ 9.5] oomd kill: 1.0 2.0 3.0 system.slice/a.service 12345 ruleset:[x] detectorgroup:[y] killer:kill v2",
            "oomd",
            None,
            "/system.slice/a.service",
        ),
    ],
)
def test_killers_in_userspace(line: str, killer: str, victim: TaskRow | None, group: str | None) -> None:
    event = only(line)
    assert (event.killer, event.victim, event.task_memcg) == (killer, victim, group)
    assert category(event) == "userspace"
    assert event.complete


@pytest.mark.parametrize(
    "line",
    [
        "[ 9.5] oomd kill: 1.0 2.0 3.0 a.slice 12345 ruleset:[x] detectorgroup:[y] killer:(dry)kill v2",
        "earlyoom[454]: mem avail: 554 of 7721 MiB",
        "systemd-oomd[944]: Considered 61 cgroups for killing",
        "[ 9.5] earlyoom was here",
    ],
)
def test_killers_that_killed_nobody(line: str) -> None:
    assert read_log([line]).events == ()


@pytest.mark.parametrize(
    ("line", "stamp", "program"),
    [
        ("[   12.345678] x y", 12.345678, "kernel"),
        ("[   12.5][ T12] x y", 12.5, "kernel"),
        ("<4>[ 12.5] x y", 12.5, "kernel"),
        ("kern  :warn  : [ 12.5] x y", 12.5, "kernel"),
        ("[Di Aug 12 10:00:00 2025] x y", None, "kernel"),
        ("2026-11-22T09:43:52,535391+00:00 x y", None, "kernel"),
        ("Nov 22 09:43:52 host kernel: [ 12.5] x y", 12.5, "kernel"),
        ("9月 18 02:27:12 host kernel: x y", None, "kernel"),
        ("2026-11-22T09:43:52+0000 host kernel: x y", None, "kernel"),
        ("[   12.345678] host kernel: x y", 12.345678, "kernel"),
        ("6,1234,567890,-;x y", 0.56789, "kernel"),
        ("6,1234,567890,-,caller=T1;x y", 0.56789, "kernel"),
        ("Sep 15 14:44:48.518439 [ 1613.5] x y", 1613.5, "kernel"),
        ("Nov 22 09:43:52 host cron[7]: x y", None, "cron"),
        ("x y", None, "kernel"),
    ],
)
def test_every_frame_comes_off(line: str, stamp: float | None, program: str) -> None:
    assert unframe(line)[:3] == (stamp, program, "x y")


def test_a_stamp_inside_the_text_stays_there() -> None:
    assert unframe("[ 5.5] a kernel: [9.9] x") == LogLine(5.5, "kernel", "[9.9] x", style="syslog")
