"""The hosts of an inventory, and which of them are meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from errno import EFBIG, EINVAL
from functools import lru_cache
from pathlib import Path

from msgspec import structs

from memrunbook.core.errors import DocumentError, Problem, UsageError
from memrunbook.core.host import MOST_HOSTS, Host, expanded, parse_host
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.core.inventory.patterns import chooses, is_empty, select
from memrunbook.documents.library import Library
from memrunbook.runtime.named_file import check_named, read_named_text

SHOWN = 3
LARGEST_INVENTORY = 64 << 20
"""Bytes of an inventory, as of the answer of a program that is one."""
LARGEST = 16 << 20
"""Bytes of a file of hosts: ten times as many as there may be."""
NOBODY = "no host is left"
EMPTY = "an empty word never stands for all hosts: write all, or leave the option out"


@dataclass(frozen=True, kw_only=True)
class InventoryArguments:
    """Inventories: paths of files, folders or programs, `ansible:PATH`, or names between commas.

    `skip_encrypted` passes over group_vars and host_vars that ansible-vault has encrypted; otherwise the hosts that
    they are for are refused. `ruling_tags` are those that config.yaml asks for: what may be one of them refuses, too.
    """

    sources: tuple[str, ...]
    skip_encrypted: bool = False
    ruling_tags: frozenset[str] = frozenset()


def inventory(arguments: InventoryArguments) -> Inventory:
    """Everything that the inventories say; DocumentError with everything that is wrong with them."""
    from memrunbook.documents.inventory.reading import read_inventory
    from memrunbook.transports.shared.program import answer_of
    from memrunbook.transports.shared.ssh_arguments import check_arguments

    skip, accepts = arguments.skip_encrypted, lru_cache(check_arguments)
    _refuse_endless(arguments.sources)
    return read_inventory(
        arguments.sources, answer_of, skip_encrypted=skip, accepts=accepts, ruling=arguments.ruling_tags
    )


def inventory_unless_program(arguments: InventoryArguments) -> Inventory | None:
    """The same, and no program is run: None where one would have to be asked."""
    from memrunbook.documents.inventory.reading import read_inventory
    from memrunbook.transports.shared.ssh_arguments import check_arguments

    asked: list[Sequence[str]] = []

    def not_run(words: Sequence[str], _: Path) -> str:
        asked.append(words)
        raise UsageError("it is not run")

    skip, accepts = arguments.skip_encrypted, lru_cache(check_arguments)
    _refuse_endless(arguments.sources)
    try:
        found = read_inventory(
            arguments.sources, not_run, skip_encrypted=skip, accepts=accepts, ruling=arguments.ruling_tags
        )
    except DocumentError:
        if asked:
            return None
        raise
    return None if asked else found


@dataclass(frozen=True)
class InventoryCheck:
    """An inventory that was looked at closely: its hosts (none where its files have problems), problems, and notes."""

    inventory: Inventory
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


def _refuse_endless(sources: Sequence[str]) -> None:
    """DocumentError for an inventory that is a device, or larger than any: all of it would be read."""
    for source in sources:
        try:
            check_named(Path(source), LARGEST_INVENTORY)
        except OSError as error:
            if error.errno in (EINVAL, EFBIG):
                why = f"the inventory cannot be read: {error.strerror}"
                raise DocumentError([Problem(source, why, "check the path")]) from None


def check_inventory(arguments: InventoryArguments, library: Library) -> InventoryCheck:
    """Everything that is wrong or doubtful: the files, key files that are not there, parameters of no runbook."""
    try:
        found = inventory(arguments)
    except DocumentError as error:
        return InventoryCheck(Inventory(), tuple(error.problems))
    hosts = tuple(found.hosts.values())
    wanted: dict[str, list[Host]] = {}
    for host in hosts:
        for path in (path for path in host.identities if not Path(path).exists()):
            wanted.setdefault(path, []).append(host)
    missing = (
        Problem(
            of[0].where, f"the key file {path} is not there ({', '.join(host.typed for host in of[:SHOWN])}{_more(of)})"
        )
        for path, of in wanted.items()
    )
    tried, problems, notes = _tried(hosts, library)
    checked = structs.replace(found, hosts=dict(zip(found.hosts, tried, strict=True)))
    return InventoryCheck(checked, tuple(problems), (*found.notes, *missing, *_alike(hosts), *notes))


def _alike(hosts: Sequence[Host]) -> Iterator[Problem]:
    """Names that lead to one login of one machine: a run on all of them changes it under the first alone."""
    by_way: dict[tuple[object, ...], list[Host]] = {}
    for host in hosts:
        by_way.setdefault((host.address or host.name, host.user, host.port, host.ssh_args), []).append(host)
    for of in by_way.values():
        if len(of) > 1:
            names = ", ".join(host.typed for host in of[:SHOWN])
            yield Problem(of[1].where, f"{names}{_more(of)} have the same address, user and port: is that one machine?")


def _more(hosts: Sequence[Host]) -> str:
    return f" and {len(hosts) - SHOWN} more" if len(hosts) > SHOWN else ""


def _tried(hosts: Sequence[Host], library: Library) -> tuple[Sequence[Host], list[Problem], list[Problem]]:
    """The hosts, their parameters tried on all runbooks; what is wrong with those, and what they have no use for."""
    if not any(host.parameters for host in hosts):
        return hosts, [], []
    from memrunbook.app.tuning import not_used, tuned_of_each

    runbooks, problems = library.runbooks()
    return tuned_of_each(library, runbooks, {}, hosts).hosts, problems, not_used(runbooks, hosts)


def choose(known: Inventory, words: Sequence[str], limits: Sequence[str] = ()) -> tuple[Host, ...]:
    """The hosts that words name, each once: `[user@]name[:port]`, lists, ranges, patterns of the inventory, @FILE.

    Without words all hosts of the inventory are meant. A name that the inventory does not have is a host as it stands,
    `unlisted` beside one.
    `limits` are patterns that leave some of them. UsageError for what names nothing.
    """
    found: dict[Host, None] = {}
    for word, where in _lines(words, "--host"):
        found |= dict.fromkeys(_named(known, word, where))
        if len(found) > MOST_HOSTS:
            raise UsageError(f"more than {MOST_HOSTS} hosts are named")
    hosts = list(found) if words else list(dict.fromkeys(known.hosts.values()))
    if limits and hosts:
        every, patterns = known.with_hosts(hosts), _lines(limits, "--limit")
        chosen = select(every, [_plain(word) for word, _ in patterns], _where(patterns))
        wanted = {every.hosts[name].name for name in chosen}
        hosts = [host for host in hosts if host.name in wanted]
    if not hosts:
        hint = "runbook hosts lists the hosts and groups of the inventory"
        raise UsageError(NOBODY, where="--limit" if limits else "--host", hint=hint)
    return tuple(hosts)


def _named(known: Inventory, word: str, where: str) -> list[Host]:
    if known.groups and chooses(word, known):
        return [known.hosts[name] for name in select(known, [word], where)]
    names = [name for part in word.split(",") if part.strip() for name in expanded(part.strip())]
    return [_one(known, name) for name in names]


def _one(known: Inventory, word: str) -> Host:
    typed = parse_host(word)
    host = known.known(typed.name)
    if host is None:
        return structs.replace(typed, unlisted=bool(known.hosts))
    if not (typed.user or typed.port):
        return host
    return structs.replace(host, user=typed.user or host.user, port=typed.port or host.port, named=word)


def _plain(word: str) -> str:
    """A host of a retry file may stand there as it is typed; the name alone is its pattern."""
    return parse_host(word).name if "@" in word and word[0] not in "&!~" else word


def _lines(words: Sequence[str], option: str) -> list[tuple[str, str]]:
    """Each word with the place that it is from; @FILE stands for the lines of a file.

    UsageError for a word that names nobody: a script's empty variable is never taken for all.
    """
    found = []
    for word in words:
        if word.startswith("@") and len(word) > 1:
            found += _of_file(Path(word[1:]).expanduser(), option)
        else:
            found.append((word.strip(), option))
    for word, where in found:
        if is_empty(word):
            raise UsageError(f"{word!r} leaves out which hosts are meant", where=where, hint=EMPTY)
    return found


def _where(patterns: Sequence[tuple[str, str]]) -> str:
    return next(iter({where.partition(":")[0] for _, where in patterns}), "--limit")


def _of_file(path: Path, option: str) -> list[tuple[str, str]]:
    try:
        text = read_named_text(path, LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"the file cannot be read: {why}", where=f"{option} @{path}", hint="check the path") from None
    lines = ((number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1))
    found = [(line, f"{path}:{number}") for number, line in lines if line]
    if not found:
        raise UsageError("the file names no host", where=f"{option} @{path}", hint="one host a line")
    return found
