// SPDX-License-Identifier: GPL-2.0
/* Caches that a session holds; see session.c. */
#include "env.h"

#include "budget.h"
#include "device/handles.h"
#include "device/session_cache.h"
#include "object/cache.h"
#include "stat.h"
#include "trace.h"

/* System memory that a cache uses in addition to its magazines. */
#define CACHE_BYTES	65536

/*
 * System memory that a cache may use: its magazines (at most 1/4096 of the zone unless the user
 * asks for larger ones) with a cache line for each possible CPU, the cache itself, and its files in
 * debugfs. The worker's later additions are part of the share of all caches together.
 */
static u64 cache_bytes(const struct myalloc_zone *zone, u32 magazine)
{
	u64 magazines = ((u64)zone->buddy.nr_frames << PAGE_SHIFT) / 4096;
	u64 asked = myalloc_magazine_bytes(magazine) * 2ULL * num_possible_cpus();

	return max(magazines, asked) + CACHE_BYTES +
	       sizeof(struct myalloc_magazine_cpu) * (u64)num_possible_cpus();
}

static int create_locked(struct myalloc_session *s, struct myalloc_cache_create *arg)
{
	const struct myalloc_cache_args args = {
		.name = arg->name,
		.object_size = arg->object_size,
		.align = arg->align,
		.flags = (__force myalloc_cache_flags_t)arg->flags,
		.magazine = arg->magazine,
	};
	struct held what = { .kind = KIND_CACHE };
	int err;

	err = myalloc_budget_check("cache", cache_bytes(s->zone, arg->magazine), NULL);
	if (err)
		return err;
	what.cache = myalloc_cache_create(s->zone, &args);
	if (IS_ERR(what.cache))
		return PTR_ERR(what.cache);
	arg->handle = myalloc_handle_add(s, &what, &err);
	if (err) {
		myalloc_cache_destroy(what.cache);
		return err;
	}
	arg->id = what.cache->id;
	trace_session_cache_create(arg->id, arg->object_size, what.cache->layout.slot_size,
				   what.cache->layout.order,
				   (__force u32)what.cache->flags);
	return 0;
}

/**
 * myalloc_session_cache_create() - MYALLOC_IOC_CACHE_CREATE
 * @session: the session
 * @arg: checked by the caller; its handle and id are written
 *
 * Context: task, may sleep.
 * Return: 0, -EEXIST if the name is in use, -ENOSPC, -ENOMEM, -EINVAL.
 */
int myalloc_session_cache_create(struct myalloc_session *session,
				 struct myalloc_cache_create *arg)
{
	int err = session_lock(session);

	if (err)
		return err;
	err = create_locked(session, arg);
	session_unlock(session);
	/* No slab of this zone is large enough. For the user -E2BIG means a struct's size. */
	return err == -E2BIG ? -EINVAL : err;
}

/**
 * myalloc_session_cache_destroy_locked() - destroy a cache of a session that is locked
 * @s: the session, whose lock is held
 * @handle: handle of the cache
 *
 * Context: task, may sleep.
 * Return: as myalloc_session_cache_destroy().
 */
int myalloc_session_cache_destroy_locked(struct myalloc_session *s, u64 handle)
{
	struct held *held = myalloc_handle_find(s, handle, KIND_CACHE);
	u32 id;
	int err;

	if (!held)
		return -ENOENT;
	id = held->cache->id;
	err = myalloc_cache_destroy(held->cache);
	if (err)
		return err;
	trace_session_cache_destroy(id);
	myalloc_handle_remove(s, handle, held);
	return 0;
}

/**
 * myalloc_session_cache_destroy() - MYALLOC_IOC_CACHE_DESTROY
 * @session: the session
 * @handle: handle of the cache
 *
 * Context: task, may sleep.
 * Return: 0, -ENOENT, -EBUSY if objects are still allocated.
 */
int myalloc_session_cache_destroy(struct myalloc_session *session, u64 handle)
{
	int err = session_lock(session);

	if (err)
		return err;
	err = myalloc_session_cache_destroy_locked(session, handle);
	session_unlock(session);
	return err;
}

static u64 slab_pages(struct myalloc_cache *cache)
{
	struct myalloc_cache_stats stats;

	myalloc_cache_stats(cache, &stats);
	return stats.slabs << stats.order;
}

/* Drain the magazines and free the empty slabs beyond those the cache keeps. */
static unsigned long drain_pages(struct myalloc_cache *cache)
{
	u64 before = slab_pages(cache), after;

	myalloc_cache_drain(cache);
	after = slab_pages(cache);
	return before > after ? before - after : 0;
}

static int with_cache(struct myalloc_session *s, u64 handle,
		      unsigned long (*fn)(struct myalloc_cache *cache), u64 *pages)
{
	struct held *held;
	int err = session_lock(s);

	if (err)
		return err;
	held = myalloc_handle_find(s, handle, KIND_CACHE);
	if (held)
		*pages = fn(held->cache);
	session_unlock(s);
	return held ? 0 : -ENOENT;
}

/**
 * myalloc_session_cache_shrink() - MYALLOC_IOC_CACHE_SHRINK
 * @session: the session
 * @handle: handle of the cache
 * @pages: out: pages returned to the zone
 *
 * Context: task, may sleep.
 * Return: 0, -ENOENT.
 */
int myalloc_session_cache_shrink(struct myalloc_session *session, u64 handle, u64 *pages)
{
	return with_cache(session, handle, myalloc_cache_shrink, pages);
}

/**
 * myalloc_session_cache_drain() - MYALLOC_IOC_CACHE_DRAIN
 * @session: the session
 * @handle: handle of the cache
 * @pages: out: pages returned to the zone
 *
 * Context: task, may sleep.
 * Return: 0, -ENOENT.
 */
int myalloc_session_cache_drain(struct myalloc_session *session, u64 handle, u64 *pages)
{
	return with_cache(session, handle, drain_pages, pages);
}

/**
 * myalloc_session_cache_stat() - MYALLOC_IOC_CACHE_STAT by handle
 * @session: the session
 * @stat: in: the handle of the cache; out: its statistics
 *
 * Context: task, may sleep.
 * Return: 0, -ENOENT.
 */
int myalloc_session_cache_stat(struct myalloc_session *session,
			       struct myalloc_cache_stat *stat)
{
	struct held *held;
	int err = session_lock(session);

	if (err)
		return err;
	held = myalloc_handle_find(session, stat->handle, KIND_CACHE);
	if (held)
		myalloc_cache_stat_fill(stat, held->cache);
	session_unlock(session);
	return held ? 0 : -ENOENT;
}
