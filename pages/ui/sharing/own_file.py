"""The file of the table in use, as a person brought it."""

from __future__ import annotations

from dataclasses import dataclass

from pages.ui.state.memory import Full, visit, weakly
from pages.ui.state.session import session

FILE = "file of the table"


@dataclass
class File:
    """A file, or text that a person pasted: it may be read again in another way while it is kept.

    digest: the sha256 of its content, hexadecimal. complaint: why it was not read in another way.
    """

    name: str
    content: bytes | None
    digest: str
    pasted: bool
    complaint: str = ""

    def forget(self) -> None:
        """Make room for something else: a person can load it again."""
        self.content = None


def keep(file: File) -> None:
    """Keep a file for as long as there is room: other answers read it in another way."""
    session().file = file
    if file.content is not None:
        try:
            visit().hold(FILE, len(file.content), weakly(file.forget))
        except Full:
            file.forget()
