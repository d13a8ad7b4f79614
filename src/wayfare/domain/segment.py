"""A segment: a condition that a customer's whole history meets or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from wayfare.errors import InvalidParameter

# What may be blank is taken off by `strip`: two patterns in a row that match blanks take minutes over thousands of them.
_WRITTEN = re.compile(r"(?:(any|first|last)\s*:)?([^=!<>:]+)(>=|<=|!=|=|<|>)(.*)")
_DID = re.compile(r"(did|never)\s*:(.+)")

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
        if did := _DID.fullmatch(text.strip()):
            return cls("event", "=" if did[1] == "did" else "!=", did[2].strip())
        match = _WRITTEN.fullmatch(text.strip())
        if match is None or not match[2].strip() or not match[4].strip():
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
        return cls(match[2].strip(), match[3], match[4].strip(), match[1] or "any")  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.touch}:{self.column}{self.operator}{self.value}"
