/* SPDX-License-Identifier: GPL-2.0 */
/* How much memory may be taken from the system; see budget.c. */
#ifndef MYALLOC_BUDGET_H
#define MYALLOC_BUDGET_H

#define MYALLOC_BUDGET_MIB_PAGES	(1UL << (20 - PAGE_SHIFT))

/* Pages to leave to a system with @total pages: 1/32 of memory and 8 MiB. */
static inline u64 myalloc_budget_margin(u64 total)
{
	return total / 32 + 8 * MYALLOC_BUDGET_MIB_PAGES;
}

/* Pages that may be taken when @available of @total pages are available. */
static inline u64 myalloc_budget_pages(s64 available, u64 total)
{
	u64 margin = myalloc_budget_margin(total);

	return available > 0 && (u64)available > margin ? available - margin : 0;
}

/* Pages needed for @bytes, including those of their page table. */
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
