"""Signs with a person's SSH key by OpenSSH's own `ssh-keygen -Y sign`: key files, the agent, FIDO keys alike."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from memrunbook.core.errors import Refused, UsageError
from memrunbook.core.text import clean
from memrunbook.runtime.named_file import read_named_text
from memrunbook.transports.shared.key_files import LARGEST_KEY

LISTING, SIGNING = 10.0, 60.0
"""How long the agent may take to list its keys, and a signature to come (somebody touches a key, types a PIN)."""
NO_KEYS, NO_AGENT = 1, 2
DEFAULTS = ("id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa")
ENCODING = "utf-8"


@dataclass(frozen=True)
class PersonalKey:
    """A key that a person may sign with: its public line, as in a .pub file, and where its private half is."""

    public: str
    place: str
    file: Path | None = None

    @property
    def words(self) -> list[str]:
        """Type, key, and what stands behind them."""
        return self.public.split(None, 2)

    @property
    def comment(self) -> str:
        """What its owner calls it."""
        return clean(self.words[2]) if len(self.words) > 2 else ""  # noqa: PLR2004  behind type and key

    @property
    def touched(self) -> bool:
        """True for a security key, which waits for a touch."""
        return self.words[0].startswith("sk-")


def personal_keys() -> list[PersonalKey]:
    """The agent's keys, else the usual files of ~/.ssh; Refused where the agent accepts and does not answer."""
    return _of_agent() or [key for name in DEFAULTS if (key := _of_file(Path.home() / ".ssh" / name)) is not None]


def key_in(file: Path) -> PersonalKey:
    """The key in a private or public file; UsageError where there is none."""
    bare = file.with_suffix("") if file.suffix == ".pub" else file
    found = _of_file(bare)
    if found is None:
        hint = "name a private key that has its .pub file beside it, or the .pub file of a key that the agent holds"
        raise UsageError("there is no public key", where=str(file), hint=hint)
    return found


def sign(content: bytes, key: PersonalKey, namespace: str, seconds: float = SIGNING) -> str:
    """The signature (SSHSIG, armoured) of the content; Refused where none came in time, or the key's owner said no."""
    with tempfile.TemporaryDirectory(prefix="runbook-") as name:
        folder = Path(name)
        (folder / "plan").write_bytes(content)
        (folder / "key.pub").write_text(f"{key.public}\n", ENCODING)
        private = key.file if key.file is not None else folder / "key.pub"
        words = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(private), str(folder / "plan")]
        done = _ran(words, seconds, f"no signature came within {seconds:.0f} s from {key.place}")
        try:
            return (folder / "plan.sig").read_text(ENCODING)
        except OSError:
            said = clean(done.stderr.decode(ENCODING, "replace").strip()) or f"status {done.returncode}"
            raise Refused(f"{key.place} did not sign: {said}", hint="another key: --key FILE; or: ssh-add") from None


def _of_agent() -> list[PersonalKey]:
    if not os.environ.get("SSH_AUTH_SOCK"):
        return []
    done = _ran(["ssh-add", "-L"], LISTING, f"the ssh agent accepts, and did not answer within {LISTING:.0f} s")
    if done.returncode in (NO_KEYS, NO_AGENT):
        return []
    lines = done.stdout.decode(ENCODING, "replace").splitlines()
    return [PersonalKey(line, "the ssh agent") for line in lines if len(line.split()) > 1]


def _of_file(private: Path) -> PersonalKey | None:
    """A key by its .pub file; its private half may be in the agent alone."""
    try:
        public = read_named_text(Path(f"{private}.pub"), LARGEST_KEY, "replace").strip()
    except OSError:
        return None
    if len(public.split()) < 2:  # noqa: PLR2004  type and key
        return None
    return PersonalKey(public, str(private), private if private.is_file() else Path(f"{private}.pub"))


def _ran(words: Sequence[str], seconds: float, late: str) -> subprocess.CompletedProcess[bytes]:
    """Runs one of OpenSSH's programs; it asks for passphrases and PINs at the terminal itself."""
    if shutil.which(words[0]) is None:
        raise UsageError(f"{words[0]} is not installed here, and it signs", hint="install OpenSSH's client programs")
    try:
        return subprocess.run(words, check=False, capture_output=True, timeout=seconds)  # noqa: S603  constant words, our own files
    except subprocess.TimeoutExpired:
        hint = "is it locked, or waiting for a confirmation? name another key: --key FILE"
        raise Refused(late, hint=hint) from None
