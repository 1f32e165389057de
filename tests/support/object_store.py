"""A folder as the bucket of an object store (S3), for those who read."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import gmtime, strftime
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "bucket"
NOTHING: Mapping[str, str] = {}


class Store:
    """address: of a folder in the bucket, its options and keys included. refuses: whether what is
    in its objects is refused; that they are there is told."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.refuses = False

    def address(self, folder: str) -> str:
        where = f"scheme=http&endpoint_override=127.0.0.1%3A{self.port}"
        return f"s3://key:secret@{BUCKET}/{folder}?region=here&{where}"


@contextmanager
def object_store(folder: Path) -> Iterator[Store]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Nothing is said."""

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            key = unquote(asked.path).removeprefix(f"/{BUCKET}").removeprefix("/")
            query = parse_qs(asked.query, keep_blank_values=True)
            if "list-type" in query:
                found = _listed(folder, query["prefix"][0], query.get("delimiter", [""])[0])
                self._answer(200, found.encode(), {"Content-Type": "application/xml"})
            elif not (folder / key).is_file():
                self._answer(404)
            elif store.refuses and self.command == "GET":
                self._answer(403)
            else:
                self._send(folder / key)

        def _send(self, path: Path) -> None:
            content = path.read_bytes()
            told = {"Last-Modified": formatdate(path.stat().st_mtime, usegmt=True)}
            if not (span := self.headers.get("Range")):
                self._answer(200, content, told)
                return
            first, last = (int(part) for part in span.removeprefix("bytes=").split("-"))
            last = min(last, len(content) - 1)
            told["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            self._answer(206, content[first : last + 1], told)

        def _answer(self, code: int, content: bytes = b"", told: Mapping[str, str] = NOTHING):
            self.send_response(code)
            for name, value in {**told, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        store = Store(server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield store
        server.shutdown()


def _listed(folder: Path, prefix: str, delimiter: str) -> str:
    """The objects whose keys begin so, those behind a delimiter by what is before it."""
    objects, folders = [], set()
    for path in sorted(folder.rglob("*")):
        key = path.relative_to(folder).as_posix()
        if not path.is_file() or not key.startswith(prefix):
            continue
        within, found, _ = key.removeprefix(prefix).partition(delimiter or "\0")
        if found:
            folders.add(prefix + within + delimiter)
            continue
        about = path.stat()
        written = strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(about.st_mtime))
        objects.append(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{written}</LastModified>"
            f"<Size>{about.st_size}</Size></Contents>"
        )
    prefixes = [
        f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"
        for name in sorted(folders)
    ]
    return (
        '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix><IsTruncated>false</IsTruncated>"
        f"<KeyCount>{len(objects) + len(folders)}</KeyCount>"
        f"{''.join((*objects, *prefixes))}</ListBucketResult>"
    )
