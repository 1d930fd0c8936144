// SPDX-License-Identifier: GPL-2.0
/*
 * Clients: owners of memory, with quotas
 *
 * What it is: a name for a part of the users of a zone, such as a driver. Caches, heaps, object
 * pools, arenas, rings, contracts and extents that are created with a client belong to it. Their
 * memory can be limited, listed by line of code, and released at once.
 *
 * How memory finds its client: a slab through its cache, an extent through the number of its owner
 * in its first tag and zone->clients, an arena or ring through the list of fronts. Nothing is
 * added to a block or an object.
 *
 * Quotas count pages, where slabs and extents pass between the zone and its users (page/account.c),
 * so the fast paths do not know of clients. A page in a slab counts even if no object of it is
 * live: empty slabs count until they go back, which myalloc_cache_shrink() does at once. The pages
 * count for all clients above, too. Memory outside the chunks does not count.
 *
 * Pages of a client are extents: they take the zone's lock, and are never in the magazines, which
 * all users of the zone share.
 *
 * End: myalloc_client_end() refuses as long as the client holds anything, and prints a list by call
 * site (sites.c). With MYALLOC_RELEASE_ALL it prints the same list and frees everything: the
 * clients below first, then fronts, caches and extents. If the owner goes away without ending its
 * client, the client stays and is marked as gone: memory that a device may still write to must not
 * be used by others. The owner of a client that names none is the module whose code created it.
 *
 * Invariants
 *	I1  pages = pages of the slabs of its caches, including those in limbo, + extents with the
 *	    number of the client, or of one of its heaps or contracts + pages of its arenas, rings
 *	    and contracts + pages of the clients directly below it. (While nothing is under way.)
 *	I2  pages <= hard, unless hard was exceeded when it was set.
 *	I3  A client outlives its caches, fronts, extents and the clients below it.
 *
 * Locking: clients->ending is held for a whole release. So if a client is released twice at once,
 * with the client above it and by its number, the second release finds that it has ended.
 * clients->mutex is held for a whole walk. These are the outermost locks, in this order. The
 * creator of a client must not end it while it is in use, as with a cache.
 *
 * Cost: none in a zone without clients. The first client adds sizeof(struct myalloc_clients), and
 * each client takes sizeof(struct myalloc_client) and one of the MYALLOC_OWNERS_KINDS - 1 numbers
 * of owners, which heaps take, too.
 */
#include "env.h"
#include "client/client.h"
#include "client/sites.h"
#include "object/cache.h"
#include "object/upkeep.h"
#include "page/extent.h"
#include "page/flags.h"
#include "page/pages.h"
#include "page/zone_report.h"
#include "zone/front.h"
#include "zone/zone.h"

/* --- create ------------------------------------------------------------------------------- */

static int check_args(struct myalloc_zone *zone, const struct myalloc_client_args *args)
{
	if (!args->name || !myalloc_cache_good_name(args->name)) {
		myalloc_zone_err(zone, "a client's name has 1 to %d ASCII letters, digits, '-', '_', '.'",
				 MYALLOC_CLIENT_NAME - 1);
		return -EINVAL;
	}
	if (args->checks & ~MYALLOC_CHECKS) {
		myalloc_zone_err(zone, "client %s: unknown checks 0x%x", args->name,
				 (__force u32)(args->checks & ~MYALLOC_CHECKS));
		return -EINVAL;
	}
	if (args->hard_pages && args->soft_pages > args->hard_pages) {
		myalloc_zone_err(zone, "client %s: the soft quota of %u pages is above the hard one of %u",
				 args->name, args->soft_pages, args->hard_pages);
		return -EINVAL;
	}
	if (args->parent && args->parent->zone != zone) {
		myalloc_zone_err(zone, "client %s: client %s is one of zone %s", args->name,
				 args->parent->name, args->parent->zone->name);
		return -EINVAL;
	}
	if (args->parent && args->parent->depth == MYALLOC_CLIENT_DEPTH - 1) {
		myalloc_zone_err(zone, "client %s: %d clients are above it already, which is the most",
				 args->name, MYALLOC_CLIENT_DEPTH);
		return -EINVAL;
	}
	return 0;
}

