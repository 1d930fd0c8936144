// SPDX-License-Identifier: GPL-2.0
/*
 * Draining: how cached memory returns to the buddy
 *
 * The walk over all layers that hold back memory (base/drainer.h), the handling of requests that
 * find no block, and the zone's worker. This file owns the walk because it owns the lock of the
 * zone. Each layer registers the functions that give back its memory.
 *
 * Drains: each online CPU empties its own magazines in interrupts that move at most DRAIN_MOST
 * things each, from as many stocks as necessary. A CPU without cached things is not interrupted:
 * any two consecutive interrupts together pass more than DRAIN_MOST things and stocks. Then each
 * drainer gives back its other memory.
 *
 * Requests that find no block: a request that may wait drains everything, and fails only if that
 * does not help. (If a CPU comes or goes for longer than CPUS_MS, it leaves out the magazines.) A
 * request that may not wait asks each drainer for the memory that it can give back at once, at most
 * DRAIN_MOST things from this CPU's magazines for all drainers together. It also posts a drain for
 * the worker. So its work does not depend on the number of caches or CPUs.
 * An elastic zone grows: at once for a request that may wait and was not helped by the drain, and
 * by the worker for others.
 *
 * The worker passes every MYALLOC_WORK_MS while anything is cached or deferred, and as often as a
 * drainer's settle function asks for. It drains CPUs that have done nothing since its last pass,
 * and calls the tend function of each drainer. So an idle CPU is drained within two passes, less
 * than a second. Runs that were asked for, to drain, grow or make magazines, do not postpone a
 * pass. When nothing is left it begins a new epoch of all magazines, and stops if nobody has used
 * them by its next pass, a grace period later. The first operation of each CPU after that takes the
 * slow path, as in every new epoch, which starts the worker again. So the fast paths need not tell
 * it that they cache something.
 *
 * Magazines for new CPUs: a CPU for which there are no magazines bypasses them and has the worker
 * run at once; the worker asks each drainer to make some. That takes two grace periods, and the
 * number of places doubles each time. If it fails, the CPU asks again after the worker's next
 * pass.
 *
 * Invariants
 *	W1  If nothing is allocated and nothing is lent, a drain returns every frame to the buddy.
 *	W2  While anything is cached or deferred and nobody is at work, the worker is posted.
 */
#include "env.h"
#include "page/bad_page.h"
#include "page/block.h"
#include "page/drain.h"
#include "page/lend.h"

/* Things and stocks that one interrupt of a drain handles */
#define DRAIN_MOST	256U
/* Quarantined blocks that one pass of the worker checks */
#define QUARANTINE_MOST	64
/* Frames that a drain or one pass of the worker checks for bad pages */
#define BAD_MOST	4096
/* Minimum time between two drains that failing requests ask for, ms */
#define DRAIN_MS	100U

/* How long a request waits for a CPU that comes or goes, ms */
#define CPUS_MS		200

/**
 * myalloc_drainer_add() - register a layer that holds back memory
 * @zone: the zone, under construction
 * @drainer: the layer's drainer, without stocks; it stays until the zone ends
 * @kind: one of MYALLOC_KIND_...
 * @ops: operations of the layer
 *
 * A layer must register before the layers that its memory goes back to, so that one drain returns
 * all of its memory.
 *
 * Context: task.
 */
void myalloc_drainer_add(struct myalloc_zone *zone, struct myalloc_drainer *drainer,
			 unsigned int kind, const struct myalloc_drainer_ops *ops)
{
	INIT_LIST_HEAD(&drainer->stocks);
	drainer->kind = kind;
	drainer->ops = ops;
	list_add_tail(&drainer->link, &zone->drainers);
}

/* --- drains ------------------------------------------------------------------ */

/**
 * struct sweep - a walk over stocks on one CPU
 * @zone: the zone
 * @only: the only stock to visit, or NULL to visit those of all drainers in @kinds
 * @kinds: kinds of drainers to visit
 * @drainer: drainer of @stock
 * @stock: the next stock; NULL at the end
 */
struct sweep {
	struct myalloc_zone *zone;
	struct myalloc_stock *only;
	unsigned int kinds;
	struct myalloc_drainer *drainer;
	struct myalloc_stock *stock;
};

/*
 * Sets @s->stock to the first stock of the drainers from @at on. Requires caches_mutex unless
 * @only is set.
 */
