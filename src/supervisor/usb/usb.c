/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of one use of a memory stick. Each that may have to wait for the device, be it in the
 * kernel, is a process's: the supervisor itself opens directories and switches, and never waits.
 */
#include "supervisor/usb/usb.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sealed.h"
#include "supervisor/query/query.h"
#include "supervisor/supervisor.h"

#define APPEAR_MS       20000U /* a stick may need that long to wake up */
#define LOOK_MS         100U
#define SWITCH_FAILURES 3 /* in a row; then until the next policy */
#define SEALS           (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static void close_one(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* memory: nothing to be written back */
	*fd = -1;
}

static bool is_on(const struct supervisor *sup)
{
	return sup->running.fd >= 0 && sup->running.snapshot.header->usb != 0;
}

/* Return: NULL, or why no stick is used here. */
static const char *judge(const struct supervisor *sup)
{
	if (!sup->options.uses_usb)
		return "memory sticks are used by the appliance only, not on this host";
	return is_on(sup) ? NULL : "memory sticks are switched off; see system usb";
}

/* ---- what the log and the console are told */

static void record(struct supervisor *sup, enum event_id event, const struct control_usb_done *done)
{
	const struct usb *usb = &sup->usb;

	supervisor_event(sup, event, EV_PERSON(USER, usb->person, usb->console),
			 EV_TEXT(NAME, usb->asked.name), EV_NUMBER(BYTES, done->size_bytes),
			 EV_SHA256(SHA256, done->sha256), EV_TEXT(VENDOR, usb->device.vendor),
			 EV_TEXT(PRODUCT, usb->device.product));
}

static void record_failure(struct supervisor *sup, enum event_id event, const char *reason)
{
	const struct usb *usb = &sup->usb;

	supervisor_event(sup, event, EV_PERSON(USER, usb->person, usb->console),
			 EV_TEXT(NAME, usb->asked.name), EV_TEXT(REASON, reason),
			 EV_TEXT(VENDOR, usb->device.vendor),
			 EV_TEXT(PRODUCT, usb->device.product));
}

/* The console that asked, where it and the person are still the same. */
static struct child *find_console(struct supervisor *sup)
{
	struct child *console = child_find(sup, ROLE_CONSOLE, sup->usb.console);

	return console && console->pid == sup->usb.console_pid &&
			       strcmp(console->person, sup->usb.person) == 0 &&
			       console->person_role != ACCOUNT_ROLE_NONE
		       ? console
		       : NULL;
}

static void answer_console(struct supervisor *sup)
{
	struct usb *usb = &sup->usb;
	struct child *console = find_console(sup);
	bool gives = usb->out.ok && usb->asked.kind == USB_LOAD;

	usb->out.number = usb->asked.number;
	if (console)
		child_send(console, CONTROL_USB_DONE, &usb->out, sizeof(usb->out), &usb->memory_fd,
			   gives ? 1 : 0);
	close_one(&usb->memory_fd);
}

static void refuse(struct child *console, uint32_t number, const char *reason)
{
	struct control_usb_done done = {.number = number};

	(void)snprintf(done.reason, sizeof(done.reason), "%s", reason);
	child_send(console, CONTROL_USB_DONE, &done, sizeof(done), NULL, 0);
}

/* ---- one step after the other */

static void go_on(struct supervisor *sup);

/* The question whether all that was said so far is on the disk. */
static bool ask_record(struct supervisor *sup)
{
	struct child *audit = child_find(sup, ROLE_AUDIT, 0);
	struct control_record body = {.number = ++sup->record_serial};

	if (!child_is_alive(audit))
		return false;
	sup->usb.record = body.number;
	child_send(audit, CONTROL_RECORD, &body, sizeof(body), NULL, 0);
	return true;
}

/* A process for one task. Return: false where there is none. */
static bool launch(struct supervisor *sup, struct child **slot, const struct control_stick *job)
{
	struct child *child = child_add(sup, ROLE_STICK, 0, NULL, -1, false);

	*slot = child;
	if (child && child_launch(child) == 0) {
		child_send(child, CONTROL_STICK, job, sizeof(*job), NULL, 0);
		return true;
	}
	if (child)
		child->state = CHILD_FREE;
	*slot = NULL;
	return false;
}

