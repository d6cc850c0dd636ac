# SPDX-License-Identifier: GPL-2.0-or-later
"""The log sent under TLS (L1, RFC 5425), to rsyslog with OpenSSL and with GnuTLS, and to servers that are not the right one.

    gateway: audit  --TLS-->  10.20.0.20:6514 in peer-lgwan
"""

import contextlib
import errno
import socket
import ssl

import pytest

from lib.certificates import Authority, put_slot
from lib.log_server import (ADDRESS, NAME, TLS_PORT, in_order, numbers, received_log, send_by, start_tls_server,
                            wait_caught_up)
from lib.logs import verify
from lib.net import Background
from lib.peers import EchoServer, Syslog, SyslogTls, tcp_talk, udp_talk
from lib.waiting import PATIENCE_SECONDS, wait_until

PERMIT = """
service echo { tcp 7000; }
crossing mynumber lgwan { permit 10 { destination 10.20.0.8; service echo; log; } }
"""
VERIFIED = f"ca log-ca; name {NAME};"


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def state(tmp_path, authority):
    path = tmp_path / "state"
    path.mkdir()
    put_slot(path, "log-ca", authority.pem, "authority")
    return path


def some_events(net, topology, count=5):
    for port in range(count):
        udp_talk(net, "peer-internet", topology.zones["lgwan"].peer4, 9000 + port, timeout=0.05)


def arrived(gateway, server):
    """All records are there, each once or more, in order, and are the gateway's log."""
    wait_caught_up(gateway, server, 40)
    in_order(server.lines())
    gateway.stop()
    verify(next(iter(gateway.state.glob("**/*.log"))).parent, received_log(server))


@pytest.mark.limit(90)
@pytest.mark.parametrize(("driver", "name", "extra", "version"), [
    ("ossl", NAME, VERIFIED, "TLSv1.3"),
    ("gtls", ADDRESS, "ca log-ca;", "TLSv1.2"),     # as far as rsyslog goes with GnuTLS
])
def test_tls_log_goes_to_a_verified_server(net, topology, make_gateway, state, authority, driver, name, extra, version):
    """L1: verified by host name, and by its address where no name is configured; both versions of TLS."""
    server = start_tls_server(net, SyslogTls(authority, authority.issue(name), driver))
    gateway = make_gateway(PERMIT, system=send_by("tls", extra), state=state)
    some_events(net, topology, 20)
    gateway.wait_event(" syslog-tls ", f'name="{name}"', f'version="{version}"', seconds=15)
    arrived(gateway, server)
    assert server.parsed()[-1].split("|")[2:4] == ["sekisho-test", "sekisho"]


def test_tls_log_goes_to_an_ipv6_server_by_address(net, topology, make_gateway, state, authority):
    """RFC 9525 6.3: an address is looked for as an address; GnuTLS refuses a client that sends it as a host name."""
    address = "fd00:20::20"
    net.address("peer-lgwan", topology.DEVICE, f"{address}/64")
    server = start_tls_server(net, SyslogTls(authority, authority.issue(address), "gtls"), address)
    gateway = make_gateway(PERMIT, system=send_by("tls", "ca log-ca;", address), state=state)
    gateway.wait_event(" syslog-tls ", f'name="{address}"', seconds=15)
    arrived(gateway, server)


def wrong(authority):
    """{what is wrong with the server's certificate: (who signed it, the certificate, the reason in the log)}"""
    stranger = Authority()
    return {
        "authority": (stranger, stranger.issue(NAME), "certificate is of an unknown authority"),
        "expired": (authority, authority.issue(NAME, not_after="20200201000000Z"), "certificate has expired"),
        "name": (authority, authority.issue("log.other.example"), "certificate is for another name"),
    }


@pytest.mark.limit(120)
def test_tls_server_that_cannot_be_verified_gets_nothing(net, topology, make_gateway, state, authority):
    """L1: each fault has an event of its own and not a record is sent; all is sent once the right server is there."""
    faults = wrong(authority)
    signer, certificate, _ = faults["authority"]
    server = start_tls_server(net, SyslogTls(signer, certificate))
    gateway = make_gateway(PERMIT, system=send_by("tls", VERIFIED), state=state)
    for signer, certificate, reason in faults.values():
        server.stop()
        server.start(SyslogTls(signer, certificate))
        gateway.wait_event(" syslog-tls-failed ", f'server="{ADDRESS}-{TLS_PORT}"', reason, seconds=30)
    some_events(net, topology)
    assert numbers(server.lines()) == []
    assert not any(" syslog-tls " in line for line in gateway.audit_lines())
    server.stop()
    server.start(SyslogTls(authority, authority.issue(NAME)))
    gateway.wait_event(" syslog-back ", seconds=30)
    arrived(gateway, server)


