# SPDX-License-Identifier: GPL-2.0-or-later
"""Scripted RFB peers, written from RFC 6143 alone: a viewer and a desktop that can lie at every step."""

import contextlib
import socket
import struct
import threading

from ..waiting import PATIENCE_SECONDS, wait_until

RAW, COPY_RECT, HEXTILE, TRLE, ZRLE = 0, 1, 5, 15, 16
CURSOR, DESKTOP_SIZE, LAST_RECT, EXTENDED_DESKTOP_SIZE = -239, -223, -224, -308

FORMAT = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)


def set_format(format_bytes=FORMAT, padding=b"\0\0\0"):
    return b"\0" + padding + format_bytes


def set_encodings(*encodings):
    return struct.pack(">BBH", 2, 0, len(encodings)) + b"".join(struct.pack(">i", e) for e in encodings)


def update_request(width, height, incremental=0, x=0, y=0):
    return struct.pack(">BBHHHH", 3, incremental, x, y, width, height)


def key(keysym, down=1, padding=b"\0\0"):
    return struct.pack(">BB", 4, down) + padding + struct.pack(">I", keysym)


def pointer(x, y, buttons=0):
    return struct.pack(">BBHH", 5, buttons, x, y)


def rect(x, y, width, height, encoding, body=b""):
    return struct.pack(">HHHHi", x, y, width, height, encoding) + body


def update(*rects, count=None, padding=b"\0"):
    return b"\0" + padding + struct.pack(">H", len(rects) if count is None else count) + b"".join(rects)


def solid(width, height, colour=0x336699, padding=0):
    """Raw pixels of one colour; `padding` is the byte that means nothing."""
    return struct.pack("<I", colour | padding << 24) * (width * height)


