# SPDX-License-Identifier: GPL-2.0-or-later
"""What a browser speaks, written from RFC 9112 and RFC 6455 so that a test can lie in it; and a real browser."""

import base64
import hashlib
import json
import os
import pathlib
import re
import struct
import tempfile

from ..waiting import wait_until
from .rfb import FORMAT, Viewer
from .vencrypt import Refused

PLAIN = 256
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Answer:
    """One answer of the gateway's page."""

    def __init__(self, head, body):
        lines = head.decode("ascii").split("\r\n")
        self.status = int(re.fullmatch(r"HTTP/1\.1 (\d{3}) [\w ]+", lines[0]).group(1))
        self.fields = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            assert name.lower() not in self.fields, line
            self.fields[name.lower()] = value
        self.body = body


def read_answer(sock, with_body=True):
    """Read one answer to its last octet, and not one more."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = sock.recv(1)
        if not more:
            raise EOFError(f"the connection ended behind {head!r}")
        head += more
    answer = Answer(head[:-4], b"")
    size = int(answer.fields.get("content-length", 0)) if with_body and answer.status != 101 else 0
    while len(answer.body) < size:
        more = sock.recv(size - len(answer.body))
        if not more:
            raise EOFError("the connection ended inside a body")
        answer.body += more
    return answer


def request(host, path="/", method="GET", **fields):
    """A request's octets; field names are written with underscores, None leaves one out."""
    named = {"Host": host, "Accept-Encoding": "gzip, br", **{k.replace("_", "-"): v for k, v in fields.items()}}
    lines = [f"{method} {path} HTTP/1.1"] + [f"{k}: {v}" for k, v in named.items() if v is not None]
    return "\r\n".join([*lines, "", ""]).encode()


def upgrade(host, key, path="/session", **fields):
    """The request for a session."""
    wanted = {"Origin": f"https://{host}", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key,
              "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "binary",
              **{k.replace("_", "-"): v for k, v in fields.items()}}
    return request(host, path, **wanted)


def frame(payload=b"", opcode=2, fin=1, mask=b"\x11\x22\x33\x44", reserved=0, length=None):
    """One frame of a client; `length` lies about it: the bytes of the length field behind the mask bit."""
    size = len(payload)
    if length is None:
        length = bytes([size]) if size < 126 else (
            b"\x7e" + struct.pack(">H", size) if size < 65536 else b"\x7f" + struct.pack(">Q", size))
    first = bytes([fin << 7 | reserved << 4 | opcode])
    if mask is None:
        return first + length + payload
    masked = bytes(octet ^ mask[i % 4] for i, octet in enumerate(payload))
    return first + bytes([length[0] | 0x80]) + length[1:] + mask + masked


class WebSocket:
    """The client's end of a WebSocket: to its user a socket that carries a stream, or messages."""

    def __init__(self, sock, host, path="/session", **fields):
        self.sock, self.stream, self.closed, self.others = sock, b"", None, []
        key = base64.b64encode(os.urandom(16)).decode()
        sock.sendall(upgrade(host, key, path, **fields))
        self.answer = read_answer(sock)
        if self.answer.status != 101:
            raise Refused(str(self.answer.status))
        expected = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        assert self.answer.fields["sec-websocket-accept"] == expected

    def _exactly(self, size):
        got = b""
        while len(got) < size:
            more = self.sock.recv(size - len(got))
            if not more:
                raise EOFError("the connection ended inside a frame")
            got += more
        return got

    def message(self):
        """The next frame's opcode and payload; a server's frames are whole, unmasked and in the shortest form."""
        first, second = self._exactly(2)
        assert first & 0xf0 == 0x80 and second < 128, "a frame in pieces, with reserved bits, or masked"
        size = second
        if second == 126:
            size = struct.unpack(">H", self._exactly(2))[0]
            assert size > 125
        elif second == 127:
            size = struct.unpack(">Q", self._exactly(8))[0]
            assert size > 65535
        return first & 15, self._exactly(size)

    def recv(self, size):
        while not self.stream and self.closed is None:
            opcode, payload = self.message()
            if opcode == 2:
                self.stream = payload
            elif opcode == 8:
                self.closed = (struct.unpack(">H", payload[:2])[0], payload[2:].decode())
            else:
                self.others.append((opcode, payload))
        taken, self.stream = self.stream[:size], self.stream[size:]
        return taken

    def sendall(self, data):
        self.sock.sendall(frame(data))

    def settimeout(self, seconds):
        self.sock.settimeout(seconds)

    def close(self):
        self.sock.close()


