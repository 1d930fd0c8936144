/* SPDX-License-Identifier: GPL-2.0 */
/* The limit of a contract's zone as a structure, for rooms below limit.c. */
#ifndef MYALLOC_LIMIT_TYPES_H
#define MYALLOC_LIMIT_TYPES_H

#include "zone_types.h"

#define MYALLOC_LIMIT_WORDS	(BIT(MYALLOC_CHUNK_MAX) / 64 + 1)

struct myalloc_limit;

/**
 * struct myalloc_limit_ops - operations of a kind of line; called in any context
 * @missed: an allocation found no free object; returns one from the stack, or NULL
 * @is_kept: does this word of a stack denote a thing that @fill has taken? Any value but 0 is valid
 * @fill: takes a thing for the stack of a CPU and counts it in @kept; returns an index or address,
 *	or 0 if there is none
 * @drop: gives a thing of @fill back
 * @reap: completes some deferred frees
 */
struct myalloc_limit_ops {
	void *(*missed)(struct myalloc_limit *limit, myalloc_flags_t flags, unsigned long caller);
	bool (*is_kept)(struct myalloc_limit *limit, unsigned long thing);
	unsigned long (*fill)(struct myalloc_limit *limit);
	void (*drop)(struct myalloc_limit *limit, unsigned long thing);
	void (*reap)(struct myalloc_limit *limit);
};

/**
 * struct myalloc_limit_backing - serves requests beyond a line; called in any context
 * @alloc: as myalloc_extent_alloc()
 * @free: frees an extent that @alloc has returned; false if @addr and @nr_pages are not one
 */
struct myalloc_limit_backing {
	void *(*alloc)(struct myalloc_limit *limit, u32 nr_pages, unsigned int align_order,
		       myalloc_flags_t flags, unsigned long caller);
	bool (*free)(struct myalloc_limit *limit, void *addr, u32 nr_pages, unsigned long caller);
};

/**
 * struct myalloc_limit_refill - fills the stack of one CPU
 * @kick: the hard interrupt of that CPU
 * @limit: the limit that has the stack
 */
struct myalloc_limit_refill {
	struct myalloc_env_kick kick;
	struct myalloc_limit *limit;
};

/**
 * struct myalloc_limit - the requests that the zone of one line of a contract serves
 * @zone: the zone
 * @parent: the zone that its chunks come from
 * @client: the client that the contract belongs to, or NULL
 * @ops: operations of this kind of line
 * @backing: serves requests beyond the line; NULL if these fail
 * @owner: owner number of the extents that @backing allocates from @parent
 * @most: pages that are live at most; 0 in a zone of objects
 * @sizes: bit n: extents and blocks of n pages are declared
 * @count: pages that users have taken, in the low half; those of them whose frees wait for the
 *	lock, in the high half. 0 in a zone of objects
 * @peak: the most pages that were live
 * @highest_end: end of the highest block that was ever allocated; under zone->lock
 * @least_unused: the least slots that were free or kept in a line of objects
 * @beyond: requests that exceeded the line
 * @best_effort: requests beyond that @backing has served
 * @refused: requests that were not declared, or for a particular place
 * @failed_within: requests within the line that failed
 * @nmi_allocs: allocations from @stack
 * @nmi_misses: allocations in NMI that found the lock taken and the stack empty
 * @nmi_frees_beyond: frees in NMI that made more wait for the lock than @waiting
 * @refills: calls of @refill
 * @told: a request that failed within the line was reported
 * @sites_lock: protects @sites
 * @sites: callers of requests beyond; the last entry counts all others
 * @each: things in the stack of a CPU
 * @order: log2 of pages of a block in a stack
 * @reap_most: deferred frees that a request completes at most
 * @waiting: most pages, or objects, in frees of NMI handlers that may wait for the lock and are not
 *	live
 * @starved: a stack may be short of something, as there was nothing to fill it with
 * @closed: the stacks stay as they are
 * @kept: things in all stacks
 * @stack: @each words for each CPU; 0 for none
 * @refill: one for each CPU; NULL for none
 */
