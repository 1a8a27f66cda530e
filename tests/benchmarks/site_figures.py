"""Every figure that the site must meet, target against measured. Arguments: numbers of entries (50 1000 10000).

Builds the site of a made-up board of each size (a season of thirteen tasks), then reads it in headless Chromium on
loopback. "4x" is with the processor throttled four times. Times of sorting and filtering go from the call to the end of
the next frame, so that an idle screen alone accounts for up to 17 ms; medians of seven. Bytes are gzipped as a server
would send them, whatever the page asks for before anybody touches it. `--keep FOLDER` builds there, and reuses what
lies there.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.benchmarks.synthetic_site import built
from tests.site.browser import chromium, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Response

SIZES = (50, 1000, 10_000)
WIDTHS = (360, 768, 1280, 1920)
RUNS = 7
OWN = ("assets/*.js", "assets/js/*.js")
WATCH = """new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput)
  window.gbShift = (window.gbShift ?? 0) + e.value; }).observe({type: 'layout-shift', buffered: true});
new MutationObserver((_, watch) => { if (document.querySelector('[data-board][data-ready]')) {
  window.gbReady = performance.now(); watch.disconnect();
  requestAnimationFrame(() => setTimeout(() => (window.gbShown = performance.now()))); } }).observe(document, {
  subtree: true, childList: true, attributes: true, attributeFilter: ['data-ready']});"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
READY = """async () => { while (!window.gbShown) await new Promise(done => setTimeout(done, 10));
  return [window.gbReady, window.gbShown]; }"""
TIMED = """async () => {{ const begun = performance.now(); {}; await new Promise(done =>
  requestAnimationFrame(() => setTimeout(done))); return performance.now() - begun; }}"""
SORT = "document.querySelector('#ranking-table [data-key={}]').click()"
FIND = """const field = document.querySelector('[name=find]'); field.value = '{}';
  field.dispatchEvent(new Event('input', {{bubbles: true}}))"""

SORTED = ("usd", "tokens", "aup", "agent", "usd", "date", "aup")
FOUND = ("g", "ge", "gem", "", "llama", "entry-0", "")


class Figure(NamedTuple):
    """One line. A limit of None: nothing is promised."""

    name: str
    measured: float
    limit: float | None
    unit: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--keep", type=Path)
    words = parser.parse_args()
    builds: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="gymboard-figures-") as work, chromium() as browser:
        for size in words.sizes:
            folder = (words.keep or Path(work)) / str(size)
            folder.mkdir(parents=True, exist_ok=True)
            builds[size] = built(size, folder)
            _print(f"{size:,} entries", [*_build(size, builds[size]), *_pages(browser, folder / "site", size)])
    if {1000, 10_000} <= builds.keys():
        kinds = {"build, warm": "warm", "build, one entry more": "more", "build, cold charts": "charts"}
        ratios = {name: builds[10_000][f"{k} site, s"] / builds[1000][f"{k} site, s"] for name, k in kinds.items()}
        _print("10,000 against 1,000 entries", [Figure(name, ratio, 11, "times") for name, ratio in ratios.items()])


def _print(title: str, figures: list[Figure]) -> None:
    print(f"{title:48}{'target':>10}{'measured':>12}")
    for name, measured, limit, unit in figures:
        verdict = "" if limit is None else "met" if measured <= limit else "MISSED"
        shown = "" if limit is None else f"{limit:g}"
        print(f"  {name:46}{shown:>10}{measured:>12.4g} {unit:6} {verdict}", flush=True)


def _build(size: int, took: dict[str, float]) -> list[Figure]:
    targets = {1000: (8.0, 3.0, None, 40.0), 10_000: (15.0, 15.0, 500.0, 300.0)}
    cold, warm, memory, megabytes = targets.get(size, (None, None, None, None))
    return [
        Figure("ranking before the build", took["warm score, s"], None, "s"),
        Figure("build, cold charts, cards and pages", took["charts site, s"], cold, "s"),
        Figure("build, one entry more: ranks, charts, tables", took["more site, s"], cold, "s"),
        Figure("build, everything cold, tables too", took["cold site, s"], None, "s"),
        Figure("build, warm: nothing has changed", took["warm site, s"], warm, "s"),
        Figure("peak memory with the ranking, warm", took["warm peak, MB"], memory, "MB"),
        Figure("the same, cold, with the processes beside it", took["cold peak, MB"], None, "MB"),
        Figure("of which the largest process, warm", took["warm largest process, MB"], None, "MB"),
        Figure("of which the largest process, cold", took["cold largest process, MB"], None, "MB"),
        Figure("site", took["warm site, MB"], megabytes, "MB"),
        Figure("of which pages of the entries", took["warm pages, MB"], None, "MB"),
        Figure("of which tables to download", took["warm tables, MB"], None, "MB"),
    ]


