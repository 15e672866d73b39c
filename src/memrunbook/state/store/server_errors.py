"""What an error of a database server means: it does not answer now, it lets nobody in, or it cannot be used."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoneFree

from memrunbook.core.errors import JournalError, StoreAway
from memrunbook.runtime.outside import shown

REACHABLE = "nothing is changed while what others do cannot be known; see that the server runs"
LETS_IN = "see its address: user, password and database; waiting does not help"
USABLE = "see what the server's log says of it"
NO_ENTRY = re.compile(r"28...|3D000|42501")
"""Who asks is not known or may not, or there is no such database (PostgreSQL, appendix A)."""
NO_ENTRY_SAID = re.compile(
    r"(?:role|user|database) \".*\" (?:does not exist|is not)|authentication failed|no password supplied"
    r"|no pg_hba\.conf entry|pg_hba\.conf rejects|permission denied for (?:database|schema|table)|certificate"
)
"""The same in words: who is turned away while connecting is told no code by psycopg, only what the server said."""
PASSES = re.compile(r"25P03|25006")
"""Beside what psycopg calls operational: a session that was ended for its silence; a server that only reads still."""


def server_error(error: SQLAlchemyError, name: str) -> JournalError:
    """The error for people: StoreAway where it may answer when it is asked again."""
    code = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    if NO_ENTRY.fullmatch(code) or (not code and NO_ENTRY_SAID.search(said(error))):
        return JournalError(f"the store lets nobody in: {said(error)}", where=name, hint=LETS_IN)
    if _passes(error, code):
        return StoreAway(f"the store does not answer: {said(error)}", where=name, hint=REACHABLE)
    return JournalError(f"the store cannot be used: {said(error)}", where=name, hint=USABLE)


def _passes(error: SQLAlchemyError, code: str) -> bool:
    cut: Any = isinstance(error, DBAPIError) and error.connection_invalidated
    return bool(cut) or isinstance(error, OperationalError | NoneFree) or PASSES.fullmatch(code) is not None


def said(error: SQLAlchemyError) -> str:
    """The database's own words, on one line, without the statement."""
    cause = getattr(error, "orig", None) or error
    return shown(" ".join(str(cause).split())[:300])
