# SPDX-License-Identifier: GPL-2.0-or-later
modules += wire
wire-src :=
wire-use := base

# the first packets of a flow
wire-src += $(addprefix packet/,ip.c tls_hello.c dns_query.c http_head.c http_request.c ssh_banner.c rdp_request.c)

# a mail on its way, and what a scanner says of it
wire-src += $(addprefix smtp/,command.c data.c reply.c)
wire-src += $(addprefix scan/,clamd.c icap.c)

# a mail as it comes: its structure, its characters, its text, its HTML
wire-src += $(addprefix mime/,tree.c field.c param.c word.c address.c date.c transfer.c smime.c tnef.c)
wire-src += $(addprefix charset/,charset.c label.c choose.c unicode.c jis.c cjk.c shift.c tables.c)
wire-src += $(addprefix text/,clean.c flow.c fold.c enriched.c rtf_lzfu.c rtf_text.c)
wire-src += $(addprefix html/,text.c render.c generated.c link.c style.c sheet.c selector.c declare.c color.c tag.c tree.c scan.c nest.c strict.c entity.c)
wire-src += host_name.c punycode.c
generated += $(O)/gen/wire/charset/tables.c
$(O)/gen/wire/charset/tables.c: src/wire/charset/tables.py
	$(call say,GEN,$(@F))
	@mkdir -p $(@D)
	$(Q)python3 $< > $@

# a mail as it leaves
wire-src += $(addprefix mail/,verify.c text.c parts.c forward.c)

# screens; their loops over pixels are worth the vectors that -O2 leaves out
wire-src += $(addprefix rfb/,rfb.c frame.c keys.c version.c greeter.c handshake.c vnc_auth.c client.c server.c hextile.c tile.c inflate.c encode.c zrle.c \
	hextile_encode.c recording.c)
$(O)/rel/wire/rfb/%.o: cflags-rel += -O3
wire-src += $(addprefix web/,request.c websocket.c)

# the log, and what leaves as a file
wire-src += $(addprefix log/,syslog.c chain.c anchor.c)
wire-src += $(addprefix export/,tar.c armour.c export.c)

# a memory stick
wire-src += usb_descriptor.c
