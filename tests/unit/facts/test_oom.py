from __future__ import annotations

import re

import msgspec
import pytest

from memrunbook.core.reading.fact import Answer, Reading, Sample, Samples, Unavailable
from memrunbook.core.reading.metric import metrics_of
from memrunbook.facts.oom import FACT, Oom, parse
from memrunbook.linux.service import Service


class Host(Reading, frozen=True, kw_only=True):
    kernel: str | None = None
    page_size_bytes: int | None = None


class Units(Reading, frozen=True, kw_only=True):
    all: list[Service]


class Vmstat(Reading, frozen=True, kw_only=True):
    oom_kills: int | None = None
    oom_kills_in_sample: int | None = None


def sample(text: str, uptime: float = 1000.0) -> Samples:
    return (Sample(before=uptime, after=uptime + 1, answers={"dmesg": Answer(text)}),)


def read(text: str, uptime: float = 1000.0, **readings: Reading | Unavailable | None) -> Oom:
    reading = parse(sample(text, uptime), {name: one for name, one in readings.items() if one is not None})
    assert isinstance(reading, Oom)
    return reading


def event(at: float, pid: int = 20, unit: str = "a.service", order: int = 0) -> str:
    stamp = f"[{at:12.6f}]"
    return (
        f"{stamp} web invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order={order}, oom_score_adj=0\n"
        f"{stamp} 100 pages RAM\n"
        f"{stamp} [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n"
        f"{stamp} [     {pid}]     0    {pid}     1000       30    53248       40             0 app\n"
        f"{stamp} [      7]     0     7     1000       20    53248       90             0 hog\n"
        f"{stamp} oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
        f"task_memcg=/system.slice/{unit},task=app,pid={pid},uid=0\n"
        f"{stamp} Out of memory: Killed process {pid} (app) total-vm:4000kB, anon-rss:100kB, file-rss:20kB, "
        "shmem-rss:4kB, UID:0 pgtables:52kB oom_score_adj:0\n"
    )


def test_an_event_in_full() -> None:
    found = read(event(900.0), host=Host(page_size_bytes=65536))
    (one,) = found.events

    assert (one.age_seconds, one.stamp_seconds, one.class_) == (100.0, 900.0, "global")
    assert (one.victim, one.victim_pid, one.victim_bytes) == ("app", 20, 124 * 1024)
    assert (one.unit, one.task_memcg, one.oom_memcg) == ("a.service", "/system.slice/a.service", "")
    assert (one.largest, one.largest_bytes, one.victim_is_largest) == ("hog", 110 * 65536, False)
    assert (one.task_memory_percent, one.order, one.trigger) == (50.0, 0, "web")
    assert (one.constraint, one.complete, one.handled) == ("CONSTRAINT_NONE", True, False)
    assert (found.last_age_seconds, found.last_class, found.count_24h) == (100.0, "global", 1)


def test_a_quiet_log_is_no_event() -> None:
    found = read("[    1.000000] Linux version 6.12\n", vmstat=Vmstat(oom_kills=0))
    assert (found.events, found.last_age_seconds, found.last_class, found.count_24h) == ([], None, None, 0)
    assert (found.repeated_units, found.log_lost, found.failures, found.overcommit_refusals) == ([], False, [], 0)


def test_a_log_that_says_little_leaves_fields_empty() -> None:
    (one,) = read("Killed process 19776 (VirtualBox)\n").events
    assert (one.age_seconds, one.order, one.victim_bytes, one.largest_bytes) == (None, None, None, None)
    assert (one.victim, one.unit, one.constraint, one.complete) == ("VirtualBox", "", "", False)
    (other,) = read("[ 1.0] Out of memory and no killable processes...\n").events
    assert (other.victim, other.victim_pid, other.class_) == ("", None, "no-victim")


