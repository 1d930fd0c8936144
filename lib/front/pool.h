/* SPDX-License-Identifier: GPL-2.0 */
/* The structure of an object pool; users include myalloc.h. */
#ifndef MYALLOC_POOL_H
#define MYALLOC_POOL_H

#include "zone/front.h"
#include "object/spare.h"

/**
 * struct myalloc_pool - an object pool; see pool.c for the theory
 * @front: registers the pool with its zone
 * @cache: its objects
 * @mutex: one resize at a time; protects @nr and @held
 * @nr: live objects within which no allocation fails
 * @held: most slots that the magazines of all possible CPUs hold back
 * @most: objects in a magazine at most
 * @nmi: number of spares
 * @flags: MYALLOC_POOL_HARD or 0
 * @spares: objects for NMI handlers that cannot get the cache's lock
 */
struct myalloc_pool {
	struct myalloc_front front;
	struct myalloc_cache *cache;
	struct mutex mutex;	/* one resize at a time */
	u32 nr;
	u32 held;
	u32 most;
	u32 nmi;
	myalloc_cache_flags_t flags;
	struct myalloc_spares spares;
};

/* Statistics of a pool, of one moment while no operation is in progress. */
struct myalloc_pool_stats {
	u64 id;			/* number among the fronts of its zone */
	u32 object_size;
	u32 align;
	u32 flags;		/* of the cache, and MYALLOC_POOL_HARD */
	u32 nmi;		/* spares */
	u32 magazine;		/* objects in a magazine */
	u32 nr;			/* live objects within which no allocation fails */
	u64 held;		/* most slots that magazines hold back */
	u64 slots;		/* slots of the slabs set aside */
	u64 slabs_set_aside;
	u64 slabs;		/* all, those set aside included */
	u64 pages;		/* of all slabs */
	u64 live_objects;
	u64 cached_objects;
	u64 deferred_objects;
	u64 spares;		/* spares that are in the pool */
	u64 allocs;
	u64 frees;
	u64 fails;
	u64 spare_allocs;
	u64 bad_frees;
	char name[MYALLOC_CACHE_NAME];
};

extern const struct myalloc_front_kind myalloc_pool_kind;

void myalloc_pool_stats(struct myalloc_pool *pool, struct myalloc_pool_stats *stats);

/**
 * myalloc_pool_of() - the object pool that a front is part of
 * @front: the front, of the kind myalloc_pool_kind
 *
 * Context: any.
 * Return: the pool.
 */
static inline struct myalloc_pool *myalloc_pool_of(struct myalloc_front *front)
{
	return container_of(front, struct myalloc_pool, front);
}

#endif /* MYALLOC_POOL_H */
