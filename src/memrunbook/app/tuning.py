"""Runbooks with the parameters that an inventory gives single hosts: what was typed counts before them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from memrunbook.core.errors import DocumentError, Problem, UsageError
from memrunbook.core.host import Host, HostParameter
from memrunbook.core.runbook.bound import Runbook
from memrunbook.documents.library import Library


def tuned(
    library: Library, name: str, base: Runbook, given: Mapping[str, str], hosts: Iterable[Host]
) -> dict[str, Runbook]:
    """The runbook of each host that has parameters of its own, by the host's name; `name` is how it is loaded.

    DocumentError for a parameter that the runbook cannot have, with its place in the inventory.
    """
    made: dict[tuple[HostParameter, ...], Runbook] = {}
    found = {}
    for host in hosts:
        own = host.parameters
        if own and own not in made:
            made[own] = _made(library, name, base, given, own)
        if own:
            found[host.name] = made[own]
    return found


def tuned_of_each(
    library: Library, runbooks: Sequence[Runbook], given: Mapping[str, str], hosts: Sequence[Host]
) -> dict[str, list[Runbook]]:
    """All runbooks of each host that has parameters of its own, by the host's name."""
    own = [host for host in hosts if host.parameters]
    if not own:
        return {}
    known = {parameter for runbook in runbooks for parameter in runbook.parameters}
    _refuse_unknown((one for host in own for one in host.parameters), runbooks, known)
    each = {}
    for runbook in runbooks:
        typed = {name: value for name, value in given.items() if name in runbook.parameters}
        each[runbook.name] = tuned(library, runbook.name, runbook, typed, own)
    return {host.name: [each[runbook.name][host.name] for runbook in runbooks] for host in own}


def _made(
    library: Library, name: str, base: Runbook, given: Mapping[str, str], own: Sequence[HostParameter]
) -> Runbook:
    _refuse_unknown((one for one in own if one.runbook == base.name), [base], set(base.parameters))
    general_first = sorted(own, key=lambda one: one.runbook != "")
    mine = {one.name: one for one in general_first if one.runbook in ("", base.name) and one.name in base.parameters}
    used = {parameter: one for parameter, one in mine.items() if parameter not in given}
    if not used:
        return base
    try:
        return library.runbook(name, {**{one.name: one.value for one in used.values()}, **given})
    except DocumentError:
        raise
    except UsageError as error:
        raise DocumentError([*_placed(error, used)]) from None


def _placed(error: UsageError, used: Mapping[str, HostParameter]) -> Iterator[Problem]:
    """The problem with a parameter, at its place in the inventory."""
    one = used.get(error.where.removeprefix("-p "))
    name = f"the parameter {one.name}: " if one else ""
    yield Problem(one.where if one else error.where, f"{name}{error.message}", error.hint)


def _refuse_unknown(asked: Iterable[HostParameter], runbooks: Sequence[Runbook], known: set[str]) -> None:
    problems, names = [], [runbook.name for runbook in runbooks]
    for one in dict.fromkeys(asked):
        if one.runbook and one.runbook not in names:
            problems.append(Problem(one.where, f"there is no runbook {one.runbook!r}", _near(one.runbook, names)))
        elif one.name not in known:
            whose = one.runbook or "no runbook"
            has = "has no" if one.runbook else "has a"
            problems.append(Problem(one.where, f"{whose} {has} parameter {one.name!r}", _near(one.name, known)))
    if problems:
        raise DocumentError(problems)


def _near(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(known))}"
