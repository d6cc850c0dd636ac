# SPDX-License-Identifier: GPL-2.0-or-later
"""How the gateway logs in at desktops (ADR 708): VncAuth and VeNCrypt at Xvnc, and at desktops that lie.

test_screen_viewers.py has the other kinds of desktops.
"""

import socket
import ssl
import struct

import pytest

from lib.certificates import Authority
from lib.desktop_login import HOST, PASSWORD, USER, pam_service, vnc_auth, x509_none, x509_plain
from lib.net import run
from lib.peers import Desktop, capture_screen, difference
from lib.peers.rfb import FakeDesktop, Viewer
from lib.relay import Relay

SIZE = "640x480"
ACCESS = {
    "vnc-auth": "desktop-security { type vnc-auth; password desk; }",
    "x509-none": f"desktop-security {{ type x509-none; authority desks; name {HOST}; }}",
    "x509-plain": f"desktop-security {{ type x509-plain; authority desks; name {HOST}; user {USER}; password desk; }}",
    "x509-address": "desktop-security { type x509-none; authority desks; }",
}


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def certificates(authority, ground):
    """Paths by what is wrong with them; by access where nothing is."""
    address = authority.issue(ground.zones["internet"].peer4)
    right = authority.issue(HOST)
    return {"right": right, "x509-address": address, "other": authority.issue("other.example.jp"),
            "expired": authority.issue(HOST, not_after="20210101000000Z"),
            "stranger": Authority("Stranger").issue(HOST)}


@pytest.fixture(scope="module")
def pam_users(tmp_path_factory):
    with pam_service(tmp_path_factory.mktemp("pam")) as name:
        yield name


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD)
    return path


@pytest.fixture
def relay_as(net, ground, authority, password_file):
    """Starts a relay with one way of logging in at its desktops."""
    def start(access, password=password_file):
        return Relay(net, ground, statements=ACCESS[access], authority=authority.certificate, password=password)
    return start


def sees_every_pixel(relay, desktop, tmp_path):
    true = desktop.screenshot(tmp_path / "desktop.png")
    seen = capture_screen(relay.net, relay.viewers.namespace, relay.host, relay.PORT, tmp_path / "viewer.png")
    assert difference(true, seen) == 0


@pytest.mark.limit(60)
@pytest.mark.parametrize("access", ["vnc-auth", "x509-none", "x509-plain"])
def test_desktop_xvnc_is_shown_through_its_security(relay_as, certificates, tmp_path, pam_users, access):
    """Z4: Xvnc with one security type alone: VncAuth, X509None, X509Plain by PAM; every pixel arrives."""
    relay = relay_as(access)
    security = {
        "vnc-auth": vnc_auth(tmp_path),
        "x509-none": x509_none(certificates["right"]),
        "x509-plain": x509_plain(certificates["right"], pam_users),
    }[access]
    zone = relay.desktops
    desktop = Desktop(relay.net, zone.namespace, zone.peer4, size=SIZE, security=security)
    desktop.show_test_picture()
    sees_every_pixel(relay, desktop, tmp_path)
    relay.wait_line("screen-desktop ")
    if access != "vnc-auth":
        relay.wait_line("screen-tls ", "peer=desktop", "version=TLSv1.3")
    assert PASSWORD not in relay.process.log()


# ---- desktops that lie while the gateway logs in ----

NONE, VNC_AUTH, TIGHT, VENCRYPT = 1, 2, 16, 19
PLAIN, TLS_NONE, X509_NONE, X509_PLAIN = 256, 257, 260, 262
REASON_4_GIB = struct.pack(">I", 0xFFFFFFFF) + b"no " * 1000


