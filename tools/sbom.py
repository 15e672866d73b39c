"""Writes the SBOM of a wheel beside it (CycloneDX, JSON): `python -m tools.sbom WHEEL`.

It lists the wheel with all of its extras in the versions of the lock: they are installed into an environment of their
own, of which cyclonedx-py knows names, versions, licences and who needs whom.
"""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from pathlib import Path

from tools.locked import ROOT, UV, extras, locked, run

from memrunbook.version import __version__

BUILD = ROOT / "build" / "sbom"
VERSION = "1.6"
"""Of CycloneDX: the newest that most readers know."""


def sbom(wheel: Path) -> Path:
    """The file beside the wheel; made where it is missing or older than the wheel."""
    made = wheel.with_name(f"{wheel.name.partition('-py')[0]}.cdx.json")
    if made.exists() and made.stat().st_mtime >= wheel.stat().st_mtime:
        return made
    shutil.rmtree(BUILD, ignore_errors=True)
    python = "{}.{}".format(*sys.version_info)
    wanted = locked(python, BUILD / "locked.txt")
    run(UV, "venv", "--quiet", "--python", sys.executable, BUILD / "venv")
    words: list[str | Path] = ["pip", "install", "--quiet", "--no-deps", "--python", BUILD / "venv"]
    run(UV, *words, "--require-hashes", "--requirement", wanted)
    run(UV, *words, wheel)
    words = [
        "environment",
        "--pyproject",
        described(BUILD / "pyproject.toml"),
        "--mc-type",
        "application",
        "--validate",
    ]
    words += ["--output-reproducible", "--spec-version", VERSION, "--output-format", "JSON", "--output-file", made]
    run(Path(sys.executable).with_name("cyclonedx-py"), *words, BUILD / "venv")
    return made


def described(target: Path) -> Path:
    """What is said of the wheel itself: as in the project's own file, with the version and with what extras add."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    offered = project["optional-dependencies"]
    said = {word: project[word] for word in ("name", "description", "license")} | {"version": __version__}
    said["dependencies"] = [*project["dependencies"], *(one for extra in extras() for one in offered[extra])]
    lines = [f"{word} = {json.dumps(value)}" for word, value in said.items()]
    target.write_text("\n".join(["[project]", *lines, ""]), "utf-8")
    return target


if __name__ == "__main__":
    print(sbom(Path(sys.argv[1]).absolute()).relative_to(ROOT))
