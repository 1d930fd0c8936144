// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: the resources that one open file of /dev/myalloc holds
 *
 * Terms
 *	session	one open file description; dup() and fork() share it
 *	handle	the number by which user space names a resource of the session
 *
 * Life of a handle: its number comes from a counter per session that only grows, so numbers are
 * never reused and reveal no address. A handle is in the table as long as user space may use it:
 * it is inserted after the allocation and removed after the free. If a handle cannot be copied to
 * the user, its resource is freed again.
 *
 * Close: the last reference to the file is gone, so nothing runs concurrently. The job ends
 * first; then objects are freed, then pages, then the caches, which are empty by then, and then the
 * contracts.
 *
 * Bulk commands work in batches through a small array on the stack and check for signals between
 * batches, so neither the latency of a signal nor the memory used depends on the size of the
 * request. Any signal ends an allocation; only a fatal one ends a free, because a program that
 * was told to stop frees next.
 *
 * Quota: the handles of one file hold at most session_quota percent of the zone, so that one
 * descriptor cannot starve the users in the kernel. A ring that it has created counts as long as
 * the ring's own file exists (ring_file.c). Jobs do not count: some of them exist to exhaust the
 * zone, and they free everything again.
 *
 * Locking
 *	sessions_mutex	  the list of sessions, for debugfs
 *	session->lock	  handles and the job; held while they are used, so that
 *			  a concurrent command cannot free them
 *	    session->map_lock  mappings of blocks begin, and blocks are freed; also taken under
 *			  the mmap_lock, and so never held while user memory is accessed
 *	  zone->caches_mutex and the locks below it (lib/zone_types.h)
 *
 * The first is held while the second is taken only to end a contract by its number.
 * debugfs reads the counts without a lock. A handle of any session is looked up under the first
 * lock and that of the table alone.
 */
#include "env.h"

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "budget.h"
#include "client/contract.h"
#include "device/job.h"
#include "device/map.h"
#include "device/quota.h"
#include "device/session.h"
#include "object/cache.h"
#include "slice.h"
#include "stat.h"

/* Percent of the zone; main.c sets it. */
unsigned int myalloc_session_quota = MYALLOC_QUOTA_ALL;

#include "trace.h"

static_assert(sizeof_field(struct myalloc_look, comm) == TASK_COMM_LEN);
static_assert(MYALLOC_ALLOC_ZERO == (__force u32)MYALLOC_ZERO);
static_assert(MYALLOC_ALLOC_TOPDOWN == (__force u32)MYALLOC_TOPDOWN);
static_assert(!(MYALLOC_PAGE_FLAGS & (__force u32)MYALLOC_MAY_WAIT));

/* Handles in a batch: 512 bytes of stack for numbers, as much for addresses. */
#define BATCH	64

/* Does not call the OOM killer. */
#define GFP_HANDLE	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

/* System memory that a cache uses in addition to its magazines. */
#define CACHE_BYTES	65536

/* System memory that a handle uses: its struct held and its part of the table. */
#define HANDLE_BYTES	(sizeof(struct held) + 16)

/* Marks the handles of blocks in the table. */
#define MARK_PAGES	XA_MARK_1

enum kind {
	KIND_OBJECT,
	KIND_PAGES,
	KIND_CACHE,
	KIND_CONTRACT,
	NR_KINDS
};

/**
 * struct held - the resource that a handle names
 * @kind: enum kind
 * @exact: pages: allocated by number of pages, not by order
 * @nr_pages: pages, contract: number of pages
 * @addr: address of the pages or of the object
 * @cache: the cache, or that of the object
 * @mapped: pages: counts the mappings, NULL if there was none yet
 * @contract: the contract
 */
struct held {
	u8 kind;
	bool exact;
	u32 nr_pages;
	void *addr;
	union {
		struct myalloc_cache *cache;
		struct myalloc_mapped *mapped;
		struct myalloc_contract *contract;
	};
};

/**
 * struct myalloc_session - an open file
 * @link: in the list of sessions
 * @zone: zone that it works on; changes under @lock, and only while nothing is held
 * @refs: the file, and what it has charged that may outlive the file
 * @pid: thread group that opened it
 * @comm: name of that process
 * @lock: protects the members below
 * @held: handles; struct held
 * @next: number of the next handle
 * @nr: number of handles of each kind
 * @nr_pages: pages that the handles hold
 * @bytes: bytes of the zone that the handles and rings hold; an object counts as its share of a
 *	slab
 * @map_lock: excludes mmap() and the free of blocks; see Locking
 * @job: its job, or NULL
 * @seq: records of @job that were read
 * @ended: the last record of @job was read
 * @events: grows when there may be something new to read; may be read without the lock
 * @wait: waiting readers
 */