static bool launch_task(struct supervisor *sup, enum stick_task task)
{
	const struct control_usb *asked = &sup->usb.asked;
	struct control_stick job = {.task = task, .size_bytes = asked->size_bytes};

	/* Four hexadecimal digits each. */
	job.vendor = (uint16_t)strtoul(sup->usb.device.vendor, NULL, 16);
	job.product = (uint16_t)strtoul(sup->usb.device.product, NULL, 16);
	memcpy(job.name, asked->name, sizeof(job.name));
	memcpy(job.sha256, asked->sha256, sizeof(job.sha256));
	return launch(sup, &sup->usb.child, &job);
}

static void end_use(struct supervisor *sup)
{
	struct usb *usb = &sup->usb;

	loop_disarm(&sup->loop, &usb->timer);
	answer_console(sup);
	usb->step = USB_IDLE;
	usb->child = NULL;
	usb->record = 0;
}

/* The device stays authorized: its hub takes it along, now or at the next policy. */
static void tell_stuck(struct supervisor *sup, const char *reason)
{
	record_failure(sup, EVENT_USB_STUCK, reason);
	sup->usb.clean = false;
	usb_follow(sup);
}

/* Whatever the use came to: the device is let go of before anybody hears of it. */
static void dismiss(struct supervisor *sup)
{
	struct usb *usb = &sup->usb;

	loop_disarm(&sup->loop, &usb->timer);
	usb->disk = (struct spawn_disk){0};
	usb->record = 0;
	if (!usb->admitted) {
		end_use(sup);
		return;
	}
	usb->step = USB_DISMISSING;
	if (!launch_task(sup, STICK_SWITCH)) {
		tell_stuck(sup, "no process for it");
		end_use(sup);
	}
}

static void fail(struct supervisor *sup, enum event_id event, const char *reason)
{
	struct usb *usb = &sup->usb;

	record_failure(sup, event, reason);
	usb->out = (struct control_usb_done){0};
	(void)snprintf(usb->out.reason, sizeof(usb->out.reason), "%s", reason);
	dismiss(sup);
}

static void begin_admitting(struct supervisor *sup)
{
	sup->usb.step = USB_ADMITTING;
	sup->usb.admitted = true;
	if (!launch_task(sup, STICK_ADMIT))
		fail(sup, EVENT_USB_FAILED, "no process for the stick");
}

/* The kernel lists a disk a moment before it can be opened. */
static bool has_node(const struct spawn_disk *disk)
{
	struct stat stat;

	return lstat(disk->path, &stat) == 0 && S_ISBLK(stat.st_mode) &&
	       stat.st_rdev == disk->number;
}

static void look_for_disk(struct loop *loop, struct loop_timer *self)
{
	struct supervisor *sup = self->ctx;
	struct usb *usb = &sup->usb;
	int err = usb_devices_disk(USB_DEVICES_PLACE, usb->device.name, &usb->disk);

	if (err == 0 && has_node(&usb->disk)) {
		go_on(sup);
	} else if (err == -ERR_UNSUPPORTED) {
		fail(sup, EVENT_USB_REFUSED, "the stick is more than one disk");
	} else if (clock_mono_ms(loop->clock) >= usb->until_ms) {
		fail(sup, EVENT_USB_FAILED, "the stick does not show a disk");
	} else {
		loop_arm(loop, self, LOOK_MS);
	}
}

static void begin_appearing(struct supervisor *sup)
{
	struct usb *usb = &sup->usb;

	usb->step = USB_APPEARING;
	usb->until_ms = clock_mono_ms(sup->loop.clock) + APPEAR_MS;
	usb->timer = (struct loop_timer){.fire = look_for_disk, .ctx = sup};
	loop_arm(&sup->loop, &usb->timer, LOOK_MS);
}

