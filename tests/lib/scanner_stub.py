# SPDX-License-Identifier: GPL-2.0-or-later
"""A virus scanner that misbehaves as told: `scanner_stub.py ADDRESS PORT MODE-FILE`; the mode is read for each connection.

clamd-*: speaks clamd's session protocol; icap-*: speaks ICAP. What a message must hold to be found is the word INFECTED, or the
EICAR test file in base64; one that holds SLOW is not answered by clamd-slow, one that holds HUGE is over its limit. clamd-blind
finds nothing; clamd-held answers when the mode has changed, and one that holds SLOW when it is not clamd-blind either.
"""

import base64
import pathlib
import socket
import sys
import threading
import time

from scanners import eicar

VERSION = "ClamAV 1.4.3/27400/%s"
MODE = pathlib.Path(sys.argv[3])
TEST_FILE = base64.b64encode(eicar())


def is_infected(message):
    return b"INFECTED" in message or TEST_FILE in message[-300:].replace(b"\r\n", b"")


def current_mode():
    return MODE.read_text().strip()


def released(message):
    while (mode := current_mode()) == "clamd-held" or (mode == "clamd-blind" and b"SLOW" in message):
        time.sleep(0.05)
    return mode


class Wire:
    """A connection read by lines and counts; ends with EOFError."""

    def __init__(self, connection):
        self.connection, self.buffer = connection, b""

    def _more(self):
        data = self.connection.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def until(self, mark):
        while mark not in self.buffer:
            self._more()
        text, _, self.buffer = self.buffer.partition(mark)
        return text

    def take(self, count):
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def say(self, text):
        self.connection.sendall(text.encode() if isinstance(text, str) else text)


def clamd(wire, mode):
    assert wire.until(b"\0") == b"zIDSESSION"
    number = 0
    while (command := wire.until(b"\0")) != b"zEND":
        number += 1
        if command == b"zVERSION":
            made = time.localtime(time.time() - (30 * 86400 if mode == "clamd-old" else 60))
            wire.say(f"{number}: {VERSION % time.asctime(made)}\0")
            continue
        assert command == b"zINSTREAM"
        if mode == "clamd-early":
            wire.say(f"{number}: stream: OK\0")
            time.sleep(1)  # more of the message is under way than the socket holds
        message = bytearray()
        while size := int.from_bytes(wire.take(4), "big"):
            message += wire.take(size)
            if mode == "clamd-cut" and len(message) > 1000:
                return
        if mode == "clamd-slow" and b"SLOW" in message:
            time.sleep(30)
        if mode == "clamd-held":
            mode = released(message)
        answer = "Test.Signature FOUND" if mode != "clamd-blind" and is_infected(message) else "OK"
        if b"HUGE" in message:
            wire.say(f"{number}: INSTREAM size limit exceeded. ERROR\0")
            return
        wire.say({"clamd-garbage": "\1\2\3 OK\0", "clamd-error": f"{number}: stream: Cannot scan ERROR\0",
                  "clamd-half": f"{number}: stream: OK", "clamd-other": f"{number + 1}: stream: OK\0",
                  "clamd-escape": f"{number}: stream: \x1b[31mEvil\r\nX FOUND\0",
                  }.get(mode, f"{number}: stream: {answer}\0"))
        if mode == "clamd-half":
            wire.until(b"\0")   # to close with anything unread would reset the connection
            return


def chunked(wire):
    body = bytearray()
    while size := int(wire.until(b"\r\n").split(b";")[0], 16):
        body += wire.take(size)
        assert wire.take(2) == b"\r\n"
    assert wire.until(b"\r\n") == b""
    return body


def icap_answer(mode, request, inside, body):
    """The whole answer to one request."""
    tag = 'ISTag: "stub-1"\r\n'
    if request.startswith("OPTIONS"):
        return f"ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nAllow: 204\r\n{tag}Encapsulated: null-body=0\r\n\r\n".encode()
    found = is_infected(body)
    header = inside if request.startswith("REQMOD") else "HTTP/1.1 200 OK\r\n\r\n"
    kind = "req" if request.startswith("REQMOD") else "res"
    status, extra = "200 OK", ""
    if found:
        header, kind, body = "HTTP/1.1 403 Forbidden\r\n\r\n", "res", b"blocked"
        extra = "X-Infection-Found: Type=0; Resolution=2; Threat=Stub.Test;\r\n"
    elif mode == "icap-204":
        return f"ICAP/1.0 204 No Content\r\n{tag}Encapsulated: null-body=0\r\n\r\n".encode()
    elif mode == "icap-page":
        header, kind, body = "HTTP/1.1 200 OK\r\n\r\n", "res", b"<html>blocked</html>"
    elif mode == "icap-changed":
        body = body[:-3] + b"x\r\n"
    elif mode == "icap-short":
        body = body[:-3]
    elif mode == "icap-error":
        status = "500 Server Error"
    elif mode == "icap-continue":
        return b"ICAP/1.0 100 Continue\r\n\r\n"
    head = f"ICAP/1.0 {status}\r\n{tag}{extra}Encapsulated: {kind}-hdr=0, {kind}-body={len(header)}\r\n\r\n{header}"
    end = b"" if mode == "icap-cut" else b"0\r\n\r\n"
    return head.encode() + b"%x\r\n" % len(body) + body + b"\r\n" + end


def icap(wire, mode):
    head = wire.until(b"\r\n\r\n").decode()
    inside, body = "", b""
    if not head.startswith("OPTIONS"):
        listed = next(line for line in head.split("\r\n") if line.startswith("Encapsulated: "))
        inside = wire.take(int(listed.rpartition("=")[2])).decode()
        body = chunked(wire)
    wire.say(icap_answer(mode, head, inside, body))


def serve(connection, mode):
    with connection:
        connection.settimeout(60)
        try:
            if mode.endswith("-silent"):
                connection.recv(65536)
                time.sleep(30)
            elif mode.startswith("clamd"):
                clamd(Wire(connection), mode)
            else:
                icap(Wire(connection), mode)
        except (EOFError, OSError):
            pass


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    with socket.create_server((address, port), backlog=200) as server:
        print("listening", flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection, current_mode()), daemon=True).start()


main()
