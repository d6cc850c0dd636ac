# SPDX-License-Identifier: GPL-2.0-or-later
"""What may leave (M2 to M5, M7): `sekisho flatten` with a mail entry that has an outbound block."""

import base64
import email
import email.message
import email.policy
import hashlib
import json
import os
import subprocess

import pytest

SEKISHO = os.environ.get("SEKISHO", "/out/sekisho")
ZONES = """
zone lgwan { tier business; port eth1; address 10.1.0.1/24; }
zone internet { tier outside; port eth2; address 192.0.2.1/24; }
"""
SENDER = "taro@city.example.lg.jp"


def policy(tmp_path, rules=""):
    path = tmp_path / "site.conf"
    path.write_text(ZONES + """
mail out {
    from lgwan; to internet; next-hop 192.0.2.25; host-name gate.example.lg.jp;
    outbound { sender city.example.lg.jp; sender one@vendor.example.jp; %s }
}
""" % rules)
    return path


def leave(tmp_path, mail, rules="", sender=SENDER):
    """The status, the flattened text and the reason of a refusal."""
    if isinstance(mail, str):
        mail = mail.encode()
    result = subprocess.run([SEKISHO, "flatten", "--policy", policy(tmp_path, rules), "--mail", "out", "--from", sender],
                            input=mail, capture_output=True, timeout=20)
    return result.returncode, result.stdout.decode(), result.stderr.decode().removeprefix("sekisho flatten: refused: ").strip()


def message(header="", body="hello", author=f"Taro <{SENDER}>", subject="hello"):
    return (f"From: {author}\r\nTo: x@partner.example.com\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n{header}"
            f"\r\n{body}\r\n")


@pytest.mark.parametrize("octets", [b"", b"\r\n", b" \r\n\t\n"])
def test_mail_empty_messages_do_not_leave(tmp_path, octets):
    """There is no part of it to judge: the message is refused for what it is."""
    assert leave(tmp_path, octets) == (3, "", "the message is empty")


# Each as a field of the header, with the mark that the refusal names.
FORWARDED = [
    ("Auto-Submitted: auto-forwarded", "Auto-Submitted: auto-forwarded"),
    ("autoforwarded: TRUE", "Autoforwarded: true"),
    ("Resent-From: a@b.example", "Resent-From field"),
    ("Resent-To: a@b.example", "Resent-To field"),
    ("Resent-Message-ID: <1@b.example>", "Resent-Message-ID field"),
    ("X-Forwarded-To: a@b.example", "X-Forwarded-To field"),
    ("X-Forwarded-For: a@b.example c@d.example", "X-Forwarded-For field"),
    ("X-MS-Exchange-Inbox-Rules-Loop: a@b.example", "X-MS-Exchange-Inbox-Rules-Loop field"),
    ("X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
     "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent"),
    ("X-Sieve-Redirected-From: a@b.example", "X-Sieve-Redirected-From field"),
    ("X-Loop: a@b.example", "X-Loop field"),
    ("Delivered-To: a@b.example", "Delivered-To field: delivered once already"),
    ("X-Original-To: a@b.example", "X-Original-To field: delivered once already"),
    ("Sekisho-Receipt: 0123456789abcdef0123", "Sekisho-Receipt field: passed this gateway once already"),
    ("\r\n".join(["Received: from a by b; Sun, 22 Nov 2026 09:00:00 +0900"] * 31), "a loop: more than 30 Received fields"),
]


@pytest.mark.parametrize("field,mark", FORWARDED, ids=[mark for _, mark in FORWARDED])
def test_outbound_forwarded_mail_is_refused_by_its_mark(tmp_path, field, mark):
    """M4"""
    status, text, reason = leave(tmp_path, message(field + "\r\n"))
    assert (status, text, reason) == (3, "", mark)


