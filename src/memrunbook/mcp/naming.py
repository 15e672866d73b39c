"""Which hosts and runbooks a client means: those that the server was started with, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host
from memrunbook.core.inventory.inventory import ALL, Inventory
from memrunbook.core.inventory.patterns import is_empty, select
from memrunbook.core.ranges import compact
from memrunbook.mcp.served import Served

MOST_HOSTS = 20
"""Hosts that one call may read: an answer must fit into what an assistant can take in."""
SHOWN = 40
NOBODY = "whoever starts this server names them: runbook mcp --host NAME, or -i FILE"


def named_hosts(served: Served, words: Sequence[str]) -> tuple[Host, ...]:
    """The hosts that names, groups and patterns choose, each once; UsageError for what names none, or too many."""
    known = served.inventory
    if not known.hosts:
        raise UsageError("this server was started without hosts", where="hosts", hint=NOBODY)
    found: dict[str, Host] = {}
    for word in words:
        _refuse_other_ways(word, known)
        found |= {name: known.hosts[name] for name in select(known, [word], "hosts")}
    if not found:
        raise UsageError("no host is left", where="hosts", hint=f"there are: {host_words(known)}")
    if len(found) > MOST_HOSTS:
        raise UsageError(f"{len(found)} hosts are too many for one call", where="hosts", hint=f"at most {MOST_HOSTS}")
    return tuple(found.values())


def named_runbook(served: Served, name: str) -> str:
    """The runbook of this name; UsageError where the library has none: a path or a text is none."""
    known = served.runbooks()
    if name in known:
        return name
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
    raise UsageError(f"there is no runbook {name!r}", where="runbook", hint=hint)


def host_words(known: Inventory) -> str:
    """The hosts and groups that may be named, in words; the first of many."""
    hosts, groups = compact(known.hosts), [name for name in known.groups if name != ALL]
    more = f" and {len(hosts) - SHOWN} more" if len(hosts) > SHOWN else ""
    named = f"; groups: {', '.join(groups[:SHOWN])}" if groups else ""
    return f"{', '.join(hosts[:SHOWN])}{more}{named}"


def _refuse_other_ways(word: str, known: Inventory) -> None:
    """UsageError for a word that the command line takes, and a client may not say: a login, a port, a file, a regex."""
    if word in known.hosts:
        return
    if is_empty(word):
        raise UsageError(f"{word!r} leaves out which hosts are meant", where="hosts", hint="write all for all of them")
    if "@" in word or "/" in word:
        what = f"{word!r}: a host is named as this server knows it, without a login and never by a file"
        raise UsageError(what, where="hosts", hint=f"there are: {host_words(known)}")
    if "~" in word:
        hint = "shell patterns are: web*, 'web:&prod:!web7'"
        raise UsageError(f"{word!r}: regular expressions are not taken here", where="hosts", hint=hint)
