"""The canvas's opportunities in sentences."""

from __future__ import annotations

from wayfare.analyses.canvas._opportunity_items import Sources
from wayfare.analyses.canvas._opportunity_tables import Row, most
from wayfare.analyses.canvas._strategies import ABOUT
from wayfare.domain.canvas import Canvas
from wayfare.result import Finding

START = "wayfare documents DIR new canvas"


def label(block: str) -> str:
    """The block's name for people."""
    return block.replace("_", " ").capitalize()


def findings_of(
    currency: str, document: Canvas | None, items: list[Row], strategies: list[Row], sources: Sources | None
) -> tuple[Finding, ...]:
    """Where most is at stake, where most was lost, which strategy touches most, and what is bound to nothing."""
    if document is None:
        return (
            Finding(
                f"There is no Business Model Canvas yet, so that nothing can be placed on it. Start one: {START}."
            ),
        )
    if sources is None:
        return (
            Finding(
                f"The canvas {document.name!r} has no items yet. Fill it in: wayfare documents DIR edit {document.name}."
            ),
        )
    said = [
        _item(currency, row, *names) for names in _MONEY if (row := _largest(items, names[0])) is not None
    ]
    if not said:
        said = [
            Finding(
                f"Nothing can be said yet of what is at stake on the canvas {document.name!r}: too few customers, or no values."
            )
        ]
    said.sort(key=lambda finding: -(finding.money or 0.0))
    if strategies and strategies[0]["value_at_stake"]:
        best = strategies[0]
        said.append(Finding(
            f"{best['strategy'].capitalize()} touch{'es' if _singular(best['strategy']) else ''} most, {currency} {best['value_at_stake']:,.0f} "
            f"at {best['items']:,} items: {best['why'].partition(': ')[2]}.",
        ))  # fmt: skip
    loose = sum(most(row) is None for row in items)
    if loose:
        said.append(
            Finding(f"{loose:,} of {len(items):,} items touch no money that is known; their notes say why.")
        )
    return tuple(said)


_MONEY = (
    ("value_at_stake", "value_low", "value_high", "of expected value is at stake at"),
    ("friction_loss", "friction_low", "friction_high", "at most was lost at"),
)


def _singular(name: str) -> bool:
    return not name.endswith("s") and not name.split(" ", 1)[0].endswith("s")


def _largest(items: list[Row], name: str) -> Row | None:
    """The item with most; items at touchpoints say where it is, and come before those of customers alone."""
    known = (row for row in items if row[name])
    return min(known, key=lambda row: (not row["placed"], -row[name]), default=None)


def _item(currency: str, row: Row, name: str, low: str, high: str, words: str) -> Finding:
    text = (
        f"{currency} {row[name]:,.0f} (95% interval {row[low]:,.0f} to {row[high]:,.0f}) {words} “{short(row['text'])}” "
        f"({label(row['block']).lower()})"
    )
    about = ("value",) if name == "value_at_stake" else ("friction", "pain")
    reason = f", mostly {row['main_reason']}" if row["main"] and ABOUT[row["main"]] in about else ""
    return Finding(f"{text}{reason}.", money=row[name], customers=row["customers"])


def short(text: str, most: int = 60) -> str:
    """One line of a text that may be long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip(' ,.;:')}…"
