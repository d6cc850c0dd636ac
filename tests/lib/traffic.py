# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbered traffic between zones: who sent what when, and what of it arrived when."""

import contextlib
import errno
import os
import selectors
import socket
import struct
import threading
import time

from .net import Background
from .waiting import wait_until

FIRST_PORT, PORTS = 8000, 6000  # of one source; below those that the kernel chooses by itself
SO_TIMESTAMPNS = 35  # not in Python's socket module; also the type of the control message
TIMESPEC = struct.Struct("qq")
SO_RCVBUFFORCE = 33
ROOM_BYTES = 4 << 20  # for some thousand packets that wait for a thread
STAMP_BYTES = socket.CMSG_SPACE(TIMESPEC.size)
SAME_TIME_SECONDS = 0.001  # two clocks were read at one time if no more went by between them
PACKET = struct.Struct("!4sId")  # kind, number, time of sending (monotonic)


def stamped(control):
    """When the kernel had what a socket with SO_TIMESTAMPNS gave, on the monotonic clock: a thread may come to it much later.

    control: of recvmsg(). None: without a stamp, as what came before the kernel began to write them.
    """
    stamps = [TIMESPEC.unpack(data) for level, kind, data in control if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS)]
    if not stamps:
        return None
    [(seconds, nanoseconds)] = stamps
    while True:     # who is interrupted between the two clocks would be wrong by as long as that takes
        before, wall, after = time.monotonic(), time.time(), time.monotonic()
        if after - before < SAME_TIME_SECONDS:
            return seconds + nanoseconds / 1e9 - wall + before


