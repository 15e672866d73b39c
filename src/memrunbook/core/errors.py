"""The tree of errors: what went wrong, where, why, and what to do about it.

RunbookError
├── UsageError           the command line or a file asks for something that cannot be
│   └── DocumentError    a file does not say what it must; carries every problem at once
├── HostError            a host could not be reached or did not let us work
│   ├── Unreachable      no TCP connection, no banner, no answer in time
│   ├── HostKeyError     the host key is unknown or has changed
│   ├── LoginError       the host refused the login
│   ├── SudoError        root was needed and sudo refused
│   └── SessionLost      the connection or the remote shell ended in mid-work
├── Refused              a rule of safety says no: lock, policy, gate
│   ├── NotBegun         no other host of the run is begun: so many have failed, or a person asked to stop
│   └── OutOfDate        what a change rests on was read too long ago by now
├── JournalError         the journal cannot be written or does not verify
│   └── StoreAway        the store is a server that does not answer now, and may again
└── Interrupted          a person pressed Ctrl-C
"""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong with a document: where it stands, what it is, how to mend it."""

    where: str
    message: str
    hint: str = ""


class RunbookError(Exception):
    """Something went wrong."""

    def __init__(self, message: str = "", *, where: str = "", hint: str = "") -> None:
        self.message = message or (type(self).__doc__ or "").splitlines()[0]
        self.where = where
        self.hint = hint
        super().__init__(f"{where}: {self.message}" if where else self.message)


class UsageError(RunbookError):
    """The command cannot be carried out as it was written."""


class DocumentError(UsageError):
    """A document has problems; none of it was used. `problems` is bounded: a spoilt file causes no flood."""

    MOST = 50

    def __init__(self, problems: list[Problem]) -> None:
        count = len(problems)
        more = count - self.MOST
        rest = [Problem(problems[self.MOST].where, f"and {more} more from here on")] if more > 0 else []
        self.problems = [*problems[: self.MOST], *rest]
        super().__init__(f"{count} problem{'s' if count != 1 else ''} found")


def in_a_line(error: RunbookError) -> str:
    """An error for a log: of a document its first problem, with its place."""
    if not isinstance(error, DocumentError) or not error.problems:
        return str(error)
    first, more = error.problems[0], len(error.problems) - 1
    return f"{first.where}: {first.message}{f' and {more} more' if more else ''}"


class HostError(RunbookError):
    """The host could not be worked with. `stage` is where it stopped on the way there, where that is known."""

    stage: str = ""


class Unreachable(HostError):  # noqa: N818  the outcome's word
    """The host could not be reached."""


class HostKeyError(HostError):
    """The host key is not the one that is known."""


class LoginError(HostError):
    """The host refused the login."""


class SudoError(HostError):
    """Root was needed on the host and sudo refused."""


class SessionLost(HostError):  # noqa: N818  the outcome's word
    """The connection to the host was lost."""


class Refused(RunbookError):  # noqa: N818  the outcome's word
    """A safety rule refused this. `passes`: what stands against it ends by itself, and may be waited for."""

    def __init__(self, message: str = "", *, where: str = "", hint: str = "", passes: bool = False) -> None:
        self.passes = passes
        super().__init__(message, where=where, hint=hint)


class NotBegun(Refused):
    """No other host is begun: so many have failed, or a person asked to stop."""


class OutOfDate(Refused):
    """What this rests on was read too long ago: it is read again before anything is done."""


class JournalError(RunbookError):
    """The journal cannot be written or does not verify. `run` is the run that this cut off, where it did."""

    run: str = ""


class StoreAway(JournalError):  # noqa: N818  the outcome's word
    """The store does not answer now: a server that is restarted, or not reached. Asked again, it may."""


class Interrupted(RunbookError):  # noqa: N818  the outcome's word
    """Interrupted."""
