// SPDX-License-Identifier: GPL-2.0
/*
 * Example of a client: a driver without a device
 *
 * Each tick of a timer stands for an interrupt of a device that has received data. The handler
 * runs in hard interrupt context, also on PREEMPT_RT; it allocates a request from a cache and a
 * buffer of pages, neither of which takes a sleeping lock, and queues the request. A work item
 * handles it and frees both, in task context and possibly on another CPU. With keep=N it frees
 * the oldest request only once N have been handled, so that debugfs has something to show.
 *
 * Copy the order of the steps in init and, in reverse, in exit: nothing is freed while a timer or
 * work item could still use it, the cache is destroyed before the reference to the zone is put,
 * and every NULL is an ordinary event that is counted.
 *
 * With verbose=1 it prints a summary at the end; otherwise it prints nothing. With wrong_free=1 it
 * frees a request twice when it is loaded, to demonstrate the report.
 */
#include <linux/hrtimer.h>
#include <linux/llist.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "myalloc_client.h"

static unsigned int period_us = 1000;
module_param(period_us, uint, 0444);
MODULE_PARM_DESC(period_us, "microseconds between two requests, 10 at least (default 1000)");

static bool verbose;
module_param(verbose, bool, 0644);
MODULE_PARM_DESC(verbose, "say at the end what was done (default off)");

static unsigned int keep;
module_param(keep, uint, 0444);
MODULE_PARM_DESC(keep, "handled requests that are kept before the oldest is freed (default 0)");

static bool track;
module_param(track, bool, 0444);
MODULE_PARM_DESC(track, "have the call stack of each request recorded (default off)");

static bool wrong_free;
module_param(wrong_free, bool, 0444);
MODULE_PARM_DESC(wrong_free, "free one request twice, to see what is said about it (default off)");

#define BUFFER_ORDER	1	/* log2 of pages */

struct request {
	struct llist_node link;
	struct list_head kept_link;
	u64 number;
	void *buffer;
};

static struct myalloc_zone *zone;
static struct myalloc_cache *requests;
static struct hrtimer timer;
static struct work_struct work;
static LLIST_HEAD(queue);
static LIST_HEAD(kept);		/* used by the work item only, as is the next */
static unsigned int nr_kept;

static u64 received;	/* written only by the handler */
static u64 dropped;	/* written only by the handler */
static u64 handled;	/* written only by the work item */

static ktime_t period(void)
{
	return ns_to_ktime((u64)period_us * NSEC_PER_USEC);
}

/* The "interrupt": never sleeps or waits. */
static enum hrtimer_restart handler(struct hrtimer *t)
{
	struct request *request = myalloc_cache_alloc(requests, 0);

	received++;
	if (request)
		request->buffer = myalloc_pages_alloc(zone, BUFFER_ORDER, 0);
	if (request && request->buffer) {
		request->number = received;
		memcpy(request->buffer, &request->number, sizeof(request->number));
		llist_add(&request->link, &queue);
		schedule_work(&work);
	} else {
		dropped++;
		if (request)
			myalloc_cache_free(requests, request);
	}
	hrtimer_forward_now(t, period());
	return HRTIMER_RESTART;
}

static void give_back(struct request *request)
{
	myalloc_pages_free(zone, request->buffer, BUFFER_ORDER);
	myalloc_cache_free(requests, request);
}

/* Free all but the newest @nr. */
static void give_back_kept(unsigned int nr)
{
	struct request *oldest;

	for (; nr_kept > nr; nr_kept--) {
		oldest = list_first_entry(&kept, struct request, kept_link);
		list_del(&oldest->kept_link);
		give_back(oldest);
	}
}

static void handle(struct work_struct *unused)
{
	struct llist_node *node = llist_reverse_order(llist_del_all(&queue));
	struct request *request, *next;

	llist_for_each_entry_safe(request, next, node, link) {
		handled++;
		list_add_tail(&request->kept_link, &kept);
		nr_kept++;
		give_back_kept(keep);
	}
}

/* The second free is refused, reported, counted, and has no other effect. */
static void __init free_twice(void)
{
	struct request *request = myalloc_cache_alloc(requests, 0);

	if (!request)
		return;
	myalloc_cache_free(requests, request);
	myalloc_cache_free(requests, request);
}

static int __init example_init(void)
{
	const struct myalloc_cache_args args = {
		.name = "example-request",
		.object_size = sizeof(struct request),
		.align = __alignof__(struct request),
		.flags = track ? MYALLOC_OWNER : 0,
	};

	if (period_us < 10) {
		pr_err("myalloc_example: period_us=%u is too small; give at least 10\n", period_us);
		return -EINVAL;
	}
	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	requests = myalloc_cache_create(zone, &args);
	if (IS_ERR(requests)) {
		myalloc_zone_put(zone);
		return PTR_ERR(requests);
	}
	if (wrong_free)
		free_twice();
	INIT_WORK(&work, handle);
	myalloc_compat_hrtimer_setup(&timer, handler, CLOCK_MONOTONIC,
				     HRTIMER_MODE_REL_HARD);
	hrtimer_start(&timer, period(), HRTIMER_MODE_REL_HARD);
	return 0;
}

static void __exit example_exit(void)
{
	hrtimer_cancel(&timer);
	cancel_work_sync(&work);
	handle(NULL);	/* handles requests queued since it last ran */
	give_back_kept(0);
	myalloc_cache_destroy(requests);
	myalloc_zone_put(zone);
	if (verbose)
		pr_info("myalloc_example: %llu requests, %llu handled, %llu dropped\n",
			received, handled, dropped);
}

module_init(example_init);
module_exit(example_exit);

MODULE_DESCRIPTION("Example of a client of myalloc: requests from an interrupt");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
