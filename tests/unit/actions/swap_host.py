"""A machine with a /proc, /sys and /dev of its own, and stand-ins for the programs that touch swap."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.unit.actions.shells import Machine, Result

PROGRAMS = {
    "mkswap": 'echo "mkswap $1" >>"$HOST/calls"\n[ ! -e "$HOST/no-mkswap" ] || exit 1\n',
    "swapon": """\
echo "swapon $*" >>"$HOST/calls"
[ ! -e "$HOST/no-swapon" ] || { echo "swapon: no" >&2; exit 255; }
priority=-2
if [ "$1" = -p ]; then
  [ ! -e "$HOST/no-priority" ] || { echo "swapon: invalid option -- 'p'" >&2; exit 1; }
  priority=$2; shift 2
fi
printf '%s file 2044 0 %s\\n' "$1" "$priority" >>"$HOST/proc/swaps"
""",
    "swapoff": """\
echo "swapoff $1" >>"$HOST/calls"
[ ! -e "$HOST/no-swapoff" ] || exit 137
if [ -e "$HOST/stubborn" ]; then trap '' TERM; fi
while [ -e "$HOST/slow" ]; do sleep 0.1; done
grep -v "^$1[[:space:]]" "$HOST/proc/swaps" >"$HOST/rest"
cat "$HOST/rest" >"$HOST/proc/swaps"
""",
    "sleep": "exec /usr/bin/sleep 0.02\n",
    "stat": 'if [ "$1" = -f ]; then cat "$HOST/statfs"; else exec /usr/bin/stat "$@"; fi\n',
    "fallocate": '[ ! -e "$HOST/no-fallocate" ] || exit 1\nexec /usr/bin/fallocate "$@"\n',
    "dd": """\
[ -e "$HOST/dies" ] || exec /usr/bin/dd "$@"
for word; do case $word in of=*) echo half >"${word#of=}" ;; esac; done
kill -KILL $PPID
""",
    "modprobe": 'echo "modprobe $1" >>"$HOST/calls"\n[ ! -e "$HOST/no-module" ]\n',
}
HEAD = "Filename Type Size Used Priority\n"


@dataclass(frozen=True)
class SwapHost:
    """One shell on a calm host with 8 GiB of RAM, 4 of them available, and no swap."""

    machine: Machine

    @property
    def folder(self) -> Path:
        """Where its /proc, /sys and /dev are, and the switches that make a program fail (no-swapon …)."""
        return self.machine.folder

    @property
    def calls(self) -> list[str]:
        """What was called, in order."""
        return self.machine.calls

    def do(self, script: str, *args: str) -> Result:
        """Runs a change."""
        return self.machine.do(self._here(script), *args)

    def undo(self, script: str, *args: str) -> Result:
        """Runs an undo."""
        return self.machine.undo(self._here(script), *args)

    def swap(self, name: str, used_kib: int = 0, *, priority: int = -2, size_kib: int = 2044) -> None:
        """Adds a line to /proc/swaps."""
        with (self.folder / "proc/swaps").open("a") as swaps:
            swaps.write(f"{name}\tfile\t{size_kib}\t{used_kib}\t{priority}\n")

    def on(self) -> list[str]:
        """What is swap now, with its priority."""
        rows = [line.split() for line in (self.folder / "proc/swaps").read_text().splitlines()[1:]]
        return [f"{row[0]} {row[4]}" for row in rows]

    def available(self, kib: int) -> None:
        """So much memory is available from now on."""
        (self.folder / "proc/meminfo").write_text(
            f"MemTotal: 8388608 kB\nMemFree: 100 kB\nMemAvailable: {kib} kB\nBuffers: 1 kB\n"
        )

    def now(self, switch: str) -> None:
        """Throws a switch."""
        (self.folder / switch).touch()

    def _here(self, script: str) -> str:
        for place in ("/proc/", "/sys/", "/etc/"):
            script = script.replace(place, f"{self.folder}{place}")
        return script.replace('"/dev/', f'"{self.folder}/dev/')


@pytest.fixture
def swap_host(machine: Machine) -> SwapHost:
    """A host for each shell; a busybox that prefers its own programs would touch the swap of this machine."""
    for name, text in PROGRAMS.items():
        path = machine.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}")
        path.chmod(0o755)
    if not machine.undo("command -v swapoff").text.startswith(str(machine.folder)):
        pytest.skip("this shell runs programs of its own instead of the stand-ins")
    (machine.folder / "proc/pressure").mkdir(parents=True)
    (machine.folder / "etc").mkdir()
    (machine.folder / "proc/swaps").write_text(HEAD)
    (machine.folder / "proc/vmstat").write_text("pgpgin 5\npswpin 100\npswpout 100\npgfault 1\n")
    (machine.folder / "proc/pressure/memory").write_text(
        "some avg10=9.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=9.00 avg300=9.00 total=1\n"
    )
    (machine.folder / "statfs").write_text("ef53 4096 26214400 5242880\n")
    host = SwapHost(machine)
    host.available(4 << 20)
    return host
