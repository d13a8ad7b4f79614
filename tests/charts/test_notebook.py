"""A result in a notebook: everything said, nothing run, nothing unescaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import wayfare as wf
from wayfare.charts.notebook import ROWS, notebook_html

START = pd.Timestamp("2024-01-01")


def a_log(channel="<b>ads & co</b>", customers=40):
    rows = [
        (
            f"c{n}",
            START + pd.Timedelta(hours=step),
            "visit" if step < 2 else "purchase",
            channel if step == 0 else "mail",
            1234.5,
        )
        for n in range(customers)
        for step in range(3)
    ]
    frame = pd.DataFrame(rows, columns=["customer", "time", "event", "channel", "value"])
    return wf.read_events(
        frame, customer="customer", time="time", event="event", channel="channel", value="value"
    )


class Reader(HTMLParser):
    """Counts tags, and fails where they don't nest."""

    VOID = frozenset({"br", "img", "meta", "path", "line", "rect", "circle", "use", "stop"})

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.rows = [], {}, []

    def handle_starttag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1

    def handle_endtag(self, tag):
        while self.open[-1] != tag and self.open[-1] in self.VOID:
            self.open.pop()
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page():
    return wf.attribution(a_log())._repr_html_()


def test_it_says_question_findings_warnings_picture_and_table(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert "Which channels earn the conversions" in page
    assert '<ul class="findings">' in page
    assert "Observational, not an experiment" in page
    assert reader.seen["svg"] == 1
    assert reader.seen["table"] == 1


def test_it_runs_nothing_and_loads_nothing(page):
    assert "<script" not in page
    assert not re.search(r"""(src|href)=["']https?:""", page)
    assert "color-scheme: light dark" in page


def test_names_of_the_data_are_escaped(page):
    assert "<b>ads" not in page
    assert "&lt;b&gt;ads &amp; co&lt;/b&gt;" in page


def test_figures_stand_right_and_text_left(page):
    assert re.search(r'<th scope="col" class="figure" title="[^"]+">conversions</th>', page)
    assert re.search(r'<th scope="col" title="[^"]+">channel</th>', page)
    assert '<td class="figure">40</td>' in page


def test_a_long_table_says_how_much_is_left_out():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "customer": [f"c{n % 50}" for n in range(600)],
            "time": START + pd.to_timedelta(np.arange(600), unit="h"),
            "event": [("purchase", "visit", "visit")[n] for n in rng.integers(0, 3, 600)],
            "channel": [f"channel {n}" for n in rng.integers(0, 9, 600)],
        }
    )
    result = wf.attribution(
        wf.read_events(frame, customer="customer", time="time", event="event", channel="channel")
    )
    page = notebook_html(result)
    assert page.count("<tr>") == ROWS + 1
    assert f"{ROWS} of {result.credit.num_rows} rows" in page


def test_an_empty_result_shows_its_finding():
    frame = pd.DataFrame({"customer": ["a"], "time": [START], "event": ["visit"]})
    page = notebook_html(
        wf.attribution(wf.read_events(frame, customer="customer", time="time", event="event"))
    )
    assert "no touch is known" in page
    assert "<svg" not in page
