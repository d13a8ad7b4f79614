"""Runs the web surface on one machine until it is stopped."""

from __future__ import annotations

import socket
from pathlib import Path

from wayfare.errors import WayfareError
from wayfare.workspace.folder import open_workspace


class PortTaken(WayfareError):
    """The address to listen on can't be had."""

    code = "port_taken"
    status = 409


def serve(folder: str | Path, host: str = "127.0.0.1", port: int = 8765, open_browser: bool = False) -> None:
    """Shows the workspace in the browser until Ctrl-C.

    Args:
        folder: The workspace.
        host: The address to listen on; other computers reach it only where one of theirs or 0.0.0.0 is named.
        port: The port; 0 takes a free one.
        open_browser: Whether to open the page once it is there.
    """
    import uvicorn

    from wayfare.web.app import create_app

    open_workspace(folder)
    listening = listen(host, port)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if open_browser:
                _open(host, listening.getsockname()[1])

    app = create_app(folder, host)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3
    )
    with listening:
        Server(config).run([listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the address, or the error that says what else to try."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = (error.strerror or str(error)).rstrip(".")
        hint = f"Another program may use it. Try: --port {port + 1 if port < 65_535 else 8765}."
        raise PortTaken(f"Can't listen on {host}, port {port}: {reason}.", where="port", hint=hint) from error


def _open(host: str, port: int) -> None:
    import threading
    import webbrowser

    name = "localhost" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host  # noqa: S104
    threading.Thread(target=webbrowser.open, args=(f"http://{name}:{port}/",), daemon=True).start()
