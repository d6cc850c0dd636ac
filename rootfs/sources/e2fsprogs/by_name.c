/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One program under two names: makes the data partition's file system as mke2fs, checks it as e2fsck. */
#include <string.h>

int mke2fs_main(int argc, char **argv);
int e2fsck_main(int argc, char **argv);

int main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";

	if (strcmp(name, "mke2fs") == 0)
		return mke2fs_main(argc, argv);
	if (strcmp(name, "e2fsck") == 0)
		return e2fsck_main(argc, argv);
	return 127;
}
