// SPDX-License-Identifier: GPL-2.0
/*
 * Sites: what each line of code holds, largest first
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
 *
 * The table is a hash with linear probing. Entries are added under a cache's lock, where nothing
 * can be allocated: if it fills up, the walk starts again with a larger one, up to BITS_MOST.
 */
#include "env.h"
#include "base/sort.h"
#include "client/contract.h"
#include "client/sites.h"
#include "client/within.h"
#include "object/cache.h"
#include "object/track.h"
#include "page/drain.h"
#include "page/zone_report.h"
#include "zone/front.h"
#include "zone/zone.h"

#define BITS_LEAST	6
#define BITS_MOST	14

/* Stands for no client. */
const struct myalloc_client myalloc_no_client;

/* Does what belongs to @client, or to none if it is NULL, count? */
static bool is_asked(const struct myalloc_sites *s, const struct myalloc_client *client)
{
	return !s->client || s->client == (client ?: &myalloc_no_client);
}

/* One thing that is held. */
struct held {
	u64 thing;
	const char *kind;	/* NULL, or the kind of a front */
	const char *name;
	u64 caller;
	u64 bytes;
	u64 when;
	u32 stack;
};

static u32 hash(const struct held *h)
{
	return ((h->caller ^ h->thing << 40) * 0x9e3779b97f4a7c15ull) >> 32;
}

static void begin(struct myalloc_site *site, const struct held *h)
{
	site->caller = h->caller;
	site->thing = h->thing;
	site->oldest = MYALLOC_SITE_UNKNOWN;
	scnprintf(site->what, sizeof(site->what), "%s%s%s", h->kind ?: "", h->kind ? " " : "",
		  h->name);
}

static void add(struct myalloc_sites *s, const struct held *h)
{
	u32 mask = BIT(s->bits) - 1;
	u32 at = hash(h) & mask;
	struct myalloc_site *site;

	if (h->when != MYALLOC_SITE_UNKNOWN && h->when > s->before)
		return;
	for (;; at = (at + 1) & mask) {
		site = &s->site[at];
		if (!site->count || (site->caller == h->caller && site->thing == h->thing))
			break;
	}
	if (!site->count) {
		if (s->nr > mask / 4 * 3) {
			s->full = true;
			return;
		}
		s->nr++;
		begin(site, h);
	}
	if (!site->count || h->when < site->oldest) {
		site->oldest = h->when;
		site->stack = h->stack;
	}
	site->count++;
	site->bytes += h->bytes;
}

/* A line of a contract in words. */
static void set_line(struct held *h, u64 thing, const char *kind,
		     const struct myalloc_contract_part *part)
{
	h->thing = thing | part->id;
	h->kind = kind;
	h->name = part->name;
}

static void add_set_aside(struct myalloc_zone *zone, const struct myalloc_frame *frame,
			  struct myalloc_sites *s)
{
	struct held h = {
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
		add(s, &h);
	}
	preempt_enable();
}

static bool add_block(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
		      void *arg)
{
	const struct myalloc_client *client = myalloc_client_of(zone, myalloc_frame_owner(frame));
	struct held h = {
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
	add(s, &h);
	return true;
}

static struct held held_object(const struct myalloc_cache *cache,
			       const struct myalloc_track *track)
{
	return (struct held){
		.thing = cache->id,
		.name = cache->name,
		.caller = track ? track->caller : 0,
		.bytes = cache->layout.object_size,
		.when = track ? track->when : MYALLOC_SITE_UNKNOWN,
		.stack = track ? track->stack : 0,
	};
}

static void add_object(struct myalloc_cache *cache, void *object,
		       const struct myalloc_track *track, void *arg)
{
	struct held h = held_object(cache, track);

	add(arg, &h);
}

/* In the zone of a line. */
static bool add_block_within(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
			     void *arg)
{
	struct held h = {
		.caller = frame->caller,
		.bytes = (u64)myalloc_frame_pages(frame) << PAGE_SHIFT,
		.when = MYALLOC_SITE_UNKNOWN,
		.stack = zone->checks & MYALLOC_OWNER ? frame->stack : 0,
	};
	struct myalloc_sites *s = arg;

	if (!myalloc_frame_is_users(frame->type) || !is_asked(s, zone->limit->client))
		return true;
	set_line(&h, MYALLOC_SITE_PAGES, "within", myalloc_contract_part_of(zone->limit));
	add(s, &h);
	return true;
}

static void add_object_within(struct myalloc_cache *cache, void *object,
			      const struct myalloc_track *track, void *arg)
{
	struct myalloc_limit *limit = cache->zone->limit;
	struct held h = held_object(cache, track);
	struct myalloc_sites *s = arg;

	if (!is_asked(s, limit->client))
		return;
	set_line(&h, MYALLOC_SITE_OBJECTS, "within", myalloc_contract_part_of(limit));
	add(s, &h);
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
	struct held h = {
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
	add(s, &h);
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct myalloc_site *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (x->thing != y->thing)
		return x->thing < y->thing ? -1 : 1;
	return x->caller < y->caller ? -1 : x->caller > y->caller;
}

static bool is_trusting(struct myalloc_cache *cache, void *any)
{
	*(bool *)any = cache->level == MYALLOC_TRUSTING;
	return !*(bool *)any;
}

static void walk(struct myalloc_sites *s)
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
 * myalloc_sites_collect() - sum up what is held, by call site
 * @sites: out; to be freed by myalloc_sites_free() if this succeeds
 * @zone: the zone
 * @client: only what this client holds, without the clients below it; &myalloc_no_client for what
 *	belongs to none; NULL for everything
 * @older_ns: leave out what is known to be younger, ns
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
		.zone = zone, .client = client, .before = now - min(older_ns, now),
	};
	if (!older_ns)
		sites->before = MYALLOC_SITE_UNKNOWN;
	for (sites->bits = BITS_LEAST; ; sites->bits++) {
		sites->nr = 0;
		sites->full = false;
		sites->site = myalloc_env_zalloc(sizeof(*sites->site) << sites->bits,
						 zone->node);
		if (!sites->site)
			return -ENOMEM;
		walk(sites);
		if (!sites->full || sites->bits == BITS_MOST)
			break;
		myalloc_env_free(sites->site);
	}
	myalloc_sort(sites->site, BIT(sites->bits), sizeof(*sites->site), compare);
	return 0;
}

