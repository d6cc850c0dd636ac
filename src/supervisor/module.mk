# SPDX-License-Identifier: GPL-2.0-or-later
# sekishod: zones, processes, sockets, commits.
modules += supervisor
supervisor-src := main.c admission.c asking.c captures.c children.c commit.c connections.c consoles.c control.c crossing.c emergencies.c event.c first.c isolation.c layout.c lockdown.c netns.c \
	outfit.c packet_shares.c persons.c port.c query.c query_emergencies.c query_isolate.c power.c query_links.c query_screens.c query_zones.c receipt.c recordings.c rates.c recovery.c recovery_count.c reserve.c rtnl.c rtnl_dump.c rtnl_route.c rtnl_talk.c scanning.c session_limits.c sessions.c shadows.c sockets.c stations.c spawn.c stop.c survey.c table.c clock.c station_sever.c station_text.c time_watch.c timekeeping.c query_time.c query_watch.c trial.c watchdog.c watchlist.c zone.c zones.c
supervisor-src += usb.c usb_devices.c
supervisor-use := policy wire base
supervisor-lib := -lmnl
supervisor-bin := sekishod
