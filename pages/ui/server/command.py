"""`em-explorer`: the app as it was installed, from any folder."""

import sys
from pathlib import Path

from streamlit.web import cli

APP = Path(__file__).parent / "app/dashboard.py"


def main() -> None:
    """Start the server; arguments are those of `streamlit run`, configuration is the app's own."""
    cli.main(["run", str(APP), *sys.argv[1:]], prog_name="em-explorer")