static void sweep_from(struct sweep *s, struct list_head *at)
{
	s->stock = NULL;
	for (; at != &s->zone->drainers && !s->stock; at = at->next) {
		s->drainer = list_entry(at, struct myalloc_drainer, link);
		if (s->drainer->kind & s->kinds)
			s->stock = list_first_entry_or_null(&s->drainer->stocks,
							    struct myalloc_stock, link);
	}
}

static void sweep_begin(struct sweep *s)
{
	if (s->only)
		s->stock = s->only;
	else
		sweep_from(s, s->zone->drainers.next);
}

static void sweep_next(struct sweep *s)
{
	if (s->only)
		s->stock = NULL;
	else if (list_is_last(&s->stock->link, &s->drainer->stocks))
		sweep_from(s, s->drainer->link.next);
	else
		s->stock = list_next_entry(s->stock, link);
}

/* Runs on the CPU that owns the magazines, interrupts off; continues where it stopped. */
static void sweep_here(void *arg)
{
	struct sweep *s = arg;
	u32 used = 0;

	while (s->stock && used < DRAIN_MOST) {
		u32 most = used ? DRAIN_MOST - used : MYALLOC_DRAIN_BUSY - 1, nr;

		nr = myalloc_magazines_drain_here(s->stock->mags, most, s->stock->flush,
						  s->stock->owner);
		if (nr > most)	/* for the next interrupt; also if it is in use just now */
			break;
		used += nr + 1;
		sweep_next(s);
	}
}

/* Advances to the next stock of which the CPU has anything cached. */
static void sweep_skip(struct sweep *s, int cpu)
{
	while (s->stock && !myalloc_magazines_count_cpu(s->stock->mags, cpu))
		sweep_next(s);
}

static void sweep_cpu(struct sweep *s, int cpu)
{
	sweep_begin(s);
	sweep_skip(s, cpu);
	if (cpu_online(cpu)) {
		for (; s->stock; sweep_skip(s, cpu), cond_resched())
			if (myalloc_env_call_on_cpu(cpu, sweep_here, s))
				break;
		return;
	}
	for (; s->stock; sweep_next(s))
		myalloc_magazines_drain_cpu(s->stock->mags, cpu, s->stock->flush,
					    s->stock->owner);
}

/* Sweeps every CPU and the depots; caches_mutex and cpus_read_lock held. */
static void sweep(struct sweep *s)
{
	int cpu;

	for_each_possible_cpu(cpu)
		sweep_cpu(s, cpu);
	for (sweep_begin(s); s->stock; sweep_next(s))
		myalloc_magazines_drain_depot(s->stock->mags, s->stock->flush, s->stock->owner);
}

/**
 * myalloc_stock_drain() - empty the magazines of one stock
 * @zone: the zone
 * @stock: a stock of one of its drainers
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 */
void myalloc_stock_drain(struct myalloc_zone *zone, struct myalloc_stock *stock)
{
	struct sweep s = { .zone = zone, .only = stock };
	unsigned int noio;

	myalloc_env_cpus_read_lock();
	noio = myalloc_caches_lock(zone);
	sweep(&s);
	myalloc_caches_unlock(zone, noio);
	myalloc_env_cpus_read_unlock();
}

/*
 * Keep CPUs from coming and going. A CPU that comes waits for memory, and so perhaps for file
 * systems; a task that may not wait for those does not wait for it. A @request may itself be made
 * in the course of that, by a hotplug callback, so it waits for a limited time. Returns false if
 * CPUs are not held.
 */
static bool hold_cpus(bool request)
{
	bool wait = myalloc_env_may_reclaim();
	u32 begin = myalloc_now_ms();

	if (likely(wait && !request)) {
		myalloc_env_cpus_read_lock();
		return true;
	}
	while (!myalloc_env_cpus_read_trylock()) {
		if (!wait || myalloc_now_ms() - begin >= CPUS_MS)
			return false;
		myalloc_env_nap();
	}
	return true;
}

