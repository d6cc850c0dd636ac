# SPDX-License-Identifier: GPL-2.0-or-later
"""The mail that the demo sends: an HTML newsletter as Japanese offices get them, with what must not come through.

Subject and names are in ISO-2022-JP, the HTML is Shift_JIS (CP932) in quoted-printable with characters that break naive
converters (①, ㈱, 髙, ～, half-width kana), and there are a script, a tracking pixel and an attachment.
"""

import base64
import email
import email.policy
import quopri

SENDER = "annai@example.com"
RECIPIENT = "kikaku@city.example.lg.jp"
SUBJECT = "【重要】住民税システム改修のご案内"

# Every line that the clerk must be able to read, to the letter and in this order.
LINES = [
    "株式会社サンプル 髙橋です。いつもお世話になっております。",
    "下記のとおり改修を実施いたしますので、ご確認をお願いいたします。",
    "① 日時:令和8年12月5日(土)22:00～翌6:00",
    "② 対象:個人住民税・固定資産税の各画面",
    "③ 担当:㈱サンプル 運用部 山﨑(内線1234)",
    "作業中は検索画面をご利用いただけません。",
]
NOT_TEXT = ["<", "alert(", "tracker", "display:none"]
LINK = "https://www.example.com/oshirase?id=20261205"
ATTACHMENT = "改修手順書.xlsm"

HTML = f"""<html><head><meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">
<title>ご案内</title><script>alert("開かないでください");</script>
<style>.x {{ color: #333 }}</style></head><body bgcolor="#ffffff">
<p class="x">{LINES[0]}</p><p>{LINES[1]}</p>
<div><b>{LINES[2]}</b></div><div>{LINES[3]}</div><div>{LINES[4]}</div>
<p>{LINES[5]}</p>
<p>詳細は<a href="{LINK}">お知らせのページ</a>をご覧ください。</p>
<img src="http://tracker.example.com/pixel.gif?u=kikaku" width="1" height="1" alt="">
</body></html>
"""


def word(text):
    """An RFC 2047 word in ISO-2022-JP."""
    return "=?ISO-2022-JP?B?" + base64.b64encode(text.encode("iso-2022-jp")).decode() + "?="


def original():
    """The message as it leaves the sender, CRLF lines."""
    body = quopri.encodestring(HTML.replace("\n", "\r\n").encode("cp932")).decode()
    attachment = base64.encodebytes(b"PK\x03\x04" + b"macro " * 200).decode()
    name = base64.b64encode(ATTACHMENT.encode("iso-2022-jp")).decode()
    text = f"""\
Date: Fri, 20 Nov 2026 10:15:00 +0900
From: {word("高橋")} <{SENDER}>
To: {word("企画課")} <{RECIPIENT}>
Subject: {word(SUBJECT[:9])}
 {word(SUBJECT[9:])}
Message-ID: <20261120.1015.demo@example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_demo"

--=_demo
Content-Type: text/html; charset=Shift_JIS
Content-Transfer-Encoding: quoted-printable

{body}
--=_demo
Content-Type: application/vnd.ms-excel.sheet.macroEnabled.12; name="=?ISO-2022-JP?B?{name}?="
Content-Disposition: attachment; filename="=?ISO-2022-JP?B?{name}?="
Content-Transfer-Encoding: base64

{attachment}--=_demo--
"""
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode("ascii")


def as_received(delivered):
    """The message as the MTA got it over the wire: without the fields that it wrote on top itself, CRLF lines."""
    lines = delivered.replace(b"\r\n", b"\n").split(b"\n")
    at = 0
    while lines[at].lower().startswith((b"return-path:", b"x-original-to:", b"delivered-to:")):
        at += 1
    assert lines[at].startswith(b"Received:"), "the MTA did not say that it received the mail"
    at += 1
    while lines[at].startswith((b" ", b"\t")):
        at += 1
    return b"\r\n".join(lines[at:])


def problems(received):
    """What is wrong with the flattened mail; nothing when every letter is right."""
    message = email.message_from_bytes(received, policy=email.policy.default)
    found = []
    if message.is_multipart() or message.get_content_type() != "text/plain":
        return ["the mail is not one part of plain text"]
    text = message.get_content()
    if message["Subject"] != SUBJECT:
        found.append(f"the subject is {message['Subject']!r}")
    at = 0
    for line in LINES:
        place = text.find(line, at)
        if place < 0:
            found.append(f"missing or out of order: {line}")
        at = max(at, place)
    found += [f"came through: {bad!r}" for bad in NOT_TEXT if bad in text.replace(f"<{LINK}>", "")]
    found += [f"not shown: {needed}" for needed in (LINK, ATTACHMENT) if needed not in text]
    return found
