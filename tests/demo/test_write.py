"""The written export: what it holds adds up, and its dirt is the planted dirt."""

from __future__ import annotations

import io

import pandas as pd
import pyarrow as pa
import pytest
import yaml

from wayfare.demo import Company, records, write_csv


def _read(path) -> pd.DataFrame:
    with pa.input_stream(str(path), compression="zstd") as stream:
        return pd.read_csv(io.BytesIO(stream.read()), dtype={"customer": "string"}, low_memory=False)


@pytest.fixture(scope="module")
def company() -> Company:
    return Company(customers=12_000, seed=5)


@pytest.fixture(scope="module")
def export(company, tmp_path_factory):
    return write_csv(company, tmp_path_factory.mktemp("demo") / "new folder")


def test_rows_are_events_duplicates_and_unusable(company, export):
    table = _read(export.path)
    assert len(table) == export.rows == export.events + export.duplicates + export.unusable
    assert export.events == sum(batch.num_rows for batch in records(company))
    # 12 thousand customers, 2 duplicates and 1 unusable row a thousand
    assert (export.duplicates, export.unusable) == (24, 12)


def test_dirt_is_as_counted(export):
    table = _read(export.path)
    assert table["event_id"].duplicated().sum() == export.duplicates
    assert table.duplicated().sum() == export.duplicates
    missing = table["customer"].isna()
    unreadable = pd.to_datetime(table["time"], utc=True, errors="coerce", format="ISO8601").isna()
    assert (missing | unreadable).sum() == missing.sum() + unreadable.sum() == export.unusable
    assert missing.sum() == unreadable.sum()


def test_truths_lie_beside_and_count_the_dirt(export):
    stored = yaml.safe_load(export.truths.read_text(encoding="utf-8"))
    values = {truth["name"]: truth["value"] for truth in stored["truths"]}
    assert stored["simulated"] is True
    assert (values["duplicates"], values["unusable"]) == (export.duplicates, export.unusable)


def test_clean_export_holds_the_records_alone(tmp_path):
    company = Company(customers=200)
    export = write_csv(company, tmp_path, dirty=False)
    table = _read(export.path)
    batch = next(records(company))
    assert (export.duplicates, export.unusable) == (0, 0)
    assert table["customer"].tolist() == batch.column("customer").to_pylist()
    times = pd.to_datetime(table["time"], utc=True, format="ISO8601")
    assert times.tolist() == batch.column("time").to_pandas().tolist()
    assert table["value"].sum() == pytest.approx(sum(batch.column("value").drop_null().to_pylist()))


def test_same_company_writes_the_same_file(tmp_path):
    first, second = (write_csv(Company(customers=300), tmp_path / name).path for name in "ab")
    assert first.read_bytes() == second.read_bytes()
