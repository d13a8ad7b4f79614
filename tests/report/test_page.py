from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Annotated

import pandas as pd
import pyarrow as pa
import pytest

from wayfare.analysis import analysis
from wayfare.charts.picture import DrawnPicture
from wayfare.log import read_events
from wayfare.registry import find
from wayfare.report import render, standard_study, write
from wayfare.report.figures import unique
from wayfare.report.page import actions_of
from wayfare.report.sections import label_of, table_of
from wayfare.result import Columns, Finding, Result, table
from wayfare.study import Study

VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """What the page consists of: every tag with its attributes, and tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.words.append(data)

    def all(self, name: str) -> list[str]:
        return [attrs[name] for _, attrs in self.tags if attrs.get(name)]


@dataclass(frozen=True, kw_only=True)
class ListResult(Result):
    rows: Annotated[
        pa.Table,
        Columns(event="the event", rate="a share", rate_low="low", rate_high="high", revenue="money"),
    ]

    def chart(self):
        if self.rows.num_rows == 1:
            raise RuntimeError("no ink")
        return DrawnPicture(
            '<svg xmlns="http://www.w3.org/2000/svg"><g id="a"/><use href="#a"/></svg>',
            "Drawn.",
            'Says "much" & more',
        )


def result_of(count: int) -> ListResult:
    rows = table(
        event=["<b>e</b>"] * count,
        rate=[0.5] * count,
        rate_low=[0.4] * count,
        rate_high=[0.6] * count,
        revenue=[1234.0] * count,
    )
    return ListResult(rows=rows, findings=(Finding("<i>Costly</i>", money=1234.5, customers=20),))


@analysis
def many(study: Study, *, depth: int = 3) -> ListResult:
    """What is <listed>?

    Counts *all* of `events`.

    Args:
        depth: How deep.
    """
    return result_of(40)


@analysis
def undrawn(study: Study) -> ListResult:
    """What can't be drawn?"""
    return result_of(1)


@analysis
def broken(study: Study) -> ListResult:
    """What breaks?"""
    raise KeyError("<gap>")


@pytest.fixture
def small() -> Study:
    frame = pd.DataFrame({"c": ["1"], "t": pd.to_datetime(["2024-05-31 23:30"]), "e": ["view"]})
    log = read_events(frame, customer="c", time="t", event="e", zone="Europe/Berlin")
    return Study(log, name="<script>alert(1)</script>", currency="CHF")


@pytest.fixture
def page(small) -> str:
    return render(
        standard_study(small, analyses=[many, undrawn, broken]), datetime(2025, 1, 2, 3, 4, tzinfo=UTC)
    )


def test_the_page_is_wellformed_and_its_links_lead_somewhere(demo_page):
    page = Page(demo_page)
    assert page.wrong == []
    assert page.open == []
    ids = page.all("id")
    assert [name for name, times in Counter(ids).items() if times > 1] == []
    targets = {href.removeprefix("#") for href in page.all("href") if href.startswith("#")}
    assert targets <= set(ids)
    referred = {name for attribute in ("aria-labelledby", "clip-path") for name in page.all(attribute)}
    assert {name.removeprefix("url(#").removesuffix(")") for name in referred} <= set(ids)


def test_nothing_is_fetched_and_nothing_runs(demo_page):
    page = Page(demo_page)
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.all("src") == []
    assert {href for href in page.all("href") if not href.startswith("#")} == {"data:,"}
    assert [name for _, attrs in page.tags for name in attrs if name.startswith("on")] == []
    assert re.findall(r"url\((?!#)[^)]*\)|@import", demo_page) == []


def test_it_leads_with_what_matters(demo_page, demo_report):
    order = [tag[1]["id"] for tag in Page(demo_page).tags if tag[0] == "section"]
    assert order[:4] == ["to-do", "figures", "findings", "journey-map"]
    assert order[-1] == "read"
    assert order[4:-1] == [f"analysis-{outcome.analysis.name}" for outcome in demo_report.outcomes]
    assert '<span class="badge">simulated</span>' in demo_page


