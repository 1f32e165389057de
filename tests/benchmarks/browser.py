"""The app in headless Chromium against its budgets: bytes, waiting, frames per second, reruns.

Run: python tests/benchmarks/browser.py [--samples 20]
Starts the app itself, takes a few minutes, prints every figure beside its budget and exits with 1
if one is exceeded. Times are of this machine with this load: on two busy cores they say little.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from playwright.sync_api import BrowserType, Page, WebSocket, expect, sync_playwright

from pages.ui.pictures.payload import pack
from support.browser import Browsers, Visitors, idle, serve
from support.picture_demo import demo_picture

PAYLOADS = {500: 40, 5_000: 200, 50_000: 1_200}  # points: kB at 60 iterations, K = 5
WAIT = 120_000  # ms: on a busy machine everything comes late, but it comes
PLAYER = "document.querySelector('.emx').__player"

PLAY = f"""async (speed) => {{
  const root = document.querySelector('.emx'), player = {PLAYER};
  player.setView({{ speed }});
  player.seek(0);
  await new Promise((later) => setTimeout(later, 1500));
  const times = [], frames = new Set();
  const note = (event) => {{ times.push(performance.now()); frames.add(event.detail.frame); }};
  root.addEventListener('emx-painted', note);
  player.play();
  await new Promise((done) => {{
    const look = setInterval(() => {{
      if (!player.playing) {{ clearInterval(look); done(); }}
    }}, 50);
  }});
  root.removeEventListener('emx-painted', note);
  const late = times.slice(-52, -2);
  return [frames.size, player.frames, 49000 / (late.at(-1) - late[0])];
}}"""

# From the request to the next screen refresh after the frame was painted.
SCRUB = f"""async () => {{
  const player = {PLAYER}, times = [];
  for (let i = 0; i < 40; i++) {{
    await new Promise((later) => requestAnimationFrame(later));
    const start = performance.now();
    player.seek((i * 37) % player.frames, {{ settled: false }});
    await new Promise((later) => requestAnimationFrame(() => setTimeout(later)));
    times.push(performance.now() - start);
  }}
  return times;
}}"""

# When a page asked for its first run, and when the first frame was on the screen.
WATCH_OPENING = """
const Socket = WebSocket;
window.WebSocket = class extends Socket {
  send(message) {
    window.asked ??= performance.now();
    return super.send(message);
  }
};
document.addEventListener('emx-painted', () => {
  requestAnimationFrame(() => setTimeout(() => { window.shown ??= performance.now(); }));
}, true);
"""

# Milliseconds from a click on a button to the first frame of the run it starts.
CLICK_TO_PAINT = """(name) => new Promise((done) => {
  const root = document.querySelector('.emx'), run = root.dataset.run;
  const button = [...document.querySelectorAll('button')].find((b) => b.innerText.includes(name));
  const start = performance.now();
  root.addEventListener('emx-painted', function look() {
    if (root.dataset.run === run) return;
    root.removeEventListener('emx-painted', look);
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
  });
  button.click();
})"""

# When a slider was last moved by a key, and when a plot, a table or a sentence last changed.
WATCH_PANELS = """() => {
  const shown = ".js-plotly-plot, table, [data-testid=stMarkdown]";
  document.addEventListener("keydown", () => { window.moved = performance.now(); }, true);
  new MutationObserver((changes) => {
    const seen = changes.some(({ target }) => (target.parentElement ?? target).closest(shown));
    if (seen) window.redrawn = performance.now();
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""

# When Stop was clicked, and when the frame with the button that took its place was painted.
WATCH_STOP = """() => {
  document.addEventListener("click", (e) => { window.asked = e.timeStamp; }, { capture: true });
  window.stopped = 0;
  new MutationObserver((_, observer) => {
    const buttons = [...document.querySelectorAll("button")];
    if (!buttons.some((button) => button.innerText.includes("Go on"))) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.stopped = performance.now(); }));
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


class Report:
    """The figures measured, each beside its budget."""

    def __init__(self) -> None:
        self.exceeded = 0
        print(f"{'':58}{'measured':>12}{'budget':>12}")

    def at_most(self, what: str, value: float, budget: float, unit: str) -> None:
        self._line(what, value, f"<= {budget:g} {unit}", value <= budget)

    def at_least(self, what: str, value: float, budget: float, unit: str) -> None:
        self._line(what, value, f">= {budget:g} {unit}", value >= budget)

    def _line(self, what: str, value: float, budget: str, kept: bool) -> None:
        self.exceeded += not kept
        print(f"{what:58}{value:>12,.1f}   {budget:<16}{'' if kept else 'EXCEEDED'}", flush=True)


def link(url: str, n_rows: int, seed: int = 0, iterations: int = 60) -> str:
    """The Explore page on generated data; so small a tolerance that all iterations are run."""
    query = {"v": 1, "s": "generate", "g": "overlapping", "n": n_rows, "tk": 5, "k": 5}
    query |= {"d": max(500, n_rows), "tol": 1e-12, "it": iterations, "seed": seed}
    return f"{url}/?{urlencode(query)}"


def opened(page: Page, address: str) -> None:
    """The page at rest, its fit finished: a long one is shown while it runs."""
    page.set_default_timeout(WAIT)
    page.goto(address)
    page.wait_for_selector(".emx[data-axes]")
    page.wait_for_function(f"!{PLAYER}.picture.running")
    idle(page)


@contextmanager
def newcomer(chromium: BrowserType) -> Iterator[Visitors]:
    """Visitors whose browsers have never been here."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browsers = Browsers(chromium, Path(folder), briefly=False)
        yield Visitors(browsers)
        browsers.close()


def percentile_95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def measure_payloads(report: Report) -> None:
    for n_points, budget in PAYLOADS.items():
        picture = demo_picture(n_points)
        report.at_most(
            f"payload, {n_points:,} points x 60 iterations", len(pack(picture)) / 1000, budget, "kB"
        )


def measure_opening(report: Report, chromium: BrowserType, url: str, samples: int) -> None:
    """From the settings sent to the server, which runs the page for the first time."""

    def seconds(page: Page, seed: int) -> float:
        page.set_default_timeout(WAIT)
        page.add_init_script(WATCH_OPENING)
        page.goto(link(url, 500, seed))
        page.wait_for_function("window.shown")
        return page.evaluate("window.shown - window.asked") / 1000

    first = []
    for i in range(samples):
        with newcomer(chromium) as visitors:
            first.append(seconds(visitors.open(keep=False), i))
    report.at_most("first visit: settings to first frame, p95", percentile_95(first), 2.5, "s")
    with newcomer(chromium) as visitors:
        again = []
        for i in range(samples + 2):  # the first two fill the cache
            again.append(seconds(visitors.open(keep=False), samples + i))
            visitors.close()
    report.at_most(
        "plotly.js cached: settings to first frame, p95", percentile_95(again[2:]), 1, "s"
    )


def measure_second_run(report: Report, page: Page, url: str, samples: int) -> None:
    opened(page, link(url, 500))
    times = []
    for _ in range(samples):
        times.append(page.evaluate(CLICK_TO_PAINT, "Next seed") / 1000)
        idle(page)
    report.at_most(
        "second run on the same page: click to frame, p95", percentile_95(times), 0.3, "s"
    )


def measure_playing(report: Report, page: Page, url: str) -> None:
    for n_points in PAYLOADS:
        opened(page, link(url, n_points))
        shown, frames, pace = page.evaluate(PLAY, 1)
        report.at_least(f"{n_points:,} points at 1x: frames shown of {frames}", shown, frames, "")
        report.at_least(f"{n_points:,} points at 1x: late pace", pace, 18, "fps")
        _, _, pace = page.evaluate(PLAY, 3)
        report.at_least(f"{n_points:,} points at 3x: late pace", pace, 50, "fps")
        step = percentile_95(page.evaluate(SCRUB))
        report.at_most(f"{n_points:,} points: a scrub step, p95", step, 50, "ms")


def measure_reruns(report: Report, visitors: Visitors, url: str, server: int) -> None:
    """Reruns that have nothing to do with the picture, while it plays."""
    page = visitors.open(keep=False)
    received: list[int] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: received.append(len(frame)))

    page.on("websocket", listen)
    opened(page, link(url, 5_000))
    on = False

    def rerun() -> None:
        nonlocal on
        on = not on
        page.evaluate(f"{PLAYER}.setView({{ contours: {str(on).lower()} }})")
        page.wait_for_function(
            f"new URLSearchParams(location.search).has('dc') === {str(on).lower()}"
        )
        idle(page)

    rerun()  # a first change of the link also moves Streamlit's own caches
    rerun()
    page.evaluate(f"{PLAYER}.setView({{ speed: 0.5, loop: true }}); {PLAYER}.seek(0)")
    page.wait_for_timeout(1500)
    page.evaluate(f"{PLAYER}.play()")
    received.clear()
    cpu, reruns = cpu_seconds(server), 60
    for _ in range(reruns):
        rerun()
    used = cpu_seconds(server) - cpu
    report.at_most("an unrelated rerun sends, mean", sum(received) / reruns / 1000, 3, "kB")
    report.at_most("server CPU of a rerun, mean", 1000 * used / reruns, 15, "ms")
    report.at_least("playing after 60 reruns", page.evaluate(f"{PLAYER}.playing"), 1, "")
    painted = page.evaluate(f"{PLAYER}.painted")
    page.wait_for_function(f"{PLAYER}.painted > {painted + 3}")


def cpu_seconds(process: int) -> float:
    """Processor time of a process so far (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def server_process() -> int:
    """The app's server: the child of this process that runs Streamlit."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == os.getpid() and b"streamlit" in (folder / "cmdline").read_bytes():
                return int(folder.name)
        except OSError:
            continue
    raise RuntimeError("The app's server was not found")


def measure_stress(report: Report, page: Page, url: str) -> None:
    """Sixty reruns with a new picture each; the player must still answer afterwards."""
    opened(page, link(url, 500, iterations=10))
    for _ in range(60):
        page.get_by_role("button", name="Next seed").click()
        page.evaluate(f"{PLAYER}.act('toggle')")
    idle(page)
    page.wait_for_timeout(500)
    page.evaluate(f"{PLAYER}.act('start')")
    answered = page.evaluate("document.querySelector('.emx').dataset.frame") == "0"
    report.at_least("answers after 60 reruns with new pictures", answered, 1, "")


def measure_sliders(report: Report, page: Page, url: str, samples: int) -> None:
    """From the key that moves a slider of the page on the theory to its panel redrawn."""
    page.set_default_timeout(WAIT)
    for step in ("sum", "jensen", "forms", "steps", "climb", "weighted"):
        page.goto(f"{url}/theory?v=1&th={step}")
        page.get_by_role("slider").last.wait_for()
        idle(page)
        page.evaluate(WATCH_PANELS)
        times = []
        for i in range(samples):
            slider = page.get_by_role("slider").last
            slider.focus()
            slider.press("ArrowLeft" if i % 2 else "ArrowRight")
            page.wait_for_function("window.redrawn > window.moved")
            idle(page)
            page.wait_for_timeout(300)
            times.append(page.evaluate("window.redrawn - window.moved"))
        middle = statistics.median(times)
        report.at_most(f"theory, {step}: a slider's move redrawn, median", middle, 300, "ms")


def measure_stopping(report: Report, page: Page, url: str, samples: int) -> None:
    """From the click on Stop during 500 starts to the page that says how far they came."""
    times = []
    for seed in range(max(1, samples // 4)):
        asked = {"v": 1, "s": "generate", "g": "overlapping", "n": 5000, "tk": 6, "k": 8}
        asked |= {"ns": 500, "tol": 1e-9, "seed": seed, "cs": "k-means++"}
        page.goto(f"{url}/local_optima?{urlencode(asked)}", timeout=WAIT)
        expect(page.get_by_text("of 500 starts have ended")).to_be_visible()
        page.wait_for_timeout(1500 * (1 + seed))
        page.evaluate(WATCH_STOP)
        page.get_by_role("button", name="Stop").click()
        page.wait_for_function("window.stopped")
        times.append(page.evaluate("window.stopped - window.asked"))
    report.at_most("500 starts: from Stop to stopped, worst", max(times), 1000, "ms")


def measure(chromium: BrowserType, url: str, samples: int) -> int:
    report = Report()
    measure_payloads(report)
    measure_opening(report, chromium, url, samples)
    with newcomer(chromium) as visitors:
        measure_second_run(report, visitors.open(keep=False), url, samples)
        visitors.close()
        measure_playing(report, visitors.open(keep=False), url)
        visitors.close()
        measure_reruns(report, visitors, url, server_process())
        visitors.close()
        measure_stress(report, visitors.open(keep=False), url)
        visitors.close()
        measure_stopping(report, visitors.open(keep=False), url, samples)
        visitors.close()
        measure_sliders(report, visitors.open(keep=False), url, samples)
    problems = len(visitors.problems)
    report.at_most("requests to other machines, errors on the console", problems, 0, "")
    print(*visitors.problems, sep="\n")
    return report.exceeded


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=20)
    samples = parser.parse_args().samples
    expect.set_options(timeout=WAIT)
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(ROOT, Path(folder) / "log") as url,
        sync_playwright() as playwright,
    ):
        exceeded = measure(playwright.chromium, url, samples)
    print(f"load average {os.getloadavg()[0]:.1f}")
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main())
