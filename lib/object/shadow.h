/* SPDX-License-Identifier: GPL-2.0 */
/* Annotations of objects for KASAN and ASan; see page/shadow.h. */
#ifndef MYALLOC_OBJECT_SHADOW_H
#define MYALLOC_OBJECT_SHADOW_H

#include "object/cache_types.h"
#include "page/shadow.h"

/* Make an object accessible; NULL is allowed. */
static __always_inline void myalloc_shadow_object_alloc(const struct myalloc_cache *cache,
							const void *object)
{
	if (object)
		myalloc_env_unpoison(object, cache->layout.object_size);
}

static __always_inline void myalloc_shadow_object_free(const struct myalloc_cache *cache,
						       const void *object)
{
	if (cache->flags & MYALLOC_TYPESAFE_RCU)	/* readers may still look at it */
		return;
	myalloc_env_poison_as(object,
			      ALIGN(cache->layout.object_size, MYALLOC_ENV_GRANULE),
			      MYALLOC_ENV_FREE_OBJECT);
}

/* The link of a deferred free, in or behind the object, may be written from here ... */
static inline void myalloc_shadow_link(const void *link)
{
	myalloc_env_unpoison(link, sizeof(struct llist_node));
}

/* ... until the slab takes the slot back. */
static __always_inline void myalloc_shadow_slot_free(const struct myalloc_cache *cache,
						     const void *object)
{
	const struct myalloc_slab_layout *l = &cache->layout;

	if (l->link_offset >= l->object_size)
		myalloc_env_poison_as((const char *)object + l->link_offset,
				      sizeof(struct llist_node), MYALLOC_ENV_REDZONE);
	myalloc_shadow_object_free(cache, object);
}

static __always_inline void myalloc_shadow_objects_alloc(const struct myalloc_cache *cache,
							 u32 nr, void *const *objects)
{
	u32 i;

	for (i = 0; i < nr; i++)
		myalloc_shadow_object_alloc(cache, objects[i]);
}

/* Poison the slots of a new slab, which are all accessible until now. */
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

/* Make a slab accessible as pages before it returns to the zone. */
static inline void myalloc_shadow_slab_end(const struct myalloc_cache *cache, void *slab)
{
	myalloc_shadow_pages_alloc(cache->zone, slab, cache->layout.order);
}

#endif /* MYALLOC_OBJECT_SHADOW_H */
