"""The rows behind a number: who they are, against pandas; their histories as a page, as JSON and as a file."""

from __future__ import annotations

import csv
import io
import re

import pandas as pd
import pyarrow as pa
import pytest
from starlette.testclient import TestClient

import wayfare as wf
from tests.web.company import seal, shop, visits
from wayfare.web import rows, rows_routes, timeline
from wayfare.web.app import create_app
from wayfare.workspace.attributes import save_attributes
from wayfare.workspace.folder import init

LOCAL = "http://127.0.0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shop(tmp_path_factory.mktemp("web") / "shop")


@pytest.fixture(scope="module")
def client(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_routes, "PATIENCE", 60.0)
        with TestClient(create_app(folder), base_url=LOCAL) as opened:
            yield opened


def people(client: TestClient, query: str) -> list[str]:
    """Everybody whom the address finds, page after page."""
    first = client.get(f"/api/rows?{query}").json()
    found = [one["customer"] for one in first["histories"]]
    for page in range(2, first["pages"] + 1):
        found += [one["customer"] for one in client.get(f"/api/rows?{query}&page={page}").json()["histories"]]
    assert len(found) == first["customers"]
    return found


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("&#39;", "'").split())


def with_event(frame: pd.DataFrame, event: str) -> list[str]:
    return sorted(frame.loc[frame["event"] == event, "customer"].unique())


FRAME = visits()
LATER = FRAME[FRAME["time"] >= "2024-04-30T22:00"]  # 1 May in Amsterdam begins at 22:00 UTC


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", sorted(FRAME["customer"].unique())),
        ("event=cart", with_event(FRAME, "cart")),
        ("event=cart&since=2024-05-01", with_event(LATER, "cart")),
        ("segment=did:purchase&event=product_view", with_event(FRAME, "purchase")),
        ("has=channel=store&has=value>=100", sorted(
            FRAME.loc[(FRAME["value"] >= 100) & (FRAME["channel"] == "store"), "customer"].unique())),
        ("customer=c0003", ["c0003"]),
        ("customer=c0003&event=nothing_of_it", None),
    ],
)  # fmt: skip
def test_who_it_is(client, query, expected):
    if expected is None:
        assert client.get(f"/api/rows?{query}").status_code == 404
    else:
        assert people(client, query) == expected


def test_a_chain_of_steps_finds_as_many_as_the_funnel_counts(client, folder):
    for order in ("ordered", "strict", "any"):
        got = wf.funnel(wf.open_study(folder), steps=["product_view", "cart", "purchase"], within="2h", order=order)  # fmt: skip
        said = client.get(
            f"/api/rows?step=product_view&step=cart&step=purchase&within=2h&order={order}"
        ).json()
        assert said["customers"] == got.steps["customers"][2].as_py() > 0


def test_lines_of_one_order_are_one_purchase_here_too(tmp_path):
    """By hand: Ann's order has two lines; Ben bought twice."""
    bought = [("ann", 1, "o1"), ("ann", 1, "o1"), ("ben", 1, "o2"), ("ben", 2, "o3")]
    frame = pd.DataFrame(
        [(who, f"2024-01-0{day}T10:00:00Z", "purchase", order) for who, day, order in bought],
        columns=["customer", "time", "event", "order"],
    )
    folder = init(tmp_path / "shop", "Shop").folder
    seal(folder, frame)
    with TestClient(create_app(folder), base_url=LOCAL) as client:
        assert people(client, "step=purchase&step=purchase") == ["ben"]


def test_an_edge_finds_as_many_as_the_transitions_count(client, folder):
    for edge in wf.transitions(wf.open_study(folder)).edges.to_pylist():
        said = client.get(f"/api/rows?step={edge['source']}&step={edge['target']}&order=strict").json()
        assert said["customers"] == edge["customers"]


