"""Every reported number: its formula, and where it is from."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from pages.ui.state import shell
from pages.ui.state.session import session
from pages.ui.text import MINUS


class Method(NamedTuple):
    """What a number is called on pages, how it is worked out, and a reference."""

    name: str
    formula: str
    reference: str


METHODS = (
    Method(
        "Log-likelihood",
        "log L = Σ_n w_n log p(x_n | parameters), natural logarithm, total over the rows, each "
        "with its weight",
        "Dempster, Laird & Rubin 1977, for EM",
    ),
    Method("AIC", f"{MINUS}2 log L + 2 k, k free parameters; smaller is better", "Akaike 1974"),
    Method(
        "AIC3", f"{MINUS}2 log L + 3 k; smaller is better", "Bozdogan 1994; Andrews & Currim 2003"
    ),
    Method(
        "BIC",
        f"{MINUS}2 log L + k log n, n rows or the total of the weights; smaller is better",
        "Schwarz 1978",
    ),
    Method("SABIC", f"{MINUS}2 log L + k log((n + 2) / 24); smaller is better", "Sclove 1987"),
    Method("CAIC", f"{MINUS}2 log L + k (log n + 1); smaller is better", "Bozdogan 1987"),
    Method(
        "ICL",
        f"BIC + 2 H, H = {MINUS}Σ r_nk log r_nk the entropy of the posteriors r_nk of the labels "
        "(of the paths, for a hidden Markov model); smaller is better",
        "Biernacki, Celeux & Govaert 2000; McLachlan & Peel 2000",
    ),
    Method(
        "Cross-validation",
        "log-likelihood of each fold of the rows at the parameters fitted without it",
        "Smyth 2000",
    ),
    Method(
        "Relative entropy",
        f"1 {MINUS} H / (N log K): 1 where no row is in doubt. It measures separation, not whether "
        "K is right",
        "Celeux & Soromenho 1996",
    ),
    Method(
        "Classification error",
        f"1 {MINUS} Σ_n w_n max_k r_nk / N: the share of rows expected in the wrong cluster",
        "Vermunt & Magidson 2016",
    ),
    Method(
        "Average posterior",
        "mean posterior of cluster j among the rows whose most probable cluster is k",
        "Nagin 2005",
    ),
    Method(
        "Odds of correct classification",
        f"p / (1 {MINUS} p) over s / (1 {MINUS} s), p the average posterior of a cluster among its "
        "rows, s its share",
        "Nagin 2005: above 5 is good",
    ),
    Method(
        "What sets a cluster apart",
        f"(mean in the cluster {MINUS} mean of all rows) / standard deviation of all rows; of "
        "items the probability beside the share among all answers",
        "",
    ),
    Method(
        "Order of the columns",
        "mutual information of column and cluster under the model, over the entropy of the cluster",
        "Cover & Thomas 2006",
    ),
    Method(
        "Errors of every two",
        "Bayes error of two clusters alone, over 20,000 rows drawn of each",
        "",
    ),
    Method(
        "Intervals by information",
        "estimate ± 1.96 standard errors on a scale where the limits hold (logarithms of "
        "deviations and rates, log odds of probabilities, Fisher's z of correlations); the "
        "covariance is the inverse of the observed information, differences of the exact "
        "score, carried on by the delta method. With sampling weights the sandwich",
        "Oakes 1999; Louis 1982; White 1982",
    ),
    Method(
        "Intervals by bootstrap",
        "quantiles of 200 fits to rows (sequences, groups) drawn with replacement, each begun at "
        "the estimate, of those that stay in its optimum; none where fewer than 90 % do",
        "Efron & Tibshirani 1993; O'Hagan and others 2019",
    ),
    Method(
        "Test of K against K + 1",
        f"p = (b + 1) / (B + 1) for b of B tables drawn from the smaller model with a ratio 2 (log "
        f"L_(K+1) {MINUS} log L_K) as large as the data's; stopped at the 10th such one",
        "McLachlan 1987; Besag & Clifford 1991; Nylund, Asparouhov & Muthén 2007",
    ),
    Method(
        "No Vuong-Lo-Mendell-Rubin test",
        "its conditions do not hold for mixtures: the smaller model lies at the edge of the larger",
        "Jeffries 2003",
    ),
    Method(
        "Bivariate residuals",
        f"Pearson's Σ (observed {MINUS} expected)² / expected of the table of two items, over (C1 "
        f"{MINUS} 1)(C2 {MINUS} 1); of measurements observed less model correlations",
        "Vermunt & Magidson 2016",
    ),
    Method(
        "G-squared",
        "2 Σ n log(n / (N p)) over the patterns of answers",
        "Agresti 2013",
    ),
    Method(
        "Distance of a column's distribution",
        "the largest difference of the distribution of a column from that of the model",
        "Kolmogorov 1933",
    ),
    Method(
        "Chi-square of factor analysis",
        f"N F, F = log|Σ| {MINUS} log|S| + tr(Σ⁻¹ S) {MINUS} D, without Bartlett's correction on "
        "this page",
        "Lawley & Maxwell 1971",
    ),
    Method(
        "RMSEA",
        f"√(max(0, N F {MINUS} df) / (df N)), with its 90 % interval",
        "Steiger & Lind 1980; Browne & Cudeck 1992",
    ),
    Method("KMO", "squared correlations over theirs and the partial ones'", "Kaiser & Rice 1974"),
    Method(
        "Cramér's V",
        f"√(χ² / (N min(L {MINUS} 1, K {MINUS} 1))) of the table of levels by expected rows of "
        "each cluster, posteriors and not assignments",
        "Cramér 1946",
    ),
    Method(
        "Eta squared",
        f"Σ_k N_k (m_k {MINUS} m)² / Σ_n w_n (x_n {MINUS} m)², means weighted by posteriors",
        "Fisher 1925",
    ),
    Method(
        "Unusual",
        "a log-density below the 0.1 % quantile of 20,000 rows drawn from the model, with the same "
        "cells missing; of a sequence log p(row | rows before it), and sequences drawn",
        "",
    ),
    Method(
        "Split halves",
        "random halves of the rows (sequences) are fitted by themselves; the adjusted Rand index "
        "of the rows of each, assigned by the fit to it and by the fit to the other",
        "McIntyre & Blashfield 1980; Breckenridge 1989",
    ),
    Method(
        "Congruence of loadings",
        "Σ a b / √(Σ a² Σ b²) of the loadings of two factors",
        "Tucker 1951",
    ),
    Method(
        "Adjusted Rand index",
        f"(index {MINUS} its expectation) / (largest {MINUS} its expectation) of pairs of rows",
        "Hubert & Arabie 1985",
    ),
)


def offer() -> None:
    """The button that opens the list."""
    shell.button("Methods", _ask, key="methods", icon=":material/functions:")


def show_dialog() -> None:
    """The list, if it was asked for."""
    if session().dialog == "methods" and not session().owner_token:
        _show()


def _ask() -> None:
    session().dialog = "methods"


@st.dialog("Methods", width="large", on_dismiss=shell.close_dialog)
def _show() -> None:
    st.markdown("How every number on these pages is worked out, and where it is from.")
    for method in METHODS:
        source = f" :gray[{_escaped(method.reference)}.]" if method.reference else ""
        st.markdown(f"**{_escaped(method.name)}**: {_escaped(method.formula)}.{source}")


def _escaped(text: str) -> str:
    """Formulas as they are: no mark in them is one of Markdown's."""
    return "".join(f"\\{c}" if c in r"\*_[]|$<>" else c for c in text)
