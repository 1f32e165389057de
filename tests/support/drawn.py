"""How many drawn examples a law is tried on."""

from hypothesis import HealthCheck, settings

USUAL = 100


def load(long: bool) -> None:
    """The same examples in every usual run; in a long one ten times as many, others each time."""
    settings.register_profile(
        "of this run",
        deadline=None,
        derandomize=not long,
        max_examples=USUAL * (10 if long else 1),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    settings.load_profile("of this run")


def examples(number: int) -> settings:
    """So many in a usual run."""
    return settings(max_examples=number * settings.default.max_examples // USUAL)
