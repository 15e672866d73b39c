"""What this login could not read of a host, and what to allow for it."""

from __future__ import annotations

from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.ui.block import Row, Span, row, text
from memrunbook.ui.words import plural

WANTS_PASSWORD = ("password", "terminal is required", "askpass")


def sudo_words(snapshot: Snapshot) -> str:
    """That sudo gave no root and what that cost; empty where it did, or where nothing was denied."""
    denied = sum(map(_denied, snapshot.readings.values()))
    if not snapshot.no_root or not denied:
        return ""
    wants = any(word in snapshot.no_root for word in WANTS_PASSWORD)
    what = "wants a password" if wants else f"gave no root ({snapshot.no_root})"
    were = "was" if denied == 1 else "were"
    return f"sudo on {snapshot.host} {what}: {plural(denied, 'fact')} {were} not read"


def sudo_row(snapshot: Snapshot) -> list[Row]:
    """The same as a row of the head, with what to allow."""
    said = sudo_words(snapshot)
    user = snapshot.identity.user or "this user"
    typed = " add -K, which asks for it once," if any(word in snapshot.no_root for word in WANTS_PASSWORD) else ""
    allow = f";{typed} allow {user} `sudo -n sh -s` (NOPASSWD in sudoers), or log in as root"
    return [row("Sudo     ", body=text(Span(said, "unknown"), allow))] if said else []


def _denied(reading: Reading | Unavailable) -> bool:
    """True where a part of it at least may not be read by this login."""
    if isinstance(reading, Unavailable):
        return reading.reason == "denied"
    return any(gone.reason == "denied" for gone in reading.unavailable.values())
