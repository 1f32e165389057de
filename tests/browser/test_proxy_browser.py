"""Behind a reverse proxy, as the example configuration has it."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from support.browser import Visitors, await_health
from support.explore import follow
from support.sharing import CLIPBOARD, copied, shared_table

pytestmark = pytest.mark.browser

CONFIGURATION = Path(__file__).parents[1] / "nginx.conf"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


@contextmanager
def proxied(app: str, folder: Path) -> Iterator[str]:
    """The address of a proxy before an app."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = CONFIGURATION.read_text()
    text = text.replace("127.0.0.1:8501", app.removeprefix("http://"))
    (folder / "nginx.conf").write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{port}"))
    command = [NGINX, "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"]
    with subprocess.Popen(command) as proxy:
        try:
            url = f"http://localhost:{port}"
            await_health(proxy, url, folder / "access.log")
            yield url
        finally:
            proxy.terminate()


@pytest.mark.nginx
def test_everything_works_behind_the_proxy(app: str, visitors: Visitors, tmp_path: Path) -> None:
    with proxied(app, tmp_path) as url:
        page = visitors.open(permissions=CLIPBOARD, keep=False)
        answers = []
        page.on("response", lambda response: answers.append(response))
        shared_table(page, url)
        link = copied(page, "Copy this link")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Play", exact=True).click()
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Rows with results (CSV)").click()
        assert waiting.value.path().stat().st_size > 1_000
        with page.expect_download() as waiting:
            page.get_by_label("Save", exact=True).select_option("png")
        assert waiting.value.path().stat().st_size > 10_000
        page.get_by_role("link", name="Local optima").click()
        expect(page.get_by_text("Optima, best first")).to_be_visible(timeout=60_000)
        first = answers[0].all_headers()
        page.close()
        other = visitors.open(keep=False)
        follow(other, link)
        other.close()
    assert "default-src 'self'" in first["content-security-policy"]
    assert first["x-content-type-options"] == "nosniff"
    assert first["referrer-policy"] == "no-referrer"
    # Violations of the policy are errors of the console, and those fail the test by themselves.
    token = re.search(r"sh=([\w-]{24})", link)[1]
    log = (tmp_path / "access.log").read_text()
    assert "/_stcore/stream" in log and token not in log
    # Nor is the id of a visit, which an upload has in its address.
    assert "/_stcore/upload_file/... 204" in log
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", log)
