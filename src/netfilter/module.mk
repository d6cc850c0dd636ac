# SPDX-License-Identifier: GPL-2.0-or-later
modules += netfilter
netfilter-src := main.c zones.c zones_altered.c altered.c relay.c whole.c ahead.c ahead_item.c answer.c answer_flows.c answer_permits.c answer_rules.c rules_compare.c nft_text.c nft_text_expr.c listing.c track.c hits.c capture.c capture_out.c \
	capture_filter.c queue.c flows.c sever.c sever_walk.c watch.c floods.c ruleset.c ruleset_deny.c ruleset_raw.c ruleset_local.c ruleset_guard.c ruleset_flood.c ruleset_shut.c ruleset_offload.c \
	ruleset_neighbour.c ruleset_share.c share.c shares.c queue_losses.c lock.c limits.c admission.c nft.c nft_expr.c netlink.c
netfilter-use := policy base
netfilter-lib :=
