"""Writes .github/LINKS.md, what a link may say: python tests/support/links.py, in the tree."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINKS = ROOT / ".github/LINKS.md"
HEAD = """# What a link may say

Behind the address and a `?`: what differs from the usual, as in
`?v=1&m=student-mixture&e=strays&k=3`. What cannot be used gives way to the nearest that can, and
the page says so. This table is made from `pages/ui/state/settings.py: Settings`, which drives the
widgets as well, by `python tests/support/links.py`; a test holds the two together.

`cs=several kinds` are many starts by the plan, which a visit without a link has. A link without
`cs` means the starts that were usual before there was the plan: `short runs`, and beside them the
first of the model on the page Local optima.

| key | what | values | usually |
|---|---|---|---|
"""


def written() -> str:
    """The whole file."""
    sys.path.insert(0, str(ROOT))
    from pages.ui.state import kinds
    from pages.ui.state.settings import FIELDS

    def values(kind) -> str:
        match kind:
            case kinds.Choice():
                return ", ".join(f"`{name}`" for name in kind.options)
            case kinds.Integer():
                return f"{kind.low:,} to {kind.high:,}"
            case kinds.Number():
                return f"{kind.low:g} to {kind.high:g}"
            case kinds.YesNo():
                return "1 or 0"
            case kinds.Text():
                return kind.meaning
        return type(kind).__doc__.splitlines()[0].rstrip(".")

    def usual(about) -> str:
        text = "" if about.default is None else about.kind.write(about.default)
        return f"`{text}`" if text else "what suits"

    lines = [
        f"| `{about.key}` | {about.label} | {values(about.kind)} | {usual(about)} |\n"
        for about in FIELDS.values()
    ]
    return HEAD + "".join(lines)


if __name__ == "__main__":
    LINKS.write_text(written(), encoding="utf-8")
