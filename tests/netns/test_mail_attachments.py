# SPDX-License-Identifier: GPL-2.0-or-later
"""Attachments of mail that leaves, by policy (M2, M3, M5, Z5): refused, removed, or let go behind a clean scan.

    peer-lgwan                          gateway                             peer-internet
    Postfix, by hand  --25-->  receiver -> flattener -> sender   --25-->    Postfix
    clamd             <--3310--  scanner (the whole message)
"""

import base64
import email
import email.message
import email.policy
import hashlib
import json

import pytest

from lib.gateway import SEKISHO
from lib.mail_console import ask, paste_mail, receipt_files
from lib.mail_peers import OrderSink
from lib.net import run
from lib.peers import Postfix, submit
from lib.scanners import Clamd, Stub, eicar
from lib.waiting import wait_until

FROM = "taro@city.example.lg.jp"
TO = "x@partner.example.com"
DELIVERED = (250, b"2.0.0 Delivered to the next hop")
REFUSED = (550, b"5.7.1 Mail with attachments may not leave")
INFECTED = (550, b"5.7.1 A virus was found in the message")
UNSCANNED = (451, b"4.7.0 The message could not be scanned for viruses now")
FILES = {"予算 案.csv": "番号,氏名\r\n1,山田\r\n".encode(), "図面.pdf": b"%PDF-1.7\n" + bytes(range(256)) * 400}


