/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the page for browsers: a table that the build makes (page/pack.py). */
#ifndef SEKISHO_SCREEN_VIEWER_PAGE_FILES_H
#define SEKISHO_SCREEN_VIEWER_PAGE_FILES_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_FILE_BYTES_MAX 262144

struct page_file {
	const char *path;
	const char *type; /* of its content, for Content-Type */
	const uint8_t *data;
	size_t size; /* at most PAGE_FILE_BYTES_MAX */
};

extern const struct page_file page_files[];
extern const size_t page_file_count;

#endif
