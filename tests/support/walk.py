"""A walk over all settings: links made of every field's values, and every option of every widget.

What is walked comes from the table of fields, from the families and from what the server sends: a
new field, family, page or widget is walked by itself.
"""

import base64
import json
import math
import random
import re
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import numpy as np
import pandas as pd
import requests

from em_core.variants.table import VARIANTS
from pages.ui.families.table import FAMILIES
from pages.ui.lessons.lesson import lessons
from pages.ui.state import kinds
from pages.ui.state.settings import FIELDS, SOURCES, STARTS, Field
from pages.ui.tables.answers import Reading
from pages.ui.tables.packing import to_text
from pages.ui.tables.preparation.filtering import Filter
from pages.ui.tables.preparation.long import WideToLong
from pages.ui.tables.preparation.missing import Missing
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.preparation.transformed_column import Transform
from pages.ui.tables.table import Table
from support.choices import (
    DOWNLOAD,
    FILE,
    FILES,
    MOST,
    MOST_VALUES,
    Widget,
    choices,
    name_of,
    state,
)
from support.visitor import Visitor, looks

PAGES = ("", "local_optima", "model_selection", "describe", "lower_bound", "variants")
PAGES += ("theory", "lessons")
OF_NO_FAMILY = PAGES[-2:]
SECONDS_PER_FIT = 5.0  # that the server allows: what takes longer ends by itself
SECONDS_PER_VISIT = 90.0  # on a busy machine
TOO_LONG = "a run that does not end"
FEW = "ns=2&ne=1&kt=2&rp=10&it=8"
DAMAGED = {
    kinds.Choice: ("nonsense",),
    kinds.Integer: ("9" * 29, "-1", "3.5"),
    kinds.Number: ("1e300", "nan", ""),
    kinds.YesNo: ("yes",),
    kinds.Text: ("x" * (kinds.LONGEST_IN_LINK + 1), "<![`$*](", "\0"),
    kinds.Names: ("no such name", "\\", ",,,", ",".join(map(str, range(1001)))),
    kinds.Points: ("1,2;3", "nan", "1", "1e308,1e308;-1e308,-1e308", "1,2,3;4,5,6", ";"),
    kinds.Steps: ("[1]", "[", '[["missing",{}]]', '[["missing",{"codes":[9]}]]', "{}"),
    kinds.Answers: ("[1]", "{", '{"header":-1}', '{"marks":{"x":7}}', '{"header":99}'),
    kinds.JsonObject: ("[1]", "{", '{"weights":[1]}', f'{{"weights":[{"9" * 400}]}}'),
    kinds.Fingerprint: ("x", "1e999_1_1"),
}
# A page that has less than this share of its widgets left shows nothing of what it is for.
KEPT = 0.8
# Widgets that choose another family, or unfold those that do.
LEADS_AWAY = (FIELDS["family"].label, "One example of every model")
# Of what a link says about a table of one's own.
PACKED = ("A", "AAAA", "x" * 300, "<")
TAMPERED = (
    *(None, True, 0, -1, 2**63, 10**400, 1e308, 5e-324, math.nan, math.inf, [], {}, [[]]),
    *("", "\ud800", "x" * 300, "number", "whole", "text", "flag", "\0", "<b>$x$</b>"),
)


