"""The frame around every page: its settings and the link that carries them.

A page reads what is chosen with `shell.settings()`, offers a choice with `shell.widget(name)` and
changes one in a callback with `shell.change(name=value)`. The link in the address bar follows by
itself.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui.pictures.picture import BEGINNING
from pages.ui.state import changes, history, links, returning
from pages.ui.state.fragments import forget_fragments
from pages.ui.state.kinds import Choice, Integer, Number, clamped, quoted
from pages.ui.state.presets import WELCOME
from pages.ui.state.session import forget, has, held, put, session
from pages.ui.state.settings import FIELDS, PLANNED, Field, Settings, differing
from pages.ui.text import number

STYLE = Path(__file__).with_name("shell.css")
BARE = Path(__file__).with_name("bare.css")
# Whoever holds it may delete a shared table, so it is no setting and leaves the address at once.
OWNER_KEY = "own"
# A change made by the server is on a busy browser's screen after so long; nobody has taken it back
# by hand so soon.
SECONDS_UNTIL_HEARD = 1.0
# That a box takes in. Written with up to three bytes each those of MOST_BOXES boxes, which is how
# many one page has, still go into one message: of more than 25 MB Streamlit takes none, and the
# connection ends.
MOST_TYPED, MOST_BOXES = 2_500_000, 3
LESSONS = "lessons"  # the page that lists and makes them
LINK = "LINK"  # stands for the address in what is copied with it

# Fields that describe the moment looked at, not the question asked: changing them replaces the
# address instead of adding a step to the browser's history.
_GLANCES = frozenset(about.key for about in FIELDS.values() if about.group in ("view", "moment"))


@contextmanager
def frame(page: str) -> Generator[None]:
    """Everything around a page: the settings taken from the link before it, the link after it."""
    st.html(STYLE)
    before = session().page
    if before == page:
        returning.give()
    else:
        returning.arrive(before is None)
        _forget_other_pages(page)
    session().at_work = False
    _adopt_link(page)
    history.note()
    _push_link()
    if settings().bare or settings().window == "player":
        st.html(BARE)
    notices = st.container()
    if before not in (None, page):
        # Streamlit has dropped the query, and what the page asks for may take long.
        _note_link(links.to_query(settings()))
        with notices:
            _replace_link("tell_link", " arrival")
    try:
        yield
        _settle()
    finally:
        history.settle()
        _show_notices(notices)
        _replace_link("write_link")


def _settle() -> None:
    """The page was made whole."""
    if returning.wait(session().at_work):
        st.rerun()
    session().settled = True


def _forget_other_pages(page: str) -> None:
    """Widgets start anew on each page, from the settings.

    Streamlit forgets them too, but later than a page asks when a person is quick and comes back: it
    would then find a value in the session and leave its own widget unset. What a person did to the
    page before, and the browser said late, is still taken.
    """
    session().page, session().dialog = page, ""
    shown = session().shown
    forget_fragments()
    for name in FIELDS:
        forget(_key(name))
        shown.pop(_key(name), None)


def header(title: str, about: str = "") -> None:
    """The page's title, beside it the button that copies its link, and a line about the page.

    In a lesson its step stands there.
    """
    # A page without data has no table at hand.
    session().table_name, session().titles = "", {}
    if in_a_lesson():
        return
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.title(title, width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            if settings().bare:
                button("Show the controls", lambda: change(bare=False), key="show the controls")
            else:
                button("Share", _ask_to_share, key="share", icon=":material/share:")
                if session().page != LESSONS:
                    button(
                        "Add to lesson", _ask_to_add, key="add to lesson",
                        icon=":material/playlist_add:",
                        help="This view as a step of a lesson that you make on the page Lessons.",
                    )  # fmt: skip
            if is_incomplete(settings()):
                # It says first that the link has no table, and offers to store it.
                button("Copy link", _ask_to_share, key="copy incomplete link")
            else:
                copy_link()
    if about and not settings().bare:
        st.markdown(about)


def in_a_lesson() -> bool:
    """Whether a step of a lesson stands above the page."""
    return session().heed is not None


def is_incomplete(chosen: Settings) -> bool:
    """Whether a link does not bring the table along that it speaks of."""
    own = chosen.source == "table" and chosen.fingerprint
    return bool(own and not chosen.carried and not chosen.shared)


def _ask_to_share() -> None:
    session().dialog = "sharing"


def close_dialog() -> None:
    """The dialog that is open was sent away."""
    session().dialog = ""


def _ask_to_add() -> None:
    """A view that others could not open is shared first."""
    if is_incomplete(settings()):
        _ask_to_share()
    else:
        session().view_to_add = True


# Settings


def settings() -> Settings:
    """What is chosen now."""
    chosen = session().settings
    assert chosen is not None, "pages run within the frame, which takes the settings from the link"
    return chosen


def change(**values: Any) -> None:
    """Choose `values`. In a callback, or before the widgets of these fields are made.

    Another family alone has everything as it was when it was left, while the data are the same.
    """
    before, left = settings(), session().left_families
    values = _of_the_example_left(before, values) | values
    if list(values) == ["family"]:
        left[before.family] = {name: getattr(before, name) for name in changes.of_a_family(before)}
        values = left.get(values["family"], {}) | values
    after = changes.changed(before, **values)
    if "family" not in values and differing(before, after, "data"):
        left.clear()
    session().settings = after


def _of_the_example_left(before: Settings, values: Mapping[str, Any]) -> dict[str, Any]:
    """What an example said of its fit goes with its data: the defaults, but for what a person has
    changed since."""
    example = session().preset
    left = {name for name in ("source", "example") if name in values}
    if example is None or all(values[name] == getattr(before, name) for name in left):
        return {}
    return {
        name: FIELDS[name].default
        for name, value in example.settings.items()
        if FIELDS[name].group == "fit" and getattr(before, name) == value
    }


def spell_out(**values: Any) -> None:
    """Say what is in force as the usual: nothing becomes obsolete by it."""
    session().settings = changes.spelt_out(settings(), **values)


def remember(place: str = "", /, **values: Any) -> None:
    """`change` from inside a fragment, link included: only a full run brings it up to date itself.

    Call it once, at the same place, in every run of the fragment. The dialog on sharing, which may
    open beside any other fragment, has a `place` of its own.
    """
    change(**values)
    _replace_link("tell_link", place)
    if (heed := session().heed) is not None:
        heed()


def say(*sentences: str) -> None:
    """Show plain sentences above the page until the reader dismisses them."""
    shown = session().notices
    shown.extend(sentence for sentence in sentences if sentence not in shown)


def widget(
    name: str,
    *,
    options: Sequence[Any] | None = None,
    default: Any = None,
    beside: Sequence[Any] = (),
    **overrides: Any,
) -> Any:
    """The widget of one field; returns the value in force.

    `options`, `min_value` and `max_value` narrow what can be chosen here and now (to the columns of
    this table, say). A value outside of it gives way to the nearest one, and the page says so.
    While the field is at its own default, meaning "the usual", `default` (or else the first option)
    is in force, and the link stays free of it. `beside`: of several, those that stay chosen though
    they can't be used here and now. `overrides` go to Streamlit.
    """
    about = FIELDS[name]
    key = _key(name)
    arguments: dict[str, Any] = {"label": about.label, "help": about.help or None, "key": key}
    arguments |= {"on_change": heard(key, _take, name, key, tuple(beside))}
    if isinstance(about.kind, Choice):
        options = list(about.kind.options) if options is None else options
        arguments["format_func"] = about.kind.options.get
    elif isinstance(about.kind, Integer | Number):
        arguments |= {"min_value": about.kind.low, "max_value": about.kind.high}
    if isinstance(about.kind, Number):
        arguments |= {"step": about.kind.step, "format": "%g"}
    if options is not None:
        arguments["options"] = options
    arguments |= overrides
    if "format_func" in arguments:
        arguments["format_func"] = always(arguments["format_func"])
    value = _in_force(about, arguments, default, beside)
    shown = list(value) if about.widget == "multiselect" else value
    if not has(key) and (not session().settled or returning.knows(key)):
        return _as_the_browser_has_it(name, shown, arguments, tuple(beside))
    last = session().shown.get(key, _Shown(None, None, 0.0))
    if (before := held(key)) != shown:
        put(key, shown)
        last = _Shown(shown, before, time.monotonic())
    session().shown[key] = last._replace(value=shown)
    # Also as the widget's own default: Streamlit says a value set in the session with one message
    # only, which a run that follows closely replaces before the browser has drawn it.
    _MAKERS[about.widget](shown, **arguments)
    return value


def _as_the_browser_has_it(
    name: str, shown: Any, arguments: Mapping[str, Any], beside: tuple
) -> Any:
    """The widget of a session that has not shown it yet, which a browser may know all the same.

    It does where the server was started again (see `returning`). Streamlit calls nothing back
    for what a person did to it until it was made here: so it is taken now.
    """
    key, about = _key(name), FIELDS[name]
    session().shown[key] = _Shown(shown, None, 0.0)
    value = _MAKERS[about.widget](shown, **arguments)
    if value is not None and value != shown:
        _take(value, name, key, beside)
        st.rerun()
    return tuple(shown) if about.widget == "multiselect" else shown


def button(label: str, take: Callable[[], None], *, key: str, **more: Any) -> None:
    """A button with a callback; also for a click in a browser that knew it from before a restart
    of the server, of which Streamlit calls nothing back. No other has a callback."""
    known = has(key)
    if st.button(label, key=key, on_click=take, **more) and not known:
        take()
        st.rerun()


def box(
    make: Callable[..., Any],
    label: Any,
    take: Callable[[Any], None],
    usual: Any = None,
    *,
    key: str,
    **more: Any,
) -> Any:
    """A widget of Streamlit's that is of no setting; `take` gets what a person puts in. As `button`
    it hears what Streamlit calls nothing back of: what is not the usual when it is first made."""
    known = has(key)
    value = make(label, key=key, on_change=heard(key, take), **more)
    if not known and value != usual:
        take(value)
        st.rerun()
    return value


def marks_of(selection: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The name and the number that the chosen marks of a chart carry."""
    points, marks = selection.get("points"), []
    for point in points if isinstance(points, list) else ():
        match point:
            case {"customdata": [str(name), int(number)]}:
                marks.append((name, number))
    return marks


