"""The fit part of a page: the run, its player, and what is to be said about the frame shown."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from em_core.initialization import require_distinct_rows
from pages.ui import report, shell, takeaway
from pages.ui.data import Selection, Table
from pages.ui.families import FAMILIES, starting_point, stop_sentence
from pages.ui.figures import mixture
from pages.ui.figures.picture import View, pack
from pages.ui.player import player
from pages.ui.runs import Run, Runs
from pages.ui.settings import FIELDS, Settings
from pages.ui.text import counted, plain, sentence

# While a fit goes on its whole picture so far is sent again and again: few points keep it light.
LIVE_POINTS = 2_000
REFRESH_SECONDS = 0.25
SAMPLE_SEED = 0
VIEW_FIELDS = View._fields


def current_run(settings: Settings, table: Table, selection: Selection) -> Run | None:
    """The run these settings ask for, begun if it is new; None if they ask for what cannot be."""
    model = FAMILIES["gaussian-mixture"].build(settings)
    try:
        require_distinct_rows(selection.values, model.n_components)
        start = starting_point(model, settings, len(selection.columns))
    except ValueError as error:
        st.error(sentence(error))
        return None
    fit_fields = [name for name, field in FIELDS.items() if field.group == "fit"]
    asked = [table.fingerprint, selection.columns, [getattr(settings, name) for name in fit_fields]]
    run = st.session_state.setdefault("runs", Runs()).get(
        Run(
            key=hashlib.sha256(repr(asked).encode()).hexdigest()[:16],
            model=model,
            data=selection.values,
            start=start,
            seed=settings.seed,
            tolerance=settings.tolerance,
            max_iterations=settings.max_iterations,
            standardise=settings.standardise,
        )
    )
    if run.error:
        st.error(sentence(run.error))
        return None
    return run


def choose_axes(selection: Selection) -> None:
    """Which coordinates of the data are drawn, where there is a choice."""
    columns = selection.columns
    if len(columns) < 3:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shell.widget("axes")
        if shell.settings().axes == "columns":
            across, up = _axes(selection)
            shell.widget("axis_x", options=columns, default=columns[across])
            shell.widget("axis_y", options=columns, default=columns[up])


def _axes(selection: Selection) -> tuple[int, int]:
    """Positions of the two columns drawn: those chosen, or the first two."""
    settings, columns = shell.settings(), selection.columns
    across = columns.index(settings.axis_x) if settings.axis_x in columns else 0
    free = 1 if across == 0 else 0
    up = columns.index(settings.axis_y) if settings.axis_y in columns else free
    return across, up if up != across else free


def _coordinates(settings: Settings, selection: Selection, table: Table) -> mixture.Coordinates:
    units = dict(zip(table.frame.columns, table.units, strict=False))
    names = [f"{c} ({units[c]})" if units.get(c) else c for c in selection.columns]
    if len(names) == 1:
        return mixture.chosen_columns(names, [0])
    if len(names) > 2 and settings.axes == "principal":
        return mixture.principal_components(names, selection.values)
    if len(names) > 2 and settings.axes == "pairs":
        return mixture.all_pairs(names)
    return mixture.chosen_columns(names, _axes(selection))


def show_run(run: Run, selection: Selection, table: Table) -> None:
    """The player and everything about the frame it shows, brought up to date while the fit runs."""
    every = REFRESH_SECONDS if run.running else None
    st.fragment(_watch, run_every=every)(run, selection, table, live=run.running)


def _watch(run: Run, selection: Selection, table: Table, live: bool) -> None:
    running = run.running
    if live and not running:
        st.rerun()
    if run.error:
        st.error(sentence(run.error))
        return
    settings = shell.settings()
    if not run.trace:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(f"Finding a start by {settings.start} for {len(run.data):,} rows …")
            st.button("Stop", on_click=run.stop)
        shell.remember()
        return
    _status(run, settings)
    payload, shown, sample = _picture(run, settings, selection, table, running)
    frame = None if settings.frame is None else int(np.searchsorted(shown, settings.frame))
    view = View(**{name: getattr(settings, name) for name in VIEW_FIELDS})
    if frame is not None:
        frame = min(frame, len(shown) - 1)
    state = player(payload, key="player", frame=frame, view=view)
    index = int(shown[-1] if state.frame is None else shown[min(state.frame, len(shown) - 1)])
    point = settings.point
    if state.point is not None:
        point = int(sample[min(state.point, len(sample) - 1)])
    if not running:
        at_end = index == len(run.trace) - 1
        shell.remember(frame=None if at_end else index, point=point, **state.view._asdict())
        _frame_shown(run, index, point, selection)
    else:
        shell.remember(**state.view._asdict())


def _status(run: Run, settings: Settings) -> None:
    """One line: how the fit stands, with its log-likelihood; a button to stop or go on."""
    last = run.trace[-1]
    likelihood = f"log-likelihood **{mixture.nats(last.log_likelihood)}** nats"
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.running:
            st.markdown(f"Fitting: iteration {last.iteration:,}, {likelihood}")
            st.button("Stop", icon=":material/stop:", on_click=run.stop)
            return
        fit = run.fit()
        ended = stop_sentence(run.stop_reason, last.iteration, run.tolerance)
        st.markdown(
            f"{ended} {likelihood[0].upper()}{likelihood[1:]}, BIC **{mixture.nats(fit.bic)}** "
            f"({counted(fit.n_parameters, 'parameter')}; smaller is better)."
        )
        if run.stop_reason == "stopped":
            st.button("Go on", icon=":material/play_arrow:", on_click=run.begin)


def _picture(
    run: Run, settings: Settings, selection: Selection, table: Table, running: bool
) -> tuple[bytes, np.ndarray, np.ndarray]:
    """The packed picture, which half-step each frame shows, and which rows are drawn."""
    coordinates = _coordinates(settings, selection, table)
    most = LIVE_POINTS if running else settings.drawn_rows
    steps = list(run.trace)
    asked = (run.key, len(steps), most, running, coordinates.names, coordinates.panels)
    kept = st.session_state.get("picture")
    if kept is not None and kept[0] == asked:
        return kept[1]
    sample = np.arange(len(run.data))
    if len(sample) > most:
        rng = np.random.default_rng(SAMPLE_SEED)
        sample = np.sort(rng.choice(len(run.data), most, replace=False))
    picture, shown = mixture.mixture_picture(
        run=run.key,
        model=run.model,
        steps=steps,
        data=run.data,
        sample=sample,
        rows=selection.rows + 1,
        coordinates=coordinates,
        running=running,
        opening=_opening(settings),
    )
    result = pack(picture), shown, sample
    st.session_state["picture"] = (asked, result)
    return result


def _opening(settings: Settings) -> str:
    if settings.start == "means":
        return "Start: hand-placed means."
    if settings.start == "parameters":
        return "Start: explicit parameters."
    return f"Start: {settings.start}, seed {settings.seed}."


def _frame_shown(run: Run, index: int, point: int | None, selection: Selection) -> None:
    """Tables at the frame shown."""
    step, columns = run.trace[index], selection.columns
    name = "the start" if step.phase == "start" else f"{step.phase}-step {step.iteration}"
    st.markdown(report.gain_sentence(run.trace, index))
    tabs = ["Parameters", "Points"] + ["Known labels"] * (selection.labels is not None)
    parameters, points, *labels = st.tabs(tabs)
    with parameters:
        st.caption(f"At {name}, in the original units")
        st.dataframe(report.parameters_table(step, columns, len(run.data)))
        _covariances(run, index, columns)
    with points:
        _points(run, step, point, selection)
    if labels:
        with labels[0]:
            index, table = report.agreement_with_labels(run.model, step, selection)
            st.markdown(
                f"Adjusted Rand index with **{plain(selection.label_name)}**: **{index:.3f}** "
                "(1: the same groups; about 0: no better than chance)."
            )
            st.dataframe(table)


def _covariances(run: Run, index: int, columns: tuple[str, ...]) -> None:
    with st.expander("Covariance matrices"):
        for k in range(run.model.n_components):
            st.caption(f"component {k + 1}")
            st.dataframe(report.covariance_table(run.trace[index], k, columns))


def _points(run: Run, step, point: int | None, selection: Selection) -> None:
    if point is None or point >= len(run.data):
        st.caption("Click a point in the picture to see how its responsibilities come about.")
    else:
        row = selection.values[point]
        values = ", ".join(f"{n} = {v:g}" for n, v in zip(selection.columns, row, strict=True))
        st.markdown(f"**Row {selection.rows[point] + 1}** ({plain(values)})")
        st.latex(
            r"r_{nk} = \frac{\pi_k\,\mathcal{N}(x_n \mid \mu_k, \Sigma_k)}"
            r"{\sum_j \pi_j\,\mathcal{N}(x_n \mid \mu_j, \Sigma_j)}"
        )
        st.dataframe(report.point_arithmetic(run.model, step, row))
    doubtful, looked_at = report.doubtful_points(run.model, step, selection)
    scope = "" if looked_at == len(run.data) else f" of {looked_at:,} rows looked at"
    st.caption(f"The rows whose component is the least sure{scope}")
    st.dataframe(doubtful, hide_index=True)


def show_takeaway(run: Run, settings: Settings, selection: Selection, table: Table) -> None:
    """Downloads of the finished fit."""
    fit = run.fit()
    with st.container(horizontal=True):
        st.download_button(
            "Rows with clusters (CSV)",
            data=lambda: takeaway.labelled_csv(table, selection, fit),
            file_name="em-explorer-clusters.csv",
            mime="text/csv",
            on_click="ignore",
        )
        st.download_button(
            "Parameters (JSON)",
            data=lambda: takeaway.parameters_as_json(settings, selection, fit),
            file_name="em-explorer-parameters.json",
            mime="application/json",
            on_click="ignore",
        )
    with st.expander("Python that gives these numbers"):
        st.code(takeaway.script(settings, selection, table), language="python")
