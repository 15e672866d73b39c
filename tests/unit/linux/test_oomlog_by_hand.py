"""What people write down, cut or paste of a log: blanks, lost names, parts of a report, one event told twice."""

from __future__ import annotations

import pytest

from memrunbook.linux.oomlog.category import category
from memrunbook.linux.oomlog.event import KernelLog, LogEvent
from memrunbook.linux.oomlog.reader import LogReader, read_log
from memrunbook.linux.oomlog.source import plain
from memrunbook.linux.oomlog.telling import account

GROUP = "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/shop,task_memcg=/shop/a,task=cart,pid=71,uid=0"
KILL = "Out of memory: Killed process 71 (cart) total-vm:9000kB, anon-rss:5000kB, file-rss:0kB, shmem-rss:0kB"
SLUB = "SLUB: Unable to allocate memory on node -1, gfp=0xcc0(GFP_KERNEL)"
CACHE = "  cache: vm_area_struct(77:{}), object size: 200, buffer size: 200, default order: 1, min order: 0"
CONTAINER = "ab" * 32


def log_of(text: str | bytes) -> KernelLog:
    reader = LogReader()
    for piece in plain([text.encode() if isinstance(text, str) else text]):
        reader.feed(piece)
    return reader.result()


def only(text: str) -> LogEvent:
    (event,) = log_of(text).events
    return event


@pytest.mark.parametrize(
    "text",
    [
        GROUP.replace(",", ", "),
        GROUP.replace(":constraint", ": constraint"),
        GROUP.replace(",task=", ",\n      task=").replace(",pid=", ", pid="),
    ],
)
def test_blanks_in_a_summary_change_nothing(text: str) -> None:
    event = only(f"[  9.1] {text}\n[  9.2] Memory cgroup out of memory: Killed process 71 (cart)\n")
    assert (event.oom_memcg, event.task_memcg) == ("/shop", "/shop/a")


@pytest.mark.parametrize("task", [", pid=71", ""])
def test_a_kill_without_a_name_has_that_of_its_summary(task: str) -> None:
    event = only(
        f"oom-kill: constraint=CONSTRAINT_MEMORY_POLICY, nodemask=3, task=cart{task}\n"
        "Out of memory: Killed process 71 total-vm:90kB anon-rss:50kB\n"
    )
    (kill,) = event.kills
    assert (kill.pid, kill.name, kill.anonymous_kib, category(event)) == (71, "cart", 50, "mempolicy")


def test_a_victim_without_any_name_is_called_by_its_pid() -> None:
    event = only("Out of memory: Killed process 71 total-vm:90kB, anon-rss:50kB\n")
    assert event.kills[0].name == ""


def test_sizes_may_stand_in_lines_below_with_a_blank_at_the_end() -> None:
    event = only(
        "[  9.2] x: Killed process 71 (cart) \n      total-vm:90kB, anon-rss:50kB, UID:4 pgtables:8kB \n"
        "   oom_score_adj:9\n"
    )
    (kill,) = event.kills
    assert (kill.anonymous_kib, kill.uid, kill.oom_score_adj) == (50, 4, 9)


def test_a_failure_that_the_console_broke_in_pieces_is_one() -> None:
    log = log_of("[ 4.1] swapper/3: \n[ 4.2] page allocation failure: order:0\n[ 4.3] , mode:0x1080020(GFP_ATOMIC)\n")
    (failure,) = log.failures
    assert (failure.name, failure.order, failure.request.gfp) == ("not printed", 0, None)


@pytest.mark.parametrize("prefix", ["", "Jun 12 06:39:16: ", "> "])
def test_earlyoom_s_bare_output_tells_its_kill_once(prefix: str) -> None:
    said = 'sending SIGTERM to process 96 uid 7 "ipfs": badness 757, VmRSS 637 MiB'
    log = log_of(
        "".join(f"{prefix}{line}\n" for line in ("mem avail: 19 of 950 MiB", said, "kill failed: Timer", said))
    )
    (event,) = log.events
    assert (event.killer, event.kills[0].pid, event.kills[0].uid) == ("earlyoom", 96, 7)


def test_a_cache_of_a_group_that_was_refused_explains_kills_without_a_header() -> None:
    lines = [f"[ 5.1] {SLUB}", f"[ 5.1] {CACHE.format(CONTAINER)}", f"[ 5.2] {KILL}"]
    event = only("\n".join(lines) + "\n")
    told = account(event)
    assert told.class_ == "page-fault"
    assert "vm_area_struct of container abababababab" in told.meaning
    assert any("kmem.limit" in one for one in told.helps)


