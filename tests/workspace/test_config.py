"""`wayfare.yaml`: what is read, and how what is wrong is named."""

from __future__ import annotations

import pytest

from wayfare.errors import BadInput
from wayfare.workspace.config import parse_config


def test_everything_is_read():
    config = parse_config(
        "name: Roaster\ncurrency: GBP\ntimezone: Europe/London\nbaseline: {from: 2024-01-01, to: 2024-06-30}\n"
        "database: postgresql://team@db/roaster\nparameters: {value: {days: 90}}\n",
        "wayfare.yaml",
    )
    assert (config.name, config.currency, config.timezone) == ("Roaster", "GBP", "Europe/London")
    assert config.baseline is not None
    assert str(config.baseline.since) == "2024-01-01"
    assert config.database == "postgresql://team@db/roaster"
    assert config.parameters == {"value": {"days": "90"}}


def test_words_that_yaml_takes_for_something_else_stay_text():
    assert [parse_config(f"name: {word}", "wayfare.yaml").name for word in ("no", "007", "1e3", "NA")] == [
        "no", "007", "1e3", "NA",
    ]  # fmt: skip


def test_an_empty_setting_is_one_that_is_not_said():
    config = parse_config("name: z\nbaseline:\ndatabase:\ncurrency: ~\n", "wayfare.yaml")
    assert (config.baseline, config.database, config.currency) == (None, None, "EUR")


WRONG = {
    "unknown setting": ("name: z\n\ncurency: EUR", 3, "'curency'", "Did you mean 'currency'?"),
    "unknown in baseline": ("name: z\nbaseline:\n  form: 2024-01-01", 3, "'form'", "Did you mean 'from'?"),
    "currency": ("name: z\ncurrency: euro", 2, "'euro'", "ISO 4217"),
    "zone": (
        "name: z\ntimezone: Europe/Amsterdm",
        2,
        "'Europe/Amsterdm'",
        "Did you mean 'Europe/Amsterdam'?",
    ),
    "zone as a path": ("name: z\ntimezone: ../../etc/passwd", 2, "'../../etc/passwd'", "Area/City"),
    "missing": ("name: z\nbaseline:\n  from: 2024-01-01", 2, "'to' is missing", "Add a line"),
    "no name": ("currency: EUR", 1, "'name' is missing", "Add a line"),
    "twice": ("name: z\nname: y", 2, "'name' stands here twice", "Keep one"),
    "not a date": ("name: z\nbaseline:\n  from: may\n  to: 2024-01-01", 3, "'may'", ""),
    "backwards": ("name: z\nbaseline:\n  from: 2024-02-01\n  to: 2024-01-01", 2, "before it begins", ""),
    "not a mapping": ("name: z\nbaseline: yes", 2, "must be settings of its own", ""),
    "broken": ("name: [z\ncurrency: EUR", 2, "can't be read", ""),
    "tab": ("name: z\n\tcurrency: EUR", 2, "can't be read", "spaces"),
    "reference": ("name: &a z\ncurrency: *a", 2, "references", ""),
    "object": ("name: !!python/object/apply:os.system [ls]", 1, "is not used here", ""),
}


@pytest.mark.parametrize(("text", "line", "problem", "hint"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, problem: str, hint: str):
    with pytest.raises(BadInput) as caught:
        parse_config(text, "here/wayfare.yaml")
    assert caught.value.where == f"here/wayfare.yaml, line {line}"
    assert problem in caught.value.problem
    assert hint in caught.value.hint


def test_how_many_more_errors_there_are_is_said():
    with pytest.raises(BadInput, match="There are 2 more"):
        parse_config("name: z\na: 1\nb: 2\nc: 3", "wayfare.yaml")


@pytest.mark.parametrize("text", ["- a\n- b", "just text"])
def test_a_file_without_settings_is_refused(text: str):
    with pytest.raises(BadInput, match="must hold settings"):
        parse_config(text, "wayfare.yaml")
