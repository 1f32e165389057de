"""Bringing a table and sharing its link, in a browser."""

import re

import numpy as np
from playwright.sync_api import Page, expect

from support.browser import idle
from support.explore import follow, ready, upload

CLIPBOARD = ["clipboard-read", "clipboard-write"]


def rows(count: int, seed: int = 0) -> bytes:
    values = np.random.default_rng(seed).normal(size=(count, 2))
    values[::2] += 5
    return ("width,height\n" + "\n".join(f"{x!r},{y:.2f}" for x, y in values.tolist())).encode()


def bring(page: Page, app: str, content: bytes, name: str = "mine.csv") -> None:
    follow(page, f"{app}/?v=1")
    page.get_by_text("Table", exact=True).click()
    upload(page, name, content)
    expect(page.get_by_text(re.compile(rf"^{name}: ")).first).to_be_visible()
    # Every finished fit leaves its fingerprint in the address.
    page.wait_for_url(re.compile(r"s=table.*[?&]r="))
    ready(page)


def copied(page: Page, label: str) -> str:
    page.get_by_role("button", name=label, exact=True).click()
    expect(page.get_by_role("status").filter(has_text="copied").last).to_be_visible()
    return page.evaluate("navigator.clipboard.readText()")


def share(page: Page) -> None:
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    idle(page)


def shared_table(page: Page, app: str) -> None:
    """Bring a table too large for a link, have it stored, and leave the dialog open."""
    bring(page, app, rows(400))
    expect(page.get_by_text("The table is too large for the link.")).to_be_visible()
    share(page)
    dialog = page.get_by_role("dialog")
    for word in ("What is stored", "Until when", "Who can see it"):
        expect(dialog.get_by_text(f"{word}:")).to_be_visible()
    assert "sh=" not in page.url, "stored only when asked to"
    store_table(page)


def store_table(page: Page) -> None:
    """In the dialog that is open."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Store the table").click()
    expect(dialog.get_by_text("is stored on this server until")).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]sh=[\w-]{24}"))
