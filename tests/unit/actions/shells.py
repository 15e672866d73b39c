"""Runs an action's scripts for real, in every shell that hosts have, with a stand-in for systemctl."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from memrunbook.actions.shared.scripts import WOULD_ACT

SHELLS = {"dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "sh"]}
SESSION = 'child() { ( exec "$@" ); }\nbody() {\n%s\n}\nbody "$@"\nstatus=$?\necho alive >&2\n( exit $status )\n'

SYSTEMCTL = """\
#!/bin/sh
case $1 in
  show) cat "$HOST/show" ;;
  *) printf '%s\\n' "$*" >>"$HOST/calls"; [ ! -e "$HOST/fails" ] || { echo "Job failed." >&2; exit 3; } ;;
esac
"""
JOURNALCTL = '#!/bin/sh\necho "journal of $1"\n'


@dataclass(frozen=True)
class Result:
    """How a script ended and what it printed."""

    status: int
    text: str


@dataclass(frozen=True)
class Machine:
    """One shell, with a folder for what the stand-ins read and write."""

    shell: list[str]
    folder: Path

    def do(self, script: str, *args: str) -> Result:
        """Runs a change as the session does: as a function body, with `child`; the shell must live on."""
        result = self._run(SESSION % script, args)
        assert result.text.endswith("alive\n"), result.text
        return Result(result.status, result.text.removesuffix("alive\n"))

    def undo(self, script: str, *args: str, settles: bool = True) -> Result:
        """Runs an undo as a timer of the host does: by `sh -c`, without `child`.

        It is looked with first: that changes nothing, and says what the undo then does. Whoever looks afterwards sees
        that there is nothing left to do, unless the test's files do not do as a kernel's would (`settles`).
        """
        before = self.calls
        seen = self.look(script, *args)
        assert self.calls == before, seen.text
        done = self._run(script, args)
        assert seen.status in (done.status, WOULD_ACT), (seen, done)
        if done.status == 0 and settles and not (self.folder / "show").exists():  # what a stand-in shows stays as it is
            assert self.look(script, *args).status == 0
        return done

    def look(self, script: str, *args: str) -> Result:
        """Runs an undo only to look."""
        return self._run(f"mrb_look=1\n{script}", args)

    def shows(self, **properties: str) -> None:
        """What `systemctl show` prints from now on."""
        (self.folder / "show").write_text("".join(f"{name}={value}\n" for name, value in properties.items()))

    def fails(self) -> None:
        """From now on every systemctl command fails."""
        (self.folder / "fails").touch()

    @property
    def calls(self) -> list[str]:
        """The systemctl commands so far, `show` left out."""
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def _run(self, script: str, args: tuple[str, ...]) -> Result:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            [*self.shell, "-c", script, "sh", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": path, "HOST": str(self.folder), "LC_ALL": "C"},
            timeout=60,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode())


@pytest.fixture(params=SHELLS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    """A machine for each shell that is installed here."""
    shell = SHELLS[request.param]
    if not shutil.which(shell[0]):
        pytest.skip(f"{request.param} is not installed")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("systemctl", SYSTEMCTL), ("journalctl", JOURNALCTL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return Machine(shell, tmp_path)
