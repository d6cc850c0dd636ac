# SPDX-License-Identifier: GPL-2.0-or-later
"""The two tables of SMTP replies, as the product's sources have them."""

import pathlib
import re
import typing

ROOT = pathlib.Path(__file__).resolve().parents[2]
OWN = "src/mail-receiver/answers.def"
DELIVERY = "src/channel/mail_verdicts.def"
ROW = re.compile(r'^(?:ANSWER|MAIL_VERDICT)\((\w+), (\d+), (?:"([\d.]+)"|NULL), "(.*)"\)$', re.MULTILINE)


class Reply(typing.NamedTuple):
    name: str
    code: str
    enhanced: str   # "" where there is none
    text: str

    @property
    def line(self):
        return " ".join(filter(None, self[1:]))


def replies(table):
    """The rows of one of the tables, in its order."""
    return [Reply(*found) for found in ROW.findall((ROOT / table).read_text())]
