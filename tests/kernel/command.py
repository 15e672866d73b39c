"""The command `runbook` against a guest, as a user runs it: its own process, its own state directory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.waiting import wait_until

RUNBOOK = Path(sys.executable).with_name("runbook")
CONFIGURED = ("run", "plan", "diagnose", "resume", "record")
KEEPS = ("run", "plan", "diagnose", "resume", "undo", "runs", "report", "audit")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines that it printed."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document that it printed."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def host(self) -> dict[str, Any]:
        """The only host of a run's summary."""
        host: dict[str, Any] = self.lines[-1]["hosts"][0]
        return host

    def states(self) -> dict[str, str]:
        """The state of each step of a run."""
        return {step["id"]: step["state"] for step in self.host["steps"]}

    def executed(self) -> list[str]:
        """The actions that the journal says were carried out on the host, in order."""
        asked = [line["request"] for line in self.lines if line.get("event") == "asked"]
        return [request["change"]["action"] for request in asked if request["type"] == "Execute"]


@dataclass(frozen=True)
class Operator:
    """Somebody with a terminal-less shell, a state directory and a guest."""

    guest: Guest
    folder: Path
    user: str = "root"

    def __call__(self, *words: str, seconds: float = 900, host: bool = True) -> Ended:
        """Runs `runbook WORDS` against the guest."""
        done = subprocess.run(
            self._command(words, host=host),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def killed(self, *words: str, once: Callable[[], bool], what: str, seconds: float = 300) -> None:
        """Runs `runbook WORDS` against the guest, and kills it (SIGKILL) as soon as something holds."""
        with (self.folder / "killed.out").open("w") as out:
            engine = subprocess.Popen(self._command(words, host=True), stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        try:
            wait_until(once, seconds=seconds, what=what, pause=0.1)
            assert engine.poll() is None, (self.folder / "killed.out").read_text()
        finally:
            engine.kill()
            engine.wait()

    def _command(self, words: Sequence[str], *, host: bool) -> list[str]:
        address = self.guest.address
        self.folder.mkdir(parents=True, exist_ok=True)  # a folder of settings that is named must be there
        keys = [
            "--identity", str(address.identity), "--known-hosts", str(address.known_hosts), "--patience", "2m",
        ]  # fmt: skip
        names = ["--host", f"{self.user}@127.0.0.1:{address.port}"] if words[0] != "resume" else []
        state = ["--state-dir", str(self.folder / "state")] if words[0] in KEEPS else []
        config = ["--config-dir", str(self.folder)] if words[0] in CONFIGURED else []
        return [str(RUNBOOK), *words, *([*names, *keys] if host else []), *state, *config]

    def intact(self) -> bool:
        """True when the journal verifies."""
        return self("audit", "verify", host=False).status == 0
