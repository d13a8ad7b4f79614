"""The JSON side: the same results as in Python, errors in their four parts, downloads that harm nobody."""

from __future__ import annotations

import csv
import io
import json

import pytest
from starlette.testclient import TestClient

import wayfare as wf
from tests.web.company import STEPS, shop, visits
from wayfare import registry
from wayfare.web.app import create_app

LOCAL = "http://127.0.0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shop(tmp_path_factory.mktemp("web") / "shop")


@pytest.fixture(scope="module")
def client(folder):
    with TestClient(create_app(folder), base_url=LOCAL) as opened:
        yield opened


def test_a_result_is_the_same_as_in_python(client, folder):
    got = client.get(
        "/api/analyses/funnel?steps=product_view&steps=cart&within=7d&segment=first:device=mobile"
    )
    study = wf.open_study(folder, ["first:device=mobile"])
    assert got.headers["content-type"] == "application/json"
    assert got.json() == wf.funnel(study, steps=["product_view", "cart"], within="7d").to_dict()


def test_a_list_can_be_written_with_commas(client):
    one = client.get("/api/analyses/funnel?steps=product_view,cart").json()
    assert one == client.get("/api/analyses/funnel?steps=product_view&steps=cart").json()


def test_the_index_describes_every_analysis(client):
    found = {entry["name"]: entry for entry in client.get("/api/analyses").json()["analyses"]}
    assert tuple(found) == registry.names()
    funnel = found["funnel"]
    assert funnel["question"].startswith("How many customers go from step to step")
    assert list(funnel["tables"]["steps"])[:3] == ["step", "event", "customers"]
    order = next(p for p in funnel["parameters"] if p["name"] == "order")
    assert (order["kind"], order["default"], order["choices"]) == (
        "choice",
        "ordered",
        ["ordered", "strict", "any"],
    )


def test_the_study_says_what_it_is(client):
    facts = client.get("/api/study").json()
    assert (facts["name"], facts["currency"], facts["timezone"]) == ("Corner Shop", "EUR", "Europe/Amsterdam")
    assert facts["log"]["customers"] == 400
    assert facts["columns"]["value"] == "number"
    assert {t["event"] for t in facts["touchpoints"]} == set(STEPS)


@pytest.mark.parametrize(
    "path, status, code, where",
    [
        ("/api/analyses/funel", 404, "unknown_name", ""),
        ("/api/analyses/funnel?steps=crt", 404, "unknown_name", "steps"),
        ("/api/analyses/funnel?within=soon", 422, "invalid_parameter", "within"),
        ("/api/analyses/funnel?nonsense=1", 404, "unknown_name", ""),
        ("/api/analyses/funnel?segment=nonsense", 422, "invalid_parameter", "segment"),
        ("/api/analyses/funnel/tables/nothing.csv", 404, "unknown_name", ""),
        ("/api/analyses/funnel/chart.gif", 404, "unknown_name", ""),
        ("/api/nothing", 404, "unknown_name", ""),
        ("/api/jobs/nothing", 404, "unknown_name", ""),
    ],
)
def test_errors_have_the_same_shape_everywhere(client, path, status, code, where):
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert list(error) == ["code", "problem", "where", "allowed", "hint"]
    assert (error["code"], error["where"]) == (code, where)


def test_a_table_as_csv_has_all_its_rows_and_runs_no_formula(client, folder):
    got = client.get("/api/analyses/funnel/tables/groups.csv?by=channel")
    assert got.headers["content-type"] == "text/csv; charset=utf-8"
    assert got.headers["content-disposition"] == 'attachment; filename="wayfare-funnel-groups.csv"'
    rows = list(csv.DictReader(io.StringIO(got.text)))
    table = wf.funnel(wf.open_study(folder), by="channel").groups
    assert len(rows) == table.num_rows
    assert "=cmd()" in table["group"].to_pylist()
    assert {row["group"] for row in rows} == {"web", "newsletter", "store", "'=cmd()"}
    assert [row["customers"] for row in rows] == [str(n) for n in table["customers"].to_pylist()]
    assert float(rows[1]["difference"]) == table["difference"][1].as_py()
    assert rows[0]["p"] == ""  # nobody differs at the first step: missing, not NaN


def test_a_picture_can_be_had_in_each_form(client):
    svg = client.get("/api/analyses/funnel/chart.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert svg.text.startswith("<svg")
    assert "script-src" not in svg.headers["content-security-policy"]
    assert client.get("/api/analyses/funnel/chart.png").content.startswith(b"\x89PNG")
    page = client.get("/api/analyses/funnel/chart.html")
    assert "sandbox allow-scripts" in page.headers["content-security-policy"]
    assert "allow-same-origin" not in page.headers["content-security-policy"]
    phone = client.get("/api/analyses/stages/chart.narrow.svg")
    assert phone.text != client.get("/api/analyses/stages/chart.svg").text


def test_a_result_is_computed_once(client, monkeypatch):
    path = "/api/analyses/sessions?gap=17m"
    first = client.get(path).text
    monkeypatch.setattr("wayfare.web.answers.Answers._answer", None)
    assert client.get(path).text == first
    assert client.get("/api/analyses/sessions?gap=1020s").text == first  # the same gap


def test_the_description_names_every_analysis_and_parameter(client):
    paths = client.get("/openapi.json").json()["paths"]
    for analysis in registry.all_analyses():
        said = {p["name"] for p in paths[f"/api/analyses/{analysis.name}"]["get"]["parameters"]}
        assert {p.name for p in analysis.parameters} | {"segment", "since", "until"} == said
        for table in analysis.returns.columns():
            assert f"/api/analyses/{analysis.name}/tables/{table}.csv" in paths
    assert client.get("/redoc").status_code == 404


def test_an_empty_workspace_is_not_ready(tmp_path):
    client = TestClient(create_app(tmp_path / "none"), base_url=LOCAL)
    answer = client.get("/api/analyses/funnel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_ready")
    assert client.get("/healthz").json() == {"status": "ok"}


def test_an_answer_is_strict_json(tmp_path):
    client = TestClient(create_app(shop(tmp_path / "shop", visits(3))), base_url=LOCAL)
    for name in registry.names():
        answer = client.get(f"/api/analyses/{name}")
        assert answer.status_code in (200, 409, 422), answer.text

        def never(value):
            raise AssertionError(value)

        json.loads(answer.text, parse_constant=never)
