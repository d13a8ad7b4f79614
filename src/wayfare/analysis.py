"""An analysis: one typed function whose signature and docstring are its command, route, form, page and docs."""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import numpy as np

from wayfare.domain.duration import Duration
from wayfare.domain.segment import Segment
from wayfare.errors import InvalidParameter, UnknownName, WayfareError
from wayfare.histories.schema import Kind
from wayfare.log import Log
from wayfare.result import Context, Result
from wayfare.study import Study

_PROPERTIES = (Kind.CODE, Kind.NUMBER, Kind.FLAG)
_NO_PROPERTIES = ("customer", "event")
DOCUMENTS = ("canvas", "value_chain", "journey_map")
"""The kinds of parameter that name a strategy document."""
_PLAIN_KINDS: dict[Any, str] = {
    Duration: "duration", bool: "flag", int: "whole", float: "number", str: "text", date: "day",
}  # fmt: skip
_EMPTY = inspect.Parameter.empty
_FEW_NAMES = 10_000
"""Where a column has more names they are ids, and none is like another."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of an analysis.

    Attributes:
        name: As in the signature; on the command line with dashes.
        kind: event, events, property, properties, canvas, value_chain, journey_map, share, day, duration, choice, flag, whole, number, numbers,
            text or texts.
        default: What holds when nothing is said.
        optional: Whether None is allowed.
        choices: The allowed values of a choice.
        help: What the docstring says of it.
    """

    name: str
    kind: str
    default: Any
    optional: bool
    choices: tuple[str, ...]
    help: str

    @property
    def many(self) -> bool:
        """Whether it takes several values."""
        return self.kind in ("events", "properties", "numbers", "texts")

    def parse(self, value: Any, study: Study) -> Any:
        """`value` (typed, or text from a command or form) as the analysis takes it, or the error that says what it takes."""
        if value is None or (isinstance(value, str) and value == "" and self.optional):
            if not self.optional:
                raise InvalidParameter("A value is needed.", where=self.name)
            return None
        try:
            return _PARSERS[self.kind](value, self, study)
        except InvalidParameter as error:
            raise InvalidParameter(
                error.problem, where=self.name, allowed=error.allowed, hint=error.hint
            ) from None
        except UnknownName as error:
            raise UnknownName(
                error.problem, where=self.name, allowed=error.allowed, hint=error.hint
            ) from None


@dataclass(frozen=True)
class Analysis:
    """A registered analysis; calling it with a log or a study gives its result.

    Attributes:
        function: The function that was written.
        group: The question that it belongs to (its folder).
    """

    function: Callable[..., Result]
    group: str

    @property
    def name(self) -> str:
        """The function's name: the command, the URL's segment and the docs page."""
        return self.function.__name__

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        return inspect.getdoc(self.function) or ""

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @property
    def question(self) -> str:
        """The docstring's first line: the question it answers."""
        return self.__doc__.split("\n", 1)[0].strip()

    @property
    def about(self) -> str:
        """The docstring between its first line and its list of arguments."""
        return self.__doc__.partition("\n")[2].partition("Args:")[0].strip()

    @cached_property
    def returns(self) -> type[Result]:
        """The type of its result."""
        return get_type_hints(self.function)["return"]

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """What can be said to it."""
        hints = get_type_hints(self.function, include_extras=True)
        said = _argument_help(self.__doc__)
        return tuple(
            _parameter(name, hints[name], its.default, said.get(name, ""))
            for name, its in inspect.signature(self.function).parameters.items()
            if its.kind is inspect.Parameter.KEYWORD_ONLY
        )

    @property
    def of_documents(self) -> bool:
        """Whether it reads strategy documents beside the journey."""
        return any(parameter.kind in DOCUMENTS for parameter in self.parameters)

    def settle(self, params: Mapping[str, Any], study: Study) -> dict[str, Any]:
        """Every parameter's value: what was said, else what the workspace says, checked, and the defaults."""
        settings = {k: v for k, v in study.parameters.get(self.name, {}).items() if k not in params}
        known = {p.name: p for p in self.parameters}
        for name in (*params, *settings):
            if name not in known:
                where = f"wayfare.yaml, parameters of {self.name}" if name in settings else ""
                raise UnknownName.among(f"parameter of {self.name}", name, known, where=where)
        return {
            name: p.parse(params[name], study)
            if name in params
            else _setting(self, p, settings[name], study)
            if name in settings
            else _default(p)
            for name, p in known.items()
        }

    def run(self, study: Study, settled: Mapping[str, Any]) -> Result:
        """The result for values that `settle` gave, with its context and the warnings that every result carries."""
        result = self.function(study, **settled)
        warnings = [*_log_warnings(study), *result.warnings]
        if result.observational:
            warnings.append(f"Observational, not an experiment: {result.observational}")
        context = Context(self.name, {k: _shown(v) for k, v in settled.items()}, _log_facts(study))
        return replace(result, warnings=tuple(warnings), context=context)

    def __call__(self, data: Log | Study, /, **params: Any) -> Any:
        """The result on a log or a study."""
        if not isinstance(data, Log | Study):
            raise InvalidParameter(
                f"{self.name} is asked of a log or a study, not of a {type(data).__name__}.",
                allowed=("wf.read_events(frame, customer=..., time=..., event=...)", "wf.open_study(folder)"),
            )
        study = data if isinstance(data, Study) else Study(data)
        return study.result(self, **params)