def own_tables() -> list[str]:
    """Tables as links carry them: all kinds of columns, then hardly any rows, then hardly data."""
    rng = np.random.default_rng(0)
    n = 24
    mixed = pd.DataFrame(
        {
            "height": rng.normal(170, 9, n).round(1),
            "shoes": pd.array(rng.integers(35, 46, n), "Int64"),
            "smokes": pd.array(rng.integers(0, 2, n), "Int64"),
            "town": pd.Series(rng.choice(["Ulm", "Rom", "a*b|<c>"], n), dtype="str"),
            "class, group": pd.Series(np.repeat(["a", "b", "c", "d"], n // 4), dtype="str"),
        }
    )
    mixed.loc[[2, 7], "height"] = np.nan
    small = pd.DataFrame({"x": [1.0, 2.0, 4.0], "kind": pd.Series(["a", "b", "b"], dtype="str")})
    alike = pd.DataFrame({"a": [1e-300, 2e300] * 4, "b": [5.0] * 8})
    one = pd.DataFrame({"only": [3.0]})
    return [to_text(Table("own", frame, (), "")) for frame in (mixed, small, alike, one)]


# What a name in a link may be of, besides a column of the data.
NAMED = {
    "starts_compared": tuple(STARTS),
    "picked_start": tuple(STARTS),
    "rival_start": tuple(STARTS),
    "structures_compared": ("full", "EEV", "diag", "2"),
    "raced": tuple(VARIANTS),
    "race_played": tuple(VARIANTS),
    "data_set": ("mixed", "gaps", "nobody's"),
    "line_parameter": ("mean 0 0", "weight 1", "rate 0 0", "loading 0 1", "probability 0 0 1"),
    "line_second": ("mean 1 0", "correlation 0 0 1", "standard deviation 0 0"),
}
COLUMNS = ("height", "town", "smokes", "class, group", "x1", "eruptions", "species", "score")
DATA_SET = "mixed"  # of `data_sets.write_mixed`, on the server that is walked


def values_of(about: Field) -> list[str | None]:
    """Texts of a link for one field: none, valid ones, damaged ones."""
    kind = about.kind
    match kind:
        case kinds.Choice():
            valid = list(kind.options)
        case kinds.Integer():
            valid = [kind.low, min(kind.high, MOST.get(about.name, kind.high)), about.default]
        case kinds.Number():
            valid = [kind.low, kind.high]
        case kinds.YesNo():
            valid = [False, True]
        case kinds.Names():
            names = NAMED.get(about.name, COLUMNS)
            valid = [names[:1], names[1:3], names]
        case kinds.Points():
            valid = [((2.0, 60.0), (4.5, 80.0)), ((1.0,),), ((1e-300, 5e-324), (3.0, 3.0))]
        case kinds.JsonObject():
            valid = [
                '{"weights":[0.5,0.5],"rates":[[1],[2]]}',
                '{"weights":[0.3,0.7],"means":[[2,60],[4,80]],'
                '"covariances":[[[1,0],[0,30]],[[1,0],[0,30]]]}',
            ]
        case kinds.Steps():
            valid = [
                (Missing(("99", "refused")),),
                (Missing(("1",), COLUMNS[:1]), Missing(("2",), ("nobody",))),
                (Transform(COLUMNS[0], "log"), Filter(COLUMNS[0], "is at least", ("2",))),
                (Filter(COLUMNS[0], "is", ("no number",)), TimeOrder(COLUMNS[1])),
                (WideToLong(COLUMNS[:2]), Transform("value", "difference")),
            ]
        case kinds.Answers():
            valid = [Reading(marks=(("x", ","),)), Reading("cp1252", "Sheet", 3, 2, 5, 4)]
        case kinds.Fingerprint():
            valid = [kinds.Result(-100.5, 3, "1.0")]
        case kinds.Text() if about.name == "carried":
            return [None, *own_tables(), *PACKED]
        case kinds.Text() if about.name in ("shared", "fingerprint", "data_set_files"):
            return [None, "0a" * 12, *DAMAGED[kinds.Text]]
        case kinds.Text() if about.name == "kept":
            return [None, "k=3", "k=" + "3" * 5_000]
        case kinds.Text() if about.name == "drawn":
            return [None, "ABCD" * 20, *DAMAGED[kinds.Text]]
        case kinds.Text():
            valid = list(NAMED.get(about.name, COLUMNS))
            if about.name == "tiny_data":
                valid = ["1, 2", "3", "1,1,1", "1e300,-1e300", "0", "1e-320, 2"]
        case _:
            raise AssertionError(f"no values for {kind}: add them here")
    texts = [kind.write(value) for value in valid if value is not None]
    return list(dict.fromkeys([None, *texts, *DAMAGED[type(kind)]]))


def factors() -> dict[str, list]:
    """What is combined: the page, and every field; the family and the page have far more values
    together than any other two."""
    return {"page": list(PAGES)} | {about.key: values_of(about) for about in FIELDS.values()}


class Place(NamedTuple):
    """A page with a family as it opens. away: whether what leads to another family is used too."""

    page: str
    query: str
    away: bool

    def __str__(self) -> str:
        return re.sub(r"\W+", "-", f"{self.page or 'explore'} {self.query.partition('&ns=')[0]}")


def places() -> list[Place]:
    """Every page with every family, with few starts and small grids, of an example and of a data
    set on the server; first and last steps of all lessons; and every source of data before there
    are any.

    From each family to each other one goes the Explore page; the other pages, whose sidebar is the
    same, from one family to all.
    """
    first = next(iter(FAMILIES))
    families = [
        Place(page, f"v=1&m={name}{data}&{FEW}", not data and (page == "" or name == first))
        for data in ("", f"&s=server&sv={DATA_SET}")
        for page in PAGES
        if page not in OF_NO_FAMILY
        for name in FAMILIES
    ]
    empty = [Place("", f"v=1&s={source}&{FEW}", False) for source in SOURCES if source != "example"]
    steps = [
        Place(lesson.steps[at].page, f"v=1&le={name}&lt={at + 1}&{FEW}", False)
        for name, lesson in lessons().items()
        for at in (0, len(lesson.steps) - 1)
    ]
    return [*(Place(page, "", True) for page in OF_NO_FAMILY), *steps, *empty, *families]


def covering(factors: Mapping[str, Sequence], rng: random.Random) -> Iterator[dict[str, Any]]:
    """Rows, one value of each factor, until every pair of values of two factors is in one.

    Each row begins with a pair not yet covered and takes for factor after factor the value that
    covers the most, of equal ones any (Cohen et al. 1997, "The AETG system").
    """
    names = list(factors)
    left = {
        pair: {(a, b) for a in range(len(factors[pair[0]])) for b in range(len(factors[pair[1]]))}
        for pair in combinations(names, 2)
    }
    while left:
        first = max(left, key=lambda pair: len(left[pair]))
        a, b = rng.choice(sorted(left[first]))
        row = {first[0]: a, first[1]: b}
        others = [name for name in names if name not in row]
        rng.shuffle(others)
        for name in others:
            gains = [0] * len(factors[name])
            for known, at in row.items():
                for value in range(len(gains)):
                    if (known, name) in left:
                        gains[value] += (at, value) in left[known, name]
                    elif (name, known) in left:
                        gains[value] += (value, at) in left[name, known]
            most = max(gains)
            row[name] = rng.choice([v for v, gain in enumerate(gains) if gain == most])
        for pair in list(left):
            left[pair].discard((row[pair[0]], row[pair[1]]))
            if not left[pair]:
                del left[pair]
        yield {name: factors[name][row[name]] for name in names}


def link_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """The page and the query of one combination."""
    chosen = {key: value for key, value in row.items() if key != "page" and value is not None}
    return row["page"], urlencode({"v": "1"} | chosen)


def hostile(rng: random.Random) -> str:
    """A query that nobody's program wrote: fields with other fields' values, cut, repeated, mixed
    up, in odd encodings, with keys that nobody knows; and tables whose JSON was tampered with."""
    parts = []
    for about in rng.choices(list(FIELDS.values()), k=rng.randrange(1, 12)):
        other = rng.choice(list(FIELDS.values()))
        text = rng.choice(
            [t for t in values_of(rng.choice([about, about, other])) if t is not None]
        )
        match rng.randrange(8):
            case 0:
                text = text[: rng.randrange(len(text) + 1)]
            case 1:
                text += rng.choice(["\0", "\ud7ff", "é", "'", "%", "\U0010ffff", "\n", "9" * 40])
            case 2:
                text = "".join(rng.sample(text, len(text)))
            case 3 if about.name == "carried":
                text = tampered(rng)
        parts.append(f"{quote(about.key)}={quote(text)}")
        if rng.random() < 0.1:
            parts.append(
                rng.choice(["", "=", "&&", "%ff=%fe", "k=%ED%A0%80", "v=2", "__proto__=1"])
            )
        if rng.random() < 0.1:
            parts.append(parts[0])
    if any(part.startswith("t=") for part in parts):
        parts.append("s=table")
    return "&".join(parts)


def tampered(rng: random.Random) -> str:
    """A table as a link carries it, some of its JSON replaced."""
    text = rng.choice(own_tables())
    content = zlib.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), wbits=-15)
    whole = json.loads(content)
    for _ in range(rng.randrange(1, 4)):
        inside, at = whole, rng.randrange(len(whole))
        while isinstance(inside[at], list) and inside[at] and rng.random() < 0.85:
            inside, at = inside[at], rng.randrange(len(inside[at]))
        inside[at] = rng.choice(TAMPERED)
    squeezer = zlib.compressobj(wbits=-15)
    squeezed = squeezer.compress(json.dumps(whole).encode()) + squeezer.flush()
    return base64.urlsafe_b64encode(squeezed).decode().rstrip("=")