def always(name_of: Callable[[Any], str | None]) -> Callable[[Any], str]:
    """Names also for what has none: Streamlit writes down what was chosen in one run with the names
    of another, in which it may no longer be a choice."""
    return lambda value: name_of(value) or str(value)


def in_force(name: str, options: Sequence[Any]) -> Any:
    """The value of a field that needs no widget, as there is nothing to choose."""
    return _in_force(FIELDS[name], {"options": options}, None)


def _in_force(
    about: Field, arguments: Mapping[str, Any], default: Any, beside: Sequence[Any] = ()
) -> Any:
    """The field's value, or the nearest that the widget with these arguments can show."""
    value = getattr(settings(), about.name)
    options: Sequence[Any] | None = arguments.get("options")
    several = about.widget == "multiselect"
    if value == about.default and value in (None, "", ()):
        usual = () if several or options is None else options[0]
        return usual if default is None else default
    if several and options is not None:
        nearest = tuple(name for name in value if name in options or name in beside)
        gone = dict.fromkeys(quoted(name) for name in value if name not in nearest)
        *few, last = gone or [""]
        listed = f"{', '.join(few)} and {last} are" if few else f"{last} is"
        complaint = f"{listed} not among the choices here"
    elif options is not None:
        usual = options[0] if default is None or default not in options else default
        nearest = value if value in options else usual
        complaint = f"{quoted(value)} is not among the choices here"
        complaint += f", so {quoted(nearest, 'the first choice')} is used"
    elif "min_value" in arguments:
        nearest, complaint = clamped(value, arguments["min_value"], arguments["max_value"])
        complaint += f", so {number(nearest, 6)} is used"
    else:
        return value
    if nearest != value:
        say(f"{about.label}: {complaint}.")
        change(**{about.name: nearest})
    if several and beside:
        usable = tuple(name for name in nearest if name not in beside)
        return usable or default or ()
    return nearest


