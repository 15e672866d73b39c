"""Invitations to register a passkey: each a file that is named by the hash of its token, and goes when it is used."""

from __future__ import annotations

import hashlib
import re
import secrets
from pathlib import Path

from msgspec import Struct, json

from memrunbook.state import disk
from memrunbook.state.lines import read_lines

FOLDER = "passkey-invites"
LASTS = 600.0
"""Seconds in which one is good."""
TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}", re.ASCII)


class Invite(Struct, frozen=True, kw_only=True):
    """Who may register a passkey until when (UTC, seconds since 1970)."""

    person: str
    until: float


def invite(state: Path, person: str, now: float) -> str:
    """A token by which this person registers one passkey; those that nobody used in time are removed."""
    folder = state / FOLDER
    disk.make_directory(folder)
    for old in disk.listed(folder, "*.json"):
        if any(one.until <= now for one in read_lines(old, Invite)):
            old.unlink(missing_ok=True)
    token = secrets.token_urlsafe(32)
    disk.create(_file(state, token), json.encode(Invite(person=person, until=now + LASTS)))
    return token


def invited(state: Path, token: str, now: float) -> str:
    """Whom a token invites; empty where there is no such invitation, or its time is over."""
    found = list(read_lines(_file(state, token), Invite)) if TOKEN.fullmatch(token) else []
    return found[0].person if found and now < found[0].until else ""


def use_invite(state: Path, token: str) -> bool:
    """True for the one who uses it; nobody else can."""
    try:
        _file(state, token).unlink()
    except FileNotFoundError:
        return False
    except OSError:
        with disk.explained(_file(state, token), "be removed"):
            raise
    disk.sync_directory(state / FOLDER)
    return True


def _file(state: Path, token: str) -> Path:
    return state / FOLDER / f"{hashlib.sha256(token.encode()).hexdigest()}.json"