class SecureDesktop(FakeDesktop):
    """A desktop with one security type. `bad` is what it does otherwise, at its first connection only.

    bad: types, subtypes (what it offers), accepted (what it says to the subtype, in plain text), certificate (what it
    shows), result (what the login comes to), cut (the end of the connection once the picture is shown, without close_notify).
    """

    def __init__(self, relay, access, certificate, bad):
        self.security_type = VNC_AUTH if access == "vnc-auth" else VENCRYPT
        self.subtype = X509_PLAIN if access == "x509-plain" else X509_NONE
        self.certificate, self.bad, self.logins = certificate, bad, []
        super().__init__(relay.net, relay.desktops.namespace, relay.desktops.peer4, script=self.show_and_serve)

    def told(self, stream, what, otherwise):
        return self.bad.get(what, otherwise) if stream is self.streams[0] else otherwise

    def shake(self, stream):
        stream.send(self.version)
        assert stream.read(12) == b"RFB 003.008\n"
        types = self.told(stream, "types", [self.security_type])
        stream.send(bytes([len(types), *types]))
        assert stream.read(1)[0] == self.security_type
        login = self.vnc_auth if self.security_type == VNC_AUTH else self.vencrypt
        self.logins.append(login(stream))
        stream.send(self.told(stream, "result", bytes(4)))
        assert stream.read(1) == b"\1"
        stream.send(self.init)
        return True

    @staticmethod
    def vnc_auth(stream):
        stream.send(bytes(range(16)))
        return stream.read(16)

    def vencrypt(self, stream):
        stream.send(b"\0\2")
        assert stream.read(2) == b"\0\2"
        subtypes = self.told(stream, "subtypes", [self.subtype])
        stream.send(struct.pack(f">BB{len(subtypes)}I", 0, len(subtypes), *subtypes))
        assert stream.read(4) == struct.pack(">I", self.subtype)
        stream.send(self.told(stream, "accepted", b"\1"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.told(stream, "certificate", self.certificate))
        stream.sock = context.wrap_socket(stream.sock, server_side=True)
        if self.subtype == X509_NONE:
            return b""
        return stream.read(sum(struct.unpack(">II", stream.read(8))))

    def show_and_serve(self, _desktop, stream):
        self.show(stream, 0x112233)
        if self.told(stream, "cut", False):
            self.go.wait()
            stream.sock.shutdown(socket.SHUT_WR)  # of the connection: TLS is not told
            stream.drain()
        else:
            self.serve(stream)


# name -> the way in, what the desktop does otherwise, detail of the session's end, an event with its parts.
LYING_DESKTOP = {
    "no-password-type": ("vnc-auth", {"types": [NONE, TIGHT]}, "security-type-not-offered",
                  ("screen-not-offered ", "wanted=vnc-auth", "offered=1 16")),
    "no-vencrypt": ("x509-plain", {"types": [NONE, VNC_AUTH, TIGHT]}, "security-type-not-offered",
                    ("screen-not-offered ", "wanted=x509-plain", "offered=1 2 16")),
    "weaker-subtypes": ("x509-plain", {"subtypes": [PLAIN, TLS_NONE, X509_NONE]}, "security-subtype-not-offered",
                        ("screen-not-offered ", "wanted=x509-plain", "offered=256 257 260")),
    "plain-text-before-tls": ("x509-none", {"accepted": b"\1" + bytes(4)}, "plain-text-before-tls", ()),
    "wrong-authority": ("x509-plain", {"certificate": "stranger"}, "certificate is of an unknown authority",
                        ("screen-tls-failed ", "peer=desktop", "reason=certificate is of an unknown authority")),
    "wrong-name": ("x509-plain", {"certificate": "other"}, "certificate is for another name",
                   ("screen-tls-failed ", "peer=desktop", "reason=certificate is for another name")),
    "wrong-address": ("x509-address", {"certificate": "other"}, "certificate is for another name",
                      ("screen-tls-failed ", "peer=desktop", "reason=certificate is for another name")),
    "expired": ("x509-none", {"certificate": "expired"}, "certificate has expired",
                ("screen-tls-failed ", "peer=desktop", "reason=certificate has expired")),
    "login-refused": ("vnc-auth", {"result": b"\0\0\0\1" + REASON_4_GIB}, "login-refused-by-desktop", ()),
    "plain-refused": ("x509-plain", {"result": b"\0\0\0\1" + REASON_4_GIB}, "login-refused-by-desktop", ()),
    "cut-off": ("x509-plain", {"cut": True}, "cut off", ()),
}


@pytest.mark.parametrize("name", LYING_DESKTOP)
def test_desktop_that_lies_while_it_is_logged_in_at(relay_as, certificates, name):
    """Z4, Z5, L1: no second choice and no second look; the session ends with its event, and the next one works."""
    access, bad, detail, event = LYING_DESKTOP[name]
    bad = {what: certificates[value] if what == "certificate" else value for what, value in bad.items()}
    relay = relay_as(access)
    desktop = SecureDesktop(relay, access, certificates.get(access, certificates["right"]), bad)
    viewer = Viewer(relay.connect(), handshake=False)
    viewer.send(b"RFB 003.008\n\1\1")
    if "cut" in bad:
        relay.wait_line("screen-desktop ")
        desktop.go.set()
    assert viewer.drain(), "the session did not end"
    relay.wait_line("screen-ended ", "peer=desktop", f"detail={detail}")
    if event:
        relay.wait_line(*event)
    following = Viewer(relay.connect())
    following.begin()
    following.wait_pixel(319, 239, 0x112233)
    following.close()
    assert not desktop.errors, desktop.errors
    if access == "x509-plain":
        assert desktop.logins[-1] == (USER + PASSWORD).encode()
        sent_before = len(desktop.logins) - 1
        assert sent_before == (1 if {"result", "cut"} & set(bad) else 0), "the password was shown to an impostor"


def test_desktop_does_not_know_the_loaded_password(relay_as, certificates, tmp_path, pam_users):
    """Z4, L1: Xvnc refuses a wrong password by both ways that have one; the viewer is shown nothing."""
    wrong = tmp_path / "wrong"
    wrong.write_text("kage-9mo")
    for access, security in (
            ("vnc-auth", vnc_auth(tmp_path)), ("x509-plain", x509_plain(certificates["right"], pam_users))):
        relay = relay_as(access, password=wrong)
        zone = relay.desktops
        desktop = Desktop(relay.net, zone.namespace, zone.peer4, size=SIZE, security=security)
        viewer = Viewer(relay.connect(), handshake=False)
        viewer.send(b"RFB 003.008\n\1\1")
        assert viewer.drain(), access
        assert bytes(viewer.received) == b"RFB 003.008\n\1\1\0\0\0\0"
        relay.wait_line("screen-ended ", "peer=desktop", "reason=desktop-refused", "detail=login-refused-by-desktop", seconds=20)
        desktop.stop()
        relay.process.stop()
