"""Whether two fits went the same way."""

import pytest

from em_core.trees import same_bits


def alike(one, other) -> bool:
    """To the last bit."""
    return all(
        a.log_likelihood == b.log_likelihood and a.elbo == b.elbo and same_bits(a.params, b.params)
        for a, b in zip(one.trace, other.trace, strict=True)
    )


def assert_nearly_alike(one, other, rel: float) -> None:
    """But for the order in which sums are rounded: likelihood and bound of every half-step, BIC and
    ICL."""
    for a, b in zip(one.trace, other.trace, strict=True):
        assert a.log_likelihood == pytest.approx(b.log_likelihood, rel=rel)
        assert a.elbo == pytest.approx(b.elbo, rel=rel)
    assert other.bic == pytest.approx(one.bic, rel=rel)
    assert other.icl == pytest.approx(one.icl, rel=rel)
