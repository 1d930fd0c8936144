// SPDX-License-Identifier: GPL-2.0
/*
 * history: the readings in a file of 'record' or 'stat watch', as series of numbers
 *
 * In both, each document is a reading. 'record' has counts since the module was loaded, in "zone";
 * 'stat watch' has increments in its interval, in the result itself, and no orders and rows.
 * The file is JSON documents one after the other. A member that is missing is an unknown value,
 * so that files of a newer version can be read as well.
 */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/history.h"
#include "out/plot.h"

#define READINGS_MAX	10000000
#define NO_HISTORY	"is not a history, as 'myallocctl record' and 'stat watch -o FILE' write it"

static double *grown(double *old, size_t nr, size_t room)
{
	double *new = xcalloc(room, sizeof(*new));
	size_t i;

	for (i = 0; i < room; i++)
		new[i] = i < nr ? old[i] : NAN;
	free(old);
	return new;
}

/* Calls @each for every series of the zone. */
static void each_series(struct history *h, void (*each)(double **series, void *arg), void *arg)
{
	size_t i;

	each(&h->x, arg);
	for (i = 0; i < ARRAY_SIZE(h->holder); i++)
		each(&h->holder[i], arg);
	for (i = 0; i < ARRAY_SIZE(h->unusable); i++)
		each(&h->unusable[i], arg);
	each(&h->allocs, arg);
	each(&h->frees, arg);
	each(&h->hit, arg);
	each(&h->size, arg);
	each(&h->grown, arg);
	each(&h->shrunk, arg);
	for (i = 0; i < h->nr_rows; i++) {
		each(&h->row[i].size, arg);
		each(&h->row[i].live, arg);
		each(&h->row[i].rate, arg);
		each(&h->row[i].hit, arg);
		each(&h->row[i].used, arg);
	}
}

static void grow_one(double **series, void *history)
{
	const struct history *h = history;

	*series = grown(*series, h->nr, h->room);
}

/* ---- one document ---- */

static double number(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !v)
		return NAN;
	return json_object_get_double(v);
}

static double known(double value)
{
	return isnan(value) ? 0 : value;
}

static char *word(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !v)
		return xstrdup("unknown");
	return xstrdup(json_object_get_string(v));
}

static void take_system(struct history *h, struct json_object *root)
{
	struct json_object *sys;

	json_object_object_get_ex(root, "system", &sys);
	h->kernel = word(sys, "kernel");
	h->version = word(sys, "version");
	h->machine = word(sys, "machine");
	h->accelerator = word(sys, "accelerator");
	h->hypervisor = word(sys, "hypervisor");
	h->debug_options = word(sys, "debug_options");
	h->cpus = known(number(sys, "cpus"));
	h->time = word(root, "time");
	h->command = word(root, "command");
}

static struct history_row *find_row(struct history *h, enum row_kind kind, const char *name)
{
	struct history_row *row;
	size_t i;

	for (i = 0; i < h->nr_rows; i++) {
		row = &h->row[(h->next + i) % h->nr_rows];
		if (row->kind == kind && !strcmp(row->name, name)) {
			h->next = row - h->row + 1;
			return row;
		}
	}
	if (h->nr_rows == h->room_rows) {
		h->room_rows = h->room_rows ? 2 * h->room_rows : 32;
		row = xcalloc(h->room_rows, sizeof(*row));
		if (h->nr_rows)
			memcpy(row, h->row, h->nr_rows * sizeof(*row));
		free(h->row);
		h->row = row;
	}
	row = &h->row[h->nr_rows++];
	row->kind = kind;
	row->name = xstrdup(name);
	row->size = grown(NULL, 0, h->room);
	row->live = grown(NULL, 0, h->room);
	row->rate = grown(NULL, 0, h->room);
	row->hit = grown(NULL, 0, h->room);
	row->used = grown(NULL, 0, h->room);
	row->first_fails = NAN;
	return row;
}

/* Update the failures since the row was first seen. */
static void note_fails(struct history_row *row, double fails)
{
	if (isnan(fails))
		return;
	if (isnan(row->first_fails) || fails < row->first_fails)
		row->first_fails = fails;
	row->fails = fails - row->first_fails;
}