def spared(at: float, end: str = "Out of memory and no killable processes...\n") -> str:
    stamp = f"[{at:12.6f}] "
    lines = (
        "app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-1000",
        "memory: usage 65536kB, limit 65536kB, failcnt 8328",
        "Memory cgroup stats for /system.slice/ledger.service:",
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "[    368]     0   368    24824    16500   172032        0         -1000 app",
    )
    return "".join(f"{stamp}{line}\n" for line in lines) + (f"{stamp}{end}" if end else "")


def test_where_nobody_may_be_killed_the_unit_whose_limit_it_is_is_named_and_lost_nothing() -> None:
    ledger = Service(name="ledger.service", active=True, age_seconds=999.0)
    found = read(spared(100.0) + spared(200.0), units=Units(all=[ledger]))
    assert [(one.class_, one.unit, one.victim) for one in found.events] == [("no-victim", "ledger.service", "")] * 2
    assert (found.repeated_units, found.victim_units) == ([], [])


@pytest.mark.parametrize(("age", "count"), [(0.2, 1), (30.0, 2)])
def test_an_event_that_is_still_being_told_waits_for_its_end(age: float, count: int) -> None:
    found = read(spared(900.0) + spared(1000.0 - age, end=""))
    assert len(found.events) == count
    assert found.newest[0].class_ == ("no-victim" if count == 1 else "memcg")


def test_the_only_event_counts_though_its_end_is_missing() -> None:
    assert len(read(spared(999.9, end="")).events) == 1


def test_the_same_unit_twice_in_a_day_is_a_repeat() -> None:
    two_days = 2 * 86400.0
    text = event(10.0, unit="old.service") + event(20.0, unit="old.service")
    text += event(two_days - 50) + event(two_days - 40, unit="b.service") + event(two_days - 30)
    text += event(two_days - 20, unit="b.service", order=-1) + event(two_days - 10, unit="")
    found = read(text, two_days)
    assert (found.count_24h, found.repeated_units, len(found.events)) == (4, ["a.service"], 7)


def service(name: str, *, age: float | None = 500.0, active: bool = True, result: str = "success") -> Service:
    return Service(name=name, active=active, failed=not active, result=result, age_seconds=age)


@pytest.mark.parametrize(
    ("one", "lost_child"),
    [
        (service("a.service", age=500.0), True),
        (service("a.service", age=102.0), False),
        (service("a.service", age=50.0), False),
        (service("a.service", age=None), False),
        (service("a.service", active=False, result="oom-kill"), False),
    ],
)
def test_the_victim_s_unit_is_looked_up(one: Service, *, lost_child: bool) -> None:
    found = read(event(900.0), units=Units(all=[service("other.service"), one]))
    assert [(unit.name, unit.lost_child, unit.result) for unit in found.victim_units or []] == [
        ("a.service", lost_child, one.result)
    ]


def test_a_unit_that_systemd_knows_to_be_killed_counts_without_the_log() -> None:
    found = read("", units=Units(all=[service("a.service", active=False, result="oom-kill")]))
    assert [(unit.name, unit.lost_child) for unit in found.victim_units or []] == [("a.service", False)]


def test_the_age_of_the_newest_kill_of_a_unit() -> None:
    text = event(700.0) + event(900.0) + event(950.0, unit="b.service") + event(990.0, order=-1)
    found = read(text, units=Units(all=[service("a.service"), service("c.service", active=False, result="oom-kill")]))
    ages = [(unit.name, unit.kill_age_seconds, unit.handled) for unit in found.victim_units or []]
    assert ages == [("c.service", 1e9, False), ("a.service", 100.0, False)]


def test_a_log_without_times_shows_no_fresh_kill() -> None:
    text = re.sub(r"^\[[ .0-9]+\] ", "", event(900.0), flags=re.MULTILINE)
    (one,) = read(text, units=Units(all=[service("a.service")])).victim_units or []
    assert (one.kill_age_seconds, one.lost_child) == (1e9, False)


def test_sysrq_makes_no_victims() -> None:
    found = read(event(900.0, order=-1), units=Units(all=[service("a.service")]))
    assert (found.victim_units, found.count_24h, found.last_class) == ([], 0, "manual")


