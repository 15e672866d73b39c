"""What is wrong, in a sentence: of one host, or of several alike, whose figures are a range then."""

from __future__ import annotations

from collections.abc import Sequence

from memrunbook.core.plan.diagnosis import Finding, Suspect
from memrunbook.core.plan.headline import Headline
from memrunbook.core.plan.ranking import of_kind
from memrunbook.core.runbook.condition import Evidence, EvidenceItem
from memrunbook.core.units import Unit
from memrunbook.ui.block import Span, Text, joined, text, to_type
from memrunbook.ui.suspects import sentence
from memrunbook.ui.unread import sudo_words
from memrunbook.ui.words import finding_words, items_words, metric_words, range_words, value_words


def trouble_words(hosts: Sequence[Headline], on: str = "", command: str = "") -> Text:
    """What is wrong on hosts alike, who is behind it, and what to do; `on` names them, empty where that is plain.

    Without a `command` what to do is told elsewhere, but for what no runbook cures.
    """
    first = hosts[0]
    then = text("; next: ", to_type(command)) if command else ()
    if first.finding is None:
        return text(_applying(hosts, on), then)
    findings = [one.finding for one in hosts if one.finding]
    culprits = [one.culprit for one in hosts if one.culprit]
    cure = _applying(hosts, on) if first.incident else "no runbook cures it"
    return text(noticed_words(findings, culprits, on), "; ", cure, _unjudged(hosts), then)


def noticed_words(findings: Sequence[Finding], culprits: Sequence[Suspect], on: str = "") -> Text:
    """A finding outside of incidents, and who is behind it: those whom it names, else its runbook's suspect."""
    firsts = (next((line for line in finding.evidence if line.items), None) for finding in findings)
    lists = [line for line in firsts if line is not None]
    if lists:
        who = text(items_words(lists[0]) if len(findings) == 1 else _items(lists))
    else:
        who = behind_words(culprits) if culprits else _figures(findings)
    return text(lower(findings[0].name), _on(on), ": " if who else "", who)


def behind_words(suspects: Sequence[Suspect]) -> Text:
    """Who is behind it and what that does: one suspect, or one of each host."""
    names = {suspect.name for suspect in suspects}
    name = suspects[0].name if len(names) == 1 else of_kind(suspects[0].name)
    return text(Span(name, "strong"), " ", sentence(*suspects))


def unjudged_words(hosts: Sequence[Headline], on: str) -> Text:
    """That nobody knows whether an incident applies on hosts alike, and why."""
    first = hosts[0]
    said = sudo_words(on, first.no_root, *(one.denied for one in hosts))
    names = ", ".join(first.unjudged)
    return text(
        f"{said}; " if said else "", "no incident is proven on ", Span(on), f", but {names} could not be judged"
    )


def lower(title: str) -> str:
    """The title inside a sentence; an abbreviation stays as it is."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _applying(hosts: Sequence[Headline], on: str) -> Text:
    found = [one.incident for one in hosts if one.incident]
    first, suspects = found[0], [one.suspect for one in found if one.suspect]
    who = behind_words(suspects) if suspects else text(lower(first.worst))
    return text(lower(first.title), " may be held back" if first.held else "", _on(on), ": ", who)


def _unjudged(hosts: Sequence[Headline]) -> str:
    names = dict.fromkeys(name for one in hosts for name in one.unjudged)
    some = sum(bool(one.unjudged) for one in hosts)
    of = f" on {some} of them" if some < len(hosts) else ""
    return f"; {', '.join(names)} could not be judged{of}" if names else ""


def _on(hosts: str) -> Text:
    return text(" on ", Span(hosts)) if hosts else ()


def _figures(findings: Sequence[Finding]) -> Text:
    """What findings of several hosts rest on: each figure as a range."""
    first, *others = findings
    if not others:
        return finding_words(first)
    known = [{line.metric: line for line in finding.evidence} for finding in findings]
    shown = [
        [one[line.metric] for one in known if line.metric in one] for line in first.evidence if _tells(first, line)
    ]
    return joined([text(f"{metric_words(lines[0].metric)} {_range(lines)}") for lines in shown if _range(lines)])


def _tells(finding: Finding, line: Evidence) -> bool:
    return line.metric in finding.telling or not finding.telling


def _range(lines: Sequence[Evidence | EvidenceItem]) -> str:
    """The least and the most of numbers; of anything else nothing, for it may differ from host to host."""
    known = [line for line in lines if isinstance(line.value, int | float) and not isinstance(line.value, bool)]
    if len(known) < len(lines) or not known:
        return ""
    least, most = (pick(known, key=lambda line: line.value or 0) for pick in (min, max))
    return range_words(*(value_words(line.value, Unit(line.unit)) for line in (least, most)))


def _items(lists: Sequence[Evidence]) -> str:
    """Who of the lists of several hosts it is, those of one kind together, with the range of what they have."""
    kinds: dict[str, list[EvidenceItem]] = {}
    for item in (item for line in lists for item in line.items):
        kinds.setdefault(of_kind(item.name), []).append(item)
    more = max(line.more for line in lists)
    return ", ".join(
        [*(_kind(kind, items) for kind, items in kinds.items()), *([f"up to {more} more"] if more else [])]
    )


def _kind(kind: str, items: Sequence[EvidenceItem]) -> str:
    name = items[0].name if len({item.name for item in items}) == 1 else kind
    label = "" if Unit(items[0].unit) is Unit.BYTES else f"{metric_words(items[0].field)} "
    return f"{name} ({label}{held})" if (held := _range(items)) else name
