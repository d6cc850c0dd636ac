# SPDX-License-Identifier: GPL-2.0-or-later
"""What the gateway logs in at desktops with, and desktops (Xvnc) that want it."""

import contextlib
import pathlib
import shutil

from .net import run

HOST = "desktop.example.jp"              # in the desktops' certificates
PASSWORD, USER = "kage-8mo", "relay"     # VncAuth looks at eight characters


@contextlib.contextmanager
def pam_service(directory):
    """The name of a PAM service that knows USER by PASSWORD, and nobody else.

    It is in a copy that is mounted over /etc/pam.d for as long: the test root itself is shared with other runs.
    """
    check = directory / "check-password"
    check.write_text(f'#!/bin/sh\nread -r password || true\n[ "$PAM_USER:$password" = "{USER}:{PASSWORD}" ]\n')
    check.chmod(0o755)
    services = pathlib.Path(shutil.copytree("/etc/pam.d", directory / "services"))
    (services / "relay-desktop").write_text(f"auth required pam_exec.so quiet expose_authtok {check}\n"
                                            "account required pam_permit.so\n")
    run("mount", "--bind", services, "/etc/pam.d")
    try:
        yield "relay-desktop"
    finally:
        run("umount", "/etc/pam.d")


def rfbauth(directory):
    """A new file with PASSWORD as VNC servers keep it."""
    path = directory / "rfbauth"
    run("x11vnc", "-storepasswd", PASSWORD, path)
    return path


def vnc_auth(directory):
    return ("-SecurityTypes", "VncAuth", "-PasswordFile", rfbauth(directory))


def _x509(certificate):
    """certificate: as Authority.issue() gives it."""
    return ("-X509Cert", certificate.with_suffix(".crt"), "-X509Key", certificate.with_suffix(".key"))


def x509_none(certificate):
    return ("-SecurityTypes", "X509None", *_x509(certificate))


def x509_plain(certificate, service):
    return ("-SecurityTypes", "X509Plain", *_x509(certificate), "-PlainUsers", "*", "-PAMService", service)
