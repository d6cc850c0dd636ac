# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/mail-replies.md is made from the two tables of replies: PYTHONPATH=tests python3 tests/golden/test_mail_replies.py > docs/mail-replies.md"""

from lib.replies import DELIVERY, OWN, ROOT, replies


def table(name):
    return "".join(f"| {row.code} | {row.enhanced or '-'} | {row.text} |\n" for row in replies(name))


def document():
    head = "| code | enhanced | text |\n|---|---|---|\n"
    return (f"# SMTP replies of the gateway\n\nMade from `{OWN}` and `{DELIVERY}`; "
            "do not edit. No text of a next hop is ever passed on.\n\n## Its own\n\n" + head
            + table(OWN)
            + "\n## What became of the mail at the next hop and on the way\n\n" + head
            + table(DELIVERY))


def test_mail_replies_are_documented():
    assert (ROOT / "docs/mail-replies.md").read_text() == document()


def test_mail_replies_have_codes_that_agree():
    """RFC 3463 2: the class of an enhanced code is the first digit of the code; each id stands once."""
    every = replies(OWN) + replies(DELIVERY)
    assert len(every) > 60
    for row in every:
        assert not row.enhanced or row.enhanced[0] == row.code[0], row.name
        assert row.text.isascii() and len(row.text) < 120, row.name


if __name__ == "__main__":
    print(document(), end="")