def mail(files, words="資料を送ります。"):
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = FROM, TO, "資料"
    message.set_content(words)
    for name, octets in files.items():
        message.add_attachment(octets, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def enclosed(message):
    """{name: octets} of a message that arrived, which the verifier takes."""
    flat = message.replace(b"\r\n", b"\n")
    own = flat[flat.index(b"Received: by sekisho-test with Sekisho id "):]
    done = run(SEKISHO, "verify-mail", "--files", stdin=own, check=False)
    assert done.returncode == 0, done.stdout
    parts = email.message_from_bytes(message, policy=email.policy.default).walk()
    return {p.get_filename(): p.get_payload(decode=True) for p in parts if p.get_filename()}


@pytest.fixture
def outward(topology, net, make_gateway):
    """Start a gateway whose mail leaves with these rules, scanned by what is given."""
    zones = topology.zones

    def start(rules, scanner="clamd"):
        made = make_gateway(
            f"scanner av {{ zone lgwan; {scanner} {zones['lgwan'].peer4}; timeout 3s; }}",
            f"mail outward {{ from lgwan; to internet; next-hop {zones['internet'].peer4}; scanner av; language en; "
            f"outbound {{ sender city.example.lg.jp; {rules} }} }}")
        made.send = lambda message: submit(net, zones["lgwan"].namespace, zones["lgwan"].gateway4, FROM, TO, message)
        return made
    return start


@pytest.fixture
def clamd(topology, net):
    return Clamd(net, topology.zones["lgwan"].namespace, topology.zones["lgwan"].peer4)


def test_attachments_pass_from_postfix_to_postfix_once_found_clean(topology, net, clamd, outward):
    """M2 M8: octet by octet through real MTAs and a real clamd; the EICAR file beside a clean one keeps the whole mail from
    leaving; without a scanner the mail waits at its sender's, and leaves when the scanner is back."""
    lgwan, internet = topology.zones["lgwan"], topology.zones["internet"]
    far = Postfix(net, internet.namespace, internet.peer4, "mx.partner.example.com", domains=["partner.example.com"])
    gateway = outward("attachments pass-files;")
    near = Postfix(net, lgwan.namespace, lgwan.peer4, "mx.city.example.lg.jp", relay=f"[{lgwan.gateway4}]")
    near.send(FROM, [TO], mail(FILES))
    arrived = enclosed(far.wait_messages(1)[0])
    assert {n: hashlib.sha256(o).hexdigest() for n, o in arrived.items()} == \
        {n: hashlib.sha256(o).hexdigest() for n, o in FILES.items()}
    gateway.wait_event("mail-delivered", 'dropped="0"', 'passed="2"', seconds=20)
    assert gateway.send(mail({**FILES, "x.csv": eicar()})) == INFECTED
    gateway.wait_event("mail-infected", "Ours.Eicar")
    clamd.stop()
    assert gateway.send(mail(FILES)) == UNSCANNED
    gateway.wait_event("mail-not-scanned", "refuses the connection")
    clamd.start()
    assert gateway.send(mail(FILES)) == DELIVERED
    assert enclosed(far.wait_messages(2)[1]) == FILES


def test_attachments_are_refused_or_removed_where_the_policy_says_so(topology, net, clamd, outward):
    """M3 M5: each value of `attachments`, from the same mail; what stays is told in what leaves."""
    internet = topology.zones["internet"]
    sink = OrderSink(net, internet.namespace, internet.peer4)
    gateway = outward("attachments refuse;")
    assert gateway.send(mail(FILES)) == REFUSED
    gateway.wait_event("mail-attached", "the message has attachments")
    assert gateway.send(mail({})) == DELIVERED
    gateway.stop()
    for rules, left in (("", {}), ("attachments drop;", {}),
                        ('label "機密性2"; attachments pass-text;', {n: o for n, o in FILES.items() if n.endswith(".csv")})):
        gateway = outward(rules)
        assert gateway.send(mail(FILES)) == DELIVERED
        assert enclosed(sink.messages()[-1]) == left, rules
        gateway.wait_event("mail-delivered", f'dropped="{2 - len(left)}"', f'passed="{len(left)}"', seconds=20)
        if "label" in rules:
            assert gateway.send(mail({"x.csv": "これは機密性２です\r\n".encode("cp932")}))[0] == 550
            gateway.wait_event("mail-classified", "label in an attached file")
        gateway.stop()


def test_attachments_never_pass_a_scanner_that_fails(topology, net, outward):
    """M2: no verdict of the whole message, no file."""
    lgwan, internet = topology.zones["lgwan"], topology.zones["internet"]
    sink = OrderSink(net, internet.namespace, internet.peer4)
    stub = Stub(net, lgwan.namespace, lgwan.peer4, 3310, "clamd-ok")
    gateway = outward("attachments pass-files;")
    for mode in ("clamd-early", "clamd-cut", "clamd-garbage", "clamd-error", "clamd-half", "clamd-silent"):
        stub.mode = mode
        large = {"large.csv": b"1,2,3\r\n" * (500000 if mode == "clamd-early" else 1)}
        assert gateway.send(mail({**FILES, **large})) == UNSCANNED, mode
    assert sink.messages() == []
    stub.mode = "clamd-ok"
    assert gateway.send(mail(FILES)) == DELIVERED
    assert enclosed(sink.messages()[0]) == FILES


def test_attachments_that_passed_are_in_receipt_and_console(topology, net, clamd, outward):
    """L1 A6: what left is named by its hash in the receipt; `test mail` shows text and list, not the files' base64."""
    internet = topology.zones["internet"]
    sink = OrderSink(net, internet.namespace, internet.peer4)
    gateway = outward("attachments pass-files;")
    assert gateway.send(mail(FILES)) == DELIVERED
    assert enclosed(sink.messages()[0]) == FILES
    receipt = json.loads(wait_until(lambda: receipt_files(gateway), "a receipt")[0].read_text())
    assert [p["written_sha256"] for p in receipt["passes"]] == [hashlib.sha256(o).hexdigest() for o in FILES.values()]
    shown = ask(gateway, f"show mail receipt {receipt['receipt']}")
    assert all(hashlib.sha256(o).hexdigest() in shown for o in FILES.values())
    assert '"fate": "passed"' in shown and "図面" not in shown
    shown = paste_mail(gateway, "test mail", mail({"memo.txt": b"words of the file\n"}, "words of the mail"))
    assert "words of the mail" in shown and "[Attachments (enclosed): 1]" in shown and "memo.txt" in shown
    assert "words of the file" not in shown and "sekisho-part\r\n" not in shown
    assert len(sink.messages()) == 1


def test_attachments_that_the_scanner_decodes_otherwise_stay(topology, net, clamd, outward):
    """M2: clamd stops at the padding of base64 and finds nothing behind it; nor does anything of it leave."""
    internet = topology.zones["internet"]
    sink = OrderSink(net, internet.namespace, internet.peer4)
    gateway = outward("attachments pass-files;")
    head, virus = (base64.encodebytes(octets).replace(b"\n", b"\r\n") for octets in (b"%PDF-1.7\n%", eicar()))
    hidden = mail({"x.pdf": b"HERE", **FILES}).replace(b"SEVSRQ==\r\n", head + virus)
    assert head.endswith(b"=\r\n") and head + virus in hidden
    assert gateway.send(hidden) == DELIVERED
    assert enclosed(sink.messages()[0]) == {}
    gateway.wait_event("mail-delivered", 'dropped="3"', 'passed="0"', seconds=20)