@pytest.mark.limit(90)
def test_tls_log_waits_for_an_authority(net, make_gateway, state, authority):
    """An empty slot at start: nobody is called; once it is filled the log goes out without a commit."""
    (state / "keys" / "log-ca.authority.pem").unlink()
    server = start_tls_server(net, SyslogTls(authority, authority.issue(NAME)))
    gateway = make_gateway(PERMIT, system=send_by("tls", VERIFIED), state=state)
    gateway.wait_event(" syslog-tls-failed ", "no authority is loaded", seconds=15)
    assert numbers(server.lines()) == []
    put_slot(state, "log-ca", authority.pem, "authority")
    gateway.wait_event(" syslog-back ", seconds=30)
    arrived(gateway, server)


@pytest.mark.limit(90)
def test_tls_commit_holds_for_the_running_connection(net, topology, make_gateway, state, authority):
    """Another name is wanted: the connection that had the old one ends; with the right one again all arrives."""
    server = start_tls_server(net, SyslogTls(authority, authority.issue(NAME)))
    gateway = make_gateway(PERMIT, system=send_by("tls", VERIFIED), state=state)
    wait_caught_up(gateway, server)
    console = gateway.console()
    console.expect("> $")
    console.run("configure")
    console.run(f"set system syslog server {ADDRESS} name log.other.example")
    assert "committed" in console.run("commit", timeout=40)
    gateway.wait_event(" syslog-tls-failed ", 'name="log.other.example"', "for another name", seconds=20)
    some_events(net, topology)
    held = numbers(server.lines())[-1]
    assert held < numbers(gateway.audit_lines())[-1]
    console.run(f"set system syslog server {ADDRESS} name {NAME}")
    assert "committed" in console.run("commit", timeout=40)
    arrived(gateway, server)


@pytest.mark.limit(90)
def test_tls_log_is_not_sent_in_plain_text(net, topology, make_gateway, state):
    """A server in plain text on the port: it hears a handshake and not a word of the log."""
    server = Syslog(net, "peer-lgwan", ADDRESS, port=TLS_PORT, transport="tcp")
    gateway = make_gateway(PERMIT, system=send_by("tls", VERIFIED), state=state)
    some_events(net, topology)
    gateway.wait_event(" syslog-tls-failed ", "the handshake was not finished", seconds=30)
    assert not any("sekisho" in line for line in server.lines()), server.lines()


@pytest.mark.limit(120)
@pytest.mark.parametrize("driver", ["ossl", "gtls"])
def test_tls_server_that_wants_a_certificate(net, topology, make_gateway, tmp_path, state, authority, driver):
    """A server that knows its senders: without a certificate nothing is sent, with one of its authority all."""
    unknown = tmp_path / "unknown"
    put_slot(unknown, "log-ca", authority.pem, "authority")
    put_slot(state, "gate", authority.issue("sekisho-test").read_text())
    server = start_tls_server(net, SyslogTls(authority, authority.issue(NAME), driver, client="sekisho-test"))
    gateway = make_gateway(PERMIT, system=send_by("tls", VERIFIED), state=unknown)
    gateway.wait_event(" syslog-tls-failed ", seconds=30)
    assert not any(" syslog-back " in line for line in gateway.audit_lines())
    gateway.stop()
    assert numbers(server.lines()) == []
    topology.restore_ports()
    gateway = make_gateway(PERMIT, system=send_by("tls", VERIFIED + " certificate gate;"), state=state)
    arrived(gateway, server)


class HungServer:
    """Takes one connection under TLS and then never reads from it; what its host has no room for stays with us."""

    def __init__(self, net, certificate):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.listener = net.socket("peer-lgwan", socket.AF_INET, socket.SOCK_STREAM, timeout=0.1)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind((ADDRESS, TLS_PORT))
        self.listener.listen(1)
        self.connection = None
        self.part = Background(self._serve)
        net.on_close(self.stop)

    def _serve(self, stopping):
        while self.connection is None and not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                raw, _ = self.listener.accept()
                raw.settimeout(10)
                self.connection = self.context.wrap_socket(raw, server_side=True)

    def stop(self):
        self.part.stop()
        self.listener.close()
        if self.connection is not None:
            self.connection.close()


@pytest.mark.limit(150)
def test_tls_server_that_hangs_holds_up_nobody(net, topology, make_gateway, state, authority):
    """Logging never blocks: flows are judged and records written while a server takes nothing; later it gets them all."""
    EchoServer(net, "peer-lgwan", "10.20.0.8", 7000)
    hung = HungServer(net, authority.issue(NAME))
    gateway = make_gateway(PERMIT, system=send_by("tls", VERIFIED), state=state)
    gateway.wait_event(" syslog-tls ", seconds=20)
    wait_until(lambda: hung.connection is not None, "the handshake", 10)
    for _ in range(10):
        assert tcp_talk(net, "peer-mynumber", "10.20.0.8", 7000, timeout=PATIENCE_SECONDS) == b"hello"
        some_events(net, topology)
    gateway.wait_event(" flow-permitted ", seconds=5)
    gateway.wait_event(" syslog-away ", f'error="{errno.ETIMEDOUT}"', seconds=60)
    hung.stop()
    server = start_tls_server(net, SyslogTls(authority, authority.issue(NAME)))
    arrived(gateway, server)
