/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of call sites: see site_table.c. */
#ifndef MYALLOC_SITE_TABLE_H
#define MYALLOC_SITE_TABLE_H

#include "object/slab_layout.h"
#include "zone_types.h"

#define MYALLOC_SITE_WHAT	40	/* bytes, with the NUL */

#define MYALLOC_SITE_UNKNOWN	U64_MAX	/* an age that is not known */

/* Of a line of a contract: pages set aside, and pages or objects in use. */
#define MYALLOC_SITE_SET_ASIDE	BIT_ULL(60)
#define MYALLOC_SITE_PAGES	BIT_ULL(61)
#define MYALLOC_SITE_OBJECTS	BIT_ULL(62)

/**
 * struct myalloc_site - the memory of one kind that one call site holds
 * @caller: address of the code; 0 if it is not recorded
 * @thing: 0 for pages, the number of a cache for objects, above these a front; MYALLOC_SITE_* with
 *	the number of a line of a contract
 * @count: blocks, extents or objects; 0: this entry is unused
 * @bytes: bytes of all of them, without the metadata of objects
 * @oldest: time of allocation of the oldest whose time is known, ns; MYALLOC_SITE_UNKNOWN
 * @stack: handle of the call stack of the oldest, 0 if unknown
 * @what: the name of the cache, "pages", kind and name of a front, "contract" and the name of a
 *	line for what it has set aside, or "within" and that name for what is in use there
 */
struct myalloc_site {
	u64 caller;
	u64 thing;
	u64 count;
	u64 bytes;
	u64 oldest;
	u32 stack;
	char what[MYALLOC_SITE_WHAT];
};

/**
 * struct myalloc_sites - the call sites that hold something
 * @zone: the zone
 * @client: only what this client holds, and not those below it; &myalloc_no_client for what
 *	belongs to none; NULL for all of the zone
 * @before: leave out memory that is known to have been allocated later, ns
 * @bits: log2 of entries
 * @nr: entries in use
 * @full: there were more sites than entries
 * @site: the entries; once filled, the first @nr of them, largest first
 */
struct myalloc_sites {
	struct myalloc_zone *zone;
	const struct myalloc_client *client;
	u64 before;
	unsigned int bits;
	u32 nr;
	bool full;
	struct myalloc_site *site;
};

/**
 * struct myalloc_held - one thing that is held
 * @thing: as in struct myalloc_site
 * @kind: NULL, or a word before @name, such as the kind of a front
 * @name: the kind of memory, or the name of the cache
 * @caller: address of the code; 0 if it is not recorded
 * @bytes: its size
 * @when: time of allocation, ns; MYALLOC_SITE_UNKNOWN
 * @stack: handle of the call stack, 0 if unknown
 */
struct myalloc_held {
	u64 thing;
	const char *kind;
	const char *name;
	u64 caller;
	u64 bytes;
	u64 when;
	u32 stack;
};

typedef void (*myalloc_sites_walk_fn)(struct myalloc_sites *s, void *arg);

struct myalloc_held myalloc_held_object(const struct myalloc_cache *cache,
					const struct myalloc_track *track);
void myalloc_sites_add(struct myalloc_sites *s, const struct myalloc_held *h);
int myalloc_sites_fill(struct myalloc_sites *s, myalloc_sites_walk_fn walk, void *arg);
void myalloc_sites_free(struct myalloc_sites *sites);
void myalloc_sites_report(const struct myalloc_sites *sites, const char *what);
void myalloc_sites_print(const struct myalloc_sites *sites, const char *who, const char *name,
			 u32 most);

#endif /* MYALLOC_SITE_TABLE_H */
