"""`python -m bench.chaos --runs 200 --hosts 50 --workers 3 --seed 1`: as root; a folder keeps all that was written."""

from __future__ import annotations

import argparse
import faulthandler
import signal
import sys
import tempfile
from pathlib import Path

from bench.chaos.course import Course, carried_out
from bench.chaos.stage import STALLED_AFTER, missing


def main() -> int:
    """Prints misfortunes and ends as they come, then the figures and all that is wrong; 1 where something is."""
    if lack := missing():
        raise SystemExit(lack)
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    for name, usual in (("runs", 200), ("hosts", 50), ("workers", 3), ("seed", 1), ("fronts", 8)):
        parser.add_argument(f"--{name}", type=int, default=usual, help=f"default: {usual}")
    parser.add_argument("--pace", type=float, default=1.0, help="misfortunes come so many times slower; default: 1")
    parser.add_argument("--kill-fronts", type=float, default=0.0, help="so large a part of the fronts; default: 0")
    parser.add_argument("--seconds", type=float, default=86400.0, help="then no run is begun any more; default: a day")
    parser.add_argument("--stalled-after", type=float, default=STALLED_AFTER, help="seconds; longer on a busy machine")
    parser.add_argument("--loses", type=float, default=60.0, help="seconds until a node is lost; 0: none; default: 60")
    parser.add_argument("--folder", type=Path, help="where all that is written is kept; default: a new one in /tmp")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    faulthandler.register(signal.SIGUSR1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # what was started here is ended too
    course = Course(
        runs=asked.runs,
        hosts=asked.hosts,
        workers=asked.workers,
        seed=asked.seed,
        fronts=asked.fronts,
        kill_fronts=asked.kill_fronts,
        pace=asked.pace,
        loses=asked.loses,
        seconds=asked.seconds,
        stalled_after=asked.stalled_after,
    )
    result = carried_out(course, folder, lambda words: print(words, flush=True))
    print("\n".join(result.table()))
    for wrong in result.wrong:
        print(f"WRONG {wrong.kind}: {wrong.what}")
    print(f"seed {asked.seed}: {len(result.wrong)} wrong; all that was written is in {folder}")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
