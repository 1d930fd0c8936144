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
 * A session is not a client (lib/client): a client has one of a limited number of owner numbers,
 * which the files that users open must not use up; and memory that a program still holds when it
 * ends is not a leak, so close frees it without a report. The file "owners" of debugfs lists the
 * holdings of each session.
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
 * session->lock is taken under sessions_mutex only to end a contract by its number. debugfs reads
 * the counts without a lock. A handle of any session is looked up under sessions_mutex and the lock
 * of the table alone.
 */
#include "env.h"

#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "client/contract.h"
#include "device/handles.h"
#include "device/job.h"
#include "device/session.h"
#include "device/session_cache.h"
#include "device/session_contract.h"
#include "stat.h"

static_assert(sizeof_field(struct myalloc_look, comm) == TASK_COMM_LEN);

static DEFINE_MUTEX(sessions_mutex);
static LIST_HEAD(sessions);

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
	if (bytes > myalloc_session_quota_left(session)) {
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
			refused += !!myalloc_session_cache_destroy_locked(s, handle);
		else if (kind == KIND_CONTRACT)
			refused += !!myalloc_session_contract_end_locked(s, handle);
		else
			refused += !!myalloc_handle_free(s, handle, kind);
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
		pr_err_ratelimited("session of %s[%d]: %lu handles could not be freed and stay in the statistics\n",
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

/* --- all sessions ---------------------------------------------------------------------- */

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
			err = myalloc_session_contract_end_locked(s, handle);
		session_unlock(s);
		if (handle)
			break;
	}
	mutex_unlock(&sessions_mutex);
	return err;
}

/**
 * myalloc_sessions_show() - show the processes that have the device open, and their holdings
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

/* Copy the resource that a handle names while it cannot be freed; false if there is none. */
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
