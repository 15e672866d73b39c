"""Many hosts, the worst first; those in the same trouble, by the same cause, stand together. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec import Struct

from memrunbook.core.plan.diagnosis import Suspect
from memrunbook.core.plan.headline import Applying, Headline, HostOutcome
from memrunbook.core.plan.standing import Word
from memrunbook.core.ranges import natural

WORDS: Sequence[Word] = ("CRITICAL", "WARNING", "UNKNOWN", "OK")
"""The worst first."""
OUTCOMES: Sequence[HostOutcome] = ("unreachable", "not-judged", "interrupted", "judged")
# What tells one instance, container or session from another of its kind.
INSTANCES = re.compile(
    r"(?<=@)\S+?(?=(?:\.[a-z]+)?$)|(?<=^session-)\d+|(?<=^run-)[ru][0-9a-f]+"
    r"|[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|(?<![0-9a-z])[0-9a-f]{12,64}(?![0-9a-z])"
)


class Alike(Struct, frozen=True):
    """Hosts of which the same is said, in natural order; at least one. Their figures may differ."""

    hosts: tuple[Headline, ...]

    @property
    def first(self) -> Headline:
        """One that stands for all."""
        return self.hosts[0]

    @property
    def healthy(self) -> bool:
        """True where nothing is wrong and nothing is to know."""
        return self.first.word == "OK" and not self.first.remarks


class Ranking(Struct, frozen=True):
    """Every host exactly once, the worst groups first."""

    groups: tuple[Alike, ...]

    @property
    def word(self) -> Word:
        """The worst that stands on any host; OK only where all are."""
        return min((group.first.word for group in self.groups), key=WORDS.index, default="UNKNOWN")

    @property
    def hosts(self) -> tuple[Headline, ...]:
        """The hosts in the order of their groups."""
        return tuple(chain.from_iterable(group.hosts for group in self.groups))

    def count(self, word: Word, outcome: HostOutcome | None = None) -> int:
        """How many hosts have this word, and this outcome where one is named."""
        return sum(one.word == word and outcome in (None, one.outcome) for one in self.hosts)


def ranked(headlines: Iterable[Headline]) -> Ranking:
    """Puts hosts together of which the same is said.

    In one group are hosts with the same word, of the same runbook, by the same cause: kind and name of who is behind
    it, instances of one unit counting as one. Groups are ordered by their word, whether a runbook applies, their size,
    and the name of their first host.
    """
    groups: dict[object, list[Headline]] = {}
    for one in headlines:
        groups.setdefault(_same(one), []).append(one)
    alike = [Alike(tuple(sorted(hosts, key=_by_name))) for hosts in groups.values()]
    return Ranking(tuple(sorted(alike, key=_rank)))


def of_kind(name: str) -> str:
    """A name without what tells one of its kind from another: app@*.service of app@12.service."""
    return INSTANCES.sub("*", name)


def _by_name(one: Headline) -> tuple[tuple[int, str], ...]:
    return natural(one.name)


def _rank(group: Alike) -> tuple[object, ...]:
    first = group.first
    calm = first.word == "OK" and not first.remarks
    place = WORDS.index(first.word), first.incident is None, OUTCOMES.index(first.outcome), calm
    return (*place, -len(group.hosts), natural(first.name))


def _same(one: Headline) -> tuple[object, ...]:
    """What is the same of hosts that stand together."""
    if one.word == "OK":
        return "OK", bool(one.remarks)
    if one.incident is None and one.finding is None:
        said = (one.unjudged, _anonymous(one, one.no_root) if one.denied else "")
        return one.outcome, _anonymous(one, one.why), _anonymous(one, one.hint), said
    return one.word, _incident(one.incident), _finding(one)


def _incident(found: Applying | None) -> object:
    if found is None:
        return None
    return found.runbook, found.held, _behind(found.suspect) if found.suspect else found.worst


def _finding(one: Headline) -> object:
    """A finding that is worse than what applies: those whom it names, else who is behind it."""
    if one.finding is None:
        return None
    lists = (line.items for line in one.finding.evidence if line.items)
    named = frozenset(of_kind(item.name) for item in next(lists, ()))
    return one.finding.runbook, one.finding.check, named or (_behind(one.culprit) if one.culprit else None)


def _behind(suspect: Suspect) -> object:
    return suspect.kind, of_kind(suspect.name), suspect.facts.get("freezer_state") == "frozen"


def _anonymous(one: Headline, words: str) -> str:
    """Words about a host without its names, so that they may be compared."""
    names = "|".join(re.escape(name) for name in (one.name, one.host.address) if name)
    return re.sub(rf"(?<![\w.-])(?:{names})(?![\w-])", "*", words) if words else ""