@contextlib.contextmanager
def on_one_processor():
    """What the calling thread sends in the block arrives in its order: each processor has a queue of its own on the way."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@contextlib.contextmanager
def connecting(net, namespace, host, port, threads=4):
    """Connections from a namespace, one behind the other on each thread, until the block ends; from the first one on.

    Gives the list of the times (monotonic) at which they were there. Several threads: one may wait a second to send its packet again.
    """
    begun, over = [], threading.Event()

    def connect():
        while not over.is_set():
            with contextlib.suppress(OSError):
                net.connect(namespace, host, port).close()
                begun.append(time.monotonic())
    running = [threading.Thread(target=connect) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        wait_until(lambda: begun, "a connection", 30)
        yield begun
    finally:
        over.set()
        for thread in running:
            thread.join(60)


def in_the_middle(times, first, length):
    """Those in the middle half of `length` seconds from `first` on."""
    return [t for t in times if first + length / 4 < t < first + 3 * length / 4]


class IdleFlows:
    """TCP connections to an echo server (Sink) that do nothing, until each is asked for an echo. timeout: of each answer."""

    def __init__(self, net, namespace, host, port, count, timeout=15.0):
        self.sockets = []
        net.on_close(self.close)
        for _ in range(count):
            self.sockets.append(net.connect(namespace, host, port, timeout=timeout))

    def close(self):
        for one in self.sockets:
            one.close()

    def all_answer(self):
        for one in self.sockets:
            one.send(b"still there?")
        return all(one.recv(100) == b"still there?" for one in self.sockets)


class Sink:
    """UDP packets and TCP connections that arrive at one port of a namespace; answers UDP packets and echoes TCP."""

    def __init__(self, net, namespace, host, port):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.got = []  # (kind, number, sent, received)
        self.udp = net.socket(namespace, family, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM_BYTES)
        self.udp.bind((host, port))
        self.tcp = net.socket(namespace, family)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((host, port))
        self.tcp.listen(512)
        self.thread = Background(self._serve)
        net.on_close(self.stop)

    def stop(self):
        self.thread.stop()
        self.udp.close()
        self.tcp.close()

    def _serve(self, stopping):
        with selectors.DefaultSelector() as ready_ones:
            ready_ones.register(self.udp, selectors.EVENT_READ)
            ready_ones.register(self.tcp, selectors.EVENT_READ)
            while not stopping.is_set():
                for ready in [key.fileobj for key, _ in ready_ones.select(0.05)]:
                    if ready is self.tcp:
                        ready_ones.register(self.tcp.accept()[0], selectors.EVENT_READ)
                    elif ready is self.udp:
                        self._take(*self.udp.recvmsg(2048, STAMP_BYTES))
                    elif not self._echo(ready):
                        ready_ones.unregister(ready)
                        ready.close()
            for key in list(ready_ones.get_map().values()):
                if key.fileobj not in (self.udp, self.tcp):
                    key.fileobj.close()

    def _take(self, data, control, _flags, sender):
        if len(data) >= PACKET.size:
            kind, number, sent = PACKET.unpack_from(data)
            self.got.append((kind.decode(), number, sent, stamped(control)))
        try:
            self.udp.sendto(data, sender)
        except OSError:
            pass  # the way back may be shut: that is what the tests do

    @staticmethod
    def _echo(stream):
        try:
            data = stream.recv(65536)
            if data:
                stream.sendall(data)
                return True
        except OSError:
            pass
        return False

    def of(self, kind):
        return [item for item in list(self.got) if item[0] == kind]


class Source:
    """Sends numbered UDP packets: kind "flow" from one port (one flow), kind "new " from a new port each (new flows)."""

    count = 0

    def __init__(self, net, namespace, host, port, pause=0.01):
        self.first_port = FIRST_PORT + Source.count % 4 * PORTS
        Source.count += 1
        self.net, self.namespace, self.target, self.pause = net, namespace, (host, port), pause
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sent = 0
        self.answers = []  # (kind, number, sent, received): of the one flow
        self.over, self.silent = threading.Event(), threading.Event()
        self.one = net.socket(namespace, self.family, socket.SOCK_DGRAM, timeout=0)
        self.one.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM_BYTES)
        self.thread = Background(self._send)
        net.on_close(self.stop)

    def stop(self):
        self.thread.stop()
        self.one.close()

    def end(self):
        """Send no more: `sent` is the last number from now on. Answers are still read, until stop()."""
        self.over.set()
        wait_until(self.silent.is_set, "the end of sending")

    def _send(self, stopping):
        with self.net.inside(self.namespace):
            while not stopping.is_set():
                if self.over.is_set():
                    self.silent.set()
                else:
                    self._send_both(self.sent + 1)
                self._read_answers()
                time.sleep(self.pause)

    def _send_both(self, number):
        self._send_from(self.one, b"flow", number)
        with socket.socket(self.family, socket.SOCK_DGRAM) as new:
            new.bind(("", self.first_port + number % PORTS))  # never one that was a flow before
            self._send_from(new, b"new ", number)
        self.sent = number

    def _send_from(self, sender, kind, number):
        try:
            sender.sendto(PACKET.pack(kind, number, time.monotonic()), self.target)
        except OSError as refused:
            if refused.errno not in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.EAGAIN,
                                     errno.ENETUNREACH):
                raise

    def _read_answers(self):
        while True:
            try:
                data = self.one.recv(2048)
            except OSError:
                return
            kind, number, sent = PACKET.unpack_from(data)
            self.answers.append((kind.decode(), number, sent, time.monotonic()))


class Stream:
    """One TCP connection that sends a byte now and then and notes when the kernel had the echo."""

    def __init__(self, net, namespace, host, port, pause=0.02, source=None):
        self.socket = net.connect(namespace, host, port, source=source)
        self.socket.settimeout(0.05)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.pause = pause
        self.echoes = []       # times
        self.ended = None      # (time, error) when the connection was cut
        self.lock = threading.Lock()
        self.thread = Background(self._run)
        net.on_close(self.stop)

    def stop(self):
        self.thread.stop()
        self.socket.close()

    def _run(self, stopping):
        while not stopping.is_set() and self.ended is None:
            try:
                self.socket.send(b".")
                data, control, _, _ = self.socket.recvmsg(4096, STAMP_BYTES)
                if data:
                    self.echoes.append(stamped(control) or time.monotonic())
                else:
                    self.ended = (time.monotonic(), "closed")
            except TimeoutError:
                pass
            except OSError as error:
                self.ended = (time.monotonic(), errno.errorcode.get(error.errno, str(error)))
            time.sleep(self.pause)
