"""Why a server does not start, said before anything starts; and the address that is shown when it does."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest

from wayfare.cli import serve as command
from wayfare.errors import Busy, InvalidParameter
from wayfare.web import server


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What would have been served."""
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr("wayfare.web.serve", lambda *args, **kwargs: calls.append((*args, kwargs)))
    return calls


def test_a_taken_port_that_was_asked_for_is_told_and_nothing_starts(wayfare, shop: Path, taken: int, started):
    done = wayfare("serve", shop, "--port", taken)
    assert done.code != 0
    assert f"Port {taken} is taken." in done.err
    assert "Leave --port out" in done.err
    assert started == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--host", "no such host"), "'no such host' is not an address."),
        (
            ("--host", "203.0.113.7"),
            "can't be listened on",
        ),  # a documentation address: nobody's own (RFC 5737)
        (("--port", "70000"), "less than or equal to 65535"),
        (("--port", "zero"), "a valid integer"),
    ],
)
def test_what_can_not_be_listened_on_is_told(wayfare, shop: Path, started, args: tuple[str, ...], said: str):
    done = wayfare("serve", shop, *args)
    assert done.code != 0
    assert said in done.err
    assert "Traceback" not in done.err
    assert started == []


@pytest.mark.parametrize("text", ["currency: [", "name: Shop\ncurrency: doubloons\n", "colour: red\n"])
def test_wrong_settings_are_told_before_a_port_is_taken(
    wayfare, shop: Path, tmp_path: Path, started, text: str
):
    (tmp_path / "wayfare.yaml").write_text(text)
    done = wayfare("serve", tmp_path)
    assert done.code != 0
    assert "wayfare.yaml" in done.err
    assert started == []


def test_when_every_usual_port_is_taken_another_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(command, "_is_free", lambda host, port: False)
    with pytest.raises(Busy, match="The ports 8765 to 8814 are taken") as error:
        command.free_port("127.0.0.1", None)
    assert error.value.hint == "Name a free one: --port 9000"


def test_a_port_for_the_powerful_is_told(monkeypatch: pytest.MonkeyPatch):
    def refused(*_: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refused)
    with pytest.raises(InvalidParameter, match="Permission denied"):
        command.free_port("127.0.0.1", 80)


@pytest.mark.parametrize(
    ("host", "shown", "alone"),
    [
        ("127.0.0.1", "http://127.0.0.1:", True), ("localhost", "http://localhost:", True), ("::1", "http://[::1]:", True),
        ("0.0.0.0", "http://127.0.0.1:", False), ("::", "http://[::1]:", False),
    ],
)  # fmt: skip
def test_the_address_can_be_opened_and_others_are_warned_of(
    wayfare, shop: Path, started, monkeypatch: pytest.MonkeyPatch, host: str, shown: str, alone: bool
):
    monkeypatch.setattr(command, "_is_free", lambda host, port: True)
    done = wayfare("serve", shop, "--host", host, "--no-open")
    assert done.code == 0
    assert f"Wayfare is at {shown}8765/" in done.err
    assert ("can be reached from other computers" in done.err) != alone
    assert started == [(shop, host, 8765, {"open_browser": False})]


def test_a_port_that_goes_between_the_look_and_the_start_is_told(taken: int):
    with pytest.raises(server.PortTaken, match=f"port {taken}") as error:
        server.listen("127.0.0.1", taken)
    assert error.value.hint == f"Another program may use it. Try: --port {taken + 1}."
    assert error.value.status == 409


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "http://localhost:81/"), ("::1", "http://[::1]:81/"), ("shop.lan", "http://shop.lan:81/")],
)
def test_the_browser_is_sent_to_a_name_that_answers(monkeypatch: pytest.MonkeyPatch, host: str, address: str):
    opened: list[str] = []

    class AtOnce:
        def __init__(self, target, args, daemon):
            self.run = lambda: target(*args)

        def start(self):
            self.run()

    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("threading.Thread", AtOnce)
    server._open(host, 81)
    assert opened == [address]
