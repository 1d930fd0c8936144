/* SPDX-License-Identifier: GPL-2.0 */
/* Rings whose consumer is in user space, and those that modules share; see shared_ring.c. */
#ifndef MYALLOC_SHARED_RING_H
#define MYALLOC_SHARED_RING_H

#include <linux/irq_work.h>
#include <linux/wait.h>

#include "front/ring.h"

/**
 * struct myalloc_shared_ring - a ring in user space
 * @share: the allocator's part of it
 * @ring: the ring
 * @control: its control page, zero but for struct myalloc_ring_control
 * @irq: wakes the pollers
 * @wait: the pollers
 * @link: of a module: in the list of shared_ring.c
 * @owner: of a module: that module
 * @open: of a module: a file has it open
 */
struct myalloc_shared_ring {
	struct myalloc_ring_share share;
	struct myalloc_ring *ring;
	void *control;
	struct irq_work irq;
	wait_queue_head_t wait;
	struct list_head link;
	struct module *owner;
	bool open;
};

struct myalloc_shared_ring *myalloc_shared_ring_make(struct myalloc_ring *ring);
void myalloc_shared_ring_free(struct myalloc_shared_ring *s);
struct myalloc_shared_ring *myalloc_shared_ring_open(const struct myalloc_zone *zone, u64 id);
void myalloc_shared_ring_close(struct myalloc_shared_ring *s);

#endif /* MYALLOC_SHARED_RING_H */
