"""Who may ask, how, and what the answer tells the browser."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.web.company import shop, visits
from wayfare.errors import NotReady
from wayfare.web.app import create_app
from wayfare.web.guard import known_host
from wayfare.web.server import PortTaken, listen, serve


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return create_app(shop(tmp_path_factory.mktemp("web") / "shop", visits(40)))


@pytest.fixture
def client(app):
    return TestClient(app, base_url="http://127.0.0.1:8765")


@pytest.mark.parametrize(
    "path", ["/analyses", "/nowhere", "/api/study", "/api/nothing", "/static/wayfare.css", "/healthz"]
)
def test_every_answer_carries_the_headers(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


@pytest.mark.parametrize(
    "name", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "192.0.2.7"]
)
def test_a_foreign_name_is_refused(client, name):
    answer = client.get("/api/study", headers={"host": name})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "refused"
    assert "Corner Shop" not in client.get("/", headers={"host": name}).text


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:8765", "127.0.0.1:1", "[::1]:8765"])
def test_this_machines_own_names_are_answered(client, name):
    assert client.get("/healthz", headers={"host": name}).status_code == 200


@pytest.mark.parametrize(
    "name, host, known",
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.8", "192.0.2.7", False),
        ("shop.example", "shop.example", True),
        ("192.0.2.7", "0.0.0.0", True),
        ("2001:db8::1", "::", True),
        ("evil.example", "0.0.0.0", False),
        ("", "0.0.0.0", False),
    ],
)
def test_a_server_for_others_answers_to_its_address_and_no_strangers_name(name, host, known):
    assert known_host(name, host) is known


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/api/study", "/analyses/funnel"])
def test_nothing_can_be_changed(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_head_is_answered_as_get(client):
    answer = client.head("/analyses")
    assert answer.status_code == 200


def test_another_sites_page_can_link_here_and_read_nothing(client):
    foreign = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert client.get("/api/study", headers=foreign).status_code == 403
    assert (
        client.get(
            "/analyses", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        ).status_code
        == 200
    )


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"]
)
def test_only_our_own_files_are_given(client, path):
    assert client.get(path).status_code == 404


def test_a_taken_port_is_told_with_another(tmp_path):
    with listen("127.0.0.1", 0) as taken, pytest.raises(PortTaken, match="Try: --port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_a_folder_that_is_no_workspace_is_told_before_anything_starts(tmp_path):
    with pytest.raises(NotReady, match="wayfare init"):
        serve(tmp_path / "none", port=0)
