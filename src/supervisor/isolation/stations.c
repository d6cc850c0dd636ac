/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stations that an operator, or the guard of a zone, has shut out (Z11, Z12). Each is a file
 * beside those of isolated zones, named by its address, so that there is nothing to half write;
 * what is in the file is a note.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sealed.h"
#include "channel/stations.h"
#include "supervisor/isolation/isolation.h"
#include "supervisor/query/query.h"
#include "supervisor/isolation/station_text.h"

#define PREFIX     "station-" /* no zone's name has one as long */
#define NAME_BYTES STATION_TEXT_BYTES

struct shut_list {
	struct station_shut rows[STATIONS_SHUT_MAX];
	size_t count;
};

/* Shut, and not on the disk: not yet, or until the next start since it cannot be written. */
static struct shut_list unkept;

/* Where it is in @list; its count: it is not. */
static size_t place_of(const struct shut_list *list, const struct station_shut *station)
{
	size_t at = 0;

	while (at < list->count &&
	       (list->rows[at].size != station->size ||
		memcmp(list->rows[at].bytes, station->bytes, station->size) != 0))
		at++;
	return at;
}

/* All that are shut, those that are not kept too. */
static int read_list(struct supervisor *sup, struct shut_list *list)
{
	int fd = openat(sup->isolation_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	*list = unkept;
	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd); /* nothing was read */
		return -ERR_SYSTEM;
	}
	while ((entry = readdir(dir)) != NULL && list->count < STATIONS_SHUT_MAX) {
		if (strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) == 0 &&
		    station_read(&list->rows[list->count], entry->d_name + sizeof(PREFIX) - 1) &&
		    place_of(&unkept, &list->rows[list->count]) == unkept.count)
			list->count++;
	}
	(void)closedir(dir); /* read only */
	return 0;
}

int stations_give(struct supervisor *sup, struct child *netfilter)
{
	static struct shut_list list;
	int fd, err = read_list(sup, &list);

	if (err == 0)
		err = sealed_make("stations",
				  (struct span){(const uint8_t *)list.rows,
						list.count * sizeof(list.rows[0])},
				  &fd);
	if (err < 0)
		return err;
	child_give(netfilter, &(struct control_give){.kind = GIVE_STATIONS}, fd);
	(void)close(fd); /* netfilter has its own copy */
	return 0;
}

/* Whether the list takes one more. @room: how many it may have then. */
static bool has_room(struct supervisor *sup, size_t room)
{
	static struct shut_list list;

	return read_list(sup, &list) == 0 && list.count < room;
}

/* The name of its file, which says it all. */
static void station_file(char out[NAME_BYTES + sizeof(PREFIX)], const struct station_shut *station)
{
	char text[NAME_BYTES];

	station_print(text, station);
	(void)snprintf(out, NAME_BYTES + sizeof(PREFIX), PREFIX "%s", text);
}

static bool is_shut(struct supervisor *sup, const struct station_shut *station)
{
	char name[NAME_BYTES + sizeof(PREFIX)];

	station_file(name, station);
	return place_of(&unkept, station) < unkept.count ||
	       isolation_holds(sup->isolation_fd, name);
}

/* On the disk as it is to be: no more among those that are not. @why, Return: of isolation_keep. */
static int keep(struct supervisor *sup, const struct station_shut *station, const char *why)
{
	char name[NAME_BYTES + sizeof(PREFIX)];
	size_t at = place_of(&unkept, station);
	int err;

	station_file(name, station);
	err = isolation_keep(sup->isolation_fd, name, why);
	if (err == 0 && at < unkept.count)
		unkept.rows[at] = unkept.rows[--unkept.count];
	return err;
}

static void tell_netfilter(struct supervisor *sup)
{
	struct child *netfilter = child_find(sup, ROLE_NETFILTER, 0);

	if (child_is_alive(netfilter) && stations_give(sup, netfilter) < 0)
		child_kill(netfilter, "the list of isolated stations could not be given");
}

/*
 * Shut first, then end what it has open: a disk that stalls or takes nothing holds up what is
 * written of it, and no more. There is room for it. Return: of isolation_keep; it is shut all the
 * same.
 */
static int shut_out(struct supervisor *sup, const struct station_shut *station, const char *why,
		    const char *person)
{
	char text[NAME_BYTES];
	int err;

	if (!is_shut(sup, station))
		unkept.rows[unkept.count++] = *station;
	tell_netfilter(sup);
	station_sever(sup, station);
	err = keep(sup, station, why);
	station_print(text, station);
	if (err == 0)
		supervisor_event(sup, EVENT_STATION_ISOLATED, EV_TEXT(NAME, text),
				 EV_TEXT(REASON, why), EV_TEXT(USER, person));
	else
		supervisor_event(sup, EVENT_STATION_ISOLATED, EV_TEXT(NAME, text),
				 EV_TEXT(REASON, why), EV_TEXT(USER, person),
				 EV_TEXT(ERROR, ISOLATED_UNKEPT));
	return err;
}

static void read_why(struct supervisor *sup, const struct station_shut *station,
		     char why[WATCHED_WHY_BYTES])
{
	char name[NAME_BYTES + sizeof(PREFIX)];

	station_file(name, station);
	isolation_why(sup->isolation_fd, name, why, WATCHED_WHY_BYTES);
}

