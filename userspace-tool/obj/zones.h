/* SPDX-License-Identifier: GPL-2.0 */
/*
 * zones: the zones that a reading goes through: one, or that of each NUMA node
 */
#ifndef MYALLOCCTL_ZONES_H
#define MYALLOCCTL_ZONES_H

#include <stdbool.h>
#include <stddef.h>

#include "obj/device.h"
#include "out/out_types.h"

/*
 * @node: the NUMA node of each zone; -1 if its memory may be on any
 * @nr: number of zones: 1 with --node
 * @several: the module has more than one, so a name alone is ambiguous
 */
struct zones {
	int *node;
	size_t nr;
	bool several;
};

/* Returns an exit code, and prints a message if it is not EXIT_OK. */
int zones_find(const struct device *d, struct zones *z);
void zones_free(struct zones *z);
/* Lets the device work on zone @i; 0 or a negative errno. */
int zones_use(const struct device *d, const struct zones *z, size_t i);
/*
 * For a reading of one zone: prints which zone it is, if it is one of several and was not chosen by
 * the user. @node: NULL, or gets the node that distinguishes it from the others, -1 if there is one
 * zone only. Returns an exit code, and prints a message if it is not EXIT_OK.
 */
int zones_tell(const struct device *d, int *node);
/* The node that distinguishes zone @i from the others, -1 if there is one zone only. */
int zones_label(const struct zones *z, size_t i);
/* Adds that label as "node" to the open group or item: null if there is one zone only. */
void zones_put(struct out *o, int label);

#endif /* MYALLOCCTL_ZONES_H */
