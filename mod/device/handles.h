/* SPDX-License-Identifier: GPL-2.0 */
/* The handles of a session, and the session that they belong to; see session.c. */
#ifndef MYALLOC_HANDLES_H
#define MYALLOC_HANDLES_H

#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "uapi/myalloc.h"

struct myalloc_cache;
struct myalloc_contract;
struct myalloc_job;
struct myalloc_mapped;
struct myalloc_zone;
struct vm_area_struct;

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
 * @refs: the file, and charged rings that may outlive the file
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

static inline int session_lock(struct myalloc_session *s)
{
	return mutex_lock_interruptible(&s->lock) ? -ERESTARTSYS : 0;
}

static inline void session_unlock(struct myalloc_session *s)
{
	mutex_unlock(&s->lock);
}

u64 myalloc_session_quota_left(const struct myalloc_session *s);
u32 myalloc_handle_within_quota(const struct myalloc_session *s, const struct held *what,
				u32 nr);
u64 myalloc_handle_add(struct myalloc_session *s, const struct held *what, int *err);
struct held *myalloc_handle_find(struct myalloc_session *s, u64 handle, enum kind kind);
void myalloc_handle_remove(struct myalloc_session *s, u64 handle, struct held *held);
int myalloc_handle_free(struct myalloc_session *s, u64 handle, enum kind kind);

int myalloc_session_page_alloc(struct myalloc_session *session,
			       struct myalloc_page_alloc *arg);
int myalloc_session_page_free(struct myalloc_session *session, struct myalloc_free *arg);
int myalloc_session_page_map(struct myalloc_session *session, struct myalloc_page_map *arg);
int myalloc_session_mmap(struct myalloc_session *session, struct vm_area_struct *vma);
int myalloc_session_obj_alloc(struct myalloc_session *session,
			      struct myalloc_obj_alloc *arg);
int myalloc_session_obj_free(struct myalloc_session *session, struct myalloc_free *arg);

#endif /* MYALLOC_HANDLES_H */
