"""Documents through HTTP: pages in each of their states, JSON in its four parts, and nothing from elsewhere gets in."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from tests.web.company import shop, visits
from wayfare.domain.canvas import BLOCKS, Canvas
from wayfare.domain.journey import JourneyMap
from wayfare.domain.value_chain import ValueChain
from wayfare.web.app import create_app
from wayfare.workspace.document_text import LONGEST, to_yaml
from wayfare.workspace.documents import open_documents
from wayfare.workspace.folder import init, open_workspace

LOCAL = "http://127.0.0.1:8765"
EVIL = "<img src=x onerror=alert(1)>\"'</textarea></script>{{7*7}}"
CANVAS = Canvas(
    name="canvas",
    customer_segments=[{"id": "young", "text": "Young parents"}],
    channels=[
        {"id": "web", "text": "Web shop", "kind": "online", "segment": "young", "importance": 4},
        {"id": "store", "text": "Store", "bindings": {"touchpoints": [{"event": "cart", "weight": 2}]}},
    ],
    cost_structure=[{"id": "rent", "text": "Rent", "kind": "fixed", "amount": 900}],
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return shop(tmp_path_factory.mktemp("web") / "shop", visits(60))


@pytest.fixture(scope="module")
def client(workspace):
    with TestClient(create_app(workspace), base_url=LOCAL) as opened:
        yield opened


@pytest.fixture
def documents(workspace):
    """The documents, the canvas as each test begins with it."""
    opened = open_documents(open_workspace(workspace))
    known = [entry.name for entry in opened.entries()]
    head = opened.head("canvas").number if "canvas" in known else None
    opened.save(CANVAS, based_on=head, who="Ada", why="As it was")
    yield opened
    opened.close()


def token_of(client):
    return re.search(r'name="token" value="([^"]+)"', client.get("/documents").text)[1]


def posted(client, path, /, follow=False, **fields):
    data = {"token": token_of(client), **fields}
    return client.post(f"/documents{path}", data=data, follow_redirects=follow)


def changed(client, *changes, name="canvas", **more):
    return client.post(f"/api/documents/{name}/changes", json={"changes": list(changes), **more})


# ------------------------------------------------------------------ pages


def test_without_documents_the_page_says_what_they_are_and_starts_one(tmp_path):
    init(tmp_path / "shop", "Shop")
    with TestClient(create_app(tmp_path / "shop"), base_url=LOCAL) as client:
        page = client.get("/documents")
        assert page.status_code == 200
        assert "There is no document yet" in page.text
        assert not (tmp_path / "shop" / "wayfare.db").exists()
        assert client.get("/api/documents").json() == {"documents": []}
        assert client.get("/documents/canvas").status_code == 404
        made = posted(client, "", kind="canvas")
        assert (made.status_code, made.headers["location"]) == (303, "/documents/canvas")
        page = client.get("/documents/canvas").text
        assert all(f'data-notes="{block}"' in page for block in BLOCKS)
        # There is no log: the page is there all the same, and says what evidence needs.
        said = client.get("/api/documents/canvas/evidence")
        assert said.status_code == 409
        assert "wayfare ingest" in said.json()["error"]["hint"]


def test_the_navigation_and_the_shelf_lead_to_each_document(client, documents):
    assert 'href="/documents"' in client.get("/analyses").text
    page = client.get("/documents").text
    assert 'href="/documents/canvas"' in page
    assert "Business Model Canvas" in page
    assert "As it was" in page


def test_the_board_shows_what_notes_say(client, documents):
    page = client.get("/documents/canvas").text
    for words in ("Young parents", "Importance 4 of 5", "900 a month", "For", "cart"):
        assert words in page
    assert 'href="/documents/canvas/item?id=web&amp;branch=main"' in page
    assert 'data-stamp=""' in page  # the page follows its document by itself


def test_the_latest_reviews_stand_under_the_canvas_with_their_day_and_what_they_found(client, documents):
    assert "Reviews" not in client.get("/documents/canvas").text
    months = (1, 2, 3, 4)
    reviewed = CANVAS.model_validate(
        {
            **CANVAS.model_dump(mode="json"),
            "reviews": [
                {
                    "date": f"2024-0{month}-05",
                    "who": EVIL,
                    "verdicts": [
                        {"item": "young", "verdict": "holds", "value": 0.4, "n": 1200},
                        {"item": "web", "verdict": "fails", "n": 30},
                    ],
                    "decisions": [f"Do what month {month} asks."],
                    "next": f"2024-0{month}-28",
                }
                for month in months
            ],
        }
    )
    documents.save(reviewed, based_on=documents.head("canvas").number, who="Ada", why="Reviewed")
    page = client.get("/documents/canvas").text
    part = page[page.index('<section class="reviews"') : page.index('<div class="beside">')]
    assert re.findall(r'<h3><time datetime="[^"]+">([^<]+)<', part) == [
        "5 April 2024",
        "5 March 2024",
        "5 February 2024",
    ]
    assert '<a href="#note-young">Young parents</a> <span class="muted">n 1,200</span>' in part
    assert part.index(">Fails<") < part.index(">Holds<")
    assert "Do what month 4 asks." in part
    assert "28 April 2024" in part
    assert "1 earlier ones are in the download." not in part
    assert "1 earlier one is in the download." in part
    assert "<img" not in part
    # A view of the past shows what was known then.
    assert "Reviews" not in client.get("/documents/canvas?revision=1").text


@pytest.mark.parametrize("id", ["web", "store", "young", "rent"])
def test_a_form_that_is_sent_back_as_it_came_changes_nothing(client, documents, id):
    before = documents.head("canvas").number
    fields = form_of(client.get(f"/documents/canvas/item?id={id}").text)
    answer = client.post("/documents/canvas/item", data={**fields, "do": "save"}, follow_redirects=False)
    assert answer.status_code == 303
    assert documents.head("canvas").number == before


def form_of(page):
    """The fields of the form of an item, as a browser would send them."""
    form = re.sub(r"<template>.*?</template>", "", re.search(r'<form[^>]*class="item-form".*?</form>', page, re.DOTALL)[0], flags=re.DOTALL)  # fmt: skip
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            found[name[1]] = value[1] if value else ""
    found |= dict(re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL))
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>', options)
        first = re.search(r'<option value="([^"]*)"', options)
        found[name] = (chosen[1] if chosen else first[1]) or ""
    unescaped = {"&#34;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">", "&amp;": "&"}
    for sign, plain in unescaped.items():
        found = {name: value.replace(sign, plain) for name, value in found.items()}
    return found


FILLED = {
    "chain": ValueChain(name="chain", primary={"operations": [{
        "id": "pack", "text": "Pack", "owner": "Ada",
        "cost": {"kind": "amounts", "amounts": [{"from": "2024-01-01", "to": "2024-01-31", "amount": 12.5}]},
        "linkages": [{"to": "send", "text": "parcels"}],
        "serves": [{"event": "cart", "time": {"base": 2, "terms": [{"minutes": 3, "when": "channel=store"}]}}],
        "performance": {"measure": "lead_time", "start": "cart", "end": "purchase", "within": "3d", "at_most": 24},
        "turns": [{"since": "2024-03-01", "text": "New boxes", "segment": ["first:channel=web"]}],
    }, {"id": "send", "text": "Send", "cost": {"kind": "time_driven", "capacity_minutes": 900, "capacity_cost": 450}}]}),
    "map": JourneyMap(
        name="map",
        personas=[{"id": "ada", "text": "Ada", "needs": ["Coffee", "Time"], "segment": ["first:channel=web"]}],
        stages=[{"stage": "purchase", "goal": "Pay"}],
        touchpoints=[{"event": "cart", "stage": "consideration", "pain_points": ["Slow"], "after_purchase": "repurchase"},
                     {"event": "purchase", "stage": "purchase"}],
    ),
    "bound": Canvas(name="bound", customer_segments=[{"id": "young", "text": "Young"}], channels=[{
        "id": "web", "text": "Two\nlines", "hypothesis": "H",
        "bindings": {"touchpoints": [{"event": "cart", "weight": 0.5}], "segment": ["did:cart", "never:purchase"],
                     "metric": {"measure": "repurchase_rate", "within": "90d", "segment": "young", "at_least": 0.25}},
        "feedback": [{"text": "Nice", "source": "Bo", "date": "2024-02-01"}],
    }]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("chain", "pack"),
        ("chain", "send"),
        ("map", "ada"),
        ("map", "cart"),
        ("map", "stage:purchase"),
        ("bound", "web"),
    ],
)
def test_every_field_of_every_kind_of_item_goes_into_its_form_and_comes_back(client, documents, name, id):
    if name not in [entry.name for entry in documents.entries()]:
        documents.save(FILLED[name], based_on=None, who="Ada")
    before = documents.head(name)
    fields = form_of(client.get(f"/documents/{name}/item?id={id}").text)
    # Everything is read from the form alone: what was seen is said to have been empty.
    answer = client.post(f"/documents/{name}/item", data={**fields, "do": "save"}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert documents.head(name).number == before.number
    wanted = "goal" if id.startswith("stage:") else "expectation" if id == "cart" else "text"
    changed_fields = {**fields, wanted: "Other words"}
    client.post(f"/documents/{name}/item", data={**changed_fields, "do": "save"})
    after = documents.head(name)
    assert after.number == before.number + 1
    lines = [line for line in documents.diff(name, before.number, after.number)[2:] if line[0] in "+-"]
    assert "Other words" in "".join(lines)
    assert len([line for line in lines if line[0] == "+"]) == 1


def test_what_is_wrong_in_a_form_stands_at_its_field_with_all_that_was_typed(client, documents):
    fields = form_of(client.get("/documents/canvas/item?id=web").text)
    typed = {
        "hypothesis": "Half of them",
        "bindings.metric.measure": "churn_rate",
        "bindings.metric.at_most": "12x",
    }
    answer = client.post("/documents/canvas/item", data={**fields, **typed, "do": "save"})
    assert answer.status_code == 400
    assert 'id="wrong-bindings.metric.at_most"' in answer.text
    again = form_of(answer.text)
    assert {name: again[name] for name in typed} == typed


def test_a_stale_form_shows_both_versions_and_keeps_what_was_typed(client, documents):
    fields = form_of(client.get("/documents/canvas/item?id=web").text)
    changed(
        client, {"do": "set", "id": "web", "field": "text", "was": "Web shop", "to": "Their words"}, who="Bo"
    )
    mine = {**fields, "text": "My words", "hypothesis": "My belief", "do": "save"}
    answer = client.post("/documents/canvas/item", data=mine)
    assert answer.status_code == 409
    assert "Their words" in answer.text
    assert form_of(answer.text)["text"] == "My words"
    assert form_of(answer.text)["hypothesis"] == "My belief"
    # Sent once more, it is what was decided.
    client.post("/documents/canvas/item", data={**form_of(answer.text), "do": "save"})
    item = documents.head("canvas").document.item("web")
    assert (item.text, item.hypothesis) == ("My words", "My belief")


def test_notes_move_up_down_and_away_by_forms(client, documents):
    order = lambda: [item.id for item in documents.head("canvas").document.channels]  # noqa: E731
    posted(client, "/canvas/item", id="store", do="up")
    assert order() == ["store", "web"]
    posted(client, "/canvas/item", id="store", do="down")
    assert order() == ["web", "store"]
    posted(client, "/canvas/item", id="store", do="move", list="key_resources")
    assert documents.head("canvas").document.key_resources[0].id == "store"
    posted(client, "/canvas/item", id="store", do="remove")
    assert order() == ["web"]
    answer = posted(client, "/canvas/item", id="store", do="up")
    assert answer.status_code == 409


def test_undo_restore_and_branches_by_forms(client, documents):
    first = documents.head("canvas").number
    posted(client, "/canvas/add", list="channels", text="App")
    assert posted(client, "/canvas/undo", seen=str(first)).status_code == 409  # somebody saved since
    posted(client, "/canvas/undo", seen=str(first + 1))
    assert documents.head("canvas").document == CANVAS
    posted(client, "/canvas/restore", revision=str(first + 1))
    assert documents.head("canvas").document.item("app") is not None
    name = f"what if {first}"
    made = posted(client, "/canvas/branches", new=name)
    assert made.headers["location"] == f"/documents/canvas?branch=what+if+{first}"
    posted(client, "/canvas/add", list="channels", text="Only there", branch=name)
    assert documents.head("canvas").document.item("only-there") is None
    page = client.get("/documents/canvas", params={"branch": name}).text
    assert "Only there" in page
    assert "The main board stays as it is" in page


def test_an_earlier_revision_is_read_only_and_differences_are_shown(client, documents):
    first = documents.head("canvas").number
    changed(client, {"do": "set", "id": "web", "field": "text", "was": "Web shop", "to": "Shop <online>"})
    page = client.get(f"/documents/canvas?revision={first}").text
    assert "be changed; the newest is" in page.replace("&#39;t", "t")
    assert 'class="adder"' not in page
    assert "Web shop" in page
    diff = client.get(f"/documents/canvas/diff?before={first}&after={first + 1}").text
    assert "Shop &lt;online&gt;" in diff
    assert 'class="minus"' in diff
    for wrong in ("revision=9999", "revision=x", "branch=nothing", "revision=²"):
        assert client.get(f"/documents/canvas?{wrong}").status_code in (400, 404)


def test_every_link_of_the_pages_leads_somewhere(client, documents):
    seen = set()
    for start in ("", "/canvas", "/canvas/item?id=web", "/canvas/diff", "/canvas?revision=1", "/journey"):
        page = client.get(f"/documents{start}").text
        for path in re.findall(r'(?:href|src)="(/[^"#]*)', page):
            path = path.replace("&amp;", "&")
            if path not in seen and "/analyses" not in path:
                seen.add(path)
                assert client.get(path).status_code == 200, path
    assert len(seen) > 20


@pytest.mark.parametrize("form", ["yaml", "md", "svg", "png", "pdf"])
def test_a_document_can_be_taken_away(client, documents, form):
    answer = client.get(f"/documents/canvas/export.{form}")
    assert answer.status_code == 200
    assert f"filename*=UTF-8''canvas.{form}" in answer.headers["content-disposition"]
    if form == "yaml":
        assert answer.text == to_yaml(CANVAS)
    assert client.get("/documents/canvas/export.exe").status_code == 404


def test_evidence_comes_by_item_after_the_page(client, documents):
    metric = {"measure": "conversion_rate", "at_least": 0.01}
    changed(client, {"do": "set", "id": "store", "field": "bindings.metric", "was": None, "to": metric})
    said = client.get("/api/documents/canvas/evidence").json()
    assert said["items"]["store"]["verdict"] in ("holds", "fails", "too_few")
    assert "onversion" in said["items"]["store"]["text"]
    page = client.get("/documents/canvas").text
    assert 'data-page="/analyses/canvas_evidence?canvas=canvas"' in page
    data = re.search(r'data-evidence="([^"]*)"', page)[1].replace("&amp;", "&")
    assert client.get(data).json() == said
    assert client.get("/api/documents/canvas/evidence?analysis=sessions").status_code == 404


def test_activities_have_their_costs_and_how_they_do(client, documents):
    if "chain" not in [entry.name for entry in documents.entries()]:
        documents.save(FILLED["chain"], based_on=None, who="Ada")
    costs = client.get("/api/documents/chain/evidence?analysis=activity_costs").json()["items"]
    assert costs["pack"]["text"].startswith("EUR ")
    done = client.get("/api/documents/chain/evidence?analysis=activity_effects").json()["items"]
    assert "of runs miss the target" in done["pack"]["text"]


def test_the_log_is_asked_again_only_when_what_notes_are_bound_to_changes(client, documents):
    def bound():
        return re.search(r'data-bound="(\w+)"', client.get("/documents/canvas/live").text)[1]

    before = bound()
    changed(client, {"do": "set", "id": "web", "field": "text", "was": "Web shop", "to": "Shop"})
    changed(client, {"do": "move", "id": "web", "into": "key_activities"})
    assert bound() == before
    changed(client, {"do": "set", "id": "store", "field": "bindings.segment", "was": [], "to": ["did:cart"]})
    assert bound() != before


def test_a_change_of_a_document_changes_the_stamp_of_the_study(client, documents):
    before = client.get("/api/state").json()
    changed(client, {"do": "add", "into": "channels", "item": {"text": "App"}})
    assert client.get("/api/state").json() != before


def test_what_is_said_of_the_whole_has_a_form_too(client, documents):
    fields = form_of(client.get("/documents/journey/item?id=").text)
    assert fields["orders.0"] == "purchase"
    client.post(
        "/documents/journey/item",
        data={**fields, "about": "Our customers", "main_route.0": "cart", "do": "save"},
    )
    journey = documents.head("journey").document
    assert (journey.about, journey.main_route, journey.orders) == ("Our customers", ("cart",), ("purchase",))
    assert "Our customers" in client.get("/documents/journey").text
    fields = form_of(client.get("/documents/canvas/item?id=").text)
    assert not [name for name in fields if name.startswith("channels")]
    posted(client, "/canvas/item", id="", was=fields["was"], about="Ours", do="save")
    assert documents.head("canvas").document.about == "Ours"


def test_rows_that_are_all_removed_are_gone(client, documents):
    fields = form_of(client.get("/documents/canvas/item?id=store").text)
    left = {name: value for name, value in fields.items() if not name.startswith("bindings.touchpoints.0")}
    client.post("/documents/canvas/item", data={**left, "do": "save"})
    assert documents.head("canvas").document.item("store").bindings.touchpoints == ()


# ------------------------------------------------------------------ import


def upload(client, content, name="canvas.yaml", **fields):
    data = {"token": token_of(client), **fields}
    files = {"file": (name, content, "application/yaml")}
    return client.post("/documents/import", data=data, files=files, follow_redirects=False)


def test_yaml_is_imported_as_new_and_over_the_revision_that_was_seen(client, documents):
    fresh = CANVAS.model_copy(update={"name": f"new {documents.stamp()}"})
    assert upload(client, to_yaml(fresh)).status_code == 303
    assert documents.head(fresh.name).document == fresh
    edited = CANVAS.model_copy(update={"about": "Edited"})
    stale = upload(client, to_yaml(edited))
    assert stale.status_code == 409
    assert "There is a document of this name already" in stale.text
    seen = documents.head("canvas").number
    changed(client, {"do": "set", "id": "", "field": "about", "was": "", "to": "Theirs"})
    stale = upload(client, to_yaml(edited), into="canvas", seen=str(seen))
    assert stale.status_code == 409
    assert "Theirs" in stale.text
    assert "Edited" in stale.text
    assert upload(client, to_yaml(edited), into="canvas", seen=str(seen + 1)).status_code == 303
    assert documents.head("canvas").document.about == "Edited"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BOMB, "references"),
        ("document: canvas\nname: x\nchanels: []\n", "line 3"),
        ("document: canvas\nname: ../../etc/passwd\n", "no name for a document"),
        ("document: !!python/object/apply:os.system ['true']\n", "document"),
        ("[" * 20_000, "eeply"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("", "kind of document"),
    ],
)
def test_what_is_no_document_is_refused_with_its_line(client, documents, content, said):
    answer = upload(client, content, name="../<b>.yaml")
    assert answer.status_code == 400
    assert said in answer.text
    assert "<b>.yaml" not in answer.text


def test_a_file_that_is_too_long_is_refused(client, documents):
    assert upload(client, b"#" * (LONGEST + 1)).status_code == 400
    assert upload(client, b"#" * (LONGEST + 100_000)).status_code == 403
    assert client.post("/documents/import", data={"token": token_of(client)}).status_code == 400


# ------------------------------------------------------------------ JSON


def test_documents_are_read_as_json(client, documents):
    head = documents.head("canvas")
    (entry,) = [each for each in client.get("/api/documents").json()["documents"] if each["name"] == "canvas"]
    assert (entry["kind"], entry["latest"]["revision"]) == ("canvas", head.number)
    said = client.get("/api/documents/canvas").json()
    assert said["document"] == json.loads(head.content)
    assert (said["who"], said["revision"]) == ("Ada", head.number)
    assert client.get("/api/documents/canvas?revision=1").json()["revision"] == 1
    assert client.get("/api/documents/nothing").json()["error"]["code"] == "unknown_name"


def test_changes_are_made_over_json_and_conflicts_have_both_versions(client, documents):
    seen = documents.head("canvas").number
    made = changed(
        client, {"do": "add", "into": "channels", "item": {"text": "App"}, "before": "store"}, who="Bo"
    ).json()
    assert (made["revision"], made["who"], made["ids"]) == (seen + 1, "Bo", ["app"])
    one = client.post(
        "/api/documents/canvas/changes",
        json={"change": {"do": "move", "id": "app", "into": "key_activities"}},
    )
    assert one.json()["why"] == "Moved “App” to key activities"
    first = {"do": "set", "id": "web", "field": "text", "was": "Web shop", "to": "One"}
    changed(client, first)
    answer = changed(client, {**first, "to": "Two"})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "conflict"
    (clash,) = answer.json()["error"]["conflicts"]
    assert (clash["theirs"], clash["yours"]) == ("One", "Two")
    gone = changed(client, {"do": "set", "id": "nobody", "field": "text", "was": "", "to": "My words"})
    assert gone.json()["error"]["code"] == "gone"
    assert "My words" in gone.json()["error"]["problem"]
    # Nobody's newer words are deleted unseen.
    assert changed(client, {"do": "remove", "id": "web"}, seen=seen).status_code == 409
    state = client.get(f"/api/documents/canvas/state?seen={seen}").json()
    assert [each["revision"] for each in state["changes"]] == [seen + 3, seen + 2, seen + 1]


def test_a_whole_document_is_put_and_a_stale_one_shows_both(client, documents):
    said = client.get("/api/documents/canvas").json()
    document = {**said["document"], "about": "Put"}
    seen = said["revision"]
    changed(client, {"do": "set", "id": "web", "field": "text", "was": "Web shop", "to": "Theirs"})
    stale = client.put("/api/documents/canvas", json={"document": document, "based_on": seen, "who": "Bo"})
    assert stale.status_code == 409
    assert stale.json()["error"]["code"] == "stale"
    for words in ("Theirs", "Put"):
        assert words in stale.json()["error"]["problem"]
    put = client.put("/api/documents/canvas", json={"document": document, "based_on": seen + 1, "who": "Bo"})
    assert (put.status_code, put.json()["document"]["about"]) == (200, "Put")
    for wrong in ({}, {"document": []}, {"document": {"document": "plan"}}, {"document": {**document, "name": "other"}},
                  {"document": document, "based_on": "1"}, {"document": {**document, "surprise": 1}, "based_on": seen}):  # fmt: skip
        assert client.put("/api/documents/canvas", json=wrong).status_code == 400


def test_undo_restore_branches_and_comments_over_json(client, documents):
    first = documents.head("canvas").number
    changed(client, {"do": "add", "into": "channels", "item": {"text": "App"}})
    assert client.post("/api/documents/canvas/undo", json={"seen": first}).status_code == 409
    assert client.post("/api/documents/canvas/undo", json={"seen": first + 1}).json()["action"] == "undo"
    assert (
        client.post("/api/documents/canvas/restore", json={"revision": first + 1}).json()["action"]
        == "restore"
    )
    branch = f"try-{first}"
    assert client.post("/api/documents/canvas/branches", json={"name": branch}).status_code == 200
    said = {"item": "web", "text": "Really?", "who": "Bo", "branch": branch}
    assert client.post("/api/documents/canvas/comments", json=said).json()["text"] == "Really?"
    assert "Really?" in client.get("/documents/canvas/item?id=web").text
    for wrong in ({"revision": "1"}, {"revision": True}, {}):
        assert client.post("/api/documents/canvas/restore", json=wrong).status_code == 400
    assert client.post("/api/documents/canvas/nonsense", json={}).status_code == 404
    assert (
        client.post(
            "/api/documents/canvas/changes", content="[", headers={"content-type": "application/json"}
        ).status_code
        == 400
    )
    deep = "[" * 100_000
    assert (
        client.post(
            "/api/documents/canvas/changes", content=deep, headers={"content-type": "application/json"}
        ).status_code
        == 400
    )


# ------------------------------------------------------------------ from elsewhere


def test_what_people_write_is_never_markup(client, documents):
    note = {"text": EVIL, "source": EVIL, "date": "2024-01-01"}
    document = Canvas(
        name="evil",
        about=EVIL,
        customer_segments=[{"id": "s", "text": EVIL}],
        channels=[{"id": "e", "text": EVIL, "hypothesis": EVIL, "segment": "s", "feedback": [note], "trends": [note],
                   "bindings": {"touchpoints": [{"event": EVIL}]}}],
    )  # fmt: skip
    journey = JourneyMap(
        name="evil journey",
        personas=[{"id": "p", "text": EVIL, "needs": [EVIL]}],
        stages=[{"stage": "purchase", "goal": EVIL, "owner": EVIL}],
        touchpoints=[
            {"event": EVIL, "stage": "purchase", "channel": EVIL, "pain_points": [EVIL], "backstage": EVIL}
        ],
    )
    chain = ValueChain(name="evil chain", primary={"service": [{"id": "a", "text": EVIL, "owner": EVIL, "parts": [{"id": "b", "text": EVIL}]}]})  # fmt: skip
    for each in (document, journey, chain):
        documents.save(each, based_on=None, who=EVIL, why=EVIL)
    documents.comment("evil", "e", EVIL, who=EVIL)
    client.cookies.set("wayfare_who", "%3Cimg%20src%3Dx%3E")
    try:
        pages = [client.get("/documents").text]
        for name, ids in (
            ("evil", ["e", "s"]),
            ("evil journey", ["p", EVIL, "stage:purchase"]),
            ("evil chain", ["a"]),
        ):
            pages += [client.get(f"/documents/{name}").text, client.get(f"/documents/{name}/live").text]
            pages += [client.get(f"/documents/{name}/diff?before=1&after=1").text]
            pages += [client.get(f"/documents/{name}/item", params={"id": id}).text for id in ids]
        pages.append(client.get("/documents/evil", params={"branch": EVIL}).text)
        pages.append(client.get("/documents/evil/item", params={"id": EVIL}).text)
        pages.append(posted(client, "", kind=EVIL, name=EVIL).text)
        pages.append(posted(client, "/evil/add", list="channels", text="").text)
    finally:
        client.cookies.clear()
    for page in pages:
        parts = Parts(page)
        assert "img" not in parts.tags
        assert all("src" in attributes for tag, attributes in parts.found if tag == "script")
        assert not [
            name
            for _, attributes in parts.found
            for name in attributes
            if name.startswith("on") or name == "style"
        ]
        assert not parts.unknown, parts.unknown


class Parts(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.found, self.unknown = [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.unknown |= {name for name, _ in attrs if not re.fullmatch(r"[a-z][a-zA-Z0-9-]*", name)}

    @property
    def tags(self):
        return {tag for tag, _ in self.found}


@pytest.mark.parametrize(
    ("change", "headers", "status"),
    [
        ({"token": "x"}, {}, 403),
        ({"token": ""}, {}, 403),
        ({}, {"sec-fetch-site": "cross-site"}, 403),
        ({}, {"sec-fetch-site": "same-site"}, 403),
        ({}, {"host": "evil.example"}, 403),
    ],
)
@pytest.mark.parametrize(
    "path",
    ["/documents", "/documents/canvas/add", "/documents/canvas/undo", "/documents/who", "/documents/import"],
)
def test_forms_that_are_not_ours_change_nothing(client, documents, path, change, headers, status):
    before = documents.stamp()
    fields = {
        "token": token_of(client),
        "kind": "canvas",
        "name": "stolen",
        "list": "channels",
        "text": "x",
        "who": "x",
        **change,
    }
    answer = client.post(path, data=fields, headers=headers, follow_redirects=False)
    assert answer.status_code == status
    assert documents.stamp() == before
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "origin": "http://evil.example"},
        {"content-type": "application/json", "origin": "null"},
        {"content-type": "application/json", "sec-fetch-site": "same-site"},
        {"content-type": "application/json", "host": "evil.example"},
    ],
)
def test_json_from_elsewhere_changes_nothing(client, documents, headers):
    before = documents.stamp()
    said = json.dumps({"changes": [{"do": "add", "into": "channels", "item": {"text": "x"}}]})
    answer = client.post("/api/documents/canvas/changes", content=said, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "refused"
    assert documents.stamp() == before
    same = {"content-type": "application/json", "origin": LOCAL, "sec-fetch-site": "same-origin"}
    assert client.post("/api/documents/canvas/changes", content=said, headers=same).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_what_is_meant_to_be_written_is(client, documents, method):
    assert client.request(method, "/documents/canvas").status_code == 405
    assert client.request("DELETE", "/api/documents/canvas").status_code == 405


@pytest.mark.parametrize(
    "name", ["..", "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e", "canvas%00", "wayfare.db", "-x"]
)
def test_names_lead_nowhere_but_to_documents(client, documents, name):
    for path in (f"/documents/{name}", f"/documents/{name}/export.yaml", f"/api/documents/{name}"):
        answer = client.get(path)
        assert answer.status_code in (404, 405) or answer.url.path in ("/documents", "/api/documents", "/")
        assert "root:" not in answer.text
    assert posted(client, "", kind="canvas", name="../x").status_code == 400


def test_a_name_is_kept_by_the_browser_and_stands_under_changes(workspace, documents):
    with TestClient(create_app(workspace), base_url=LOCAL) as client:
        answer = posted(client, "/who", who="  Zoë  B ", back="canvas")
        assert answer.headers["location"] == "/documents/canvas"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        posted(client, "/canvas/add", list="channels", text="App")
        assert documents.head("canvas").who == "Zoë B"
        assert posted(client, "/who", who="x" * 81).status_code == 400
