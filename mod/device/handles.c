// SPDX-License-Identifier: GPL-2.0
/*
 * Handles: the table of a session's resources, its quota, and the resources that have no file of
 * their own: pages, objects and the mappings of pages
 *
 * Life of a handle, quota and locking are in session.c.
 */
#include "env.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "budget.h"
#include "device/handles.h"
#include "device/map.h"
#include "device/quota.h"
#include "object/cache.h"
#include "slice.h"
#include "trace.h"

/* Percent of the zone; main.c sets it. */
unsigned int myalloc_session_quota = MYALLOC_QUOTA_ALL;

static_assert(MYALLOC_ALLOC_ZERO == (__force u32)MYALLOC_ZERO);
static_assert(MYALLOC_ALLOC_TOPDOWN == (__force u32)MYALLOC_TOPDOWN);
static_assert(!(MYALLOC_PAGE_FLAGS & (__force u32)MYALLOC_MAY_WAIT));

/* Handles in a batch: 512 bytes of stack for numbers, as much for addresses. */
#define BATCH	64

/* Does not call the OOM killer. */
#define GFP_HANDLE	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

/* System memory that a handle uses: its struct held and its part of the table. */
#define HANDLE_BYTES	(sizeof(struct held) + 16)

/* Marks the handles of blocks in the table. */
#define MARK_PAGES	XA_MARK_1

/* --- handles; lock held -------------------------------------------------------- */

/* Bytes of the zone that the resource counts for. */
static u64 charge(const struct held *held)
{
	const struct myalloc_slab_layout *l;

	switch (held->kind) {
	case KIND_PAGES:
	case KIND_CONTRACT:
		return (u64)held->nr_pages << PAGE_SHIFT;
	case KIND_OBJECT:
		l = &held->cache->layout;
		return (PAGE_SIZE << l->order) / l->objects;
	default:
		return 0;	/* its objects count instead */
	}
}

/**
 * myalloc_session_quota_left() - the rest of the quota of a session
 * @s: the session, whose lock is held
 *
 * Context: task.
 * Return: bytes of the zone; U64_MAX if the zone itself is the limit.
 */
u64 myalloc_session_quota_left(const struct myalloc_session *s)
{
	u64 quota = myalloc_quota_bytes(s->zone->buddy.nr_frames, myalloc_session_quota);

	if (myalloc_session_quota >= MYALLOC_QUOTA_ALL)	/* the zone itself is the limit */
		return U64_MAX;
	return quota > s->bytes ? quota - s->bytes : 0;
}

/**
 * myalloc_handle_within_quota() - number of resources that fit into the rest of the quota
 * @s: the session, whose lock is held
 * @what: one of them; not a cache
 * @nr: number requested
 *
 * Context: task.
 * Return: their number, at most @nr.
 */
u32 myalloc_handle_within_quota(const struct myalloc_session *s, const struct held *what, u32 nr)
{
	u64 left = myalloc_session_quota_left(s);

	return left == U64_MAX ? nr : min_t(u64, nr, div64_u64(left, charge(what)));
}

static void count(struct myalloc_session *s, const struct held *held, int sign)
{
	s->bytes += sign * (s64)charge(held);
	WRITE_ONCE(s->nr[held->kind], s->nr[held->kind] + sign);
	if (held->kind == KIND_PAGES)
		WRITE_ONCE(s->nr_pages, s->nr_pages + sign * (s64)held->nr_pages);
}

/**
 * myalloc_handle_add() - give a resource a handle
 * @s: the session, whose lock is held
 * @what: the resource; a copy is kept
 * @err: out: 0; -ENOSPC if the session has too many handles; -ENOMEM
 *
 * Context: task, may sleep.
 * Return: the handle, or 0 with *@err set.
 */
u64 myalloc_handle_add(struct myalloc_session *s, const struct held *what, int *err)
{
	struct held *held;

	if (s->nr[KIND_OBJECT] + s->nr[KIND_PAGES] + s->nr[KIND_CACHE] + s->nr[KIND_CONTRACT] >=
	    MYALLOC_HANDLES_MAX || s->next == ULONG_MAX) {
		*err = -ENOSPC;
		return 0;
	}
	*err = -ENOMEM;
	if (myalloc_env_should_fail())
		return 0;
	held = kmalloc(sizeof(*held), GFP_HANDLE);
	if (!held)
		return 0;
	*held = *what;
	if (myalloc_env_should_fail() ||
	    xa_err(xa_store(&s->held, s->next, held, GFP_HANDLE))) {
		kfree(held);
		return 0;
	}
	*err = 0;
	count(s, held, 1);
	if (held->kind == KIND_PAGES)
		xa_set_mark(&s->held, s->next, MARK_PAGES);
	return s->next++;
}

