/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file is by its content, whatever its name says: signatures at fixed places, and a look
 * into containers that hold macros, scripts or programs, or are encrypted. */
#include "mail-flattener/state.h"

#include <string.h>
#include <uchar.h>

struct signature {
	uint32_t offset;
	const char *octets;
	uint8_t size;
	struct kind kind;
};

#define SIGNATURE(offset, octets, name)                                                            \
	{                                                                                          \
		offset, octets, sizeof(octets) - 1,                                                \
		{                                                                                  \
			name, false, false                                                         \
		}                                                                                  \
	}
/* What does something where it is opened. */
#define RUNS(offset, octets, name)                                                                 \
	{                                                                                          \
		offset, octets, sizeof(octets) - 1,                                                \
		{                                                                                  \
			name, true, false                                                          \
		}                                                                                  \
	}

/* More telling signatures first. */
static const struct signature signatures[] = {
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
	RUNS(0, "MZ", "Windows executable"),
	RUNS(0,
	     "\x7F"
	     "ELF",
	     "ELF executable"),
	RUNS(0, "\xCF\xFA\xED\xFE", "macOS executable"),
	RUNS(0, "\xCA\xFE\xBA\xBE", "Java class or macOS executable"),
	RUNS(0, "L\0\0\0\1\x14\2\0", "Windows shortcut"),
	RUNS(0, "ITSF", "Windows help (CHM)"),
	SIGNATURE(0, "MSCF", "Cabinet archive"),
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
	RUNS(0x8001, "CD001", "ISO 9660 disk image"),
	RUNS(0, "conectix", "virtual disk (VHD)"),
	RUNS(0, "vhdxfile", "virtual disk (VHDX)"),
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
	RUNS(0, "#!", "script"),
	RUNS(0, "@echo off", "batch file"),
	RUNS(0, "@ECHO OFF", "batch file"),
	RUNS(0, "[InternetShortcut]", "Internet shortcut"),
	RUNS(0, "Windows Registry Editor", "registry file"),
	RUNS(0, "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR", "EICAR test file"),
	SIGNATURE(0, "BEGIN:VCARD", "vCard"),
	SIGNATURE(0, "BEGIN:VCALENDAR", "calendar"),
	SIGNATURE(0, "DOC1", "DocuWorks"),
	RUNS(0, "\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D", "OneNote"),
};

#define KIND(name)        ((struct kind){name, false, false})
#define KIND_RUNS(name)   ((struct kind){name, true, false})
#define KIND_LOCKED(name) ((struct kind){name, false, true})

static bool holds(struct span s, const char *text)
{
	return memmem(s.data, s.size, text, strlen(text)) != NULL;
}

/* Office documents and programs are ZIP archives with tell-tale names in their first entries. */
static struct kind zip_kind(struct span s)
{
	struct span head = {s.data, s.size < 65536 ? s.size : 65536};
	bool macros = holds(s, "vbaProject.bin");

	if (holds(head, "[Content_Types].xml") || holds(head, "_rels/.rels")) {
		if (holds(s, "xl/workbook"))
			return macros ? KIND_RUNS("Excel workbook with macros")
				      : KIND("Excel workbook");
		if (holds(s, "word/document"))
			return macros ? KIND_RUNS("Word document with macros")
				      : KIND("Word document");
		if (holds(s, "ppt/presentation"))
			return macros ? KIND_RUNS("PowerPoint with macros")
				      : KIND("PowerPoint presentation");
		return KIND("Office Open XML");
	}
	if (holds(head, "mimetypeapplication/vnd.oasis"))
		return KIND("OpenDocument");
	if (holds(head, "mimetypeapplication/epub"))
		return KIND("EPUB");
	if (holds(head, "META-INF/MANIFEST.MF"))
		return KIND_RUNS("Java archive");
	if (holds(head, "AndroidManifest.xml"))
		return KIND_RUNS("Android package");
	return KIND("ZIP archive");
}

#define UTF16(text) u##text, sizeof(u##text) - 2

/* The names in an OLE directory are UTF-16. */
static bool holds_name(struct span s, const char16_t *name, size_t size)
{
	return memmem(s.data, s.size, name, size) != NULL;
}