def test_a_stage_finds_as_many_as_the_map_counts(client, folder):
    got = wf.stages(wf.open_study(folder))
    for row in got.stages.to_pylist():
        assert client.get(f"/api/rows?stage={row['stage']}").json()["customers"] == row["customers"]
    for row in got.touchpoints.to_pylist():
        asked = f"stage={row['stage']}&event={row['touchpoint']}"
        assert client.get(f"/api/rows?{asked}").json()["customers"] == row["customers"]


@pytest.mark.parametrize("collapse", [False, True])
def test_a_path_finds_as_many_as_the_variants_count(client, folder, collapse):
    got = wf.variants(wf.open_study(folder), collapse=collapse)
    assert got.variants.num_rows > 3
    for row in got.variants.to_pylist():
        asked = "&".join(f"path={event}" for event in row["path"].split(" > "))
        said = client.get(f"/api/rows?{asked}&collapse={str(collapse).lower()}").json()
        assert said["customers"] == row["customers"]


def test_a_history_is_told_in_order_in_the_zone_with_what_is_known(client):
    mine = FRAME[FRAME["customer"] == "c0003"]
    page = client.get("/rows?customer=c0003").text
    times = re.findall(r'<time datetime="([^"]+)"', page)
    assert times == mine["time"].tolist()
    bought = mine[mine["event"] == "purchase"].iloc[0]
    local = pd.Timestamp(bought["time"]).tz_convert("Europe/Amsterdam")
    text = text_of(page)
    assert f"{local.day} {local:%b %Y} {local:%H:%M:%S} purchase" in text
    assert f"value EUR {bought['value']:.2f}" in text
    assert "Times are those of Europe/Amsterdam" in text
    assert "What did this customer do?" in text


def test_what_was_asked_for_stands_out_and_pauses_are_said(client):
    page = client.get("/rows?event=cart&customer=c0003").text
    named = re.findall(r'<li class="named">.*?class="what">(\w+)<', page)
    assert set(named) == {"cart"}
    assert "(asked for)" in page
    assert re.search(r"[\d.]+ (minutes|hours|days) later", page)


def test_long_histories_leave_out_their_middle_and_lead_to_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(timeline, "ALONE", 40)
    times = pd.date_range("2024-01-01", periods=100, freq="h", tz="UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    frame = pd.DataFrame(
        {"customer": ["busy"] * 100 + ["quiet"], "time": [*times, times[0]], "event": "look"}
    )
    client = TestClient(create_app(shop(tmp_path / "shop", frame)), base_url=LOCAL)
    page = client.get("/rows").text
    assert "84 events in between are not shown; " in text_of(page)
    assert page.count("<time ") == 12 + 4 + 1
    alone = client.get("/rows?customer=busy").text
    assert "56 events in between are not shown" in text_of(alone)
    assert alone.count("<time ") == 40 + 4
    assert re.findall(r'datetime="([^"]+)"', alone)[-1] == times[-1]
    monkeypatch.setattr(rows, "MOST", 7)
    (history,) = client.get("/api/rows?customer=busy").json()["histories"]
    assert (history["total"], len(history["events"])) == (100, 7)
    assert len(client.get("/api/rows.csv?customer=busy").text.splitlines()) == 101


def test_what_is_known_of_the_customer_stands_once(tmp_path):
    folder = shop(tmp_path / "shop", visits(30))
    save_attributes(folder, "persona", pa.table({"customer": ["c0003"], "persona": ["Nadia"]}))
    page = TestClient(create_app(folder), base_url=LOCAL).get("/rows?customer=c0003").text
    assert text_of(page).count("persona Nadia") == 1
    assert page.count("<time ") > 1


def test_pages_lead_on_and_back(client):
    first, second, last = (client.get(f"/rows?page={page}").text for page in (1, 2, 8))
    assert 'rel="next" href="/rows?page=2"' in first
    assert 'rel="prev"' not in first
    assert 'rel="prev" href="/rows"' in second
    assert 'rel="next"' not in last
    assert "Customers 351 to 400 of 400" in text_of(last)
    assert second.count('class="history"') == 50


