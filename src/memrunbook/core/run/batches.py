"""Batches of hosts, one after the other: their sizes as they are typed, and which hosts are in which. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from msgspec import Struct, structs

from memrunbook.core.errors import UsageError

H = TypeVar("H")

WORD = re.compile("[1-9][0-9]{0,5}|(100|[1-9][0-9]?)%")
"""A number of hosts, or percent of all of them; none is no number of hosts."""
HINT = "a number of hosts from 1, or 1% to 100% of all of them"
LISTED = 3


class Share(Struct, frozen=True):
    """So many hosts, or so many percent of all hosts of a run."""

    amount: int
    percent: bool = False

    def of(self, hosts: int) -> int:
        """How many of so many hosts fit into that: rounded down, at least one."""
        return max(1, hosts * self.amount // 100) if self.percent else self.amount

    def reached_at(self, hosts: int) -> int:
        """How many of so many hosts are no less than that: rounded up."""
        return -(-hosts * self.amount // 100) if self.percent else self.amount


class Rollout(Struct, frozen=True, kw_only=True):
    """How a run goes over its hosts, in words as typed; those may say nothing until it is `checked`.

    `serial` are the sizes of its batches, of which the last one repeats (none: all hosts at once). No other host is
    begun when `max_failures` have failed: empty for 1 with batches, and for all without. `retry_file` is the path of a
    file for the names of the hosts that did not end well, empty for none.
    """

    serial: tuple[str, ...] = ()
    max_failures: str = ""
    retry_file: str = ""

    def checked(self) -> Rollout:
        """The same; UsageError for words that are no number of hosts."""
        _ = self.sizes, self.most
        return self

    def with_file(self, retry_file: str) -> Rollout:
        """The same with another retry file, where one is named."""
        return structs.replace(self, retry_file=retry_file or self.retry_file)

    @property
    def sizes(self) -> tuple[Share, ...]:
        """The sizes of the batches."""
        return tuple(share(word, "--serial") for word in self.serial)

    @property
    def most(self) -> Share | None:
        """So many failures end the run; None where none do. With batches the first one: it may be a canary's."""
        if self.max_failures:
            return share(self.max_failures, "--max-failures")
        return Share(1) if self.serial else None


def share(word: str, where: str) -> Share:
    """Reads 3 or 10%; UsageError, with the option `where` it stands, for anything else."""
    if WORD.fullmatch(word.strip()) is None:
        raise UsageError(f"{word!r} is no number of hosts", where=where, hint=HINT)
    return Share(int(word.strip().rstrip("%")), word.strip().endswith("%"))


def batches(hosts: Sequence[H], serial: Sequence[Share]) -> list[Sequence[H]]:
    """The hosts in their order, in batches of these sizes, of which the last one repeats; all at once without sizes.

    Percent are of all hosts. No host is left out, none is in two, and no batch is empty.
    """
    found: list[Sequence[H]] = []
    begin = 0
    while begin < len(hosts):
        size = serial[min(len(found), len(serial) - 1)].of(len(hosts)) if serial else len(hosts)
        found.append(hosts[begin : begin + size])
        begin += size
    return found


def few(names: Sequence[str]) -> str:
    """The first names of some, and how many more: "web1, web2, web3 and 5 more"."""
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")