def analysis(function: Callable[..., Result]) -> Analysis:
    """Makes a function `name(study, *, ...) -> SomeResult` an analysis; its folder is the question it belongs to."""
    parts = function.__module__.split(".")
    return Analysis(function, parts[-2] if len(parts) > 1 else "own")


def properties_of(log: Log) -> tuple[str, ...]:
    """The log's columns that a kind of parameter `properties` can name: codes, numbers and flags."""
    return tuple(
        name for name, kind in log.schema.kinds if kind in _PROPERTIES and name not in _NO_PROPERTIES
    )


def documents_of(study: Study, kind: str) -> tuple[str, ...]:
    """The names of the study's documents of a kind, what-ifs as `name@branch`."""
    return tuple(name for name, document in study.documents.items() if kind == document.KIND)


def _setting(analysis: Analysis, parameter: Parameter, value: Any, study: Study) -> Any:
    """What the workspace's settings say; an error says that it is they."""
    try:
        return parameter.parse(value, study)
    except WayfareError as error:
        where = f"wayfare.yaml, parameters of {analysis.name}, {parameter.name}"
        raise type(error)(error.problem, where=where, allowed=error.allowed, hint=error.hint) from None


def _default(parameter: Parameter) -> Any:
    if parameter.default is _EMPTY:
        raise InvalidParameter("A value is needed.", where=parameter.name, hint=parameter.help)
    return parameter.default


def _parameter(name: str, hint: Any, default: Any, said: str) -> Parameter:
    optional = False
    if get_origin(hint) in (Union, types.UnionType):
        inner = [h for h in get_args(hint) if h is not type(None)]
        optional = len(inner) < len(get_args(hint))
        hint = inner[0]
    kind, choices = _kind(name, hint)
    return Parameter(name, kind, default, optional, choices, said)


def _kind(name: str, hint: Any) -> tuple[str, tuple[str, ...]]:
    if get_origin(hint) is Annotated:
        return get_args(hint)[1], ()
    if get_origin(hint) is Literal:
        return "choice", get_args(hint)
    if get_origin(hint) is tuple:
        return "texts", ()
    if hint not in _PLAIN_KINDS:
        raise InvalidParameter(
            f"A parameter can't be a {getattr(hint, '__name__', hint)}.",
            where=name,
            allowed=(*(kind.__name__ for kind in _PLAIN_KINDS), "Literal", "tuple[str, ...]"),
            hint="wayfare.domain.parameters has further ones.",
        )
    return _PLAIN_KINDS[hint], ()


def _argument_help(doc: str) -> dict[str, str]:
    """The `Args:` section as name → text."""
    said: dict[str, str] = {}
    name = ""
    for line in doc.partition("Args:\n")[2].splitlines():
        if line and not line.startswith(" "):
            break
        head, colon, rest = line.strip().partition(": ")
        if line.startswith("    ") and not line.startswith("     ") and colon and head.isidentifier():
            name, said[head] = head, rest
        elif name and line.strip():
            said[name] += " " + line.strip()
    return said


def _event(value: Any, _: Parameter, study: Study) -> str:
    study.log.code("event", str(value))
    return str(value)


def _events(value: Any, parameter: Parameter, study: Study) -> tuple[str, ...]:
    values = value.split(",") if isinstance(value, str) else value
    if not isinstance(values, Sequence):
        raise InvalidParameter(f"{value!r} is not a list of events.")
    return tuple(_event(v.strip() if isinstance(v, str) else v, parameter, study) for v in values if v != "")


def _property(value: Any, _: Parameter, study: Study) -> str:
    study.log.names(str(value))
    return str(value)


def _properties(value: Any, _: Parameter, study: Study) -> tuple[str, ...]:
    names, allowed = _texts(value, _, study), properties_of(study.log)
    for name in names:
        if name not in allowed:
            raise UnknownName.among("property", name, allowed)
    return tuple(dict.fromkeys(names))


