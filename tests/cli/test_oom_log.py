"""A saved log, explained without a host."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.cli.console import ROOT, WORDS, environment, here, terminal

FOLDER = ROOT.parent / "shared" / "data" / "oom-logs"
LOGS = sorted(FOLDER.glob("*.log"))
GLOBAL = """\
[  100.000000] web invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
[  100.000001] CPU: 1 PID: 77 Comm: web Not tainted 6.1.0-1 #1
[  100.000002] Mem-Info:
[  100.000003] active_anon:60000 inactive_anon:20000 isolated_anon:0
[  100.000003]  active_file:300 inactive_file:400 isolated_file:0
[  100.000003]  slab_reclaimable:500 slab_unreclaimable:600
[  100.000003]  mapped:100 shmem:700 pagetables:800 bounce:0
[  100.000003]  free:900 free_pcp:0 free_cma:0
[  100.000004] Free swap  = 12kB
[  100.000005] Total swap = 1048576kB
[  100.000006] 131072 pages RAM
[  100.000007] 2048 pages reserved
[  100.000008] Tasks state (memory values in pages):
[  100.000009] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[  100.000010] [     10]     0    10    90000    60000    53248   150000         -1000 vim
[  100.000011] [     20]     0    20    10000    30000    53248       40             0 java
[  100.000012] [     30]     0    30     1000     2000    53248        0             0 cron
[  100.000020] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,\
task_memcg=/system.slice/shop.service,task=java,pid=20,uid=1000
[  100.000030] Out of memory: Killed process 20 (java) total-vm:40000kB, anon-rss:119000kB, file-rss:1000kB, \
shmem-rss:0kB, UID:1000 pgtables:52kB oom_score_adj:0
"""
SEEN = """\
OUT OF MEMORY: java was killed (shop.service); the largest was another: vim

Event  100.0 s after boot
  What      the whole host was short of memory
  Killed    java, pid 20, uid 1000, anonymous 116.2 MiB, file 1000.0 KiB
  Whose     shop.service: /system.slice/shop.service
  Asked by  web, pid 77
  Why it    most points of 3 in the table: 117.2 MiB in memory, 160.0 KiB in
            swap
  Hog       vim, pid 10, was larger than the victim: 234.4 MiB in memory,
            585.9 MiB in swap, oom_score_adj -1000 (never killed); protected by
            oom_score_adj
  Next      cron, pid 30: 7.8 MiB in memory
  Memory    504.0 MiB RAM, anonymous 309.8 MiB, in no counter 177.8 MiB, free
            3.5 MiB, swap free 12.0 KiB of 1.0 GiB
  Helps     limit or restart vim, the largest with 820.3 MiB; more swap or RAM
