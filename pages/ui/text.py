"""Text from people and from files, made safe and whole for a page."""

# What Markdown, LaTeX and Streamlit's own directives take for markup.
_MARKUP = set(r"\`*_{}[]()<>#+-.!|$~:")


def plain(text: str) -> str:
    """Text as text: nothing in it takes effect in Markdown."""
    return "".join(f"\\{character}" if character in _MARKUP else character for character in text)


def counted(number: int, what: str) -> str:
    """A number of things: "1 row", "2,000 rows"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def sentence(text: object) -> str:
    """A message as a sentence, with a capital and a full stop."""
    words = str(text).strip()
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
