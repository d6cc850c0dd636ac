# SPDX-License-Identifier: GPL-2.0-or-later
modules += netfilter
netfilter-src := main.c beat.c zones.c zones_altered.c altered.c rules_compare.c rules_watch.c watch.c floods.c
# packets on their way to a verdict
netfilter-src += queue.c queue_losses.c relay.c ahead.c ahead_item.c whole.c admission.c limits.c share.c shares.c
# netlink, and rules as the kernel takes and shows them
netfilter-src += $(addprefix nft/,netlink.c nft.c expr.c text.c text_expr.c listing.c)
# the rules of a zone
netfilter-src += $(addprefix ruleset/,ruleset.c raw.c guard.c flood.c neighbour.c shut.c deny.c local.c offload.c share.c lock.c)
# connection tracking: what runs, what it counts, how it ends
netfilter-src += $(addprefix flows/,flows.c track.c hits.c sever.c sever_walk.c)
netfilter-src += $(addprefix answer/,answer.c flows.c permits.c rules.c talkers.c)
netfilter-src += $(addprefix capture/,capture.c filter.c out.c)
netfilter-use := policy base
netfilter-lib :=
