# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows of a schedule that are open or shut for as long as any test runs, in the gateway's default time zone."""

import datetime

ALWAYS = "mon-sun 00:00-24:00"


def shut_for_days():
    """A window on the one day of the week that is farthest from today, in local time."""
    day = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9))) + datetime.timedelta(days=3)
    return f"{day:%a} 00:00-24:00".lower()
