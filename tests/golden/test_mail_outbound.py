# SPDX-License-Identifier: GPL-2.0-or-later
"""What may leave (M3, M4, M5, M7): `sekisho flatten` with a mail entry that has an outbound block."""

import base64
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
