"""The mark that a change for a while leaves on its host: what is held, since when, until when, and by which run.

One file a held state below `MARKS`, gone with a reboot as the state is. Its first line names the timer that ends it: a
timer of an earlier hold of the same state finds another name there and leaves the state alone. Where no systemd runs
the host, a last line names the process that sleeps until then, and when that was started.
"""

from __future__ import annotations

import hashlib
import re

from msgspec import Struct

MARKS = "/run/memrunbook-holds"
LONGEST = 200
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)
_SLEEPER = re.compile(r"(\d{1,10}) \d{1,20}", re.ASCII)
_TIMER = re.compile(r"memrunbook-[\w-]{1,100}", re.ASCII)


class Mark(Struct, frozen=True, kw_only=True):
    """What one file says. `since` is uptime and `seconds` how long the state is held; both in seconds.

    `sleeper` is the process that ends it where no systemd does, and 0 else.
    """

    timer: str
    action: str
    target: str
    what: str
    run: str
    runbook: str = ""
    since: float = 0.0
    seconds: float = 0.0
    sleeper: int = 0


def place(action: str, args: tuple[str, ...]) -> str:
    """The file of a held state: the same change made again is the same state, whoever makes it and for how long."""
    words = "\0".join((action, *args)).encode(errors="replace")
    return f"{MARKS}/{hashlib.sha256(words).hexdigest()[:16]}"


def lines(mark: Mark) -> tuple[str, ...]:
    """The lines of the file, but for `since`, which the host itself writes last."""
    return (
        f"timer {mark.timer}",
        f"action {mark.action}",
        f"target {_line(mark.target)}",
        f"what {_line(mark.what)}",
        f"run {mark.run}",
        f"runbook {mark.runbook}",
        f"seconds {mark.seconds:.0f}",
    )


def read_mark(text: str) -> Mark | None:
    """What a file says; None for one that is not ours or was not written to its end."""
    words = {word: rest for word, _, rest in (line.partition(" ") for line in text.split("\n"))}
    since, seconds = words.get("since", ""), words.get("seconds", "")
    whole = _NUMBER.fullmatch(since) and _NUMBER.fullmatch(seconds) and _TIMER.fullmatch(words.get("timer", ""))
    if not whole or not words.get("target"):
        return None
    known = {word: words.get(word, "")[:LONGEST] for word in ("timer", "action", "target", "what", "run", "runbook")}
    sleeper = _SLEEPER.fullmatch(words.get("sleeper", ""))
    return Mark(**known, since=float(since), seconds=float(seconds), sleeper=int(sleeper[1]) if sleeper else 0)


def _line(text: str) -> str:
    return " ".join(text.split())[:LONGEST]
