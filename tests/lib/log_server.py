# SPDX-License-Identifier: GPL-2.0-or-later
"""A syslog server in the zone lgwan that the gateway sends its log to, over each transport, and what arrived there."""

from .certificates import Authority, put_slot
from .logs import number_of
from .peers import Syslog, SyslogNg, SyslogTls
from .waiting import wait_until

ADDRESS = "10.20.0.20"
NAME = "log.city.example.lg.jp"
TLS_PORT = 6514


def send_to(*servers):
    """The statement of the block `system` that sends to these (statements `server`)."""
    return f"syslog {{ zone lgwan; {' '.join(servers)} }}"


def server_by(transport, extra="", address=ADDRESS):
    """The statement of one server; extra: more statements about it."""
    return f"server {address} {{ transport {transport}; {extra} }}"


def send_by(transport, extra="", address=ADDRESS):
    """The statement of the block `system` that sends to one server."""
    return send_to(server_by(transport, extra, address))


SERVERS = {"rsyslog": Syslog, "syslog-ng": SyslogNg}
TRANSPORTS = ["udp", "tcp", "tls"]


def start_server(net, state, transport, kind, address):
    """Return (the server, its statement); what TLS needs is put into the state directory."""
    if transport != "tls":
        return SERVERS[kind](net, "peer-lgwan", address, transport=transport), server_by(transport, address=address)
    authority = Authority()
    put_slot(state, "log-ca", authority.pem, "authority")
    server = start_tls_server(net, SyslogTls(authority, authority.issue(NAME)), address, kind)
    return server, server_by("tls", f"ca log-ca; name {NAME};", address)


def start_log_server(net, state, transport, kind="rsyslog"):
    """Return (the server, the statement that sends to it), as start_server."""
    server, statement = start_server(net, state, transport, kind, ADDRESS)
    return server, send_to(statement)


def start_log_servers(net, topology, state):
    """One for each transport. Return (they, the statement that sends to them all), as start_server."""
    started = []
    for host, transport in enumerate(TRANSPORTS, start=21):
        address = f"10.20.0.{host}"
        net.address("peer-lgwan", topology.DEVICE, f"{address}/24")
        started.append(start_server(net, state, transport, "rsyslog", address))
    return [server for server, _ in started], send_to(*(statement for _, statement in started))


def start_tls_server(net, tls, address=ADDRESS, kind="rsyslog"):
    return SERVERS[kind](net, "peer-lgwan", address, port=TLS_PORT, transport="tls", tls=tls)


def numbers(lines):
    return [number for number in map(number_of, lines) if number is not None]


def in_order(lines):
    """The sequence numbers of the first arrival of each record; fails where one is missing or out of order."""
    seen = []
    for number in numbers(lines):
        if seen and number <= seen[-1]:
            assert number in seen, f"record {number} came after {seen[-1]}"
            continue
        assert not seen or number == seen[-1] + 1, f"after record {seen[-1]} came {number}"
        seen.append(number)
    return seen


def wait_caught_up(gateway, server, seconds=20):
    """Until the server has the newest record of the local log."""
    def caught_up():
        local, remote = numbers(gateway.audit_lines()), numbers(server.lines())
        return remote and local and remote[-1] >= local[-1]
    wait_until(caught_up, "the syslog server to have every record", seconds, 0.1)


def received_log(server):
    """A file with the records that the server has whole by now: it may be writing the next one, and does so in pieces."""
    path = server.directory / "received.log"
    whole, end, _ = (server.directory / "raw.log").read_bytes().rpartition(b"\n")
    path.write_bytes(whole + end)
    return path
