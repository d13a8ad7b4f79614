"""`wayfare serve`."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from typing import Annotated

import typer

from wayfare.cli.options import Folder
from wayfare.cli.terminal import note
from wayfare.errors import Busy, InvalidParameter

PORT = 8765
_TRIED = 50


def serve(
    folder: Folder,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="The address to listen on; 127.0.0.1 is this computer alone."),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65_535,
            metavar="NUMBER",
            show_default=str(PORT),
            help="The port; without it the next free one.",
        ),
    ] = None,
    browser: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Show it in the browser.", show_default="open in a terminal"),
    ] = None,
) -> None:
    """Show the workspace in the browser: every analysis with its form, live."""
    from wayfare.workspace.folder import open_workspace

    open_workspace(folder)
    chosen = free_port(host, port)
    if port is None and chosen != PORT:
        note(f"Port {PORT} is taken; using {chosen}.")
    if not _loopback(host):
        note(
            f"Warning: {host} can be reached from other computers, and whoever reaches it can read this workspace."
        )
    address = f"http://{_in_address(host)}:{chosen}/"
    note(f"Wayfare is at {address} (Ctrl-C stops it)")
    from wayfare.web import serve as serve_web

    serve_web(folder, host, chosen, open_browser=sys.stdout.isatty() if browser is None else browser)


def free_port(host: str, port: int | None) -> int:
    """The port asked for, or the first free one from the usual one on."""
    for candidate in [port] if port is not None else range(PORT, PORT + _TRIED):
        if _is_free(host, candidate):
            return candidate
    if port is not None:
        raise Busy(
            f"Port {port} is taken.", where="--port", hint="Leave --port out to take the next free one."
        )
    raise Busy(
        f"The ports {PORT} to {PORT + _TRIED - 1} are taken.",
        where="--port",
        hint="Name a free one: --port 9000",
    )


def _is_free(host: str, port: int) -> bool:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # as the server does: waiting connections don't count
            tried.bind((host, port))
    except socket.gaierror:
        raise InvalidParameter(
            f"{host!r} is not an address.", where="--host", allowed=("127.0.0.1", "localhost", "::1")
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        if error.errno in (errno.EADDRNOTAVAIL, errno.EACCES):
            raise InvalidParameter(
                f"{host}:{port} can't be listened on: {error.strerror}.", where="--host, --port"
            ) from None
        raise
    return True


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_address(host: str) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - the address to visit, not to listen on
    return f"[{shown}]" if ":" in shown else shown
