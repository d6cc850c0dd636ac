# SPDX-License-Identifier: GPL-2.0-or-later
"""A viewer that speaks VeNCrypt 0.2 (RFB security type 19), written so that a test can lie at each of its steps."""

import ssl
import struct

from .rfb import FORMAT, Viewer

X509_NONE, X509_PLAIN = 260, 262


class Refused(Exception):
    """The gateway said no: its reason."""


def client_context(authority=None, certificate=None):
    """Verifies the gateway where an authority is given (its PEM), shows `certificate` (a path) where one is."""
    context = ssl.create_default_context(cadata=authority)
    context.check_hostname = False
    if authority is None:
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


class SecureViewer(Viewer):
    """A viewer that logs in: name and password None for X509None."""

    def __init__(self, sock, name=None, password="", context=None, login=True):
        super().__init__(sock, handshake=False)
        self.negotiate(X509_NONE if name is None else X509_PLAIN)
        self.start_tls(context or client_context())
        if login:
            self.log_in(name, password)
            self.enter()

    def negotiate(self, subtype):
        """Up to the octet that says: TLS now. Exactly one type and one subtype are offered."""
        assert self.read(12) == b"RFB 003.008\n"
        self.send(b"RFB 003.008\n")
        assert self.read(2) == b"\1\x13", "exactly one security type, VeNCrypt, is offered"
        self.send(b"\x13")
        assert self.read(2) == b"\0\2"
        self.send(b"\0\2")
        assert self.read(6) == b"\0\1" + struct.pack(">I", subtype)
        self.send(struct.pack(">I", subtype))
        assert self.read(1) == b"\1"

    def start_tls(self, context):
        self.sock = context.wrap_socket(self.sock)

    def log_in(self, name, password):
        """Name and password (X509Plain), and the result."""
        if name is not None:
            name, password = name.encode(), password.encode()
            self.send(struct.pack(">II", len(name), len(password)) + name + password)
        if self.read(4) != b"\0\0\0\0":
            raise Refused(self.read(struct.unpack(">I", self.read(4))[0]).decode())

    def enter(self):
        """ClientInit and ServerInit."""
        self.send(b"\1")
        self.width, self.height = struct.unpack(">HH", self.read(4))
        assert self.read(16) == FORMAT
        self.name = self.read(struct.unpack(">I", self.read(4))[0])
        self.picture = bytearray(self.width * self.height * 4)
