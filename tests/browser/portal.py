"""The portal, as somebody with a browser meets it.

Drives a real Chromium against a demo that is up (`deploy/demo --up`), through every promise of the page: answers,
which container gave them, friendly errors, a service that goes and comes back, no script, a narrow screen.

It owns the browser and its profile, and stops and starts the demo's calc containers, leaving them started. Bringing
the demo up and down is its caller's. Exit status 0 if everything was as promised.
"""

import argparse
import base64
import contextlib
import datetime
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

# As root, without a network, without a screen.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = (1280, 900)
NARROW = (390, 844)
# Longer than the portal's own patience with DNS and a service together.
ANSWER_SECONDS = 15
# From a container's start to its record, with a margin for a busy machine.
RECORD_SECONDS = 30
SHORT_ID = re.compile(r"\b[0-9a-f]{12}\b")


@contextlib.contextmanager
def browser(script=True):
    """A Chromium with a new, empty profile."""
    with tempfile.TemporaryDirectory(prefix="ecssd-browser-", ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = shutil.which("chromium")
        for flag in [*FLAGS, f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        if not script:
            forbid = {"profile.managed_default_content_settings.javascript": 2}
            options.add_experimental_option("prefs", forbid)
        # With both programs named, selenium has nothing to look for in the network.
        driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
        try:
            driver.set_page_load_timeout(ANSWER_SECONDS)
            yield driver
        finally:
            driver.quit()


class Box:
    """One of the two boxes: an input, a button, an answer."""

    def __init__(self, driver, name):
        self.driver, self.name = driver, name

    def part(self, part):
        return self.driver.find_element(By.ID, f"{self.name}-{part}")

    def ask(self, question):
        """Types it, presses the button, and waits: the state of the answer, and what it shows."""
        # What is there from before would pass for the answer. With a script it is replaced in place, without one
        # the page is a new one: a mark that only the old answer has tells in both cases.
        self.driver.execute_script("arguments[0].dataset.state = 'asked'", self.part("answer"))
        field = self.part("input")
        field.clear()
        field.send_keys(question)
        self.part("go").click()
        waiting = WebDriverWait(self.driver, ANSWER_SECONDS, 0.05, ignored_exceptions=[Exception])
        waiting.until(lambda _: self.part("answer").get_attribute("data-state") in ("ok", "error"))
        return self.part("answer").get_attribute("data-state"), self.part("answer").text

    def answers(self, question, wanted):
        state, text = self.ask(question)
        assert state == "ok", f"{self.name} of {question!r}: {text}"
        assert text.splitlines()[0] == wanted, f"{self.name} of {question!r}: {wanted!r} wanted, not {text!r}"
        return text

    def refuses(self, question):
        state, text = self.ask(question)
        assert state == "error", f"{self.name} of {question!r} should be an error: {text}"
        assert text.strip(), "an error without a word"
        friendly(text)
        return text


def friendly(text):
    for word in ("panicked", "Some(", "Err(", "os error", "undefined", "[object"):
        assert word not in text, f"{word!r} is nothing to show to a user: {text}"


def docker(*arguments):
    run = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True, timeout=60)
    return run.stdout.split()


def containers(service, *which):
    return docker("ps", "--quiet", *which, "--filter", f"name=ecssd-demo-{service}-")


def size(driver, wide_and_high):
    width, height = wide_and_high
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def fits(driver):
    shown = driver.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert shown[0] <= shown[1], f"the page is {shown[0]} wide on a screen of {shown[1]}"


def console_is_clean(driver):
    """No errors of the page. An error status of the API is an answer; Chromium notes it all the same."""
    for entry in driver.get_log("browser"):
        if entry["level"] == "SEVERE" and not (entry["source"] == "network" and "/api/" in entry["message"]):
            raise AssertionError(f"on the console: {entry['message']}")


class Checks:
    """The promises, in the order in which they are tried."""

    def __init__(self, url, screenshots):
        self.url, self.screenshots = url, screenshots

    def shoot(self, driver, name):
        for label, wide_and_high in (("wide", WIDE), ("narrow", NARROW)):
            size(driver, wide_and_high)
            fits(driver)
            # All of the page, and not only what a screen shows of it.
            shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
            (self.screenshots / f"{name}-{label}.png").write_bytes(base64.b64decode(shot["data"]))
        size(driver, WIDE)

    def opened(self, driver):
        size(driver, WIDE)
        driver.get(self.url)
        return Box(driver, "time"), Box(driver, "calc")

    def answers(self, driver, time_box, calc):
        self.shoot(driver, "idle")
        calc.answers("(2+2)*3", "12")
        calc.answers("1+1", "2")
        year = datetime.datetime.now(datetime.timezone.utc).year
        time_box.answers("2006", str(year))
        self.shoot(driver, "answers")

    def says_who_answered(self, box):
        # One found in the text must be one that runs; the other service's, or a stale one, would not do.
        found = SHORT_ID.findall(box.answers(*{"calc": ("6*7", "42"), "time": ("MST", "UTC")}[box.name]))
        running = containers(box.name)
        assert any(short in running for short in found), f"{found} answered; {running} run"

    def both_answer(self, calc):
        """By turns, drawn by weight: of 40 answers all come from one with a chance of one in a trillion."""
        seen = set()
        for _ in range(40):
            seen.update(SHORT_ID.findall(calc.answers("6*7", "42")))
            if seen.issuperset(containers("calc")):
                return
        raise AssertionError(f"only {seen} ever answered; {containers('calc')} run")

    def bad_formula(self, driver, calc):
        text = calc.refuses("2*(3+")
        assert re.search(r"\bposition \d+|\bcharacter \d+", text), f"it should say where: {text}"
        self.shoot(driver, "bad-formula")
        text = calc.refuses("<b>2</b>")
        assert not driver.find_elements(By.CSS_SELECTOR, "#calc-answer b:not([data-slot])"), "markup is markup"
        calc.answers("2*(3+4)", "14")

    def goes_and_comes_back(self, driver, time_box, calc):
        stopped = containers("calc")
        docker("stop", *stopped)
        try:
            text = calc.refuses("1+1")
            assert "_calc._tcp" in text, f"it should say what it looked for: {text}"
            self.shoot(driver, "no-calc")
            year = datetime.datetime.now(datetime.timezone.utc).year
            time_box.answers("2006", str(year))
        finally:
            docker("start", *stopped)
        deadline = time.monotonic() + RECORD_SECONDS
        while calc.ask("1+1")[0] != "ok":
            assert time.monotonic() < deadline, f"not found again in {RECORD_SECONDS} s: {calc.part('answer').text}"
            time.sleep(0.2)
        calc.answers("1+1", "2")

    def with_script(self):
        with browser() as driver:
            time_box, calc = self.opened(driver)
            yield "answers", lambda: self.answers(driver, time_box, calc)
            yield "says which calc answered", lambda: self.says_who_answered(calc)
            yield "says which time answered", lambda: self.says_who_answered(time_box)
            yield "both copies answer", lambda: self.both_answer(calc)
            yield "explains a bad formula", lambda: self.bad_formula(driver, calc)
            yield "stays up without calc", lambda: self.goes_and_comes_back(driver, time_box, calc)
            yield "nothing on the console", lambda: console_is_clean(driver)

    def without_script(self):
        with browser(script=False) as driver:
            time_box, calc = self.opened(driver)
            yield "the script is off", lambda: self.script_is_off(driver)
            yield "answers without a script", lambda: self.answers_without_script(driver, time_box, calc)
            yield "nothing on the console without a script", lambda: console_is_clean(driver)

    def script_is_off(self, driver):
        driver.get("data:text/html,<title>off</title><script>document.title = 'on'</script>")
        title = driver.title
        driver.get(self.url)
        assert title == "off", "the browser runs scripts, so that this shows nothing"

    def answers_without_script(self, driver, time_box, calc):
        calc.answers("(2+2)*3", "12")
        calc.answers("1+1", "2")
        text = calc.refuses("2*(3+")
        assert re.search(r"\bposition \d+|\bcharacter \d+", text), f"it should say where: {text}"
        assert calc.part("input").get_attribute("value") == "2*(3+", "what was typed is there to be corrected"
        time_box.answers("2006", str(datetime.datetime.now(datetime.timezone.utc).year))
        self.shoot(driver, "without-script")


def main():
    parser = argparse.ArgumentParser(description="the portal in a real browser, against a demo that is up")
    parser.add_argument("url", help="the portal's address")
    parser.add_argument("--screenshots", type=pathlib.Path, default="screenshots", help="where they go")
    arguments = parser.parse_args()
    arguments.screenshots.mkdir(parents=True, exist_ok=True)
    checks = Checks(arguments.url, arguments.screenshots)
    failed = 0
    for part in (checks.with_script(), checks.without_script()):
        for what, check in part:
            started = time.monotonic()
            try:
                check()
                print(f"ok      {what} ({time.monotonic() - started:.1f} s)", flush=True)
            except Exception as error:
                failed += 1
                print(f"FAILED  {what}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
