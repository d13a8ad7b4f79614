"""The workspace's database: SQLite in its folder, or PostgreSQL by URL; one schema, brought up to date when opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from wayfare.errors import BadInput, Busy, Damaged, MissingExtra, NotReady, WayfareError
from wayfare.workspace.folder import inside

if TYPE_CHECKING:
    from wayfare.workspace.folder import Workspace

DATABASE = "wayfare.db"
VARIABLE = "WAYFARE_DATABASE"
MIGRATIONS = Path(__file__).with_name("migrations")
NEWEST = max(path.name[1:5] for path in (MIGRATIONS / "versions").glob("m*.py"))
"""The step that an up-to-date database stands at; the files of the steps begin with `m` and its number."""
PATIENCE_SECONDS = 30
_UPGRADING = Lock()  # alembic keeps what it is doing in globals
_UPGRADE_LOCK = 7_742_091_518  # any number, the same for everybody who upgrades


class Moment(sa.TypeDecorator[datetime]):
    """A moment in UTC; SQLite forgets the zone, so it is put back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """The moment in UTC."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """The moment with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData()

document = sa.Table(
    "document", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(80), nullable=False, unique=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("last_revision", sa.Integer, nullable=False),
)  # fmt: skip
branch = sa.Table(
    "branch", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("document_id", sa.Integer, sa.ForeignKey("document.id"), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("began_at", sa.Integer),
    sa.Column("head", sa.Integer, nullable=False),
    sa.UniqueConstraint("document_id", "name"),
)  # fmt: skip
revision = sa.Table(
    "revision", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("document_id", sa.Integer, sa.ForeignKey("document.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("branch", sa.String(80), nullable=False),
    sa.Column("parent", sa.Integer),
    sa.Column("action", sa.String(20), nullable=False),
    sa.Column("equals", sa.Integer),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.UniqueConstraint("document_id", "number"),
)  # fmt: skip
comment = sa.Table(
    "comment", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("document_id", sa.Integer, sa.ForeignKey("document.id"), nullable=False, index=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("item", sa.String(80), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)  # fmt: skip


class Database:
    """An open database; `reading` and `writing` are transactions whose errors are ours."""

    def __init__(self, engine: sa.Engine, where: str) -> None:
        self.engine = engine
        self.where = where

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that only looks."""
        with _explained(self.where), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that is kept whole, on disk, when the block ends, or not at all."""
        with _explained(self.where), self.engine.execution_options(writing=True).begin() as connection:
            yield connection

    def close(self) -> None:
        """Lets go of the connections."""
        self.engine.dispose()


def has_database(workspace: Workspace) -> bool:
    """Whether there is one already, or an address for one."""
    return _named(workspace) is not None or inside(workspace.folder, DATABASE).is_file()


def open_database(workspace: Workspace, url: str | None = None) -> Database:
    """The workspace's database, made or brought up to date.

    It is the PostgreSQL database at `url`, else that which WAYFARE_DATABASE or the workspace's `wayfare.yaml` names, else
    `wayfare.db` in the workspace's folder.

    Raises:
        BadInput: The address is none, or leads out of the workspace.
        NotReady: The database can't be reached, or a newer Wayfare made it.
        MissingExtra: PostgreSQL's driver is not installed.
    """
    url = url or _named(workspace)
    if url is None:
        paths = [inside(workspace.folder, DATABASE + ending) for ending in ("", "-wal", "-shm")]
        return _opened(_sqlite(paths[0].resolve()), str(paths[0]))
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError:
        raise BadInput("This is not the address of a database.", where="--database", hint=_EXAMPLE) from None
    if parsed.get_backend_name() != "postgresql":
        raise BadInput(
            f"Documents are not kept in {parsed.get_backend_name()!r}.",
            where="--database",
            allowed=("postgresql",),
            hint=f"{_EXAMPLE} Without an address they are in {DATABASE} in the workspace.",
        )
    return _opened(parsed.set(drivername="postgresql+psycopg"), parsed.render_as_string(hide_password=True))


def _sqlite(path: Path) -> sa.URL:
    """The file's address; in a folder that can't be written to it is read as it is, since SQLite's log needs a file beside it."""
    if not path.is_file() or os.access(path.parent, os.W_OK):
        return sa.URL.create("sqlite", database=str(path))
    log = path.with_name(f"{path.name}-wal")
    still = {} if log.is_file() and log.stat().st_size else {"immutable": "1"}
    return sa.URL.create("sqlite", database=path.as_uri(), query={"mode": "ro", "uri": "true", **still})


def _named(workspace: Workspace) -> str | None:
    return os.environ.get(VARIABLE) or workspace.config.database


_REFUSED = ("42501", "25006", "3F000")  # no right, read only, no schema to write into
_EXAMPLE = "Write postgresql://user@host/name."
_OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": {},
    "postgresql": {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10}},
}


def _opened(url: sa.URL, where: str) -> Database:
    try:
        engine = sa.create_engine(url, **_OPTIONS[url.get_backend_name()])
    except ModuleNotFoundError:
        raise MissingExtra.of("postgres", "A PostgreSQL database") from None
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _durable)
        event.listen(engine, "begin", _begin)
    database = Database(engine, where)
    try:
        _upgrade(database)
    except BaseException:
        database.close()
        raise
    return database


def _durable(connection: Any, _record: Any) -> None:
    """A write that was acknowledged survives a crash, and readers never wait for the writer."""
    connection.isolation_level = None  # transactions are begun by _begin, also those that change tables
    for setting in (
        f"busy_timeout = {PATIENCE_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: sa.Connection) -> None:
    # A writer takes its turn before it reads, so that what it read still holds when it writes.
    writes = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _upgrade(database: Database) -> None:
    """Brings the tables up to date, one process at a time."""
    with database.reading() as connection:
        if _stands_at(connection) == NEWEST:
            return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with _UPGRADING, database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
        now = _stands_at(connection)
        if now is not None and now not in {script.revision for script in scripts.walk_revisions()}:
            raise NotReady(
                "A newer Wayfare made this database.",
                where=database.where,
                hint="Update: pip install -U wayfare",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _stands_at(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    number: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return number


@contextmanager
def _explained(where: str) -> Iterator[None]:
    try:
        yield
    except WayfareError:
        raise
    except exc.OperationalError as error:
        said = " ".join(str(error.orig).split())
        if "locked" in said or "busy" in said:
            raise Busy(
                "Somebody else is writing here for a long time.", where=where, hint="Try again."
            ) from None
        raise NotReady(
            f"The database can't be reached: {said}.", where=where, hint="Check its address, rights and disk."
        ) from None
    except exc.DatabaseError as error:
        if getattr(error.orig, "sqlstate", None) in _REFUSED:
            said = " ".join(str(error.orig).split())
            raise NotReady(
                f"The database refuses: {said}.",
                where=where,
                hint="Ask for the right to create and write tables.",
            ) from None
        if isinstance(error, exc.IntegrityError | exc.ProgrammingError | exc.DataError):
            raise
        said = " ".join(str(error.orig).split())
        raise Damaged(f"The database can't be used: {said}.", where=where) from None