/* The station that the argument names; otherwise the answer says what is allowed. */
static bool take_station(struct answer *answer, struct station_shut *station, const char **reason)
{
	char name[CONTROL_ARGUMENT_BYTES];

	*reason = answer_name(answer, name);
	if (station_read(station, name))
		return true;
	answer_error(answer, "allowed: a hardware address (02:00:00:00:00:05) or an address");
	return false;
}

static void answer_done(struct answer *answer, const struct station_shut *station, const char *done)
{
	char text[NAME_BYTES];

	station_print(text, station);
	answer_cell(answer, "%s", text);
	answer_cell(answer, "%s", done);
	answer_send(answer, CONTROL_ROW_LAST);
}

void answer_isolate_station(struct supervisor *sup, struct answer *answer)
{
	struct station_shut station;
	char text[NAME_BYTES];
	const char *reason;
	bool was_shut;
	int err;

	if (!take_station(answer, &station, &reason))
		return;
	if (!has_room(sup, STATIONS_SHUT_MAX)) {
		answer_error(answer, "too many stations are isolated already");
		return;
	}
	was_shut = is_shut(sup, &station);
	err = shut_out(sup, &station, ISOLATED_BY_OPERATOR, answer->console->person);
	station_print(text, &station);
	if (!was_shut)
		emergency_by_console(sup, answer->console, "station", text, reason);
	if (err < 0)
		answer_error(answer, ISOLATED_UNKEPT);
	else
		answer_done(answer, &station, "isolated");
}

/* Kept first: what would be shut again at the next start is not admitted. */
void answer_restore_station(struct supervisor *sup, struct answer *answer)
{
	struct station_shut station;
	char text[NAME_BYTES], why[WATCHED_WHY_BYTES];
	const char *reason;
	bool was_shut;

	if (!take_station(answer, &station, &reason))
		return;
	was_shut = is_shut(sup, &station);
	read_why(sup, &station, why);
	if (keep(sup, &station, NULL) < 0) {
		answer_error(answer, "the state directory cannot be written");
		return;
	}
	station_print(text, &station);
	if (was_shut)
		watch_begin(sup, text, &station, why, answer->console->person);
	supervisor_event(sup, EVENT_STATION_RESTORED, EV_TEXT(NAME, text),
			 EV_TEXT(REASON, "operator"),
			 EV_PERSON(USER, answer->console->person, answer->console->index));
	station_sever(sup, &station); /* a netfilter that was dead then has not done it */
	tell_netfilter(sup);
	answer_done(answer, &station, "restored");
}

void answer_isolated(struct supervisor *sup, struct answer *answer)
{
	static struct shut_list list;
	static const char *const headings[] = {"what", "name"};
	char text[NAME_BYTES];

	answer_heading(answer, headings, 2);
	for (uint32_t i = 0; i < sup->running.snapshot.zone_count; i++) {
		const char *name = sup->running.snapshot.zones[i].name;
		const struct zone *zone = zones_find(&sup->zones, name);

		if (!(zone != NULL && zone->isolated) && !isolation_holds(sup->isolation_fd, name))
			continue;
		answer_cell(answer, "zone");
		answer_cell(answer, "%s", name);
		answer_send(answer, 0);
	}
	if (read_list(sup, &list) < 0) {
		answer_error(answer, "the state directory cannot be read");
		return;
	}
	for (size_t i = 0; i < list.count; i++) {
		station_print(text, &list.rows[i]);
		answer_cell(answer, "station");
		answer_cell(answer, "%s", text);
		answer_send(answer, 0);
	}
	answer_send(answer, CONTROL_ROW_LAST);
}

static bool is_listed(const struct snapshot *s, const struct snapshot_zone *zone,
		      const uint8_t mac[6])
{
	for (uint32_t i = 0; i < zone->stations.count; i++) {
		if (memcmp(s->stations[zone->stations.first + i].mac, mac, 6) == 0)
			return true;
	}
	return false;
}

int stations_handle_alarm(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct child *child = ctx;
	struct supervisor *sup = child->sup;
	const struct control_alarm *alarm = message->body;
	const struct snapshot *s = &sup->running.snapshot;
	struct station_shut station = {.size = sizeof(alarm->mac)};

	if (sup->running.fd < 0 || alarm->epoch != sup->running.epoch)
		return 0; /* of a policy that is no more */
	if (alarm->zone >= s->zone_count || memchr(alarm->kind, '\0', sizeof(alarm->kind)) == NULL)
		return -ERR_PEER;
	if (!s->zones[alarm->zone].guard.isolate ||
	    !is_listed(s, &s->zones[alarm->zone], alarm->mac))
		return -ERR_PEER; /* nobody asked for it */
	memcpy(station.bytes, alarm->mac, station.size);
	if (has_room(sup, STATIONS_SHUT_MAX - STATIONS_SHUT_BY_HAND)) {
		(void)shut_out(sup, &station, alarm->kind, ""); /* the event says it */
	} else {
		char text[NAME_BYTES];

		station_print(text, &station);
		supervisor_event(sup, EVENT_STATION_NOT_ISOLATED, EV_TEXT(NAME, text),
				 EV_TEXT(REASON, "too many stations are isolated already"));
	}
	return 0;
}
