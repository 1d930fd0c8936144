// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of call sites: the memory that each line of code holds, largest first, and its output
 *
 * The table is a hash with linear probing. Entries are added under a cache's lock, where nothing
 * can be allocated: if it fills up, the walk starts again with a larger one, up to BITS_MOST.
 *
 * Who walks: a cache that cannot be destroyed, over its own objects (track.c); over everything,
 * client/sites.c.
 */
#include "env.h"
#include "base/sort.h"
#include "object/object.h"
#include "object/site_table.h"
#include "page/zone_report.h"

#define BITS_LEAST	6
#define BITS_MOST	14

static u32 hash(const struct myalloc_held *h)
{
	return ((h->caller ^ h->thing << 40) * 0x9e3779b97f4a7c15ull) >> 32;
}

static void begin(struct myalloc_site *site, const struct myalloc_held *h)
{
	site->caller = h->caller;
	site->thing = h->thing;
	site->oldest = MYALLOC_SITE_UNKNOWN;
	scnprintf(site->what, sizeof(site->what), "%s%s%s", h->kind ?: "", h->kind ? " " : "",
		  h->name);
}

/**
 * myalloc_sites_add() - count one thing that is held
 * @s: the sites
 * @h: the thing; left out if it is known to be younger than asked for, or if the table is full
 *
 * Context: any but NMI.
 */
void myalloc_sites_add(struct myalloc_sites *s, const struct myalloc_held *h)
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

/**
 * myalloc_held_object() - a live object as a thing that is held
 * @cache: its cache
 * @track: its allocation; NULL if that is not recorded
 *
 * Context: any.
 * Return: the thing.
 */
struct myalloc_held myalloc_held_object(const struct myalloc_cache *cache,
					const struct myalloc_track *track)
{
	return (struct myalloc_held){
		.thing = cache->id,
		.name = cache->name,
		.caller = track ? track->caller : 0,
		.bytes = cache->layout.object_size,
		.when = track ? track->when : MYALLOC_SITE_UNKNOWN,
		.stack = track ? track->stack : 0,
	};
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

/**
 * myalloc_sites_fill() - sum up what a walk finds, and sort it, the largest first
 * @s: zone and @before are set, the rest is zero; to be freed by myalloc_sites_free() if this
 *	succeeds
 * @walk: calls myalloc_sites_add() for each thing; called again if the table was too small
 * @arg: argument for @walk
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM.
 */
int myalloc_sites_fill(struct myalloc_sites *s, myalloc_sites_walk_fn walk, void *arg)
{
	for (s->bits = BITS_LEAST; ; s->bits++) {
		s->nr = 0;
		s->full = false;
		s->site = myalloc_env_zalloc(sizeof(*s->site) << s->bits, s->zone->node);
		if (!s->site)
			return -ENOMEM;
		walk(s, arg);
		if (!s->full || s->bits == BITS_MOST)
			break;
		myalloc_env_free(s->site);
	}
	myalloc_sort(s->site, BIT(s->bits), sizeof(*s->site), compare);
	return 0;
}

/**
 * myalloc_sites_free() - free the table that myalloc_sites_fill() has created
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
 * @sites: filled; the largest site is named, the others are counted
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
 * myalloc_sites_print() - print the memory that is still held, by call site
 * @sites: filled
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
