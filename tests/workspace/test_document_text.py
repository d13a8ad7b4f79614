"""Documents as YAML: the same bytes there and back, and whatever is wrong named with its line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wayfare.domain.canvas import Canvas, Item
from wayfare.domain.journey import JourneyMap
from wayfare.domain.value_chain import ValueChain
from wayfare.errors import BadInput, Damaged, UnknownName
from wayfare.workspace.document_text import (
    KINDS,
    LONGEST,
    content,
    from_json,
    from_yaml,
    schema,
    to_json,
    to_yaml,
)

CANVAS = """\
document: canvas
name: Shop
customer_segments:
  - id: new
    text: New customers
    bindings:
      segment:
        - first:channel=web
value_propositions:
  - id: fast
    text: |-
      Delivered tomorrow:
        or free
    colour: orange
    segment: new
    hypothesis: Who gets it tomorrow comes back
    importance: 5
    bindings:
      touchpoints:
        - event: delivered
          weight: 2.5
      metric:
        measure: repurchase_rate
        within: 90d
        segment: new
        at_least: 0.25
      cost_line: carrier
    feedback:
      - text: 'no'
        source: '12'
        date: '2026-03-01'
cost_structure:
  - id: carrier
    text: Carrier — “überall”
    kind: variable
    amount: 4
    per: order
"""
CHAIN = """\
document: value_chain
name: Chain
primary:
  operations:
    - id: pick
      text: Pick
      cost:
        kind: time_driven
        capacity_minutes: 24000
        capacity_cost: 48000
      linkages:
        - to: ship
      parts:
        - id: pack
          text: Pack
          cost:
            kind: amounts
            amounts:
              - from: '2026-01-01'
                to: '2026-01-31'
                amount: 900.5
  outbound_logistics:
    - id: ship
      text: Ship
      serves:
        - event: delivered
          time:
            base: 5
            terms:
              - minutes: 2
                per: quantity
support:
  technology:
    - id: scanner
      text: Scanner
      linkages:
        - to: pick
          kind: supports
"""

MAP = """\
document: journey_map
name: journey
orders:
  - purchase
main_route:
  - look
  - purchase
personas:
  - id: ann
    text: Ann, in a hurry
    segment:
      - first:channel=web
    planned:
      - look
      - purchase
stages:
  - stage: awareness
    goal: Find good coffee
touchpoints:
  - event: look
    stage: consideration
    after_purchase: repurchase
    channel: web
    place: digital
    pain_points:
      - Too many kinds
  - event: purchase
    stage: purchase
