# SPDX-License-Identifier: GPL-2.0-or-later
"""The first payload has to show what the service names, or the flow is denied (Z8, Z12)."""

import socket
import time

import pytest

from lib.first_payload import (RawTcp, Responder, client_hello, dns_answer, dns_query, rdp_request, records)
from lib.net import Background, run
from lib.waiting import holds_for, wait_until

PORTS = {"tls": 443, "http": 80, "ssh": 22, "smtp": 25, "rdp": 3389, "plain": 7000}
POLICY = """
service web { tcp 443; conform tls { server-name portal.example.jp; server-name *.city.example.jp; } }
service anytls { tcp 444; conform tls { ech allow; } }
service http { tcp 80; conform http { host www.example.jp; } }
service names { udp 53; tcp 53; conform dns { name *.example.jp; } }
service shell { tcp 22; conform ssh; }
service mail { tcp 25; conform smtp; }
service desktop { tcp 3389; conform rdp; }
service plain { tcp 7000; }
crossing mynumber lgwan {
    permit 10 { source 10.10.0.0/24; destination 10.20.0.8; service web; service anytls; service http; service names;
                service shell; service mail; service desktop; service plain; log; }
    permit 11 { source fd00:10::5; destination fd00:20::8; service web; }
}
"""
SERVER = "10.20.0.8"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(POLICY)


@pytest.fixture
def talk(net, topology, gateway):
    """talk(port, *parts): connect from mynumber, send the parts with a pause between; (answer, was it reset)."""
    namespace = topology.zones["mynumber"].namespace

    def talk(port, *parts, host=SERVER):
        client = net.socket(namespace, socket.AF_INET6 if ":" in host else socket.AF_INET, timeout=15)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer = b""
        try:
            client.connect((host, port))
            for part in parts:
                client.sendall(part)
                time.sleep(0.05)
            while not answer.endswith(b"ok"):
                got = client.recv(65536)
                if not got:
                    break
                answer += got
            return answer, False
        except TimeoutError:
            return answer, False
        except OSError:
            return answer, True
        finally:
            client.close()
    return talk


def responder(net, topology, port, address=SERVER, **kwargs):
    return Responder(net, topology.zones["lgwan"].namespace, address, port, **kwargs)


# TLS

HELLOS = {
    "exact": (records(client_hello("portal.example.jp")), True),
    "other case": (records(client_hello("Portal.Example.JP")), True),
    "wildcard": (records(client_hello("a.b.city.example.jp")), True),
    "not below itself": (records(client_hello("city.example.jp")), False),
    "other name": (records(client_hello("portal.example.com")), False),
    "suffix trick": (records(client_hello("evilcity.example.jp")), False),
    "no name": (records(client_hello()), False),
    "large": (records(client_hello("portal.example.jp", pad=9000)), True),
    "records of 1 byte": (records(client_hello("portal.example.jp"), 1), True),
    "hidden": (records(client_hello("portal.example.jp", ech=True)), False),
    "too large": (records(client_hello("portal.example.jp", pad=17000)), False),
    "not tls": (b"GET / HTTP/1.1\r\nHost: portal.example.jp\r\n\r\n", False),
    "tunnel": (b"SSH-2.0-OpenSSH_9.9\r\n", False),
}


def is_whole(stream):
    """Whether TLS records bring a whole ClientHello: a server that answers to the first segments of one talks before its turn."""
    message = bytearray()
    while len(stream) >= 5 and stream[0] == 22:
        length = int.from_bytes(stream[3:5], "big")
        message += stream[5:5 + length]
        stream = stream[5 + length:]
    return len(message) >= 4 + int.from_bytes(message[1:4], "big")


def test_conform_tls_by_what_the_client_hello_says(net, topology, talk, gateway):
    """Only a ClientHello with a listed name passes; all else is reset, with an event that says why (Z8)."""
    server = responder(net, topology, 443, after=is_whole)
    for kind, (payload, permitted) in HELLOS.items():
        answer, reset = talk(443, payload)
        if permitted:   # answered, so that the newest stream is its own: what a denied one had brought may be read late
            assert answer.startswith(b"ok"), kind
            wait_until(lambda p=payload: server.streams[-1] == p, f"all of {kind}")
        else:
            assert answer == b"" and reset, kind
    gateway.wait_event("flow-permitted", 'permit="10"', 'name="a.b.city.example.jp"', seconds=10)
    for reason in ("name", "protocol", "hidden", "too-long"):
        gateway.wait_event("flow-not-conforming", 'detail="tls"', f'reason="conform-{reason}"', seconds=10)
    gateway.wait_event("flow-denied", 'reason="conform-name"', seconds=15)


