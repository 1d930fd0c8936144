/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Drainers: layers that hold back memory, in magazines and otherwise
 *
 * A layer registers once with its zone, as a shrinker registers with the kernel. Each set of
 * magazines that the layer makes is one of its stocks. The walk over drainers and stocks is in
 * page/drain.c.
 */
#ifndef MYALLOC_DRAINER_H
#define MYALLOC_DRAINER_H

#include "base/magazine.h"

/**
 * struct myalloc_stock - a set of magazines that a drain empties
 * @link: entry in the list of stocks of its drainer
 * @mags: the magazines
 * @flush: returns slots from the magazines to the layer below
 * @owner: argument of @flush
 */
struct myalloc_stock {
	struct list_head link;
	struct myalloc_magazines *mags;
	myalloc_flush_fn flush;
	void *owner;
};

struct myalloc_drainer;

/**
 * struct myalloc_drainer_ops - operations of a layer that holds back memory; each may be NULL
 * @reclaim: a request has found no block: gives back memory without waiting. Takes at most
 *	*@most things out of this CPU's magazines and reduces *@most by their number; returns
 *	whether anything came back. Context: any but NMI
 * @drain: the magazines have been emptied: gives back all other unused memory. Context: task, may
 *	sleep, under the mutex of drainers
 * @drain_cpu: a CPU is offline: gives back the memory that the layer holds for it outside
 *	magazines. Context: as @drain
 * @finish: like @drain, after that mutex was released; may wait for a grace period
 * @tend: called by the worker every MYALLOC_WORK_MS: gives back unused memory; returns whether
 *	more may become unused. Context: task, under the mutex of drainers and cpus_read_lock()
 * @settle: continues work that waits for a grace period; returns the milliseconds until it is to
 *	be called again, 0 if nothing waits. Context: task
 * @room: a request of this order that may wait has found no block even after a drain: takes more
 *	memory from the system. Context: task, may sleep
 * @renew: begins a new epoch of all its magazines, so that the next operation of each CPU wakes the
 *	worker (myalloc_zone_use()). Context: as @tend
 * @serve: CPUs without magazines have tried to use some (magazine.c): makes magazines for them.
 *	Context: as @tend
 * @fini: the zone is being destroyed: frees all memory of the layer. Context: task, may sleep; the
 *	worker has stopped
 */
struct myalloc_drainer_ops {
	bool (*reclaim)(struct myalloc_drainer *drainer, u32 *most);
	void (*drain)(struct myalloc_drainer *drainer);
	void (*drain_cpu)(struct myalloc_drainer *drainer, int cpu);
	void (*finish)(struct myalloc_drainer *drainer);
	bool (*tend)(struct myalloc_drainer *drainer);
	unsigned int (*settle)(struct myalloc_drainer *drainer);
	void (*room)(struct myalloc_drainer *drainer, unsigned int order);
	void (*renew)(struct myalloc_drainer *drainer);
	void (*serve)(struct myalloc_drainer *drainer);
	void (*fini)(struct myalloc_drainer *drainer);
};

/**
 * struct myalloc_drainer - a layer that holds back memory; embedded in the layer's own structure
 * @link: entry in the zone's list of drainers; constant once the zone exists
 * @stocks: its sets of magazines; protected by the mutex of drainers
 * @kind: one of MYALLOC_KIND_...
 * @ops: operations of the layer
 */
struct myalloc_drainer {
	struct list_head link;
	struct list_head stocks;
	unsigned int kind;
	const struct myalloc_drainer_ops *ops;
};

/* Kinds of memory that a drain gives back */
#define MYALLOC_KIND_PAGES	1u	/* page magazines */
#define MYALLOC_KIND_OBJECTS	2u	/* magazines and empty slabs of caches */
#define MYALLOC_KIND_SYSTEM	4u	/* chunks of an elastic zone; a drain gives back none */
#define MYALLOC_KIND_OTHER	8u	/* any other layer */
/* All kinds, and deferred and quarantined blocks and bad pages */
#define MYALLOC_KIND_ALL	U32_MAX

#endif /* MYALLOC_DRAINER_H */
