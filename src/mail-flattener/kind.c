/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file is by its content: signatures at fixed places, and a look into ZIP and OLE
 * containers. */
#include "mail-flattener/state.h"

#include <string.h>

struct signature {
	uint32_t offset;
	const char *octets;
	uint8_t size;
	const char *kind;
};

#define SIGNATURE(offset, octets, kind) {offset, octets, sizeof(octets) - 1, kind}

/* More telling signatures first. */
static const struct signature signatures[] = {
	SIGNATURE(0, "%PDF-", "PDF"),
	SIGNATURE(0, "\x89PNG\r\n\x1A\n", "PNG image"),
	SIGNATURE(0, "\xFF\xD8\xFF", "JPEG image"),
	SIGNATURE(0, "GIF87a", "GIF image"),
	SIGNATURE(0, "GIF89a", "GIF image"),
	SIGNATURE(8, "WEBP", "WebP image"),
	SIGNATURE(0, "II*\0", "TIFF image"),
	SIGNATURE(0, "MM\0*", "TIFF image"),
	SIGNATURE(4, "ftypheic", "HEIC image"),
	SIGNATURE(4, "ftypmif1", "HEIF image"),
	SIGNATURE(4, "ftypavif", "AVIF image"),
	SIGNATURE(4, "ftypqt", "QuickTime video"),
	SIGNATURE(4, "ftyp", "MP4 video or audio"),
	SIGNATURE(0, "8BPS", "Photoshop image"),
	SIGNATURE(0, "BM", "BMP image"),
	SIGNATURE(0, "\0\0\1\0", "Windows icon"),
	SIGNATURE(0, "MZ", "Windows executable"),
	SIGNATURE(0,
		  "\x7F"
		  "ELF",
		  "ELF executable"),
	SIGNATURE(0, "\xCF\xFA\xED\xFE", "macOS executable"),
	SIGNATURE(0, "\xCA\xFE\xBA\xBE", "Java class or macOS executable"),
	SIGNATURE(0, "L\0\0\0\1\x14\2\0", "Windows shortcut"),
	SIGNATURE(0, "ITSF", "Windows help (CHM)"),
	SIGNATURE(0, "MSCF", "Cabinet archive"),
	SIGNATURE(0, "7z\xBC\xAF\x27\x1C", "7-Zip archive"),
	SIGNATURE(0, "Rar!\x1A\7", "RAR archive"),
	SIGNATURE(0, "\x1F\x8B", "gzip archive"),
	SIGNATURE(0, "BZh", "bzip2 archive"),
	SIGNATURE(0,
		  "\xFD"
		  "7zXZ\0",
		  "xz archive"),
	SIGNATURE(0, "\x28\xB5\x2F\xFD", "Zstandard archive"),
	SIGNATURE(257, "ustar", "tar archive"),
	SIGNATURE(2, "-lh", "LHA archive"),
	SIGNATURE(2, "-lz", "LHA archive"),
	SIGNATURE(0x8001, "CD001", "ISO 9660 disk image"),
	SIGNATURE(0, "conectix", "virtual disk (VHD)"),
	SIGNATURE(0, "vhdxfile", "virtual disk (VHDX)"),
	SIGNATURE(0, "{\\rtf", "RTF document"),
	SIGNATURE(0, "\x78\x9F\x3E\x22", "winmail.dat (TNEF)"),
	SIGNATURE(0, "ID3", "MP3 audio"),
	SIGNATURE(0, "OggS", "Ogg audio or video"),
	SIGNATURE(0, "fLaC", "FLAC audio"),
	SIGNATURE(8, "WAVE", "WAVE audio"),
	SIGNATURE(8, "AVI ", "AVI video"),
	SIGNATURE(0, "\x1A\x45\xDF\xA3", "Matroska or WebM video"),
	SIGNATURE(0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media"),
	SIGNATURE(0, "SQLite format 3", "SQLite database"),
	SIGNATURE(0, "\0\1\0\0Standard ACE DB", "Access database"),
	SIGNATURE(0, "\0\1\0\0Standard Jet DB", "Access database"),
	SIGNATURE(0, "%!PS", "PostScript"),
	SIGNATURE(0, "-----BEGIN PGP", "PGP text"),
	SIGNATURE(0, "-----BEGIN", "PEM text"),
	SIGNATURE(0, "#!", "script"),
	SIGNATURE(0, "BEGIN:VCARD", "vCard"),
	SIGNATURE(0, "BEGIN:VCALENDAR", "calendar"),
	SIGNATURE(0, "DOC1", "DocuWorks"),
	SIGNATURE(0, "\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D", "OneNote"),
};

static bool holds(struct span s, const char *text)
{
	return memmem(s.data, s.size, text, strlen(text)) != NULL;
}

/* Office documents and programs are ZIP archives with tell-tale names in their first entries. */
static const char *zip_kind(struct span s)
{
	struct span head = {s.data, s.size < 65536 ? s.size : 65536};
	bool macros = holds(s, "vbaProject.bin");

	if (holds(head, "[Content_Types].xml") || holds(head, "_rels/.rels")) {
		if (holds(s, "xl/workbook"))
			return macros ? "Excel workbook with macros" : "Excel workbook";
		if (holds(s, "word/document"))
			return macros ? "Word document with macros" : "Word document";
		if (holds(s, "ppt/presentation"))
			return macros ? "PowerPoint with macros" : "PowerPoint presentation";
		return "Office Open XML";
	}
	if (holds(head, "mimetypeapplication/vnd.oasis"))
		return "OpenDocument";
	if (holds(head, "mimetypeapplication/epub"))
		return "EPUB";
	if (holds(head, "META-INF/MANIFEST.MF"))
		return "Java archive";
	if (holds(head, "AndroidManifest.xml"))
		return "Android package";
	return "ZIP archive";
}

/* The names in an OLE directory are UTF-16. */
static const char *ole_kind(struct span s)
{
	static const struct {
		const char *name;
		size_t size;
		const char *kind;
	} streams[] = {
		{"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e", 31, "encrypted Office document"},
		{"W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t", 23, "Word 97 document"},
		{"W\0o\0r\0k\0b\0o\0o\0k", 15, "Excel 97 workbook"},
		{"P\0o\0w\0e\0r\0P\0o\0i\0n\0t\0 \0D\0o\0c", 27, "PowerPoint 97 presentation"},
		{"_\0_\0s\0u\0b\0s\0t\0g\0", 16, "Outlook message"},
		{"J\0S\0R\0V\0_\0S\0e\0g", 15, "Ichitaro document"},
		{"D\0o\0c\0u\0m\0e\0n\0t\0T\0e\0x\0t", 23, "Ichitaro document"},
	};

	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		if (memmem(s.data, s.size, streams[i].name, streams[i].size) != NULL)
			return streams[i].kind;
	}
	return "OLE container";
}

