# SPDX-License-Identifier: GPL-2.0-or-later
"""Every desktop by every way in, shown by every viewer by every way in, through the whole gateway, pixel by pixel.

    viewers in lgwan:       gvnccapture, xtigervncviewer, xtightvncviewer, Net::VNC, Chromium
                                  | none, x509-plain, x509-none, browser
                            one gateway, one screen for each pair of the two ways in
                                  | none, vnc-auth, x509-none, x509-plain
    desktops in internet:   Xvnc, x11vnc, QEMU

Each desktop's and each viewer's way in is shown at least once; VIEWERS=all shows each with each:
    VIEWERS=all make check-netns TESTS=test_screen_viewers
"""

import os
import re

import pytest

from lib.certificates import Authority, put_slot
from lib.desktop_login import HOST, PASSWORD, USER, pam_service, rfbauth, vnc_auth, x509_none, x509_plain
from lib.net import run
from lib.peers import Desktop, capture_screen, difference
from lib.peers.browser import Chromium
from lib.peers.desktops import Qemu, X11vnc, qemu_secret, qemu_x509, x11vnc_plain, x11vnc_ssl
from lib.peers.viewers import ViewerScreen, gtk_home, gtk_vnc, net_vnc, tigervnc, tightvnc
from lib.waiting import wait_until
from test_screen_chromium import log_in, spki_of
from test_screen_login import password_of

# The ways in at desktops, as in the configuration, and those that each kind of desktop knows.
ACCESS = {
    "none": "",
    "vnc-auth": "desktop-security { type vnc-auth; password desk; }",
    "x509-none": f"desktop-security {{ type x509-none; authority desks; name {HOST}; }}",
    "x509-plain": f"desktop-security {{ type x509-plain; authority desks; name {HOST}; user {USER}; password desk; }}",
}
DESKTOPS = [("xvnc", "none"), ("xvnc", "vnc-auth"), ("xvnc", "x509-none"), ("xvnc", "x509-plain"),
            ("x11vnc", "none"), ("x11vnc", "vnc-auth"), ("x11vnc", "x509-none"), ("x11vnc", "x509-plain"),
            ("qemu", "none"), ("qemu", "vnc-auth"), ("qemu", "x509-none")]

# The ways in for viewers, and those that each viewer knows.
SECURITY = {
    "none": "security none;",
    "x509-plain": "security x509-plain; tls { certificate screen; } group staff; sessions-per-user 9;",
    "x509-none": "security x509-none; tls { certificate screen; client-authority staff; } sessions-per-user 9;",
}
VIEWERS = [("gvnccapture", "none"), ("tigervnc", "none"), ("tightvnc", "none"), ("net-vnc", "none"),
           ("tigervnc", "x509-plain"), ("gtk-vnc", "x509-plain"), ("browser", "x509-plain"), ("gtk-vnc", "x509-none")]


def cells():
    """Pairs of a desktop and a viewer: all of them, or so many that each is in one."""
    if os.environ.get("VIEWERS") == "all":
        return [(desktop, viewer) for desktop in DESKTOPS for viewer in VIEWERS]
    return [(desktop, VIEWERS[i % len(VIEWERS)]) for i, desktop in enumerate(DESKTOPS)]


@pytest.fixture
def pam_users(tmp_path):
    with pam_service(tmp_path) as name:
        yield name


class Desktops:
    """The desktops' zone: one of each kind by each of its ways in, on a port of its own."""

    def __init__(self, topology, directory, pam_users):
        self.net, self.zone, self.directory = topology.net, topology.zones["internet"], directory
        self.authority = Authority()
        right, rsa = self.authority.issue(HOST), self.authority.issue(HOST, key=2048)
        no_options = {"security": ("-SecurityTypes", "None")}
        self.how = {
            ("xvnc", "none"): lambda: no_options, ("xvnc", "vnc-auth"): lambda: {"security": vnc_auth(directory)},
            ("xvnc", "x509-none"): lambda: {"security": x509_none(right)},
            ("xvnc", "x509-plain"): lambda: {"security": x509_plain(right, pam_users)},
            ("x11vnc", "none"): lambda: {"security": ("-nopw",)},
            ("x11vnc", "vnc-auth"): lambda: {"security": ("-rfbauth", rfbauth(directory))},
            ("x11vnc", "x509-none"): lambda: {"security": x11vnc_ssl(rsa)},
            ("x11vnc", "x509-plain"): lambda: {"security": x11vnc_plain(directory, rsa, USER, PASSWORD)},
            ("qemu", "none"): dict, ("qemu", "vnc-auth"): lambda: qemu_secret(directory, PASSWORD),
            ("qemu", "x509-none"): lambda: qemu_x509(directory, self.authority.certificate, right),
        }
        self.running = {desktop: self.start(*desktop) for desktop in DESKTOPS}

    @staticmethod
    def port(desktop):
        return 6000 + DESKTOPS.index(desktop)

    def start(self, kind, access):
        place = self.net, self.zone.namespace, self.zone.peer4
        options = {"port": self.port((kind, access)), **self.how[kind, access]()}
        if kind == "xvnc":
            made = Desktop(*place, **options)
            made.show_test_picture(f"{kind} {access}")
            return made
        if kind == "x11vnc":
            return X11vnc(*place, **options)
        own = self.directory / access
        own.mkdir()
        return Qemu(*place, own, **options)


