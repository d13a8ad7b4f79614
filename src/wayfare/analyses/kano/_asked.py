"""What was asked and answered, by name: the counts of the log and of the anonymous answers put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._observed import periods_of
from wayfare.analyses.kano._pairs import CELLS, NUMBERED, Lookup, Pairs, Straight, Waves
from wayfare.domain.kano import ANSWERS, EvaluationTable, evaluation_table
from wayfare.domain.survey import tables_by_question
from wayfare.errors import InvalidParameter
from wayfare.histories.calendar import Period
from wayfare.histories.schema import Kind
from wayfare.log import Log
from wayfare.stats.kano import CATEGORIES
from wayfare.study import Study

CLASSIC, UNKNOWN, OTHER = "classic", "(unknown)", "(other)"
LARGEST = 12
WaveRule = Literal["auto", "survey", "month", "quarter", "year"]
_LONG = 2 * 366 * 86_400_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Asked:
    """Counts of answers; categories are in the order of `CATEGORIES`.

    Attributes:
        features: Their names, by alphabet.
        pairs: Each respondent's last answer by functional and dysfunctional answer (features, 5, 5).
        counts: The same by category (features, 6).
        groups: Names of the groups, the largest first.
        group_counts: By group (groups, features, 6).
        waves: Names of the waves, the earliest first.
        wave_counts: Each respondent's last answer of a wave (waves, features, 6).
        importance: Stated importance: how many, sum, sum of squares (features, 3).
        people: Who answered a pair, and of those who gave one answer to everything (logs, 2): customers, and the anonymous.
    """

    features: tuple[str, ...]
    pairs: Floats
    counts: Floats
    groups: tuple[str, ...]
    group_counts: Floats
    waves: tuple[str, ...]
    wave_counts: Floats
    importance: Floats
    people: NDArray[np.int64]

    @property
    def respondents(self) -> int:
        """Who answered a pair."""
        return int(self.people[:, 0].sum())

    @property
    def straight(self) -> int:
        """Who gave one answer to everything."""
        return int(self.people[:, 1].sum())


@dataclass(frozen=True)
class Choices:
    """What the user chose: see `kano`."""

    by: str
    waves: WaveRule
    straight: Straight
    survey: str | None
    table: str | None


@dataclass(frozen=True, eq=False)
class _Reading:
    """One log's fold with what its codes are called."""

    fold: Pairs
    features: Sequence[str]
    groups: Sequence[str]
    waves: Sequence[str]


def asked(study: Study, choices: Choices) -> Asked:
    """The answers of the study's log and of its anonymous answers."""
    tables, of = _tables(study, choices.table)
    _check_survey(study, choices.survey)
    here = _reading(study, study.log, choices, of)
    found = [(here, study.fold(here.fold))]
    if study.anonymous is not None:
        there = _reading(study, study.anonymous, choices, of)
        found.append((there, study.anonymous.fold(there.fold)))
    return _together(found, np.stack([_codes(table) for table in tables]))


def _tables(study: Study, said: str | None) -> tuple[list[EvaluationTable], dict[tuple[str, str], int]]:
    """The tables in use, the first where no survey names one, and which of them each question has."""
    if said is not None:
        return [evaluation_table(said)], {}
    # Two surveys may bring tables of one name: what tells them apart is what they say.
    tables = {evaluation_table(CLASSIC).matrix: evaluation_table(CLASSIC)}
    known = tables_by_question(study.surveys)
    for table in known.values():
        tables.setdefault(table.matrix, table)
    places = {matrix: place for place, matrix in enumerate(tables)}
    return list(tables.values()), {question: places[table.matrix] for question, table in known.items()}


def _codes(table: EvaluationTable) -> NDArray[np.int64]:
    return np.array([CATEGORIES.index(c) for row in table.matrix for c in row], dtype=np.int64)


def _check_survey(study: Study, survey: str | None) -> None:
    known = {
        name for log in (study.log, study.anonymous) if log is not None for name in _names(log, "survey")
    }
    if survey is not None and survey not in known:
        raise InvalidParameter(
            f"No answers come from a survey {survey!r}.", where="survey", allowed=sorted(known)
        )


def _names(log: Log, column: str) -> list[str]:
    return log.names(column).to_list() if column in log.schema and log.schema[column] is Kind.CODE else []


def _reading(study: Study, log: Log, choices: Choices, of: Mapping[tuple[str, str], int]) -> _Reading:
    surveys, questions = _names(log, "survey"), _names(log, "question")
    tables = np.zeros((len(surveys) + 1, len(questions) + 1), dtype=np.int64)
    for (survey, question), number in of.items():
        if survey in surveys and question in questions:
            tables[surveys.index(survey) + 1, questions.index(question) + 1] = number
    only = None
    if choices.survey is not None:
        only = surveys.index(choices.survey) if choices.survey in surveys else -2
    features, groups = _names(log, "feature"), _names(log, choices.by) if choices.by else []
    lookup = Lookup(
        _answers(log, "functional"), _answers(log, "dysfunctional"), tables, len(features), len(groups), only
    )
    waves, labels = _waves(study, log, choices.waves)
    fold = Pairs(lookup, waves, choices.by if groups else "", choices.straight)
    return _Reading(fold, features, [UNKNOWN, *groups], labels)