/* Returns the number of pages by which the buddy's free memory has grown. */
static unsigned long drain(struct myalloc_zone *zone, unsigned int kinds, bool request)
{
	u32 before = data_race(zone->buddy.nr_free), after;	/* a snapshot */
	struct sweep s = { .zone = zone, .kinds = kinds };
	struct myalloc_drainer *d;
	unsigned int noio;
	bool cpus;

	atomic64_inc(&zone->drains);
	cpus = hold_cpus(request);
	noio = myalloc_caches_lock(zone);
	if (likely(cpus))
		sweep(&s);
	list_for_each_entry(d, &zone->drainers, link)
		if (d->kind & kinds && d->ops->drain)
			d->ops->drain(d);
	myalloc_caches_unlock(zone, noio);
	if (likely(cpus))
		myalloc_env_cpus_read_unlock();
	list_for_each_entry(d, &zone->drainers, link)
		if (d->kind & kinds && d->ops->finish)
			d->ops->finish(d);
	if (kinds == MYALLOC_KIND_ALL) {
		noio = myalloc_caches_lock(zone);
		myalloc_quarantine_drain(zone);
		myalloc_caches_unlock(zone, noio);
		myalloc_bad_poll(zone, BAD_MOST);
		myalloc_zone_reap_all(zone);
	}
	after = data_race(zone->buddy.nr_free);	/* a snapshot */
	return after > before ? after - before : 0;
}

/**
 * myalloc_zone_drain_kinds() - give back cached memory of some kinds to the buddy
 * @zone: the zone
 * @kinds: MYALLOC_KIND_PAGES, MYALLOC_KIND_OBJECTS, or MYALLOC_KIND_ALL
 *
 * Waits for a grace period if there are empty slabs. If a CPU comes or goes at the moment, and the
 * task may not wait for file systems or devices, magazines stay as they are.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: the number of pages by which the buddy's free memory has grown.
 */
unsigned long myalloc_zone_drain_kinds(struct myalloc_zone *zone, unsigned int kinds)
{
	return drain(zone, kinds, false);
}

/**
 * myalloc_zone_drain_request() - give back all cached memory for a request that may wait
 * @zone: the zone
 *
 * As myalloc_zone_drain(), but if a CPU comes or goes for longer than CPUS_MS, or the caller is a
 * callback of that, magazines stay as they are.
 *
 * Context: task, may sleep.
 */
void myalloc_zone_drain_request(struct myalloc_zone *zone)
{
	drain(zone, MYALLOC_KIND_ALL, true);
}

/**
 * myalloc_zone_drain() - give back all cached memory to the buddy
 * @zone: the zone
 *
 * Empties the magazines of all caches and of pages on every CPU, and gives back empty slabs,
 * deferred frees, and quarantined blocks that are no longer referenced. Waits for a grace period
 * if there are empty slabs.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks, which use myalloc_zone_drain_cpu().
 * Return: the number of pages by which the buddy's free memory has grown.
 */
unsigned long myalloc_zone_drain(struct myalloc_zone *zone)
{
	return myalloc_zone_drain_kinds(zone, MYALLOC_KIND_ALL);
}

/**
 * myalloc_zone_drain_cpu() - give back the memory that an offline CPU has cached
 * @zone: the zone
 * @cpu: number of the CPU, which stays offline during the call
 *
 * Context: task, may sleep.
 */
void myalloc_zone_drain_cpu(struct myalloc_zone *zone, int cpu)
{
	struct sweep s = { .zone = zone, .kinds = MYALLOC_KIND_ALL };
	struct myalloc_drainer *d;
	unsigned int noio;

	noio = myalloc_caches_lock(zone);
	sweep_cpu(&s, cpu);
	list_for_each_entry(d, &zone->drainers, link)
		if (d->ops->drain_cpu)
			d->ops->drain_cpu(d, cpu);
	myalloc_caches_unlock(zone, noio);
}

/* Milliseconds until the next pass is due, at least 1; 0 if it is due now. */
static unsigned int until_look(const struct myalloc_zone *zone)
{
	u32 passed = myalloc_now_ms() - READ_ONCE(zone->last_look);

	return passed < MYALLOC_WORK_MS ? MYALLOC_WORK_MS - passed : 0;
}

/* --- requests that find no block ------------------------------------------------- */

/**
 * myalloc_stock_reclaim() - empty the magazines that this CPU has in a stock
 * @stock: the stock
 * @most: in: if more things than this are cached, does nothing; out: reduced by the number of
 *	things given back
 *
 * Context: any but NMI, preemption off.
 * Return: the number of things given back.
 */
