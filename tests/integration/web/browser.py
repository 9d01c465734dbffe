"""A real browser without a screen, and what it finds wrong with a page."""

import base64
import json
import shutil
import sysconfig
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException, WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

AXE = Path(sysconfig.get_path("purelib"), "axe_playwright_python", "axe.min.js")
"""axe-core, in the package that `make test` installs."""

PATIENCE = 20
"""Seconds that a page may take to show something on a busy machine."""

LEFT_PAGES = (StaleElementReferenceException,)
"""What reading an element raises when the browser goes to another page meanwhile."""


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing: install chromium and chromium-driver (make test does, for root)"
    return found


class Browser:
    """Debian's Chromium, driven by selenium; without `scripts` it runs none of the pages'."""

    def __init__(self, language: str = "en-US", dark: bool = False, phone: bool = False, scripts: bool = True) -> None:
        options = Options()
        options.binary_location = _program("chromium")
        width, height = (390, 844) if phone else (1280, 900)
        for argument in (
            "--headless=new",
            "--no-sandbox",  # tests may run as root
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--lang={language}",
            f"--window-size={width},{height}",
            *(["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else []),
        ):
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(_program("chromedriver")))
        self.driver.set_page_load_timeout(60)
        if phone:
            metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})

    def go(self, url: str) -> None:
        self.driver.get(url)

    @property
    def text(self) -> str:
        """What can be read on the page."""
        body: str = self.driver.find_element(By.TAG_NAME, "body").text
        return body

    def one(self, selector: str) -> Any:
        """The element of a CSS selector."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def fill(self, **fields: str) -> None:
        """Types into fields by their name, instead of what is there."""
        for name, text in fields.items():
            field = self.one(f'main [name="{name}"]')
            field.clear()
            field.send_keys(text)

    def choose(self, **fields: str) -> None:
        """Chooses options of lists by the lists' names and the options' texts."""
        for name, text in fields.items():
            Select(self.one(f'main [name="{name}"]')).select_by_visible_text(text)

    def value(self, name: str) -> str:
        """What a field holds now."""
        held: str = self.one(f'main [name="{name}"]').get_attribute("value")
        return held

    def beside(self, name: str) -> str:
        """What the page says is wrong beside a field, which it names to assistive technology too; empty for nothing."""
        field = self.one(f'main [name="{name}"]')
        if field.get_attribute("aria-invalid") != "true":
            return ""
        described = (field.get_attribute("aria-describedby") or "").split()
        problem: str = self.driver.find_element(By.ID, next(id_ for id_ in described if id_.endswith("-problem"))).text
        return problem

    def press(self, label: str) -> None:
        """Presses the button with this label, and waits for the next page."""
        before = self.one("html")
        self.driver.find_element(By.XPATH, f"//main//button[normalize-space(text())='{label}']").click()
        self.until(lambda: _is_gone(before), f"a page after {label}")

    def until(self, condition: Any, what: str) -> None:
        """Waits for something to be so; an element of a page that has just been left is looked for again."""
        WebDriverWait(self.driver, PATIENCE, 0.1, LEFT_PAGES).until(lambda _driver: condition(), f"waited for {what}")

    def reads(self, text: str) -> None:
        """Waits until a text can be read on the page."""
        try:
            self.until(lambda: text in self.text, text)
        except TimeoutException:
            raise AssertionError(f"{text!r} is not on {self.driver.current_url}:\n{self.text}") from None

    def errors(self) -> list[str]:
        """Complaints of the browser's console since the last call."""
        entries = self.driver.get_log("browser")
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def violations(self) -> list[str]:
        """What axe-core finds wrong on the page."""
        assert AXE.exists(), f"{AXE} is missing: make test fetches it with npm"
        self.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        self.driver.execute_script(AXE.read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations']}).then(r => done(JSON.stringify(r.violations)), "
            "e => done(JSON.stringify([{id: String(e), nodes: []}])))"
        )
        return [f"{one['id']}: {[node['html'][:200] for node in one['nodes']]}" for one in json.loads(found)]

    def screenshot(self, path: Path) -> None:
        """The whole page, however long."""
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        taken = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot",
            {
                "captureBeyondViewport": True,
                "clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 4000), "scale": 1},
            },
        )
        path.write_bytes(base64.b64decode(taken["data"]))

    def close(self) -> None:
        self.driver.quit()


def _is_gone(element: Any) -> bool:
    try:
        element.is_enabled()
    except WebDriverException:
        return True
    return False
