"""What the doctor sees: each fault with its state, what was found and what to do, and the exit code."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from wayfare import registry
from wayfare.cli import doctor
from wayfare.errors import BadInput


class Usage(NamedTuple):
    """What `shutil.disk_usage` gives."""

    total: int
    used: int
    free: int


def checks(wayfare, *args: object, code: int = 0) -> dict[str, dict[str, str]]:
    done = wayfare("doctor", *args, "--format", "json")
    assert done.code == code, done.err
    return {check["check"]: check for check in json.loads(done.out)}


def test_a_package_that_is_missing_or_old_fails(wayfare, monkeypatch: pytest.MonkeyPatch):
    known = importlib.metadata.version

    def version(name: str) -> str:
        if name == "duckdb":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.2" if name == "numpy" else known(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: ["duckdb>=1", "numpy>=1.26", "scipy"])
    found = checks(wayfare, code=1)["Packages"]
    assert found["state"] == "fail"
    assert found["found"] == "duckdb is missing; numpy is 1.2, needed is 1.26"
    assert found["do"] == "pip install --upgrade wayfare"


def test_an_analysis_of_another_package_that_cant_be_loaded_fails(wayfare, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        registry, "broken", lambda: {"busy_days": BadInput("It is cracked.", hint="Mend it.")}
    )
    found = checks(wayfare, code=1)["Analysis: busy_days"]
    assert (found["state"], found["found"], found["do"]) == ("fail", "It is cracked.", "Mend it.")


def test_an_optional_part_that_is_missing_is_no_failure(wayfare, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        importlib.metadata, "requires", lambda _: ["nowhere-to-be-found>=3 ; extra == 'polars'"]
    )
    found = checks(wayfare)["Optional: polars"]
    assert (found["state"], found["found"]) == ("ok", "not installed (tables as polars frames)")
    assert "pip install 'wayfare[polars]'" in found["do"]


def test_an_old_python_fails(wayfare, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    found = checks(wayfare, code=1)["Python"]
    assert (found["state"], found["found"], found["do"]) == (
        "fail",
        "3.10.4",
        "Install Python 3.11 or newer.",
    )


@pytest.mark.parametrize(
    ("free", "state", "code"), [(50_000_000, "fail", 1), (1_000_000_000, "warn", 0), (10**12, "ok", 0)]
)
def test_a_disk_that_runs_full_is_told_before_an_ingest_meets_it(
    wayfare, shop: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str, code: int
):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**13, 0, free))
    found = checks(wayfare, shop, code=code)["Disk"]
    assert found["state"] == state
    assert ("make room" in found["do"]) == (state != "ok")


def test_a_journey_whose_orders_never_happen_is_warned_of(wayfare, shop: Path, tmp_path: Path):
    folder = tmp_path / "shop"
    shutil.copytree(shop, folder)
    written = folder / "journey.yaml"
    assert wayfare("documents", folder, "export", "journey", written).code == 0
    written.write_text(written.read_text().replace("orders:\n  - purchase", "orders:\n  - sale"))
    assert wayfare("documents", folder, "import", written, "--based-on", "1").code == 0
    found = checks(wayfare, folder)["Journey"]
    assert (found["state"], found["found"]) == ("warn", "no event of the log is an order (sale)")
    assert f"documents {folder} edit journey" in found["do"]


def test_rows_kept_aside_are_warned_of_with_the_command(wayfare, tmp_path: Path):
    source = tmp_path / "orders.csv"
    source.write_text("customer,time,event\na,2024-01-01,purchase\nb,soon,purchase\nc,2024-01-02,view\n")
    assert wayfare("ingest", tmp_path / "shop", source).code == 0
    found = checks(wayfare, tmp_path / "shop")["Quarantine"]
    assert (found["state"], found["found"]) == ("warn", "1 rows could not be used")
    assert found["do"] == f"wayfare quarantine {tmp_path / 'shop'}"


def test_a_folder_that_can_not_be_read_fails_and_the_other_checks_go_on(
    wayfare, shop: Path, monkeypatch: pytest.MonkeyPatch
):
    def refused(_: Path) -> None:
        raise PermissionError(13, "Permission denied", str(shop / "log"))

    monkeypatch.setattr("wayfare.histories.store.open_sealed", refused)
    found = checks(wayfare, shop, code=1)
    assert found["Log"]["state"] == "fail"
    assert found["Log"]["do"] == "Check who may read and write this folder."
    assert found["Quarantine"]["state"] == "ok"


@pytest.mark.parametrize(
    ("version", "numbers"), [("1.26.4", (1, 26, 4)), ("2.0rc1", (2, 0)), ("3", (3,)), ("dev", ())]
)
def test_versions_are_compared_by_their_numbers(version: str, numbers: tuple[int, ...]):
    assert doctor._numbers(version) == numbers


def test_settings_of_what_does_not_exist_fail(wayfare, shop: Path, tmp_path: Path):
    folder = tmp_path / "shop"
    shutil.copytree(shop, folder)
    with (folder / "wayfare.yaml").open("a") as settings:
        settings.write("parameters:\n  funel:\n    within: 7d\n")
    found = checks(wayfare, folder, code=1)["Parameters"]
    assert found["found"].endswith("wayfare.yaml: There is no analysis 'funel'.")
    assert found["do"] == "Did you mean 'funnel'?"
    assert "'funnel'" in wayfare("run", folder, "sessions").err


def test_a_log_that_is_damaged_is_said_once(wayfare, shop: Path, tmp_path: Path):
    folder = tmp_path / "shop"
    shutil.copytree(shop, folder)
    next(folder.glob("log/g-*/manifest.json")).write_text("{")
    found = checks(wayfare, folder, code=1)
    assert [name for name, check in found.items() if check["state"] == "fail"] == ["Log"]


def test_a_survey_that_cant_be_read_is_named_as_one(wayfare, shop: Path, tmp_path: Path):
    folder = tmp_path / "shop"
    shutil.copytree(shop, folder)
    (folder / "surveys").mkdir(exist_ok=True)
    (folder / "surveys" / "brand.yaml").write_text("{")
    found = checks(wayfare, folder, code=1)
    assert [name for name, check in found.items() if check["state"] == "fail"] == ["Surveys"]
    assert "brand.yaml" in found["Surveys"]["found"]