@pytest.mark.parametrize("sender", ["SRS0=x1=yz=gmail.example=joe@city.example.lg.jp", "srs1+a=b@city.example.lg.jp"])
def test_outbound_rewritten_reverse_path_is_refused(tmp_path, sender):
    """M4: an MTA inside that forwards with the Sender Rewriting Scheme."""
    assert leave(tmp_path, message(), sender=sender)[::2] == (3, "MAIL FROM rewritten by a forwarder (SRS)")


@pytest.mark.parametrize("field", ["Auto-Submitted: auto-replied", "Auto-Submitted: no", "X-Forwarded-Message-Id: <1@a.example>",
                                   "Received: from a by b; Sun, 22 Nov 2026 09:00:00 +0900"])
def test_outbound_what_is_no_mark_of_forwarding_leaves(tmp_path, field):
    """M4: replies of a machine, and what a person forwards by hand."""
    status, text, reason = leave(tmp_path, message(field + "\r\n"))
    assert status == 0 and "hello" in text and reason == ""


def test_outbound_forwarded_mail_passes_where_the_policy_says_so(tmp_path):
    status, text, _ = leave(tmp_path, message("Resent-From: a@b.example\r\n"), rules="auto-forwarded pass;")
    assert status == 0 and "hello" in text


@pytest.mark.parametrize("field,mark", FORWARDED[-2:], ids=["own", "hops"])
def test_outbound_loops_end_where_forwarded_mail_passes(tmp_path, field, mark):
    """M4, RFC 5321 6.3: what came in does not leave again, nor what has come a long way."""
    assert leave(tmp_path, message(field + "\r\n"), rules="auto-forwarded pass;")[::2] == (3, mark)


@pytest.mark.parametrize("hops,refused", [(30, False), (31, True)])
def test_inbound_loops_end(hops, refused):
    """RFC 5321 6.3: the gateway removes the Received fields of others, so it has to look at them."""
    octets = message("Received: from a by b; Sun, 22 Nov 2026 09:00:00 +0900\r\n" * hops).encode()
    result = subprocess.run([SEKISHO, "flatten"], input=octets, capture_output=True, timeout=20, check=False)
    assert (result.returncode, b"more than 30 Received" in result.stderr) == ((3, True) if refused else (0, False))


@pytest.mark.parametrize("author,leaves", [(f"<{SENDER}>", True), ("ONE@Vendor.Example.JP", True), ("two@vendor.example.jp", False),
                                           ("x@outside.example.com", False), ("nobody", False),
                                           (f"<{SENDER}>, <x@outside.example.com>", False)])
def test_outbound_author_must_be_a_listed_sender(tmp_path, author, leaves):
    """M7: per domain and per address; a redirected mail still names its author outside."""
    status, _, reason = leave(tmp_path, message(author=author))
    assert (status, reason) == ((0, "") if leaves else (3, "the author in From is not a listed sender"))


def test_outbound_author_is_judged_whatever_is_said_of_forwarded_mail(tmp_path):
    """M7: letting forwarded mail pass does not let others write in the name of nobody."""
    for header in ("", "Resent-From: a@b.example\r\n"):
        assert leave(tmp_path, message(header, author="x@outside.example.com"), "auto-forwarded pass;")[::2] == \
            (3, "the author in From is not a listed sender")


def test_outbound_sender_and_list_do_not_leave(tmp_path):
    """M7: who is shown to have written is who was checked; a list's id names a host of the inside. Inwards both are kept."""
    mail = message("Sender: Boss <x@outside.example.com>\r\nList-Id: Staff <staff.pc-0815.intra.local>\r\n")
    status, text, _ = leave(tmp_path, mail)
    header = text.partition("\n\n")[0]
    assert status == 0 and f"<{SENDER}>" in header
    assert "Sender:" not in header and "List-Id:" not in header and "x@outside" not in header and "pc-0815" not in header
    inwards = subprocess.run([SEKISHO, "flatten", "--host", "gate.example.lg.jp"], input=mail.encode(), capture_output=True,
                             timeout=20).stdout.decode().partition("\n\n")[0]
    assert 'Sender: "Boss" <x@outside.example.com>' in inwards and "List-Id: <staff.pc-0815.intra.local>" in inwards


