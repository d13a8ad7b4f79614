"""What holds for every registered analysis, whatever it computes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import wayfare as wf
from tests.analyses.cuts import in_blocks
from tests.contract.strategy import documents
from wayfare.analysis import DOCUMENTS, Analysis
from wayfare.engines.local import LocalEngine
from wayfare.errors import InvalidParameter
from wayfare.registry import all_analyses
from wayfare.result import Result
from wayfare.study import Study

SURVEY = (
    "question",
    "question_kind",
    "feature",
    "functional",
    "dysfunctional",
    "importance",
    "wave",
    "comment",
)
COLUMNS = ("channel", "value", "order", "device", "score", "cost", "product", *SURVEY)
EVENTS = [
    "ad_click",
    "product_view",
    "cart",
    "checkout",
    "purchase",
    "delivery",
    "survey_answer",
    "review_written",
]
TOLD = {
    "holdout_effect": "can't answer without the day of the list that it measures; its own tests hold it to the same"
}
ASKED = tuple(analysis for analysis in all_analyses() if analysis.name not in TOLD)
ANALYSES = pytest.mark.parametrize("analysis", ASKED, ids=lambda a: a.name)


@cache
def records(customers: int = 240) -> pd.DataFrame:
    """A seeded year of events with every column that an analysis may ask for; no two rows at one instant."""
    rng = np.random.default_rng(5)
    count = rng.integers(1, 14, customers)
    rows = int(count.sum())
    start = np.repeat(rng.integers(0, 250, customers), count) * 86_400.0
    event = rng.choice(EVENTS, rows, p=[0.15, 0.3, 0.14, 0.1, 0.13, 0.08, 0.06, 0.04])
    seconds = start + np.cumsum(rng.exponential(60_000, rows)) % (100 * 86_400) + np.arange(rows) * 1e-3
    bought = event == "purchase"
    frame = pd.DataFrame(
        {
            "customer": np.repeat([f"c{i:03d}" for i in range(customers)], count),
            "time": [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=float(s)) for s in seconds],
            "event": event,
            "channel": rng.choice(["web", "store", "app"], rows),
            "value": np.where(bought, rng.gamma(2, 20, rows).round(2), np.nan),
            "order": np.where(bought, [f"o{i}" for i in range(rows)], None),
            "device": rng.choice(["mobile", "desktop"], rows),
            "score": np.where(event == "survey_answer", rng.integers(0, 11, rows), np.nan),
            "cost": np.where(event == "ad_click", 0.4, np.nan),
            "product": np.where(bought, rng.choice(["beans", "grinder", "cup"], rows), None),
        }
    )
    delivered = event == "survey_answer"
    frame["question"] = np.where(delivered, "delivered", None)
    frame["question_kind"] = np.where(delivered, "csat", None)
    frame = pd.concat([frame, answers(rng, customers)], ignore_index=True)
    # Tables of counts need no luck with the blocks: the same rows, whoever made them, end at the same moment.
    return frame.sort_values("time", kind="stable").reset_index(drop=True)


def answers(rng: np.random.Generator, customers: int) -> pd.DataFrame:
    """What two in three answer to a survey with a question of every kind, in two waves."""
    pairs = [("like", "neutral"), ("neutral", "dislike"), ("like", "dislike"), ("neutral", "neutral")]
    rows = []
    for number in np.flatnonzero(rng.random(customers) < 0.67):
        taste, speed = rng.integers(1, 11, 2)
        overall = int(np.clip(round(0.6 * taste + 0.3 * speed + rng.normal(0.5, 1)), 1, 10))
        likely, ease = int(np.clip(overall + rng.integers(-1, 2), 0, 10)), int(rng.integers(1, 8))
        wave = str(1 + number % 2)
        said = "fresh and fast" if overall > 6 else "late and battered"
        given = [
            *({"question": q, "question_kind": "rating", "score": float(v)}
              for q, v in (("taste", taste), ("speed", speed), ("overall", overall))),
            {"question": "recommend", "question_kind": "nps", "score": float(likely), "comment": said},
            {"question": "effort", "question_kind": "ces", "score": float(ease)},
            *({"question": f, "question_kind": "kano", "feature": f, "importance": float(rng.integers(1, 10)),
               **dict(zip(("functional", "dysfunctional"), pairs[rng.integers(0, 4)], strict=True))}
              for f in ("tracking", "gift wrap")),
        ]  # fmt: skip
        at = datetime(2024, 3 + 2 * int(wave), 1, tzinfo=UTC) + timedelta(seconds=float(number) * 97.003)
        rows += [
            {"customer": f"c{number:03d}", "time": at + timedelta(milliseconds=7 * n), "event": "survey_answer",
             "wave": wave, **one}
            for n, one in enumerate(given)
        ]  # fmt: skip
    return pd.DataFrame(rows)


def log_of(frame: pd.DataFrame) -> wf.Log:
    return wf.read_events(frame, customer="customer", time="time", event="event", **{c: c for c in COLUMNS})


@cache
def whole() -> wf.Log:
    return log_of(records())


def ask(analysis: Analysis, log: wf.Log, **params: Any) -> Result:
    """The analysis's answer on the log and the company's documents."""
    return analysis(study_of(log), **params)


def study_of(log: wf.Log) -> Study:
    return Study(log, documents=documents(EVENTS))


def content(result: Result) -> dict[str, Any]:
    """The result without what names the log, numbers rounded to what adding in another order may change."""
    shown = result.to_dict()
    return {"tables": rounded(shown["tables"]), "findings": shown["findings"]}


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


@pytest.mark.parametrize("name", TOLD)
def test_an_analysis_that_must_be_told_something_says_what(name: str):
    with pytest.raises(InvalidParameter, match="A value is needed"):
        next(analysis for analysis in all_analyses() if analysis.name == name)(whole())


@ANALYSES
def test_it_says_what_it_answers(analysis: Analysis):
    assert analysis.question.endswith("?"), "the docstring's first line is the question"
    assert len(analysis.about) > 40, "the docstring says how it is computed"
    for parameter in analysis.parameters:
        assert parameter.help, f"the docstring's Args lack {parameter.name}"
    tables = analysis.returns.columns()
    assert tables
    for name, columns in tables.items():
        assert columns, name
        assert all(columns.values()), f"{name}: a column without an explanation"


@ANALYSES
def test_its_tables_have_the_columns_that_it_declares(analysis: Analysis):
    result = ask(analysis, whole())
    declared = analysis.returns.columns()
    assert {name: table.column_names for name, table in result.tables.items()} == {
        n: list(c) for n, c in declared.items()
    }
    assert next(iter(result.tables.values())).num_rows > 0


@ANALYSES
def test_it_speaks_in_sentences(analysis: Analysis):
    result = ask(analysis, whole())
    assert result.findings
    for finding in result.findings:
        assert (
            finding.text[0].isupper()
            or finding.text[0].isdigit()
            or finding.text.split()[0] in [*EVENTS, "web", "store", "app", "taste", "speed"]
        ), finding.text
        assert finding.text.endswith("."), finding.text
        assert "nan" not in finding.text.lower().split(), finding.text


@ANALYSES
def test_its_json_and_back(analysis: Analysis):
    result = ask(analysis, whole())
    text = result.to_json()
    assert set(json.loads(text)) == {"analysis", "params", "log", "tables", "findings", "warnings"}
    assert analysis.returns.from_dict(json.loads(text)).to_json() == text


@ANALYSES
def test_its_shown_parameters_give_the_same_answer(analysis: Analysis):
    first = ask(analysis, whole())
    said = {
        name: value
        for name, value in json.loads(first.to_json())["params"].items()
        if value not in (None, [])
    }
    assert content(ask(analysis, whole(), **said)) == content(first)


@ANALYSES
def test_its_picture(analysis: Analysis):
    picture = ask(analysis, whole()).chart()
    if picture is not None:
        assert picture.svg().lstrip().startswith("<svg")
        assert picture.title
        assert picture.alt


@ANALYSES
def test_an_empty_log(analysis: Analysis):
    result = ask(analysis, log_of(records().head(0)))
    assert result.findings
    assert "The log is empty: there is nothing to say yet." in result.warnings
    result.to_json()
    if (picture := result.chart()) is not None:
        picture.svg()


@ANALYSES
@pytest.mark.parametrize("kept", ["one event", "one customer", "one order"])
def test_next_to_nothing(analysis: Analysis, kept: str):
    frame = records()
    chosen = {
        "one event": frame[frame["event"] == "product_view"].head(1),
        "one customer": frame[frame["customer"] == "c003"],
        "one order": frame[frame["event"] == "purchase"].head(1),
    }[kept]
    result = ask(analysis, log_of(chosen))
    assert result.findings
    result.to_json()
    if (picture := result.chart()) is not None:
        picture.svg()


@pytest.mark.parametrize(
    "analysis", [a for a in ASKED if {p.kind for p in a.parameters} & set(DOCUMENTS)], ids=lambda a: a.name
)
def test_without_documents_it_says_how_to_start_one(analysis: Analysis):
    result = analysis(whole())
    said = " ".join([*(finding.text for finding in result.findings), *result.warnings])
    assert "wayfare documents" in said or next(iter(result.tables.values())).num_rows
    result.to_json()
    result.chart()


@ANALYSES
def test_only_the_three_columns(analysis: Analysis):
    log = wf.read_events(
        records()[["customer", "time", "event"]], customer="customer", time="time", event="event"
    )
    ask(analysis, log).to_json()


@ANALYSES
def test_the_order_of_the_rows_does_not_matter(analysis: Analysis):
    shuffled = log_of(records().sample(frac=1, random_state=3))
    assert content(ask(analysis, shuffled)) == content(ask(analysis, whole()))


@ANALYSES
def test_where_blocks_are_cut_does_not_matter(analysis: Analysis):
    for customers in (1, 37):
        assert content(ask(analysis, in_blocks(whole(), customers))) == content(ask(analysis, whole()))


@ANALYSES
def test_one_thread_or_many_give_the_same(analysis: Analysis):
    one = replace(in_blocks(whole(), 20), engine=LocalEngine(threads=1))
    many = replace(in_blocks(whole(), 20), engine=LocalEngine(threads=5))
    assert ask(analysis, one).to_dict() == ask(analysis, many).to_dict()


@ANALYSES
def test_spark_gives_the_same(analysis: Analysis, spark: Any):
    from wayfare.engines.spark import SparkEngine

    cut = in_blocks(whole(), 40)
    assert content(ask(analysis, replace(cut, engine=SparkEngine(spark)))) == content(ask(analysis, cut))


COUNTS = {"customers", "count", "sessions", "single_event_sessions", "conversions", "pending", "active", "new", "returning",
          "resurrecting", "dormant", "went_on", "left", "at_risk", "censored", "rows"}  # fmt: skip


@ANALYSES
def test_twice_the_customers_count_double(analysis: Analysis):
    if analysis.name in NO_COUNTS:
        pytest.skip(NO_COUNTS[analysis.name])
    frame = records()
    twin = frame.assign(customer="twin " + frame["customer"], order="twin " + frame["order"])
    once, twice = ask(analysis, whole()).tables, ask(analysis, log_of(pd.concat([frame, twin]))).tables
    compared = 0
    for name, table in once.items():
        left, right = keyed(name, table.to_pylist()), keyed(name, twice[name].to_pylist())
        for key in left.keys() & right.keys():
            for column in COUNTS & left[key].keys():
                if isinstance(left[key][column], (int, float)) and left[key][column] is not None:
                    assert right[key][column] == pytest.approx(2 * left[key][column], rel=0.02), (
                        name,
                        key,
                        column,
                    )
                    compared += 1
    assert compared, "no count was compared"


NO_COUNTS = {
    "scorecard": "its values are named in rows, and averages do not double",
    "forecast": "its rows are customers, weeks and models, and what they hold are expectations",
    "churn": "its rows are customers and the groups they fall into by a fitted model",
    "allocation": "its rows are amounts of money and shares of draws",
    "canvas_evidence": "its counts are called n, and its own tests see them double",
    "drivers": "its rows are weights, intervals and means",
}


def keyed(name: str, rows: Iterable[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows by what names them: their text, and the whole numbers that are places and not counts."""
    places = {"step", "period", "order", "quantile", "days", *(["events"] if name == "lengths" else [])}
    return {
        tuple(v for k, v in row.items() if (isinstance(v, str) or k in places) and k not in COUNTS): row
        for row in rows
    }


