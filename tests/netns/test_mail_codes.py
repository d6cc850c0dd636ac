# SPDX-License-Identifier: GPL-2.0-or-later
"""Each reply of docs/mail-replies.md, brought about on the wire and compared to its last letter.

    peer-internet  --25, 2501-2508-->  gateway, an entry for each kind of rules  --25-->  a next hop that refuses as told
    peer-lgwan     --25-->             entry outward, scanned                    --25-->  peer-internet

CASES names the way to each row of the two tables; a row without one fails test_codes_have_a_case_each.
"""

import os
import signal

import pytest

from lib import processes
from lib.certificates import put_slot
from lib.mail_peers import Dialogue, OrderSink
from lib.net import run
from lib.replies import DELIVERY, OWN, replies
from lib.scanners import Stub
from lib.waiting import wait_until

CITY = "city.example.lg.jp"
TO = f"hanako@{CITY}"
FROM = "taro@example.jp"
PARTNER = "x@partner.example.com"
HELLO = "EHLO mx.example.jp"
MAIL = f"MAIL FROM:<{FROM}>"
RCPT = f"RCPT TO:<{TO}>"
ENVELOPE = (HELLO, MAIL, RCPT)
PLAIN = f"From: <{FROM}>\r\nTo: <{TO}>\r\nSubject: test\r\n\r\ntext\r\n".encode()
AMBIGUOUS = b"Subject: another\r\n" + PLAIN
LEAVING = f"From: <{TO}>\r\nTo: <{PARTNER}>\r\nSubject: test\r\n".encode()
DAMAGED = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

PLAIN_PORT, TLS_PORT, NO_KEY_PORT, NO_HOP_PORT, ONE_MAIL_PORT, FEW_PORT, STRICT_PORT, CROWDED_PORT, MINUTE_PORT = 25, *range(2501, 2509)
SESSION_ROLES = ("mail-receiver", "mail-sender", "mail-flattener")
RULES = {
    PLAIN_PORT: "",
    TLS_PORT: "tls { certificate mail; required; }",
    NO_KEY_PORT: "tls { certificate damaged; required; }",
    ONE_MAIL_PORT: "mails-per-minute 1;",
    MINUTE_PORT: "mails-per-minute 1;",
    FEW_PORT: "recipients 1;",
    STRICT_PORT: "ambiguous refuse;",
    CROWDED_PORT: "sessions 2;",
}


class Ground:
    """The gateway with all its entries, the next hops and the scanner."""

    def __init__(self, net, zones, make_gateway, state):
        self.net, self.zones = net, zones
        put_slot(state, "damaged", DAMAGED)
        OrderSink(net, zones["lgwan"].namespace, zones["lgwan"].peer4)
        OrderSink(net, zones["internet"].namespace, zones["internet"].peer4)
        self.scanner = Stub(net, zones["lgwan"].namespace, zones["lgwan"].peer4, 3310, "clamd")
        hops = {NO_HOP_PORT: "10.20.0.99"}
        entries = [f"mail at-{port} {{ from internet; to lgwan; listen {port}; domain {CITY}; "
                   f"next-hop {hops.get(port, zones['lgwan'].peer4)}; {RULES.get(port, '')} }}"
                   for port in [*RULES, *hops]]
        self.gateway = make_gateway(
            *entries, f"scanner av {{ zone lgwan; clamd {zones['lgwan'].peer4}; timeout 3s; }}",
            f"mail outward {{ from lgwan; to internet; next-hop {zones['internet'].peer4}; scanner av; "
            f"outbound {{ sender {CITY}; label 機密性2; attachments refuse; }} }}", state=state)

    def dialogue(self, port=PLAIN_PORT, zone="internet"):
        return Dialogue(self.net, self.zones[zone].namespace, self.zones[zone].gateway4, port)

    def alone(self):
        """No process of an earlier session serves any more: whoever serves next is of the session that is opened next."""
        wait_until(lambda: not any(map(self.gateway.pids, SESSION_ROLES)), "the end of the sessions before")

    def asked(self, sender, receiver):
        """Whether something that the receiver has sent waits in the sender's queue on the link between them."""
        ours, theirs = (sockets(pid) for pid in (sender, receiver))
        listed = [line.split() for line in self.net.run(self.gateway.topology.gateway, "ss", "-xnaH").stdout.splitlines()]
        return any(int(row[2]) > 0 and row[5] in ours and row[7] in theirs for row in listed)

    def said(self, *commands, port=PLAIN_PORT, zone="internet"):
        """What is said to the last of these commands; bytes are sent as they are, and a greeting comes first."""
        with self.dialogue(port, zone) as peer:
            assert peer.reply().startswith("220 ")
            return [ask(peer, command) for command in commands][-1]

    def bring(self, message, port=PLAIN_PORT, zone="internet", envelope=ENVELOPE):
        """What is said behind the final dot of a message."""
        return self.said(*envelope, "DATA", message + b".\r\n", port=port, zone=zone)

    def leave(self, message, sender=TO):
        return self.bring(message, zone="lgwan", envelope=(HELLO, f"MAIL FROM:<{sender}>", f"RCPT TO:<{PARTNER}>"))


