"""Which words are units of measurement."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CURRENCIES = _words(
    "€ $ £ ¥ ₹ ₽ ₩ ₺ ₪ US$ A$ C$ HK$ EUR USD GBP CHF JPY CNY INR AUD CAD NZD SEK NOK DKK PLN "
    "CZK HUF RUB BRL MXN ZAR KRW TRY Fr. kr kr. zł Rs Rs. ₨"
)
# Parts of a whole.
_SHARES = _words("% ‰ ppm ppb")
_PREFIXED = _words("m g s A K mol Hz N Pa J W V F Ω ohm S T L l eV cal B bar M t")
_PREFIXES = _words("k M G T c d m µ μ u n p h da") | {""}
_OTHERS = _words(
    "° deg rad °C °F °K ℃ ℉ C degC degF degT min mn h hr hrs d dy a y yr yrs mo day days hour "
    "hours week weeks month months year years sec mins minutes seconds atm mmHg psi lb lbs oz in "
    "inch inches ft yd mi mile miles mph kn nmi ha ac U IU dB dBm px pt rpm bpm pH count counts n "
    "persons people pcs points score"
)
_UNITS = {f"{prefix}{unit}" for prefix in _PREFIXES for unit in _PREFIXED}
_UNITS |= _OTHERS | _SHARES | CURRENCIES
# Words for one unit, however it is written.
_ALIKE = {
    word: words.split()[0]
    for words in (
        "°C C degC ℃", "°F degF ℉", "K °K", "° deg", "in inch inches", "mi mile miles", "lb lbs",
        "s sec seconds", "min mn mins minutes", "h hr hrs hour hours", "d dy day days",
        "week weeks", "mo month months", "y a yr yrs year years", "U IU", "l L", "count counts",
        "€ EUR", "$ US$ USD", "£ GBP", "¥ JPY", "₹ INR Rs Rs.", "CHF Fr.", "A$ AUD", "C$ CAD",
    )
    for word in words.split()
}  # fmt: skip
_POWER = re.compile(r"\^?[-+\u2212\u207b]?[0-9\u00b2\u00b3\u00b9\u2070-\u2079]{1,2}$")
_BRACKETS = re.compile(r"[\[(](.{1,20})[\])]")
_MOST = 24  # characters


def unit_of(text: str) -> str:
    """The unit that a cell names, without brackets and the sign of a comment before it; "" where it
    is none."""
    text = text.strip().removeprefix("#")
    in_brackets = _BRACKETS.fullmatch(text)
    if in_brackets:
        return in_brackets[1].strip()
    return text if is_unit(text) else ""


def are_one_unit(one: str, other: str) -> bool:
    """Whether two units are the same, as far as that can be told by how they are written."""

    def plain(unit: str) -> str:
        # Of the two letters for micro one.
        return _ALIKE.get(unit, unit).replace("\u03bc", "\u00b5").replace(" ", "")

    return plain(one) == plain(other)


def is_unit(text: str) -> bool:
    """Whether a text is a unit, such as "mm", "km/h", "µg m-3" or "€"."""
    if not text or len(text) > _MOST:
        return False
    if text in _UNITS:
        return True
    parts = [part for part in re.split(r"[/·* \u00d7]|\bper\b", text) if part]
    return bool(parts) and all(_POWER.sub("", part) in _UNITS for part in parts)
