// SPDX-License-Identifier: GPL-2.0
/*
 * Rings whose consumer is in user space: files, mappings, waiting
 *
 * What user space does with them is stated in uapi/ring.h; what is shared, in which order, and why
 * no wake-up is lost, in lib/front/ring_share.c.
 *
 * Two kinds of rings. A module shares one that it has made (myalloc_ring_share()); a process opens
 * it by its number, one file at a time. Or a process makes one, for which the file is all there is:
 * its producer is a command, for tests.
 *
 * Lifetime: the file of a ring holds a reference to the module that shares it, so that cannot be
 * unloaded, and a ring cannot be unshared while it is open. A mapping holds a reference to the
 * file. A ring that was made by a process ends with its file, which may outlive the file of the
 * device that made it and counts for that one's quota.
 *
 * What a process can do to a ring: nothing but releases, whose positions are checked. The file
 * cannot be written, so no mapping of it can, and mprotect() cannot change that; map.c refuses it,
 * too.
 *
 * What it sees: a page with positions, and the pages of the ring, which were zeroed and are written
 * by producers alone. So no address of the kernel is there unless a producer has put it in a
 * record.
 *
 * Waking: a producer may be in any context, also NMI, and hold any lock, so it queues an irq_work,
 * whose handler wakes up who polls.
 *
 * Locking
 *	shares_mutex	    the list of what modules share, and which of it is open
 *	shared->consumer    a call of the consumer
 *	shared->producer    rings with one producer: a command that produces
 */
#include "env.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "budget.h"
#include "device/command.h"
#include "device/map.h"
#include "device/session.h"
#include "front/ring.h"
#include "myalloc_client.h"
#include "object/cache.h"

static_assert(sizeof(struct myalloc_ring_file) == 40 + MYALLOC_NAME_MAX);
static_assert(sizeof(struct myalloc_ring_produce) == 40);
static_assert(sizeof(struct myalloc_ring_control) <= PAGE_SIZE);
static_assert(offsetof(struct myalloc_ring_control, tail) == 128);
static_assert(offsetof(struct myalloc_ring_control, oldest) == 256);
static_assert(MYALLOC_RECORD_BUSY == MYALLOC_RING_BUSY);
static_assert(MYALLOC_RECORD_DISCARDED == MYALLOC_RING_DISCARDED);
static_assert(MYALLOC_RECORD_LENGTH == MYALLOC_RING_LENGTH);
static_assert(MYALLOC_RECORD_ALIGN == MYALLOC_RING_ALIGN);
static_assert(sizeof(struct myalloc_ring_record) == sizeof(struct myalloc_ring_header));

/* System memory of a ring in user space: its control page, its struct, its file. */
#define SHARED_BYTES	(PAGE_SIZE + 1024)

/* Does not call the OOM killer. */
#define GFP_SHARED	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

/* Records that a command produces between two looks for a signal. */
#define LOOK_EVERY	64

/**
 * struct shared - a ring in user space
 * @share: what the allocator knows of it
 * @link: of a module: in the list
 * @ring: the ring
 * @owner: of a module: that module
 * @session: of a process: whose quota it counts for; otherwise NULL
 * @mapped: its control page and its pages
 * @irq: wakes up
 * @wait: who polls
 * @consumer: see Locking
 * @producer: see Locking
 * @open: a file has it
 */
struct shared {
	struct myalloc_ring_share share;
	struct list_head link;
	struct myalloc_ring *ring;
	struct module *owner;
	struct myalloc_session *session;
	struct myalloc_mapped mapped;
	struct irq_work irq;
	wait_queue_head_t wait;
	struct mutex consumer;	/* see Locking */
	struct mutex producer;	/* see Locking */
	bool open;
};

static DEFINE_MUTEX(shares_mutex);
static LIST_HEAD(shares);

/* --- what is shared -------------------------------------------------------------------- */

static void wake_pollers(struct irq_work *irq)
{
	struct shared *s = container_of(irq, struct shared, irq);

	wake_up_interruptible_poll(&s->wait, EPOLLIN | EPOLLRDNORM);
}

