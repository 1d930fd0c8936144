/* SPDX-License-Identifier: GPL-2.0 */
/*
 * page map: a block in this process
 */
#ifndef MYALLOCCTL_PAGE_MAP_H
#define MYALLOCCTL_PAGE_MAP_H

#include "obj/blocks.h"

extern const char page_map_form[];
/* Maps one block, writes and verifies it, and shows what was done; returns the exit code. */
int page_map_visit(struct device *d, const struct ask *ask, __u64 hold_ms);

#endif /* MYALLOCCTL_PAGE_MAP_H */
