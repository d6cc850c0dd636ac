# SPDX-License-Identifier: GPL-2.0-or-later
"""Screen peers: a desktop under Xvnc with a picture on it, a viewer that captures what it is shown."""

import pathlib
import tempfile

from ..net import run
from ..waiting import wait_until
from .xserver import wait_display


# Xvnc refuses an address for ten seconds from which that many connections have come whose login is not over yet; 5 by default.
# The gateway's sessions come from one address, and as many of them at once as there are logins.
BLACKLIST = 10000


class Desktop:
    """Xvnc in a namespace, without authentication unless `security` is given; the root window shows a picture."""

    next_display = 10

    def __init__(self, net, namespace, address, port=5900, size="640x480", options=(),
                 security=("-SecurityTypes", "None")):
        self.net, self.namespace = net, namespace
        self.display = f":{Desktop.next_display}"
        Desktop.next_display += 1
        self.env = {"DISPLAY": self.display}
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="desktop-"))
        self.process = net.popen(
            namespace, "Xvnc", self.display, "-geometry", size, "-depth", "24", *security, "-interface", address,
            "-rfbport", port, "-AlwaysShared", "-ac", "-noreset", "-BlacklistThreshold", BLACKLIST, *options)
        net.wait_port(namespace, address, port)
        wait_display(self.display)

    def show(self, picture):
        """Put a picture file of the screen's own size on the root window, and see that it is there.

        Put there again until it is seen: a client that has just ended may be drawn for after `display` was.
        """
        def shows():
            run("display", "-window", "root", picture, env=self.env, timeout=30, check=False)  # its status says nothing
            return difference(picture, self.screenshot(self.directory / "shown.png")) == 0
        wait_until(shows, "the desktop's picture on it")

    def show_test_picture(self, text="関所 試験画面"):
        """Something with text, flat areas and noise, so that every encoding has work to do."""
        picture = self.directory / "picture.png"
        width, height = self.size()
        run("convert", "-size", f"{width}x{height}", "gradient:#204080-#f0f0ff",
            "-fill", "white", "-draw", f"rectangle 40,40 {width - 40},140",
            "-font", "IPAGothic", "-pointsize", "36", "-fill", "black", "-annotate", "+60+105", text,
            "(", "-size", "120x90", "-seed", "7", "xc:gray", "+noise", "Random", ")", "-geometry", "+60+200",
            "-composite", "-depth", "8", picture, timeout=60)
        self.show(picture)

    def size(self):
        line = run("xdpyinfo", env=self.env).stdout.partition("dimensions:")[2].split()[0]
        return tuple(int(n) for n in line.split("x"))

    def run(self, *argv, **kwargs):
        """A client of this X server, such as xdotool or xev."""
        return self.net.run(self.namespace, *argv, env=self.env, **kwargs)

    def screenshot(self, path):
        """The true picture, taken inside the X server."""
        run("import", "-silent", "-window", "root", path, env=self.env, timeout=30)
        return path

    def stop(self):
        self.process.stop()


def capture_screen(net, namespace, host, port, path, timeout=30):
    """What a gtk-vnc viewer in a namespace is shown, as a PNG at `path`."""
    net.run(namespace, "gvnccapture", "-q", f"{host}:{port - 5900}", path, timeout=timeout)
    return path


def difference(one, other):
    """How many pixels differ (ImageMagick's absolute error); pictures of different size fail."""
    done = run("compare", "-metric", "AE", one, other, "null:", check=False, timeout=30)
    assert done.returncode in (0, 1), f"cannot compare {one} and {other}: {done.stderr}"
    return int(float(done.stderr.split()[0]))
