// SPDX-License-Identifier: GPL-2.0
/*
 * Validation of contracts: the invariants J1 to J6 of contract.c, also before a contract ends
 *
 * Users are at work meanwhile, and NMI handlers take no lock. So a difference between two counts
 * is a finding only if it is still there after all who were in between have ended.
 */
#include "env.h"
#include "base/random.h"
#include "client/contract_check.h"
#include "object/cache.h"
#include "object/upkeep.h"

static u64 mix(u64 sum, const void *from, size_t bytes)
{
	const u32 *word = from;

	for (; bytes; bytes -= sizeof(*word))
		sum = myalloc_mix64(sum ^ *word++);
	return sum;
}

/**
 * myalloc_contract_digest() - digest of what does not change once a part of a contract is complete
 * @part: the part
 *
 * The list of its blocks is left out: J1 covers it.
 *
 * Context: any.
 * Return: the digest.
 */
u64 myalloc_contract_digest(const struct myalloc_contract_part *part)
{
	const struct myalloc_limit *limit = &part->limit;
	const u64 fixed[] = {
		(uintptr_t)part->zone, (uintptr_t)part->cache, part->kind, part->declared, part->id,
		part->nr_blocks, (uintptr_t)part->blocks, (uintptr_t)limit->zone,
		(uintptr_t)limit->parent, (uintptr_t)limit->client, (uintptr_t)limit->ops,
		(uintptr_t)limit->backing, limit->owner, limit->most, limit->each, limit->order,
		limit->reap_most, limit->waiting, (uintptr_t)limit->stack, (uintptr_t)limit->refill,
	};
	u64 sum = mix(0, fixed, sizeof(fixed));

	sum = mix(sum, limit->sizes, sizeof(limit->sizes));
	return mix(sum, &part->plan, sizeof(part->plan));
}

/* J1 */
static void check_blocks(const struct myalloc_contract *c, const struct myalloc_contract_part *part,
			 struct myalloc_validation *v)
{
	u32 i;

	for (i = 0; i < part->zone->nr_chunks; i++) {
		const struct myalloc_frame *frame = myalloc_map_frame(&c->parent->map,
								      part->blocks[i]);

		if (!frame || READ_ONCE(frame->tag) != myalloc_contract_tag(part) ||
		    part->zone->chunks[i] != (unsigned long)part->blocks[i])
			myalloc_finding(v, "J1: %s: chunk %u is not one of its blocks",
					part->name, i);
	}
	if (READ_ONCE(c->parent->children->zone[part->id]) != part->zone)
		myalloc_finding(v, "J1: %s: child %u of its parent is another zone", part->name,
				part->id);
}

/* Objects in a magazine: each possible CPU has two of them, and twice @each for NMI handlers. */
static u32 planned_magazine(const struct myalloc_contract_part *part)
{
	return part->plan.held / (2 * num_possible_cpus()) - part->limit.each;
}

/* J3. None of it changes. */
static void check_cache(const struct myalloc_contract_part *part, struct myalloc_validation *v)
{
	const struct myalloc_cache *cache = part->cache;
	u32 capacity = READ_ONCE(cache->mags.capacity), depot = READ_ONCE(cache->mags.depot);

	if (myalloc_cache_slabs(cache) != part->plan.slabs ||
	    READ_ONCE(cache->set_aside) != part->plan.slabs)
		myalloc_finding(v, "J3: %s: %u slabs, %u of them set aside, planned are %u",
				part->name, myalloc_cache_slabs(cache),
				READ_ONCE(cache->set_aside), part->plan.slabs);
	if (capacity != planned_magazine(part) || depot)
		myalloc_finding(v, "J3: %s: magazines of %u, a depot of %u, planned are %u and 0",
				part->name, capacity, depot, planned_magazine(part));
}

/* J2, J3 */
static void check_line(const struct myalloc_contract_part *part, struct myalloc_validation *v)
{
	const struct myalloc_limit *limit = &part->limit;
	unsigned long irq;
	u32 live, bad, end;

	raw_spin_lock_irqsave(&part->zone->lock, irq);	/* no page becomes bad meanwhile */
	live = myalloc_limit_live(limit);
	end = limit->highest_end;
	bad = atomic64_read(&part->zone->nr_bad);
	raw_spin_unlock_irqrestore(&part->zone->lock, irq);
	live = max(READ_ONCE(limit->peak), live > bad ? live - bad : 0);
	if (live > limit->most || end > part->plan.needed)
		myalloc_finding(v, "J2: %s: %u pages were live of %u, the highest end is %u of %u",
				part->name, live, limit->most, end, part->plan.needed);
	if (part->cache)
		check_cache(part, v);
}

