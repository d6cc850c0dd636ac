modules += wire
wire-src :=
wire-use := base

# smtp
wire-src += smtp_command.c smtp_data.c smtp_reply.c

# packets
wire-src += ip.c

# screen
wire-src += rfb.c rfb_frame.c rfb_keys.c rfb_handshake.c rfb_client.c rfb_server.c rfb_hextile.c rfb_encode.c rfb_zrle.c \
	rfb_hextile_encode.c

# audit
wire-src += syslog.c log_chain.c
