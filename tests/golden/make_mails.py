#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the golden mails, mail/*.eml: every Japanese variant and oddity, octet by octet. The expected texts beside them
were read by a person; `make_mails.py --check` only says whether the mails on disk are what this writes."""

import base64
import binascii
import pathlib
import re
import struct
import sys
import urllib.parse
import zlib

HERE = pathlib.Path(__file__).resolve().parent / "mail"
HEAD = b"From: =?UTF-8?B?" + base64.b64encode("山田 太郎".encode()) + b"?= <taro@example.jp>\n" \
    b"To: hanako@city.example.lg.jp\nDate: Sun, 22 Nov 2026 09:00:00 +0900\nMIME-Version: 1.0\n"


def jis(text, end=b"\x1b(B"):
    """7-bit JIS with CP932's repertoire and kana in ESC ( I; every line ends in ASCII unless `end` says otherwise."""
    designations = {"A": b"\x1b(B", "B": b"\x1b$B", "I": b"\x1b(I"}
    out, mode = b"", "A"
    for char in text:
        octets = char.encode("cp932")
        now = "B" if len(octets) == 2 else "I" if octets[0] >= 0x80 else "A"
        if now != mode:
            out, mode = out + designations[now], now
        if now == "A":
            out += octets
        elif now == "I":
            out += bytes((octets[0] - 0x80,))
        else:
            lead, trail = octets
            row = (lead - (0x81 if lead < 0xA0 else 0xC1)) * 2 + (trail >= 0x9F)
            cell = trail - 0x9F if trail >= 0x9F else trail - 0x40 - (trail > 0x7F)
            out += bytes((row + 0x21, cell + 0x21))
    return out if mode == "A" else out + end


def unjis(octets):
    """The reverse of jis(), for whoever has no converter that knows CP932's repertoire in 7-bit JIS."""
    out = ""
    for piece in re.split(rb"(?=\x1b[($])", octets):
        set_, rest = (piece[:3], piece[3:]) if piece[:1] == b"\x1b" else (b"\x1b(B", piece)
        if set_ == b"\x1b(I":
            out += bytes(octet + 0x80 for octet in rest).decode("cp932", "replace")
        elif set_ == b"\x1b$B":
            for row, cell in zip(*[(octet - 0x21 for octet in rest)] * 2):
                lead, trail = row // 2 + 0x81, cell + (0x9F if row % 2 else 0x40 + (cell > 0x3E))
                out += bytes((lead + (0x40 if lead > 0x9F else 0), trail)).decode("cp932", "replace")
        else:
            out += rest.decode("ascii", "replace")
    return out


def jis_lines(text):
    return b"\n".join(jis(line) for line in text.split("\n"))


def word(octets, charset="UTF-8"):
    return b"=?" + charset.encode() + b"?B?" + base64.b64encode(octets) + b"?="


def single(subject, ctype, body, encoding="8bit", head=HEAD):
    return (head + b"Subject: " + subject + b"\nMessage-ID: <golden@example.jp>\nContent-Type: " + ctype.encode()
            + b"\nContent-Transfer-Encoding: " + encoding.encode() + b"\n\n" + body)


def quoted(octets):
    """Quoted-printable with short lines."""
    lines, line = [], ""
    for octet in octets:
        char = chr(octet) if 32 < octet < 127 and octet != 61 else f"={octet:02X}"
        if octet == 10:
            lines, line = lines + [line], ""
            continue
        if len(line) + len(char) > 72:
            lines, line = lines + [line + "="], ""
        line += char
    return "\n".join(lines + [line]).encode()


def part(header, body):
    return header.encode() + b"\n\n" + body + b"\n"


def multipart(kind, boundary, *parts):
    out = f"Content-Type: multipart/{kind}; boundary=\"{boundary}\"\n\n".encode()
    for one in parts:
        out += b"--" + boundary.encode() + b"\n" + one
    return out + b"--" + boundary.encode() + b"--\n"


def zip_of(name, content, encrypted, utf8=False):
    """One stored entry; the encryption is only claimed, as the reader of its directory sees it."""
    raw, flags = name.encode("utf-8" if utf8 else "cp932"), encrypted + (0x800 if utf8 else 0)
    fields = struct.pack("<HHHHHIIIHH", 20, flags, 0, 0, 0x5B6A, zlib.crc32(content), len(content), len(content), len(raw), 0)
    local = b"PK\3\4" + fields + raw + content
    entry = b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0) + raw
    return local + entry + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)


def der(tag, *contents):
    """An element of definite length."""
    content = b"".join(contents)
    size = len(content)
    length = bytes((size,)) if size < 128 else bytes((0x82, size >> 8, size & 255))
    return bytes((tag,)) + length + content


def signed(entity, pieces=1):
    """Opaque S/MIME: SignedData around the entity, the content in one string or, in BER, in pieces without lengths."""
    oid = der(6, bytes.fromhex("2a864886f70d010702"))
    data = der(6, bytes.fromhex("2a864886f70d010701"))
    if pieces == 1:
        content = der(0xA0, der(4, entity))
    else:
        step = len(entity) // pieces + 1
        content = b"\xa0\x80\x24\x80" + b"".join(der(4, entity[at:at + step]) for at in range(0, len(entity), step)) \
            + b"\0\0" b"\0\0"
    inner = der(2, b"\1") + der(0x31) + (der(0x30, data, content) if pieces == 1 else b"\x30\x80" + data + content + b"\0\0")
    return der(0x30, oid, der(0xA0, der(0x30, inner)))


def tnef(*attributes):
    out = struct.pack("<IH", 0x223E9F78, 1)
    for level, number, content in attributes:
        out += struct.pack("<BII", level, number, len(content)) + content + struct.pack("<H", sum(content) & 0xFFFF)
    return out


def tnef_properties(*properties):
    out = struct.pack("<I", len(properties))
    for number, text in properties:
        raw = text.encode("utf-16le") + b"\0\0"
        out += struct.pack("<HHII", 0x1F, number, 1, len(raw)) + raw + bytes(-len(raw) % 4)
    return out


