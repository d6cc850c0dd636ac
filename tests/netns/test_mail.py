# SPDX-License-Identifier: GPL-2.0-or-later
"""Mail through the gateway with real MTAs: what passes, what is refused and how, and what a failure costs.

    peer-internet                        gateway                            peer-lgwan
    Postfix, swaks, by hand  --25-->  receiver -> flattener -> sender  --25-->  Postfix, or a sink that does as told
"""

import contextlib
import email
import email.policy
import itertools
import os
import pathlib
import re
import signal
import threading
import time

import pytest

from lib.gateway import SEKISHO
from lib.mail_peers import Dialogue, OrderSink, ScriptedHop
from lib.net import run
from lib.peers import Postfix, submit, swaks
from lib.waiting import kept_within, wait_until

TO = "hanako@city.example.lg.jp"
FROM = "taro@example.jp"
PLAIN = b"From: <taro@example.jp>\r\nTo: <hanako@city.example.lg.jp>\r\nSubject: test\r\n\r\ntext\r\n"

HTML_MAIL = """\
From: =?ISO-2022-JP?B?GyRCO1Q6eEB+GyhC?= <koho@example.jp>
To: <hanako@city.example.lg.jp>
Subject: =?ISO-2022-JP?B?GyRCJCpDTiRpJDsbKEI=?=
Date: Sun, 22 Nov 2026 09:00:00 +0900
Message-ID: <html-1@example.jp>
MIME-Version: 1.0
Content-Type: text/html; charset=iso-2022-jp
Content-Transfer-Encoding: 7bit

""".encode() + ("<html><body><h1>防災訓練のお知らせ</h1><p>十一月二十二日（日）に<b>総合防災訓練</b>を行います。</p>"
                "<ul><li>場所：市役所前広場</li><li>時間：午前九時</li></ul>"
                "<p>詳しくは<a href='http://www.example.jp/'>こちら</a>。</p></body></html>\n").encode("iso-2022-jp")


@pytest.fixture
def zones(topology):
    return topology.zones


def mail_block(zones, next_hops=None, extra=""):
    hops = " ".join(f"next-hop {h};" for h in (next_hops or [zones["lgwan"].peer4]))
    return f"mail inbound {{ from internet; to lgwan; listen 25; domain city.example.lg.jp; {hops} {extra} }}"


def dialogue(net, zones):
    return Dialogue(net, zones["internet"].namespace, zones["internet"].gateway4)


def send(net, zones, message=PLAIN, sender=FROM, recipients=TO):
    return submit(net, zones["internet"].namespace, zones["internet"].gateway4, sender, recipients, message)


def sink_in_lgwan(net, zones, **options):
    return OrderSink(net, zones["lgwan"].namespace, zones["lgwan"].peer4, **options)


def verify(message):
    """`sekisho verify-mail` on a delivered message; trace fields of the MTAs behind the gateway are not its own."""
    done = run(SEKISHO, "verify-mail", stdin=message, check=False)
    assert done.returncode == 0, done.stderr


def own_part(message):
    """A delivered message from the gateway's own Received on, with LF line ends: what MTAs put on top is left out."""
    text = message.replace(b"\r\n", b"\n")
    at = text.index(b"Received: by sekisho-test with Sekisho id ")
    return text[at:]


# ---- a mail on its way ----

def test_mail_arrives_as_sekisho_flatten_has_it(net, zones, make_gateway, tmp_path):
    """Z3 Z4 M8: what arrives is byte for byte what the offline command makes of it, apart from the Received line."""
    sink = sink_in_lgwan(net, zones)
    gateway = make_gateway(mail_block(zones))
    original = HTML_MAIL.replace(b"\n", b"\r\n")
    assert send(net, zones, original)[0] == 250
    arrived = own_part(sink.messages()[0])
    offline = run(SEKISHO, "flatten", "--host", "sekisho-test", stdin=original).stdout
    assert arrived.split(b"\n", 1)[1] == offline.split(b"\n", 1)[1]
    verify(arrived)
    body = arrived.decode()
    for words in ("防災訓練のお知らせ", "総合防災訓練", "場所：市役所前広場", "http://www.example.jp/"):
        assert words in body
    event = gateway.wait_event("mail-delivered", "sha256=", "recipients=")
    assert "hanako" not in event and "koho" not in event, "A6: no names in public events"


