"""Documents that mean harm: text stays text, bombs go out, no path leads out of the workspace, faults have lines."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wayfare.cli.main import main
from wayfare.demo import documents
from wayfare.domain.document import Document
from wayfare.errors import BadInput, WayfareError
from wayfare.workspace.document_text import KINDS, LONGEST, content, from_yaml, to_yaml
from wayfare.workspace.documents import Documents, open_documents
from wayfare.workspace.folder import Workspace
from wayfare.workspace.yaml_tree import MOST_NODES

TEXTS = {document.KIND: to_yaml(document) for document in documents()}
FREE = (
    "about",
    "text",
    "hypothesis",
    "source",
    "goal",
    "owner",
    "frontstage",
    "backstage",
    "expectation",
    "who",
)
LISTS = ("pain_points", "opportunities", "needs", "motivations", "frustrations", "decisions")
HARM = (
    "<script>alert(1)</script>", "</text><script>alert(1)</script>", "\"><img src=x onerror='alert(1)'>",
    "<svg/onload=alert(1)>", "javascript:alert(1)", "[a](javascript:alert(1))", "{{7*7}}${7*7}<%= 7*7 %>", "]]><!--",
    '=HYPERLINK("http://x")', "@SUM(1)", "'; DROP TABLE revision; --", "!!python/object/apply:os.system [id]",
    "&a *a", "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe", "-\n---\nname: other\n", "a\n\n\nb: c",
)  # fmt: skip

Open = Callable[[], Documents]


def line(text: str, part: str) -> int:
    return next(number for number, each in enumerate(text.splitlines(), 1) if part in each)


def harmed(said: Any, harm: str) -> Any:
    """The content with `harm` at the end of all that is free text."""
    if isinstance(said, list):
        return [harmed(each, harm) for each in said]
    if not isinstance(said, dict):
        return said
    found = {}
    for key, value in said.items():
        if key in FREE and isinstance(value, str):
            found[key] = value + harm
        elif key in LISTS:
            found[key] = [each + harm for each in value]
        else:
            found[key] = harmed(value, harm)
    return found


def refused(text: str, said: str) -> str:
    """Where a text is refused, saying `said`."""
    with pytest.raises(BadInput) as error:
        from_yaml(text, "x.yaml")
    assert said in str(error.value)
    assert len(str(error.value)) < 2_000
    return error.value.where


@pytest.mark.parametrize("harm", HARM, ids=range(len(HARM)))
def test_harmful_text_stays_the_text_that_it_is(harm: str):
    for kind, text in TEXTS.items():
        document = KINDS[kind].model_validate(harmed(content(from_yaml(text, "x")), harm))
        assert from_yaml(to_yaml(document), "x.yaml") == document


@pytest.mark.parametrize("kind", KINDS)
def test_harmful_text_comes_through_export_and_import(workspace: Workspace, kind: str):
    harm = " ".join(HARM)
    document = KINDS[kind].model_validate(harmed(content(from_yaml(TEXTS[kind], "x")), harm))
    written = to_yaml(document)
    path = workspace.folder / "in.yaml"
    path.write_text(written, "utf-8", newline="")
    assert main(["documents", str(workspace.folder), "import", str(path), "-m", harm, "--who", harm]) == 0
    assert main(["documents", str(workspace.folder), "export", document.name]) == 0
    with (workspace.folder / "documents" / f"{document.name}.yaml").open(
        encoding="utf-8", newline=""
    ) as file:
        assert file.read() == written
    with closing(open_documents(workspace)) as opened:
        head = opened.head(document.name)
    assert (head.document, head.who, head.why) == (document, harm, harm)


def test_harmful_text_stays_in_every_database(opened: Open):
    for kind, text in TEXTS.items():
        document = KINDS[kind].model_validate(harmed(content(from_yaml(text, "x")), "".join(HARM)))
        opened().save(document, based_on=None, who="Eve")
        assert opened().head(document.name).document == document


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("escape", [r"\0", r"\e", r"\x07", r"\u2028", r"\ud800", r"\ufeff", r"\x85"])
def test_signs_that_no_file_keeps_are_refused(kind: str, escape: str):
    text = with_more(kind, f'about: "{escape}"\n')
    assert refused(text, "can't be kept in a document") == "x.yaml, line 3"


def with_more(kind: str, more: str) -> str:
    """A document of the kind that begins with `more` behind its name."""
    return f"document: {kind}\nname: x\n{more}"


LAUGHS = "a: &a [x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
BOMBS = {
    "billion laughs": (LAUGHS, "references (*name) are not used here"),
    "itself": ("about: &a [*a]\n", "references (*name) are not used here"),
    "merge": ("about: &a {b: c}\n<<: *a\n", "references (*name) are not used here"),
    "alias as key": ("about: &a x\n*a : y\n", "references (*name) are not used here"),
    "deep lists": ("about: " + "[" * 20_000, "nested too deeply"),
    "deep lists, closed": ("about: " + "[" * 20_000 + "]" * 20_000, "nested too deeply"),
    "deep maps": ("about: " + "{a: " * 5_000, "nested too deeply"),
    "deep dashes": ("about:\n  " + "- " * 5_000 + "x\n", "nested too deeply"),
    "deep blocks": ("about:\n" + "".join(" " * (n + 1) + "a:\n" for n in range(1_500)), "nested too deeply"),
    "too many": ("about: [" + "a," * MOST_NODES + "]\n", "more than 300,000 names and values"),
    "too long": ("about: " + "x" * LONGEST + "\n", "too long for a document"),
    "long text": ("about: " + "x" * 10_001 + "\n", "at most 10000 characters"),
    "long escapes": ('about: "' + r"\x41" * 200_000 + '"\n', "at most 10000 characters"),
    "long key": ("? " + "k" * 100_000 + "\n: x\n", "There is no setting"),
    "many keys": ("".join(f"k{n}: x\n" for n in range(10_000)), "9999 more after this one"),
    "many strings": ("about:\n" + "  x\n\n" * 6_000, "at most 10000 characters"),
    "tag": ("about: !!python/object/apply:os.system [id]\n", "The tag '!!python/object/apply:os.system'"),
    "tag of a text": ("about: !!python/name:os.system x\n", "The tag '!!python/name:os.system'"),
    "tag of a key": ("!!python/name:os.system about: x\n", "The tag '!!python/name:os.system'"),
    "bytes": ("about: !!binary aGVsbG8=\n", "The tag '!!binary'"),
    "own tag": ("about: !evil x\n", "The tag '!evil'"),
    "own tag, spelt out": ("about: !<tag:evil,2000:x> y\n", "The tag 'tag:evil,2000:x'"),
    "twice": ("about: a\nabout: b\n", "'about' stands here twice"),
    "name twice": ("name: y\n", "'name' stands here twice"),
    "key is a list": ("? [a]\n: b\n", "name must be plain text"),
    "two documents": ("---\nname: y\n", "but found another document"),
    "not UTF-8 text": ("about: \x00\n", "can't be read"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_in_time(bomb: str):
    more, said = BOMBS[bomb]
    for kind in KINDS if len(more) < MOST_NODES else ["canvas"]:
        assert refused(with_more(kind, more), said).startswith("x.yaml")


def metric(value: str, within: str = "90d") -> str:
    limits = f"        within: '{within}'\n        at_least: '{value}'\n"
    return f"channels:\n  - id: a\n    text: x\n    bindings:\n      metric:\n        measure: repurchase_rate\n{limits}"


def conditions(text: str) -> str:
    return f"channels:\n  - id: a\n    text: x\n    bindings:\n      segment:\n        - '{text}'\n"


@pytest.mark.parametrize(
    ("more", "said", "at"),
    [
        (metric("1e9999999%"), "is no percentage", 10),
        (metric("9" * 5_000 + "%"), "finite number", 10),
        (metric("1e400"), "finite number", 10),
        (metric("nan%"), "finite number", 10),
        (metric("-1%"), "not between 0 and 1", 7),
        (metric("25%", within="9" * 400 + "d"), "36500 days", 9),
        (metric("25%", within="0.0000000001s"), "longer than nothing", 9),
        (conditions(" " * 9_000 + "!"), "is not a segment", 8),
        (conditions("a" + " " * 9_000 + "b"), "is not a segment", 8),
        (conditions("any :" + " :" * 4_000), "is not a segment", 8),
        (conditions("did:" + " " * 9_000), "is not a segment", 8),
        (f"channels:\n  - id: a\n    text: x\n    importance: {'9' * 100_000}\n", "'importance' can't be", 6),
    ],
    ids=range(12),
)
def test_numbers_and_conditions_that_mean_harm_are_refused(more: str, said: str, at: int):
    assert refused(with_more("canvas", more), said) == f"x.yaml, line {at}"


def test_thousands_of_bad_references_are_counted():
    segments = "".join(f"  - {{id: segment-{n}, text: x}}\n" for n in range(1_000))
    wrong = "".join(f"  - {{id: c{n}, text: x, segment: segmnet-{n}}}\n" for n in range(1_000))
    text = with_more("canvas", f"customer_segments:\n{segments}channels:\n{wrong}")
    said = "'segmnet-0'. Did you mean 'segment-0'? There are 999 more after this one"
    assert refused(text, said) == f"x.yaml, line {line(text, 'segmnet-0}')}"


def test_thousands_of_linkages_in_a_row_and_in_a_circle():
    row = [f"    - {{id: a{n}, text: x, linkages: [{{to: a{n + 1}}}]}}\n" for n in range(2_000)]
    chain = with_more("value_chain", f"primary:\n  operations:\n{''.join(row)}    - {{id: a2000, text: x}}\n")
    assert len(list(from_yaml(chain, "x.yaml").places())) == 2_001
    circle = chain.replace("{id: a2000, text: x}", "{id: a2000, text: x, linkages: [{to: a0}]}")
    assert refused(circle, "go round in a circle: a0 → a1") == "x.yaml, line 5"


def test_activities_are_nested_eight_deep_and_no_deeper():
    def nested(deep: int) -> str:
        text = "primary:\n  operations:\n"
        for n in range(deep):
            indent = " " * (4 * n + 4)
            text += f"{indent}- id: a{n}\n{indent}  text: x\n" + (
                f"{indent}  parts:\n" if n < deep - 1 else ""
            )
        return with_more("value_chain", text)

    assert len(list(from_yaml(nested(8), "x").places())) == 8
    assert refused(nested(9), "'a8' is nested more than 8") == f"x.yaml, line {line(nested(9), '- id: a8')}"
    assert refused(nested(400), "nested too deeply") == "x.yaml"


# Kind, what stands there, what is written instead, what is said of it; the line is that of what is written.
FAULTS = (
    ("journey_map", "stage: purchase\n", "stage: purchse\n", "Did you mean 'purchase'"),
    ("journey_map", "pain_points:\n", "pain_poitns:\n", "Did you mean 'pain_points'"),
    ("journey_map", "main_route:\n", "main_rout:\n", "Did you mean 'main_route'"),
    ("journey_map", "- review_read\n", "- reveiw_read\n", "There is no touchpoint 'reveiw_read'. Did you mean 'review_read'?"),
    ("journey_map", "- event: newsletter_open\n", "- event: ad_click\n", "The event 'ad_click' has two touchpoints"),
    ("journey_map", "- stage: advocacy\n", "- stage: awareness\n", "The stage 'awareness' is there twice"),
    ("journey_map", "- id: friend\n", "- id: comparer\n", "The id 'comparer' stands for two things"),
    ("journey_map", "- id: friend\n", "- id: ../friend\n", "'id' must be lower-case letters"),
    ("journey_map", "- did:referral_signup\n", "- referral_signup\n", "is not a segment"),
    ("journey_map", "place: physical\n", "place: heaven\n", "Allowed: digital, physical"),
    ("canvas", "segment: home-brewers\n", "segment: home-bruers\n", "There is no customer segment 'home-bruers'. Did you mean 'home-brewers'?"),
    ("canvas", "segment: friends\n", "segment: freinds\n", "There is no customer segment 'freinds'"),
    ("canvas", "revenue_stream: web-sales\n", "revenue_stream: parcels\n", "There is no revenue stream 'parcels'"),
    ("canvas", "cost_line: parcels\n", "cost_line: parcel\n", "Did you mean 'parcels'"),
    ("canvas", "- id: tea-house\n", "- id: growers\n", "The id 'growers' stands for two things"),
    ("canvas", "within: 30d\n", "within: soon\n", "is not a duration"),
    ("canvas", "colour: vermilion\n", "colour: url(javascript:alert(1))\n", "Allowed: grey"),
    ("canvas", "kind: coopetition\n", "kind: cooperation\n", "Did you mean 'coopetition'"),
    ("canvas", "per: order\n", "per: oder\n", "Did you mean 'order'"),
    ("canvas", "next: '2025-07-31'\n", "next: '2025-02-31'\n", "'next' can't be"),
    ("canvas", "verdict: too_few\n", "verdict: to_few\n", "Did you mean 'too_few'"),
    ("value_chain", "- to: pack\n", "- to: pakc\n", "There is no activity 'pakc'. Did you mean 'pack'?"),
    ("value_chain", "- id: books\n", "- id: rooms\n", "The id 'rooms' stands for two things"),
    ("value_chain", "kind: time_driven\n", "kind: time-driven\n", "Did you mean 'time_driven'"),
    ("value_chain", "capacity_minutes: 8000\n", "capacity_minutes: -8000\n", "greater than 0"),
    ("value_chain", "measure: defect\n", "measure: defects\n", "Did you mean 'defect'"),
    ("value_chain", "per: quantity\n", "pre: quantity\n", "Did you mean 'per'"),
    ("value_chain", "kind: supports\n", "kind: suports\n", "Did you mean 'supports'"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "after", "said"), FAULTS)
def test_every_fault_in_a_full_document_is_named_with_its_line(kind: str, before: str, after: str, said: str):
    text = TEXTS[kind]
    place = text.rindex(before)
    wrong = text[:place] + after + text[place + len(before) :]
    with pytest.raises(BadInput) as error:
        from_yaml(wrong, "x.yaml")
    assert said in str(error.value)
    assert error.value.where == f"x.yaml, line {text[:place].count(chr(10)) + 1}", str(error.value)


def test_a_circle_in_a_full_chain_is_named_with_the_line_where_it_begins():
    text = TEXTS["value_chain"].replace("- to: help\n", "- to: pick\n")
    where = refused(text, "go round in a circle: pick → parcels → tell → pick")
    assert where == f"x.yaml, line {line(text, '- to: parcels')}"


def saved(workspace: Workspace) -> Document:
    document = documents()[1]
    with closing(open_documents(workspace)) as opened:
        opened.save(document, based_on=None, who="Ada")
    return document


OUTSIDE = (
    "{up}",
    "{folder}/../outside.yaml",
    "{folder}/x/../../outside.yaml",
    "/etc/wayfare.yaml",
    "../outside.yaml",
    "~/outside.yaml",
)


@pytest.mark.parametrize("path", OUTSIDE)
def test_files_outside_of_the_workspace_are_neither_read_nor_written(
    workspace: Workspace, tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
):
    document, outside = saved(workspace), tmp_path / "outside.yaml"
    given = path.format(up=outside, folder=workspace.folder)
    for words in (["export", document.name, given], ["import", given]):
        assert main(["documents", str(workspace.folder), *words]) == 2
        assert "outside the workspace" in capsys.readouterr().err
    assert not outside.exists()


def test_links_lead_nowhere(workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    document, outside = saved(workspace), tmp_path / "outside"
    outside.mkdir()
    target = outside / "canvas.yaml"
    target.write_text("theirs")
    (workspace.folder / "file.yaml").symlink_to(target)
    (workspace.folder / "folder").symlink_to(outside)
    (workspace.folder / "documents").symlink_to(outside)
    (workspace.folder / "to-come.yaml").symlink_to(outside / "new.yaml")
    for name in ("file.yaml", "folder/canvas.yaml", "folder/new.yaml", "to-come.yaml"):
        for words in (["export", document.name], ["import"]):
            assert main(["documents", str(workspace.folder), *words, str(workspace.folder / name)]) == 2
            assert "outside the workspace" in capsys.readouterr().err
    assert main(["documents", str(workspace.folder), "export", document.name]) == 2
    assert "out of the workspace" in capsys.readouterr().err
    assert [path.name for path in outside.iterdir()] == ["canvas.yaml"]
    assert target.read_text() == "theirs"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name",
    ["..", ".", "../x", "a/b", "a\\\\b", "/etc/passwd", "C:x", "x.yaml/..", ".hidden", "x.", "x ", " x", "-rf", "~", "", "a\\0b",
     "a\\nb", "con:", "a*", "a|b", "<b>", "x" * 81, "\\u202ex"],
)  # fmt: skip
def test_a_name_is_no_path(kind: str, name: str):
    text = TEXTS[kind].replace(f"\nname: {KINDS[kind].USUAL}\n", f'\nname: "{name}"\n', 1)
    assert refused(text, "no name for a document") == "x.yaml, line 2"


def test_other_files_of_the_workspace_are_not_documents(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
):
    document = saved(workspace)
    settings = (workspace.folder / "wayfare.yaml").read_bytes()
    for name in ("wayfare.yaml", "wayfare.db", "log", "log/x.json", "notes.txt"):
        assert (
            main(["documents", str(workspace.folder), "export", document.name, str(workspace.folder / name)])
            == 2
        )
        assert main(["documents", str(workspace.folder), "import", str(workspace.folder / name)]) == 2
    capsys.readouterr()
    assert (workspace.folder / "wayfare.yaml").read_bytes() == settings


def test_a_refused_import_changes_nothing(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    document = saved(workspace)
    path = workspace.folder / "in.yaml"
    for more, _ in BOMBS.values():
        if len(more) >= MOST_NODES:
            continue  # it takes long, and is refused above
        path.write_text(with_more("canvas", more).replace("name: x", f"name: {document.name}", 1), "utf-8")
        assert main(["documents", str(workspace.folder), "import", str(path), "--based-on", "1"]) == 2
    capsys.readouterr()
    with closing(open_documents(workspace)) as opened:
        assert [each.number for each in opened.history(document.name)] == [1]
        with pytest.raises(WayfareError):
            opened.revision(document.name, 2)