"""


def told(path: Path) -> dict[str, Any]:
    ran = here("oom-log", "--json", str(path))
    assert ran.code == 0, ran.said
    document: dict[str, Any] = json.loads(ran.out)
    schema = json.loads((ROOT / "schemas" / "oom-log.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def saved(folder: Path, text: str | bytes, name: str = "kern.log") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_an_event_on_a_terminal_of_eighty_columns(tmp_path: Path) -> None:
    with terminal("oom-log", "--color", "never", str(saved(tmp_path, GLOBAL)), columns=80) as screen:
        assert screen.wait() == 0
    assert screen.drawn == SEEN
    assert max(map(len, screen.drawn.splitlines())) <= 80


def test_a_pipe_gets_the_same_words_unfolded(tmp_path: Path) -> None:
    ran = here("oom-log", str(saved(tmp_path, GLOBAL)))
    assert (ran.code, ran.err) == (0, "")
    assert " ".join(ran.out.split()) == " ".join(SEEN.split())


def test_the_document_of_an_event(tmp_path: Path) -> None:
    document = told(saved(tmp_path, GLOBAL))
    (event,) = document["events"]
    assert (document["format"], event["class"], event["trigger"], event["order"]) == (
        "memrunbook.oom-log/1", "global", "web", 0,
    )  # fmt: skip
    assert (event["constraint"], event["inferred"], event["kernel"], event["tasks"]) == (
        "CONSTRAINT_NONE", False, "6.1.0-1", 3,
    )  # fmt: skip
    assert event["victims"] == [
        {
            "pid": 20, "name": "java", "uid": 1000, "total_vm_kb": 40000, "anon_rss_kb": 119000, "file_rss_kb": 1000,
            "shmem_rss_kb": 0, "pgtables_kb": 52, "oom_score_adj": 0,
        }
    ]  # fmt: skip
    assert (event["hog"]["name"], event["hog_protected"], event["next_victim"]["name"]) == ("vim", True, "cron")
    assert (event["unit"], event["complete"], event["missing"]) == ("shop.service", True, [])


@pytest.mark.parametrize("content", [GLOBAL.encode(), gzip.compress(GLOBAL.encode())], ids=["plain", "gzip"])
def test_stdin(content: bytes) -> None:
    done = subprocess.run(
        [*WORDS, "oom-log", "-"], input=content, capture_output=True, check=False, env=environment(), timeout=60
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, SEEN.splitlines()[0].encode())


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_file(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    packed = pack(GLOBAL.encode())
    assert len(told(saved(tmp_path, packed, "kern.log.2.packed"))["events"]) == 1
    for broken in (packed[:-20], packed[:40] + bytes(60) + packed[100:]):
        path = saved(tmp_path, broken, "broken")
        here("oom-log", str(path)).refused(2, "the log cannot be read", hint="dmesg > FILE")


def test_a_file_packed_with_zstd_is_not_called_empty(tmp_path: Path) -> None:
    ran = here("oom-log", str(saved(tmp_path, b"\x28\xb5\x2f\xfd" + bytes(20))))
    assert ran.code == 2
    assert "the log cannot be read" in ran.err


def test_what_cannot_be_read(tmp_path: Path) -> None:
    here("oom-log", str(tmp_path / "none")).refused(2, "No such file", hint="dmesg > FILE")
    here("oom-log", str(tmp_path)).refused(2, "Is a directory", hint="dmesg > FILE")
    here("oom-log").refused(2, "Missing argument", hint="runbook oom-log --help")


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (b"", "NO KERNEL LOG: "),
        (b"root:x:0:0:root:/root:/bin/bash\n\xff\0\n", "NO KERNEL LOG: "),
        (b"[    1.000000] eth0: link up\n", "NO EVENT: no out-of-memory event in "),
        (b"web invoked oom-killer: gfp_mask=0xcc0, order=-1, oom_score_adj=0\nKilled process 5 (a)\n", "BY HAND: "),
        (b"a: page allocation failure: order:3, mode:0x20\n", "ALLOCATIONS FAILED: 1 failed allocation"),
        (b"Out of memory and no killable processes...\n", "OUT OF MEMORY: nobody could be killed"),
        (b"web invoked oom-killer: gfp_mask=0xcc0, order=0\n", "OUT OF MEMORY: a victim that the log does not show"),
        (b"[ 1.0] Killed process 5 (a)\n[ 99.0] Killed process 6 (a)\n", "OUT OF MEMORY: 2 times: a was killed"),
        (b"oom_reaper: reaped process 5 (a), now anon-rss:0kB\n", "OUT OF MEMORY: a was killed"),
        (b"Out of memory: Kill process 5 (a) score 9 or sacrifice child\n", "OUT OF MEMORY: a was chosen"),
        (b"h systemd-oomd[9]: Killed /a/b.scope due to memory pressure\n", "OUT OF MEMORY: b.scope was killed"),
        (b"h systemd-oomd[9]: Killed /a due to memory pressure\n", "OUT OF MEMORY: /a was killed"),
        (b"nohang[9]: Sending SIGTERM to the victim\n", "OUT OF MEMORY: a process was killed"),
    ],
)
def test_the_first_line_is_the_verdict(content: bytes, verdict: str, tmp_path: Path) -> None:
    ran = here("oom-log", str(saved(tmp_path, content)))
    assert ran.code == (2 if verdict.startswith("NO KERNEL LOG") else 0)
    assert ran.out.startswith(verdict), ran.out
    assert ("hint: save one with: dmesg > FILE" in ran.out) == (ran.code == 2)
    assert here("oom-log", str(saved(tmp_path, content)), "--json").code == ran.code


def test_many_events_are_counted_and_the_newest_told(tmp_path: Path) -> None:
    lines = [f"[{100 * n}.0] Memory cgroup out of memory: Killed process {n} (a{n % 30})" for n in range(100)]
    ran = here("oom-log", "--events", "2", str(saved(tmp_path, "\n".join(lines))))
    assert "98 older events, by victim" in ran.out
    assert ran.out.count("after boot") == 2
    assert "and 10 more" in ran.out
    assert ran.out.splitlines()[0].endswith("and 27 more")


FAILURES = """\
[ 50.0] modprobe: page allocation failure: order:4, mode:0x26040c0(GFP_KERNEL|__GFP_COMP)
[ 50.1] CPU: 0 PID: 9 Comm: modprobe Not tainted 6.1.0 #1
[ 50.1] Node 0 DMA32 free:133372kB min:100kB low:200kB high:300kB
[ 50.1] Node 0 DMA32: 13633*4kB (UME) 8035*8kB 890*16kB 10*32kB (U) 0*64kB 0*4096kB = 133372kB
[ 60.0] big: page allocation failure: order:1, mode:0xcc0(GFP_KERNEL)
[ 60.1] Node 0 DMA32: 1*4kB (UME) 1*8kB 0*4096kB = 12kB
[ 70.0] short: page allocation failure: order:2, mode:0xcc0(GFP_KERNEL)
[ 70.1] Node 0 DMA32: 1*4kB (UME) 0*8kB 0*16kB 0*4096kB = 4kB
[ 80.0] swapper/0: page allocation failure: order:0, mode:0x20(GFP_ATOMIC)
[ 81.0] plain: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)
[ 82.0] bare: page allocation failure: order:2, mode:0xcc0(GFP_KERNEL)
[ 90.0] Out of memory: Killed process 5 (java) total-vm:1kB, anon-rss:1kB
[ 91.0] java: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)
[ 92.0] cron (77): drop_caches: 3
[ 93.0] __vm_enough_memory: pid: 7, comm: redis, no enough memory for the allocation
[ 94.0] insmod: vmalloc error: size 12288, page order 0, failed to allocate pages
[ 95.0] SLUB: Unable to allocate memory on node -1, gfp=0xa20(GFP_ATOMIC)
[ 96.0] dump_header: 3 callbacks suppressed
"""


def test_failed_allocations_and_the_rest(tmp_path: Path) -> None:
    words = here("oom-log", str(saved(tmp_path, FAILURES))).out
    for said in (
        "modprobe, order 4",
        "16 pages in one piece: memory was fragmented (Node 0 DMA32 index 0.908); 130.2 MiB were free",
        "2 pages in one piece: a zone had such a piece (Node 0 DMA32 index -1.000)",
        "4 pages in one piece: memory was short (Node 0 DMA32 index -0.250)",
        "could not wait, and the reserve was empty",
        "no page was given; whether memory was short the log does not show",
        "the log does not show the free blocks",
        "fallout: the kernel had just killed it",
        "by cron (1x): a job that drops caches",
        "redis (1x): not a lack of memory",
        "insmod: 12.0 KiB, no pages left for it, or its group's limit was reached (1x)",
        "1 time a kernel cache could not grow that the log does not name",
        "lines were dropped",
    ):
        assert said in words, words


KINDS = {
    "[1.0] Task in /a killed as a result of limit of /a\n[1.0] Killed process 5 (x)": "reached its own limit",
    "[1.0] No available memory in cpuset: Killed process 5 (x).": "widen cpuset.mems",
    "[1.0] No available memory (MPOL_BIND): Killed process 5 (x).": "(inferred: this kernel does not print it)",
    "a invoked oom-killer: gfp_mask=0x1, order=1, oom_score_adj=0": "does not show whether memory was free",
    "memory: usage 1kB, limit 9007199254740988kB\nTask in /a killed as a result of limit of /a": "Limit",
    "a invoked oom-killer: gfp_mask=0x1, order=63\n[1.0] Killed process 5 (x)": "pages in one piece",
}


@pytest.mark.parametrize(("text", "words"), KINDS.items())
def test_what_may_help_depends_on_the_class(text: str, words: str, tmp_path: Path) -> None:
    assert words in here("oom-log", str(saved(tmp_path, text))).out


def test_a_group_that_dies_together(tmp_path: Path) -> None:
    kill = "[1.0] Memory cgroup out of memory: Killed process {} (x) total-vm:1kB, anon-rss:1kB"
    text = "[1.0] Tasks in /a are going to be killed due to memory.oom.group set\n"
    text += "\n".join(kill.format(pid) for pid in range(8))
    words = here("oom-log", str(saved(tmp_path, text))).out
    assert "memory.oom.group" in words
    assert "and 3 more" in " ".join(words.split())


def test_hidden_memory_is_said(tmp_path: Path) -> None:
    text = GLOBAL.replace("shmem:700", "shmem:90000").replace("60000    53248   150000", "  600    53248   150000")
    assert "most of it in shared memory and tmpfs" in here("oom-log", str(saved(tmp_path, text))).out


def test_hostile_names_are_shown_not_obeyed(tmp_path: Path) -> None:
    text = GLOBAL.replace("java", "\x9b2J\x07[red]\u202e").replace("vim", "--password=hunter2")
    ran = here("oom-log", str(saved(tmp_path, text)))
    ran.plain()
    assert "\\u202e" in ran.out


def test_secrets_of_a_command_line_are_hidden(tmp_path: Path) -> None:
    line = (
        'earlyoom[4]: sending SIGTERM to process 9 uid 1 "x": oom_score 7, VmRSS 4 MiB, cmdline "--password=hunter2"\n'
    )
    path = str(saved(tmp_path, line))
    for words in (("oom-log", path), ("oom-log", "--json", path)):
        assert "hunter2" not in here(*words).out


EXPECTED: dict[str, Any] = json.loads((FOLDER / "EXPECTED.json").read_text()) if LOGS else {}
SAME = (
    "trigger", "order", "gfp", "kernel", "oom_memcg", "task_memcg", "usage_kb", "limit_kb", "tasks", "free_swap_kb",
    "total_swap_kb", "ram_pages",
)  # fmt: skip
KILLED = (
    "pid",
    "name",
    "uid",
    "total_vm_kb",
    "anon_rss_kb",
    "file_rss_kb",
    "shmem_rss_kb",
    "pgtables_kb",
    "oom_score_adj",
)


@pytest.mark.skipif(not LOGS, reason=f"{FOLDER} is not there")
@pytest.mark.parametrize("name", [path.name for path in LOGS])
def test_public_logs(name: str) -> None:
    document, wanted = told(FOLDER / name), EXPECTED[name]
    for event, expected in zip(document["events"], wanted["events"], strict=True):
        cut = " (truncated in the source)"
        plain = {key: value.removesuffix(cut) if isinstance(value, str) else value for key, value in expected.items()}
        assert {key: event[key] for key in SAME} == {key: plain[key] for key in SAME}
        word = event["constraint"] and event["constraint"] + (" (inferred)" if event["inferred"] else "")
        assert word == expected["constraint"]
        once = {kill["pid"]: {key: kill[key] for key in KILLED} for kill in expected["kills"]}
        assert event["victims"] == list(once.values())
    failures = [(f["trigger"], f["order"], f["mode"], f["flags"]) for f in document["failures"]]
    assert failures == [(f["task"], f["order"], f["mode"], f["flags"]) for f in wanted["page_alloc_failures"]]
    assert document["slub_failures"] == wanted["slub_failures"]
    assert here("oom-log", str(FOLDER / name)).code == 0
