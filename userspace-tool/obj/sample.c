// SPDX-License-Identifier: GPL-2.0
/*
 * sample: one reading of the zone and of everything in it that holds memory
 *
 * The zones, caches and fronts are read through the device. Call sites, and the processes that
 * have the device open, are in the file "owners" of debugfs alone; where it cannot be read, they
 * are missing and everything else is there. If the module has a zone for each of several NUMA
 * nodes, each is read in turn, and is a row itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/mem.h"
#include "host/stop.h"
#include "obj/front.h"
#include "obj/sample.h"
#include "obj/zones.h"

const char *const row_kinds[ROW_KINDS] = {
	"cache", "heap", "arena", "ring", "pool", "contract", "client", "site", "process", "node",
};

int sample_compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = (int)x->kind - (int)y->kind;

	if (!order)
		order = strcmp(x->name, y->name);
	return order ? order : x->node - y->node;
}

static struct row *add(struct sample *s, enum row_kind kind, int node, char *name)
{
	struct row *row;

	if (s->nr == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		row = xcalloc(s->room, sizeof(*row));
		if (s->nr)
			memcpy(row, s->row, s->nr * sizeof(*row));
		free(s->row);
		s->row = row;
	}
	row = &s->row[s->nr++];
	row->kind = kind;
	row->node = node;
	row->used_permille = -1;
	row->name = name;
	return row;
}

/* ---- caches and fronts ---- */

static int read_caches(struct device *d, struct sample *s, int node)
{
	struct myalloc_cache_stat stat;
	struct row *row;
	__u32 id = 0;
	int err;

	while (!(err = dev_cache_stat(d->fd, MYALLOC_NEXT_ID, 0, id, &stat))) {
		row = add(s, ROW_CACHE, node,
			  xasprintf("%.*s", (int)sizeof(stat.name), stat.name));
		row->size = (stat.slabs << stat.order) * d->info.page_size;
		row->live = stat.live_objects;
		row->counted = true;
		row->fallible = true;
		row->has_hits = stat.magazine;
		row->allocs = stat.allocs;
		row->hits = stat.alloc_hits;
		row->fails = stat.fails;
		id = stat.id + 1;
	}
	return err == -ENOENT ? 0 : err;
}

static void take_heap(struct row *row, const void *stat, __u64 page_size)
{
	const struct myalloc_heap_stat *heap = stat;

	(void)page_size;
	row->size = heap->held_bytes;
	row->live = heap->live_objects + heap->live_extents;
	row->has_hits = true;
	row->allocs = heap->allocs;
	row->hits = heap->alloc_hits;
	row->fails = heap->fails;
}

static void take_arena(struct row *row, const void *stat, __u64 page_size)
{
	const struct myalloc_arena_stat *arena = stat;

	(void)page_size;
	row->size = arena->held_bytes;
	row->live = arena->used_bytes;
	row->allocs = arena->allocs;
	row->fails = arena->fails;
}

static void take_ring(struct row *row, const void *stat, __u64 page_size)
{
	const struct myalloc_ring_stat *ring = stat;
	__u64 gone = ring->read + ring->skipped + ring->lost;

	(void)page_size;
	row->size = ring->part_bytes * ring->parts;
	row->live = ring->records > gone ? ring->records - gone : 0;
	row->allocs = ring->records;
	row->fails = ring->full + ring->too_long + ring->nmi_fails;
}

static void take_pool(struct row *row, const void *stat, __u64 page_size)
{
	const struct myalloc_pool_stat *pool = stat;

	row->size = pool->pages * page_size;
	row->live = pool->live_objects;
	row->allocs = pool->allocs;
	row->fails = pool->fails;
	if (pool->nr)
		row->used_permille = permille(pool->live_objects, pool->nr);
}

