/* SPDX-License-Identifier: GPL-2.0 */
/* Annotations of objects for KASAN and ASan; see page/shadow.h. */
#ifndef MYALLOC_OBJECT_SHADOW_H
#define MYALLOC_OBJECT_SHADOW_H

#include "object/cache_types.h"
#include "page/shadow.h"

/**
 * myalloc_shadow_object_alloc() - make an object accessible
 * @cache: the cache
 * @object: the object, or NULL
 *
 * Context: any.
 */
static __always_inline void myalloc_shadow_object_alloc(const struct myalloc_cache *cache,
							const void *object)
{
	if (object)
		myalloc_env_unpoison(object, cache->layout.object_size);
}

/**
 * myalloc_shadow_object_free() - poison an object that was freed
 * @cache: the cache
 * @object: the object
 *
 * Context: any.
 */
static __always_inline void myalloc_shadow_object_free(const struct myalloc_cache *cache,
						       const void *object)
{
	if (cache->flags & MYALLOC_TYPESAFE_RCU)	/* readers may still look at it */
		return;
	myalloc_env_poison_as(object,
			      ALIGN(cache->layout.object_size, MYALLOC_ENV_GRANULE),
			      MYALLOC_ENV_FREE_OBJECT);
}

/**
 * myalloc_shadow_link() - make the link of a deferred free accessible
 * @link: the link, in or behind the object
 *
 * It stays so until myalloc_shadow_slot_free().
 *
 * Context: any.
 */
static inline void myalloc_shadow_link(const void *link)
{
	myalloc_env_unpoison(link, sizeof(struct llist_node));
}

/**
 * myalloc_shadow_slot_free() - poison a slot, and its link, when its slab takes it back
 * @cache: the cache
 * @object: the object in the slot
 *
 * Context: any.
 */
static __always_inline void myalloc_shadow_slot_free(const struct myalloc_cache *cache,
						     const void *object)
{
	const struct myalloc_slab_layout *l = &cache->layout;

	if (l->link_offset >= l->object_size)
		myalloc_env_poison_as((const char *)object + l->link_offset,
				      sizeof(struct llist_node), MYALLOC_ENV_REDZONE);
	myalloc_shadow_object_free(cache, object);
}

/**
 * myalloc_shadow_objects_alloc() - make several objects accessible
 * @cache: the cache
 * @nr: number of objects
 * @objects: the objects; each may be NULL
 *
 * Context: any.
 */
static __always_inline void myalloc_shadow_objects_alloc(const struct myalloc_cache *cache,
							 u32 nr, void *const *objects)
{
	u32 i;

	for (i = 0; i < nr; i++)
		myalloc_shadow_object_alloc(cache, objects[i]);
}

/**
 * myalloc_shadow_slab_begin() - poison the slots of a new slab
 * @cache: the cache
 * @slab: address of the slab, all of which is accessible
 *
 * Context: any.
 */
static inline void myalloc_shadow_slab_begin(const struct myalloc_cache *cache, void *slab)
{
	u32 i;

	for (i = 0; i < cache->layout.objects; i++) {
		u8 *object = myalloc_slab_object(cache, slab, i);

		myalloc_env_poison_as(object - cache->layout.object_offset,
				      cache->layout.slot_size, MYALLOC_ENV_REDZONE);
		myalloc_shadow_object_alloc(cache, object);
		myalloc_shadow_object_free(cache, object);
	}
}

/**
 * myalloc_shadow_slab_end() - make a slab accessible as pages before it returns to the zone
 * @cache: the cache
 * @slab: address of the slab
 *
 * Context: any.
 */
static inline void myalloc_shadow_slab_end(const struct myalloc_cache *cache, void *slab)
{
	myalloc_shadow_pages_alloc(cache->zone, slab, cache->layout.order);
}

#endif /* MYALLOC_OBJECT_SHADOW_H */