static void take_row(struct history *h, struct json_object *item)
{
	struct json_object *name, *kind;
	double node = number(item, "node");
	struct history_row *row;
	char *of_node;
	int i;

	if (!json_object_object_get_ex(item, "name", &name) ||
	    !json_object_object_get_ex(item, "kind", &kind))
		return;
	for (i = 0; i < ROW_KINDS; i++)
		if (!strcmp(row_kinds[i], json_object_get_string(kind)))
			break;
	if (i == ROW_KINDS)
		return;
	/* The row of a node has its name already. */
	if (isnan(node) || i == ROW_NODE) {
		row = find_row(h, i, json_object_get_string(name));
	} else {
		of_node = xasprintf("%s, node %g", json_object_get_string(name), node);
		row = find_row(h, i, of_node);
		free(of_node);
	}
	row->size[h->nr] = number(item, "size_bytes");
	row->live[h->nr] = number(item, "live");
	row->rate[h->nr] = number(item, "allocs_per_sec");
	row->hit[h->nr] = number(item, "hit_permille") / 10;
	row->used[h->nr] = number(item, "used_permille") / 10;
	note_fails(row, number(item, "fails"));
	if (row->size[h->nr] > row->peak)
		row->peak = row->size[h->nr];
}

/* Read the changes of the reserve since the previous reading, @seconds ago. */
static void take_reserve(struct history *h, struct json_object *zone, double seconds, bool added)
{
	double grown = known(number(zone, "grown")), shrunk = known(number(zone, "shrunk"));

	if (seconds > 0 && (added || h->nr)) {
		h->grown[h->nr] = (grown - h->last_grown) / seconds;
		h->shrunk[h->nr] = (shrunk - h->last_shrunk) / seconds;
	}
	if (!added) {
		h->last_grown = grown;
		h->last_shrunk = shrunk;
	}
}

/* @added: counts are increments since the previous reading */
static void take_counts(struct history *h, struct json_object *zone, bool added)
{
	static __u64 fails, bad_frees, corruptions;

	if (added) {
		h->fails += known(number(zone, "fails"));
		h->bad_frees += known(number(zone, "bad_frees"));
		h->corruptions += known(number(zone, "corruptions"));
		return;
	}
	if (!h->nr) {
		fails = known(number(zone, "page_fails"));
		bad_frees = known(number(zone, "bad_frees"));
		corruptions = known(number(zone, "corruptions"));
	}
	h->fails = known(number(zone, "page_fails")) - fails;
	h->bad_frees = known(number(zone, "bad_frees")) - bad_frees;
	h->corruptions = known(number(zone, "corruptions")) - corruptions;
}

static void take_zone(struct history *h, struct json_object *zone, double page, bool added)
{
	double capacity = known(number(zone, "nr_pages")) * page;

	h->size[h->nr] = capacity;
	if (h->capacity < capacity)
		h->capacity = capacity;
	h->holder[PLOT_USERS][h->nr] = known(number(zone, "page_pages")) * page;
	h->holder[PLOT_SLABS][h->nr] = known(number(zone, "slab_pages")) * page;
	h->holder[PLOT_CACHED][h->nr] = known(number(zone, "cached_pages")) * page;
	h->holder[PLOT_OTHER][h->nr] = (known(number(zone, "deferred_pages")) +
					known(number(zone, "quarantined_pages")) +
					known(number(zone, "bad_pages"))) * page;
	h->holder[PLOT_FREE][h->nr] = known(number(zone, "free_pages")) * page;
	/* The first reading of 'record' has no previous one. */
	if (h->nr || added) {
		h->allocs[h->nr] = number(zone, "allocs_per_sec");
		h->frees[h->nr] = number(zone, "frees_per_sec");
		h->hit[h->nr] = number(zone, "hit_permille") / 10;
	}
	take_counts(h, zone, added);
}

static void take_orders(struct history *h, struct json_object *orders)
{
	double order, value;
	size_t i;

	for (i = 0; i < json_object_array_length(orders); i++) {
		struct json_object *item = json_object_array_get_idx(orders, i);

		order = number(item, "order");
		value = number(item, "unusable_permille");
		if (!(order >= 0 && order < MYALLOC_ORDERS) || isnan(value))
			continue;
		h->unusable[(int)order][h->nr] = value / 1000;
		if (order + 1 > h->orders)
			h->orders = order + 1;
	}
}

