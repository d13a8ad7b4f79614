"""What every request passes first, and every answer last: who may ask, how, and what a browser may do with it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wayfare.errors import WayfareError
from wayfare.workspace.document_text import LONGEST

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "private, no-cache",
}
KEEP = "/keep"
"""The address that keeps an assignment."""
DOCUMENTS, DOCUMENTS_API = "/documents", "/api/documents"
"""The addresses under which documents are changed: by forms of ours, and by JSON."""
LONGEST_FORM = 65_536
LONGEST_UPLOAD = LONGEST + LONGEST_FORM
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound

Respond = Callable[[Request, WayfareError], Response]


class Refused(WayfareError):
    """The request is not one that this server answers."""

    code = "refused"
    status = 403


class WrongMethod(WayfareError):
    """Pages and data here are only read, but for assignments that are kept and documents that are changed."""

    code = "wrong_method"
    status = 405


class Fault(WayfareError):
    """Something that is ours to mend."""

    code = "fault"
    status = 500


class Guard:
    """Refuses foreign names (DNS rebinding), other sites' scripts, and writing but where it is meant; adds the headers.

    It also turns an error that nobody foresaw into a page without a trace of the code; the log has the trace.
    """

    def __init__(self, app: ASGIApp, host: str, respond: Respond) -> None:
        self.app = app
        self.host = host
        self.respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = refusal_of(scope, self.host)
        if refusal is not None:
            await self.respond(Request(scope), refusal)(scope, receive, guarded)
            return
        try:
            method = scope["method"] if scope["method"] in ("POST", "PUT") else "GET"
            await self.app({**scope, "method": method}, receive, guarded)
        except Exception as error:
            logging.getLogger("wayfare.web").exception("%s failed", scope["path"])
            if begun:
                raise
            await self.respond(Request(scope), _fault(error))(scope, receive, guarded)


def refusal_of(scope: Scope, host: str) -> WayfareError | None:
    """Why a request is not answered, or None."""
    headers = Headers(scope=scope)
    name = _hostname(headers.get("host", ""))
    if not known_host(name, host):
        hint = f"Open it as http://localhost, or start it with --host {name}." if name else ""
        return Refused(f"This server does not answer to the name {name!r}.", where="Host", hint=hint)
    if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
        return Refused("Another website's page can't read from here.", where="Sec-Fetch-Site")
    if scope["method"] in written(scope["path"]):
        return _foreign_form(headers, scope["path"])
    if scope["method"] not in ("GET", "HEAD"):
        return WrongMethod(
            f"{scope['method']} is not possible here.", where=scope["path"], allowed=("GET", "HEAD")
        )
    return None


def written(path: str) -> tuple[str, ...]:
    """The methods by which something is changed at an address; none for most."""
    if path in (KEEP, DOCUMENTS) or path.startswith(f"{DOCUMENTS}/"):
        return ("POST",)
    return ("POST", "PUT") if path.startswith(f"{DOCUMENTS_API}/") else ()


def _foreign_form(headers: Headers, path: str) -> Refused | None:
    """Why something is not taken: another site sent it, or it can't be one of ours. A form's token is looked at later.

    What is sent as JSON needs no token: no form of another site can send that, and its scripts are refused here.
    """
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return Refused("Another website's page can't change anything here.", where="Sec-Fetch-Site")
    if path.startswith(DOCUMENTS_API):
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return Refused("Only JSON is taken here.", where="Content-Type", hint="Send application/json.")
        origin = headers.get("origin")
        if (
            origin is not None
            and origin.partition("://")[2].lower() != headers.get("host", "").strip().lower()
        ):
            return Refused("Another website's page can't change anything here.", where="Origin")
    longest = LONGEST_FORM if path == KEEP else LONGEST_UPLOAD
    length = headers.get("content-length", "")
    if not (length.isascii() and length.isdigit() and len(length) < 12 and int(length) <= longest):
        return Refused("The form is too long, or does not say how long it is.", where="Content-Length")
    return None


def known_host(name: str, host: str) -> bool:
    """Whether a server started on `host` answers to `name`.

    An address in figures can't be rebound by a foreign name server, so a server for everybody takes any of these.
    """
    if name in LOOPBACK or name == host.lower():
        return True
    if host not in _ANYWHERE:
        return False
    try:
        ip_address(name)
    except ValueError:
        return name in (socket.gethostname().lower(), socket.getfqdn().lower())
    return True


def _hostname(header: str) -> str:
    """The name in a Host header, without its port and brackets, lower case."""
    header = header.strip().lower()
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if header.count(":") == 1 else header


def _fault(error: Exception) -> Fault:
    problem = f"Something went wrong inside Wayfare ({type(error).__name__})."
    return Fault(
        problem, hint="The terminal in which wayfare serve runs shows the details. Try: wayfare doctor."
    )