struct myalloc_session {
	struct list_head link;
	struct myalloc_zone *zone;
	atomic_t refs;
	pid_t pid;
	char comm[TASK_COMM_LEN];

	struct mutex lock;	/* see Locking */
	struct mutex map_lock;	/* see Locking */
	struct xarray held;
	unsigned long next;
	unsigned long nr[NR_KINDS];
	u64 nr_pages;
	u64 bytes;
	struct myalloc_job *job;
	u64 seq;
	bool ended;

	atomic_t events;
	wait_queue_head_t wait;
};

static DEFINE_MUTEX(sessions_mutex);
static LIST_HEAD(sessions);

static int session_lock(struct myalloc_session *s)
{
	return mutex_lock_interruptible(&s->lock) ? -ERESTARTSYS : 0;
}

static void session_unlock(struct myalloc_session *s)
{
	mutex_unlock(&s->lock);
}

/* --- handles; lock held -------------------------------------------------------- */

/* Bytes of the zone that the resource counts as. */
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

/* The rest of the quota. */
static u64 quota_left(const struct myalloc_session *s)
{
	u64 quota = myalloc_quota_bytes(s->zone->buddy.nr_frames, myalloc_session_quota);

	if (myalloc_session_quota >= MYALLOC_QUOTA_ALL)	/* the zone itself is the limit */
		return U64_MAX;
	return quota > s->bytes ? quota - s->bytes : 0;
}

/* How many such resources fit into the rest of the quota, at most @nr. */
static u32 within_quota(const struct myalloc_session *s, const struct held *what, u32 nr)
{
	u64 left = quota_left(s);

	return left == U64_MAX ? nr : min_t(u64, nr, div64_u64(left, charge(what)));
}

static void count(struct myalloc_session *s, const struct held *held, int sign)
{
	s->bytes += sign * (s64)charge(held);
	WRITE_ONCE(s->nr[held->kind], s->nr[held->kind] + sign);
	if (held->kind == KIND_PAGES)
		WRITE_ONCE(s->nr_pages, s->nr_pages + sign * (s64)held->nr_pages);
}

/* Insert a copy of @what. Returns its handle, or 0 with *@err set. */
static u64 handle_add(struct myalloc_session *s, const struct held *what, int *err)
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

static struct held *handle_find(struct myalloc_session *s, u64 handle, enum kind kind)
{
	struct held *held;

	if (handle >= s->next)
		return NULL;
	held = xa_load(&s->held, handle);
	return held && held->kind == kind ? held : NULL;
}

static void handle_remove(struct myalloc_session *s, u64 handle, struct held *held)
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
		handles[n] = handle_add(s, what, err);
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
	handle_remove(s, handle, held);
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
		/* Remains if the user has guessed the number and mapped the block. */
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
		unsigned int may = within_quota(s, what, ask), nr;

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

