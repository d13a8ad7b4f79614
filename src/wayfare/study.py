"""What an analysis is handed: the log, the journey, and the results of other analyses, each computed once.

Analyses ask for folds as if they were alone. When several run together, the folds that they ask for at the same
time are gathered and answered by one pass over the log.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from wayfare.domain.document import Document
from wayfare.domain.journey import JourneyMap
from wayfare.domain.proposal import propose
from wayfare.domain.survey import Survey
from wayfare.engines import memory
from wayfare.errors import Cancelled, InvalidParameter, UnknownName, WayfareError
from wayfare.histories.block import read_only
from wayfare.histories.fold import Fold, Partial, Progress
from wayfare.histories.stages import StageMap, stage_map
from wayfare.log import Log

if TYPE_CHECKING:
    from wayfare.analysis import Analysis
    from wayfare.result import Result

Kind = TypeVar("Kind", bound=Document)


@dataclass(eq=False)
class Study:
    """One company's log with what its people know of the journey.

    Attributes:
        log: The histories, filtered to the part that is studied.
        journey: Stages, touchpoints and orders: the journey map among the documents; proposed from the events' names
            where nobody wrote one.
        currency: The code of the currency that all money is in.
        name: What the company or the study is called.
        baseline: The first and the last day of what later days are compared with, where somebody chose it.
        surveys: What was asked, by the survey's name; the log has the answers. Empty without a workspace.
        anonymous: The answers that belong to no customer, as a log of their own; none where there are none, and none in
            a study of a segment, since nobody knows whether their respondents are of it.
        documents: Strategy documents by name, as they stand now; a what-if stands under `name@branch`.
        parameters: What holds for an analysis's parameters where nothing is said, by the analysis's name.
    """

    log: Log
    journey: JourneyMap = None  # type: ignore[assignment]
    currency: str = "EUR"
    name: str = "Study"
    baseline: tuple[date, date] | None = None
    surveys: Mapping[str, Survey] = field(default_factory=dict)
    anonymous: Log | None = None
    documents: Mapping[str, Document] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _results: dict[_Key, Result] = field(default_factory=dict, repr=False)
    _together: _Together | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.journey is None:
            self.journey = self.document(JourneyMap) or propose(self.log.names("event").to_list())

    @property
    def zone(self) -> str:
        """The time zone that days, weeks and months are those of."""
        return self.log.zone

    @cached_property
    def stages(self) -> StageMap:
        """The journey looked up for the log's event codes."""
        return stage_map(self.journey, self.log.names("event"))

    def document(self, kind: type[Kind], name: str | None = None) -> Kind | None:
        """The document of a kind: the one of that name (`name@branch` for a what-if), else the only one or the one with the
        usual name; None without any.

        Raises:
            UnknownName: No document of the kind has that name.
            InvalidParameter: There are several, and none was named.
        """
        found = {each: doc for each, doc in self.documents.items() if isinstance(doc, kind)}
        if name is not None:
            if name not in found:
                raise UnknownName.among(kind.KIND.replace("_", " "), name, found)
            return found[name]
        main = [each for each in found if "@" not in each]
        if kind.USUAL in main:
            return found[kind.USUAL]
        if len(main) > 1:
            label = kind.KIND.replace("_", " ")
            raise InvalidParameter(
                f"There are several documents of the kind {label}.", allowed=main, hint="Name one."
            )
        return found[main[0]] if main else None

    def where(self, *segments: str, **condition: Any) -> Study:
        """The same study on a part of the log (see `Log.where`)."""
        if not segments and not any(value is not None for value in condition.values()):
            return self
        log = self.log.where(*segments, **condition)
        apart = self.anonymous if not segments else None
        if apart is not None:
            apart = apart.where(**{key: value for key, value in condition.items() if key != "events"})
        return replace(self, log=log, anonymous=apart, _results={}, _together=None)

    def with_documents(self, documents: Mapping[str, Document]) -> Study:
        """The same study with other documents; where its journey is the same, what was found without documents still holds."""
        fresh = replace(self, documents=documents, journey=None, _results={}, _together=None)  # type: ignore[arg-type]
        if fresh.journey == self.journey:
            fresh._results.update(
                {key: found for key, found in self._results.items() if not key.of_documents}
            )
        return fresh

    def fold(self, fold: Fold[Partial]) -> Partial:
        """One fold's answer."""
        return self.fold_all([fold])[0]

    def fold_all(self, folds: Sequence[Fold[Any]]) -> list[Any]:
        """Several folds' answers from one pass; shared with the other analyses of the same run."""
        return self._together.fold_all(folds) if self._together else self.log.fold_all(folds)

    def result(self, analysis: Analysis, **params: Any) -> Result:
        """Another analysis's result on this study, computed once for all who ask."""
        settled = analysis.settle(params, self)
        key = _Key(analysis.name, repr(sorted(settled.items())), analysis.of_documents)
        if self._together:
            return self._together.once(key, lambda: analysis.run(self, settled))
        if key not in self._results:
            self._results[key] = analysis.run(self, settled)
        return self._results[key]

    def results(
        self, wanted: Iterable[tuple[Analysis, Mapping[str, Any]]], progress: Progress | None = None
    ) -> list[Result | WayfareError]:
        """Several analyses' results, in order, their folds sharing passes; an analysis that can't answer gives its error."""
        memory.keep_for_next_block()  # before the threads below, each of which would get a heap of its own
        memory.give_back()
        together = _Together(self.log, self._results, progress)
        shared = replace(self, _together=together)
        return together.run([lambda a=a, p=p: shared.result(a, **p) for a, p in wanted])  # type: ignore[misc]