class Walker(Visitor):
    """A visitor that knows every widget on the page, and what is wrong with it."""

    def __init__(self, url: str, query: str = "v=1", page: str = ""):
        self._widgets: dict[tuple[int, ...], Widget] = {}
        self.errors: list[str] = []
        self.model = ""  # the one chosen
        super().__init__(url, query, page)

    def receive(self) -> bool:
        ended = super().receive()
        message = self.messages[-1]
        if message.HasField("navigation"):
            self._widgets.clear()
        if message.HasField("delta"):
            place, delta = tuple(message.metadata.delta_path), message.delta
            if delta.WhichOneof("type") == "new_element":
                element = delta.new_element
                kind = element.WhichOneof("type")
                if kind == "exception":
                    self.errors.append(f"{element.exception.type}: {element.exception.message}")
                elif kind == "alert" and "Something went wrong" in element.alert.body:
                    self.errors.append(element.alert.body)
                self._know(place, kind, getattr(element, kind), delta.fragment_id)
            elif delta.WhichOneof("type") == "add_block":
                block = delta.add_block
                kind = block.WhichOneof("type") or ""
                if kind:
                    self._know(place, kind, getattr(block, kind), delta.fragment_id)
        return ended

    def _know(self, place: tuple[int, ...], kind: str, part: Any, fragment: str) -> None:
        self._widgets.pop(place, None)
        if kind == "selectbox" and part.label == FIELDS["family"].label:
            self.model = part.raw_value if part.set_value else part.options[part.default]
        if getattr(part, "id", "") and not getattr(part, "disabled", False):
            values = tuple(choices(kind, part))
            label = getattr(part, "label", "") or getattr(part, "component_name", "")
            self._widgets[place] = Widget(kind, label, part.id, fragment, values)

    @property
    def widgets(self) -> list[Widget]:
        return [widget for widget in self._widgets.values() if widget.values]

    @property
    def names(self) -> set[tuple[str, str]]:
        """What the widgets on the page are called."""
        return {name_of(widget) for widget in self.widgets}

    def use(self, widget: Widget, value: tuple[str, Any]) -> None:
        """Bring a widget into a state, as the browser tells it: where it stands in a fragment, for
        that alone."""
        if value[0] == DOWNLOAD:
            self._take(value[1])
            return
        if value[0] == FILE:
            told = self.sent(widget.id, value[1], dict(FILES)[value[1]])
        else:
            told = state(widget, value)
        self.run(widget.fragment, told)
        self.settle()

    def _take(self, label: str) -> None:
        """What a button gives for a file of one's own."""
        try:
            self.download(label)
        except requests.HTTPError as error:
            self.errors.append(f"no download: {error}")

    def settle(self) -> None:
        """Run what runs by itself until nothing does."""
        began = time.monotonic()
        for pause in looks():
            if not self._polling:
                return
            if time.monotonic() - began > SECONDS_PER_VISIT:
                self.errors.append(TOO_LONG)
                return
            time.sleep(pause)
            self.run(self._polling)


