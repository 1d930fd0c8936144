// SPDX-License-Identifier: GPL-2.0
/* Frees of objects after a grace period of RCU. */
#include "env.h"

#include <linux/rcupdate.h>

#include "myalloc_client.h"
#include "object/object.h"

static void free_now(struct rcu_head *rcu)
{
	struct myalloc_rcu *head = container_of(rcu, struct myalloc_rcu, rcu);

	myalloc_object_free_claimed(head->cache, head->object, _THIS_IP_);
}

/**
 * myalloc_cache_free_rcu() - free an object after a grace period
 * @cache: the cache it was allocated from
 * @object: its address; any value is safe
 * @head: a member of the object; its content is lost
 *
 * The call itself is the free: from then on a second free of the object is refused. Until the grace
 * period has passed the object is not reused, and its content stays as it was except for @head.
 * Call rcu_barrier() before the cache is destroyed. An object without room for @head can be waited
 * for with synchronize_rcu() instead.
 *
 * Context: any but NMI.
 * Return: 0; -EINVAL if no allocated object of this cache begins at @object. The wrong free is
 * reported and counted, and changes nothing: @head is not accessed.
 */
int myalloc_cache_free_rcu(struct myalloc_cache *cache, void *object, struct myalloc_rcu *head)
{
	int err;

	if (unlikely(myalloc_env_trace_on(cache_free)))
		myalloc_cache_trace_free(cache, object, _RET_IP_);
	/* A head queued twice, or in memory of another user, would damage the list of callbacks. */
	err = myalloc_object_claim(cache, object, _RET_IP_);
	if (unlikely(err))
		return err;
	head->cache = cache;
	head->object = object;
	call_rcu(&head->rcu, free_now);
	return 0;
}