def test_what_stands_before_the_first_section_is_short_and_every_analysis_is_listed_once(demo_page):
    before, after = demo_page.split('<section id="to-do"', 1)
    assert before.count("<li><a href=") == 6
    assert 'href="#analysis-' not in before
    listed = after[after.index('<nav id="each"') : after.index('<section id="analysis-')]
    assert '<a href="#analysis-nps">NPS</a>' in listed
    assert '<a href="#analysis-rfm">RFM</a>' in listed


def test_only_actions_that_somebody_is_chosen_for_are_named_the_one_worth_most_first():
    listed = pa.table(
        {
            "action": ["thank", "remind", "win back", "cross-sell"],
            "contacted": [0, 40, 10, 0],
            "held_out": [0, 4, 1, 2],
            "expected_value": [0.0, 10.0, 90.0, None],
            "low": [0.0, 1.0, 2.0, None],
            "high": [0.0, 20.0, 99.0, None],
            "cost": [0.0, 2.0, 5.0, 0.0],
            "source": ["stated"] * 4,
        }
    )
    found = actions_of(SimpleNamespace(tables={"actions": listed}))
    assert found["action"].to_pylist() == ["win back", "remind", "cross-sell"]


def test_the_first_to_contact_are_to_be_contacted(demo_page, demo_report):
    # A customer held out must not be contacted: that is what the others are measured against.
    people = demo_report.result("opportunities").tables["opportunities"].to_pylist()
    meant = [row["customer"] for row in people if not row["holdout"] and row["action"] != "leave alone"]
    assert any(row["holdout"] for row in people[:200])
    part = demo_page[demo_page.index("The first to contact") : demo_page.index('<section id="figures"')]
    assert re.findall(r"<tr><td>([^<]+)</td>", part) == meant[:10]
    assert f"And {len(meant) - 10:,} more rows." in part


def test_where_nobody_is_worth_a_contact_no_empty_table_stands():
    rows = [
        ("a", "2024-01-05 10:00", "visit"),
        ("a", "2024-01-05 10:10", "purchase"),
        ("b", "2024-01-07", "visit"),
    ]
    frame = pd.DataFrame(rows, columns=["c", "t", "e"]).assign(
        t=lambda given: pd.to_datetime(given["t"], format="mixed"), value=[None, 12.5, None]
    )
    study = Study(read_events(frame, customer="c", time="t", event="e", value="value"))
    text = render(standard_study(study, analyses=[find("opportunities")]))
    part = text[text.index('<section id="to-do"') : text.index('<section id="figures"')]
    assert "nobody is worth a contact now" in part
    assert "No rows." not in part
    assert "<details>" not in part


def test_measures_are_called_by_their_letters():
    names = ["nps", "csat", "rfm", "mean_ces", "successes", "dropoff"]
    assert [label_of(name) for name in names] == ["NPS", "CSAT", "RFM", "Mean CES", "Successes", "Drop-off"]


