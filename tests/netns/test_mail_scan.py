# SPDX-License-Identifier: GPL-2.0-or-later
"""Virus scans of mail, both ways (M2): nothing passes that a scanner has not seen whole and found clean.

    peer-internet                       gateway                             peer-lgwan
    messages by hand   --25-->  receiver -> flattener -> sender   --25-->   sink
                                       \\-> scanner  --3310, 1344-->         clamd, c-icap, or a stub that misbehaves
"""

import email.message
import email.policy
import os
import pathlib
import signal
import smtplib

import pytest

from lib.mail_peers import OrderSink
from lib.peers import submit
from lib.scanners import CIcap, Clamd, Stub, eicar
from lib.waiting import wait_until

TO = "hanako@city.example.lg.jp"
FROM = "taro@example.jp"
UNSCANNED = (451, b"4.7.0 The message could not be scanned for viruses now")
INFECTED = (550, b"5.7.1 A virus was found in the message")
DELIVERED = (250, b"2.0.0 Delivered to the next hop")


def mail(attachment=b"", text="text"):
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = FROM, TO, "test"
    message.set_content(text)
    if attachment:
        message.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="x.bin")
    return message.as_bytes()


def bare(words):
    return f"From: {FROM}\r\nTo: {TO}\r\nSubject: test\r\n\r\n{words}\r\n".encode()


class Path:
    """The gateway with a mail path that is scanned, and its sink."""

    def __init__(self, topology, net, make_gateway, scanner, mail_extra=""):
        self.net, zones = net, topology.zones
        self.zone = zones["internet"]
        self.sink = OrderSink(net, zones["lgwan"].namespace, zones["lgwan"].peer4)
        self.gateway = make_gateway(
            f"scanner av {{ zone lgwan; {scanner} }}",
            f"mail inbound {{ from internet; to lgwan; domain city.example.lg.jp; next-hop {zones['lgwan'].peer4}; "
            f"scanner av; {mail_extra} }}")

    def send(self, message):
        return submit(self.net, self.zone.namespace, self.zone.gateway4, FROM, TO, message)

    def arrived(self):
        return len(self.sink.messages())


@pytest.fixture
def lgwan(topology):
    return topology.zones["lgwan"]


@pytest.fixture
def path(topology, net, make_gateway):
    return lambda scanner, **more: Path(topology, net, make_gateway, scanner, **more)


def open_session(way):
    with way.net.inside(way.zone.namespace):
        session = smtplib.SMTP(way.zone.gateway4, 25, local_hostname="x.example", timeout=60)
    session.ehlo_or_helo_if_needed()
    return session


def begin_scan(way, session, words):
    """Bring a message whose scan hangs; return the process that scans it."""
    session.mail(FROM)
    session.rcpt(TO)
    session.docmd("DATA")
    session.send(bare(words) + b".\r\n")
    return wait_until(lambda: next(filter(has_a_message, way.gateway.pids("mail-scanner")), None), "the scan of a message", 20)


