"""What an address under /rows asks: which customers' histories are shown, as a value that is read and written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar, get_args
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from wayfare.errors import InvalidParameter, UnknownName
from wayfare.web.asked import view
from wayfare.web.studies import View

Order = Literal["ordered", "strict", "any"]
Start = Literal["any", "first"]
ORDERS: tuple[Order, ...] = get_args(Order)
STARTS: tuple[Start, ...] = get_args(Start)


Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True)
class Behind:
    """Customers in a part of the log for whom all of this holds within that part.

    Attributes:
        view: The part of the log.
        has: Conditions on the events of the part, written as a segment is; all must hold.
        customer: One customer's id.
        event: An event of the customer.
        stage: A stage of the journey that an event of the customer stands for; beside `event`, that event.
        step: Events that the customer went through, as a funnel counts them.
        within: The window of the steps, such as 7d; no limit where empty.
        order: How the steps follow each other: ordered, strict or any.
        start: From which first step the window runs: any or first.
        exclude: Events that break the chain of steps.
        path: All events of the customer, in order.
        collapse: Whether an event of the path that is repeated at once counts as one.
        counted: How many customers the table counts that leads here, where one does.
        page: Which page of them, from 1.
    """

    view: View = field(default_factory=View)
    has: tuple[str, ...] = ()
    customer: str = ""
    event: str = ""
    stage: str = ""
    step: tuple[str, ...] = ()
    within: str = ""
    order: Order = "ordered"
    start: Start = "any"
    exclude: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    collapse: bool = False
    counted: int | None = None
    page: int = 1

    @property
    def everybody(self) -> bool:
        """Whether nothing is asked but the part of the log."""
        return replace(self, view=View(), counted=None, page=1) == Behind()

    def at(self, page: int) -> Behind:
        """The same on another page."""
        return replace(self, page=page)

    def pairs(self) -> list[tuple[str, str]]:
        """The address's query as names and values, without what goes without saying."""
        said: list[tuple[str, object]] = [
            *(("segment", one) for one in self.view.segments), ("since", self.view.since), ("until", self.view.until),
            *(("has", one) for one in self.has), ("customer", self.customer), ("event", self.event), ("stage", self.stage),
            *(("step", one) for one in self.step), ("within", self.within),
            ("order", self.order if self.order != ORDERS[0] else ""), ("start", self.start if self.start != STARTS[0] else ""),
            *(("exclude", one) for one in self.exclude),
            *(("path", one) for one in self.path), ("collapse", "true" if self.collapse else ""), ("counted", self.counted), ("page", self.page if self.page > 1 else ""),
        ]  # fmt: skip
        return [(name, str(value)) for name, value in said if value not in (None, "")]

    def link(self, path: str = "/rows") -> str:
        """The address that asks this."""
        query = urlencode(self.pairs())
        return f"{path}?{query}" if query else path


KNOWN = ("segment", "since", "until", "has", "customer", "event", "stage", "step", "within", "order", "start", "exclude", "path", "collapse", "counted", "page")  # fmt: skip


def behind(query: QueryParams) -> Behind:
    """What `query` asks; an empty value is as good as none."""
    for name in query:
        if name not in KNOWN:
            raise UnknownName.among("parameter of rows", name, KNOWN)

    def many(name: str) -> tuple[str, ...]:
        return tuple(one.strip() for one in query.getlist(name) if one.strip())

    def one(name: str, otherwise: str = "") -> str:
        return (query.get(name) or "").strip() or otherwise

    return Behind(
        view(query), many("has"), one("customer"), one("event"), one("stage"), many("step"), one("within"),
        _choice("order", one("order", ORDERS[0]), ORDERS), _choice("start", one("start", STARTS[0]), STARTS),
        many("exclude"), many("path"), _flag("collapse", one("collapse", "false")), _whole("counted", one("counted")), _whole("page", one("page")) or 1,
    )  # fmt: skip


def _choice(name: str, said: str, allowed: tuple[Choice, ...]) -> Choice:
    for choice in allowed:
        if said == choice:
            return choice
    raise InvalidParameter(f"{said!r} is not one of the choices.", where=name, allowed=allowed)


def _flag(name: str, said: str) -> bool:
    return _choice(name, said, ("true", "false")) == "true"


def _whole(name: str, said: str) -> int | None:
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and len(said) < 16):
        raise InvalidParameter(f"{said!r} is not a number of this kind.", where=name, allowed=("1", "2", "3"))
    return int(said)
