# SPDX-License-Identifier: GPL-2.0-or-later
modules += wire
wire-src :=
wire-use := base

# smtp
wire-src += smtp_command.c smtp_data.c smtp_reply.c

# packets
wire-src += ip.c tls_hello.c dns_query.c http_head.c http_request.c ssh_banner.c rdp_request.c

# a browser's requests and frames
wire-src += web_request.c websocket.c

# screen; its loops over pixels are worth the vectors that -O2 leaves out
wire-src += rfb.c rfb_frame.c rfb_keys.c rfb_version.c rfb_greeter.c rfb_handshake.c rfb_vnc_auth.c rfb_client.c rfb_server.c rfb_hextile.c rfb_tile.c \
	rfb_inflate.c rfb_encode.c rfb_zrle.c rfb_hextile_encode.c recording.c
$(O)/rel/wire/rfb_%.o: cflags-rel += -O3

# audit
wire-src += syslog.c log_chain.c log_anchor.c tar.c armour.c export.c

# a memory stick
wire-src += usb_descriptor.c

# flatten
wire-src += mail_verify.c mail_text.c mail_parts.c charset.c charset_label.c charset_choose.c charset_unicode.c charset_jis.c charset_cjk.c charset_shift.c \
	charset_tables.c mime_field.c mime_param.c mime_word.c mime_transfer.c text_clean.c \
	mime_tree.c mime_address.c mime_date.c html_text.c html_render.c html_generated.c html_link.c html_style.c html_tree.c \
	html_scan.c html_nest.c html_strict.c html_entity.c rtf_lzfu.c rtf_text.c text_flow.c text_enriched.c text_fold.c \
	mail_forward.c clamd.c icap.c smime.c tnef.c punycode.c html_sheet.c html_selector.c html_declare.c html_color.c html_tag.c host_name.c
generated += $(O)/gen/wire/charset_tables.c
$(O)/gen/wire/charset_tables.c: src/wire/charset_tables.py
	$(call say,GEN,$(@F))
	@mkdir -p $(@D)
	$(Q)python3 $< > $@
