"""Advice names the unit and the figure, knows the runtime by its process, and is three lines at most."""

from __future__ import annotations

import pytest

from memrunbook.core.units import GIB, MIB
from memrunbook.linux.advice import MOST, Capacity, Consumer, advice

ROOMY = Capacity(ram=64 * GIB, working_set=20 * GIB)


def said(*programs: str, **changes: object) -> tuple[str, ...]:
    known = {"name": "shop.service", "held": 2 * GIB, "programs": programs, **changes}
    return advice(Consumer(**known), ROOMY)  # type: ignore[arg-type]  # the fields of the table


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("java", "-Xmx1920m or -XX:MaxRAMPercentage=75"),
        ("node", "--max-old-space-size=1920"),
        ("gunicorn", "gunicorn --max-requests 1000"),
        ("python3.11", "MALLOC_ARENA_MAX=2"),
        ("puma", "Ruby: MALLOC_ARENA_MAX=2"),
        ("apache2", "MaxRequestWorkers 1 fits its limit"),
        ("httpd", "MaxConnectionsPerChild"),
        ("php-fpm8.2", "pm.max_children 1 fits its limit"),
        ("postgres", "max_connections x work_mem must fit 2.5 GiB"),
        ("mysqld", "innodb_buffer_pool_size at most 1.8 GiB"),
        ("mariadbd", "innodb_buffer_pool_size"),
        ("redis-server", "maxmemory 1536mb"),
        ("prometheus", "GOMEMLIMIT=2304MiB"),
    ],
)
def test_a_runtime_is_told_of_the_limit_in_its_own_words(program: str, words: str) -> None:
    lines = said(program)
    assert (
        lines[0]
        == "limit it so that it fails alone (it holds 2.0 GiB): systemctl set-property shop.service MemoryMax=2560M"
    )
    assert words in lines[1]


def test_the_limit_that_it_has_is_the_figure() -> None:
    (line,) = said("java", limit=GIB)
    assert "-Xmx768m" in line


@pytest.mark.parametrize("program", ["javac-helper", "search-api", "", "nodejunk"])
def test_a_program_that_is_not_known_gets_no_setting(program: str) -> None:
    assert len(said(program)) == 1


def test_of_a_pool_the_sum_counts_and_not_the_largest() -> None:
    (line,) = said("apache2", "apache2", "rotatelogs", workers=17, held=444 * MIB, limit=512 * MIB)
    assert line.startswith("Apache: 17 processes of 26.1 MiB each; MaxRequestWorkers 19 fits its limit")
    assert "--max-old-space-size=480 (NODE_OPTIONS) for each of 4 processes" in said("node", workers=4)[1]


@pytest.mark.parametrize(
    ("program", "tool"),
    [("java", "jcmd PID GC.class_histogram"), ("python3", "memray"), ("search-api", "heaptrack, valgrind or ASan"),
     ("etcd", "go tool pprof"), ("node", "--heapsnapshot-signal")],
)  # fmt: skip
def test_who_grows_is_looked_into_with_the_tool_of_its_runtime(program: str, tool: str) -> None:
    lines = said(program, grows=True)
    assert len(lines) <= MOST
    assert tool in lines[-1]
    assert lines[-1].endswith("docs/how-to/find-a-leak.md)")


def test_no_limit_is_beyond_what_the_host_can_give() -> None:
    small = Capacity(ram=GIB, working_set=900 * MIB, grows=True)
    (line,) = advice(Consumer(name="shop.service", held=900 * MIB), small)
    assert (
        line == "limit it at its next restart (it holds 900.0 MiB): systemctl set-property shop.service MemoryMax=819M"
    )


FULL = Capacity(ram=16 * GIB, working_set=15 * GIB)


def test_more_ram_is_said_only_where_it_is_the_working_set() -> None:
    lines = advice(Consumer(name="db.service", held=6 * GIB, programs=("postgres",)), FULL)
    assert lines[0].startswith(
        "this host needs more RAM, or less work: the working set of its services is 15.0 GiB of 16.0"
    )
    assert "PostgreSQL" in lines[1]


@pytest.mark.parametrize(
    ("holder", "host"),
    [
        (Consumer(name="a.service", held=6 * GIB, grows=True), FULL),
        (Consumer(name="a.service", held=6 * GIB), Capacity(ram=16 * GIB, working_set=15 * GIB, grows=True)),
        (Consumer(name="a.service", held=6 * GIB), Capacity(ram=16 * GIB, working_set=9 * GIB)),
        (Consumer(name="a.service", held=6 * GIB), Capacity()),
    ],
)
def test_a_leak_is_no_lack_of_ram(holder: Consumer, host: Capacity) -> None:
    assert not any("more RAM" in line for line in advice(holder, host))


def test_who_holds_nothing_gets_no_advice_and_a_stray_process_no_limit() -> None:
    assert said("java", held=0) == ()
    assert said("report.py", unit=False) == ()


def test_who_waits_for_what_it_reads_gets_no_limit_and_who_was_killed_held_it() -> None:
    (line,) = said("java", waits=True)
    assert "a limit on it makes it worse" in line
    assert "(it held " in said("java", killed=True)[0]
