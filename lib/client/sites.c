// SPDX-License-Identifier: GPL-2.0
/*
 * Sites: the memory that each line of code holds, largest first
 *
 * What it is: one walk over blocks and caches, summed up by call site and kind. Nothing is recorded
 * for it: the caller of a block is in its descriptor, that of an object in its track.
 *
 *		who			when
 *	block	always			never
 *	extent	always			to the second, if it belongs to a client and the zone
 *	 of a client			does not record call stacks: both are in one word
 *	object	with the check U	with the check U
 *	front	who created it		when it was created
 *	line of	always			never
 *	 a contract
 *
 * Objects without a track are one site of their cache with caller 0.
 *
 * A contract is listed twice: the pages that its lines have set aside, from the code that made it,
 * and what is in use within them, from the code that allocated it. These belong to the client of
 * the contract.
 */
#include "env.h"
#include "client/contract.h"
#include "client/sites.h"
#include "client/within.h"
#include "object/cache.h"
#include "object/track.h"
#include "page/drain.h"
#include "zone/front.h"
#include "zone/zone.h"

/* Stands for no client. */
const struct myalloc_client myalloc_no_client;

/* Does what belongs to @client, or to none if it is NULL, count? */
static bool is_asked(const struct myalloc_sites *s, const struct myalloc_client *client)
{
	return !s->client || s->client == (client ?: &myalloc_no_client);
}

/* A line of a contract in words. */
static void set_line(struct myalloc_held *h, u64 thing, const char *kind,
		     const struct myalloc_contract_part *part)
{
	h->thing = thing | part->id;
	h->kind = kind;
	h->name = part->name;
}

static void add_set_aside(struct myalloc_zone *zone, const struct myalloc_frame *frame,
			  struct myalloc_sites *s)
{
	struct myalloc_held h = {
		.caller = frame->caller,
		.bytes = PAGE_SIZE << frame->order,
		.when = MYALLOC_SITE_UNKNOWN,
	};
	const struct myalloc_zone *child;

	preempt_disable();	/* keeps the child from being freed */
	child = myalloc_zone_child(zone, frame);
	if (child && is_asked(s, child->limit->client)) {
		set_line(&h, MYALLOC_SITE_SET_ASIDE, "contract",
			 myalloc_contract_part_of(child->limit));
		myalloc_sites_add(s, &h);
	}
	preempt_enable();
}

static bool add_block(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
		      void *arg)
{
	const struct myalloc_client *client = myalloc_client_of(zone, myalloc_frame_owner(frame));
	struct myalloc_held h = {
		.name = "pages",
		.caller = frame->caller,
		.bytes = (u64)myalloc_frame_pages(frame) << PAGE_SHIFT,
		.when = MYALLOC_SITE_UNKNOWN,
	};
	struct myalloc_sites *s = arg;

	if (frame->type == MYALLOC_FRAME_CONTRACT)
		add_set_aside(zone, frame, s);
	if (!myalloc_frame_is_users(frame->type) || !is_asked(s, client))
		return true;
	if (zone->checks & MYALLOC_OWNER)
		h.stack = frame->stack;
	else if (client)
		h.when = (u64)frame->stack * MYALLOC_STAMP_NS;
	myalloc_sites_add(s, &h);
	return true;
}

static void add_object(struct myalloc_cache *cache, void *object,
		       const struct myalloc_track *track, void *arg)
{
	struct myalloc_held h = myalloc_held_object(cache, track);

	myalloc_sites_add(arg, &h);
}

/* In the zone of a line. */
static bool add_block_within(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
			     void *arg)
{
	struct myalloc_held h = {
		.caller = frame->caller,
		.bytes = (u64)myalloc_frame_pages(frame) << PAGE_SHIFT,
		.when = MYALLOC_SITE_UNKNOWN,
		.stack = zone->checks & MYALLOC_OWNER ? frame->stack : 0,
	};
	struct myalloc_sites *s = arg;

	if (!myalloc_frame_is_users(frame->type) || !is_asked(s, zone->limit->client))
		return true;
	set_line(&h, MYALLOC_SITE_PAGES, "within", myalloc_contract_part_of(zone->limit));
	myalloc_sites_add(s, &h);
	return true;
}

static void add_object_within(struct myalloc_cache *cache, void *object,
			      const struct myalloc_track *track, void *arg)
{
	struct myalloc_limit *limit = cache->zone->limit;
	struct myalloc_held h = myalloc_held_object(cache, track);
	struct myalloc_sites *s = arg;

	if (!is_asked(s, limit->client))
		return;
	set_line(&h, MYALLOC_SITE_OBJECTS, "within", myalloc_contract_part_of(limit));
	myalloc_sites_add(s, &h);
}

static bool add_cache(struct myalloc_cache *cache, void *arg)
{
	struct myalloc_sites *s = arg;

	if (is_asked(s, cache->client))
		__myalloc_cache_walk_live(cache, add_object, s);
	return true;
}

/* Of a client: arenas and rings. Their extents do not name it. */
static bool add_front(struct myalloc_front *front, void *arg)
{
	struct myalloc_sites *s = arg;
	struct myalloc_held h = {
		.thing = MYALLOC_CACHES_MAX + front->id,
		.kind = front->kind->name,
		.name = front->name,
		.caller = front->maker,
		.when = front->when,
	};

	if (front->client != s->client || !front->kind->pages ||
	    front->kind == &myalloc_contract_kind)	/* its blocks do name it */
		return true;
	h.bytes = front->kind->pages(front) << PAGE_SHIFT;
	myalloc_sites_add(s, &h);
	return true;
}

static bool is_trusting(struct myalloc_cache *cache, void *any)
{
	*(bool *)any = cache->level == MYALLOC_TRUSTING;
	return !*(bool *)any;
}

static void walk(struct myalloc_sites *s, void *unused)
{
	const struct myalloc_within within = {
		.block = add_block_within, .object = add_object_within, .arg = s,
	};
	bool trusting = false;

	/* Not in the walk below: the lock of CPU hotplug comes before those of a walk. */
	myalloc_zone_walk_caches(s->zone, is_trusting, &trusting);
	if (trusting)
		myalloc_zone_drain_kinds(s->zone, MYALLOC_KIND_OBJECTS);
	myalloc_zone_walk_blocks(s->zone, add_block, s);
	myalloc_zone_walk_caches(s->zone, add_cache, s);
	myalloc_within_walk(s->zone, &within);
	if (s->client)
		myalloc_front_walk(s->zone, NULL, add_front, s);
}

/**
 * myalloc_sites_collect() - sum up the memory in use, by call site
 * @sites: out; to be freed by myalloc_sites_free() if this succeeds
 * @zone: the zone
 * @client: only what this client holds, without the clients below it; &myalloc_no_client for what
 *	belongs to none; NULL for everything
 * @older_ns: leave out memory that is known to be younger, ns
 *
 * What is allocated or freed meanwhile may or may not be counted.
 *
 * Context: task, may sleep; not under fronts_mutex, the mutex of contracts' zones or a walk over
 * caches.
 * Return: 0; -ENOMEM.
 */
int myalloc_sites_collect(struct myalloc_sites *sites, struct myalloc_zone *zone,
			  const struct myalloc_client *client, u64 older_ns)
{
	u64 now = myalloc_env_now_ns();

	*sites = (struct myalloc_sites){
		.zone = zone, .client = client,
		.before = older_ns ? now - min(older_ns, now) : MYALLOC_SITE_UNKNOWN,
	};
	return myalloc_sites_fill(sites, walk, NULL);
}
