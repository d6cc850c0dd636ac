# SPDX-License-Identifier: GPL-2.0-or-later
"""A viewer made of gtk-vnc's library, as virt-manager's is: logs in by VeNCrypt, saves the first whole picture (PPM).

Its certificate is the one of root's home directory (viewers.py, gtk_home). A program of its own:
    python3 gtk_vnc.py HOST PORT PICTURE AUTHORITY-FILE [NAME PASSWORD]
"""

import ctypes
import pathlib
import sys

import gi

gi.require_version("GVnc", "1.0")
from gi.repository import GLib, GVnc  # pylint: disable=wrong-import-position


def place_of(buffer):
    """A pointer to it, as GObject's properties take pointers."""
    capsule = ctypes.pythonapi.PyCapsule_New
    capsule.restype, capsule.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return capsule(ctypes.addressof(buffer), None, None)


class Capture:
    """One connection; run() is its life."""

    def __init__(self, host, port, picture, authority, name="", password=""):
        self.place, self.picture, self.failed = (host, port), picture, None
        kinds = GVnc.ConnectionCredential
        self.known = {kinds.USERNAME: name, kinds.PASSWORD: password, kinds.CLIENTNAME: "gtk-vnc",
                      kinds.CA_CERT_DATA: pathlib.Path(authority).read_text()}
        self.loop, self.connection = GLib.MainLoop(), GVnc.Connection()
        for signal in ("auth-choose-type", "auth-choose-subtype", "auth-credential", "initialized", "framebuffer-update",
                       "auth-failure", "error", "disconnected"):
            self.connection.connect(f"vnc-{signal}", getattr(self, signal.replace("-", "_")))

    def run(self):
        self.connection.open_host(*self.place)
        self.loop.run()
        return self.failed

    def auth_choose_type(self, connection, _types):
        connection.set_auth_type(GVnc.ConnectionAuth.VENCRYPT)

    def auth_choose_subtype(self, connection, _type, subtypes):
        connection.set_auth_subtype(int(subtypes.get_nth(0)))

    def auth_credential(self, connection, wanted):
        for kind in (wanted.get_nth(i) for i in range(wanted.n_values)):
            connection.set_credential(kind, self.known[kind])

    def initialized(self, connection):
        width, height = connection.get_width(), connection.get_height()
        self.missing_px = width * height
        self.pixels = ctypes.create_string_buffer(width * height * 4)
        form = connection.get_pixel_format()
        self.buffer = GVnc.BaseFramebuffer(buffer=place_of(self.pixels), width=width, height=height,
                                           rowstride=width * 4, local_format=form, remote_format=form)
        connection.set_framebuffer(self.buffer)
        connection.set_encodings([GVnc.ConnectionEncoding.ZRLE, GVnc.ConnectionEncoding.RAW])
        connection.framebuffer_update_request(False, 0, 0, width, height)

    def framebuffer_update(self, connection, _x, _y, width, height):
        self.missing_px -= width * height
        if self.missing_px <= 0:
            self.save(connection.get_width(), connection.get_height())
            connection.shutdown()

    def save(self, width, height):
        """As PPM; in memory a pixel is blue, green, red and one that means nothing."""
        rgb = bytearray(width * height * 3)
        for i in range(3):
            rgb[i::3] = self.pixels.raw[2 - i::4]
        pathlib.Path(self.picture).write_bytes(f"P6 {width} {height} 255\n".encode() + rgb)

    def auth_failure(self, _connection, reason):
        self.failed = f"login: {reason}"

    def error(self, _connection, message):
        self.failed = message

    def disconnected(self, _connection):
        self.loop.quit()


if __name__ == "__main__":
    sys.exit(Capture(sys.argv[1], sys.argv[2], *sys.argv[3:]).run())
