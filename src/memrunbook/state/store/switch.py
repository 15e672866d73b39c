"""The kill switch: while it is off nothing is changed anywhere by who shares this store."""

from __future__ import annotations

import sqlalchemy as sa
from msgspec import Struct

from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, one_at_a_time, reading, writing
from memrunbook.state.store.tables import SWITCHES

NEWEST = sa.select(SWITCHES).order_by(SWITCHES.c.id.desc()).limit(1)
"""Made once: it is asked before each gate and each effect."""
TURNS = "memrunbook: the switch is turned"


class Switch(Struct, frozen=True):
    """The newest turn of the switch: off or on, when, until when (None for ever), by whom and why."""

    off: bool = False
    at: float = 0.0
    until: float | None = None
    who: str = ""
    reason: str = ""

    def holds(self, now: float) -> bool:
        """True while nothing may be changed."""
        return self.off and (self.until is None or now < self.until)


def turn(store: Store, switch: Switch) -> None:
    """Turns it; what was before stays on record. The same turn, said once more since nobody answered, is one."""
    values = {name: getattr(switch, name) for name in Switch.__struct_fields__}
    with explained(store.name), writing(store.engine) as connection:
        one_at_a_time(connection, TURNS)
        if _newest(connection) != switch:
            connection.execute(sa.insert(SWITCHES), values)


def switch_of(store: Store) -> Switch:
    """How it stands."""
    with explained(store.name), reading(store.engine) as connection:
        return _newest(connection) or Switch()


def _newest(connection: sa.Connection) -> Switch | None:
    row = connection.execute(NEWEST).mappings().first()
    return Switch(**{name: row[name] for name in Switch.__struct_fields__}) if row else None