def rtf_packed(rtf):
    """Compressed RTF as its format allows it to be written: with literals, and one reference into what the ring begins with."""
    ring_end = 207
    assert rtf.startswith(b"{\\rtf1\\ansi")
    items = [(0 << 4) | 8]                      # the first ten octets stand at the ring's beginning
    items += list(rtf[10:]) + [None]
    out, at, place = b"", 0, ring_end
    while at < len(items):
        control, run = 0, b""
        for bit, item in enumerate(items[at:at + 8]):
            if item is None:
                control, run = control | 1 << bit, run + struct.pack(">H", (place % 4096) << 4)
            elif at + bit == 0:
                control, run, place = control | 1, run + struct.pack(">H", item), place + 10
            else:
                run, place = run + bytes((item,)), place + 1
        out, at = out + bytes((control,)) + run, at + 8
    return struct.pack("<II4sI", len(out) + 12, len(rtf), b"LZFu", 0) + out


def tnef_binary(number, octets):
    return struct.pack("<HHII", 0x102, number, 1, len(octets)) + octets + bytes(-len(octets) % 4)


def tnef_long(number, value):
    return struct.pack("<HHI", 3, number, value)


def winmail(*attributes):
    return HEAD + b"Subject: tnef\n" + multipart("mixed", "b", part(
        "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64",
        base64.encodebytes(tnef(*attributes))))


RTF = (r"{\rtf1\ansi\ansicpg932\deff0{\fonttbl{\f0\fcharset128 MS Gothic;}{\f1\fcharset204 Arial;}}{\colortbl;\red0\green0\blue0;}"
       r"\f0\uc1 RTF\'82\'cc\'96{\b\'7b\'95\'b6}\par \u26085?\u26412?\u-10179?\u-8704? {\f1\'cf\'f0\'e8} \{\'95\\\}\par "
       r"{\field{\*\fldinst HYPERLINK https://www.example.jp/}{\fldrslt link}}\par a\tab b\line \bullet c{\*\unknown hidden}}"
       ).replace("\\'96{\\b\\'7b", "{\\b\\'96\\'7b").replace("\\'95\\\\", "\\'95\\'5c").encode()
RTF_OF_HTML = (r"{\rtf1\ansi\ansicpg932\fromhtml1 \deff0{\fonttbl{\f0\fcharset128 MS Gothic;}}"
               r"{\*\htmltag19 <html>}{\*\htmltag50 <body>}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 HTML\'82\'cc\htmlrtf\par}\htmlrtf0 "
               r"{\*\htmltag84 <b>}\'96\'7b\'95\'b6{\*\htmltag92 </b>}{\*\htmltag84 &nbsp;}\htmlrtf \'a0\htmlrtf0 "
               r"{\*\htmltag84 <a href=\"https://www.example.jp/\">}here{\*\mhtmltag84 <a href=\"x\">}{\*\htmltag92 </a>}"
               r"{\*\htmltag72 </p>}{\*\htmltag58 </body>}}").encode()

def rar5(kind, flags, body):
    """A block of RAR 5: checksum, size, type, flags and the rest of its header."""
    head = bytes((kind, flags)) + body
    return bytes(4) + bytes((len(head),)) + head


OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def dangers():
    """Name, declared type and octets of attachments that are more than they seem, or cannot be looked into."""
    yield "請求書.pdf.exe", "application/pdf", b"MZ\0\0"
    yield "請求書\u202efdp.scr", "application/octet-stream", b"MZ\0\0"
    yield "link.lnk", "application/octet-stream", b"L\0\0\0\x01\x14\x02\0" + bytes(20)
    yield "disk.iso", "application/octet-stream", bytes(0x8001) + b"CD001"
    yield "page.html", "text/html", b"<!DOCTYPE html><script>URL.createObjectURL(new Blob([x]))</script>"
    yield "macro.xls", "application/vnd.ms-excel", OLE + "Workbook".encode("utf-16le") + "_VBA_PROJECT".encode("utf-16le")
    yield "plain.doc", "application/msword", OLE + "WordDocument".encode("utf-16le")
    yield "locked.docx", "application/octet-stream", OLE + "EncryptedPackage".encode("utf-16le")
    yield "macro.docx", "application/octet-stream", zip_of("[Content_Types].xml", b"word/document.xml word/vbaProject.bin", False)
    yield "locked.pdf", "application/pdf", b"%PDF-1.7\ntrailer << /Encrypt 5 0 R >>"
    yield "script.pdf", "application/pdf", b"%PDF-1.7\n<< /S /JavaScript >>"
    yield "locked.7z", "application/x-7z-compressed", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(4) + struct.pack("<QQI", 0, 6, 0) \
        + b"\x17\x06\xf1\x07\x01\x00"
    yield "open.7z", "application/x-7z-compressed", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(4) + struct.pack("<QQI", 0, 2, 0) + b"\x17\x06"
    yield "names-locked.rar", "application/x-rar", b"Rar!\x1a\7\1\0" + rar5(1, 0, b"\0") + rar5(4, 0, b"\0\0")
    yield "locked.rar", "application/x-rar", b"Rar!\x1a\7\1\0" + rar5(1, 0, b"\0") + rar5(2, 1, b"\x03name\x02\x01\0")
    yield "open.rar", "application/x-rar", b"Rar!\x1a\7\1\0" + rar5(1, 0, b"\0") + rar5(2, 1, b"\x03name\x02\x02\0")
    yield "locked4.rar", "application/x-rar", b"Rar!\x1a\7\0" + struct.pack("<HBHH", 0, 0x73, 0, 13) + bytes(6) \
        + struct.pack("<HBHHI", 0, 0x74, 4, 11, 0)
    yield "files.zip", "application/zip", zip_of("資料/setup.exe", b"MZ", False)
    yield "utf8.zip", "application/zip", zip_of("資料①.txt", b"x", True, utf8=True)