static void init(struct myalloc_client *client, struct myalloc_zone *zone,
		 const struct myalloc_client_args *args, unsigned long caller)
{
	client->zone = zone;
	client->parent = args->parent;
	client->depth = args->parent ? args->parent->depth + 1 : 0;
	client->owner = args->owner;
	client->caller = caller;
	client->checks = args->checks;
	client->since = myalloc_env_now_ns();
	client->soft = args->soft_pages ?: S64_MAX;
	client->hard = args->hard_pages ?: S64_MAX;
	strscpy(client->name, args->name, sizeof(client->name));
	strscpy(client->owner_name, args->owner_name ?: args->name, sizeof(client->owner_name));
}

/* A zone has no list of clients before its first one. */
static bool has_list(struct myalloc_zone *zone)
{
	struct myalloc_clients *clients = NULL;

	mutex_lock(&zone->fronts_mutex);
	if (!zone->clients)
		clients = myalloc_env_zalloc_charged(sizeof(*clients), zone->node);
	if (clients) {
		mutex_init(&clients->ending);
		mutex_init(&clients->mutex);
		INIT_LIST_HEAD(&clients->list);
		zone->meta_bytes += sizeof(*clients);
		smp_store_release(&zone->clients, clients);	/* with what was initialised */
	}
	mutex_unlock(&zone->fronts_mutex);
	return zone->clients;
}

/*
 * clients->mutex held. Report that @client has the name that another asks for, and what it has left
 * if its module is gone.
 */
static void report_in_the_way(const struct myalloc_client *client)
{
	struct myalloc_sites sites;
	char what[160];

	scnprintf(what, sizeof(what),
		  "client %s: the name is already used by a client of %s%s",
		  client->name, client->owner_name, client->gone ? ", which is gone" : "");
	if (!client->gone || myalloc_sites_collect(&sites, client->zone, client, 0)) {
		myalloc_zone_err(client->zone, "%s", what);
		return;
	}
	myalloc_sites_report(&sites, what);
	myalloc_sites_free(&sites);
}

/* clients->mutex held. */
static int enlist(struct myalloc_client *client)
{
	struct myalloc_zone *zone = client->zone;
	struct myalloc_client *other;

	list_for_each_entry(other, &zone->clients->list, link) {
		if (strcmp(other->name, client->name))
			continue;
		report_in_the_way(other);
		return -EEXIST;
	}
	client->id = ++zone->clients->last;
	list_add_tail(&client->link, &zone->clients->list);
	if (client->parent)
		client->parent->children++;
	return 0;
}

/**
 * myalloc_client_create() - create a client
 * @zone: the zone that it takes memory from
 * @args: its properties
 *
 * Context: task, may sleep.
 * Return: the client; ERR_PTR(-EINVAL) if the arguments are out of range or contradict each other,
 * -EEXIST if a client of the zone has the name, -ENOSPC if there are too many heaps and clients (a
 * message was printed for each), -ENOMEM.
 */
struct myalloc_client *myalloc_client_create(struct myalloc_zone *zone,
					     const struct myalloc_client_args *args)
{
	struct myalloc_client *client;
	int err;

	err = check_args(zone, args);
	if (err)
		return ERR_PTR(err);
	client = myalloc_env_zalloc_charged(sizeof(*client), zone->node);
	if (!client)
		return ERR_PTR(-ENOMEM);
	if (!has_list(zone)) {
		myalloc_env_free(client);
		return ERR_PTR(-ENOMEM);
	}
	init(client, zone, args, _RET_IP_);
	client->number = myalloc_owner_add(zone);
	if (!client->number) {
		myalloc_zone_err(zone, "client %s: there are %lu heaps and clients already, which is the most",
				 client->name, MYALLOC_OWNERS_KINDS - 1);
		myalloc_env_free(client);
		return ERR_PTR(-ENOSPC);
	}
	myalloc_owner_counts_for(zone, client->number, client);
	mutex_lock(&zone->clients->mutex);
	err = enlist(client);
	mutex_unlock(&zone->clients->mutex);
	if (err) {
		myalloc_owner_remove(zone, client->number);
		myalloc_env_free(client);
		return ERR_PTR(err);
	}
	return client;
}

