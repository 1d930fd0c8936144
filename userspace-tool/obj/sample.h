/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sample: one reading of the zone and of all holders of memory in it
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
	ROW_CACHE, ROW_HEAP, ROW_ARENA, ROW_RING, ROW_POOL, ROW_CONTRACT, ROW_CLIENT, ROW_SITE,
	ROW_PROCESS, ROW_NODE, ROW_KINDS,
};

extern const char *const row_kinds[ROW_KINDS];

/*
 * Something that holds memory.
 * @name: of a call site: "SYMBOL+OFFSET [MODULE] (pages)" or with the name of a cache there;
 *	of a process that has the device open: "COMMAND PID"; of a line of a contract: "NAME.LINE"
 * @node: the NUMA node of its zone if the module has several zones, otherwise -1
 * @size: bytes that it holds of the zone; of a call site, bytes that it allocated and did not
 *	free; of a node, bytes in use
 * @live: objects, blocks, pieces or records in use; of an arena, bytes in use; of a client, its
 *	caches and fronts; of a node, pages allocated by page users
 * @used_permille: the share of its limit that is in use; -1 if it has no limit
 * @allocs: a count since it was created, if @counted
 * @fails: likewise, if @fallible; of a contract, requests that it did not serve
 * @hits: of @allocs, those that a magazine served, if @has_hits
 */
struct row {
	enum row_kind kind;
	bool counted, has_hits, fallible;
	int node, used_permille;
	char *name;
	__u64 size, live;
	__u64 allocs, hits, fails;
};

/*
 * @ms: the time of stop_now_ms()
 * @zone: all zones together
 * @row: sorted by kind, then by name and node
 * @sites: the file "owners" could be read, so that call sites and processes are among the rows
 * @nodes: number of zones that were read, if the module has several; otherwise 0
 */
struct sample {
	__u64 ms;
	struct myalloc_stat zone;
	struct row *row;
	size_t nr, room;
	bool sites;
	size_t nodes;
};

/*
 * Reads all zones, or the one of --node. Returns an exit code, and prints a message if it is not
 * EXIT_OK.
 */
int sample_read(struct device *d, struct sample *s);
void sample_free(struct sample *s);
int sample_compare(const void *a, const void *b);

#endif /* MYALLOCCTL_SAMPLE_H */
