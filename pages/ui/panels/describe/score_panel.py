"""Rows that the fit has not seen: a second table, scored by this fit or by a saved model."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from pages.ui.compute import readings
from pages.ui.compute.describing import without_trace
from pages.ui.compute.scoring import DRAWS, QUANTILE, UNPREPARED, Scored, score, score_with_file
from pages.ui.families.family import Family, listed
from pages.ui.panels import tables
from pages.ui.running.jobs import run_job
from pages.ui.running.pools import readers
from pages.ui.running.runs import Run
from pages.ui.state import shell
from pages.ui.state.memory import Full, visit
from pages.ui.state.session import held, session
from pages.ui.state.uploads import Upload, file_box
from pages.ui.tables.preparation.said import new_rows_said
from pages.ui.tables.preparation.table import for_new_rows, prepared
from pages.ui.tables.preparation.transformed_column import Transform
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import DataError, Table
from pages.ui.text import counted, percent, plain, sentence

MOST_MEGABYTES = 20
MOST_SHOWN = 12
MOST_BEFORE = 20_000  # rows of the fit that say in which state it ended
ROWS_TITLE = "Score new rows"
NEW_ROWS, SAVED_MODEL = "new rows", "saved model"


class _File(NamedTuple):
    """A file that was brought, or why it cannot be taken."""

    name: str
    content: bytes
    complaint: str = ""


def show_scoring(run: Run, selection: Selection, table: Table, family: Family) -> None:
    """Boxes for the new rows and for a saved model, and what comes of them. table: of the fit."""
    st.subheader(ROWS_TITLE, anchor=False)
    st.caption("Bring a second table, and take its rows away with what the fit says of each.")
    brought = _box(
        "New rows", NEW_ROWS,
        help="CSV, TSV, Excel or Parquet, its columns named as those of the fit.",
    )  # fmt: skip
    pasted = st.text_area(
        "Or paste new rows, with a header", key="new rows pasted", height=100,
        max_chars=shell.MOST_TYPED,
    )  # fmt: skip
    # The box stays as it is where more is pasted, and says nothing itself.
    st.caption(f"At most {shell.MOST_TYPED:,} characters: bring what is longer as a file above.")
    saved = _box(
        "Score them by a saved model instead (optional)", SAVED_MODEL,
        help="“Model (JSON)” of the page Explore.",
    )  # fmt: skip
    before = _rows_before(run, family, saved)
    new = _read(brought, pasted)
    if new is None:
        return
    scored = _scored(run, selection, table, family, new, saved, before)
    if isinstance(scored, str):
        st.error(plain(sentence(scored)))
    elif scored is not None:
        steps = scored.steps if saved is not None else shell.settings().preparation
        if said := new_rows_said(steps, scored.columns):
            st.caption(plain(said))
        _show(scored, goes_on=before is not None)


def _box(label: str, key: str, **more: Any) -> _File | None:
    """A box for a file, which stays in use until it is taken away, on other pages too."""
    file_box(label, partial(_take, key), key=key, max_upload_size=MOST_MEGABYTES, **more)
    file = session().to_score.get(key)
    if file is None:
        return None
    if file.complaint:
        st.error(plain(file.complaint))
        return None
    if held(key) is None:  # the box is empty after another page
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"In use: {plain(file.name)}.", width="stretch")
            shell.button(f"Leave out the {key}", partial(_take, key, None), key=f"no {key}")
    return file


def _take(key: str, upload: Upload | None) -> None:
    if upload is None:
        session().to_score.pop(key, None)
        visit().let_go(key)
        return
    try:
        visit().hold(key, 2 * len(upload.content))
    except Full as full:
        session().to_score[key] = _File(upload.name, b"", str(full))
    else:
        session().to_score[key] = _File(*upload)


def _rows_before(run: Run, family: Family, saved: _File | None) -> np.ndarray | None:
    """The rows of the one sequence that was fitted, where the new ones go on with it."""
    if family.grouping != "sequence" or len(run.data) > 1 or saved is not None:
        return None
    goes_on = st.toggle(
        "The new rows go on where those of the fit end", value=True, key="new rows go on",
        help="Off: they are a sequence of its own, which begins as the one of the fit did.",
    )  # fmt: skip
    return run.data[0][-MOST_BEFORE:] if goes_on else None


def _read(brought: _File | None, pasted: str | None) -> Table | None:
    """The new table, once a process has read it."""
    if brought is not None:
        name, content = brought.name, brought.content
    elif pasted and pasted.strip():
        name, content = "pasted rows", pasted.encode()
    else:
        return None
    key = hashlib.sha256(content + name.encode()).hexdigest()
    found = run_job(
        "new rows", key, "reading the new rows", readings.read, name, content, where=readers
    )
    if isinstance(found, str):
        st.error(plain(found))
        return None
    return found


def _scored(
    run: Run,
    selection: Selection,
    table: Table,
    family: Family,
    new: Table,
    saved: _File | None,
    before: np.ndarray | None,
) -> Scored | str | None:
    what = f"scoring {counted(len(new.frame), 'row')}"
    if saved is not None:
        try:
            text = saved.content.decode()
        except UnicodeDecodeError:
            return f"“{saved.name}” is no saved model: choose a file that was taken away as one"
        key = f"{new.fingerprint} {hashlib.sha256(saved.content).hexdigest()}"
        return run_job("scores", key, what, score_with_file, text, new)
    steps = shell.settings().preparation
    try:
        new = prepared(new, for_new_rows(steps, selection.columns))
    except DataError as error:
        return f"{UNPREPARED} {error}"
    used = {*selection.columns, *(step.column for step in steps if isinstance(step, Transform))}
    units = {name: unit for name, unit in table.known_units.items() if name in used}
    given = shell.settings().names
    key = f"{new.fingerprint} {run.key} {len(run.trace)} {given} {before is None}"
    return run_job(
        "scores", key, what, score, without_trace(run.finished_fit), selection.columns,
        selection.levels, given, family.unit, new, before, units,
    )  # fmt: skip


def _show(scored: Scored, goes_on: bool) -> None:
    matched = scored.matched
    for names, words in (
        (matched.missing, "Columns of the model that the new table lacks count as missing: {}."),
        (matched.ignored, "Columns that the model does not know are left as they are: {}."),
        (
            tuple(f"{here} as {there}" for here, there in (*matched.renamed, *matched.respelt)),
            "Taken for the same although written differently: {}.",
        ),
    ):
        if names:
            st.markdown(plain(words.format(listed(list(names[:8])) + " …" * (len(names) > 8))))
    if matched.other_units:
        units = listed([f"{n} ({here}, and not {there})" for n, here, there in matched.other_units])
        st.warning(
            plain(
                "In other units than the rows that were fitted, and scored as the numbers stand: "
                f"{units}. If so, what is said of the new rows is wrong: bring them in the units "
                "of the fit."
            )
        )
    n_rows = counted(len(scored.rows), "row")
    said = [f"{n_rows} scored"]
    if scored.shares:
        parts = zip(scored.names, scored.shares, strict=True)
        said += [", ".join(f"{name} {percent(share, 1)}" for name, share in parts)]
    if scored.in_order:
        order = f"in the order of {scored.clock}" if scored.clock else "in their order"
        how = "goes on where the fitted rows end" if goes_on else "begins as the fitted ones do"
        said += [f"taken as one sequence {order}, which {how}"]
    after = " after the rows before them" * scored.in_order
    said += [
        f"{scored.n_unusual:,} unusual{after} (less likely than {percent(1 - QUANTILE, 1)} of "
        f"{DRAWS:,} rows drawn from the model, the same cells missing)"
    ]
    if scored.n_unlooked:
        said += [f"{scored.n_unlooked:,} of too many different sets of cells to be looked at"]
    if scored.n_odd:
        said += [f"{scored.n_odd:,} with a cell that counts as missing, as the marks say"]
    st.markdown(plain(f"{'; '.join(said)}."))
    first = scored.rows.head(MOST_SHOWN)
    tables.show(first, "The first of them", "Scored rows", index=False, whole=scored.rows)