/* --- pages -------------------------------------------------------------------------------- */

/**
 * myalloc_client_pages_alloc() - allocate pages for a client
 * @client: the client
 * @nr_pages: as for myalloc_pages_alloc_exact()
 * @align_order: the same
 * @flags: the same
 *
 * Context: as for myalloc_pages_alloc_exact().
 * Return: the same; NULL also if the quota of the client, or of one above it, does not allow them.
 */
void *myalloc_client_pages_alloc(struct myalloc_client *client, unsigned int nr_pages,
				 unsigned int align_order, myalloc_flags_t flags)
{
	myalloc_flags_might_wait(flags);
	return myalloc_extent_alloc(client->zone, nr_pages, align_order, flags, client->number,
				    _RET_IP_);
}

/**
 * myalloc_client_pages_free() - free pages of a client
 * @client: the client
 * @addr: their address, any value
 * @nr_pages: the number of pages that were allocated, any value
 *
 * myalloc_free() frees them too.
 *
 * Context: any.
 * Return: 0; -EINVAL if the client has not allocated that many pages there, or if their metadata is
 * damaged. Both are reported and counted, and the memory stays allocated.
 */
int myalloc_client_pages_free(struct myalloc_client *client, void *addr, unsigned int nr_pages)
{
	return myalloc_extent_free(client->zone, addr, nr_pages, client->number, _RET_IP_);
}

/* --- look ----------------------------------------------------------------------------------- */

/**
 * myalloc_client_walk() - visit the clients of a zone
 * @zone: the zone
 * @fn: called for each, in the order of their numbers; it must neither create nor end a client.
 *	False ends the walk
 * @arg: argument for @fn
 *
 * Context: task, may sleep.
 */
void myalloc_client_walk(struct myalloc_zone *zone, myalloc_client_fn fn, void *arg)
{
	struct myalloc_client *client;

	if (!READ_ONCE(zone->clients))
		return;
	mutex_lock(&zone->clients->mutex);
	list_for_each_entry(client, &zone->clients->list, link)
		if (!fn(client, arg))
			break;
	mutex_unlock(&zone->clients->mutex);
}

/* What a client has, and the first of each kind. */
struct has {
	const struct myalloc_client *client;
	struct myalloc_client_stats *stats;
	struct myalloc_cache *cache;
	struct myalloc_front *front;
};

static bool count_cache(struct myalloc_cache *cache, void *arg)
{
	struct has *has = arg;

	if (cache->client != has->client)
		return true;
	has->cache = has->cache ?: cache;
	has->stats->caches++;
	/* Those in limbo count until they are back. */
	has->stats->slab_pages += (u64)(myalloc_cache_slabs(cache) + data_race(cache->nr_limbo)) <<
				  cache->layout.order;
	return true;
}

static bool count_front(struct myalloc_front *front, void *arg)
{
	struct has *has = arg;

	if (front->client != has->client)
		return true;
	has->front = has->front ?: front;
	has->stats->fronts++;
	if (front->kind->pages)
		has->stats->front_pages += front->kind->pages(front);
	return true;
}

static bool count_extent(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
			 void *arg)
{
	struct myalloc_client_extents *extents = arg;

	extents->pages[myalloc_frame_owner(frame)] += myalloc_frame_pages(frame);
	return true;
}

