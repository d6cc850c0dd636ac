# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets: one file each (LLVMFuzzerTestOneInput), seeds in corpus/NAME. Grouped by area.

# smtp
fuzzers += fuzz_smtp_line fuzz_smtp_data fuzz_smtp_reply
fuzz_smtp_line-use := wire base
fuzz_smtp_data-use := wire base
fuzz_smtp_reply-use := wire base

fuzzers += fuzz_clamd fuzz_icap fuzz_outbound
fuzz_clamd-use := wire base
fuzz_icap-use := wire base
fuzz_outbound-use := wire base

# packets
fuzzers += fuzz_ip fuzz_tls_hello fuzz_netlink
fuzz_tls_hello-use := wire base
fuzzers += fuzz_first_message fuzz_conform
fuzz_conform-use := arbiter policy wire base
fuzz_first_message-use := wire base
fuzz_netlink-use := netfilter policy base
fuzz_ip-use := wire base

# spine
fuzzers += fuzz_channel
fuzz_channel-use := base

# audit
fuzzers += fuzz_armour
fuzz_armour-use := wire base
fuzzers += fuzz_syslog
fuzz_syslog-use := wire base
fuzzers += fuzz_event_record
fuzz_event_record-use := audit tls policy wire base

# screen
fuzzers += fuzz_web_request fuzz_websocket
fuzz_web_request-use := wire base
fuzz_websocket-use := wire base
fuzzers += fuzz_rfb_client fuzz_rfb_greeter fuzz_rfb_server fuzz_rfb_caller fuzz_rfb_encode
fuzz_rfb_client-use := wire base
fuzz_rfb_greeter-use := wire base
fuzz_rfb_server-use := wire base
fuzz_rfb_server-lib := -lz
fuzz_rfb_caller-use := wire base
fuzz_rfb_encode-use := wire base
fuzzers += fuzz_recording
fuzz_recording-use := wire base
fuzz_rfb_encode-lib := -lz

# flatten
fuzzers += fuzz_mail_container
fuzz_mail_container-use := wire base
fuzzers += fuzz_flatten fuzz_mail_verify fuzz_charset fuzz_mime fuzz_header fuzz_html
fuzz_flatten-use := mail-flattener policy wire base
fuzz_mail_verify-use := wire base
fuzz_charset-use := wire base
fuzz_mime-use := wire base
fuzz_header-use := wire base
fuzz_html-use := wire base
fuzz_html-lib := -lgumbo

# policy
fuzzers += fuzz_config fuzz_config_edit fuzz_snapshot fuzz_flow_line
fuzz_flow_line-use := arbiter policy wire base
fuzz_config-use := policy base
fuzz_config_edit-use := policy base
fuzz_snapshot-use := policy base

# both halves of a mail session, whole
fuzzers += fuzz_mail_receiver fuzz_mail_sender fuzz_mail_tls
fuzz_mail_tls-use := mail-receiver mail-sender tls policy wire base
fuzz_mail_receiver-use := mail-receiver tls policy wire base
fuzz_mail_sender-use := mail-sender tls policy wire base

# memory sticks
fuzzers += fuzz_usb_descriptor fuzz_volume
fuzz_usb_descriptor-use := wire base
fuzz_volume-use := stick fatfs policy wire base
