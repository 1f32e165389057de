"""Pictures saved by the player, and what is in them."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from playwright.sync_api import Page


def saved(page: Page, kind: str, folder: Path, **choices: str) -> Path:
    """The file that the player saves; choices: of an animation, by the labels of its dialog."""
    with page.expect_download(timeout=60_000) as waiting:
        page.get_by_label("Save", exact=True).select_option(kind)
        if kind in ("gif", "video"):
            dialog = page.get_by_role("dialog", name="Animation")
            for label, value in choices.items():
                field = dialog.get_by_label(label.replace("_", " "), exact=True)
                chosen = field.evaluate("field => field.tagName") == "SELECT"
                (field.select_option if chosen else field.fill)(value)
            dialog.get_by_role("button", name="Make it").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def shapes(drawing: Path) -> tuple[Counter, list[str]]:
    """The elements of an SVG file by their names, and its texts."""
    elements = [*ElementTree.parse(drawing).getroot().iter()]
    tags = Counter(element.tag.rpartition("}")[2] for element in elements)
    return tags, [element.text for element in elements if element.tag.endswith("}text")]
