"""Templates into pages."""

from __future__ import annotations

import hashlib
import re
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from wayfare.charts.numbers import written
from wayfare.domain.journey import Stage
from wayfare.report.sections import label_of, money_of

HERE = Path(__file__).parent
STATIC = HERE / "static"

GROUP_TITLES = {
    "journey": "Where do customers come from, and where do we lose them?",
    "measurement": "How are we doing, and what works?",
    "repurchase": "Who will buy again?",
    "satisfaction": "How satisfied are they?",
    "kano": "Which features matter?",
    "canvas": "Does the business model hold?",
    "value_chain": "Which activities pay?",
    "scenario": "What if things change?",
    "strategy": "What should we do?",
    "referral": "Who brings others?",
    "own": "Your own",
}
"""The questions that the folders of analyses stand for; a folder that is not here goes by its name."""

_CODE = re.compile(r"`([^`]+)`")


def render(template: str, **values: Any) -> str:
    """The page that `template` makes of `values`."""
    return environment().get_template(template).render(**values)


@cache
def environment() -> Environment:
    """The templates, with everything escaped unless a template says otherwise."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "words": label_of,
        "plain": partial(written, "plain"),
        "prose": prose,
        "paragraphs": paragraphs,
    }
    made.globals |= {
        "static": static,
        "group_title": group_title,
        "stage_label": stage_label,
        "money": money_of,
    }
    made.globals |= {"company": None, "stamp": "", "page": "", "title": "", "waiting": False}
    return made


@cache
def static(name: str) -> str:
    """The address of one of our files, another one whenever its content is."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]}"


def group_title(group: str) -> str:
    """The question that a folder of analyses answers."""
    return GROUP_TITLES.get(group, label_of(group))


def stage_label(stage: object) -> str:
    """A stage's name for people."""
    return stage.label if isinstance(stage, Stage) else "–"


def prose(text: str) -> Markup:
    """Text from a docstring, with what stands in backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped first


def paragraphs(text: str) -> list[str]:
    """Text with empty lines between its paragraphs, as those."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
