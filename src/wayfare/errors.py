"""The one family of errors that reaches a user: a stable code, what is wrong, what is allowed, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class WayfareError(Exception):
    """Something that the user can put right; every surface shows it in the same four parts.

    Args:
        problem: What is wrong, as a sentence, with the offending value in it.
        where: The file, line, field or parameter it was found in.
        allowed: The values that would have been accepted, where they can be listed.
        hint: The next step, as a sentence.
    """

    code = "error"
    status = 400

    def __init__(
        self, problem: str, *, where: str = "", allowed: Iterable[object] = (), hint: str = ""
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.allowed = tuple(str(value) for value in allowed)
        self.hint = hint

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.problem}" if self.where else self.problem]
        if self.allowed:
            shown = ", ".join(self.allowed[:12])
            more = len(self.allowed) - 12
            parts.append(f"Allowed: {shown}{f' and {more} more' if more > 0 else ''}.")
        if self.hint:
            parts.append(self.hint)
        return " ".join(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.problem, self.where, self.allowed, self.hint)

    def to_dict(self) -> dict[str, Any]:
        """The error as every JSON surface shows it."""
        return {
            "error": {
                "code": self.code,
                "problem": self.problem,
                "where": self.where,
                "allowed": list(self.allowed),
                "hint": self.hint,
            }
        }


def _rebuild(
    kind: type[WayfareError], problem: str, where: str, allowed: tuple[str, ...], hint: str
) -> WayfareError:
    return kind(problem, where=where, allowed=allowed, hint=hint)


class InvalidParameter(WayfareError):
    """A parameter's value can't be used."""

    code = "invalid_parameter"
    status = 422


class UnknownName(WayfareError):
    """A name (event, column, analysis, preset) that nothing here answers to."""

    code = "unknown_name"
    status = 404

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str], *, where: str = "") -> UnknownName:
        """The error for `name`, with the known names and the closest of them as the hint."""
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else ""
        return cls(f"There is no {kind} {name!r}.", where=where, allowed=names, hint=hint)


class NotReady(WayfareError):
    """The workspace or the log lacks what was asked for (nothing ingested yet, no such folder)."""

    code = "not_ready"
    status = 409


class BadInput(WayfareError):
    """A file, table or document can't be read as what it was said to be."""

    code = "bad_input"


class Damaged(WayfareError):
    """A stored file does not hold what its manifest says."""

    code = "damaged"
    status = 500


class Busy(WayfareError):
    """Somebody else is writing here."""

    code = "busy"
    status = 409


class MissingExtra(WayfareError):
    """An optional part is not installed."""

    code = "missing_extra"
    status = 501

    @classmethod
    def of(cls, extra: str, purpose: str) -> MissingExtra:
        """The error for the extra named `extra`, with the command that installs it."""
        return cls(f"{purpose} needs an optional part.", hint=f"Install it: pip install 'wayfare[{extra}]'")


class Cancelled(WayfareError):
    """The work was stopped on request; nothing was changed."""

    code = "cancelled"
    status = 499