_MAKERS = {
    "segmented": lambda value, **rest: st.segmented_control(default=value, required=True, **rest),
    "select": lambda value, **rest: st.selectbox(index=rest["options"].index(value), **rest),
    "multiselect": lambda value, **rest: st.multiselect(default=value, **rest),
    "number": lambda value, **rest: st.number_input(value=value, **rest),
    "slider": lambda value, **rest: st.slider(value=value, **rest),
    "toggle": lambda value, **rest: st.toggle(value=value, **rest),
}


class _Shown(NamedTuple):
    """What a widget shows; what it showed until the setting was changed elsewhere, and when."""

    value: Any
    before: Any
    when: float


def _key(name: str) -> str:
    return f"setting {name} on {session().page}"


def heard(key: str, take: Callable[..., None], *arguments: Any) -> Callable[[], None]:
    """A callback that hands over what the widget with this key holds, and then the arguments.

    Nothing where the widget has gone: a person who leaves a page can use it until the next one is
    there, and Streamlit calls back late.
    """

    def callback() -> None:
        if has(key):
            take(held(key), *arguments)

    return callback


def _take(value: Any, name: str, key: str, beside: tuple = ()) -> None:
    """A widget was used: its value becomes the setting. An emptied number box changes nothing.

    Nor does the value from just before the setting was changed elsewhere. Every message from the
    browser names the values of all widgets: one sent before it had heard would undo that change.
    And once the page is left, Streamlit takes every value for a new one. What no widget of ours
    sends is said, and changes nothing.
    """
    shown = session().shown[key]
    unheard = value == shown.before and time.monotonic() - shown.when < SECONDS_UNTIL_HEARD
    if value is None or value == shown.value or unheard:
        return
    try:
        change(**{name: (*value, *beside) if isinstance(value, list) else value})
    except ValueError as error:
        say(f"{FIELDS[name].label}: {error}, so it stays as it was.")
    else:
        session().shown[key] = shown._replace(value=value)


