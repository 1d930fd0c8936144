// SPDX-License-Identifier: GPL-2.0
/*
 * Rings whose consumer is in user space: sharing, and wake-ups
 *
 * A module shares a ring that it has created (myalloc_ring_share()); a process opens it by its
 * number in its zone, one file at a time (device/ring_file.c). While it is open, the module cannot
 * be unloaded, as the file holds a reference to it, and the ring cannot be unshared.
 *
 * Waking: a producer may be in any context, also NMI, and hold any lock, so it queues an irq_work,
 * whose handler wakes the pollers.
 *
 * Locking: shares_mutex protects the list of rings that modules share, and @open of each.
 */
#include "env.h"

#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "myalloc_client.h"
#include "shared_ring.h"
#include "uapi/myalloc.h"

static_assert(sizeof(struct myalloc_ring_control) <= PAGE_SIZE);
static_assert(offsetof(struct myalloc_ring_control, tail) == 128);
static_assert(offsetof(struct myalloc_ring_control, oldest) == 256);
static_assert(MYALLOC_RECORD_BUSY == MYALLOC_RING_BUSY);
static_assert(MYALLOC_RECORD_DISCARDED == MYALLOC_RING_DISCARDED);
static_assert(MYALLOC_RECORD_LENGTH == MYALLOC_RING_LENGTH);
static_assert(MYALLOC_RECORD_ALIGN == MYALLOC_RING_ALIGN);

/* Does not call the OOM killer. */
#define GFP_SHARED	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

static DEFINE_MUTEX(shares_mutex);
static LIST_HEAD(shares);

static void wake_pollers(struct irq_work *irq)
{
	struct myalloc_shared_ring *s = container_of(irq, struct myalloc_shared_ring, irq);

	wake_up_interruptible_poll(&s->wait, EPOLLIN | EPOLLRDNORM);
}

static void queue_wake(struct myalloc_ring_share *share)
{
	irq_work_queue(&container_of(share, struct myalloc_shared_ring, share)->irq);
}

/**
 * myalloc_shared_ring_make() - prepare a ring for a consumer in user space
 * @ring: the ring, in which nobody commits meanwhile
 *
 * Context: task, may sleep.
 * Return: the shared ring; ERR_PTR(-EOPNOTSUPP) if the ring overwrites, -EBUSY if it is shared
 * already or a record is peeked, -ENOMEM.
 */
struct myalloc_shared_ring *myalloc_shared_ring_make(struct myalloc_ring *ring)
{
	struct myalloc_ring_control *control;
	struct myalloc_shared_ring *s;
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
	s->control = control;
	init_irq_work(&s->irq, wake_pollers);
	init_waitqueue_head(&s->wait);
	err = myalloc_ring_attach(ring, &s->share);
	if (err) {
		free_page((unsigned long)control);
		kfree(s);
		return ERR_PTR(err);
	}
	return s;
}

/**
 * myalloc_shared_ring_free() - the counterpart of myalloc_shared_ring_make()
 * @s: the ring; no process maps or polls it and no producer or consumer is left
 *
 * Context: task, may sleep.
 */
void myalloc_shared_ring_free(struct myalloc_shared_ring *s)
{
	myalloc_ring_detach(s->ring);
	irq_work_sync(&s->irq);
	free_page((unsigned long)s->control);
	kfree(s);
}

/**
 * __myalloc_ring_share() - let user space read a ring; call myalloc_ring_share(ring)
 * @ring: the ring, of a mode that does not overwrite, in which nobody commits meanwhile;
 *	myalloc_ring_peek() is refused until myalloc_ring_unshare()
 * @owner: the module that calls
 *
 * A process that has opened /dev/myalloc, which needs CAP_SYS_ADMIN, can read all data stored in
 * its records, also before they are committed and if they are discarded.
 *
 * Context: task, may sleep.
 * Return: 0; -EOPNOTSUPP if the ring overwrites; -EBUSY if it is shared already, or a record of it
 * is peeked and not released, which is reported; -ENOMEM.
 */
int __myalloc_ring_share(struct myalloc_ring *ring, struct module *owner)
{
	struct myalloc_shared_ring *s = myalloc_shared_ring_make(ring);

	if (IS_ERR(s))
		return PTR_ERR(s);
	s->owner = owner;
	mutex_lock(&shares_mutex);
	list_add_tail(&s->link, &shares);
	mutex_unlock(&shares_mutex);
	return 0;
}

/* shares_mutex held. */
static struct myalloc_shared_ring *find(const struct myalloc_ring *ring)
{
	struct myalloc_shared_ring *s;

	list_for_each_entry(s, &shares, link)
		if (s->ring == ring)
			return s;
	return NULL;
}

/* shares_mutex held. Each zone numbers its fronts for itself. */
static struct myalloc_shared_ring *find_number(const struct myalloc_zone *zone, u64 id)
{
	struct myalloc_shared_ring *s;

	list_for_each_entry(s, &shares, link)
		if (s->ring->front.zone == zone && s->ring->front.id == id)
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
	struct myalloc_shared_ring *s;
	int err = 0;

	mutex_lock(&shares_mutex);
	s = find(ring);
	if (!s)
		err = -ENOENT;
	else if (s->open)
		err = -EBUSY;
	else
		list_del(&s->link);
	mutex_unlock(&shares_mutex);
	if (err == -EBUSY)
		pr_err_ratelimited("ring %s cannot be unshared: a process has it open\n",
				   ring->front.name);
	if (!err)
		myalloc_shared_ring_free(s);
	return err;
}

MYALLOC_EXPORT_NS(__myalloc_ring_share, MYALLOC);
MYALLOC_EXPORT_NS(myalloc_ring_unshare, MYALLOC);

/**
 * myalloc_shared_ring_open() - open a ring that a module shares
 * @zone: its zone
 * @id: number of the ring in the zone
 *
 * Context: task, may sleep.
 * Return: the ring, which exists until myalloc_shared_ring_close(); ERR_PTR(-ENOENT) if no ring of
 * the zone with this number is shared, or its module is being unloaded; -EBUSY if it is open.
 */
struct myalloc_shared_ring *myalloc_shared_ring_open(const struct myalloc_zone *zone, u64 id)
{
	struct myalloc_shared_ring *s;
	int err = 0;

	mutex_lock(&shares_mutex);
	s = find_number(zone, id);
	if (!s)
		err = -ENOENT;
	else if (s->open)
		err = -EBUSY;
	else if (!try_module_get(s->owner))
		err = -ENOENT;
	else
		s->open = true;
	mutex_unlock(&shares_mutex);
	return err ? ERR_PTR(err) : s;
}

/**
 * myalloc_shared_ring_close() - the counterpart of myalloc_shared_ring_open()
 * @s: the ring, which may be unshared at once
 *
 * Context: task, may sleep.
 */
void myalloc_shared_ring_close(struct myalloc_shared_ring *s)
{
	struct module *owner = s->owner;

	mutex_lock(&shares_mutex);
	s->open = false;
	mutex_unlock(&shares_mutex);
	module_put(owner);
}

#if IS_ENABLED(CONFIG_KUNIT)
MYALLOC_EXPORT_NS(myalloc_shared_ring_open, MYALLOC_INTERNAL);
MYALLOC_EXPORT_NS(myalloc_shared_ring_close, MYALLOC_INTERNAL);
#endif
