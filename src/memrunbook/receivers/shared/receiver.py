"""What every receiver is: its name, of what it is told, and what it is handed."""

from __future__ import annotations

from typing import Annotated, NamedTuple, get_args

from msgspec import Meta, Struct

from memrunbook.core.errors import RunbookError
from memrunbook.core.run.notification import Occasion
from memrunbook.core.units import HOUR, Duration

OCCASIONS: tuple[Occasion, ...] = get_args(Occasion)


class NotTaken(RunbookError):  # noqa: N818  what it did, not a defect of ours
    """A receiver did not take a message. `after` is in how many seconds it may be tried again, where it says so."""

    def __init__(self, message: str = "", *, where: str = "", hint: str = "", after: float = 0.0) -> None:
        super().__init__(message, where=where, hint=hint)
        self.after = after


class Message(NamedTuple):
    """What a receiver is handed: a title on one line, plain text below it, and both in a JSON document.

    `id` is the same each time that this message is tried, so that whoever was told twice can know it.
    """

    id: str
    title: str
    text: str
    document: bytes


class Receiver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="way"):
    """Who is told, and of what. Files of a class are those fields whose name ends in `file`.

    A file of `receivers/` is one class of these with the options of its way, and `send`.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="how messages call it")]
    on: Annotated[tuple[Occasion, ...], Meta(min_length=1, description="of what it is told; all where left out")] = (
        OCCASIONS
    )
    hosts: Annotated[str, Meta(min_length=1, description="only of hosts whose name matches this shell pattern")] = "*"
    repeat: Annotated[Duration, Meta(description="the same trouble is not told again so soon, but counted")] = Duration(
        4 * HOUR
    )
    deadline: Annotated[Duration, Meta(description="how long it may take to take a message, 1s to 60s")] = Duration(10)

    def send(self, message: Message, seconds: float) -> None:
        """Hands a message over within so many seconds; NotTaken where that fails."""
        raise NotImplementedError

    def problem(self) -> str:
        """What is wrong with the options taken together, in words; empty where nothing is."""
        return ""
