"""What tests share: the reference data, a browser, a PostgreSQL and a Spark, each skipped with a reason if absent."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parent.parent

# Fixture -> (marker, group). One group runs in one xdist worker, so that a server is started once and not per worker.
HEAVY = {
    "spark": "spark",
    "postgres_url": "postgres",
    "browser": "browser",
    "chromium": "browser",
}

settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark and group the tests that ask for something heavy."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        groups = list(dict.fromkeys(group for name, group in HEAVY.items() if name in fixtures))
        for group in groups:
            item.add_marker(getattr(pytest.mark, group))
        if groups and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(groups[0]))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public reference data beside the repository; none of it is in the project."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the reference data are not there: no folder ../shared/data beside the repository")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium; while it is open, `asyncio.run` can't be used in the same thread."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    quiet = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=quiet)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL of our own, thrown away afterwards; all tests of a run share its database."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'wayfare[postgres]')")
    initdb, pg_ctl = _postgres_program("initdb"), _postgres_program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")
    with _postgres_folder() as (folder, prefix):
        data = folder / "data"
        _run([*prefix, initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"])
        port = _start_postgres([*prefix, pg_ctl, "-D", str(data), "-l", str(folder / "log"), "-w"], folder)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            _run([*prefix, pg_ctl, "-D", str(data), "-m", "immediate", "-w", "stop"])


def _postgres_program(name: str) -> str | None:
    def version(path: Path) -> tuple[int, ...]:
        return tuple(int(part) for part in path.parent.parent.name.split(".") if part.isdigit())

    packaged = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=version)
    return shutil.which(name) or (str(packaged[-1]) if packaged else None)


@contextmanager
def _postgres_folder() -> Iterator[tuple[Path, list[str]]]:
    """A folder, and what to put before a command so that it runs as a user that PostgreSQL accepts."""
    prefix: list[str] = []
    with tempfile.TemporaryDirectory(prefix="wayfare-pg-") as name:
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            if shutil.which("runuser") is None or "postgres" not in {user.pw_name for user in pwd.getpwall()}:
                pytest.skip("PostgreSQL does not run as root, and there is no user `postgres` to run it as")
            prefix = ["runuser", "-u", "postgres", "--"]
            shutil.chown(name, "postgres", "postgres")
        yield Path(name), prefix


def _start_postgres(pg_ctl: list[str], folder: Path) -> int:
    for attempt in range(3):  # the port is free when asked, and may be taken a moment later
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        )
        try:
            _run([*pg_ctl, "-o", options, "start"])
        except AssertionError:
            if attempt == 2:
                raise
        else:
            return port
    raise AssertionError("unreachable")


def _run(command: list[str]) -> None:
    # A server started by pg_ctl keeps a pipe open, so its output goes to a file.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, stdout=output, stderr=output, cwd="/", check=False, timeout=120)
        output.seek(0)
        assert done.returncode == 0, f"{' '.join(command)}: {output.read().decode(errors='replace')}"


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A Spark of two local threads that nothing outside this machine can reach."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed (pip install 'wayfare[spark]')")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Java is not installed (Debian: apt-get install default-jre-headless)")
    folder = tmp_path_factory.mktemp("spark")
    changed = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in changed.items():
            patch.setenv(name, value)
        options = {
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.memory": "1g",
            "spark.local.dir": str(folder),
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "4",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }
        session = (
            sql.SparkSession.builder.master("local[2]")
            .appName("wayfare tests")
            .config(map=options)
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()
