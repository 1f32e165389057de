"""plotly.js and the player's scripts, served from where they are installed.

Nothing comes from another machine, and nothing is written beside the code. An address names the
content, so that a browser may keep what it got for good: other content has another address.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import plotly
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FRONTEND = Path(__file__).parent / "frontend"
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


def plotly_address() -> str:
    """Of the installed plotly.js, relative to the server's base."""
    return f"assets/plotly-{plotly.__version__}.min.js"


@cache
def player_address() -> str:
    """Of the folder of the player's scripts, relative to the server's base."""
    digest = hashlib.sha256()
    for script in _scripts():
        digest.update(script.name.encode() + script.read_bytes())
    return f"assets/player-{digest.hexdigest()[:12]}"


def routes() -> list[Route]:
    """For `st.App`. Also below any base path: with which one the server runs is not known yet."""
    return [Route(f"{base}/assets/{{name:path}}", _serve) for base in ("", "/{base:path}")]


async def _serve(request: Request) -> Response:
    path = _files().get(f"assets/{request.path_params['name']}")
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, media_type="text/javascript", headers=FOR_GOOD)


@cache
def _files() -> dict[str, Path]:
    """Whatever is served, by its address."""
    scripts = {f"{player_address()}/{script.name}": script for script in _scripts()}
    return {plotly_address(): PLOTLY, **scripts}


def _scripts() -> list[Path]:
    return sorted(FRONTEND.glob("*.js"))
