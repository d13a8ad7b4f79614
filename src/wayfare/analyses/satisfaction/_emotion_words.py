"""What `emotion` says: where it is lowest, where friction is met, what people say there, whether words tell ratings."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from wayfare.analyses.satisfaction._emotion_gathered import Gathered
from wayfare.analyses.satisfaction._emotion_tables import FEW, TOO_FEW, apart_alike
from wayfare.domain.journey import STAGES
from wayfare.result import Finding
from wayfare.stats.text_sentiment import Sentiment

LABELS = {stage.value: stage.label for stage in STAGES}
FEW_QUOTES = 5
"""So many comments about a theme at a stage, and it is what is said there."""
_EIGHT = 1.4
"""How much wider an interval is where the lowest of eight themes is picked (Bonferroni: 2.73 / 1.96)."""
_BY = {"scores": "scores", "sentiment": "what comments say"}
_THINGS = {"scores": "scores", "sentiment": "comments"}
Row = dict[str, Any]


def findings(
    tables: dict[str, pa.Table],
    sentiment: Sentiment,
    absent: str,
    spoken: dict[str, dict[str, int]],
    gathered: Gathered,
) -> tuple[Finding, ...]:
    """One to four sentences, the first about the lowest point.

    Args:
        tables: Those of the result.
        sentiment: How comments were read.
        absent: Why VADER was not tried, where it was not.
        spoken: How many comments each theme has, stage by stage.
        gathered: What was counted, for comparing stages by the questions that they share.
    """
    curve = tables["curve"].to_pylist()
    known = {
        strand: [row for row in curve if row["strand"] == strand and row["low"] is not None]
        for strand in ("scores", "sentiment", "friction")
    }
    felt = felt_strand(curve)
    low = _lowest(felt, known[felt], gathered) or [Finding(_silent(curve))]
    at = lowest_of(known[felt])
    stage = at["stage"] if at else ""
    said = _said(tables["themes"].to_pylist(), stage, spoken.get(stage, {}))
    friction = _friction(known["friction"], tables["friction"].to_pylist())
    return (*low, *friction, *said, *_readers(sentiment, absent, tables["readers"].to_pylist()))


def written(value: float) -> str:
    """A place on the scale from −1 to 1 as people read it."""
    return f"{value:+.2f}".replace("-", "−") if round(value, 2) else "0.00"


def felt_strand(curve: list[Row]) -> str:
    """The strand whose lowest point is named: scores where they are known at two stages or more, else the wider known."""
    stages = {
        s: sum(row["strand"] == s and row["low"] is not None for row in curve)
        for s in ("scores", "sentiment")
    }
    return "scores" if stages["scores"] >= min(stages["sentiment"], 2) else "sentiment"


def stands_out(rows: list[Row]) -> bool:
    """Whether the lowest point's interval ends below that of the highest."""
    known = sorted((row for row in rows if row["low"] is not None), key=lambda row: row["value"])
    return len(known) > 1 and known[0]["high"] < known[-1]["low"]


def lowest_of(rows: list[Row]) -> Row | None:
    """The lowest known point."""
    known = [row for row in rows if row["low"] is not None]
    return min(known, key=lambda row: row["value"]) if known else None


def _lowest(strand: str, rows: list[Row], gathered: Gathered) -> list[Finding]:
    worst = lowest_of(rows)
    if worst is None:
        return []
    things = f"{worst['n']:,} {_THINGS[strand]} of {worst['customers']:,} customers"
    interval = f"95% interval {written(worst['low'])} to {written(worst['high'])}"
    where = f"{written(worst['value'])} on a scale from −1 to 1 ({interval}; {things})"
    stage = LABELS[worst["stage"]].lower()
    if len(rows) == 1:
        lead = f"Emotion is known at one stage only, {stage}: by {_BY[strand]} {where}."
        return [Finding(lead, customers=worst["customers"])]
    others = sorted((row for row in rows if row is not worst), key=lambda row: row["value"])
    near, best = others[0], others[-1]
    if not stands_out(rows):
        text = (
            f"By {_BY[strand]}, no stage stands out among the {len(rows)} where emotion is known: from {where} at "
            f"{stage}, to {written(best['value'])} at {LABELS[best['stage']].lower()}."
        )
        return [Finding(text, customers=worst["customers"])]
    text = f"By {_BY[strand]}, emotion is lowest at the stage {stage}: {where}, and highest at "
    text += f"{LABELS[best['stage']].lower()} ({written(best['value'])})."
    if worst["high"] >= near["low"]:
        text += f" At {LABELS[near['stage']].lower()} ({written(near['value'])}) it may be as low."
    if strand == "scores" and len(gathered.asked) > 1:
        text += _alike(apart_alike(gathered, worst["stage"], best["stage"]), LABELS[best["stage"]].lower())
    return [Finding(text, customers=worst["customers"])]


