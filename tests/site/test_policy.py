"""No page runs a script that the theme or we did not write: the policy is strict, and nothing of ours breaks it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import GymboardError
from scoring.publish.policy import policy, protect
from scoring.publish.stamp import slot
from tests.site.pages import COMMITTED, HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

_HEAR = """window.broken = [];
document.addEventListener("securitypolicyviolation", e => broken.push(
  `${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`));"""


def test_a_policy_names_the_digest_of_every_inline_script_and_of_nothing_else() -> None:
    html = '<script>a()</script><script src="x.js"></script><script type="application/json">{"a": 1}</script>'
    rules = dict(rule.split(" ", 1) for rule in policy([html, html, "<p>x</p>"]).split("; "))
    assert rules["script-src"] == "'self' 'sha256-qVpDBgj7bpq5hMAcGp3AOc79J3Y1Z4HvySTwKrWDoy4='"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert not any("unsafe" in value for name, value in rules.items() if name != "style-src-attr")


def test_a_page_without_a_place_for_the_policy_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(slot("policy"), encoding="utf-8")
    (tmp_path / "b.html").write_text("<p>x</p>", encoding="utf-8")
    with pytest.raises(GymboardError, match=r"b\.html: no place for the policy"):
        protect(tmp_path)


def test_every_page_has_the_policy_before_its_first_script(committed_site: Path, hostile_site: Path) -> None:
    for page in (*committed_site.rglob("*.html"), *hostile_site.rglob("*.html")):
        html = page.read_text(encoding="utf-8")
        assert 0 < html.index('http-equiv="Content-Security-Policy"') < html.index("<script"), page.name
        assert html.count('http-equiv="Content-Security-Policy"') == 1, page.name


def _listening(browser: Browser) -> Page:
    page = browser.new_context().new_page()
    page.add_init_script(_HEAR)
    return page


def _broken(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.broken")
    return found


@pytest.mark.browser
def test_no_page_breaks_the_policy(browser: Browser, committed: str, hostile: str) -> None:
    page = _listening(browser)
    pages = [
        *(f"{committed}/{path}" for path in COMMITTED.values()),
        *(f"{hostile}/{path}" for path in HOSTILE.values()),
    ]
    for address in pages:
        page.goto(address, wait_until="networkidle")
        page.evaluate("() => document.querySelectorAll('details').forEach(details => { details.open = true; })")
        assert _broken(page) == [], address
    page.context.close()


@pytest.mark.browser
def test_what_a_reader_does_breaks_no_policy(browser: Browser, committed: str) -> None:
    """Sort, explore a chart (Vega), change the scheme, search (a worker), go on by a link of the navigation."""
    page = _listening(browser)
    page.goto(f"{committed}/index.html", wait_until="networkidle")
    page.locator("#ranking-table thead button").nth(2).click()
    page.get_by_label("Find in the ranking").fill("gpt")
    page.locator("#ranking-table tbody tr:only-child").wait_for()
    with page.expect_download():
        page.get_by_role("button", name="CSV").click()
    page.locator("summary", has_text="Explore this chart").first.click()
    page.locator(".gb-alive svg").first.wait_for()
    page.locator("form[data-md-component=palette] label:visible").click()
    assert page.evaluate("document.body.dataset.mdColorScheme") == "slate"
    page.locator(".md-search__input").click()
    page.locator(".md-search__input").fill("baseline")
    page.locator(".md-search-result__item").first.wait_for()
    assert _broken(page) == []
    page.keyboard.press("Escape")
    page.locator(".md-tabs__link", has_text="Rules").click()
    page.wait_for_url("**/rules.html")
    assert page.evaluate("document.body.dataset.mdColorScheme") == "slate"
    assert _broken(page) == []
    page.context.close()


@pytest.mark.browser
def test_a_site_opened_from_the_disk_works_under_its_policy(browser: Browser, committed_site: Path) -> None:
    page = _listening(browser)
    page.goto((committed_site / "index.html").as_uri())
    page.locator(".gb-filter").wait_for(state="hidden")  # its module cannot be loaded, so it goes
    page.goto((committed_site / "compare.html").as_uri())
    assert page.locator("#gb-compare").count() == 0, "no form that does nothing, and no room for one"
    page.goto((committed_site / "tasks/colonel-blotto.html").as_uri())
    head = page.locator("table[data-sortable] thead th", has=page.get_by_role("button")).first
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") is not None
    assert _broken(page) == []
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("markup", "rule"),
    [
        ("<script>window.ran = 1</script>", "script-src-elem"),
        ('<img src="gone.png" onerror="window.ran = 1">', "script-src-attr"),
        ('<script src="https://elsewhere.example/x.js"></script>', "script-src-elem"),
        ('<img src="https://elsewhere.example/x.png">', "img-src"),
        ("<style>body { display: none }</style>", "style-src-elem"),
        ('<link rel="stylesheet" href="https://elsewhere.example/x.css">', "style-src-elem"),
        ('<iframe src="https://elsewhere.example/"></iframe>', "frame-src"),
        ('<base href="https://elsewhere.example/">', "base-uri"),
        ('<object data="https://elsewhere.example/x"></object>', "object-src"),
    ],
)
def test_what_got_onto_a_page_all_the_same_does_not_run(
    browser: Browser, committed: str, committed_site: Path, markup: str, rule: str
) -> None:
    html = (committed_site / "data.html").read_text(encoding="utf-8").replace("</article>", f"{markup}</article>")

    def planted(route: Route) -> None:
        route.fulfill(body=html, content_type="text/html")

    page = _listening(browser)
    page.route("**/data.html", planted)
    page.goto(f"{committed}/data.html", wait_until="networkidle")
    assert any(found.startswith(rule) for found in _broken(page))
    assert page.evaluate("window.ran") is None
    assert page.locator("h1").is_visible()
    page.context.close()


@pytest.mark.browser
def test_text_never_becomes_code(browser: Browser, committed: str) -> None:
    page = _listening(browser)
    page.goto(f"{committed}/data.html", wait_until="networkidle")
    # As a timer's text: what a page's own script would do, not the test's, which stands above the policy.
    page.evaluate("() => { window.setTimeout('window.ran = 1', 0); }")
    page.wait_for_timeout(50)
    assert page.evaluate("window.ran") is None
    page.context.close()
