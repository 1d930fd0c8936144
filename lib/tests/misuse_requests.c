// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that may wait, made where waiting is forbidden. The host checks this like a debug
 * kernel: on every path, even where there is nothing to wait for.
 */
#include "misuse.h"

#define ASLEEP	"sleeping function called from invalid context"

static void *some[4];

static void page_waits(void *arg)
{
	myalloc_pages_alloc(zone, 0, MYALLOC_MAY_WAIT);
}

static void page_bulk_waits(void *arg)
{
	myalloc_pages_alloc_bulk(zone, 0, MYALLOC_MAY_WAIT, 4, some);
}

static void exact_waits(void *arg)
{
	myalloc_pages_alloc_exact(zone, 5, 0, MYALLOC_MAY_WAIT);
}

static void range_waits(void *arg)
{
	myalloc_pages_alloc_range(zone, chunk[0], 3, MYALLOC_MAY_WAIT);
}

static void object_waits(void *arg)
{
	myalloc_cache_alloc(a, MYALLOC_MAY_WAIT);
}

static void object_bulk_waits(void *arg)
{
	myalloc_cache_alloc_bulk(a, MYALLOC_MAY_WAIT, 4, some);
}

static void (*const waits[])(void *arg) = {
	page_waits, page_bulk_waits, exact_waits, range_waits, object_waits, object_bulk_waits,
};

/* With filled magazines. */
static void fill(void)
{
	good(myalloc_pages_free(zone, page(0), 0));
	good(myalloc_cache_free(a, object(a)));
}

static void all_die(const char *where)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(waits); i++)
		EXPECT(host_dies(waits[i], NULL, ASLEEP), "%s, request %u", where, i);
	host_log_reset();
}

static void wait_pinned(void)
{
	fill();
	preempt_disable();
	all_die("preemption off");
	preempt_enable();
}

static void wait_in_irq(void)
{
	fill();
	host_enter_hardirq();
	all_die("in an interrupt");
	host_exit_hardirq();
}

static void wait_locked(void)
{
	unsigned long irq;

	fill();
	raw_spin_lock_irqsave(&b->lock, irq);
	all_die("under a raw lock");
	raw_spin_unlock_irqrestore(&b->lock, irq);
}

const struct misuse misuse_requests[] = {
	CASE(wait_pinned, ""),
	CASE(wait_in_irq, ""),
	CASE(wait_locked, ""),
	{ }
};
