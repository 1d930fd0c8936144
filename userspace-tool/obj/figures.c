// SPDX-License-Identifier: GPL-2.0
/*
 * figures: all statistics of zones and of their users, from the one list of statistics
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/figures.h"
#include "obj/zones.h"

#define KIND(NAME, word, many, held) \
	[FIGURES_##NAME] = { #word, many, MYALLOC_IOC_##NAME##_STAT, \
			     sizeof(struct myalloc_##word##_stat), \
			     offsetof(struct myalloc_##word##_stat, name), word##_fields, held }

const struct figures_kind figures_kinds[] = {
	[FIGURES_ZONE] = { "zone", "zone", MYALLOC_IOC_STAT, sizeof(struct myalloc_stat), 0,
			   zone_fields, NULL },
	KIND(CACHE, cache, "caches", NULL),
	KIND(HEAP, heap, "heaps", "held_bytes"),
	KIND(POOL, pool, "pools", "pages"),
	KIND(RING, ring, "rings", "part_bytes"),
	KIND(ARENA, arena, "arenas", "held_bytes"),
	KIND(CLIENT, client, "clients", "pages"),
	KIND(CONTRACT, contract, "contracts", "set_aside"),
	[FIGURES_KINDS] = { NULL }
};

/* The first members of all statistics but those of the zone. */
struct head {
	__u32 size;
	__u32 how;
};

const struct stat_field *figures_field(const struct figures_kind *kind, const char *name)
{
	const struct stat_field *f;

	for (f = kind->fields; f->name; f++)
		if (!strcmp(f->name, name) || !strcmp(f->key, name))
			return f;
	return NULL;
}

static struct figures_one *add(struct figures *f, const struct figures_kind *kind)
{
	struct figures_one *more = xcalloc(f->nr + 1, sizeof(*more));

	if (f->nr)
		memcpy(more, f->one, f->nr * sizeof(*more));
	free(f->one);
	f->one = more;
	more[f->nr].kind = kind;
	more[f->nr].node = f->node;
	more[f->nr].stat = xcalloc(1, kind->bytes);
	return &more[f->nr++];
}

int figures_next(int fd, const struct figures_kind *kind, __u64 *id, void *stat)
{
	const struct stat_field *number = figures_field(kind, "id");
	__u32 half = *id;
	struct head *head = stat;
	int err;

	if (number->bytes == sizeof(half) && half != *id)
		return -ENOENT;
	memset(stat, 0, kind->bytes);
	head->size = kind->bytes;
	head->how = MYALLOC_NEXT_ID;
	memcpy((char *)stat + number->offset,
	       number->bytes == sizeof(half) ? (void *)&half : id, number->bytes);
	err = dev_call(fd, kind->command, stat);
	if (err)
		return err;
	*id = stats_value(number, stat, 0);
	if (number->bytes == sizeof(half))
		*id = (__u32)*id;
	++*id;
	return 0;
}

static int read_kind(const struct device *d, const struct figures_kind *kind, struct figures *f)
{
	struct figures_one *one;
	__u64 id = 0, last;
	int err;

	do {
		last = id;
		one = add(f, kind);
		err = figures_next(d->fd, kind, &id, one->stat);
		if (!err)
			memcpy(one->name, (char *)one->stat + kind->name_at, MYALLOC_NAME_MAX);
	} while (!err && id > last);
	if (err) {
		free(one->stat);
		f->nr--;
	}
	/* An older module may not know the kind: then there is none of it. */
	return err == -ENOENT || err == -ENOTTY ? 0 : err;
}

static int read_zone(const struct device *d, struct figures *f, int node)
{
	const struct figures_kind *kind = figures_kinds;
	int err;

	f->node = node;
	f->page_size = d->info.page_size;
	err = dev_stat(d->fd, add(f, kind)->stat);
	while (!err && (++kind)->word)
		err = read_kind(d, kind, f);
	return err;
}

int figures_read(const struct device *d, struct figures *f)
{
	int err = read_zone(d, f, -1);

	return err ? explain("reading the statistics", err) : EXIT_OK;
}

int figures_read_zones(const struct device *d, struct figures *f)
{
	struct zones zones;
	int code = zones_find(d, &zones), err = 0;
	size_t i;

	if (code)
		return code;
	for (i = 0; !err && i < zones.nr; i++) {
		err = zones_use(d, &zones, i);
		if (!err)
			err = read_zone(d, f, zones_label(&zones, i));
	}
	zones_free(&zones);
	return err ? explain("reading the statistics", err) : EXIT_OK;
}

void figures_free(struct figures *f)
{
	size_t i;

	for (i = 0; i < f->nr; i++)
		free(f->one[i].stat);
	free(f->one);
	memset(f, 0, sizeof(*f));
}

__u64 figures_held(const struct figures *f, const struct figures_one *one)
{
	const struct figures_kind *kind = one->kind;
	const struct myalloc_cache_stat *cache = one->stat;
	const struct myalloc_ring_stat *ring = one->stat;
	const struct stat_field *held;
	__u64 value;

	if (kind->command == MYALLOC_IOC_CACHE_STAT)
		return (cache->slabs << cache->order) * f->page_size;
	if (!kind->held)
		return 0;
	held = figures_field(kind, kind->held);
	value = stats_value(held, one->stat, 0);
	if (kind->command == MYALLOC_IOC_RING_STAT)
		return value * ring->parts;
	return held->unit == STAT_PAGES ? value * f->page_size : value;
}