/**
 * myalloc_handle_find() - find the resource that a handle names
 * @s: the session, whose lock is held
 * @handle: the handle
 * @kind: the kind that it must be
 *
 * Context: task.
 * Return: the resource; NULL if the session has none of this kind by that number.
 */
struct held *myalloc_handle_find(struct myalloc_session *s, u64 handle, enum kind kind)
{
	struct held *held;

	if (handle >= s->next)
		return NULL;
	held = xa_load(&s->held, handle);
	return held && held->kind == kind ? held : NULL;
}

/**
 * myalloc_handle_remove() - forget a handle whose resource is gone
 * @s: the session, whose lock is held
 * @handle: the handle
 * @held: its resource; freed
 *
 * Context: task.
 */
void myalloc_handle_remove(struct myalloc_session *s, u64 handle, struct held *held)
{
	xa_erase(&s->held, handle);
	count(s, held, -1);
	kfree(held);
}

/* --- pages and objects; lock held ----------------------------------------------- */

static unsigned int take(struct myalloc_session *s, const struct held *what,
			 unsigned int align_order, myalloc_flags_t flags, unsigned int nr,
			 void **addrs)
{
	unsigned int i;

	flags |= MYALLOC_MAY_WAIT;
	if (what->kind == KIND_OBJECT)
		return myalloc_cache_alloc_bulk(what->cache, flags, nr, addrs);
	if (!what->exact)
		return myalloc_pages_alloc_bulk(s->zone, ilog2(what->nr_pages), flags, nr,
						addrs);
	for (i = 0; i < nr; i++) {
		addrs[i] = myalloc_pages_alloc_exact(s->zone, what->nr_pages, align_order,
						     flags);
		if (!addrs[i])
			break;
	}
	return i;
}

static int give(struct myalloc_session *s, const struct held *held, void *addr)
{
	if (held->kind == KIND_OBJECT)
		return myalloc_cache_free(held->cache, addr);
	if (held->exact)
		return myalloc_pages_free_exact(s->zone, addr, held->nr_pages);
	return myalloc_pages_free(s->zone, addr, ilog2(held->nr_pages));
}

static void trace_alloc(const struct held *what, u64 handle)
{
	if (what->kind == KIND_OBJECT)
		trace_session_obj_alloc(handle, what->cache->id);
	else
		trace_session_page_alloc(handle, what->nr_pages);
}

static void trace_free(const struct held *what, u64 handle)
{
	if (what->kind == KIND_OBJECT)
		trace_session_obj_free(handle, what->cache->id);
	else
		trace_session_page_free(handle, what->nr_pages);
}

/* Insert @nr resources. Returns how many got a handle; the others are freed. */
static unsigned int add_batch(struct myalloc_session *s, struct held *what, unsigned int nr,
			      void **addrs, u64 *handles, int *err)
{
	unsigned int n, i;

	for (n = 0; n < nr; n++) {
		what->addr = addrs[n];
		handles[n] = myalloc_handle_add(s, what, err);
		if (*err)
			break;
	}
	for (i = n; i < nr; i++)
		give(s, what, addrs[i]);
	return n;
}

/* Free one resource with its handle. Blocks with mappings stay: -EBUSY. */
static int free_unmapped(struct myalloc_session *s, u64 handle, struct held *held)
{
	bool mapped = held->kind == KIND_PAGES && held->mapped;
	int err;

	if (mapped && atomic_read(&held->mapped->maps))
		return -EBUSY;
	err = give(s, held, held->addr);
	if (err)
		return err;
	trace_free(held, handle);
	if (mapped)
		kfree(held->mapped);
	myalloc_handle_remove(s, handle, held);
	return 0;
}

static int free_held(struct myalloc_session *s, u64 handle, struct held *held)
{
	int err;

	if (held->kind != KIND_PAGES)
		return free_unmapped(s, handle, held);
	mutex_lock(&s->map_lock);
	err = free_unmapped(s, handle, held);
	mutex_unlock(&s->map_lock);
	return err;
}

