# SPDX-License-Identifier: GPL-2.0-or-later
"""What one source may bring, who is held up, which next hop is taken, and what goes to it in one write."""


import pytest

from lib.mail_peers import Dialogue, OrderSink, ScriptedHop

TO = "hanako@city.example.lg.jp"
FROM = "taro@example.jp"
PLAIN = b"From: <taro@example.jp>\r\nTo: <hanako@city.example.lg.jp>\r\nSubject: test\r\n\r\ntext\r\n"


@pytest.fixture
def zones(topology):
    return topology.zones


def mail_block(zones, extra="", next_hops=None):
    hops = " ".join(f"next-hop {h};" for h in (next_hops or [zones["lgwan"].peer4]))
    return f"mail inbound {{ from internet; to lgwan; domain city.example.lg.jp; {hops} {extra} }}"


def dialogue(net, zones):
    return Dialogue(net, zones["internet"].namespace, zones["internet"].gateway4)


def greeted(peer):
    assert peer.reply().startswith("220 ")
    assert peer.ask("EHLO mx.example.jp").startswith("250 ")


def bring(peer):
    """One mail on a greeted connection; the reply behind its dot."""
    for command, code in ((f"MAIL FROM:<{FROM}>", "250"), (f"RCPT TO:<{TO}>", "250"), ("DATA", "354")):
        assert peer.ask(command).startswith(code)
    peer.send(PLAIN + b".\r\n")
    return peer.reply()


def test_limits_mails_of_one_source_in_a_minute(net, zones, make_gateway):
    """Z14: what is too much is put off, not lost, and the session goes on."""
    sink = OrderSink(net, zones["lgwan"].namespace, zones["lgwan"].peer4)
    gateway = make_gateway(mail_block(zones, "mails-per-minute 3;"))
    with dialogue(net, zones) as peer:
        greeted(peer)
        assert [bring(peer)[:9] for _ in range(3)] == ["250 2.0.0"] * 3
        assert bring(peer).startswith("450 4.7.1")
        assert peer.ask("NOOP").startswith("250 ")
    with dialogue(net, zones) as peer:
        greeted(peer)
        assert bring(peer).startswith("450 4.7.1"), "another connection is the same source"
    assert len(sink.messages()) == 3
    gateway.wait_event("mail-rate")


def test_limits_connections_of_one_source_in_a_minute(net, zones, make_gateway):
    """Z14: 421 before any process is started for it; another source is not touched."""
    net.address(zones["internet"].namespace, "port", "203.0.113.9/28")
    gateway = make_gateway(mail_block(zones, "connections-per-minute 3;"))
    for _ in range(3):
        with dialogue(net, zones) as peer:
            assert peer.reply().startswith("220 ")
    with dialogue(net, zones) as peer:
        assert peer.reply().startswith("421 ")
        assert peer.ended()
    gateway.wait_event("session-refused", "in a minute")
    other = net.connect(zones["internet"].namespace, zones["internet"].gateway4, 25, source="203.0.113.9", timeout=20)
    with other:
        assert other.recv(4).startswith(b"220")


def test_limits_mails_and_connections_of_all_sources_in_a_minute(net, zones, make_gateway):
    """Z14: sources that keep their own limits are put off where all of them bring too much together."""
    sources = [f"203.0.113.{number}" for number in range(6, 14)]
    net.address(zones["internet"].namespace, "port", *(f"{address}/28" for address in sources))
    OrderSink(net, zones["lgwan"].namespace, zones["lgwan"].peer4)
    gateway = make_gateway(mail_block(zones, "mails-per-minute 1; connections-per-minute 1; "
                                             "total-mails-per-minute 3; total-connections-per-minute 6;"))

    def connect(address):
        return Dialogue(net, zones["internet"].namespace, zones["internet"].gateway4, source=address)

    replies = []
    for address in sources[:4]:
        with connect(address) as peer:
            greeted(peer)
            replies.append(bring(peer)[:9])
    assert replies == ["250 2.0.0"] * 3 + ["450 4.7.1"]
    gateway.wait_event("mail-rate", "too many of all sources in a minute")
    for address in sources[4:6]:
        with connect(address) as peer:
            assert peer.reply().startswith("220 ")
    with connect(sources[0]) as peer:
        assert peer.reply().startswith("421 "), "its own limit, which takes nothing from the others"
    gateway.wait_event("session-refused", "sessions of one source in a minute")
    with connect(sources[6]) as peer:
        assert peer.reply().startswith("421 ")
        assert peer.ended()
    gateway.wait_event("session-refused", "sessions of all sources in a minute")


