"""What the pages say when a computation is lost: why, and how to go on; with a model of one's own
that has a mistake in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.browser import ROOT, serve
from support.visitor import Visitor

pytestmark = pytest.mark.slow

MODEL = '''
import os, signal
import numpy as np
from em_core.examples.zero_inflated_poisson import ZeroInflatedPoisson

class Zeros(ZeroInflatedPoisson):
    """Zeros that go wrong"""

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


@pytest.fixture(params=MISTAKES)
def served(request, tmp_path: Path, monkeypatch) -> Iterator[tuple[str, str, Path]]:
    file = tmp_path / "zeros.py"
    file.write_text(MODEL.format(mistake=request.param))
    monkeypatch.setenv("EM_EXPLORER_MODELS", str(file))
    if "while" in request.param:
        monkeypatch.setenv("EM_EXPLORER_FIT_SECONDS", "2")
    with serve(ROOT, tmp_path / "log") as url:
        yield url, MISTAKES[request.param], tmp_path / "log"


def test_the_page_says_why_work_was_lost_and_offers_to_try_again(served) -> None:
    url, why, log = served
    for page in ("", "local_optima"):
        visitor = Visitor(url, "v=1&e=earthquakes&m=own-zeros&ns=2", page)
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
