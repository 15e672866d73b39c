"""The hosts of an inventory: what they are, how they are reached, and which line says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from memrunbook.core.errors import Problem
from memrunbook.core.host import Host
from memrunbook.core.inventory.inventory import ALL, UNGROUPED, Inventory
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, line, note, row
from memrunbook.ui.problems import problem_lines
from memrunbook.ui.words import listed, plural

SHOWN = 4


def about(host: Host) -> str:
    """Who a host is, in a few words for a gate: "in web and prod, site fra-1, criticality high; peers web02, web03"."""
    groups = [group for group in host.groups if group != UNGROUPED]
    said = [
        f"in {listed(groups)}"
        if groups
        else "not in the inventory: no rule for a group counts"
        if host.unlisted
        else "",
        f"site {host.site}" if host.site else "",
        f"criticality {host.criticality}" if host.criticality else "",
        *host.tags,
    ]
    peers = f"; peers {', '.join(host.peers)}" if host.peers else ""
    return ", ".join(part for part in said if part) + peers


def hosts_view(hosts: Sequence[Host], sources: Sequence[str], *, verbose: bool) -> list[Block]:
    """One line a host: its name, how it is reached, where it stands, its groups and tags; what is wrong below it."""
    entries: list[Row | Note] = []
    told: dict[str, str] = {}
    for host in hosts:
        where = Span(_inside(host.where, sources), "quiet", whole=True)
        entries.append(row(host.typed, _reached(host), where, body=_said(host, len(host.groups) if verbose else SHOWN)))
        if host.unlisted:
            entries.append(note("", Span("not in the inventory: no group, and no rule for one", "warning")))
        if host.refused:
            first = told.setdefault(host.refused, host.typed)
            why = host.refused if first == host.typed else f"as {first}"
            entries.append(note("not reached: ", Span(why, "warning", whole=True)))
        elif verbose:
            entries += _more(host)
    refused = sum(bool(host.refused) for host in hosts)
    broken = f", {refused} cannot be reached" if refused else ""
    strange = sum(host.unlisted for host in hosts)
    those = f", {len(hosts) - strange} of them" if strange else ""
    inside = f"{those} in {listed(sources)}" if sources else ""
    return [
        line(Span(plural(len(hosts), "host"), "strong"), broken, Span(inside, whole=True)),
        Grid(tuple(entries)),
    ]


def _inside(where: str, sources: Sequence[str]) -> str:
    """A place in a file, from the folder of its inventory on."""
    for source in sources:
        for folder in (source, source.rpartition("/")[0]):
            if folder and where.startswith(f"{folder}/"):
                return where.removeprefix(f"{folder}/")
    return where


def groups_view(found: Inventory, hosts: Iterable[str]) -> list[Block]:
    """The groups as a tree, with the hosts of each that were chosen."""
    return [BLANK, line(Span("Groups", "strong")), *_tree(found, ALL, set(hosts), 1, ())]


def checked_view(hosts: Sequence[Host], problems: Sequence[Problem], notes: Sequence[Problem]) -> list[Block]:
    """What `hosts --check` found: what is wrong with files, hosts that cannot be reached, and what should be known."""
    refused: dict[tuple[str, str], list[Host]] = {}
    for host in (one for one in hosts if one.refused):
        refused.setdefault((host.refused, host.hint), []).append(host)
    away = sum(map(len, refused.values()))
    wrong = [*problems, *(Problem(_names(of), why, hint) for (why, hint), of in refused.items())]
    if not wrong and not notes:
        return [line(Span("OK", "good"), f": no problems, {plural(len(hosts), 'host')}")]
    word = Span("INVALID", "critical") if wrong else Span("VALID", "good")
    counts = f"{plural(len(problems), 'problem')}, {plural(away, 'host')} that cannot be reached"
    of = "" if problems else f" of {len(hosts)}"
    blocks: list[Block] = [line(word, f": {counts}{of}, {plural(len(notes), 'note')}")]
    blocks += [block for one in wrong for block in problem_lines(one)]
    return blocks + [block for one in notes for block in problem_lines(one, Span("note: ", "warning"))]


def _tree(found: Inventory, group: str, hosts: set[str], depth: int, above: tuple[str, ...]) -> list[Block]:
    own = [name for name in found.groups[group].hosts if name in hosts]
    children = [child for child in found.groups[group].children if child not in above]
    inside = [block for child in children for block in _tree(found, child, hosts, depth + 1, (*above, group))]
    if not own and not inside:
        return []
    where = found.groups[group].where
    title = line(
        Span(f"{group}:", "strong"), Span(f"  {where}" if where else "", "quiet", whole=True), indent=2 * depth
    )
    return [title, *([line(", ".join(own), indent=2 * depth + 2)] if own else []), *inside]


def _reached(host: Host) -> str:
    if host.transport != "ssh" or host.refused:
        return "this machine" if host.transport == "local" else "-"
    address = host.address or host.name
    shown = f"[{address}]" if ":" in address else address
    return f"{f'{host.user}@' if host.user else ''}{shown}{f':{host.port}' if host.port else ''}"


def _said(host: Host, shown: int) -> str:
    groups = [group for group in host.groups[::-1] if group != UNGROUPED]
    left_out = f" and {len(groups) - shown} more" if len(groups) > shown else ""
    criticality = f"criticality {host.criticality}" if host.criticality else ""
    more = [*host.tags, criticality, f"site {host.site}" if host.site else ""]
    said = (f"{', '.join(groups[:shown])}{left_out}", ", ".join(filter(None, more)))
    return "; ".join(filter(None, said))


def _names(hosts: Sequence[Host]) -> str:
    left_out = f" and {len(hosts) - SHOWN} more" if len(hosts) > SHOWN else ""
    return f"{', '.join(host.typed for host in hosts[:SHOWN])}{left_out}"


def _more(host: Host) -> list[Note]:
    pairs = [
        ("login with ", ", ".join(host.identities)),
        ("ssh ", " ".join(host.ssh_args)),
        ("root by sudo: ", host.sudo),
        ("host key ", host.host_key_sha256.replace(",", ", ")),
        ("peers ", ", ".join(host.peers)),
        *((f"never touched: {one.pattern} ", f"({one.where})") for one in host.protected_units),
        *((f"parameter {one.name}={one.value} ", _whose(one.runbook, one.where)) for one in host.parameters),
    ]
    return [note(title, Span(value, whole=True)) for title, value in pairs if value]


def _whose(runbook: str, where: str) -> str:
    return f"of {runbook} ({where})" if runbook else f"({where})"
