/* SPDX-License-Identifier: GPL-2.0 */
/* Movement of objects between magazines and slabs, for the code that makes and drains magazines. */
#ifndef MYALLOC_OBJECT_H
#define MYALLOC_OBJECT_H

#include "object/cache_types.h"

void myalloc_cache_flush(void *cache, struct myalloc_slot *slot, u32 nr);
void *myalloc_cache_alloc_for(struct myalloc_cache *cache, myalloc_flags_t flags,
			      unsigned long caller);
void *myalloc_cache_alloc_slow(struct myalloc_cache *cache, myalloc_flags_t flags,
			       unsigned long caller);
int myalloc_cache_free_for(struct myalloc_cache *cache, void *object, unsigned long caller);
int myalloc_cache_free_slow(struct myalloc_cache *cache, void *object, unsigned long caller);
void *myalloc_cache_alloc_traced(struct myalloc_cache *cache, myalloc_flags_t flags,
				 unsigned long caller);
int myalloc_cache_free_traced(struct myalloc_cache *cache, void *object, unsigned long caller);
void myalloc_cache_trace_alloc(struct myalloc_cache *cache, myalloc_flags_t flags,
			       const void *object, unsigned long caller);
void myalloc_cache_trace_free(struct myalloc_cache *cache, const void *object,
			      unsigned long caller);
int myalloc_object_claim(struct myalloc_cache *cache, void *object, unsigned long caller);
void myalloc_object_free_claimed(struct myalloc_cache *cache, void *object, unsigned long caller);
void *myalloc_object_take(struct myalloc_cache *c);
int myalloc_object_withdraw(struct myalloc_cache *cache, void *object, unsigned long caller);
void myalloc_object_issue(struct myalloc_cache *cache, void *object, myalloc_flags_t flags,
			  unsigned long caller);
bool myalloc_cache_fresh(void *cache, const struct myalloc_slot *slot);
bool myalloc_cache_drop(void *cache, const struct myalloc_slot *slot);

/**
 * myalloc_user_state() - the state of a slot in use
 * @cache: the cache
 *
 * Context: any.
 * Return: MYALLOC_SLOT_CACHED in a trusting cache, MYALLOC_SLOT_LIVE in any other.
 */
static inline u8 myalloc_user_state(const struct myalloc_cache *cache)
{
	return cache->level == MYALLOC_TRUSTING ? MYALLOC_SLOT_CACHED : MYALLOC_SLOT_LIVE;
}

#endif /* MYALLOC_OBJECT_H */
