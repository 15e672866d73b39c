"""Down-sampling and forgetting, a bounded piece with each write: nobody has to run anything for it."""

from __future__ import annotations

from memrunbook.core.reading.keeping import Keeping
from memrunbook.core.units import DAY, HOUR
from memrunbook.state.history import points
from memrunbook.state.history.book import BETWEEN, FOLDED, Book
from memrunbook.state.history.database import Rows
from memrunbook.state.history.points import (
    MILLISECONDS,
    Coarse,
    Fine,
    hour_of,
    key,
    time_of,
    unpack_fine,
)

MOST_ROWS = 2_000
"""Rows that one write folds or forgets of a host; an hour that has more is folded whole."""
SURE = 2.0 * DAY
"""Seconds for which readings must come at a time until nothing older is folded or forgotten for it."""
OLDEST = "SELECT owner, machine, name FROM history_hosts WHERE id = owner AND folded < :before ORDER BY folded LIMIT 1"
NEWEST_BEFORE = "SELECT at FROM history_readings WHERE at >= :first AND at <= :last ORDER BY at DESC LIMIT 1"
REMOVE = "DELETE FROM history_readings WHERE at = :at"
FORGET = "DELETE FROM history_series WHERE host = :host AND (latest < :coarse OR (kind = 'process' AND latest < :fine))"


def begin_of(keeping: Keeping, now: float) -> int:
    """The hour before which rows are coarse."""
    return hour_of(round((now - keeping.fine) * MILLISECONDS))


def oldest_of(keeping: Keeping, now: float) -> int:
    """The moment before which nothing is kept."""
    return round((now - max(keeping.coarse, keeping.fine)) * MILLISECONDS)


def sure_of(book: Book, now: float) -> float | None:
    """How late it is at least, by the host's own rows; None where it has none that are old enough to say so.

    A clock may be wrong: one that is a year ahead for a day would fold and forget all that is known. So the time goes
    on from the newest row that is older than SURE.
    """
    last = round((now - SURE) * MILLISECONDS)
    newest = [
        time_of(place)
        for coarse in (False, True)
        for (place,) in book.rows.all(
            NEWEST_BEFORE, first=key(book.owner, 0, coarse=coarse), last=key(book.owner, last, coarse=coarse)
        )
    ]
    return min(now, max(newest) / MILLISECONDS + SURE) if newest else None


def tidy(book: Book, keeping: Keeping, now: float) -> None:
    """Folds the host's rows that are no longer fine into hours, and forgets what is too old, a piece of each."""
    begin = begin_of(keeping, now)
    if book.folded >= begin:
        return
    done = _fold(book, begin)
    book.rows.do(FOLDED, [{"at": done, "host": book.owner}])
    first, last = key(book.owner, 0, coarse=True), key(book.owner, oldest_of(keeping, now) - 1, coarse=True)
    old = book.rows.all(f"{BETWEEN} LIMIT {MOST_ROWS}", first=first, last=last)
    book.rows.do(REMOVE, [{"at": place} for place, _ in old])
    if done < begin or len(old) == MOST_ROWS:
        return  # a slot that a row still names is not given to another series
    margin = (DAY + HOUR) * MILLISECONDS  # `latest` is a day behind at most
    limits = {"coarse": oldest_of(keeping, now) - 2 * margin, "fine": begin - 2 * margin}
    book.rows.do(FORGET, [{"host": book.owner, **limits}])


def tidy_another(rows: Rows, keeping: Keeping, now: float) -> None:
    """The same for the host that was folded longest ago: nobody may read it any more, so others say how late it is."""
    found = rows.all(OLDEST, before=begin_of(keeping, now) - DAY * MILLISECONDS)
    for owner, machine, name in found:
        tidy(Book.of(rows, name, machine, begin_of(keeping, now)), keeping, now)
        if not rows.all("SELECT slot FROM history_series WHERE host = :host LIMIT 1", host=owner):
            rows.do("DELETE FROM history_hosts WHERE owner = :host", [{"host": owner}])


def _fold(book: Book, begin: int) -> int:
    """Folds whole hours before `begin`; how far that went."""
    first, last = key(book.owner, 0, coarse=False), key(book.owner, begin - 1, coarse=False)
    found = book.rows.all(f"{BETWEEN} LIMIT {MOST_ROWS}", first=first, last=last)
    hours: dict[int, list[tuple[int, Fine]]] = {}
    for place, packed in found:
        hours.setdefault(hour_of(time_of(place)), []).append((place, unpack_fine(packed)))
    done = begin
    if len(found) == MOST_ROWS:
        done = max(hours)  # it may have more rows than were asked for
        if len(hours) > 1:
            del hours[done]
        else:
            hours = {done: _hour(book, done)}
            done += points.HOUR
    passing = frozenset(slot for identity, slot in book.slots.items() if identity[0] == "process")
    coarse: dict[int, Coarse] = {hour: points.folded((row for _, row in rows), passing) for hour, rows in hours.items()}
    book.put_coarse({hour: row for hour, row in coarse.items() if row})
    book.rows.do(REMOVE, [{"at": place} for rows in hours.values() for place, _ in rows])
    return done


def _hour(book: Book, hour: int) -> list[tuple[int, Fine]]:
    last = hour + points.HOUR - 1
    found = book.rows.all(BETWEEN, first=key(book.owner, hour, coarse=False), last=key(book.owner, last, coarse=False))
    return [(place, unpack_fine(packed)) for place, packed in found]
