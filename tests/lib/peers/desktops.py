# SPDX-License-Identifier: GPL-2.0-or-later
"""Desktops of other kinds than Xvnc: x11vnc on an X server of its own, and a virtual machine's screen as QEMU serves it."""

import itertools
import pathlib
import socket
import stat

from ..net import run
from ..waiting import PATIENCE_SECONDS
from .xserver import wait_display


class X11vnc:
    """x11vnc that shows an Xvfb with a picture of two colours.

    security: its options: ("-nopw",), ("-rfbauth", FILE), ("-ssl", PEM, ...). With -ssl its key must be RSA, and it is
    silent for a second and a half before it greets; without -nolookup it looks for the gateway's name for ten more.
    """

    displays = itertools.count(200)

    def __init__(self, net, namespace, address, port=5900, size="640x480", security=("-nopw",)):
        display = f":{next(self.displays)}"
        self.env = {"DISPLAY": display}
        net.popen(namespace, "Xvfb", display, "-screen", "0", f"{size}x24", "-noreset", "-ac")
        wait_display(display)
        run("xsetroot", "-mod", "5", "7", "-fg", "#123456", "-bg", "#fedcba", env=self.env)
        self.process = net.popen(namespace, "x11vnc", "-display", display, *security, "-listen", address, "-rfbport", port,
                                 "-forever", "-shared", "-nocursor", "-noxdamage", "-nolookup", env=self.env)
        self.process.wait_log("PORT=")

    def screenshot(self, path):
        """The true picture, taken inside the X server."""
        run("import", "-silent", "-window", "root", path, env=self.env, timeout=30)
        return path


class Qemu:
    """A virtual machine that is not let run: its screen says so, and stays as it is.

    vnc: what follows the place in -vnc, such as ",password-secret=desk"; options: further ones, such as the -object of it.
    """

    def __init__(self, net, namespace, address, directory, port=5900, vnc="", options=()):
        self.monitor = directory / "monitor"
        net.popen(namespace, "qemu-system-x86_64", "-accel", "tcg", "-m", "32", "-nodefaults", "-vga", "std", "-S", *options,
                  "-vnc", f"{address}:{port - 5900}{vnc}", "-monitor", f"unix:{self.monitor},server,nowait")
        net.wait_port(namespace, address, port)

    def screenshot(self, path):
        """QEMU's own dump of the machine's screen."""
        path = pathlib.Path(path).with_suffix(".ppm")
        path.unlink(missing_ok=True)
        tell_qemu(self.monitor, f"screendump {path}")
        return path


def tell_qemu(monitor, command):
    """One command at QEMU's monitor; back when it has been done, which the next prompt says."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE_SECONDS)
        line.connect(str(monitor))
        for typed in (b"", command.encode() + b"\n"):
            line.sendall(typed)
            said = b""
            while not said.endswith(b"(qemu) "):
                more = line.recv(4096)
                assert more, f"QEMU ended: {said}"
                said += more


def qemu_secret(directory, password):
    """What Qemu() takes for VncAuth with this password."""
    file = directory / "secret"
    file.write_text(password)
    return {"vnc": ",password-secret=desk", "options": ("-object", f"secret,id=desk,file={file}")}


def qemu_x509(directory, authority, certificate):
    """What Qemu() takes for VeNCrypt X509None with this authority (its file) and certificate (as issue() gives it)."""
    for name, path in (("ca-cert", authority), ("server-cert", certificate.with_suffix(".crt")),
                       ("server-key", certificate.with_suffix(".key"))):
        (directory / f"{name}.pem").write_bytes(path.read_bytes())
    return {"vnc": ",tls-creds=desk",
            "options": ("-object", f"tls-creds-x509,id=desk,dir={directory},endpoint=server,verify-peer=off")}


def x11vnc_ssl(certificate):
    """Options for VeNCrypt X509None alone."""
    return ("-nopw", "-ssl", certificate, "-vencrypt", "nodh:force", "-anontls", "never")


def x11vnc_plain(directory, certificate, user, password):
    """Options for VeNCrypt X509Plain alone, with one user."""
    check = directory / "check-login"
    check.write_text(f'#!/bin/sh\nread -r user; read -r password\n[ "$user:$password" = "{user}:{password}" ]\n')
    check.chmod(check.stat().st_mode | stat.S_IXUSR)
    return ("-ssl", certificate, "-vencrypt", "plain:nodh:force", "-anontls", "never", "-unixpw_cmd", check)
