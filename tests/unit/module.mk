# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests: one file each, with the modules that it links. Grouped by area.

# base
units += test_buf test_event test_file
test_file-use := base
test_file-lib := -Wl,--wrap=write -Wl,--wrap=fsync -Wl,--wrap=renameat -Wl,--wrap=close
test_buf-use := base
test_event-use := base
units += test_sha256 test_utf8
test_sha256-use := base
test_utf8-use := base

# smtp
units += test_smtp_command test_smtp_data test_smtp_reply
test_smtp_command-use := wire base
test_smtp_data-use := wire base
test_smtp_reply-use := wire base
units += test_tls test_gcm
test_tls-use := tls base
test_gcm-use := tls base

# packets
units += test_ip test_ranges test_proxied test_judge test_denials test_netlink test_tls_hello
test_tls_hello-use := wire base
units += test_dns_query test_first_message
test_dns_query-use := wire base
test_first_message-use := wire base
units += test_conform test_decide test_detect test_floods test_hits test_limits
test_floods-use := netfilter policy base
test_limits-use := netfilter policy base
test_hits-use := netfilter policy wire base
units += test_share test_beat test_zones_proofs test_queue_losses test_listing test_nft_text test_rules_compare test_rules_watch
test_nft_text-use := netfilter policy wire base
test_rules_compare-use := netfilter policy wire base
test_rules_watch-use := netfilter policy wire base
test_listing-use := netfilter policy wire base
test_queue_losses-use := netfilter policy wire base
test_share-use := netfilter policy wire base
test_beat-use := netfilter policy wire base
test_beat-lib := -Wl,--wrap=zones_keep_alive,--wrap=queue_decide,--wrap=queue_waits
test_zones_proofs-use := netfilter policy wire base
test_zones_proofs-lib := -Wl,--wrap=flows_forget,--wrap=ruleset_load,--wrap=ruleset_end_flows,--wrap=ruleset_end_proofs
test_zones_proofs-lib += -Wl,--wrap=zone_clear,--wrap=zone_shut,--wrap=shares_turn,--wrap=ahead_judge,--wrap=snapshot_load
test_decide-use := arbiter policy wire base
test_detect-use := arbiter policy wire base
units += test_watched test_watchlist
test_watched-use := arbiter policy wire base
test_watchlist-use := supervisor policy wire base
test_conform-use := arbiter policy wire base
test_ip-use := wire base
test_ranges-use := policy wire base
test_proxied-use := policy wire base
test_judge-use := arbiter policy wire base
units += test_judge_objects test_flow_line
test_flow_line-use := arbiter policy wire base
test_judge_objects-use := arbiter policy wire base
test_denials-use := arbiter policy wire base
test_netlink-use := netfilter policy wire base

# spine
units += test_channel test_loop test_sandbox test_sandbox_filter test_layout test_sealed test_shared
test_sealed-use := base
test_shared-use := base
test_layout-use := supervisor policy wire base
units += test_emergencies
test_emergencies-use := supervisor policy wire base
units += test_rates test_asking test_session_limits
units += test_spawn
test_spawn-use := supervisor policy wire base
units += test_rtnl
test_rtnl-use := supervisor policy wire base
test_rtnl-lib := -lmnl -Wl,--wrap=recv -Wl,--wrap=mnl_socket_sendto
units += test_time_watch
test_time_watch-use := supervisor policy wire base
test_session_limits-use := supervisor policy wire base
units += test_shadows
test_shadows-use := supervisor policy wire base
test_shadows-lib := -Wl,--wrap=session_keep
test_asking-use := supervisor policy wire base
test_rates-use := supervisor policy wire base
units += test_init
test_init-use := init base
test_channel-use := base
test_loop-use := base
test_sandbox-use := base
test_sandbox_filter-use := base

# audit
units += test_export
test_export-use := wire base
units += test_syslog test_log_chain
test_syslog-use := wire base
test_log_chain-use := wire base
units += test_audit_link test_audit_retention test_audit_store test_audit_sender test_audit_stream test_audit_links
test_audit_link-use := audit log-sender tls policy wire base
test_audit_links-use := audit tls policy wire base
test_audit_retention-use := audit tls policy wire base
test_audit_sender-use := audit log-sender tls policy wire base
test_audit_store-use := audit tls policy wire base
test_audit_stream-use := audit log-sender tls policy wire base
units += test_receipts test_device_key test_alarms test_timeline
test_timeline-use := audit tls policy wire base
test_alarms-use := audit tls policy wire base
test_device_key-use := audit tls policy wire base
test_receipts-use := audit tls policy wire base
units += test_mail_receiver
test_mail_receiver-use := mail-receiver tls policy wire base
units += test_mail_sender test_text_fold test_clamd test_icap
test_clamd-use := wire base
test_icap-use := wire base
test_text_fold-use := wire base
test_mail_sender-use := mail-sender tls policy wire base
units += test_mail_hop
test_mail_hop-use := mail-sender tls policy wire base

