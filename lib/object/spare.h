/* SPDX-License-Identifier: GPL-2.0 */
/* Spares: objects of a cache that are kept for NMI handlers. See spare.c. */
#ifndef MYALLOC_SPARE_H
#define MYALLOC_SPARE_H

#include "object/object.h"

/**
 * struct myalloc_spares - the spares of a cache
 * @all: value of @in while all of them are kept
 * @in: bit i is set while spare i is kept
 * @allocs: allocations that were served by a spare
 * @object: spare i
 */
struct myalloc_spares {
	u64 all;
	atomic64_t in;
	atomic64_t allocs;
	void *object[];
};

void myalloc_spares_init(struct myalloc_spares *spares, struct myalloc_cache *cache,
			 unsigned int nr, unsigned long caller);
void myalloc_spares_fini(struct myalloc_spares *spares, struct myalloc_cache *cache,
			 unsigned long caller);
void *myalloc_spare_alloc(struct myalloc_spares *spares, struct myalloc_cache *cache,
			  myalloc_flags_t flags, unsigned long caller);
int myalloc_spare_free(struct myalloc_spares *spares, struct myalloc_cache *cache, void *object,
		       unsigned long caller);

/**
 * myalloc_spares_free() - free an object of a cache that has spares
 * @spares: the spares
 * @cache: their cache
 * @object: an object of the cache, perhaps a spare; any value is safe
 * @caller: code address of the user
 *
 * Records no event.
 *
 * Context: any.
 * Return: as for myalloc_cache_free().
 */
static __always_inline int myalloc_spares_free(struct myalloc_spares *spares,
					       struct myalloc_cache *cache, void *object,
					       unsigned long caller)
{
	/* The user of a spare finds its bit clear, as it was when the spare was passed on. */
	if (likely((u64)atomic64_read(&spares->in) == spares->all))
		return myalloc_cache_free_for(cache, object, caller);
	return myalloc_spare_free(spares, cache, object, caller);
}

#endif /* MYALLOC_SPARE_H */
