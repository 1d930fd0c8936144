// SPDX-License-Identifier: GPL-2.0
/*
 * An example of a client: the memory of web requests, from a heap
 *
 * What it does: each tick of a timer stands for a request that has come in. The handler, in hard
 * interrupt context also on PREEMPT_RT, allocates a request with a URL of any length and queues it.
 * A work item reads the headers into a growing string, allocates a body of up to 128 KiB, and frees
 * all of it: each piece by its address alone, in another context and possibly on another CPU than
 * the allocation.
 *
 * What to copy from it: a NULL is an ordinary event that is counted, a realloc that fails leaves
 * the old memory, and the heap is destroyed after all of its users have ended, before the reference
 * to the zone is put.
 *
 * With verbose=1 it prints a summary at the end; otherwise it prints nothing.
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

#define HEADERS		12	/* of a request */
#define BODY_MOST	(128u << 10)

struct request {
	struct llist_node link;
	u64 number;
	char *url;
};

static struct myalloc_zone *zone;
static struct myalloc_heap *heap;
static struct hrtimer timer;
static struct work_struct work;
static LLIST_HEAD(queue);

static u64 received;	/* written by the handler only, as the next */
static u64 dropped;
static u64 handled;	/* written by the work item only, as the next */
static u64 cut;		/* requests without memory for all headers, or for the body */

static ktime_t period(void)
{
	return ns_to_ktime((u64)period_us * NSEC_PER_USEC);
}

/* The "interrupt": nothing here sleeps or waits. */
static enum hrtimer_restart handler(struct hrtimer *t)
{
	struct request *request = myalloc_heap_alloc(heap, sizeof(*request), 0);
	size_t length = 20 + received * 7 % 200;

	received++;
	if (request)
		request->url = myalloc_heap_alloc(heap, length, 0);
	if (request && request->url) {
		memset(request->url, 'u', length - 1);
		request->url[length - 1] = '\0';
		request->number = received;
		if (llist_add(&request->link, &queue))
			schedule_work(&work);
	} else {
		myalloc_heap_free(heap, request);
		dropped++;
	}
	hrtimer_forward_now(t, period());
	return HRTIMER_RESTART;
}

/* The headers, in one string that grows; NULL if not even the first has memory. */
static char *read_headers(const struct request *request, bool *all)
{
	char *headers = NULL, *more;
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < HEADERS; i++) {
		size_t length = 16 + (request->number + i) * 31 % 400;

		more = myalloc_heap_realloc(heap, headers, used + length, MYALLOC_MAY_WAIT);
		if (!more) {
			*all = false;
			break;
		}
		headers = more;
		memset(headers + used, 'h', length);
		used += length;
	}
	return headers;
}

static void handle(struct request *request)
{
	bool all = true;
	char *headers = read_headers(request, &all);
	char *body = myalloc_heap_zalloc(heap, request->number * 4099 % BODY_MOST,
					 MYALLOC_MAY_WAIT);

	if (!all || !body)
		cut++;
	handled++;
	myalloc_heap_free(heap, body);
	myalloc_heap_free(heap, headers);
	myalloc_heap_free(heap, request->url);
	myalloc_heap_free(heap, request);
}

static void handle_all(struct work_struct *w)
{
	struct llist_node *all = llist_del_all(&queue);
	struct request *request, *next;

	llist_for_each_entry_safe(request, next, all, link)
		handle(request);
}

static int __init web_init(void)
{
	const struct myalloc_heap_args args = { .name = "web" };

	if (period_us < 10) {
		pr_err("myalloc_web: period_us=%u is too small, 10 is the least\n", period_us);
		return -EINVAL;
	}
	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	heap = myalloc_heap_create(zone, &args);
	if (IS_ERR(heap)) {
		myalloc_zone_put(zone);
		return PTR_ERR(heap);
	}
	INIT_WORK(&work, handle_all);
	myalloc_compat_hrtimer_setup(&timer, handler, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&timer, period(), HRTIMER_MODE_REL_HARD);
	return 0;
}

static void __exit web_exit(void)
{
	hrtimer_cancel(&timer);
	flush_work(&work);	/* the handler queues no more, so the queue is empty */
	myalloc_heap_destroy(heap);
	myalloc_zone_put(zone);
	if (verbose)
		pr_info("myalloc_web: %llu requests received, %llu dropped, %llu handled, %llu of them cut\n",
			received, dropped, handled, cut);
}

module_init(web_init);
module_exit(web_exit);
MODULE_DESCRIPTION("Example client of myalloc: web requests in a heap");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
