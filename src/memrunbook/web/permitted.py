"""Who may do what, and whether a form is one of ours: asked here of everything that changes anything."""

from __future__ import annotations

import secrets

from starlette.requests import Request

from memrunbook.documents.roles import ORDER, Role
from memrunbook.web.forms import FIELDS, form_of, from_here
from memrunbook.web.sessions import SignedIn


class NotDoneError(Exception):
    """What was asked for is not done: why, in a sentence, and the status that says so."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.words, self.status = words, status


def may(session: SignedIn, role: Role) -> bool:
    """True where a session's role is this one, or more."""
    return ORDER.index(session.role) >= ORDER.index(role)


def permitted(session: SignedIn | None, role: Role) -> SignedIn:
    """The session; NotDoneError where there is none, or where it is not for its role."""
    if session is None:
        raise NotDoneError("Nobody is signed in.", 401)
    if not may(session, role):
        raise NotDoneError(f"Your role is {session.role}: that is for {role}s.", 403)
    return session


async def proven(request: Request, session: SignedIn, most: int = FIELDS) -> dict[str, str]:
    """The fields of a form of this very session, at `most` so many; NotDoneError for every other."""
    fields = await form_of(request, most)
    if not from_here(request) or not secrets.compare_digest(fields.get("csrf", "").encode(), session.csrf.encode()):
        raise NotDoneError("That form was not from this session: nothing was done.", 403)
    return fields


def known_as(session: SignedIn) -> str:
    """Who it is, for what is kept: a person, else the session, which the audit tells."""
    return session.person or f"session {session.name}, signed in by a {session.how}"
