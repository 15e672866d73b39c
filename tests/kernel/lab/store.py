"""The lab's cache on disk: each thing is made once, in a temporary place, under a lock, renamed when it is whole."""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.kernel.lab.waiting import wait_until

LONGEST_BUILD_SECONDS = 1800
UNUSED_SECONDS = 14 * 86_400
STARTING_RUN_SECONDS = 60


def store() -> Path:
    """Return the cache directory of the lab, made if it is missing."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    directory = Path(cache) / "memrunbook-lab"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def key_of(*parts: str) -> str:
    """Return a short name that changes with every change of *parts*."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def kept(target: Path, make: Callable[[Path], None]) -> Path:
    """Return the directory *target*, filled by *make* first if it is not there; a failed *make* leaves nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_suffix(".lock")):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(dir=target.parent, prefix="making-") as place:
                made = Path(place) / target.name
                made.mkdir()
                make(made)
                made.rename(target)
    os.utime(target)
    return target


@contextmanager
def run_directory() -> Iterator[Path]:
    """Yield a directory for the disks of one running guest, removed afterwards."""
    runs = store() / "runs"
    runs.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=runs, prefix="guest-", ignore_cleanup_errors=True) as place,
        _locked(_owner(Path(place))),
    ):
        yield Path(place)


def prune() -> None:
    """Remove what was not used for two weeks, and the disks of guests whose owner was killed before it could do so."""
    for unused in [
        *_older("images/*/", UNUSED_SECONDS),
        *_older("images/*/*-*/", UNUSED_SECONDS),
        *_older("libraries/*/", UNUSED_SECONDS),
    ]:
        shutil.rmtree(unused, ignore_errors=True)
    for run in _older("runs/guest-*/", STARTING_RUN_SECONDS):
        with suppress(OSError), _owner(run).open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(run, ignore_errors=True)


def _older(pattern: str, seconds: float) -> list[Path]:
    return [entry for entry in store().glob(pattern) if time.time() - entry.stat().st_mtime > seconds]


def _owner(run: Path) -> Path:
    return run / "owner.lock"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    def taken() -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    with path.open("a") as handle:
        wait_until(taken, seconds=LONGEST_BUILD_SECONDS, what=f"lock on {path}", pause=0.5)
        yield