static void queue_wake(struct myalloc_ring_share *share)
{
	irq_work_queue(&container_of(share, struct shared, share)->irq);
}

/* Nobody produces, consumes, or has it mapped. */
static void free_shared(struct shared *s)
{
	myalloc_ring_detach(s->ring);
	irq_work_sync(&s->irq);
	free_page((unsigned long)s->mapped.control);
	kfree(s);
}

static struct shared *make_shared(struct myalloc_ring *ring)
{
	struct myalloc_ring_control *control;
	struct shared *s;
	int err;

	if (myalloc_env_should_fail())
		return ERR_PTR(-ENOMEM);
	s = kzalloc(sizeof(*s), GFP_SHARED);
	if (!s)
		return ERR_PTR(-ENOMEM);
	control = myalloc_env_should_fail() ? NULL : (void *)get_zeroed_page(GFP_SHARED);
	if (!control) {
		kfree(s);
		return ERR_PTR(-ENOMEM);
	}
	control->data_bytes = ring->size;
	control->header_bytes = ring->header;
	s->share.tail = &control->tail;
	s->share.oldest = &control->oldest;
	s->share.wake = queue_wake;
	s->ring = ring;
	s->mapped.addr = ring->blocks[0];
	s->mapped.nr_pages = ring->size >> PAGE_SHIFT;
	s->mapped.control = control;
	init_irq_work(&s->irq, wake_pollers);
	init_waitqueue_head(&s->wait);
	mutex_init(&s->consumer);
	mutex_init(&s->producer);
	err = myalloc_ring_attach(ring, &s->share);
	if (err) {
		free_page((unsigned long)control);
		kfree(s);
		return ERR_PTR(err);
	}
	return s;
}

/**
 * __myalloc_ring_share() - let user space read a ring; call myalloc_ring_share(ring)
 * @ring: the ring, of a mode that does not overwrite, in which nobody commits meanwhile; the caller
 *	must not peek at it any more
 * @owner: the module that calls
 *
 * Who opens /dev/myalloc, which needs CAP_SYS_ADMIN, can read the ring: all that is stored in its
 * records, also before it is committed or if it is discarded.
 *
 * Context: task, may sleep.
 * Return: 0; -EOPNOTSUPP if the ring overwrites; -EBUSY if it is shared already; -ENOMEM.
 */
int __myalloc_ring_share(struct myalloc_ring *ring, struct module *owner)
{
	struct shared *s = make_shared(ring);

	if (IS_ERR(s))
		return PTR_ERR(s);
	s->owner = owner;
	mutex_lock(&shares_mutex);
	list_add_tail(&s->link, &shares);
	mutex_unlock(&shares_mutex);
	return 0;
}

/* shares_mutex held. */
static struct shared *find(const struct myalloc_ring *ring, u64 id)
{
	struct shared *s;

	list_for_each_entry(s, &shares, link)
		if (ring ? s->ring == ring : s->ring->front.id == id)
			return s;
	return NULL;
}

/**
 * myalloc_ring_unshare() - the counterpart of myalloc_ring_share()
 * @ring: the ring, in which nobody commits any more
 *
 * In the exit function of the module that shares it, nobody has it open.
 *
 * Context: task, may sleep.
 * Return: 0; -ENOENT if it is not shared; -EBUSY if a process has it open, which is reported.
 */
int myalloc_ring_unshare(struct myalloc_ring *ring)
{
	struct shared *s;
	int err = 0;

	mutex_lock(&shares_mutex);
	s = find(ring, 0);
	if (!s)
		err = -ENOENT;
	else if (s->open)
		err = -EBUSY;
	else
		list_del(&s->link);
	mutex_unlock(&shares_mutex);
	if (err == -EBUSY)
		pr_err("ring %s cannot be unshared: a process has it open\n", ring->front.name);
	if (!err)
		free_shared(s);
	return err;
}

MYALLOC_EXPORT_NS(__myalloc_ring_share, MYALLOC);
MYALLOC_EXPORT_NS(myalloc_ring_unshare, MYALLOC);