/* Read a document. Returns a message, or NULL. */
static const char *take(struct history *h, struct json_object *root)
{
	struct json_object *kind, *schema, *result, *zone, *list;
	bool watch;
	size_t i;

	if (!json_object_object_get_ex(root, "kind", &kind) ||
	    !json_object_object_get_ex(root, "schema", &schema) ||
	    !json_object_object_get_ex(root, "result", &result))
		return NO_HISTORY;
	watch = !strcmp(json_object_get_string(kind), "stat watch");
	zone = result;
	if (!watch && !json_object_object_get_ex(result, "zone", &zone))
		return NO_HISTORY;
	if (json_object_get_int(schema) != OUT_SCHEMA)
		return "was written by a version of this tool with another schema";
	if (strcmp(json_object_get_string(kind), "record") &&
	    strcmp(json_object_get_string(kind), "top") && !watch)
		return NO_HISTORY;
	if (watch && isnan(number(result, "page_bytes")))
		return "was written by an older 'stat watch', which does not say how large a page is";
	if (h->nr == READINGS_MAX)
		return "has too many readings";
	if (h->nr == h->room) {
		h->room = h->room ? 2 * h->room : 64;
		each_series(h, grow_one, h);
	}
	if (!h->nr)
		take_system(h, root);
	h->x[h->nr] = known(number(result, "elapsed_ms")) / 1000;
	if (h->nr && h->x[h->nr] <= h->x[h->nr - 1])
		return "has the readings of more than one recording";
	take_zone(h, zone, known(number(result, "page_bytes")), watch);
	take_reserve(h, zone, known(number(result, "interval_ms")) / 1000, watch);
	if (json_object_object_get_ex(result, "orders", &list) &&
	    json_object_is_type(list, json_type_array))
		take_orders(h, list);
	if (json_object_object_get_ex(result, "rows", &list) &&
	    json_object_is_type(list, json_type_array))
		for (i = 0; i < json_object_array_length(list); i++)
			take_row(h, json_object_array_get_idx(list, i));
	h->nr++;
	return NULL;
}

/* ---- the file ---- */

int history_load(struct history *h, const char *file)
{
	struct json_tokener *tokener = json_tokener_new();
	FILE *in = fopen(file, "re");
	const char *wrong = NULL;
	struct json_object *root;
	char buf[65536];
	size_t n, at, used;

	memset(h, 0, sizeof(*h));
	if (!in) {
		json_tokener_free(tokener);
		return out_fail(EXIT_FAILED, "cannot read '%s': %s", file, strerror(errno));
	}
	while (!wrong && (n = fread(buf, 1, sizeof(buf), in)) > 0) {
		for (at = 0; !wrong && at < n; at += used) {
			root = json_tokener_parse_ex(tokener, buf + at, n - at);
			used = json_tokener_get_parse_end(tokener);
			if (!root && json_tokener_get_error(tokener) != json_tokener_continue)
				wrong = "is not JSON";
			else if (!root)
				break;
			else
				wrong = take(h, root);
			json_object_put(root);
			/* The line feed behind a document. */
			while (at + used < n && buf[at + used] == '\n')
				used++;
		}
	}
	if (!wrong && ferror(in))
		wrong = strerror(errno);
	fclose(in);
	json_tokener_free(tokener);
	if (!wrong && h->nr < 2)
		wrong = "has fewer than two readings";
	if (!wrong)
		return EXIT_OK;
	history_free(h);
	return out_fail(EXIT_FAILED, "'%s' %s", file, wrong);
}

struct thin {
	size_t nr, each;
};

static void thin_one(double **series, void *arg)
{
	const struct thin *thin = arg;
	size_t i, k, nr;
	double sum;

	for (i = 0; i * thin->each < thin->nr; i++) {
		for (sum = 0, nr = 0, k = i * thin->each;
		     k < (i + 1) * thin->each && k < thin->nr; k++) {
			if (isnan((*series)[k]))
				continue;
			sum += (*series)[k];
			nr++;
		}
		(*series)[i] = nr ? sum / nr : NAN;
	}
}

size_t history_thin(struct history *h, size_t most)
{
	struct thin thin = { h->nr, (h->nr + most - 1) / most };

	if (thin.each > 1) {
		each_series(h, thin_one, &thin);
		h->nr = (h->nr + thin.each - 1) / thin.each;
	}
	return thin.each;
}

static void free_one(double **series, void *unused)
{
	(void)unused;
	free(*series);
}

void history_free(struct history *h)
{
	size_t i;

	each_series(h, free_one, NULL);
	for (i = 0; i < h->nr_rows; i++)
		free(h->row[i].name);
	free(h->row);
	free(h->kernel);
	free(h->version);
	free(h->machine);
	free(h->accelerator);
	free(h->hypervisor);
	free(h->debug_options);
	free(h->time);
	free(h->command);
	memset(h, 0, sizeof(*h));
}
