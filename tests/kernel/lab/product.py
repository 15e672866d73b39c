"""Installs what is tested into a guest that has Python, as its wheel with the libraries that it asks for."""

import re
import sys
import tomllib
from pathlib import Path

from tests.kernel.lab.command import execute
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.store import kept, key_of, run_directory, store

ROOT = Path(__file__).parents[3]
PROJECT, LOCK = ROOT / "pyproject.toml", ROOT / "requirements-dev.lock"
INSTALL_SECONDS = 600
PROGRAM = "/usr/local/bin/runbook"
_ENTRY = "#!/usr/bin/python3\nfrom memrunbook.cli.main import main\n\nmain()\n"
_VERSION = "python3 -c 'import sys; print(*sys.version_info[:2], sep=\".\")'"
_PINNED = re.compile(r"^[A-Za-z0-9._-]+==[^\s\\;]+", re.MULTILINE)


def install_product(guest: Guest) -> None:
    """Install the project's wheel and its libraries, in the versions of the lock; `runbook` is then on the path."""
    version = guest.check(_VERSION).strip()
    place = f"/usr/local/lib/python{version}/dist-packages"
    _unpack(guest, _libraries(version), place)
    with run_directory() as directory:
        execute([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory], cwd=ROOT, seconds=120)
        _pip(directory / "tree", version, "--no-deps", *directory.glob("*.whl"))
        execute(["tar", "-C", directory / "tree", "-cf", directory / "tree.tar", "."])
        _unpack(guest, directory / "tree.tar", place)
    guest.write(PROGRAM, _ENTRY, mode="0755")
    if version != ".".join(map(str, sys.version_info[:2])):  # else pip has compiled it
        guest.check(f"python3 -m compileall -q {place}", seconds=INSTALL_SECONDS)


def _libraries(version: str) -> Path:
    wanted = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    pinned = "\n".join(_PINNED.findall(LOCK.read_text()))

    def make(directory: Path) -> None:
        constraints = directory / "constraints.txt"
        constraints.write_text(pinned)
        _pip(directory / "tree", version, "-c", constraints, *wanted)
        execute(["tar", "-C", directory / "tree", "-cf", directory / "tree.tar", "."])
        execute(["rm", "-r", directory / "tree"])

    return kept(store() / "libraries" / key_of(version, pinned, *wanted, Path(__file__).read_text()), make) / "tree.tar"


def _pip(target: Path, version: str, *words: str | Path) -> None:
    """Install into *target* what a Python of that *version* needs, as packages that need no compiler."""
    options = ["--quiet", "--disable-pip-version-check", "--python-version", version, "--only-binary=:all:"]
    execute([sys.executable, "-m", "pip", "install", *options, "--target", target, *words], seconds=INSTALL_SECONDS)


def _unpack(guest: Guest, archive: Path, place: str) -> None:
    guest.write("/var/tmp/tree.tar", archive.read_bytes())
    guest.check(f"mkdir -p {place} && tar -C {place} -xf /var/tmp/tree.tar && rm /var/tmp/tree.tar")
