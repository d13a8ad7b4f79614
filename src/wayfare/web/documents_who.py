"""Whose change it is: a name that the browser keeps, else the account that runs the server."""

from __future__ import annotations

import getpass
import secrets
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from wayfare.domain.document import Words
from wayfare.errors import BadInput
from wayfare.web.guard import Refused
from wayfare.web.keep import TOKEN
from wayfare.workspace.revisions import checked

COOKIE = "wayfare_who"
LONGEST = 80
_YEAR = 365 * 24 * 3600


def said_name(request: Request) -> str:
    """The name that was given, or nothing."""
    name = " ".join(unquote(request.cookies.get(COOKIE, "")).split())
    return name if len(name) <= LONGEST else ""


def who(request: Request, said: object = None) -> str:
    """Whose change a request is: who it says, else the name that the browser keeps, else this account."""
    if said is not None and not isinstance(said, str):
        raise BadInput("A name is text.", where="who")
    return checked_name(said) if said else said_name(request) or account()


def account() -> str:
    """The name of the account that the server runs under."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "somebody"


def checked_name(name: str) -> str:
    """A name that fits under a revision."""
    name = " ".join(checked(Words, name, "who").split())
    if len(name) > LONGEST:
        raise BadInput(f"The name has more than {LONGEST} characters.", where="who")
    return name


def keep_name(answer: Response, name: str) -> Response:
    """The answer that makes the browser keep a name."""
    answer.set_cookie(COOKIE, quote(name), max_age=_YEAR, httponly=True, samesite="strict")
    return answer


def check_token(token: object) -> None:
    """Refuses a form that is not from a page of ours."""
    if not isinstance(token, str) or not secrets.compare_digest(token.encode(), TOKEN.encode()):
        raise Refused(
            "This page is from before the server's last start, or not from here.",
            hint="Copy what you wrote and load the page again.",
        )
