modules += wire
wire-src :=
wire-use := base

# smtp
wire-src += smtp_command.c smtp_data.c smtp_reply.c

# packets
wire-src += ip.c
