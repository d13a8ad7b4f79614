"""What a workspace knows of its customers beside the log: `attributes/NAME.parquet`, joined whenever it is opened."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from wayfare.errors import BadInput, InvalidParameter, WayfareError
from wayfare.histories.attributes import attributes

if TYPE_CHECKING:
    from wayfare.log import Log
    from wayfare.result import Result

FOLDER = "attributes"
CUSTOMER = "customer"
"""The column of each file with the customer's id."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def with_saved(log: Log, folder: Path) -> Log:
    """The workspace's log with the attributes that are saved in its folder."""
    for path in files(folder):
        try:
            log = log.with_attributes(_read(path), customer=CUSTOMER)
        except WayfareError as error:
            hint = f"Remove or correct {path}."
            raise BadInput(error.problem, where=str(path), hint=hint) from error
    return log


def files(folder: Path) -> list[Path]:
    """The files with attributes, by name."""
    return sorted(_inside(folder).glob("*.parquet"))


def stamp(folder: Path) -> str:
    """What changes whenever an attribute is saved or removed."""
    seen = [(path.name, path.stat()) for path in files(folder)]
    return "-".join(f"{name}-{its.st_mtime_ns:x}-{its.st_size:x}" for name, its in seen)


def save_attributes(folder: str | Path, name: str, table: pa.Table) -> Path:
    """Keeps columns of customers in the workspace as `attributes/NAME.parquet`; an earlier file is replaced.

    Args:
        folder: The workspace.
        name: What the file is called: small letters, digits and underscores.
        table: The column `customer` with ids as in the log, and one column or more.
    """
    import pyarrow.parquet as pq

    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f"{name!r} can't name attributes.", where="name", allowed=("persona", "loyalty_2")
        )
    attributes(table, CUSTOMER)
    target = _inside(Path(folder))
    target.mkdir(exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(dir=target, prefix=f".{name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).chmod(0o644)
        Path(fresh).replace(target / f"{name}.parquet")
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
    return target / f"{name}.parquet"


def save_assigned(folder: str | Path, result: Result) -> str:
    """Keeps what a result says of each customer as an attribute of the workspace; says under which name.

    Raises:
        InvalidParameter: The result puts customers in no groups.
    """
    column = str(getattr(type(result), "assigns", ""))
    if not column:
        raise InvalidParameter(
            f"{result.context.analysis} puts customers in no groups that could be kept.",
            allowed=("personas",),
        )
    save_attributes(folder, column, result.tables["customers"].select([CUSTOMER, column]))
    return column


def _inside(folder: Path) -> Path:
    path = folder / FOLDER
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(
            "This leads out of the workspace.", where=str(path), hint="Put the files themselves here."
        )
    return path


def _read(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise BadInput(f"The file is not Parquet ({error}).", where=str(path)) from None
