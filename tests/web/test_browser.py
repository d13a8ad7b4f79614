"""The pages in a real Chromium: nothing from elsewhere, nothing on the console, by keyboard, readable by everybody."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn

from tests.web.company import seal, shop, visits
from wayfare.web import pages, preview
from wayfare.web.app import create_app
from wayfare.web.server import listen

FUNNEL = "/analyses/funnel?steps=product_view&steps=cart&steps=purchase&within=7d&by=device"
PAGES = {
    "home": "/",
    "index": "/analyses",
    "funnel": FUNNEL,
    "scorecard": "/analyses/scorecard?segment=first:device=mobile",
    "retention": "/analyses/retention",
    "wrong": "/analyses/funnel?steps=crt&within=7d",
    "reference": "/docs/funnel",
    "log": "/log",
    "rows": "/rows?step=product_view&step=cart&within=7d&counted=3&segment=first:device=mobile",
    "one customer": "/rows?customer=c0003&event=cart",
    "nobody": "/rows?segment=did:nothing",
    "wrong rows": "/rows?step=crt&has=nonsense",
    "nowhere": "/nowhere",
}
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@contextmanager
def served(folder):
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(folder), log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shop(tmp_path_factory.mktemp("web") / "shop", simulated=True)


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as found:
        yield found


class Watched:
    """A page whose console and requests are kept."""

    def __init__(self, browser, address, **context):
        self.address = address
        self.context = browser.new_context(locale="en-GB", **context)
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path):
        self.page.goto(self.address + path)
        self.page.wait_for_selector("#waiting", state="detached")
        self.page.wait_for_load_state("networkidle")
        return self.page

    @property
    def elsewhere(self):
        return [url for url in self.asked if not url.startswith((self.address, "data:"))]


@pytest.fixture
def watched(browser, address):
    opened = []

    def open_one(**context):
        opened.append(Watched(browser, address, **{"viewport": DESKTOP, **context}))
        return opened[-1]

    yield open_one
    for one in opened:
        one.context.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_load_nothing_foreign_complain_of_nothing_and_are_accessible(watched, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = watched(viewport=size, color_scheme=scheme)
    for name, path in PAGES.items():
        page = seen.open(path)
        for details in page.query_selector_all("details"):
            details.evaluate("element => { element.open = true; }")
        found = axe.run(page).response["violations"]
        grave = [
            (v["id"], [n["html"][:120] for n in v["nodes"][:3]])
            for v in found
            if v["impact"] in ("serious", "critical")
        ]
        assert not grave, (name, grave)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], name
        broken = page.evaluate("[...document.images].filter(i => !i.naturalWidth).map(i => i.src)")
        assert not broken, name
    # Chromium itself notes the status of the pages that are errors.
    assert [text for text in seen.said if "the server responded with a status of 4" not in text] == []
    assert not seen.elsewhere


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_long_table_makes_no_page_longer_or_wider(watched, size):
    # 200 rows with links, each with words for screen readers, scroll within their table.
    page = watched(viewport=size).open("/analyses/rfm")
    assert page.locator("#table-customers tbody a").count() > 30
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    ends = "scrollY + document.querySelector('footer').getBoundingClientRect().bottom"
    assert page.evaluate("document.documentElement.scrollHeight") <= page.evaluate(ends) + 1


def test_a_long_name_hides_no_figure_beside_it(browser, tmp_path):
    frame = visits(60)
    frame["event"] = frame["event"].replace({"cart": "a name that a tracker made " + "x" * 120})
    with served(shop(tmp_path / "shop", frame)) as address:
        seen = Watched(browser, address, viewport=DESKTOP)
        for path, table in (
            ("/analyses/touchpoints", "#table-touchpoints"),
            ("/log", "[aria-labelledby=touchpoints]"),
        ):
            page = seen.open(path)
            cell = page.locator(f"{table} tr:has-text('tracker') td").nth(1).bounding_box()
            assert cell["x"] + cell["width"] < DESKTOP["width"], path
        seen.context.close()


def test_on_a_tablet_no_change_is_cut_off(browser, tmp_path):
    frame = visits(1500)
    frame = frame[frame["time"] < "2024-07-01"]
    frame = frame[(frame["event"] != "purchase") | (frame["time"] < "2024-05-01")]
    frame["value"] *= 100_000
    with served(shop(tmp_path / "shop", frame)) as address:
        seen = Watched(browser, address, viewport={"width": 768, "height": 1024})
        page = seen.open("/")
        table = "[aria-labelledby=changed] .scroll"
        assert "Net revenue" in page.inner_text(table)
        wide, room = (page.eval_on_selector(table, f"e => e.{side}Width") for side in ("scroll", "client"))
        assert wide <= room
        seen.context.close()


def test_a_funnel_can_be_asked_with_the_keyboard_alone(watched):
    seen = watched()
    page = seen.open("/analyses/funnel")
    keys = page.keyboard

    def tab_to(selector):
        for _ in range(80):
            keys.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} can't be reached")

    keys.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tab_to("[data-list=steps] [data-add]")
    for event in ("product_view", "purchase", "cart"):
        keys.press("Enter")
        assert page.evaluate("document.activeElement.name") == "steps"
        keys.type(event)
        tab_to("[data-list=steps] [data-add]")
    keys.press("Shift+Tab")  # remove, of the last row; its "down" can't be used
    keys.press("Shift+Tab")  # up
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Move Steps 3 up"
    keys.press("Enter")
    steps = "[...document.querySelectorAll('[name=steps]')].map(e => e.value)"
    assert page.evaluate(steps) == ["product_view", "cart", "purchase"]
    assert page.inner_text("[data-list=steps] [data-said]") == "cart is now number 2 of 3."
    tab_to("#field-within")
    keys.type("7d")
    with page.expect_navigation():
        keys.press("Enter")
    page.wait_for_selector(".findings")
    # What was left as it is does not stand in the address.
    assert (
        page.url == f"{seen.address}/analyses/funnel?steps=product_view&steps=cart&steps=purchase&within=7d"
    )
    assert "went from product_view to purchase" in page.inner_text(".findings")
    assert not seen.said


def test_a_row_can_be_removed_and_the_focus_stays_near(watched):
    page = watched().open(FUNNEL)
    page.focus("[data-list=steps] li:nth-child(2) [data-remove]")
    page.keyboard.press("Enter")
    assert page.evaluate("[...document.querySelectorAll('[name=steps]')].map(e => e.value)") == [
        "product_view",
        "purchase",
    ]
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Remove Steps 2"


def test_the_form_works_without_scripts(watched):
    page = watched(java_script_enabled=False).open("/analyses/funnel")
    page.locator("[name=steps]").nth(0).select_option("product_view")
    page.locator("[name=steps]").nth(1).select_option("purchase")
    page.click("text=Show")
    page.wait_for_selector(".findings")
    assert "went from product_view to purchase" in page.inner_text(".findings")


def test_a_wrong_field_is_one_step_from_its_message(watched):
    page = watched(viewport=PHONE).open("/analyses/funnel?within=soon")
    assert page.is_visible("#wrong-within")
    page.click("text=Correct")
    assert page.evaluate("document.activeElement.id") == "field-within"


def test_on_a_phone_the_answer_comes_before_the_form(watched):
    page = watched(viewport=PHONE).open(FUNNEL)
    assert not page.is_visible("#form")
    assert page.is_visible(".findings")
    page.click("#ask summary")
    assert page.is_visible("#form")


def test_a_slow_answer_shows_progress_and_then_itself(browser, folder, monkeypatch):
    monkeypatch.setattr(pages, "PATIENCE", 0.0)
    from wayfare.web.answers import Answers

    computed = Answers._answer

    def slowly(self, stamp, study, asked, progress):
        for step in range(1, 11):
            progress(step, 10)
            time.sleep(0.1)
        return computed(self, stamp, study, asked, progress)

    monkeypatch.setattr(Answers, "_answer", slowly)
    with served(folder) as address:
        seen = Watched(browser, address)
        seen.page.goto(f"{address}/analyses/sessions?gap=45m")
        assert seen.page.is_visible("#waiting progress")
        seen.page.wait_for_selector("#waiting progress:not([value='0'])")
        seen.page.wait_for_selector(".findings")
        assert not seen.said
        seen.context.close()


def test_a_page_that_stays_open_says_that_the_log_has_changed(browser, tmp_path):
    folder = shop(tmp_path / "shop", visits(40))
    with served(folder) as address:
        seen = Watched(browser, address)
        page = seen.open("/analyses/sessions")
        assert not page.is_visible("#stale")
        seal(folder, visits(60))
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_selector("#stale:not([hidden])")
        page.click("#stale a")
        page.wait_for_selector("#stale", state="hidden")
        assert "60 customers" in page.inner_text(".findings")
        seen.context.close()


def test_what_is_printed_is_the_answer_and_not_the_form(watched):
    page = watched().open(FUNNEL)
    page.emulate_media(media="print")
    assert not page.is_visible("#form")
    assert not page.is_visible(".top nav")
    assert page.is_visible(".findings")
    assert page.is_visible(".answer table")


def test_a_form_says_what_it_would_look_at_while_it_is_filled_in(watched):
    seen = watched()
    page = seen.open("/analyses/funnel")
    assert "400 customers" in page.inner_text("#preview")
    assert page.get_attribute("#preview", "aria-live") == "polite"
    page.click("[data-list=steps] [data-add]")
    page.select_option("[data-list=steps] li:nth-child(1) [name=steps]", "cart")
    page.wait_for_selector("#preview td:has-text('cart')")
    page.click("[data-list=steps] li:nth-child(1) [data-remove]")
    page.wait_for_selector("#preview td", state="detached")
    page.click("[data-list=segment] [data-add]")
    page.fill("[name=segment]", "first:device=mob")
    page.wait_for_selector("#preview:has-text('No customer matches.'):has-text(\"Did you mean 'mobile'?\")")
    page.fill("[name=segment]", "first:device")
    page.wait_for_selector("#preview:has-text('Not counted yet.')")
    page.fill("[name=segment]", "first:device=mobile")
    page.wait_for_selector("#preview:has-text('200 of 400 customers')")
    assert page.url == f"{seen.address}/analyses/funnel"
    assert page.get_attribute("#preview", "aria-busy") == "false"
    with page.expect_navigation():
        page.click("text=Show")
    assert "200 of 400 customers" in page.inner_text("#preview")
    assert not seen.said
    assert not seen.elsewhere


def test_a_form_says_so_when_nothing_answers_and_recovers(watched):
    page = watched().open("/analyses/funnel")
    page.route("**/preview?*", lambda route: route.abort())
    page.fill("#field-since", "2024-02-01")
    page.wait_for_selector("#preview:has-text('The server does not answer, so nothing is counted.')")
    page.unroute("**/preview?*")
    page.route("**/preview?*", lambda route: route.fulfill(status=500, body="<p>no</p>"))
    page.fill("#field-since", "2024-02-02")
    page.wait_for_selector("#preview:has-text('The count failed.')")
    page.unroute("**/preview?*")
    page.fill("#field-since", "2024-02-03")
    page.wait_for_selector("#preview:has-text('of 400 customers')")


def test_a_count_that_takes_long_is_asked_for_until_it_is_there(browser, folder, monkeypatch):
    counted = preview.Occurrences.scan

    def slowly(self, block):
        time.sleep(1.2)
        return counted(self, block)

    monkeypatch.setattr(preview.Occurrences, "scan", slowly)
    with served(folder) as address:
        seen = Watched(browser, address)
        seen.page.goto(f"{address}/analyses/sessions?gap=45m")
        seen.page.wait_for_selector("#preview[aria-busy=true]:has-text('Counting customers and events')")
        seen.page.wait_for_selector("#preview[aria-busy=false]:has-text('400 customers')")
        assert not seen.said
        seen.context.close()


def test_the_preview_stands_without_scripts(watched):
    page = watched(java_script_enabled=False).open("/analyses/funnel?steps=cart&segment=first:device=mobile")
    assert "200 of 400 customers" in page.inner_text("#preview")
    assert "cart" in page.inner_text("#preview table")


def test_a_number_leads_to_its_rows_and_a_customer_to_the_history_by_keyboard(watched):
    seen = watched()
    page = seen.open(FUNNEL)
    page.focus("#table-steps tbody tr:nth-child(2) a")
    assert page.evaluate("document.activeElement.textContent").endswith(": their histories")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "/rows?step=product_view&step=cart&within=7d&counted=" in page.url
    assert "went through product_view, then cart within 7 days" in page.inner_text(".conditions")
    assert not page.is_visible("text=The table that leads here")
    page.focus("nav.pager >> nth=0 >> a[rel=next]")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.inner_text("nav.pager >> nth=0").startswith("Previous")
    page.focus(".history h3 a >> nth=0")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.inner_text("h1") == "What did this customer do?"
    assert page.locator(".history").count() == 1
    with page.expect_download() as file:
        page.click("text=CSV")
    assert file.value.suggested_filename == "wayfare-rows.csv"
    assert not seen.said


def test_on_a_phone_the_histories_come_before_the_form(watched):
    page = watched(viewport=PHONE).open("/rows?event=cart")
    assert not page.is_visible("#form")
    assert page.is_visible(".history")
