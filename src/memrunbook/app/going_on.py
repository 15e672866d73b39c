"""Completes the command of a message: whoever types it sits elsewhere, and knows none of the words that stood here."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from memrunbook.app.stored import VARIABLE
from memrunbook.documents.library import Library, config_dirs
from memrunbook.runtime.outside import shown
from memrunbook.state.paths import state_dir
from memrunbook.ui.commands import commands_in

STATE, CONFIG, STORE = "--state-dir", "--config-dir", "--store"
FLAGS = frozenset({"-K", "--accept-new-host-keys"})
WAY = FLAGS | {"--inventory", "--identity", "--known-hosts", "--ssh-config", "--sudo", "--patience", "--forks"}
TAKES: Mapping[str, frozenset[str]] = {
    "apply": WAY | {STATE, CONFIG, STORE, "--runbooks"},
    "approve": frozenset({CONFIG, STORE, "--runbooks"}),
    "audit verify": WAY | {STATE, CONFIG, STORE},
    "diagnose": WAY | {STATE, CONFIG, STORE, "--runbooks"},
    "doctor": WAY | {STATE, CONFIG, STORE, "--runbooks"},
    "notify send": frozenset({STATE, CONFIG, STORE}),
    "off": frozenset({STATE, CONFIG, STORE}),
    "pending": frozenset({STATE, CONFIG, STORE}),
    "report": frozenset({STATE, CONFIG, STORE}),
    "resume": WAY | {STATE, CONFIG, STORE, "--runbooks"},
    "runs": frozenset({STATE, CONFIG, STORE}),
    "schedule check": frozenset({STATE, CONFIG, STORE}),
    "schedule firings": frozenset({STATE, CONFIG, STORE}),
    "schedule list": frozenset({STATE, CONFIG, STORE}),
    "schedule resume": frozenset({STATE, CONFIG, STORE}),
    "schedule run": WAY | {STATE, CONFIG, STORE, "--runbooks"},
    "validate": frozenset({CONFIG, "--runbooks"}),
}
"""Of the options that say where things are and how hosts are reached: those that a command takes."""
KNOWN = frozenset(option for taken in TAKES.values() for option in taken)


def completed(command: str, words: Sequence[str]) -> str:
    """The command with those of the `words` that it takes and has not; what it does not take is left out of it.

    One that is none of ours stays as it is.
    """
    typed = shlex.split(command)
    name = next((one for one in (" ".join(typed[1:3]), " ".join(typed[1:2])) if one in TAKES), "")
    if typed[:1] != ["runbook"] or not name:
        return command
    taken, first = TAKES[name], 1 + len(name.split())
    own = list(_options(typed[first:]))
    has = {one[0] for one in own if one[0] in KNOWN}
    kept = [one for one in own if one[0] not in KNOWN or one[0] in taken]
    more = [one for one in _options(words) if one[0] in taken and one[0] not in has]
    return shlex.join([*typed[:first], *(word for one in (*kept, *more) for word in one)])


def completed_in(said: str, words: Sequence[str]) -> str:
    """A sentence, each command of ours in it completed: whoever reads a hint types what stands there."""
    for begin, end in reversed(commands_in(said)):
        with suppress(ValueError):  # words of a host that only look like a command
            said = f"{said[:begin]}{completed(said[begin:end], words)}{said[end:]}"
    return said


def resume_in(hint: str) -> tuple[str, ...]:
    """The words of the command inside a hint that goes on with an earlier run; empty where there is none."""
    found = (tuple(hint[begin:end].split()[1:]) for begin, end in commands_in(hint))
    return next((one for one in found if one[:1] == ("resume",) and len(one) > 1), ())


def words_here(state: Path, library: Library, store: str, options: Sequence[str] = ()) -> list[str]:
    """The words that say where state, configuration and store are, where that is not usual, and `options` beside them.

    What a variable of the environment says is not usual: it is another one where the message is read.
    """
    named = store or os.environ.get(VARIABLE, "")
    plain = {name: value for name, value in os.environ.items() if name == "HOME"}
    usual = state_dir(None, plain, os.getuid())
    settings = library.own_settings or library.timetable  # schedules may lie where no config.yaml does
    folder = None if settings is None else settings.parent
    found = [] if state == usual else [STATE, str(state)]
    found += [CONFIG, str(folder.absolute())] if folder is not None and folder not in config_dirs(None) else []
    found += [STORE, shown(named)] if named else []
    return [*found, *(word for one in _options(options) if one[0] not in found for word in one)]


def _options(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Each option of ours with its value, every other word alone."""
    rest = iter(words)
    for word in rest:
        value = next(rest, None) if word in KNOWN and word not in FLAGS else None
        yield (word,) if value is None else (word, value)