/* It counts requests by what became of them, and no request that it served. */
static void take_contract(struct row *row, const void *stat, __u64 page_size)
{
	const struct myalloc_contract_stat *line = stat;
	__u64 beyond = line->beyond > line->best_effort ? line->beyond - line->best_effort : 0;

	row->counted = false;
	row->size = line->set_aside * page_size;
	row->live = line->live;
	row->fails = beyond + line->refused + line->failed_within;
	if (line->declared)
		row->used_permille = permille(line->live, line->declared);
}

/* It allocates nothing itself: what counts is what its caches and fronts do. */
static void take_client(struct row *row, const void *stat, __u64 page_size)
{
	const struct myalloc_client_stat *client = stat;

	row->counted = false;
	row->size = client->pages * page_size;
	row->live = client->caches + client->fronts;
	row->fails = client->refused;
	if (client->hard_pages)
		row->used_permille = permille(client->pages, client->hard_pages);
}

static const struct source {
	enum row_kind row;
	int kind;
	void (*take)(struct row *row, const void *stat, __u64 page_size);
} sources[] = {
	{ ROW_HEAP, FIGURES_HEAP, take_heap },
	{ ROW_ARENA, FIGURES_ARENA, take_arena },
	{ ROW_RING, FIGURES_RING, take_ring },
	{ ROW_POOL, FIGURES_POOL, take_pool },
	{ ROW_CONTRACT, FIGURES_CONTRACT, take_contract },
	{ ROW_CLIENT, FIGURES_CLIENT, take_client },
};

static int read_fronts(struct device *d, struct sample *s, int node, const struct source *source)
{
	const struct figures_kind *kind = &figures_kinds[source->kind];
	struct front_stat *stat = xcalloc(1, kind->bytes);
	struct row *row;
	__u64 id = 0;
	int err;

	while (!(err = figures_next(d->fd, kind, &id, stat))) {
		row = add(s, source->row, node,
			  xasprintf("%.*s", (int)sizeof(stat->name), stat->name));
		row->counted = true;
		row->fallible = true;
		source->take(row, stat, d->info.page_size);
	}
	free(stat);
	return err == -ENOENT ? 0 : err;
}

/* ---- the file "owners" ---- */

static const char *next_word(char **at)
{
	const char *word;

	do
		word = strsep(at, " ");
	while (word && !*word);
	return word ? word : "";
}

/* "SYMBOL+OFFSET/LENGTH [MODULE]" without the length, which says nothing here. */
static void drop_length(char *caller)
{
	char *slash = strchr(caller, '/'), *end;

	if (!slash)
		return;
	end = slash + strcspn(slash, " ");
	memmove(slash, end, strlen(end) + 1);
}

/* "(pages)  COUNT  SIZE  OLDEST  CALLER", or the name of a cache in place of "(pages)". */
static void take_site(struct sample *s, int node, char *line, __u64 page_size)
{
	const char *what = next_word(&line);
	__u64 count = strtoull(next_word(&line), NULL, 10);
	__u64 size = strtoull(next_word(&line), NULL, 10);
	struct row *row;

	next_word(&line);
	/* A cache whose owners are not recorded has a row of its own. */
	if (!line || !count || !strcmp(line, "not recorded"))
		return;
	drop_length(line);
	if (*what == '(') {
		size *= page_size;
		row = add(s, ROW_SITE, node, xasprintf("%s %s", line, what));
	} else {
		row = add(s, ROW_SITE, node, xasprintf("%s (%s)", line, what));
	}
	row->size = size;
	row->live = count;
}

/* "COMMAND  PID  BLOCKS  PAGES  OBJECTS  CACHES  RUN"; the command may have blanks in it. */
static void take_process(struct sample *s, char *line, __u64 page_size)
{
	enum { PID, BLOCKS, PAGES, OBJECTS, CACHES, RUN, NUMBERS };
	char *word[NUMBERS], *end;
	struct row *row;
	int i;

	for (i = NUMBERS - 1; i >= 0; i--) {
		for (end = line + strlen(line); end > line && end[-1] == ' '; end--)
			;
		*end = 0;
		word[i] = strrchr(line, ' ');
		if (!word[i])
			return;
		*word[i]++ = 0;
	}
	for (end = line + strlen(line); end > line && end[-1] == ' '; end--)
		end[-1] = 0;
	row = add(s, ROW_PROCESS, -1, xasprintf("%s %s", line, word[PID]));
	row->size = strtoull(word[PAGES], NULL, 10) * page_size;
	row->live = strtoull(word[BLOCKS], NULL, 10) + strtoull(word[OBJECTS], NULL, 10);
}