CALENDAR = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Tokyo
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:定例会議\\, 第3回
DTSTART:20261122T233000Z
DTEND;TZID=Asia/Tokyo:20261123T093000
LOCATION:本庁舎3階 第二会議室
ORGANIZER;CN="山田 太郎":mailto:taro@example.jp
ATTENDEE;CN=花子:mailto:hanako@city.example.lg.jp
DESCRIPTION:議題\\n1. 予算\\n2. その他の長い説明がここで
  折り返される
BEGIN:VALARM
DESCRIPTION:alarm
END:VALARM
END:VEVENT
END:VCALENDAR
"""

CANCELLED = """BEGIN:VCALENDAR
METHOD:CANCEL
BEGIN:VTIMEZONE
TZID:Singapore Standard Time
BEGIN:STANDARD
TZOFFSETFROM:+0800
TZOFFSETTO:+0800
END:STANDARD
END:VTIMEZONE
BEGIN:VTIMEZONE
TZID:Pacific
BEGIN:STANDARD
TZOFFSETTO:-0800
END:STANDARD
BEGIN:DAYLIGHT
TZOFFSETTO:-0700
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:中止になった会議
STATUS:CANCELLED
RECURRENCE-ID;TZID="Singapore Standard Time":20261123T233000
DTSTART;TZID="Singapore Standard Time":20261123T233000
DTEND;TZID=Pacific:20261124T090000
ATTENDEE;CN=花子;PARTSTAT=DECLINED:mailto:hanako@city.example.lg.jp
ATTENDEE;CN=次郎;PARTSTAT=NEEDS-ACTION:mailto:jiro@city.example.lg.jp
END:VEVENT
END:VCALENDAR
"""

RECURRING = "BEGIN:VCALENDAR\n" + "".join(f"""BEGIN:VEVENT
SUMMARY:定例 {number}
DTSTART;VALUE=DATE:20261122
DURATION:PT1H
RRULE:{rule}
EXDATE:20261206T000000Z
STATUS:TENTATIVE
END:VEVENT
""" for number, rule in enumerate((
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20271231T000000Z", "FREQ=MONTHLY;BYDAY=2TU;COUNT=10", "FREQ=MONTHLY;BYDAY=-1FR;WKST=SU",
    "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=1", "FREQ=DAILY;BYSETPOS=1;BYHOUR=9", "FREQ=SOMETIMES"))) + "END:VCALENDAR\n"

STATUS = """Reporting-MTA: dns; mx.example.com
Arrival-Date: Sun, 22 Nov 2026 08:00:00 +0900

Final-Recipient: rfc822; nobody@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; 550 5.1.1 <nobody@example.com>
 User unknown

Final-Recipient: rfc822; slow@example.com
Action: delayed
Status: 4.4.1
"""

NEWSLETTER = """<html><head><title>秋の市民講座</title><style>.x{color:red}</style></head><body bgcolor="#ffffff">
<div style="display:none">プレビュー用の隠し文字</div>
<table width="600"><tr><td><img src="logo.gif" alt="例示市"></td><td></td></tr></table>
<h1>秋の市民講座のご案内</h1>
<p>平素より市政に
ご協力いただき、ありがとうございます。<br>①㈱髙島 の講座です。</p>
<table border="1"><tr><th>日</th><th>内容</th><th>定員</th></tr>
<tr><td>11/3</td><td>防災</td><td>30名</td></tr><tr><td>11/10</td><td></td><td>20名</td></tr></table>
<ul><li>持ち物: 筆記用具</li><li>会場
<ol><li>本庁舎</li><li>東支所</li></ol></li></ul>
<p>お申し込みは<a href="https://www.city.example.lg.jp/koza?id=1&amp;x=2">こちら</a>、
または <a href="mailto:koza@city.example.lg.jp">koza@city.example.lg.jp</a> まで。</p>
<p><ruby>例示<rp>(</rp><rt>れいじ</rt><rp>)</rp></ruby>市 <del>1,000円</del> 500円 10<sup>2</sup></p>
<blockquote>前回のご感想: 「楽しかった」</blockquote>
<pre>  行1
    行2</pre></body></html>