@pytest.mark.parametrize("units", [None, Unavailable("absent", "no systemd")])
def test_without_services_victims_are_unknown(units: Unavailable | None) -> None:
    found = read(event(900.0), units=units)
    assert found.victim_units is None
    assert found.unavailable["victim_units"] == (units or Unavailable("failed", "units: not read"))


@pytest.mark.parametrize(
    ("vmstat", "text", "lost"),
    [
        (Vmstat(oom_kills=2), "", True),
        (Vmstat(oom_kills=2, oom_kills_in_sample=2), "", False),
        (Vmstat(oom_kills=2, oom_kills_in_sample=1), "", True),
        (Vmstat(oom_kills=2), event(900.0), False),
        (Vmstat(oom_kills=1), "[ 5.0] oom_reaper: reaped process 9 (a), now anon-rss:0kB\n", False),
        (Vmstat(oom_kills=1), 'earlyoom[4]: sending SIGTERM to process 9 uid 1 "x": badness 1, VmRSS 4 MiB\n', True),
        (Vmstat(), "", None),
        (Unavailable("failed", "x"), "", None),
        (None, "", None),
    ],
)
def test_a_log_that_lost_its_kills(vmstat: Reading | Unavailable | None, text: str, *, lost: bool | None) -> None:
    assert read(text, vmstat=vmstat).log_lost is lost


@pytest.mark.parametrize(
    ("text", "kills", "age"),
    [
        ("[  100.0] eth0: link up\n", 2, 900.0),
        ("<6>[  100.0] eth0: link up\n", 2, 900.0),
        (" continued\n[  300.0] eth0: link up\n", 2, 700.0),
        ("[ 5000.0] eth0: link up\n", 2, 0.0),
        ("eth0: link up\n", 2, 0.0),
        ("[  100.0] eth0: link up\n", 0, 1e9),
        ("[  100.0] eth0: link up\n", None, None),
    ],
)
def test_lost_kills_are_older_than_the_log(text: str, kills: int | None, age: float | None) -> None:
    vmstat = None if kills is None else Vmstat(oom_kills=kills)
    assert read(text, vmstat=vmstat).lost_age_seconds == age


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dmesg: read kernel buffer failed: Operation not permitted\n", "denied"),
        ("dmesg: klogctl: Permission denied\n", "denied"),
        ("dmesg: /dev/kmsg: No such device\n", "failed"),
    ],
)
def test_a_refused_log_is_not_an_empty_one(text: str, reason: str) -> None:
    assert parse(sample(text), {}) == Unavailable(reason, text.strip())  # type: ignore[arg-type]  # a row of the table


def test_no_dmesg_is_passed_on() -> None:
    problem = Unavailable("absent", "dmesg: no such program")
    assert parse((Sample(before=1.0, after=1.0, answers={"dmesg": Answer(problem=problem)}),), {}) == problem


FAILURE = """\
[{at:.1f}] {name}: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)
[{at:.1f}] CPU: 0 PID: {pid} Comm: {name} Not tainted 6.1.0 #1
"""


@pytest.mark.parametrize(
    ("at", "name", "pid", "fallout"),
    [
        (905.0, "x", 20, True),
        (905.0, "app", 21, True),
        (905.0, "x", 21, False),
        (915.0, "app", 20, False),
        (895.0, "app", 20, False),
    ],
)
def test_the_fallout_of_a_kill_is_known(at: float, name: str, pid: int, *, fallout: bool) -> None:
    failure = FAILURE.format(at=at, name=name, pid=pid)
    found = read(failure + event(900.0) if at < 900 else event(900.0) + failure)
    assert [(one.fallout, one.age_seconds, one.order, one.name) for one in found.failures] == [
        (fallout, 1000.0 - at, 0, name)
    ]


def test_a_failure_without_a_stamp_has_no_age_and_no_cause() -> None:
    (one,) = read(event(900.0) + "app: page allocation failure. order:2, mode:0x20\n").failures
    assert (one.age_seconds, one.atomic, one.fallout, one.order) == (None, True, False, 2)