/**
 * myalloc_client_extents() - count the extents of all owners
 * @zone: the zone
 * @extents: out
 *
 * A walk over all blocks; no mutex of clients is needed.
 *
 * Context: task, may sleep.
 */
void myalloc_client_extents(struct myalloc_zone *zone, struct myalloc_client_extents *extents)
{
	memset(extents, 0, sizeof(*extents));
	if (READ_ONCE(zone->clients))
		myalloc_zone_walk_blocks(zone, count_extent, extents);
}

/* Without its extents if @extents is NULL. */
static struct has look(const struct myalloc_client *client,
		       const struct myalloc_client_extents *extents,
		       struct myalloc_client_stats *stats)
{
	struct has has = { .client = client, .stats = stats };
	u32 owner;

	memset(stats, 0, sizeof(*stats));
	myalloc_front_walk(client->zone, NULL, count_front, &has);
	myalloc_zone_walk_caches(client->zone, count_cache, &has);
	for (owner = 0; extents && owner < MYALLOC_OWNERS_MAX; owner++)
		if (myalloc_client_of(client->zone, owner) == client)
			stats->extent_pages += extents->pages[owner];
	return has;
}

static u64 shown_quota(s64 quota)
{
	return quota == S64_MAX ? 0 : quota;
}

static u64 pages_below(const struct myalloc_client *client)
{
	const struct myalloc_client *other;
	u64 pages = 0;

	list_for_each_entry(other, &client->zone->clients->list, link)
		if (other->parent == client)
			pages += atomic64_read(&other->pages);
	return pages;
}

/**
 * myalloc_client_stats() - read the statistics of a client
 * @client: the client, which exists: the caller holds clients->mutex, or created it
 * @extents: from myalloc_client_extents(), counted before that mutex was taken, as it takes long
 * @stats: out; exact while no operation is in progress, except @below_pages, which needs
 *	clients->mutex to be exact
 *
 * Context: task, may sleep.
 */
void myalloc_client_stats(struct myalloc_client *client,
			  const struct myalloc_client_extents *extents,
			  struct myalloc_client_stats *stats)
{
	u64 now = myalloc_env_now_ns();

	look(client, extents, stats);
	stats->id = client->id;
	stats->parent = client->parent ? client->parent->id : 0;
	stats->pages = atomic64_read(&client->pages);
	stats->below_pages = pages_below(client);
	stats->peak_pages = atomic64_read(&client->peak);
	stats->soft_pages = shown_quota(client->soft);
	stats->hard_pages = shown_quota(client->hard);
	stats->over = atomic64_read(&client->over);
	stats->refused = atomic64_read(&client->refused);
	stats->age_ms = div_u64(now - client->since, 1000000);
	stats->children = client->children;
	stats->gone = client->gone;
}

/* --- end ------------------------------------------------------------------------------------ */

/* Prints the memory that a client holds, by call site. */
static void print_held(const struct myalloc_client *client)
{
	struct myalloc_sites sites;

	if (!myalloc_report_may(&client->zone->reports) ||
	    myalloc_sites_collect(&sites, client->zone, client, 0))
		return;
	myalloc_sites_print(&sites, "client", client->name, MYALLOC_CLIENT_SITES);
	myalloc_sites_free(&sites);
}

/* Returns why a client cannot end, which is reported, or 0. */
static int report_busy(struct myalloc_client *client)
{
	struct myalloc_client_extents extents;
	struct myalloc_client_stats stats;
	u64 pages;

	myalloc_client_extents(client->zone, &extents);
	look(client, &extents, &stats);
	if (!client->children && !stats.caches && !stats.fronts && !stats.extent_pages)
		return 0;
	print_held(client);
	pages = atomic64_read(&client->pages);
	myalloc_zone_err(client->zone,
			 "client %s cannot end: it has %u cache%s, %u front%s, %llu page%s, %u client%s below it",
			 client->name, stats.caches, myalloc_s(stats.caches), stats.fronts,
			 myalloc_s(stats.fronts), pages, myalloc_s(pages), client->children,
			 myalloc_s(client->children));
	return -EBUSY;
}

