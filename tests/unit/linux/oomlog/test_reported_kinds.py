"""Kinds of reports that people file: limits of version 1 beside the memory's, OpenVZ, memory in no counter, threads."""

from __future__ import annotations

import pytest

from memrunbook.linux.oomlog.account import OomAccount
from memrunbook.linux.oomlog.event import KernelLog
from memrunbook.linux.oomlog.reader import read_log
from memrunbook.linux.oomlog.telling import account

GROUP = """\
[ 10.1] web invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0
[ 10.2] Task in /docker/a1 killed as a result of limit of /docker/a1
[ 10.3] memory: usage {memory}, failcnt 0
[ 10.4] memory+swap: usage {both}, failcnt 0
[ 10.5] kmem: usage {kernel}, failcnt 9
[ 10.6] Memory cgroup out of memory: Kill process 20 (app) score 900 or sacrifice child
[ 10.7] Killed process 20 (app) total-vm:4000kB, anon-rss:100kB, file-rss:20kB
"""
NONE = "9007199254740988kB"
HOST = """\
[ 10.10] web invoked oom-killer: gfp_mask=0x1100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0
[ 10.11] Mem-Info:
[ 10.12] active_anon:1000 inactive_anon:1000 isolated_anon:0
 active_file:3 inactive_file:4 isolated_file:0
 slab_reclaimable:50 slab_unreclaimable:{slab}
 mapped:1 shmem:7 pagetables:{tables} bounce:0
 free:90 free_pcp:0 free_cma:0
{node}[ 10.13] Node 0 DMA32 free:360kB min:900kB low:1100kB high:1300kB present:40000kB managed:40000kB
[ 10.14] lowmem_reserve[]: 0 0 0 0
[ 10.15] Free swap  = 0kB
[ 10.16] Total swap = 0kB
[ 10.17] 10000 pages RAM
[ 10.18] 0 pages reserved
[ 10.19] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[ 10.20] [     20]     7    20     9000     1500    40960        0             0 app
[ 10.21] Out of memory: Killed process 20 (app) total-vm:36000kB, anon-rss:6000kB, file-rss:0kB, shmem-rss:0kB
"""
STACKS = "[ 10.125] Node 0 active_anon:4000kB inactive_anon:4000kB kernel_stack:{}kB pagetables:80kB\n"
ENDED = "Mar 01 10:00:{:02d} box systemd[1]: {}.service: Failed with result 'oom-kill'.\n"
LOST = "Mar 01 10:00:{:02d} box systemd[1]: {}.service: A process of this unit has been killed by the OOM killer.\n"


def log_of(text: str) -> KernelLog:
    return read_log([text])


def told(text: str) -> OomAccount:
    log = log_of(text)
    assert len(log.events) == 1
    return account(log.events[0])


@pytest.mark.parametrize(
    ("memory", "both", "kernel", "says"),
    [
        (f"500kB, limit {NONE}", f"500kB, limit {NONE}", "1024kB, limit 1024kB", "1.0 MiB used of 1.0 MiB for kernel"),
        ("500kB, limit 4096kB", f"500kB, limit {NONE}", "1020kB, limit 1024kB", "of 1.0 MiB for kernel memory"),
        ("4096kB, limit 4096kB", "4096kB, limit 4096kB", "1024kB, limit 1024kB", "/docker/a1: 4.0 MiB used of 4.0 MiB"),
        ("3000kB, limit 4096kB", "6144kB, limit 6144kB", f"9kB, limit {NONE}", "6.0 MiB for memory and swap together"),
        ("4096kB, limit 4096kB", f"4096kB, limit {NONE}", "18446744073709551600kB, limit 1024kB", "4.0 MiB of 4.0 MiB"),
    ],
)
def test_the_limit_is_the_one_that_was_full(memory: str, both: str, kernel: str, says: str) -> None:
    found = told(GROUP.format(memory=memory, both=both, kernel=kernel))
    assert says.replace("4.0 MiB of", "4.0 MiB used of") in found.limit[0].says
    of_kernel = "for kernel memory" in found.limit[0].says
    assert ("limit of kernel memory" in found.meaning) == of_kernel
    assert any("raising its memory limit" in words for words in found.useless) == of_kernel


@pytest.mark.parametrize(
    ("slab", "tables", "node", "word"),
    [
        (60, 10, "", "zfs_arc_max"),  # nobody knows the stacks, but they come with slab and page tables
        (900, 10, "", "zfs_arc_max"),
        (60, 10, STACKS.format(200), "zfs_arc_max"),
        (2000, 2001, "", "fewer processes"),
        (60, 10, STACKS.format(26000), "fewer threads"),
    ],
)
def test_what_no_counter_holds_is_no_slab(slab: int, tables: int, node: str, word: str) -> None:
    assert word in "; ".join(told(HOST.format(slab=slab, tables=tables, node=node)).helps)


@pytest.mark.parametrize(("kib", "much"), [(8000, True), (1000, False)])
def test_many_stacks_beside_a_process_are_many_threads(kib: int, much: object) -> None:
    text = HOST.format(slab=60, tables=10, node=STACKS.format(kib)).replace("active_anon:1000 ", "active_anon:5000 ")
    helps = "; ".join(told(text).helps)
    assert "limit or restart app" in helps
    assert ("fewer threads" in helps) == much


@pytest.mark.parametrize(
    ("line", "name", "whose", "kind"),
    [
        ("Out of memory in UB 101: OOM killed process 20 (app) score 0 vm:400kB, rss:200kB, swap:90kB", "app",
         "OpenVZ container 101", "memcg"),
        ("Out of memory in UB 7-a: OOM killed process 20 (my app) score 0 vm:400kB, rss:200kB, swap:90kB", "my app",
         "OpenVZ container 7-a", "memcg"),
        ("Out of memory in UB: OOM killed process 20 (app) score 9 vm:400kB, rss:200kB, swap:90kB", "app", "", ""),
        ("OOM killed process app (pid=20, ve=102) exited, free=431 gen=2.", "app", "OpenVZ container 102", "memcg"),
        ("OOM killed process app (pid=20, ve=0) exited, free=431 gen=2.", "app", "", ""),
    ],
)  # fmt: skip
def test_openvz(line: str, name: str, whose: str, kind: str) -> None:
    found = told(f"[ 10.1] {line}\n")
    assert (found.killed[0].name, found.killed[0].pid, found.whose) == (name, 20, whose)
    assert (found.class_ == "memcg") == bool(kind)


def test_two_kills_in_one_container_are_two_events() -> None:
    line = "[ {0}.1] Out of memory in UB 9: OOM killed process {0} (app) score 0 vm:4kB, rss:2kB, swap:9kB\n"
    both = log_of(line.format(10) + line.format(11) + line.format(11))
    assert [event.kills[0].pid for event in both.events] == [10, 11]
    assert not log_of("[ 10.1] OOM killed process\n").events


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (LOST.format(1, "a") + ENDED.format(2, "a"), ["a.service"]),
        (ENDED.format(2, "a"), ["a.service"]),
        (LOST.format(1, "a") + ENDED.format(2, "b"), ["a.service", "b.service"]),
        (LOST.format(1, "a") + LOST.format(9, "a") + ENDED.format(9, "a"), ["a.service", "a.service"]),
        (ENDED.format(1, "a") + LOST.format(9, "a"), ["a.service", "a.service"]),
    ],
)
def test_a_unit_that_ends_by_its_kill_lost_one_process(text: str, names: list[str]) -> None:
    assert [(note.kind, note.name) for note in log_of(text).notes] == [("unit", name) for name in names]
