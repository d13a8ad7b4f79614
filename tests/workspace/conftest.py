"""Documents of a workspace, in the database of its folder and in PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from wayfare.workspace.documents import Documents, open_documents
from wayfare.workspace.folder import Workspace, init

POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.xdist_group("postgres")])


@pytest.fixture(params=["sqlite", POSTGRESQL])
def url(request: pytest.FixtureRequest) -> str | None:
    """None for the workspace's own file; else a schema of its own in the PostgreSQL of the tests."""
    if request.param == "sqlite":
        return None
    base, name = request.getfixturevalue("postgres_url"), f"t{uuid.uuid4().hex}"
    engine = sa.create_engine(base)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(name))
    engine.dispose()
    return f"{base}?options=-csearch_path%3D{name}"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return init(tmp_path / "shop", "Shop")


@pytest.fixture
def opened(workspace: Workspace, url: str | None) -> Iterator[Callable[[], Documents]]:
    """Opens the documents anew, as another process would."""
    all_of_them: list[Documents] = []

    def open_() -> Documents:
        all_of_them.append(open_documents(workspace, url))
        return all_of_them[-1]

    yield open_
    for each in all_of_them:
        each.close()