/* The class of Windows Installer's databases, as their root entry has it. */
static const uint8_t installer_class[] = {0x84, 0x10, 0x0C, 0, 0, 0, 0, 0,
					  0xC0, 0,    0,    0, 0, 0, 0, 0x46};

static struct kind ole_kind(struct span s)
{
	static const struct {
		const char16_t *name;
		size_t size;
		struct kind kind, with_macros;
	} streams[] = {
		{UTF16("EncryptedPackage"), KIND_LOCKED("encrypted Office document"),
		 KIND_LOCKED("encrypted Office document")},
		{UTF16("WordDocument"), KIND("Word 97 document"),
		 KIND_RUNS("Word 97 document with macros")},
		{UTF16("Workbook"), KIND("Excel 97 workbook"),
		 KIND_RUNS("Excel 97 workbook with macros")},
		{UTF16("PowerPoint Doc"), KIND("PowerPoint 97 presentation"),
		 KIND_RUNS("PowerPoint 97 presentation with macros")},
		{UTF16("__substg"), KIND("Outlook message"), KIND("Outlook message")},
		{UTF16("JSRV_Seg"), KIND("Ichitaro document"), KIND("Ichitaro document")},
		{UTF16("DocumentText"), KIND("Ichitaro document"), KIND("Ichitaro document")},
	};
	bool macros = holds_name(s, UTF16("_VBA_PROJECT"));

	if (memmem(s.data, s.size, installer_class, sizeof(installer_class)) != NULL)
		return KIND_RUNS("Windows installer");
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		if (holds_name(s, streams[i].name, streams[i].size))
			return macros ? streams[i].with_macros : streams[i].kind;
	}
	return macros ? KIND_RUNS("OLE container with macros") : KIND("OLE container");
}

static struct kind pdf_kind(struct span s)
{
	if (holds(s, "/Encrypt"))
		return KIND_LOCKED("encrypted PDF");
	return holds(s, "/JavaScript") || holds(s, "/Launch") ? KIND_RUNS("PDF with scripts")
							      : KIND("PDF");
}

static bool is_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A name that writes a letter as #xx (ISO 32000-1 7.3.5) may be any mark. @name: behind its "/". */
static bool pdf_name_hides(struct span name)
{
	for (size_t i = 0; i + 2 < name.size; i++) {
		int high = hex_digit(name.data[i + 1]), low = hex_digit(name.data[i + 2]);

		if (name.data[i] <= 0x20 || name.data[i] >= 0x7F ||
		    strchr("/()<>[]{}%", name.data[i]) != NULL)
			return false;
		if (name.data[i] == '#' && high >= 0 && low >= 0 &&
		    is_letter((uint8_t)(high << 4 | low)))
			return true;
	}
	return false;
}

bool kind_pdf_is_plain(struct span s)
{
	static const char *const marks[] = {"ObjStm",  "EmbeddedFile", "OpenAction",
					    "Encrypt", "JavaScript",   "JS",
					    "Launch",  "AA",           "XFA"};
	const uint8_t *slash;

	while ((slash = memchr(s.data, '/', s.size)) != NULL) {
		size_t before = (size_t)(slash - s.data) + 1;

		s = (struct span){slash + 1, s.size - before};
		if (pdf_name_hides(s))
			return false;
		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
			size_t size = strlen(marks[i]);

			if (!span_starts_nocase(s, span_of(marks[i])))
				continue;
			/* Two letters come by chance in compressed pictures, with more behind. */
			if (size > 3 || s.size == size || !is_letter(s.data[size]))
				return false;
		}
	}
	return true;
}

static struct kind rtf_kind(struct span s)
{
	return holds(s, "\\objdata") ? KIND_RUNS("RTF document with objects")
				     : KIND("RTF document");
}

static struct kind rar4_kind(struct span s)
{
	return archive_rar4_is_locked(s) ? KIND_LOCKED("encrypted RAR archive")
					 : KIND("RAR archive");
}

static struct kind rar5_kind(struct span s)
{
	return archive_rar5_is_locked(s) ? KIND_LOCKED("encrypted RAR archive")
					 : KIND("RAR archive");
}

static struct kind seven_kind(struct span s)
{
	return archive_7z_is_locked(s) ? KIND_LOCKED("encrypted 7-Zip archive")
				       : KIND("7-Zip archive");
}

