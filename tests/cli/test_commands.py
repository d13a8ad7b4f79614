"""The other commands: list, explain, analyze, serve, doctor and demo."""

from __future__ import annotations

import csv
import json
import shutil
import socket
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wayfare import web
from wayfare.cli.serve import PORT, free_port
from wayfare.errors import Busy
from wayfare.registry import all_analyses, names
from wayfare.workspace.folder import open_study, open_workspace


def test_every_analysis_is_listed_with_its_question(wayfare):
    rows = json.loads(wayfare("list", "--format", "json").out)
    assert [row["analysis"] for row in rows] == list(names())
    assert all(row["question"].endswith("?") for row in rows)
    assert wayfare("list", "--format", "csv").out.startswith("analysis,group,question\n")
    assert all(name in wayfare("list").out for name in names())


@pytest.mark.parametrize("name", names())
def test_every_analysis_is_explained(wayfare, name: str):
    analysis = next(a for a in all_analyses() if a.name == name)
    text = wayfare("explain", name).out
    said = json.loads(wayfare("explain", name, "--format", "json").out)
    assert analysis.question in text
    assert f"wayfare run DIR {name}" in text
    assert [p["name"] for p in said["parameters"]] == [p.name for p in analysis.parameters]
    assert said["tables"] == analysis.returns.columns()
    rows = list(csv.DictReader(wayfare("explain", name, "--format", "csv").out.splitlines()))
    assert len(rows) == len(analysis.parameters) + sum(
        len(columns) for columns in analysis.returns.columns().values()
    )


def test_a_wrong_name_is_corrected(wayfare):
    done = wayfare("explain", "retenton")
    assert (done.code, done.out) == (2, "")
    assert "Did you mean 'retention'?" in done.err


def test_analyze_writes_the_report_and_says_where(wayfare, shop: Path, tmp_path: Path):
    done = wayfare("analyze", shop, "--output", tmp_path / "out")
    assert done.code == 0, done.err
    path, *beside = map(Path, done.out.split())
    assert path == tmp_path / "out" / "report.html"
    assert [each.name for each in beside] == ["opportunities.csv", "opportunities.parquet"]
    assert "Shop" in path.read_text()
    listed = pq.read_table(path.with_name("opportunities.parquet"))
    assert listed.column_names[:3] == ["rank", "customer", "action"]
    assert json.loads(listed.schema.metadata[b"wayfare"])["analysis"] == "opportunities"
    lines = path.with_name("opportunities.csv").read_text().splitlines()
    assert len(lines) == listed.num_rows + 1


def test_serve_takes_the_next_free_port_and_says_so(wayfare, shop: Path, monkeypatch: pytest.MonkeyPatch):
    served: list[object] = []
    monkeypatch.setattr(web, "serve", lambda *args, **kwargs: served.append((args, kwargs)))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr("wayfare.cli.serve.PORT", taken.getsockname()[1])
        done = wayfare("serve", shop)
    ((_, host, port), more) = served[0]
    assert (host, more["open_browser"]) == ("127.0.0.1", False)
    assert port > taken_port(done.err)
    assert f"http://127.0.0.1:{port}/" in done.err


def taken_port(said: str) -> int:
    assert "is taken; using" in said
    return int(said.split("Port ")[1].split(maxsplit=1)[0])


def test_serving_others_is_warned_of(wayfare, shop: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(web, "serve", lambda *_, **__: None)
    assert "other computers" in wayfare("serve", shop, "--host", "0.0.0.0").err
    assert "other computers" not in wayfare("serve", shop, "--host", "localhost").err


def test_a_port_that_was_asked_for_is_not_swapped():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Busy):
        free_port("127.0.0.1", taken.getsockname()[1])
    assert PORT == 8765


def test_serve_needs_a_workspace(wayfare, tmp_path: Path):
    assert "wayfare init" in wayfare("serve", tmp_path).err