class Found(NamedTuple):
    """Something wrong, and the way there."""

    page: str
    query: str
    used: tuple[str, ...]
    what: str

    def __str__(self) -> str:
        return f"/{self.page}?{self.query} {' > '.join(self.used)}\n  {self.what}"


class Walk:
    """Visits on one server, whose log is read along."""

    def __init__(self, url: str, log: Path):
        self.url, self.log = url, log
        self.found: list[Found] = []
        self.visits = self.uses = 0
        self._read = log.stat().st_size

    def visit(self, page: str, query: str, n_uses: int, rng: random.Random) -> None:
        """Open a link, then use some widgets, any of those that there are then."""
        used: list[str] = []
        walker = None
        try:
            walker = self._open(page, query)
            for _ in range(n_uses):
                if walker.errors or not walker.widgets:
                    break
                widget = rng.choice(walker.widgets)
                value = rng.choice(widget.values)
                self._use(walker, widget, value, used)
        except TimeoutError:
            self._note(page, query, used, "the server did not answer")
        if walker is not None:
            self.end(walker, used)

    def options(self, place: Place) -> None:
        """Every option of every widget that this place shows or leads to without another model.

        One after the other, as a person plays with the page; anew where this leads to another
        model, to something wrong, or to a page that offers nothing new. On one that has lost most
        of its widgets, as one without data has, only widgets that were not there before are used:
        what others do would not be seen.
        """
        page, query, away = place
        done: dict[tuple[str, str], set[str]] = defaultdict(set)
        walker, used = self._open(page, query), []
        model, opening = walker.model, walker.names
        while True:
            lost = len(opening & walker.names) < KEPT * len(opening)
            asked = next(
                (
                    (widget, value)
                    for widget in walker.widgets
                    if away or widget.label not in LEADS_AWAY
                    if not (lost and name_of(widget) in opening)
                    if len(tried := done[name_of(widget)]) < MOST_VALUES
                    for value in widget.values
                    if str(value) not in tried
                ),
                None,
            )
            if asked is not None:
                widget, value = asked
                done[name_of(widget)].add(str(value))
                self._use(walker, widget, value, used)
            elif not used:
                break
            if asked is None or walker.errors or walker.model != model:
                self.end(walker, used[-6:])
                walker, used = self._open(page, query), []
        self.end(walker, used[-6:])

    def _open(self, page: str, query: str) -> Walker:
        self.visits += 1
        walker = Walker(self.url, query, page)
        walker.settle()
        return walker

    def _use(self, walker: Walker, widget: Widget, value: tuple[str, Any], used: list[str]) -> None:
        self.uses += 1
        used.append(f"{widget.label or widget.kind} = {str(value[1])[:60]}")
        walker.use(widget, value)

    def end(self, walker: Walker, used: Iterable[str]) -> None:
        walker.close()
        for error in walker.errors:
            self._note(walker.page, walker._query, used, error)
        with self.log.open("rb") as log:
            log.seek(self._read)
            said = log.read().decode(errors="replace")
        self._read += len(said.encode())
        if "Traceback" in said:
            last = re.findall(r"^\S*(?:Error|Exception)\b.*$|^  File .*$", said, re.MULTILINE)
            self._note(walker.page, walker._query, used, "in the log: " + " | ".join(last[-4:]))

    def _note(self, page: str, query: str, used: Iterable[str], what: str) -> None:
        self.found.append(Found(page, query, tuple(used), what))
        print(self.found[-1], flush=True)
