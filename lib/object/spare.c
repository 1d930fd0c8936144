// SPDX-License-Identifier: GPL-2.0
/*
 * Spares: objects of a cache that only allocations in NMI context get
 *
 * In NMI context the cache's lock may be held by the interrupted code. A spare needs no lock: it is
 * taken by one compare-and-exchange of a word of bits. Spare i is always the same object: bit i of
 * @in says whether it is kept. A spare that is kept is MOVING, so a second free finds it not LIVE
 * and is refused, as for any slot of a user.
 *
 * A spare that is freed is kept again, by whatever function it is freed that is told no more than
 * its address: the cache leads to its spares. A free compares its address with them only while one
 * of them is out. A free that names the cache, which no user of a pool can, passes them by.
 *
 * What they are for, and how many suffice: front/pool.c, with invariant O3.
 *
 * Bounds: an allocation is one compare-and-exchange, repeated only if another CPU has changed the
 * word; while spares are out, a free compares as many addresses as there are spares, at most 64.
 */
#include "env.h"
#include "object/spare.h"

/**
 * myalloc_spares_init() - take spares from a cache
 * @spares: with room for them, zeroed
 * @cache: the cache, which has so many free slots and which nobody uses yet
 * @nr: their number, at most 64
 * @caller: code address of the creator
 *
 * Context: task.
 */
void myalloc_spares_init(struct myalloc_spares *spares, struct myalloc_cache *cache,
			 unsigned int nr, unsigned long caller)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		spares->object[i] = myalloc_cache_alloc_for(cache, 0, caller);
		myalloc_object_withdraw(cache, spares->object[i], caller);
		spares->all |= BIT_ULL(i);
	}
	atomic64_set(&spares->in, spares->all);
	if (nr)
		WRITE_ONCE(cache->spares, spares);
}

/**
 * myalloc_spares_fini() - give the spares that are kept back to their cache
 * @spares: the spares
 * @cache: their cache, which nobody uses any more
 * @caller: code address of whoever ends it
 *
 * Context: task.
 */
void myalloc_spares_fini(struct myalloc_spares *spares, struct myalloc_cache *cache,
			 unsigned long caller)
{
	u64 in = atomic64_xchg(&spares->in, 0);
	unsigned int i;

	WRITE_ONCE(cache->spares, NULL);
	for (; in; in &= in - 1) {
		i = __ffs64(in);
		myalloc_object_issue(cache, spares->object[i], 0, caller);
		myalloc_cache_free_for(cache, spares->object[i], caller);
	}
}

/**
 * myalloc_spare_alloc() - allocate a spare
 * @spares: the spares
 * @cache: their cache, which has no object within reach
 * @flags: flags of the request, already checked
 * @caller: code address of the user
 *
 * Context: any; meant for NMI.
 * Return: the object; NULL if all are out.
 */
void *myalloc_spare_alloc(struct myalloc_spares *spares, struct myalloc_cache *cache,
			  myalloc_flags_t flags, unsigned long caller)
{
	s64 in = atomic64_read(&spares->in);
	void *object;

	do {
		if (!in)
			return NULL;
		object = spares->object[__ffs64(in)];
		myalloc_env_point("pool-spare");
	} while (!atomic64_try_cmpxchg(&spares->in, &in, in & ((u64)in - 1)));
	atomic64_inc(&spares->allocs);
	myalloc_object_issue(cache, object, flags, caller);
	return object;
}

/**
 * myalloc_spare_free() - free an object while a spare is out: this one, or another
 * @spares: the spares
 * @cache: their cache
 * @object: as for myalloc_spares_free()
 * @caller: code address of the user
 *
 * Context: any.
 * Return: as for myalloc_spares_free().
 */
noinline int myalloc_spare_free(struct myalloc_spares *spares, struct myalloc_cache *cache,
				void *object, unsigned long caller)
{
	unsigned int i, nr = hweight64(spares->all);
	int err;

	for (i = 0; i < nr && spares->object[i] != object; i++)
		;
	if (i == nr)
		return myalloc_cache_free_for(cache, object, caller);
	err = myalloc_object_withdraw(cache, object, caller);
	if (!err)
		/* Pairs with myalloc_spare_alloc(). */
		atomic64_fetch_or_release(BIT_ULL(i), &spares->in);
	return err;
}
