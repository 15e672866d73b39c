"""How long a state directory of many records takes to be listed, reported and verified.

`python -m bench.journals` writes 100,000 records, 2,500 runs of 40 on two hosts each, in a temporary folder, and runs
`runbook runs`, `report last`, `audit show last` and `audit verify` on it as a person does: a process each.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from memrunbook.core.instant import Instant
from memrunbook.core.run.event import RunFinished, StepFinished
from memrunbook.core.run.record import Actor, Ended, EndedHost, Invoked, Recorded, plain
from memrunbook.state import chain, ledger
from memrunbook.state.chain import Link
from memrunbook.state.ledger import LedgerEntry

HOSTS = ("web-1", "web-2")
ACTOR = Actor("root", "0", "ada", "192.0.2.9", "/dev/pts/3", "ctl-1")
COMMANDS = (("runs",), ("report", "last"), ("audit", "show", "last"), ("audit", "verify"))
FACT = {"type": "Snapshot", "readings": {"memory": {"total_bytes": 1 << 36, "free_bytes": 1 << 30}}, "padding": ""}


def write(state: Path, runs: int, records: int, size: int) -> int:
    """Writes so many runs with so many records each, an answer of a host `size` bytes; the count of all records."""
    entries: list[LedgerEntry] = []
    total = 0
    for number in range(runs):
        moment = 1_795_340_467 + number * 300
        run = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment)) + "-" + _letters(number)
        folder = state / "runs" / run
        folder.mkdir(parents=True)
        began, ended = (Instant(moment + late, 0.0).isoformat() for late in (0, 200))
        share = (records - 2) // len(HOSTS)
        files: dict[str, list[dict[str, Any]]] = {"run.jsonl": [plain(_invoked(began)), plain(_ended(ended))]}
        files |= {f"{host}.jsonl": list(_host(run, host, began, share, size)) for host in HOSTS}
        ends, so_far = list[LedgerEntry](), list[LedgerEntry]()
        for name, payloads in files.items():
            lines, link, before = [], Link(), dict[str, Any]()
            for payload in payloads:
                line, link = chain.seal(link, payload)
                lines.append(line)
                if _is_sealed(payload, before):
                    so_far.append(LedgerEntry(run, name, "so-far", link.head, link.count))
                before = payload
            (folder / name).write_bytes(b"".join(lines))
            total += len(lines)
            entries.append(LedgerEntry(run, name, "start", Link().head, 0))
            ends.append(LedgerEntry(run, name, "end", link.head, link.count))
        entries += [*so_far, *ends]
    ledger.append(state, entries, "2026-11-22T09:41:07.000Z")
    return total


def _is_sealed(payload: dict[str, Any], before: dict[str, Any]) -> bool:
    """True for what is in the ledger while its run goes on: the invocation, each command, and its answer."""
    asked = [one.get("request", {}).get("type") == "Execute" for one in (payload, before)]
    return any(asked) or payload.get("event") == "invoked"


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + number // 26**place % 26) for place in range(4))


def _invoked(time_: str) -> Invoked:
    return Invoked(
        time=time_, engine="0", actor=ACTOR, command="run swap-thrashing", reason="a benchmark",
        runbook="swap-thrashing", runbook_digest="0" * 64, origin="shipped", parameters={}, hosts=HOSTS,
    )  # fmt: skip


def _ended(time_: str) -> Ended:
    return Ended(time=time_, hosts=tuple(EndedHost(host, "resolved", "m") for host in HOSTS))


def _host(run: str, host: str, time_: str, count: int, size: int) -> Iterator[dict[str, Any]]:
    about = {"time": time_, "run": run, "host": host, "actor": msgspec.to_builtins(ACTOR), "runbook": "swap-thrashing"}
    change = {
        "action": "set_sysctl",
        "target": "vm.swappiness",
        "summary": "vm.swappiness 60 -> 10",
        "effect": "idempotent",
    }
    step = StepFinished(id="swap-less", name="Swap less", action="set_sysctl", state="done", summary="x")
    for number in range(count - 1):
        kind = number % 4
        if kind == 0:
            yield {**about, "event": "asked", "request": {"type": "ReadFacts", "facts": ["memory"]}}
        elif kind == 1:
            yield {**about, "event": "answered", "answer": {**FACT, "padding": "x" * size}}
        elif kind == 2:
            yield {**about, "event": "asked", "request": {"type": "Execute", "step": "swap-less", "change": change}}
        else:
            yield {**about, **plain(Recorded(step))}
    yield {**about, **plain(Recorded(RunFinished("resolved")))}


def main() -> int:
    """Measures each command some times; prints the median."""
    parser = argparse.ArgumentParser(prog="python -m bench.journals", description=__doc__)
    parser.add_argument("--runs", type=int, default=2_500)
    parser.add_argument("--records", type=int, default=40, help="of each run, on all its hosts")
    parser.add_argument("--size", type=int, default=20_000, help="bytes of a host's answer: one record of four")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="journals-") as folder:
        state = Path(folder) / "state"
        state.mkdir(mode=0o700)
        count = write(state, options.runs, options.records, options.size)
        size = sum(file.stat().st_size for file in state.rglob("*") if file.is_file()) / 1e6
        print(f"{count:,} records of {options.runs:,} runs, {size:,.0f} MB", flush=True)
        for words in COMMANDS:
            took = [_timed([*words, "--state-dir", str(state)]) for _ in range(options.times)]
            print(f"runbook {' '.join(words):16} {median(took):6.2f} s   (of {options.times})", flush=True)
    return 0


def _timed(words: list[str]) -> float:
    program = [sys.executable, "-c", "from memrunbook.cli.main import main; main()"]
    began = time.monotonic()
    done = subprocess.run([*program, *words], check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {done.stdout[:500]}{done.stderr[:2000]}")
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