"""

DECEIT = """<p>重要なお知らせ <a href="https://login.evil.example.net/x">https://www.bank.example.jp/</a></p>
<p><a href="https://www.bank.example.jp@evil.example.net/">ログイン</a>
<a href="javascript:alert(1)">押す</a> <a href="data:text/html,x">開く</a>
<a href="https://xn--eckwd4c7c.example/">国際</a></p>
<p style="font-size:0">極小の文字</p><p style="color:#fff">白い文字</p><p style="position:absolute;left:-9999px">画面外</p>
<script>alert(1)</script><iframe src="https://evil.example.net/"></iframe>
<form action="https://evil.example.net/post"><input type="text" value="名前"></form>
"""


SHEETS = """<!DOCTYPE html><html><head><style>
.preheader { display: none !important } .card .note > b { color: #fefefe } td#i.x { font: 0/0 a }
@media screen { .s { clip-path: inset(100%) } } @media print { .p { display: none } }
@media only screen and (max-width: 600px) { .wide { display: none } }
[data-x^=h] { position: absolute; left: -9999px } .off { visibility: hidden } .off .on { visibility: visible }
i + u { opacity: .01 } .lost { transform: scale(0) } .lost.found { transform: none }
</style></head><body><div class="preheader">開封前の要約&#847;&nbsp;&zwnj;</div>
<div class="card"><p class="note">見える<b>隠0</b></p></div>
<table><tbody><tr><td id="i" class="x">隠1<span style="font-size:14px">これも見える</span></td></tr></tbody></table>
<p class="s">隠2</p><p class="p">紙で消えるだけ</p><p class="wide">狭い画面で消えるだけ</p><p data-x="hide">隠3</p>
<div class="off">隠4<span class="on">中で見える</span></div><p><i>斜体</i><u>隠5</u></p><p class="lost">隠6</p>
<p class="lost found">打ち消された</p><a style="opacity:0" href="https://example.jp/hidden">隠7</a>
<div style="background:#223344"><font color="#233445">隠8</font><font color="#ffffff">白い字</font></div></body></html>
"""


# What says the same in the text and in the HTML of a mail, as mailers write it.
SAME_FACTS = (
    ("https://www.city.example.jp/bosai", "<a href=https://click.mailer.example.com/abc>詳細</a>"),
    ("https://click.mailer.example.com/abd", "<a href=https://click.mailer.example.com/abd>https://city.example.jp/stop</a>"),
    ("TEL 03-1234-5678", "TEL 03(1234)5678"), ("TEL 0120 123 456", "TEL 0120\u2010123\u2010456"),
    ("FAX ０３－１２３４－９９９９", "FAX (03) 1234-9999"), ("価格 １，０００円", "価格 1,000円"), ("2026-11-23 受付", "2026年11月23日(月) 受付"),
    ("2026.11.24 10:00", "2026/11/24 10時"), ("会員番号:12345678", "会員番号:1234 5678"), ("第100号", "(c) 2026"),
    ("https://example.jpをご覧", "<a href=https://example.jp/>example.jp</a>をご覧"), ("info＠example.jp", "info@example.jp"),
)


def mails():
    subject = word(jis("【重要】①㈱髙島屋からのお知らせｶﾅ"), "ISO-2022-JP")
    yield "jis-newsletter", single(subject, "text/html; charset=ISO-2022-JP", jis_lines(NEWSLETTER), "7bit")
    yield "jis-plain", single(
        subject, "text/plain; charset=iso-2022-jp",
        jis_lines("①②⑳ ⅠⅡ ㍉㌔ ㈱㈲ №℡ 髙﨑 丨彅 〜‖−¢£¬ ～∥－\n半角ｶﾅ ﾊﾟﾋﾟﾌﾟ\n波ダッシュ〜".replace("〜", "～").replace(
            "‖", "∥").replace("−", "－").replace("¢", "￠").replace("£", "￡").replace("¬", "￢"))
        + b"\nSO/SI: \x0e1=\x0f end\n8-bit: \xb6\xc5\nold: \x1b$@4A;z\x1b(J ok\nforgot: " + jis("閉じ忘れ", b"")
        + b"\nnext line is ASCII\n0212: \x1b$(D0!\x1b(B gaiji: \x1b$B~~\x1b(B\n", "7bit")
    yield "sjis-newsletter", single(word("シフトJIS".encode("cp932"), "Shift_JIS"), "text/html; charset=Shift_JIS",
                                    quoted(NEWSLETTER.encode("cp932")), "quoted-printable")
    yield "eucjp-plain", single(word("日本語EUC".encode("euc_jp"), "EUC-JP"), "text/plain; charset=EUC-JP",
                                "日本語のメールです。\n".encode("euc_jp") + b"\xad\xa1 \xad\xea \x8e\xb6\x8e\xc5 \x8f\xb0\xa1 \xf5\xa1\n")
    yield "sjis-gaiji", single(b"gaiji", "text/plain; charset=x-sjis",
                               "外字: ".encode("cp932") + b"\xf0\x40 \xf9\x8b \x81\xad\xff ok\n")
    yield "latin", single(b"=?ISO-8859-1?Q?Gr=FC=DFe_aus_K=F6ln?=", "text/plain; charset=iso-8859-15",
                          "Grüße, 5 €\n".encode("iso8859-15"))
    yield "split-words", single(
        b"=?UTF-8?B?" + base64.b64encode("分割された件".encode()[:10]) + b"?=\n =?utf-8?B?"
        + base64.b64encode("分割された件".encode()[10:] + "名".encode()) + b"?= =?ISO-2022-JP?Q?" + b"=1B$B4A"
        + b"?= =?ISO-2022-JP?Q?;z=1B(B?= (=?UTF-8?Q?=E6=8B=AC=E5=BC=A7?=) plain", "text/plain; charset=us-ascii", b"x\n")
    yield "label-jis-as-ascii", single(jis("生のJIS件名"), "text/plain; charset=us-ascii", jis_lines("これはJISです。\n"), "7bit")
    yield "label-none-sjis", single("生のSJIS件名".encode("cp932"), "text/plain",
                                    "ラベルのないシフトJISの本文です。よろしくお願いします。\n".encode("cp932"))
    yield "label-utf8-as-latin", single("生のUTF-8件名".encode(), "text/plain; charset=iso-8859-1",
                                        "実はUTF-8の本文です。\n".encode())
    yield "label-euc-as-sjis", single(b"x", "text/plain; charset=Shift_JIS", "日本語の文章を書いています。漢字とかな。\n".encode("euc_jp"))
    yield "attachments", HEAD + b"Subject: files\n" + multipart(
        "mixed", "=_b1",
        part("Content-Type: text/plain; charset=utf-8", "添付のとおりです。\n".encode()),
        part("Content-Type: application/pdf; name=\"=?ISO-2022-JP?B?" + base64.b64encode(jis("見積書.pdf")).decode()
             + "?=\"\nContent-Disposition: attachment;\n filename*0*=UTF-8''%E8%A6%8B%E7%A9%8D;\n filename*1*=%E6%9B%B8.pdf\n"
             "Content-Transfer-Encoding: base64", base64.encodebytes(b"%PDF-1.4 example")),
        part("Content-Type: application/octet-stream; name=\"invoice.txt\"\nContent-Disposition: attachment; "
             "filename=\"invoice.exe\"\nContent-Transfer-Encoding: base64", base64.encodebytes(b"MZ\0\0 not really")),
        part("Content-Type: application/zip\nContent-Disposition: attachment; filename=\"data.zip\"\n"
             "Content-Transfer-Encoding: base64", base64.encodebytes(zip_of("名簿.xlsx", b"secret", True))))
    yield "alternative", HEAD + b"Subject: both\n" + multipart(
        "alternative", "b", part("Content-Type: text/plain; charset=utf-8", "同じ内容のお知らせです。会議は三階で行います。\n".encode()),
        part("Content-Type: text/html; charset=utf-8", "<p>同じ内容のお知らせです。<b>会議</b>は三階で行います。</p>".encode()))
    yield "alternative-stub", HEAD + b"Subject: stub\n" + multipart(
        "alternative", "b", part("Content-Type: text/plain; charset=utf-8", "HTML対応のメールソフトでご覧ください。\n".encode()),
        part("Content-Type: text/html; charset=utf-8", "<p>本当の本文です。</p>".encode()))
    yield "alternative-differs", HEAD + b"Subject: two\n" + multipart(
        "alternative", "b",
        part("Content-Type: text/plain; charset=utf-8", ("来週の会議の資料をお送りします。ご確認のうえ、ご意見があれば金曜日までにお知らせください。"
                                                         "会場は本庁舎三階の第二会議室です。").encode()),
        part("Content-Type: text/html; charset=utf-8", ("<p>あなたの口座は凍結されました。至急、次のページで暗証番号を入力して本人確認を"
                                                        "済ませてください。期限を過ぎると全額が失われます。</p>").encode()))
    yield "alternative-short-differs", HEAD + b"Subject: short\n" + multipart(
        "alternative", "b", part("Content-Type: text/plain; charset=utf-8", "会議は三階の第二会議室です。\n".encode()),
        part("Content-Type: text/html; charset=utf-8", "<p>口座が凍結されました。暗証番号を入力。</p>".encode()))
    yield "alternative-html-says-more", HEAD + b"Subject: more\n" + multipart(
        "alternative", "b", part("Content-Type: text/plain; charset=utf-8", "お知らせが届きました。今月の号です。\n".encode()),
        part("Content-Type: text/html; charset=utf-8", ("<p>お知らせが届きました。今月の号です。</p>" + "".join(
            f"<p>第{chr(0x4E00 + 31 * n)}章 {''.join(chr(0x4E00 + n * 97 + k * 13) for k in range(20))}</p>" for n in range(25))).encode()))
    inner = b"From: =?UTF-8?Q?=E9=88=B4=E6=9C=A8?= <suzuki@example.com>\nTo: taro@example.jp\nSubject: " + word("元の件名".encode()) \
        + b"\nDate: Sat, 21 Nov 2026 10:00:00 +0900\nContent-Type: text/plain; charset=utf-8\n\n" + "転送された本文\n二行目\n".encode()
    yield "forwarded", HEAD + b"Subject: Fwd\n" + multipart(
        "mixed", "b", part("Content-Type: text/plain; charset=utf-8", "転送します。\n".encode()),
        part("Content-Type: message/rfc822", inner))
    yield "flowed", single(b"flowed", "text/plain; charset=utf-8; format=flowed; delsp=yes",
                           "長い段落は ここで 折り返され \nていますが、つながり \nます。\n>引用 \n>の続き\n-- \n署名\n".encode())
    yield "deceit", b"From: \"support@bank.example.jp\" <x@evil.example.net>\nReply-To: y@other.example.org\n" \
        b"To: hanako@city.example.lg.jp\nSubject: deceit\nSubject: second\nDate: Sun, 22 Nov 2026 09:00:00 +0900\n" \
        b"Content-Type: text/html; charset=utf-8\n\n" + DECEIT.encode()
    yield "image-only", single(b"image", "text/html; charset=utf-8", b"<img src=\"https://example.jp/x.png\">")
    yield "empty", single(b"", "text/plain", b"\n")
    yield "unsafe-characters", single(
        word("件名\u202e逆\u200b".encode()), "text/plain; charset=utf-8",
        "制御\x07 ESC\x1b[31m C1\x85 NUL\0 bidi\u202eabc\u202c ゼロ\u200b幅 私用\ue000 非文字\ufdd0\n".encode()
        + "絵文字👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 葛\U000e0100 か\u3099\n".encode() + b"broken \xe3\x81 \xff\xfe end\n"
        + ("あ" * 700).encode() + b"\n")
    yield "ambiguous", HEAD + b"Subject: ambiguous\nContent-Type: text/plain; charset=utf-8\nContent-Type: text/html\n" \
        b"Content-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: base64\n\n<p>text or HTML?</p>\n"
    entity = "Content-Type: text/plain; charset=utf-8\n\n署名された本文\n".encode()
    for name, octets in (("smime-signed", signed(entity)), ("smime-signed-pieces", signed(entity, 3)),
                         ("smime-encrypted", der(0x30, der(6, bytes.fromhex("2a864886f70d010703")), der(0xA0, b"")))):
        yield name, single(b"smime", "application/pkcs7-mime; name=smime.p7m", base64.encodebytes(octets), "base64")
    yield "winmail", HEAD + b"Subject: tnef\n" + multipart("mixed", "b", part(
        "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64", base64.encodebytes(tnef(
            (1, 0x00069007, struct.pack("<II", 932, 0)),
            (1, 0x00069003, tnef_properties((0x0037, "Outlookの件名"), (0x1000, "Outlookの本文です。\r\n二行目"))),
            (2, 0x00069002, bytes(14)), (2, 0x00018010, "短名.TXT".encode("cp932") + b"\0"),
            (2, 0x0006800F, b"attached text"), (2, 0x00069005, tnef_properties((0x3707, "長い名前の資料.txt")))))))
    inner = tnef((1, 0x00069003, tnef_properties((0x0037, "中のメール"), (0x1000, "中の本文"))))
    yield "winmail-rtf", winmail((1, 0x00069007, struct.pack("<II", 932, 0)),
                                 (1, 0x00069003, struct.pack("<I", 1) + tnef_binary(0x1009, rtf_packed(RTF))))
    yield "winmail-rtf-html", winmail((1, 0x00069003, struct.pack("<I", 1) + tnef_binary(0x1009, rtf_packed(RTF_OF_HTML))))
    deep = br"{\rtf1\ansi text\par {\pict\bin9 binary}}\}after\par " + b"{" * 120 + b"below" + b"}" * 120 + b" end}"
    yield "winmail-rtf-deep", winmail((1, 0x00069003, struct.pack("<I", 1) + tnef_binary(0x1009, rtf_packed(deep))))
    yield "winmail-html", winmail(
        (1, 0x00069007, struct.pack("<II", 1252, 0)),
        (1, 0x00069003, struct.pack("<I", 2) + tnef_long(0x3FDE, 50220)
         + tnef_binary(0x1013, b"<p>" + jis("HTMLの本文①") + b"</p>")))
    yield "winmail-nested", winmail(
        (1, 0x00069003, tnef_properties((0x1000, "外の本文"))), (2, 0x00069002, bytes(14)),
        (2, 0x00069005, struct.pack("<I", 3) + tnef_properties((0x3707, "転送.msg"))[4:] + tnef_long(0x3705, 5)
         + struct.pack("<HHII", 0x0D, 0x3701, 1, 16 + len(inner)) + bytes(16) + inner + bytes(-len(inner) % 4)),
        (2, 0x00069002, bytes(14)), (2, 0x00018010, b"\x8e\x91\x97\xbf.doc\0"), (2, 0x0006800F, b"text"))
    yield "winmail-broken", winmail((1, 0x00069003, struct.pack("<I", 1) + tnef_binary(0x1009, rtf_packed(RTF)[:-60])))
    yield "winmail-nothing", winmail((1, 0x00069007, struct.pack("<II", 932, 0)))
    uu = b"".join(binascii.b2a_uu(b"%PDF-1.4 in uuencode, long enough for two lines of it"[at:at + 45]) for at in (0, 45))
    yield "embedded-files", single(b"embedded", "text/plain; charset=iso-2022-jp", jis("本文") + b"\nbegin 644 " + jis("資料.pdf")
                                   + b"\n" + uu + b"`\nend\n" + jis("続き") + b"\nbegin-base64 644 b.txt\nYmFzZTY0\n====\n"
                                   b"=ybegin line=128 size=123456 name=photo 1.jpg\n\x1b(Babc\n=yend size=123456\n"
                                   b"(This file must be converted with BinHex 4.0)\n\n:abc\ndef:\nbegin 2026 is no file\nbegin 644 open\n", "7bit")
    yield "pgp-encrypted-inline", single(b"pgp", "text/plain; charset=utf-8", "前置き\n".encode()
                                         + b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n=abcd\n-----END PGP MESSAGE-----\n")
    yield "pgp-signed-inline", single(
        b"pgp", "text/plain; charset=utf-8", b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + "署名された本文\n".encode()
        + b"-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n")
    yield "pgp-encrypted", HEAD + b"Subject: pgp\n" + multipart(
        "encrypted; protocol=application/pgp-encrypted", "b", part("Content-Type: application/pgp-encrypted", b"Version: 1\n"),
        part("Content-Type: application/octet-stream; name=encrypted.asc", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"))
    yield "dangerous-attachments", HEAD + b"Subject: kinds\n" + multipart("mixed", "b", *(
        part(f"Content-Type: {kind}\nContent-Disposition: attachment; filename*=UTF-8''{urllib.parse.quote(name)}\n"
             "Content-Transfer-Encoding: base64", base64.encodebytes(octets)) for name, kind, octets in dangers()))
    yield "calendar", HEAD + b"Subject: invitation\n" + multipart(
        "alternative", "b", part("Content-Type: text/plain; charset=utf-8", "会議のご案内\n".encode()),
        part("Content-Type: text/calendar; charset=utf-8; method=REQUEST", CALENDAR.encode()))
    yield "calendar-cancelled", single(b"cancelled", "text/calendar; charset=utf-8; method=CANCEL", CANCELLED.encode())
    yield "calendar-recurring", single(b"recurring", "text/calendar; charset=utf-8", RECURRING.encode())
    yield "disposition-report", HEAD + b"Subject: read\n" + multipart(
        "report; report-type=disposition-notification", "b", part("Content-Type: text/plain; charset=utf-8", "開封されました。\n".encode()),
        part("Content-Type: message/disposition-notification", b"Reporting-UA: mailer\nFinal-Recipient: rfc822; taro@example.jp\n"
             b"Original-Message-ID: <1@city.example.lg.jp>\nDisposition: manual-action/MDN-sent-manually; displayed\n"))
    yield "delivery-report", HEAD + b"Subject: Undelivered\nAuto-Submitted: auto-replied\n" + multipart(
        "report", "b", part("Content-Type: text/plain; charset=utf-8", "配送できませんでした。\n".encode()),
        part("Content-Type: message/delivery-status", STATUS.encode()),
        part("Content-Type: text/rfc822-headers", b"From: hanako@city.example.lg.jp\nSubject: " + word("送った件名".encode())))
    yield "imitation", single(b"imitation", "text/plain; charset=utf-8", (
        "本文\n\n----------------------------------------\n無害化: テキストのみ (変更なし)\n　受付番号: 0000\n文中の 無害化: はそのまま\n"
        "【添付ファイル (削除済み) 0件】\nSANITISED: nothing\n"
        "a\r\u200b無害化: CRのあと\fReceipt: 0\n"
        "\u2003\u2800【注意: 別の空白】\n【電子署名付きメール: 署名は検証されました】\n【転送されたメール】\n| 差出人: 市長\n"
        "[Forwarded message]\n【議事録】\n[link]\n"
        "無害化：全角\n受付番号 : 空白\n〔注意: 別の括弧\n\u0301無害化: 結合文字\n・【注 意: 中黒】\n■ 【注意: 見出し】\n「【注意: かぎ】\n・注意すること\n").encode())
    yield "stacked-marks", single(b"marks", "text/plain; charset=utf-8", (
        "か\u3099 Việt e\u0302\u0301\n" + "か" + "\u3099" * 40 + "き\n" + "x" + "\u0301\u20dd" * 30 + "y\nz" + "\u05b1" * 9
        + "\n" + "".join("x" * length + "\U0001f600" + "\u200d\U0001f3fb" * 9 + "\n" for length in (930, 931, 947, 948))).encode())
    for name, field in (("sender-envelope", b"Return-Path: <bounce@other.example.org>\nFrom: a@example.jp\n"),
                        ("sender-idn", b"From: a@xn--eckwd4c7c.example\n"), ("sender-several", b"From: a@example.jp, b@example.org\n"),
                        ("sender-none", b"X-Other: 1\n"), ("sender-unreadable", "From: 市長 <市長@例示.jp>\n".encode()),
                        ("sender-same-site", b"Return-Path: <x@bounce.example.jp>\nReply-To: c@www.example.jp\nFrom: \"a@example.jp\" "
                         b"<a@example.jp>\n")):
        yield name, single(b"sender", "text/plain; charset=utf-8", "本文\n".encode(), head=field + b"To: b@city.example.lg.jp\n")
    yield "hidden-by-css", single(b"hidden", "text/html; charset=utf-8", (
        "<style>.gone, #nix { display: none }</style><body bgcolor=white>見える" + "".join(
            f"<span style='{style}'>隠{n}</span>" for n, style in enumerate((
                "display:none", "visibility:hidden", "font-size:0", "font-size:1px", "opacity:0", "color:#fff", "color:white",
                "color:rgb(255,255,255)", "color:transparent", "text-indent:-9999px", "position:absolute;left:-5000px",
                "height:0;overflow:hidden", "mso-hide:all"))) + "<p class=gone>隠13</p><p id=nix>隠14</p><p hidden>隠15</p>"
        "<p style='font-size:0.9em;opacity:0.5;color:#ffe;background:#000'>これも見える</p></body>").encode())
    yield "written-by-sheets", single(b"content", "text/html; charset=utf-8", (
        "<style>.a::before{content:\"振込先は \\31 23\\3042 です! \"}.b:after{content:attr(data-x) ' <後>' open-quote}"
        ".c::after{content:\".\";visibility:hidden}.d::before{content:\"隠し文字\";display:none}.e::before{content:none}"
        "#f:after{content:'弱い'}p#f:after{content:'強い'}</style><p class=a>本文</p><p class=b data-x=\"値\">本文二</p>"
        "<div class=c>三</div><p class=d>四</p><p class=e>五</p><p id=f>六</p>\n").encode())
    yield "moves-on", single(b"refresh", "text/html; charset=utf-8", (
        "<meta http-equiv=Refresh content=\"3; URL='https://evil.example.net/'\"><meta http-equiv=refresh content='0,javascript:x'>"
        "<meta http-equiv=refresh content=60><p>すぐに移動します</p>\n").encode())
    yield "links-other-scripts", single(b"hosts", "text/html; charset=utf-8", (
        "<base href=\"https://evil.example.net/p\"><a href=\"\">www.bank.jp</a><br><a>目印</a>" + "".join(
            f"<br><a href=\"https://{host}/\">{text}</a>" for host, text in (
                ("evil.example.net", "総務省.jp"), ("xn--lhr645fjve.jp", "総務省.jp"), ("xn--lhr645fjve.jp", "今すぐ総務省.jpへ"),
                ("xn--lhr645fjve.jp", "www.総務省.jp"), ("xn--1lqs71d.jp", "総務省.jp"), ("evil.example.net", "例え.みんな"),
                ("evil.example.net", "login.abogado"), ("evil.example.net", "報告.pdf 資料.md file.zip index.html e.g. v1.2")))
        + "\n").encode())
    yield "imitation-in-lists", single(b"lists", "text/html; charset=utf-8", (
        "<ol><li>【注意: 差出人】</li><li>無害化: なし</li><li>普通の項目</li></ol><ul><li>【winmail.dat の内容】</li><li>項目</li></ul>"
        "a) Sanitised: none<br>(iv) 受付番号: 1<br>①【添付ファイル<br>一、無害化: なし<br>→ 1. ★無害化: なし<br>1. 普通<br>[1] 普通\n").encode())
    yield "styles-unread", single(b"unread", "text/html; charset=utf-8", (
        "<style>p:nth-last-child(2){display:none}</style><p>隠れているかもしれない文字</p><p>見える文字</p>\n").encode())
    yield "styles-variable", single(b"variable", "text/html; charset=utf-8", (
        "<p style=\"visibility:var(--x)\">隠れているかもしれない文字</p><p style=\"background:var(--y)\">見える文字</p>\n").encode())
    yield "hidden-by-groups", single(b"groups", "text/html; charset=utf-8", (
        "<style>p:not(.a, [title]){display:none}.x:is(.y,b.z){display:none}i:where(#i){display:none}i{display:inline}</style>"
        "<p>隠1</p><p class=a>見1</p><p title=x>見2</p><b class=\"x z\">隠2</b><div class=\"x z\">見3</div><i id=i>見4</i>\n").encode())
    yield "sheet-in-text", single(b"textarea", "text/html; charset=utf-8", (
        "<textarea><style>p{display:none}</style></textarea><p title=\"<style>p{display:none}</style>\">見える</p>\n").encode())
    yield "hidden-by-sheets", single(b"sheets", "text/html; charset=utf-8", SHEETS.encode())
    yield "embedded-media", single(b"media", "text/html; charset=utf-8", (
        "<base href=https://news.example.jp/2026/><svg width=9><title>題</title><text>図の字</text></svg><canvas>画布の字</canvas>"
        "<audio src=a.mp3>音の字</audio><video><source src=/v.mp4>動画の字</video><object data=o.swf><p>部品の字</p></object>"
        "<iframe src=https://frame.example.org/></iframe><a href=x>相対</a> <a href=ms-msdt:/id>診断</a> <a href='search-ms:q'>検索</a>"
        ).encode())
    yield "other-texts", HEAD + b"Subject: texts\n" + multipart(
        "mixed", "b", part("Content-Type: text/markdown; charset=utf-8", "# 見出し\n\n*強調*\n".encode()),
        part("Content-Type: text/csv; charset=utf-8", "番号,名前\n1,太郎\n".encode()),
        part("Content-Type: text/enriched", b"<bold>Now</bold> is\nthe time\n\n\nfor <color><param>red</param>all</color> <<good> "
             b"<x-url><param>https://example.jp/</param>men</x-url>\n\n<nofill>a\nb</nofill>\n"),
        part("Content-Type: text/x-unknown", b"unknown\n"), part("Content-Type: text/x-page", b"<html><p>page</p></html>\n"),
        part("Content-Type: text/csv; name=data.csv\nContent-Disposition: inline", b"in,line\n"),
        part("Content-Type: text/csv; name=file.csv", b"a,file\n"))
    for fact, one, other in (("number", "口座 1234567", "口座 7654321"), ("host", "https://a.example.jp/", "https://b.example.net/"),
                             ("address", "連絡先 a@example.jp", "連絡先 b@example.jp"),
                             ("grouped-number", "口座 1234 5678", "口座 ８７６５－４３２１"), ("amount", "金額 50,000円", "金額 90,000円")):
        yield f"alternative-{fact}-differs", HEAD + b"Subject: facts\n" + multipart(
            "alternative", "b", *(part(f"Content-Type: text/{kind}; charset=utf-8", (
                f"平素よりお世話になっております。お支払いの方法が次のとおり変わりましたのでお知らせします。\n\n{form}\n").encode())
                for kind, form in (("plain", one), ("html", other))))
    yield "alternative-same-facts", HEAD + b"Subject: same\n" + multipart("alternative", "b", *(
        part(f"Content-Type: text/{kind}; charset=utf-8", (
            f"防災訓練のお知らせです。詳しくはこちらをご覧のうえ、お申し込みください。\n\n{form}\n").encode()) for kind, form in (
                ("plain", "\n".join(form[0] for form in SAME_FACTS)), ("html", "<br>".join(form[1] for form in SAME_FACTS)))))
    yield "plain-links", single(b"links", "text/plain; charset=utf-8", (
        "本物 https://bank.example.jp/a?b を見て\n偽物 https://b\u0430nk.example.jp/login です\n偽物 http://xn--bnk-8cd.example.jp/ です\n"
        "続く https://example.jpをご覧ください。「https://日本語.jp/」\nmid://x https://\n"
        "利用者名 https://www.bank.example.jp@evil.example.net/login と <https://www.bank.example.jp'@b\u0430nk.example.net/> です\n"
        "違う https://example.jp/@user と「https://example.jp」info@example.jp です\n").encode())
    yield "calendar-zones", single(b"zones", "text/calendar; charset=utf-8", "".join(
        f"BEGIN:VEVENT\nSUMMARY:{zone}\nDTSTART;TZID=\"{zone}\":20261122T090000\nDURATION:{duration}\nEND:VEVENT\n" for zone, duration in (
            ("Tokyo Standard Time", "PT1H"), ("Asia/Tokyo", "P1DT2H30M"), ("(GMT+09:00) 東京", "P2W"), ("China Standard Time", "PT90M"),
            ("India Standard Time", "PT45S"), ("America/New_York", "PT1X"))).encode())
    yield "date-broken", b"From: a@example.jp\nTo: b@example.jp\nDate: sometime\nSubject: date\n\nx\n"
    yield "beside-the-parts", HEAD + b"Subject: aside\n" + multipart("mixed", "b", part("Content-Type: text/plain", b"part\n")).replace(
        b"\n\n--b", b"\n\nbefore the parts\n--b", 1) + b"behind the parts\n"
    yield "alternative-enriched", HEAD + b"Subject: forms\n" + multipart(
        "alternative", "b", part("Content-Type: text/plain", b"The plain form\n"), part("Content-Type: text/enriched", b"<bold>The</bold> form\n"))
    yield "tables-lists-ruby", single(b"layout", "text/html; charset=utf-8", (
        "<h2>見出し</h2><table border=1><tr><th></th><th>4月</th><th>5月</th></tr><tr><th>件数</th><td>1</td><td></td></tr></table>"
        "<table><tr><td>段組<table border=1><tr><td>内</td><td>側</td></tr></table></td><td>右</td></tr></table>"
        "<ol start=3><li>一<ul><li>い<ul><li>深い</li></ul></li><li>ろ</li></ul></li><li>二</li></ol>"
        "<dl><dt>語</dt><dd>説明</dd></dl><ruby>関所<rp>（</rp><rt>せきしょ</rt><rp>）</rp></ruby>"
        "<blockquote>外<blockquote>内</blockquote></blockquote><p>x<sub>2</sub> 10<sup>3</sup> <s>旧</s> <q>引用</q>").encode())
    yield "attachment-only", HEAD + b"Subject: file\nContent-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\n" \
        + base64.encodebytes(b"\x89PNG\r\n\x1a\n")
    yield "undecodable", single(b"=?UTF-8?Q?=E4=BB=B6_=FF_=E5?=", "text/plain; charset=utf-8", "良い ".encode() + b"\xff\xfe \xe3\x81 "
                                + "文字\n".encode())
    yield "two-boundaries", HEAD + b"Subject: two\nContent-Type: multipart/mixed; boundary=a; boundary=b\n\n" \
        b"--a\n\nfirst\n--b\n\nsecond\n--a--\n--b--\n"
    yield "near-boundary", HEAD + b"Subject: near\n" + multipart("mixed", "b", part("Content-Type: text/plain", b"text\n--bc\n\nmore"))
    nested = b"Subject: innermost\n\nx\n"
    for level in range(33):
        nested = b"Subject: level %d\nContent-Type: message/rfc822\n\n" % level + nested
    yield "nested-too-deep", b"From: a@example.jp\n" + nested
    yield "addresses-bare", b"From: <a@example.jp>\nTo: <b@example.jp>, C <c@example.jp>\nCc: <d@example.jp> (D)\n" \
        b"Date: Sun, 22 Nov 2026 09:00:00 +0900\nSubject: bare\nContent-Type: text/plain\n\nx\n"
    yield "no-header", "ヘッダーのない本文だけの入力\n".encode()


def main():
    wrong = 0
    for name, octets in mails():
        path = HERE / f"{name}.eml"
        if "--check" in sys.argv:
            wrong += not path.exists() or path.read_bytes() != octets
        else:
            path.write_bytes(octets)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
