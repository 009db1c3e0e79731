"""One database: SQLite in a file, or PostgreSQL by URL; opened anew in each process, with short deadlines."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DataError, IntegrityError, InvalidRequestError, SQLAlchemyError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
# How long a statement may wait for another's lock; writers work apart from requests, so they can afford it.
LOCK_WAIT_MS = 5000
CONNECT_S = 2
# Any number, the same in all releases: migrations of one database take turns on it.
MIGRATION_LOCK = 7_253_981_204


class StoreError(Exception):
    """The store can't be used. Its text names the kind of failure only: a driver's own words may hold values or passwords.

    `refused` says that the database works but would not take what was to be written.
    """

    def __init__(self, text: str, refused: bool = False) -> None:
        super().__init__(text)
        self.refused = refused


def store_error(error: Exception) -> StoreError:
    """A failure of the driver in words that are safe to log."""
    cause = getattr(error, "orig", None) or error
    kind = type(cause).__name__
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    return StoreError(
        f"{kind} {code}" if code else kind, isinstance(error, DataError | IntegrityError | InvalidRequestError)
    )


def driver_url(url: str) -> URL:
    """The URL with our driver: psycopg 3 for PostgreSQL.

    >>> driver_url("postgresql://u@db/medsafe").drivername
    'postgresql+psycopg'
    """
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername in ("postgresql", "postgres") else parsed


def _prepare_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    """Write-ahead log, so that readers never wait for a writer; transactions are begun by us, not by the driver."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = NORMAL")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on. Two who do so at once on a new file are refused without waiting, so we wait ourselves."""
    deadline = time.monotonic() + LOCK_WAIT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: taking it later in a transaction can fail without waiting."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def open_engine(url: URL) -> Engine:
    """An engine for this process."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": LOCK_WAIT_MS / 1000, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    options = f"-c statement_timeout={LOCK_WAIT_MS} -c lock_timeout={LOCK_WAIT_MS}"
    given = {"connect_timeout": CONNECT_S, "options": options, "application_name": "medsafe"}
    return create_engine(
        url, connect_args=given, pool_size=2, max_overflow=2, pool_pre_ping=True, pool_timeout=CONNECT_S
    )


def _config(connection: Connection | None = None) -> Config:
    # Alembic takes as long to import as all the rest; only who opens a store needs it.
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def newest_revision() -> str:
    """The shape of the tables that this release works with."""
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory.from_config(_config()).get_current_head())


def known_revisions() -> frozenset[str]:
    from alembic.script import ScriptDirectory

    return frozenset(r.revision for r in ScriptDirectory.from_config(_config()).walk_revisions())


def current_revision(connection: Connection) -> str:
    """The shape the tables have now; "" where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def upgrade(connection: Connection) -> tuple[str, str]:
    """Bring the tables to the newest shape: (before, after). Others who try at the same time wait, then find it done.

    Raises
    ------
    StoreError: the tables were made by a newer release.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    before, newest = current_revision(connection), newest_revision()
    if before and before not in known_revisions():
        raise StoreError(f"its tables have the shape {before} of a newer release; this one knows up to {newest}")
    if before != newest:
        from alembic import command

        command.upgrade(_config(connection), "head")
    return before, newest


class Database:
    """Opens where it is used: each process has its own connections, also after a fork."""

    def __init__(self, url: str) -> None:
        self.url = driver_url(url)
        self._engine: Engine | None = None
        self._pid, self._file, self._usable, self._lock = 0, 0, False, Lock()

    @property
    def kind(self) -> str:
        return self.url.get_backend_name()

    def _mine(self) -> Engine:
        """The engine of this process; one inherited from a parent is left alone, for its connections are the parent's.

        A file that was moved away or replaced is opened anew: writing on into the old one would lose all in silence.
        """
        with self._lock:
            file = self._file_number()
            inherited = self._pid != os.getpid()
            if self._engine is None or inherited or file != self._file:
                if self._engine is not None:
                    self._engine.dispose(close=not inherited)
                self._engine, self._pid, self._usable = open_engine(self.url), os.getpid(), False
                self._make_file()
                self._file = self._file_number()
            return self._engine

    def _file_number(self) -> int:
        """Which file stands at the path now; 0 for none, and for a server."""
        path = self.url.database if self.kind == "sqlite" else None
        try:
            return os.stat(path).st_ino if path else 0
        except OSError:
            return 0

    def _make_file(self) -> None:
        """An empty file for the database, which only its owner may read."""
        if self.kind == "sqlite" and self.url.database:
            path = Path(self.url.database)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)

    def upgrade(self) -> tuple[str, str]:
        """Bring the tables to the newest shape: (before, after).

        Raises
        ------
        StoreError: it can't be done.
        """
        try:
            with self._mine().connect().execution_options(writes=True) as connection, connection.begin():
                done = upgrade(connection)
        except (SQLAlchemyError, OSError) as error:
            raise store_error(error) from None
        self._usable = True
        return done

    @contextmanager
    def begin(self, writes: bool = True) -> Iterator[Connection]:
        """A transaction on tables of the newest shape.

        Raises
        ------
        StoreError: the store can't be used; nothing was written.
        """
        try:
            engine = self._mine()
            if not self._usable:
                self.upgrade()
            with engine.connect().execution_options(writes=writes) as connection, connection.begin():
                yield connection
        except (SQLAlchemyError, OSError) as error:
            self._usable = False
            raise store_error(error) from None

    def revision(self) -> str:
        """The shape of the tables now.

        Raises
        ------
        StoreError: the store can't be read.
        """
        try:
            with self._mine().connect() as connection:
                return current_revision(connection)
        except (SQLAlchemyError, OSError) as error:
            raise store_error(error) from None

    def close(self) -> None:
        """Close the connections of this process, as before a fork."""
        if self._engine is not None and self._pid == os.getpid():
            self._engine.dispose()
