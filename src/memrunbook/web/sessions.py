"""Links that sign in once, and the sessions that they begin: kept in memory alone, each gone with the server."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from memrunbook.documents.roles import Role
from memrunbook.web.tries import Tries

TOKEN = 32
"""Bytes: 256 bits are nobody's to guess."""
LINK_LASTS = 600.0
"""Seconds in which a link signs in."""
MOST_SESSIONS, MOST_LINKS = 200, 20
TRIES, WITHIN = 20, 60.0
"""So many sign-ins of each way are refused, or asked of the provider, in so many seconds: more is nobody's typing."""


@dataclass
class SignedIn:
    """Somebody who is signed in; `csrf` proves that a form is ours, `name` tells it in the audit and opens nothing.

    `person` is who it is, as config.yaml and `allowed_signers` name people; empty who came by a link. `passkey` is
    the id of the one that was used.
    """

    role: Role
    how: str
    begun: float
    seen: float
    person: str = ""
    passkey: str = ""
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN))
    name: str = field(default_factory=lambda: secrets.token_hex(4))


@dataclass
class Sessions:
    """The sessions of one server. `now` is a clock that only goes forward; `idle` and `lifetime` are in seconds.

    Of each token only its SHA-256 is kept: who reads the memory of this process has no session of somebody else.
    """

    now: Callable[[], float]
    idle: float
    lifetime: float
    _links: dict[bytes, tuple[float, Role]] = field(default_factory=dict)
    _open: dict[bytes, SignedIn] = field(default_factory=dict)
    _tries: dict[str, Tries] = field(default_factory=dict)

    def link(self, role: Role = "viewer") -> str:
        """A token that begins one session, within minutes."""
        token = secrets.token_urlsafe(TOKEN)
        while len(self._links) >= MOST_LINKS:
            self._links.pop(next(iter(self._links)))
        self._links[_kept(token)] = (self.now() + LINK_LASTS, role)
        return token

    def may_try(self, how: str) -> bool:
        """False where too much was tried this way lately; this one counts."""
        return self._tries.setdefault(how, Tries(self.now, TRIES, WITHIN)).may_try()

    def checked(self, token: str) -> tuple[Role | None, str]:
        """The role that a link gives, which it never gives again; None, and why, where it gives none."""
        until, role = self._links.pop(_kept(token), (None, None))
        if until is None:
            return None, "no such link, or it was used already"
        return (role, "") if self.now() < until else (None, "the link is too old")

    def begin(self, role: Role, how: str, person: str = "") -> tuple[str, SignedIn]:
        """A new session and the token of its cookie, made here: none that was there before is ever taken over."""
        now, token = self.now(), secrets.token_urlsafe(TOKEN)
        session = SignedIn(role, how, now, now, person)
        while len(self._open) >= MOST_SESSIONS:
            self._open.pop(min(self._open, key=lambda key: self._open[key].seen))
        self._open[_kept(token)] = session
        return token, session

    def session(self, token: str, *, touch: bool = True) -> SignedIn | None:
        """Whose cookie this is; None where the session is over. A page that renews itself does not `touch` it."""
        session = self._open.get(_kept(token)) if token else None
        if session is None:
            return None
        now = self.now()
        if now - session.seen >= self.idle or now - session.begun >= self.lifetime:
            self._open.pop(_kept(token))
            return None
        session.seen = now if touch else session.seen
        return session

    def end(self, token: str) -> SignedIn | None:
        """Ends a session."""
        return self._open.pop(_kept(token), None) if token else None

    def end_all(self, person: str) -> list[SignedIn]:
        """Ends every session of a person."""
        found = {key: one for key, one in self._open.items() if one.person == person}
        for key in found:
            self._open.pop(key)
        return list(found.values())


def _kept(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