def has_a_message(pid):
    """One that only asks how the scanner is has none."""
    try:
        return any("memfd:message" in os.readlink(fd) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


# ---- real scanners ----

def test_scan_by_clamd_passes_the_clean_and_refuses_what_it_finds(net, lgwan, path):
    """M2: clean text and attachment pass; the EICAR file is found in an attachment and named in the event."""
    clamd = Clamd(net, lgwan.namespace, lgwan.peer4)
    way = path(f"clamd {lgwan.peer4};")
    assert way.send(mail()) == DELIVERED
    assert way.send(mail(bytes(range(256)) * 3000)) == DELIVERED
    tested = way.gateway.wait_event("scanner-tested", 'name="av"', 'signature="Ours.Eicar')
    assert f'bytes="{5 << 20}"' in tested   # the mail entry's limit
    assert way.send(mail(eicar())) == INFECTED
    event = way.gateway.wait_event("mail-infected", "Ours.Eicar")
    assert "receipt=" in event
    assert way.arrived() == 2
    clamd.stop()
    assert way.send(mail()) == UNSCANNED
    way.gateway.wait_event("mail-not-scanned", "refuses the connection")
    way.gateway.wait_event("scanner-down", 'name="av"', seconds=20)
    clamd.start()
    assert way.send(mail()) == DELIVERED
    way.gateway.wait_event("scanner-back", 'name="av"', "ClamAV")
    assert way.arrived() == 3


def test_scan_by_clamd_over_its_own_limit_is_no_pass(net, lgwan, path):
    """M2: what clamd itself does not take is put off."""
    Clamd(net, lgwan.namespace, lgwan.peer4, stream_max="100K")
    way = path(f"clamd {lgwan.peer4};")
    assert way.send(mail(bytes(400000))) == UNSCANNED
    way.gateway.wait_event("mail-not-scanned")
    way.gateway.wait_event("scanner-not-tested", "refuses the message for its size")
    assert way.send(mail(bytes(20000))) == DELIVERED
    assert way.arrived() == 1


def test_scan_by_c_icap_echo_both_methods(net, lgwan, path):
    """M2, RFC 3507: a real ICAP server; its echo service gives 204 or the message back, which is compared."""
    server = CIcap(net, lgwan.namespace, lgwan.peer4)
    way = path(f"icap {lgwan.peer4}; service echo; test-file off;")
    assert way.send(mail(bytes(range(256)) * 500)) == DELIVERED
    assert way.arrived() == 1
    wait_until(lambda: "RESPMOD" in server.access_log.read_text(), "the server's own record of it")


def test_scan_by_c_icap_reqmod(net, lgwan, path):
    server = CIcap(net, lgwan.namespace, lgwan.peer4)
    way = path(f"icap {lgwan.peer4}; service echo; method reqmod; test-file off;")
    assert way.send(mail(bytes(range(256)) * 500)) == DELIVERED
    assert way.arrived() == 1
    wait_until(lambda: "REQMOD" in server.access_log.read_text(), "the server's own record of it")


def test_scan_by_c_icap_with_its_virus_service(net, lgwan, path):
    """M2: Debian's antivirus service in front of a clamd: the clean passes, the EICAR file is named, a dead clamd is no pass."""
    clamd = Clamd(net, lgwan.namespace, lgwan.peer4)
    CIcap(net, lgwan.namespace, lgwan.peer4, clamd=clamd)
    way = path(f"icap {lgwan.peer4};")
    assert way.send(mail(bytes(range(256)) * 500)) == DELIVERED
    assert way.send(mail(eicar())) == INFECTED
    way.gateway.wait_event("mail-infected", "Ours.Eicar")
    clamd.stop()
    assert way.send(mail()) == UNSCANNED
    way.gateway.wait_event("mail-not-scanned")
    assert way.arrived() == 1


def test_scan_by_what_passes_large_messages_unread_is_no_pass(net, lgwan, path):
    """M2: c-icap's service says clean of what is over its own limit; shown the test file in a large message, it gives itself away."""
    clamd = Clamd(net, lgwan.namespace, lgwan.peer4)
    CIcap(net, lgwan.namespace, lgwan.peer4, clamd=clamd, most="100K")
    way = path(f"icap {lgwan.peer4}; service virus_scan;")
    assert way.send(mail(bytes(400000))) == UNSCANNED   # before the test: its verdict waits for that
    way.gateway.wait_event("scanner-down", "does not find the EICAR test file", seconds=30)
    assert way.send(mail()) == UNSCANNED
    way.gateway.wait_event("mail-not-scanned", "does not find the EICAR test file")
    assert way.arrived() == 0
    said = way.gateway.open_console().commit("set scanner av service avscan")   # which has no limit
    assert "committed" in said, said
    assert way.send(mail()) == DELIVERED
    way.gateway.wait_event("scanner-back", 'name="av"', seconds=30)
    said = way.gateway.open_console().commit("set scanner av service virus_scan")
    assert "committed" in said, said
    assert way.send(mail(bytes(400000))) == UNSCANNED
    assert way.arrived() == 1


def test_scan_that_ends_when_its_scanner_has_turned_out_unfit(net, lgwan, path):
    """M2: the test file is missed while a message is being scanned: its verdict passes nothing, and tells of no recovery."""
    stub = Stub(net, lgwan.namespace, lgwan.peer4, 3310, "clamd-held")
    way = path(f"clamd {lgwan.peer4};")
    session = open_session(way)
    begin_scan(way, session, "SLOW")
    stub.mode = "clamd-blind"
    way.gateway.wait_event("scanner-down", "does not find the EICAR test file", seconds=30)
    stub.mode = "clamd-ok"
    assert session.getreply() == UNSCANNED
    session.close()
    way.gateway.wait_event("mail-not-scanned", "does not find the EICAR test file")
    assert way.arrived() == 0
    assert not [line for line in way.gateway.audit_lines() if "scanner-back" in line]


def test_scan_whose_sender_has_died_concerns_nobody_else(net, lgwan, path):
    """M2 C8: a verdict comes for a session whose sender is dead by now; the next message is scanned and delivered."""
    stub = Stub(net, lgwan.namespace, lgwan.peer4, 3310, "clamd-held")
    way = path(f"clamd {lgwan.peer4};")
    session = open_session(way)
    begin_scan(way, session, "SLOW")
    for pid in way.gateway.pids("mail-sender"):
        os.kill(pid, signal.SIGKILL)
    stub.mode = "clamd-ok"
    assert session.getreply()[0] in (421, 451)
    session.close()
    assert way.send(mail()) == DELIVERED
    assert way.arrived() == 1


def test_scan_test_that_a_commit_ends_is_made_again(net, lgwan, path):
    """M2: what ended with the policy before was no test of the scanner; the next is due at once."""
    stub = Stub(net, lgwan.namespace, lgwan.peer4, 3310, "clamd-held")
    way = path(f"clamd {lgwan.peer4};")
    wait_until(lambda: way.gateway.pids("mail-scanner"), "the first test", 30)
    said = way.gateway.open_console().commit("set mail inbound sessions 50")
    assert "committed" in said, said
    stub.mode = "clamd-ok"
    way.gateway.wait_event("scanner-tested", 'name="av"', seconds=30)


# ---- scanners that fail ----

CLAMD_FAULTS = {"clamd-early": "before it had the whole message", "clamd-cut": "", "clamd-garbage": "does not speak its protocol",
                "clamd-error": "reports an error", "clamd-half": "closed the connection", "clamd-other": "what was not asked",
                "clamd-silent": "did not answer in time"}
ICAP_FAULTS = {"icap-error": "answers with an error", "icap-continue": "answers with an error", "icap-cut": "closed the connection",
               "icap-silent": "did not answer in time"}
ICAP_BLOCKS = ("icap-page", "icap-changed", "icap-short")


def test_scan_faults_of_a_clamd_put_the_message_off(net, lgwan, path):
    """M2: down, slow, cut off in the middle, too early, nonsense: 451 and an event, never a pass."""
    stub = Stub(net, lgwan.namespace, lgwan.peer4, 3310, "clamd-ok")
    way = path(f"clamd {lgwan.peer4}; timeout 2s;")
    assert way.send(mail()) == DELIVERED
    for mode, reason in CLAMD_FAULTS.items():
        stub.mode = mode
        assert way.send(mail(bytes(3500000 if mode == "clamd-early" else 5000))) == UNSCANNED, mode
        way.gateway.wait_event("mail-not-scanned", reason)
    stub.mode = "clamd-ok"
    assert way.send(bare("INFECTED")) == INFECTED
    stub.mode = "clamd-escape"
    assert way.send(mail()) == INFECTED
    event = way.gateway.wait_event("mail-infected", "Evil")
    assert "\x1b" not in event and "signature=\"?[31mEvil??X\"" in event
    stub.mode = "clamd-ok"
    assert way.send(mail()) == DELIVERED
    assert way.arrived() == 2


def test_scan_faults_and_blocks_of_an_icap_server(net, lgwan, path):
    """M2: errors and broken answers put off; another body than the one sent is the scanner's refusal."""
    stub = Stub(net, lgwan.namespace, lgwan.peer4, 1344, "icap-204")
    way = path(f"icap {lgwan.peer4}; timeout 2s;")
    assert way.send(mail()) == DELIVERED
    stub.mode = "icap-200"
    assert way.send(mail(bytes(5000))) == DELIVERED
    for mode, reason in ICAP_FAULTS.items():
        stub.mode = mode
        assert way.send(mail(bytes(5000))) == UNSCANNED, mode
        way.gateway.wait_event("mail-not-scanned", reason)
    for mode in ICAP_BLOCKS:
        stub.mode = mode
        assert way.send(mail(bytes(5000))) == INFECTED, mode
    way.gateway.wait_event("mail-infected", "blocked by the scanner")
    assert way.send(bare("INFECTED")) == INFECTED
    way.gateway.wait_event("mail-infected", "Stub.Test")
    assert way.arrived() == 2


def test_scan_killed_or_over_the_limit_of_the_configuration(net, lgwan, path):
    """M2 C8: the scanning process killed in the middle, and a message above the scanner's size-limit."""
    stub = Stub(net, lgwan.namespace, lgwan.peer4, 3310, "clamd-ok")
    way = path(f"clamd {lgwan.peer4}; size-limit 64KB;")
    assert way.send(mail(bytes(100000))) == UNSCANNED
    way.gateway.wait_event("mail-not-scanned", "larger than the scanner's limit")
    stub.mode = "clamd-silent"
    with open_session(way) as session:
        os.kill(begin_scan(way, session, "x"), signal.SIGKILL)
        assert session.getreply() == UNSCANNED
        way.gateway.wait_event("mail-not-scanned", "the scanning process died")
        stub.mode = "clamd-ok"
        session.mail(FROM)
        session.rcpt(TO)
        assert session.data(bare("after it")) == DELIVERED
    assert way.arrived() == 1


@pytest.mark.limit(120)
def test_scan_of_one_message_that_fails_raises_no_alarm(net, lgwan, path):
    """M2 Z14: no peer can make an alarm of the scanner by what it sends: too large for us or for the scanner, scanned for too
    long, left before the verdict. The gateway asks the scanner itself, which is the only one to say that it is down."""
    stub = Stub(net, lgwan.namespace, lgwan.peer4, 3310, "clamd-slow")
    way = path(f"clamd {lgwan.peer4}; size-limit 64KB; timeout 8s;")
    assert way.send(mail(bytes(100000))) == UNSCANNED
    assert way.send(bare("HUGE")) == UNSCANNED
    way.gateway.wait_event("mail-not-scanned", "refuses the message for its size")
    assert way.send(bare("SLOW")) == UNSCANNED
    way.gateway.wait_event("mail-not-scanned", "did not answer in time")
    session = open_session(way)
    os.kill(begin_scan(way, session, "SLOW"), signal.SIGKILL)
    assert session.getreply() == UNSCANNED
    begin_scan(way, session, "SLOW")
    session.close()
    assert way.send(mail()) == DELIVERED
    wait_until(lambda: not way.gateway.pids("mail-receiver"), "the end of the session that left", 40)
    wait_until(lambda: not way.gateway.pids("mail-scanner"), "the end of its scan", 40)
    stub.stop()
    assert way.send(mail()) == UNSCANNED
    way.gateway.wait_event("scanner-down", "refuses the connection", seconds=20)
    alarms = [line for line in way.gateway.audit_lines() if "scanner-down" in line or "scanner-back" in line]
    assert len(alarms) == 1, alarms


def test_scan_that_works_for_nothing_is_known_without_mail(net, lgwan, path):
    """M2: a scanner that answers and scans nothing; what it is asked to scan is a harmless message of the gateway's own."""
    stub = Stub(net, lgwan.namespace, lgwan.peer4, 3310, "clamd-error")
    way = path(f"clamd {lgwan.peer4};")
    way.gateway.wait_event("scanner-down", 'name="av"', "reports an error", seconds=20)
    stub.mode = "clamd-ok"
    assert way.send(mail()) == DELIVERED
    way.gateway.wait_event("scanner-back", 'name="av"')
    way.gateway.wait_event("scanner-tested", 'name="av"', seconds=30)   # not five minutes later


def test_scan_signatures_that_are_old_raise_an_alarm(net, lgwan, path):
    """M2: the gateway looks by itself, without any mail."""
    stub = Stub(net, lgwan.namespace, lgwan.peer4, 3310, "clamd-old")
    way = path(f"clamd {lgwan.peer4}; signature-age 3d;")
    event = way.gateway.wait_event("signatures-old", 'name="av"', "ClamAV 1.4.3", seconds=20)
    assert "age-s=" in event
    stub.mode = "clamd-ok"
    assert way.send(mail()) == DELIVERED
    way.gateway.wait_event("signatures-new", 'name="av"')


def test_scan_that_is_down_is_known_without_mail(lgwan, path):
    """M2: nobody listens at the scanner's address."""
    way = path(f"clamd {lgwan.peer4};")
    way.gateway.wait_event("scanner-down", 'name="av"', "refuses the connection", seconds=20)


def test_scan_of_mail_that_leaves(topology, net, make_gateway):
    """M2 M7: outwards as inwards; the scanner stands in the senders' zone."""
    lgwan, internet = topology.zones["lgwan"], topology.zones["internet"]
    Clamd(net, lgwan.namespace, lgwan.peer4)
    sink = OrderSink(net, internet.namespace, internet.peer4)
    gateway = make_gateway(
        f"scanner av {{ zone lgwan; clamd {lgwan.peer4}; }}",
        f"mail outward {{ from lgwan; to internet; next-hop {internet.peer4}; scanner av; "
        "outbound { sender city.example.lg.jp; label 機密性2; } }")

    def leave(message, sender="hanako@city.example.lg.jp"):
        return submit(net, lgwan.namespace, lgwan.gateway4, sender, "x@partner.example.com", message)

    ours = b"From: <hanako@city.example.lg.jp>\r\nTo: <x@partner.example.com>\r\nSubject: x\r\n\r\n"
    assert leave(ours + b"hello\r\n") == DELIVERED
    assert leave(ours + eicar() + b"\r\n") == INFECTED
    assert leave(ours + "機密性２\r\n".encode()) == (550, b"5.7.1 The message bears a classification that may not leave")
    gateway.wait_event("mail-classified", "label in the text: 機密性2")
    assert leave(b"Resent-To: <y@z.example>\r\n" + ours + b"hello\r\n") == \
        (550, b"5.7.1 Mail that was forwarded automatically may not leave")
    gateway.wait_event("mail-forwarded", "Resent-To field")
    with pytest.raises(Exception, match="This sender may not send mail by this gateway"):
        leave(ours + b"hello\r\n", sender="x@other.example.jp")
    gateway.wait_event("mail-sender-unlisted", "src=")
    assert leave(ours.replace(b"hanako@city", b"boss@other") + b"hello\r\n") == \
        (550, b"5.7.1 This sender may not send mail by this gateway")
    assert len(sink.messages()) == 1
