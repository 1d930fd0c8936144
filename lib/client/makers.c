// SPDX-License-Identifier: GPL-2.0
/*
 * Makers: caches and fronts without a client, by the code that has created and not destroyed them
 *
 * A cache and a front remember the call that created them. Objects that are not tracked have no
 * call site (sites.c), but their cache has one, so a module that leaves a cache, a heap or a pool
 * behind is named although none of its objects is.
 */
#include "env.h"
#include "client/makers.h"
#include "object/cache.h"
#include "page/drain.h"
#include "zone/front.h"

struct search {
	const struct myalloc_leaver *leaver;
	u32 most;
	u32 nr;
};

static bool is_left(const struct search *s, const struct myalloc_client *client,
		    unsigned long maker)
{
	return !client && maker && s->leaver->is_code(maker, s->leaver->owner);
}

static void print(struct search *s, struct myalloc_zone *zone, const char *kind, const char *name,
		  unsigned long maker, const char *with)
{
	char symbol[MYALLOC_ENV_SYMBOL];

	if (s->nr++ >= s->most)
		return;
	myalloc_env_symbol(symbol, sizeof(symbol), maker);
	pr_err("%s: %s: %s %s is left%s, created at %s\n", zone->name, s->leaver->words, kind, name,
	       with, symbol);
}

static bool look_at_cache(struct myalloc_cache *cache, void *arg)
{
	struct myalloc_cache_stats stats;
	struct search *s = arg;
	char with[48];

	if (!is_left(s, cache->client, cache->maker))
		return true;
	myalloc_cache_stats(cache, &stats);
	scnprintf(with, sizeof(with), " with %llu object%s in use", stats.live_objects,
		  myalloc_s(stats.live_objects));
	print(s, cache->zone, "cache", cache->name, cache->maker, with);
	return true;
}

static bool look_at_front(struct myalloc_front *front, void *arg)
{
	struct search *s = arg;

	if (is_left(s, front->client, front->maker))
		print(s, front->zone, front->kind->name, front->name, front->maker, "");
	return true;
}

/**
 * myalloc_makers_report() - report caches and fronts of no client that some code has created
 * @zone: the zone
 * @leaver: whose code; it has an is_code function
 * @most: number of them printed at most; the others are counted
 *
 * Context: task, may sleep; not under fronts_mutex or in a walk over caches.
 * Return: their number.
 */
u32 myalloc_makers_report(struct myalloc_zone *zone, const struct myalloc_leaver *leaver, u32 most)
{
	struct search s = { .leaver = leaver, .most = most };

	myalloc_zone_walk_caches(zone, look_at_cache, &s);
	myalloc_front_walk(zone, NULL, look_at_front, &s);
	if (s.nr > most)
		pr_err("%s: %s: %u more caches and others are left\n", zone->name, leaver->words,
		       s.nr - most);
	return s.nr;
}
