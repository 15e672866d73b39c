"""What doctor found: a line each, what is missing first told in the verdict, and under it what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from memrunbook.core.ranges import compact
from memrunbook.runtime.inspection import InspectedArea, InspectedState, Inspection
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, Style, line, note, row
from memrunbook.ui.words import plural

TITLES: dict[InspectedArea, str] = {
    "programs": "Programs",
    "agent": "SSH agent",
    "state": "State",
    "documents": "Files",
    "way": "The way there",
    "reads": "What can be read",
    "changes": "What can be changed",
}
STYLES: dict[InspectedState, Style] = {"ok": "good", "note": "quiet", "missing": "critical"}


def doctor_view(where: str, inspections: Sequence[Inspection], *, verbose: bool = False) -> list[Block]:
    """One place: the verdict, then its areas. Of what can be changed the well ones are one line, unless `verbose`."""
    missing = [one for one in inspections if one.state == "missing"]
    blocks: list[Block] = [_verdict(where, missing)]
    for area, title in TITLES.items():
        of_area = [one for one in inspections if one.area == area]
        if of_area:
            blocks += [BLANK, line(Span(title, "strong")), Grid(tuple(_entries(of_area, verbose=verbose)))]
    return blocks


def hosts_view(hosts: Mapping[str, Sequence[Inspection]], *, verbose: bool = False) -> Iterator[list[Block]]:
    """Several hosts: those to which nothing is missing in one line, of the others what is missing, all if `verbose`."""
    if verbose or len(hosts) == 1:
        yield from (doctor_view(host, found, verbose=verbose) for host, found in hosts.items())
        return
    well = [host for host, found in hosts.items() if not any(one.state == "missing" for one in found)]
    if well:
        names = f" ({', '.join(compact(well))}; -v shows each)"
        yield [line(Span("OK", "good"), f": {plural(len(well), 'host')}: nothing is missing", Span(names, whole=True))]
    for host, found in hosts.items():
        missing = [one for one in found if one.state == "missing"]
        if missing:
            yield [_verdict(host, missing), Grid(tuple(_entries(missing, verbose=False)))]


def _verdict(where: str, missing: Sequence[Inspection]) -> Block:
    if not missing:
        return line(Span("OK", "good"), f": {where}: nothing is missing")
    first = missing[0]
    more = f"; and {len(missing) - 1} more" if len(missing) > 1 else ""
    said = f": {where}: {first.name}: {first.said}{more}"
    return line(Span("MISSING", "critical"), Span(said, whole=True))


def _entries(inspections: Iterable[Inspection], *, verbose: bool) -> Iterable[Row | Note]:
    folded: list[str] = []
    for one in inspections:
        if one.area == "changes" and one.state != "missing" and not verbose:
            folded += [one.said] if one.state == "ok" else []
            continue
        yield row(Span(one.state, STYLES[one.state]), Span(one.name), Span(one.said, whole=True))
        if one.state == "missing" and one.wanted_by:
            yield note("needed by ", ", ".join(one.wanted_by))
        if one.remedy:
            yield note(Span("hint: ", "hint"), Span(one.remedy, whole=True))
    if folded:
        yield row(Span("ok", STYLES["ok"]), Span("possible"), f"{plural(len(folded), 'thing')}: {'; '.join(folded)}")
