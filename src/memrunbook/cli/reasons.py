"""Why something is done, asked for where it must be said; and what of the given consent nothing used."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from memrunbook.core.action.action import Risk

if TYPE_CHECKING:
    from memrunbook.cli.conversation import Conversation
    from memrunbook.documents.config import Config
    from memrunbook.ui.block import Block


def reason_for(config: Config, reason: str, talk: Conversation) -> str:
    """The reason that was given; at a terminal it is asked for where config.yaml wants one of everybody."""
    if reason.strip() or config.reason_from is not Risk.NONE or not talk.interactive:
        return reason
    sys.stderr.write(f"Why is this done? ({config.reason_where} asks for a reason, as in INC-4711) ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def unused_page(words: tuple[str, ...]) -> Iterator[list[Block]]:
    """Which consents covered nothing: perhaps they were meant for something else."""
    if words:
        from memrunbook.ui.errors import notice

        given = ", ".join(f"--allow {shlex.quote(word)}" for word in words)
        yield notice(f"nothing used {given}", "a consent counts for exactly the target that a gate names")