/* Copy handles to the user. Returns how many arrived; the others are removed again. */
static unsigned int tell_batch(struct myalloc_session *s, const struct held *what,
			       unsigned int nr, const u64 *handles, u64 __user *to, int *err)
{
	size_t size = nr * sizeof(*handles);
	unsigned int told, i;

	told = (size - copy_to_user(to, handles, size)) / sizeof(*handles);
	for (i = 0; i < told; i++)
		trace_alloc(what, handles[i]);
	if (told == nr)
		return nr;
	*err = -EFAULT;
	for (; i < nr; i++) {
		/* The handle stays if the user has guessed its number and mapped the block. */
		free_held(s, handles[i], xa_load(&s->held, handles[i]));
	}
	return told;
}

static int alloc_bulk(struct myalloc_session *s, struct held *what, unsigned int align_order,
		      myalloc_flags_t flags, u64 __user *to, u32 wanted, u32 *done)
{
	unsigned int batch = BATCH;
	void *addrs[BATCH];
	u64 handles[BATCH];
	int err = myalloc_budget_check("handles", wanted * HANDLE_BYTES, NULL);

	if (flags & MYALLOC_ZERO && what->nr_pages)
		batch = myalloc_slice_blocks(what->nr_pages, BATCH);
	while (*done < wanted && !err) {
		unsigned int ask = min_t(u32, wanted - *done, batch), got;
		unsigned int may = myalloc_handle_within_quota(s, what, ask), nr;

		got = may ? take(s, what, align_order, flags, may, addrs) : 0;
		if (got < may)
			trace_session_fail(what->kind == KIND_OBJECT ? what->cache->id : 0,
					   what->nr_pages, may, got);
		nr = add_batch(s, what, got, addrs, handles, &err);
		*done += tell_batch(s, what, nr, handles, to + *done, &err);
		if (!err && *done < wanted) {
			cond_resched();
			if (got < may)
				err = -ENOMEM;
			else if (may < ask)
				err = -EDQUOT;
			else if (signal_pending(current))
				err = -EINTR;
		}
	}
	return err;
}

/**
 * myalloc_handle_free() - free the pages or the object that a handle names, and the handle
 * @s: the session, whose lock is held
 * @handle: the handle
 * @kind: %KIND_PAGES or %KIND_OBJECT
 *
 * Context: task, may sleep.
 * Return: 0; -ENOENT; -EBUSY if the pages are mapped; the allocator's error.
 */
int myalloc_handle_free(struct myalloc_session *s, u64 handle, enum kind kind)
{
	struct held *held = myalloc_handle_find(s, handle, kind);

	return held ? free_held(s, handle, held) : -ENOENT;
}

static int free_bulk(struct myalloc_session *s, struct myalloc_free *arg, enum kind kind)
{
	const u64 __user *from = u64_to_user_ptr(arg->handles);
	u64 handles[BATCH];
	int err = 0;

	while (arg->done < arg->count && !err) {
		u32 nr = min_t(u32, arg->count - arg->done, BATCH), i;

		if (copy_from_user(handles, from + arg->done, nr * sizeof(*handles)))
			return -EFAULT;
		for (i = 0; i < nr && !err; i++) {
			err = myalloc_handle_free(s, handles[i], kind);
			if (!err)
				arg->done++;
		}
		cond_resched();
		if (!err && arg->done < arg->count && fatal_signal_pending(current))
			err = -EINTR;
	}
	return err;
}

/**
 * myalloc_session_page_alloc() - MYALLOC_IOC_PAGE_ALLOC
 * @session: the session
 * @arg: checked by the caller; @arg->done is written
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM, -EDQUOT, -ENOSPC, -EFAULT, -EINTR after @arg->done blocks.
 */
int myalloc_session_page_alloc(struct myalloc_session *session,
			       struct myalloc_page_alloc *arg)
{
	struct held what = {
		.kind = KIND_PAGES,
		.exact = arg->nr_pages || arg->align_order > arg->order,
		.nr_pages = arg->nr_pages ?: BIT(arg->order),
	};
	int err;

	arg->done = 0;
	err = session_lock(session);
	if (err)
		return err;
	err = alloc_bulk(session, &what, arg->align_order, (__force myalloc_flags_t)arg->flags,
			 u64_to_user_ptr(arg->handles), arg->count, &arg->done);
	session_unlock(session);
	return err;
}

/**
 * myalloc_session_obj_alloc() - MYALLOC_IOC_OBJ_ALLOC
 * @session: the session
 * @arg: checked by the caller; @arg->done is written
 *
 * Context: task, may sleep.
 * Return: 0; -ENOENT; -ENOMEM, -EDQUOT, -ENOSPC, -EFAULT, -EINTR after @arg->done objects.
 */
