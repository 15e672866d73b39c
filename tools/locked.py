"""What users get, in the versions of the lock: what the package with all of its extras depends on, with hashes."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements-dev.lock"
FOR_DEVELOPERS = ("dev", "test")
UV = Path(sys.executable).with_name("uv")


def extras() -> list[str]:
    """The extras that are meant for users."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    return sorted(set(named) - set(FOR_DEVELOPERS))


def locked(python: str, target: Path) -> Path:
    """Writes to *target* the requirements of a *python* (as "3.11") on Linux, each with version and hashes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    words: list[str | Path] = [
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--no-annotate",
        "--generate-hashes",
        "--output-file",
        target,
    ]
    words += ["--python-version", python, "--python-platform", "linux", "--constraints", LOCK]
    words += [word for extra in extras() for word in ("--extra", extra)]
    run(UV, *words, ROOT / "pyproject.toml")
    return target


def run(*words: str | Path, cwd: Path = ROOT) -> str:
    """What a command printed; what it said of its failure stands on the terminal."""
    done = subprocess.run([str(word) for word in words], check=True, cwd=cwd, stdout=subprocess.PIPE, text=True)
    return done.stdout
