# SPDX-License-Identifier: GPL-2.0-or-later
"""A screen's certificate: made once where there is none, shown to viewers and browsers, replaced by what is loaded."""

import ssl

from lib.certificates import Authority
from lib.peers.vencrypt import SecureViewer, client_context
from test_mail_tls import OWN_NAME, paste
from test_screen_login import PLAIN, connect, screen

BROWSERS = 443


def shown_to_viewers(topology):
    """The certificate behind VeNCrypt's plain text, as PEM."""
    viewer = SecureViewer(connect(topology), "suzuki", login=False)
    with viewer.sock as sock:
        return ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True))


def shown_to_browsers(topology):
    """The certificate of the page, as PEM."""
    with client_context().wrap_socket(connect(topology, port=BROWSERS)) as sock:
        return ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True))


def made(gateway):
    """The records of certificates that were made."""
    return [line for line in gateway.audit_lines() if " certificate-made " in line]


def test_certificate_of_a_screen_is_made_once_and_replaced_by_what_is_loaded(make_gateway, topology, tmp_path):
    """L4, Z4: at the first start, with an event, for the gateway's name; the same one after another start; then another's."""
    state = tmp_path / "state"
    config = screen(topology, f"{PLAIN} browser {{ listen {BROWSERS}; }}")
    gateway = make_gateway(config, state=state)
    gateway.wait_event("certificate-made ", 'name="screen"', f'detail="{OWN_NAME}"')
    file = state / "keys" / "screen.certificate.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    first = shown_to_viewers(topology)
    assert shown_to_browsers(topology) == first and first in file.read_text()
    client_context(first)  # it is one that a viewer can be given as its own authority
    console = gateway.open_console()
    assert f"CN={OWN_NAME}" in console.run("show certificates")
    printed = console.run("show certificates screen")
    assert "".join(first.split()) in "".join(printed.split()) and "KEY" not in printed
    gateway.hang_up(console)
    gateway.stop()
    gateway = make_gateway(config, state=state)
    assert shown_to_viewers(topology) == shown_to_browsers(topology) == first
    assert len(made(gateway)) == 1, "none was made at the second start"
    authority = Authority()
    loaded = authority.issue(OWN_NAME).read_text()
    assert f"loaded: CN={OWN_NAME}" in paste(gateway.open_console(), "load certificate screen", loaded)
    gateway.wait_event("certificate-loaded ", 'name="screen"', "sha256=")
    assert first not in loaded and shown_to_viewers(topology) == shown_to_browsers(topology)
    assert shown_to_viewers(topology) in loaded and file.read_text() == loaded
