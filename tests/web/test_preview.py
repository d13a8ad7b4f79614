"""The form says what it would look at: against pandas, in each of its states, counted once a filter."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from tests.web.company import shop, visits
from wayfare.web import preview
from wayfare.web.app import create_app
from wayfare.workspace.folder import init

LOCAL = "http://127.0.0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shop(tmp_path_factory.mktemp("web") / "shop")


@pytest.fixture(scope="module")
def client(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preview, "PATIENCE", 60.0)
        with TestClient(create_app(folder), base_url=LOCAL) as opened:
            yield opened


def said(client: TestClient, query: str, analysis: str = "funnel") -> str:
    got = client.get(f"/analyses/{analysis}/preview?{query}")
    assert got.status_code == 200
    assert "<html" not in got.text
    return " ".join(re.sub(r"<[^>]+>", " ", got.text).replace("&#39;", "'").split())


def test_it_counts_customers_events_and_days_of_the_part(client):
    frame = visits()
    at = frame["time"].astype("datetime64[ns, UTC]").dt.tz_convert("Europe/Amsterdam")
    first = frame.dropna(subset="channel").groupby("customer")["channel"].transform("first")
    part = frame[(first == "web") & (at >= "2024-03-01")]
    days = [f"{day.day} {day:%B %Y}" for day in (at[part.index].min(), at[part.index].max())]
    people = part["customer"].nunique()
    assert said(client, "segment=first:channel=web&since=2024-03-01") == (
        f"{people} of 400 customers , {len(part)} events {days[0]} to {days[1]}"
    )
    assert said(client, "").startswith(f"400 customers , {len(frame)} events")


def test_it_counts_each_event_that_the_question_names(client):
    frame = visits()
    text = said(client, "steps=product_view&steps=purchase&exclude=cart")
    for event in ("product_view", "purchase", "cart"):
        mine = frame[frame["event"] == event]
        assert f"{event} {mine['customer'].nunique()} customers with {event} {len(mine)}" in text
    assert text.index("Steps") < text.index("purchase") < text.index("Exclude") < text.index("cart")


def test_one_field_needs_no_name_of_its_own(client):
    assert "Steps" not in said(client, "steps=cart")
    assert "cart" in said(client, "steps=cart,purchase")


def test_an_event_that_is_not_in_the_log_is_told_with_the_nearest(client):
    assert "crt Not in the log. Did you mean 'cart'?" in said(client, "steps=crt")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (
            "since=2031-01-01",
            "No customer matches. The log has 400. Take a condition away or widen the days.",
        ),
        (
            "segment=first:channel=webb",
            "No customer matches. There is no channel 'webb'. Did you mean 'web'?",
        ),
        ("segment=did:nothing", "No customer matches. There is no event 'nothing'."),
        ("segment=value>=100000", "No customer matches. The log has 400."),
        ("segment=first:chan", "Not counted yet. 'first:chan' is not a segment."),
        ("segment=colour=red", "Not counted yet. The log has no column 'colour'."),
        ("since=soon", "Not counted yet. 'soon' is not a date or time."),
        ("since=2024-05-01&until=2024-05-01", "Not counted yet. The end is not after the beginning."),
        ("stepz=cart", "Not counted yet. There is no parameter of funnel 'stepz'."),
    ],
)
def test_what_can_not_be_counted_is_said(client, query, text):
    assert said(client, query).startswith(text)


def test_an_event_that_never_happens_in_the_part_counts_nothing_and_leads_nowhere(client):
    page = client.get("/analyses/funnel/preview?steps=purchase&segment=never:purchase").text
    assert 'class="figures none">0</td>' in page
    assert "/rows?segment=never%3Apurchase&amp;event=purchase" not in page


def test_the_numbers_lead_to_the_histories_that_they_count(client):
    page = client.get("/analyses/funnel/preview?steps=cart&segment=first:device=mobile").text
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', page)]
    counts = re.findall(r"(?:<strong>|event=cart\">)(\d+)<", page)
    assert len(links) == len(counts) == 2
    for link, count in zip(links, counts, strict=True):
        assert client.get(link.replace("/rows", "/api/rows")).json()["customers"] == int(count)


def test_it_stands_on_the_page_without_scripts_also_beside_an_error(client):
    page = client.get("/analyses/funnel?steps=cart&steps=crt").text
    region = page[page.index('id="preview"') : page.index('class="primary"')]
    assert 'aria-live="polite"' in region
    assert ">400</strong>" in region
    assert "Not in the log." in region


def test_every_form_has_one_and_a_filter_is_counted_once(folder, monkeypatch):
    passes = []
    original = preview.Occurrences.scan
    monkeypatch.setattr(preview.Occurrences, "scan", lambda self, block: passes.append(1) or original(self, block))  # fmt: skip
    monkeypatch.setattr(preview, "PATIENCE", 60.0)
    with TestClient(create_app(folder), base_url=LOCAL) as client:
        assert "400 customers" in said(client, "steps=cart")
        first = len(passes)
        assert "400 customers" in said(client, "steps=purchase&within=7d")
        assert "400 customers" in said(client, "period=week", "retention")
        assert len(passes) == first
        assert "400" in said(client, "segment=first:device=mobile")
        assert len(passes) > first


def test_a_long_count_says_how_far_it_is(folder, monkeypatch):
    monkeypatch.setattr(preview, "PATIENCE", 0.0)
    monkeypatch.setattr("wayfare.web.jobs.Job.wait", lambda job, seconds=None: False)
    with TestClient(create_app(folder), base_url=LOCAL) as client:
        page = client.get("/analyses/funnel/preview").text
    assert re.search(r"<p data-again>Counting customers and events: \d+ %</p>", page)


def test_a_count_that_fails_stops_no_form(folder, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(preview.Occurrences, "scan", broken)
    with TestClient(create_app(folder), base_url=LOCAL) as client:
        page = client.get("/analyses/funnel?steps=product_view")
        fragment = client.get("/analyses/funnel/preview?steps=product_view")
    assert page.status_code == fragment.status_code == 200
    assert "The count failed." in page.text
    assert "The count failed." in fragment.text
    assert "secret detail" not in page.text + fragment.text
    assert "secret detail" in caplog.text


def test_names_from_the_log_and_the_address_are_never_markup(tmp_path):
    frame = visits(40).assign(event=lambda f: f["event"] + "<img src=x>")
    client = TestClient(create_app(shop(tmp_path / "shop", frame)), base_url=LOCAL)
    for query in (
        "steps=cart%3Cimg%20src%3Dx%3E",
        "steps=%3Cscript%3E",
        "segment=%3Cscript%3E",
        "%3Cscript%3E=1",
    ):
        page = client.get(f"/analyses/funnel/preview?{query}").text
        assert "<script" not in page
        assert "<img" not in page


def test_without_a_log_it_says_so(tmp_path):
    init(tmp_path / "new", "New", "EUR", "UTC")
    client = TestClient(create_app(tmp_path / "new"), base_url=LOCAL)
    assert said(client, "") == "Not counted yet. Nothing has been ingested yet."
    assert client.get("/analyses/nothing/preview").status_code == 404