def test_only_the_blocks_of_a_page_are_read_once_the_customers_are_known(client, monkeypatch):
    client.get("/rows?event=cart")
    monkeypatch.setattr("wayfare.histories.matching.Matching.scan", None)
    assert client.get("/rows?event=cart&page=2&counted=5").status_code == 200


def test_a_table_that_counts_otherwise_is_named_and_one_that_agrees_is_not(client):
    assert "The table that leads here counts 17." in text_of(client.get("/rows?event=cart&counted=17").text)
    right = len(with_event(FRAME, "cart"))
    assert "The table that leads here" not in text_of(client.get(f"/rows?event=cart&counted={right}").text)


def test_nobody_is_a_page_that_says_what_to_do(client):
    page = client.get("/rows?segment=did:crt")
    assert page.status_code == 200
    text = text_of(page.text)
    assert "No customer matches" in text
    assert "There is no event 'crt'. Did you mean 'cart'?" in text
    assert "/api/rows.csv" not in page.text
    assert client.get("/api/rows?segment=did:crt").json()["histories"] == []
    assert len(client.get("/api/rows.csv?segment=did:crt").text.splitlines()) == 1


@pytest.mark.parametrize(
    ("query", "field", "problem", "status"),
    [
        ("customer=nobody", "customer", "There is no customer 'nobody'.", 404),
        ("event=crt", "event", "There is no event 'crt'.", 404),
        ("stage=nowhere", "stage", "There is no stage 'nowhere'.", 404),
        ("has=nonsense", "has", "'nonsense' is not a segment.", 422),
        ("has=colour=red", "has", "The log has no column 'colour'.", 422),
        ("has=value>=much", "has", "'much' is not a number.", 422),
        ("step=crt", "step", "There is no event 'crt'.", 404),
        ("step=cart&within=soon", "within", "'soon' is not a duration.", 422),
        ("step=cart&order=backwards", "order", "'backwards' is not one of the choices.", 422),
        ("step=cart&exclude=cart", "exclude", "'cart' is a step and excluded at once.", 422),
        ("segment=nonsense", "segment", "'nonsense' is not a segment.", 422),
        ("since=yesterday", "since", "'yesterday' is not a date or time.", 422),
        ("path=cart&path=crt", "path", "There is no event 'crt'.", 404),
        ("path=cart&collapse=perhaps", "collapse", "'perhaps' is not one of the choices.", 422),
        ("page=9999", "page", "There are 8 pages of them.", 422),
        ("page=-1", "page", "'-1' is not a number of this kind.", 422),
        ("counted=many", "counted", "'many' is not a number of this kind.", 422),
        ("colour=red", "", "There is no parameter of rows 'colour'.", 404),
    ],
)
def test_what_is_wrong_is_told_alike_on_the_page_and_to_machines(client, query, field, problem, status):
    answer = client.get(f"/api/rows?{query}")
    assert (answer.status_code, answer.json()["error"]["where"]) == (status, field)
    assert answer.json()["error"]["problem"] == problem
    page = client.get(f"/rows?{query}")
    assert page.status_code in (422, status)
    assert problem in text_of(page.text)
    assert 'name="event"' in page.text  # the form stands beside it
    if field not in ("", "page", "counted", "collapse"):
        assert f'id="wrong-{field}"' in page.text or "excluded at once" in page.text
    csv_answer = client.get(f"/api/rows.csv?{query}")
    assert csv_answer.status_code == status or field == "page"