# screen
units += test_web_request test_websocket
test_web_request-use := wire base
test_websocket-use := wire base
units += test_viewer_peer
test_viewer_peer-use := screen-viewer screen-session tls policy wire base
test_viewer_peer-lib := -lnettle -Wl,--wrap=poll
units += test_rfb_client test_rfb_server test_rfb_greeter test_rfb_handshake test_rfb_encode test_rfb_zrle test_rfb_zrle_portable \
	test_screen_record test_recording
test_recording-use := wire base
test_rfb_client-use := wire base
test_rfb_server-use := wire base
test_rfb_server-lib := -lz
test_rfb_greeter-use := wire base
test_rfb_handshake-use := wire base
test_rfb_encode-use := wire base
test_rfb_encode-lib := -lz
test_rfb_zrle-use := wire base
test_rfb_zrle-lib := -lz
test_rfb_zrle_portable-use := wire base
test_screen_record-use := wire base
units += test_screen_source test_screen_viewer test_screen_pace test_watermark
test_screen_pace-use := screen-viewer screen-session tls policy wire base
test_screen_pace-lib := -lnettle
test_watermark-use := screen-viewer screen-session tls policy wire base
test_watermark-lib := -lnettle
test_screen_viewer-use := screen-viewer screen-session tls policy wire base
test_screen_viewer-lib := -lnettle
test_screen_source-use := screen-source screen-session tls policy wire base
test_screen_source-lib := -lnettle -lz

# policy
units += test_value test_snapshot
test_value-use := policy base
test_snapshot-use := policy base
units += test_policy test_completion test_private
test_completion-use := policy base
test_policy-use := policy base
test_private-use := policy base
units += test_clauses test_tar
test_tar-use := wire base
test_clauses-use := policy base
units += test_calendar test_snapshot_packets
test_snapshot_packets-use := policy base
test_calendar-use := policy base
units += test_config_proposal test_config_saved test_config_slots test_config_store test_console_ending test_console_line test_console_layout
test_config_store-use := config tls policy base
test_config_saved-use := config tls policy base
test_config_proposal-use := config tls policy base
test_config_slots-use := config tls policy base
test_console_ending-use := console policy wire base
test_console_line-use := console policy base
test_console_layout-use := console policy base

# flatten
units += test_mail_verify test_mail_text_portable test_charset test_mime test_html test_html_styles
test_mail_verify-use := wire base
test_mail_text_portable-use := wire base
test_charset-use := wire base
test_mime-use := wire base
test_html-use := wire base
test_html_styles-use := wire base
test_html-lib := -lgumbo
test_html_styles-lib := -lgumbo
units += test_mail_trial
test_mail_trial-use := supervisor policy base
units += test_rtf
test_rtf-use := wire base
units += test_trial test_show test_replay_parts
test_replay_parts-use := arbiter audit supervisor tls policy wire base
test_replay_parts-lib := -lhogweed -lgmp -Wl,--wrap=realloc
test_trial-use := arbiter policy wire base
test_show-use := arbiter policy wire base

# zeroise
units += test_certificate test_confirmation test_wipe test_zeroise_order
test_certificate-use := audit tls policy wire base
test_certificate-lib := -lhogweed -lgmp
test_confirmation-use := accounts policy wire base
test_confirmation-lib := -Wl,--wrap=crypt_gensalt_rn
test_wipe-use := init base
test_wipe-lib := -Wl,--wrap=getrandom,--wrap=pread,--wrap=pwrite
test_zeroise_order-use := supervisor policy wire base
test_zeroise_order-lib := -Wl,--wrap=commit_reconverge,--wrap=sockets_close_all,--wrap=session_end_all,--wrap=supervisor_stop,--wrap=data_device_look,--wrap=fsync

# accounts
units += test_recovery_seat test_recovery_course
test_recovery_seat-use := accounts policy wire base
test_recovery_seat-lib := -Wl,--wrap=crypt_gensalt_rn
test_recovery_course-use := supervisor policy wire base
test_recovery_course-lib := -Wl,--wrap=commit_reconverge,--wrap=sockets_close_all,--wrap=sockets_listen,--wrap=session_end_all,--wrap=ioctl
units += test_desk test_doors test_factor test_first_administrator test_totp
test_desk-use := accounts policy wire base
test_desk-lib := -Wl,--wrap=crypt_gensalt_rn
test_doors-use := accounts policy wire base
test_doors-lib := -Wl,--wrap=crypt_gensalt_rn
test_factor-use := accounts policy wire base
test_factor-lib := -Wl,--wrap=crypt_gensalt_rn
test_first_administrator-use := accounts policy wire base
test_first_administrator-lib := -Wl,--wrap=crypt_gensalt_rn
test_totp-use := accounts policy wire base

# memory sticks
units += test_usb_descriptor test_usb_devices test_stick_volume
test_usb_descriptor-use := wire base
test_usb_devices-use := supervisor policy wire base
test_stick_volume-use := stick fatfs policy wire base
