/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stick: one step of using a memory stick, one process (ADR 0319). It decides whether a device is
 * one and lets the kernel use it; or it copies one file from or to it; or it has the kernel let go
 * of it. For the first and the last it holds the device's switch and what the device says of
 * itself, for the second the disk and memory: whoever reads a stranger's file system has no switch.
 * Talks to: the supervisor, in one message each way. Privilege: none.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/process.h"
#include "base/sealed.h"
#include "channel/control.h"
#include "policy/snapshot.h"
#include "stick/volume.h"
#include "wire/usb_descriptor.h"

#define JOB_WAIT_MS    5000
#define REPORT_WAIT_MS 5000
#define NS_PER_S       1000000000

static struct {
	struct process process;
	struct control_stick job;
	struct control_stick_done done;
	int switches[USB_HUBS_MAX];
	size_t switch_count;
	int descriptors_fd, memory_fd;
	int32_t utc_offset_s;
} state = {.descriptors_fd = -1, .memory_fd = -1};

static int take_give(void *ctx, const struct control_give *give, int fd)
{
	int *slot;

	(void)ctx; /* all is in the state */
	if (give->kind == GIVE_USB_SWITCH) {
		if (state.switch_count == USB_HUBS_MAX)
			return -ERR_PEER;
		state.switches[state.switch_count++] = fd;
		return 0;
	}
	slot = give->kind == GIVE_USB_DESCRIPTORS ? &state.descriptors_fd : &state.memory_fd;
	if ((give->kind != GIVE_USB_DESCRIPTORS && give->kind != GIVE_MESSAGE &&
	     give->kind != GIVE_OUTPUT) ||
	    *slot >= 0)
		return -ERR_PEER;
	*slot = fd;
	return 0;
}

/* Return: STICK_DONE where the kernel took it for every one of them. */
static enum stick_status set_switches(char value)
{
	enum stick_status status = state.switch_count > 0 ? STICK_DONE : STICK_NOT_SWITCHED;

	for (size_t i = 0; i < state.switch_count; i++)
		if (pwrite(state.switches[i], &value, 1, 0) != 1)
			status = STICK_NOT_SWITCHED;
	return status;
}

static enum stick_status admit(void)
{
	uint8_t descriptors[USB_DESCRIPTOR_BYTES_MAX + 1];
	size_t size = 0;
	ssize_t n = 1;

	while (n > 0 && size < sizeof(descriptors)) {
		n = pread(state.descriptors_fd, descriptors + size, sizeof(descriptors) - size,
			  (off_t)size);
		size += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		return STICK_BROKEN;
	if (!usb_has_ids((struct span){descriptors, size}, state.job.vendor, state.job.product))
		return STICK_EXCHANGED;
	if (usb_is_storage((struct span){descriptors, size}) < 0)
		return STICK_NOT_STORAGE;
	return set_switches('1');
}

static enum stick_status switch_all(void)
{
	return set_switches(state.job.value != 0 ? '1' : '0');
}

static enum stick_status read_file(void)
{
	struct volume_file file = {.name = state.job.name};
	enum stick_status status = volume_read(FD_DISK, &file, USB_LOAD_BYTES_MAX, state.memory_fd);

	state.done.size_bytes = file.size_bytes;
	memcpy(state.done.sha256, file.sha256, sizeof(file.sha256));
	return status;
}

/* The memory is what nobody can change any more, and what the supervisor was told of. */
static enum stick_status write_file(void)
{
	struct volume_file file = {.name = state.job.name};
	int64_t now_s = clock_wall_ns(&clock_system) / NS_PER_S;
	void *data = NULL;

	if (sealed_check(state.memory_fd, &file.size_bytes) < 0 ||
	    file.size_bytes != state.job.size_bytes || file.size_bytes > USB_SAVE_BYTES_MAX)
		return STICK_CHANGED;
	if (file.size_bytes > 0)
		data = mmap(NULL, file.size_bytes, PROT_READ, MAP_SHARED, state.memory_fd, 0);
	if (data == MAP_FAILED)
		return STICK_BROKEN;
	sha256_of(data, file.size_bytes, file.sha256);
	if (memcmp(file.sha256, state.job.sha256, sizeof(file.sha256)) != 0)
		return STICK_CHANGED;
	return volume_write(FD_DISK, &file, (struct span){data, file.size_bytes},
			    now_s + state.utc_offset_s);
}

static enum stick_status run(void)
{
	static enum stick_status (*const tasks[STICK_TASK_COUNT_])(void) = {
		[STICK_ADMIT] = admit,
		[STICK_SWITCH] = switch_all,
		[STICK_READ] = read_file,
		[STICK_WRITE] = write_file,
	};

	if (state.job.task >= STICK_TASK_COUNT_ || !tasks[state.job.task] ||
	    ((state.job.task == STICK_READ || state.job.task == STICK_WRITE) &&
	     !usb_name_is_sound(state.job.name)))
		return STICK_CHANGED;
	return tasks[state.job.task]();
}

/* The local time of the files that it writes is the policy's. */
static int take_policy(int snapshot_fd)
{
	struct snapshot snapshot;
	int err;

	if (snapshot_fd < 0)
		return 0; /* there is none yet: UTC */
	err = snapshot_load(&snapshot, snapshot_fd);
	(void)close(snapshot_fd); /* mapped, or of no use */
	if (err == 0)
		state.utc_offset_s = snapshot.header->utc_offset_s;
	return err;
}

static int begin(void)
{
	static const int extra_syscalls[] = {SYS_fsync, SYS_fadvise64};
	static const struct sandbox_profile profile = {
		.name = "stick",
		.syscalls = extra_syscalls,
		.syscall_count = sizeof(extra_syscalls) / sizeof(extra_syscalls[0]),
	};
	struct control_start start;
	int snapshot_fd = -1;
	int err = process_begin(&state.process, &profile, take_give, NULL, &start, &snapshot_fd);

	if (err < 0)
		return err;
	if (start.role != ROLE_STICK)
		return -ERR_PEER;
	err = take_policy(snapshot_fd);
	return err < 0 ? err : process_ready(&state.process);
}

int main(void)
{
	size_t fd_count = 0;

	if (begin() < 0 || channel_receive(&state.process.control, CONTROL_STICK, &state.job,
					   sizeof(state.job), NULL, 0, &fd_count, JOB_WAIT_MS) < 0)
		return 1;
	state.done.status = run();
	return channel_send_wait(&state.process.control, CONTROL_STICK_DONE, &state.done,
				 sizeof(state.done), NULL, 0, REPORT_WAIT_MS) < 0;
}