/* --- commands of a ring's file --------------------------------------------------------- */

static long do_release(struct shared *s, void __user *user)
{
	struct myalloc_ring_release arg;
	int err;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (mutex_lock_interruptible(&s->consumer))
		return -ERESTARTSYS;
	err = myalloc_ring_release_to(s->ring, arg.position);
	mutex_unlock(&s->consumer);
	return err;
}

/**
 * struct record - a record that a command produces
 * @irq: does it in an interrupt handler
 * @ring: where to
 * @seed: of the content
 * @number: of the record
 * @done: there was room for it
 */
struct record {
	struct irq_work irq;
	struct myalloc_ring *ring;
	u64 seed;
	u64 number;
	bool done;
};

static void produce(struct record *r)
{
	u64 x = (r->number ^ r->seed) * 0x9e3779b97f4a7c15ULL, word = r->number;
	size_t length = sizeof(word) + (x >> 56), at;
	u8 *to = myalloc_ring_reserve(r->ring, length);

	r->done = to;
	if (!to)
		return;
	for (at = 0; at < length; at += sizeof(word)) {
		memcpy(to + at, &word, min(sizeof(word), length - at));
		word = x + at / sizeof(word) + 1;
	}
	if (x >> 52 & 15)
		myalloc_ring_commit(r->ring, to);
	else
		myalloc_ring_discard(r->ring, to);
}

static void produce_in_irq(struct irq_work *irq)
{
	produce(container_of(irq, struct record, irq));
}

static int produce_all(struct shared *s, struct myalloc_ring_produce *arg)
{
	struct record r = { .irq = IRQ_WORK_INIT_HARD(produce_in_irq), .ring = s->ring,
			    .seed = arg->seed };

	for (arg->done = 0; arg->done < arg->count; arg->done++) {
		r.number = arg->first + arg->done;
		if (arg->flags & MYALLOC_RING_FROM_IRQ) {
			irq_work_queue(&r.irq);
			irq_work_sync(&r.irq);
		} else {
			produce(&r);
		}
		if (!r.done)
			return -EAGAIN;
		if (arg->done % LOOK_EVERY == LOOK_EVERY - 1) {
			cond_resched();
			if (signal_pending(current)) {
				arg->done++;
				return arg->done < arg->count ? -EINTR : 0;
			}
		}
	}
	return 0;
}

static long do_produce(struct shared *s, void __user *user)
{
	bool alone = s->ring->mode == MYALLOC_RING_ONE;
	struct myalloc_ring_produce arg;
	int err;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!s->session)
		return -EPERM;
	if (arg.flags & ~MYALLOC_RING_PRODUCE_FLAGS || arg.pad || !arg.count ||
	    arg.count > MYALLOC_BULK_MAX)
		return -EINVAL;
	if (alone && mutex_lock_interruptible(&s->producer))
		return -ERESTARTSYS;
	err = produce_all(s, &arg);
	if (alone)
		mutex_unlock(&s->producer);
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
	struct shared *s = file->private_data;
	bool none;

	poll_wait(file, &s->wait, wait);
	mutex_lock(&s->consumer);
	none = myalloc_ring_may_sleep(s->ring);
	mutex_unlock(&s->consumer);
	return none ? 0 : EPOLLIN | EPOLLRDNORM;
}

static int ring_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct shared *s = file->private_data;

	return myalloc_map_ring(vma, &s->mapped);
}

/* Without its last file a ring of a process ends. */
static void end_ring(struct shared *s)
{
	struct myalloc_session *session = s->session;
	struct myalloc_ring *ring = s->ring;
	u64 bytes = ring->size;

	free_shared(s);
	myalloc_ring_destroy(ring);
	myalloc_session_uncharge(session, bytes);
}

/* A ring of a module is no longer open, and may be unshared. */
static void close_ring(struct shared *s)
{
	struct module *owner = s->owner;

	mutex_lock(&shares_mutex);
	s->open = false;
	mutex_unlock(&shares_mutex);
	module_put(owner);
}

