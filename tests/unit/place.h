/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of a test's own. */
#ifndef SEKISHO_TESTS_PLACE_H
#define SEKISHO_TESTS_PLACE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	char path[32];
	int dir;
};

static inline void place_open(struct place *p)
{
	*p = (struct place){.path = "/tmp/sekisho-unit-XXXXXX"};
	assert_non_null(mkdtemp(p->path));
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->dir >= 0);
}

/* Remove the directory with the files and the empty directories in it. */
static inline void place_close(struct place *p)
{
	DIR *listing = opendir(p->path);
	const struct dirent *item;

	assert_non_null(listing);
	while ((item = readdir(listing)) != NULL)
		(void)unlinkat(p->dir, item->d_name,
			       item->d_type == DT_DIR ? AT_REMOVEDIR : 0); /* "." and ".." stay */
	closedir(listing);
	close(p->dir);
	assert_int_equal(rmdir(p->path), 0);
}

#endif
