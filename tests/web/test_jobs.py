"""Computations in the background."""

from __future__ import annotations

import threading

import pytest

from wayfare.errors import Busy, Cancelled, InvalidParameter
from wayfare.web import jobs as module
from wayfare.web.jobs import Jobs


@pytest.fixture
def jobs():
    opened = Jobs()
    yield opened
    opened.close()


def test_the_same_question_is_computed_once(jobs):
    asked = []
    first = jobs.start("key", lambda _: asked.append(1) or 42)
    assert first.result() == 42
    assert jobs.start("key", lambda _: asked.append(1) or 43) is first
    assert asked == [1]
    assert jobs.find(first.id) is first


def test_progress_is_told_pass_by_pass(jobs):
    half, on = threading.Event(), threading.Event()

    def compute(progress):
        progress(50, 100)
        half.set()
        on.wait(5)
        progress(100, 100)
        progress(10, 100)
        return "done"

    job = jobs.start("key", compute)
    assert half.wait(5)
    assert (job.state, job.share, job.passes) == ("running", 0.5, 1)
    assert not job.wait(0)
    on.set()
    assert job.result() == "done"
    assert (job.state, job.share, job.passes) == ("done", 0.1, 2)


def test_what_the_user_got_wrong_stays_wrong_and_a_fault_is_tried_again(jobs, monkeypatch):
    def wrong(_):
        raise InvalidParameter("No.")

    job = jobs.start("wrong", wrong)
    with pytest.raises(InvalidParameter):
        job.result()
    assert job.state == "failed"
    assert jobs.start("wrong", wrong) is job

    def broken(_):
        raise RuntimeError

    fault = jobs.start("fault", broken)
    with pytest.raises(RuntimeError):
        fault.result()
    assert jobs.start("fault", broken) is fault  # for a moment, so that a waiting page can show it
    monkeypatch.setattr(module, "RETRY", 0.0)
    assert jobs.start("fault", lambda _: "well").result() == "well"


def test_old_outcomes_are_forgotten(jobs, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 3)
    made = []
    for number in range(6):
        made.append(jobs.start(number, lambda _: None))
        made[-1].result()
    assert [jobs.find(job.id) is not None for job in made] == [False, False, False, True, True, True]


def test_too_many_at_once_are_turned_away(jobs, monkeypatch):
    monkeypatch.setattr(module, "WAITING", 2)
    go = threading.Event()
    for number in range(2):
        jobs.start(number, lambda _: go.wait(5))
    with pytest.raises(Busy):
        jobs.start("more", lambda _: None)
    go.set()


def test_closing_stops_what_runs():
    jobs, begun, on = Jobs(), threading.Event(), threading.Event()

    def compute(progress):
        begun.set()
        on.wait(5)
        progress(1, 2)

    job = jobs.start("key", compute)
    assert begun.wait(5)
    jobs.close()
    on.set()
    with pytest.raises(Cancelled):
        job.result()