def test_refused_requests_are_counted() -> None:
    line = "[ 5.0] __vm_enough_memory: pid: 9, comm: a, no enough memory for the allocation\n"
    assert read(line * 3).overcommit_refusals == 3


def test_an_item_says_class_as_conditions_do() -> None:
    assert "class" in metrics_of("oom", FACT)["oom.events"].fields
    assert msgspec.to_builtins(read(event(900.0)))["events"][0]["class"] == "global"


def test_what_an_event_tells_of_others() -> None:
    text = event(900.0)
    text += "[  901.000000] oom_reaper: reaped process 20 (app), now anon-rss:0kB\n"
    (one,) = read(text, host=Host(page_size_bytes=4096)).events
    assert (one.killer, one.score_adj, one.victim_score, one.reaped) == ("kernel", 0, None, True)
    assert (one.hog, one.hog_bytes, one.hog_protected, one.next_victim) == ("hog", 110 * 4096, False, "hog")


def test_a_protected_hog() -> None:
    text = event(900.0).replace("             0 hog", "          -500 hog")
    (one,) = read(text, host=Host(page_size_bytes=4096)).events
    assert (one.hog, one.hog_protected) == ("hog", True)


def test_memory_that_no_process_holds() -> None:
    stamp = "[  899.000000]"
    report = (
        f"{stamp} web invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
        f"{stamp} Mem-Info:\n"
        f"{stamp} active_anon:1 inactive_anon:2 isolated_anon:0\n"
        f"{stamp}  active_file:3 inactive_file:4 isolated_file:0\n"
        f"{stamp}  slab_reclaimable:5 slab_unreclaimable:6\n"
        f"{stamp}  mapped:1 shmem:700 pagetables:8 bounce:0\n"
        f"{stamp}  free:9 free_pcp:0 free_cma:0\n"
        f"{stamp} Node 0 hugepages_total=2 hugepages_free=1 hugepages_surp=0 hugepages_size=2048kB\n"
    )
    text = report + event(900.0).partition("\n")[2].replace(" 100 pages RAM", " 1000 pages RAM")
    (one,) = read(text, host=Host(page_size_bytes=4096)).events
    assert (one.shmem_bytes, one.slab_bytes, one.hugetlb_bytes) == (700 * 4096, 11 * 4096, 4 << 20)
    assert (one.hidden_bytes, one.hidden_in) == ((1000 - 9 - 6 - 50) * 4096, "huge pages")


def test_dropped_caches_are_found() -> None:
    (one,) = read("[ 950.0] bash (77): drop_caches: 3\n").cache_drops
    assert (one.name, one.pid, one.value, one.age_seconds) == ("bash", 77, 3, 50.0)


def test_a_killer_in_userspace_is_named() -> None:
    (one,) = read('[ 9.0] earlyoom[4]: sending SIGTERM to process 9 uid 1 "x": badness 1, VmRSS 4 MiB\n').events
    assert (one.killer, one.class_, one.victim, one.victim_bytes) == ("earlyoom", "userspace", "x", 4 << 20)


def test_the_unit_by_systemd_s_word_where_the_kernel_names_none() -> None:
    text = "[ 900.0] Killed process 9 (x)\n[ 901.0] systemd[1]: a.service: Failed with result 'oom-kill'.\n"
    assert [one.unit for one in read(text).events] == ["a.service"]


def hit(at: float, unit: str, group: str, held: int, limit: int = 307200) -> str:
    stamp = f"[{at:12.6f}]"
    return (
        f"{stamp} app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
        f"{stamp} memory: usage {limit}kB, limit {limit}kB, failcnt 40\n"
        f"{stamp} oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={group},"
        f"task_memcg=/app.slice/{unit},task=app,pid=20,uid=0\n"
        f"{stamp} Memory cgroup out of memory: Killed process 20 (app) total-vm:4000kB, anon-rss:{held}kB, "
        "file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:52kB oom_score_adj:0\n"
    )


def down(name: str, age: float | None, limit: int | None = None) -> Service:
    return Service(name=name, failed=True, state="failed", result="oom-kill", age_seconds=age, memory_max_bytes=limit)


