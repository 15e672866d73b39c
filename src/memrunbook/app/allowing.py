"""Checks the words of `--allow` before anything else is done: a word that can never count is a mistake."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from memrunbook import catalog
from memrunbook.core.errors import UsageError
from memrunbook.core.plan.consents import AGAIN, FREEZE, Consents
from memrunbook.core.text import clean

if TYPE_CHECKING:
    from memrunbook.core.plan.freeze import FreezeWindow

FORM = "write [again:]ACTION[:TARGET], as in restart_unit:search-api.service, or freeze:NAME"
SHOWN = 80


def checked(
    words: Collection[str], windows: Collection[FreezeWindow] = (), reason: str = "", *, again: bool = True
) -> Consents:
    """The consents that were given; UsageError for a word that says nothing, and for a freeze without a reason.

    `windows` are those of config.yaml. Without `again` nothing of unknown outcome is repeated here.
    """
    for word in words:
        where = f"--allow {clean(word, SHOWN)}"
        if word.startswith(FREEZE):
            _check_freeze(word.removeprefix(FREEZE), windows, reason, where)
        elif word.startswith(AGAIN):
            _check_again(word.removeprefix(AGAIN), where, again=again)
        else:
            _check_action(word, where)
    return Consents(words)


def only_freezes(words: Collection[str], windows: Collection[FreezeWindow], reason: str) -> Consents:
    """The consents of a saved plan that is applied: its changes are allowed by the plan, and by nothing else."""
    for word in words:
        if not word.startswith(FREEZE):
            where, hint = f"--allow {clean(word, SHOWN)}", "only freeze:NAME is allowed here, beside what was approved"
            raise UsageError("a saved plan says itself what is allowed", where=where, hint=hint)
    return checked(words, windows, reason)


def _check_freeze(name: str, windows: Collection[FreezeWindow], reason: str, where: str) -> None:
    names = [window.name for window in windows]
    if name not in names:
        none = "" if names else "config.yaml names none"
        raise UsageError(f"there is no freeze {clean(name, SHOWN)!r}", where=where, hint=_near(name, names) or none)
    if not reason.strip():
        hint = 'add --reason "why it cannot wait": it is recorded beside the consent'
        raise UsageError("to change something in a freeze needs a reason", where=where, hint=hint)


def _check_again(word: str, where: str, *, again: bool) -> None:
    if not again:
        hint = "leave again: out; taking back looks first, and may be repeated"
        raise UsageError("undo repeats nothing of unknown outcome", where=where, hint=hint)
    action, colon, _ = word.partition(":")
    if not colon:
        hint = f"write {AGAIN}{action or 'ACTION'}:TARGET, as the message about the open step says"
        raise UsageError("which change may be repeated is not said", where=where, hint=hint)
    _check_action(word, where)


def _check_action(word: str, where: str) -> None:
    action, colon, target = word.partition(":")
    kinds = catalog.actions()
    if action not in kinds:
        others = [FREEZE.rstrip(":"), AGAIN.rstrip(":")] if colon else []
        hint = _near(action, [*kinds, *others]) or FORM
        raise UsageError(f"there is no action {clean(action, SHOWN)!r}", where=where, hint=hint)
    if colon and not target.strip():
        raise UsageError("its target is empty", where=where, hint=f"name one, or write --allow {action}")
    only = kinds[action].only_target
    if colon and only and target != only:
        hint = f"write --allow {action}"
        raise UsageError(f"{action} has no target to choose: it acts on {only} alone", where=where, hint=hint)


def _near(word: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(word.casefold(), known, 1, 0.5) or [
        one for one in known if one.startswith(word) and word
    ]
    if near:
        return f"did you mean {near[0]}?"
    return f"there are: {', '.join(known)}" if known and len(known) <= 12 else ""  # noqa: PLR2004  a line of them