LABELS = 'label "機密性2"; label "【重要性II】"; label "社外秘"; label "ｶﾞｲﾋ";'


def word(text, charset):
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="


LABELLED = {
    "subject": (message(subject=word("【重要性II】会議資料", "iso-2022-jp")), "label in the subject: 【重要性II】"),
    "subject in Shift_JIS, full width": (message(subject=word("機密性２の件", "cp932")), "label in the subject: 機密性2"),
    "Roman numeral": (message(subject=word("【重要性Ⅱ】", "utf-8")), "label in the subject: 【重要性II】"),
    "another field": (message(f"X-Classification: {word('社外秘', 'utf-8')}\r\n"), "label in the header: 社外秘"),
    "text": (message('Content-Type: text/plain; charset=utf-8\r\n', "添付は機 密 性 ２ です"), "label in the text: 機密性2"),
    "text over two lines": (message('Content-Type: text/plain; charset=utf-8\r\n', "これは社外\r\n秘です"), "label in the text: 社外秘"),
    "half-width kana": (message('Content-Type: text/plain; charset=utf-8\r\n', "ガイヒ"), "label in the text: ｶﾞｲﾋ"),
    "HTML with tags inside": (message('Content-Type: text/html; charset=utf-8\r\n', "<p>機密<b>性</b>&#50;</p>"),
                              "label in the HTML: 機密性2"),
    "the form that is not shown": (
        message('Content-Type: multipart/alternative; boundary=b\r\n',
                "--b\r\n\r\nharmless words that are long enough to be shown\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
                "<p>harmless words that are long enough to be shown <i>社</i>外<u>秘</u></p>\r\n--b--"), "label in the HTML: 社外秘"),
    "hidden": (message('Content-Type: text/html; charset=utf-8\r\n', "<p>x</p><p style='display:none'>社<i>外</i>秘</p>"),
               "label in hidden text: 社外秘"),
    "kana with combining marks": (message('Content-Type: text/plain; charset=utf-8\r\n', "カ\u3099イヒ"), "label in the text: ｶﾞｲﾋ"),
    "kana with marks set apart": (message('Content-Type: text/plain; charset=utf-8\r\n', "カ\u200b゛イヒ"), "label in the text: ｶﾞｲﾋ"),
    "subject of a Macintosh": (message(subject=word("カ\u3099イヒ", "utf-8")), "label in the subject: ｶﾞｲﾋ"),
    "quoted and wrapped": (message('Content-Type: text/plain; charset=utf-8\r\n', ">> これは社\r\n>> 外\r\n> 秘です"),
                           "label in the text: 社外秘"),
    "cells of a table": (message('Content-Type: text/html; charset=utf-8\r\n',
                                 "<table><tr><td>機密性</td><td>2</td><td>a</td></tr><tr><td>1</td><td>2</td><td>b</td></tr></table>"),
                         "label in the HTML: 機密性2"),
    "cells drawn by hand": (message('Content-Type: text/plain; charset=utf-8\r\n', "｜機密性│２｜"), "label in the text: 機密性2"),
    "link inside": (message('Content-Type: text/html; charset=utf-8\r\n', "<p><a href='https://a.example/'>社外</a>秘</p>"),
                    "label in the HTML: 社外秘"),
    "readings above": (message('Content-Type: text/html; charset=utf-8\r\n',
                               "<p><ruby>社<rt>しゃ</rt>外<rp>(</rp><rt>がい</rt><rp>)</rp></ruby>秘</p>"), "label in the HTML: 社外秘"),
    "list inside": (message('Content-Type: text/html; charset=utf-8\r\n', "<ul><li>社外<li title='>'>&#x79d8;</ul>"),
                    "label in the HTML: 社外秘"),
    "quoted pair in a name": (message(author=f'"社\\外秘" <{SENDER}>'), "label in the new header: 社外秘"),
    "file name": (
        message('Content-Type: multipart/mixed; boundary=b\r\n',
                "--b\r\n\r\nx\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment;\r\n"
                " filename*=utf-8''%E7%A4%BE%E5%A4%96%E7%A7%98.pdf\r\n\r\nx\r\n--b--"), "label in a file name: 社外秘"),
    "forwarded message": (
        message('Content-Type: message/rfc822\r\n', f"From: a@b.example\r\nSubject: {word('社外秘', 'euc-jp')}\r\n\r\nx"),
        "label in the subject: 社外秘"),
}


