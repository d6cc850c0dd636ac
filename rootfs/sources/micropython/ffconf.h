/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FatFs as src/stick needs it: files of the root directory are read and created, and nothing else. */
#define FFCONF_DEF         86604 /* the release that these settings are for */
#define FF_FS_READONLY     0
#define FF_FS_MINIMIZE     0
#define FF_USE_STRFUNC     0
#define FF_USE_FIND        0
#define FF_USE_MKFS        0
#define FF_USE_FASTSEEK    0
#define FF_USE_EXPAND      0
#define FF_USE_CHMOD       0
#define FF_USE_LABEL       0
#define FF_USE_FORWARD     0
#define FF_CODE_PAGE       437 /* names of ours are ASCII, of which every code page has the same */
#define FF_USE_LFN         1
#define FF_MAX_LFN         255
#define FF_LFN_UNICODE     2 /* UTF-8 */
#define FF_LFN_BUF         255
#define FF_SFN_BUF         12
#define FF_STRF_ENCODE     3
#define FF_FS_RPATH        0 /* no current directory, no ".." */
#define FF_VOLUMES         1
#define FF_STR_VOLUME_ID   0
#define FF_MULTI_PARTITION 0 /* the first partition with such a file system, or the whole stick */
#define FF_MIN_SS          512
#define FF_MAX_SS          512
#define FF_USE_TRIM        0
#define FF_FS_NOFSINFO     1 /* the stick's own count of free clusters is not believed, but kept */
#define FF_FS_TINY         1
#define FF_FS_EXFAT        1
#define FF_FS_NORTC        0
#define FF_FS_LOCK         0
#define FF_FS_REENTRANT    0
