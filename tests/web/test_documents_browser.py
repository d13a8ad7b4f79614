"""Documents in a real Chromium: written by two people at once, by keyboard alone, readable by everybody, and never a word lost."""

from __future__ import annotations

import pytest

from tests.web.company import shop, visits
from tests.web.test_browser import DESKTOP, PHONE, Watched, served
from wayfare.domain.canvas import Canvas
from wayfare.domain.value_chain import ValueChain
from wayfare.web import documents as documents_pages
from wayfare.web import documents_who
from wayfare.workspace.changes import Remove, Set, change
from wayfare.workspace.documents import open_documents
from wayfare.workspace.folder import open_workspace

CANVAS = Canvas(
    name="canvas",
    customer_segments=[{"id": "young", "text": "Young parents"}],
    channels=[
        {"id": "web", "text": "Web shop", "kind": "online", "colour": "blue", "importance": 4},
        {"id": "store", "text": "Store", "hypothesis": "Grows"},
        {"id": "fair", "text": "Fair"},
    ],
    revenue_streams=[{"id": "sales", "text": "Sales", "kind": "sales"}],
    cost_structure=[{"id": "rent", "text": "Rent", "kind": "fixed", "amount": 900}],
)
CHAIN = ValueChain(
    name="value-chain",
    primary={
        "operations": [
            {"id": "pack", "text": "Pack", "owner": "Ada", "parts": [{"id": "label", "text": "Print labels"}]}
        ]
    },
)
PAGES = {
    "shelf": "/documents",
    "canvas": "/documents/canvas",
    "chain": "/documents/value-chain",
    "journey": "/documents/journey",
    "item": "/documents/canvas/item?id=web",
    "activity": "/documents/value-chain/item?id=pack",
    "touchpoint": "/documents/journey/item?id=cart",
    "past": "/documents/canvas?revision=1",
    "difference": "/documents/canvas/diff?before=1&after=2",
    "what-if": "/documents/canvas?branch=without-stores",
    "nowhere": "/documents/nothing",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shop(tmp_path_factory.mktemp("web") / "shop", visits(120), simulated=True)


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as found:
        yield found


@pytest.fixture
def documents(folder):
    """The documents as each test begins with them."""
    opened = open_documents(open_workspace(folder))
    known = {entry.name for entry in opened.entries()}
    for document in (CANVAS, CHAIN):
        head = opened.head(document.name).number if document.name in known else None
        opened.save(document, based_on=head, who="Ada", why="As it was")
    yield opened
    opened.close()


@pytest.fixture
def watched(browser, address, documents):
    opened = []

    def open_one(path="/documents/canvas", who="", **context):
        one = Watched(browser, address, **{"viewport": DESKTOP, **context})
        if who:
            one.context.add_cookies([{"name": "wayfare_who", "value": who, "url": address}])
        opened.append(one)
        one.page.goto(address + path)
        one.page.wait_for_load_state("load")
        return one

    yield open_one
    for one in opened:
        one.context.close()


WRITING = "document.activeElement.tagName === 'TEXTAREA'"


def until(page, script, value=None):
    """Waits until a script is true; Playwright's own way needs `eval`, which our pages don't allow."""
    for _ in range(200):
        if page.evaluate(script, value):
            return
        page.wait_for_timeout(50)
    raise AssertionError(script)


def note(page, id):
    return page.locator(f'.note[data-id="{id}"]')


def text(page, id):
    return page.locator(f'.note[data-id="{id}"] > .card-note > .note-text')


def focused(page):
    return page.evaluate(
        "document.activeElement.closest('.note')?.dataset.id ?? document.activeElement.tagName"
    )


def listed(page, key):
    return page.eval_on_selector_all(
        f'[data-notes="{key}"] > .note', "notes => notes.map(note => note.dataset.id)"
    )


def saved(page):
    page.wait_for_selector("#saved:has-text('Saved, revision')")


# ------------------------------------------------------------------ two at once


def test_two_people_change_different_notes_and_see_each_others_words(watched, documents):
    one, two = watched(who="Ada"), watched(who="Bo")
    ada, bo = one.page, two.page
    text(ada, "web").click()
    ada.keyboard.type(" with a very long story")
    # While Ada writes, Bo changes another note, adds one and moves one.
    text(bo, "store").click()
    bo.keyboard.press("ControlOrMeta+A")
    bo.keyboard.type("Two stores")
    bo.keyboard.press("Enter")
    text(bo, "store").filter(has_text="Two stores").wait_for()
    bo.locator(".shelf-key_activities .adder summary").click()
    until(bo, WRITING)
    bo.keyboard.type("Roasting")
    bo.keyboard.press("Enter")
    note(bo, "roasting").wait_for()
    note(bo, "fair").drag_to(bo.locator(".shelf-key_partnerships"))
    bo.wait_for_selector('[data-notes="key_partnerships"] .note[data-id="fair"]')
    # They come in beside her, without touching what she writes.
    text(ada, "store").filter(has_text="Two stores").wait_for()
    note(ada, "roasting").wait_for()
    ada.wait_for_selector('[data-notes="key_partnerships"] .note[data-id="fair"]')
    assert focused(ada) == "web"
    ada.keyboard.type(", told at length")
    until(ada, "document.getElementById('toast').textContent.includes('Bo')")
    ada.keyboard.press("Control+Enter")
    saved(ada)
    text(bo, "web").filter(has_text="Web shop with a very long story, told at length").wait_for()
    said = {id: words for _, id, words in documents.head("canvas").document.places()}
    assert said["web"] == "Web shop with a very long story, told at length"
    assert said["store"] == "Two stores"
    assert said["roasting"] == "Roasting"
    assert {change.who for change in documents.history("canvas")[:4]} == {"Ada", "Bo"}
    assert not one.said
    assert not two.said


@pytest.mark.parametrize("choice", ["Both", "Keep mine", "Take theirs"])
def test_two_people_write_in_the_same_note_and_both_texts_are_shown(watched, documents, choice):
    one, two = watched(who="Ada"), watched(who="Bo")
    ada, bo = one.page, two.page
    for page, words in ((ada, "Ada's words"), (bo, "Bo's words")):
        text(page, "store").click()
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.type(words)
    bo.keyboard.press("Enter")
    saved(bo)
    ada.keyboard.press("Enter")
    ada.wait_for_selector('.meanwhile:has-text("Bo\'s words")')
    assert note(ada, "store").locator("textarea").input_value() == "Ada's words"
    ada.get_by_role("button", name=choice).click()
    if choice == "Both":
        ada.keyboard.press("Enter")
    expected = {"Both": "Bo's words\nAda's words", "Keep mine": "Ada's words", "Take theirs": "Bo's words"}
    until(ada, "!document.querySelector('.note textarea')")
    until(
        bo,
        "text => document.querySelector('.note[data-id=store] .note-text').dataset.text === text",
        expected[choice],
    )
    item = documents.head("canvas").document.item("store")
    assert (item.text, item.hypothesis) == (expected[choice], "Grows")
    # Whichever is kept, both were saved or shown, and nothing is left unsaved.
    assert not [said for said in one.said + two.said if "409" not in said]


def test_the_details_of_one_note_meet_field_by_field(watched, documents):
    page = watched(who="Ada").page
    note(page, "store").hover()
    note(page, "store").get_by_role("link", name="Details").click()
    page.fill("#panel [name=text]", "My store")
    page.fill("#panel [name=hypothesis]", "My belief")
    change(
        documents,
        "canvas",
        [Set("store", "hypothesis", "Grows", "Their belief"), Set("store", "importance", None, 5)],
        who="Bo",
    )
    page.wait_for_selector(".panel-said:has-text('Somebody changed this note meanwhile')")
    page.click("#panel [value=save]")
    page.wait_for_selector("#panel .meanwhile:has-text('Their belief')")
    assert page.input_value("#panel [name=hypothesis]") == "My belief"
    page.get_by_role("button", name="Both").click()
    page.click("#panel [value=save]")
    page.wait_for_selector("#panel", state="hidden")
    item = documents.head("canvas").document.item("store")
    assert (item.text, item.hypothesis, item.importance) == ("My store", "Their belief\nMy belief", 5)


def test_words_in_a_note_that_somebody_deletes_stay_and_can_be_added_again(watched, documents):
    page = watched(who="Ada").page
    text(page, "fair").click()
    page.keyboard.type(" in spring")
    change(documents, "canvas", [Remove("fair")], who="Bo")
    page.wait_for_selector(".meanwhile:has-text('Your words are still here')")
    assert note(page, "fair").locator("textarea").input_value() == "Fair in spring"
    page.get_by_role("button", name="Add it again").click()
    text(page, "fair-in-spring").wait_for()
    assert documents.head("canvas").document.item("fair-in-spring").text == "Fair in spring"


def test_without_the_server_what_was_written_stays_and_is_saved_when_it_is_back(watched, documents):
    page = watched().page
    page.route("**/api/documents/**", lambda route: route.abort())
    text(page, "store").click()
    page.keyboard.type(" at the harbour")
    page.keyboard.press("Enter")
    page.wait_for_selector(".inline-said:has-text('What you wrote stays here')")
    assert note(page, "store").locator("textarea").input_value() == "Store at the harbour"
    page.unroute("**/api/documents/**")
    page.get_by_role("button", name="Try again").click()
    saved(page)
    assert documents.head("canvas").document.item("store").text == "Store at the harbour"


def test_a_server_that_was_started_again_is_told_and_nothing_is_typed_twice(watched, documents, monkeypatch):
    page = watched().page
    note(page, "store").locator(".note-more").click(force=True)
    page.fill("#panel [name=hypothesis]", "Said once")
    for module in (documents_who, documents_pages):
        monkeypatch.setattr(module, "TOKEN", "another")
    page.click("#panel [value=save]")
    page.wait_for_selector(".panel-said:has-text('started again')")
    assert page.input_value("#panel [name=hypothesis]") == "Said once"
    page.click("#panel [value=save]")
    page.wait_for_selector("#panel", state="hidden")
    assert documents.head("canvas").document.item("store").hypothesis == "Said once"


def test_many_words_of_two_people_at_once_are_all_there(watched, documents):
    one, two = watched(who="Ada"), watched(who="Bo")
    pages = {"Ada": one.page, "Bo": two.page}
    for page in pages.values():
        page.locator(".shelf-key_activities .adder summary").click()
        until(page, WRITING)
    for number in range(8):
        for who, page in pages.items():
            page.locator(".shelf-key_activities .adder textarea").fill(f"{who} {number}")
            page.keyboard.press("Enter")
        for page in pages.values():
            until(page, "document.querySelector('.shelf-key_activities .adder textarea').value === ''")
    # Each now writes in a note of the other's, both at once, while notes are moved.
    for number in range(0, 8, 2):
        for who, other in (("Ada", "bo"), ("Bo", "ada")):
            note(pages[who], f"{other}-{number}").wait_for()
            text(pages[who], f"{other}-{number}").click()
            pages[who].keyboard.type(f" and {who}")
        pages["Ada"].keyboard.press("Enter")
        pages["Bo"].keyboard.press("Enter")
        for page in pages.values():
            until(page, "!document.querySelector('.note textarea')")
    expected = {
        f"{who} {n}{f' and {other}' if n % 2 == 0 else ''}"
        for who, other in (("Ada", "Bo"), ("Bo", "Ada"))
        for n in range(8)
    }
    items = documents.head("canvas").document.key_activities
    assert {item.text for item in items} == expected
    shown = (
        "[...document.querySelectorAll('[data-notes=key_activities] .note-text')].map(e => e.dataset.text)"
    )
    for page in pages.values():
        until(
            page, f"items => JSON.stringify({shown}) === JSON.stringify(items)", [item.text for item in items]
        )
    assert not [*one.said, *two.said]


# ------------------------------------------------------------------ keyboard


def test_a_canvas_can_be_filled_with_the_keyboard_alone(watched, documents):
    seen = watched()
    page, keys = seen.page, seen.page.keyboard

    def tab_to(selector):
        for _ in range(120):
            keys.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} can't be reached")

    # Add two.
    tab_to(".shelf-key_activities .adder summary")
    keys.press("Enter")
    until(page, WRITING)
    keys.type("Roast")
    keys.press("Enter")
    note(page, "roast").wait_for()
    keys.type("Pack")
    keys.press("Control+Enter")
    note(page, "pack").wait_for()
    keys.press("Escape")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    # Go there, and change the words; Escape leaves them.
    keys.press("Shift+Tab")
    keys.press("Shift+Tab")
    assert focused(page) == "pack"
    keys.press("Enter")
    keys.type(" never")
    keys.press("Escape")
    assert text(page, "pack").inner_text() == "Pack"
    assert focused(page) == "pack"
    keys.press("Enter")
    keys.type(" and send")
    keys.press("Control+Enter")
    text(page, "pack").filter(has_text="Pack and send").wait_for()
    until(page, "document.activeElement.closest('.note')?.dataset.id === 'pack'")
    # Move it up, and to the next block; the focus goes with it.
    keys.press("Shift+ArrowUp")
    until(page, "document.querySelector('[data-notes=key_activities] > .note').dataset.id === 'pack'")
    keys.press("Shift+ArrowRight")
    page.wait_for_selector('[data-notes="key_partnerships"] > .note[data-id="pack"]')
    assert focused(page) == "pack"
    assert "in Key partnerships" in page.inner_text("#toast")
    # Go back to the other note, delete it, and bring it back.
    keys.press("ArrowLeft")
    assert focused(page) == "roast"
    keys.press("Delete")
    note(page, "roast").wait_for(state="detached")
    until(page, "document.activeElement.closest('.note') !== null")
    keys.press("Control+z")
    note(page, "roast").wait_for()
    # The details: open, change, save, and the focus is where it was.
    keys.press("ArrowUp")
    keys.press("ArrowDown")
    at = focused(page)
    keys.press("Tab")
    keys.press("Enter")
    page.wait_for_selector("#panel:not([hidden])")
    assert page.evaluate("document.activeElement.name") == "text"
    tab_to("#panel [name=hypothesis]")
    keys.type("Believed")
    keys.press("Escape")
    assert "not saved" in page.inner_text(".panel-said")
    keys.press("Control+Enter")
    page.wait_for_selector("#panel", state="hidden")
    assert focused(page) == at
    assert documents.head("canvas").document.item(at).hypothesis == "Believed"
    assert not seen.said