@pytest.mark.parametrize(
    ("cache", "stamp"), [(CACHE.format(CONTAINER), 30.0), ("  cache: dentry, object size: 192, x", 5.2)]
)
def test_a_refusal_long_before_or_of_no_group_explains_nothing(cache: str, stamp: float) -> None:
    event = only(f"[ 5.1] {SLUB}\n[ 5.1] {cache}\n[ {stamp}] {KILL}\n")
    assert (event.refused, category(event)) == ("", "global")


def test_a_kill_line_alone_says_whose_memory_was_short() -> None:
    told = account(only(f"[ 5.2] {KILL}\n"))
    assert told.meaning.startswith("the host itself ran out of memory")


def test_slab_is_known_by_the_list_of_caches_alone() -> None:
    told = account(
        only(
            "[ 5.2] ip invoked oom-killer: gfp_mask=0xc2cc0(GFP_KERNEL), order=3, oom_score_adj=0\n"
            "[ 5.3] Unreclaimable slab info:\n[ 5.3] Name       Used          Total\n"
            "[ 5.3] leaky_map     3000000KB    3100000KB\n"
        )
    )
    assert told.places[0].detail.startswith("leaky_map")
    assert any("leaky_map" in one for one in told.helps)


def test_a_part_of_a_report_does_not_blame_the_kernel() -> None:
    told = account(
        only(
            "[ 5.2] kworker/1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
            "[ 5.2] Mem-Info:\n"
            "[ 5.3] Normal free:1000kB min:1600kB low:2000kB high:2400kB managed:400000kB kernel_stack:6000kB\n"
        )
    )
    assert "thread" not in " ".join((*told.helps, *told.useless))


def test_a_failed_vmalloc_is_told_once_with_who_asked() -> None:
    log = log_of(
        "[ 5.1] vmap allocation for size 9000000 failed: use vmalloc=<size> to increase size.\n"
        "[ 5.1] vmalloc: allocation failure: 8900000 bytes\n"
        "[ 5.1] insmod: page allocation failure: order:0, mode:0xd2\n"
    )
    (note,) = log.notes
    assert (note.name, note.value, log.failures) == ("insmod", 8900000, ())


def test_dirty_files_of_a_group_wait_for_the_disk_even_in_a_broken_line() -> None:
    told = account(
        only(
            "> Task in /t killed as a result of limit of /t\n> memory: usage 51200kB, limit 51200kB, failcnt 3\n"
            "> Memory cgroup stats for /t: cache:49000KB rss:900KB rss_huge:0KB shmem:0KB\n"
            ">     dirty:48000KB writeback:0KB\n"
            "> Memory cgroup out of memory: Killed process 5 (dd) total-vm:90kB, anon-rss:50kB, file-rss:0kB\n"
        )
    )
    assert any("the disk has not taken yet" in one for one in told.helps)


def test_files_that_are_in_use_are_told_as_such() -> None:
    told = account(
        only(
            "Task in /t killed as a result of limit of /t\nmemory: usage 51200kB, limit 51200kB, failcnt 3\n"
            "Memory cgroup stats for /t: cache:49000KB rss:900KB shmem:0KB dirty:0KB writeback:0KB\n"
            "Memory cgroup out of memory: Killed process 5 (dd) total-vm:90kB, anon-rss:50kB, file-rss:0kB\n"
        )
    )
    assert any("file cache that is in use" in one for one in told.helps)


ASKS = "cart invoked oom-killer: gfp_mask=0xcc0, order=0, oom_score_adj=0"


def told_by(*fronts: str) -> KernelLog:
    return read_log([f"{front} {line}" for front in fronts for line in (ASKS, KILL)])


def test_one_kill_by_uptime_by_date_and_by_another_date_is_one() -> None:
    dates = "[Tue Sep  1 10:00:00 2026]", "Sep 01 10:00:01 h kernel:", "2026-09-01T08:00:00.1+0000 h kernel:"
    (event,) = told_by("[ 5000.1]", *dates).events
    assert event.seen == 4


