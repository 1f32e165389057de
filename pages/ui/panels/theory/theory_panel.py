"""The page on the theory: the derivation in short steps, each beside a panel that shows it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from em_core import MixtureParams
from em_core.models.factor_analysis.statistics import FactorParams
from pages.ui.charts import theory as figures
from pages.ui.charts.axes import COLOURS
from pages.ui.compute.tiny import (
    Tiny,
    along_the_m_step,
    bound_over_q,
    climb,
    hardness,
    jensen,
    staircase,
    three_forms,
    tiny_of,
    weighted,
)
from pages.ui.families.family import listed
from pages.ui.panels import charts, tables
from pages.ui.panels.theory.questions import QUESTIONS
from pages.ui.state import shell
from pages.ui.state.fragments import fragment
from pages.ui.state.settings import THEORY_STEPS
from pages.ui.text import MINUS, formula, gap, nats, number, summands, terms

INTRODUCTION = """
Something about the data is hidden: which component a number came from. EM finds parameters that
make the data likely without knowing it. Every formula here shows its value for the numbers and
parameters below; move them and watch. Only step 4 has two points and sliders of its own.
"""


def choose_numbers() -> None:
    """The numbers that all panels use."""
    st.markdown(INTRODUCTION)
    shell.box(
        st.text_input,
        "Numbers: two to twelve, separated by commas",
        _take_numbers,
        shell.settings().tiny_data,
        key="tiny numbers",
        value=shell.settings().tiny_data,
        max_chars=shell.MOST_TYPED,
    )


@fragment
def derivation() -> None:
    """The parameters, and the step of the derivation that is open with its numbers."""
    tiny = _choose_tiny()
    if tiny is not None:
        _show_step(tiny)
    shell.remember()


def _choose_tiny() -> Tiny | None:
    """The numbers with the parameters all panels use; None where the numbers are none."""
    columns = st.columns(3)
    # Step 4 has two points and sliders of its own.
    apart = shell.settings().theory_step == "steps"
    for column, name in zip(columns, ("tiny_place_1", "tiny_place_2", "tiny_weight"), strict=True):
        with column:
            shell.widget(name, help=_HELP.get(name), disabled=apart)
    try:
        tiny = tiny_of(shell.settings())
    except ValueError as error:
        st.error(str(error))
        return None
    if apart:
        return tiny
    values = (*tiny.params.means[:, 0], tiny.params.weights[0])
    for column, symbol, value in zip(columns, (r"\mu_1", r"\mu_2", r"\pi_1"), values, strict=True):
        column.markdown(f"${symbol}={formula(float(value))}$")
    st.markdown(f"Two Gaussian components: {in_words(tiny.params)}.")
    return tiny


_HELP = {
    name: "Where between the smallest of the numbers, 0, and the largest, 1, the mean lies."
    for name in ("tiny_place_1", "tiny_place_2")
}


def in_words(params) -> str:
    """The parameters of a model of this page."""
    if isinstance(params, FactorParams):
        said = {
            "means": params.mean,
            "loadings": params.loadings[:, 0],
            "noise variances": params.noise_variance,
        }
    else:
        said = {
            "means": params.means[:, 0],
            "standard deviations": np.sqrt(params.covariances[:, 0, 0]),
        }
        if isinstance(params, MixtureParams):
            said["weights"] = params.weights
        else:
            said["probabilities at the start"] = params.initial_probabilities
            said["of staying"] = params.transition_matrix.diagonal()
    return ", ".join(
        f"{what} {listed([f'**{number(value, 4)}**' for value in values])}"
        for what, values in said.items()
    )


def _take_numbers(text: str) -> None:
    try:
        shell.change(tiny_data=text)
    except ValueError as error:
        shell.say(f"Numbers: {error}.")


def _chart(figure, key: str, title: str) -> None:
    charts.show(figure, key, title, config={"displayModeBar": False})


def _chain(*links: tuple[str, str]) -> None:
    """A chain of formulas, a line each with why it holds. In a line of text they are broken where a
    phone has no room for them."""
    st.markdown("\n".join(f"1. ${formula}$: {why}." for formula, why in links))


def why_hard(tiny: Tiny) -> None:
    st.subheader("1. The log of a sum", anchor="log-of-a-sum")
    hard = hardness(tiny)
    text, picture = st.columns(2)
    with text:
        st.markdown(
            "What is hidden has to be summed out: over both components for each number, so over "
            f"all **{hard.n_assignments:,}** assignments of {len(tiny.rows)} numbers."
        )
        st.latex(
            r"\begin{aligned}\log p(x\mid\theta)&=\log\sum_{z}p(x,z\mid\theta)\\"
            r"&=\sum_n\log\sum_{k}\pi_k\,\mathcal N(x_n\mid\mu_k,\sigma^2)\end{aligned}"
        )
        enumerated, product = terms(hard.enumerated, hard.product, decimals=10)
        st.latex(
            rf"\underbrace{{{enumerated}}}_{{\text{{all {hard.n_assignments} terms}}}}"
            rf"=\underbrace{{{product}}}_{{\text{{product form}}}}"
        )
        st.markdown(
            f"They differ by {number(abs(hard.enumerated - hard.product), 2)}. The logarithm "
            "cannot pass the inner sum, so no parameter stands alone and no derivative is solved "
            "in closed form. Were the labels known, the sum would go: what is left is one smooth "
            "hill for each mean."
        )
    with picture:
        now = float(tiny.params.means[0, 0])
        _chart(
            figures.hardness_figure(hard, tiny.rows, now, COLOURS), "hardness", "what is climbed"
        )


def jensens_gap(tiny: Tiny) -> None:
    st.subheader("2. Jensen's inequality, and the gap it leaves", anchor="jensen")
    words = st.container()
    left, right = st.columns(2)
    with left:
        row = shell.widget("tiny_row", max_value=len(tiny.rows), default=3) - 1
    with right:
        q = shell.widget("tiny_q")
    found = jensen(tiny, row, q)
    words.markdown(
        "Put any probabilities $q$ on what is hidden. The log of an average is at least the "
        "average of the logs:"
    )
    words.latex(
        r"""\begin{aligned}\log p(x_n)&=\log\sum_z q(z)\,\tfrac{p(x_n,z)}{q(z)}\\
        &\ge\sum_z q(z)\log\tfrac{p(x_n,z)}{q(z)}=\mathrm{ELBO}\end{aligned}"""
    )
    gap = found.log_density - found.bound
    words.latex(rf"{formula(found.log_density)}\;\ge\;{formula(found.bound)}")
    words.latex(rf"\text{{gap}}=\mathrm{{KL}}(q\,\|\,p(z\mid x_n))={formula(gap)}\ \text{{nats}}")
    with left:
        _chart(figures.jensen_figure(found, COLOURS), "jensen", "the logarithm and its chord")
    with right:
        _chart(
            figures.bound_over_q_figure(*bound_over_q(tiny, row), found, COLOURS),
            "bound over q",
            "the bound over q",
        )
    st.markdown(
        f"For $x_{{{row + 1}}}={formula(tiny.rows[row])}$ the gap closes at "
        f"$q={formula(found.posterior[0])}$: the posterior. Then both ratios $p(x,z)/q(z)$ are "
        "equal, and the chord is a point. Setting $q$ to it is the **E-step**."
    )


def four_forms(tiny: Tiny) -> None:
    st.subheader("3. One bound, four ways to read it", anchor="four-forms")
    _chain(
        (r"\mathrm{ELBO}=\mathbb E_q[\log\tfrac{p(x,z)}{q(z)}]", r"joint over $q$"),
        (r"\dots=\mathbb E_q[\log p(x,z)]+H(q)", "expected joint plus entropy"),
        (
            r"\dots=\mathbb E_q[\log p(x\mid z)]-\mathrm{KL}(q\,\|\,p(z))",
            "reconstruction minus KL to the prior",
        ),
        (
            r"\dots=\log p(x)-\mathrm{KL}(q\,\|\,p(z\mid x))",
            "evidence minus KL to the posterior",
        ),
    )
    columns = three_forms(tiny)
    forms = {model: column.forms for model, column in columns.items()}
    names = (
        "joint over q",
        "expected joint + entropy",
        f"reconstruction {MINUS} KL to the prior",
        f"evidence {MINUS} KL to the posterior",
        "log p(x)",
    )
    table = pd.DataFrame(
        {model: summands(*found, decimals=10) for model, found in forms.items()},
        index=list(names),
    )
    table.loc["largest difference of the four"] = [
        number(f.disagreement, 2) for f in forms.values()
    ]
    tables.show(table, "Each computed in its own way, in nats, after one M-step", "Forms")
    st.markdown(
        "The mixture takes your numbers as they are, the chain as a sequence, and factor analysis "
        "each with the next two. The first line lists every assignment, or integrates exactly."
    )
    st.markdown(
        "The M-step moved all parameters, standard deviations and weights too; $q$ is the "
        "posterior before it. The values are those after it:"
    )
    st.markdown("\n".join(f"- {model}: {in_words(c.after)}" for model, c in columns.items()))


def two_steps(tiny: Tiny) -> None:
    st.subheader("4. Two steps, one function", anchor="staircase")
    with st.container(border=True):
        _two_points()


def _two_points() -> None:
    """Step 4, apart from the numbers that all others use."""
    st.markdown("**Two points of its own**: the numbers and sliders above play no part here.")
    st.markdown(
        "EM climbs $\\mathrm{ELBO}(q,\\theta)$ along one axis at a time: the E-step moves $q$, the "
        "M-step moves $\\theta$. Two points, two components: one number for each, so all of it "
        "fits on a map."
    )
    left, right = st.columns(2)
    with left:
        apart = shell.widget("tiny_apart")
    with right:
        start = shell.widget("tiny_start")
    stairs = staircase(apart, start)
    _chart(figures.staircase_figure(stairs, COLOURS), "staircase", "the way up")
    theta, q = stairs.corners[-1]
    st.latex(
        rf"q\leftarrow\frac{{1}}{{1+e^{{-2\theta\cdot{formula(apart)}}}}},\quad"
        rf"\theta\leftarrow{formula(apart)}\,(2q-1)"
    )
    st.markdown(rf"After 12 iterations $\theta={formula(theta)}$ and $q={formula(q)}$.")
    st.markdown(
        "Light is high. With points within ±1 both components end on top of each other: there the "
        "data cannot tell them apart."
        if apart <= 1
        else "Light is high. Every corner is a half-step; no corner is lower than the one before."
    )


def never_down(tiny: Tiny) -> None:
    st.subheader("5. Why it never goes down", anchor="monotone")
    iteration = shell.widget("tiny_iteration")
    steps = climb(tiny, iteration)
    before, move = steps[-3], steps[-2]
    t = move.iteration
    bound = rf"\mathrm{{ELBO}}(q_{{{t - 1}}},\theta_{{{t}}})"
    here, risen, after, kl = terms(
        before.log_likelihood, move.elbo, move.log_likelihood, max(move.kl, 0)
    )
    _chain(
        (
            rf"\log p(x\mid\theta_{{{t - 1}}})"
            rf"=\mathrm{{ELBO}}(q_{{{t - 1}}},\theta_{{{t - 1}}})={here}",
            "the E-step closed the gap",
        ),
        (rf"\dots\le {bound}={risen}", r"the M-step maximises over $\theta$"),
        (
            rf"\dots\le {bound}+\mathrm{{KL}}={risen}+{kl}",
            "no KL is negative",
        ),
        (rf"\dots=\log p(x\mid\theta_{{{t}}})={after}", "evidence = ELBO + KL"),
    )
    found = along_the_m_step(tiny, iteration)
    _chart(figures.risen_figure(found, COLOURS), "risen", "along the M-step")
    gain = move.log_likelihood - before.log_likelihood
    st.markdown(
        f"Iteration {t} gains **{nats(gain)}** nats: **{nats(move.elbo - before.elbo)}** because "
        f"the bound rose, and **{gap(move)}** because it no longer touches. The "
        "M-step moves standard deviations and weights as well, so each component has its own: "
        f"{in_words(move.params)}."
    )


def weighted_likelihood(tiny: Tiny) -> None:
    st.subheader("6. The M-step is weighted maximum likelihood", anchor="weighted")
    found = weighted(tiny)
    shares = tiny.shares[:, 0]
    text, picture = st.columns(2)
    with text:
        st.latex(
            r"Q(\theta,\theta_0)=\sum_n\sum_k r_{nk}\log[\pi_k"
            r"\mathcal N(x_n\mid\mu_k,\sigma_k^2)]"
        )
        st.latex(
            r"\mu_1\leftarrow\frac{\sum_n r_{n1}x_n}{\sum_n r_{n1}}"
            rf"=\frac{{{formula(float(shares @ tiny.rows))}}}{{{formula(shares.sum())}}}"
            rf"={formula(found.weighted_mean)}"
        )
        table = pd.DataFrame(
            {"x": tiny.rows, "r, component 1": shares, "r, component 2": tiny.shares[:, 1]},
            index=[str(n + 1) for n in range(len(tiny.rows))],
        )
        tables.show(table, "Every number counts in each component by its responsibility", "M-step")
    with picture:
        _chart(figures.weighted_figure(found, COLOURS), "weighted", "Q and the bound")
        st.markdown(
            f"The entropy $H(q)={formula(found.entropy)}$ nats has no $\\theta$ in it: it lifts "
            "the curve and leaves its top where it is. So the M-step never needs it, though the "
            "bound does."
        )
    st.markdown(
        "The picture moves one mean and holds the rest. The M-step refits standard deviations and "
        f"weights in the same way, and goes to {in_words(found.after)}."
    )


def questions(tiny: Tiny) -> None:
    st.subheader("Questions", anchor="questions")
    for question in QUESTIONS:
        with st.expander(question.asked):
            st.markdown(question.answer)
            st.page_link(question.page, label=question.label, icon=":material/arrow_forward:")


SECTIONS = {
    "sum": why_hard,
    "jensen": jensens_gap,
    "forms": four_forms,
    "steps": two_steps,
    "climb": never_down,
    "weighted": weighted_likelihood,
    "questions": questions,
}


def _show_step(tiny: Tiny) -> None:
    """The step of the derivation that is open, and the way to the next one.

    One at a time: redrawing all of them would take a slider longer than a hand waits.
    """
    step = shell.widget("theory_step")
    SECTIONS[step](tiny)
    names = list(SECTIONS)
    place = names.index(step) + 1
    if place < len(names):
        shell.button(
            f"Next: {THEORY_STEPS[names[place]].lstrip('0123456789 ')}",
            partial(shell.change, theory_step=names[place]),
            key=f"to {names[place]}",
            icon=":material/arrow_forward:",
        )