class _Key(NamedTuple):
    """Which question a result answers, and whether it rests on documents."""

    analysis: str
    params: str
    of_documents: bool


class _Together:
    """Runs analyses side by side; when each of them waits for a fold, one pass answers all."""

    def __init__(self, log: Log, results: dict[_Key, Result], progress: Progress | None) -> None:
        self.log = log
        self.results = results
        self.progress = progress
        self.changed = threading.Condition()
        self.pending: list[_Asked] = []
        self.computing: dict[_Key, int] = {}
        """Keys being computed, each with how many threads wait for it."""
        self.busy = 0
        self.stuck = False

    def run(self, tasks: Sequence[Callable[[], Result]]) -> list[Result | WayfareError]:
        """Each task's result or its error; another kind of exception is raised here."""
        outcomes: list[Any] = [None] * len(tasks)
        threads = [
            threading.Thread(target=self._task, args=(task, outcomes, i), daemon=True)
            for i, task in enumerate(tasks)
        ]
        self.busy = len(tasks)
        for thread in threads:
            thread.start()
        while self._answer_next():
            pass
        with self.changed:
            self.stuck = True  # whoever still waits now waits for itself
            self.changed.notify_all()
        for thread in threads:
            thread.join()
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, WayfareError):
                raise outcome
        return outcomes

    def _task(self, task: Callable[[], Result], outcomes: list[Any], index: int) -> None:
        try:
            outcomes[index] = task()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
            outcomes[index] = error
        with self.changed:
            self.busy -= 1
            self.changed.notify_all()

    def _answer_next(self) -> bool:
        with self.changed:
            self.changed.wait_for(lambda: self.busy == 0)
            asked, self.pending = self.pending, []
        if not asked:
            return False
        given = self._answers(asked)
        with self.changed:
            for one, answer in zip(asked, given, strict=True):
                one.answer = answer
            self.busy += len(asked)
            self.changed.notify_all()
        return True

    def _answers(self, asked: Sequence[_Asked]) -> list[Any]:
        """Each asker's answers, or what went wrong; where a shared pass fails, each is asked alone."""
        folds, places = _distinct([fold for one in asked for fold in one.folds])
        try:
            answers = self.log.fold_all(folds, self.progress)
            shared = {place for place, times in Counter(places).items() if times > 1}
            answers = [read_only(a) if place in shared else a for place, a in enumerate(answers)]
            each = iter(places)
            return [[answers[next(each)] for _ in one.folds] for one in asked]
        except BaseException as error:  # noqa: BLE001 - raised again in the threads that asked
            alone = len(asked) > 1 and isinstance(error, Exception) and not isinstance(error, Cancelled)
            return [self._answers([one])[0] for one in asked] if alone else [error] * len(asked)

    def fold_all(self, folds: Sequence[Fold[Any]]) -> list[Any]:
        """Hands in folds and waits for the pass that answers them."""
        one = _Asked(folds)
        with self.changed:
            self.pending.append(one)
            self.busy -= 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: one.answer is not None)
        if isinstance(one.answer, BaseException):
            raise one.answer
        return one.answer  # type: ignore[return-value]

    def once(self, key: _Key, compute: Callable[[], Result]) -> Result:
        """The result under `key`, computed by the first who asks."""
        with self.changed:
            while key in self.computing:
                self._wait_for(key)
            if key in self.results:
                return self.results[key]
            self.computing[key] = 0
        try:
            result = compute()
            self.results[key] = result
            return result
        finally:
            with self.changed:
                # Those who waited are busy from now on, not from when they wake: nobody may think that all are done.
                self.busy += self.computing.pop(key)
                self.changed.notify_all()

    def _wait_for(self, key: _Key) -> None:
        self.computing[key] += 1
        self.busy -= 1
        self.changed.notify_all()
        self.changed.wait_for(lambda: key not in self.computing or self.stuck)
        if self.stuck:
            raise RuntimeError(f"Analyses wait for each other: {key.analysis} is part of what it asks for.")


def _distinct(folds: Sequence[Fold[Any]]) -> tuple[list[Fold[Any]], list[int]]:
    """The folds without those that equal an earlier one, and the place of each among them."""
    kept: list[Fold[Any]] = []
    places: list[int] = []
    known: dict[Any, int] = {}
    for fold in folds:
        try:
            place = known.setdefault(fold, len(kept))
        except TypeError:  # it holds an array: only the very same one would be equal
            place = len(kept)
        if place == len(kept):
            kept.append(fold)
        places.append(place)
    return kept, places


@dataclass(eq=False)
class _Asked:
    folds: Sequence[Fold[Any]]
    answer: list[Any] | BaseException | None = None