static bool is_html(struct span s)
{
	struct span head = span_trim((struct span){s.data, s.size < 512 ? s.size : 512});

	return span_starts_nocase(head, span_of("<!doctype html")) ||
	       span_starts_nocase(head, span_of("<html")) ||
	       span_starts_nocase(head, span_of("<script")) ||
	       span_starts_nocase(head, span_of("<svg"));
}

static bool is_text(struct span s)
{
	size_t size = s.size < 4096 ? s.size : 4096;

	for (size_t i = 0; i < size; i++) {
		if (s.data[i] < 0x20 && s.data[i] != '\t' && s.data[i] != '\n' &&
		    s.data[i] != '\r' && s.data[i] != 0x1B && s.data[i] != '\f')
			return false;
	}
	return s.size > 0;
}

const char *kind_of(struct span octets)
{
	if (octets.size >= 4 && memcmp(octets.data, "PK\3\4", 4) == 0)
		return zip_kind(octets);
	if (octets.size >= 8 && memcmp(octets.data, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8) == 0)
		return ole_kind(octets);
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		const struct signature *s = &signatures[i];

		if (octets.size >= s->offset + s->size &&
		    memcmp(octets.data + s->offset, s->octets, s->size) == 0)
			return s->kind;
	}
	if (is_html(octets))
		return "HTML";
	return is_text(octets) ? "text" : "";
}
