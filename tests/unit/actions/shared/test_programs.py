from __future__ import annotations

import shlex

import pytest

from memrunbook.actions.shared.programs import command_line, command_name, only_reads


@pytest.mark.parametrize(
    "line",
    [
        "cat /proc/meminfo",
        "cat -n /proc/sys/vm/swappiness /proc/pressure/memory /etc/os-release",
        "cat /sys/fs/cgroup/system.slice/search-api.service/memory.stat",
        "head -n 5 /proc/self/status",
        "head -5 /proc/slabinfo",
        "tail -c 100 /proc/vmstat",
        "grep -i -m 3 'MemFree: *[0-9]' /proc/meminfo",
        "grep -c x",
        "free -m",
        "uptime",
        "vmstat -w 1 5",
        "vmstat",
        "ps aux",
        "ps -eo pid,rss,comm --sort=-rss",
        "lsblk -b -o NAME,SIZE",
        "swapon --show --bytes",
        "systemctl status --no-pager search-api.service",
        "systemctl show -p MemoryCurrent,MemoryMax search-api.service",
        "systemctl --failed list-units",
    ],
)
def test_looks_that_harm_nothing(line: str) -> None:
    assert only_reads(tuple(shlex.split(line)))


@pytest.mark.parametrize(
    "line",
    [
        "pidstat -e sh -c reboot",
        "pmap -N /etc/passwd 1",
        "df --sync",
        "cat /sys/class/zram-control/hot_add",
        "cat /dev/watchdog",
        "cat /proc/1/root/dev/watchdog",
        "cat /proc/self/fd/3",
        "cat /proc/kmsg",
        "cat /proc/kcore",
        "cat /proc/sysrq-trigger",
        "cat /proc/sys/vm/stat_refresh",
        "cat /proc/sys/vm/../../../dev/watchdog",
        "cat /sys/fs/cgroup/../../class/zram-control/hot_add",
        "cat /sys/fs/cgroup/..",
        "cat /etc/shadow",
        "cat meminfo",
        "cat --help",
        "tail -f /proc/meminfo",
        "grep -r x /proc/meminfo",
        "grep -f /dev/watchdog /proc/meminfo",
        "grep x /dev/watchdog",
        "grep",
        "free -s 1",
        "vmstat 1",
        "ps auxe",
        "ps -eo environ",
        "swapon -a",
        "swapon --show /dev/sdb",
        "systemctl",
        "systemctl reboot",
        "systemctl restart search-api.service",
        "systemctl status -H elsewhere",
        "systemctl -H elsewhere status",
        "systemctl --property=x reboot",
        "/usr/bin/free",
        "./free",
        "sh -c true",
        "'' x",
        "cat '/proc/meminfo\n/dev/watchdog'",
        "free '-m\n'",
    ],
)
def test_everything_else_is_asked_for(line: str) -> None:
    assert not only_reads(tuple(shlex.split(line)))


def test_a_command_is_named_in_full() -> None:
    assert command_name(("systemctl", "restart", "a b")) == "systemctl restart 'a b'"
    assert command_name(("x" * 200,)) == "x" * 200


def test_a_very_long_command_is_named_by_its_beginning_and_its_hash() -> None:
    long, other = (command_name(("logger", "x" * 300 + end)) for end in "ab")
    assert long.startswith("logger " + "x" * 53 + " sha256:")
    assert len(long) == 60 + len(" sha256:") + 12
    assert long != other


def test_the_line_that_people_read_is_one_line() -> None:
    assert "\n" not in command_line(("printf", "a\nb"))
    assert command_line(("printf", "a b")) == "printf 'a b'"
