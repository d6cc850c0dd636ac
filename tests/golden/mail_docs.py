#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make docs/mail-examples.md: golden mails as they were, and as the product flattens them. usage: mail_docs.py SEKISHO SOURCE-DIR"""

import email
import email.header
import pathlib
import subprocess
import sys

import make_mails

EXAMPLES = [  # golden mail, what it shows in Japanese and English, language of the notices
    ("jis-newsletter", "ISO-2022-JP の HTML メール (機種依存文字、表、箇条書き、ルビ、隠し文字)",
     "a newsletter in ISO-2022-JP: vendor characters, tables, lists, ruby, hidden text", "ja"),
    ("deceit", "人をだますメール", "a mail that deceives", "ja"),
    ("deceit", "同じメール、英語の注記", "the same with notices in English", "en"),
    ("alternative-differs", "テキスト版とHTML版の内容が異なるメール", "two forms that say different things", "ja"),
    ("attachments", "添付ファイル (パスワード付きZIPを含む)", "attachments, a ZIP with a password among them", "ja"),
    ("forwarded", "転送されたメール", "a forwarded message", "ja"),
    ("calendar", "会議の招待", "an invitation", "ja"),
    ("delivery-report", "配送不能の通知", "a notice of failed delivery", "ja"),
    ("winmail-rtf-html", "winmail.dat", "winmail.dat of Outlook", "ja"),
]
HEAD = """# 無害化の例 / Examples of flattening

<!-- Made by tests/golden/mail_docs.py from tests/golden/mail: do not edit. -->

それぞれ、元のメールの見出しと本文 (文字コードと符号化を解いたもの)、続いて関所が届けるメールを示します。
Each example shows the header and texts of the original, without their charsets and transfer encodings, and then what Sekisho delivers.
"""


def leaves(message):
    if message.get_content_maintype() == "multipart" or message.get_content_type() == "message/rfc822":
        return [leaf for part in message.get_payload() for leaf in leaves(part)]
    return [message]


def original(octets):
    """The original as a person would quote it: some header fields, and each text; other parts by name only."""
    message = email.message_from_bytes(octets)
    lines = [f"{name}: {field_of(message, name)}" for name in ("From", "Reply-To", "To", "Subject") if message[name]]
    for part in leaves(message):
        lines += ["", f"[{part.get_content_type()}" + (f"; {part.get_filename()}" if part.get_filename() else "") + "]"]
        if part.is_multipart():  # a delivery status: groups of fields
            lines += ["\n".join(group.as_string() for group in part.get_payload()).rstrip("\n")]
        elif part.get_content_maintype() == "text":
            lines += [decode(part.get_payload(decode=True) or b"", part.get_content_charset()).rstrip("\n")]
    return "\n".join(lines)


def decode(octets, charset):
    charset = (charset or "utf-8").lower()
    text = make_mails.unjis(octets) if charset == "iso-2022-jp" else \
        octets.decode("cp932" if charset in ("shift_jis", "x-sjis") else charset, "replace")
    return "".join(c if c == "\n" or c.isprintable() else f"<U+{ord(c):04X}>" for c in text)


def field_of(message, name):
    return "".join(piece if isinstance(piece, str) else decode(piece, charset)
                   for piece, charset in email.header.decode_header(message[name]))


def example(sekisho, source, name, japanese, english, language):
    octets = (source / "tests/golden/mail" / f"{name}.eml").read_bytes()
    flat = subprocess.run([sekisho, "flatten", "--host", "gw.example.lg.jp", "--language", language], input=octets,
                          capture_output=True, check=True).stdout.decode()
    return (f"\n## {japanese} / {english}\n\n`tests/golden/mail/{name}.eml`:\n\n````\n{original(octets)}\n````\n\n"
            f"→\n\n````\n{flat}````\n")


def page(sekisho, source):
    return HEAD + "".join(example(sekisho, source, *one) for one in EXAMPLES)


if __name__ == "__main__":
    (pathlib.Path(sys.argv[2]) / "docs/mail-examples.md").write_text(page(sys.argv[1], pathlib.Path(sys.argv[2])))
