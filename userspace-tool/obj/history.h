/* SPDX-License-Identifier: GPL-2.0 */
/*
 * history: the readings in a file of 'record' or 'stat watch', as series of numbers
 */
#ifndef MYALLOCCTL_HISTORY_H
#define MYALLOCCTL_HISTORY_H

#include <stddef.h>

#include "myalloc.h"
#include "obj/sample.h"

/* A series has a value for each reading, NAN where there is none. */
struct history_row {
	enum row_kind kind;
	char *name;
	double *size, *live, *rate, *hit, *used;
	double peak;		/* largest size */
	double first_fails, fails;	/* count when first seen, and increment since */
};

/*
 * @x: seconds since the first reading
 * @holder: bytes of the zone in each place, in the order of enum plot_color
 * @unusable: by order, 0 to 1
 * @size: bytes of the reserve
 * @grown, @shrunk: chunks of it that were taken and given back, per second
 * @capacity: bytes of the reserve when it was largest
 * @allocs, @frees: of pages, per second
 * @hit: percentage of allocations that magazines served
 * @fails, @bad_frees, @corruptions: counts between the first and the last reading
 */
struct history {
	size_t nr, room;
	double *x;
	double *holder[5];
	double *unusable[MYALLOC_ORDERS];
	double *allocs, *frees, *hit;
	double *size, *grown, *shrunk;
	double last_grown, last_shrunk;	/* counts in the previous reading */
	double capacity;
	unsigned int orders;
	__u64 fails, bad_frees, corruptions;
	struct history_row *row;
	size_t nr_rows, room_rows;
	size_t next;		/* next row, if rows keep the order of the previous reading */

	char *kernel, *version, *machine, *accelerator, *hypervisor, *debug_options;
	char *time, *command;
	long cpus;
};

/* Returns an exit code, and prints a message if it is not EXIT_OK. */
int history_load(struct history *h, const char *file);
/* Joins neighbouring readings into means, to leave at most @most. Returns readings per mean. */
size_t history_thin(struct history *h, size_t most);
void history_free(struct history *h);

#endif /* MYALLOCCTL_HISTORY_H */
