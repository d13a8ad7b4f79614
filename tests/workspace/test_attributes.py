"""Attributes of a workspace: saved as a file, there whenever the log is opened, refused in words."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from wayfare.cli.main import main
from wayfare.errors import BadInput, InvalidParameter, UnknownName
from wayfare.workspace.attributes import files, save_attributes, stamp
from wayfare.workspace.folder import init, open_study

ROWS = "customer,time,event\na,2024-01-01,visit\na,2024-01-02,purchase\nb,2024-01-03,visit\n"
PERSONA = pa.table({"customer": ["a", "gone"], "persona": ["Explorers", "Others"]})


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    init(tmp_path / "shop")
    (tmp_path / "rows.csv").write_text(ROWS)
    assert main(["ingest", str(tmp_path / "shop"), str(tmp_path / "rows.csv")]) == 0
    return tmp_path / "shop"


def test_saved_attributes_are_there_whenever_the_log_is_opened(shop: Path):
    before, seen = open_study(shop), stamp(shop)
    assert save_attributes(shop, "persona", PERSONA) == shop / "attributes" / "persona.parquet"
    after = open_study(shop)
    assert after.log.attributes == ("persona",)
    assert after.log.facts.fingerprint != before.log.facts.fingerprint
    assert stamp(shop) != seen
    assert open_study(shop, ["persona=Explorers"]).log.each_customer(lambda b: {})[
        "customer"
    ].to_pylist() == ["a"]


def test_the_command_line_uses_them(shop: Path, capsys: pytest.CaptureFixture[str]):
    save_attributes(shop, "persona", PERSONA)
    assert main(["run", str(shop), "overview", "--segment", "persona=Explorers", "--format", "json"]) == 0
    assert '"persona=Explorers"' in capsys.readouterr().out.replace("any:", "")


def test_saving_again_replaces(shop: Path):
    save_attributes(shop, "persona", PERSONA)
    save_attributes(shop, "persona", pa.table({"customer": ["b"], "persona": ["New"]}))
    assert open_study(shop).log.names("persona").to_list() == ["New"]
    assert [path.name for path in files(shop)] == ["persona.parquet"]
    assert not [path for path in (shop / "attributes").iterdir() if path.name.startswith(".")]


def test_customers_who_come_later_have_it_missing(shop: Path, tmp_path: Path):
    save_attributes(shop, "persona", PERSONA)
    (tmp_path / "more.csv").write_text("customer,time,event\nA0,2024-02-01,visit\na,2024-02-02,visit\n")
    assert main(["ingest", str(shop), str(tmp_path / "more.csv")]) == 0
    log = open_study(shop).log
    found = log.each_customer(lambda b: {"persona": b["persona"][b.starts[:-1]]}, ("persona",)).to_pylist()
    assert {row["customer"]: row["persona"] for row in found} == {"a": 0, "b": -1, "A0": -1}


def test_a_damaged_file_is_named(shop: Path):
    (shop / "attributes").mkdir()
    (shop / "attributes" / "persona.parquet").write_text("no parquet")
    with pytest.raises(BadInput, match=r"persona\.parquet"):
        open_study(shop)


def test_a_column_that_the_log_has_is_named(shop: Path):
    save_attributes(shop, "event", pa.table({"customer": ["a"], "event": ["x"]}))
    with pytest.raises(BadInput, match="already"):
        open_study(shop)


def test_what_is_refused(shop: Path, tmp_path: Path):
    with pytest.raises(InvalidParameter):
        save_attributes(shop, "../persona", PERSONA)
    with pytest.raises(UnknownName):
        save_attributes(shop, "persona", PERSONA.rename_columns(["who", "persona"]))
    assert files(shop) == []
    (shop / "attributes").symlink_to(tmp_path)
    with pytest.raises(BadInput, match="out of the workspace"):
        save_attributes(shop, "persona", PERSONA)


def test_a_result_of_groups_is_kept_from_the_command_line(shop: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["run", str(shop), "personas", "--save"]) == 0
    assert '--segment "persona=…", --by persona' in capsys.readouterr().err
    assert open_study(shop).log.names("persona").to_list() == ["All customers"]
    assert main(["run", str(shop), "sessions", "--save"]) == 2
    assert "no groups" in capsys.readouterr().err