u32 myalloc_stock_reclaim(struct myalloc_stock *stock, u32 *most)
{
	u32 nr = myalloc_magazines_drain_here(stock->mags, *most, stock->flush, stock->owner);

	if (nr > *most)
		return 0;
	*most -= nr;
	return nr;
}

/**
 * myalloc_zone_reclaim() - reclaim memory after a request has found no block
 * @zone: the zone
 *
 * Gives back the memory that can be given back at once and in bounded time, and has the worker
 * give back the rest.
 *
 * Context: any; in NMI it only notifies the worker.
 * Return: true if something was given back, so that the request should be tried again.
 */
bool myalloc_zone_reclaim(struct myalloc_zone *zone)
{
	struct myalloc_drainer *d;
	u32 most = DRAIN_MOST;
	bool any = false;

	WRITE_ONCE(zone->want_drain, true);
	myalloc_zone_post(zone, myalloc_now_ms() - READ_ONCE(zone->last_drain) < DRAIN_MS ?
			  DRAIN_MS : 0);
	if (in_nmi())
		return false;
	list_for_each_entry(d, &zone->drainers, link)
		any |= d->ops->reclaim && d->ops->reclaim(d, &most);
	return any;
}

/**
 * myalloc_zone_make_room() - help a request that may wait and has found no block
 * @zone: the zone
 * @order: log2 of the pages that the request needs, any value
 *
 * Drains everything. If there is no block of @order even then, takes more memory from the system,
 * if the zone is elastic.
 *
 * Context: task, may sleep.
 */
void myalloc_zone_make_room(struct myalloc_zone *zone, unsigned int order)
{
	struct myalloc_drainer *d;

	myalloc_zone_drain_request(zone);
	list_for_each_entry(d, &zone->drainers, link)
		if (d->ops->room)
			d->ops->room(d, order);
}

/* --- the worker ------------------------------------------------------------------ */

/* caches_mutex held. Returns a number that grows with each operation on the CPU. */
static u64 cpu_moves(struct myalloc_zone *zone, int cpu)
{
	struct sweep s = { .zone = zone, .kinds = MYALLOC_KIND_ALL };
	u64 moves = 0;

	for (sweep_begin(&s); s.stock; sweep_next(&s))
		moves += myalloc_magazines_moves_cpu(s.stock->mags, cpu);
	return moves;
}

/* caches_mutex and cpus_read_lock held. Drains CPUs that have been idle since the last pass. */
static void drain_idle_cpus(struct myalloc_zone *zone)
{
	struct sweep s = { .zone = zone, .kinds = MYALLOC_KIND_ALL };
	int cpu;

	for_each_online_cpu(cpu) {
		u64 *seen = per_cpu_ptr(zone->seen_cpu, cpu);
		u64 moves = cpu_moves(zone, cpu);

		if (moves == *seen)
			sweep_cpu(&s, cpu);
		*seen = moves;
		cond_resched();
	}
}

/* Returns whether anything is left that may become unused. */
static bool look_after(struct myalloc_zone *zone)
{
	struct myalloc_drainer *d;
	unsigned int noio;
	bool any = false;

	myalloc_env_cpus_read_lock();
	noio = myalloc_caches_lock(zone);
	drain_idle_cpus(zone);
	list_for_each_entry(d, &zone->drainers, link)
		any |= d->ops->tend && d->ops->tend(d);
	myalloc_quarantine_poll(zone, QUARANTINE_MOST);	/* under the mutex, for drains: W1 */
	myalloc_caches_unlock(zone, noio);
	myalloc_env_cpus_read_unlock();

	if (atomic64_read(&zone->deferred.nr))
		myalloc_zone_reap_all(zone);
	myalloc_bad_poll(zone, BAD_MOST);
	return any || atomic64_read(&zone->nr_quarantined);
}

/* Nothing is cached. Have the next operation of each CPU take the slow path. */
static void rest(struct myalloc_zone *zone)
{
	struct myalloc_drainer *d;
	unsigned int noio;

	WRITE_ONCE(zone->used, false);
	myalloc_env_cpus_read_lock();
	noio = myalloc_caches_lock(zone);
	list_for_each_entry(d, &zone->drainers, link)
		if (d->ops->renew)
			d->ops->renew(d);
	myalloc_caches_unlock(zone, noio);
	myalloc_env_cpus_read_unlock();
	zone->rest_moment = myalloc_env_gp_start();
	zone->resting = true;
}