static void free_client(struct myalloc_client *client)
{
	struct myalloc_zone *zone = client->zone;

	mutex_lock(&zone->clients->mutex);
	list_del(&client->link);
	if (client->parent)
		client->parent->children--;
	mutex_unlock(&zone->clients->mutex);
	myalloc_owner_remove(zone, client->number);
	myalloc_env_free(client);
}

/* What myalloc_client_free_extents() is about to free. */
struct doomed {
	u32 number;
	bool poison;
};

static bool free_extent(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
			void *arg)
{
	void *addr = myalloc_frame_addr(zone, idx);
	const struct doomed *doomed = arg;
	u32 pages = myalloc_frame_pages(frame);

	if (myalloc_frame_owner(frame) != doomed->number)
		return true;
	if (doomed->poison)
		memset(addr, MYALLOC_POISON_FREE, (size_t)pages << PAGE_SHIFT);
	myalloc_extent_free(zone, addr, pages, doomed->number, _RET_IP_);
	return true;
}

/**
 * myalloc_client_free_extents() - free all extents of an owner
 * @zone: the zone
 * @number: number of the owner, whose extents must all be freed
 * @poison: fill them with MYALLOC_POISON_FREE first
 *
 * Context: task, may sleep.
 */
void myalloc_client_free_extents(struct myalloc_zone *zone, u32 number, bool poison)
{
	struct doomed doomed = { number, poison };

	myalloc_zone_walk_blocks(zone, free_extent, &doomed);
}

/* clients->ending held. Frees all that a client holds and ends it. */
static int release(struct myalloc_client *client, bool poison)
{
	struct myalloc_client_stats stats;
	struct has has;
	int err = 0;

	print_held(client);
	for (has = look(client, NULL, &stats); has.front && !err; has = look(client, NULL, &stats))
		err = has.front->kind->release(has.front, poison);
	for (; has.cache && !err; has = look(client, NULL, &stats)) {
		myalloc_cache_empty(has.cache, poison);
		err = myalloc_cache_destroy(has.cache);
	}
	myalloc_client_free_extents(client->zone, client->number, poison);
	err = err ?: report_busy(client);
	if (!err)
		free_client(client);
	return err;
}

static bool is_below(const struct myalloc_client *client, const struct myalloc_client *top)
{
	while (client && client != top)
		client = client->parent;
	return client;
}

/*
 * A client without others below it: @top, or the last one below it in the list, where each comes
 * behind the one above it.
 */
static struct myalloc_client *find_leaf(struct myalloc_client *top)
{
	struct myalloc_client *client, *leaf = top;

	mutex_lock(&top->zone->clients->mutex);
	list_for_each_entry(client, &top->zone->clients->list, link)
		if (is_below(client, top))
			leaf = client;
	mutex_unlock(&top->zone->clients->mutex);
	return leaf;
}

/* clients->ending held. */
static int release_all(struct myalloc_client *top, bool poison)
{
	struct myalloc_client *leaf;
	int err;

	do {
		leaf = find_leaf(top);
		myalloc_env_point("client-leaf");
		err = release(leaf, poison);
	} while (leaf != top && !err);
	return err;
}

static int check_release(struct myalloc_zone *zone, const char *name, unsigned int flags)
{
	if (flags == MYALLOC_RELEASE_ALL || flags == (MYALLOC_RELEASE_ALL | MYALLOC_RELEASE_POISON))
		return 0;
	myalloc_zone_err(zone, "client %s: unknown flags 0x%x, or poison without release", name,
			 flags);
	return -EINVAL;
}

