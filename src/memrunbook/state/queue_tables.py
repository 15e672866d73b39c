"""The queue's tables: procrastinate's own, made once and brought up to date by whoever opens the queue first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from procrastinate.exceptions import ConnectorException
from procrastinate.schema import SchemaManager

from memrunbook.core.errors import JournalError
from memrunbook.runtime.outside import shown
from memrunbook.state.store.server_errors import REACHABLE

MADE = "memrunbook: the queue's tables are made"
"""What the server is asked to lock by."""
TURN = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
AFTERWARDS = """
CREATE TABLE IF NOT EXISTS queue_version (migration text NOT NULL);
CREATE INDEX IF NOT EXISTS queue_jobs_by_lock ON procrastinate_jobs (lock) WHERE status IN ('todo', 'doing');
DELETE FROM queue_version
"""
"""procrastinate does not say in the database which of its migrations were applied: we do."""


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turns an error of the database into a JournalError."""
    try:
        yield
    except (psycopg.Error, ConnectorException) as error:
        if isinstance(error.__cause__ or error, psycopg.OperationalError):
            raise JournalError(f"the queue does not answer: {said(error)}", where=name, hint=REACHABLE) from None
        raise JournalError(f"the queue cannot be used: {said(error)}", where=name) from None


FORGOTTEN = "this worker was silent for so long that another one took it for dead; it takes jobs again soon"


def said(error: BaseException) -> str:
    """The database's own words, on one line."""
    cause = error.__cause__ or error
    if isinstance(cause, psycopg.errors.ForeignKeyViolation):  # of a job by its worker
        return FORGOTTEN
    return shown(" ".join(str(cause).split())[:300]) or type(cause).__name__


def make(connection: psycopg.Connection, name: str) -> None:
    """Makes the tables, or applies what is missing of procrastinate's migrations, in the caller's transaction.

    JournalError where they are of a newer procrastinate, somebody else's, or cannot be brought up to date.
    """
    steps = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    newest = steps[-1].stem
    if _version(connection) == newest:
        return
    connection.execute(TURN, (MADE,))
    known = _version(connection)  # another process may have been at it first
    if known == newest:
        return
    if known is None:
        _refuse_others(connection, name)
        connection.execute(SchemaManager.get_schema())
    else:
        for step in _missing(steps, known, name):
            _apply(connection, step, name)
    connection.execute(AFTERWARDS)
    connection.execute("INSERT INTO queue_version VALUES (%s)", (newest,))


def _version(connection: psycopg.Connection) -> str | None:
    if not _there(connection, "queue_version"):
        return None
    row = connection.execute("SELECT max(migration) FROM queue_version").fetchone()
    return str(row[0]) if row is not None and row[0] is not None else None


def _there(connection: psycopg.Connection, table: str) -> bool:
    """Asked of the catalogue's rows: to_regclass goes on saying no in the transaction that waited for its turn."""
    question = "SELECT FROM pg_class WHERE relname = %s AND pg_table_is_visible(oid)"
    return connection.execute(question, (table,)).fetchone() is not None


def _refuse_others(connection: psycopg.Connection, name: str) -> None:
    if _there(connection, "procrastinate_jobs"):
        message = "another program has its jobs there: these tables of procrastinate were not made by memrunbook"
        raise JournalError(message, where=name, hint="name a database of memrunbook's own: CREATE DATABASE memrunbook")


def _missing(steps: list[Path], known: str, name: str) -> list[Path]:
    if known not in {step.stem for step in steps}:
        message = f"the queue is of a newer version of procrastinate (its tables stand at {known})"
        raise JournalError(message, where=name, hint="pip install --upgrade 'memrunbook[cluster]'")
    return [step for step in steps if step.stem > known]


def _apply(connection: psycopg.Connection, step: Path, name: str) -> None:
    try:
        connection.execute(step.read_bytes())
    except psycopg.Error as error:
        message = f"the queue's tables cannot be brought up to date ({step.name}): {said(error)}"
        hint = f"stop all workers, then: psql --single-transaction --file={step} '{name}'"
        raise JournalError(message, where=name, hint=f"{hint}, and UPDATE queue_version") from None
