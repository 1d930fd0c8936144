// SPDX-License-Identifier: GPL-2.0
/*
 * The budget: how much memory a user may make this module take from the system
 *
 * What it is: one comparison, made before memory of a size that a user chose is allocated:
 * with what is available to new users without swapping (MemAvailable), less a margin. Without
 * it a large vmalloc() takes page after page until the OOM killer ends somebody who has
 * nothing to do with it. The allocations themselves do not retry and are charged to the
 * caller's cgroup (lib/env/kernel/env.h), so that a race of two that both fit is harmless too:
 * one of them fails.
 *
 * Nothing is set aside: what is available may be gone a moment later.
 */
#include "env.h"

#include <linux/ratelimit.h>

#include "budget.h"

/**
 * myalloc_budget_check() - could so much be taken from the system now?
 * @what: what it is for, for the sentence in the kernel's log
 * @bytes: how much, in all
 * @budget: out, or NULL: how much was wanted and how much could have been taken
 *
 * Context: task.
 * Return: 0; -ENOMEM after a sentence was printed (not more often than the kernel's rate limit
 * allows).
 */
int myalloc_budget_check(const char *what, u64 bytes, struct myalloc_budget *budget)
{
	u64 total = totalram_pages(), left;
	long available = si_mem_available();

	left = myalloc_budget_pages(available, total);
	if (budget) {
		budget->need = bytes;
		budget->left = left << PAGE_SHIFT;
	}
	if (myalloc_budget_need(bytes) <= left)
		return 0;
	pr_err_ratelimited("%s: %llu KiB of memory are needed; of %lu KiB available %llu can be taken and the others are left to the system\n",
			   what, DIV_ROUND_UP_ULL(bytes, 1024),
			   max(available, 0L) << (PAGE_SHIFT - 10), left << (PAGE_SHIFT - 10));
	return -ENOMEM;
}

/**
 * myalloc_budget_zalloc() - zeroed memory of a size that a user chose
 * @what: as for myalloc_budget_check()
 * @bytes: how much
 * @node: NUMA node, or NUMA_NO_NODE
 *
 * Context: task, may sleep.
 * Return: the memory for myalloc_env_free(), charged to the caller's cgroup, or NULL.
 */
void *myalloc_budget_zalloc(const char *what, size_t bytes, int node)
{
	if (myalloc_budget_check(what, bytes, NULL))
		return NULL;
	return myalloc_env_zalloc_charged(bytes, node);
}
