"""Questions people ask about EM, each with a short answer and the page that shows it."""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    asked: str
    answer: str
    page: str
    label: str


QUESTIONS = (
    Question(
        "Does EM find the best parameters?",
        "It finds a place where no small step helps: usually a local optimum. Which one depends on "
        "the start, so start it many times and compare.",
        "local_optima.py",
        "Run many starts",
    ),
    Question(
        "Is EM variational inference?",
        "It is its exact case. Both climb the ELBO over q; EM lets q be the posterior, so the "
        "bound touches. Variational EM restricts q to what can be computed: the bound still "
        "climbs, but a gap stays, and the likelihood itself may fall.",
        "variants.py",
        "See mean-field EM and variational Bayes",
    ),
    Question(
        "What if the hidden part is continuous?",
        "The sum becomes an integral, and nothing else changes. In factor analysis the posterior "
        "of the factors is Gaussian and the E-step takes its mean and covariance. Where there is "
        "no such formula, sample (Monte-Carlo EM) or restrict q (a variational auto-encoder).",
        "variants.py",
        "See an encoder learn the posterior",
    ),
    Question(
        "Why is the bound as steep as the likelihood where they touch?",
        "The likelihood minus the bound is a KL divergence, which is 0 there and never negative: "
        "it is at a minimum, so its slope is 0. After the E-step the slope of the bound needs no "
        "further pass over the data, which gives gradient methods their gradient (Fisher's "
        "identity).",
        "lower_bound.py",
        "See the two slopes",
    ),
    Question(
        "Why is EM slow near the end?",
        "What is hidden is information the data lack. Each iteration goes the part of the way "
        "that is not hidden. Where components overlap most is hidden, and the steps are small.",
        "variants.py",
        "See what speeds it up",
    ),
    Question(
        "How many components are there?",
        "The likelihood rises with every component. Compare a criterion with a price on "
        "parameters, such as BIC, or let variational Bayes switch components off.",
        "explore.py",
        "See the BIC of a fit",
    ),
)
