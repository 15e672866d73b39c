"""What this login could not read of a host, and what to allow for it."""

from __future__ import annotations

from memrunbook.core.plan.headline import denied_facts
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.ui.block import Row, Span, row, text
from memrunbook.ui.words import range_words

WANTS_PASSWORD = ("password", "terminal is required", "askpass")


def sudo_words(host: str, no_root: str, *denied: int) -> str:
    """That sudo gave no root and what that cost; empty where it did, or where nothing was denied.

    `denied` is how many facts were not read, of several hosts on each.
    """
    if not no_root or not any(denied):
        return ""
    wants = any(word in no_root for word in WANTS_PASSWORD)
    what = "wants a password" if wants else f"gave no root ({no_root})"
    count = range_words(f"{min(denied):,}", f"{max(denied):,}")
    were = "fact was" if max(denied) == 1 else "facts were"
    return f"sudo on {host} {what}: {count} {were} not read"


def sudo_row(snapshot: Snapshot) -> list[Row]:
    """The same as a row of the head, with what to allow."""
    said = sudo_words(snapshot.host, snapshot.no_root, denied_facts(snapshot))
    user = snapshot.identity.user or "this user"
    typed = " add -K, which asks for it once," if any(word in snapshot.no_root for word in WANTS_PASSWORD) else ""
    allow = f";{typed} allow {user} `sudo -n sh -s` (NOPASSWD in sudoers), or log in as root"
    return [row("Sudo     ", body=text(Span(said, "unknown"), allow))] if said else []
