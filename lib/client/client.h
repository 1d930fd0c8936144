/* SPDX-License-Identifier: GPL-2.0 */
/* Clients, for code that shows, checks or releases them. Users include myalloc.h. See client.c. */
#ifndef MYALLOC_CLIENTS_H
#define MYALLOC_CLIENTS_H

#include "zone_types.h"

#define MYALLOC_CLIENT_SITES	16	/* call sites in a report at most */

/* Statistics of a client. The members are documented in uapi/client.h, by the same names. */
struct myalloc_client_stats {
	u64 id;
	u64 parent;
	u64 pages;
	u64 slab_pages;
	u64 extent_pages;
	u64 front_pages;
	u64 below_pages;
	u64 peak_pages;
	u64 soft_pages;
	u64 hard_pages;
	u64 over;
	u64 refused;
	u64 age_ms;
	u32 caches;
	u32 fronts;
	u32 children;
	u32 gone;
};

/**
 * struct myalloc_client_extents - pages in extents
 * @pages: of each owner
 */
struct myalloc_client_extents {
	u64 pages[MYALLOC_OWNERS_MAX];
};

/**
 * struct myalloc_leaver - an owner of clients that goes away
 * @owner: as its clients name it
 * @words: the same in words, for clients that say nothing
 * @is_code: for clients without an owner: is this address, at which one was created, in its code?
 *	NULL if it has no code of its own
 */
struct myalloc_leaver {
	const void *owner;
	const char *words;
	bool (*is_code)(unsigned long caller, const void *owner);
};

/* Called under clients->mutex for each client; false ends the walk. */
typedef bool (*myalloc_client_fn)(struct myalloc_client *client, void *arg);

void myalloc_client_walk(struct myalloc_zone *zone, myalloc_client_fn fn, void *arg);
void myalloc_client_extents(struct myalloc_zone *zone, struct myalloc_client_extents *extents);
void myalloc_client_stats(struct myalloc_client *client,
			  const struct myalloc_client_extents *extents,
			  struct myalloc_client_stats *stats);
int myalloc_client_end_gone(struct myalloc_zone *zone, u64 id, unsigned int flags);
u32 myalloc_client_orphan(struct myalloc_zone *zone, const struct myalloc_leaver *leaver);
void myalloc_client_free_extents(struct myalloc_zone *zone, u32 number, bool poison);

#endif /* MYALLOC_CLIENTS_H */
