"""The tools that are measured, each in a venv of its own, in the versions of its lock file."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LOCKS = Path(__file__).parent
ROOT = LOCKS.parents[1]
VENVS = ROOT / ".venv-peers"
PACKAGES = {"ansible": "ansible-core", "pyinfra": "pyinfra", "fabric": "fabric", "parallel-ssh": "parallel-ssh"}
"""By the name of its lock file: the package whose version is told."""
WANTED = (3, 12)
"""ansible-core's newest needs it; the same Python for all of them."""
TRIED = tuple(f"python3.{minor}" for minor in range(14, WANTED[1] - 1, -1))
ASK = "import sys, venv, ensurepip; print('.'.join(map(str, sys.version_info[:3])))"
INSTALL_SECONDS = 900


@dataclass(frozen=True)
class Python:
    """An interpreter that can make venvs; `lack` says what is missing where it is older than wanted."""

    path: str
    version: str
    lack: str = ""


@dataclass(frozen=True)
class Tool:
    """An installed tool: its programs are in `programs`; else `lack` says why it is not."""

    name: str
    version: str = ""
    programs: Path = Path()
    lack: str = ""

    def program(self, name: str) -> str:
        return str(self.programs / name)


def interpreter(own: str) -> Python:
    """The newest Python here that is new enough, else `own`. Version managers' are found where they keep them."""
    for path in _candidates():
        if version := _version(path):
            return Python(path, version)
    lack = f"Python {'.'.join(map(str, WANTED))} is missing"
    return Python(own, _version(own), lack)


def _candidates() -> Iterator[str]:
    kept = [
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions",
        Path.home() / ".local/share/uv/python",
    ]
    for name in TRIED:
        if found := shutil.which(name):
            yield found
        for folder in kept:
            yield from sorted(map(str, folder.glob(f"*/bin/{name}")), reverse=True)


def _version(path: str) -> str:
    """Its version; empty where it does not run, or cannot make a venv."""
    done = subprocess.run([path, "-c", ASK], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def install(name: str, python: Python) -> Tool:
    """Installs a tool as its lock file says, unless that was done before."""
    folder, lock = VENVS / name, LOCKS / f"{name}.lock"
    state = f"{python.version} {hashlib.sha256(lock.read_bytes()).hexdigest()}"
    stamp = folder / "installed"
    if not (stamp.exists() and stamp.read_text(encoding="ascii") == state):
        if lack := _made(folder, lock, python):
            return Tool(name, lack=lack)
        stamp.write_text(state, encoding="ascii")
    ask = f"from importlib.metadata import version; print(version({PACKAGES[name]!r}))"
    words = [str(folder / "bin/python"), "-c", ask]
    version = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    return Tool(name, version, folder / "bin")


def _made(folder: Path, lock: Path, python: Python) -> str:
    """Makes the venv; why that did not work, empty where it did."""
    shutil.rmtree(folder, ignore_errors=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement"]
    for words in ([python.path, "-m", "venv", str(folder)], [str(folder / "bin/python"), *install, str(lock)]):
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            return f"not installed: {lines[-1] if lines else f'pip ended with {done.returncode}'}"
    return ""
