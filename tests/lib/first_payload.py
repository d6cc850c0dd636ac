# SPDX-License-Identifier: GPL-2.0-or-later
"""Raw first payloads, a TCP initiator that says exactly what a test wants, and small responders."""

import contextlib
import socket
import struct
import threading

from .net import Background


def client_hello(name=None, pad=0, ech=False):
    """A TLS ClientHello message without its record: name as SNI, `pad` bytes of padding extension."""
    extensions = b""
    if name is not None:
        entry = b"\0" + struct.pack(">H", len(name)) + name.encode()
        extensions += struct.pack(">HHH", 0, len(entry) + 2, len(entry)) + entry
    extensions += b"\x0a\x0a\0\0"  # GREASE (RFC 8701)
    extensions += b"\0\x2b\0\x05\x04\x1a\x1a\x03\x04"
    if ech:
        extensions += b"\xfe\x0d\0\x04abcd"
    extensions += struct.pack(">HH", 21, pad) + bytes(pad)
    body = b"\x03\x03" + bytes(range(32)) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0"
    body += struct.pack(">H", len(extensions)) + extensions
    return b"\x01" + len(body).to_bytes(3, "big") + body


def records(message, size=16384):
    """TLS handshake records of at most `size` bytes of the message each."""
    parts = [message[i:i + size] for i in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + struct.pack(">H", len(p)) + p for p in parts)


def dns_query(name, number=1, kind=1):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)


def dns_answer(query):
    """The answer 192.0.2.1 to a query made above."""
    head = query[:2] + b"\x81\x80" + query[4:6] + b"\0\1\0\0\0\0"
    return head + query[12:] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"


def rdp_request(cookie="sato"):
    tail = f"Cookie: mstshash={cookie}\r\n".encode() + b"\x01\0\x08\0\x03\0\0\0"
    length = 11 + len(tail)
    return struct.pack(">BBHBB", 3, 0, length, length - 5, 0xe0) + bytes(5) + tail


class Responder:
    """Accepts on a TCP port, sends `greeting`, remembers all that comes, and once a connection has brought `after`
    bytes, or what the function `after` finds enough, answers what it brings with `answer`.

    It works beside the test: what it has counted (`streams`, `received`, `resets`) is waited for, not read once, unless
    its answer has come back already.
    """

    BACKLOG = 1024  # connections that may wait to be accepted: as many as any test opens at once

    def __init__(self, net, namespace, address, port, greeting=b"", answer=b"ok", after=0):
        self.greeting, self.answer, self.after, self.streams, self.resets = greeting, answer, after, [], 0
        self.peers = []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = net.socket(namespace, family, timeout=0.2)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(self.BACKLOG)
        self.background = Background(self._accept)
        net.on_close(self.stop)

    def _accept(self, stopping):
        while not stopping.is_set():
            try:
                peer, _ = self.listener.accept()
            except OSError:
                continue
            self.peers.append(peer)
            self.streams.append(bytearray())
            threading.Thread(target=self._serve, args=(peer, self.streams[-1]), daemon=True).start()

    def _serve(self, peer, stream):
        """One connection, until either side ends it; stop() does by shutting it down."""
        peer.settimeout(None)
        try:
            peer.sendall(self.greeting)
            while data := peer.recv(65536):
                stream += data
                if self.after(stream) if callable(self.after) else len(stream) >= self.after:
                    peer.sendall(self.answer)
        except OSError:
            self.resets += 1
        peer.close()

    @property
    def received(self):
        """Everything that any connection has brought."""
        return b"".join(bytes(s) for s in self.streams)

    def stop(self):
        self.background.stop()
        self.listener.close()
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)


class RawTcp:
    """A TCP initiator by hand: segments leave exactly as told. The kernel's own resets are kept in by a rule."""

    def __init__(self, net, namespace, device, source, destination, port, source_port, gateway_mac):
        from scapy.all import IP, TCP, Ether, conf  # slow to import: only where it is wanted
        conf.verb = 0
        self.make = lambda **kw: Ether(dst=gateway_mac) / \
            IP(src=source, dst=destination, ttl=kw.pop("ttl", 64)) / \
            TCP(sport=source_port, dport=port, window=65535, **kw)
        self.out = net.packet_socket(namespace, device)
        self.seen = net.socket(namespace, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800), timeout=0.2)
        self.seen.bind((device, 0x0800))
        self.source_port, self.port = source_port, port
        self.next, self.ack = 1000, 0

    def send(self, payload=b"", at=None, flags="A", **kw):
        """A segment; `at`: bytes from the start of the stream, default: where it has come to."""
        sequence = (self.next if at is None else 1001 + at) & 0xffffffff
        packet = self.make(seq=sequence, ack=self.ack, flags=flags, **kw) / payload
        self.out.send(bytes(packet))
        if at is None:
            self.next += len(payload) + ("S" in flags) + ("F" in flags)

    def receive(self, seconds=15.0):
        """The next segment of the other side; None: nothing came."""
        import time
        from scapy.all import TCP, Ether
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                packet = Ether(self.seen.recv(65536))
            except TimeoutError:
                continue
            if TCP in packet and packet[TCP].dport == self.source_port and packet[TCP].sport == self.port:
                return packet[TCP]
        return None

    def connect(self):
        self.send(flags="S")
        answer = self.receive()
        assert answer is not None and answer.flags == "SA", f"no SYN-ACK: {answer}"
        self.ack = answer.seq + 1
        self.send()

    def wait_reset(self, seconds=15.0):
        """Whether a reset comes."""
        while (segment := self.receive(seconds)) is not None:
            if "R" in segment.flags:
                return True
        return False