/**
 * myalloc_sites_free() - free what myalloc_sites_collect() has made
 * @sites: the sites
 *
 * Context: task.
 */
void myalloc_sites_free(struct myalloc_sites *sites)
{
	myalloc_env_free(sites->site);
	sites->site = NULL;
}

/* "312 objects of frob-request" */
static void say_what(char *to, size_t size, const struct myalloc_site *site)
{
	u64 pages = site->bytes >> PAGE_SHIFT;

	if (site->thing & MYALLOC_SITE_OBJECTS)
		scnprintf(to, size, "%llu object%s %s", site->count, myalloc_s(site->count),
			  site->what);
	else if (site->thing & MYALLOC_SITE_PAGES)
		scnprintf(to, size, "%llu page%s %s", pages, myalloc_s(pages), site->what);
	else if (!site->thing)
		scnprintf(to, size, "%llu page%s", pages, myalloc_s(pages));
	else if (site->thing < MYALLOC_CACHES_MAX)
		scnprintf(to, size, "%llu object%s of %s", site->count, myalloc_s(site->count),
			  site->what);
	else
		scnprintf(to, size, "%llu page%s of %s", pages, myalloc_s(pages), site->what);
}

static void print_site(const struct myalloc_sites *s, const struct myalloc_site *site,
		       const char *who, const char *name)
{
	u64 now = myalloc_env_now_ns();
	char symbol[MYALLOC_ENV_SYMBOL] = "a call site that is not recorded";
	char what[64 + MYALLOC_SITE_WHAT], age[32] = "";

	say_what(what, sizeof(what), site);
	if (site->caller)
		myalloc_env_symbol(symbol, sizeof(symbol), site->caller);
	if (site->oldest != MYALLOC_SITE_UNKNOWN)
		scnprintf(age, sizeof(age), ", oldest %llu s", (unsigned long long)
			  div_u64(now - min(site->oldest, now), MYALLOC_STAMP_NS));
	pr_err("%s: %s %s: still held: %s from %s%s\n", s->zone->name, who, name, what, symbol,
	       age);
	if (site->stack)
		myalloc_env_stack_print(site->stack);
}

/**
 * myalloc_sites_report() - report what is in the way, in one line that is rate-limited
 * @sites: collected; the largest site is named, the others are counted
 * @what: what is reported
 *
 * Context: task.
 */
void myalloc_sites_report(const struct myalloc_sites *sites, const char *what)
{
	static const char caller[] = { MYALLOC_REPORT_MARK, '\0' };
	const struct myalloc_site *site = &sites->site[0];
	char held[64 + MYALLOC_SITE_WHAT], more[48] = "";

	if (!sites->nr) {
		myalloc_zone_err(sites->zone, "%s", what);
		return;
	}
	say_what(held, sizeof(held), site);
	if (sites->nr > 1)
		scnprintf(more, sizeof(more), ", and more from %u other call site%s", sites->nr - 1,
			  myalloc_s(sites->nr - 1));
	myalloc_site_err(sites->zone, site->caller, "%s and has %s left, allocated at %s%s",
			 what, held, site->caller ? caller : "a call site that is not recorded",
			 more);
}

/**
 * myalloc_sites_print() - print who still holds what
 * @sites: collected
 * @who: the words before @name in each line, such as "client" or "unload of"
 * @name: name of the client or the module
 * @most: number of sites printed at most; the others are counted
 *
 * Context: task.
 */
void myalloc_sites_print(const struct myalloc_sites *sites, const char *who, const char *name,
			 u32 most)
{
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < sites->nr; i++) {
		if (i < most)
			print_site(sites, &sites->site[i], who, name);
		else
			bytes += sites->site[i].bytes;
	}
	if (sites->nr > most)
		pr_err("%s: %s %s: still held: %llu bytes from %u other call site%s\n",
		       sites->zone->name, who, name, (unsigned long long)bytes, sites->nr - most,
		       myalloc_s(sites->nr - most));
}