def test_a_study_runs_them_all_in_few_passes():
    passes = []

    class Counting(LocalEngine):
        def run(self, source, condition, folds, progress=None):  # type: ignore[no-untyped-def]
            passes.append(len(folds))
            return super().run(source, condition, folds, progress)

    study = study_of(replace(whole(), engine=Counting()))
    wanted = ASKED
    results = study.results([(analysis, {}) for analysis in wanted])
    assert [type(result) for result in results] == [analysis.returns for analysis in wanted]
    assert passes[0] >= len(wanted) * 0.8
    assert len(passes) <= 4, passes


def test_results_of_a_study_are_those_of_each_alone():
    wanted = ASKED
    together = study_of(whole()).results([(analysis, {}) for analysis in wanted])
    for analysis, result in zip(wanted, together, strict=True):
        assert result.to_dict() == ask(analysis, whole()).to_dict()  # type: ignore[union-attr]


TOY = '''
"""A toy."""
from __future__ import annotations
from dataclasses import dataclass
from typing import Annotated
import pyarrow as pa
from wayfare.analysis import analysis
from wayfare.result import Columns, Finding, Result, table
from wayfare.study import Study

@dataclass(frozen=True, kw_only=True)
class ToyResult(Result):
    """Toys."""
    toys: Annotated[pa.Table, Columns(toys="how many")]

@analysis
def toy(study: Study, *, many: int = 3) -> ToyResult:
    """How many toys are there?

    As many as were asked for.

    Args:
        many: How many.
    """
    return ToyResult(toys=table(toys=[many]), findings=(Finding(f"There are {many} toys."),))
'''


