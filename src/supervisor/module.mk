# SPDX-License-Identifier: GPL-2.0-or-later
# sekishod: zones, processes, sockets, commits.
modules += supervisor
supervisor-src := main.c admission.c asking.c captures.c children.c commit.c connections.c consoles.c control.c crossing.c emergencies.c event.c isolation.c layout.c lockdown.c netns.c \
	outfit.c persons.c port.c query.c query_emergencies.c query_screens.c query_zones.c receipt.c rates.c reserve.c rtnl.c rtnl_route.c scanning.c session_limits.c sessions.c sockets.c stations.c spawn.c table.c clock.c time_watch.c timekeeping.c query_time.c trial.c watchdog.c zone.c zones.c
supervisor-use := policy wire base
supervisor-lib := -lmnl
supervisor-bin := sekishod
