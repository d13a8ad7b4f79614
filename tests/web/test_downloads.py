"""Files that are taken away, and addresses that somebody wrote by hand: never a fault, always what is wrong."""

from __future__ import annotations

import re
from itertools import product

import pytest
from starlette.testclient import TestClient

from tests.web.company import shop, visits
from wayfare.web.app import create_app

LOCAL = "http://127.0.0.1"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = shop(tmp_path_factory.mktemp("web") / "shop")
    with TestClient(create_app(folder), base_url=LOCAL, raise_server_exceptions=False) as opened:
        yield opened


NASTY = (
    "%00", "x%00y", "%20", "%27", "%22%3E%3Cb%3E", "%FF", "999999999999999", "-1", "1e400", "nan", "0001-01-01", "9999-12-31T23:59:59",
    "2024-02-30", "0d", "1000000d", "%F0%9F%98%80", "a" * 5000, "%5B", "a%3D", "%3D", "value%3E%3Dnan", "value%3C1e309", "first:event%3Dcart",
    "session%3D1", "did:", "order%3Do2", "device!%3Dmobile",
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/analyses/funnel", ("segment", "since", "until", "steps", "within", "by", "order")),
        ("/analyses/funnel/preview", ("segment", "since", "steps", "exclude", "nonsense")),
        (
            "/rows",
            ("segment", "since", "has", "customer", "event", "stage", "step", "path", "page", "counted"),
        ),
    ],
)
def test_whatever_stands_in_an_address_is_answered(client, path, names):
    for name, value in product(names, NASTY):
        page = client.get(f"{path}?{name}={value}")
        assert page.status_code < 500, (name, value)
        assert "<b>" not in page.text
        if path.endswith("preview"):
            continue
        data = client.get(f"/api{path}?{name}={value}")
        assert data.status_code < 500, (name, value)
        assert (data.status_code < 400) == (page.status_code < 400), (name, value)
        if data.status_code >= 400:
            assert set(data.json()["error"]) == {"code", "problem", "where", "allowed", "hint"}


def test_the_last_of_two_values_counts_and_an_empty_one_is_none(client):
    twice = client.get("/api/analyses/sessions?gap=20m&gap=45m").json()
    assert twice["params"] == client.get("/api/analyses/sessions?gap=45m").json()["params"]
    assert client.get("/api/analyses/sessions?gap=").json() == client.get("/api/analyses/sessions").json()


def test_a_link_with_every_part_of_a_question_gives_the_same_on_page_file_and_data(client):
    query = "steps=product_view&steps=cart&within=7d&order=strict&by=device&segment=first:channel=store&since=2024-02-01"
    page, data = (
        client.get(f"/analyses/funnel?{query}").text,
        client.get(f"/api/analyses/funnel?{query}").json(),
    )
    table = client.get(f"/api/analyses/funnel/tables/steps.csv?{query}").text.splitlines()
    first = data["tables"]["steps"][0]["customers"]
    assert f">{first}<" in page
    assert table[1].split(",")[2] == str(first)
    for link in re.findall(r'href="(/api/analyses/funnel[^"]*)"', page):
        assert "segment=first%3Achannel%3Dstore" in link
        assert "since=2024-02-01" in link


def test_where_there_is_too_little_to_draw_the_picture_says_so(tmp_path):
    client = TestClient(create_app(shop(tmp_path / "shop", visits(3))), base_url=LOCAL)
    answer = client.get("/api/analyses/funnel/chart.svg?steps=product_view&segment=never:product_view")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_ready")
    assert "too little to draw" in answer.json()["error"]["problem"]
    page = client.get("/analyses/funnel?steps=product_view&segment=never:product_view").text
    assert "There is too little to draw." in page
    assert "chart.svg" not in page


@pytest.mark.parametrize("form", ["svg", "narrow.svg", "html", "png", "pdf"])
def test_a_picture_in_each_form_runs_nothing_of_ours(client, form):
    got = client.get(f"/api/analyses/sessions/chart.{form}")
    assert got.status_code == 200
    policy = got.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    if form == "html":
        assert "connect-src" not in policy  # so default-src holds: no network
    else:
        assert "allow-scripts" not in policy


def test_a_chart_without_a_form_for_phones_gives_the_one_it_has(client):
    assert client.get("/api/analyses/sessions/chart.narrow.svg").text == client.get("/api/analyses/sessions/chart.svg").text  # fmt: skip