def test_headings_come_in_order(demo_page):
    levels = [int(tag[1]) for tag, _ in Page(demo_page).tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_key_figures_come_from_the_scorecard(demo_page):
    cards = demo_page[demo_page.index('id="figures"') : demo_page.index('id="findings"')]
    for name in ("Net revenue", "Orders", "Conversion rate", "Repeat rate"):
        assert f"<dt>{name}</dt>" in cards
    assert re.search(r"<strong>EUR [\d,]+</strong>", cards)
    assert re.search(r"<strong>[\d.]+%</strong><span>[\d.]+% to [\d.]+%</span><span>n = [\d,]+</span>", cards)


def test_findings_stand_in_the_table_with_their_money_and_a_link(demo_page, demo_report):
    leading = demo_page[demo_page.index('id="findings"') : demo_page.index('id="journey-map"')]
    first = demo_report.findings[0]
    row = leading[leading.index("<tbody>") : leading.index("</tr>", leading.index("<tbody>"))]
    assert f"EUR {round(first.finding.money):,}" in row
    assert f'href="#analysis-{first.analysis.name}"' in row
    assert leading.count("<tr>") == len(demo_report.findings) + 2


def test_every_name_is_escaped(page):
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;: the customer journey" in page
    for text in ("<b>e", "<i>Costly", "<listed>", "<gap>"):
        assert text not in page
    assert "Counts <em>all</em> of <code>events</code>." in page
    assert 'aria-label="Says &#34;much&#34; &amp; more"' in page


def test_numbers_are_in_their_units(page):
    assert "CHF 1,234" in page
    assert "50% (40% to 60%)" in page


def test_fifteen_rows_are_shown_and_the_others_counted(page):
    section = page[page.index('<section id="analysis-many"') : page.index('<section id="analysis-undrawn"')]
    assert section.count("<tr>") == 16
    assert "And 25 more rows." in section
    assert "<code>depth</code></dt><dd>3</dd>" in section


def test_what_failed_is_said_at_the_top_and_in_its_place(page):
    assert '<a href="#analysis-broken">Broken</a> could not answer.' in page
    assert "No answer: broken: It stopped with an error of its own" in page
    assert "The picture could not be drawn (RuntimeError: no ink)." in page


def test_days_are_those_of_the_studys_zone(page):
    # 23:30 on 31 May in Berlin is 21:30 UTC; the page is dated in UTC.
    assert "31 May 2024 to 31 May 2024" in page
    assert "Made 2025-01-02 03:04 UTC" in page


def test_an_empty_log_is_a_page_too(small):
    nothing = read_events(
        pd.DataFrame({"c": pd.array([], "string"), "t": pd.to_datetime([]), "e": pd.array([], "string")}),
        customer="c",
        time="t",
        event="e",
    )
    text = render(standard_study(replace(small, log=nothing, journey=None)))
    assert Page(text).wrong == []
    assert "The log is empty: there is nothing to say yet." in text
    assert "There are no customers at any stage to draw yet." in text
    assert "could not answer" not in text


def test_the_file_is_replaced_whole_or_not_at_all(small, tmp_path, monkeypatch):
    (tmp_path / "report.html").write_text("old")
    monkeypatch.setattr("wayfare.report.standard.all_analyses", lambda: (many,))
    monkeypatch.setattr("wayfare.report.page.os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write(small, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "old"
    monkeypatch.undo()
    monkeypatch.setattr("wayfare.report.standard.all_analyses", lambda: (many,))
    assert write(small, tmp_path)[0] == tmp_path / "report.html"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert "Many" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_ids_of_a_drawing_clash_with_no_other():
    svg = '<?xml version="1.0"?><svg><clipPath id="c0"/><g id="a" clip-path="url(#c0)" fill="url(\'#x\')"/><use xlink:href="#a"/></svg>'
    assert unique(svg, "p1") == (
        '<svg aria-hidden="true" focusable="false"><clipPath id="p1-c0"/><g id="p1-a" clip-path="url(#p1-c0)" fill="url(#x)"/>'
        '<use xlink:href="#p1-a"/></svg>'
    )


def test_an_interval_stands_behind_its_number():
    shown = table_of("t", table(rate=[0.5, None], low=[0.4, None], high=[0.6, None], n=[3, 0]), "EUR")
    assert [[cell.text for cell in row] for row in shown.rows] == [["50% (40% to 60%)", "3"], ["–", "0"]]


def test_columns_beyond_the_eleventh_are_named_only():
    wide = table(**{f"column_{n}": [n] for n in range(14)})
    shown = table_of("t", wide, "EUR")
    assert len(shown.heads) == 11
    assert shown.left_out == ("column 11", "column 12", "column 13")


def test_columns_without_any_value_are_named_only():
    shown = table_of(
        "t", table(n=[1, 2], cost=[None, None], value=[None, 2.0], rate=[float("nan")] * 2), "EUR"
    )
    assert [head.text for head in shown.heads] == ["N", "Value"]
    assert shown.unknown == ("cost", "rate")
    assert [head.text for head in table_of("t", table(n=pa.array([], pa.int64())), "EUR").heads] == ["N"]


def test_a_times_name_leaves_the_unit_to_its_value():
    shown = table_of("t", table(median_seconds=[90.0 * 60], median_days_to_next=[0.5]), "EUR")
    assert [(head.text, cell.text) for head, cell in zip(shown.heads, shown.rows[0], strict=True)] == [
        ("Median time", "1.5 hours"), ("Median time to next", "12 hours"),
    ]  # fmt: skip
