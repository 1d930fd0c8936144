/* SPDX-License-Identifier: GPL-2.0 */
/*
 * myalloc for other modules
 *
 *	#include "myalloc_client.h"
 *
 *	MYALLOC_IMPORT_NS(MYALLOC);
 *
 *	zone = myalloc_zone_get();
 *	if (!zone)
 *		return -ENODEV;
 *	cache = myalloc_cache_create(zone, &(struct myalloc_cache_args) {
 *		.name = "frob-request",
 *		.object_size = sizeof(struct frob_request),
 *	});
 *	if (IS_ERR(cache)) {
 *		myalloc_zone_put(zone);
 *		return PTR_ERR(cache);
 *	}
 *	...
 *	myalloc_cache_destroy(cache);
 *	myalloc_zone_put(zone);
 *
 * Build with the Module.symvers of myalloc in KBUILD_EXTRA_SYMBOLS. myalloc.ko cannot be
 * removed while a module that uses it is loaded. mod/clients/frob is a minimal client with its
 * Kbuild file; mod/clients/example.c is a larger one.
 */
#ifndef MYALLOC_CLIENT_H
#define MYALLOC_CLIENT_H

#include <linux/io.h>
#include <linux/rcupdate.h>

#include "../lib/myalloc.h"
#include "compat.h"
#include "stat.h"

struct myalloc_zone *myalloc_zone_get(void);
void myalloc_zone_put(struct myalloc_zone *zone);
/* The same for all zones, if there is one for each NUMA node: "NUMA nodes" of myalloc.h */
struct myalloc_nodes *myalloc_nodes_get(void);
void myalloc_nodes_put(struct myalloc_nodes *nodes);

/*
 * A ring that is shared is read by user space, through /dev/myalloc, and not by
 * myalloc_ring_peek(): see uapi/ring.h and, for a program, 'myallocctl ring follow'.
 */
#define myalloc_ring_share(ring)	__myalloc_ring_share(ring, THIS_MODULE)
int __myalloc_ring_share(struct myalloc_ring *ring, struct module *owner);
int myalloc_ring_unshare(struct myalloc_ring *ring);

/*
 * Statistics, the same as ioctls return and debugfs shows: myalloc_stat_fill() for a zone,
 * myalloc_cache_stat_fill() for a cache, and for fronts myalloc_heap_stat_fill(),
 * myalloc_arena_stat_fill(), myalloc_ring_stat_fill() and myalloc_pool_stat_fill(); see stat.h and
 * uapi/myalloc.h. Constant properties:
 */

/**
 * struct myalloc_zone_info - constant properties of a zone
 * @nr_pages: number of pages
 * @chunk_order: log2 of pages in a chunk
 * @max_order: order of the largest block; above @chunk_order where chunks are adjacent
 * @checks: MYALLOC_CHECKS in force for pages and every cache
 * @node: NUMA node of its memory; NUMA_NO_NODE if that may be on any
 * @meta_bytes: memory used in addition to the pages, without that of caches
 * @buddy_bytes: the part of @meta_bytes that the buddy's bitmaps use
 * @last_phys: physical address of the last byte; of an elastic zone, as it is now
 */
struct myalloc_zone_info {
	u64 nr_pages;
	u32 chunk_order;
	u32 max_order;
	myalloc_cache_flags_t checks;
	int node;
	u64 meta_bytes;
	u64 buddy_bytes;
	u64 last_phys;
};

/**
 * struct myalloc_magazine_info - how much a CPU can keep
 * @capacity: objects, or blocks, in a magazine; 0: no magazines
 * @batch: number moved at once between magazines and the layer below
 * @magazines: magazines that one CPU can fill before it must flush
 */
struct myalloc_magazine_info {
	u32 capacity;
	u32 batch;
	u32 magazines;
};

void myalloc_zone_info(const struct myalloc_zone *zone, struct myalloc_zone_info *info);
void myalloc_pages_magazines(const struct myalloc_zone *zone, unsigned int order,
			     struct myalloc_magazine_info *info);
void myalloc_cache_magazines(const struct myalloc_cache *cache,
			     struct myalloc_magazine_info *info);

/**
 * struct myalloc_rcu - a member of objects that are freed by myalloc_cache_free_rcu()
 * @rcu: for the kernel
 * @cache: of the object
 * @object: its address
 */
struct myalloc_rcu {
	struct rcu_head rcu;
	struct myalloc_cache *cache;
	void *object;
};

int myalloc_cache_free_rcu(struct myalloc_cache *cache, void *object, struct myalloc_rcu *head);