def screen_text(topology, desktop, security):
    """The entry of one desktop for viewers with one security; its ports are those of viewer_port() and page_port()."""
    browser = f"browser {{ listen {page_port(desktop)}; }}" if security == "x509-plain" else ""
    place = f'{topology.zones["internet"].peer4}:{Desktops.port(desktop)}'
    port = viewer_port(desktop, security)
    return (f"screen at-{port} {{ from lgwan; to internet; listen {port}; desktop {place}; {ACCESS[desktop[1]]} "
            f"{SECURITY[security]} {browser} sessions-per-source 9; }}")


def viewer_port(desktop, security):
    return 5900 + len(SECURITY) * DESKTOPS.index(desktop) + list(SECURITY).index(security)


def page_port(desktop):
    return 443 + DESKTOPS.index(desktop)


class Viewers:
    """The viewers' zone: shows(viewer, desktop, true) is whether what the viewer shows becomes the true picture."""

    def __init__(self, topology, directory):
        self.net, self.zone, self.directory = topology.net, topology.zones["lgwan"], directory
        self.host, self.authority = self.zone.gateway4, Authority()
        self.certificate = self.authority.issue(self.host)
        self.screen = ViewerScreen(self.net, self.zone.namespace)
        self.browser = Chromium(self.net, self.zone.namespace, spki_of(self.certificate))
        self.login = None  # (name, password), once there is one

    def shows(self, viewer, desktop, true):
        name, security = viewer
        port, seen = viewer_port(desktop, security), self.directory / f"{name}.png"
        if name == "browser":
            return self.page_shows(page_port(desktop), true, seen)
        login = self.login if security == "x509-plain" else ()
        place = self.net, self.zone.namespace, self.host, port, seen
        if name == "net-vnc":
            return difference(true, net_vnc(*place)) == 0
        if name == "gvnccapture":
            return difference(true, capture_screen(*place)) == 0
        if name == "gtk-vnc":
            return difference(true, gtk_vnc(*place, self.authority.certificate, login)) == 0
        if name == "tigervnc":
            running = tigervnc(self.screen, self.host, port, login=login, authority=self.authority.certificate)
            return self.window_shows(running, "Sekisho - TigerVNC", true, seen)
        return self.window_shows(tightvnc(self.screen, self.host, port), "TightVNC: Sekisho", true, seen)

    def window_shows(self, running, title, true, seen):
        def same():
            assert running.running(), running.log()
            return self.screen.window(title) and difference(true, self.screen.screenshot(seen, title=title)) == 0
        wait_until(same, f"the picture in {title}", pause=0.3)
        running.stop()
        return True

    def page_shows(self, port, true, seen):
        self.browser.open(f"https://{self.host}:{port}/")
        log_in(self.browser, *self.login)
        self.browser.wait("!document.getElementById('session').hidden")
        same = wait_until(lambda: difference(true, self.browser.canvas(seen)) == 0, "the picture in the page", pause=0.3)
        self.browser.open("about:blank")
        return same


@pytest.mark.limit(900 if os.environ.get("VIEWERS") == "all" else 150)
def test_viewers_show_every_desktop_pixel_by_pixel(make_gateway, topology, tmp_path, pam_users):
    """Z4: whatever the desktop and its way in, whatever the viewer and its way in: difference 0."""
    desktops, viewers = Desktops(topology, tmp_path, pam_users), Viewers(topology, tmp_path)
    state = tmp_path / "state"
    put_slot(state, "screen", viewers.certificate.read_text())
    put_slot(state, "staff", viewers.authority.pem, "authority")
    put_slot(state, "desks", desktops.authority.pem, "authority")
    put_slot(state, "desk", PASSWORD, "password")
    entries = [screen_text(topology, desktop, security) for desktop in DESKTOPS for security in SECURITY]
    gateway = make_gateway("screen-user suzuki { group staff; }", *entries, state=state)
    viewers.login = ("suzuki", password_of(gateway, "suzuki"))
    true = {name: desktop.screenshot(tmp_path / f"{'-'.join(name)}.png") for name, desktop in desktops.running.items()}
    with gtk_home(tmp_path / "home", viewers.authority.issue("suzuki")):
        for desktop, viewer in cells():
            assert viewers.shows(viewer, desktop, true[desktop]), (desktop, viewer)
    for side, way in (("desktop", 0), ("viewer", 1)):
        secured = sum(cell[way][1].startswith("x509") for cell in cells())
        wait_until(lambda p=f'peer="{side}"', n=secured: sum("screen-tls " in line and p in line for line in gateway.audit_lines()) == n,
                   f"{secured} sessions under TLS with the {side}")
