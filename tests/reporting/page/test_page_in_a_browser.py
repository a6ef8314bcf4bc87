"""The page in a real browser: every width, both themes, nothing beside the screen, nothing on top of each other."""

import contextlib
import fcntl
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omnishot.progress import silent
from omnishot.reporting.page.page import make_page
from omnishot.reporting.results import choose_evaluations
from omnishot.store.store import Store

pytestmark = pytest.mark.slow

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
)  # fmt: skip
# The browser takes commands from descriptor 3 and answers on 4, which Popen cannot set.
ON_PIPES = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
SECONDS = 60


class Tab:
    """One page in a browser, driven by the DevTools protocol over a pipe."""

    def __init__(self, writer: int, reader: int) -> None:
        self._writer, self._reader, self._numbers = writer, reader, itertools.count(1)
        self._unread, self._session, self.events = b"", "", list[dict[str, Any]]()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._writer, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            received = os.read(self._reader, 1 << 20)
            assert received, "the browser ended"
            self._unread += received
        line, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def open(self, path: Path, *, width: int, theme: str) -> None:
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.call("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def value(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=f"({script})()", returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"]["value"]

    def press(self, key: str) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=9)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("needs a browser: none of " + ", ".join(NAMES) + " is installed")
    (to_read, to_write), (from_read, from_write) = os.pipe(), os.pipe()
    theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (to_read, from_write)]
    os.close(to_read)
    os.close(from_write)
    folder = f"--user-data-dir={tmp_path_factory.mktemp('browser')}"
    arguments = [sys.executable, "-c", ON_PIPES, *map(str, theirs), program, *OPTIONS, folder, "about:blank"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(arguments, pass_fds=theirs, stdout=quiet, stderr=quiet, stdin=quiet) as browser:
        for end in theirs:
            os.close(end)
        try:
            opened = Tab(to_write, from_read)
            yield opened
            with contextlib.suppress(AssertionError, OSError):
                opened.call("Browser.close")
            browser.wait(SECONDS)
        finally:
            browser.kill()
            os.close(to_write)
            os.close(from_read)


@pytest.fixture(scope="module")
def page(evaluated_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = Store(evaluated_store)
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(make_page(store, choose_evaluations(store, []), silent).html, "utf-8")
    return path


SIZES = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"

WIDER_THAN_ITS_PLACE = """() => [...document.querySelectorAll("main *, header *, nav *")]
  .filter(e => !e.closest(".scroll, svg") && getComputedStyle(e).display !== "inline")
  .filter(e => e.scrollWidth > e.clientWidth + 1)
  .map(e => e.outerHTML.slice(0, 120))"""

# Boxes of texts, shrunk by a pixel: letters do not fill their lines.
OVERLAPS = """() => {
  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.trim() || node.parentElement.closest("title, style, .skip")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const r of range.getClientRects())
      if (r.width > 2 && r.height > 2)
        boxes.push({text: node.data.trim().slice(0, 40), scroll: node.parentElement.closest(".scroll"),
                    l: r.left + 1, r: r.right - 1, t: r.top + r.height * 0.2, b: r.bottom - r.height * 0.2});
  }
  boxes.sort((a, b) => a.t - b.t);
  const found = [];
  for (let i = 0; i < boxes.length; i++)
    for (let j = i + 1; j < boxes.length && boxes[j].t < boxes[i].b; j++) {
      const a = boxes[i], b = boxes[j];
      // What scrolls within a region of its own lies beside it, out of sight.
      if (a.l < b.r && b.l < a.r && a.scroll === b.scroll) found.push([a.text, b.text]);
    }
  return found.slice(0, 5);
}"""

OUTSIDE_THEIR_PICTURE = """() => [...document.querySelectorAll("figure svg")].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter(text => {
    const r = text.getBoundingClientRect();
    return r.left < frame.left - 3 || r.right > frame.right + 3 || r.top < frame.top - 3 || r.bottom > frame.bottom + 3;
  }).map(text => text.textContent);
})"""

SMALLEST_LABEL = """() => Math.min(...[...document.querySelectorAll("figure svg text")].map(text => {
  const scale = text.getScreenCTM();  // Turned, for a label that stands upright.
  return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(scale.a, scale.b);
}))"""

GROUND = """() => getComputedStyle(document.body).backgroundColor"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 900, 1600])
def test_the_page_fits_at_every_width(tab: Tab, page: Path, width: int, theme: str) -> None:
    tab.open(page, width=width, theme=theme)
    needed, available = tab.value(SIZES)
    assert needed <= available
    assert tab.value(WIDER_THAN_ITS_PLACE) == []
    assert tab.value(OVERLAPS) == []
    assert tab.value(OUTSIDE_THEIR_PICTURE) == []
    assert tab.value(SMALLEST_LABEL) >= 9
    assert tab.value(GROUND) == {"light": "rgb(255, 255, 254)", "dark": "rgb(20, 24, 28)"}[theme]
    methods = [event["method"] for event in tab.events]
    assert not {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"} & set(methods), tab.events
    requests = [
        event["params"]["request"]["url"] for event in tab.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in requests if not url.startswith("data:")] == [page.as_uri()]


def test_the_keyboard_reaches_contents_and_everything_that_scrolls(tab: Tab, page: Path) -> None:
    tab.open(page, width=400, theme="light")
    reached, deadline = list[str](), time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        tab.press("Tab")
        name = tab.value("() => document.activeElement.getAttribute('href') || document.activeElement.className || ''")
        if not name:
            break
        reached.append(name)
        assert tab.value("() => parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
    assert reached[0] == "#content"
    links, regions = (tab.value(f"() => document.querySelectorAll('{what}').length") for what in ("nav a", ".scroll"))
    assert sum(name.startswith("#") for name in reached[1:]) == links >= 8
    assert reached.count("scroll") == regions >= 5