# The link


def copy_link(
    label: str = "Copy link",
    choices: Sequence[tuple[str, str, str, str]] = (),
    instead: Mapping[str, str] | None = None,
    added: Mapping[str, str] | None = None,
    around: str = LINK,
) -> None:
    """A button that puts the address of exactly this view on the clipboard.

    choices: what a person may add to the copy: words, help, parameter and value. instead: the only
    parameters of the copy; added: more of them. around: HTML with LINK where the address goes.
    """
    data = {"label": label, "choices": [*choices], "instead": instead}
    data |= {"added": dict(added or {}), "around": around}
    _component("copy_link")(data=data, key=label)


def _adopt_link(page: str) -> None:
    """Take the settings from the address when a person brought one: on arrival and on going back.

    At other times the address may lag behind: a run asked for while another is on its way still
    carries the address from before it, and believing it would undo what was just chosen.
    """
    arriving = session().settings is None
    if arriving or getattr(get_script_run_ctx(), "is_history_navigation", False):
        query = st.query_params.to_dict()
        if owner_token := query.pop(OWNER_KEY, ""):
            session().owner_token = owner_token
        chosen, ignored = links.parse(query)
        if arriving and query:
            session().linked_page = page
        if arriving and not query:
            usual = {"starts_compared": (PLANNED,)}
            chosen = changes.changed(chosen, **usual | WELCOME.settings, frame=BEGINNING)
            session().preset = WELCOME
        session().left_families = {}
        session().notices = list(ignored)
        _note_link(links.to_query(chosen))
        # Last: Streamlit may end this run at any of these lines, and the next then does it all.
        session().settings = session().adopted = chosen


def _take_up() -> None:
    """A browser came back to a server that had lost the session, with the address as Streamlit last
    knew it; then it said the one it shows. What was done since it came is done to that."""
    if isinstance(shown := (held("write_link") or {}).get("missed"), str):
        before, _ = links.parse(dict(parse_qsl(shown.removeprefix("?"))))
        came, now = session().adopted or before, settings()
        since = [name for name in FIELDS if getattr(now, name) != getattr(came, name)]
        session().settings = changes.changed(before, **{name: getattr(now, name) for name in since})
        history.settle()


def _push_link() -> None:
    """Another question asked is another step in the browser's history."""
    query, before = links.to_query(settings()), session().link.query
    if any(query.get(key) != before.get(key) for key in (query | before).keys() - _GLANCES):
        _note_link(query)
        st.query_params.from_dict(query)


def _replace_link(writer: str, place: str = "") -> None:
    """Bring the address up to date without a step in the history.

    Streamlit can only add steps: pausing ten times would be ten steps back. And it drops the
    query on a change of page, which would leave a step without settings. So a script does it.
    """
    query = links.to_query(settings())
    if query != session().link.query:
        _note_link(query)
    told = session().link._asdict() | {"query": urlencode(query)}
    callbacks = {"on_missed_change": _take_up} if writer == "write_link" else {}
    _component(writer)(data=told, key=writer + place, **callbacks)


class _Link(NamedTuple):
    """The link as last written. Of two writers on one page, the script believes the later count."""

    session: str
    count: int
    query: dict[str, str]


def _note_link(query: dict[str, str]) -> None:
    last = session().link or _Link(secrets.token_hex(4), 0, {})
    session().link = _Link(last.session, last.count + 1, query)


def _show_notices(place: DeltaGenerator) -> None:
    """Sentences to be read once, until dismissed."""
    if sentences := session().notices:
        with place.container(horizontal=True, vertical_alignment="center"):
            st.warning("\n\n".join(sentences))
            button("Dismiss", sentences.clear, key="dismiss")


def components() -> None:
    """Make the frame's components, once for all visitors."""
    for name in ("copy_link", "tell_link", "write_link"):
        _component(name)


@cache
def _component(name: str) -> Callable[..., Any]:
    """The component made of the files `<name>.js`, .html and .css beside this one."""
    parts: dict[str, Any] = {
        kind: _condensed(path.read_text(encoding="utf-8"))
        for kind in ("html", "css", "js")
        if (path := Path(__file__).with_name(f"{name}.{kind}")).exists()
    }
    return st.components.v2.component(name, **parts)


def _condensed(code: str) -> str:
    """Without comment lines and indentation: Streamlit sends the code again with every run."""
    lines = map(str.strip, code.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