def _alike(apart: tuple[float, float] | None, best: str) -> str:
    """Whether other questions, and not other feelings, make the lowest stage the lowest."""
    if apart is None:
        return f" No question was asked both there and at {best}: that alone may set them apart."
    difference, share = apart
    some = "" if share > 0.995 else f" ({share:.0%} of the scores there)"
    asked = f"on the questions asked both there and at {best}{some}"
    if round(difference, 2) < 0:
        return f" O{asked[1:]} it is {-difference:.2f} lower."
    return f" But {asked} it is not lower: other questions set them apart."


def _friction(rows: list[Row], events: list[Row]) -> list[Finding]:
    worst = lowest_of([row for row in rows if row["n"]])
    if worst is None:
        return []
    here = [row for row in events if row["stage"] == worst["stage"]]
    most = ", ".join(f"{_event(row)} ({row['customers']:,})" for row in here[:2])
    customers = round(-worst["value"] * worst["customers"])
    text = (
        f"Friction is met most at the stage {LABELS[worst['stage']].lower()}: by {customers:,} of {worst['customers']:,} "
        f"customers, {-worst['value']:.1%} (95% interval {-worst['high']:.1%} to {-worst['low']:.1%}); "
        f"customers by what it was: {most}."
    )
    return [Finding(text, customers=customers)]


def _event(row: Row) -> str:
    return f"{row['event']} tried again" if row["kind"] == "retry" else str(row["event"])


def _said(themes: list[Row], stage: str, there: dict[str, int]) -> list[Finding]:
    """What the worst-rated comments are about, at the lowest stage where enough of them are, else anywhere."""
    rated = [row for row in themes if row["low"] is not None]
    here = [row for row in rated if there.get(row["theme"], 0) >= FEW_QUOTES]
    if not rated:
        return []
    worst = min(here or rated, key=lambda row: row["mean_rating"])
    usual = sum(row["mean_rating"] * row["rated"] for row in rated) / sum(row["rated"] for row in rated)
    if usual - worst["mean_rating"] <= _EIGHT * (worst["mean_rating"] - worst["low"]):
        most = max(themes, key=lambda row: row["comments"])
        text = (
            f"No theme of the comments is rated lower than the others beyond chance; most are about “{most['theme']}” "
            f"({most['comments']:,}), such as “{most['quote'].rstrip('.')}”."
        )
        return [Finding(text)]
    where, count = (LABELS[stage].lower(), there[worst["theme"]]) if here else ("", worst["comments"])
    of = f"the comments at {where}" if here else "all comments read"
    lead = (
        "of the themes there the one with the lowest ratings" if here else "the theme with the lowest ratings"
    )
    text = (
        f"Of {of}, {count:,} are about “{worst['theme']}”, {lead}: {written(worst['mean_rating'])} on average "
        f"(95% interval {written(worst['low'])} to {written(worst['high'])}){', at all stages' if here else ''}; "
        f"such as “{worst['quote'].rstrip('.')}”."
    )
    return [Finding(text, customers=None if here else worst["customers"])]


def _readers(sentiment: Sentiment, absent: str, readers: list[Row]) -> list[Finding]:
    if not sentiment.readers:
        if not sentiment.rated:
            return []
        return [
            Finding(
                f"Whether words tell ratings is unknown: {sentiment.rated:,} rated comments are too few to say."
            )
        ]
    tried = " and ".join(
        f"{_name(row['reader'])} {_skill(row)}" for row in readers if row["skill"] is not None
    )
    missing = " VADER is not installed and was not tried." if absent else ""
    if not sentiment.chosen:
        text = (
            f"Words do not tell ratings: of the variance of {sentiment.rated:,} ratings held out, {tried} predicted, "
            f"so comments are quoted and not scored.{missing}"
        )
    else:
        text = (
            f"Words tell ratings: of the variance of {sentiment.rated:,} ratings held out, {tried} predicted; "
            f"comments are scored by {_name(sentiment.chosen)}.{missing}"
        )
    return [Finding(text)]


def _name(reader: str) -> str:
    return {"vader": "VADER", "model": "the model of your own comments"}.get(reader, reader)


def _skill(row: Row) -> str:
    skill, low, high = (
        f"{round(100 * row[name]) + 0}".replace("-", "−") for name in ("skill", "low", "high")
    )
    return f"{skill}% ({low} to {high})"


def _silent(curve: list[Row]) -> str:
    there = [row for row in curve if row["strand"] != "friction" and row["n"]]
    if not there:
        return "Nobody was asked how they felt: the log has no scores and no comments at any stage."
    most = max(row["customers"] for row in there)
    if any(row["note"] == FEW for row in there):
        return f"Too few answers to say how customers felt: at most {most:,} customers at a stage, {TOO_FEW} are needed."
    return "No stage has scores, and no reader predicts ratings from the comments there: how customers felt is unknown."
