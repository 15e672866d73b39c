"""A /run of the tests' own: the lock of this machine, and what a killed run leaves there, are neither ours nor shared.

Each worker has one, so tests with `--host local` wait for no other worker's and meet no lock of an earlier session.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from pathlib import Path

RUN = Path("/run")
OWN = "MEMRUNBOOK_TESTS_RUN_OF"
_NEW_MOUNTS = 0x00020000  # CLONE_NEWNS of linux/sched.h


def own_run_folder() -> bool:
    """Whether this process and its children see a /run of their own from here on; only root may make one.

    What is a folder there stays reachable (systemd's and sshd's are needed); files are not: locks and marks are files.
    The environment tells `is_own`.
    """
    if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS) != 0:
        return False
    with tempfile.TemporaryDirectory() as stage:
        _mount("--make-rprivate", "/")
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", stage)
        for folder in RUN.iterdir():
            if folder.is_dir() and not folder.is_symlink():
                (Path(stage) / folder.name).mkdir()
                _mount("--rbind", str(folder), f"{stage}/{folder.name}")
        _mount("--move", stage, str(RUN))
    os.environ[OWN] = str(os.getpid())
    return True


def is_own() -> bool:
    """True where /run belongs to this very process: nobody else's lock or mark is in it."""
    return os.environ.get(OWN) == str(os.getpid())


def _mount(*words: str) -> None:
    subprocess.run(("mount", *words), check=True)
