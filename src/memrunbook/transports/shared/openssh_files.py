"""What OpenSSH's client is handed by a run: one configuration for all hosts in a folder that goes with the run."""

from __future__ import annotations

import glob
import itertools
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook.transports.shared.ssh_settings import home

SYSTEMS = "/etc/ssh/ssh_config"
LONGEST = 60
"""A socket's path may have 107 bytes, and ssh adds 18 to ours while it makes one."""

# The first value of a keyword holds: nothing behind these lines can weaken them. They hold for jump hosts too.
_OURS = """\
BatchMode yes
UpdateHostKeys no
ControlMaster no
ControlPersist no
ClearAllForwardings yes
ForwardAgent no
ForwardX11 no
Tunnel no
PermitLocalCommand no
RequestTTY no
FingerprintHash sha256
NoHostAuthenticationForLocalhost no
LogLevel DEBUG1
ServerAliveInterval 15
ServerAliveCountMax 4
"""


@dataclass(eq=False)
class OpensshFiles:
    """Made at first use, taken away with the run. What is empty is as `ssh` would."""

    identities: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    ssh_config: Path | None = None
    accept_new: bool = False
    _folder: Path | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def config(self) -> Path:
        """The configuration: what a run asks for, then what the user and the system say."""
        return self._made() / "config"

    def new(self) -> Path:
        """The stem of the names of one connection's socket and log."""
        return self._made() / f"{next(self._numbers)}"

    def _made(self) -> Path:
        with self._turn:
            if self._folder is None:
                self._folder = _folder()
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
                (self._folder / "config").write_text("\n".join(_lines(self)) + "\n", "utf-8", "surrogateescape")
            return self._folder


def _folder() -> Path:
    made = tempfile.mkdtemp(prefix="runbook-")
    if len(os.fsencode(made)) > LONGEST:
        shutil.rmtree(made)
        made = tempfile.mkdtemp(prefix="runbook-", dir="/tmp")  # ours alone, as any other
    return Path(made)


def _lines(files: OpensshFiles) -> Iterator[str]:
    yield _OURS + f"StrictHostKeyChecking {'accept-new' if files.accept_new else 'yes'}"
    yield from (f"IdentityFile {_quoted(path)}" for path in files.identities)
    if files.known_hosts:
        yield f"UserKnownHostsFile {' '.join(_quoted(path) for path in files.known_hosts)}"
        yield "GlobalKnownHostsFile /dev/null"
    yield from (f'Include "{glob.escape(str(path))}"' for path in _included(files.ssh_config))


def _included(given: Path | None) -> tuple[Path, ...]:
    return (given.absolute(),) if given else (home() / ".ssh" / "config", Path(SYSTEMS))


def _quoted(path: Path) -> str:
    """A path as ssh_config writes it: tokens begin with a percent sign."""
    return '"' + str(path.absolute()).replace("%", "%%") + '"'