def _pages(browser: Browser, site: Path, size: int) -> list[Figure]:
    own = sum(len(gzip.compress(path.read_bytes())) for pattern in OWN for path in site.glob(pattern))
    with served(site) as address:
        home = f"{address}/index.html"
        return [
            *_load(browser, home, address),
            *_times(browser, home, size),
            *_shape(browser, home),
            Figure("own JavaScript, whole site", own / 1e3, 12, "KB gz"),
            Figure("rows of the ranking without JavaScript", *_plain(browser, home), "at least"),
        ]


@contextmanager
def _page(browser: Browser, width: int = 1280, slower: int = 1, **more: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": 900}, **more)
    page = context.new_page()
    if more.get("java_script_enabled", True):
        page.add_init_script(WATCH)
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    yield page
    context.close()


def _load(browser: Browser, home: str, address: str) -> list[Figure]:
    answers: list[Response] = []
    with _page(browser) as page:
        page.on("response", lambda answer: answers.append(answer))
        page.goto(home, wait_until="networkidle")
        sizes = {answer.url: len(gzip.compress(answer.body())) for answer in answers if answer.ok}
    foreign = sum(not url.startswith((address, "data:", "blob:")) for url in sizes)
    paints, readies = [], list[list[float]]()
    for _ in range(RUNS):
        with _page(browser, slower=4) as page:
            page.goto(home, wait_until="networkidle")
            paints.append(page.evaluate(PAINT) / 1e3)
            readies.append([value / 1e3 for value in page.evaluate(READY)])
    ready, shown = map(statistics.median, zip(*readies, strict=True))
    return [
        Figure("home, first load", sum(sizes.values()) / 1e3, 130, "KB gz"),
        Figure(
            "of which the rows of the ranking", sum(v for u, v in sizes.items() if "/boards/" in u) / 1e3, None, "KB gz"
        ),
        Figure("first paint, 4x", statistics.median(paints), 0.5, "s"),
        Figure("interactive, 4x", ready, 1.0, "s"),
        Figure("the frame after that, 4x", shown, None, "s"),
        *_thread(browser, home),
        Figure("requests to other origins", foreign, 0, ""),
    ]


def _thread(browser: Browser, home: str) -> list[Figure]:
    """What a load costs the page's main thread, in its own time: what else the machine does adds little to it."""
    spent = []
    for _ in range(RUNS):
        with _page(browser) as page:
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            page.goto(home, wait_until="networkidle")
            named = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
            spent.append([1e3 * named[f"{kind}Duration"] for kind in ("Task", "RecalcStyle", "Layout", "Script")])
    names = ("main thread while home loads", "of which styles", "of which layout", "of which scripts")
    medians = map(statistics.median, zip(*spent, strict=True))
    return [Figure(name, value, None, "ms") for name, value in zip(names, medians, strict=True)]


def _times(browser: Browser, home: str, size: int) -> list[Figure]:
    targets = {1000: (50.0, 100.0), 10_000: (60.0, 150.0)}.get(size, (None, None))
    figures = []
    for slower, limit in zip((1, 4), targets, strict=True):
        with _page(browser, slower=slower) as page:
            page.goto(f"{home}?sort=agent", wait_until="networkidle")
            sorts = [_timed(page, SORT.format(key)) for key in SORTED]
            finds = [_timed(page, FIND.format(word)) for word in FOUND]
        speed = f", {slower}x" if slower > 1 else ""
        figures += [
            Figure(f"sort{speed}", statistics.median(sorts), limit, "ms"),
            Figure(f"filter{speed}", statistics.median(finds), limit, "ms"),
        ]
    return figures


def _timed(page: Page, act: str) -> float:
    """Milliseconds from the act to the end of the next frame."""
    return float(page.evaluate(TIMED.format(act)))


def _shape(browser: Browser, home: str) -> list[Figure]:
    shifts, over, most = [], [], 0
    for width in WIDTHS:
        with _page(browser, width) as page:
            page.goto(home, wait_until="networkidle")
            shifts.append(page.evaluate("window.gbShift ?? 0"))
            over.append(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
            most = max(most, page.locator("*").count())
            page.evaluate("box => box.scrollTo(0, box.scrollHeight / 2)", page.query_selector("[data-board]"))
            page.wait_for_timeout(200)
            most = max(most, page.locator("*").count())
    return [
        Figure("elements on home, at most", most, 2000, ""),
        Figure("horizontal overflow, 360 to 1920 px", max(over), 0, "px"),
        Figure("layout shift, 360 to 1920 px", max(shifts), 0.01, ""),
    ]


def _plain(browser: Browser, home: str) -> tuple[float, float | None]:
    with _page(browser, java_script_enabled=False) as page:
        page.goto(home)
        return page.locator("#ranking-table tbody tr").count(), None


if __name__ == "__main__":
    main()