def _document(value: Any, parameter: Parameter, study: Study) -> str:
    known = documents_of(study, parameter.kind)
    if str(value) not in known:
        raise UnknownName.among(parameter.kind.replace("_", " "), str(value), known)
    return str(value)


def _choice(value: Any, parameter: Parameter, _: Study) -> Any:
    for choice in parameter.choices:
        if value == choice or str(value) == str(choice):
            return choice
    raise InvalidParameter(f"{value!r} is not one of the choices.", allowed=parameter.choices)


def _flag(value: Any, _: Parameter, __: Study) -> bool:
    word = str(value).lower()
    if word in ("true", "1", "yes", "on", "false", "0", "no", "off"):
        return word in ("true", "1", "yes", "on")
    raise InvalidParameter(f"{value!r} is neither yes nor no.", allowed=("true", "false"))


def _whole(value: Any, _: Parameter, __: Study) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not number.is_integer():
        raise InvalidParameter(f"{value!r} is not a whole number.")
    return int(number)


def _number(value: Any, _: Parameter, __: Study) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InvalidParameter(f"{value!r} is not a number.")
    return number


def _numbers(value: Any, parameter: Parameter, study: Study) -> tuple[float, ...]:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    parts = [part.strip() for one in values for part in str(one).split(",")]
    return tuple(_number(part, parameter, study) for part in parts if part)


def _share(value: Any, parameter: Parameter, study: Study) -> float:
    number = _number(value, parameter, study)
    if not 0 <= number <= 1:
        raise InvalidParameter(f"{value!r} is not between 0 and 1.")
    return number


def _day(value: Any, _: Parameter, __: Study) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise InvalidParameter(f"{value!r} is not a date.", allowed=("2024-05-31",)) from None


def _texts(value: Any, _: Parameter, __: Study) -> tuple[str, ...]:
    values = value.split(",") if isinstance(value, str) else value
    if not isinstance(values, Iterable):
        raise InvalidParameter(f"{value!r} is not a list of names.")
    return tuple(str(v).strip() for v in values if str(v).strip())


_PARSERS: dict[str, Callable[[Any, Parameter, Study], Any]] = {
    "event": _event,
    "events": _events,
    "property": _property,
    "properties": _properties,
    **dict.fromkeys(DOCUMENTS, _document),
    "choice": _choice,
    "flag": _flag,
    "whole": _whole,
    "number": _number,
    "numbers": _numbers,
    "share": _share,
    "day": _day,
    "duration": lambda value, _, __: Duration.parse(value),
    "text": lambda value, _, __: str(value),
    "texts": _texts,
}


def _shown(value: Any) -> Any:
    if isinstance(value, (Duration, timedelta)):
        return str(Duration.parse(value))
    if isinstance(value, tuple):
        return [_shown(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _log_facts(study: Study) -> dict[str, Any]:
    facts = study.log.facts
    return {
        "fingerprint": facts.fingerprint,
        "rows": facts.rows,
        "customers": facts.customers,
        "from": _moment(facts.first),
        "to": _moment(facts.last),
        "segments": list(study.log.segments),
        "since": _moment(study.log.condition.since),
        "until": _moment(study.log.condition.until),
        "zone": study.zone,
        "simulated": facts.simulated,
    }


def _moment(microseconds: int | None) -> str | None:
    if microseconds is None:
        return None
    # Year 1 in a zone east of UTC lies before what datetime can say.
    return f"{np.datetime64(microseconds, 'us').astype('datetime64[s]')}Z"


def _log_warnings(study: Study) -> list[str]:
    warnings = ["The data are simulated."] if study.log.facts.simulated else []
    if study.log.facts.rows == 0:
        warnings.append("The log is empty: there is nothing to say yet.")
        return warnings
    return [*warnings, *_missed(study.log)]


def _missed(log: Log) -> Iterator[str]:
    """Why the part of the log that is looked at is likely not the one that was meant: names and days it doesn't have."""
    for text in log.segments:
        segment = Segment.parse(text)
        if log.schema[segment.column] is not Kind.CODE:
            continue
        names = log.names(segment.column)
        if names.code(segment.value) is None:
            known = names.to_list() if len(names) <= _FEW_NAMES else ()
            missing = UnknownName.among(segment.column, segment.value, known)
            yield f"{missing.problem} {missing.hint}".rstrip()
    since, until, first, last = log.condition.since, log.condition.until, log.facts.first, log.facts.last
    if first is None or last is None:
        return
    if (since is not None and since > last) or (until is not None and until <= first):
        days = [
            f"{datetime.fromtimestamp(moment / 1e6, ZoneInfo(log.zone)):%Y-%m-%d}" for moment in (first, last)
        ]
        yield f"Nothing happened in the days asked for: the log goes from {days[0]} to {days[1]}."