@pytest.mark.parametrize("case", LABELLED)
def test_outbound_label_refuses_wherever_it_stands(tmp_path, case):
    """M5: after charsets, encoded words, HTML, folding of widths and line breaks."""
    mail, reason = LABELLED[case]
    assert leave(tmp_path, mail, LABELS) == (3, "", reason)


def test_outbound_mail_without_a_label_leaves(tmp_path):
    """M5: one digit beside the label is another word."""
    mail = message('Content-Type: text/plain; charset=utf-8\r\n', "機密性1の資料、重要性I")
    status, text, _ = leave(tmp_path, mail, LABELS)
    assert status == 0 and "機密性1の資料、重要性I" in text


def test_outbound_label_of_nothing_refuses_everything(tmp_path):
    """M5: a label that no text can bear would silently refuse nothing; closed, and the reason says why."""
    assert leave(tmp_path, message(), 'label "\u3000"; label 社外秘;') == (3, "", "a label without any letter:")


ATTACHED = message('Content-Type: multipart/mixed; boundary=b\r\n',
                   "--b\r\n\r\nx\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n%PDF-1.7\r\n--b--")


def test_outbound_attachments_are_dropped_or_refuse_the_mail(tmp_path):
    """M3"""
    status, text, _ = leave(tmp_path, ATTACHED)
    assert status == 0 and "a.pdf" in text
    assert leave(tmp_path, ATTACHED, "attachments refuse;") == (3, "", "the message has attachments")
    assert leave(tmp_path, message(), "attachments refuse;")[0] == 0


# ---- files that leave behind a clean scan ----

SCANNED = ZONES + """
scanner av { zone lgwan; clamd 10.1.0.9; }
mail out {
    from lgwan; to internet; next-hop 192.0.2.25; host-name gate.example.lg.jp; scanner av; language en;
    outbound { sender city.example.lg.jp; %s }
}
"""
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 3
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
TABLE = "番号,氏名\r\n1,山田\r\n"