struct myalloc_limit {
	struct myalloc_zone *zone;
	struct myalloc_zone *parent;
	struct myalloc_client *client;
	const struct myalloc_limit_ops *ops;
	const struct myalloc_limit_backing *backing;
	u32 owner;
	u32 most;
	u64 sizes[MYALLOC_LIMIT_WORDS];
	atomic64_t count;
	u32 peak;
	u32 highest_end;
	u64 least_unused;
	atomic64_t beyond;
	atomic64_t best_effort;
	atomic64_t refused;
	atomic64_t failed_within;
	atomic64_t nmi_allocs;
	atomic64_t nmi_misses;
	atomic64_t nmi_frees_beyond;
	atomic64_t refills;
	u32 told;
	raw_spinlock_t sites_lock;
	struct myalloc_contract_site sites[MYALLOC_CONTRACT_SITES];
	u32 each;
	u32 order;
	u32 reap_most;
	u32 waiting;
	bool starved;
	bool closed;
	atomic64_t kept;
	unsigned long *stack;
	struct myalloc_limit_refill *refill;
};

/**
 * myalloc_limit_kick() - have this CPU complete deferred frees and fill its stack
 * @limit: the limit
 *
 * One for each CPU: while that of another one waits for the end of its section without interrupts,
 * this CPU has its own.
 *
 * Context: any, pinned to a CPU.
 */
static inline void myalloc_limit_kick(struct myalloc_limit *limit)
{
	if (limit->each)
		myalloc_env_kick_queue(&limit->refill[smp_processor_id()].kick);
}

/**
 * myalloc_limit_freed() - slots were freed, which stacks may be waiting for
 * @limit: the limit of their zone, or NULL
 *
 * Context: any, pinned to a CPU; the lock under which slots are taken is held.
 */
static inline void myalloc_limit_freed(struct myalloc_limit *limit)
{
	if (unlikely(limit && READ_ONCE(limit->starved)))
		myalloc_limit_kick(limit);
}

/**
 * myalloc_limit_waits() - count pages of a user whose free waits for the lock
 * @limit: the limit of their zone, or NULL
 * @pages: their number
 *
 * To be called before the free returns, and before the lock's next owner can complete it.
 *
 * Context: NMI.
 */
static inline void myalloc_limit_waits(struct myalloc_limit *limit, u32 pages)
{
	if (!limit || !limit->most)
		return;
	if (upper_32_bits(atomic64_add_return((s64)pages << 32, &limit->count)) > limit->waiting)
		atomic64_inc(&limit->nmi_frees_beyond);
}

/**
 * myalloc_limit_taken() - count pages that are taken without a request
 * @limit: the limit of their zone, or NULL
 * @pages: their number
 *
 * Context: any.
 */
static inline void myalloc_limit_taken(struct myalloc_limit *limit, u32 pages)
{
	if (limit && limit->most)
		atomic64_add(pages, &limit->count);
}

/**
 * myalloc_limit_given() - count pages that a user no longer has
 * @limit: the limit of their zone, or NULL
 * @pages: pages that went back to the buddy
 * @waited: pages whose free had to wait for the lock
 *
 * Context: any, zone->lock held.
 */
static inline void myalloc_limit_given(struct myalloc_limit *limit, u32 pages, u32 waited)
{
	if (limit && limit->most)
		atomic64_sub(((s64)waited << 32) + pages, &limit->count);
}

/**
 * myalloc_limit_reap() - deferred frees that are completed under one hold of the lock
 * @limit: the limit of the zone, or NULL
 * @without: their number in a zone without a limit
 *
 * In the zone of a contract a free and a drain complete no more than a request does: others wait
 * for them no longer.
 *
 * Context: any.
 * Return: their number, at most.
 */
static inline u32 myalloc_limit_reap(const struct myalloc_limit *limit, u32 without)
{
	return limit ? limit->reap_most : without;
}

#endif /* MYALLOC_LIMIT_TYPES_H */