def test_a_unit_that_reached_its_own_limit_soon_is_known_as_such() -> None:
    text = hit(980.0, "a.service", "/app.slice/a.service", 300000)
    found = read(text, units=Units(all=[down("a.service", 26.0, 300 << 20)]))
    (one,) = found.victim_units or []
    assert (one.own_limit, one.limit_group, one.limit_bytes, one.kills) == (
        True, "/app.slice/a.service", 300 << 20, 1,
    )  # fmt: skip
    assert (one.lived_seconds, one.died_soon, one.limit_stands) == (6.0, True, True)
    (raised,) = read(text, units=Units(all=[down("a.service", 26.0, 450 << 20)])).victim_units or []
    assert (raised.died_soon, raised.limit_stands) == (True, False)
    assert found.events[0].limit_bytes == 300 << 20


def test_who_grew_comes_last_among_those_who_died_of_a_shared_limit() -> None:
    text = hit(900.0, "web.service", "/app.slice", 90000) + hit(930.0, "leak.service", "/app.slice", 250000)
    text += hit(960.0, "leak.service", "/app.slice", 290000) + hit(970.0, "db.service", "/app.slice", 200000)
    services = [down(name, 500.0) for name in ("leak.service", "db.service", "web.service")]
    found = read(text, units=Units(all=services))
    assert [one.name for one in found.victim_units or []] == ["web.service", "db.service", "leak.service"]
    assert not any(one.own_limit or one.limit_stands for one in found.victim_units or [])


REFUSED = "__vm_enough_memory: pid: 9, comm: app, bytes: 8192 not enough memory for the allocation\n"


@pytest.mark.parametrize(
    ("kernel", "text", "logged", "age"),
    [
        ("3.10.0-1160.el7.x86_64", "", False, None),
        ("4.18.0-553.el8_10.x86_64", "", False, None),
        ("5.15.0-130-generic", "", False, None),
        ("6.1.0-56-amd64", "", True, 1e9),
        ("6.12.107", "", True, 1e9),
        ("5.14.0-503.el9", f"[ 900.0] {REFUSED}", True, 100.0),
        ("6.8.0", f"[ 990.0] {REFUSED}", True, 10.0),
        ("6.8.0", REFUSED, True, 0.0),
        (None, "", None, None),
    ],
)  # fmt: skip
def test_a_kernel_that_logs_no_refusal_is_not_taken_for_one_that_refused_nothing(
    kernel: str | None, text: str, logged: object, age: float | None
) -> None:
    found = read(text, host=Host(kernel=kernel))
    assert (found.logs_refusals, found.refusal_age_seconds) == (logged, age)
    assert ("refusal_age_seconds" in found.unavailable) is (age is None)


def test_the_newest_event_is_told_in_full() -> None:
    found = read(event(900.0) + event(950.0, pid=21, unit="b.service") + event(990.0, order=-1))
    (newest,) = found.newest
    assert (newest.class_, newest.unit, newest.age_seconds) == ("global", "b.service", 50.0)
    assert (newest.killed[0].pid, newest.hog[0].name, newest.following[0].name) == (21, "hog", "hog")
    assert read(event(990.0, order=-1)).newest == ()
    assert read("").newest == ()


def test_a_failed_page_fault_makes_no_repeat() -> None:
    text = (event(900.0) + event(950.0)).replace("gfp_mask=0xcc0(GFP_KERNEL)", "gfp_mask=0x0()")
    found = read(text)
    assert (found.last_class, found.repeated_units, found.count_24h) == ("page-fault", [], 2)


def test_what_the_zones_say_of_a_failure() -> None:
    zone = "[ 5.0] Node 0 Normal free:{}kB min:10kB low:20kB high:30kB\n"
    for free, short in ((5, "short"), (9000, "not-short")):
        (one,) = read("[ 5.0] a: page allocation failure: order:0, mode:0xcc0\n" + zone.format(free)).failures
        assert one.short == short
