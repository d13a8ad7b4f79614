"""Text that a spreadsheet would run: which it is, how it is kept from running, and how the mark comes off again.

The one rule for every CSV that is written, on every surface. The two patterns are of the syntax that Python, Arrow and
DuckDB (RE2) share. Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

import re

MARK = "'"
"""What stands before such a text: a spreadsheet then takes the cell for text, and hides the mark."""

_BEGINS = "[=+@\\t\\r\\n\uff1d\uff0b\uff0d\uff20-]"
"""A formula begins with one of these: the signs, also in the full width of East Asian writing, and blanks that are cut."""

RUNS = f"^{MARK}*{_BEGINS}"
"""Text that gets a mark: a formula, also one with marks before it, so that taking one mark off always gives the original."""

MARKED = f"^{MARK}+{_BEGINS}"
"""Text that has a mark."""

_RUNS, _MARKED = re.compile(RUNS), re.compile(MARKED)


def harmless(text: str) -> str:
    """`text` so that no spreadsheet runs it."""
    return MARK + text if _RUNS.match(text) else text


def restored(text: str) -> str:
    """What `harmless` was given."""
    return text[len(MARK) :] if _MARKED.match(text) else text
