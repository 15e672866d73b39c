"""A kernel's log with names masked: what is about memory stays readable, nothing else stays at all."""

from __future__ import annotations

import pytest

from memrunbook.linux.oomlog.reader import read_log
from memrunbook.runtime.masked_log import masked_log
from memrunbook.runtime.masking import Masks

LOG = """\
[    0.000000] Linux version 6.1.0-13-amd64 (builder@build.payroll.example) (gcc-12) #1 SMP Debian
[    0.000000] Command line: root=/dev/mapper/payroll-root secret=1
[    9.100000] systemd[1]: Hostname set to <db7.payroll.example>.
[   88.000000] [UFW BLOCK] IN=eth0 SRC=203.0.113.9 DST=10.1.2.3 MAC=52:54:00:aa:bb:cc
[  100.000000] payrolld invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
[  100.000001] CPU: 0 PID: 371 Comm: payrolld Not tainted 6.1.0-13-amd64 #1  Debian 6.1.55-1
[  100.000002] Hardware name: ACME Server SN12345/Board, BIOS 1.0
[  100.000003] Call Trace:
[  100.000004]  <TASK>
[  100.000005]  dump_stack_lvl+0x45/0x5e
[  100.000006] memory: usage 98304kB, limit 98304kB, failcnt 33
[  100.000007] Memory cgroup stats for /payroll.slice/payroll-api.service:
[  100.000008] anon 99786752
[  100.000009] Tasks state (memory values in pages):
[  100.000010] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[  100.000011] [    371]     0   371    25000    24500   245760        0             0 payrolld
[  100.000012] [    380]  1000   380      100       10     4096        0             0 java
[  100.000013] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/payroll.slice/payroll-api.service,task_memcg=/payroll.slice/payroll-api.service,task=payrolld,pid=371,uid=0
[  100.000014] Memory cgroup out of memory: Killed process 371 (payrolld) total-vm:100000kB, anon-rss:97000kB, file-rss:652kB, shmem-rss:0kB, UID:0 pgtables:240kB oom_score_adj:0
[  100.000015] oom_reaper: reaped process 371 (payrolld), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
[  120.000000] payroll-cron (77): drop_caches: 3
[  130.000000] payrolld: page allocation failure: order:4, mode:0x40cc0(GFP_KERNEL|__GFP_COMP), nodemask=(null),cpuset=/,mems_allowed=0
[  140.000000] usb 1-1: SerialNumber: 0123PAYROLL
"""  # noqa: E501  as the kernel writes them


def test_what_the_engine_reads_of_a_log_is_read_of_the_masked_one_too() -> None:
    shown = masked_log(LOG, Masks())
    before, after = (read_log(text.split("\n")) for text in (LOG, shown))
    [was], [event] = before.events, after.events
    assert (event.trigger, event.trigger_pid, event.constraint, event.limit_kib) == (
        "process-1", was.trigger_pid, was.constraint, was.limit_kib,
    )  # fmt: skip
    assert event.oom_memcg == event.task_memcg == "/unit-1.slice/unit-2.service"
    assert event.kills[0].name == "process-1"
    assert event.kills[0]._replace(name="payrolld", message=was.kills[0].message) == was.kills[0]
    assert (event.tasks, event.task_pages, event.kernel) == (was.tasks, was.task_pages, was.kernel)
    assert [(one.name, one.order) for one in after.failures] == [("process-1", 4)]
    assert [note.kind for note in after.notes] == [note.kind for note in before.notes]


def test_no_name_address_or_number_of_a_device_is_left() -> None:
    shown = masked_log(LOG, Masks())
    for word in ("payroll", "PAYROLL", "203.0.113.9", "10.1.2.3", "52:54", "SN12345", "ACME", "secret", "builder"):
        assert word not in shown
    assert "[    0.000000] Linux version 6.1.0-13-amd64\n[    0.000000](3 lines left out)\n" in shown.replace(
        "] (", "]("
    )
    assert " java\n" in shown


