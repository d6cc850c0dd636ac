# SPDX-License-Identifier: GPL-2.0-or-later
"""The screen in a browser: a page over HTTPS, a WebSocket that turns into a session, and a real browser.

    browser in lgwan  --HTTPS, WebSocket-->  screen-viewer -> supervisor -> accounts
                                             screen-source (once somebody is admitted)  --RFB-->  desktop in internet
"""

import base64
import errno
import pathlib
import re
import socket
import struct
import time

import pytest

from lib.certificates import Authority, put_slot
from lib.peers.browser import BrowserViewer, WebSocket, frame, read_answer, request, upgrade
from lib.peers.rfb import key
from lib.peers.vencrypt import Refused, SecureViewer, client_context
from lib.screen_entry import fake_desktop, still
from lib.tls_scan import assert_nothing_weak, scan
from lib.waiting import PATIENCE_SECONDS, wait_until

PORT = 443
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def screen(topology, extra="", browser="name screen.lg.example;"):
    desktop = f'{topology.zones["internet"].peer4}:5900'
    return (f"screen web {{ from lgwan; to internet; desktop {desktop}; security x509-plain; group staff;"
            f" tls {{ certificate screen; }} browser {{ {browser} }} {extra} }}\n"
            "screen-user suzuki { group staff; }\nscreen-user sato { group staff; }\n")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Authority().issue("screen.lg.example")


@pytest.fixture
def make_web(make_gateway, topology, certificate, tmp_path):
    """A gateway with the certificate of this module."""
    def make(config, **kwargs):
        state = tmp_path / "state"
        put_slot(state, "screen", certificate.read_text())
        return make_gateway(config, state=state, **kwargs)
    return make


def host(topology):
    return topology.zones["lgwan"].gateway4


def connect(topology, timeout=PATIENCE_SECONDS):
    """A connection under TLS, nothing asked yet."""
    zone = topology.zones["lgwan"]
    return client_context().wrap_socket(topology.net.connect(zone.namespace, zone.gateway4, PORT, timeout))


def ask(topology, octets, with_body=True):
    """One connection, one request."""
    sock = connect(topology)
    sock.sendall(octets)
    try:
        return read_answer(sock, with_body)
    finally:
        sock.close()


def password_of(gateway, user):
    console = gateway.console()
    console.expect("> $")
    found = re.search(rf"screen password of {user}: (\S+)", console.run(f"account screen-password {user}"))
    console.close()
    return found.group(1)


def viewer_of(topology, name, password):
    viewer = BrowserViewer(connect(topology), host(topology), name, password)
    viewer.begin()
    return viewer


# ---- the page ----

FILES = {"/": "text/html", "/page.css": "text/css", "/page.js": "text/javascript", "/licence.txt": "text/plain"}


