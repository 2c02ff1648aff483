"""The page in a headless browser, at the widths of a phone and of a desktop."""

import shutil

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from pipeline.report import collect, study, write

from . import results

pytestmark = pytest.mark.browser

# Without these, Chromium asks its maker's hosts, and root may not run it.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# What is wider than the window and in no box that scrolls.
WIDER = """() => [...document.body.querySelectorAll('*')].filter(e =>
    !e.parentElement.closest('.box') && e.getBoundingClientRect().right > innerWidth + 1
).map(e => e.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def browser():
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("neither Chromium nor Chrome is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Two tasks, published figures, a long name, panels."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("results")
    given = results.streets(rng) | {f"codan/{n}": r for n, r in results.codan().items()}
    long = results.trained("long", seed=9)
    given["long"] = results.of(given["sci"], "sci@" + "a_very_long_name_of_weights" * 5, long)
    results.write(folder, given)
    (folder / "sci/images").mkdir()
    for index in range(3):
        picture = rng.integers(0, 255, (300, 1000, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"sci/images/{index:03}.png")
    page, *_ = write(study(collect(folder)), folder / "report", lambda *_: None)
    return page.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900)])
def test_it_fits_the_window_and_is_silent(browser, address, width, height, scheme):
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(WIDER) == []
    scrolls = page.evaluate("document.querySelector('.box').scrollWidth")
    assert scrolls > width or width == 1280
    shown = page.evaluate("[...document.images].map(one => one.naturalWidth)")
    assert len(shown) == 3
    assert all(size == 800 for size in shown)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 27)"
    )
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()
