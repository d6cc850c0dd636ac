# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows of a schedule for tests, in the gateway's default time zone."""

import datetime
import time

LOCAL = datetime.timezone(datetime.timedelta(hours=9))
ALWAYS = "mon-sun 00:00-24:00"


def until_soon(seconds):
    """A window that is open now and shuts with the first full minute at least `seconds` away. No window goes over midnight:
    where that would be tomorrow, tomorrow is waited for."""
    now = datetime.datetime.now(LOCAL)
    if (now + datetime.timedelta(seconds=seconds)).date() != now.date():
        tomorrow = datetime.datetime.combine(now.date() + datetime.timedelta(days=1), datetime.time(0), LOCAL)
        time.sleep((tomorrow - now).total_seconds())
        return until_soon(seconds)
    edge = now + datetime.timedelta(seconds=seconds, minutes=1, microseconds=-1)
    end = f"{edge:%H:%M}" if edge.date() == now.date() else "24:00"
    return f"{now:%a} 00:00-{end}".lower()


def shut_for_days():
    """A window on the one day of the week that is farthest from today, in local time."""
    day = datetime.datetime.now(LOCAL) + datetime.timedelta(days=3)
    return f"{day:%a} 00:00-24:00".lower()