/**
 * myalloc_pages_phys() - the physical address of memory of myalloc
 * @addr: an address in a block, an extent or an object
 *
 * Memory of a block is physically contiguous and lies in the kernel's linear mapping, so
 * virt_to_page() and dma_map_single() take it, too. It may lie anywhere in memory: a device with a
 * DMA mask reaches a block if the address of its last byte is not above the mask; dma_map_single()
 * fails or bounces otherwise. No block ends above last_phys of myalloc_zone_info(), so a driver
 * whose mask is not below it need not look at each block, unless the zone may grow, or is that of a
 * contract with MYALLOC_CONTRACT_BEST_EFFORT.
 *
 * Context: any.
 * Return: the address.
 */
static inline phys_addr_t myalloc_pages_phys(const void *addr)
{
	return virt_to_phys((void *)addr);
}

/* --- cleanup at the end of a scope, where the kernel has it ------------------------------- */

#ifdef MYALLOC_CLEANUP
/*
 *	struct myalloc_zone *zone __free(myalloc_zone) = myalloc_zone_get();
 *
 * and likewise __free(myalloc_cache), myalloc_heap, myalloc_pool, myalloc_arena, myalloc_frames,
 * myalloc_ring and myalloc_client, which accept an ERR_PTR. Memory that is still in use then stays,
 * and is reported. Pointers are freed in the reverse of their order, so declare a client first. An
 * object:
 *
 *	CLASS(myalloc_object, request)(cache, MYALLOC_ZERO);
 *
 *	if (!request.addr)
 *		return -ENOMEM;
 *	...
 *	return myalloc_object_keep(&request);
 */
static inline void myalloc_cleanup_cache(struct myalloc_cache *cache)
{
	if (!IS_ERR(cache))
		myalloc_cache_destroy(cache);
}

static inline void myalloc_cleanup_heap(struct myalloc_heap *heap)
{
	if (!IS_ERR(heap))
		myalloc_heap_destroy(heap);
}

static inline void myalloc_cleanup_pool(struct myalloc_pool *pool)
{
	if (!IS_ERR(pool))
		myalloc_pool_destroy(pool);
}

static inline void myalloc_cleanup_arena(struct myalloc_arena *arena)
{
	if (!IS_ERR(arena))
		myalloc_arena_destroy(arena);
}

static inline void myalloc_cleanup_frames(struct myalloc_frames *frames)
{
	if (!IS_ERR(frames))
		myalloc_frames_destroy(frames);
}

static inline void myalloc_cleanup_ring(struct myalloc_ring *ring)
{
	if (!IS_ERR(ring))
		myalloc_ring_destroy(ring);
}

static inline void myalloc_cleanup_client(struct myalloc_client *client)
{
	if (!IS_ERR(client))
		myalloc_client_end(client, 0);
}

DEFINE_FREE(myalloc_zone, struct myalloc_zone *, myalloc_zone_put(_T))
DEFINE_FREE(myalloc_cache, struct myalloc_cache *, myalloc_cleanup_cache(_T))
DEFINE_FREE(myalloc_heap, struct myalloc_heap *, myalloc_cleanup_heap(_T))
DEFINE_FREE(myalloc_pool, struct myalloc_pool *, myalloc_cleanup_pool(_T))
DEFINE_FREE(myalloc_arena, struct myalloc_arena *, myalloc_cleanup_arena(_T))
DEFINE_FREE(myalloc_frames, struct myalloc_frames *, myalloc_cleanup_frames(_T))
DEFINE_FREE(myalloc_ring, struct myalloc_ring *, myalloc_cleanup_ring(_T))
DEFINE_FREE(myalloc_client, struct myalloc_client *, myalloc_cleanup_client(_T))

struct myalloc_object {
	struct myalloc_cache *cache;
	void *addr;
};

static inline struct myalloc_object myalloc_object_alloc(struct myalloc_cache *cache,
							 myalloc_flags_t flags)
{
	return (struct myalloc_object){ cache, myalloc_cache_alloc(cache, flags) };
}

static inline void myalloc_object_free(const struct myalloc_object *object)
{
	if (object->addr)
		myalloc_cache_free(object->cache, object->addr);
}

/**
 * myalloc_object_keep() - keep an object that would be freed at the end of the scope
 * @object: the object
 *
 * Context: any.
 * Return: its address.
 */
static inline void *myalloc_object_keep(struct myalloc_object *object)
{
	void *addr = object->addr;

	object->addr = NULL;
	return addr;
}

DEFINE_CLASS(myalloc_object, struct myalloc_object, myalloc_object_free(&_T),
	     myalloc_object_alloc(cache, flags), struct myalloc_cache *cache, myalloc_flags_t flags)
#endif

#endif /* MYALLOC_CLIENT_H */