def sockets(pid):
    """The numbers of its sockets, as ss(8) has them."""
    return {target[len("socket:["):-1] for target in processes.descriptors(pid).values() if target.startswith("socket:[")}


def ask(peer, command):
    if isinstance(command, bytes):
        peer.send(command)
        return peer.reply()
    return peer.ask(command)


def says(*commands, **where):
    return lambda ground: ground.said(*commands, **where)


def brings(message, **where):
    return lambda ground: ground.bring(message, **where)


def leaves(message, **who):
    return lambda ground: ground.leave(message, **who)


def refused_at(stage, order):
    """The next hop says this code, with or without an enhanced one, at this command."""
    address = f"<at-{stage}-{order}@{CITY}>"
    if stage == "mail":
        return says(HELLO, f"MAIL FROM:{address}")
    if stage == "rcpt":
        return says(HELLO, MAIL, f"RCPT TO:{address}")
    return brings(PLAIN, envelope=(HELLO, MAIL, f"RCPT TO:{address}"))


def without_sender(*commands):
    """The process that speaks with the next hop is killed behind these commands: the end of the session says so."""
    def way(ground):
        ground.alone()
        with ground.dialogue() as peer:
            assert peer.reply().startswith("220 ")
            for command in commands:
                peer.ask(command)
            ground.gateway.wait_role("mail-sender")
            ground.gateway.kill("mail-sender")
            return peer.reply()
    return way


def while_asking(ground):
    """The same while the peer waits for what the next hop says; halted before, so that it has the question and no answer."""
    ground.alone()
    with ground.dialogue() as peer:
        assert peer.reply().startswith("220 ")
        peer.ask(HELLO)
        sender, receiver = map(ground.gateway.wait_role, ("mail-sender", "mail-receiver"))
        ground.gateway.kill("mail-sender", signal.SIGSTOP)
        peer.send(MAIL.encode() + b"\r\n")
        wait_until(lambda: ground.asked(sender, receiver), "the question to reach the sender")
        ground.gateway.kill("mail-sender")
        return peer.reply()


def without_flattener(ground):
    """The flattener is killed in the middle of a message: its reader is halted, so that it cannot have ended."""
    ground.alone()
    with ground.dialogue() as peer:
        peer.open_data()
        halted = ground.gateway.kill("mail-sender", signal.SIGSTOP)
        peer.send(PLAIN * 20000 + b".\r\n")
        ground.gateway.wait_role("mail-flattener", seconds=15)
        ground.gateway.kill("mail-flattener")
        for pid in halted:
            os.kill(pid, signal.SIGCONT)
        return peer.reply()


def without_memory(ground):
    """The receiver may open nothing more: there is nowhere to put a message."""
    ground.alone()
    with ground.dialogue() as peer:
        assert peer.reply().startswith("220 ")
        for command in ENVELOPE:
            peer.ask(command)
        limit_descriptors(ground.gateway.wait_role("mail-receiver"), 3)
        return peer.ask("DATA")


def limit_descriptors(pid, count):
    """Lower RLIMIT_NOFILE of a process, as its own user: nobody else may without CAP_SYS_RESOURCE."""
    owner = os.stat(f"/proc/{pid}/status")
    run("setpriv", "--reuid", owner.st_uid, "--regid", owner.st_gid, "--clear-groups",
        "prlimit", "--pid", pid, f"--nofile={count}:{count}")