def test_the_form_keeps_what_was_asked(client):
    page = client.get("/rows?event=cart&step=cart&step=purchase&within=7d&order=strict&start=first&exclude=product_view&segment=did:cart&since=2024-01-01").text  # fmt: skip
    for control in (
        r'name="event".*?<option selected>cart<', r'name="step".*?<option selected>purchase<', r'name="within" value="7d"',
        r'value="strict" checked', r'name="start" value="first" checked', r'name="exclude".*?<option selected>product_view<',
        r'name="segment" value="did:cart"', r'name="since" value="2024-01-01"',
    ):  # fmt: skip
        assert re.search(control, page, re.DOTALL), control


def test_the_file_has_every_event_of_everybody_and_runs_no_formula(client):
    got = client.get("/api/rows.csv?event=cart")
    assert got.headers["content-type"] == "text/csv; charset=utf-8"
    assert got.headers["content-disposition"] == 'attachment; filename="wayfare-rows.csv"'
    read = list(csv.DictReader(io.StringIO(got.text)))
    mine = FRAME[FRAME["customer"].isin(with_event(FRAME, "cart"))].sort_values(["customer", "time"])
    assert [(r["customer"], r["event"]) for r in read] == list(zip(mine["customer"], mine["event"], strict=True))  # fmt: skip
    assert {r["channel"] for r in read} == {"web", "newsletter", "store", "'=cmd()"}
    assert read[0]["time"].endswith("Z")
    assert {r["value"] == "" for r in read if r["event"] != "purchase"} == {True}


def test_text_from_the_log_and_the_address_is_never_markup(tmp_path):
    frame = visits(60).assign(
        customer=lambda f: f["customer"] + "<b>", channel="<script>alert(1)</script>", event=lambda f: f["event"] + "<img src=x>"
    )  # fmt: skip
    client = TestClient(create_app(shop(tmp_path / "shop", frame)), base_url=LOCAL)
    for query in (
        "",
        "customer=c0003%3Cb%3E",
        "event=cart%3Cimg%20src%3Dx%3E",
        "customer=%3Cscript%3E",
        "has=%3Cscript%3E",
        "%3Cscript%3E=1",
    ):
        page = client.get(f"/rows?{query}").text
        assert "<script>" not in page
        assert "<img" not in page
        assert "<b>" not in page


def test_a_long_look_shows_how_far_it_is(folder, monkeypatch):
    monkeypatch.setattr("wayfare.web.jobs.Job.wait", lambda job, seconds=None: False)
    with TestClient(create_app(folder), base_url=LOCAL) as client:
        page = client.get("/rows?event=cart")
        assert "Looking through the log" in page.text
        assert '<noscript><meta http-equiv="refresh"' in page.text
        job = re.search(r'data-job="([^"]+)"', page.text)
        assert job
        assert client.get(job[1]).json()["state"] in ("running", "done")


def test_a_log_that_is_replaced_meanwhile_is_told(tmp_path, monkeypatch):
    folder = shop(tmp_path / "shop", visits(30))
    client = TestClient(create_app(folder), base_url=LOCAL)

    def replaced(*_):
        seal(folder, visits(40))
        raise FileNotFoundError("part-0.arrow")

    monkeypatch.setattr("wayfare.histories.matching.Matching.scan", replaced)
    answer = client.get("/api/rows?event=cart")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "busy")
    monkeypatch.undo()
    assert client.get("/api/rows").json()["customers"] == 40


def test_without_a_log_the_page_gives_the_command(tmp_path):
    init(tmp_path / "new", "New", "EUR", "UTC")
    client = TestClient(create_app(tmp_path / "new"), base_url=LOCAL)
    assert client.get("/rows").status_code == 409
    assert f"wayfare ingest {tmp_path / 'new'} FILE" in client.get("/rows").text
    assert client.get("/api/rows").json()["error"]["code"] == "not_ready"


def test_rows_are_only_read_and_described_for_machines(client):
    assert client.post("/rows").status_code == 405
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/rows", "/api/rows.csv"} <= set(paths)
    assert {p["name"] for p in paths["/api/rows"]["get"]["parameters"]} >= {
        "event",
        "step",
        "customer",
        "page",
    }