def test_notes_are_bound_in_their_details(watched, documents):
    page = watched().page
    note(page, "store").hover()
    note(page, "store").get_by_role("link", name="Details").click()
    page.click("#panel summary:has-text('Bound to the log')")
    rows = page.locator('#panel [data-field="bindings.touchpoints"]').first
    rows.get_by_role("button", name="Add").click()
    page.fill('[name="bindings.touchpoints.0.event"]', "cart")
    page.select_option('[name="bindings.metric.measure"]', "conversion_rate")
    page.fill('[name="bindings.metric.at_least"]', "150%")
    page.click("#panel [value=save]")
    page.wait_for_selector(
        "#panel .wrong:has-text('not between 0 and 1'), .panel-said:has-text('not between 0 and 1')"
    )
    page.fill('[name="bindings.metric.at_least"]', "25%")
    page.click("#panel [value=save]")
    page.wait_for_selector("#panel", state="hidden")
    bound = documents.head("canvas").document.item("store").bindings
    assert [(t.event, t.weight) for t in bound.touchpoints] == [("cart", 1)]
    assert (bound.metric.measure, bound.metric.at_least) == ("conversion_rate", 0.25)
    # The log says what it says of that, a moment after the page is there.
    page.wait_for_selector('.note[data-id="store"] .verdict', timeout=30_000)
    assert (
        page.locator('.note[data-id="store"] .verdict')
        .get_attribute("href")
        .startswith("/analyses/canvas_evidence")
    )


