"""Analyses that run together: their folds share passes, their results are computed once, nobody waits for ever."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import Annotated

import pandas as pd
import pyarrow as pa
import pytest

import wayfare as wf
from wayfare.analysis import analysis
from wayfare.engines.local import LocalEngine
from wayfare.errors import BadInput
from wayfare.histories.fold import Fold
from wayfare.result import Columns, Result, table
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class CountResult(Result):
    """A count."""

    counts: Annotated[pa.Table, Columns(rows="how many")]


@dataclass(frozen=True)
class Rows(Fold[int]):
    """How many rows there are; `fail` breaks the pass."""

    fail: bool = False

    columns = ()

    def scan(self, block):
        if self.fail:
            raise BadInput("This block can't be read.")
        return block.rows


def result(count):
    return CountResult(counts=table(rows=[count]))


@analysis
def one_pass(study: Study, *, pause: float = 0.0) -> CountResult:
    """How many rows?"""
    time.sleep(pause)
    return result(study.fold(Rows()))


@analysis
def two_passes(study: Study) -> CountResult:
    """How many rows, asked twice?"""
    return result(study.fold(Rows()) + study.fold_all([Rows(), Rows()])[1])


@analysis
def on_top(study: Study) -> CountResult:
    """What another says, and one more pass?"""
    below = study.result(one_pass, pause=0.05)
    return result(below.counts["rows"][0].as_py() + study.fold(Rows()))


@analysis
def broken(study: Study) -> CountResult:
    """What can't be said?"""
    return result(study.fold(Rows(fail=True)))


@analysis
def asks_itself(study: Study) -> CountResult:
    """What do I say?"""
    return study.result(asks_itself)


@dataclass(frozen=True)
class Codes(Fold[list]):
    """The customers; `of` tells folds apart."""

    of: str = ""

    columns = ()

    def scan(self, block):
        return [block.codes.copy()]


@analysis
def spoils(study: Study, *, of: str = "") -> CountResult:
    """How many customers are there, and what if I write over the answer?"""
    (codes,) = study.fold(Codes(of))
    codes[:] = 7
    return result(len(codes))


@analysis
def counts_twice(study: Study) -> CountResult:
    """How many customers are there, asked with another fold in between?"""
    first, between, again = study.fold_all([Codes(), Rows(), Codes()])
    return result(len(first[0]) + between + len(again[0]))


@pytest.fixture
def passes():
    return []


@pytest.fixture
def study(passes):
    class Counting(LocalEngine):
        def run(self, source, condition, folds, progress=None):
            passes.append(len(folds))
            return super().run(source, condition, folds, progress)

    frame = pd.DataFrame({"customer": ["a", "b"], "time": ["2024-01-01"] * 2, "event": ["x", "y"]})
    log = wf.read_events(frame, customer="customer", time="time", event="event")
    return Study(replace(log, engine=Counting()))


def counts(results):
    return [r.counts["rows"][0].as_py() for r in results]


def test_what_is_asked_together_is_answered_in_one_pass(study, passes):
    assert counts(study.results([(one_pass, {}), (two_passes, {}), (one_pass, {"pause": 0.1})])) == [2, 4, 2]
    assert passes == [1, 1]


def test_each_gets_its_own_answers_where_folds_are_equal(study, passes):
    assert counts(study.results([(counts_twice, {}), (one_pass, {}), (spoils, {"of": "x"})])) == [6, 2, 2]
    assert passes == [3]


def test_nobody_can_write_over_an_answer_that_others_share(study):
    with pytest.raises(ValueError, match="read-only"):
        study.results([(spoils, {}), (counts_twice, {})])


def test_a_result_that_several_need_is_computed_once(study, passes):
    assert counts(study.results([(on_top, {}), (one_pass, {"pause": 0.05}), (on_top, {})])) == [4, 2, 4]
    assert passes == [1, 1]


@pytest.mark.parametrize("times", range(20))
def test_many_that_wait_for_one_another_all_finish(study, times):
    wanted = [(on_top, {}), (one_pass, {"pause": 0.05}), (two_passes, {}), (on_top, {})]
    done = []
    worker = threading.Thread(target=lambda: done.append(counts(study.results(wanted))), daemon=True)
    worker.start()
    worker.join(timeout=20)
    assert done == [[4, 2, 4, 4]]


def test_a_fold_that_breaks_the_shared_pass_breaks_only_who_asked_for_it(study):
    outcomes = study.results([(broken, {}), (one_pass, {})])
    assert isinstance(outcomes[0], BadInput)
    assert counts(outcomes[1:]) == [2]


def test_an_analysis_that_asks_for_itself_is_told(study):
    with pytest.raises(RuntimeError, match="wait for each other"):
        study.results([(asks_itself, {})])


def test_a_narrower_study_computes_its_own(study):
    assert study.where() is study
    assert counts(study.where("did:x").results([(one_pass, {})])) == [1]
    assert counts([one_pass(study)]) == [2]
