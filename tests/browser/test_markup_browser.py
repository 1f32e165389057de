"""Names are text everywhere: 200 payloads in column names, labels, cells and file names."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from support.browser import Visitors, idle
from support.explore import ready, step_to, upload

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ALL_NAMED = 25  # items, that each has a name beside the picture
N_TABLES = 4
TEMPLATES = [
    "<script>{run}</script>",
    "<img src=x onerror={run}>",
    "<img src='{evil}'>",
    "<svg onload={run}>",
    "<svg><script href='{evil}'/></svg>",
    "<iframe src='{evil}'></iframe>",
    "<a href='{evil}'>x</a>",
    "<a href='javascript:{run}'>x</a>",
    "<b onmouseover={run}>x</b>",
    "<style>@import '{evil}'</style>",
    "<link rel=stylesheet href='{evil}'>",
    "<body onload={run}>",
    "<details open ontoggle={run}>",
    "<input autofocus onfocus={run}>",
    "<video><source onerror={run}></video>",
    "<object data='{evil}'></object>",
    "<math><mi xlink:href='javascript:{run}'>x</mi></math>",
    "<meta http-equiv=refresh content='0;{evil}'>",
    "<form action='{evil}'><button>x</button></form>",
    '"><img src=x onerror={run}>',
    "'><script>{run}</script>",
    "</script><script>{run}</script>",
    "</style><script>{run}</script>",
    "</title><img src=x onerror={run}>",
    "--><script>{run}</script>",
    "&lt;img src=x onerror={run}&gt;",
    "![x]({evil})",
    "[x]({evil})",
    "[x](javascript:{run})",
    "<{evil}>",
    "{evil}",
    "$\\href{{{evil}}}{{x}}$",
    "$$\\includegraphics{{{evil}}}$$",
    "\\(\\href{{javascript:{run}}}{{x}}\\)",
    ":material/home: :red[x]",
    "`x` **x** # x",
    "{{{{constructor.constructor('{run}')()}}}}",
    "${{{run}}}",
    "%{{x}}<br><img src=x onerror={run}>",
    "<b>bold</b><sup>up</sup><span style='color:red'>x</span>",
]
EVIL = "http://evil.example/{number}"
PAYLOADS = [
    f"{number} {template.format(run=f'pwned({number})', evil=EVIL.format(number=number))}{ending}"
    for number, (template, ending) in enumerate(
        (template, ending) for ending in ("", " ", ";", "//", "\u200b") for template in TEMPLATES
    )
]


# Where in PAYLOADS are those that name the axes of a matrix of pairs, whole: one of every template.
DRAWN = [[40 * (n % 5) + 4 * n + place for place in range(4)] for n in range(10)]
OTHERS = sorted(set(range(len(PAYLOADS))).difference(*DRAWN[:N_TABLES]))


def of_table(number: int) -> list[str]:
    """Fifty payloads, those to be drawn first."""
    return [PAYLOADS[place] for place in DRAWN[number] + OTHERS[number::N_TABLES]]


# Anything of a payload that took effect.
TOOK_EFFECT = """() => {
  const found = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      for (const { name, value } of element.attributes) {
        if (name.startsWith("on") && value.includes("pwned")) found.push(element.outerHTML);
        if (["src", "href", "action", "data", "xlink:href"].includes(name)
            && /evil|javascript:/.test(value) && !value.startsWith("http://localhost")) {
          found.push(element.outerHTML);
        }
      }
      if (element.tagName === "SCRIPT" && /pwned/.test(element.textContent)) found.push("script");
      if (element.shadowRoot) visit(element.shadowRoot);
    }
  };
  visit(document);
  return found.slice(0, 3).concat(window.__pwned ?? []);
}"""


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def table(payloads: list[str]) -> bytes:
    """Numbers under every payload; one column of labels that are payloads too."""
    lines = [",".join(map(quoted, [*payloads, f"class {payloads[0]}"]))]
    for i in range(96):
        numbers = [f"{(i * (j + 3)) % 17 + i % 2 * 20}.5" for j in range(len(payloads))]
        lines.append(",".join([*numbers, quoted(payloads[i % 2 + 1])]))
    return "\n".join(lines).encode()


def items(payloads: list[str]) -> bytes:
    """Two kinds of rows of ones and zeros."""
    rng = np.random.default_rng(0)
    lines = [payloads]
    for i in range(300):
        likely = 0.2 + 0.6 * (np.arange(len(payloads)) % 2 == i % 2)
        lines.append([str(int(x)) for x in rng.random(len(payloads)) < likely])
    return "\n".join(",".join(map(quoted, line)) for line in lines).encode()


def words_only(payloads: list[str]) -> bytes:
    lines = [payloads, *[payloads] * 3, ["1", *payloads[1:]]]
    return "\n".join(",".join(map(quoted, line)) for line in lines).encode()


def nothing_took_effect(page: Page) -> None:
    assert page.evaluate(TOOK_EFFECT) == []


TELLS = "void (window.pwned = (n) => (window.__pwned = [n]))"


def attacked(page: Page, link: str) -> None:
    """Follow a link to a page that tells of payloads that ran; none is there before."""
    page.goto(link)
    page.evaluate(TELLS)


FEW = "k=2&kf=1&kt=2&ne=1&ns=4&cov2=diag&rp=15&cov=diag&cs=k-means%2B%2B"


@pytest.mark.parametrize("part", range(2))
def test_names_are_text_in_every_view(
    app: str, visitors: Visitors, part: int, tmp_path: Path
) -> None:
    """And on every page, and in what is taken away."""
    tables = [of_table(number) for number in range(N_TABLES)]
    assert len({payload for payloads in tables for payload in payloads}) == 200
    page = visitors.open()
    attacked(page, f"{app}/?v=1&s=table&ax=pairs&{FEW}")
    for number in range(part, N_TABLES, 2):
        in_every_view(page, tables[number])
        if number < 2:
            shown_alone(visitors, taken_away(page, tmp_path))
        on_other_pages(page, all_of_them=number < 2)
        not_used(page, tables[number])
    for places in DRAWN[N_TABLES + part :: 2]:
        in_a_picture(page, [PAYLOADS[place] for place in places])
    # Plotly's own, where it draws the axes of a small picture.
    visitors.problems[:] = [p for p in visitors.problems if "<text> attribute" not in p]


def test_every_name_is_text_on_an_axis(app: str, page: Page) -> None:
    attacked(page, f"{app}/?v=1&s=table&m=bernoulli-mixture&k=2&it=10")
    for first in range(0, len(PAYLOADS), ALL_NAMED):
        payloads = PAYLOADS[first : first + ALL_NAMED]
        upload(page, f"items {first}.csv", items(payloads))
        ticks = page.locator(".emx [class*=tick] text")
        expect(ticks.filter(has_text=re.compile(rf"^{first} ")).first).to_be_visible()
        idle(page)
        found = {text.split()[0] for text in ticks.all_text_contents()}
        assert found >= {payload.split()[0] for payload in payloads}
        box = page.locator('.emx-plot[data-plot="mixture"]').bounding_box()
        for share in (0.2, 0.4, 0.8):
            page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.4)
        nothing_took_effect(page)


def levels(payloads: list[str], numbers: bool) -> bytes:
    """Four groups of rows, with levels or numbers in them; payloads for names."""
    rng = np.random.default_rng(0)
    lines = [",".join(map(quoted, payloads[:3]))]
    for i in range(120):
        kind = i // 15 % 2
        cells = [payloads[4 + i // 30]]
        for _ in range(2):
            level = payloads[8 + int(rng.integers(3)) + 3 * kind]
            cells.append(f"{rng.normal(5 * kind):.2f}" if numbers else level)
        lines.append(",".join(map(quoted, cells)))
    return "\n".join(lines).encode()


def taken_away(page: Page, folder: Path) -> Path:
    """The animation of what is on screen, with the script that gives its numbers looked at."""
    page.get_by_text("Python that gives these numbers").click()
    expect(page.get_by_test_id("stCode")).to_be_visible()
    nothing_took_effect(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Animation (HTML)").click()
    saved = folder / "animation.html"
    download.value.save_as(saved)
    return saved


def shown_alone(visitors: Visitors, saved: Path) -> None:
    """An animation that was taken away, in a browser of its own."""
    page = visitors.open(keep=False)
    page.add_init_script(TELLS)
    page.route("http://localhost:9/**", lambda route: route.fulfill(path=saved))
    page.goto("http://localhost:9/animation.html")
    expect(page.locator(".emx[data-axes=drawn]")).to_be_visible()
    nothing_took_effect(page)
    page.close()


def test_levels_groups_and_what_collapsed_are_text(app: str, page: Page) -> None:
    attacked(page, f"{app}/?v=1&s=table&m=categorical-mixture&k=2")
    upload(page, "levels.csv", levels(of_table(2), numbers=False))
    ready(page)
    in_every_tab(page)
    upload(page, "numbers.csv", levels(of_table(2), numbers=True))
    for family in ("gaussian-hmm", "two-level"):
        step_to(page, f"{app}/?v=1&s=table&m={family}&k=2")
        in_every_tab(page)
    # What has collapsed is told by its rows and columns.
    step_to(page, f"{app}/?v=1&s=table&k=3&seed=1")
    payloads = of_table(3)
    twice = [payloads[:2], *([str(i), str(i % 3)] for i in (1, 1, 1, 1, 1, 5, 9, 7))]
    upload(page, "few.csv", "\n".join(",".join(map(quoted, row)) for row in twice).encode())
    expect(page.get_by_text("few.csv: 8 rows, 2 columns").first).to_be_visible()
    ready(page)
    nothing_took_effect(page)


def in_every_tab(page: Page) -> None:
    expect(page.locator(".emx[data-axes=drawn]")).to_be_visible()
    for tab in page.get_by_role("tab").all():
        tab.click()
        idle(page)
        nothing_took_effect(page)


def in_a_picture(page: Page, payloads: list[str]) -> None:
    """Of a new table, with what the page says of it."""
    number = payloads[3].split()[0]
    name = re.sub(r"[/\0]", " ", payloads[3])
    upload(page, f"{name}.csv", table(payloads))
    title = re.compile(rf"^{re.escape(number)} [\s\S]*\.csv: 96 rows")
    expect(page.get_by_test_id("stMain").get_by_text(title).first).to_be_visible()
    ready(page)
    expect(page.locator(".emx[data-axes=drawn]")).to_be_visible()
    nothing_took_effect(page)
    box = page.locator('.emx-plot[data-plot="mixture"]').bounding_box()
    for share in (0.3, 0.5, 0.7):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * share)


def in_every_view(page: Page, payloads: list[str]) -> None:
    """Of Explore that shows names."""
    in_a_picture(page, payloads)
    for tab in ("Covariances", "Points", "Known labels"):
        page.get_by_role("tab", name=tab).click()
        idle(page)
        nothing_took_effect(page)
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    idle(page)
    nothing_took_effect(page)
    page.keyboard.press("Escape")


def on_other_pages(page: Page, all_of_them: bool) -> None:
    """Through those that show names, and back."""
    others = (("How many?", "stands out"), ("The bound", "nats"), ("Relatives", "Hard EM"))
    for link, shown in (("Local optima", "Optima, best first"), *(others if all_of_them else ())):
        page.get_by_role("link", name=link).first.click()
        expect(page.get_by_text(shown).first).to_be_visible(timeout=60_000)
        idle(page)
        nothing_took_effect(page)
    page.get_by_role("link", name="Explore", exact=True).click()
    ready(page)


def not_used(page: Page, payloads: list[str]) -> None:
    """What cannot be used is told with its names, and with what is in its cells."""
    name = re.sub(r"[/\0]", " ", payloads[3])
    for content, words in ((b"\n", "is empty"), (words_only(payloads), "Choose one that can")):
        upload(page, f"{name} {words}.csv", content)
        expect(page.get_by_text(words).last).to_be_visible()
        idle(page)
        nothing_took_effect(page)