def test_conform_tls_hello_in_many_small_pieces(net, topology, talk):
    """A ClientHello of post-quantum size in 60 segments is put together and passes (Z8)."""
    payload = records(client_hello("portal.example.jp", pad=1500), 700)
    server = responder(net, topology, 443, after=len(payload))
    pieces = [payload[i:i + 30] for i in range(0, len(payload), 30)]
    client = net.connect(topology.zones["mynumber"].namespace, SERVER, 443)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in pieces:
        client.sendall(piece)
    assert client.recv(100).startswith(b"ok")
    wait_until(lambda: server.received == payload, "all pieces", 10)
    client.sendall(b"more of the same flow")  # on the fast path by now, or at least permitted
    wait_until(lambda: server.received.endswith(b"same flow"), "what follows", 10)


def test_conform_tls_over_ipv6(net, topology, talk):
    responder(net, topology, 443, address="fd00:20::8")
    assert talk(443, HELLOS["exact"][0], host="fd00:20::8")[0].startswith(b"ok")
    assert talk(443, HELLOS["other name"][0], host="fd00:20::8") == (b"", True)


def test_conform_tls_ech_where_the_service_allows_it(net, topology, talk):
    responder(net, topology, 444)
    assert talk(444, records(client_hello("anything.example", ech=True)))[0].startswith(b"ok")
    assert talk(444, records(client_hello()))[0].startswith(b"ok"), "no list: no name is needed"
    assert talk(444, b"\x16\x03\x01\0\x04\x02\0\0\0") == (b"", True), "a ServerHello from a client"


@pytest.mark.parametrize("mss", [None, 88])
def test_conform_openssl_peers(net, topology, gateway, tmp_path, mss):
    """Real peers: openssl s_client with a listed name completes its handshake, with another name it is cut off (Z8)."""
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
        "-out", certificate, "-days", "2", "-subj", "/CN=portal.example.jp")
    lgwan, mynumber = topology.zones["lgwan"].namespace, topology.zones["mynumber"].namespace
    server = net.popen(lgwan, "openssl", "s_server", "-accept", f"{SERVER}:443", "-cert", certificate, "-key", key, "-www")
    wait_until(lambda: f"{SERVER}:443" in net.run(lgwan, "ss", "-Hltn").stdout, "s_server", 10)
    if mss:
        net.run(mynumber, "ip", "route", "replace", "default", "via", "10.10.0.1", "src", "10.10.0.5", "advmss", mss)
        net.run(lgwan, "ip", "route", "replace", "default", "via", "10.20.0.1", "src", SERVER, "advmss", mss)
    argv = ["openssl", "s_client", "-connect", f"{SERVER}:443", "-servername"]
    shown = net.run(mynumber, *argv, "portal.example.jp", stdin="GET / HTTP/1.0\r\n\r\n", timeout=20, check=False)
    assert "Negotiated TLS1.3 group: X25519MLKEM768" in shown.stdout, shown.stdout + shown.stderr
    shown = net.run(mynumber, *argv, "www.example.com", stdin="GET / HTTP/1.0\r\n\r\n", timeout=20, check=False)
    assert shown.returncode != 0 and "Server certificate" not in shown.stdout
    gateway.wait_event("flow-not-conforming", 'name="www.example.com"', 'reason="conform-name"', seconds=10)
    assert server.running()


# HTTP, SSH, SMTP, RDP

