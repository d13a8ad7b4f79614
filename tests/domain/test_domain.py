"""Durations, segments and the journey: what is written is read, what can't be is refused with what can."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wayfare.domain.duration import Duration, in_words
from wayfare.domain.journey import JourneyMap, Stage, Touchpoint
from wayfare.domain.proposal import propose
from wayfare.domain.segment import Segment
from wayfare.errors import InvalidParameter


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("24h", 86_400),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("1.5 hours", 5400),
        ("1 Day", 86_400),
    ],
)
def test_durations_as_people_write_them(text, seconds):
    assert Duration.parse(text).seconds == seconds
    assert Duration.parse(timedelta(seconds=seconds)) == Duration.parse(text)


@given(st.integers(1, 10**9))
def test_a_duration_reads_what_it_writes(seconds):
    duration = Duration.parse(timedelta(seconds=seconds))
    assert Duration.parse(str(duration)) == duration


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "0d", "7 fortnights", "1mo", "99999999d"])
def test_what_is_no_duration(text):
    with pytest.raises(InvalidParameter):
        Duration.parse(text)


def test_durations_in_words():
    said = [in_words(s) for s in (1, 42, 90, 3600 * 3.5, 86_400 * 12, float("nan"))]
    assert said == ["1 second", "42 seconds", "1.5 minutes", "3.5 hours", "12 days", "unknown"]


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("channel=web", Segment("channel", "=", "web", "any")),
        ("first:campaign = spring", Segment("campaign", "=", "spring", "first")),
        ("last:device!=mobile", Segment("device", "!=", "mobile", "last")),
        ("value>=100", Segment("value", ">=", "100", "any")),
        ("did:review_written", Segment("event", "=", "review_written", "any")),
        ("never:refund", Segment("event", "!=", "refund", "any")),
    ],
)
def test_segments(text, segment):
    assert Segment.parse(text) == segment
    assert Segment.parse(str(segment)) == segment


@pytest.mark.parametrize("text", ["", "web", "channel=", "=web", "did:"])
def test_what_is_no_segment(text):
    with pytest.raises(InvalidParameter, match="not a segment"):
        Segment.parse(text)


def test_a_journey_is_proposed_from_names():
    journey = propose(
        [
            "product_view",
            "cart",
            "purchase",
            "refund",
            "newsletter_open",
            "referral_invite",
            "ad_click",
            "zzz",
        ]
    )
    stages = {t.event: t.stage for t in journey.touchpoints}
    assert stages == {
        "product_view": Stage.CONSIDERATION,
        "cart": Stage.CONSIDERATION,
        "purchase": Stage.PURCHASE,
        "refund": Stage.POST_PURCHASE,
        "newsletter_open": Stage.REPURCHASE,
        "referral_invite": Stage.ADVOCACY,
        "ad_click": Stage.AWARENESS,
        "zzz": "none",
    }
    assert journey.orders == ("purchase",)
    assert journey.route() == ("product_view", "cart", "purchase")
    view = journey.touchpoint("product_view")
    assert view is not None
    assert view.after_purchase is Stage.REPURCHASE


def test_an_event_has_one_touchpoint():
    with pytest.raises(ValidationError, match="two touchpoints"):
        JourneyMap(
            touchpoints=(Touchpoint(event="a", stage="awareness"), Touchpoint(event="a", stage="advocacy"))
        )
