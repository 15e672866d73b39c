"""What follows from an event: the hog, who would be next, hidden memory; and what the JSON document says of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from memrunbook.documents.printed.oom_log import OomLogDocument
from memrunbook.documents.printed.oom_log import oom_log_document as document
from memrunbook.linux.attribution import Owner
from memrunbook.linux.fragmentation import by_zone
from memrunbook.linux.oomlog import explain
from memrunbook.linux.oomlog.event import Failure, KernelLog, Kill, LogEvent, LogNote, Task, TaskRow
from memrunbook.linux.oomlog.reader import read_log
from memrunbook.linux.oomlog.table import badness

BIG = Task(7, "big", 1000, 200, -500, 5, 2000)
VICTIM = Task(20, "app", 30, 40, 0, 3, 1000)
OTHER = Task(9, "other", 10, 0, 0)
HOST = {"active_anon": 100, "inactive_anon": 50, "active_file": 30, "inactive_file": 20, "mapped": 10, "free": 40}


def event(**fields: Any) -> LogEvent:
    kills = [Kill(20, "app", "Out of memory", 4000, 100, 20, 4)]
    return LogEvent(**{"kills": kills, "tasks": 3, "largest": [BIG, VICTIM, OTHER], **fields})


def test_the_hog_is_another_than_the_victim() -> None:
    assert explain.hog(event()) == BIG
    assert explain.is_protected(BIG)
    assert not explain.is_protected(VICTIM)
    assert explain.victim_row(event()) == VICTIM


@pytest.mark.parametrize(
    "fields",
    [
        {"largest": []},
        {"kills": []},
        {"kills": [Kill(7, "big")]},
        {"kills": [Kill(20, "app"), Kill(7, "big")]},
    ],
)
def test_there_is_no_other_hog(fields: dict[str, Any]) -> None:
    assert explain.hog(event(**fields)) is None


def test_the_next_victim_lives_on() -> None:
    likeliest = [VICTIM, BIG, OTHER]
    assert explain.next_victim(event(likeliest=likeliest)) == BIG
    assert explain.next_victim(event(likeliest=likeliest, reaped=[TaskRow(7, "big")])) == OTHER
    assert explain.next_victim(event(kills=[], selected=TaskRow(20, "app"), likeliest=likeliest)) == BIG
    assert explain.next_victim(event(kills=[], likeliest=likeliest)) == VICTIM
    assert explain.next_victim(event()) is None


def test_points_count_memory_swap_page_tables_and_the_adjustment() -> None:
    host = LogEvent(ram_pages=9000, total_swap_kib=4000)
    assert badness(host, BIG) == 1000 + 200 + 5 - 5000
    assert badness(LogEvent(limit_kib=8000), VICTIM._replace(oom_score_adj=100)) == 73 + 200


def test_the_page_size() -> None:
    assert explain.page_kib(event(page_kib=64)) == 64
    assert explain.page_kib(event(kills=[Kill(20, "app", None, 64000)])) == 64
    assert explain.page_kib(event(kills=[Kill(20, "app", None, 10)])) is None
    assert explain.page_kib(event(kills=[Kill(20, "app")])) is None
    assert explain.page_kib(LogEvent()) is None


def test_the_owner() -> None:
    assert explain.owner(event(task_memcg="/system.slice/a.service", unit="b.service")) == Owner("a.service", "")
    assert explain.owner(event(task_memcg="/", unit="b.service")) == Owner("b.service", "")
    assert explain.owner(LogEvent()) == Owner("", "")


USERS = "/user.slice/user-1000.slice/user@1000.service"


@pytest.mark.parametrize(
    ("group", "named", "unit"),
    [
        (f"{USERS}/app.slice/app-browser-7.scope", "", ""),
        (f"{USERS}/app.slice/editor.service", "user@1000.service", ""),
        (f"{USERS}/tmux-spawn-1.scope", "", ""),
        ("", "user@1000.service", ""),
        (USERS, "", "user@1000.service"),
        (f"{USERS}/init.scope", "", "user@1000.service"),
        ("/user.slice/user-1000.slice/session-3.scope", "", "session-3.scope"),
        ("/system.slice/a.service/worker", "", "a.service"),
    ],
)
def test_what_dies_inside_a_users_manager_is_not_that_manager(group: str, named: str, unit: str) -> None:
    assert explain.owner(event(task_memcg=group, unit=named)) == Owner(unit, "")


def test_hidden_memory_is_in_no_process_and_no_cache() -> None:
    seen = event(ram_pages=1000, reserved_pages=100, task_pages=300, counts={**HOST, "shmem": 200}, page_kib=4)
    assert explain.hidden_kib(seen) == (1000 - 100 - 40 - 40 - 300) * 4
    assert explain.hidden_in(seen) == "the kernel or its drivers"
    assert explain.task_share(seen) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("counts", "huge", "where"),
    [
        ({"shmem": 400}, 0, "shared memory and tmpfs"),
        ({"slab_unreclaimable": 400}, 0, "kernel objects (slab)"),
        ({"shmem": 1}, 1600, "huge pages"),
    ],
)
def test_what_hides_it(counts: dict[str, int], huge: int, where: str) -> None:
    seen = event(ram_pages=1000, task_pages=300, counts={**HOST, **counts}, huge_kib=huge, page_kib=4)
    assert explain.hidden_in(seen) == where


@pytest.mark.parametrize(
    "fields",
    [
        {"tasks": 0, "ram_pages": 1000, "counts": HOST},
        {"ram_pages": None, "counts": HOST},
        {"ram_pages": 1000},
        {"ram_pages": 1000, "counts": HOST, "constraint": "CONSTRAINT_MEMCG"},
    ],
)
def test_without_a_report_of_the_host_nothing_is_known_to_be_hidden(fields: dict[str, Any]) -> None:
    assert (explain.hidden_kib(event(**fields)), explain.hidden_in(event(**fields))) == (None, "")


def test_processes_that_hold_most_of_ram_hide_nothing() -> None:
    seen = event(ram_pages=1000, task_pages=600, counts=HOST)
    assert (explain.hidden_kib(seen), explain.hidden_in(seen)) == ((1000 - 40 - 40 - 600) * 4, "")
    assert explain.hidden_kib(event(ram_pages=1000, task_pages=2000, counts=HOST)) == 0


def test_the_memory_of_a_host() -> None:
    counts = {**HOST, "shmem": 20, "slab_reclaimable": 1, "slab_unreclaimable": 2, "pagetables": 3}
    told = explain.memory(event(counts=counts, ram_pages=1000, reserved_pages=10, huge_kib=8, total_swap_kib=5))
    assert (told.group, told.total_kib, told.free_kib, told.anonymous_kib, told.file_kib) == (
        False,
        3960,
        160,
        520,
        200,
    )
    assert (told.shmem_kib, told.slab_reclaimable_kib, told.slab_unreclaimable_kib) == (80, 4, 8)
    assert (told.hugetlb_kib, told.page_tables_kib, told.total_swap_kib) == (8, 12, 5)
    assert explain.memory(LogEvent()) == explain.MemoryAccount(group=False)
    assert explain.memory(LogEvent(free_kib=7)).free_kib == 7


def test_the_memory_of_a_group() -> None:
    told = explain.memory(event(usage_kib=100, group_kib={"anon": 60, "file": 30, "shmem": 10}))
    assert (told.group, told.total_kib, told.anonymous_kib, told.file_kib, told.shmem_kib) == (True, 100, 60, 20, 10)
    told = explain.memory(event(group_kib={"rss": 60, "cache": 30}))
    assert (told.total_kib, told.anonymous_kib, told.file_kib) == (None, 60, 30)


def test_fragmentation_is_the_kernel_s_index() -> None:
    blocks = {"Node 0 DMA32": [13633, 8035, 890, 10, 0, 0], "DMA": [0, 0, 0, 0, 1, 0], "empty": [0, 0]}
    assert by_zone(blocks, 4) == {"Node 0 DMA32": 0.908, "DMA": -1.0}


def test_the_document_says_it_all() -> None:
    seen = event(
        stamp=5.0,
        trigger="web",
        order=0,
        likeliest=[BIG],
        chosen=TaskRow(20, "app"),
        date="then",
        reaped=[TaskRow(20, "app")],
    )
    log = KernelLog(
        (
            seen,
            LogEvent(2.0, "earlyoom", kills=[Kill(3, "x")], reason="r"),
            LogEvent(3.0, "systemd-oomd", task_memcg="/a"),
        ),
        (Failure(1.0, "net", 3, "0x20", blocks={"DMA": [8, 0, 0, 0]}, free_kib=5),),
        (LogNote("drop_caches", 1.0, "", "bash", 4, 3),),
        dropped=2,
    )
    told = document(log)
    (one,), (failure,) = told.events, told.failures
    assert (one.trigger, one.class_, one.time, one.complete) == ("web", "global", "then", False)
    assert one.victims[0].anon_rss_kb == 100
    assert one.hog
    assert (one.hog.name, one.hog.rss_kb, one.hog.swap_kb, one.hog_protected) == ("big", 4000, 800, True)
    assert one.next_victim == one.hog
    assert (one.chosen and one.chosen.pid, one.reaped[0].name, one.missing) == (20, "app", ("header", "memory report"))
    assert (failure.trigger, failure.order, failure.atomic, failure.fragmentation) == ("net", 3, True, {"DMA": 0.75})
    assert failure.memory.free_kb == 5
    assert [(k.killer, k.pid, k.task_memcg) for k in told.userspace] == [
        ("earlyoom", 3, None),
        ("systemd-oomd", None, "/a"),
    ]
    assert (told.notes[0].value, told.older_events, told.notes[0].time) == (3, 2, None)
    plain = msgspec.json.encode(told)
    assert b'"class":"global"' in plain
    assert msgspec.json.decode(plain, type=OomLogDocument) == told


def test_a_document_of_nothing() -> None:
    told = document(read_log([]))
    assert (told.format, told.events, told.is_kernel_log) == ("memrunbook.oom-log/1", (), False)
    (empty,) = document(KernelLog((LogEvent(),))).events
    assert (empty.hog, empty.next_victim, empty.chosen, empty.victims) == (None, None, None, ())


def test_numbers_that_no_host_has_still_make_a_document() -> None:
    many = 10**18 - 1
    row = Task(1, "a", many, many)
    log = KernelLog(
        (
            event(likeliest=[row], largest=[row], page_kib=64, huge_kib=many * many, counts={**HOST, "free": 1}),
            event(ram_pages=many, counts=HOST, page_kib=many, group_kib={"anon": many * 100}),
        )
    )
    assert b"9223372036854775807" in msgspec.json.encode(document(log))