/*
 * Look after everything. Returns whether to do so again: also once more after nothing was left,
 * because a CPU that was at work on its magazines then may have put something in.
 */
static bool look_again(struct myalloc_zone *zone)
{
	bool any = look_after(zone);

	WRITE_ONCE(zone->last_look, myalloc_now_ms());
	if (!any && zone->resting && !READ_ONCE(zone->used))
		return !myalloc_env_gp_passed(zone->rest_moment);
	zone->resting = false;
	if (!any)
		rest(zone);
	return true;
}

static void serve(struct myalloc_zone *zone)
{
	struct myalloc_drainer *d;
	unsigned int noio;

	myalloc_env_cpus_read_lock();
	noio = myalloc_caches_lock(zone);
	list_for_each_entry(d, &zone->drainers, link)
		if (d->ops->serve)
			d->ops->serve(d);
	myalloc_caches_unlock(zone, noio);
	myalloc_env_cpus_read_unlock();
}

/* Executes the requests that were posted. Returns false if there were none. */
static bool answer(struct myalloc_zone *zone)
{
	bool any = zone->elastic && READ_ONCE(zone->elastic->want);	/* its settle() grows */

	if (READ_ONCE(zone->want_magazines)) {
		WRITE_ONCE(zone->want_magazines, false);
		serve(zone);
		any = true;
	}
	if (READ_ONCE(zone->want_drain)) {
		WRITE_ONCE(zone->want_drain, false);
		WRITE_ONCE(zone->last_drain, myalloc_now_ms());
		myalloc_zone_drain(zone);
		any = true;
	}
	return any;
}

/*
 * A run that was asked for comes at any time, and one that continues what waits for a grace period
 * comes when that may have passed. Neither looks which CPUs were idle since the last pass if that
 * is too short a time ago, and neither postpones the next pass.
 */
static void work(struct myalloc_env_work *w)
{
	struct myalloc_zone *zone = container_of(w, struct myalloc_zone, work);
	bool settling = READ_ONCE(zone->settling);
	unsigned int ms, soon;
	struct myalloc_drainer *d;

	WRITE_ONCE(zone->settling, false);
	ms = answer(zone) || settling ? until_look(zone) : 0;
	if (!ms && look_again(zone))
		ms = MYALLOC_WORK_MS;
	list_for_each_entry(d, &zone->drainers, link) {
		soon = d->ops->settle ? d->ops->settle(d) : 0;
		if (!soon || (ms && soon >= ms))
			continue;
		ms = soon;
		WRITE_ONCE(zone->settling, true);
	}
	if (ms)
		myalloc_zone_post(zone, ms);
}

/**
 * myalloc_drain_init() - initialise the drainers and the worker of a zone
 * @zone: the zone, under construction
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM if out of memory.
 */
int myalloc_drain_init(struct myalloc_zone *zone)
{
	INIT_LIST_HEAD(&zone->drainers);
	myalloc_env_work_init(&zone->work, work);
	zone->last_look = myalloc_now_ms();
	zone->seen_cpu = myalloc_env_alloc_percpu(sizeof(u64), sizeof(u64));
	return zone->seen_cpu ? 0 : -ENOMEM;
}

/**
 * myalloc_drain_stop() - stop the worker for good
 * @zone: the zone, no longer in use
 *
 * Context: task, may sleep.
 */
void myalloc_drain_stop(struct myalloc_zone *zone)
{
	/* The worker posts itself; without this flag it could do so after the stop. */
	WRITE_ONCE(zone->no_worker, true);
	myalloc_env_work_stop(&zone->work);
}

/**
 * myalloc_drainers_fini() - end the layers of a zone, in the order in which they registered
 * @zone: the zone, its worker stopped; nothing is allocated
 *
 * Context: task, may sleep.
 */
void myalloc_drainers_fini(struct myalloc_zone *zone)
{
	struct myalloc_drainer *d, *next;

	list_for_each_entry_safe(d, next, &zone->drainers, link)
		if (d->ops->fini)
			d->ops->fini(d);
}

/**
 * myalloc_drain_fini() - free the memory of the worker
 * @zone: the zone, its worker stopped
 *
 * Context: task, may sleep.
 */
void myalloc_drain_fini(struct myalloc_zone *zone)
{
	myalloc_env_free_percpu(zone->seen_cpu);
}
