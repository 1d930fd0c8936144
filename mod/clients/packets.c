// SPDX-License-Identifier: GPL-2.0
/*
 * An example of a client: a queue of packets, in a ring
 *
 * What it does: each tick of a timer stands for an interrupt that brings some packets of any
 * length. The handler, in hard interrupt context also on PREEMPT_RT, reserves a record for each,
 * fills it in where it lies, and commits it, or discards it if the packet turns out to be bad. A
 * work item reads the packets where they lie, in order, checks them, and releases each.
 *
 * What to copy from it: the handler is the only producer, so the ring needs no lock
 * (MYALLOC_RING_ONE); a NULL means that the ring is full and is an ordinary event that is counted;
 * the work item is queued after the commit and empties the ring, so no packet is left behind; the
 * ring is destroyed after its producer and consumer have ended, before the reference to the zone is
 * put.
 *
 * With share=1 there is no work item: a process reads the packets, such as 'myallocctl ring follow
 * packets', and the module cannot be unloaded while one does.
 *
 * With verbose=1 it prints a summary at the end; otherwise it prints nothing.
 */
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "myalloc_client.h"

static unsigned int period_us = 1000;
module_param(period_us, uint, 0444);
MODULE_PARM_DESC(period_us, "microseconds between two interrupts, 10 at least (default 1000)");

static unsigned int ring_kb = 64;
module_param(ring_kb, uint, 0444);
MODULE_PARM_DESC(ring_kb, "KiB in the ring (default 64)");

/* Not 'share', which is a function in the headers of s390x. */
static bool shared;
module_param_named(share, shared, bool, 0444);
MODULE_PARM_DESC(share, "a process reads the packets (default off)");

static bool verbose;
module_param(verbose, bool, 0644);
MODULE_PARM_DESC(verbose, "say at the end what was done (default off)");

#define BURST		4	/* packets of an interrupt */
#define LENGTH_MOST	1500	/* bytes of a packet */

struct packet {
	u64 number;
	u32 length;
	u8 data[];
};

static struct myalloc_zone *zone;
static struct myalloc_ring *ring;
static struct hrtimer timer;
static struct work_struct work;

static u64 received;	/* written by the handler only, as the next two */
static u64 bad;
static u64 dropped;
static u64 handled;	/* written by the work item only, as the next two */
static u64 wrong;	/* packets that are out of order, or not as they were received */
static u64 last;	/* number of the last one handled */

static ktime_t period(void)
{
	return ns_to_ktime((u64)period_us * NSEC_PER_USEC);
}

static void receive(void)
{
	u32 length = received * 7919 % LENGTH_MOST;
	struct packet *packet = myalloc_ring_reserve(ring, sizeof(*packet) + length);

	received++;
	if (!packet) {
		dropped++;
		return;
	}
	packet->number = received;
	packet->length = length;
	memset(packet->data, (u8)received, length);
	if (received % 100) {
		myalloc_ring_commit(ring, packet);
	} else {	/* for example because its checksum is wrong */
		bad++;
		myalloc_ring_discard(ring, packet);
	}
}

/* The "interrupt": nothing here sleeps or waits. */
static enum hrtimer_restart handler(struct hrtimer *t)
{
	unsigned int i;

	for (i = 0; i < BURST; i++)
		receive();
	if (!shared)
		schedule_work(&work);
	hrtimer_forward_now(t, period());
	return HRTIMER_RESTART;
}

static bool good(const struct packet *packet, size_t size)
{
	return size == sizeof(*packet) + packet->length && packet->number > last &&
	       !memchr_inv(packet->data, (u8)packet->number, packet->length);
}

static void handle_all(struct work_struct *w)
{
	struct packet *packet;
	size_t size;

	while ((packet = myalloc_ring_peek(ring, &size))) {
		if (!good(packet, size))
			wrong++;
		last = packet->number;
		handled++;
		myalloc_ring_release(ring, packet);
	}
}

static int __init packets_init(void)
{
	const struct myalloc_ring_args args = {
		.name = "packets", .size = (size_t)ring_kb << 10, .mode = MYALLOC_RING_ONE,
	};

	if (period_us < 10) {
		pr_err("myalloc_packets: period_us=%u is too small, 10 is the least\n", period_us);
		return -EINVAL;
	}
	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	ring = myalloc_ring_create(zone, &args);
	if (IS_ERR(ring)) {
		myalloc_zone_put(zone);
		return PTR_ERR(ring);
	}
	if (shared) {
		int err = myalloc_ring_share(ring);

		if (err) {
			myalloc_ring_destroy(ring);
			myalloc_zone_put(zone);
			return err;
		}
	}
	INIT_WORK(&work, handle_all);
	myalloc_compat_hrtimer_setup(&timer, handler, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&timer, period(), HRTIMER_MODE_REL_HARD);
	return 0;
}

static void __exit packets_exit(void)
{
	hrtimer_cancel(&timer);
	flush_work(&work);	/* the handler queues no more: the ring is empty */
	if (shared)
		myalloc_ring_unshare(ring);
	myalloc_ring_destroy(ring);
	myalloc_zone_put(zone);
	if (verbose)
		pr_info("myalloc_packets: %llu packets received, %llu bad, %llu dropped, %llu handled, %llu wrong\n",
			received, bad, dropped, handled, wrong);
}

module_init(packets_init);
module_exit(packets_exit);
MODULE_DESCRIPTION("Example client of myalloc: a queue of packets in a ring");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
