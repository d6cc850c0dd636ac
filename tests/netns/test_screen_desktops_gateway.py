# SPDX-License-Identifier: GPL-2.0-or-later
"""Logging in at desktops with the whole gateway: what is loaded, what a commit wants, and where the password is not."""

import contextlib
import os
import pathlib

import pytest

from lib.certificates import Authority
from lib.desktop_login import HOST, PASSWORD, USER, pam_service, x509_plain
from lib.peers import Desktop, capture_screen, difference
from lib.peers.rfb import Viewer, update_request
from test_evidence import collect
from test_mail_tls import paste
from test_screen_gateway import PORT, screen, viewer_of
from test_screen_login import state_files


@pytest.fixture
def pam_users(tmp_path):
    with pam_service(tmp_path) as name:
        yield name


def load_password(console, slot, password):
    """What the console prints from the line typed to its next prompt."""
    console.send(f"load password {slot}\r")
    console.expect(r"give up\): ")
    shown = console.before
    console.send(password + "\r")
    console.expect(console.PROMPT)
    return shown + console.before


def sealed_memory(pids):
    """Everything in the memory files (the snapshot is one) that these processes hold; what is closed meanwhile is left out."""
    octets = b""
    for fd in [fd for pid in pids for fd in pathlib.Path(f"/proc/{pid}/fd").glob("*")]:
        with contextlib.suppress(FileNotFoundError):
            octets += fd.read_bytes() if os.readlink(fd).startswith("/memfd:") else b""
    return octets


def places_of_secrets(gateway, console, directory):
    """{where: its octets}: everything that a password must not be in."""
    places = {str(path): octets for path, octets in state_files(gateway).items() if path.parent.name != "keys"}
    for command, title in (("evidence create", "EVIDENCE"), ("tech-support", "TECH-SUPPORT")):
        places[command] = (collect(console, directory / title, command, title) / "evidence.tar").read_bytes()
    places["show configuration"] = console.run("show configuration").encode()
    places["show certificates"] = console.run("show certificates").encode()
    places["log"] = gateway.log().encode()
    places["console"] = (gateway.directory / "console.txt").read_bytes()
    places["snapshot"] = sealed_memory([gateway.pid, *gateway.pids()])
    return places


@pytest.mark.limit(120)
def test_desktop_gateway_logs_in_with_what_was_loaded(make_gateway, topology, pam_users, tmp_path):
    """Z4, C1, L4: no commit without authority and password, every pixel with them, the password nowhere but in its slot.

    What is committed for desktops ends the sessions that began before; anything else leaves them.
    """
    authority = Authority()
    access = [f"set screen web desktop-security {line}"
              for line in ("type x509-plain", "authority desks", f"name {HOST}", f"user {USER}", "password desk")]
    zone, lgwan = topology.zones["internet"], topology.zones["lgwan"]
    desktop = Desktop(topology.net, zone.namespace, zone.peer4, security=x509_plain(authority.issue(HOST), pam_users))
    desktop.show_test_picture()
    gateway = make_gateway(screen(topology))
    console = gateway.open_console()
    said = console.commit(*access)
    assert "no authority is loaded as 'desks'" in said and "no password is loaded as 'desk'" in said
    assert "loaded: CN=" in paste(console, "load authority desks", authority.pem)
    said = console.commit(*access)
    assert "no authority" not in said and "no password is loaded as 'desk'; use: load password desk" in said
    assert "loaded" in load_password(console, "desk", PASSWORD)
    gateway.wait_event("password-loaded", 'name="desk"')
    slot = gateway.state / "keys" / "desk.password"
    assert slot.read_text() == PASSWORD and slot.stat().st_mode & 0o777 == 0o600
    assert " loaded as " not in console.commit(*access)
    true = desktop.screenshot(tmp_path / "desktop.png")
    seen = capture_screen(topology.net, lgwan.namespace, lgwan.gateway4, PORT, tmp_path / "viewer.png")
    assert difference(true, seen) == 0
    viewer = viewer_of(topology)
    viewer.read_update()
    places = places_of_secrets(gateway, console, tmp_path)
    assert [where for where, octets in places.items() if PASSWORD.encode() in octets] == []
    for where in ("snapshot", "evidence create", "show configuration", "console"):
        assert b"desks" in places[where], f"{where} has been looked at"
    console.commit("set screen web sessions 7")
    viewer.send(update_request(640, 480))
    assert viewer.read_update()
    console.commit("set screen web desktop-security name other.example.jp")
    assert viewer.drain(), "the session has outlived what it logged in by"
    gateway.wait_event("screen-ended", 'reason="policy-changed"')
    viewer = Viewer(topology.net.connect(lgwan.namespace, lgwan.gateway4, PORT), handshake=False)
    viewer.send(b"RFB 003.008\n\1\1")
    assert viewer.drain(), "a desktop with another name was shown"
    gateway.wait_event("screen-tls-failed", 'reason="certificate is for another name"')
