"""Driving the Explore page in a browser: what its journeys share."""

import re

from playwright.sync_api import Page, expect

from support.browser import idle

STATUS = re.compile(r"Converged after (\d+) iterations?.*Log-likelihood .?[\d,.]+ nats")


def ready(page: Page) -> Page:
    """Wait for a finished picture and a page at rest."""
    expect(page.locator(".emx[data-frame]")).to_be_visible()
    page.wait_for_function("document.querySelector('.emx')?.__player?.picture?.running === false")
    idle(page)
    return page


def follow(page: Page, link: str) -> Page:
    page.goto(link)
    return ready(page)


def step_to(page: Page, link: str) -> Page:
    """To another link of Explore as Back and Forward do: without another load of the page."""
    idle(page)
    page.evaluate(
        """link => {
          history.pushState(history.state, "", link);
          dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
        }""",
        link,
    )
    # Every finished fit leaves its fingerprint in the address.
    page.wait_for_url(re.compile("[?&]r="), timeout=60_000)
    return ready(page)


def status(page: Page) -> str:
    return page.get_by_text(STATUS).first.inner_text()


def upload(page: Page, name: str, content: bytes) -> None:
    page.locator("input[type=file]").set_input_files(
        files=[{"name": name, "mimeType": "application/octet-stream", "buffer": content}]
    )
