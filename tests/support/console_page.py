"""The operators' page in headless Chromium, worked as an operator does: by clicks, by keys, and looked at."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from tests.support.chromium import Chromium, Page
from tests.support.pictures import Picture
from tests.support.waiting import wait_for

SEE_SECONDS = 40.0
MAX_TABS = 120
KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), " ": (32, " ")}


class ConsolePage(Page):
    """A context manager; `open` first."""

    def __init__(self, browser: Chromium) -> None:
        super().__init__(browser)
        self.send = self._send

    def open(self, url: str) -> None:
        self._send("Page.navigate", url=url)
        self.see("document.querySelector('#login') !== null", "the login")

    def see(self, expression: str, what: str) -> Any:
        """The expression's first true value."""
        return wait_for(lambda: self.evaluate(expression), SEE_SECONDS, what)

    def text(self, selector: str) -> str:
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent"))

    def click(self, selector: str) -> None:
        self.see(f"document.querySelector({json.dumps(selector)}) !== null", selector)
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def fill(self, selector: str, text: str) -> None:
        self.see(f"document.querySelector({json.dumps(selector)}) !== null", selector)
        self.evaluate(
            f"(e => {{ e.value = {json.dumps(text)}; e.dispatchEvent(new Event('input')) }})"
            f"(document.querySelector({json.dumps(selector)}))"
        )

    def login(self, name: str, password: str) -> None:
        self.fill("#name", name)
        self.fill("#password", password)
        self.click("#login button")

    # --- the keyboard alone

    def press(self, key: str) -> None:
        code, text = KEYS.get(key, (ord(key[0].upper()), key))
        down = {"key": key, "windowsVirtualKeyCode": code, "text": text}
        self._send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **down)
        self._send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def tab_to(self, selector: str) -> None:
        """Until this has the focus, and shows that it has."""
        self.see(f"document.querySelector({json.dumps(selector)}) !== null", selector)
        focused = f"document.activeElement?.matches({json.dumps(selector)})"
        for _ in range(MAX_TABS):
            if self.evaluate(focused):
                outline = "getComputedStyle(document.activeElement).outlineStyle"
                assert self.evaluate(outline) != "none", f"{selector}: nobody sees the focus"
                return
            self.press("Tab")
        raise AssertionError(f"the keyboard does not get to {selector}")

    def type(self, selector: str, text: str) -> None:
        """In place of what stands there."""
        self.tab_to(selector)
        self.evaluate("document.activeElement.select()")
        self._send("Input.insertText", text=text)

    # --- its looks

    def resize(self, width: int, height: int) -> None:
        """The window's inside, in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._send("Emulation.setDeviceMetricsOverride", **size)

    def screenshot(self) -> bytes:
        """All of the page, as PNG."""
        answer = self._send("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def prefer(self, scheme: str) -> None:
        """`light` or `dark`, as the operator's system says."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._send("Emulation.setEmulatedMedia", features=features)

    def picture(self, selector: str) -> Picture:
        """What the video in there shows now, small; black before it shows anything."""
        pixels = self.evaluate(PIXELS.replace("SELECTOR", json.dumps(f"{selector} video")))
        return np.array(pixels, dtype=np.uint8).reshape(36, 64, 3)

    def contrast(self, selector: str) -> float:
        """Of the text with the page's ground (WCAG 2.2, 1.4.3): 1 to 21; `selector` is an element or a class of one."""
        ratio: float = self.evaluate(CONTRAST.replace("SELECTOR", json.dumps(selector)))
        return ratio


PIXELS = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const video = document.querySelector(SELECTOR);
  if (video?.videoWidth) canvas.drawImage(video, 0, 0, 64, 36);
  return [...canvas.getImageData(0, 0, 64, 36).data].filter((_, at) => at % 4 < 3);
})()"""

CONTRAST = """(() => {
  const element = document.querySelector(SELECTOR);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (colour) => {
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((one) => {
      const part = one / 255; return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high, low] = [luminance(getComputedStyle(element).color), luminance(getComputedStyle(document.body).backgroundColor)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
})()"""