class Stream:
    """Exact reads from a socket, with everything received kept for searching."""

    def __init__(self, sock):
        self.sock = sock
        self.received = bytearray()

    def read(self, size):
        got = bytearray()
        while len(got) < size:
            more = self.sock.recv(min(size - len(got), 1 << 20))
            if not more:
                raise EOFError(f"closed after {len(got)} of {size} bytes")
            got += more
        self.received += got
        return bytes(got)

    def send(self, data):
        self.sock.sendall(data)

    def drain(self, seconds=PATIENCE_SECONDS):
        """Everything until the other side closes or is silent for `seconds`; whether it closed."""
        self.sock.settimeout(seconds)
        try:
            while True:
                more = self.sock.recv(1 << 20)
                if not more:
                    return True
                self.received += more
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.close()

    def abort(self):
        """Close it under a thread that may be reading or writing: to close alone would leave that thread, the connection
        and their namespace there until the peer says something."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.close()


class Viewer(Stream):
    """A viewer that shows nothing: handshake, requests, raw pictures."""

    def __init__(self, sock, version=b"RFB 003.008\n", handshake=True):
        super().__init__(sock)
        self.width = self.height = 0
        self.name = b""
        self.picture = None
        if handshake:
            self.shake(version)

    def shake(self, version):
        assert self.read(12) == b"RFB 003.008\n"
        self.send(version)
        if version == b"RFB 003.003\n":
            assert self.read(4) == b"\0\0\0\1"
        else:
            assert self.read(2) == b"\1\1", "exactly one security type, None, is offered"
            self.send(b"\1")
            if version == b"RFB 003.008\n":
                assert self.read(4) == b"\0\0\0\0"
        self.send(b"\1")
        self.width, self.height = struct.unpack(">HH", self.read(4))
        assert self.read(16) == FORMAT
        self.name = self.read(struct.unpack(">I", self.read(4))[0])
        self.picture = bytearray(self.width * self.height * 4)

    def begin(self, *encodings):
        """Our format, these encodings (Raw by default), a request for everything."""
        self.send(set_format() + set_encodings(*(encodings or (RAW,))))
        self.send(update_request(self.width, self.height))

    def read_rect(self):
        x, y, width, height, encoding = struct.unpack(">HHHHi", self.read(12))
        if encoding == RAW:
            body = self.read(width * height * 4)
            for row in range(height):
                at = ((y + row) * self.width + x) * 4
                self.picture[at:at + width * 4] = body[row * width * 4:(row + 1) * width * 4]
        elif encoding == CURSOR:
            self.read(width * height * 4 + (width + 7) // 8 * height)
        elif encoding in (DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE):
            if encoding == EXTENDED_DESKTOP_SIZE:
                self.read(16 * self.read(4)[0])
            self.width, self.height = width, height
            self.picture = bytearray(width * height * 4)
        else:
            raise AssertionError(f"encoding {encoding} was not asked for")
        return encoding, (x, y, width, height)

    def read_update(self):
        """One FramebufferUpdate; its rectangles as (encoding, (x, y, width, height))."""
        kind, _padding, count = struct.unpack(">BBH", self.read(4))
        assert kind == 0, f"message type {kind}"
        return [self.read_rect() for _ in range(count)]

    def pixel(self, x, y):
        at = (y * self.width + x) * 4
        return struct.unpack_from("<I", self.picture, at)[0]

    def wait_pixel(self, x, y, colour, seconds=5.0):
        """Ask for updates until a pixel has a colour; seconds: as wait_until() has it, of one update."""
        self.sock.settimeout(max(seconds, PATIENCE_SECONDS))
        while self.pixel(x, y) != colour:
            self.send(update_request(self.width, self.height, 1))
            self.read_update()


class FakeDesktop:
    """A desktop in a namespace that runs `script(desktop, stream)` for each connection, after a handshake if wanted.

    The handshake's parts can be replaced: version, security (what follows the version exchange, up to and with the
    result), init (ServerInit). `messages` are the client's messages that were parsed by `serve`. A connection may be silent
    for as long as a test takes: stop() ends all, and every script that waits for `go`.
    """

    WIDTH, HEIGHT = 320, 240

    def __init__(self, net, namespace, address, port=5900, script=None, version=b"RFB 003.008\n", name=b"desktop",
                 security=None, init=None):
        self.script, self.version, self.security = script, version, security
        self.init = init or (struct.pack(">HH", self.WIDTH, self.HEIGHT) + FORMAT +
                             struct.pack(">I", len(name)) + name)
        self.messages, self.errors, self.streams = [], [], []
        self.go, self.gone = threading.Event(), threading.Event()  # for scripts that wait for the test, and tests for them
        self.listener = net.socket(namespace, timeout=None)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(16)
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()
        net.on_close(self.stop)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.streams.append(Stream(self.listener.accept()[0]))  # here: in the order in which they come
                threading.Thread(target=self._run, args=(self.streams[-1],), daemon=True).start()

    def _run(self, stream):
        try:
            if self.shake(stream) and self.script:
                self.script(self, stream)
        except (EOFError, OSError):
            pass  # the gateway has ended the session
        except Exception as error:  # pylint: disable=broad-except
            self.errors.append(error)
        finally:
            stream.close()

    def shake(self, stream):
        stream.send(self.version)
        answer = stream.read(12)
        if self.security is not None:
            stream.send(self.security)
            stream.drain()
            return False
        if answer == b"RFB 003.003\n":
            stream.send(b"\0\0\0\1")
        else:
            stream.send(b"\1\1")
            assert stream.read(1) == b"\1"
            if answer == b"RFB 003.008\n":
                stream.send(b"\0\0\0\0")
        assert stream.read(1) == b"\1"
        stream.send(self.init)
        return True

    def next_message(self, stream):
        """The client's next message, checked to be one of the five that a desktop may ever get."""
        kind = stream.read(1)[0]
        lengths = {0: 19, 2: 3, 3: 9, 4: 7, 5: 5}
        assert kind in lengths, f"message type {kind} reached the desktop"
        body = stream.read(lengths[kind])
        if kind == 2:
            body += stream.read(4 * struct.unpack(">H", body[1:3])[0])
        self.messages.append((kind, body))
        return kind, body

    def wait_request(self, stream):
        while True:
            kind, body = self.next_message(stream)
            if kind == 3:
                return body

    def show(self, stream, colour=0x336699, padding=0):
        """Answer the next request with the whole screen in one colour."""
        self.wait_request(stream)
        stream.send(update(rect(0, 0, self.WIDTH, self.HEIGHT, RAW, solid(self.WIDTH, self.HEIGHT, colour, padding))))

    def serve(self, stream):
        """Take messages until the gateway leaves."""
        while True:
            self.next_message(stream)

    def received(self):
        return b"".join(bytes(s.received) for s in self.streams)

    def wait_connected(self, count=1, seconds=5.0):
        wait_until(lambda: len(self.streams) >= count, "a connection to the desktop", seconds)

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.accepting.join(PATIENCE_SECONDS)
        for stream in self.streams:
            stream.abort()
        self.go.set()
