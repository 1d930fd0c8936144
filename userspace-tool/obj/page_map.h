/* SPDX-License-Identifier: GPL-2.0 */
/*
 * page map: a block in this process
 */
#ifndef MYALLOCCTL_PAGE_MAP_H
#define MYALLOCCTL_PAGE_MAP_H

#include "obj/blocks.h"

extern const char page_map_form[], page_walk_form[];
/* Parameters of a walk: bytes that it visits, and accesses. */
struct walk_wish {
	__u64 bytes;
	__u64 accesses;
	__u64 rounds;
};

/* Measures random accesses to mapped blocks, by 4 KiB and by 2 MiB; returns the exit code. */
int page_walk_visit(struct device *d, const struct walk_wish *w);

/* Maps one block, writes and verifies it, and shows the result; returns the exit code. */
int page_map_visit(struct device *d, const struct ask *ask, __u64 hold_ms);

#endif /* MYALLOCCTL_PAGE_MAP_H */
