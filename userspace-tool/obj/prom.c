// SPDX-License-Identifier: GPL-2.0
/*
 * prom: the statistics in Prometheus' text format, for the textfile collector of node_exporter
 *
 * A metric is called after its field, as 'stat explain' has it: myalloc_free_pages,
 * myalloc_cache_live_objects{cache="NAME"}, myalloc_heap_held_bytes{heap="NAME"}. What counts
 * events ends with _total, an index is a ratio instead of 1/1000, and what is by order has the
 * label "order". If the module has a zone for each of several NUMA nodes, all are there, and every
 * value has the label "node". The format wants all values of a metric together, so every object is
 * read before the first line is written.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/front.h"
#include "obj/prom.h"
#include "obj/zones.h"

/*
 * A kind of object, such as zones or caches.
 * @kind: its word, "" for zones, which have no name
 * @name: offset of the name in its statistics
 * @stats: what was read of each, one behind the other
 * @node: the label "node" of each, -1 for none
 */
struct family {
	const char *kind;
	const struct stat_field *fields;
	size_t bytes, name, nr;
	char *stats;
	int *node;
};

bool prom_wanted(void)
{
	const char *keep = out_options()->keep;
	size_t len = keep ? strlen(keep) : 0;

	return out_options()->prom || (len > 5 && !strcmp(keep + len - 5, ".prom"));
}

/* ---- reading ---- */

static void add(struct family *f, int node, const void *stat)
{
	char *stats = xcalloc(f->nr + 1, f->bytes);
	int *nodes = xcalloc(f->nr + 1, sizeof(*nodes));

	if (f->nr) {
		memcpy(stats, f->stats, f->nr * f->bytes);
		memcpy(nodes, f->node, f->nr * sizeof(*nodes));
	}
	memcpy(stats + f->nr * f->bytes, stat, f->bytes);
	nodes[f->nr++] = node;
	free(f->stats);
	free(f->node);
	f->stats = stats;
	f->node = nodes;
}

static int read_caches(struct device *d, struct family *f, int node)
{
	struct myalloc_cache_stat stat;
	__u32 id = 0;
	int err;

	while (!(err = dev_cache_stat(d->fd, MYALLOC_NEXT_ID, 0, id, &stat))) {
		add(f, node, &stat);
		id = stat.id + 1;
	}
	return err == -ENOENT ? 0 : err;
}

