"""What columns are in words, where a text names them: the question that was asked, say."""

from __future__ import annotations

import re
from collections.abc import Mapping

MOST = 3  # named in one text
LONGEST = 300


def titles_in(text: str, titles: Mapping[str, str]) -> list[str]:
    """What the columns that a text names are, as "name: words", in the order of the text.

    titles: the words by column.
    """
    found = []
    for name, words in titles.items():
        if name in text and (at := re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)):
            # Of names that begin alike the longest is meant.
            found.append((at.start(), -len(name), name, words))
    told, end = [], 0
    for start, length, name, words in sorted(found):
        if start >= end:
            told.append(f"{name}: {words if len(words) <= LONGEST else words[: LONGEST - 1] + '…'}")
            end = start - length
    return told[:MOST]
