"""Text from people and from files, made safe and whole for a page; numbers as people read them."""

import html
import math
import re

# What Markdown, LaTeX and Streamlit's own directives take for markup.
_MARKUP = set(r"\`*_{}[]()<>#+-.!|$~:")
MINUS = "\N{MINUS SIGN}"


# Addresses become links even where their characters are escaped: one that shows nothing, put
# into them, keeps them text.
_ADDRESS = re.compile(r"(?=://)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
_WORD_JOINER = "\N{WORD JOINER}"


def plain(text: str) -> str:
    """Text as text: nothing in it takes effect in Markdown."""
    text = _ADDRESS.sub(_WORD_JOINER, text)
    return "".join(f"\\{character}" if character in _MARKUP else character for character in text)


def counted(number: int, what: str) -> str:
    """A number of things: "1 row", "2,000 rows"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def sentence(text: object) -> str:
    """A message as a sentence, with a capital and a full stop."""
    words = str(text).strip()
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


def component_names(n_components: int, unit: str = "component") -> tuple[str, ...]:
    return tuple(f"{unit} {k + 1}" for k in range(n_components))


def percent(share: float, digits: int = 0) -> str:
    """A share from 0 to 1: "31 %"."""
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def nats(value: float, signed: bool = False) -> str:
    """A log-likelihood, or with its sign a gain, to as many digits as mean something."""
    size = abs(value)
    digits = 2 if size >= 1 or size == 0 else 4
    text = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    if size and size < 1e-3:
        text = f"{value:+.1e}" if signed else f"{value:.1e}"
    return text.replace("-", MINUS)


def cell(value: object) -> str:
    """A cell of a table in HTML: text as text, numbers to five digits."""
    if isinstance(value, str):
        return html.escape(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "missing"
    # Whole numbers, NumPy's among them, keep all their digits.
    text = f"{value:,.5g}" if isinstance(value, float) else f"{value:,}"
    return text.replace("-", MINUS)
