# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/mail-replies.md is made from the two tables of replies: python3 tests/golden/test_mail_replies.py > docs/mail-replies.md"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r'^(?:ANSWER|MAIL_VERDICT)\((\w+), (\d+), (?:"([\d.]+)"|NULL), "(.*)"\)$', re.MULTILINE)


def rows(name):
    """(id, code, enhanced code, text) of each row of a table."""
    return ROW.findall((ROOT / name).read_text())


def table(name):
    return "".join(f"| {code} | {enhanced or '-'} | {text} |\n" for _, code, enhanced, text in rows(name))


def document():
    head = "| code | enhanced | text |\n|---|---|---|\n"
    return ("# SMTP replies of the gateway\n\nMade from `src/mail-receiver/answers.def` and `src/channel/mail_verdicts.def`; "
            "do not edit. No text of a next hop is ever passed on.\n\n## Its own\n\n" + head
            + table("src/mail-receiver/answers.def")
            + "\n## What became of the mail at the next hop and on the way\n\n" + head
            + table("src/channel/mail_verdicts.def"))


def test_mail_replies_are_documented():
    assert (ROOT / "docs/mail-replies.md").read_text() == document()


def test_mail_replies_have_codes_that_agree():
    """RFC 3463 2: the class of an enhanced code is the first digit of the code; each id stands once."""
    every = rows("src/mail-receiver/answers.def") + rows("src/channel/mail_verdicts.def")
    assert len(every) > 60
    for name, code, enhanced, text in every:
        assert not enhanced or enhanced[0] == code[0], name
        assert text.isascii() and len(text) < 120, name


if __name__ == "__main__":
    print(document(), end="")