/* J4. Returns false if they disagree, and no interrupt has come meanwhile. */
static bool stacks_agree(struct myalloc_contract_part *part, u32 *held, u32 *wrong)
{
	struct myalloc_limit *limit = &part->limit;
	s64 before = atomic64_read(&limit->refills) + atomic64_read(&limit->nmi_allocs);
	u32 i;

	*held = 0;
	*wrong = 0;
	for (i = 0; i < nr_cpu_ids * limit->each; i++) {
		unsigned long thing = READ_ONCE(limit->stack[i]);

		*held += !!thing;
		*wrong += thing && !limit->ops->is_kept(limit, thing);
	}
	myalloc_env_point("contract-stacks");
	return (!*wrong && *held == atomic64_read(&limit->kept)) ||
	       before != atomic64_read(&limit->refills) + atomic64_read(&limit->nmi_allocs);
}

static void check_stacks(struct myalloc_contract_part *part, struct myalloc_validation *v)
{
	u32 held, wrong;

	if (stacks_agree(part, &held, &wrong))
		return;
	/* One interrupt may have been at work during the whole look: wait for it, look again. */
	myalloc_limit_sync(&part->limit);
	if (!stacks_agree(part, &held, &wrong))
		myalloc_finding(v, "J4: %s: the stacks hold %u things, %u not kept, counted %lld",
				part->name, held, wrong,
				(long long)atomic64_read(&part->limit.kept));
}

/* What NMI handlers have done in a part that is not under its lock. */
static s64 nmi_ops(const struct myalloc_contract_part *part)
{
	return atomic64_read(&part->limit.nmi_allocs) + atomic64_read(&part->limit.nmi_misses) +
	       atomic64_read(&part->zone->deferred_frees);
}

/* J6. Returns false if the count differs from the buddy's and the list's. */
static bool count_agrees(const struct myalloc_contract_part *part, u64 *count, u64 *is)
{
	struct myalloc_zone *zone = part->zone;
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->lock, irq);
	*count = atomic64_read(&part->limit.count);
	*is = zone->buddy.nr_frames - zone->buddy.nr_free -
	      ((u64)atomic64_read(&part->limit.kept) << part->limit.order) +
	      ((u64)atomic64_read(&zone->deferred.nr) << 32);
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	myalloc_env_point("contract-count");
	return *count == *is;
}

/*
 * An NMI handler of another CPU may be between two of its steps. It has ended after a grace period,
 * and another one has counted what it did.
 */
static void check_count(const struct myalloc_contract_part *part, struct myalloc_validation *v)
{
	s64 before = nmi_ops(part);
	u64 count, is;

	if (part->cache || count_agrees(part, &count, &is))
		return;
	myalloc_env_gp_wait();
	if (!count_agrees(part, &count, &is) && nmi_ops(part) == before)
		myalloc_finding(v, "J6: %s: counted are %u pages taken, %u waiting, not %u and %u",
				part->name, lower_32_bits(count), upper_32_bits(count),
				lower_32_bits(is), upper_32_bits(is));
}

/**
 * myalloc_contract_check() - check the invariants of a contract, J1 to J6
 * @c: the contract
 * @v: in and out: findings are added
 *
 * J5 is checked first, because the others rely on it.
 *
 * Context: task, may sleep.
 */
void myalloc_contract_check(struct myalloc_contract *c, struct myalloc_validation *v)
{
	u32 i;

	for (i = 0; i < c->nr; i++) {
		struct myalloc_contract_part *part = &c->part[i];

		if (myalloc_contract_digest(part) != part->digest ||
		    part->zone->limit != &part->limit) {
			myalloc_finding(v, "J5: %s: what was declared or planned has changed",
					part->name);
			continue;
		}
		check_blocks(c, part, v);
		check_line(part, v);
		check_count(part, v);
		check_stacks(part, v);
	}
}
