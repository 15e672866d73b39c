"""Two real users of one group who share a state directory: each command runs under their own uid."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import pytest
from tests.cli.console import ROOT, Ran

GROUP = 4300
ADA, BOB, EVE = 4301, 4302, 4399
COMMAND = "from memrunbook.cli.main import main; main()"


@dataclass(frozen=True)
class Team:
    """A folder that everybody may enter; `state` is shared by the group."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def run(
        self, uid: int, *words: str, gid: int = GROUP, umask: str = "077", state: Path | None = None, **env: str
    ) -> Ran:
        """The command as this user, whose umask shares nothing."""
        python = Path(sys.executable).resolve()
        base = str(Path(sysconfig.get_config_var("prefix")))
        home = self.folder / f"home-{uid}"
        if not home.exists():
            home.mkdir(mode=0o700)
            os.chown(home, uid, gid)
        packages = [str(ROOT / "src"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": os.pathsep.join(packages),
                       "PYTHONHOME": base, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(home),
                       "RUNBOOK_STATE_DIR": str(state or self.state), **env}  # fmt: skip
        with tempfile.TemporaryDirectory() as opened:
            Path(opened).chmod(0o755)
            lowered = ["setpriv", "--reuid", str(uid), "--regid", str(gid), "--clear-groups", "--"]
            script = f'{_opening([base, *packages], Path(opened))}umask {umask}; exec "$@"'
            done = subprocess.run(
                ["unshare", "-m", "sh", "-ec", script, "sh", *lowered, str(python), "-c", COMMAND, *words],
                check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=110, env=environment,
            )  # fmt: skip
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def _opening(needed: Sequence[str], opened: Path) -> str:
    """Lines of sh for a mount namespace: what may lie in a home that is closed to others is then reached by all."""
    found: dict[str, str] = {}
    lines = ""
    for path in dict.fromkeys(needed):
        closed = next((str(one) for one in reversed(Path(path).parents) if not one.stat().st_mode & 0o001), "")
        if closed:
            beside = found.setdefault(closed, str(opened / str(len(found))))
            place = f"{beside}{path.removeprefix(closed)}"
            lines += f"mkdir -p {quote(place)}; mount --bind {quote(path)} {quote(place)}\n"
    return lines + "".join(f"mount --rbind {quote(beside)} {quote(closed)}\n" for closed, beside in found.items())


@contextmanager
def team(*, mode: int = 0o3770) -> Iterator[Team]:
    """A state directory as docs/how-to/share-a-state-directory.md makes it."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "setpriv"))):
        pytest.skip("needs root, unshare and setpriv: commands run as two users")
    with tempfile.TemporaryDirectory(prefix="runbook-team-") as name:
        made = Team(Path(name))
        made.folder.chmod(0o755)
        made.state.mkdir()
        os.chown(made.state, 0, GROUP)
        made.state.chmod(mode)
        yield made


def modes(folder: Path) -> Sequence[tuple[str, str, int]]:
    """Every path below a folder with its mode and owner."""
    return [
        (str(one.relative_to(folder)), f"{one.stat().st_mode & 0o7777:04o}", one.stat().st_uid)
        for one in sorted(folder.rglob("*"))
    ]
