// SPDX-License-Identifier: GPL-2.0
/*
 * Rings whose consumer is in user space: files, mappings, waiting
 *
 * uapi/ring.h describes their use by user space; lib/front/ring_share.c the shared data, its
 * ordering, and why no wake-up is lost.
 *
 * There are two kinds of rings. A module shares a ring that it has created, and a process opens it
 * by number, one file at a time (shared_ring.c). Or a process creates a ring, which exists only as
 * its file: for tests, a command produces the records.
 *
 * Lifetime: a mapping holds a reference to the file. The file of a module's ring keeps the module
 * from being unloaded. A ring that a process has created ends with its file, which may outlive the
 * device's file that created it and counts for the quota of that file.
 *
 * Isolation: a process can only release records, and the positions are checked. The file cannot be
 * written, so no mapping of it can, and mprotect() cannot change that; map.c refuses it, too.
 *
 * Content: a process sees a page with positions, and the pages of the ring, which were zeroed and
 * are written by producers alone. So no address of the kernel is there unless a producer has put it
 * in a record.
 *
 * Locking
 *	file->consumer	a call of the consumer
 *	file->producer	rings with one producer: a command that produces
 */
#include "env.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "budget.h"
#include "device/command.h"
#include "device/map.h"
#include "device/session.h"
#include "object/cache.h"
#include "shared_ring.h"

static_assert(sizeof(struct myalloc_ring_file) == 40 + MYALLOC_NAME_MAX);
static_assert(sizeof(struct myalloc_ring_produce) == 40);
/* System memory of a ring in user space: its control page, its struct, its file. */
#define SHARED_BYTES	(PAGE_SIZE + 1024)

/*
 * Most records that a command produces between two checks for signals, and in one interrupt.
 * Without an interrupt for irq_work, the work runs at the next tick, and irq_work_sync() waits for
 * a grace period as well: one record at a time would take minutes.
 */
#define PORTION		64

/**
 * struct ring_file - the file of a ring
 * @shared: the ring
 * @session: session whose quota a ring created by a process counts for; otherwise NULL
 * @mapped: its control page and its pages
 * @consumer: see Locking
 * @producer: see Locking
 */
struct ring_file {
	struct myalloc_shared_ring *shared;
	struct myalloc_session *session;
	struct myalloc_mapped mapped;
	struct mutex consumer;	/* see Locking */
	struct mutex producer;	/* see Locking */
};

/* --- commands of a ring's file --------------------------------------------------------- */

static long do_release(struct ring_file *f, void __user *user)
{
	struct myalloc_ring_release arg;
	int err;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (mutex_lock_interruptible(&f->consumer))
		return -ERESTARTSYS;
	err = myalloc_ring_release_to(f->shared->ring, arg.position);
	mutex_unlock(&f->consumer);
	return err;
}

/**
 * struct producer - records that a command produces
 * @irq: runs the production in an interrupt handler
 * @ring: the ring
 * @seed: seed of the content
 * @next: number of the next record
 * @left: records that are still to be produced at once
 */
struct producer {
	struct irq_work irq;
	struct myalloc_ring *ring;
	u64 seed;
	u64 next;
	u64 left;
};

static bool produce(struct producer *p)
{
	u64 x = (p->next ^ p->seed) * 0x9e3779b97f4a7c15ULL, word = p->next;
	size_t length = sizeof(word) + (x >> 56), at;
	u8 *to = myalloc_ring_reserve(p->ring, length);

	if (!to)
		return false;
	for (at = 0; at < length; at += sizeof(word)) {
		memcpy(to + at, &word, min(sizeof(word), length - at));
		word = x + at / sizeof(word) + 1;
	}
	if (x >> 52 & 15)
		myalloc_ring_commit(p->ring, to);
	else
		myalloc_ring_discard(p->ring, to);
	return true;
}

/* Produce records until @left is 0 or the ring is full. */
static void produce_some(struct irq_work *irq)
{
	struct producer *p = container_of(irq, struct producer, irq);

	for (; p->left && produce(p); p->left--)
		p->next++;
}