def test_mail_passes_from_postfix_to_postfix(net, zones, make_gateway):
    """Z4: real MTAs on both sides; multi-part, base64, attachment dropped and listed (M3)."""
    far = Postfix(net, zones["lgwan"].namespace, zones["lgwan"].peer4, "mx.city.example.lg.jp",
                  domains=["city.example.lg.jp"])
    make_gateway(mail_block(zones))
    near = Postfix(net, zones["internet"].namespace, zones["internet"].peer4, "mx.example.jp",
                   relay=f"[{zones['internet'].gateway4}]")
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = "総務課 <taro@example.jp>", TO, "会議資料の送付"
    mail.set_content("資料を送付します。\n.\n..二つの点\nよろしくお願いします。\n", charset="utf-8")
    mail.add_attachment(b"MZ\x90\x00" + bytes(3000), maintype="application", subtype="octet-stream",
                        filename="資料.exe")
    near.send(FROM, [TO, "jiro@city.example.lg.jp"], mail.as_bytes())
    arrived = own_part(far.wait_messages(2)[0])
    verify(arrived)
    text = arrived.decode()
    assert "資料を送付します。\n.\n..二つの点\n" in text
    assert "資料.exe" in text and "MZ\x90" not in text
    near.wait_sent(1)
    near.wait_empty()


def test_mail_of_several_kinds_in_one_session(net, zones, make_gateway):
    """Several messages, recipients and resets on one connection, each answered for itself."""
    sink = sink_in_lgwan(net, zones)
    make_gateway(mail_block(zones))
    with dialogue(net, zones) as peer:
        assert peer.reply().startswith("220 ")
        assert peer.ask("EHLO mx.example.jp").startswith("250 ")
        for number in range(20):
            for command in (f"MAIL FROM:<{FROM}>", f"RCPT TO:<{TO}>"):
                assert peer.ask(command).startswith("250 ")
            if number % 4 == 3:
                assert peer.ask("RSET").startswith("250 ")
                continue
            assert peer.ask("DATA").startswith("354 ")
            peer.send(PLAIN + b"number %d\r\n.\r\n" % number)
            assert peer.reply().startswith("250 2.0.0")
        assert peer.ask("QUIT").startswith("221 ")
        assert peer.ended()
    assert len(sink.messages()) == 15
    assert all(b"number %d\r\n" % n in m for n, m in zip((n for n in range(20) if n % 4 != 3), sink.messages()))


def test_mail_is_encoded_for_a_next_hop_without_8bitmime(net, zones, make_gateway):
    far = Postfix(net, zones["lgwan"].namespace, zones["lgwan"].peer4, "mx.city.example.lg.jp",
                  domains=["city.example.lg.jp"], settings={"smtpd_discard_ehlo_keywords": "8bitmime"})
    make_gateway(mail_block(zones))
    assert send(net, zones, HTML_MAIL.replace(b"\n", b"\r\n"))[0] == 250
    arrived = own_part(far.wait_messages()[0])
    verify(arrived)
    assert b"\nContent-Transfer-Encoding: base64\n" in arrived
    assert arrived.isascii()
    text = email.message_from_bytes(arrived, policy=email.policy.default).get_content()
    assert "総合防災訓練" in text


# ---- refusals ----

def test_mail_to_an_unknown_user_is_refused_at_rcpt(net, zones, make_gateway):
    Postfix(net, zones["lgwan"].namespace, zones["lgwan"].peer4, "mx.city.example.lg.jp",
            domains=["city.example.lg.jp"], settings={"virtual_mailbox_maps": "inline:{ " + TO + "=mail/ }"})
    make_gateway(mail_block(zones))
    out = swaks(net, zones["internet"].namespace, zones["internet"].gateway4, "--ehlo", "mx.example.jp",
                "--from", FROM, "--to", "nobody@city.example.lg.jp", check=False).stdout
    assert "<** 550 5.1.1 There is no such recipient" in out
    assert "Postfix" not in out and "virtual" not in out, "no text of the next hop comes back"
    out = swaks(net, zones["internet"].namespace, zones["internet"].gateway4, "--ehlo", "mx.example.jp",
                "--from", FROM, "--to", TO).stdout
    assert "<-  250 2.0.0 Delivered to the next hop" in out