"""


@pytest.mark.parametrize("text", [CANVAS, CHAIN, MAP], ids=["canvas", "value chain", "journey map"])
def test_yaml_comes_back_byte_for_byte(text: str):
    document = from_yaml(text, "x.yaml")
    assert to_yaml(document) == text
    assert from_json(to_json(document), "x") == document


def test_what_is_written_otherwise_becomes_the_one_form():
    loose = (
        CANVAS.replace("0.25", "25 %").replace("amount: 4\n", "amount: 4.00  # Euro\n").replace("\n", "\r\n")
    )
    assert to_yaml(from_yaml(loose, "x.yaml")) == CANVAS


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60) | st.sampled_from(
    ["null", "~", "yes", "0x1f", "1e3", "- a", "# b", "a: b", " lead", "trail ", "tab\tin", "two\n\nlines\n", "\n x", "x\n ",
     "'", '"', "{a}", "[b]", "&c", "*d", "!e", "%f", "|", ">", "@g", "`h", "=", "<<", "2026-01-01", "12:30:00", "---", "\ta\nb"]
)  # fmt: skip


@given(text=TEXT, about=TEXT, weight=st.floats(1e-9, 1e12))
def test_any_text_and_number_comes_back(text: str, about: str, weight: float):
    said = {"id": "a", "text": text, "bindings": {"touchpoints": [{"event": "e", "weight": weight}]}}
    try:
        document = Canvas.model_validate({"name": "Shop", "about": about, "channels": [said]})
    except ValidationError:
        return  # blank, or with a control character
    written = to_yaml(document)
    again = from_yaml(written, "x.yaml")
    assert again == document
    assert to_yaml(again) == written
    assert to_json(from_json(to_json(document), "x")) == to_json(document)


def test_equal_documents_have_equal_texts():
    one = Canvas(name="Shop", channels=({"id": "a", "text": "x", "importance": 2},))
    other = Canvas.model_validate({"channels": [{"importance": "2", "text": "x", "id": "a"}], "name": "Shop"})
    assert to_json(one) == to_json(other)
    assert list(content(one)) == ["document", "name", "channels"]


def line(text: str, part: str) -> int:
    return next(number for number, each in enumerate(text.splitlines(), 1) if part in each)


@pytest.mark.parametrize(
    ("text", "before", "after", "said"),
    [
        (CANVAS, "hypothesis:", "hypotesis:", "Did you mean 'hypothesis'"),
        (CANVAS, "customer_segments:", "customers:", "There is no setting 'customers'"),
        (CANVAS, "weight: 2.5", "wieght: 2.5", "Did you mean 'weight'"),
        (CANVAS, "weight: 2.5", "weight: heavy", "'weight' can't be 'heavy'"),
        (CANVAS, "    segment: new", "    segment: nwe", "There is no customer segment 'nwe'. Did you mean 'new'?"),
        (CANVAS, "cost_line: carrier", "cost_line: carier", "There is no cost line 'carier'"),
        (CANVAS, "measure: repurchase_rate", "measure: happiness", "repurchase_rate"),
        (CANVAS, "kind: variable", "kind: odd", "Allowed: fixed, variable"),
        (CANVAS, "date: '2026-03-01'", "date: spring", "not a day"),
        (CANVAS, "text: New customers", "text: [a]", "'text' must be text"),
        (CANVAS, "name: Shop", "name: ../../x", "no name for a document"),
        (CANVAS, "document: canvas", "document: canvsa", "Did you mean 'canvas'"),
        (CANVAS, "name: Shop", "name: !!python/object/apply:os.system [id]", "apply:os.system' is not used"),
        (CHAIN, "        - to: ship", "        - to: shop", "There is no activity 'shop'"),
        (CHAIN, "capacity_cost: 48000", "capacity_cots: 48000", "Did you mean 'capacity_cost'"),
        (CHAIN, "amount: 900.5", "amont: 900.5", "Did you mean 'amount'"),
        (CHAIN, "- minutes: 2", "- minuets: 2", "Did you mean 'minutes'"),
        (CHAIN, "  technology:", "  tech:", "Allowed: procurement, technology, people, infrastructure"),
        (MAP, "orders:", "order:", "Did you mean 'orders'"),
        (MAP, "channel: web\n    place", "chanel: web\n    place", "Did you mean 'channel'"),
        (MAP, "stage: consideration", "stage: consideratoin", "Did you mean 'consideration'"),
        (MAP, "place: digital", "place: both", "digital"),
        (MAP, "    planned:\n      - look", "    planned:\n      - lok", "There is no touchpoint 'lok'. Did you mean 'look'?"),
        (MAP, "first:channel=web", "channel", "'channel' is not a segment"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(text: str, before: str, after: str, said: str):
    assert before in text
    changed = text.replace(before, after, 1)
    with pytest.raises(BadInput) as error:
        from_yaml(changed, "x.yaml")
    last = after.splitlines()[-1] if after.startswith("    planned") else after.splitlines()[0]
    assert error.value.where == f"x.yaml, line {line(changed, last)}", str(error.value)
    assert said in str(error.value)


def test_a_circle_is_named_with_its_line():
    circle = CHAIN.replace("      text: Ship\n", "      text: Ship\n      linkages:\n        - to: pick\n")
    with pytest.raises(BadInput, match="pick → ship → pick") as error:
        from_yaml(circle, "x.yaml")
    assert error.value.where == f"x.yaml, line {line(circle, '- to: ship')}"


def test_an_id_that_stands_twice_is_named_with_the_line_of_the_second():
    with pytest.raises(BadInput, match="'pack' stands for two things") as error:
        from_yaml(CHAIN.replace("id: scanner", "id: pack"), "x.yaml")
    assert error.value.where == f"x.yaml, line {line(CHAIN, 'id: scanner')}"


def test_an_event_that_is_placed_twice_is_named_with_the_line_of_the_second():
    with pytest.raises(BadInput, match="The event 'look' has two touchpoints") as error:
        from_yaml(MAP.replace("event: purchase", "event: look"), "x.yaml")
    assert error.value.where == f"x.yaml, line {line(MAP, 'event: purchase')}"


def test_a_rule_that_a_part_breaks_is_named_with_its_line():
    with pytest.raises(BadInput, match="repurchase_rate is a share") as error:
        from_yaml(CANVAS.replace("at_least: 0.25", "at_least: 25"), "x.yaml")
    assert error.value.where == f"x.yaml, line {line(CANVAS, 'metric:')}"


def test_more_errors_are_counted():
    with pytest.raises(BadInput, match="There is 1 more after this one"):
        from_yaml(CANVAS.replace("segment: new", "segment: old"), "x.yaml")


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "document: canvas\nname: x\nabout: " + "[" * 20_000,
        "document: canvas\nname: x\nabout: " + "[" * 300 + "]" * 300,
        "document: canvas\nname: " + "x" * LONGEST,
        "document: canvas\nname: a\nname: b\n",
        "document: canvas\nname: x\n<<: {about: y}\n",
        "document: [canvas]\nname: x\n",
        "document:\n  canvas: 1\n",
        "? [a]\n: b\n",
        "--- a\n--- b\n",
        "- a\n",
        "",
        "\x00",
        "{",
    ],
    ids=range(14),
)
def test_bombs_and_nonsense_are_refused(text: str):
    with pytest.raises(BadInput):
        from_yaml(text, "x.yaml")


def test_stored_text_that_is_no_document_is_named():
    for text in ("", "[]", "{}", '{"document":"x"}', '{"document":"canvas"}'):
        with pytest.raises(Damaged, match="x"):
            from_json(text, "x")


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_one_of_json(kind: str):
    made = json.loads(json.dumps(schema(kind)))
    assert made["required"][:2] == ["document", "name"]
    assert made["properties"]["document"]["const"] == kind
    assert made["additionalProperties"] is False
    assert set(made["properties"]) == set(KINDS[kind].model_fields)


def test_the_schema_knows_percentages_and_aliases():
    limit = schema("canvas")["$defs"]["Metric"]["properties"]["at_least"]["anyOf"]
    assert {each["type"] for each in limit} == {"string", "number", "null"}
    assert "from" in schema("value_chain")["$defs"]["Amount"]["properties"]


def test_an_unknown_kind_is_named():
    with pytest.raises(UnknownName, match="Did you mean 'canvas'"):
        schema("canvsa")


def test_thousands_of_items_are_read():
    """5,000 items, from the database and from YAML."""
    many = Canvas(name="Big", key_activities=tuple(Item(id=f"a{n}", text="x" * 50) for n in range(5_000)))
    assert from_json(to_json(many), "x") == many
    assert from_yaml(to_yaml(many), "x.yaml") == many


def test_kinds_have_names_of_their_own():
    assert {"journey_map": JourneyMap, "canvas": Canvas, "value_chain": ValueChain} == KINDS