def test_browser_page_is_four_files_and_nothing_else(make_web, topology):
    """Z4: a fixed list, each with the headers that keep other people's content out; every other path is not there."""
    make_web(screen(topology))
    sock = connect(topology)
    for path, kind in FILES.items():
        sock.sendall(request(host(topology), path))
        answer = read_answer(sock)
        text = answer.body.decode()
        assert "content-encoding" not in answer.fields, "BREACH: what is compressed tells of itself by its length"
        assert answer.status == 200 and answer.fields["content-type"] == f"{kind}; charset=utf-8"
        assert answer.fields["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert answer.fields["strict-transport-security"] == "max-age=31536000"
        assert answer.fields["x-content-type-options"] == "nosniff"
        assert answer.fields["referrer-policy"] == "no-referrer" and answer.fields["cache-control"] == "no-store"
        assert {"server", "set-cookie"}.isdisjoint(answer.fields)
        if path == "/":
            assert not re.search(r"(?:src|href)=\"(?!/|data:,)", text), "something of somebody else"
            assert "<script>" not in text and "onclick" not in text and "style=" not in text
        if path == "/licence.txt":
            assert "MPL-2.0" in text
        sock.sendall(request(host(topology), path, method="HEAD"))
        head = read_answer(sock, with_body=False)
        assert head.fields["content-length"] == str(len(answer.body)) and head.body == b""
    sock.close()
    for path in ("/index.html", "/page", "/page.js/", "//", "/.", "/..", "/session/", "/favicon.ico"):
        assert ask(topology, request(host(topology), path)).status == 404, path


REFUSED = {
    "bare-lf": (b"GET / HTTP/1.1\nHost: H\n\n", 400),
    "folded": (b"GET / HTTP/1.1\r\nHost: H\r\nX: a\r\n b\r\n\r\n", 400),
    "nul": (b"GET / HTTP/1.1\r\nHost: H\r\nX: a\0b\r\n\r\n", 400),
    "query": (b"GET /?a=1 HTTP/1.1\r\nHost: H\r\n\r\n", 400),
    "escape": (b"GET /%2e HTTP/1.1\r\nHost: H\r\n\r\n", 400),
    "absolute": (b"GET http://H/ HTTP/1.1\r\nHost: H\r\n\r\n", 400),
    "no-host": (b"GET / HTTP/1.1\r\nX: a\r\n\r\n", 400),
    "two-hosts": (b"GET / HTTP/1.1\r\nHost: H\r\nHost: H\r\n\r\n", 400),
    "other-host": (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    "other-port": (b"GET / HTTP/1.1\r\nHost: H:444\r\n\r\n", 421),
    "post": (b"POST / HTTP/1.1\r\nHost: H\r\n\r\n", 405),
    "http-1.0": (b"GET / HTTP/1.0\r\nHost: H\r\n\r\n", 505),
    "body": (b"GET / HTTP/1.1\r\nHost: H\r\nContent-Length: 5\r\n\r\nabcde", 413),
    "chunked": (b"GET / HTTP/1.1\r\nHost: H\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
    "long": (b"GET / HTTP/1.1\r\nHost: H\r\nX: " + b"a" * 5000 + b"\r\n\r\n", 431),
    "many": (b"GET / HTTP/1.1\r\nHost: H\r\n" + b"X: a\r\n" * 60 + b"\r\n", 431),
    "plain-session": (b"GET /session HTTP/1.1\r\nHost: H\r\n\r\n", 400),
}


@pytest.mark.limit(120)
def test_browser_requests_that_are_not_exact_are_refused(make_web, topology):
    """Z4: each is answered once, the connection ends, no session was begun, and the next browser is served."""
    gateway = make_web(screen(topology))
    for name, (octets, status) in REFUSED.items():
        sock = connect(topology)
        sock.sendall(octets.replace(b" H\r", b" " + host(topology).encode() + b"\r").replace(
            b"H:444", host(topology).encode() + b":444").replace(b"//H/", b"//" + host(topology).encode() + b"/"))
        answer = read_answer(sock)
        assert answer.status == status, name
        assert answer.fields["connection"] == "close" and sock.recv(1) == b"", name
        sock.close()
    gateway.wait_event("screen-page-refused", 'reason="http-syntax"', 'name="web"')
    gateway.wait_event("screen-page-refused", 'reason="http-host"')
    assert not any("screen-started" in line for line in gateway.audit_lines())
    assert ask(topology, request("screen.lg.example")).status == 200


UPGRADES = {
    "origin": ({"Origin": "https://evil.example"}, 403),
    "origin-http": ({"Origin": "http://H"}, 403),
    "no-origin": ({"Origin": None}, 403),
    "version": ({"Sec_WebSocket_Version": "8"}, 426),
    "key": ({"Sec_WebSocket_Key": "short"}, 400),
    "no-key": ({"Sec_WebSocket_Key": None}, 400),
    "protocol": ({"Sec_WebSocket_Protocol": "base64"}, 400),
    "connection": ({"Connection": "keep-alive"}, 400),
    "h2c": ({"Upgrade": "h2c"}, 400),
}


@pytest.mark.limit(60)
def test_browser_upgrades_that_are_not_exact_are_refused(make_web, topology):
    """Z4: RFC 6455 4.2.1; in particular a page of somebody else cannot open a session with a visitor's browser."""
    make_web(screen(topology))
    for name, (fields, status) in UPGRADES.items():
        fields = {k: v and v.replace("//H", "//" + host(topology)) for k, v in fields.items()}
        answer = ask(topology, upgrade(host(topology), KEY, **fields))
        assert answer.status == status, name
    early = upgrade(host(topology), KEY) + frame(b"RFB 003.008\n")
    assert ask(topology, early).status == 400, "frames before the answer"


def test_browser_that_sends_slowly_is_dropped(make_web, topology):
    """Z14: an unfinished request ends after ten seconds, whatever trickles in; waiting connections end alike."""
    gateway = make_web(screen(topology))
    idle, slow = connect(topology), connect(topology)
    begin = time.monotonic()
    slow.sendall(b"GET / HTTP/1.1\r\n")
    for _ in range(3):
        time.sleep(1)
        slow.sendall(b"X: a\r\n")
    assert read_answer(slow).status == 408 and idle.recv(1) == b""
    assert time.monotonic() - begin < 30
    gateway.wait_event("screen-page-refused", 'reason="http-timeout"')


@pytest.mark.limit(60)
def test_browser_connections_of_one_source_are_limited(make_web, topology):
    """Z14: whoever holds many connections to the page takes nothing from the sessions."""
    fake_desktop(topology, still)
    gateway = make_web(screen(topology))
    secret = password_of(gateway, "suzuki")
    zone = topology.zones["lgwan"]
    held = [topology.net.connect(zone.namespace, zone.gateway4, PORT) for _ in range(12)]
    with pytest.raises((ConnectionError, OSError)):
        connect(topology)
    gateway.wait_event("session-refused", 'reason="sessions of one source"')
    held.pop().close()
    viewer = wait_until(lambda: attempt(viewer_of, topology, "suzuki", secret), "a free connection", 15)
    viewer.wait_pixel(0, 0, 0x112233)
    plain = SecureViewer(topology.net.connect(zone.namespace, zone.gateway4, 5900, PATIENCE_SECONDS), "suzuki", secret)
    assert plain.width == 320


def test_browser_connections_are_limited_over_all_screens(make_web, topology):
    """Z14: a second screen gives nobody a second dozen of connections; who comes too often is refused, and counted."""
    second = screen(topology, "listen 5901;", "listen 444;").replace("screen web ", "screen other ", 1).split("\n")[0]
    gateway = make_web(screen(topology) + second)
    zone = topology.zones["lgwan"]

    def reach(port):
        return topology.net.connect(zone.namespace, zone.gateway4, port)
    held = [*(reach(PORT) for _ in range(11)), connect(topology)]       # the last is served: so all were accepted
    with reach(444) as refused:
        assert refused.recv(1) == b""
    gateway.wait_event("session-refused", 'name="other"', 'reason="sessions of one source"')

    def refused_for_its_rate():
        """Comes a hundred times more: with each second that passes, a source may come five times more."""
        for _ in range(100):
            reach(PORT).close()
        return any('name="web"' in line and "sessions of one source in a minute" in line for line in gateway.audit_lines())
    wait_until(refused_for_its_rate, "a refusal for coming too often")
    assert len([line for line in gateway.audit_lines() if "session-refused" in line]) < 30
    for sock in held:
        sock.close()


def attempt(function, *arguments):
    """What it returns, or None where the gateway was not ready for it."""
    try:
        return function(*arguments)
    except (OSError, EOFError, Refused):
        return None


def test_browser_listener_has_nothing_weak(make_web, topology):
    """Z4: sslscan finds TLS 1.2 and 1.3 alone, ephemeral keys, AEAD suites, no compression, no renegotiation."""
    make_web(screen(topology))
    zone = topology.zones["lgwan"]
    assert_nothing_weak(scan(topology.net, zone.namespace, zone.gateway4, PORT))


# ---- sessions ----

def test_browser_login_shows_the_desktop(make_web, topology):
    """Z4, A8: no desktop is reached and no second process started before somebody is admitted; the log says browser."""
    desktop = fake_desktop(topology, still)
    gateway = make_web(screen(topology))
    secret = password_of(gateway, "suzuki")
    viewer = BrowserViewer(connect(topology), host(topology), login=False)
    wait_until(lambda: gateway.pids("screen-viewer"), "the viewer's half", 10)
    assert gateway.pids("screen-source") == [] and desktop.streams == []
    viewer.log_in("suzuki", secret)
    viewer.enter()
    viewer.begin()
    viewer.wait_pixel(319, 239, 0x112233)
    assert viewer.name == b"Sekisho"
    viewer.send(key(0x61) + key(0x61, 0))
    wait_until(lambda: key(0x61)[:1] in desktop.received(), "the key", 10)
    viewer.sock.sock.sendall(frame(struct.pack(">H", 1000), opcode=8))
    assert viewer.wait_close() == (1000, "viewer-left")
    gateway.wait_event("screen-started ", 'detail="browser"', 'name="web"')
    gateway.wait_event("screen-tls ", 'version="TLSv1.3"')
    gateway.wait_event("screen-login ", 'user="suzuki"')
    gateway.wait_event("screen-ended ", 'peer="viewer"', 'user="suzuki"', 'reason="viewer-left"', 'keys="1"')


def test_browser_that_leaves_behind_a_key_is_gone(make_web, topology):
    """Z11: a close frame behind a key event in one TLS record: the key is pressed, then the session is over."""
    fake_desktop(topology, still)
    gateway = make_web(screen(topology))
    viewer = viewer_of(topology, "suzuki", password_of(gateway, "suzuki"))
    viewer.wait_pixel(0, 0, 0x112233)
    viewer.sock.sock.sendall(frame(key(0x61)) + frame(struct.pack(">H", 1000), opcode=8))
    assert viewer.wait_close() == (1000, "viewer-left")
    gateway.wait_event("screen-ended ", 'peer="viewer"', 'reason="viewer-left"', 'keys="1"')


@pytest.mark.limit(60)
def test_browser_login_may_take_longer_than_a_handshake(make_web, topology):
    """A3: the judgement has a time of its own, as with viewers: a busy gateway lets people in late, not never."""
    fake_desktop(topology, still)
    gateway = make_web(screen(topology))
    secret = password_of(gateway, "suzuki")
    viewer = BrowserViewer(connect(topology, 40), host(topology), login=False)
    gateway.halt()
    viewer.send(struct.pack(">II", 6, len(secret)) + b"suzuki" + secret.encode())
    time.sleep(16)      # SESSION_HANDSHAKE_MS and more
    gateway.resume()
    assert viewer.read(4) == b"\0\0\0\0"
    viewer.enter()


def memory_of(pid):
    """What a process has in memory that it can write to."""
    found = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            if line.split()[1].startswith("rw"):
                memory.seek(begin)
                try:
                    found += memory.read(end - begin)
                except OSError as error:
                    if error.errno != errno.EIO:    # given back to the kernel since it was listed
                        raise
    return found


def test_browser_process_keeps_neither_policy_nor_password(make_web, topology):
    """Z4, A3: no policy is mapped where strangers talk; a password is gone as soon as it was passed on, masked or not."""
    gateway = make_web(screen(topology))
    secret = password_of(gateway, "suzuki")
    sock = connect(topology)
    sock.sendall(request(host(topology)))
    assert read_answer(sock).status == 200
    pid = gateway.pids("screen-viewer")[0]
    assert re.findall(r"memfd:\w+", pathlib.Path(f"/proc/{pid}/maps").read_text()) == ["memfd:screen"]
    viewer = BrowserViewer(sock, host(topology), login=False)
    login = frame(struct.pack(">II", 6, len(secret)) + b"suzuki" + secret.encode())
    masked = login[-len(secret):]
    gateway.halt()      # so that it is not answered before we have looked
    viewer.sock.sock.sendall(login[:-1])
    wait_until(lambda: masked[:-1] in memory_of(pid), "the login in its memory", 10)
    viewer.sock.sock.sendall(login[-1:])
    wait_until(lambda: masked[:-1] not in memory_of(pid), "the login passed on", 10)
    assert secret.encode()[:-1] not in memory_of(pid)


def test_browser_wrong_password_is_one_answer(make_web, topology):
    """A3, A7: as for viewers: one text after two seconds, the reason only in the log, nothing of the desktop."""
    desktop = fake_desktop(topology, still)
    gateway = make_web(screen(topology))
    password_of(gateway, "suzuki")
    for name in ("suzuki", "nobody"):
        viewer = BrowserViewer(connect(topology), host(topology), login=False)
        begin = time.monotonic()
        with pytest.raises(Refused, match="^login refused$"):
            viewer.log_in(name, "wrong")
        assert time.monotonic() - begin >= 1.9
        assert viewer.wait_close() == (1000, "login-refused")
    gateway.wait_event("screen-login-refused", 'user="suzuki"', 'reason="wrong password"')
    gateway.wait_event("screen-login-refused", 'user="unknown"', 'reason="no such user"')
    assert desktop.streams == [] and gateway.pids("screen-source") == []


def test_browser_is_told_why_its_session_ended(make_web, topology):
    """Z11: an end at the console and one by the desktop arrive as the close frame's reason."""
    desktop = fake_desktop(topology, still)
    gateway = make_web(screen(topology))
    secret = password_of(gateway, "suzuki")
    cleared, console = viewer_of(topology, "suzuki", secret), gateway.console()
    cleared.wait_pixel(0, 0, 0x112233)
    console.expect("> $")
    number = re.search(r"^(\d+) +web .* suzuki +admitted", console.run("show screen sessions"), re.MULTILINE).group(1)
    console.run(f"clear screen session {number}")
    assert cleared.wait_close() == (1000, "cleared")
    left = viewer_of(topology, "suzuki", secret)
    left.wait_pixel(0, 0, 0x112233)
    desktop.streams[-1].sock.shutdown(socket.SHUT_RDWR)
    assert left.wait_close() == (1000, "desktop-left")


HOSTILE = {
    "unmasked": (frame(b"x", mask=None), 1002, "websocket-unmasked"),
    "reserved": (frame(b"x", reserved=4), 1002, "websocket-reserved-bits"),
    "text": (frame(b"x", opcode=1), 1003, "websocket-text"),
    "opcode": (frame(b"x", opcode=5), 1002, "websocket-opcode"),
    "control-opcode": (frame(b"", opcode=11), 1002, "websocket-opcode"),
    "long-ping": (frame(b"x" * 126, opcode=9), 1002, "websocket-control-length"),
    "ping-in-pieces": (frame(b"x", opcode=9, fin=0), 1002, "websocket-control-fragmented"),
    "continuation-of-nothing": (frame(b"x", opcode=0), 1002, "websocket-continuation"),
    "message-inside-message": (frame(b"R", fin=0) + frame(b"F"), 1002, "websocket-continuation"),
    "high-bit": (frame(b"", length=b"\x7f" + b"\xff" * 8), 1002, "websocket-length-form"),
    "long-form": (frame(b"", length=b"\x7e\0\5"), 1002, "websocket-length-form"),
    "huge": (frame(b"", length=b"\x7f\0\0\0\0\x7f\xff\xff\xff"), 1009, "websocket-length"),
    "close-of-one": (frame(b"x", opcode=8), 1002, "websocket-close-length"),
}


@pytest.mark.limit(60)
def test_browser_hostile_frames_end_the_session(make_web, topology):
    """Z4: what RFC 6455 forbids a client ends its session with the right code; the log says what it was."""
    gateway = make_web(screen(topology))
    for name, (octets, code, detail) in HOSTILE.items():
        socket = WebSocket(connect(topology), host(topology))
        socket.sock.sendall(octets)
        while socket.recv(4096):
            pass
        assert socket.closed == (code, "viewer-protocol"), name
        gateway.wait_event("screen-ended ", f'detail="{detail}"')


def test_browser_frames_may_be_cut_anyhow(make_web, topology):
    """Interoperation: a login in frames of one octet, in pieces of messages and between pings; pings are answered."""
    fake_desktop(topology, still)
    gateway = make_web(screen(topology))
    secret = password_of(gateway, "suzuki")
    viewer = BrowserViewer(connect(topology), host(topology), login=False)
    login = struct.pack(">II", 6, len(secret)) + b"suzuki" + secret.encode()
    for octet in login[:8]:
        viewer.sock.sendall(bytes([octet]))
    viewer.sock.sock.sendall(frame(b"hello", opcode=9) + frame(login[8:12], fin=0) + frame(b"again", opcode=9) +
                             frame(b"", opcode=0, fin=0) + frame(login[12:], opcode=0))
    assert viewer.read(4) == b"\0\0\0\0"
    assert viewer.sock.others and viewer.sock.others[-1] == (10, b"again")
    viewer.enter()
    viewer.begin()
    viewer.wait_pixel(0, 0, 0x112233)
