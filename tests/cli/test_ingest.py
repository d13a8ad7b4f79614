"""`wayfare init`, `ingest`, `quarantine` and `presets`: from a file to a log, with nothing lost unsaid."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from wayfare.domain.journey import JourneyMap
from wayfare.workspace.folder import open_study, open_workspace

ORDERS = """\
OrderID,Customer ID,Order Date,Channel,Total
1,007,2024-01-01 10:00,web,12.50
2,NA,2024-01-02 09:00,store,9
3,,2024-01-03 09:00,web,1
4,007,not a date,web,1
5,008,2024-01-05 12:00,mail,30.25
"""
KEPT, BROKEN = 3, 2  # of ORDERS: one row has no customer, one no time


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)
    return path


def test_a_workspace_is_made_with_what_was_said(wayfare, tmp_path: Path):
    done = wayfare(
        "init", tmp_path / "w", "--name", "Roaster", "--currency", "gbp", "--timezone", "Europe/London"
    )
    config = open_workspace(tmp_path / "w").config
    assert (done.code, done.out) == (0, "")
    assert (config.name, config.currency, config.timezone) == ("Roaster", "GBP", "Europe/London")
    assert "wayfare ingest" in done.err


def test_a_full_folder_is_refused(wayfare, tmp_path: Path, orders: Path):
    done = wayfare("init", tmp_path)
    assert done.code == 2
    assert "other files" in done.err
    assert wayfare("ingest", tmp_path, orders).code == 2


def test_the_mapping_is_shown_with_rows_and_how_to_correct_it(wayfare, tmp_path: Path, orders: Path):
    done = wayfare("ingest", tmp_path / "w", orders, "--as", "purchase", "--dry-run")
    assert done.code == 0
    for said in ("Customer ID", "007", "every row", "--customer COL"):
        assert said in done.err
    assert "No column looks like event" not in done.err
    assert not (tmp_path / "w").exists()


def test_a_dry_run_leaves_an_empty_folder_empty(wayfare, tmp_path: Path, orders: Path):
    (tmp_path / "w").mkdir()
    assert wayfare("ingest", tmp_path / "w", orders, "--as", "purchase", "--dry-run").code == 0
    assert not list((tmp_path / "w").iterdir())


def test_each_file_that_is_read_otherwise_is_shown(wayfare, tmp_path: Path, orders: Path):
    (tmp_path / "more.csv").write_text("who,when\na,2024-01-01\n")
    done = wayfare(
        "ingest", tmp_path / "w", orders, orders, tmp_path / "more.csv", "--as", "purchase", "--dry-run"
    )
    assert done.err.count("is read so") == 2
    assert "'when'" in done.err


def test_a_slip_in_a_key_is_spoken_of(wayfare, tmp_path: Path, orders: Path):
    done = wayfare("ingest", tmp_path / "w", orders, "--as", "purchase", "--map", "valeu=Total", "--dry-run")
    assert "did you mean 'value'?" in done.err


def test_an_export_needs_a_folder_that_is_there(wayfare, tmp_path: Path, orders: Path):
    wayfare("ingest", tmp_path / "w", orders, "--as", "purchase")
    done = wayfare("quarantine", tmp_path / "w", "export", tmp_path / "none" / "mend.csv")
    assert done.code == 2
    assert "no such folder" in done.err
    assert f"wayfare quarantine {tmp_path / 'w'} export" in wayfare("quarantine", tmp_path / "w").err


def test_the_counts_add_up(wayfare, tmp_path: Path, orders: Path):
    done = wayfare("ingest", tmp_path / "w", orders, "--as", "purchase", "--format", "json")
    said = json.loads(done.out)
    assert (said["rows_read"], said["kept"], said["duplicates"], said["quarantined"]) == (
        KEPT + BROKEN,
        KEPT,
        0,
        BROKEN,
    )
    assert sum(said["reasons"].values()) == BROKEN
    assert open_study(tmp_path / "w").log.facts.rows == KEPT
    text = wayfare("ingest", tmp_path / "v", orders, "--as", "purchase", "--format", "csv").out
    counts = {(row["rows"], row["reason"]): int(row["count"]) for row in csv.DictReader(text.splitlines())}
    assert (
        counts["rows_read", ""] == counts["kept", ""] + counts["duplicates", ""] + counts["quarantined", ""]
    )


def test_a_new_folder_becomes_a_workspace_and_that_is_said(wayfare, tmp_path: Path, orders: Path):
    done = wayfare("ingest", tmp_path / "w", orders, "--as", "purchase")
    assert "Made the workspace" in done.err
    assert "EUR, UTC" in done.err
    assert "Proposed a journey map" in done.err
    journey = open_study(tmp_path / "w").document(JourneyMap)
    assert journey is not None
    assert [t.event for t in journey.touchpoints] == ["purchase"]


def test_what_a_person_wrote_survives_the_next_ingest(wayfare, tmp_path: Path, orders: Path):
    wayfare("ingest", tmp_path / "w", orders, "--as", "purchase")
    path = tmp_path / "w" / "wayfare.yaml"
    mine = path.read_text().replace("stage: purchase", "stage: purchase  # the till")
    path.write_text(mine)
    done = wayfare("ingest", tmp_path / "w", orders, "--as", "refund", "--again")
    assert done.code == 0
    assert "refund" in done.err
    assert path.read_text().startswith(mine)
    journey = open_study(tmp_path / "w").document(JourneyMap)
    assert journey is not None
    assert [t.event for t in journey.touchpoints] == ["purchase", "refund"]


def test_a_log_without_orders_is_said(wayfare, tmp_path: Path, orders: Path):
    assert "no event of the log is an order" in wayfare("ingest", tmp_path / "w", orders, "--as", "visit").err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("w", "nowhere.csv"), "no such file"),
        (("orders.csv", "orders.csv"), "the workspace's folder comes first"),
        (("w", "orders.csv"), "--as purchase"),
        (("w", "orders.csv", "--customer", "Cust", "--as", "purchase"), "Customer ID"),
        (("w", "orders.csv", "--map", "value", "--as", "purchase"), "key=COL"),
        (("w", "orders.csv", "--timezone", "Mars"), "time zone"),
        (("w", "orders.csv", "--preset", "shopfy"), "shopfy"),
    ],
)
def test_what_is_wrong_is_said(
    wayfare, tmp_path: Path, orders: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], said: str
):
    monkeypatch.chdir(orders.parent)
    done = wayfare("ingest", *args)
    assert done.code == 2
    assert said in done.err
    assert "Problem  " in done.err


def test_quarantined_rows_are_listed(wayfare, tmp_path: Path, orders: Path):
    wayfare("ingest", tmp_path / "w", orders, "--as", "purchase")
    done = wayfare("quarantine", tmp_path / "w")
    assert "no customer" in done.out
    assert "not a date" in done.out
    rows = json.loads(wayfare("quarantine", tmp_path / "w", "list", "--format", "json").out)
    assert {row["line"] for row in rows} == {4, 5}


def test_quarantined_rows_are_mended(wayfare, tmp_path: Path, orders: Path):
    wayfare("ingest", tmp_path / "w", orders, "--as", "purchase")
    mended = tmp_path / "mended.csv"
    assert wayfare("quarantine", tmp_path / "w", "export", mended).code == 0
    mended.write_text(mended.read_text().replace("not a date", "2024-01-04 10:00"))
    done = wayfare("quarantine", tmp_path / "w", "rerun", mended, "--format", "json")
    assert done.code == 0
    assert (json.loads(done.out)["kept"], json.loads(done.out)["quarantined"]) == (1, 1)
    assert open_study(tmp_path / "w").log.facts.rows == KEPT + 1
    rows = json.loads(wayfare("quarantine", tmp_path / "w", "--format", "json").out)
    assert [row["line"] for row in rows] == [4]


def test_an_empty_quarantine_is_said(wayfare, shop: Path):
    done = wayfare("quarantine", shop)
    assert (done.code, done.out) == (0, "")
    assert "empty" in done.err


def test_an_export_needs_a_file(wayfare, shop: Path):
    assert wayfare("quarantine", shop, "export").code == 2


def test_presets_are_listed(wayfare):
    rows = json.loads(wayfare("presets", "--format", "json").out)
    assert "shopify-orders" in {row["preset"] for row in rows}
    assert all(row["reads"] for row in rows)