/**
 * myalloc_client_end() - end a client
 * @client: the client, which is no longer in use; NULL is allowed
 * @flags: 0, or MYALLOC_RELEASE_ALL to free all that it and the clients below it hold, with
 *	MYALLOC_RELEASE_POISON after filling it with MYALLOC_POISON_FREE
 *
 * What it holds is printed by call site, also before it is released.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: 0; -EINVAL for unknown flags, which is reported; -EBUSY if it holds anything and is not
 * to release it, or if damaged metadata prevents that; then the client remains usable.
 */
int myalloc_client_end(struct myalloc_client *client, unsigned int flags)
{
	struct myalloc_clients *clients;
	int err;

	if (!client)
		return 0;
	if (!flags) {
		err = report_busy(client);
		if (!err)
			free_client(client);
		return err;
	}
	err = check_release(client->zone, client->name, flags);
	if (err)
		return err;
	clients = client->zone->clients;
	mutex_lock(&clients->ending);
	err = release_all(client, flags & MYALLOC_RELEASE_POISON);
	mutex_unlock(&clients->ending);
	return err;
}

/*
 * Find a client that its owner has left; -ENOENT or -EPERM. Once it is gone nobody has a pointer to
 * it, so only its number and the release of a client above it can end it.
 */
static struct myalloc_client *find_gone(struct myalloc_clients *clients, u64 id)
{
	struct myalloc_client *client, *found = ERR_PTR(-ENOENT);

	mutex_lock(&clients->mutex);
	list_for_each_entry(client, &clients->list, link)
		if (client->id == id)
			found = client->gone ? client : ERR_PTR(-EPERM);
	mutex_unlock(&clients->mutex);
	return found;
}

/**
 * myalloc_client_end_gone() - end a client whose owner is gone
 * @zone: the zone
 * @id: number of the client, any value
 * @flags: as for myalloc_client_end(), not 0
 *
 * The owner of a client above it may end both at the same time.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: as myalloc_client_end(); -ENOENT if there is no such client; -EPERM if its owner is not
 * gone.
 */
int myalloc_client_end_gone(struct myalloc_zone *zone, u64 id, unsigned int flags)
{
	struct myalloc_clients *clients = READ_ONCE(zone->clients);
	struct myalloc_client *client;
	int err;

	if (!clients)
		return -ENOENT;
	mutex_lock(&clients->ending);
	client = find_gone(clients, id);
	err = PTR_ERR_OR_ZERO(client) ?: check_release(zone, client->name, flags) ?:
	      release_all(client, flags & MYALLOC_RELEASE_POISON);
	mutex_unlock(&clients->ending);
	return err;
}

struct orphans {
	const struct myalloc_leaver *leaver;
	u32 nr;
};

static bool is_of(const struct myalloc_client *client, const struct myalloc_leaver *leaver)
{
	if (client->owner || !leaver->is_code)
		return client->owner == leaver->owner;
	return leaver->is_code(client->caller, leaver->owner);
}

static bool orphan(struct myalloc_client *client, void *arg)
{
	struct orphans *orphans = arg;
	u64 pages;

	if (client->gone || !is_of(client, orphans->leaver))
		return true;
	client->gone = true;
	if (!strcmp(client->owner_name, client->name))
		strscpy(client->owner_name, orphans->leaver->words, sizeof(client->owner_name));
	orphans->nr++;
	print_held(client);
	pages = atomic64_read(&client->pages);
	myalloc_zone_err(client->zone, "client %s: %s is gone and has left %llu page%s behind",
			 client->name, client->owner_name, pages, myalloc_s(pages));
	return true;
}

/**
 * myalloc_client_orphan() - an owner has gone away
 * @zone: the zone
 * @leaver: the owner
 *
 * The clients that it did not end are reported, with all that they hold, and stay.
 *
 * Context: task, may sleep.
 * Return: their number.
 */
u32 myalloc_client_orphan(struct myalloc_zone *zone, const struct myalloc_leaver *leaver)
{
	struct orphans orphans = { .leaver = leaver };

	myalloc_client_walk(zone, orphan, &orphans);
	return orphans.nr;
}
