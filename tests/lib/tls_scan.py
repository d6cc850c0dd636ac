# SPDX-License-Identifier: GPL-2.0-or-later
"""What sslscan and testssl.sh may find at a listener of the gateway."""

import contextlib
import json
import re
import socket
import threading

from .peers.vencrypt import Refused


def scan(net, namespace, host, port):
    """sslscan's report. Every connection of it must be answered with TLS at once."""
    return net.run(namespace, "sslscan", "--no-colour", f"{host}:{port}", timeout=90).stdout


def assert_nothing_weak(seen):
    """TLS 1.2 and 1.3 alone, ephemeral keys, AEAD suites, no compression, no renegotiation, and both versions looked at."""
    for version in ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"):
        assert re.search(rf"^{re.escape(version)} +disabled", seen, re.MULTILINE), seen
    for version in ("TLSv1.2", "TLSv1.3"):
        assert re.search(rf"^{re.escape(version)} +enabled", seen, re.MULTILINE), seen
    suites = re.findall(r"^(?:Preferred|Accepted) +TLSv1\.\d +\d+ bits +(\S+)", seen, re.MULTILINE)
    assert suites and all(re.match(r"(TLS_|ECDHE-).*(GCM|CHACHA20|POLY1305)", suite) for suite in suites), seen
    assert "Compression disabled" in seen and "Session renegotiation not supported" in seen, seen
    assert seen.count("not vulnerable to heartbleed") == 2, seen


def _forward(one, other):
    """What comes from one socket goes to the other, until it ends."""
    with contextlib.suppress(OSError):
        while octets := one.recv(1 << 16):
            other.sendall(octets)
    for sock in (one, other):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def serve_tls_alone(net, namespace, port, reach):
    """A port of 127.0.0.1 in `namespace` for scanners: each connection leads to what `reach` gives, a socket where TLS begins.
    Where it gives none, that connection alone is closed."""
    listener = net.socket(namespace, timeout=None)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    net.on_close(lambda: listener.shutdown(socket.SHUT_RDWR))    # ends accept(), which close() would not

    def serve():
        with listener, contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                try:
                    far = reach()
                    far.settimeout(None)    # a scanner may think for as long as it likes
                except (OSError, EOFError, Refused):
                    sock.close()
                    continue
                for ends in ((sock, far), (far, sock)):
                    threading.Thread(target=_forward, args=ends, daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()


# What testssl.sh rates by, beside what a client can only tell of pages (BREACH).
RATED = ("protocols", "std", "fs", "server-defaults", "headers", "heartbleed", "ccs-injection", "ticketbleed", "robot",
         "renegotiation", "crime", "breach", "poodle", "tls-fallback", "drown", "beast", "rc4", "logjam")


def start_grading(net, namespace, name, port, authority, report):
    """testssl.sh at a port of 127.0.0.1 of `namespace`, as at the host `name`; the process. It writes `report` (JSON)."""
    return net.popen(namespace, "testssl", "--color", "0", "--quiet", "--warnings", "batch", "--nodns", "none",
                     *(f"--{check}" for check in RATED), "--jsonfile", report, "--add-ca", authority,
                     "--ip", "127.0.0.1", f"{name}:{port}", env={"MAX_WAITSOCK": "30"})


def findings(report):
    """({id: finding} of all, {id: severity} of the weaknesses) in a report of testssl.sh.

    WARN is no weakness but what the scanner itself lacks: GOST suites, a page without gzip. Without a check that counts
    there is no grade."""
    rows = json.loads(report.read_text())
    return ({row["id"]: row["finding"] for row in rows},
            {row["id"]: row["severity"] for row in rows if row["severity"] in ("LOW", "MEDIUM", "HIGH", "CRITICAL")})
