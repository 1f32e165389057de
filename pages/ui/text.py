"""Text from people and from files, made safe and whole for a page; numbers as people read them."""

import html
import json
import math
import re
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import pandas as pd

# What Markdown, LaTeX and Streamlit's own directives take for markup.
_MARKUP = set(r"\`*_{}[]()<>#+-.!|$~:")
MINUS = "\N{MINUS SIGN}"
INFINITE = "\N{INFINITY}"
# In place of a number: there is none in the data, or none that the data tell.
MISSING, NO_DATA = "missing", "no data"


# The bound touches the log-likelihood where it is no more than this share of it below.
TOUCH = 1e-12

# Addresses become links even where their characters are escaped: one that shows nothing, put
# into them, keeps them text.
_ADDRESS = re.compile(r"(?=://)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
_WORD_JOINER = "\N{WORD JOINER}"

# Numbers from 10 to the first of these powers to below the second are written out.
_POWERS_WRITTEN_OUT = -4, 15
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_IN_FORMULAS = str.maketrans(
    {MINUS: "-", INFINITE: r"\infty", "\N{MULTIPLICATION SIGN}": r"\times", ",": "{,}"}
)


def read_json(text: str | bytes, parse_int: Callable[[str], Any] | None = None) -> Any:
    """What a text says in JSON. Raises ValueError where it is none, or has halves of characters in
    it, which cannot be written down again; RecursionError where it is nested too deeply."""
    content = json.loads(text, parse_int=parse_int)
    json.dumps(content, ensure_ascii=False).encode()
    return content


def plain(text: str) -> str:
    """Text as text: nothing in it takes effect in Markdown, and it can be sent: of a name of a file
    that is no text what is none of it becomes question marks."""
    text = text.encode(errors="replace").decode()
    text = _ADDRESS.sub(_WORD_JOINER, text)
    return "".join(f"\\{character}" if character in _MARKUP else character for character in text)


def unmarked(text: str) -> str:
    """Text that was made for Markdown by `plain`, as it reads: without marks."""
    text = text.replace("**", "").replace(_WORD_JOINER, "")
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def counted(number: int, what: str) -> str:
    """A number of things: "1 row", "2,000 rows", "2 classes"."""
    return f"{number:,} {what if number == 1 else plural(what)}"


def shortened(name: str, most: int) -> str:
    """A name in at most so many characters: of a longer one its beginning and its end; of "item =
    level", as cells are called, the beginning of the item and most of the level."""
    if len(name) <= most:
        return name
    item, equals, level = name.rpartition(" = ")
    if equals:
        level = shortened(level, most * 3 // 5)
        return f"{item[: most - len(level) - len(equals) - 1].rstrip()}…{equals}{level}"
    last = most * 2 // 5
    return f"{name[: most - last - 1].rstrip()}…{name[-last:].lstrip()}"


def plural(what: str) -> str:
    return f"{what}es" if what.endswith("s") else f"{what}s"


def sentence(text: object) -> str:
    """A message as a sentence, with a capital and a full stop."""
    words = str(text).strip()
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


def name_columns(message: str, columns: Sequence[str]) -> str:
    """“column 2” becomes “column sepal width”."""

    def name(match: re.Match) -> str:
        number = int(match[2])
        known = 0 < number <= len(columns)
        return f"{match[1]}olumn “{columns[number - 1]}”" if known else match[0]

    return re.sub(r"\b([Cc])olumn (\d+)\b", name, message)


def told(message: object, columns: Sequence[str]) -> str:
    """What a model says, which knows columns by number, as a sentence for a page (Markdown)."""
    return plain(name_columns(sentence(message), columns))


def component_names(
    n_components: int, unit: str = "component", given: Sequence[str] = ()
) -> tuple[str, ...]:
    """What components are called, no two alike: as a person named them, "" being their number.

    given: their names; they are not of these components where there are more or fewer.
    """
    usual = tuple(f"{unit} {k + 1}" for k in range(n_components))
    if len(given) != n_components:
        return usual
    names: list[str] = []
    for name, number in zip(given, usual, strict=True):
        name = " ".join("".join(c if c.isprintable() else " " for c in name).split()) or number
        count, free = 2, name
        while free in names or (free in usual and free != number):
            count, free = count + 1, f"{name} ({count})"
        names.append(free)
    return tuple(names)


def percent(share: float, digits: int = 0) -> str:
    """A share from 0 to 1: "31 %"."""
    return f"{100 * abs(share):.{digits}f}\N{NO-BREAK SPACE}%"


def number(value: float, digits: int = 5, signed: bool = False) -> str:
    """A number as people read it, alike in every table and sentence: 12,821 and 0.0012 and ∞.

    Integers keep all their digits. Others have so many significant `digits`, or as many as their
    whole part takes, and no zeros at the end; below 0.0001 and from 10^15 on, a power of ten.
    """
    sign = "+" if signed else ""
    if isinstance(value, Integral):
        text = f"{value:{sign},}"
    elif math.isnan(value):
        return MISSING
    elif math.isinf(value):
        text = f"{value:{sign}}".replace("inf", INFINITE)
    else:
        mantissa, _, power = f"{value:{sign}.{digits - 1}e}".partition("e")
        low, high = _POWERS_WRITTEN_OUT
        if value == 0:
            text = "0"
        elif low <= int(power) < high:
            text = _trimmed(f"{value:{sign},.{max(digits - 1 - int(power), 0)}f}")
        else:
            raised = str(int(power)).translate(_RAISED)
            text = f"{_trimmed(mantissa)} \N{MULTIPLICATION SIGN} 10{raised}"
    return text.replace("-", MINUS)


def formula(value: float, digits: int = 5) -> str:
    """`number` within a formula, in LaTeX."""
    mantissa, times, power = number(value, digits).translate(_IN_FORMULAS).partition(r"\times 10")
    return f"{mantissa}{times}^{{{power.translate(_LOWERED)}}}" if power else mantissa


def summands(*values: float, decimals: int = 6) -> list[str]:
    """Numbers of one sum: all with so many decimals, so that it can be checked."""
    return [f"{value:,.{decimals}f}".replace("-", MINUS) for value in values]


def terms(*values: float, decimals: int = 6) -> list[str]:
    """`summands` within a formula, in LaTeX."""
    return [text.translate(_IN_FORMULAS) for text in summands(*values, decimals=decimals)]


def _trimmed(text: str) -> str:
    """Without zeros at the end of what follows the point."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def nats(value: float, signed: bool = False) -> str:
    """A log-likelihood, or with its sign a gain, to as many digits as mean something."""
    size = abs(value)
    if 0 < size < 1e-3 or not math.isfinite(value):
        return number(float(value), 2, signed)
    value = value or 0.0  # without the sign of -0.0
    digits = 2 if size >= 1 or size == 0 else 4
    text = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    return text.replace("-", MINUS)


def gap(step) -> str:
    """KL(q || posterior) after a half-step, in nats: 0 where q is the posterior, up to rounding."""
    touches = step.kl <= TOUCH * max(abs(step.log_likelihood), 1.0)
    return "0" if touches else nats(step.kl)


def cell(value: Any) -> str:
    """A cell of a table in HTML: numbers as `number` writes them, all else as text."""
    if isinstance(value, Real) and not isinstance(value, bool):
        return number(float(value) if not isinstance(value, Integral) else value)
    return MISSING if pd.isna(value) else html.escape(str(value))
