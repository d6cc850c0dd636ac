modules += base
base-src := err.c buf.c event.c clock.c loop.c channel.c sandbox.c process.c
base-use :=
base-lib :=
base-src += sha256.c utf8.c