int myalloc_session_obj_alloc(struct myalloc_session *session,
			      struct myalloc_obj_alloc *arg)
{
	struct held what = { .kind = KIND_OBJECT };
	const struct held *cache;
	int err;

	arg->done = 0;
	err = session_lock(session);
	if (err)
		return err;
	cache = myalloc_handle_find(session, arg->cache, KIND_CACHE);
	if (cache) {
		what.cache = cache->cache;
		err = alloc_bulk(session, &what, 0, (__force myalloc_flags_t)arg->flags,
				 u64_to_user_ptr(arg->handles), arg->count, &arg->done);
	} else {
		err = -ENOENT;
	}
	session_unlock(session);
	return err;
}

static int session_free(struct myalloc_session *s, struct myalloc_free *arg, enum kind kind)
{
	int err;

	arg->done = 0;
	err = session_lock(s);
	if (err)
		return err;
	err = free_bulk(s, arg, kind);
	session_unlock(s);
	return err;
}

/**
 * myalloc_session_page_free() - MYALLOC_IOC_PAGE_FREE
 * @session: the session
 * @arg: checked by the caller; @arg->done is written
 *
 * Context: task, may sleep.
 * Return: 0; -ENOENT, -EBUSY, -EFAULT, -EINTR after @arg->done blocks; -EINVAL if the allocator
 * refused a free because its metadata is damaged.
 */
int myalloc_session_page_free(struct myalloc_session *session, struct myalloc_free *arg)
{
	return session_free(session, arg, KIND_PAGES);
}

/**
 * myalloc_session_obj_free() - MYALLOC_IOC_OBJ_FREE
 * @session: the session
 * @arg: as for myalloc_session_page_free()
 *
 * Context: task, may sleep.
 * Return: as myalloc_session_page_free().
 */
int myalloc_session_obj_free(struct myalloc_session *session, struct myalloc_free *arg)
{
	return session_free(session, arg, KIND_OBJECT);
}

/* --- mappings ---------------------------------------------------------------------- */

/**
 * myalloc_session_page_map() - MYALLOC_IOC_PAGE_MAP
 * @session: the session
 * @arg: in: the handle; out: the rest
 *
 * Context: task, may sleep.
 * Return: 0, -ENOENT.
 */
int myalloc_session_page_map(struct myalloc_session *session, struct myalloc_page_map *arg)
{
	const struct held *held;
	int err = session_lock(session);

	if (err)
		return err;
	held = myalloc_handle_find(session, arg->handle, KIND_PAGES);
	if (held) {
		mutex_lock(&session->map_lock);
		arg->pages = held->nr_pages;
		arg->granule_pages = myalloc_map_granule(held->addr, held->nr_pages);
		arg->maps = held->mapped ? atomic_read(&held->mapped->maps) : 0;
		arg->large = held->mapped ? atomic_read(&held->mapped->large) : 0;
		mutex_unlock(&session->map_lock);
	}
	session_unlock(session);
	return held ? 0 : -ENOENT;
}

/* map_lock held: keeps the block from being freed. */
static int mmap_locked(struct myalloc_session *s, struct vm_area_struct *vma)
{
	struct held *held;
	int err;

	/* s->lock is not held, so only handles of blocks are sure to stay. */
	if (!xa_get_mark(&s->held, vma->vm_pgoff, MARK_PAGES))
		return -ENOENT;
	held = xa_load(&s->held, vma->vm_pgoff);
	err = myalloc_map_check(vma, held->nr_pages);
	if (err)
		return err;
	if (!held->mapped)
		held->mapped = myalloc_map_create(held->addr, held->nr_pages);
	return held->mapped ? myalloc_map_begin(vma, held->mapped) : -ENOMEM;
}

/**
 * myalloc_session_mmap() - map a block into a process
 * @session: the session
 * @vma: the mapping; vm_pgoff is the handle of the block
 *
 * Context: task, may sleep; mmap_lock held.
 * Return: 0; -ENOENT if there is no such block; the errors of myalloc_map_check() and
 * myalloc_map_begin(); -ENOMEM.
 */
int myalloc_session_mmap(struct myalloc_session *session, struct vm_area_struct *vma)
{
	int err;

	mutex_lock(&session->map_lock);
	err = mmap_locked(session, vma);
	mutex_unlock(&session->map_lock);
	return err;
}
