"""A segment: a condition that a customer's whole history meets or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from wayfare.errors import InvalidParameter

_WRITTEN = re.compile(r"\s*(?:(any|first|last)\s*:)?\s*([^=!<>:]+?)\s*(>=|<=|!=|=|<|>)\s*(.*?)\s*")
_DID = re.compile(r"\s*(did|never)\s*:\s*(.+?)\s*")

Touch = Literal["any", "first", "last"]


@dataclass(frozen=True)
class Segment:
    """Customers for whom `column operator value` holds at any, the first or the last row that has the column.

    Written `channel=web`, `first:campaign=spring`, `last:device!=mobile`, `value>=100`, `did:review_written`
    or `never:refund` (the last two are about the column `event`).
    """

    column: str
    operator: Literal["=", "!=", ">", "<", ">=", "<="]
    value: str
    touch: Touch = "any"

    @classmethod
    def parse(cls, text: str | Segment) -> Segment:
        """The segment that `text` says."""
        if isinstance(text, Segment):
            return text
        if did := _DID.fullmatch(text):
            return cls("event", "=" if did[1] == "did" else "!=", did[2])
        match = _WRITTEN.fullmatch(text)
        if match is None or not match[4]:
            raise InvalidParameter(
                f"{text!r} is not a segment.",
                allowed=(
                    "channel=web",
                    "first:campaign=spring",
                    "value>=100",
                    "did:review_written",
                    "never:refund",
                ),
            )
        return cls(match[2], match[3], match[4], match[1] or "any")  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.touch}:{self.column}{self.operator}{self.value}"