/* The file of each zone has all processes. @first: they are taken from this one */
static void read_owners(struct device *d, struct sample *s, int node, bool first)
{
	char *text = node < 0 ? device_file("owners") : device_node_file(node, "owners");
	char *at = text, *line;
	bool processes = false;

	s->sites = text && (first || s->sites);
	/* The first line says what the file is. */
	strsep(&at, "\n");
	while ((line = strsep(&at, "\n"))) {
		if (!strncmp(line, "# session", 9))
			processes = true;
		/* Frames of a call stack begin with a blank. */
		if (!*line || *line == '#' || *line == ' ')
			continue;
		if (!processes)
			take_site(s, node, line, d->info.page_size);
		else if (first)
			take_process(s, line, d->info.page_size);
	}
	free(text);
}

/* ---- the whole ---- */

/* Sorts the rows, and adds up those of a site that differ in the rest of their call stack. */
static void sort(struct sample *s)
{
	struct row *last = NULL;
	size_t i;

	qsort(s->row, s->nr, sizeof(*s->row), sample_compare);
	for (i = 0; i < s->nr; i++) {
		if (last && !sample_compare(last, &s->row[i])) {
			last->size += s->row[i].size;
			last->live += s->row[i].live;
			free(s->row[i].name);
			continue;
		}
		last = last ? last + 1 : s->row;
		*last = s->row[i];
	}
	s->nr = last ? last + 1 - s->row : 0;
}

static void add_node(struct sample *s, int node, const struct myalloc_stat *zone, __u64 page_size)
{
	struct row *row = add(s, ROW_NODE, node, xasprintf("node %d", node));

	row->counted = true;
	row->fallible = true;
	row->has_hits = true;
	row->size = (zone->nr_pages - zone->free_pages) * page_size;
	row->live = zone->page_pages;
	row->used_permille = permille(zone->nr_pages - zone->free_pages, zone->nr_pages);
	row->allocs = sum_orders(zone->page_allocs);
	row->hits = sum_orders(zone->page_hits);
	row->fails = sum_orders(zone->page_fails);
}

/* One zone, and everything in it. Returns a negative errno or 0. */
static int read_zone(struct device *d, struct sample *s, const struct zones *zones, size_t nr)
{
	int node = zones_label(zones, nr), err = zones_use(d, zones, nr);
	struct myalloc_stat zone;
	size_t i;

	if (!err)
		err = dev_stat(d->fd, &zone);
	if (err)
		return err;
	if (nr)
		stats_add(&s->zone, &zone);
	else
		s->zone = zone;
	if (node >= 0)
		add_node(s, node, &zone, d->info.page_size);
	err = read_caches(d, s, node);
	for (i = 0; !err && i < ARRAY_SIZE(sources); i++)
		err = read_fronts(d, s, node, &sources[i]);
	if (!err)
		read_owners(d, s, node, !nr);
	return err;
}

int sample_read(struct device *d, struct sample *s)
{
	struct zones zones;
	int code, err = 0;
	size_t i;

	memset(s, 0, sizeof(*s));
	s->ms = stop_now_ms();
	code = zones_find(d, &zones);
	if (code)
		return code;
	for (i = 0; !err && i < zones.nr; i++)
		err = read_zone(d, s, &zones, i);
	s->nodes = zones.several ? zones.nr : 0;
	zones_free(&zones);
	if (err) {
		sample_free(s);
		return explain("reading the statistics", err);
	}
	if (s->nr)
		sort(s);
	return EXIT_OK;
}

void sample_free(struct sample *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		free(s->row[i].name);
	free(s->row);
	memset(s, 0, sizeof(*s));
}
