# SPDX-License-Identifier: GPL-2.0-or-later
"""Flattening, megabytes of mail a second on one core, against Python's email package with html2text, and GMime's parse alone,
in the same run.

Ours is `sekisho flatten`: a process of its own for each mail, hashing of original and result, and the verifier are in it.
Theirs is a process that is already warm, and hashes nothing but the attachment. GMime parses the structure and decodes
transfer encodings, and makes no text of anything."""

import base64
import email
import email.policy
import hashlib
import os
import random
import resource
import subprocess
import tempfile
import time

import html2text

from measure import Measure

SEKISHO = os.environ.get("SEKISHO", "/out/sekisho")
GMIME_PARSE = os.environ.get("GMIME_PARSE", "/out/bench/gmime_parse")
HEAD = b"From: a@example.jp\nTo: b@example.jp\nSubject: x\nDate: Sun, 22 Nov 2026 09:00:00 +0900\nMIME-Version: 1.0\n"
ROW = ('<tr><td style="padding:4px"><p>平素よりお世話になっております。<b>今月</b>の<a href="https://www.example.jp/news?id={0}">'
       'お知らせ</a>です。市民講座、健康診断、図書館の休館日などをまとめてご案内いたします。お申し込みは窓口でも承ります。'
       '</p></td></tr>\n')


def newsletter(size):
    rows = "".join(ROW.format(n) for n in range(size // len(ROW.encode())))
    return f"<html><body><table>{rows}</table></body></html>\n"


def mails():
    """Name, target in MB/s, octets."""
    html = newsletter(2_000_000)
    yield "ISO-2022-JP HTML", 20, HEAD + b"Content-Type: text/html; charset=iso-2022-jp\n\n" + html.encode("iso2022_jp")
    yield "base64 UTF-8 HTML", None, (HEAD + b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
                                      + base64.encodebytes(html.encode()))
    plain = "これは日本語のメール本文です。ご確認のほどよろしくお願いいたします。1234\n" * 50_000
    yield "plain UTF-8", 200, HEAD + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + plain.encode()
    attachment = base64.encodebytes(random.Random(1).randbytes(3_700_000))
    yield "base64 attachment", 250, (HEAD + b"Content-Type: application/octet-stream; name=x.bin\nContent-Disposition: attachment"
                                     b"\nContent-Transfer-Encoding: base64\n\n" + attachment)


def ours(octets):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([SEKISHO, "flatten"], input=octets, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return len(octets) / 1e6 / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def python(octets):
    begin = time.process_time()
    message = email.message_from_bytes(octets, policy=email.policy.default)
    if message.get_content_type() == "text/html":
        html2text.HTML2Text(bodywidth=0).handle(message.get_content())
    elif message.get_content_type() == "text/plain":
        message.get_content()
    else:
        hashlib.sha256(message.get_payload(decode=True)).hexdigest()
    return len(octets) / 1e6 / (time.process_time() - begin)


def gmime(octets):
    with tempfile.NamedTemporaryFile() as mail:
        mail.write(octets)
        mail.flush()
        return float(subprocess.run([GMIME_PARSE, mail.name, "0.5"], stdout=subprocess.PIPE, check=True).stdout)


def measures(_scratch):
    for name, target, octets in mails():
        said = f" (target {target} MB/s)" if target else ""
        yield Measure(f"flatten {name}{said}", "MB/s", lambda o=octets: ours(o),
                      {"Python email+html2text": lambda o=octets: python(o), "GMime, parse alone": lambda o=octets: gmime(o)})
