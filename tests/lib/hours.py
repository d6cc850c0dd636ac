# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows of a schedule for tests, in the gateway's default time zone."""

import datetime

LOCAL = datetime.timezone(datetime.timedelta(hours=9))
ALWAYS = "mon-sun 00:00-24:00"


def until_soon(seconds):
    """A window that is open now and shuts with the first full minute at least `seconds` away, but no later than today."""
    now = datetime.datetime.now(LOCAL)
    edge = now + datetime.timedelta(seconds=seconds + 59)
    end = f"{edge:%H:%M}" if edge.date() == now.date() else "24:00"
    return f"{now:%a} 00:00-{end}".lower()


def shut_for_days():
    """A window on the one day of the week that is farthest from today, in local time."""
    day = datetime.datetime.now(LOCAL) + datetime.timedelta(days=3)
    return f"{day:%a} 00:00-24:00".lower()
