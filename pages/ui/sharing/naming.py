"""What a fit, and what is taken away of it, is called."""

from __future__ import annotations

import re
import unicodedata

from em_core import HalfStep
from pages.ui.families.table import family_of
from pages.ui.pictures.picture import Picture
from pages.ui.state.beginnings import method_of
from pages.ui.state.settings import FIELDS, Settings
from pages.ui.tables.table import Table
from pages.ui.text import counted

# What the name of a table, or of a column, may take of a file's name: characters, and bytes, of
# which systems take 255.
LONGEST_PART, MOST_BYTES, MOST_BYTES_MORE = 40, 120, 40


def half_step(step: HalfStep) -> str:
    """ "start", "E-step 4", "M-step 4" or "leap 4"."""
    if step.is_leap:
        return f"leap {step.iteration}"
    return "start" if step.phase == "start" else f"{step.phase}-step {step.iteration}"


def title(settings: Settings, table: Table) -> str:
    """The data and the model, as a heading."""
    words = [family_of(settings).heading, *_size(settings), *_structure(settings)]
    return f"{table.name}: {', '.join(words)}"


def opening(settings: Settings) -> str:
    """How a run begins, as a sentence."""
    method = method_of(settings)
    if method == "means":
        return "Start: hand-placed means."
    if method == "parameters":
        return "Start: explicit parameters."
    return f"Start: {method}, seed {settings.seed}."


def named(picture: Picture, settings: Settings, table: Table, *more: str) -> Picture:
    """The picture with what it is called once it is taken away, `more` in its file's name."""
    return picture._replace(
        title=title(settings, table),
        opening=opening(settings),
        file=stem(settings, table.name, *more),
    )


def stem(settings: Settings, table: str, *more: str) -> str:
    """What files of a fit begin with: the name of the table, model, size and start, then `more`."""
    name = re.sub(r"\.[a-z0-9]{1,8}$", "", table, flags=re.IGNORECASE)
    begins = method_of(settings)
    if begins not in ("means", "parameters"):
        begins = f"seed {settings.seed}"
    words = [_cut(name, MOST_BYTES) or "table", settings.family]
    words += [*_structure(settings), *_size(settings), begins]
    return slug(*words, *(_cut(word, MOST_BYTES_MORE) for word in more))


def _cut(name: str, most: int) -> str:
    return slug(slug(name)[:LONGEST_PART].encode()[:most].decode(errors="ignore"))


def _size(settings: Settings) -> tuple[str, ...]:
    """How large the model is: "3 components"."""
    family = family_of(settings)
    if family.size is None:
        return ()
    what = family.unit or FIELDS[family.size].label.lower().removesuffix("s")
    return (counted(getattr(settings, family.size), what),)


def _structure(settings: Settings) -> tuple[str, ...]:
    """How constrained it is: "full", or "2 factors"."""
    family = family_of(settings)
    if family.structure is None:
        return ()
    value = getattr(settings, family.structure)
    return (value,) if isinstance(value, str) else (counted(value, "factor"),)


def slug(*words: str) -> str:
    """Words as part of a file name that every system takes: letters, digits and hyphens."""
    letters = (unicodedata.normalize("NFKC", word) for word in words)
    return "-".join(filter(None, (re.sub(r"[^\w]+", "-", text).strip("-_") for text in letters)))
