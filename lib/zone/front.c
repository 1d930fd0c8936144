// SPDX-License-Identifier: GPL-2.0
/*
 * Fronts: heaps, and whatever else serves users from a zone
 *
 * What it is: the list of the fronts of a zone. A front embeds struct myalloc_front and adds itself
 * when it is created, so that debugfs, the device, validation and the end of the zone find it
 * without knowing its kind.
 *
 * Locking: fronts_mutex is held for each visit of a walk, so a front that is visited exists until
 * the visit ends, and creating or destroying another one waits for that one visit. An entry without
 * a kind in the list keeps the place of the walk meanwhile. The mutex is the outermost lock: a
 * visit may walk over caches, but must neither add nor remove a front. A front adds itself before
 * it is complete, in order to own its name first; what its walkers read must be correct from then
 * on.
 *
 * Cost: nothing on the way of an allocation or a free.
 */
#include "env.h"
#include "zone/front.h"
#include "object/cache.h"
#include "page/zone_report.h"

static bool good_name(const struct myalloc_front_kind *kind, const char *name)
{
	return name && myalloc_cache_good_name(name) && strlen(name) < kind->name_size;
}

/**
 * myalloc_front_add() - add a front to its zone
 * @zone: the zone
 * @front: the front; its members but @client and @maker, which the caller has set, are written
 * @kind: its kind
 * @name: like the name of a cache, shorter than @kind->name_size; unique among the fronts of this
 *	kind in the zone; copied
 *
 * Context: task, may sleep.
 * Return: 0; -EINVAL if the name is invalid or the client belongs to another zone, -EEXIST if
 * another front of this kind has the name; either prints a message.
 */
int myalloc_front_add(struct myalloc_zone *zone, struct myalloc_front *front,
		      const struct myalloc_front_kind *kind, const char *name)
{
	struct myalloc_front *other;
	unsigned long maker = 0;
	int err = 0;

	if (!good_name(kind, name)) {
		myalloc_zone_err(zone, "the name of a new %s must have 1 to %u ASCII letters, digits, '-', '_', '.'",
				 kind->name, kind->name_size - 1);
		return -EINVAL;
	}
	if (front->client && front->client->zone != zone) {
		myalloc_zone_err(zone, "%s %s: client %s is one of zone %s", kind->name, name,
				 front->client->name, front->client->zone->name);
		return -EINVAL;
	}
	front->zone = zone;
	front->kind = kind;
	front->when = myalloc_env_now_ns();
	strscpy(front->name, name, sizeof(front->name));
	mutex_lock(&zone->fronts_mutex);
	list_for_each_entry(other, &zone->fronts, link)
		if (other->kind == kind && !strcmp(other->name, name)) {
			maker = other->maker;
			err = -EEXIST;
		}
	if (!err) {
		front->id = ++zone->last_front;
		list_add_tail(&front->link, &zone->fronts);
	}
	mutex_unlock(&zone->fronts_mutex);
	if (err && maker)
		myalloc_site_err(zone, maker, "%s %s: the name is already used by another %s, created at %c",
				 kind->name, name, kind->name, MYALLOC_REPORT_MARK);
	else if (err)
		myalloc_zone_err(zone, "%s %s: the name is already used by another %s", kind->name,
				 name, kind->name);
	return err;
}

/**
 * myalloc_front_remove() - remove a front from its zone
 * @front: the front
 *
 * Waits until a visit of a walk has ended; afterwards no walk finds it.
 *
 * Context: task, may sleep.
 */
void myalloc_front_remove(struct myalloc_front *front)
{
	mutex_lock(&front->zone->fronts_mutex);
	list_del(&front->link);
	mutex_unlock(&front->zone->fronts_mutex);
}

/* The front behind a place in the list; NULL at the end. */
static struct myalloc_front *after(struct myalloc_zone *zone, struct list_head *at)
{
	struct myalloc_front *front;

	for (at = at->next; at != &zone->fronts; at = at->next) {
		front = list_entry(at, struct myalloc_front, link);
		if (front->kind)	/* else the place of a walk */
			return front;
	}
	return NULL;
}

/**
 * myalloc_front_first() - the first front of a zone
 * @zone: the zone
 *
 * Context: task; the caller keeps the front from being removed.
 * Return: the front; NULL if the zone has none.
 */
struct myalloc_front *myalloc_front_first(struct myalloc_zone *zone)
{
	struct myalloc_front *front;

	mutex_lock(&zone->fronts_mutex);
	front = after(zone, &zone->fronts);
	mutex_unlock(&zone->fronts_mutex);
	return front;
}

/**
 * myalloc_front_walk_from() - visit the fronts of a zone from a number on
 * @zone: the zone
 * @kind: only fronts of this kind; NULL for all
 * @from: the lowest number to visit
 * @fn: called for each, in the order of their numbers; it must neither add nor remove a front.
 *	False ends the walk
 * @arg: argument for @fn
 *
 * Those that are created meanwhile are not visited.
 *
 * Context: task, may sleep.
 */
void myalloc_front_walk_from(struct myalloc_zone *zone, const struct myalloc_front_kind *kind,
			     u64 from, myalloc_front_fn fn, void *arg)
{
	struct myalloc_front place = { .kind = NULL }, *front;	/* where the walk is */
	u64 last;

	mutex_lock(&zone->fronts_mutex);
	last = zone->last_front;
	list_add(&place.link, &zone->fronts);
	while ((front = after(zone, &place.link)) && front->id <= last) {
		list_move(&place.link, &front->link);
		if (front->id < from || (kind && front->kind != kind))
			continue;
		if (!fn(front, arg))
			break;
		mutex_unlock(&zone->fronts_mutex);
		myalloc_env_point("fronts-between");
		cond_resched();
		mutex_lock(&zone->fronts_mutex);
	}
	list_del(&place.link);
	mutex_unlock(&zone->fronts_mutex);
}
