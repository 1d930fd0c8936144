// SPDX-License-Identifier: GPL-2.0
/*
 * prom: the statistics in Prometheus' text format, for the textfile collector of node_exporter
 *
 * A metric is called after its field, as 'stat explain' has it: myalloc_free_pages,
 * myalloc_cache_live_objects{cache="NAME"}, myalloc_heap_held_bytes{heap="NAME"}. What counts
 * events ends with _total, an index is a ratio instead of 1/1000, and what is by order has the
 * label "order". The format wants all values of a metric together, so every object is read before
 * the first line is written.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/front.h"
#include "obj/prom.h"

/*
 * A kind of object that has a name.
 * @name: offset of the name in its statistics
 * @stats: what was read of each, one behind the other
 */
struct family {
	const char *kind;
	const struct stat_field *fields;
	size_t bytes, name, nr;
	char *stats;
};

bool prom_wanted(void)
{
	const char *keep = out_options()->keep;
	size_t len = keep ? strlen(keep) : 0;

	return out_options()->prom || (len > 5 && !strcmp(keep + len - 5, ".prom"));
}

/* ---- reading ---- */

static void add(struct family *f, const void *stat)
{
	char *stats = xcalloc(f->nr + 1, f->bytes);

	if (f->nr)
		memcpy(stats, f->stats, f->nr * f->bytes);
	memcpy(stats + f->nr * f->bytes, stat, f->bytes);
	free(f->stats);
	f->stats = stats;
	f->nr++;
}

static int read_caches(struct device *d, struct family *f)
{
	struct myalloc_cache_stat stat;
	__u32 id = 0;
	int err;

	while (!(err = dev_cache_stat(d->fd, MYALLOC_NEXT_ID, 0, id, &stat))) {
		add(f, &stat);
		id = stat.id + 1;
	}
	return err == -ENOENT ? 0 : err;
}

static int read_fronts(struct device *d, struct family *f, unsigned long command)
{
	struct front_stat *stat = xcalloc(1, f->bytes);
	__u64 id = 0;
	int err;

	while (!(err = front_next(d->fd, command, f->bytes, f->fields, &id, stat)))
		add(f, stat);
	free(stat);
	return err == -ENOENT ? 0 : err;
}

/* ---- writing ---- */

static bool is_event(const struct stat_field *f)
{
	return f->kind == STAT_EVENT || f->kind == STAT_USE;
}

/* The name of a metric, to be freed. */
static char *metric(const char *prefix, const struct stat_field *f)
{
	return xasprintf("myalloc_%s%s%s", prefix, f->name,
			 is_event(f) ? "_total" : f->unit == STAT_INDEX ? "_ratio" : "");
}

static void head(FILE *file, const char *name, const struct stat_field *f)
{
	fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, f->help, name,
		is_event(f) ? "counter" : "gauge");
}

/* An index of -1 means that there is none, and stays so. */
static void value(FILE *file, const struct stat_field *f, __s64 v)
{
	if (f->unit == STAT_INDEX)
		fprintf(file, " %g\n", v / 1000.0);
	else if (f->bytes == sizeof(__s32))
		fprintf(file, " %lld\n", (long long)v);
	else
		fprintf(file, " %llu\n", (unsigned long long)v);
}

static void put_zone(FILE *file, const struct myalloc_stat *zone)
{
	unsigned int i, max = zone->max_order < MYALLOC_ORDERS ? zone->max_order : MYALLOC_MAX_ORDER;
	const struct stat_field *f;
	char *name;

	for (f = zone_fields; f->name; f++) {
		name = metric("", f);
		head(file, name, f);
		for (i = 0; i <= (f->by_order ? max : 0); i++) {
			fputs(name, file);
			if (f->by_order)
				fprintf(file, "{order=\"%u\"}", i);
			value(file, f, stats_value(f, zone, i));
		}
		free(name);
	}
}

/* With what the format gives a meaning escaped. */
static void put_label(FILE *file, const char *label, const char *text, size_t size)
{
	fprintf(file, "{%s=\"", label);
	for (; size-- && *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', file);
		if (*text == '\n')
			fputs("\\n", file);
		else
			fputc(*text, file);
	}
	fputs("\"}", file);
}

static void put_family(FILE *file, const struct family *family)
{
	char *prefix = xasprintf("%s_", family->kind), *name;
	const struct stat_field *f;
	const char *stat;
	size_t i;

	for (f = family->fields; family->nr && f->name; f++) {
		/* The name tells them apart; a number would be another time another one's. */
		if (!strcmp(f->name, "id"))
			continue;
		name = metric(prefix, f);
		head(file, name, f);
		for (i = 0; i < family->nr; i++) {
			stat = family->stats + i * family->bytes;
			fputs(name, file);
			put_label(file, family->kind, stat + family->name, MYALLOC_NAME_MAX);
			value(file, f, stats_value(f, stat, 0));
		}
		free(name);
	}
	free(prefix);
}

int prom_read(struct device *d, const struct myalloc_stat *zone, char **text)
{
	struct family cache = { "cache", cache_fields, sizeof(struct myalloc_cache_stat),
				offsetof(struct myalloc_cache_stat, name) };
	struct family front[] = {
		{ "heap", heap_fields, sizeof(struct myalloc_heap_stat) },
		{ "arena", arena_fields, sizeof(struct myalloc_arena_stat) },
		{ "ring", ring_fields, sizeof(struct myalloc_ring_stat) },
		{ "pool", pool_fields, sizeof(struct myalloc_pool_stat) },
		{ "client", client_fields, sizeof(struct myalloc_client_stat) },
		{ "contract", contract_fields, sizeof(struct myalloc_contract_stat) },
	};
	static const unsigned long command[] = {
		MYALLOC_IOC_HEAP_STAT, MYALLOC_IOC_ARENA_STAT, MYALLOC_IOC_RING_STAT,
		MYALLOC_IOC_POOL_STAT, MYALLOC_IOC_CLIENT_STAT, MYALLOC_IOC_CONTRACT_STAT,
	};
	int err = read_caches(d, &cache);
	size_t size, i;
	FILE *file;

	for (i = 0; i < ARRAY_SIZE(front); i++) {
		front[i].name = offsetof(struct front_stat, name);
		if (!err)
			err = read_fronts(d, &front[i], command[i]);
	}
	if (!err) {
		file = xmemstream(text, &size);
		fprintf(file, "# HELP myalloc_page_size_bytes bytes in a page\n"
			"# TYPE myalloc_page_size_bytes gauge\nmyalloc_page_size_bytes %u\n",
			d->info.page_size);
		put_zone(file, zone);
		put_family(file, &cache);
		for (i = 0; i < ARRAY_SIZE(front); i++)
			put_family(file, &front[i]);
		xmemstream_end(file);
	}
	free(cache.stats);
	for (i = 0; i < ARRAY_SIZE(front); i++)
		free(front[i].stats);
	return err ? explain("reading the statistics", err) : EXIT_OK;
}
