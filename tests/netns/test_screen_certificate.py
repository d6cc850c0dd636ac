# SPDX-License-Identifier: GPL-2.0-or-later
"""A screen's certificate: made once where there is none, shown to viewers and browsers, replaced by what is loaded."""

import hashlib
import ssl

from lib.certificates import Authority
from lib.net import run
from lib.peers import Desktop, difference
from lib.peers.vencrypt import SecureViewer, client_context
from lib.peers.viewers import gtk_home, gtk_vnc
from lib.waiting import PATIENCE_SECONDS
from test_mail_tls import OWN_NAME, paste
from test_screen_login import PLAIN, PORT, connect, password_of, screen

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
    gateway.wait_event("certificate-made ", 'name="screen"', f'detail="{OWN_NAME}, ')
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


class NamedViewer(SecureViewer):
    """Goes as far as TLS, and checks that the certificate is for `name` (OpenSSL: RFC 9525 6.3)."""

    def __init__(self, sock, trusted, name):
        self.expected = name
        super().__init__(sock, "suzuki", context=ssl.create_default_context(cadata=trusted), login=False)

    def start_tls(self, context):
        self.sock = context.wrap_socket(self.sock, server_hostname=self.expected)


def passes_at_viewers(topology, host, name, trusted):
    """Whether a viewer that trusts nothing but this certificate (PEM), and was told to expect `name`, goes on."""
    sock = topology.net.connect(topology.zones["lgwan"].namespace, host, PORT, PATIENCE_SECONDS)
    with sock:
        try:
            with NamedViewer(sock, trusted, name).sock:
                return True
        except ssl.SSLCertVerificationError:
            return False


def passes_at_page(topology, host, name, trusted, directory):
    """The same of `openssl s_client` at the page."""
    file = directory / "trusted.pem"
    file.write_text(trusted)
    place = f"[{host}]:{BROWSERS}" if ":" in host else f"{host}:{BROWSERS}"
    said = topology.net.run(topology.zones["lgwan"].namespace, "openssl", "s_client", "-connect", place, "-CAfile", file,
                            "-no-CApath", "-no-CAstore", "-verify_return_error",
                            "-verify_ip" if name[0].isdigit() or ":" in name else "-verify_hostname", name,
                            stdin="Q\n", check=False, timeout=PATIENCE_SECONDS)
    return said.returncode == 0 and "Verify return code: 0 (ok)" in said.stdout


def public_key(pem, directory):
    file = directory / "shown.pem"
    file.write_text(pem)
    return run("openssl", "x509", "-in", file, "-noout", "-pubkey").stdout


def test_certificate_made_here_passes_name_checks_and_follows_the_names(make_gateway, topology, tmp_path):
    """Z4, L4: by each name and address that staff may use, at both listeners, IPv4 and IPv6; and anew when a commit changes one.

    What is made anew keeps its key, and is told before the commit and behind it.
    """
    lgwan, far = topology.zones["lgwan"], topology.zones["internet"]
    four, six = lgwan.gateway4, lgwan.gateway6
    desktop = Desktop(topology.net, far.namespace, far.peer4)
    true = desktop.screenshot(tmp_path / "true.png")
    gateway = make_gateway(screen(topology, f"{PLAIN} browser {{ listen {BROWSERS}; name screen.example.jp; }}"))
    first = shown_to_viewers(topology)
    for host, name in ((four, OWN_NAME), (six, "screen.example.jp"), (four, four), (six, six)):
        assert passes_at_viewers(topology, host, name, first), (host, name)
        assert passes_at_page(topology, host, name, first, tmp_path), (host, name)
    for name in ("other.example.jp", far.gateway4):
        assert not passes_at_viewers(topology, four, name, first), name
        assert not passes_at_page(topology, four, name, first, tmp_path), name
    authority = tmp_path / "first.pem"
    authority.write_text(first)
    login = ("suzuki", password_of(gateway, "suzuki"))
    with gtk_home(tmp_path / "home", Authority().issue("suzuki")):
        for host in (four, six):
            seen = gtk_vnc(topology.net, lgwan.namespace, host, PORT, tmp_path / "seen.png", authority, login)
            assert difference(true, seen) == 0, host

    console = gateway.open_console()
    console.run("configure")
    console.run("delete screen web browser name screen.example.jp")
    console.run("set screen web browser name other.example.jp")
    assert "made anew with the commit (names have changed)" in " ".join(console.run("check").split())
    assert shown_to_viewers(topology) == first, "nothing changes before the commit"
    assert "committed" in console.run("commit", timeout=40)
    second = shown_to_viewers(topology)
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(second)).hexdigest()
    gateway.wait_event("certificate-renewed ", 'name="screen"', 'reason="names have changed"', digest, "other.example.jp")
    assert second != first and public_key(second, tmp_path) == public_key(first, tmp_path)
    assert passes_at_viewers(topology, four, "other.example.jp", second)
    assert passes_at_page(topology, four, "other.example.jp", second, tmp_path)
    assert not passes_at_viewers(topology, four, "screen.example.jp", second)
    assert not passes_at_viewers(topology, four, OWN_NAME, first), "who has pinned the old one learns of it"
