/* SPDX-License-Identifier: GPL-2.0 */
/*
 * figures: all statistics of zones and of their users, from the one list of statistics
 */
#ifndef MYALLOCCTL_FIGURES_H
#define MYALLOCCTL_FIGURES_H

#include "obj/device.h"
#include "obj/stats.h"

/* Kinds of things that have statistics. */
enum {
	FIGURES_ZONE, FIGURES_CACHE, FIGURES_HEAP, FIGURES_POOL, FIGURES_RING, FIGURES_ARENA,
	FIGURES_CLIENT, FIGURES_CONTRACT, FIGURES_KINDS,
};

/*
 * A kind; of contracts, it is their lines that have statistics.
 * @word: "zone", "cache" ...
 * @many: the key of a list of them in JSON
 * @held: the field with the memory that it holds (of a ring, of each part); NULL for the zone and
 *	for a cache, whose slabs count
 */
struct figures_kind {
	const char *word;
	const char *many;
	unsigned long command;
	size_t bytes;
	size_t name_at;
	const struct stat_field *fields;
	const char *held;
};

extern const struct figures_kind figures_kinds[];	/* by the enum; the last has no word */

/* One of them, and its statistics. */
struct figures_one {
	const struct figures_kind *kind;
	int node;				/* of its zone; -1 if there is one zone only */
	char name[MYALLOC_NAME_MAX + 1];	/* "" for the zone */
	void *stat;
};

struct figures {
	struct figures_one *one;	/* each zone, followed by its users */
	size_t nr;
	__u32 page_size;
	int node;			/* of the zone that is being read */
};

/*
 * Both return an exit code, and print a message if it is not EXIT_OK. figures_read() reads the zone
 * that the device works on, figures_read_zones() each, or that of --node.
 */
int figures_read(const struct device *d, struct figures *f);
int figures_read_zones(const struct device *d, struct figures *f);
void figures_free(struct figures *f);
/*
 * Reads the statistics of the first of a kind, other than the zone, whose number is at least @*id,
 * into @stat, of kind->bytes. Sets @*id to that number + 1. Returns 0, -ENOENT if there is none, or
 * another negative errno.
 */
int figures_next(int fd, const struct figures_kind *kind, __u64 *id, void *stat);
/* Bytes that one of them holds. */
__u64 figures_held(const struct figures *f, const struct figures_one *one);
const struct stat_field *figures_field(const struct figures_kind *kind, const char *name);

#endif /* MYALLOCCTL_FIGURES_H */
