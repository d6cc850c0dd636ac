# SPDX-License-Identifier: GPL-2.0-or-later
modules += screen-viewer
screen-viewer-src := main.c client.c glyphs.c marking.c pace.c page.c page_files.c peer.c recorder.c records.c secure.c shadow.c update.c watermark.c
screen-viewer-use := screen-session tls policy wire base
screen-viewer-lib := -lnettle

# The page for browsers: our own files and noVNC, put into one script, compressed and made a table.
page := src/screen-viewer/page
novnc := $(O)/gen/screen-viewer/novnc
novnc-unspoken := deflator.js ra2.js crypto/crypto.js $(addprefix decoders/,h264.js jpeg.js rre.js tight.js tightpng.js zlib.js)
generated += $(O)/gen/screen-viewer/page_files.c
$(O)/gen/screen-viewer/page.js: $(wildcard $(page)/*.js) /usr/share/novnc/core/rfb.js src/screen-viewer/module.mk
	$(call say,GEN,$(@F))
	@rm -rf $(novnc)
	@mkdir -p $(@D)
	$(Q)cp -R /usr/share/novnc $(novnc)
	$(Q)for file in $(novnc-unspoken); do cp $(page)/unspoken.js $(novnc)/core/$$file; done
	$(Q)esbuild --bundle --minify-whitespace --format=esm --charset=utf8 --legal-comments=inline --log-level=warning \
		--alias:novnc=$(abspath $(novnc))/core --outfile=$@ $(page)/page.js
$(O)/gen/screen-viewer/page_files.c: $(page)/pack.py $(page)/index.html $(page)/page.css $(O)/gen/screen-viewer/page.js
	$(call say,GEN,$(@F))
	$(Q)python3 $< /=$(page)/index.html /page.css=$(page)/page.css /page.js=$(O)/gen/screen-viewer/page.js \
		/licence.txt=/usr/share/doc/novnc/copyright >$@

# The letters of watermarks.
generated += $(O)/gen/screen-viewer/glyphs.c
$(O)/gen/screen-viewer/glyphs.c: src/screen-viewer/watermark/glyphs.py src/screen-viewer/watermark/glyphs.txt
	$(call say,GEN,$(@F))
	@mkdir -p $(@D)
	$(Q)python3 $^ >$@
