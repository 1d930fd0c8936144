/* SPDX-License-Identifier: GPL-2.0 */
/* How many pages a line of a contract needs, computed. See plan.c. */
#ifndef MYALLOC_PLAN_H
#define MYALLOC_PLAN_H

#include "zone_types.h"

u32 myalloc_plan_blocks(u32 pages, u32 orders);
u32 myalloc_plan_extents(u32 pages, const u32 *sizes, u32 nr_sizes);
int myalloc_plan_line(struct myalloc_zone *zone, const struct myalloc_contract_line *line,
		      myalloc_cache_flags_t checks, struct myalloc_contract_line_plan *plan);
u32 myalloc_plan_magazine(const struct myalloc_contract_line *line, u32 slot_size,
			  myalloc_cache_flags_t flags);
void myalloc_plan_sum(struct myalloc_zone *zone, struct myalloc_contract_plan *plan);

#endif /* MYALLOC_PLAN_H */