def a_thousand_mails(ground):
    """Put off for their rate or not, a thousand are enough for a connection."""
    with ground.dialogue(ONE_MAIL_PORT) as peer:
        assert peer.reply().startswith("220 ")
        peer.ask(HELLO)
        for number in range(1000):
            assert peer.ask(MAIL).startswith("250 "), number
            assert peer.ask(RCPT).startswith("250 ") and peer.ask("DATA").startswith("354 "), number
            ask(peer, PLAIN + b".\r\n")
        return peer.ask(MAIL)


def second_of_a_minute(ground):
    ground.bring(PLAIN, port=MINUTE_PORT)
    return ground.bring(PLAIN, port=MINUTE_PORT)


def third_error_in_a_crowd(ground):
    """Who comes when half of the sessions are taken is closed at the third error (docs/adr/0607)."""
    with ground.dialogue(CROWDED_PORT) as first:
        assert first.reply().startswith("220 ")
        return ground.said(HELLO, "FROB", "FROB", "FROB", port=CROWDED_PORT)


def scanned(mode, text):
    def way(ground):
        ground.scanner.mode = mode
        try:
            return ground.leave(LEAVING + b"\r\n" + text)
        finally:
            ground.scanner.mode = "clamd"
    return way


def at_the_end(ground):
    with ground.dialogue() as peer:
        assert peer.reply().startswith("220 ")
        peer.ask(HELLO)
        ground.gateway.stop()
        return peer.reply()


