"""The tables of the history, as statements that SQLite and PostgreSQL both take.

A row of `readings` is all that one reading of a host left, packed: a row a point would be fifty times as large. Its key
is host, resolution and time in one number, so that the points of a host lie together in the order of time.
"""

from __future__ import annotations

from dataclasses import dataclass

APPLICATION = 0x4D524248
"""SQLite's application_id of a history: a file with another one is somebody else's."""
HOSTS = """CREATE TABLE history_hosts (
  id {number} NOT NULL PRIMARY KEY,
  owner BIGINT NOT NULL,
  machine TEXT NOT NULL,
  name TEXT NOT NULL,
  newest BIGINT NOT NULL,
  folded BIGINT NOT NULL,
  UNIQUE (machine, name)
)"""
SERIES = """CREATE TABLE history_series (
  host BIGINT NOT NULL,
  slot BIGINT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  figure TEXT NOT NULL,
  life TEXT NOT NULL,
  most DOUBLE PRECISION,
  latest BIGINT NOT NULL,
  PRIMARY KEY (host, slot)
){narrow}"""
READINGS = """CREATE TABLE history_readings (
  at {number} NOT NULL PRIMARY KEY,
  points {bytes} NOT NULL
)"""
STEPS = ((HOSTS, SERIES, READINGS),)
"""What makes the tables of each version out of those of the version before it; a change of them is one more."""
NEWEST = len(STEPS)


@dataclass(frozen=True)
class Dialect:
    """How a database spells what the two do not spell alike."""

    number: str
    bytes: str
    narrow: str

    def made(self, known: int) -> list[str]:
        """The statements that bring tables of a version up to date."""
        words = {"number": self.number, "bytes": self.bytes, "narrow": self.narrow}
        return [statement.format(**words) for step in STEPS[known:] for statement in step]


SQLITE = Dialect(number="INTEGER", bytes="BLOB", narrow=" WITHOUT ROWID")
POSTGRESQL = Dialect(number="BIGINT", bytes="BYTEA", narrow="")
