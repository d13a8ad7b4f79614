"""The emotion curve: how customers felt along the stages, by scores, comments and the friction that they met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pyarrow as pa

from wayfare.analyses.satisfaction._emotion_gathered import Gathered, Said, gather, trouble_of
from wayfare.analyses.satisfaction._emotion_tables import (
    friction_table,
    point_table,
    points,
    reader_table,
    scale_table,
    spoken_at,
    theme_table,
)
from wayfare.analyses.satisfaction._emotion_themes import Theme, themes_of
from wayfare.analyses.satisfaction._emotion_words import findings
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import Events
from wayfare.errors import MissingExtra
from wayfare.log import Log
from wayfare.result import Columns, Result
from wayfare.stats.text_sentiment import Sentiment, read_sentiment, vader
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class EmotionResult(Result):
    """Three strands of emotion at each stage and touchpoint, side by side, and what comments are about."""

    observational = (
        "customers chose whether to answer and to write, and who is at a late stage is not like who left before. "
        "Not all stages are asked the same questions, or about the same customers."
    )

    curve: Annotated[
        pa.Table,
        Columns(
            stage="the stage, in the order of the journey",
            strand="`scores`, `sentiment` (the rating that the chosen reader reads from comments) or `friction`",
            value="from −1 to 1: of scores and sentiment −1 is the worst point of the question's scale, 0 its middle, 1 its best; of friction minus the share of customers who met it, 0 for nobody",
            low="lower end of its 95% interval: scores and sentiment clustered in customers, friction by Wilson; missing under 10 customers",
            high="upper end",
            n="scores, comments read, or events that were friction",
            customers="who gave the scores or wrote the comments; of friction, all customers at the stage",
            note="why there is no value or no interval, empty otherwise",
        ),
    ]
    touchpoints: Annotated[
        pa.Table,
        Columns(
            touchpoint="what the survey names, else the customer's last event before the answer; of friction, the event that it followed, of a retry the event itself",
            strand="as in `curve`",
            value="as in `curve`",
            low="as in `curve`",
            high="as in `curve`",
            n="as in `curve`",
            customers="who gave the scores or wrote the comments; of friction, all customers who met the touchpoint",
            note="as in `curve`",
        ),
    ]
    themes: Annotated[
        pa.Table,
        Columns(
            theme="the words that weigh most in comments that go together",
            comments="comments about it, among those read",
            share="of the comments read",
            mean_rating="mean of the ratings given with them, from −1 (worst) to 1 (best)",
            low="lower end of its 95% interval, clustered in customers; missing under 10 customers",
            high="upper end",
            stage="the stage that most of them belong to",
            quote="the comment closest to the theme, with e-mail addresses, links, @names and digits masked, at most 140 characters",
            rated="of the comments, those with a rating",
            customers="who wrote them",
        ),
    ]
    readers: Annotated[
        pa.Table,
        Columns(
            reader="`vader` (a list of English words) or `model` (trained on these comments and ratings)",
            skill="1 − squared error / that of the mean, on ratings held out: 0 is worthless, 1 perfect",
            low="lower end of its 95% interval; a reader predicts where it is above 0",
            high="upper end",
            n="rated comments",
            chosen="whether the sentiment strand is read by it",
            note="why not, empty otherwise",
        ),
    ]
    friction: Annotated[
        pa.Table,
        Columns(
            event="the event",
            kind="cancellation, refund or return, complaint or call for help, failure, retry, or friction that was named",
            stage="where it happened: the stage that it stands for, else that of the customer's last event before it",
            customers="who met it there",
            share="of the customers at the stage",
            low="lower end of its 95% interval (Wilson)",
            high="upper end",
            events="how often",
        ),
    ]
    scales: Annotated[
        pa.Table,
        Columns(
            question="the question's key; where the log does not say it, empty, or the event that scores came with",
            kind="its kind, empty where the log does not say it",
            worst="the worst point of its scale, −1 on the curve",
            best="the best point, 1 on the curve",
            source="how the scale is known: the survey document, its kind, or guessed from the answers",
            n="scores",
        ),
    ]

    def draw(self) -> Picture | None:
        """The strands along the stages with their intervals, the neutral line, and the lowest point named."""
        from wayfare.analyses.satisfaction._emotion_chart import curve_picture

        return curve_picture(self)


@analysis
def emotion(
    study: Study,
    *,
    question: str | None = None,
    friction: Events = (),
    retried: Events = (),
    within: Duration = Duration.parse("10m"),
) -> EmotionResult:
    """How do customers feel along the journey, where is it worst, and what do they say there?

    Three strands side by side on one scale from −1 to 1, never joined into one number. **Scores**: each answer's position
    on its question's own scale (−1 worst point, 0 middle, 1 best); scales come from the survey documents, else NPS is 0 to
    10 and others are guessed from the answers (table `scales`). **Sentiment** of comments: the rating that words predict,
    read by VADER (Hutto & Gilbert 2014, ICWSM 8) or a small model trained on these rated comments (TF-IDF and ridge
    regression), whichever predicts held-out ratings better; where neither predicts any, comments are quoted and not
    scored. A predicted rating lies nearer to the mean than given ones; its interval leaves out the reader's own error. A
    comment's rating is the score of its row, else one given at the same instant (satisfaction before recommendation,
    rating and effort). **Friction**: minus the share of customers at the stage with a cancellation, refund, complaint,
    call for help or failure, found by the events' names, or a retry: the same event again within minutes and without an
    order in between (checkout, payment, login). What counted is in the table `friction`.

    An answer belongs to the touchpoint that its survey names, else to the customer's last event before it; friction to the
    stage that it stands for, and to the touchpoint that it followed. Intervals are 95%, with customers as clusters
    (Cochran 1977, chapter 6; friction by Wilson); under 10 customers there are none and nothing is said. The
    lowest and the highest stage are compared by the questions that they share, too. Of more than
    4,000 comments, all those of some customers are read, chosen by a hash.

    Args:
        question: The one question whose scores count, by its key; all scores unless given.
        friction: Events that are friction by themselves; found by their names unless given.
        retried: Events whose repeat is a retry; found by their names unless given.
        within: How soon the same event again is a retry.
    """
    if question is not None and not (study.anonymous and _asks(study.anonymous, question)):
        study.log.code("question", question)
    gathered = gather(study, question, trouble_of(study, friction, retried), within.microseconds)
    sentiment, absent = _read(gathered.said)
    curve, touchpoints = points(gathered, sentiment)
    themes = _themes(gathered.said)
    tables = {
        "curve": point_table("stage", curve),
        "touchpoints": point_table("touchpoint", touchpoints),
        "themes": theme_table(themes, gathered.said),
        "readers": reader_table(sentiment, absent),
        "friction": friction_table(gathered),
        "scales": scale_table(gathered),
    }
    said = findings(tables, sentiment, absent, spoken_at(themes, gathered.said), gathered)
    return EmotionResult(**tables, findings=said, warnings=tuple(_warnings(gathered)))


def _asks(log: Log, question: str) -> bool:
    return "question" in log.schema and log.names("question").code(question) is not None


def _read(said: Said) -> tuple[Sentiment, str]:
    """The best reader of the comments, and why VADER was not tried where it was not."""
    from wayfare.stats.btyd.threads import one_thread

    with one_thread():
        try:
            return read_sentiment(said.text, said.rating, said.customer, scorers={"vader": vader}), ""
        except MissingExtra:
            return read_sentiment(said.text, said.rating, said.customer), "not installed: wayfare[text]"


def _themes(said: Said) -> list[Theme]:
    from wayfare.stats.btyd.threads import one_thread

    with one_thread():
        return themes_of(said.text)


def _warnings(gathered: Gathered) -> list[str]:
    said, lost = gathered.said, [f"{q or k}" for q, k, scale, _ in gathered.scales if scale is None]
    warnings = []
    if said.written > len(said.text):
        warnings.append(f"Of {said.written:,} comments {len(said.text):,} are read: those of some customers.")
    if lost:
        warnings.append(f"Without a scale, and left out: {', '.join(lost)}.")
    guessed = [q or k for q, k, scale, _ in gathered.scales if scale and scale.source.startswith("guessed")]
    if guessed:
        shown = ", ".join(guessed[:5]) + (" and others" if len(guessed) > 5 else "")
        warnings.append(f"Scales guessed from the answers: {shown}; a survey document would say them.")
    return warnings
