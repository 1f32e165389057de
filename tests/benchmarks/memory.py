"""What the server has in memory, beside what EM_EXPLORER_MEMORY_MB counts.

`python tests/benchmarks/memory.py`: 24 visitors, six at a time, bring or generate tables and fit
them, 400 MB allowed; then all leave.
"""

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.browser import ROOT, process_of, serve
from support.visitor import Visitor

LIMITS = {"VISIT_MB": "150", "MEMORY_MB": "400"}
SECONDS_TO_LEAVE = 20


def megabytes(process: Path, what: str) -> float:
    return int((process / "status").read_text().partition(f"{what}:")[2].split()[0]) / 1000


def main() -> None:
    os.environ |= {f"EM_EXPLORER_{name}": most for name, most in LIMITS.items()}
    os.environ["STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL"] = "1"
    rows = np.random.default_rng(0).normal(size=(400_000, 3))
    brought = b"a,b,c\n" + b"".join(b"%.6f,%.6f,%.6f\n" % tuple(row) for row in rows)

    def visit(url: str, number: int) -> Visitor:
        if number % 3:
            visitor = Visitor(url, f"v=1&s=generate&n=600000&tc=4&ds={number}&it=2&k=2")
        else:
            visitor = Visitor(url, "v=1&s=table&k=2&it=2")
            visitor.settle()
            visitor.upload("Upload a table", "rows.csv", brought)
        visitor.settle()
        return visitor

    with tempfile.TemporaryDirectory() as folder, serve(ROOT, Path(folder) / "log") as url:
        process = Path(f"/proc/{process_of(url)}")
        first = Visitor(url, "v=1")
        first.settle()
        before = megabytes(process, "VmRSS")
        with ThreadPoolExecutor(6) as several:
            visitors = list(several.map(lambda number: visit(url, number), range(24)))
        most = megabytes(process, "VmHWM")
        for visitor in visitors:
            visitor.close()
        time.sleep(SECONDS_TO_LEAVE)
        after = megabytes(process, "VmRSS")
    print(f"{before:.0f} MB with one visitor, at most {most:.0f} MB, {after:.0f} MB afterwards")


if __name__ == "__main__":
    main()
