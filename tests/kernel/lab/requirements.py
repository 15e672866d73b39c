"""Says what this machine lacks to run guests, and how to get it."""

import os
import platform
import shutil
from pathlib import Path

from tests.kernel.lab.command import execute, located
from tests.kernel.lab.errors import CommandFailed
from tests.kernel.lab.store import store

PACKAGE_OF = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "mkfs.ext4": "e2fsprogs",
    "cc": "gcc",
    "ssh": "openssh-client",
    "tar": "tar",
    "setpriv": "util-linux",
}
PACKAGE_OF_UNPRIVILEGED = {"fakeroot": "fakeroot", "newuidmap": "uidmap"}
FREE_BYTES_NEEDED = 3 * 1024**3


def missing_packages() -> list[str]:
    """Return the Debian packages that a build or a guest needs and that are not installed."""
    needed = PACKAGE_OF if os.geteuid() == 0 else PACKAGE_OF | PACKAGE_OF_UNPRIVILEGED
    missing = [package for program, package in needed.items() if located(program) is None]
    return missing if _has_static_c_library() else [*missing, "libc6-dev"]


def obstacle() -> str | None:
    """Return why this machine cannot run guests, in one line, or None if it can."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return f"guests are built on x86-64 Linux, this is {platform.system()} on {platform.machine()}"
    if located("apt-get") is None:
        return "guests are built from Debian packages, there is no apt-get here"
    if missing := missing_packages():
        return f"missing here: apt-get install --no-install-recommends {' '.join(missing)}"
    if shutil.disk_usage(store()).free < FREE_BYTES_NEEDED:
        return f"less than 3 GiB are free in {store()}"
    return None


def _has_static_c_library() -> bool:
    try:
        return Path(execute(["cc", "-print-file-name=libc.a"]).strip()).is_absolute()
    except CommandFailed:
        return False
