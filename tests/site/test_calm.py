"""While a page loads, what the theme's script does late is done already, and no style of it is computed twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import GymboardError
from scoring.publish.calm import calm
from tests.site.browser import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SWITCHING = "[data-md-color-switching] *,[data-md-color-switching] :after{transition-duration:0s!important}"
SCRIPT = 'let r=x("meta",{name:"theme-color"}),o=x("meta",{name:"color-scheme"});'


def theme(built: Path, style: str, script: str) -> Path:
    for name, text in (("stylesheets/palette.1.min.css", style), ("javascripts/bundle.1.min.js", script)):
        (built / "assets" / name).parent.mkdir(parents=True)
        (built / "assets" / name).write_text(text, encoding="utf-8")
    return built


def test_the_rest_of_the_themes_files_stays(tmp_path: Path) -> None:
    calm(theme(tmp_path, f"a{{b:c}}{SWITCHING}d{{e:f}}", SCRIPT))
    assert (tmp_path / "assets/stylesheets/palette.1.min.css").read_text() == "a{b:c}d{e:f}"
    kept = (tmp_path / "assets/javascripts/bundle.1.min.js").read_text()
    assert kept == 'let r=x("meta",{name:"theme-color"}),o=x("meta",{});'


@pytest.mark.parametrize(("style", "script"), [("a{b:c}", SCRIPT), (SWITCHING, "let o=1"), (SWITCHING, SCRIPT * 2)])
def test_a_theme_that_is_not_as_it_was_is_refused(tmp_path: Path, style: str, script: str) -> None:
    with pytest.raises(GymboardError, match="Did the theme change"):
        calm(theme(tmp_path, style, script))


@pytest.mark.browser
@pytest.mark.parametrize("page_name", ["index.html", "entries/reference-baseline.html"])
def test_a_reader_who_prefers_dark_sees_no_light_page_before_the_themes_script(
    browser: Browser, committed_site: Path, page_name: str
) -> None:
    with served(committed_site) as address:
        context = browser.new_context(color_scheme="dark")
        page = context.new_page()
        page.route("**/bundle.*.js", lambda route: route.abort())
        page.goto(f"{address}/{page_name}")
        assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
        assert page.locator("html").get_attribute("class") == "js js-focus-visible"
        assert page.locator("meta[name='color-scheme']").count() == 1
        context.close()
