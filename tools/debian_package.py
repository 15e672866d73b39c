"""Builds the Debian packages, one for each Debian, with debhelper: `python -m tools.debian_package WHEEL [12]`."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from tools.locked import ROOT, UV, locked, run
from tools.man import pages
from tools.sbom import sbom

from memrunbook.documents.systemd_units import of_a_team, units
from memrunbook.state.paths import FOR_ROOT
from memrunbook.version import __version__

PACKAGING, BUILD, DIST = ROOT / "packaging", ROOT / "build", ROOT / "dist"
PROGRAM, LIBRARY, DOC = "/usr/bin/runbook", "/usr/lib/memrunbook", "usr/share/doc/memrunbook"
USER = "memrunbook"
LAUNCHER = f"""\
#!/usr/bin/python3 -IS
import sys

sys.path.insert(0, "{LIBRARY}")

from memrunbook.cli.main import main

main()
"""
"""-I and -S: nothing of the user's Python and nothing of Debian's modules is mixed with what is inside."""
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/runbook",
    "zsh": "usr/share/zsh/vendor-completions/_runbook",
    "fish": "usr/share/fish/vendor_completions.d/runbook.fish",
}
PAGES = ("explanation", "how-to", "reference", "tutorial")
NOBODY = "whoever built this package <root@localhost>"


@dataclass(frozen=True, slots=True)
class Release:
    """A Debian: its number, its code name and the Python of which it has the only one."""

    number: str
    name: str
    python: str

    @property
    def next_python(self) -> str:
        """The first Python for which the compiled libraries were not made."""
        major, minor = self.python.split(".")
        return f"{major}.{int(minor) + 1}"


RELEASES = (Release("12", "bookworm", "3.11"), Release("13", "trixie", "3.13"))


def main(wheel: Path, number: str = "") -> None:
    """Builds each of them, or that of one Debian, and names the files."""
    for release in [one for one in RELEASES if number in ("", one.number)]:
        print(build(release, wheel).relative_to(ROOT))


def build(release: Release, wheel: Path) -> Path:
    """The package of one Debian, in dist/."""
    source = BUILD / "deb" / f"debian-{release.number}" / "source"
    shutil.rmtree(source.parent, ignore_errors=True)
    source.mkdir(parents=True)
    stage(release, wheel, source / "root")
    describe(release, source / "debian")
    run("dpkg-buildpackage", "--build=binary", "--no-sign", cwd=source)
    [made] = source.parent.glob("*.deb")
    DIST.mkdir(exist_ok=True)
    return Path(shutil.move(made, DIST / made.name))


def stage(release: Release, wheel: Path, root: Path) -> None:
    """Puts everything where it will lie."""
    library = root / LIBRARY.lstrip("/")
    wanted = locked(release.python, BUILD / f"locked-{release.python}.txt")
    words: list[str | Path] = [
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--link-mode=copy",
        "--target",
        library,
    ]
    words += ["--python-version", release.python, "--python-platform", f"{os.uname().machine}-manylinux_2_28"]
    run(UV, *words, "--require-hashes", "--requirement", wanted)
    run(UV, *words, wheel)
    shutil.rmtree(library / "bin")
    for left_over in (library / ".lock", *library.rglob(".gitignore")):
        left_over.unlink(missing_ok=True)
    for module in library.rglob("*.py"):
        module.chmod(0o644)  # some say that they are programs
    written(root / PROGRAM.lstrip("/"), LAUNCHER).chmod(0o755)
    shutil.copytree(PACKAGING / "etc", root / "etc" / USER)
    for shell, place in COMPLETIONS.items():
        written(root / place, run(Path(sys.executable).with_name("runbook"), "completion", shell))
    for folder in PAGES:
        shutil.copytree(ROOT / "docs" / folder, root / DOC / "docs" / folder)
    written(root / DOC / "examples" / "schedules.yaml", (PACKAGING / "schedules.yaml").read_text("utf-8"))
    shutil.copy(sbom(wheel), root / DOC / "sbom.cdx.json")


def describe(release: Release, debian: Path) -> None:
    """What debhelper reads: our own files, the version, and the unit that `runbook schedule install` writes, too."""
    shutil.copytree(PACKAGING / "debian", debian)
    (debian / "rules").chmod(0o755)
    maintainer = f"{os.environ['DEBFULLNAME']} <{os.environ['DEBEMAIL']}>" if "DEBEMAIL" in os.environ else NOBODY
    words = {"MAINTAINER": maintainer, "PYTHON": release.python, "NEXT": release.next_python}
    control = (debian / "control").read_text("utf-8")
    written(debian / "control", re.sub(r"@([A-Z]+)@", lambda found: words[found[1]], control))
    written(
        debian / "changelog",
        f"memrunbook ({version(release)}) {release.name}; urgency=medium\n\n"
        f"  * What has changed stands in CHANGELOG.md.\n\n -- {maintainer}  {formatdate(moment())}\n",
    )
    command = [PROGRAM, "schedule", "run", "--state-dir", str(FOR_ROOT)]
    for name, text in of_a_team(units(command, USER)).items():
        written(debian / name, text)
    for name, page in pages().items():
        written(debian / "man" / name, page)
    written(debian / "manpages", "debian/man/*.1\n")
    for name in ("CHANGELOG.md", "README.md", "SECURITY.md"):  # debhelper knows the first by its name
        shutil.copy(ROOT / name, debian.parent)
    written(debian / "docs", "README.md\nSECURITY.md\n")
    written(debian / "source" / "format", "3.0 (quilt)\n")


def version(release: Release) -> str:
    """As Debian orders versions: what comes before a release is smaller than it, and the next Debian's is larger."""
    ordered = re.sub(r"[.]?(dev|a|b|rc)", r"~\1", __version__)
    return f"{ordered}-1~deb{release.number}"


def moment() -> float:
    """When it is said to be made, the same for the same commit; SOURCE_DATE_EPOCH of the environment goes before."""
    said = os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct").strip()
    return float(said) if said else time.time()


def written(path: Path, text: str) -> Path:
    """The file with this text, and with the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), *sys.argv[2:])
