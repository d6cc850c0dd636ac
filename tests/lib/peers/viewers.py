# SPDX-License-Identifier: GPL-2.0-or-later
"""Viewers that people use, each in the ways that it knows to log in: what it shows, as a picture file."""

import contextlib
import itertools
import pathlib

from ..net import run
from ..waiting import wait_until
from .xserver import wait_display


class ViewerScreen:
    """An X server for a viewer; larger than the desktop, so that the viewer's window is whole, and without a window manager.

    It has a Japanese keyboard. A key that a keyboard lacks, xdotool gives to a spare keycode for as long as it presses it,
    and a viewer that looks the keycode up a moment later finds nothing there.
    """

    numbers = itertools.count(60)

    def __init__(self, net, namespace, size="1000x800"):
        self.net, self.namespace = net, namespace
        self.corner = [int(n) - 1 for n in size.split("x")]
        self.display = f":{next(self.numbers)}"
        self.env = {"DISPLAY": self.display}
        net.popen(namespace, "Xvfb", self.display, "-screen", "0", f"{size}x24", "-noreset", "-ac")
        wait_display(self.display)
        self.run("setxkbmap", "-model", "jp106", "-layout", "jp")

    def popen(self, *argv, env=None):
        return self.net.popen(self.namespace, *argv, env={**self.env, **(env or {})})

    def run(self, *argv, **kwargs):
        return self.net.run(self.namespace, *argv, env=self.env, **kwargs)

    def window(self, title="Sekisho - TigerVNC"):
        """Place of the viewer's window on this screen, or None; one that is gone before it was asked for its place is none."""
        found = self.run("xdotool", "search", "--name", title, check=False).stdout.split()
        if not found:
            return None
        place = self.run("xdotool", "getwindowgeometry", "--shell", found[0], check=False)
        if place.returncode != 0 and "BadWindow" in place.stderr:
            return None
        values = dict(line.split("=") for line in place.stdout.split())
        return int(values["X"]), int(values["Y"])

    def screenshot(self, path, size="640x480", title="Sekisho - TigerVNC"):
        """What the viewer's window shows; the pointer is out of the way, because Xvfb draws it into the picture."""
        x, y = wait_until(lambda: self.window(title), f"a window {title!r}", 10)
        self.run("xdotool", "mousemove", *self.corner)
        self.run("import", "-silent", "-window", "root", "-crop", f"{size}+{x}+{y}", "+repage", path, timeout=30)
        return path


def tigervnc(screen, host, port, encoding="ZRLE", login=(), authority=None):
    """Start xtigervncviewer on a ViewerScreen. login: (name, password), and the file of the authority that it trusts."""
    secured = [] if not login else ["-SecurityTypes=X509Plain", f"-X509CA={authority}"]
    env = {} if not login else {"VNC_USERNAME": login[0], "VNC_PASSWORD": login[1]}
    return screen.popen("xtigervncviewer", "-AutoSelect=0", f"-PreferredEncoding={encoding}", "-FullColor=1",
                        "-RemoteResize=0", "-AlertOnFatalError=0", "-ReconnectOnError=0", "-Shared=1", *secured,
                        f"{host}::{port}", env=env)


def tightvnc(screen, host, port):
    """Start xtightvncviewer on a ViewerScreen: it knows no VeNCrypt, Hextile and Raw only."""
    return screen.popen("xtightvncviewer", "-encodings", "copyrect hextile raw", "-nocursorshape", f"{host}::{port}")


NET_VNC = """
my ($host, $port, $path) = @ARGV;
my $vnc = Net::VNC->new({hostname => $host, port => $port, depth => 24});
$vnc->login;
$vnc->capture->save($path);
"""


def net_vnc(net, namespace, host, port, path):
    """The picture that Net::VNC (Perl) captures: it knows no VeNCrypt."""
    net.run(namespace, "perl", "-MNet::VNC", "-e", NET_VNC, host, port, path, timeout=30)
    return path


@contextlib.contextmanager
def gtk_home(directory, certificate):
    """For as long, gtk-vnc has a certificate (as issue() gives it) to show.

    It looks for it in root's home directory, whatever HOME says: another is mounted over it, for this run alone.
    """
    mine = directory / ".pki" / "gtk-vnc"
    (mine / "private").mkdir(parents=True)
    (mine / "clientcert.pem").write_bytes(certificate.with_suffix(".crt").read_bytes())
    (mine / "private" / "clientkey.pem").write_bytes(certificate.with_suffix(".key").read_bytes())
    run("mount", "--bind", directory, "/root")
    try:
        yield
    finally:
        run("umount", "/root")


def gtk_vnc(net, namespace, host, port, path, authority, login=()):
    """The picture that gtk-vnc is shown under TLS, within gtk_home(); login: (name, password) for X509Plain.

    gvnccapture and gvncviewer cannot: they do not know what gtk-vnc asks them for under X509.
    """
    net.run(namespace, "python3", "-W", "ignore", pathlib.Path(__file__).with_name("gtk_vnc.py"), host, port, path, authority,
            *login, timeout=30)
    return path
