"""Rows that are there once, whoever writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
    """True where the row is new; whoever comes at the same time with one of the same key waits, and finds it."""
    if connection.dialect.name == "postgresql":  # which counts no rows here, but returns them
        key, *_ = table.primary_key.columns
        inserted = postgresql.insert(table).values(**row).on_conflict_do_nothing().returning(key)
        return connection.scalar(inserted) is not None
    return connection.execute(sqlite.insert(table).values(**row).on_conflict_do_nothing()).rowcount == 1