static int ring_release(struct inode *inode, struct file *file)
{
	struct shared *s = file->private_data;

	if (s->session)
		end_ring(s);
	else
		close_ring(s);
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

/*
 * A descriptor for @s, told to the user, with the rest of @arg. It is the user's only if the result
 * is 0; otherwise *@file has it, or is NULL if there is none.
 */
static int give_file(struct shared *s, struct myalloc_ring_file *arg, void __user *user,
		     struct file **file)
{
	int err;

	*file = NULL;
	arg->fd = get_unused_fd_flags(O_CLOEXEC);
	if (arg->fd < 0)
		return arg->fd;
	/* Not to be written: no mapping of it can be, either. */
	*file = anon_inode_getfile("[myalloc-ring]", &ring_fops, s, O_RDONLY | O_CLOEXEC);
	if (IS_ERR(*file)) {
		err = PTR_ERR(*file);
		*file = NULL;
		goto no_file;
	}
	arg->mode = s->ring->mode;
	arg->bytes = s->ring->size;
	arg->id = s->ring->front.id;
	arg->map_bytes = (u64)myalloc_map_ring_pages(&s->mapped) << PAGE_SHIFT;
	err = myalloc_copy_out(user, arg, sizeof(*arg));
	if (err)
		goto no_file;
	fd_install(arg->fd, *file);
	return 0;
no_file:
	put_unused_fd(arg->fd);
	return err;
}

/* --- commands of the device ------------------------------------------------------------ */

static int copy_in(struct myalloc_ring_file *arg, void __user *user)
{
	int err = myalloc_copy_in(arg, sizeof(*arg), user);

	if (err)
		return err;
	/* The descriptor must have a place to go to. */
	return arg->size < sizeof(*arg) || arg->pad ? -EINVAL : 0;
}

static int make_ring(struct myalloc_session *session, struct myalloc_zone *zone,
		     const struct myalloc_ring_file *arg, struct shared **made)
{
	const struct myalloc_ring_args args = {
		.name = arg->name, .size = arg->bytes, .mode = (enum myalloc_ring_mode)arg->mode,
	};
	struct myalloc_ring *ring = myalloc_ring_create(zone, &args);
	struct shared *s;

	if (IS_ERR(ring))
		return PTR_ERR(ring);
	s = make_shared(ring);
	if (IS_ERR(s)) {
		myalloc_ring_destroy(ring);
		return PTR_ERR(s);
	}
	s->session = session;
	*made = s;
	return 0;
}

static int do_ring_create(struct myalloc_session *session, struct myalloc_zone *zone,
			  void __user *user)
{
	struct myalloc_ring_file arg;
	struct shared *s;
	struct file *file;
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
	err = make_ring(session, zone, &arg, &s);
	if (err) {
		myalloc_session_uncharge(session, bytes);
		return err;
	}
	err = give_file(s, &arg, user, &file);
	if (file && err)
		fput(file);
	else if (err)
		end_ring(s);
	return err;
}

static int do_ring_open(struct myalloc_session *session, struct myalloc_zone *zone,
			void __user *user)
{
	struct myalloc_ring_file arg;
	struct shared *s;
	struct file *file;
	int err = copy_in(&arg, user);

	if (err)
		return err;
	mutex_lock(&shares_mutex);
	s = find(NULL, arg.id);
	if (!s)
		err = -ENOENT;
	else if (s->open)
		err = -EBUSY;
	else if (!try_module_get(s->owner))	/* it is being unloaded */
		err = -ENOENT;
	else
		s->open = true;
	mutex_unlock(&shares_mutex);
	if (err)
		return err;
	err = give_file(s, &arg, user, &file);
	if (file && err)
		fput(file);
	else if (err)
		close_ring(s);
	return err;
}

const struct myalloc_command myalloc_ring_file_commands[] = {
	{ MYALLOC_IOC_RING_CREATE, true, do_ring_create },
	{ MYALLOC_IOC_RING_OPEN, true, do_ring_open },
	{ }
};