@pytest.mark.parametrize(
    "fronts",
    [
        ("[Tue Sep  1 10:00:00 2026]", "Sep 01 10:07:00 h kernel:"),
        ("[ 5000.1]", "[ 9000.1]"),
        ("Sep 01 10:07:00 h kernel: [ 5000.1]", "Sep 01 11:07:00 h kernel: [ 8600.1]"),
    ],
)
def test_equal_kills_at_other_times_are_two(fronts: tuple[str, str]) -> None:
    assert len(told_by(*fronts).events) == 2


def test_systemd_s_result_of_a_unit_that_oomd_killed_is_no_kill_by_the_kernel() -> None:
    log = log_of(
        "Sep 02 13:07:24 h systemd-oomd[885]: Marked /user.slice/x/app-a.scope for killing\n"
        "Sep 02 13:07:24 h systemd[1]: app-a.scope: systemd-oomd killed 21 process(es) in this unit.\n"
        "Sep 02 13:07:24 h systemd[1]: app-a.scope: Failed with result 'oom-kill'.\n"
    )
    assert (len(log.events), log.notes) == (1, ())


def test_what_oomd_looked_at_before_it_gave_up_is_told_once() -> None:
    log = log_of(
        "Sep 02 13:07:24 h systemd-oomd[6]: Considered 14 cgroups for killing, top candidates were:\n"
        "Sep 02 13:07:24 h systemd-oomd[6]: Failed to kill any cgroups based on swap: Invalid argument\n"
    )
    assert [note.kind for note in log.notes] == ["not-killed"]


def test_cma_beside_high_memory_is_what_helps() -> None:
    told = account(
        only(
            "[ 5.2] journal invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
            "[ 5.2] Mem-Info:\n"
            "[ 5.3] DMA free:519000kB min:10400kB low:11200kB high:12000kB managed:660000kB free_cma:513000kB\n"
            "[ 5.3] lowmem_reserve[]: 0 0 3188 3188\n"
            "[ 5.3] HighMem free:2660000kB min:512kB low:4000kB high:7500kB managed:3260000kB free_cma:0kB\n"
        )
    )
    assert told.helps[0].startswith("a smaller CMA area")
    assert "more swap" in told.useless[0]


def test_a_panic_names_nobody_as_the_next_one() -> None:
    event = only("[ 3.1] Kernel panic - not syncing: Out of memory and no killable processes...\n")
    assert (event.panic, account(event).following) == ("nobody", ())


LINES = [f"[  9.1] {ASKS}", f"[  9.2] {GROUP}", f"[  9.3] {KILL}"]
TALOS, DATE = "[2025-05-18T15:40:20.65Z]: ", "2024-07-12 03:14:07.1 +0000"
VERBOSE = "Fri 2024-07-12 03:14:07.1 UTC [s=a1;i={};b=2]\n    _TRANSPORT=kernel\n    MESSAGE={}\n"
FRAMES = {
    "talos": "".join(
        f" kern: {word:>7}: {TALOS}{line}\n" for word, line in zip(("info", "err", "warning"), LINES, strict=True)
    ),
    "ansible": "ok: [h] => {\n" + ",\n".join(f'        "{line}"' for line in LINES) + "\n    ]\n}\n",
    "fluentd": "".join(f'{DATE} kernel.log: {{"host":"h","message":"{line}"}}\n' for line in LINES),
    "unknown key": '{"msg":"node is gone","lastlog":"' + "\\n".join([*LINES, "x" * 200]) + '"}\n',
    "azure": "".join(f'{{"ProcessName":"kernel","SyslogMessage":"{line}"}}\n' for line in LINES),
    "verbose": "".join(VERBOSE.format(at, line) for at, line in enumerate(LINES)) + VERBOSE.partition("    MESSAGE")[0],
    "samsung": "".join(line.replace("[  9", "[2-9") + "\n" for line in LINES),
}


@pytest.mark.parametrize("frame", FRAMES)
def test_frames_that_people_have(frame: str) -> None:
    event = only(FRAMES[frame])
    (kill,) = event.kills
    assert (event.trigger, event.oom_memcg, event.task_memcg) == ("cart", "/shop", "/shop/a")
    assert (kill.pid, kill.name, kill.anonymous_kib) == (71, "cart", 5000)


def test_a_verbose_record_that_never_ends_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memrunbook.linux.oomlog.frames.verbose.LONGEST", 100)
    assert len(log_of(FRAMES["verbose"] + "x" * 500).events) == 1
