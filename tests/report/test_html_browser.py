"""The page of a profile in a real browser: Chromium without a screen, where there is one."""

import shutil

import pytest

from eventsim.report.html import write

from .pages import subject

WIDTHS = {"phone": 390, "desktop": 1280}
_SECOND = 1000  # ms


@pytest.fixture(scope="module")
def browser():
    found = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        pytest.skip(f"there is no {' and no '.join(missing)} (Debian: apt install chromium chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = found["chromium"]
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(found["chromedriver"]))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    write(path, subject(name="left"), subject("12x9x2-30-20-10", name="right", seed=1))
    return path.as_uri()


@pytest.fixture(params=WIDTHS)
def opened(browser, address, request):
    """The page, as wide as a phone and as a desktop."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": WIDTHS[request.param], "height": 900, "deviceScaleFactor": 1, "mobile": request.param == "phone",
    })
    browser.get(address)
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_it_fits_loads_at_once_and_asks_for_nothing(opened):
    assert opened.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert opened.execute_script("return performance.getEntriesByType('resource').length") == 0
    took = opened.execute_script("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert 0 < took < _SECOND
    heights = opened.execute_script(
        "return [...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height).filter(h => h)")
    assert len(heights) > 100 and min(heights) > 8  # px: it can be read


def test_a_click_sorts(opened):
    def column(i):
        return opened.execute_script(
            "return [...document.querySelectorAll('.sortable tbody tr')].map(r => r.cells[arguments[0]].dataset.value)",
            i)

    head = opened.find_elements("css selector", ".sortable th")[1]
    before = column(1)
    opened.execute_script("arguments[0].click()", head)
    assert list(map(int, column(1))) == sorted(map(int, before), reverse=True) != list(map(int, before))
    opened.execute_script("arguments[0].click()", head)
    assert list(map(int, column(1))) == sorted(map(int, before))
    assert head.get_attribute("aria-sort") == "ascending"


def test_the_recording_plays_and_stops(opened):
    def drawn():
        return opened.execute_script(
            "const c = document.querySelector('canvas');"
            "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].join()")

    play, slider = (opened.find_element("css selector", css) for css in (".play", ".player input"))
    at = int(slider.get_property("value"))
    opened.execute_async_script("setTimeout(arguments[0], 300)")
    assert int(slider.get_property("value")) != at
    play.click()
    here = drawn()
    assert any(int(value) for value in here.split(","))
    stands = int(slider.get_property("value"))
    opened.execute_async_script("setTimeout(arguments[0], 200)")
    assert int(slider.get_property("value")) == stands
    opened.execute_script("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", slider,
                          (stands + 9) % 60)
    assert drawn() != here


def test_light_and_dark(opened):
    def paper():
        return opened.execute_script("return getComputedStyle(document.body).backgroundColor")

    before = paper()
    opened.find_element("id", "theme").click()
    assert paper() != before
    opened.find_element("id", "theme").click()
    assert paper() == before
