"""Templates into pages."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import wayfare.web.cells as cells
from wayfare.domain.journey import Stage

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


def render(template: str, **values: Any) -> str:
    """The page that `template` makes of `values`."""
    return environment().get_template(template).render(**values)


@cache
def environment() -> Environment:
    """The templates, with everything escaped unless a template says otherwise."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"words": words, "figure": cells.number, "cell": cells.text, "paragraphs": paragraphs, "day": day, "segment": quote}
    made.globals |= {"static": static, "group_title": group_title, "stage_label": stage_label, "query": urlencode}
    made.globals |= {"company": None, "stamp": "", "page": "", "title": "", "waiting": False}
    return made


@cache
def static(name: str) -> str:
    """The address of one of our files, another one whenever its content is."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]}"


def words(name: str) -> str:
    """`time_to` → Time to."""
    return name.replace("_", " ").capitalize()


def group_title(group: str) -> str:
    """The question that a folder of analyses answers."""
    return GROUP_TITLES.get(group, words(group))


def stage_label(stage: object) -> str:
    """A stage's name for people."""
    return stage.label if isinstance(stage, Stage) else "–"


def paragraphs(text: str) -> list[str]:
    """Text with empty lines between its paragraphs, as those."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def day(moment: str | None) -> str:
    """The day of an ISO time as people write it: 3 May 2024."""
    from datetime import date

    if not moment:
        return "–"
    found = date.fromisoformat(moment[:10])
    return f"{found.day} {found:%B %Y}"
