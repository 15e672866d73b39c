"""What a private key's file tells without its passphrase, and what is said where no key let a user in."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from memrunbook.core.errors import LoginError
from memrunbook.runtime.named_file import read_named

AGENT_HINT = "is the agent locked or hung? start one anew, or put SSH_AUTH_SOCK= before the command"
_MAGIC = b"openssh-key-v1\0"
LARGEST_KEY = 1 << 20
"""Bytes of a key, private or public, or of a certificate."""


def is_exposed(path: Path) -> bool:
    """True for a key of ours that others may read: ssh does not use it. OSError where it is not there."""
    seen = path.stat()
    return seen.st_uid == os.getuid() and bool(seen.st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def is_encrypted(path: Path) -> bool:
    """True for a key that wants a passphrase (PROTOCOL.key: the name of its cipher; PEM says so in words)."""
    try:
        text = read_named(path, LARGEST_KEY).decode("ascii")
        body = base64.b64decode("".join(line for line in text.splitlines() if not line.startswith("-")))
    except (OSError, ValueError):
        return False
    return "ENCRYPTED" in text or (body.startswith(_MAGIC) and not body.startswith(_MAGIC + b"\0\0\0\4none"))


def refused_login(
    user: str, where: str, tried: Sequence[str], unusable: Sequence[tuple[str, str]], agent_fault: str
) -> LoginError:
    """That no key let this user in: those that were tried, and the files that could not be used, with the reason."""
    encrypted = [path for path, why in unusable if why == "encrypted"]
    another = "another user (USER@HOST), another key (--identity FILE), or ssh-add"
    hint = f"ssh-add {encrypted[0]}" if encrypted else AGENT_HINT if agent_fault else another
    reasons = "; ".join([*(f"{path} ({why})" for path, why in unusable), *([agent_fault] if agent_fault else [])])
    if not tried:
        why = reasons or "no key file and no agent with keys"
        return LoginError(f"there is no usable key to log in as {user}: {why}", where=where, hint=hint)
    skipped = f"; not usable: {reasons}" if reasons else ""
    keys = f"{len(tried)} key{'s' if len(tried) > 1 else ''}: {', '.join(tried)}"
    return LoginError(f"the host refused {user} with {keys}{skipped}", where=where, hint=hint)


def barred_login(user: str, where: str, line: str) -> LoginError:
    """That the configuration here lets nobody show a key, and nothing else can be asked for."""
    return LoginError(
        f"the ssh configuration lets {user} show no key: {line}",
        where=where,
        hint="allow keys for this host (PubkeyAuthentication yes): a run asks nobody for a password",
    )


def keyless(where: str, allowed: str) -> LoginError:
    """That keys are of no use there."""
    return LoginError("the host does not let this user log in with a key", where=where, hint=f"it allows: {allowed}")


def ended_login(where: str, why: str) -> LoginError:
    """That the host broke the login off."""
    return LoginError(
        f"the host ended the connection during the login: {why}",
        where=where,
        hint="too many keys in the agent? name the right one, with IdentitiesOnly in the ssh configuration",
    )
