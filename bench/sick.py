"""Sick hosts among healthy ones: each is named with its reason, and delays nobody beyond its own deadline.

`python -m bench.sick --hosts 200` diagnoses so many healthy servers alone, each sick host alone, and all of them in one
command, in one run; `--run` carries out a runbook instead and looks at the journal of each host. What is wrong is said
at the end, and ends it with 1.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import sshd

from bench import farm as farms
from bench.meter import Cost, measured

RUNBOOK = Path(sys.executable).with_name("runbook")
MEANT_WELL = tuple(range(10))
"""Hosts may be ill: what the command says of each is looked at, not how it ended."""
ADDRESSES = "127.0.250."
NO_SHELL = "exec sleep 600"
STALLS = "{ sed -u '/ hello /q'; exec sleep 600; } | sh -s"
"""The shell says hello, and gets nothing of what it is told afterwards."""
BOOK = """\
apiVersion: memrunbook/v1
name: look
title: Looks at each host
sample: {count: 2, every: 1s}
signals: [memory.available_percent]
checks:
  - {id: memory, name: The host has memory, when: memory.total_bytes > 0, severity: warning}
incident: checks.memory
resolved: {that: "memory.total_bytes == 0"}
steps:
  - {id: look, name: Look, action: run_check_command, with: {command: [uptime]}, on_failure: continue}
"""


@dataclass(frozen=True)
class Kind:
    """A way to be sick, and what must be said of it (a pattern)."""

    name: str
    said: str


KINDS = (
    Kind("dead", "nothing listens at TCP port"),
    Kind("silent", "no SSH banner in"),
    Kind("another key", "THE HOST KEY HAS CHANGED"),
    Kind("no shell", "logged in, but no shell answered"),
    Kind("stalled", "the shell stopped answering"),
)
ADDRESS = {kind.name: f"{ADDRESSES}{number}" for number, kind in enumerate(KINDS, start=1)}


@contextmanager
def sick(farm: farms.Farm) -> Iterator[None]:
    """One host of each kind beside a farm, at its port; the farm's configuration reaches them."""
    with ExitStack() as stack:
        stack.enter_context(_silent(ADDRESS["silent"], farm.port))
        commands = {"another key": "", "no shell": NO_SHELL, "stalled": STALLS}
        lines = [stack.enter_context(_server(farm, kind, command)) for kind, command in commands.items()]
        with (farm.folder / "known_hosts").open("a", encoding="ascii") as known:
            known.writelines(lines)
        yield


@contextmanager
def _server(farm: farms.Farm, kind: str, command: str) -> Iterator[str]:
    """An sshd; yields its line of known_hosts, which has the client's key in place of its own where it is `another`."""
    home, address = farm.folder / kind.replace(" ", "-"), ADDRESS[kind]
    home.mkdir()
    sshd.make_key(home / "host")
    lines = sshd.settings(home / "host", farm.folder / "authorized", farm.port, [address])
    server = sshd.start(home, [*lines, *([f"ForceCommand {command}"] if command else [])])
    try:
        sshd.wait_for(address, farm.port, server, home / "sshd.log")
        key = farm.folder / "id.pub" if kind == "another key" else home / "host.pub"
        yield f"[{address}]:{farm.port} {sshd.public(key)}\n"
    finally:
        farms.end([server])


@contextmanager
def _silent(address: str, port: int) -> Iterator[None]:
    """Accepts, and says nothing."""
    held: list[socket.socket] = []
    with socket.create_server((address, port)) as door:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    held.append(door.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield
        finally:
            door.shutdown(socket.SHUT_RDWR)
            for connection in held:
                connection.close()


@dataclass(frozen=True)
class Bench:
    """A command on hosts of the farm; `more` are options of it."""

    farm: farms.Farm
    scratch: Path
    runs: bool
    more: Sequence[str]

    def on(self, addresses: Sequence[str]) -> tuple[Cost, dict[str, str]]:
        """What it costs, and what it says of each host: an outcome, and why where there is none."""
        state = Path(tempfile.mkdtemp(dir=self.scratch))
        reach = [
            f"--host={','.join(addresses)}",
            f"--ssh-config={self.farm.config}",
            f"--state-dir={state}",
            *self.more,
        ]
        book = self.scratch / "look.yaml"
        book.write_text(BOOK, encoding="ascii")
        words = ("run", str(book), "--yes", "--json") if self.runs else ("diagnose", "--json")
        output = state / "output"
        cost = measured((str(RUNBOOK), *words, *reach), output, MEANT_WELL)
        text = output.read_text(encoding="utf-8")
        return cost, journaled(state) if self.runs else diagnosed(text)


def diagnosed(text: str) -> dict[str, str]:
    """What `diagnose --json` says of each host."""
    hosts = json.loads(text[text.index("{") :])["hosts"]
    return {host["host"]: f"{host['outcome']} {host.get('error', '')}" for host in hosts}


def journaled(state: Path) -> dict[str, str]:
    """What the journals of the runs in a state directory say of each host: how its run ended, and why."""
    found = {}
    for path in (state / "runs").glob("*/*.jsonl"):
        records = [json.loads(line).get("record", {}) for line in path.read_text(encoding="utf-8").splitlines()]
        ends: list[dict[str, Any]] = [record for record in records if "outcome" in record]
        if ends:  # none: the journal of the run itself
            found[path.stem] = " ".join(str(ends[-1].get(word, "")) for word in ("outcome", "why"))
    return found


def faults(healthy: Sequence[str], said: Mapping[str, str]) -> Iterator[str]:
    """What is not as it should be, in words."""
    for kind in KINDS:
        words = said.get(ADDRESS[kind.name], "nothing")
        if not re.search(kind.said, words):
            yield f"{kind.name} ({ADDRESS[kind.name]}): {words}"
    for address in healthy:
        words = said.get(address, "nothing")
        if "unreachable" in words or words == "nothing":
            yield f"{address}: {words}"


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.sick", description=__doc__)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--run", action="store_true", help="carry out a runbook instead of a diagnosis")
    parser.add_argument("more", nargs="*", help="options of runbook, behind --")
    options = parser.parse_args()
    with (
        farms.running(options.hosts, apart=options.run) as farm,
        sick(farm),
        tempfile.TemporaryDirectory(prefix="sick-") as scratch,
    ):
        bench = Bench(farm, Path(scratch), options.run, options.more)
        bench.on(farm.addresses)  # warms up
        alone, _ = bench.on(farm.addresses)
        print(f"{options.hosts} healthy hosts alone: {alone.wall:.1f} s, {alone.memory >> 20} MiB", flush=True)
        each = {}
        for kind in KINDS:
            each[kind.name] = cost, said = bench.on([ADDRESS[kind.name]])
            print(f"{kind.name} alone: {cost.wall:.1f} s: {said.get(ADDRESS[kind.name], 'nothing')}", flush=True)
        cost, said = bench.on([*ADDRESS.values(), *farm.addresses])
        longest = max(one.wall for one, _ in each.values())
        print(f"all in one command: {cost.wall:.1f} s, {cost.memory >> 20} MiB; to be reached: no more than", end=" ")
        print(f"{alone.wall + longest:.1f} s (healthy alone + the longest of the sick alone)")
        wrong = list(faults(farm.addresses, said))
        if cost.wall > alone.wall + longest:
            wrong.append("it took too long")
    print("\n".join(wrong) or f"{len(said)} hosts, each as it should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