# ------------------------------------------------------------------ other kinds


def test_a_touchpoint_moves_to_another_stage(watched, documents):
    page = watched("/documents/journey").page
    text(page, "cart").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_selector('[data-notes="stage-purchase"] > .note[data-id="cart"]')
    assert documents.head("journey").document.touchpoint("cart").stage == "purchase"
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_selector('[data-notes="stage-consideration"] > .note[data-id="cart"]')


def test_an_activity_gets_parts_and_becomes_one(watched, documents):
    page = watched("/documents/value-chain").page
    note(page, "pack").locator("> .card-note .note-more").click(force=True)
    page.fill("#new-part", "Fold boxes")
    page.click(".item-part button")
    page.wait_for_selector('[data-notes="pack/parts"] > .note[data-id="fold-boxes"]')
    assert listed(page, "pack/parts") == ["label", "fold-boxes"]
    text(page, "fold-boxes").focus()
    page.keyboard.press("Shift+ArrowUp")
    until(page, "document.querySelector('[data-notes=\"pack/parts\"] > .note').dataset.id === 'fold-boxes'")


# ------------------------------------------------------------------ everybody


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_are_accessible_and_load_nothing_foreign(watched, documents, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    entry = next(entry for entry in documents.entries() if entry.name == "canvas")
    if "without-stores" not in entry.branches:
        documents.start_branch("canvas", "without-stores")
    documents.comment("canvas", "web", "Is that so?", who="Bo")
    seen = watched(viewport=size, color_scheme=scheme)
    for name, path in PAGES.items():
        page = seen.open(path)
        for details in page.query_selector_all("details:not(.menu)"):
            details.evaluate("element => { element.open = true; }")
        if name in ("canvas", "chain", "journey"):
            page.locator(".note .note-more").first.click(force=True)
            page.wait_for_selector("#panel:not([hidden])")
        found = axe.run(page).response["violations"]
        grave = [
            (v["id"], [n["html"][:160] for n in v["nodes"][:3]])
            for v in found
            if v["impact"] in ("serious", "critical")
        ]
        assert not grave, (name, grave)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], name
    assert [text for text in seen.said if "the server responded with a status of 4" not in text] == []
    assert not seen.elsewhere


