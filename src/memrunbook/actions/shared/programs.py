"""What the actions that run a program share: how its command is named, and which commands only read."""

from __future__ import annotations

import hashlib
import re
import shlex

from memrunbook.core.text import clean

LONGEST_NAME, BEGINNING, DIGITS = 200, 60, 12
LONGEST_LINE = 1000


def command_name(command: tuple[str, ...]) -> str:
    """The whole command as a person would type it; a very long one as its beginning and its SHA-256."""
    line = shlex.join(command)
    if len(line) <= LONGEST_NAME:
        return line
    return f"{line[:BEGINNING]} sha256:{hashlib.sha256(line.encode(errors='replace')).hexdigest()[:DIGITS]}"


def command_line(command: tuple[str, ...]) -> str:
    """The command on one line, for people to read."""
    return clean(shlex.join(command), LONGEST_LINE)


# Links out of /proc/PID lead to devices, smaps and cmdline wait for the process, kmsg takes what it reads.
_PROC = (
    r"/proc/(?:buddyinfo|cgroups|cpuinfo|diskstats|filesystems|interrupts|loadavg|locks|meminfo|modules|mounts|pagetypeinfo"
    r"|partitions|slabinfo|softirqs|stat|swaps|uptime|version|vmallocinfo|vmstat|zoneinfo|pressure/(?:cpu|io|irq|memory)"
    r"|sys/(?:fs|kernel|vm)/(?!stat_refresh)[\w-]+"
    r"|(?:self|[1-9]\d*)/(?:cgroup|limits|oom_adj|oom_score|oom_score_adj|schedstat|stat|statm|status))"
)
_CGROUP = r"/sys/fs/cgroup(?:/(?!\.\.?[/\n])[\w.@:\\-]+)*"
_ETC = (
    r"/etc/(?:debian_version|fstab|os-release|redhat-release|sysctl\.conf|sysctl\.d/[\w-]+\.conf"
    r"|security/limits\.conf|systemd/(?:journald|logind|oomd|system)\.conf|default/(?:earlyoom|grub|zramswap))"
)
_FILE = f"{_PROC}|{_CGROUP}|{_ETC}"
_COLUMNS = (
    r"(?:cgroup|comm|etimes?|gid|group|nlwp|nice|pcpu|pid|pmem|ppid|rss|size|start|stat|state|time|uid|unit|user"
    r"|vsz|wchan)"
)
_UNIT = r"[A-Za-z0-9_@.:*\\][\w@.:*\\-]*"


def _any(*words: str) -> str:
    return f"(?:(?:{'|'.join(words)})\n)*"


_GREP = r"-[EFHchilnosqvwx]+|-[ABCm]\n?\d{1,4}"
_SYSTEMCTL = (
    r"--all|--failed|--full|--no-legend|--no-pager|--plain|--value|-[al]+|-n\n?\d{1,4}|--lines=\d{1,4}"
    r"|--(?:property|state|type)=[\w,-]+|-[pt]\n?[\w,]+"
)
READERS = {
    "cat": _any(r"-[AETbenstv]+", _FILE),
    "head": _any(r"-[qv]+", r"-(?:[cn]\n?)?\d{1,6}", _FILE),
    "tail": _any(r"-[qv]+", r"-(?:[cn]\n?)?\d{1,6}", _FILE),
    "grep": f"{_any(_GREP)}[^-\n][^\n]*\n{_any(_GREP, _FILE)}",
    "free": _any(r"-[bghklmtw]+"),
    "uptime": _any(r"-[ps]"),
    "vmstat": f"{_any('-[adfmnstw]+')}(?:[1-9]\\d?\n[1-9]\\d?\n)?",
    "ps": _any(
        r"-?auxw{0,2}",
        r"-[AFLefljw]+",
        f"-[Ae]?o\n?{_COLUMNS}(?:,{_COLUMNS})*",
        f"--sort=[+-]?{_COLUMNS}",
        r"-p\n?[\d,]+",
    ),
    "lsblk": _any(r"-[abdilmnprt]+", r"-o\n?[A-Z,:-]+"),
    "swapon": _any(r"--bytes|--noheadings") + r"(?:--show(?:=[A-Z,]+)?|-s|--summary)\n" + _any(r"--bytes|--noheadings"),
    "systemctl": _any(_SYSTEMCTL)
    + r"(?:is-active|is-failed|list-timers|list-units|show|status)\n"
    + _any(_SYSTEMCTL, _UNIT),
}
"""By program, what its arguments must look like, each ended by a newline: no option that runs, writes or never ends."""


def only_reads(command: tuple[str, ...]) -> bool:
    """True for a command that surely changes nothing and ends by itself."""
    program, *arguments = command
    if program not in READERS or any("\n" in argument for argument in arguments):
        return False
    line = "".join(f"{argument}\n" for argument in arguments)
    return re.fullmatch(READERS[program], line, re.ASCII) is not None