static int produce_all(struct myalloc_ring *ring, struct myalloc_ring_produce *arg)
{
	struct producer p = { .irq = IRQ_WORK_INIT_HARD(produce_some), .ring = ring,
			      .seed = arg->seed, .next = arg->first };

	arg->done = 0;
	while (arg->done < arg->count) {
		p.left = min_t(u64, arg->count - arg->done, PORTION);
		if (arg->flags & MYALLOC_RING_FROM_IRQ) {
			irq_work_queue(&p.irq);
			irq_work_sync(&p.irq);
		} else {
			produce_some(&p.irq);
		}
		arg->done = p.next - arg->first;
		if (p.left)
			return -EAGAIN;
		cond_resched();
		if (signal_pending(current))
			return arg->done < arg->count ? -EINTR : 0;
	}
	return 0;
}

static long do_produce(struct ring_file *f, void __user *user)
{
	struct myalloc_ring *ring = f->shared->ring;
	bool alone = ring->mode == MYALLOC_RING_ONE;
	struct myalloc_ring_produce arg;
	int err;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!f->session)
		return -EPERM;
	if (arg.flags & ~MYALLOC_RING_PRODUCE_FLAGS || arg.pad || !arg.count ||
	    arg.count > MYALLOC_BULK_MAX)
		return -EINVAL;
	if (alone && mutex_lock_interruptible(&f->producer))
		return -ERESTARTSYS;
	err = produce_all(ring, &arg);
	if (alone)
		mutex_unlock(&f->producer);
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : err;
}

static long ring_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case MYALLOC_IOC_RING_RELEASE:
		return do_release(file->private_data, (void __user *)arg);
	case MYALLOC_IOC_RING_PRODUCE:
		return do_produce(file->private_data, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

/* --- the file ------------------------------------------------------------------------------ */

static __poll_t ring_poll(struct file *file, poll_table *wait)
{
	struct ring_file *f = file->private_data;
	bool none;

	poll_wait(file, &f->shared->wait, wait);
	if (mutex_lock_interruptible(&f->consumer))
		return 0;	/* a signal, which the caller handles */
	none = myalloc_ring_may_sleep(f->shared->ring);
	mutex_unlock(&f->consumer);
	return none ? 0 : EPOLLIN | EPOLLRDNORM;
}

static int ring_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct ring_file *f = file->private_data;

	return myalloc_map_ring(vma, &f->mapped);
}

/* Destroy a ring that a process has created. */
static void end_ring(struct myalloc_shared_ring *s, struct myalloc_session *session)
{
	struct myalloc_ring *ring = s->ring;
	u64 bytes = ring->size;

	myalloc_shared_ring_free(s);
	myalloc_ring_destroy(ring);
	myalloc_session_uncharge(session, bytes);
}

static void drop_ring(struct myalloc_shared_ring *s, struct myalloc_session *session)
{
	if (session)
		end_ring(s, session);
	else
		myalloc_shared_ring_close(s);
}

static int ring_release(struct inode *inode, struct file *file)
{
	struct ring_file *f = file->private_data;

	drop_ring(f->shared, f->session);
	kfree(f);
	return 0;
}

static const struct file_operations ring_fops = {
	.owner = THIS_MODULE,
	.release = ring_release,
	.poll = ring_poll,
	.mmap = ring_mmap,
	.unlocked_ioctl = ring_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* Create the file of a ring; on success the file owns the ring. */
static struct file *make_file(struct myalloc_shared_ring *s, struct myalloc_session *session)
{
	struct ring_file *f;
	struct file *file;

	f = myalloc_env_should_fail() ? NULL :
		kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN);
	if (!f)
		return ERR_PTR(-ENOMEM);
	f->shared = s;
	f->session = session;
	f->mapped.addr = s->ring->blocks[0];
	f->mapped.nr_pages = s->ring->size >> PAGE_SHIFT;
	f->mapped.control = s->control;
	mutex_init(&f->consumer);
	mutex_init(&f->producer);
	/* A file that cannot be written has no writable mapping. */
	file = anon_inode_getfile("[myalloc-ring]", &ring_fops, f, O_RDONLY | O_CLOEXEC);
	if (IS_ERR(file))
		kfree(f);
	return file;
}

