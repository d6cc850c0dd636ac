# SPDX-License-Identifier: GPL-2.0-or-later
"""Receipts of mails, and what the console shows of mail (M8, L1, A6).

    peer-internet --25--> gateway --25--> peer-lgwan
                            |
                          console: show mail log, show mail receipt, test mail
"""

import hashlib
import json
import re

import pytest

from lib.mail_console import ask, paste_mail, receipt_files
from lib.mail_peers import OrderSink
from lib.peers import submit
from lib.waiting import wait_until

TO = "hanako@city.example.lg.jp"
FROM = "taro@example.jp"
ATTACHED = (f"From: <{FROM}>\r\nTo: <{TO}>\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nwords\r\n--b\r\n"
            "Content-Type: application/pdf; name=himitsu.pdf\r\n\r\n%PDF-1.7\r\n--b--\r\n").encode()


LOGIN = "login { user yamada { role administrator; } user suzuki { role auditor; } }"
SECRETS = {"yamada": "Karasu-no-7-tsu", "suzuki": "Umi/ni-36-fune"}


@pytest.fixture
def gateway(topology, net, make_gateway):
    def start(*blocks):
        zones = topology.zones
        sink = OrderSink(net, zones["lgwan"].namespace, zones["lgwan"].peer4)
        made = make_gateway(*blocks, f"mail inbound {{ from internet; to lgwan; domain city.example.lg.jp; "
                                     f"next-hop {zones['lgwan'].peer4}; language en; }}")
        made.sink = sink
        return made
    return start


def type_line(console, prompt, text):
    console.expect(prompt)
    console.send(text + "\r")


def first_password(gateway, administrator, user):
    """A console on which `user` has chosen the password of SECRETS."""
    shown = administrator.run(f"account reset {user}")
    secret = re.search(rf"temporary password of {user}: (\S+)", shown).group(1)
    administrator.close()
    console = gateway.console()
    type_line(console, "login: $", user)
    type_line(console, "password: $", secret)
    type_line(console, "new password: $", SECRETS[user])
    type_line(console, "again: $", SECRETS[user])
    console.expect(console.PROMPT)
    return console


def send(net, topology, message=ATTACHED, sender=FROM):
    zone = topology.zones["internet"]
    return submit(net, zone.namespace, zone.gateway4, sender, TO, message)


def test_receipt_is_stored_and_its_hash_recorded(net, topology, gateway):
    """M8 L1: one file a mail, whole, with the hash that the log names; the envelope's sender is in it."""
    running = gateway()
    assert send(net, topology)[0] == 250
    event = running.wait_event("receipt-stored", "receipt=")
    files = wait_until(lambda: receipt_files(running), "a receipt")
    octets = files[0].read_bytes()
    assert hashlib.sha256(octets).hexdigest() in event
    receipt = json.loads(octets)
    assert receipt["envelope_from"] == FROM and receipt["drops"][0]["name"] == "himitsu.pdf"
    running.wait_event("mail-delivered", f'receipt="{receipt["receipt"]}"')
    assert receipt["input"]["sha256"] == hashlib.sha256(ATTACHED).hexdigest()


def test_receipt_survives_a_restart_and_a_killed_audit(net, topology, gateway):
    """M8: receipts are found again; none is half."""
    running = gateway()
    assert send(net, topology)[0] == 250
    running.wait_event("receipt-stored")
    pid = running.kill("audit")
    running.wait_role("audit", other_than=pid, seconds=10)
    number = json.loads(receipt_files(running)[0].read_text())["receipt"]
    wait_until(lambda: number in ask(running, f"show mail receipt {number[:8]}"), "the receipt", 10)
    assert send(net, topology, ATTACHED.replace(b"words", b"other"))[0] == 250
    wait_until(lambda: len(receipt_files(running)) == 2, "the second receipt")
    assert not receipt_files(running)[0].with_name("staged").exists()


def test_receipt_shows_names_to_the_auditor_only(net, topology, gateway):
    """A6: an administrator sees what was done, an auditor also to whose file."""
    running = gateway()
    assert send(net, topology)[0] == 250
    number = json.loads(wait_until(lambda: receipt_files(running), "a receipt")[0].read_text())["receipt"]
    shown = ask(running, f"show mail receipt {number}")
    assert number in shown and "application/pdf" in shown and '"name": ***' in shown
    assert "himitsu" not in shown and "taro" not in shown
    assert "no such receipt" in ask(running, "show mail receipt abcdef")
    assert "digits" in ask(running, "show mail receipt ../x")
    running.stop()


def test_receipt_with_names_for_the_auditor(net, topology, gateway):
    """A6: who has logged in decides, not what the console says of itself."""
    running = gateway(LOGIN)
    assert send(net, topology)[0] == 250
    number = json.loads(wait_until(lambda: receipt_files(running), "a receipt")[0].read_text())["receipt"]
    administrator = first_password(running, running.open_console(), "yamada")
    administrator.run("terminal length 0")
    shown = administrator.run(f"show mail receipt {number}")
    assert number in shown and "himitsu" not in shown
    auditor = first_password(running, administrator, "suzuki")
    auditor.run("terminal length 0")
    shown = auditor.run(f"show mail receipt {number}")
    assert "himitsu.pdf" in shown and FROM in shown


def test_mail_log_is_about_mail_and_filtered(net, topology, gateway):
    """L1: records of mail alone; a text narrows them."""
    running = gateway()
    assert send(net, topology)[0] == 250
    running.wait_event("mail-delivered")
    shown = ask(running, "show mail log")
    assert "mail-delivered" in shown and "receipt-stored" in shown
    assert "zone-made" not in shown and FROM not in shown
    shown = ask(running, "show mail log delivered")
    assert "mail-delivered" in shown and "mail-flattened" not in shown


def test_mail_pasted_on_the_console_is_flattened_and_goes_nowhere(net, topology, gateway):
    """L6 A6: the real flattener's text and receipt; nothing reaches the next hop."""
    running = gateway()
    shown = paste_mail(running, "test mail", ATTACHED)
    assert "words" in shown and "himitsu.pdf" in shown and "Sekisho-Receipt:" in shown
    assert '"receipt":' in shown and '"status":"flattened"' in shown
    number = re.search(r"Sekisho-Receipt: ([0-9a-f]{20})", shown).group(1)
    assert number == hashlib.sha256(ATTACHED).hexdigest()[:20], "the message is the one that was pasted"
    assert "no such mail entry" in paste_mail(running, "test mail nowhere", ATTACHED)
    assert "words" in paste_mail(running, "test mail inbound", ATTACHED)
    assert "the message is empty" in paste_mail(running, "test mail", b"\r\n")
    assert not running.sink.messages() and "mail-delivered" not in "\n".join(running.audit_lines())
    assert send(net, topology)[0] == 250
