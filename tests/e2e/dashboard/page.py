# SPDX-License-Identifier: LGPL-2.1-or-later
"""A page of the dashboard as a user has it before him: looked at, clicked and typed into."""

from harness.waiting import wait_until

WIDE, PHONE = (1440, 960), (360, 760)


class Page:
    def __init__(self, browser, address):
        self.browser = browser
        self.address = address
        self._expected = []
        self.look_at(*WIDE)

    def close(self):
        self.browser.get("about:blank")
        self.browser.get_log("browser")

    # How it is looked at

    def look_at(self, width, height, dark=False):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"}]})

    def open(self, place="", language="en"):
        """Opens it anew, as by its address, and waits until it is live and has nothing left to load."""
        self.browser.get(f"{self.address}/")
        self.run("localStorage.clear(); localStorage.setItem('understudy.language', arguments[0])", language)
        self.browser.get("about:blank")
        self.browser.get(f"{self.address}/{place}")
        self.wait_for("document.querySelector('.live-state.good')", "the page is live")
        self.wait_until_loaded()

    def go(self, place):
        """Goes on to another place in the page."""
        self.run("location.hash = arguments[0]", place)
        self.wait_until_loaded()

    def wait_until_loaded(self):
        self.wait_for("!document.querySelector('.loading, .old')", "everything is loaded")

    # What it shows

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def wait_for(self, expression, what):
        return wait_until(lambda: self.run(f"return {expression}"), what)

    def find(self, selector):
        return self.browser.find_elements("css selector", selector)

    def texts(self, selector):
        """The texts of all such elements, lines as spaces."""
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText.replace(/\\s+/g, ' ').trim())",
                        selector)

    def wait_for_text(self, selector, *words):
        """Waits for an element of which the text has all these words."""
        def shown():
            return next((text for text in self.texts(selector) if all(word in text for word in words)), None)
        return wait_until(shown, f"{selector} shows {words}")

    def count_nodes(self):
        return self.run("return document.querySelectorAll('*').length")

    # What is wrong with it

    def expect(self, *words):
        """Complaints with these words are no fault."""
        self._expected += words

    def complaints(self):
        return [entry["message"] for entry in self.browser.get_log("browser")
                if entry["level"] == "SEVERE" and not any(word in entry["message"] for word in self._expected)]