def mail_of(*files, words="words"):
    """A mail with these (name, octets), all declared to be of a type that says nothing."""
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = f"Taro <{SENDER}>", "x@partner.example.com", "files"
    mail.set_content(words)
    for name, octets in files:
        mail.add_attachment(octets, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def enclose(tmp_path, mail, rules="attachments pass-files;"):
    """The text that leaves, {name: (type, octets)} of the files that leave with it, and the receipt."""
    (tmp_path / "site.conf").write_text(SCANNED % rules)
    done = subprocess.run([SEKISHO, "flatten", "--policy", tmp_path / "site.conf", "--from", SENDER, "--receipt", tmp_path / "receipt"],
                          input=mail, capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    verified = subprocess.run([SEKISHO, "verify-mail", "--files" if "files" in rules else "--texts"], input=done.stdout, timeout=20,
                              capture_output=True)
    assert verified.returncode == 0, verified.stdout
    parts = [p for p in email.message_from_bytes(done.stdout, policy=email.policy.default).walk() if not p.is_multipart()]
    files = {p.get_filename(): (p.get_content_type(), p.get_payload(decode=True)) for p in parts[1:]}
    return parts[0].get_payload(decode=True).decode(), files, json.loads((tmp_path / "receipt").read_text())


def test_outbound_files_leave_as_they_are(tmp_path):
    """M2 M8: octet by octet, under a name that any desktop takes, with type by content; text, mail and receipt name the hashes."""
    given = {"資料 1.pdf": PDF, "図.png": PNG, "表.csv": TABLE.encode(), "marked.csv": b"\xef\xbb\xbf" + TABLE.encode(),
             "plain.log": b"one\ntwo"}
    text, files, receipt = enclose(tmp_path, mail_of(*given.items()))
    assert {name: octets for name, (_, octets) in files.items()} == given
    assert [kind for kind, _ in files.values()] == ["application/octet-stream"] * 2 + ["text/plain"] * 3
    assert [(p["name"], p["sha256"], p["written_sha256"]) for p in receipt["passes"]] == \
        [(name, digest, digest) for name, digest in ((n, hashlib.sha256(o).hexdigest()) for n, o in given.items())]
    assert receipt["counters"]["passed"] == 5 and receipt["counters"]["attachments"] == 0 and receipt["drops"] == []
    assert [p["fate"] for p in receipt["parts"]] == ["container", "text"] + ["passed"] * 5
    assert "[Attachments (enclosed): 5]" in text and "5 attachments enclosed" in text and "words" in text
    for name, octets in given.items():
        assert f". {name}\n" in text and hashlib.sha256(octets).hexdigest() in text


@pytest.mark.parametrize("charset,label", [("cp932", "Shift_JIS"), ("iso-2022-jp", "ISO-2022-JP"), ("euc-jp", "EUC-JP")])
def test_outbound_text_file_is_written_anew_in_utf8(tmp_path, charset, label):
    """M2: no word changes; a byte order mark tells the programs of an office which charset it is now, and the text tells which it was."""
    text, files, receipt = enclose(tmp_path, mail_of(("表.csv", (TABLE * 5).encode(charset))), "attachments pass-text;")
    assert files == {"表.csv": ("text/plain", b"\xef\xbb\xbf" + (TABLE * 5).encode())}
    assert f"charset: from {label} to UTF-8" in text
    assert receipt["passes"][0]["sha256"] == hashlib.sha256((TABLE * 5).encode(charset)).hexdigest()


STAY = {  # each with a rule and what the text says of it
    "a program": (("x.txt", b"MZ" + bytes(500)), "pass-files", "not of a kind that may"),
    "a program by name": (("x.txt.bat", b"dir\r\n"), "pass-files", "not of a kind that may"),
    "a script": (("x.txt", b"#!/bin/sh\nls\n"), "pass-files", "not of a kind that may"),
    "HTML": (("x.txt", b"<html><p>x</p></html>"), "pass-files", "not of a kind that may"),
    "an unknown kind": (("x.pdf", bytes(range(256))), "pass-files", "not of a kind that may"),
    "an archive": (("x.zip", b"PK\x03\x04" + bytes(100)), "pass-files", "not of a kind that may"),
    "an encrypted PDF": (("x.pdf", PDF + b"/Encrypt"), "pass-files", "not of a kind that may"),
    "a PDF with a script": (("x.pdf", PDF + b"/JavaScript"), "pass-files", "not of a kind that may"),
    **{f"a PDF with {mark.decode()}": (("x.pdf", PDF + mark + b" "), "pass-files", "not of a kind that may")
       for mark in (b"/JS", b"/js", b"/Launch", b"/OpenAction", b"/AA", b"/XFA", b"/ObjStm", b"/EmbeddedFiles", b"/Java#53cript")},
    "a Word document": (("x.docx", b"PK\x03\x04[Content_Types].xml word/document.xml"), "pass-files", "not of a kind that may"),
    "text that would take much memory": (("x.csv", b"1,2,3\r\n" * 800000), "pass-text", "too many files, or too large ones"),
    "a PDF where only text may leave": (("x.pdf", PDF), "pass-text", "not of a kind that may"),
    "text with an escape": (("x.txt", b"a\x1b[31mb"), "pass-text", "not all of it is text"),
    "text with a bare CR": (("x.txt", b"a\rb"), "pass-text", "not all of it is text"),
    "text with a turned direction": (("x.txt", "a\u202eb".encode()), "pass-text", "not all of it is text"),
    "text with private use": (("x.txt", "a\ue000b".encode()), "pass-text", "not all of it is text"),
    "text that is cut": (("x.txt", "日本語です".encode()[:-1] + b"\xff"), "pass-text", "not all of it is text"),
    "nothing": (("x.txt", b""), "pass-text", "too large, or not read"),
}


@pytest.mark.parametrize("case", STAY)
def test_outbound_file_that_may_not_leave_stays_and_is_listed(tmp_path, case):
    """M2 M3: whole or not at all; by content, whatever it is called; the text says why, and the hash of what stayed."""
    (name, octets), rule, why = STAY[case]
    text, files, receipt = enclose(tmp_path, mail_of((name, octets)), f"attachments {rule};")
    assert files == {} and receipt["passes"] == []
    assert f"may not leave: {why}" in text and hashlib.sha256(octets).hexdigest() == receipt["drops"][0]["sha256"]


def test_outbound_file_names_are_made_safe(tmp_path):
    """M3: no path, nothing that a desktop hides or takes for a program; the end tells what the content is."""
    given = {"../../etc/passwd": "_.._etc_passwd.txt", "a:b*c?.txt": "a_b_c_.txt", ".hidden": "hidden.txt",
             "data.dat": "data.dat.txt", " 　x.csv": "x.csv"}
    text, files, _ = enclose(tmp_path, mail_of(*((name, b"text\n") for name in given)))
    assert list(files) == list(given.values())
    assert "name in the original: data.dat" in text
    _, files, _ = enclose(tmp_path, mail_of(("x.txt", PDF), ("x.jpg", PNG), ("x.JPEG", b"\xff\xd8\xff" + bytes(50)), ("a" * 300, b"x\n")))
    assert list(files)[:3] == ["x.txt.pdf", "x.jpg.png", "x.JPEG"] and list(files)[3].endswith(".txt")


def test_outbound_file_name_that_the_verifier_would_refuse_is_replaced(tmp_path):
    """M8: a mark whose character was replaced, and a name that is cut behind a joiner: the mail leaves all the same."""
    family = "a" * 231 + "\U0001f468\u200d\U0001f469"  # 240 octets end behind the joiner
    _, files, _ = enclose(tmp_path, mail_of(("*\ufe0f\u20e3.txt", b"one\n"), ("x.pdf", PDF), (family, b"two\n")))
    assert {o for _, o in files.values()} == {b"one\n", PDF, b"two\n"}
    assert list(files)[0] == "attachment-1.txt"


def test_outbound_files_beyond_the_number_stay(tmp_path):
    """Z5: bound in number."""
    text, files, receipt = enclose(tmp_path, mail_of(*((f"{n}.txt", b"x%d\n" % n) for n in range(23))))
    assert list(files) == [f"{n}.txt" for n in range(20)] and len(receipt["drops"]) == 3
    assert text.count("may not leave: too many files, or too large ones") == 3


def test_outbound_files_of_an_ambiguous_message_stay(tmp_path):
    """M2: what the scanner may have read in another way has not been scanned."""
    ambiguous = mail_of(("x.txt", b"text\n")).replace(b"MIME-Version: 1.0\r\n",
                                                      b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n", 1)
    text, files, _ = enclose(tmp_path, mail_of(("x.txt", b"text\n")).replace(b"--\r\n", b"\r\n"))
    assert files == {} and "the structure of the mail is ambiguous" in text
    assert enclose(tmp_path, ambiguous)[1] == {}


def broken(octets, how, encoding="base64"):
    """A mail with a clean table, one file that is encoded as nobody should, and another clean table."""
    mail = mail_of(("first.csv", TABLE.encode()), ("odd.bin", b"HERE"), ("last.csv", TABLE.encode()))
    head, _, tail = mail.partition(b"SEVSRQ==\r\n")
    head, _, old = head.rpartition(b"Content-Transfer-Encoding: base64")
    return head + b"Content-Transfer-Encoding: " + encoding.encode() + old + how(octets) + tail


def pieces(octets):
    return base64.encodebytes(octets[:8]).replace(b"\n", b"\r\n") + base64.encodebytes(octets[8:]).replace(b"\n", b"\r\n")


def one(octets):
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


ODD = {  # (a mail, the files of it that may leave)
    "base64 behind its padding": (broken(PDF, pieces), []),
    "base64 with a stranger in it": (broken(PDF, lambda o: b"!" + one(o)), []),
    "base64 with an empty line": (broken(PDF, lambda o: one(o).replace(b"\r\n", b"\r\n\r\n", 1)), ["first.csv", "last.csv"]),
    "base64 with a space": (broken(PDF, lambda o: b" " + one(o)), ["first.csv", "last.csv"]),
    "base64 in a long line": (broken(PDF, lambda o: base64.b64encode(o[:600]) + b"\r\n"), ["first.csv", "last.csv"]),
    "base64 without padding": (broken(PDF, lambda o: base64.b64encode(o[:40]).rstrip(b"=") + b"\r\n"), ["first.csv", "last.csv"]),
    "an encoding with a comment": (broken(PDF, one, "base64 (x)"), ["first.csv", "last.csv"]),
    "an encoding of another kind": (broken(b"", lambda _: b"begin 644 x\r\n#86)C\r\n`\r\nend\r\n", "x-uuencode"), ["first.csv", "last.csv"]),
    "a document without base64": (broken(b"", lambda _: b"%PDF-1.7 x\r\n", "8bit"), ["first.csv", "last.csv"]),
    "quoted-printable in lower case": (broken(b"", lambda _: b"a=3db\r\n", "quoted-printable"), ["first.csv", "last.csv"]),
    "quoted-printable": (broken(b"", lambda _: b"a=3Db\r\n", "quoted-printable"), ["first.csv", "odd.bin.txt", "last.csv"]),
    "a message": (broken(b"", lambda _: b"a\r\n", "7bit").replace(b"octet-stream", b"x", 1).replace(
        b"application/octet-stream", b"message/partial", 1), ["first.csv", "last.csv"]),
    "a bare LF": (mail_of(("x.csv", TABLE.encode())).replace(b"words\r\n", b"words\n"), []),
    "a long line": (mail_of(("x.csv", TABLE.encode())).replace(b"words", b"w" * 1000), []),
    "a preamble": (mail_of(("x.csv", TABLE.encode())).replace(b"\r\n\r\n--", b"\r\n\r\nbegin 644 x\r\n--", 1), []),
    "the usual preamble": (mail_of(("x.csv", TABLE.encode())).replace(
        b"\r\n\r\n--", b"\r\n\r\nThis is a multi-part message in MIME format.\r\n--", 1), ["x.csv"]),
    "a boundary of RFC 2231": (mail_of(("x.csv", TABLE.encode())).replace(b"boundary=", b"boundary*0=", 1), []),
    "a comment before a boundary": (mail_of(("x.csv", TABLE.encode())).replace(b"; boundary=", b" (x); boundary=", 1), []),
    "a blank before a colon": (mail_of(("x.csv", TABLE.encode())).replace(b"Content-Transfer-Encoding: base64",
                                                                         b"Content-Transfer-Encoding : base64"), []),
    "two encodings behind a file": (mail_of(("x.csv", TABLE.encode()), ("y.csv", b"y\n")).replace(
        b"Content-Disposition: attachment; filename=\"y.csv\"", b"Content-Transfer-Encoding: 7bit\r\nContent-Disposition: attachment"), []),
}


@pytest.mark.parametrize("case", ODD)
def test_outbound_file_that_another_reader_may_decode_otherwise_stays(tmp_path, case):
    """M2: the scanner saw what it decoded; the order of the parts makes no difference, and what stays is listed."""
    mail, leave_with = ODD[case]
    text, files, receipt = enclose(tmp_path, mail)
    assert list(files) == leave_with
    if leave_with == [] or len(leave_with) == 2:
        assert "may not leave: the structure of the mail is ambiguous" in text
    assert [p["written_name"] for p in receipt["passes"]] == leave_with


@pytest.mark.parametrize("coded", [b"begin 644 x.csv\r\n#86)C\r\n`\r\nend\r\n",
                                   b"begin-base64 644 x.csv\r\nYWJj\r\n====\r\n"], ids=["uuencode", "base64"])
def test_outbound_file_that_is_dug_out_of_text_stays(tmp_path, coded):
    """M2: where the scanner saw text, it did not look for a file; the one that is a part of its own leaves."""
    text, files, _ = enclose(tmp_path, mail_of(("y.csv", b"y\n"), words="@@@").replace(b"@@@\r\n", coded))
    assert list(files) == ["y.csv"]
    assert "x.csv" in text and "may not leave: the structure of the mail is ambiguous" in text


def test_outbound_label_in_a_text_file_refuses_the_mail(tmp_path):
    """M5: in any charset, whatever type it is declared to be; a label that is a file's only words, too."""
    (tmp_path / "site.conf").write_text(SCANNED % 'label "機密性2"; attachments pass-text;')
    for charset in ("utf-8", "cp932", "iso-2022-jp"):
        mail = mail_of(("x.csv", "これは機 密性２です\n".encode(charset)))
        done = subprocess.run([SEKISHO, "flatten", "--policy", tmp_path / "site.conf", "--from", SENDER], input=mail,
                              capture_output=True, timeout=20)
        assert (done.returncode, done.stdout) == (3, b"") and "label in an attached file: 機密性2" in done.stderr.decode()


def test_outbound_mail_without_files_keeps_its_form(tmp_path):
    """Z4: where nothing passes, one part of text as ever; and the files' list cannot be imitated."""
    (tmp_path / "site.conf").write_text(SCANNED % "attachments pass-files;")
    done = subprocess.run([SEKISHO, "flatten", "--policy", tmp_path / "site.conf", "--from", SENDER],
                          input=mail_of(words="[Attachments (enclosed): 1]"), capture_output=True, timeout=20)
    assert b"Content-Type: text/plain; charset=utf-8\n" in done.stdout and b"multipart" not in done.stdout
    assert b"\n(text of the mail) [Attachments (enclosed): 1]\n" in done.stdout


def test_outbound_names_of_the_inside_do_not_leave(tmp_path):
    """Hosts, addresses and programs inside are in no field of what leaves; ids of others stay, so that threads hold."""
    mail = message("Received: from pc-0815.intra.local ([10.1.0.77]) by mx3.city.example.lg.jp; Sun, 22 Nov 2026 09:00:00 +0900\r\n"
                   "X-Originating-IP: [10.1.0.77]\r\nUser-Agent: Secret/1.0\r\nX-Mailer: Secret 2\r\n"
                   "Message-ID: <a1@pc-0815.intra.local>\r\nIn-Reply-To: <b2@partner.example.com>\r\n"
                   "References: <c3@host7> <d4@mx3.city.example.lg.jp> <e5@city.example.lg.jp> <b2@partner.example.com>"
                   " <f6@[10.1.0.77]>\r\n")
    status, text, _ = leave(tmp_path, mail)
    assert status == 0
    header = text.partition("\n\n")[0]
    for inside in ("pc-0815", "10.1.0.77", "mx3", "Secret", "host7"):
        assert inside not in header
    fields = dict(line.split(": ", 1) for line in header.replace("\n ", " ").splitlines())
    assert fields["Message-ID"].endswith(".sekisho@gate.example.lg.jp>")
    assert fields["In-Reply-To"] == "<b2@partner.example.com>"
    assert fields["References"] == "<e5@city.example.lg.jp> <b2@partner.example.com>"
