"""Opens the store's database: the file in the state directory, or a server by URL, with its tables as they must be."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError, SQLAlchemyError

from memrunbook.core.errors import JournalError, UsageError
from memrunbook.runtime.outside import SERVER, STORES, is_file, is_server, shown
from memrunbook.state import disk
from memrunbook.state.disk import ELSEWHERE
from memrunbook.state.ownership import whose
from memrunbook.state.store import FILE
from memrunbook.state.store.engines import FEW, MORE, ask_what_rested, let_go, shared
from memrunbook.state.store.server_errors import said, server_error

PATIENCE = 10.0
"""Seconds that a writer waits for another one, and that a server is given to answer."""
WRITER = threading.Lock()
READS = "memrunbook_reads"
MIGRATES = "memrunbook: the tables are made"
LEAST_FREE = 64 << 10
"""Bytes: with less no table can be made."""
WRITABLE = f"see that there is space and that it may be written, {ELSEWHERE}"
MIGRATIONS = "memrunbook.state.store:migrations"


def address(state: Path, place: str = "", password: str = "") -> sa.URL:
    """Where the store is: the file in the state directory, another file, or a server by its URL.

    UsageError for what is none of these.
    """
    if is_server(place):
        try:
            url = sa.make_url(SERVER.sub("postgresql+psycopg://", place, count=1))
        except (ArgumentError, ValueError):
            raise UsageError(f"{shown(place)!r} cannot be read as a URL", hint=STORES) from None
        return url.set(password=password) if password else url
    if place and not is_file(place):
        raise UsageError(f"{shown(place)!r} is no store", hint=STORES)
    path = Path(place).expanduser().absolute() if place else state / FILE
    if path.is_dir():
        raise UsageError("this is a folder", where=str(path), hint=f"name a file in it, as in {path / FILE}")
    return sa.URL.create("sqlite", database=str(path))


def shown_url(where: sa.URL) -> str:
    """What `address` made, for people: a file by its path, a server as it is typed, without its password."""
    if where.get_backend_name() == "sqlite":
        return where.database or ""
    return shown(where.set(drivername="postgresql").render_as_string())


def opened(where: sa.URL) -> sa.Engine:
    """The database with its tables; JournalError where it cannot be reached, is damaged or of a newer version."""
    name = shown_url(where)
    if where.get_backend_name() == "sqlite":
        _make_file(Path(name))
    with explained(name):
        engine = connected(where)
        try:
            _bring_up_to_date(engine, name)
        except BaseException:
            let_go(engine)
            raise
    return engine


def _bring_up_to_date(engine: sa.Engine, name: str) -> None:
    with reading(engine) as connection:
        known = _version(connection)
    if known != _newest():
        _migrate(engine, known, name)


def version_of(where: sa.URL) -> str:
    """In words, that the tables are of an older version or not made yet; empty where they are as they must be.

    Nothing is changed. JournalError where it cannot be reached, is damaged or locked, or is of a newer version.
    """
    name = shown_url(where)
    with explained(name):
        engine = connected(where)
        try:
            with reading(engine) as connection:
                known = _version(connection)
            if known and known != _newest():
                _refuse_newer(known, name)
        finally:
            let_go(engine)
    if known == _newest():
        return ""
    return f"{name}: its tables are {'of an older version' if known else 'not there yet'}; the next run makes them"


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turns an error of the database into a JournalError: without the store nothing may be changed."""
    try:
        yield
    except (NoSuchModuleError, ModuleNotFoundError):
        raise UsageError(
            "a store on PostgreSQL needs its driver", where=name, hint="pip install 'memrunbook[postgres]'"
        ) from None
    except SQLAlchemyError as error:
        raise (server_error(error, name) if "://" in name else _of_file(error, name)) from None


def _of_file(error: SQLAlchemyError, name: str) -> JournalError:
    if isinstance(error, OperationalError):
        why = "no space left" if _full(Path(name).parent) else said(error)
        owner = "" if _writable(Path(name)) else f"; {whose(Path(name))}"
        return JournalError(f"the store cannot be read or written: {why}{owner}", where=name, hint=WRITABLE)
    aside = "move it aside (mv), and a new one is made: it knows no limits so far, and no runbook off"
    hint = aside if isinstance(error, DatabaseError) else ""
    return JournalError(f"the store cannot be used: {said(error)}", where=name, hint=hint)


