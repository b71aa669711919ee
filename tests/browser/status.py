"""The agent's status page, as an operator with a browser meets it.

Drives a real Chromium against an agent that serves its status (`deploy/demo --up`), through every promise of the page:
a stop and a start show without a reload, a filter, a keyboard alone, no script, a narrow screen, light and dark, many
containers, an agent that does not answer; and asks axe-core what it finds.

It owns the browser and its profile, and stops and starts one container and cordons it, leaving it started and as it
was weighed. Exit status 0 if everything was as promised.
"""

import argparse
import base64
import copy
import pathlib
import subprocess
import sys
import time

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from portal import NARROW, RECORD_SECONDS, WIDE, browser, docker, fits, size

MANY = 300


class Checks:
    """The promises, in the order in which they are tried."""

    def __init__(self, arguments):
        self.url, self.container, self.screenshots = arguments.url, arguments.container, arguments.screenshots
        self.agent, self.state = arguments.agent, arguments.state
        self.axe = arguments.axe.read_text()

    def wait(self, driver, until):
        # A row is made anew when it changes, perhaps while it is read.
        return WebDriverWait(driver, RECORD_SECONDS, 0.1, [StaleElementReferenceException]).until(until)

    def opened(self, driver):
        size(driver, WIDE)
        driver.get(self.url)
        self.wait(driver, lambda it: it.find_element(By.ID, "rich").is_displayed())

    def shoot(self, driver, name, every=True):
        """Light and dark, wide and narrow; axe-core looks at every one, or at the last."""
        for theme in ("light", "dark"):
            feature = {"name": "prefers-color-scheme", "value": theme}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            for label, wide_and_high in (("wide", WIDE), ("narrow", NARROW)):
                size(driver, wide_and_high)
                fits(driver)
                shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
                (self.screenshots / f"status-{name}-{theme}-{label}.png").write_bytes(base64.b64decode(shot["data"]))
                if every or (theme, label) == ("dark", "narrow"):
                    self.accessible(driver, f"{name}, {theme}, {label}")
        size(driver, WIDE)

    def accessible(self, driver, where):
        driver.execute_script(self.axe)
        found = driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        assert found["passes"], "axe-core has not looked at anything"
        broken = [(it["id"], [node["html"] for node in it["nodes"]]) for it in found["violations"]]
        assert not broken, f"{where}: {broken}"

    def row(self, driver):
        rows = driver.find_elements(By.CSS_SELECTOR, "#containers > li")
        found = [row for row in rows if row.find_element(By.TAG_NAME, "h3").text == self.container]
        return found[0] if found else None

    def life(self, driver):
        """How the steps of the container's service stand; None where it is not shown, or has none."""
        row = self.row(driver)
        return [it.get_attribute("class") for it in row.find_elements(By.CSS_SELECTOR, ".life li")] if row else None

    def is_registered(self, driver):
        self.wait(driver, lambda it: self.life(it) == ["done"] * 4)
        assert driver.find_element(By.CSS_SELECTOR, "#health b").text == "ready"
        assert driver.title.startswith("ready: "), driver.title
        self.shoot(driver, "ready")

    def record_as_dig_shows_it(self, driver):
        details = self.row(driver).find_element(By.TAG_NAME, "details")
        details.find_element(By.TAG_NAME, "summary").click()
        assert " IN SRV 1 1 " in details.text and "dig @" in details.text, details.text
        # What is open stays so from look to look.
        time.sleep(5)
        assert self.row(driver).find_element(By.TAG_NAME, "details").get_attribute("open"), "it was closed again"

    def goes_and_comes_back(self, driver):
        driver.execute_script("window.notReloaded = true")
        docker("stop", self.container)
        try:
            self.wait(driver, lambda it: not self.life(it))
        finally:
            docker("start", self.container)
        self.wait(driver, lambda it: self.life(it) == ["done"] * 4)
        assert driver.execute_script("return window.notReloaded"), "the page was loaded anew"

    def weighed_by_hand(self, driver):
        """A cordon shows at the container and at the top, and goes with its end."""
        state = ["--state-dir", self.state]
        said = f"cordoned: container {self.container} ("
        subprocess.run([self.agent, "--cordon", self.container, "--for", "10m", *state], check=True)
        try:
            self.wait(driver, lambda it: said in it.find_element(By.ID, "health").text)
            self.wait(driver, lambda _: "0 by hand" in self.row(driver).text)
            self.shoot(driver, "cordoned")
        finally:
            subprocess.run([self.agent, "--uncordon", self.container, *state], check=True)
        self.wait(driver, lambda it: said not in it.find_element(By.ID, "health").text)
        self.wait(driver, lambda _: "by hand" not in self.row(driver).text)
        self.wait(driver, lambda it: self.life(it) == ["done"] * 4)

    def filters(self, driver):
        field = driver.find_element(By.ID, "filter")
        field.send_keys(self.container)
        shown = [row.text.splitlines()[0] for row in driver.find_elements(By.CSS_SELECTOR, "#containers > li")]
        assert len(shown) == 1 and self.container in shown[0], shown
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys("<img src=x onerror=alert(1)>")
        assert not driver.find_elements(By.CSS_SELECTOR, "#containers > li, img"), "it was found, or taken for markup"
        field.clear()
        field.send_keys(" ")

    def asks(self, driver):
        """What the page shows of the container's record, asked of the zone."""
        name = self.row(driver).find_element(By.CSS_SELECTOR, ".name").text
        driver.find_element(By.ID, "ask-name").send_keys(name, Keys.ENTER)
        answer = driver.find_element(By.ID, "ask-answer")
        self.wait(driver, lambda _: f"{name}. " in answer.text and " IN SRV 1 1 " in answer.text)
        driver.find_element(By.CSS_SELECTOR, "#zone-all summary").click()
        self.wait(driver, lambda it: " IN SOA " in it.find_element(By.ID, "zone-text").text)
        self.shoot(driver, "asked")

    def by_keyboard(self, driver):
        """Everything that can be done is reached with Tab, in the order of the page, and done with a key."""
        self.opened(driver)
        reached = []
        for _ in range(40):
            driver.switch_to.active_element.send_keys(Keys.TAB)
            active = driver.switch_to.active_element
            name = active.get_attribute("id") or active.tag_name
            outline = active.value_of_css_property("outline-style")
            assert active.tag_name == "body" or outline != "none", f"{name} does not show that it is reached"
            reached.append(name)
            if active.tag_name == "summary":
                was = active.find_element(By.XPATH, "..").get_attribute("open")
                active.send_keys(Keys.ENTER)
                assert active.find_element(By.XPATH, "..").get_attribute("open") != was, "Enter does nothing"
                break
        assert reached[-4:-1] == ["filter", "stuck", "all"] and reached[-1] == "summary", reached

    def many(self, driver):
        status = driver.execute_script("return last")
        one = next(it for it in status["containers"] if it["name"] == self.container)
        others = [dict(copy.deepcopy(one), id=f"{number:012x}", name=f"many-{number}") for number in range(MANY)]
        refused = {"state": "refused", "refused": "the zone is full", "retried_in": 540}
        others[0]["services"][0]["record"].update(refused)
        others[0]["services"][0]["life"][3].update(state="failed", why="the zone refused it: the zone is full")
        others[1]["waits_for"] = "its end: it was asked to stop"
        others[1].update(services=[], state="stopping")
        status["containers"] = others
        status["writer"]["refused"] = 1
        status.update(ready=False)
        for source in status["sources"]:
            if source["name"] == "docker":
                source.update(ready=False, reason="it closed the stream of events")
        status["stop"] = {"phase": "withdrawing", "over_in": 12.0, "left": 7}
        show = "const began = performance.now(); show(arguments[0]); return performance.now() - began"
        took = driver.execute_script(show, status)
        rows = driver.find_elements(By.CSS_SELECTOR, "#containers > li")
        assert len(rows) == MANY, len(rows)
        text = driver.find_element(By.ID, "health").text
        for words in ("not ready", "docker: it closed the stream", "7 records left", "refused 1 changes"):
            assert words in text, f"{words}: {text}"
        self.shoot(driver, "many", every=False)
        print(f"        {MANY} containers are shown in {took:.0f} ms", flush=True)

    def lost(self, driver):
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*status.json*"]})
        self.wait(driver, lambda it: it.find_element(By.ID, "lost").is_displayed())
        self.shoot(driver, "lost")
        driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
        self.wait(driver, lambda it: not it.find_element(By.ID, "lost").is_displayed())
        driver.get_log("browser")

    def console_is_clean(self, driver):
        severe = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
        assert not severe, f"on the console: {severe}"

    def with_script(self):
        with browser() as driver:
            self.opened(driver)
            yield "shows what is registered", lambda: self.is_registered(driver)
            yield "shows a record as dig does", lambda: self.record_as_dig_shows_it(driver)
            yield "shows a stop and a start without a reload", lambda: self.goes_and_comes_back(driver)
            yield "shows a weight by hand", lambda: self.weighed_by_hand(driver)
            yield "filters", lambda: self.filters(driver)
            yield "answers for its zone", lambda: self.asks(driver)
            yield "works by keyboard", lambda: self.by_keyboard(driver)
            yield "nothing on the console", lambda: self.console_is_clean(driver)
            yield "says that the agent does not answer", lambda: self.lost(driver)
            yield "shows many, and what is amiss", lambda: self.many(driver)
            yield "shows what there is again", lambda: self.wait(driver, lambda it: self.life(it) == ["done"] * 4)
            yield "nothing else on the console", lambda: self.console_is_clean(driver)

    def without_script(self):
        with browser(script=False) as driver:
            size(driver, NARROW)
            driver.get(self.url)
            yield "is read without a script", lambda: self.read_without_script(driver)

    def read_without_script(self, driver):
        text = driver.find_element(By.ID, "plain").text
        assert not driver.find_element(By.ID, "rich").is_displayed(), "the browser runs scripts"
        assert f"{self.container} " in text and "+registered" in text, text
        fits(driver)
        shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        (self.screenshots / "status-without-script.png").write_bytes(base64.b64decode(shot["data"]))


def main():
    parser = argparse.ArgumentParser(description="the status page in a real browser, of an agent that runs")
    parser.add_argument("url", help="the page's address")
    parser.add_argument("--container", default="ecssd-demo-calc-1", help="one with a service, to be stopped and started")
    parser.add_argument("--agent", type=pathlib.Path, required=True, help="the program that the agent is")
    parser.add_argument("--state", type=pathlib.Path, required=True, help="the agent's state directory")
    parser.add_argument("--axe", type=pathlib.Path, required=True, help="axe.min.js")
    parser.add_argument("--screenshots", type=pathlib.Path, default="screenshots", help="where they go")
    arguments = parser.parse_args()
    arguments.screenshots.mkdir(parents=True, exist_ok=True)
    checks = Checks(arguments)
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