static int read_fronts(struct device *d, struct family *f, int node, unsigned long command)
{
	struct front_stat *stat = xcalloc(1, f->bytes);
	__u64 id = 0;
	int err;

	while (!(err = front_next(d->fd, command, f->bytes, f->fields, &id, stat)))
		add(f, node, stat);
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

/* With what the format gives a meaning escaped. */
static void put_text(FILE *file, const char *text, size_t size)
{
	fputc('"', file);
	for (; size-- && *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', file);
		if (*text == '\n')
			fputs("\\n", file);
		else
			fputc(*text, file);
	}
	fputc('"', file);
}

/* @order: the label of this name, -1 for none */
static void put_labels(FILE *file, const struct family *f, size_t nr, int order)
{
	const char *next = "{";

	if (*f->kind) {
		fprintf(file, "%s%s=", next, f->kind);
		put_text(file, f->stats + nr * f->bytes + f->name, MYALLOC_NAME_MAX);
		next = ",";
	}
	if (f->node[nr] >= 0) {
		fprintf(file, "%snode=\"%d\"", next, f->node[nr]);
		next = ",";
	}
	if (order >= 0) {
		fprintf(file, "%sorder=\"%d\"", next, order);
		next = ",";
	}
	if (*next == ',')
		fputc('}', file);
}

/* Of zones, the largest order that @nr has. */
static int max_order(const struct family *f, size_t nr)
{
	const struct myalloc_stat *zone = (const void *)(f->stats + nr * f->bytes);

	return zone->max_order < MYALLOC_ORDERS ? (int)zone->max_order : MYALLOC_MAX_ORDER;
}

static void put_values(FILE *file, const struct family *family, const struct stat_field *f,
		       const char *name)
{
	const char *stat;
	size_t i;
	int k;

	for (i = 0; i < family->nr; i++) {
		stat = family->stats + i * family->bytes;
		for (k = 0; k <= (f->by_order ? max_order(family, i) : 0); k++) {
			fputs(name, file);
			put_labels(file, family, i, f->by_order ? k : -1);
			value(file, f, stats_value(f, stat, k));
		}
	}
}

static void put_family(FILE *file, const struct family *family)
{
	char *prefix = xasprintf("%s%s", family->kind, *family->kind ? "_" : ""), *name;
	const struct stat_field *f;

	for (f = family->fields; family->nr && f->name; f++) {
		/* The name tells them apart; a number would be another time another one's. */
		if (!strcmp(f->name, "id"))
			continue;
		name = metric(prefix, f);
		head(file, name, f);
		put_values(file, family, f, name);
		free(name);
	}
	free(prefix);
}

/* ---- the whole ---- */

enum { ZONES, CACHES, FRONTS };

static const struct {
	const char *kind;
	unsigned long command;
	size_t bytes, name;
	const struct stat_field *fields;
} families[] = {
	[ZONES] = { "", MYALLOC_IOC_STAT, sizeof(struct myalloc_stat), 0, zone_fields },
	[CACHES] = { "cache", MYALLOC_IOC_CACHE_STAT, sizeof(struct myalloc_cache_stat),
		     offsetof(struct myalloc_cache_stat, name), cache_fields },
#define FRONT(word, NAME, type, fields) \
	{ word, MYALLOC_IOC_##NAME##_STAT, sizeof(struct type), offsetof(struct type, name), fields }
	[FRONTS] = FRONT("heap", HEAP, myalloc_heap_stat, heap_fields),
	FRONT("arena", ARENA, myalloc_arena_stat, arena_fields),
	FRONT("ring", RING, myalloc_ring_stat, ring_fields),
	FRONT("pool", POOL, myalloc_pool_stat, pool_fields),
	FRONT("client", CLIENT, myalloc_client_stat, client_fields),
	FRONT("contract", CONTRACT, myalloc_contract_stat, contract_fields),
#undef FRONT
};

static int read_zone(struct device *d, struct family *f, int node)
{
	struct myalloc_stat zone;
	int err = dev_stat(d->fd, &zone);
	size_t i;

	if (err)
		return err;
	add(&f[ZONES], node, &zone);
	err = read_caches(d, &f[CACHES], node);
	for (i = FRONTS; !err && i < ARRAY_SIZE(families); i++)
		err = read_fronts(d, &f[i], node, families[i].command);
	return err;
}

static char *write_text(const struct device *d, const struct family *f)
{
	size_t size, i;
	char *text;
	FILE *file = xmemstream(&text, &size);

	fprintf(file, "# HELP myalloc_page_size_bytes bytes in a page\n"
		"# TYPE myalloc_page_size_bytes gauge\nmyalloc_page_size_bytes %u\n",
		d->info.page_size);
	for (i = 0; i < ARRAY_SIZE(families); i++)
		put_family(file, &f[i]);
	xmemstream_end(file);
	return text;
}

int prom_read(struct device *d, char **text)
{
	struct family f[ARRAY_SIZE(families)] = { 0 };
	struct zones zones;
	int code = zones_find(d, &zones), err = 0;
	size_t i;

	if (code)
		return code;
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		f[i].kind = families[i].kind;
		f[i].fields = families[i].fields;
		f[i].bytes = families[i].bytes;
		f[i].name = families[i].name;
	}
	for (i = 0; !err && i < zones.nr; i++) {
		err = zones_use(d, &zones, i);
		if (!err)
			err = read_zone(d, f, zones_label(&zones, i));
	}
	zones_free(&zones);
	if (!err)
		*text = write_text(d, f);
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		free(f[i].stats);
		free(f[i].node);
	}
	return err ? explain("reading the statistics", err) : EXIT_OK;
}