def _make_file(path: Path) -> None:
    """Makes the file with the mode that it is to have: SQLite gives that to its own files beside it."""
    with disk.explained(path, "be made"):
        missing = path.parent.is_dir() and not path.exists()
    if missing:
        os.close(disk.open_for_append(path))


def _writable(path: Path) -> bool:
    return os.access(path if path.exists() else path.parent, os.W_OK)


def _full(folder: Path) -> bool:
    """SQLite calls a full disk an I/O error."""
    try:
        return shutil.disk_usage(folder).free < LEAST_FREE
    except OSError:
        return False


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that only reads: it waits for no writer."""
    with engine.execution_options(**{READS: True}).connect() as connection:
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that writes, whole or not at all.

    The hosts of a run write in turn: SQLite would let some of many wait beyond their patience.
    """
    with WRITER if engine.dialect.name == "sqlite" else nullcontext(), engine.begin() as connection:
        yield connection


def one_at_a_time(connection: sa.Connection, what: str) -> None:
    """Who is at the same on a server is waited for, to the end of this transaction; a file has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(what, 0))))


def insert_once(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
    """True where the row is new; whoever comes at the same time with one of the same key waits, and finds it."""
    if connection.dialect.name == "postgresql":  # which counts no rows here, but returns them
        key, *_ = table.primary_key.columns
        inserted = postgresql.insert(table).values(**row).on_conflict_do_nothing().returning(key)
        return connection.scalar(inserted) is not None
    return connection.execute(sqlite.insert(table).values(**row).on_conflict_do_nothing()).rowcount == 1


def connected(where: sa.URL) -> sa.Engine:
    """The database as it is: no table is made, and nothing asked yet."""
    if where.get_backend_name() != "sqlite":
        return shared(where, partial(_pooled, where))
    engine = sa.create_engine(where, connect_args={"timeout": PATIENCE, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def _set(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin our transactions ourselves: see below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # two that look and then write would both be let through
        only_reads = connection.get_execution_options().get(READS, False)
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

    return engine


def _pooled(where: sa.URL) -> sa.Engine:
    made = sa.create_engine(where, pool_size=FEW, max_overflow=MORE, connect_args=_deadlines(where))
    ask_what_rested(made)
    return _bounded(made)


def libpq(where: sa.URL) -> dict[str, Any]:
    """The server of a URL in the words of libpq, with what bounds each wait for it: for who asks it without a table."""
    _, words = where.get_dialect()().create_connect_args(where)
    return {**words, **_deadlines(where)}


def _bounded(engine: sa.Engine) -> sa.Engine:
    """Its sessions end where the server says nothing for longer than it would let anything last."""
    from memrunbook.state.store.bounded import BoundedSession

    @sa.event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, args: Any, options: Any) -> Any:
        session = BoundedSession.connect(*args, **options)
        session.longest = 2 * PATIENCE
        return session

    return engine


def _deadlines(where: sa.URL) -> dict[str, Any]:
    """What bounds each wait for a server: whoever is frozen holds up nobody, and a silent network ends."""
    milliseconds = int(PATIENCE * 1000)
    waits = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    given = where.query.get("options", "")
    options = " ".join([*(f"-c {name}={milliseconds}" for name in waits), given if isinstance(given, str) else ""])
    return {"connect_timeout": int(PATIENCE), "tcp_user_timeout": milliseconds, "options": options.strip()}


def _version(connection: sa.Connection) -> str:
    """The migration that the tables stand at, empty for a new database."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")) or "")


def _newest() -> str:
    from memrunbook.state.store.migrations import NEWEST

    return NEWEST


def _migrate(engine: sa.Engine, known: str, name: str) -> None:
    from alembic import command

    config = _refuse_newer(known, name)
    with writing(engine) as connection:
        one_at_a_time(connection, MIGRATES)
        if _version(connection) == known:  # else another engine was at it first
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _refuse_newer(known: str, name: str) -> Any:
    """The configuration of the migrations; JournalError where they do not know what the tables stand at."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    revisions = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
    if known and known not in revisions:
        raise JournalError(
            f"the store is of a newer version of memrunbook (its tables stand at {known})",
            where=name,
            hint="update memrunbook here, or name another store",
        )
    return config
