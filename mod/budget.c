// SPDX-License-Identifier: GPL-2.0
/*
 * The budget: limits the system memory that a user can make this module allocate
 *
 * Before the module allocates memory of a size that a user chose, it compares the size with the
 * memory available to new users without swapping (MemAvailable), less a margin. Without this
 * check a large vmalloc() takes page after page until the OOM killer ends an unrelated process.
 * The allocations themselves do not retry and are charged to the caller's cgroup
 * (lib/env/kernel/env.h), so two requests that both pass the check but do not fit together are
 * harmless too: one of them fails.
 *
 * The check reserves nothing: the available memory may be gone a moment later.
 */
#include "env.h"

#include <linux/ratelimit.h>

#include "budget.h"

/**
 * myalloc_budget_check() - can the system spare this much memory now?
 * @what: purpose of the memory, for the message in the kernel's log
 * @bytes: total size in bytes
 * @budget: out, or NULL: the bytes needed and the bytes that could have been taken
 *
 * Context: task.
 * Return: 0; -ENOMEM if it cannot, after a message was printed (subject to the kernel's rate
 * limit).
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
	pr_err_ratelimited("%s: %llu KiB of memory needed; of %lu KiB available at most %llu can be taken, the rest is left to the system\n",
			   what, DIV_ROUND_UP_ULL(bytes, 1024),
			   max(available, 0L) << (PAGE_SHIFT - 10), left << (PAGE_SHIFT - 10));
	return -ENOMEM;
}

/**
 * myalloc_budget_zalloc() - allocate zeroed memory of a size that a user chose
 * @what: as for myalloc_budget_check()
 * @bytes: size in bytes
 * @node: NUMA node, or NUMA_NO_NODE
 *
 * Context: task, may sleep.
 * Return: the memory, to be freed by myalloc_env_free() and charged to the caller's cgroup, or
 * NULL.
 */
void *myalloc_budget_zalloc(const char *what, size_t bytes, int node)
{
	if (myalloc_budget_check(what, bytes, NULL))
		return NULL;
	return myalloc_env_zalloc_charged(bytes, node);
}