@pytest.mark.parametrize("text", ["", "\n", "no log at all", "\0\x1b[31m\n" * 3, "[" * 5000, "[ 1.0] " + "a" * 100_000])
def test_whatever_is_in_a_log_it_is_masked(text: str) -> None:
    shown = masked_log(text, Masks())
    assert "a" * 50 not in shown
    assert shown.endswith("\n") == text.endswith("\n")


def test_that_the_log_was_refused_is_still_told() -> None:
    refused = "dmesg: read kernel buffer failed: Operation not permitted\n"
    assert masked_log(refused, Masks()) == refused


@pytest.mark.parametrize(
    "said",
    [
        "Node 0 DMA32 free:4kB boost:0kB min:4kB low:8kB high:12kB reserved_highatomic:0KB writepending:0kB",
        "Node 0 Normal: 4*4kB (UME) 3*8kB (U) 0*16kB = 40kB",
        "Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB",
        "active_anon:12 inactive_anon:13 isolated_anon:0",
        " slab_reclaimable:3 slab_unreclaimable:4",
        "lowmem_reserve[]: 0 428 428 428",
        "Swap cache stats: add 12, delete 13, find 1/2",
        "Free swap  = 0kB",
        "Total swap = 0kB",
        "131000 pages RAM",
        "0 pages HighMem/MovableOnly",
        "inactive_anon 99786752",
        "memory+swap: usage 98304kB, limit 98304kB, failcnt 33",
        "Unreclaimable slab info:",
        "kmalloc-512              12KB         13KB",
        " ? out_of_memory+0x45/0x5e",
        " __alloc_pages_slowpath.constprop.0+0x45/0x5e",
    ],
)
def test_what_the_kernel_alone_says_of_memory_stays(said: str) -> None:
    assert masked_log(f"[    1.000000] {said}\n", Masks()) == f"[    1.000000] {said}\n"


@pytest.mark.parametrize(
    "said",
    [
        "acme_payroll 17", "Node 1 acme-db joined", "Node 1 acme joined", "acme: usage 1kB, limit 2kB, failcnt 3", "17",
        "131000 pages acme", "Swap cache stats: acme", "10.1.2.3 free", "dmesg: klogctl: Acme went away", "x" * 5000,
        "ACME: Killed process 3 (java) total-vm:1kB", "Killed process 3 (java) acme:1kB", "[ pid ] uid acme name",
        "java invoked oom-killer: gfp_mask=0xcc0(GFP_ACME), order=0", "oom-kill:constraint=ACME,nodemask=(null),task=x",
        "Memory cgroup stats for /x: acme:3KB", "java: page allocation failure: acme",
        "Memory: 1K/2K available (3K acme)",
    ],
)  # fmt: skip
def test_what_a_program_wrote_into_the_log_does_not(said: str) -> None:
    assert masked_log(f"[    1.000000] {said}\n", Masks()) == "[    1.000000] (1 lines left out)\n"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("acme_session 12KB 13KB", "slab-1 12KB 13KB"),
        ("acme_alloc+0x1/0x2 [acme]", "function-1+0x1/0x2 [module-1]"),
        (
            "CPU: 1 PID: 7 Comm: acme Tainted: P ACME 6.1.0-acme #1 ACME box",
            "CPU: 1 PID: 7 Comm: process-1 Tainted: G 6.1.0-local #1",
        ),
        ("Pid: 7, comm: acme Not tainted (3.10.0-514.el7.x86_64 #1)",
         "Pid: 7, comm: process-1 Not tainted (3.10.0-514.el7.x86_64 #1"),
        ("Linux version 6.1.0-acme (ada@acme)", "Linux version 6.1.0-local"),
    ],
)  # fmt: skip
def test_names_inside_get_others(said: str, shown: str) -> None:
    assert masked_log(f"{said}\n", Masks()) == f"{shown}\n"