static int free_one(struct myalloc_session *s, u64 handle, enum kind kind)
{
	struct held *held = handle_find(s, handle, kind);

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
			err = free_one(s, handles[i], kind);
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
	cache = handle_find(session, arg->cache, KIND_CACHE);
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
	held = handle_find(session, arg->handle, KIND_PAGES);
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

	/* Without s->lock other handles than those of blocks may be freed meanwhile. */
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

/* --- caches ------------------------------------------------------------------------ */

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
	arg->handle = handle_add(s, &what, &err);
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

static int destroy_locked(struct myalloc_session *s, u64 handle)
{
	struct held *held = handle_find(s, handle, KIND_CACHE);
	u32 id;
	int err;

	if (!held)
		return -ENOENT;
	id = held->cache->id;
	err = myalloc_cache_destroy(held->cache);
	if (err)
		return err;
	trace_session_cache_destroy(id);
	handle_remove(s, handle, held);
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
	err = destroy_locked(session, handle);
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
	held = handle_find(s, handle, KIND_CACHE);
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
	held = handle_find(session, stat->handle, KIND_CACHE);
	if (held)
		myalloc_cache_stat_fill(stat, held->cache);
	session_unlock(session);
	return held ? 0 : -ENOENT;
}

/* --- contracts --------------------------------------------------------------------- */

static int contract_locked(struct myalloc_session *s, struct myalloc_contract_make *arg,
			   const struct myalloc_contract_line *lines,
			   struct myalloc_contract_plan *plan)
{
	struct held what = { .kind = KIND_CONTRACT, .nr_pages = plan->pages };
	int err;

	if (!within_quota(s, &what, 1)) {
		scnprintf(arg->reason, sizeof(arg->reason),
			  "one open file may hold at most %u percent of the reserve (session_quota)",
			  myalloc_session_quota);
		return -EDQUOT;
	}
	what.contract = myalloc_contract_create(s->zone, arg->name, lines, arg->nr_lines,
						arg->flags, plan);
	if (IS_ERR(what.contract))
		return PTR_ERR(what.contract);
	/* Before the handle exists: afterwards another process can end it by its number. */
	arg->id = what.contract->front.id;
	arg->handle = handle_add(s, &what, &err);
	if (err)
		myalloc_contract_end(what.contract, MYALLOC_CONTRACT_RELEASE);
	return err;
}

/**
 * myalloc_session_contract_create() - MYALLOC_IOC_CONTRACT_CREATE
 * @session: the session
 * @arg: checked by the caller; its handle, id and, with -EDQUOT, its reason are written
 * @lines: its lines
 * @plan: in: what they cost; out: as of myalloc_contract_create()
 *
 * Context: task, may sleep.
 * Return: 0; -EDQUOT; -ENOMEM; -ERESTARTSYS; the errors of myalloc_contract_create().
 */
int myalloc_session_contract_create(struct myalloc_session *session,
				    struct myalloc_contract_make *arg,
				    const struct myalloc_contract_line *lines,
				    struct myalloc_contract_plan *plan)
{
	int err = session_lock(session);

	if (err)
		return err;
	err = contract_locked(session, arg, lines, plan);
	session_unlock(session);
	return err;
}

/* Lock held. */
static int end_locked(struct myalloc_session *s, u64 handle)
{
	struct held *held = handle_find(s, handle, KIND_CONTRACT);
	int err;

	if (!held)
		return -ENOENT;
	err = myalloc_contract_end(held->contract, MYALLOC_CONTRACT_RELEASE);
	if (!err)
		handle_remove(s, handle, held);
	return err;
}

/**
 * myalloc_session_contract_end() - end a contract of a session
 * @session: the session
 * @handle: handle of the contract
 *
 * Context: task, may sleep.
 * Return: 0; -ENOENT; -EBUSY if pages of it are lent to the kernel; -ERESTARTSYS.
 */
int myalloc_session_contract_end(struct myalloc_session *session, u64 handle)
{
	int err = session_lock(session);

	if (err)
		return err;
	err = end_locked(session, handle);
	session_unlock(session);
	return err;
}

/* Lock held. The handle of the contract with a number, 0 if it is not of this session. */
static u64 contract_handle(struct myalloc_session *s, const struct myalloc_zone *zone, u64 id)
{
	unsigned long handle;
	struct held *held;

	if (!s->nr[KIND_CONTRACT] || s->zone != zone)
		return 0;
	xa_for_each(&s->held, handle, held)
		if (held->kind == KIND_CONTRACT && held->contract->front.id == id)
			return handle;
	return 0;
}

/**
 * myalloc_sessions_contract_end() - end a contract of any session
 * @zone: the zone
 * @id: number of the contract
 *
 * Context: task, may sleep.
 * Return: 0; -ENOENT if there is none; -EPERM if it is not of a session; -EBUSY if pages of it are
 * lent to the kernel; -ERESTARTSYS.
 */
int myalloc_sessions_contract_end(struct myalloc_zone *zone, u64 id)
{
	struct myalloc_contract_stat stat;
	struct myalloc_session *s;
	int err = -EPERM;
	u64 handle;

	if (id > U64_MAX / MYALLOC_LINES_MAX ||
	    myalloc_contract_stat_find(&stat, zone, id * MYALLOC_LINES_MAX, false))
		return -ENOENT;
	mutex_lock(&sessions_mutex);
	list_for_each_entry(s, &sessions, link) {
		if (session_lock(s)) {
			err = -ERESTARTSYS;
			break;
		}
		handle = contract_handle(s, zone, id);
		if (handle)
			err = end_locked(s, handle);
		session_unlock(s);
		if (handle)
			break;
	}
	mutex_unlock(&sessions_mutex);
	return err;
}

/* --- jobs ---------------------------------------------------------------------------- */

static void notify(void *arg)
{
	struct myalloc_session *s = arg;

	atomic_inc(&s->events);
	wake_up_interruptible(&s->wait);
}

/* Lock held. Replaces the previous job, whose result stays readable until then. */
static int start_job(struct myalloc_session *s, const struct myalloc_job_kind *kind, void *params)
{
	struct myalloc_job *job;

	if (s->job && !myalloc_job_finished(s->job))
		return -EBUSY;
	job = myalloc_job_start(kind, s->zone, params, notify, s);
	if (IS_ERR(job))
		return PTR_ERR(job);
	if (s->job)
		myalloc_job_destroy(s->job);
	s->job = job;
	s->seq = 0;
	s->ended = false;
	notify(s);
	return 0;
}

/**
 * myalloc_session_job_start() - the MYALLOC_JOB_START of a kind
 * @session: the session
 * @kind: the kind
 * @params: the command's argument; the kind checks it and may write to it
 *
 * Context: task, may sleep.
 * Return: 0, -EBUSY if the previous job has not ended, -EINVAL, -ENOMEM, -EINTR, -ERESTARTSYS;
 * after an error the result of the previous job stays readable.
 */
int myalloc_session_job_start(struct myalloc_session *session,
			      const struct myalloc_job_kind *kind, void *params)
{
	int err = session_lock(session);

	if (err)
		return err;
	err = start_job(session, kind, params);
	session_unlock(session);
	return err;
}

/**
 * myalloc_session_job_result() - the MYALLOC_JOB_RESULT of a kind
 * @session: the session
 * @kind: the kind
 * @result: the command's argument, in and out
 *
 * Context: task, may sleep.
 * Return: 0, -ERESTARTSYS, or the error of the kind's result().
 */
int myalloc_session_job_result(struct myalloc_session *session,
			       const struct myalloc_job_kind *kind, void *result)
{
	struct myalloc_job *job;
	int err = session_lock(session);

	if (err)
		return err;
	job = session->job;
	err = kind->result(job && job->kind == kind ? job : NULL, result);
	session_unlock(session);
	return err;
}

/**
 * myalloc_session_cancel() - the MYALLOC_JOB_CANCEL of any kind
 * @session: the session
 *
 * Context: task; sleeps until the job's threads have ended.
 * Return: 0, also if there is no job or it has ended; -ERESTARTSYS.
 */
int myalloc_session_cancel(struct myalloc_session *session)
{
	int err = session_lock(session);

	if (err)
		return err;
	if (session->job)
		myalloc_job_cancel(session->job);
	session_unlock(session);
	return 0;
}

/* Lock held. Is there a record to read, or the end? */
static bool readable(const struct myalloc_session *s)
{
	return !s->job || s->ended || myalloc_job_seq(s->job) > s->seq;
}

/* Lock held. */
static ssize_t read_record(struct myalloc_session *s, char __user *buf, size_t size)
{
	size_t need = s->job ? s->job->kind->record_size : MYALLOC_JOB_RECORD_MAX;
	u64 record[MYALLOC_JOB_RECORD_MAX / sizeof(u64)];
	enum myalloc_stress_state state;
	u64 seq;

	if (size < need)
		return -EINVAL;
	if (!readable(s))
		return -EAGAIN;
	if (!s->job || s->ended)
		return 0;
	seq = myalloc_job_seq(s->job);
	state = myalloc_job_read(s->job, record);
	if (copy_to_user(buf, record, need))
		return -EFAULT;
	s->seq = seq;
	s->ended = state != MYALLOC_STRESS_RUNNING;
	return need;
}

/**
 * myalloc_session_read() - read the next progress record of the job
 * @session: the session
 * @buf: user buffer
 * @size: its size in bytes
 * @nonblock: do not wait
 *
 * Context: task, may sleep.
 * Return: bytes of a record, a struct of the job's kind; 0 if there is no job or its last
 * record was read; -EINVAL if @buf is too small for a record; -EAGAIN with @nonblock if there is
 * no record yet; -ERESTARTSYS; -EFAULT.
 */
ssize_t myalloc_session_read(struct myalloc_session *session, char __user *buf,
			     size_t size, bool nonblock)
{
	ssize_t ret;
	int events;

	for (;;) {
		events = atomic_read(&session->events);
		ret = session_lock(session);
		if (ret)
			return ret;
		ret = read_record(session, buf, size);
		session_unlock(session);
		if (ret != -EAGAIN || nonblock)
			return ret;
		ret = wait_event_interruptible(session->wait,
					       atomic_read(&session->events) != events);
		if (ret)
			return ret;
	}
}

/**
 * myalloc_session_poll() - would read() wait?
 * @session: the session
 * @file: its file
 * @wait: poll table
 *
 * Context: task, may sleep until a signal comes.
 * Return: EPOLLIN if a read would not wait, otherwise 0; also 0 after a signal, which the caller
 * handles.
 */
__poll_t myalloc_session_poll(struct myalloc_session *session, struct file *file,
			      poll_table *wait)
{
	__poll_t events;

	poll_wait(file, &session->wait, wait);
	if (session_lock(session))
		return 0;
	events = readable(session) ? EPOLLIN | EPOLLRDNORM : 0;
	session_unlock(session);
	return events;
}

/* --- rings, whose own files hold them ------------------------------------------------ */

static void put_session(struct myalloc_session *s)
{
	if (atomic_dec_and_test(&s->refs))
		myalloc_env_free(s);
}

/**
 * myalloc_session_charge() - count memory that is not behind a handle for the quota
 * @session: the session
 * @bytes: bytes of the zone
 *
 * Context: task, may sleep.
 * Return: 0, and the session exists at least until myalloc_session_uncharge(); -EDQUOT;
 * -ERESTARTSYS.
 */
int myalloc_session_charge(struct myalloc_session *session, u64 bytes)
{
	int err = session_lock(session);

	if (err)
		return err;
	if (bytes > quota_left(session)) {
		err = -EDQUOT;
	} else {
		session->bytes += bytes;
		atomic_inc(&session->refs);
	}
	session_unlock(session);
	return err;
}

/**
 * myalloc_session_uncharge() - the counterpart of myalloc_session_charge()
 * @session: the session, which may have been closed
 * @bytes: as charged
 *
 * Context: task, may sleep.
 */
void myalloc_session_uncharge(struct myalloc_session *session, u64 bytes)
{
	mutex_lock(&session->lock);
	session->bytes -= bytes;
	session_unlock(session);
	put_session(session);
}

/* --- life ----------------------------------------------------------------------------- */

/**
 * myalloc_session_open() - begin a session
 * @zone: zone that it works on
 *
 * Context: task, may sleep.
 * Return: the session, NULL if out of memory.
 */
struct myalloc_session *myalloc_session_open(struct myalloc_zone *zone)
{
	struct myalloc_session *s;

	s = myalloc_env_zalloc_charged(sizeof(*s), NUMA_NO_NODE);
	if (!s)
		return NULL;
	s->zone = zone;
	atomic_set(&s->refs, 1);
	s->pid = task_tgid_nr(current);
	get_task_comm(s->comm, current);
	mutex_init(&s->lock);
	mutex_init(&s->map_lock);
	xa_init(&s->held);
	s->next = 1;
	init_waitqueue_head(&s->wait);
	mutex_lock(&sessions_mutex);
	list_add_tail(&s->link, &sessions);
	mutex_unlock(&sessions_mutex);
	return s;
}

/**
 * myalloc_session_zone() - the zone that a session works on
 * @session: the session
 *
 * Context: any.
 * Return: the zone.
 */
struct myalloc_zone *myalloc_session_zone(const struct myalloc_session *session)
{
	return READ_ONCE(session->zone);
}

static bool is_idle(const struct myalloc_session *s)
{
	enum kind kind;

	for (kind = 0; kind < NR_KINDS; kind++)
		if (s->nr[kind])
			return false;
	return !s->job && !s->bytes;
}

/**
 * myalloc_session_use() - let a session work on another zone
 * @session: the session
 * @zone: the zone, of the same module
 *
 * Context: task, may sleep.
 * Return: 0; -EBUSY if it holds anything, a ring too, or has a job; -ERESTARTSYS.
 */
int myalloc_session_use(struct myalloc_session *session, struct myalloc_zone *zone)
{
	int err = session_lock(session);

	if (err)
		return err;
	if (is_idle(session))
		WRITE_ONCE(session->zone, zone);
	else
		err = -EBUSY;
	session_unlock(session);
	return err;
}

/* Free all resources of a kind. Returns how many frees the allocator refused. */
static unsigned long close_kind(struct myalloc_session *s, enum kind kind)
{
	unsigned long handle, refused = 0;
	struct held *held;

	if (!s->nr[kind])
		return 0;
	xa_for_each(&s->held, handle, held) {
		cond_resched();
		if (held->kind != kind)
			continue;
		if (kind == KIND_CACHE)
			refused += !!destroy_locked(s, handle);
		else if (kind == KIND_CONTRACT)
			refused += !!end_locked(s, handle);
		else
			refused += !!free_one(s, handle, kind);
	}
	return refused;
}

/**
 * myalloc_session_close() - end a session and free everything it holds
 * @session: the session, no longer used by anyone else
 *
 * Context: task, may sleep.
 */
void myalloc_session_close(struct myalloc_session *session)
{
	unsigned long handle, refused;
	struct held *held;

	mutex_lock(&sessions_mutex);
	list_del(&session->link);
	mutex_unlock(&sessions_mutex);
	if (session->job)
		myalloc_job_destroy(session->job);
	refused = close_kind(session, KIND_OBJECT) + close_kind(session, KIND_PAGES) +
		  close_kind(session, KIND_CACHE) + close_kind(session, KIND_CONTRACT);
	if (refused) {
		pr_err("session of %s[%d]: %lu handles could not be freed and stay in the statistics\n",
		       session->comm, session->pid, refused);
		xa_for_each(&session->held, handle, held) {
			if (held->kind == KIND_PAGES)
				kfree(held->mapped);
			kfree(held);
			cond_resched();
		}
	}
	xa_destroy(&session->held);
	put_session(session);
}

/**
 * myalloc_sessions_show() - show which processes have the device open and what they hold
 * @m: the file to show it in
 *
 * Context: task, may sleep.
 */
void myalloc_sessions_show(struct seq_file *m)
{
	const struct myalloc_session *s;

	seq_puts(m, "# session of        <pid> <blocks>    <pages>  <objects> <caches>    <run>\n");
	mutex_lock(&sessions_mutex);
	list_for_each_entry(s, &sessions, link)
		seq_printf(m, "%-16s %8d %8lu %10llu %10lu %8lu %8s\n", s->comm, s->pid,
			   READ_ONCE(s->nr[KIND_PAGES]), READ_ONCE(s->nr_pages),
			   READ_ONCE(s->nr[KIND_OBJECT]), READ_ONCE(s->nr[KIND_CACHE]),
			   READ_ONCE(s->job) ? "yes" : "no");
	mutex_unlock(&sessions_mutex);
}

/* What the handle names, copied while it cannot be freed; false if there is none. */
static bool peek(struct myalloc_session *s, u64 handle, struct held *copy)
{
	struct held *held = NULL;

	xa_lock(&s->held);
	if (handle <= ULONG_MAX)
		held = xa_load(&s->held, handle);
	if (held)
		*copy = *held;
	xa_unlock(&s->held);
	return held;
}

/**
 * myalloc_sessions_find() - find the pages or the object that a handle of any session names
 * @look: in: @key is the handle, @pid the process that opened the file, 0 for any; out: @pid and
 *	@comm are those of the process
 * @addr: out: the address; by the time of return it may have been freed
 *
 * Context: task, may sleep.
 * Return: 0; -ENOENT if no session has it, or it names something else; -ENOTUNIQ if several have
 * it.
 */
int myalloc_sessions_find(struct myalloc_look *look, void **addr)
{
	struct myalloc_session *s;
	u32 pid = look->pid;
	int err = -ENOENT;
	struct held held;

	mutex_lock(&sessions_mutex);
	list_for_each_entry(s, &sessions, link) {
		if ((pid && pid != s->pid) || !peek(s, look->key, &held) ||
		    (held.kind != KIND_PAGES && held.kind != KIND_OBJECT))
			continue;
		if (!err) {
			err = -ENOTUNIQ;
			break;
		}
		err = 0;
		*addr = held.addr;
		look->pid = s->pid;
		memcpy(look->comm, s->comm, sizeof(look->comm));
	}
	mutex_unlock(&sessions_mutex);
	return err;
}
