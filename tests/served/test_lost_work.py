"""What the pages say when a computation is lost: why, and how to go on; with a model of one's own
that has a mistake in it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.ui.running.workers import Limits
from support.browser import ROOT, serve
from support.visitor import Visitor

pytestmark = pytest.mark.slow

MODEL = '''
import os, signal
import numpy as np
from em_core.examples.zero_inflated_poisson import ZeroInflatedPoisson

class Zeros(ZeroInflatedPoisson):
    """Zeros {number}"""

    def m_step(self, params, statistics):
        {mistake}

model = Zeros()
'''
TOO_LONG = "may take here is over"
MISTAKES = {
    'raise KeyError("no such share")': "An error that nobody expected ended this: KeyError: 'no su",
    "os.kill(os.getpid(), signal.SIGKILL)": "was killed from outside",
    "np.ones(10**12)": "more than the 4,000 MB of memory that one computation may have here",
    "while True: pass": TOO_LONG,
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """An app with a model for each mistake."""
    folder = tmp_path_factory.mktemp("lost")
    files = [folder / f"zeros_{number}.py" for number in range(len(MISTAKES))]
    for number, (file, mistake) in enumerate(zip(files, MISTAKES, strict=True)):
        file.write_text(MODEL.format(number=number, mistake=mistake))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("EM_EXPLORER_MODELS", os.pathsep.join(map(str, files)))
        environment.setenv("EM_EXPLORER_FIT_SECONDS", "2")
        with serve(ROOT, folder / "log") as url:
            yield url, folder / "log"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_page_says_why_work_was_lost_and_offers_to_try_again(served, mistake: str) -> None:
    (url, log), why = served, MISTAKES[mistake]
    model = f"own-zeros_{list(MISTAKES).index(mistake)}"
    for page in ("", "local_optima"):
        visitor = Visitor(url, f"v=1&e=earthquakes&m={model}&ns=2", page)
        visitor.settle()
        said = visitor.texts.replace("\\", "")
        assert why in said
        # A fit that took too long is shown as far as it is.
        if page or why != TOO_LONG:
            visitor.click("Try again")
            visitor.settle()
            assert why in visitor.texts.replace("\\", "")
        visitor.close()
    if "KeyError" in why:
        assert "in m_step" in log.read_text() and "Traceback" in log.read_text()


def test_a_grid_whose_time_is_over_says_so_and_goes_on(served) -> None:
    url, _ = served
    query = "v=1&s=generate&g=overlapping&n=50000&tk=6&kf=1&kt=12&ne=50&tol=1e-9&cov2=full"
    visitor = Visitor(url, query, "model_selection")
    visitor.settle()
    if "Compare them" in visitor.said:  # on a slow machine this takes long enough to be asked for
        visitor.click("Compare them")
        visitor.settle()
    assert Limits.configured().out_of_time in visitor.said
    # On a busy machine not even one component is fitted in time.
    left = re.search(r"(\d+) of 12 models (is|are) still to be fitted\.", visitor.said)
    visitor.click("Go on" if left else "Try again")
    visitor.settle()
    assert Limits.configured().out_of_time in visitor.said
    visitor.close()
