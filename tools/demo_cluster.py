"""Two control nodes share a run, and one of them is killed in the middle of it: what comes of it, counted on the hosts.

`make demo-cluster`, as root: PostgreSQL, two workers and 50 hosts on loopback, all in one temporary folder. It ends by
itself, with 0 where every step was carried out exactly once on every host and every journal is whole, else with 1.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench import farm as farms
from tests import postgres
from tools.demo_nodes import EFFECTS, NODES, RUNBOOK, STALLED_AFTER, STEPS, Cluster, Killed, Part, cluster, say

WIDE = 78
KILL_AFTER = 0.3
"""Of all steps: so many are done when a worker is killed."""
LOOK, TELL, SILENT = 0.2, 3.0, 15.0
"""Seconds between two looks at a run, two words about it, and two that are the same."""
FEW = 14
"""Lines of a command's output that are shown."""
JUDGED = (0, 8, 9)
"""Exit codes of a diagnosis: healthy, an incident, not judged by all."""


def main(argv: Sequence[str]) -> int:
    """Says what is missing, or shows it all; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo_cluster", description=__doc__)
    parser.add_argument("--hosts", type=int, default=50, help="how many hosts; default: 50")
    hosts = parser.parse_args(argv).hosts
    with _one_folder() as folder:
        if lack := missing():
            print(lack, file=sys.stderr)
            return 1
        try:
            wrong = _shown(folder, hosts)
        except KeyboardInterrupt:
            wrong = ["it was stopped before its end"]
        except RuntimeError as error:
            wrong = [str(error)]
    say("", f"Every process is ended, {folder} is removed.", "")
    say(*(f"NOT AS IT SHALL BE: {one}" for one in wrong) if wrong else ("All of it is as it shall be.",))
    return 1 if wrong else 0


def missing() -> str:
    """Why it cannot be shown here and how to get that, in a sentence; empty where it can."""
    packages = ["postgresql"] if postgres.programs() is None else []
    packages += farms.missing().partition("apt-get install ")[2].split()
    if packages:
        return f"This demo needs Debian packages that are not installed: apt-get install {' '.join(packages)}"
    why = "each of its SSH servers is to be a machine of its own"
    if os.geteuid() != 0:
        return f"This demo needs root: {why}. Try: sudo make demo-cluster"
    if not farms.can_be_apart():
        return (
            f"This demo needs mount namespaces: {why}.\n"
            "They are not allowed here (a container needs --privileged), or this machine is too busy to make one."
        )
    return ""


@contextmanager
def _one_folder() -> Iterator[Path]:
    """All that is written from now on is in this folder, and goes with it; SIGTERM ends it as Ctrl-C does.

    Both are heard even where whoever started it has them ignored, as a shell does in the background.
    """
    sshd, before = Path("/run/sshd"), tempfile.tempdir
    known, heard = sshd.exists(), {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    for one in heard:
        signal.signal(one, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="demo-cluster-", ignore_cleanup_errors=True) as name:
            Path(name).chmod(0o711)  # the server's programs run as a user of their own
            tempfile.tempdir = name
            yield Path(name)
    finally:
        tempfile.tempdir = before
        for one, does in heard.items():
            signal.signal(one, does)
        with suppress(OSError):
            if not known:
                sshd.rmdir()


def _shown(folder: Path, hosts: int) -> list[str]:
    """Shows it; what is not as it shall be."""
    say(
        f"Two control nodes share one run on {hosts} hosts; one of them is killed in the",
        "middle of it, and the other one goes on. What happened is counted on the hosts.",
        "",
        "1. What is started",
    )
    with cluster(folder, hosts) as made:
        wrong = _diagnosed(made)
        killed, run_wrong = _run(made)
        wrong += run_wrong
        if killed is not None:
            wrong += _told(made, killed)
            _joined(made, killed)
        return wrong + _counted(made) + _verified(made)


def _diagnosed(made: Cluster) -> list[str]:
    say("", "2. All hosts are read and judged by whichever worker is free; nothing is changed")
    front = made.front("diagnose", "--quick", "--quiet", *made.reach)
    code = front.wait()
    say(*_few(front.output()))
    return [] if code in JUDGED else [f"runbook diagnose ended with {code}: {front.errors()}"]


def _run(made: Cluster) -> tuple[Killed | None, list[str]]:
    """Runs the runbook, kills a worker meanwhile, and shows how that goes on; what went wrong."""
    say("", f"3. A runbook of {len(STEPS)} steps, each to be carried out once on each host")
    front = made.front("run", RUNBOOK, "--yes", "--quiet", *made.reach)
    killed, told, before = None, -SILENT, ""
    while (code := front.ended(LOOK)) is None:
        now = _progress(made)
        if front.seconds - told >= (SILENT if now == before else TELL):
            told, before = front.seconds, now
            say(f"   {told:5.1f} s  {now}")
        if killed is None and made.done() >= KILL_AFTER * len(STEPS) * made.hosts:
            killed = made.kill()
            say(*_killed(made, killed, front.seconds))
    say(f"   {front.seconds:5.1f} s  {_progress(made)}", "", *_few(front.output()))
    wrong = [f"runbook run ended with {code}: {front.errors()}"] if code else []
    return killed, wrong if killed is not None else [*wrong, "the run was over before a worker could be killed"]


def _progress(made: Cluster) -> str:
    at_work = Counter(part.node for part in made.parts() if part.state == "running")
    who = ", ".join(f"{node} is at {_hosts(at_work[node])}" for node in NODES)
    return f"{made.done():3} of {len(STEPS) * made.hosts} steps done; {who}"


def _killed(made: Cluster, killed: Killed, seconds: float) -> list[str]:
    at = _hosts(len(killed.hosts))
    return [
        "",
        f"   {seconds:5.1f} s  KILLED: {killed.node} (pid {killed.pid}, SIGKILL); it was at {at},",
        f"            with {made.done()} of {len(STEPS) * made.hosts} steps done. It says goodbye to nobody: after",
        f"            {STALLED_AFTER} without a sign of life {killed.other} goes on with what it was at.",
        "",
    ]


def _told(made: Cluster, killed: Killed) -> list[str]:
    """Who did what."""
    parts = made.parts()
    ended = Counter(part.node for part in parts if part.state == "ended")
    taken = [part for part in parts if part.host in killed.hosts and part.node == killed.other]
    rows = {
        "hosts brought to their end": ended,
        "  of these gone on with for the other one": {killed.other: len(taken)},
        "hosts that it was at when it was killed": {killed.node: len(killed.hosts)},
    }
    say("", "4. Who did what", f"   {'':42}{NODES[0]:>10}{NODES[1]:>10}", *(_row(*row) for row in rows.items()))
    left = [part.host for part in parts if part.state != "ended"]
    return ([f"not at their end: {', '.join(left)}"] if left else []) + _not_taken(killed, taken)


def _not_taken(killed: Killed, taken: Sequence[Part]) -> list[str]:
    lost = killed.hosts - {part.host for part in taken}
    return [f"not gone on with by {killed.other}: {', '.join(sorted(lost))}"] if lost else []


def _row(what: str, figures: Mapping[str, int]) -> str:
    return f"   {what:42}" + "".join(f"{figures.get(node, 0):>10}" for node in NODES)


def _joined(made: Cluster, killed: Killed) -> None:
    """The killed node is started once more: it closes the journals that it left open."""
    say(
        "",
        f"5. {killed.node} is started again for a moment: what it lost came to its end elsewhere,",
        "   and its journals are closed",
    )
    say(*_few([f"   {line}" for line in made.again(killed.node)]))


def _hosts(count: int) -> str:
    return f"{count} host{'s' * (count != 1)}"


def _counted(made: Cluster) -> list[str]:
    """Each step once on each host, by what the hosts hold."""
    say("", "6. What the hosts hold, and whether the journals are whole")
    wanted, odd = Counter(STEPS), []
    for host, effects in made.effects().items():
        if (found := Counter(effects)) != wanted:
            odd.append(f"{host}: " + ", ".join(f"{step} {found[step]} times" for step in wanted | found))
    total = sum(map(len, made.effects().values()))
    say(f"   {'ok ' if not odd else 'BAD'} {total} effects in {made.hosts} files {EFFECTS}, each of {len(STEPS)} steps")
    say(f"       {'exactly once on each host' if not odd else 'not once on each host'}")
    return odd


def _verified(made: Cluster) -> list[str]:
    """Every journal of the front and of the workers, and what the store saw of them."""
    made.stop()
    wrong = []
    for node in ("front", *NODES):
        front = made.front("audit", "verify", "--quiet", f"--state-dir={made.folder / node}")
        code = front.wait()
        said = front.output() or front.errors().splitlines() or [""]
        say(*_folded(f"   {'BAD' if code else 'ok '} runbook audit verify of {node}: {said[-1].strip()}"))
        wrong += [f"runbook audit verify of {node} ended with {code}: {' '.join(said)}"] if code else []
    return wrong


def _few(lines: Sequence[str]) -> list[str]:
    """The first lines, folded to the width of a terminal, and how many more there are."""
    more = [f"   ... and {len(lines) - FEW} more lines"] if len(lines) > FEW + 1 else []
    return [folded for line in (lines[:FEW] if more else lines) for folded in _folded(line)] + more


def _folded(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, WIDE, subsequent_indent=indent, break_on_hyphens=False) or [""]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
