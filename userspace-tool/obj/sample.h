/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sample: one reading of the zone and of everything in it that holds memory
 */
#ifndef MYALLOCCTL_SAMPLE_H
#define MYALLOCCTL_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "myalloc.h"
#include "obj/device.h"
#include "out/out.h"

/* Kinds of rows, in the order of their names in row_kinds[]. */
enum row_kind {
	ROW_CACHE, ROW_HEAP, ROW_ARENA, ROW_RING, ROW_POOL, ROW_CLIENT, ROW_SITE, ROW_PROCESS,
	ROW_KINDS,
};

extern const char *const row_kinds[ROW_KINDS];

/*
 * Something that holds memory.
 * @name: of a call site: "SYMBOL+OFFSET [MODULE] (pages)" or with the name of a cache there;
 *	of a process that has the device open: "COMMAND PID"
 * @size: bytes that it holds of the zone; of a call site, bytes of what it allocated and did
 *	not free
 * @live: objects, blocks, pieces or records in use; of an arena, bytes in use; of a client, its
 *	caches and fronts
 * @allocs, @fails: counts since it was created, if @counted
 * @hits: of @allocs, those that a magazine served, if @has_hits
 */
struct row {
	enum row_kind kind;
	bool counted, has_hits;
	char *name;
	__u64 size, live;
	__u64 allocs, hits, fails;
};

/*
 * @ms: the time, as stop_now_ms() tells it
 * @row: sorted by kind, then by name
 * @sites: the file "owners" could be read, so that call sites and processes are among the rows
 */
struct sample {
	__u64 ms;
	struct myalloc_stat zone;
	struct row *row;
	size_t nr, room;
	bool sites;
};

/* Returns an exit code, and prints a message if it is not EXIT_OK. */
int sample_read(struct device *d, struct sample *s);
void sample_free(struct sample *s);
int sample_compare(const void *a, const void *b);

#endif /* MYALLOCCTL_SAMPLE_H */