static void begin_copying(struct supervisor *sup)
{
	struct usb *usb = &sup->usb;

	usb->step = USB_COPYING;
	usb->disk.writes = usb->asked.kind == USB_SAVE;
	if (usb->asked.kind == USB_LOAD)
		usb->memory_fd = memfd_create("usb", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (usb->memory_fd < 0 || !launch_task(sup, usb->disk.writes ? STICK_WRITE : STICK_READ))
		fail(sup, EVENT_USB_FAILED, "no process for the stick");
}

/* What has been read is recorded before anybody gets it. */
static void finish_copying(struct supervisor *sup)
{
	struct usb *usb = &sup->usb;

	record(sup, usb->asked.kind == USB_LOAD ? EVENT_USB_LOADED : EVENT_USB_SAVED, &usb->out);
	if (!ask_record(sup))
		fail(sup, EVENT_USB_FAILED, "its record cannot be written");
}

/* The step that was under way has succeeded. */
static void go_on(struct supervisor *sup)
{
	switch (sup->usb.step) {
	case USB_RECORDING:
		begin_admitting(sup);
		break;
	case USB_ADMITTING:
		begin_appearing(sup);
		break;
	case USB_APPEARING:
		begin_copying(sup);
		break;
	case USB_COPYING:
		dismiss(sup);
		break;
	case USB_DISMISSING:
		end_use(sup);
		break;
	case USB_IDLE:
		break;
	}
}

/* ---- a console asks */

/* Return: NULL, and the one device is in @out; or why not. @refused: it is an event. */
static const char *choose_device(struct usb_device *out, bool *refused)
{
	struct usb_device devices[USB_DEVICES_MAX];
	int count = usb_devices_list(USB_DEVICES_PLACE, devices, USB_DEVICES_MAX);

	*refused = count > 1;
	if (count < 0)
		return "this machine has no USB";
	if (count == 0)
		return "no memory stick is plugged in";
	*out = devices[0];
	return count > 1 ? "more than one USB device is plugged in; leave only the stick" : NULL;
}

static const char *judge_asked(const struct child *console, const struct control_usb *asked, int fd)
{
	uint64_t size_bytes = 0;

	if (console->person_role == ACCOUNT_ROLE_NONE)
		return "nobody has logged in here";
	if (asked->kind == USB_LOAD && console->person_role != ACCOUNT_ADMINISTRATOR)
		return "your role does not allow this";
	if (!usb_name_is_sound(asked->name))
		return "a file's name has letters, digits, '.', '-', '_', at most 63";
	if (asked->kind == USB_SAVE &&
	    (sealed_check(fd, &size_bytes) < 0 || size_bytes != asked->size_bytes ||
	     size_bytes > USB_SAVE_BYTES_MAX))
		return "the data could not be taken over";
	return judge(console->sup);
}

/* Return: NULL, or why there is no use of it. @fd: taken where it begins. */
static const char *begin_use(struct child *console, const struct control_usb *asked, int *fd)
{
	struct supervisor *sup = console->sup;
	const char *why = judge_asked(console, asked, *fd);
	struct usb *usb = &sup->usb;
	bool refused = false;

	if (why)
		return why;
	if (usb->step != USB_IDLE)
		return "a memory stick is being used at another console; try again";
	usb->asked = *asked;
	usb->console = console->index;
	usb->console_pid = console->pid;
	(void)snprintf(usb->person, sizeof(usb->person), "%s", console->person);
	usb->device = (struct usb_device){0};
	usb->disk = (struct spawn_disk){0};
	usb->admitted = false;
	usb->out = (struct control_usb_done){.ok = 1, .size_bytes = asked->size_bytes};
	memcpy(usb->out.sha256, asked->sha256, sizeof(usb->out.sha256));
	why = choose_device(&usb->device, &refused);
	if (refused)
		record_failure(sup, EVENT_USB_REFUSED, why);
	if (why)
		return why;
	if (asked->kind == USB_SAVE)
		record(sup, EVENT_USB_SAVE, &usb->out);
	else
		supervisor_event(sup, EVENT_USB_LOAD, EV_PERSON(USER, usb->person, usb->console),
				 EV_TEXT(NAME, asked->name), EV_TEXT(VENDOR, usb->device.vendor),
				 EV_TEXT(PRODUCT, usb->device.product));
	if (!ask_record(sup)) {
		record_failure(sup, EVENT_USB_FAILED, "its record cannot be written");
		return "its record cannot be written";
	}
	usb->memory_fd = *fd;
	*fd = -1;
	usb->step = USB_RECORDING;
	return NULL;
}

int usb_handle_ask(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *console = ctx;
	struct control_usb asked = *(const struct control_usb *)message->body;
	int none = -1, *fd = message->fd_count == 1 ? &message->fds[0] : &none;
	const char *why;

	if ((asked.kind != USB_SAVE && asked.kind != USB_LOAD) ||
	    (asked.kind == USB_SAVE) != (message->fd_count == 1))
		return -ERR_PEER;
	if (asked.kind == USB_LOAD) {
		asked.size_bytes = 0;
		memset(asked.sha256, 0, sizeof(asked.sha256));
	}
	if (!asking_take(&console->asking, clock_mono_ms(console->sup->loop.clock)))
		why = "too many questions; ask again in a second";
	else
		why = begin_use(console, &asked, fd);
	if (why)
		refuse(console, asked.number, why);
	return 0;
}

/* ---- answers */

void usb_recorded(struct supervisor *sup, const struct control_recorded *answer)
{
	if (answer->number == 0 || sup->usb.record != answer->number)
		return;
	sup->usb.record = 0;
	if (answer->ok == 1)
		go_on(sup);
	else
		fail(sup, EVENT_USB_FAILED, "its record cannot be written");
}

void usb_unrecorded(struct supervisor *sup)
{
	if (sup->usb.record == 0)
		return;
	sup->usb.record = 0;
	fail(sup, EVENT_USB_FAILED, "its record cannot be written");
}

static const char *reason_of(uint32_t status)
{
	static const char *const reasons[STICK_STATUS_COUNT_] = {
		[STICK_NOT_STORAGE] = "it is no memory stick, or more than one",
		[STICK_EXCHANGED] = "another device is plugged in than a moment ago",
		[STICK_NOT_SWITCHED] = "the kernel does not accept the device",
		[STICK_NO_FILE_SYSTEM] = "the stick has no FAT or exFAT file system",
		[STICK_NO_FILE] = "the stick has no such file in its top directory",
		[STICK_EXISTS] = "the stick has a file of this name; it was left as it is",
		[STICK_TOO_LARGE] = "the file is larger than 4 MiB",
		[STICK_FULL] = "the stick is full, or write-protected",
		[STICK_BROKEN] = "the stick cannot be read or written",
		[STICK_DAMAGED] = "the file system of the stick is damaged",
		[STICK_CHANGED] = "the data is not what it was said to be",
	};
	const char *reason = status < STICK_STATUS_COUNT_ ? reasons[status] : NULL;

	return reason ? reason : "the process for the stick failed";
}

/* How a process of the use has ended. @done: NULL: without a word. */
static void take_end(struct supervisor *sup, const struct control_stick_done *done)
{
	struct usb *usb = &sup->usb;
	uint32_t status = done ? done->status : 0;

	usb->child = NULL;
	if (usb->step == USB_DISMISSING) {
		/* Whoever was pulled out is let go of as well. */
		if (usb_devices_state(USB_DEVICES_PLACE, usb->device.name) == 1)
			tell_stuck(sup, reason_of(status));
		end_use(sup);
		return;
	}
	if (status != STICK_DONE) {
		bool refused = status == STICK_NOT_STORAGE || status == STICK_EXCHANGED;

		fail(sup, refused ? EVENT_USB_REFUSED : EVENT_USB_FAILED, reason_of(status));
		return;
	}
	if (usb->step != USB_COPYING) {
		go_on(sup);
		return;
	}
	if (usb->asked.kind == USB_LOAD) {
		/* The console checks seals and hash. */
		(void)fcntl(usb->memory_fd, F_ADD_SEALS, SEALS);
		usb->out.size_bytes = done->size_bytes;
		memcpy(usb->out.sha256, done->sha256, sizeof(usb->out.sha256));
	}
	finish_copying(sup);
}

/* Whether a hub is not as it should be. */
static bool differs(bool on)
{
	char hubs[USB_HUBS_MAX][USB_HUB_NAME_BYTES];
	int count = usb_devices_hubs(USB_DEVICES_PLACE, hubs, USB_HUBS_MAX);

	for (int i = 0; i < count; i++) {
		int state = usb_devices_state(USB_DEVICES_PLACE, hubs[i]);

		if (state >= 0 && (state == 1) != on)
			return true;
	}
	return false;
}

static void follow(struct supervisor *sup);

/* The controllers' hubs. A failure is tried again, since a hub may just be busy; what the kernel
 * says that it has done and has not is one too. */
static void take_switched(struct supervisor *sup, bool well)
{
	struct usb *usb = &sup->usb;

	usb->switcher = NULL;
	if (well && !differs(usb->switch_value))
		usb->switch_failures = 0;
	else
		usb->switch_failures++;
	if (usb->switch_failures >= SWITCH_FAILURES)
		supervisor_event(sup, EVENT_USB_STUCK,
				 EV_TEXT(REASON, "the controllers cannot be switched"));
	else if (!sup->stopping)
		follow(sup);
}

int usb_handle_done(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;
	struct supervisor *sup = child->sup;
	const struct control_stick_done done = *(const struct control_stick_done *)message->body;

	if (child == sup->usb.switcher)
		take_switched(sup, done.status == STICK_DONE);
	else if (child == sup->usb.child)
		take_end(sup, &done);
	else
		return -ERR_PEER;
	return 0;
}

void usb_child_died(struct child *child)
{
	struct supervisor *sup = child->sup;

	if (child == sup->usb.switcher)
		take_switched(sup, false);
	else if (child == sup->usb.child)
		take_end(sup, NULL);
}

/* ---- what processes are given */

static void give(struct child *child, uint32_t kind, const char *device, const char *attribute,
		 int flags)
{
	int fd = usb_devices_open(USB_DEVICES_PLACE, device, attribute, flags);

	if (fd < 0)
		return; /* it was pulled out: the process misses it, and says so */
	child_give(child, &(struct control_give){.kind = kind}, fd);
	(void)close(fd); /* the child has its own copy */
}

static void give_hubs(struct child *child)
{
	char hubs[USB_HUBS_MAX][USB_HUB_NAME_BYTES];
	int count = usb_devices_hubs(USB_DEVICES_PLACE, hubs, USB_HUBS_MAX);

	for (int i = 0; i < count; i++)
		give(child, GIVE_USB_SWITCH, hubs[i], "authorized", O_WRONLY);
}

void usb_outfit(struct child *child)
{
	struct usb *usb = &child->sup->usb;
	const char *device = usb->device.name;

	if (child == usb->switcher) {
		give_hubs(child);
	} else if (usb->step == USB_COPYING) {
		child_give(child,
			   &(struct control_give){.kind = usb->disk.writes ? GIVE_MESSAGE
									   : GIVE_OUTPUT},
			   usb->memory_fd);
	} else {
		give(child, GIVE_USB_SWITCH, device, "authorized", O_WRONLY);
		if (usb->step == USB_ADMITTING)
			give(child, GIVE_USB_DESCRIPTORS, device, "descriptors", O_RDONLY);
	}
}

struct spawn_disk usb_disk_of(const struct child *child)
{
	const struct usb *usb = &child->sup->usb;

	if (child->role != ROLE_STICK || child == usb->switcher || usb->step != USB_COPYING)
		return (struct spawn_disk){0};
	return usb->disk;
}

/* ---- the policy, and questions */

/* A hub that goes off takes what an earlier life of ours may have left authorized along. */
static void follow(struct supervisor *sup)
{
	struct control_stick job = {.task = STICK_SWITCH};
	struct usb *usb = &sup->usb;

	if (!sup->options.uses_usb || usb->switcher)
		return;
	usb->clean = usb->clean || !differs(false);
	job.value = usb->clean && is_on(sup);
	if (!differs(job.value))
		return;
	usb->switch_value = job.value;
	if (!launch(sup, &usb->switcher, &job))
		supervisor_event(sup, EVENT_USB_STUCK, EV_TEXT(REASON, "no process for it"));
}

void usb_follow(struct supervisor *sup)
{
	char hubs[USB_HUBS_MAX + 1][USB_HUB_NAME_BYTES];

	sup->usb.switch_failures = 0;
	if (sup->options.uses_usb &&
	    usb_devices_hubs(USB_DEVICES_PLACE, hubs, USB_HUBS_MAX + 1) > USB_HUBS_MAX)
		supervisor_event(sup, EVENT_USB_STUCK,
				 EV_TEXT(REASON,
					 "there are more controllers than can be switched"));
	follow(sup);
}

/*
 * The policy's word alone is no answer: the hubs are switched a moment after it, and the kernel
 * shows them as off while it still lets go of their ports.
 */
static const char *judge_shown(const struct supervisor *sup)
{
	bool off = !sup->usb.switcher && !differs(false);

	if (!sup->options.uses_usb || is_on(sup) || off)
		return judge(sup);
	return sup->usb.switch_failures >= SWITCH_FAILURES
		       ? "the USB controllers cannot be switched off; pull out what is plugged in"
		       : "memory sticks are being switched off; ask again in a moment";
}

void answer_usb(struct supervisor *sup, struct answer *answer)
{
	static const char *const headings[] = {"port", "vendor", "product", "class"};
	struct usb_device devices[USB_DEVICES_MAX];
	const char *why = judge_shown(sup);
	int count = why ? 0 : usb_devices_list(USB_DEVICES_PLACE, devices, USB_DEVICES_MAX);

	if (count < 0)
		why = "this machine has no USB";
	if (why) {
		answer_error(answer, why);
		return;
	}
	answer_heading(answer, headings, sizeof(headings) / sizeof(headings[0]));
	for (int i = 0; i < count; i++) {
		answer_cell(answer, "%s", devices[i].name);
		answer_cell(answer, "%s", devices[i].vendor);
		answer_cell(answer, "%s", devices[i].product);
		answer_cell(answer, "%s", devices[i].class);
		answer_send(answer, 0);
	}
	answer_send(answer, CONTROL_ROW_LAST);
}
