"""Names that processes, units and groups give themselves to be taken for others, or to break a parser or a screen."""

from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Answer, Reading, Sample, Samples, Unavailable
from memrunbook.facts import oom, processes, units
from memrunbook.linux.oomlog.reader import read_log

NAMES = [
    "a b",
    "a, b",
    "a) b (c",
    "(sd-pam)",
    ") 1 2 3 4",
    "x: y",
    "",
    " ",
    "a\\nb",
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "/bin/sh -c 'x'",
    ",pid=1,uid=0",
    ",task=init",
    ") total-vm:1kB,",
    "x,task=/a",
    "pid 1",
    "@@case end 1.0",
]


def sample(**answers: str) -> Samples:
    return (Sample(before=1000.0, after=1000.5, answers={name: Answer(text) for name, text in answers.items()}),)


def stat(pid: int, name: str) -> str:
    middle = "R 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 5000 0 0"
    return "\n".join(f"stat {line}" for line in f"{pid} ({name}) {middle}".split("\n"))


def block(pid: int, name: str, rss: int, cgroup: str = "/system.slice/a.service") -> str:
    return "\n".join(
        [
            f"pid {pid}",
            stat(pid, name),
            "statm 900 800 100 1 0 700 0",
            "status Uid:\t7\t7\t7\t7",
            f"status VmRSS:\t {rss} kB",
            f"status RssAnon:\t {rss} kB",
            "status VmSwap:\t 0 kB",
            f"cgroup 0::{cgroup}",
            "score 666",
            "adjustment -5",
            "",
        ]
    )


def read_processes(text: str) -> processes.Processes:
    reading = processes.parse(sample(processes=text), {})
    assert isinstance(reading, processes.Processes)
    return reading


@pytest.mark.parametrize("name", [*NAMES, "a\nb", "x\npid 1\nstat 1 (init) S 0", "\nseen 9"])
def test_a_process_is_itself_whatever_its_name(name: str) -> None:
    found = read_processes("page 4\n" + block(10, name, 500) + block(11, "honest", 400) + "seen 2\n")

    assert [(one.pid, one.name, one.parent, one.threads, one.start_ticks) for one in found.all] == [
        (10, name, 1, 3, 5000),
        (11, "honest", 1, 3, 5000),
    ]
    assert found.seen == 2


def test_a_control_group_with_colons_and_blanks_is_one_path() -> None:
    (found,) = read_processes("page 4\n" + block(10, "a", 500, "/system.slice/x y:memory:, z.service") + "seen 1\n").all
    assert found.cgroup == "/system.slice/x y:memory:, z.service"
    assert found.unit == "x y:memory:, z.service"


SUMMARY = "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom"
SIZES = "total-vm:4000kB, anon-rss:100kB, file-rss:20kB, shmem-rss:0kB, UID:1000 pgtables:52kB oom_score_adj:0"


def log_of(name: str, group: str = "/system.slice/a.service") -> list[str]:
    return [
        f"[  100.0] {name} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "[  100.1] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        f"[  100.1] [     20]     0    20     1000       30    53248       40             0 {name}",
        f"[  100.2] {SUMMARY},task_memcg={group},task={name},pid=20,uid=1000",
        f"[  100.3] Out of memory: Killed process 20 ({name}) {SIZES}",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_victim_is_itself_whatever_its_name(name: str) -> None:
    (event,) = read_log(log_of(name)).events

    assert event.trigger == name
    assert [(kill.pid, kill.name, kill.anonymous_kib) for kill in event.kills] == [(20, name, 100)]
    assert event.task_memcg == "/system.slice/a.service"
    assert event.chosen == (20, name)
    assert event.largest[0].name == name.strip()


@pytest.mark.parametrize("group", ["/system.slice/a, b.service", "/system.slice/x,task=y.service", "/a,pid=1,uid=0/b"])
def test_a_group_is_itself_whatever_its_name(group: str) -> None:
    (event,) = read_log(log_of("web", group)).events
    assert event.task_memcg == group


@pytest.mark.parametrize("name", ["a\nb", "x\nKilled process"])
def test_a_line_break_in_a_name_loses_no_event_and_adds_none(name: str) -> None:
    (event,) = read_log("\n".join(log_of(name)).split("\n")).events
    assert event.kills[0].pid == 20


def test_a_user_cannot_name_a_service_of_the_system_as_its_own() -> None:
    group = "/user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service"
    reading = oom.parse(sample(dmesg="\n".join(log_of("web", group))), {})
    assert isinstance(reading, oom.Oom)
    assert reading.events[0].unit == ""


def test_a_long_line_is_bounded() -> None:
    reading = oom.parse(sample(dmesg="\n".join(log_of("x" * 100_000))), {})
    assert isinstance(reading, oom.Oom)
    (event,) = reading.events
    assert (len(event.victim), len(event.largest)) == (64, 64)


@pytest.mark.parametrize(
    "name", ["a b.service", "a\\x2db.service", "\x1b[31m.service", "$(reboot).service", "--help.service"]
)
def test_a_unit_is_itself_whatever_its_name(name: str) -> None:
    walk = f"unit /system.slice/{name}\ntotal 10\nanonymous 5\n"
    shown = f"Id={name}\nActiveState=active\nControlGroup=/system.slice/{name}\nSubState=run=ning\n"
    reading: Reading | Unavailable = units.parse(sample(units=walk, systemctl=shown), {})

    assert isinstance(reading, units.Units)
    assert [(one.name, one.memory_bytes, one.substate) for one in reading.all] == [(name, 10, "run=ning")]
