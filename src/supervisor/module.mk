# SPDX-License-Identifier: GPL-2.0-or-later
# sekishod: zones, processes, sockets, commits.
modules += supervisor
supervisor-src := main.c event.c stop.c power.c watchdog.c lockdown.c commit.c first.c
# processes, what they are given, and who sits at the consoles
supervisor-src += table.c spawn.c children.c reserve.c outfit.c packet_shares.c control.c consoles.c persons.c sockets.c log_senders.c captures.c
# the kernel's side: namespaces, devices, crossings
supervisor-src += $(addprefix zones/,zones.c zone.c crossing.c port.c netns.c layout.c rtnl.c rtnl_dump.c rtnl_route.c rtnl_talk.c connections.c survey.c)
# mails and screens
supervisor-src += $(addprefix sessions/,sessions.c limits.c rates.c admission.c shadows.c recordings.c scanning.c receipt.c trial.c)
# what consoles ask
supervisor-src += $(addprefix query/,query.c asking.c emergencies.c isolate.c links.c replay.c waiting.c screens.c time.c watch.c zones.c)
supervisor-src += $(addprefix isolation/,isolation.c stations.c station_sever.c station_text.c watchlist.c emergencies.c)
supervisor-src += $(addprefix time/,clock.c timekeeping.c watch.c)
supervisor-src += $(addprefix recovery/,recovery.c count.c)
supervisor-src += $(addprefix zeroise/,zeroise.c device.c)
supervisor-src += $(addprefix usb/,usb.c devices.c)
supervisor-use := policy wire base
supervisor-lib := -lmnl
supervisor-bin := sekishod
