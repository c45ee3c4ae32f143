"""ClickHouse's engine behind the part of its HTTP interface that @clickhouse/client uses, for tests.

    python serve.py PORT FOLDER

One session, so one query at a time. What a client sends as settings in the URL becomes a SETTINGS clause. SIGTERM ends it behind the query that it has
in hand, whose answer may be lost.
"""

import os
import re
import signal
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from chdb import session

PORT, FOLDER = int(sys.argv[1]), sys.argv[2]
NOT_SETTINGS = {"query", "wait_end_of_query", "buffer_size", "database", "query_id", "session_id", "session_timeout", "role", "user", "password", "default_format"}

engine = session.Session(FOLDER)
one_at_a_time = threading.Lock()


def end(*_):
    def behind_the_query():
        one_at_a_time.acquire()
        os._exit(0)

    threading.Thread(target=behind_the_query).start()


signal.signal(signal.SIGTERM, end)


def literal(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def statement(parameters, body):
    """The query with its parameters set, and its settings where ClickHouse's grammar has them."""
    query = parameters.get("query", "")
    data = body
    if query == "":
        query, data = body.decode(), b""
    settings = ", ".join(f"{name} = {literal(value)}" for name, value in parameters.items() if name not in NOT_SETTINGS and not name.startswith("param_"))
    for name, value in parameters.items():
        if name.startswith("param_"):
            query = re.sub(r"\{" + name[6:] + r":\w+\}", lambda _: literal(value), query)
    insert = re.match(r"\s*INSERT\b.*\bFORMAT\s+(\w+)\s*$", query, re.S | re.I)
    if insert is not None:
        head = query[: query.upper().rindex("FORMAT")]
        return f"{head} SETTINGS {settings} FORMAT {insert[1]} ".encode() + data, None
    chosen = re.search(r"\bFORMAT\s+(\w+)\s*$", query, re.I)
    return query[: chosen.start()].encode() if chosen else query.encode(), chosen[1] if chosen else None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, b"Ok.\n")

    def do_POST(self):
        parameters = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(self.path).query, keep_blank_values=True))
        text, wanted = statement(parameters, self.body())
        try:
            with one_at_a_time:
                result = engine.query(text.decode(), wanted or "TabSeparated")
            self.answer(200, result.bytes())
        except Exception as error:  # the engine has one class of its own, and RuntimeError for some
            message = str(error)
            code = re.search(r"Code: (\d+)", message)
            self.answer(500, message.encode(), {"X-ClickHouse-Exception-Code": code[1]} if code else {})

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer(self, status, content, headers={}):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True


Server(("127.0.0.1", PORT), Handler).serve_forever()