def test_a_new_file_is_a_new_analysis(tmp_path):
    """In Python, in `list`, as a command, in the JSON API, in the web form and in the docs, with nothing else edited."""
    folder = tmp_path / "toys"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Toys."""')
    (folder / "toy.py").write_text(TOY)
    (tmp_path / "events.csv").write_text("customer,time,event\na,2024-01-01,visit\n")
    script = TOY_SCRIPT.format(folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.split()[-1] == "everywhere"


TOY_SCRIPT = """
import json, sys
import wayfare.analyses
wayfare.analyses.__path__.append({folder!r})
import wayfare as wf
from typer.testing import CliRunner
from wayfare.cli.main import app
from wayfare.report.reference import analysis_pages
from wayfare.web.app import create_app
from fastapi.testclient import TestClient
from pathlib import Path
import pandas as pd

run = CliRunner().invoke
log = wf.read_events(pd.read_csv("events.csv"), customer="customer", time="time", event="event")
assert wf.toy(log, many=4).toys["toys"].to_pylist() == [4]
assert "toy" in run(app, ["list"]).output
assert "How many toys" in run(app, ["explain", "toy"]).output
run(app, ["init", "shop"])
done = run(app, ["ingest", "shop", "events.csv"])
assert done.exit_code == 0, done.output
done = run(app, ["run", "shop", "toy", "--many", "5", "--format", "json"])
assert json.loads(done.stdout)["tables"]["toys"] == [{{"toys": 5}}], done.output
client = TestClient(create_app(Path("shop")), base_url="http://127.0.0.1")
assert client.get("/api/analyses/toy?many=6").json()["tables"]["toys"] == [{{"toys": 6}}]
page = client.get("/analyses/toy").text
assert 'name="many"' in page and "How many toys" in page
assert "toy" in analysis_pages()
print("everywhere")
"""