def test_the_basics_work_without_scripts(watched, documents):
    seen = watched(java_script_enabled=False)
    page = seen.page
    page.click(".shelf-key_activities .adder summary")
    page.fill(".shelf-key_activities textarea", "Roast <b>beans</b>")
    page.click(".shelf-key_activities .adder button")
    text(page, "roast-b-beans-b").click()
    page.fill("[name=hypothesis]", "It is done weekly")
    page.select_option("[name=colour]", "orange")
    page.click("text=Save")
    item = documents.head("canvas").document.key_activities[0]
    assert (item.text, item.hypothesis, item.colour) == ("Roast <b>beans</b>", "It is done weekly", "orange")
    text(page, "roast-b-beans-b").click()
    page.select_option("#item-list", "key_resources")
    page.click("button:has-text('Move')")
    assert documents.head("canvas").document.key_resources[0].id == item.id
    page.click("button:has-text('Undo')")
    assert documents.head("canvas").document.key_activities[0].id == item.id


def test_a_name_is_asked_once_and_kept(watched, documents):
    page = watched().page
    page.fill("#who", "Zoë <b>")
    page.click(".who button")
    assert "noted as Zoë <b>" in page.inner_text(".who summary")
    page.wait_for_load_state("load")
    text(page, "store").click()
    page.keyboard.type("s")
    page.keyboard.press("Enter")
    saved(page)
    assert documents.head("canvas").who == "Zoë <b>"


def test_what_escape_left_is_not_saved_when_writing_begins_again_at_once(watched, documents):
    page = watched().page
    before = documents.head("canvas").number
    for _ in range(5):
        text(page, "store").focus()
        page.keyboard.press("Enter")
        page.keyboard.type(" never")
        page.keyboard.press("Escape")
        page.keyboard.press("Enter")
        page.wait_for_timeout(200)
        page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert documents.head("canvas").number == before
