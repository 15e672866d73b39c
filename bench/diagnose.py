"""One host: `runbook diagnose` (sample interval apart) against the reference probe through OpenSSH's client.

Also start-up: CPU time of `runbook --help` and `list` above that of `python -c pass`. Prints figures and ratios.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.sshd import Sshd, running

from memrunbook.core.runbook.spec import Sampling

ROUNDS = 7
GOAL_RATIO, GOAL_CPU_MS = 2.5, 100.0
PROBE = Path(__file__).with_name("reference-probe.sh")
RUNBOOK = str(Path(sys.executable).with_name("runbook"))


def main() -> int:
    """Measures, prints, and fails where a goal is missed."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as sshd:
        reference, diagnose = _alternating(lambda: _reference(sshd), lambda: _diagnose(sshd))
    waited = (Sampling().count - 1) * Sampling().every
    ratio = (diagnose - waited) / reference
    print(f"reference probe through ssh      {reference * 1000:7.0f} ms wall (median of {ROUNDS})")
    print(f"runbook diagnose, sample apart   {(diagnose - waited) * 1000:7.0f} ms wall")
    print(f"ratio                            {ratio:7.2f}    goal at most {GOAL_RATIO}")
    slow = [words for words in (["--help"], ["list"]) if _startup(words) > GOAL_CPU_MS]
    return 1 if ratio > GOAL_RATIO or slow else 0


def _alternating(first: Callable[[], float], second: Callable[[], float]) -> tuple[float, float]:
    pairs = [(first(), second()) for _ in range(ROUNDS)]
    return statistics.median(one for one, _ in pairs), statistics.median(two for _, two in pairs)


def _wall(command: Sequence[str], stdin: bytes = b"") -> float:
    began = time.perf_counter()
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    took = time.perf_counter() - began
    if done.returncode not in (0, 8) or not done.stdout:
        raise SystemExit(f"{command[0]} failed: {done.stderr.decode()}")
    return took


def _reference(sshd: Sshd) -> float:
    options = [
        "KexAlgorithms=curve25519-sha256",
        "IdentitiesOnly=yes",
        f"UserKnownHostsFile={sshd.folder / 'known_hosts'}",
    ]
    words = [word for option in options for word in ("-o", option)]
    client = ["ssh", "-F", "none", "-i", str(sshd.folder / "id"), "-p", str(sshd.port), *words]
    return _wall([*client, f"{sshd.user}@127.0.0.1", "sh -s"], PROBE.read_bytes())


def _diagnose(sshd: Sshd) -> float:
    return _wall([RUNBOOK, "diagnose", *sshd.arguments])


def _startup(words: list[str]) -> float:
    """CPU time in ms above that of an empty Python; the smallest of several, since noise only adds."""
    empty = min(_cpu([sys.executable, "-c", "pass"]) for _ in range(ROUNDS))
    ours = min(_cpu([RUNBOOK, *words]) for _ in range(ROUNDS))
    print(f"runbook {words[0]:<8} CPU above python   {(ours - empty) * 1000:7.0f} ms   goal at most {GOAL_CPU_MS:.0f}")
    return (ours - empty) * 1000


def _cpu(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