/* What a page with a script in it can build, no gateway sees. */
static struct kind html_kind(struct span s)
{
	if (holds(s, "<HTA:") || holds(s, "<hta:"))
		return KIND_RUNS("HTML application");
	if (holds(s, "createObjectURL") || holds(s, "msSaveOrOpenBlob"))
		return KIND_RUNS("HTML that makes a file");
	return holds(s, "<script") || holds(s, "<SCRIPT") ? KIND_RUNS("HTML with scripts")
							  : KIND("HTML");
}

/* Files whose beginning says where to look further. */
static const struct {
	const char *octets;
	uint8_t size;
	struct kind (*kind)(struct span s);
} containers[] = {
	{"PK\3\4", 4, zip_kind},
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8, ole_kind},
	{"%PDF-", 5, pdf_kind},
	{"{\\rtf", 5, rtf_kind},
	{"Rar!\x1A\7\0", 7, rar4_kind},
	{"Rar!\x1A\7\1", 7, rar5_kind},
	{"7z\xBC\xAF\x27\x1C", 6, seven_kind},
};

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

struct kind kind_of(struct span octets)
{
	for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
		if (octets.size >= containers[i].size &&
		    memcmp(octets.data, containers[i].octets, containers[i].size) == 0)
			return containers[i].kind(octets);
	}
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		const struct signature *s = &signatures[i];

		if (octets.size >= s->offset + s->size &&
		    memcmp(octets.data + s->offset, s->octets, s->size) == 0)
			return s->kind;
	}
	if (is_html(octets))
		return html_kind(octets);
	return KIND(is_text(octets) ? "text" : "");
}

/* Ends of names of files that run something where they are opened. */
static const char *const ends[] = {
	".accde",
	".action",
	".ade",
	".adp",
	".apk",
	".app",
	".appinstaller",
	".application",
	".appx",
	".appxbundle",
	".bash",
	".bat",
	".chm",
	".cmd",
	".com",
	".command",
	".cpl",
	".csh",
	".deb",
	".desktop",
	".diagcab",
	".dll",
	".dmg",
	".docm",
	".dotm",
	".dqy",
	".elf",
	".exe",
	".fileloc",
	".gadget",
	".hlp",
	".hta",
	".ica",
	".img",
	".inetloc",
	".inf",
	".ins",
	".iqy",
	".iso",
	".isp",
	".jar",
	".jnlp",
	".job",
	".js",
	".jse",
	".library-ms",
	".lnk",
	".mdb",
	".mde",
	".mht",
	".mhtml",
	".msc",
	".msi",
	".msix",
	".msixbundle",
	".msp",
	".mst",
	".ocx",
	".one",
	".onepkg",
	".oqy",
	".pcd",
	".pif",
	".pkg",
	".pl",
	".potm",
	".ppam",
	".ppsm",
	".pptm",
	".prf",
	".ps1",
	".ps1xml",
	".psd1",
	".psm1",
	".py",
	".pyc",
	".pyw",
	".pyz",
	".rdp",
	".reg",
	".rgs",
	".rpm",
	".rqy",
	".run",
	".scf",
	".scpt",
	".scr",
	".sct",
	".search-ms",
	".searchconnector-ms",
	".settingcontent-ms",
	".sh",
	".sldm",
	".slk",
	".swf",
	".terminal",
	".theme",
	".themepack",
	".u3p",
	".udf",
	".url",
	".vb",
	".vbe",
	".vbp",
	".vbs",
	".vhd",
	".vhdx",
	".wbk",
	".webloc",
	".website",
	".workflow",
	".ws",
	".wsc",
	".wsf",
	".wsh",
	".xbap",
	".xlam",
	".xll",
	".xlsb",
	".xlsm",
	".xltm",
	".zsh",
};

bool kind_name_runs(const char *name)
{
	struct span whole = span_of(name);

	/* Windows leaves dots and spaces at the end out. */
	while (whole.size > 0 &&
	       (whole.data[whole.size - 1] == '.' || whole.data[whole.size - 1] == ' '))
		whole.size--;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t size = strlen(ends[i]);

		if (whole.size > size &&
		    span_equal_nocase((struct span){whole.data + whole.size - size, size},
				      span_of(ends[i])))
			return true;
	}
	return false;
}
