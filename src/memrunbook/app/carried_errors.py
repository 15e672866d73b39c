"""Errors as plain values: what went wrong with a host on one control node, told on another as if it had been there."""

from __future__ import annotations

from msgspec import Struct

from memrunbook.core import errors
from memrunbook.core.errors import DocumentError, HostError, JournalError, Problem, Refused, RunbookError

KNOWN = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, RunbookError)}


class CarriedError(Struct, frozen=True, omit_defaults=True):
    """An error by the name of its class, with all that it says; `problems` are those of a document."""

    kind: str
    message: str
    where: str = ""
    hint: str = ""
    stage: str = ""
    passes: bool = False
    run: str = ""
    problems: tuple[Problem, ...] = ()


def carried(error: RunbookError) -> CarriedError:
    """The error as a value; one of a class that others need not know goes as the nearest that they do."""
    kind = next(one.__name__ for one in type(error).__mro__ if KNOWN.get(one.__name__) is one)
    return CarriedError(
        kind,
        error.message,
        error.where,
        error.hint,
        stage=getattr(error, "stage", ""),
        passes=getattr(error, "passes", False),
        run=getattr(error, "run", ""),
        problems=tuple(getattr(error, "problems", ())),
    )


def error_of(told: CarriedError) -> RunbookError:
    """The error that was carried; a HostError where its class is not known here."""
    kind = KNOWN.get(told.kind, HostError)
    if issubclass(kind, DocumentError):
        return DocumentError(list(told.problems))
    if issubclass(kind, Refused):
        return kind(told.message, where=told.where, hint=told.hint, passes=told.passes)
    error = kind(told.message, where=told.where, hint=told.hint)
    if isinstance(error, HostError):
        error.stage = told.stage
    elif isinstance(error, JournalError):
        error.run = told.run
    return error
