/* SPDX-License-Identifier: GPL-2.0 */
/* What may be asked of the zone of a contract. See limit.c. */
#ifndef MYALLOC_LIMIT_H
#define MYALLOC_LIMIT_H

#include "zone_types.h"

#define MYALLOC_LIMIT_WORDS	(BIT(MYALLOC_CHUNK_MAX) / 64 + 1)

struct myalloc_limit;

/**
 * struct myalloc_limit_ops - what depends on the kind of the line; called in any context
 * @missed: an allocation of an object found none; returns one, or NULL
 * @fill: takes a thing for the stack of a CPU and counts it in @kept; returns an index or address,
 *	or 0 if there is none
 * @drop: gives a thing of @fill back
 * @reap: completes some deferred frees
 */
struct myalloc_limit_ops {
	void *(*missed)(struct myalloc_limit *limit, myalloc_flags_t flags, unsigned long caller);
	unsigned long (*fill)(struct myalloc_limit *limit);
	void (*drop)(struct myalloc_limit *limit, unsigned long thing);
	void (*reap)(struct myalloc_limit *limit);
};

/**
 * struct myalloc_limit - what may be asked of the zone of one line of a contract
 * @zone: the zone
 * @parent: the zone that serves requests beyond the line, by flag
 * @ops: operations of this kind of line
 * @owner: number of the extents of @parent that serve requests beyond; 0 for none
 * @most: pages that are live at most; 0 in a zone of objects
 * @sizes: bit n: extents and blocks of n pages are declared
 * @peak: the most pages that were live; under zone->lock
 * @highest_end: end of the highest block that was ever allocated; under zone->lock
 * @least_free: the least slots that were free in a line of objects; under the lock of its cache
 * @beyond: requests that exceeded the line
 * @best_effort: those that @parent has served
 * @refused: requests that were not declared, or for a place
 * @failed_within: requests within the line that failed
 * @nmi_allocs: allocations from @stack
 * @nmi_misses: allocations in NMI that found the lock taken and the stack empty
 * @refills: runs of @refill
 * @told: a request that failed within the line was reported
 * @sites_lock: protects @sites
 * @sites: where requests beyond came from; the last one counts all others
 * @each: things in the stack of a CPU
 * @order: log2 of pages of a block in a stack
 * @waiting: most pages in frees of NMI handlers that may wait for the lock and are not live
 * @kept: things in all stacks
 * @stack: @each words for each CPU; 0 for none
 * @refill: fills the stack of a CPU in a hard interrupt of that CPU
 */
struct myalloc_limit {
	struct myalloc_zone *zone;
	struct myalloc_zone *parent;
	const struct myalloc_limit_ops *ops;
	u32 owner;
	u32 most;
	u64 sizes[MYALLOC_LIMIT_WORDS];
	u32 peak;
	u32 highest_end;
	u64 least_free;
	atomic64_t beyond;
	atomic64_t best_effort;
	atomic64_t refused;
	atomic64_t failed_within;
	atomic64_t nmi_allocs;
	atomic64_t nmi_misses;
	atomic64_t refills;
	u32 told;
	raw_spinlock_t sites_lock;
	struct myalloc_contract_site sites[MYALLOC_CONTRACT_SITES];
	u32 each;
	u32 order;
	u32 waiting;
	atomic64_t kept;
	unsigned long *stack;
	struct myalloc_env_kick refill;
};

/**
 * struct myalloc_limit_request - a request for pages of the zone of a contract
 * @nr_pages: pages, any value
 * @align_order: log2 of the alignment in pages
 * @caller: code address of the user
 * @take: takes them with zone->lock held; returns the first frame or MYALLOC_NO_FRAME
 * @arg: argument of @take
 */
struct myalloc_limit_request {
	u32 nr_pages;
	unsigned int align_order;
	unsigned long caller;
	u32 (*take)(struct myalloc_zone *zone, const void *arg);
	const void *arg;
};

int myalloc_limit_init(struct myalloc_limit *limit, struct myalloc_zone *zone,
		       struct myalloc_zone *parent, u32 each);
void myalloc_limit_fill(struct myalloc_limit *limit);
void myalloc_limit_empty(struct myalloc_limit *limit);
void myalloc_limit_fini(struct myalloc_limit *limit);
u32 myalloc_limit_live(struct myalloc_limit *limit);

void *myalloc_limit_alloc(struct myalloc_zone *zone, const struct myalloc_limit_request *request,
			  myalloc_flags_t flags);
void *myalloc_limit_block(struct myalloc_zone *zone, unsigned int order, myalloc_flags_t flags,
			  u32 tag, unsigned long caller);
bool myalloc_limit_free_beyond(struct myalloc_zone *zone, void *addr, u32 nr_pages,
			       unsigned long caller);
int myalloc_limit_refuse(struct myalloc_zone *zone, u32 nr_pages, const char *why,
			 unsigned long caller);

unsigned long myalloc_limit_pop(struct myalloc_limit *limit);
void myalloc_limit_beyond(struct myalloc_limit *limit, unsigned long caller);
void myalloc_limit_broken(struct myalloc_limit *limit, const char *what, unsigned long caller);
void myalloc_limit_kick(struct myalloc_limit *limit);

extern const struct myalloc_limit_ops myalloc_limit_page_ops;

#endif /* MYALLOC_LIMIT_H */
