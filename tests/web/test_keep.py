"""Keeping personas from their page: one click, one form of ours and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.web.company import shop, visits
from wayfare.web.app import create_app
from wayfare.workspace.attributes import files
from wayfare.workspace.folder import open_study


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frame = visits(300)
    early = (frame["customer"].str[1:].astype(int) % 2).astype(bool)
    # Two clear kinds: mobile in the morning, desktop in the evening.
    hour = early.map({True: "T07:", False: "T19:"})
    day = frame["time"].str[:10]
    frame["time"] = day + hour + frame["time"].str[14:]
    frame["channel"] = early.map({True: "newsletter", False: "store"})
    return shop(tmp_path, frame)


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder), base_url="http://localhost") as opened:
        yield opened


def form_of(client: TestClient, address: str = "/analyses/personas") -> dict[str, str]:
    for _ in range(30):  # the page waits for a second, and then says how far it has come
        page = client.get(address).text
        if "Use them everywhere" in page:
            return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    raise AssertionError("no form")


def test_one_click_makes_personas_segments(client: TestClient, folder: Path):
    fields = form_of(client)
    answer = client.post(
        "/keep", data=fields, headers={"sec-fetch-site": "same-origin"}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/analyses/personas#keep")
    names = open_study(folder).log.names("persona").to_list()
    assert len(names) == 2
    form_of(client)
    page = client.get("/analyses/personas").text
    assert "Kept as the column <code>persona</code>" in page
    for address in re.findall(r'href="(/analyses/(?:overview|funnel)\?[^"]+)"', page)[:3]:
        assert client.get(address.replace("&amp;", "&")).status_code == 200
    assert client.get("/analyses/funnel?by=persona").status_code == 200


def test_other_answers_have_nothing_to_keep(client: TestClient):
    assert "Use them everywhere" not in client.get("/analyses/sessions").text
    answer = client.post("/keep", data={**form_of(client), "analysis": "sessions"})
    assert answer.status_code == 422
    assert "no groups" in answer.text


@pytest.mark.parametrize(
    ("change", "headers"),
    [
        ({"token": "x"}, {}),
        ({"token": ""}, {}),
        ({}, {"sec-fetch-site": "cross-site"}),
        ({}, {"sec-fetch-site": "same-site"}),
        ({}, {"host": "evil.example"}),
        ({"query": "x" * 70_000}, {}),
    ],
)
def test_what_is_not_ours_is_refused(
    client: TestClient, folder: Path, change: dict[str, str], headers: dict[str, str]
):
    answer = client.post("/keep", data={**form_of(client), **change}, headers=headers)
    assert answer.status_code == 403
    assert files(folder) == []


def test_only_posting_keeps(client: TestClient):
    assert client.get("/keep").status_code in (404, 405)
    assert client.put("/keep").status_code == 405
