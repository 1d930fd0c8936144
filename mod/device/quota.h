/* SPDX-License-Identifier: GPL-2.0 */
/* How much of the zone the handles of one open file may hold; see handles.c. */
#ifndef MYALLOC_QUOTA_H
#define MYALLOC_QUOTA_H

#define MYALLOC_QUOTA_ALL	100	/* percent */

/* Percent of the zone that a session may hold; 1 to MYALLOC_QUOTA_ALL. */
extern unsigned int myalloc_session_quota;

/**
 * myalloc_quota_bytes() - the quota of a session
 * @nr_pages: pages of the zone
 * @percent: the share
 *
 * Context: any.
 * Return: bytes: whole pages, at least one.
 */
static inline u64 myalloc_quota_bytes(u32 nr_pages, unsigned int percent)
{
	u64 pages = div64_u64((u64)nr_pages * percent, MYALLOC_QUOTA_ALL);

	return max_t(u64, pages, 1) << PAGE_SHIFT;
}

#endif /* MYALLOC_QUOTA_H */