def test_a_sound_workspace_passes_the_doctor(wayfare, shop: Path):
    done = wayfare("doctor", shop, "--format", "json")
    checks = {row["check"]: row for row in json.loads(done.out)}
    assert done.code == 0
    assert {"Python", "Packages", "Workspace", "Time zone", "Log", "Journey", "Quarantine", "Disk"} <= set(
        checks
    )
    assert checks["Log"]["state"] == "ok"
    assert "4 customers" in checks["Log"]["found"]


def test_a_damaged_log_fails_with_what_to_do(wayfare, tmp_path: Path, shop: Path):
    folder = tmp_path / "copy"
    shutil.copytree(shop, folder)
    part = next(folder.glob("log/g-*/part-*.arrow"))
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    done = wayfare("doctor", folder, "--format", "json")
    log = next(row for row in json.loads(done.out) if row["check"] == "Log")
    assert (done.code, log["state"], log["do"]) == (1, "fail", "Ingest again.")


@pytest.mark.parametrize("text", ["name: z\ntimezone: Mars", "nonsense"])
def test_wrong_settings_fail(wayfare, tmp_path: Path, text: str):
    (tmp_path / "wayfare.yaml").write_text(text)
    done = wayfare("doctor", tmp_path)
    assert done.code == 1
    assert "fail" in done.out


def test_the_doctor_needs_no_workspace(wayfare):
    done = wayfare("doctor")
    assert (done.code, done.err) == (0, "")


def test_an_empty_workspace_is_no_failure(wayfare, tmp_path: Path):
    wayfare("init", tmp_path)
    done = wayfare("doctor", tmp_path)
    assert done.code == 0
    assert "wayfare ingest" in done.out


@pytest.fixture(scope="module")
def roaster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from wayfare.cli.main import main

    folder = tmp_path_factory.mktemp("demo") / "roaster"
    assert main(["demo", str(folder), "--customers", "300", "--seed", "3"]) == 0
    return folder


def test_the_demo_is_a_workspace_that_says_simulated(wayfare, roaster: Path):
    config = open_workspace(roaster).config
    assert (config.name, config.currency, config.timezone) == (
        "Simulated coffee roaster",
        "EUR",
        "Europe/Amsterdam",
    )
    assert "simulated" in (roaster / "SIMULATED.txt").read_text()
    study = open_study(roaster)
    assert study.log.facts.simulated
    assert set(study.log.names("event").to_list()) <= {t.event for t in study.journey.touchpoints}
    assert "The data are simulated." in wayfare("run", roaster, "sessions").out


def test_a_demo_replaces_itself(wayfare, roaster: Path):
    (roaster / "notes.txt").write_text("mine")
    before = open_study(roaster).log.facts
    again = wayfare("demo", roaster, "--customers", "300", "--seed", "3")
    assert again.code == 0
    assert open_study(roaster).log.facts.fingerprint == before.fingerprint
    assert (roaster / "notes.txt").read_text() == "mine"
    assert "imulated" in again.err


def test_a_demo_that_replaces_itself_keeps_nothing_that_was_said_of_the_earlier_company(
    wayfare, tmp_path: Path
):
    folder = tmp_path / "roaster"
    assert wayfare("demo", folder, "--customers", "30").code == 0
    (folder / "attributes").mkdir()
    pq.write_table(
        pa.table({"customer": ["c00000001"], "persona": ["x"]}), folder / "attributes" / "persona.parquet"
    )
    (folder / "report.html").write_text("of the earlier company")
    (folder / "opportunities.csv").write_text("of the earlier company")
    assert wayfare("demo", folder, "--customers", "40").code == 0
    left = {path.name for path in folder.iterdir()}
    assert not left & {"attributes", "report.html", "opportunities.csv"}
    assert all(
        name.rstrip("/,") in (folder / "SIMULATED.txt").read_text() for name in ("attributes", "report.html")
    )


def test_a_demo_spares_other_folders(wayfare, tmp_path: Path):
    wayfare("init", tmp_path, "--name", "Real")
    done = wayfare("demo", tmp_path, "--customers", "10")
    assert done.code == 2
    assert open_workspace(tmp_path).config.name == "Real"
    assert [path.name for path in tmp_path.iterdir()] == ["wayfare.yaml"]
