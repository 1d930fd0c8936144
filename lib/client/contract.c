// SPDX-License-Identifier: GPL-2.0
/*
 * Contracts: what a client states that it will hold, it gets
 */
#include "env.h"
#include "client/plan.h"
#include "page/drain.h"

/**
 * myalloc_contract_plan() - what a contract would cost
 * @zone: the zone that is to supply it
 * @lines: what the client will hold
 * @nr: number of lines, 1 to MYALLOC_CONTRACT_LINES
 * @plan: out
 *
 * Takes nothing.
 *
 * Context: any but NMI.
 * Return: 0, also if the zone has too little, which @plan says; -EINVAL if a line cannot be, or as
 * for myalloc_cache_create(), which is reported.
 */
int myalloc_contract_plan(struct myalloc_zone *zone, const struct myalloc_contract_line *lines,
			  unsigned int nr, struct myalloc_contract_plan *plan)
{
	u32 i;
	int err;

	memset(plan, 0, sizeof(*plan));
	if (!nr || nr > MYALLOC_CONTRACT_LINES) {
		pr_err("%s: a contract has 1 to %d lines, not %u\n", zone->name,
		       MYALLOC_CONTRACT_LINES, nr);
		return -EINVAL;
	}
	for (i = 0; i < nr; i++) {
		err = myalloc_plan_line(zone, &lines[i], &plan->line[i]);
		if (err)
			return err;
	}
	plan->nr_lines = nr;
	myalloc_plan_sum(zone, plan);
	return 0;
}
