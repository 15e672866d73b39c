"""Builds the container image where something is there that builds one, and says why where not."""

from __future__ import annotations

import shutil
import subprocess
import sys

from tools.locked import ROOT, locked

from memrunbook.version import __version__

PYTHON = "3.13"
BUILDERS = {"podman": ("info",), "buildah": ("info",), "docker": ("info",)}
"""Each with what shows that it works: docker's command is of no use without its service."""
BASE = f"docker.io/library/python:{PYTHON}-slim"
NO_BASE = 'the base image {base} could not be had: {why}; another one: make container BASE="..."'


def obstacle(builder: str, base: str) -> str:
    """Why an image cannot be built here; empty where it can."""
    shows = subprocess.run([builder, *BUILDERS[builder]], check=False, capture_output=True, text=True)
    if shows.returncode:
        return f"{builder} does not work here: {last_line(shows.stderr)}"
    there = subprocess.run([builder, "images", "--quiet", base], check=False, capture_output=True, text=True)
    if there.returncode == 0 and there.stdout.strip():
        return ""
    pulled = subprocess.run([builder, "pull", base], check=False, capture_output=True, text=True)
    return NO_BASE.format(base=base, why=last_line(pulled.stderr)) if pulled.returncode else ""


def last_line(text: str) -> str:
    """What a program said at last, which is why it failed."""
    return (text.strip().splitlines() or ["it says nothing"])[-1]


def main(base: str) -> int:
    """0 where the image was built, or cannot be built here; 1 where it should have been."""
    there = [one for one in BUILDERS if shutil.which(one)]
    if not there:
        print(f"no container image: none of {', '.join(BUILDERS)} is installed here")
        return 0
    why = [obstacle(one, base) for one in there]
    if all(why):
        print(f"no container image: {'; '.join(why)}")
        return 0
    builder = there[why.index("")]
    locked(PYTHON, ROOT / "build" / f"locked-{PYTHON}.txt")
    words = [builder, "build", "--file", "packaging/Containerfile", "--build-arg", f"PYTHON={base}"]
    name = f"memrunbook:{__version__}"
    done = subprocess.run([*words, "--tag", name, "."], check=False, cwd=ROOT)
    if done.returncode:
        return 1
    return tried(builder, name)


def tried(builder: str, name: str) -> int:
    """The status of the command in the image, asked for its runbooks without a network."""
    if builder != "buildah":
        return subprocess.run([builder, "run", "--rm", "--network=none", name, "list"], check=False).returncode
    container = subprocess.run([builder, "from", name], check=True, capture_output=True, text=True).stdout.strip()
    try:
        return subprocess.run([builder, "run", container, "--", "runbook", "list"], check=False).returncode
    finally:
        subprocess.run([builder, "rm", container], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else BASE))
