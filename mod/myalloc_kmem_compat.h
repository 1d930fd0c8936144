/* SPDX-License-Identifier: GPL-2.0 */
/*
 * myalloc for code that was written for kmem_cache and mempool
 *
 *	#include "myalloc_kmem_compat.h"
 *
 * Each function has the name, arguments and result of the one in linux/slab.h, with the prefix
 * myalloc_, and MYALLOC_KMEM_CACHE() those of KMEM_CACHE(). With MYALLOC_KMEM_RENAME defined before
 * the include, the names of linux/slab.h mean these from there on, so that a file need not be
 * changed otherwise. (kmem_cache_create() with a struct kmem_cache_args and the variants with a
 * whitelist, such as KMEM_CACHE_USERCOPY(), are not provided.)
 *
 * Differences: a cache's name may have letters, digits, '-', '_' and '.' only and must be unique;
 * an object has at most MYALLOC_MAX_OBJECT bytes; memory comes from the reserve, so flags about
 * where pages come from, accounting and merging mean nothing. There is no whitelist for copies to
 * and from user space: objects do not lie in the kernel's slabs, so CONFIG_HARDENED_USERCOPY
 * accepts any copy within the reserve.
 *
 * For mempool:
 *
 *	mempool_create(min_nr, myalloc_mempool_alloc, myalloc_mempool_free, cache)
 *
 * with a cache of myalloc_cache_create(). An object pool (myalloc_pool_create()) promises more than
 * such a mempool: also allocations that may not wait get all of its objects.
 */
#ifndef MYALLOC_KMEM_COMPAT_H
#define MYALLOC_KMEM_COMPAT_H

#include <linux/cache.h>
#include <linux/mempool.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "myalloc_client.h"

struct myalloc_kmem_cache {
	struct myalloc_zone *zone;
	struct myalloc_cache *cache;
};

/* The flags of a request for the GFP flags of another allocator. */
static inline myalloc_flags_t myalloc_kmem_flags(gfp_t gfp)
{
	return (gfp & __GFP_ZERO ? MYALLOC_ZERO : 0) |
	       (gfp & __GFP_DIRECT_RECLAIM ? MYALLOC_MAY_WAIT : 0);
}

static inline myalloc_cache_flags_t myalloc_kmem_cache_flags(slab_flags_t flags)
{
	return (flags & SLAB_CONSISTENCY_CHECKS ? MYALLOC_SANITY : 0) |
	       (flags & SLAB_RED_ZONE ? MYALLOC_REDZONE : 0) |
	       (flags & SLAB_POISON ? MYALLOC_POISON : 0) |
	       (flags & SLAB_STORE_USER ? MYALLOC_OWNER : 0) |
	       (flags & SLAB_TYPESAFE_BY_RCU ? MYALLOC_TYPESAFE_RCU : 0);
}

/* NULL if myalloc is not loaded, the arguments are refused, or there is no memory. */
static inline struct myalloc_kmem_cache *
myalloc_kmem_cache_create(const char *name, unsigned int size, unsigned int align,
			  slab_flags_t flags, void (*ctor)(void *object))
{
	struct myalloc_kmem_cache *s = kzalloc(sizeof(*s), GFP_KERNEL);
	struct myalloc_cache_args args = {
		.name = name,
		.object_size = size,
		.align = align,
		.flags = myalloc_kmem_cache_flags(flags),
		.ctor = ctor,
	};

	if (!s)
		return NULL;
	if (flags & SLAB_HWCACHE_ALIGN)
		args.align = max_t(unsigned int, align,
				   min_t(unsigned int, cache_line_size(),
					 roundup_pow_of_two(size ?: 1)));
	s->zone = myalloc_zone_get();
	if (s->zone)
		s->cache = myalloc_cache_create(s->zone, &args);
	if (IS_ERR_OR_NULL(s->cache)) {
		myalloc_zone_put(s->zone);
		kfree(s);
		return NULL;
	}
	return s;
}

#define __MYALLOC_KMEM_CACHE(name, type, flags)				\
	myalloc_kmem_cache_create(name, sizeof(type), __alignof__(type), flags, NULL)