def test_mail_over_the_size_limit_is_refused_at_mail_and_in_data(net, zones, make_gateway):
    """M1: 5 MB by default, announced, 552 at MAIL and behind DATA, to the octet."""
    sink = sink_in_lgwan(net, zones)
    make_gateway(mail_block(zones))
    limit = 5 * 1024 * 1024
    with dialogue(net, zones) as peer:
        peer.reply()
        peer.send(b"EHLO mx.example.jp\r\n")
        assert f"250 SIZE {limit}" in [peer.line() for _ in range(6)]
        assert peer.ask(f"MAIL FROM:<{FROM}> SIZE={limit + 1}").startswith("552 5.3.4")
        assert peer.ask(f"MAIL FROM:<{FROM}> SIZE={limit}").startswith("250 ")
    line = b"x" * 76 + b"\r\n"
    exact = (PLAIN + line * (limit // len(line)))[:limit - 2] + b"\r\n"
    with dialogue(net, zones) as peer:
        peer.open_data()
        peer.send(exact[:-2] + b"y\r\n.\r\n")
        assert peer.reply().startswith("552 5.3.4")
        assert peer.ask("NOOP").startswith("250 ")
    assert sink.messages() == []
    assert send(net, zones, exact)[0] == 250
    assert len(sink.messages()) == 1


FOREIGN = ("victim@evil.example", "a%evil.example@city.example.lg.jp", "evil.example!a@city.example.lg.jp",
           '"a@evil.example"@city.example.lg.jp', "a@[10.20.0.8]", "a@city.example.lg.jp.evil.example")


def test_mail_is_not_relayed(net, zones, make_gateway):
    """M6: nothing goes to a domain that is not listed, whatever the address looks like."""
    sink = sink_in_lgwan(net, zones)
    gateway = make_gateway(mail_block(zones))
    for recipient in FOREIGN:
        with dialogue(net, zones) as peer:
            peer.reply()
            peer.ask("EHLO mx.example.jp")
            peer.ask(f"MAIL FROM:<{FROM}>")
            assert peer.ask(f"RCPT TO:<{recipient}>").startswith("550 5.7.1"), recipient
            assert peer.ask("DATA").startswith("554 5.5.1"), recipient
    assert sink.messages() == []
    gateway.wait_event("mail-relay-denied")


def test_mail_port_is_open_on_the_senders_side_only(net, zones, make_gateway):
    """Z13: the gateway listens where the entry says, and nowhere else."""
    make_gateway(mail_block(zones))
    net.connect(zones["internet"].namespace, zones["internet"].gateway4, 25).close()
    for zone in ("lgwan", "mynumber"):
        assert not net.reaches(zones[zone].namespace, zones[zone].gateway4, 25)


# ---- smuggling ----

SMUGGLED = b"MAIL FROM:<evil@example.jp>\r\nRCPT TO:<" + TO.encode() + b">\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"


ENDINGS = [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r", b"\r\r\n.\r\r\n",
           b"\n.\r", b"\0\r\n.\r\n", b"\r\n\0.\r\n"]


def test_mail_data_ends_only_at_crlf_dot_crlf(net, zones, make_gateway):
    """M6: no other ending lets a second message out, in one segment or in many; the peer gets 5xx and the end."""
    sink = sink_in_lgwan(net, zones)
    gateway = make_gateway(mail_block(zones))
    for end, segment in itertools.product(ENDINGS, (None, 1, 2, 3)):
        with dialogue(net, zones) as peer:
            peer.open_data()
            peer.send(PLAIN + b"end" + end + SMUGGLED, segment, 0.0005 if segment else 0)
            assert peer.reply().startswith("550 5.5.2"), (end, segment)
            assert peer.ended(), (end, segment)
    assert sink.messages() == []
    gateway.wait_event("mail-line-end")


def test_mail_dots_arrive_as_they_were(net, zones, make_gateway):
    """Dots are unstuffed and stuffed again: a line that is one dot inside a message stays one, and ends nothing."""
    sink = sink_in_lgwan(net, zones)
    make_gateway(mail_block(zones))
    with dialogue(net, zones) as peer:
        peer.open_data()
        peer.send(PLAIN + b"..\r\n...\r\n..a\r\n.b\r\nc.\r\n.\r\n", 1)
        assert peer.reply().startswith("250 ")
    assert b"\r\n..\r\n...\r\n..a\r\nb\r\nc.\r\n" in sink.messages()[0]


def test_mail_peers_that_speak_out_of_turn_are_cut_off(net, zones, make_gateway):
    sink = sink_in_lgwan(net, zones)
    make_gateway(mail_block(zones))
    with dialogue(net, zones) as peer:
        peer.reply()
        for command in ("EHLO x", f"MAIL FROM:<{FROM}>", f"RCPT TO:<{TO}>"):
            assert peer.ask(command).startswith("250")
        peer.send(b"DATA\r\n" + PLAIN + b".\r\n")
        assert peer.reply().startswith("554 5.5.0")
        assert peer.ended()
    with dialogue(net, zones) as peer:
        peer.reply()
        peer.send(b"EHLO x\nMAIL FROM:<a@example.jp>\n")
        assert peer.reply().startswith("500 5.5.2")
        assert peer.ended()
    assert sink.messages() == []


# ---- the next hop fails ----

def test_mail_is_put_off_at_once_while_the_next_hop_is_down(net, zones, make_gateway):
    """L: 451 at once, not after a timeout; the sender's MTA keeps the mail and delivers it later."""
    gateway = make_gateway(mail_block(zones))

    def put_off():
        with dialogue(net, zones) as peer:
            peer.reply()
            peer.ask("EHLO mx.example.jp")
            before = time.monotonic()
            assert peer.ask(f"MAIL FROM:<{FROM}>").startswith("451 4.4.1")
            return time.monotonic() - before

    kept_within(put_off, 2)
    gateway.wait_event("mail-next-hop-down")
    near = Postfix(net, zones["internet"].namespace, zones["internet"].peer4, "mx.example.jp",
                   relay=f"[{zones['internet'].gateway4}]")
    for _ in range(5):
        near.send(FROM, TO, PLAIN)
    wait_until(lambda: near.log().count("status=deferred") >= 5, "five deferred mails", 20)
    sink = sink_in_lgwan(net, zones)
    near.wait_sent(5)
    assert len(sink.messages()) == 5


CODES = {"421": "4", "450": "4", "452": "4", "550": "5", "552": "5", "554": "5", "drop": "451"}


def refused_at(peer, stage, code):
    """The reply to the command at which the next hop refuses."""
    order = f"at-{stage}-{code}@city.example.lg.jp"
    peer.reply()
    peer.ask("EHLO mx.example.jp")
    got = peer.ask(f"MAIL FROM:<{order if stage == 'mail' else FROM}>")
    if stage != "mail":
        assert got.startswith("250 ")
        got = peer.ask(f"RCPT TO:<{order}>")
    if stage in ("data", "dot"):
        assert got.startswith("250 ")
        assert peer.ask("DATA").startswith("354 ")
        peer.send(PLAIN + b".\r\n")
        got = peer.reply()
    return got


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
def test_mail_refusals_of_the_next_hop_keep_their_class(net, zones, make_gateway, stage):
    """A temporary refusal never becomes permanent, nor a permanent one temporary; a lost connection is temporary."""
    sink = sink_in_lgwan(net, zones)
    make_gateway(mail_block(zones))
    for code, wanted in CODES.items():
        with dialogue(net, zones) as peer:
            got = refused_at(peer, stage, code)
        assert got.startswith(wanted), (code, got)
        assert "as ordered" not in got
    assert sink.messages() == []


def test_mail_goes_to_the_next_hop_that_is_up(net, zones, make_gateway):
    sink = sink_in_lgwan(net, zones)
    make_gateway(mail_block(zones, ["10.20.0.25", "10.20.0.20", zones["lgwan"].peer4]))
    assert send(net, zones)[0] == 250
    assert len(sink.messages()) == 1


# ---- the gateway fails ----

@pytest.mark.parametrize("role", ["mail-receiver", "mail-sender", "mail-flattener"])
def test_mail_is_not_confirmed_where_a_process_dies(net, zones, make_gateway, role):
    """L: kill -9 of one process of a session: no 250, no half mail; the next session is served."""
    sink = sink_in_lgwan(net, zones)
    gateway = make_gateway(mail_block(zones))
    with dialogue(net, zones) as peer:
        peer.open_data()
        got = ""
        with contextlib.suppress(ConnectionError):  # reset where the one that was killed had not read all
            if role == "mail-flattener":
                kill_flattener(gateway, lambda: peer.send(PLAIN * 20000 + b".\r\n"))
            else:
                peer.send(PLAIN)
                gateway.kill(role)
                peer.send(b".\r\n")
            got = peer.reply()
        assert got == "" or got.startswith("4"), got
    assert sink.messages() == []
    assert send(net, zones)[0] == 250
    assert len(sink.messages()) == 1


def kill_flattener(gateway, cause):
    """Kill the flattener of the message that `cause` ends. Its reader is halted: it cannot end before it is seen."""
    halted = gateway.kill("mail-sender", signal.SIGSTOP)
    try:
        cause()
        gateway.wait_role("mail-flattener", seconds=15)
        gateway.kill("mail-flattener")
    finally:
        for pid in halted:
            os.kill(pid, signal.SIGCONT)


class SlowHop(ScriptedHop):
    """A next hop that has a whole message and does not say so until it is let."""

    def __init__(self, net, zones):
        self.whole, self.may_answer = threading.Event(), threading.Event()
        super().__init__(net, zones)

    def dialogue(self, connection):
        connection.sendall(b"220 hop ESMTP\r\n")
        while text := connection.recv(65536):
            if text.startswith(b"DATA"):
                connection.sendall(b"354 go on\r\n")
                while not text.endswith(b"\r\n.\r\n"):
                    text += connection.recv(65536)
                self.whole.set()
                self.may_answer.wait(20)
            connection.sendall(b"250 2.0.0 ok\r\n" * (text.count(b"\r\n") if text[:4] in (b"MAIL", b"RCPT") else 1))


def test_mail_that_the_next_hop_has_is_confirmed_by_a_gateway_that_stops(net, zones, make_gateway):
    """L: an orderly end waits for the next hop's word on what it has whole, so that nothing is sent twice; then 421."""
    hop = SlowHop(net, zones)
    gateway = make_gateway(mail_block(zones))
    with dialogue(net, zones) as peer:
        peer.open_data()
        peer.send(PLAIN + b".\r\n")
        assert hop.whole.wait(20)
        os.kill(gateway.pid, signal.SIGTERM)
        wait_until(lambda: "gateway-stops" in gateway.log(), "the end of the gateway")
        hop.may_answer.set()
        assert peer.reply() == "250 2.0.0 Delivered to the next hop"
        assert peer.reply() == "421 4.3.2 The gateway is stopping"


def test_mail_sessions_of_one_source_are_limited(net, zones, make_gateway):
    """Z14: one source cannot take all sessions; a session's end makes room."""
    sink_in_lgwan(net, zones)
    make_gateway(mail_block(zones, extra="sessions-per-source 3;"))
    held = [dialogue(net, zones) for _ in range(3)]
    assert all(peer.reply().startswith("220 ") for peer in held)
    with dialogue(net, zones) as peer:
        assert peer.reply().startswith("421 4.7.0")
    assert held[0].ask("QUIT").startswith("221 ")
    held[0].socket.close()

    def free():
        with dialogue(net, zones) as peer:
            return peer.reply().startswith("220 ")
    wait_until(free, "room for a session", 15, 0.2)


def test_mail_of_many_sessions_at_the_same_moment(net, zones, make_gateway):
    """150 messages end within the same moment: none is put off, and a session's two halves stay small (4 MiB)."""
    sink = sink_in_lgwan(net, zones)
    gateway = make_gateway(mail_block(zones, extra="sessions 150; sessions-per-source 150;"))
    peers = [dialogue(net, zones) for _ in range(150)]
    for peer in peers:
        peer.open_data()
    for peer in peers:
        peer.send(PLAIN + b"line of text\r\n" * 1500)
    sizes = [private_kib(pid) for role in ("mail-receiver", "mail-sender") for pid in gateway.pids(role)]
    assert len(sizes) == 300 and max(sizes) < 2048, sorted(sizes)[-5:]
    for peer in peers:
        peer.send(b".\r\n")
    assert {peer.reply()[:9] for peer in peers} == {"250 2.0.0"}
    assert len(sink.messages()) == 150
    for peer in peers:
        peer.socket.close()


def private_kib(pid):
    """Memory that a process shares with nobody."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def test_mail_corpus_of_the_repository_passes_the_wire(net, zones, make_gateway):
    """Golden mails through the whole gateway: each is delivered as `sekisho flatten` has it, or refused by both."""
    golden = sorted(pathlib.Path("/src/tests/golden/mail").glob("*.eml"))
    if not golden:
        pytest.fail("no golden mails in tests/golden/mail")
    sink = sink_in_lgwan(net, zones)
    make_gateway(mail_block(zones))
    for path in golden:
        original = b"\r\n".join(path.read_bytes().replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")) + b"\r\n"
        before = len(sink.messages())
        code, _ = send(net, zones, original)
        arrived = own_part(sink.messages()[before]) if code == 250 else b""
        received = ["--date", arrived.split(b"\n", 1)[0].rpartition(b"; ")[2].decode()] if arrived else []
        offline = run(SEKISHO, "flatten", "--host", "sekisho-test", "--from", FROM, *received, stdin=original, check=False)
        strange = re.search(rb"\0|\r(?!\n)", original)  # the wire takes neither, whatever the flattener says
        assert code == (550 if strange else 250 if offline.returncode == 0 else 554), path.name
        if arrived:
            assert arrived == offline.stdout, path.name