OTHERS = [
    ("http", b"", b"GET / HTTP/1.1\r\nHost: www.example.jp\r\n\r\n", True),
    ("http", b"", b"GET http://WWW.example.jp/x HTTP/1.1\r\nHost: www.example.jp\r\n\r\n", True),
    ("http", b"", b"GET / HTTP/1.1\r\nHost: other.example.jp\r\n\r\n", False),
    ("http", b"", b"GET http://other.example.jp/ HTTP/1.1\r\nHost: www.example.jp\r\n\r\n", False),
    ("http", b"", b"GET / HTTP/1.1\r\nHost: www.example.jp\r\nHost: other\r\n\r\n", False),
    ("http", b"", b"CONNECT www.example.jp:443 HTTP/1.1\r\nHost: www.example.jp\r\n\r\n", False),
    ("http", b"", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", False),
    ("http", b"", b"GET / HTTP/1.0\r\n\r\n", False),
    ("ssh", b"SSH-2.0-OpenSSH_9.9\r\n", b"SSH-2.0-PuTTY_Release_0.81\r\n", True),
    ("ssh", b"SSH-2.0-OpenSSH_9.9\r\n", b"SSH-1.5-old\r\n", False),
    ("ssh", b"SSH-2.0-OpenSSH_9.9\r\n", b"\x16\x03\x01\x02\x00\x01\x00", False),
    ("smtp", b"220 mx.example.jp ESMTP\r\n", b"EHLO client.example.jp\r\n", True),
    ("smtp", b"220 mx.example.jp ESMTP\r\n", b"helo client\r\n", True),
    ("smtp", b"220 mx.example.jp ESMTP\r\n", b"MAIL FROM:<>\r\n", False),
    ("smtp", b"220 mx.example.jp ESMTP\r\n", b"EHLO client\nMAIL FROM:<>\n", False),
    ("rdp", b"", rdp_request(), True),
    ("rdp", b"", b"\x03\0\0\x0b\x06\xd0\0\0\0\0\0", False),
    ("rdp", b"", b"GET / HTTP/1.1\r\n\r\n", False),
    ("plain", b"", b"anything at all", True),
]


@pytest.mark.parametrize("kind", ["http", "ssh", "smtp", "rdp", "plain"])
def test_conform_other_protocols(net, topology, talk, kind):
    """Each protocol in one piece and byte by byte: what is right passes, what is not is reset (Z8)."""
    greeting = next(row[1] for row in OTHERS if row[0] == kind)
    server = responder(net, topology, PORTS[kind], greeting=greeting, after=12)
    for _, _, payload, permitted in (row for row in OTHERS if row[0] == kind):
        for parts in ([payload], [bytes([b]) for b in payload[:11]] + [payload[11:]]):
            answer, reset = talk(PORTS[kind], *parts)
            if permitted:
                assert answer.endswith(b"ok"), payload
                wait_until(lambda p=payload: server.streams[-1] == p, f"all of {payload}")
            else:
                assert b"ok" not in answer and reset, f"{payload}: not reset, answered {answer[:80]}"


def test_conform_responder_may_not_talk_before_its_turn(net, topology, gateway):
    """A TLS server that speaks first, an SMTP server whose greeting has no end: both are cut off (Z8)."""
    namespace = topology.zones["mynumber"].namespace
    for port, greeting, most in ((443, b"secret", 0), (25, b"220 " + b"x" * 20000, 8192)):
        responder(net, topology, port, greeting=greeting)
        answer = b""
        with pytest.raises(OSError):    # the reset may be there before connect() is back
            client = net.connect(namespace, SERVER, port, timeout=1)
            while True:
                answer += client.recv(65536)
        assert len(answer) <= most
        gateway.wait_event("flow-denied", 'reason="conform-responder"', f'dport="{port}"', seconds=10)


# DNS

def dns_server(net, topology):
    """Answers every query on UDP port 53; what it was asked is in `asked`."""
    asked, sock = [], net.socket(topology.zones["lgwan"].namespace, kind=socket.SOCK_DGRAM, timeout=0.2)
    sock.bind((SERVER, 53))

    def serve(stopping):
        while not stopping.is_set():
            try:
                query, peer = sock.recvfrom(4096)
                asked.append(query)
                sock.sendto(dns_answer(query[:query.index(b"\0", 12) + 5]), peer)
            except (TimeoutError, ValueError):
                continue
    background = Background(serve)
    net.on_close(lambda: (background.stop(), sock.close()))
    return asked


def test_conform_dns_looks_at_every_query_of_a_flow(net, topology, gateway):
    """One socket, many names: a permitted name opens nothing for the next one (Z8)."""
    asked = dns_server(net, topology)
    client = net.socket(topology.zones["mynumber"].namespace, kind=socket.SOCK_DGRAM, timeout=5)
    for number in range(5):
        client.sendto(dns_query("www.example.jp", number), (SERVER, 53))
        assert client.recv(4096)[:2] == number.to_bytes(2, "big")
    for payload in (dns_query("exfiltrated.example.com"), b"not dns at all", dns_query("a.example.jp") + b"hidden"):
        client.sendto(payload, (SERVER, 53))   # not connected: a refusal by ICMP is nothing to it
    holds_for(lambda: len(asked) == 5, "only permitted names to be asked", 1.0)
    gateway.wait_event("flow-not-conforming", 'name="exfiltrated.example.com"', seconds=10)


def test_conform_dig(net, topology, gateway):
    """Real peer: dig with its cookie and EDNS, and with padding past what the queue copies at first (Z8)."""
    asked = dns_server(net, topology)
    client = topology.zones["mynumber"].namespace
    long_name = ".".join(["a" * 60] * 3) + ".example.jp"
    for name, options in (("www.example.jp", ()), (long_name, ("+padding=300",)), ("www.example.jp", ("+noedns",))):
        shown = net.run(client, "dig", f"@{SERVER}", name, "+tries=1", "+time=25", *options, timeout=20).stdout
        assert "192.0.2.1" in shown, shown
    assert max(len(q) for q in asked) > 256
    refused = net.run(client, "dig", f"@{SERVER}", "www.example.com", "+tries=1", "+time=1", check=False, timeout=20)
    assert "192.0.2.1" not in refused.stdout and len(asked) == 3


# Hostile initiators

@pytest.fixture
def raw(net, topology, gateway):
    """raw(port): a handshake by hand from 10.10.0.99, which no kernel answers for."""
    namespace = topology.zones["mynumber"].namespace
    net.run(namespace, "ip", "address", "add", "10.10.0.99/32", "dev", "port")
    net.run(namespace, "nft", "add table ip quiet; add chain ip quiet out { type filter hook output priority 0; };"
            "add rule ip quiet out ip saddr 10.10.0.99 tcp flags rst drop")
    net.ping = net.run(namespace, "ping", "-c1", "-W1", "10.10.0.1", check=False)
    shown = net.run(namespace, "ip", "neigh", "show", "10.10.0.1").stdout
    count = iter(range(30000, 40000))

    def raw(port):
        made = RawTcp(net, namespace, "port", "10.10.0.99", SERVER, port, next(count), shown.split("lladdr ")[1].split()[0])
        made.connect()
        return made
    return raw


def test_conform_segments_in_any_order(net, topology, raw):
    """Backwards and twice: the ClientHello is put together, and the flow goes on (Z8)."""
    server = responder(net, topology, 443, answer=b"")
    flow, payload = raw(443), records(client_hello("portal.example.jp"))
    for at in range((len(payload) - 1) // 20 * 20, -1, -20):
        flow.send(payload[at:at + 20], at=at)
    flow.send(payload[:60], at=0)
    wait_until(lambda: server.received == payload, "the whole ClientHello", 10)
    flow.send(b"and on", at=len(payload))
    wait_until(lambda: server.received.endswith(b"and on"), "what follows", 10)


@pytest.mark.parametrize("first, second", [(0, 0), (0, 30), (40, 0)])
def test_conform_overlap_with_other_bytes_is_denied(net, topology, gateway, raw, first, second):
    """Two copies of one place that differ would be read in two ways: denied (Z8)."""
    server = responder(net, topology, 443, answer=b"")
    flow, payload = raw(443), records(client_hello("portal.example.jp"))
    flow.send(payload[first:first + 40], at=first)
    flow.send(bytes(b ^ 1 for b in payload[second:second + 60]), at=second)
    assert flow.wait_reset()
    gateway.wait_event("flow-denied", 'reason="conform-overlap"', seconds=10)
    assert len(server.received) <= 60


def test_conform_shown_bytes_must_be_the_bytes_that_arrive(net, topology, gateway, raw):
    """A ClientHello that dies on the way (hop limit) shows nothing: other bytes in its place are denied (Z8)."""
    server = responder(net, topology, 443, answer=b"")
    flow, payload = raw(443), records(client_hello("portal.example.jp"))
    flow.send(payload, at=0, ttl=2)
    flow.send(b"ssh tunnel instead".ljust(len(payload)), at=0)
    assert flow.wait_reset()
    assert b"tunnel" not in server.received


@pytest.mark.parametrize("what", ["urgent", "middle", "syn data"])
def test_conform_tricks_with_tcp_are_denied(net, topology, gateway, raw, what):
    """Urgent bytes, a stream that begins in its middle, data with the SYN (Z8)."""
    server = responder(net, topology, 443, answer=b"")
    payload = records(client_hello("portal.example.jp"))
    if what == "syn data":
        namespace = topology.zones["mynumber"].namespace
        shown = net.run(namespace, "ip", "neigh", "show", "10.10.0.1").stdout
        flow = RawTcp(net, namespace, "port", "10.10.0.99", SERVER, 443, 29999, shown.split("lladdr ")[1].split()[0])
        flow.send(payload, flags="S")
        assert flow.wait_reset()
    else:
        flow = raw(443)
        flow.send(payload, at=0 if what == "urgent" else 20000, flags="AU" if what == "urgent" else "A", urgptr=5)
        assert flow.wait_reset()
    assert server.received == b""


def test_conform_table_is_shared_fairly(net, topology, gateway, talk):
    """One source with 600 undecided flows takes none of another's room, and its own oldest make way (Z14)."""
    server = responder(net, topology, 443, answer=b"ok")
    namespace = topology.zones["mynumber"].namespace
    net.run(namespace, "ip", "address", "add", "10.10.0.77/24", "dev", "port")
    idle = []
    for _ in range(600):
        made = net.socket(namespace, timeout=5)
        made.bind(("10.10.0.77", 0))
        made.connect((SERVER, 443))
        idle.append(made)
        # Half-open flows make way first: the next one's first segment, sent by the other processor, must not overtake this
        # one's last of the handshake.
        wait_until(lambda: len(server.streams) == len(idle), "the server to have accepted it", pause=0.001)
    assert talk(443, HELLOS["exact"][0])[0].startswith(b"ok")
    idle[-1].sendall(HELLOS["exact"][0])
    assert idle[-1].recv(10).startswith(b"ok")
    with pytest.raises(ConnectionError):
        idle[0].sendall(HELLOS["exact"][0])
        assert idle[0].recv(10).startswith(b"ok")
    wait_until(lambda: len(server.streams) >= 601, "the server to have accepted all")
    for made in idle:
        made.close()


# Changes of policy

def test_conform_commit_keeps_what_has_shown_itself(net, topology, gateway):
    """A flow that has shown a listed name lives over a commit that asks the same; without the name it is cut (C2, Z8)."""
    responder(net, topology, 443)
    client = net.connect(topology.zones["mynumber"].namespace, SERVER, 443)
    client.sendall(HELLOS["exact"][0])
    assert client.recv(10) == b"ok"
    client.sendall(b"x")
    assert client.recv(10) == b"ok"
    with gateway.console() as console:
        console.expect(console.PROMPT)
        console.run("configure")
        console.run("set crossing mynumber lgwan permit 5 destination 10.20.0.9")
        console.run("set crossing mynumber lgwan permit 5 service plain")
        console.run("commit", timeout=20)
        console.run("exit")
        gateway.wait_event("policy-applied", 'epoch="2"', seconds=15)
        for _ in range(3):
            time.sleep(0.3)
            client.sendall(b"x")
            assert client.recv(10) == b"ok"
        console.run("configure")
        console.run("delete service web conform tls server-name portal.example.jp")
        console.run("commit", timeout=20)
    gateway.wait_event("policy-applied", 'epoch="3"', seconds=15)
    with pytest.raises(OSError):
        for _ in range(20):
            client.sendall(b"x")
            client.recv(10)
            time.sleep(0.1)
