"""The part on amortised posteriors: an auto-encoder of the digits, for those who ask."""

from __future__ import annotations

import streamlit as st

from pages.ui.charts.axes import COLOURS
from pages.ui.charts.encoder import decoded_figure, gaps_figure, map_figure
from pages.ui.compute.encoding import HIDDEN, PRICED_ROWS, encoder_work
from pages.ui.panels import charts
from pages.ui.running.jobs import run_job
from pages.ui.text import nats


def show_encoder() -> None:
    """Training starts when the part is opened."""
    st.subheader("An amortised posterior", anchor="amortised")
    st.markdown(
        "EM finds the posterior of every row anew. A **variational auto-encoder** learns one "
        "network that says q at a glance, together with a decoder for the model. Without hidden "
        "layers it ends at probabilistic PCA; with one, its bound stays below the likelihood for "
        "two reasons that can be told apart where the evidence is known."
    )
    label = f"Train one on the digits: 2 factors, {HIDDEN} hidden units each way"
    with st.expander(label, key="encoder", on_change="rerun") as part:
        if not part.open:
            return
        encoded = run_job("encoder", "digits", "training the encoder and the decoder", encoder_work)
        if encoded is None:
            return
        st.markdown(
            f"On {PRICED_ROWS} digits, in nats per row: evidence "
            f"**{nats(encoded.evidence.mean())}** (a sum over a grid of factors), ELBO under the "
            f"best Gaussian q of each row **{nats(encoded.best_q.mean())}**, under the encoder's "
            f"**{nats(encoded.encoder.mean())}**. So **{nats(encoded.approximation_gap)}** nats "
            "are lost because no product of Gaussians is the posterior, and "
            f"**{nats(encoded.amortisation_gap)}** because one network serves all rows."
        )
        left, right = st.columns(2)
        with left:
            charts.show(gaps_figure(encoded, COLOURS), "encoder gaps", "the climb")
        with right:
            charts.show(map_figure(encoded, COLOURS), "encoder map", "the digits")
        st.caption("Left: the climb. Right: the mean of q for every digit.")
        st.plotly_chart(decoded_figure(encoded), key="encoder decoded", config={"staticPlot": True})
        st.caption("What the decoder makes of factors between minus 2 and 2 in each direction.")