def _answers(log: Log, column: str) -> NDArray[np.int64]:
    """By code: the place of the answer; the classic spellings with a hyphen are understood too."""
    places: dict[str, int] = {answer: place for place, answer in enumerate(ANSWERS)}
    return np.array([*(places.get(n.replace("-", "_"), -1) for n in _names(log, column)), -1], dtype=np.int64)


def _waves(study: Study, log: Log, rule: WaveRule) -> tuple[Waves, Sequence[str]]:
    named = _names(log, "wave")
    if "wave" in log.schema and log.schema["wave"] is Kind.NUMBER:
        named = [str(number) for number in range(NUMBERED)]
    if rule == "survey" or (rule == "auto" and named):
        return Waves(None, len(named) + 1), ["", *named]
    facts = study.log.facts if study.log.facts.rows else log.facts
    span = (facts.last or 0) - (facts.first or 0)
    period: Period = ("year" if span > _LONG else "quarter") if rule == "auto" else rule
    calendar = periods_of(log, period)
    return Waves(calendar.edges[:-1], max(calendar.count, 1)), calendar.labels()


def _together(found: Sequence[tuple[_Reading, dict[str, Any]]], tables: NDArray[np.int64]) -> Asked:
    features = sorted({name for reading, counted in found for name in _seen(reading, counted)})
    place = {name: number for number, name in enumerate(features)}
    importance = np.zeros((len(features), 3))
    for reading, counted in found:
        for code, name in enumerate(reading.features):
            if name in place:
                importance[place[name]] += counted["importance"][code]
    groups, by_group = _dense(found, "groups", place, len(tables))
    waves, by_wave = _dense(found, "waves", place, len(tables))
    starts: dict[str, int] = {}
    for reading, counted in found:
        for number, start in enumerate(counted["starts"].tolist()):
            label = reading.waves[number] if reading.waves else ""
            starts[label] = min(starts.get(label, start), start)
    ranked = [waves.index(w) for w in sorted(filter(None, waves), key=lambda w: (starts[w], w))]
    group_counts = _categories(by_group, tables)
    return Asked(
        tuple(features),
        by_group.sum(axis=(0, 2)).reshape(len(features), 5, 5),
        group_counts.sum(axis=0),
        tuple(groups),
        group_counts,
        tuple(waves[number] for number in ranked),
        _categories(by_wave[ranked], tables),
        importance,
        np.stack([counted["people"] for _, counted in found]),
    )


def _seen(reading: _Reading, counted: dict[str, Any]) -> set[str]:
    keys, _ = counted["waves"]
    block = CELLS * reading.fold.lookup.table_count
    return {reading.features[int(code)] for code in np.unique(keys // block % max(len(reading.features), 1))}


def _dense(
    found: Sequence[tuple[_Reading, dict[str, Any]]], kind: str, place: Mapping[str, int], tables: int
) -> tuple[list[str], Floats]:
    """Names of the groups (or waves) that occur, and counts (groups, features, tables, cells)."""
    parts = [_decoded(reading, kind, counted[kind], place) for reading, counted in found]
    size: Counter[str] = Counter()
    for labels, local, *_, counts in parts:
        size.update(dict(zip(labels, np.bincount(local, counts, len(labels)).tolist(), strict=True)))
    names = _shown(size) if kind == "groups" else sorted(size)
    dense = np.zeros((len(names), len(place), tables, CELLS))
    for labels, local, feature, table, cell, counts in parts:
        where = np.array(
            [names.index(label if label in names else OTHER) for label in labels], dtype=np.int64
        )
        np.add.at(dense, (where[local], feature, table, cell), counts)
    return names, dense


def _decoded(
    reading: _Reading, kind: str, counted: tuple[Any, Any], place: Mapping[str, int]
) -> tuple[Any, ...]:
    """The labels of one log's groups, and of each count: its label's number, feature, table, cell, how many."""
    keys, counts = counted
    rest, cell = np.divmod(keys, CELLS)
    rest, table = np.divmod(rest, reading.fold.lookup.table_count)
    group, feature = np.divmod(rest, max(len(reading.features), 1))
    codes, local = np.unique(group, return_inverse=True)
    labels = reading.groups if kind == "groups" else reading.waves
    places = np.array([place.get(name, 0) for name in reading.features], dtype=np.int64)
    return [labels[int(code)] for code in codes], local, places[feature], table, cell, counts


def _shown(size: Mapping[str, float]) -> list[str]:
    """The largest groups, then the others together, then those of whom nothing is known."""
    known = sorted((name for name in size if name != UNKNOWN), key=lambda name: (-size[name], name))
    rest = [OTHER] if len(known) > LARGEST else []
    return [*known[:LARGEST], *rest, *([UNKNOWN] if UNKNOWN in size else [])]


def _categories(cells: Floats, tables: NDArray[np.int64]) -> Floats:
    """Counts by category (groups, features, 6) from counts by cell (groups, features, tables, cells)."""
    one_hot = (tables[..., None] == np.arange(len(CATEGORIES))).astype(float)
    return np.einsum("gftc,tck->gfk", cells, one_hot)