/* Create a descriptor of @s, and copy @arg to the user. On failure the ring is dropped. */
static int give_file(struct myalloc_shared_ring *s, struct myalloc_session *session,
		     struct myalloc_ring_file *arg, void __user *user)
{
	struct file *file = make_file(s, session);
	int err;

	if (IS_ERR(file)) {
		drop_ring(s, session);
		return PTR_ERR(file);
	}
	arg->mode = s->ring->mode;
	arg->bytes = s->ring->size;
	arg->id = s->ring->front.id;
	arg->map_bytes = (1 + 2 * (arg->bytes >> PAGE_SHIFT)) << PAGE_SHIFT;
	arg->fd = get_unused_fd_flags(O_CLOEXEC);
	err = min(arg->fd, 0);
	if (!err) {
		err = myalloc_copy_out(user, arg, sizeof(*arg));
		if (!err) {
			fd_install(arg->fd, file);
			return 0;
		}
		put_unused_fd(arg->fd);
	}
	fput(file);
	return err;
}

/* --- commands of the device ------------------------------------------------------------ */

static int copy_in(struct myalloc_ring_file *arg, void __user *user)
{
	int err = myalloc_copy_in(arg, sizeof(*arg), user);

	if (err)
		return err;
	/* The struct must have room for the descriptor. */
	return arg->size < sizeof(*arg) || arg->pad ? -EINVAL : 0;
}

static struct myalloc_shared_ring *make_ring(struct myalloc_zone *zone,
					     const struct myalloc_ring_file *arg)
{
	const struct myalloc_ring_args args = {
		.name = arg->name, .size = arg->bytes, .mode = (enum myalloc_ring_mode)arg->mode,
	};
	struct myalloc_ring *ring = myalloc_ring_create(zone, &args);
	struct myalloc_shared_ring *s;

	if (IS_ERR(ring))
		return ERR_CAST(ring);
	s = myalloc_shared_ring_make(ring);
	if (IS_ERR(s))
		myalloc_ring_destroy(ring);
	return s;
}

static int do_ring_create(struct myalloc_session *session, struct myalloc_zone *zone,
			  void __user *user)
{
	struct myalloc_ring_file arg;
	struct myalloc_shared_ring *s;
	u64 bytes;
	int err = copy_in(&arg, user);

	if (err)
		return err;
	if (arg.mode > MYALLOC_RING_MODE_MANY || !arg.bytes ||
	    arg.bytes > PAGE_SIZE << zone->chunk_order ||
	    !memchr(arg.name, 0, sizeof(arg.name)) || !myalloc_cache_good_name(arg.name))
		return -EINVAL;
	bytes = PAGE_SIZE << get_order(arg.bytes);
	err = myalloc_budget_check("ring", SHARED_BYTES + bytes / 512, NULL);
	if (!err)
		err = myalloc_session_charge(session, bytes);
	if (err)
		return err;
	s = make_ring(zone, &arg);
	if (IS_ERR(s)) {
		myalloc_session_uncharge(session, bytes);
		return PTR_ERR(s);
	}
	return give_file(s, session, &arg, user);
}

static int do_ring_open(struct myalloc_session *session, struct myalloc_zone *zone,
			void __user *user)
{
	struct myalloc_ring_file arg;
	struct myalloc_shared_ring *s;
	int err = copy_in(&arg, user);

	if (err)
		return err;
	s = myalloc_shared_ring_open(zone, arg.id);
	return IS_ERR(s) ? PTR_ERR(s) : give_file(s, NULL, &arg, user);
}

const struct myalloc_command myalloc_ring_file_commands[] = {
	{ MYALLOC_IOC_RING_CREATE, true, do_ring_create },
	{ MYALLOC_IOC_RING_OPEN, true, do_ring_open },
	{ }
};
