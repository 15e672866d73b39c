"""Builds the Debian package for a guest, and installs it there; no guest has a network to fetch anything from."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.kernel.lab.command import execute
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.store import run_directory
from tools.debian_package import RELEASES, build

ROOT = Path(__file__).parents[3]
PLACE = "/var/tmp/memrunbook.deb"
INSTALL_SECONDS, BUILD_SECONDS = 1800, 300
SHOWS_MANUALS = "rm -f /etc/dpkg/dpkg.cfg.d/99mmdebstrap"
"""The guest's image left manuals and documents out, and would leave out ours."""


def package_for(guest: Guest) -> bytes:
    """The package of the guest's Debian; that of DEB=FILE where somebody has one already."""
    if ready := os.environ.get("DEB"):
        return Path(ready).read_bytes()
    number = guest.check(". /etc/os-release && echo $VERSION_ID").strip()
    [release] = [one for one in RELEASES if one.number == number]
    with run_directory() as directory:
        words: list[str | Path] = [
            sys.executable,
            "-m",
            "build",
            "--no-isolation",
            "--wheel",
            "--outdir",
            directory,
            ".",
        ]
        execute(words, cwd=ROOT, seconds=BUILD_SECONDS)
        [wheel] = directory.glob("*.whl")
        return build(release, wheel).read_bytes()


def install_package(guest: Guest) -> None:
    """Installs it as somebody would who has only the file."""
    guest.write(PLACE, package_for(guest))
    guest.check(f"{SHOWS_MANUALS} && dpkg --install {PLACE}", seconds=INSTALL_SECONDS)