ATTACHMENT = (b"MIME-Version: 1.0\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n"
              b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjcK\r\n")

CASES = {
    OWN: {
        "SENDER_OK": says(HELLO, MAIL),
        "RECIPIENT_OK": says(*ENVELOPE),
        "DELIVERED": brings(PLAIN),
        "OK": says("NOOP"),
        "BYE": says("QUIT"),
        "VERIFY": says(HELLO, "VRFY hanako"),
        "HELP": says("HELP"),
        "START_TLS": says(HELLO, "STARTTLS", port=TLS_PORT),
        "SEND_DATA": says(*ENVELOPE, "DATA"),
        "LINK_LOST": without_sender(HELLO),
        "TOO_MANY_ERRORS": third_error_in_a_crowd,
        "TOO_MANY_COMMANDS": says(*["NOOP"] * 101),
        "TOO_MANY_MAILS": a_thousand_mails,
        "EARLY": says(*ENVELOPE, b"DATA\r\n" + PLAIN + b".\r\n"),
        "LINE_END": says(b"EHLO x\nNOOP\n"),
        "LINE_TOO_LONG": says(b"X" * 20000),
        "UNKNOWN": says("FROB"),
        "NOT_HERE": says(HELLO, "STARTTLS"),
        "SYNTAX": says("EHLO"),
        "COMMAND_TOO_LONG": says("NOOP " + "x" * 508),
        "PARAMETER": says(HELLO, MAIL + " FOO=BAR"),
        "SEQUENCE": says(MAIL),
        "SENDER_SYNTAX": says(HELLO, "MAIL FROM:a@example.jp"),
        "RECIPIENT_SYNTAX": says(HELLO, MAIL, "RCPT TO:<>"),
        "TLS_FIRST": says(HELLO, MAIL, port=TLS_PORT),
        "TLS_NOT_NOW": says(HELLO, "STARTTLS", port=NO_KEY_PORT),
        "RELAY_DENIED": says(HELLO, MAIL, "RCPT TO:<victim@evil.example>"),
        "SENDER_UNLISTED": says(HELLO, MAIL, zone="lgwan"),
        "TOO_MANY_RECIPIENTS": says(*ENVELOPE, f"RCPT TO:<jiro@{CITY}>", port=FEW_PORT),
        "NO_RECIPIENT": says(HELLO, MAIL, "DATA"),
        "TOO_BIG": says(HELLO, MAIL + " SIZE=5242881"),
        "BARE_LINE_END": brings(PLAIN + b"a\nb\r\n"),
        "NO_SPACE": without_memory,
        "TRY_LATER": while_asking,
        "STOPPING": at_the_end,
    },
    DELIVERY: {
        "NEXT_HOP_DOWN": says(HELLO, MAIL, port=NO_HOP_PORT),
        "NEXT_HOP_LOST": refused_at("rcpt", "drop"),
        "NEXT_HOP_BUSY": refused_at("rcpt", "421"),
        "SENDER_LATER": refused_at("mail", "450"),
        "RECIPIENT_LATER": refused_at("rcpt", "450"),
        "MAILBOX_FULL_LATER": refused_at("rcpt", "452-4.2.2"),
        "SPACE_LATER": refused_at("rcpt", "452-4.3.1"),
        "RECIPIENTS_LATER": refused_at("rcpt", "452"),
        "MESSAGE_LATER": refused_at("dot", "451"),
        "OVER_RATE": second_of_a_minute,
        "SANITISER_LATER": without_flattener,
        "SCAN_LATER": scanned("clamd-error", b"text\r\n"),
        "SENDER_REFUSED": refused_at("mail", "550"),
        "SENDER_INVALID": refused_at("mail", "553"),
        "SENDER_NOT_ASCII": says(HELLO, "MAIL FROM:<太郎@example.jp> SMTPUTF8"),
        "RECIPIENT_NOT_ASCII": says(HELLO, MAIL + " SMTPUTF8", f"RCPT TO:<花子@{CITY}>"),
        "RECIPIENT_UNKNOWN": refused_at("rcpt", "550"),
        "RECIPIENT_REFUSED": refused_at("rcpt", "550-5.7.1"),
        "RECIPIENT_DISABLED": refused_at("rcpt", "550-5.2.1"),
        "MAILBOX_FULL": refused_at("rcpt", "552"),
        "TOO_BIG": refused_at("dot", "552"),
        "MESSAGE_REFUSED": refused_at("dot", "554"),
        "NOT_SANITISABLE": brings(AMBIGUOUS, port=STRICT_PORT),
        "INFECTED": scanned("clamd", b"INFECTED\r\n"),
        "FORWARDED": leaves(b"Resent-To: <y@z.example>\r\n" + LEAVING + b"\r\nhello\r\n"),
        "CLASSIFIED": leaves(LEAVING + "\r\n機密性２\r\n".encode()),
        "ATTACHED": leaves(LEAVING + ATTACHMENT),
        "SENDER_UNLISTED": leaves((LEAVING + b"\r\nhello\r\n").replace(TO.encode(), b"boss@other.example.jp", 1)),
    },
}

# No peer hears these, each for its reason; tests/unit/test_mail_receiver.c has them.
NEVER_ON_THE_WIRE = {
    (OWN, "IDLE"): "five minutes of silence (RFC 5321 4.5.3.2.7): by a simulated clock",
    (DELIVERY, "OK"): "the receiver's own 250 is said in its place",
    (DELIVERY, "INTERNAL_LATER"): "stands for a verdict that no sender knows: one that was broken into",
    (DELIVERY, "RELAY_DENIED"): "the sender's own look at what a receiver that was broken into asks for",
}


def test_codes_have_a_case_each():
    """A row that is added to either table needs its way here."""
    rows = {(table, row.name) for table in CASES for row in replies(table)}
    named = {(table, name) for table, ways in CASES.items() for name in ways}
    assert rows == named | set(NEVER_ON_THE_WIRE) and not named & set(NEVER_ON_THE_WIRE)


@pytest.mark.limit(120)
def test_codes_are_said_word_for_word(net, topology, make_gateway, tmp_path):
    """M1 M2 M4 M5 M6 M7 Z14: every code of both tables is what a peer hears in its case, with its text and no other."""
    state = tmp_path / "state"
    state.mkdir()
    ground = Ground(net, topology.zones, make_gateway, state)
    cases = [(row, ways[row.name]) for table, ways in CASES.items() for row in replies(table) if row.name in ways]
    wrong = []
    for row, way in sorted(cases, key=lambda case: case[1] is at_the_end):
        said = way(ground)
        if said != row.line:
            wrong.append(f"{row.name}: {said!r} instead of {row.line!r}")
    assert not wrong, "\n".join(wrong)
