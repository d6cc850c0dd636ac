# SPDX-License-Identifier: GPL-2.0-or-later
"""A next hop that does as the addresses tell it, a load sender, and a dialogue that sends what no library would."""

import contextlib
import json
import pathlib
import socket
import sys
import tempfile
import time

from .net import Background

HERE = pathlib.Path(__file__).resolve().parent


def _ledger(path):
    """The records written so far; a line that is still being written is left out."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


class OrderSink:
    """lib/mail_load.py's sink in a namespace: refuses by the local part "at-STAGE-CODE", or by chance (`trouble`).

    certificate: of a chain and its key; then it takes mail under TLS only.
    """

    def __init__(self, net, namespace, address, port=25, trouble=0.0, seed=1, certificate=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="order-sink-"))
        self.ledger_path = self.directory / "ledger"
        self.mails = self.directory / "mails"
        self.mails.mkdir()
        self.arguments = (net, namespace, address, port, trouble, seed)
        self.tls = ["--certificate", certificate] if certificate else []
        self.process = None
        self.start()

    def start(self):
        net, namespace, address, port, trouble, seed = self.arguments
        self.process = net.popen(namespace, sys.executable, "-B", HERE / "mail_load.py", "sink", address, port,
                                 self.ledger_path, "--trouble", trouble, "--seed", seed, "--keep", self.mails, *self.tls)
        self.process.wait_log("listening", 10)

    def stop(self):
        self.process.stop()

    def ledger(self):
        return _ledger(self.ledger_path)

    def messages(self):
        """What was taken, as bytes with CRLF, in order."""
        return [f.read_bytes() for f in sorted(self.mails.iterdir())]


class LoadSender:
    """lib/mail_load.py's sender in a namespace: `count` mails, each until it is taken or refused for good.

    authority: of certificates that a server of this name must show; then nothing is said without TLS.
    """

    def __init__(self, net, namespace, address, count, at_once, patience=180, port=25, seed=1, authority=None, name=""):
        self.ledger_path = pathlib.Path(tempfile.mkdtemp(prefix="load-")) / "ledger"
        self.process = net.popen(namespace, sys.executable, "-B", HERE / "mail_load.py", "send", address, port,
                                 self.ledger_path, "--count", count, "--at-once", at_once,
                                 "--patience", patience, "--seed", seed,
                                 *(["--authority", authority, "--name", name] if authority else []))

    def running(self):
        return self.process.running()

    def status(self):
        return self.process.popen.returncode

    def ledger(self):
        return _ledger(self.ledger_path)


class Dialogue:
    """One SMTP connection by hand: bytes as they are, in segments as they are."""

    def __init__(self, net, namespace, host, port=25, timeout=30, source=None):
        self.socket = net.connect(namespace, host, port, timeout, source=source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data, segment=None, pause=0.0):
        """Send bytes, in segments of that many octets."""
        step = segment or max(len(data), 1)
        for at in range(0, len(data), step):
            self.socket.sendall(data[at:at + step])
            if pause:
                time.sleep(pause)

    def line(self):
        while b"\n" not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                return ""
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode().rstrip("\r")

    def reply(self):
        """One whole reply: its last line; "" where the connection has ended."""
        while True:
            line = self.line()
            if line[3:4] != "-":
                return line

    def ask(self, command):
        self.send(command.encode() + b"\r\n")
        return self.reply()

    def ended(self):
        """Whether nothing comes any more but the end."""
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def open_data(self, sender="taro@example.jp", recipients=("hanako@city.example.lg.jp",)):
        """From the greeting to 354; asserts each reply."""
        assert self.reply().startswith("220 ")
        for command, code in [("EHLO mx.example.jp", "250"), (f"MAIL FROM:<{sender}>", "250"),
                              *((f"RCPT TO:<{r}>", "250") for r in recipients), ("DATA", "354")]:
            got = self.ask(command)
            assert got.startswith(code), f"{command}: {got}"


class ScriptedHop:
    """A next hop in the lgwan zone; what it says to a connection is a subclass's dialogue(connection)."""

    def __init__(self, net, zones, address=None):
        self.socket = net.socket(zones["lgwan"].namespace, timeout=0.1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address or zones["lgwan"].peer4, 25))
        self.socket.listen(16)
        self.parts = [Background(self._serve)]
        net.on_close(self.stop)

    def _serve(self, stopping):
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self.socket.accept()
                self.parts.append(Background(self._talk, connection))

    def _talk(self, stopping, connection):
        connection.settimeout(20)
        with contextlib.suppress(OSError), connection:
            self.dialogue(connection)

    def stop(self):
        for part in self.parts:
            part.stop()
        self.socket.close()