def test_limits_nobody_is_held_up_in_a_crowd(net, zones, make_gateway):
    """Z14: the tarpit takes half of the sessions at most; then a bad client is closed at its third error."""
    make_gateway(mail_block(zones, "sessions 4; sessions-per-source 4;"))
    with dialogue(net, zones) as first, dialogue(net, zones) as second:
        greeted(first)
        greeted(second)
        with dialogue(net, zones) as third:
            greeted(third)
            assert [third.ask("FROB")[:3] for _ in range(2)] == ["500", "500"]
            assert third.ask("FROB").startswith("421 4.7.0")
            assert third.ended()
        assert [first.ask("FROB")[:3] for _ in range(4)] == ["500"] * 4, "who came before is only slowed down"
        assert first.ask("NOOP").startswith("250 ")


class Hop(ScriptedHop):
    """A next hop that keeps what each of its reads brought. greeting: its first line."""

    def __init__(self, net, zones, address=None, greeting=b"220 hop ESMTP\r\n", offers=b"250 PIPELINING\r\n"):
        self.greeting, self.offers, self.reads = greeting, offers, []
        super().__init__(net, zones, address)

    def dialogue(self, connection):
        connection.sendall(self.greeting)
        while text := connection.recv(65536):
            self.reads.append(text)
            replies = [b"250-hop\r\n" + self.offers if line.startswith(b"EHLO") else b"250 2.0.0 ok\r\n"
                       for line in text.split(b"\r\n") if line]
            connection.sendall(b"".join(replies))


PAIR = f"MAIL FROM:<{FROM}>\r\nRCPT TO:<{TO}>\r\n".encode()


@pytest.mark.parametrize("offers, reads", [(b"250 PIPELINING\r\n", 1), (b"250 HELP\r\n", 2)])
def test_pipelining_of_mail_and_rcpt_at_the_next_hop(net, zones, make_gateway, offers, reads):
    """RFC 2920: one write where the next hop understands it, one after the other where it does not."""
    hop = Hop(net, zones, offers=offers)
    make_gateway(mail_block(zones))
    with dialogue(net, zones) as peer:
        greeted(peer)
        peer.send(PAIR)
        assert [peer.reply()[:9] for _ in range(2)] == ["250 2.1.0", "250 2.1.5"]
    said = [r for r in hop.reads if r.startswith((b"MAIL", b"RCPT"))]
    assert b"".join(said) == PAIR and len(said) == reads


@pytest.mark.parametrize("greeting", [b"421 4.3.2 not now\r\n", b"554 5.3.2 never\r\n", b"hello\r\n", b""])
def test_next_hops_are_taken_in_order_of_preference(net, zones, make_gateway, greeting):
    """A greeting that is no welcome, or none at all and the end: the next one takes the mail."""
    net.address(zones["lgwan"].namespace, "port", "10.20.0.9/24", "10.20.0.10/24")
    first = Hop(net, zones, greeting=greeting)
    if not greeting:
        first.stop()
    second = Hop(net, zones, "10.20.0.9")
    third = Hop(net, zones, "10.20.0.10")
    gateway = make_gateway(mail_block(zones, "", [zones["lgwan"].peer4, "10.20.0.9", "10.20.0.10"]))
    with dialogue(net, zones) as peer:
        greeted(peer)
        peer.send(PAIR)
        assert [peer.reply()[:9] for _ in range(2)] == ["250 2.1.0", "250 2.1.5"]
    assert any(r.startswith(b"MAIL") for r in second.reads) and third.reads == []
    assert not any(r.startswith(b"MAIL") for r in first.reads)
    gateway.wait_event("mail-next-hop-down")
