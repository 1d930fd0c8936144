/* SPDX-License-Identifier: GPL-2.0 */
/* How much memory may be taken from the system; see budget.c. */
#ifndef MYALLOC_BUDGET_H
#define MYALLOC_BUDGET_H

#define MYALLOC_BUDGET_MIB_PAGES	(1UL << (20 - PAGE_SHIFT))

/**
 * myalloc_budget_margin() - pages to leave to the system
 * @total: pages of the system
 *
 * Context: any.
 * Return: 1/32 of them and 8 MiB.
 */
static inline u64 myalloc_budget_margin(u64 total)
{
	return total / 32 + 8 * MYALLOC_BUDGET_MIB_PAGES;
}

/**
 * myalloc_budget_pages() - pages that may be taken
 * @available: pages available
 * @total: pages of the system
 *
 * Context: any.
 * Return: the number of pages.
 */
static inline u64 myalloc_budget_pages(s64 available, u64 total)
{
	u64 margin = myalloc_budget_margin(total);

	return available > 0 && (u64)available > margin ? available - margin : 0;
}

/**
 * myalloc_budget_need() - pages needed for a size
 * @bytes: the size
 *
 * Context: any.
 * Return: pages, with those of their page table.
 */
static inline u64 myalloc_budget_need(u64 bytes)
{
	u64 pages = (bytes >> PAGE_SHIFT) + !!(bytes & (PAGE_SIZE - 1));

	return pages + pages / 512;
}

/**
 * struct myalloc_budget - memory needed and memory available
 * @need: bytes needed
 * @left: bytes that could have been taken
 */
struct myalloc_budget {
	u64 need;
	u64 left;
};

int myalloc_budget_check(const char *what, u64 bytes, struct myalloc_budget *budget);
void *myalloc_budget_zalloc(const char *what, size_t bytes, int node);

#endif /* MYALLOC_BUDGET_H */
