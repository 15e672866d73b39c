"""What a command has to say, before it is known how it is to be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from memrunbook.documents.printed import Document
    from memrunbook.ui.block import Block

Color = Literal["auto", "always", "never"]


@dataclass(frozen=True)
class Reply:
    """The exit code and one value in two shapes, of which the format takes one: a document, or pages for people.

    `outcomes` say how the hosts ended of which each has been handed to the format before. `hosts`, where it is given,
    are the document's, as the format has packed each one as soon as it was there: a thousand as objects are a gigabyte.
    """

    code: int
    document: Callable[[], Document]
    pages: Callable[[], Iterable[Iterable[Block]]]
    outcomes: Sequence[str] | None = None
    hosts: Sequence[bytes] | None = None