/* A cache of objects of struct @__struct, with its name, size and alignment. */
#define MYALLOC_KMEM_CACHE(__struct, __flags)	\
	__MYALLOC_KMEM_CACHE(#__struct, struct __struct, __flags)

/*
 * Waits for frees of myalloc_kmem_cache_free_rcu(). Objects that are live are reported; then the
 * cache stays, so that they may still be freed, with the reference to the zone.
 */
static inline void myalloc_kmem_cache_destroy(struct myalloc_kmem_cache *s)
{
	if (!s)
		return;
	rcu_barrier();
	if (myalloc_cache_destroy(s->cache))
		return;
	myalloc_zone_put(s->zone);
	kfree(s);
}

static inline void *myalloc_kmem_cache_alloc(struct myalloc_kmem_cache *s, gfp_t gfp)
{
	return myalloc_cache_alloc(s->cache, myalloc_kmem_flags(gfp));
}

static inline void *myalloc_kmem_cache_zalloc(struct myalloc_kmem_cache *s, gfp_t gfp)
{
	return myalloc_cache_alloc(s->cache, myalloc_kmem_flags(gfp | __GFP_ZERO));
}

/* The node is ignored: the reserve decides where memory lies. */
static inline void *myalloc_kmem_cache_alloc_node(struct myalloc_kmem_cache *s, gfp_t gfp,
						  int node)
{
	return myalloc_kmem_cache_alloc(s, gfp);
}

static inline void myalloc_kmem_cache_free(struct myalloc_kmem_cache *s, void *object)
{
	if (object)
		myalloc_cache_free(s->cache, object);
}

/* Allocates all or none, as kmem_cache does. */
static inline int myalloc_kmem_cache_alloc_bulk(struct myalloc_kmem_cache *s, gfp_t gfp, size_t nr,
						void **objects)
{
	struct myalloc_prefill all;

	return myalloc_cache_prefill(s->cache, myalloc_kmem_flags(gfp), nr, objects, &all) ? 0 : nr;
}

static inline void myalloc_kmem_cache_free_bulk(struct myalloc_kmem_cache *s, size_t nr,
						void **objects)
{
	myalloc_cache_free_bulk(s->cache, nr, objects);
}

static inline int myalloc_kmem_cache_shrink(struct myalloc_kmem_cache *s)
{
	myalloc_cache_shrink(s->cache);
	return 0;
}

/**
 * myalloc_kmem_cache_free_rcu() - free an object after a grace period
 * @s: the cache
 * @object: the object
 * @head: a member of the object
 *
 * Context: any.
 */
static inline void myalloc_kmem_cache_free_rcu(struct myalloc_kmem_cache *s, void *object,
					       struct myalloc_rcu *head)
{
	myalloc_cache_free_rcu(s->cache, object, head);
}

/* A mempool_alloc_t and a mempool_free_t; their data is a cache of myalloc_cache_create(). */
static inline void *myalloc_mempool_alloc(gfp_t gfp, void *cache)
{
	return myalloc_cache_alloc(cache, myalloc_kmem_flags(gfp));
}

static inline void myalloc_mempool_free(void *element, void *cache)
{
	myalloc_cache_free(cache, element);
}

#ifdef MYALLOC_KMEM_RENAME
#undef KMEM_CACHE
#undef kmem_cache_create
#undef kmem_cache_destroy
#undef kmem_cache_alloc
#undef kmem_cache_zalloc
#undef kmem_cache_alloc_node
#undef kmem_cache_free
#undef kmem_cache_alloc_bulk
#undef kmem_cache_free_bulk
#undef kmem_cache_shrink
#define KMEM_CACHE		MYALLOC_KMEM_CACHE
#define kmem_cache		myalloc_kmem_cache
#define kmem_cache_create	myalloc_kmem_cache_create
#define kmem_cache_destroy	myalloc_kmem_cache_destroy
#define kmem_cache_alloc	myalloc_kmem_cache_alloc
#define kmem_cache_zalloc	myalloc_kmem_cache_zalloc
#define kmem_cache_alloc_node	myalloc_kmem_cache_alloc_node
#define kmem_cache_free		myalloc_kmem_cache_free
#define kmem_cache_alloc_bulk	myalloc_kmem_cache_alloc_bulk
#define kmem_cache_free_bulk	myalloc_kmem_cache_free_bulk
#define kmem_cache_shrink	myalloc_kmem_cache_shrink
#endif

#endif /* MYALLOC_KMEM_COMPAT_H */
