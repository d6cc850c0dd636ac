# SPDX-License-Identifier: GPL-2.0-or-later
"""How the gateway logs in at desktops (ADR 708): VncAuth and VeNCrypt at real servers, and at desktops that offer less."""

import pathlib

import pytest

from lib.certificates import Authority
from lib.net import run
from lib.peers import Desktop, capture_screen, difference
from lib.relay import Relay
from lib.waiting import wait_until

SIZE = "640x480"
HOST = "desktop.example.jp"
PASSWORD, USER = "kage-8mo", "relay"     # VncAuth looks at eight characters
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
def certificate(authority):
    """The desktops' certificate and key, where x11vnc (one file), Xvnc and QEMU (files of fixed names) want them."""
    path = authority.issue(HOST)
    directory = path.with_suffix("")
    directory.mkdir()
    (directory / "server-cert.pem").write_text(path.with_suffix(".crt").read_text())
    (directory / "server-key.pem").write_text(path.with_suffix(".key").read_text())
    return path


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD)
    return path


@pytest.fixture
def relay_as(net, ground, authority, password_file):
    """Starts a relay with one way of logging in at its desktops."""
    def start(access, password=password_file, authorities=authority):
        return Relay(net, ground, statements=ACCESS.get(access, access), authority=authorities.certificate, password=password)
    return start


@pytest.fixture(scope="module")
def pam_service():
    """A PAM service that knows USER by PASSWORD, and nobody else."""
    check = pathlib.Path("/tmp/check-relay-password")
    check.write_text(f'#!/bin/sh\nread -r password || true\n[ "$PAM_USER:$password" = "{USER}:{PASSWORD}" ]\n')
    check.chmod(0o755)
    service = pathlib.Path("/etc/pam.d/relay-desktop")
    service.write_text(f"auth required pam_exec.so quiet expose_authtok {check}\naccount required pam_permit.so\n")
    yield service.name
    service.unlink()


def rfbauth(tmp_path):
    """PASSWORD as VNC servers keep it."""
    path = tmp_path / "rfbauth"
    run("x11vnc", "-storepasswd", PASSWORD, path)
    return path


def sees_every_pixel(relay, desktop, tmp_path):
    true = desktop.screenshot(tmp_path / "desktop.png")
    seen = capture_screen(relay.net, relay.viewers.namespace, relay.host, relay.PORT, tmp_path / "viewer.png")
    assert difference(true, seen) == 0


def x509_of(certificate):
    directory = certificate.with_suffix("")
    return ("-X509Cert", directory / "server-cert.pem", "-X509Key", directory / "server-key.pem")


@pytest.mark.limit(60)
@pytest.mark.parametrize("access", ["vnc-auth", "x509-none", "x509-plain"])
def test_desktop_xvnc_is_shown_through_its_security(relay_as, certificate, tmp_path, pam_service, access):
    """Z4: Xvnc with one security type alone: VncAuth, X509None, X509Plain by PAM; every pixel arrives."""
    relay = relay_as(access)
    security = {
        "vnc-auth": ("-SecurityTypes", "VncAuth", "-PasswordFile", rfbauth(tmp_path)),
        "x509-none": ("-SecurityTypes", "X509None", *x509_of(certificate)),
        "x509-plain": ("-SecurityTypes", "X509Plain", *x509_of(certificate), "-PlainUsers", "*", "-PAMService", pam_service),
    }[access]
    zone = relay.desktops
    desktop = Desktop(relay.net, zone.namespace, zone.peer4, size=SIZE, security=security)
    desktop.show_test_picture()
    sees_every_pixel(relay, desktop, tmp_path)
    relay.wait_line("screen-desktop ")
    if access != "vnc-auth":
        relay.wait_line("screen-tls ", "peer=desktop", "version=TLSv1.3")
    assert PASSWORD not in relay.process.log()
