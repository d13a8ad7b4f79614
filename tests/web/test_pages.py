"""The pages through HTTP: what stands on them, in each of their states."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import wayfare.analyses.journey
from tests.web.company import STEPS, seal, shop, visits
from wayfare import registry
from wayfare.web import pages
from wayfare.web.app import create_app
from wayfare.web.home import _change
from wayfare.workspace.folder import init

LOCAL = "http://127.0.0.1"
FUNNEL = "/analyses/funnel?steps=product_view&steps=cart&steps=purchase&within=7d"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shop(tmp_path_factory.mktemp("web") / "shop", simulated=True)


@pytest.fixture(scope="module")
def client(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "PATIENCE", 60.0)
        with TestClient(create_app(folder), base_url=LOCAL) as opened:
            yield opened


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_home_says_state_then_findings_then_journey_then_questions(client):
    page = client.get("/")
    assert page.status_code == 200
    order = [
        "Corner Shop",
        "Key figures",
        "What to do next",
        "What matters most",
        "The journey",
        "Ask further",
    ]
    places = [page.text.index(f">{words}<") for words in order]
    assert places == sorted(places)
    assert "simulated" in page.text
    assert "400 customers" in text_of(page.text)
    assert 'href="/analyses/dropoff"' in page.text


def test_home_says_what_changed_and_shares_change_by_points(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "PATIENCE", 60.0)
        frame = visits(3000)
        frame = frame[frame["time"] < "2024-07-01"]
        # From May on nobody buys any more: orders and the share of buyers fall beyond chance.
        frame = frame[(frame["event"] != "purchase") | (frame["time"] < "2024-05-01")]
        client = TestClient(create_app(shop(tmp_path / "shop", frame)), base_url=LOCAL)
        text = text_of(client.get("/").text)
    changed = text[text.index("What changed") : text.index("What matters most")]
    assert re.search(r"Orders [\d.,]+ [\d.,]+ −[\d.,]+", changed), changed
    assert re.search(r"Conversion rate [\d.]+% [\d.]+% −[\d.]+ points −[\d.]+ to −[\d.]+", changed), changed


def test_home_says_what_to_do_and_where_the_list_is(client):
    page = client.get("/").text
    part = page[page.index('id="to-do"') : page.index('id="matters"')]
    said = client.get("/api/analyses/opportunities").json()
    for finding in said["findings"]:
        assert finding in html.unescape(part)
    for row in said["tables"]["actions"]:
        assert (f">{row['action']}<" in part) == (row["contacted"] + row["held_out"] > 0)
    assert 'href="/api/analyses/opportunities/tables/opportunities.csv"' in part


def test_a_change_of_counts_is_in_whole_ones_with_its_sign(client):
    row = {"metric": "orders", "baseline": 200 / 3, "current": 428.7, "change": 362.0, "change_low": 323.4,
           "change_high": 400.5}  # fmt: skip
    said = _change(row, "count", "EUR")
    assert (said.before, said.now, said.change, said.interval) == ("67", "429", "+362", "323 to 400")
    few = _change({**row, "baseline": 1 / 3, "current": 1.0, "change": 2 / 3}, "count", "EUR")
    assert (few.before, few.change) == ("0.3333", "+0.6667")


def test_a_picture_wider_than_the_page_opens_in_full_size(client):
    wide, usual = client.get("/analyses/journey_map").text, client.get("/analyses/sessions").text
    assert '<a class="button quiet" href="/api/analyses/journey_map/chart.svg">Full size' in wide
    assert "Full size" not in usual


def test_home_says_how_many_events_the_map_leaves_out(client, tmp_path, monkeypatch):
    assert "at no stage" not in client.get("/").text
    monkeypatch.setattr(pages, "PATIENCE", 60.0)
    frame = visits(60)
    frame["event"] = frame["event"].replace({"cart": "zzz"})
    other = TestClient(create_app(shop(tmp_path / "shop", frame)), base_url=LOCAL)
    said = text_of(other.get("/").text)
    assert "1 of 3 events stands at no stage, and the map leaves them out." in said


def test_what_an_unknown_name_stands_beside_is_kept(client):
    page = client.get("/analyses/funnel?steps=cart&within=7d&utm_source=mail")
    assert page.status_code == 404
    assert "no parameter of funnel &#39;utm_source&#39;" in page.text
    assert re.search(r'name="within" value="7d"', page.text)
    assert "<option selected>cart</option>" in page.text


def test_a_wrong_field_is_called_as_the_form_calls_it(client):
    page = client.get("/analyses/funnel?segment=first:device")
    assert "Correct “Only customers with”" in page.text


def test_the_log_leads_to_the_journey_map_that_places_its_events(client):
    page = client.get("/log").text
    assert '<a href="/documents/journey">the journey map</a>' in page
    assert client.get("/documents/journey").status_code == 200


def test_every_registered_analysis_has_a_page_a_reference_and_a_card(client):
    home, index = client.get("/").text, client.get("/analyses").text
    for name in registry.names():
        question = registry.find(name).question
        page = client.get(f"/analyses/{name}")
        assert page.status_code == 200, name
        assert question in text_of(page.text).replace("&#39;", "'"), name
        assert client.get(f"/docs/{name}").status_code == 200
        assert f'href="/analyses/{name}"' in home
        assert f'href="/analyses/{name}"' in index


def test_an_answer_has_findings_picture_tables_and_how_it_was_computed(client):
    page = client.get(FUNNEL + "&by=channel").text
    text = text_of(page)
    frame = visits()
    first = frame["customer"].nunique()
    bought = frame.loc[frame["event"] == "purchase", "customer"].nunique()
    assert re.search(rf"of {first} customers went from product_view to purchase", text)
    link = "/rows?step=product_view&amp;within=7d&amp;counted=400"
    assert f'<td class="figures"><a href="{link}">{first}<span' in page
    assert bought > 0
    assert 'src="/api/analyses/funnel/chart.svg?steps=product_view' in page
    assert "/api/analyses/funnel/tables/groups.csv?steps=product_view" in page
    assert "The data are simulated." in text
    assert "wayfare run" in text
    assert "--steps product_view --steps cart --steps purchase --within 7d --by channel" in text
    assert "Events at one instant count in the order of the steps" in text


def test_a_form_offers_what_the_log_has_and_keeps_what_was_said(client):
    page = client.get(FUNNEL).text
    for event in STEPS:
        assert re.search(rf'<select name="steps"[^>]*>.*?<option selected>{event}</option>', page, re.DOTALL)
    assert 'name="within" value="7d"' in page
    assert re.search(r'<select id="field-by".*?<option>device</option>', page, re.DOTALL)
    assert '<option value="first:device=mobile">' in page
    assert '<option value="never:purchase">' in page


def test_a_form_says_when_the_log_begins_and_ends_in_its_zone(client):
    text = text_of(client.get("/analyses/sessions").text)
    at = visits()["time"].astype("datetime64[ns, UTC]").dt.tz_convert("Europe/Amsterdam")
    first, last = at.min(), at.max()
    assert f"the log begins on {first.day} {first:%B %Y}." in text
    assert f"the log ends on {last.day} {last:%B %Y}." in text


def test_a_moment_in_the_address_is_kept_as_it_was_written(client):
    page = client.get("/analyses/sessions?since=2024-03-01T12:30&until=2024-05-01").text
    assert re.search(r'<input type="text" id="field-since" name="since" value="2024-03-01T12:30"', page)
    assert re.search(r'<input type="date" id="field-until" name="until" value="2024-05-01"', page)


def test_the_same_filter_narrows_every_analysis(client):
    whole = text_of(client.get("/analyses/sessions").text)
    part = text_of(
        client.get(
            "/analyses/sessions?segment=first:device=mobile&segment=did:purchase&since=2024-03-01"
        ).text
    )
    customers = visits()
    customers = customers[customers["device"] == "mobile"]
    assert re.search(r"400 customers made", whole)
    said = re.search(r"(\d+) customers made", part)
    assert said
    assert 0 < int(said[1]) < customers["customer"].nunique()


@pytest.mark.parametrize(
    "query, field, problem",
    [
        ("steps=product_view&steps=crt", "steps", "There is no event &#39;crt&#39;."),
        ("within=soon", "within", "&#39;soon&#39; is not a duration."),
        ("by=colour", "by", "There is no text column &#39;colour&#39;."),
        ("order=backwards", "order", "&#39;backwards&#39; is not one of the choices."),
        ("segment=nonsense", "segment", "&#39;nonsense&#39; is not a segment."),
        ("since=yesterday", "since", "&#39;yesterday&#39; is not a date or time."),
        ("since=2024-05-01&until=2024-05-01", "until", "The end is not after the beginning."),
        (
            "steps=cart&steps=purchase&exclude=cart",
            "exclude",
            "&#39;cart&#39; is a step and excluded at once.",
        ),
    ],
)
def test_what_is_wrong_stands_beside_its_field(client, query, field, problem):
    page = client.get(f"/analyses/funnel?{query}")
    assert page.status_code == 422
    assert f'id="wrong-{field}">{problem}' in page.text
    assert f'href="#field-{field}"' in page.text
    assert f'id="field-{field}"' in page.text


def test_an_unknown_parameter_is_told_with_the_known_ones(client):
    page = client.get("/analyses/funnel?stepz=cart")
    assert page.status_code == 404
    assert "There is no parameter of funnel &#39;stepz&#39;." in page.text
    assert "Did you mean &#39;steps&#39;?" in page.text


def test_text_from_the_log_is_never_markup(tmp_path):
    frame = visits(60).assign(channel="<script>alert(1)</script>", event=lambda f: f["event"] + "<img src=x>")
    client = TestClient(create_app(shop(tmp_path / "shop", frame)), base_url=LOCAL)
    for path in (
        "/log",
        "/analyses/funnel?by=channel&steps=cart%3Cimg%20src%3Dx%3E",
        "/analyses/transitions",
    ):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x>" not in page


def test_too_few_customers_are_said_to_be_too_few(tmp_path):
    client = TestClient(create_app(shop(tmp_path / "shop", visits(5))), base_url=LOCAL)
    assert "Too few to say" in client.get("/analyses/funnel").text


def test_without_a_log_the_page_gives_the_command(tmp_path):
    folder = tmp_path / "new"
    client = TestClient(create_app(folder), base_url=LOCAL)
    assert client.get("/").status_code == 409
    assert f"wayfare init {folder}" in client.get("/").text
    init(folder, "New", "EUR", "UTC")
    for path in ("/", "/log", "/analyses/funnel"):
        page = client.get(path)
        assert page.status_code == 409
        assert "Nothing has been ingested yet." in page.text
        assert f"wayfare ingest {folder} FILE" in page.text
    assert client.get("/analyses").status_code == 200
    assert client.get("/docs/funnel").status_code == 200


def test_a_new_log_is_seen_and_the_old_page_is_known_to_be_stale(tmp_path):
    folder = shop(tmp_path / "shop", visits(50))
    client = TestClient(create_app(folder), base_url=LOCAL)
    before = client.get("/analyses/sessions").text
    stamp = re.search(r'data-stamp="([^"]+)"', before)
    assert stamp
    assert client.get("/api/state").json()["stamp"] == stamp[1]
    seal(folder, visits(80))
    assert client.get("/api/state").json()["stamp"] != stamp[1]
    assert "50 customers made" in text_of(before)
    assert "80 customers made" in text_of(client.get("/analyses/sessions").text)


def test_changed_settings_count_at_once(tmp_path):
    folder = shop(tmp_path / "shop", visits(50))
    client = TestClient(create_app(folder), base_url=LOCAL)
    assert "Corner Shop" in client.get("/log").text
    settings = folder / "wayfare.yaml"
    settings.write_text(settings.read_text().replace("Corner Shop", "Harbour Shop"))
    assert "Harbour Shop" in client.get("/log").text


def test_the_log_page_shows_columns_touchpoints_and_lineage(client):
    text = text_of(client.get("/log").text)
    assert "product_view Consideration Re-purchase" in text
    assert "device names 2 desktop, mobile" in text
    assert "shop.csv" in text
    assert "Rows that could not be used None." in text


def test_what_takes_long_shows_how_far_it_is(folder, monkeypatch):
    monkeypatch.setattr(pages, "PATIENCE", 0.0)
    monkeypatch.setattr("wayfare.web.jobs.Job.wait", lambda job, seconds=None: False)
    with TestClient(create_app(folder), base_url=LOCAL) as client:
        page = client.get("/analyses/funnel")
        assert page.status_code == 200
        assert "<progress" in page.text
        assert '<noscript><meta http-equiv="refresh"' in page.text
        job = re.search(r'data-job="([^"]+)"', page.text)
        assert job
        state = client.get(job[1]).json()
        assert state["state"] in ("running", "done")
        assert 0 <= state["share"] <= 1


def test_an_unforeseen_error_is_a_page_without_a_trace(folder, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(pages, "logbook", broken)
    with TestClient(create_app(folder), base_url=LOCAL) as client:
        page = client.get("/log")
    assert page.status_code == 500
    assert "Something went wrong inside Wayfare (RuntimeError)." in page.text
    assert "secret detail" not in page.text
    assert "Traceback" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "secret detail" in caplog.text


def test_an_unknown_page_says_where_to_go(client):
    page = client.get("/nowhere")
    assert page.status_code == 404
    assert "There is no page &#39;/nowhere&#39;." in page.text
    page = client.get("/analyses/funel")
    assert page.status_code == 404
    assert "Did you mean &#39;funnel&#39;?" in page.text


def test_dashes_do_for_underscores(client):
    assert client.get("/analyses/time-to?since=2024-02-01").url.path == "/analyses/time_to"


TOY = '''
from dataclasses import dataclass
from typing import Annotated, Literal
import pyarrow as pa
from wayfare.analysis import analysis
from wayfare.domain.parameters import Day, Duration, Event, Events, Property, Share
from wayfare.result import Columns, Finding, Result, table
from wayfare.study import Study

@dataclass(frozen=True, kw_only=True)
class ToyResult(Result):
    """A toy."""
    toys: Annotated[pa.Table, Columns(name="the toy's name", share="how much of it")]

@analysis
def toy(study: Study, *, event: Event, steps: Events = (), column: Property | None = None, part: Share = 0.5,
        day: Day | None = None, gap: Duration = Duration.parse("1d"), colour: Literal["red", "blue"] = "red",
        loud: bool = True, many: int = 3, size: float = 1.5, word: str = "x", words: tuple[str, ...] = ()) -> ToyResult:
    """Which toys are there?

    Only in a test.

    Args:
        event: The event to look at.
        loud: Whether it makes a noise.
    """
    said = f"{event} {steps} {column} {part} {day} {gap} {colour} {loud} {many} {size} {word} {words}"
    return ToyResult(toys=table(name=["ball"], share=[part]), findings=(Finding(said),))
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    (tmp_path / "toy.py").write_text(TOY)
    package = wayfare.analyses.journey
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    registry.refresh()
    yield
    registry.refresh()


def test_a_new_analysis_file_is_a_page_a_form_a_route_and_a_reference(toy, folder):
    client = TestClient(create_app(folder), base_url=LOCAL)
    assert "Which toys are there?" in client.get("/analyses").text
    reference = text_of(client.get("/docs/toy").text)
    assert "The event to look at." in reference
    assert "the toy&#39;s name" in reference
    form = client.get("/analyses/toy").text
    assert "Say what to look at" in form
    for control in (
        r'<select id="field-event"', r'data-list="steps"', r'<select id="field-column"', r'type="number" step="any"[^>]*name="part"',
        r'type="date" id="field-day"', r'name="gap" value="1d"', r'type="radio" name="colour" value="red" checked',
        r'type="checkbox" id="field-loud" name="loud" value="true" checked', r'type="number" step="1"[^>]*name="many" value="3"',
        r'name="word" value="x"', r'data-list="words"',
    ):  # fmt: skip
        assert re.search(control, form), control
    asked = "event=cart&steps=cart&column=device&part=0.25&day=2024-05-31&gap=2h&colour=blue&loud=false&many=7&words=a&words=b"
    said = "cart ('cart',) device 0.25 2024-05-31 2h blue False 7 1.5 x ('a', 'b')"
    assert client.get(f"/api/analyses/toy?{asked}").json()["findings"] == [said]
    answer = client.get(f"/analyses/toy?{asked}")
    assert "ball" in answer.text
    assert "There is too little to draw." in answer.text
    assert "--loud" not in text_of(answer.text).replace("--no-loud", "")
    assert "/api/analyses/toy" in client.get("/openapi.json").json()["paths"]
    assert client.get("/api/analyses/toy").json()["error"]["where"] == "event"


def test_the_address_of_a_file_changes_with_its_content(client):
    page = client.get("/analyses").text
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        assert client.get(path).status_code == 200
        assert re.search(r"\?v=[0-9a-f]{10}$", path)


def test_every_link_of_the_pages_leads_somewhere(client):
    seen: set[str] = set()
    for start in ("/", "/analyses", "/docs/funnel", FUNNEL, "/log"):
        for path in re.findall(r'(?:href|src|srcset)="(/[^"]*)"', client.get(start).text):
            path = path.replace("&amp;", "&")
            if path not in seen and not path.endswith("chart.html"):
                seen.add(path)
                assert client.get(path).status_code == 200, path
    assert len(seen) > 20


def test_pages_are_files_of_the_package():
    here = Path(pages.__file__).parent
    assert {p.name for p in (here / "static").iterdir()} == {
        "document.css", "document.js", "icon.svg", "wayfare.css", "wayfare.js",
    }  # fmt: skip
    for template in (here / "templates").glob("*.html"):
        text = template.read_text()
        assert " style=" not in text
        assert "<style" not in text
        assert not re.search(r"<script(?![^>]*src=)", text)
        assert not re.search(r"\son\w+=", text)
