/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Drainers: layers that keep memory back, in magazines and otherwise
 *
 * A layer registers once with its zone, and each set of magazines that it makes is a stock of it,
 * as shrinkers do it with the kernel. The walk over them is page/drain.c.
 */
#ifndef MYALLOC_DRAINER_H
#define MYALLOC_DRAINER_H

#include "base/magazine.h"

/**
 * struct myalloc_stock - magazines that a drain empties
 * @link: in the stocks of its drainer
 * @mags: the magazines
 * @flush: takes slots out of them back to where they came from
 * @owner: its argument
 */
struct myalloc_stock {
	struct list_head link;
	struct myalloc_magazines *mags;
	myalloc_flush_fn flush;
	void *owner;
};

struct myalloc_drainer;

/**
 * struct myalloc_drainer_ops - what a layer does beside emptying its magazines; each may be NULL
 * @reclaim: a request has found no block: gives back what it can at once. Takes at most *@most
 *	things out of this CPU's magazines, and *@most becomes less by them; returns whether
 *	anything came back. Context: any but NMI
 * @drain: its magazines are empty: gives back the rest. Context: task, may sleep, under the mutex
 *	of drainers
 * @finish: the same, past that mutex; it may wait for a grace period
 * @tend: the worker's look, each MYALLOC_WORK_MS: gives back what nobody uses; returns whether
 *	there is more to come. Context: task, under the mutex of drainers and cpus_read_lock()
 * @settle: has what waits for a grace period go on; returns milliseconds until it wants to be
 *	called again, 0 if nothing waits. Context: task
 * @serve: CPUs have come to magazines that have none for them (magazine.c): makes some. Context: as
 *	@tend
 */
struct myalloc_drainer_ops {
	bool (*reclaim)(struct myalloc_drainer *drainer, u32 *most);
	void (*drain)(struct myalloc_drainer *drainer);
	void (*finish)(struct myalloc_drainer *drainer);
	bool (*tend)(struct myalloc_drainer *drainer);
	unsigned int (*settle)(struct myalloc_drainer *drainer);
	void (*serve)(struct myalloc_drainer *drainer);
};

/**
 * struct myalloc_drainer - a layer that keeps memory back; embedded in its zone
 * @link: in the drainers of the zone; never changes once the zone is made
 * @stocks: its magazines; protected by the mutex of drainers
 * @kind: one of MYALLOC_KIND_...
 * @ops: what it does
 */
struct myalloc_drainer {
	struct list_head link;
	struct list_head stocks;
	unsigned int kind;
	const struct myalloc_drainer_ops *ops;
};

/* What a drain is for. */
#define MYALLOC_KIND_PAGES	1u	/* page magazines */
#define MYALLOC_KIND_OBJECTS	2u	/* magazines and empty slabs of caches */
#define MYALLOC_KIND_ALL	U32_MAX	/* these, deferred and quarantined blocks, bad pages */

#endif /* MYALLOC_DRAINER_H */
