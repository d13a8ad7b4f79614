"""The report in a real browser: opened from disk, read by axe, printed."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def opened(browser, page_path):
    """Opens the report at a width, in a light; what the console and the network said is in `said`."""
    contexts = []

    def at(width: int = 1280, light: str = "light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=light)
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on(
            "request",
            lambda request: page.said.append(request.url) if request.url.startswith("http") else None,
        )
        page.goto(page_path.as_uri())
        return page

    yield at
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_it_opens_from_disk_with_no_error_and_no_request_and_fits(opened, width):
    page = opened(width)
    assert page.said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").inner_text().startswith("Kettle & Kin <Roasters>")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("light", ["light", "dark"])
def test_axe_finds_nothing_serious(opened, light, width):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    page = opened(width, light)
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    found = axe.Axe().run(page).response["violations"]
    serious = [
        (v["id"], v["nodes"][0]["html"][:200], len(v["nodes"]))
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_a_phone_gets_its_own_journey_map(opened):
    for width, shown in ((1280, "wide"), (390, "narrow")):
        page = opened(width)
        seen = {name: page.locator(f"#journey-map .{name}").is_visible() for name in ("wide", "narrow")}
        assert seen == {"wide": shown == "wide", "narrow": shown == "narrow"}


def test_dark_paper_on_a_dark_screen_and_white_paper_in_print(opened):
    page = opened(light="dark")

    def colour():
        return page.evaluate("getComputedStyle(document.querySelector('#journey-map .wf-paper')).fill")

    assert colour() == "rgb(27, 31, 38)"
    page.emulate_media(media="print")
    assert colour() == "rgb(255, 255, 255)"


def test_every_link_of_the_findings_leads_to_a_heading_by_keyboard(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    link = page.evaluate("document.activeElement.getAttribute('href')")
    assert link.startswith("#analysis-")
    page.keyboard.press("Enter")
    assert page.locator(f"{link} h2").is_visible()


def test_print_has_every_section_with_its_explanation_opened(opened, demo_report):
    page = opened()
    page.emulate_media(media="print")
    hidden = page.evaluate(
        "[...document.querySelectorAll('details')].filter(d => d.lastElementChild.getBoundingClientRect().height < 5).length"
    )
    assert hidden == 0
    pdf = page.pdf(format="A4", outline=True, tagged=True)
    # Headings are the outline of the file, as text in UTF-16 or plain.
    titles = {_text(title) for title in re.findall(rb"/Title\s*(<[0-9A-Fa-f\s]*>|\((?:\\.|[^\\)])*\))", pdf)}
    headings = {heading.strip() for heading in page.locator("main h2").all_inner_texts()}
    assert len(headings) == len(demo_report.outcomes) + 6
    assert headings <= titles
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") >= 10


def _text(literal: bytes) -> str:
    if literal.startswith(b"<"):
        raw = bytes.fromhex(literal[1:-1].decode())
    else:
        raw = re.sub(rb"\\(.)", rb"\1", literal[1:-1], flags=re.DOTALL)
    return raw[2:].decode("utf-16-be") if raw.startswith(b"\xfe\xff") else raw.decode("latin-1")
