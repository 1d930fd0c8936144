// SPDX-License-Identifier: GPL-2.0
/* Frees of objects after a grace period of RCU. */
#include "env.h"

#include <linux/rcupdate.h>

#include "myalloc_client.h"

static void free_now(struct rcu_head *rcu)
{
	struct myalloc_rcu *head = container_of(rcu, struct myalloc_rcu, rcu);

	myalloc_cache_free(head->cache, head->object);
}

/**
 * myalloc_cache_free_rcu() - free an object after a grace period
 * @cache: the cache it was allocated from
 * @object: its address
 * @head: a member of the object; its content is lost
 *
 * A wrong free is reported when the grace period has passed. Call rcu_barrier() before the cache
 * is destroyed. An object without room for @head can be waited for with synchronize_rcu() instead.
 *
 * Context: any but NMI.
 */
void myalloc_cache_free_rcu(struct myalloc_cache *cache, void *object, struct myalloc_rcu *head)
{
	head->cache = cache;
	head->object = object;
	call_rcu(&head->rcu, free_now);
}