class BrowserViewer(Viewer):
    """An RFB viewer as noVNC is one: inside of TLS and a WebSocket, VeNCrypt's subtype Plain."""

    def __init__(self, sock, host, name=None, password="", login=True):
        super().__init__(WebSocket(sock, host), handshake=False)
        assert self.read(12) == b"RFB 003.008\n"
        self.send(b"RFB 003.008\n")
        assert self.read(2) == b"\1\x13", "exactly one security type, VeNCrypt, is offered"
        self.send(b"\x13")
        assert self.read(2) == b"\0\2"
        self.send(b"\0\2")
        assert self.read(6) == b"\0\1" + struct.pack(">I", PLAIN)
        self.send(struct.pack(">I", PLAIN))
        if login:
            self.log_in(name, password)
            self.enter()

    def log_in(self, name, password):
        """Name and password, and the result."""
        name, password = name.encode(), password.encode()
        self.send(struct.pack(">II", len(name), len(password)) + name + password)
        if self.read(4) != b"\0\0\0\0":
            raise Refused(self.read(struct.unpack(">I", self.read(4))[0]).decode())

    def enter(self):
        """ClientInit and ServerInit."""
        self.send(b"\1")
        self.width, self.height = struct.unpack(">HH", self.read(4))
        assert self.read(16) == FORMAT
        self.name = self.read(struct.unpack(">I", self.read(4))[0])
        self.picture = bytearray(self.width * self.height * 4)

    def wait_close(self, seconds=15.0):
        """Read to the close frame; return its code and reason."""
        self.sock.settimeout(seconds)
        while self.sock.recv(1 << 20):
            pass
        return self.sock.closed


class Chromium:
    """Headless Chromium in a namespace, driven by its DevTools protocol."""

    PORT = 9222

    def __init__(self, net, namespace, spki=None, size=(1000, 800)):
        """spki: base64 of the SHA-256 of the public key that it takes from a server without an authority."""
        home = tempfile.mkdtemp(prefix="chromium-")
        self.net, self.namespace, self.number = net, namespace, 0
        trust = [f"--ignore-certificate-errors-spki-list={spki}"] if spki else []
        net.run(namespace, "ip", "link", "set", "lo", "up")
        # An address that comes up while a page loads makes Chromium break off what it loads (net::ERR_NETWORK_CHANGED).
        wait_until(lambda: not net.run(namespace, "ip", "-6", "address", "show", "tentative").stdout.strip(),
                   "addresses that stay")
        self.process = net.popen(
            namespace, "chromium-headless-shell", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", f"--remote-debugging-port={self.PORT}",
            f"--user-data-dir={home}", "--lang=ja", f"--window-size={size[0]},{size[1]}", *trust, "about:blank",
            env={"HOME": home})
        found = wait_until(lambda: re.search(r"ws://127.0.0.1:\d+(/\S+)", self.process.log()), "DevTools", 60)
        self.browser = self._attach(found.group(1))
        target = self._call(self.browser, "Target.createTarget", url="about:blank")["targetId"]
        self.page = self._attach(f"/devtools/page/{target}")
        self.call("Runtime.enable")

    def _attach(self, path):
        sock = self.net.connect(self.namespace, "127.0.0.1", self.PORT, 30)
        return WebSocket(sock, f"127.0.0.1:{self.PORT}", path, Origin=None, Sec_WebSocket_Protocol=None)

    def _call(self, socket, method, **parameters):
        self.number += 1
        text = json.dumps({"id": self.number, "method": method, "params": parameters})
        socket.sock.sendall(frame(text.encode(), opcode=1))
        while True:
            opcode, payload = socket.message()
            answer = json.loads(payload) if opcode == 1 else {}
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]

    def call(self, method, **parameters):
        """One DevTools method on the page; its result."""
        return self._call(self.page, method, **parameters)

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page; an exception of the script is one here."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression, seconds=30.0):
        """Until a JavaScript expression is true; its value."""
        return wait_until(lambda: self.evaluate(expression), expression, seconds, pause=0.2)

    def open(self, url):
        assert "errorText" not in self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def press(self, key, code, number, text=None):
        """One key, down and up, as the keyboard of a person."""
        what = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **what,
                  **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **what)

    def click(self, selector):
        """One click of the mouse in the middle of an element."""
        x, y = self.evaluate(f"(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector('{selector}')"
                             ".getBoundingClientRect())")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def screenshot(self, path):
        """The page as a person sees it."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
        return path

    def canvas(self, path):
        """The picture that noVNC has drawn, pixel by pixel, as a file."""
        data = self.evaluate("document.querySelector('#screen canvas').toDataURL('image/png')")
        pathlib.Path(path).write_bytes(base64.b64decode(data.split(",", 1)[1]))
        return path
