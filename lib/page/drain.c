// SPDX-License-Identifier: GPL-2.0
/*
 * The way back to the buddy: drains, requests that find no block, the zone's worker
 *
 * What it is: the walk over whatever layers keep back (base/drainer.h). This room owns the zone's
 * lock, so the walk is here; what a layer keeps back, and how it gives it up, it says when it
 * registers.
 *
 * Drains: each online CPU empties its own magazines in interrupts of at most DRAIN_MOST things,
 * whatever number of stocks they are from, and only if it has any: of what it has, and the stocks
 * between, two interrupts in a row pass more than DRAIN_MOST. Then each drainer gives back what
 * else it has.
 *
 * Requests that find no block: one that may wait drains everything, and fails only if that did not
 * help. One that may not wait asks each drainer for what it can give at once, which is at most
 * DRAIN_MOST things out of this CPU's magazines for all of them together, and then fails and posts
 * a drain for the worker. So what it does does not depend on the number of caches or CPUs.
 *
 * The worker runs every MYALLOC_WORK_MS while anything is cached: it drains CPUs that have done
 * nothing since its last run, and has each drainer look after its own. When there is nothing to
 * look after any more, it stops until there is.
 *
 * Magazines for those who come: a CPU that comes to magazines which have none for it works past
 * them and has the worker run at once, who has each drainer make some. That takes as long as two
 * grace periods, and there are twice as many each time. Where that cannot be, the CPU asks again
 * after the next run.
 *
 * Invariant
 *	W1  With nothing live and nothing lent, a drain gives every frame back to the buddy.
 */
#include "env.h"
#include "page/bad_page.h"
#include "page/block.h"
#include "page/drain.h"
#include "page/lend.h"

/* Things and magazines that one interrupt of a drain passes. */
#define DRAIN_MOST	256U
/* Blocks in quarantine that one run of the worker looks at. */
#define QUARANTINE_MOST	64
/* Frames that a drain, or one run of the worker, looks at for pages reported as bad. */
#define BAD_MOST	4096
/* Milliseconds between two drains that failing requests ask for. */
#define DRAIN_MS	100

/**
 * myalloc_drainer_add() - register a layer that keeps memory back
 * @zone: a zone that is being made
 * @drainer: embedded in it, without stocks
 * @kind: one of MYALLOC_KIND_...
 * @ops: what it does
 *
 * A layer comes before those that its memory goes back to, so that one drain takes all of it.
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
 * @only: this stock alone, or NULL for what @kinds says
 * @kinds: of the drainers
 * @drainer: of @stock
 * @stock: the next one; NULL at the end
 */
struct sweep {
	struct myalloc_zone *zone;
	struct myalloc_stock *only;
	unsigned int kinds;
	struct myalloc_drainer *drainer;
	struct myalloc_stock *stock;
};

/* caches_mutex held, unless @only. The first stock of the drainers from @at on. */
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

/* On the CPU whose magazines they are, interrupts off. Goes on where it was. */
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

/* On to the next stock of which the CPU has anything. */
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

/* On every CPU, and the depots; caches_mutex and cpus_read_lock held. */
static void sweep(struct sweep *s)
{
	int cpu;

	for_each_possible_cpu(cpu)
		sweep_cpu(s, cpu);
	for (sweep_begin(s); s->stock; sweep_next(s))
		myalloc_magazines_drain_depot(s->stock->mags, s->stock->flush, s->stock->owner);
}

/**
 * myalloc_stock_drain() - take what is in one stock's magazines back
 * @zone: the zone
 * @stock: of one of its drainers
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 */
void myalloc_stock_drain(struct myalloc_zone *zone, struct myalloc_stock *stock)
{
	struct sweep s = { .zone = zone, .only = stock };

	myalloc_env_cpus_read_lock();
	mutex_lock(&zone->caches_mutex);
	sweep(&s);
	mutex_unlock(&zone->caches_mutex);
	myalloc_env_cpus_read_unlock();
}

/**
 * myalloc_zone_drain_kinds() - give back to the buddy what is cached of some kinds
 * @zone: the zone
 * @kinds: MYALLOC_KIND_PAGES, MYALLOC_KIND_OBJECTS, or MYALLOC_KIND_ALL
 *
 * Waits for a grace period if there are empty slabs.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: pages that the buddy has more than before.
 */
unsigned long myalloc_zone_drain_kinds(struct myalloc_zone *zone, unsigned int kinds)
{
	u32 before = data_race(zone->buddy.nr_free), after;	/* a sum of moments */
	struct sweep s = { .zone = zone, .kinds = kinds };
	struct myalloc_drainer *d;

	atomic64_inc(&zone->drains);
	myalloc_env_cpus_read_lock();
	mutex_lock(&zone->caches_mutex);
	sweep(&s);
	list_for_each_entry(d, &zone->drainers, link)
		if (d->kind & kinds && d->ops->drain)
			d->ops->drain(d);
	mutex_unlock(&zone->caches_mutex);
	myalloc_env_cpus_read_unlock();
	list_for_each_entry(d, &zone->drainers, link)
		if (d->kind & kinds && d->ops->finish)
			d->ops->finish(d);
	if (kinds == MYALLOC_KIND_ALL) {
		myalloc_quarantine_drain(zone);
		myalloc_bad_poll(zone, BAD_MOST);
		myalloc_zone_reap_all(zone);
	}
	after = data_race(zone->buddy.nr_free);	/* a sum of moments */
	return after > before ? after - before : 0;
}

/**
 * myalloc_zone_drain() - give back to the buddy whatever is cached
 * @zone: the zone
 *
 * Magazines of every cache and of pages on every CPU, empty slabs, deferred frees, and quarantined
 * blocks that nobody refers to any more. Waits for a grace period if there are empty slabs.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks, which have
 * myalloc_zone_drain_cpu().
 * Return: pages that the buddy has more than before.
 */
unsigned long myalloc_zone_drain(struct myalloc_zone *zone)
{
	return myalloc_zone_drain_kinds(zone, MYALLOC_KIND_ALL);
}

/**
 * myalloc_zone_drain_cpu() - give back what a CPU that is gone has cached
 * @zone: the zone
 * @cpu: its number; it is offline and stays so meanwhile
 *
 * Context: task, may sleep.
 */
void myalloc_zone_drain_cpu(struct myalloc_zone *zone, int cpu)
{
	struct sweep s = { .zone = zone, .kinds = MYALLOC_KIND_ALL };

	mutex_lock(&zone->caches_mutex);
	sweep_cpu(&s, cpu);
	mutex_unlock(&zone->caches_mutex);
}

/* --- requests that find no block ------------------------------------------------- */

/**
 * myalloc_stock_reclaim() - take back what this CPU has in the magazines of a stock
 * @stock: the stock
 * @most: nothing, if that would be more than so many; becomes less by what there was
 *
 * Context: any but NMI, preemption off.
 * Return: how many things.
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
 * myalloc_zone_reclaim() - a request has found no block
 * @zone: the zone
 *
 * Takes back what can be had at once and in bounded time; has the worker take back the rest.
 *
 * Context: any; in NMI only the worker is told.
 * Return: true if something came back, so that it is worth another try.
 */
bool myalloc_zone_reclaim(struct myalloc_zone *zone)
{
	struct myalloc_drainer *d;
	u32 most = DRAIN_MOST;
	bool any = false;

	WRITE_ONCE(zone->want_drain, true);
	myalloc_zone_post(zone, myalloc_env_now_ns() - READ_ONCE(zone->last_drain) <
			  DRAIN_MS * 1000000ULL ? DRAIN_MS : 0);
	if (in_nmi())
		return false;
	list_for_each_entry(d, &zone->drainers, link)
		any |= d->ops->reclaim(d, &most);
	return any;
}

/* --- the worker ------------------------------------------------------------------ */

/* caches_mutex held. Grows with what the CPU does. */
static u64 cpu_moves(struct myalloc_zone *zone, int cpu)
{
	struct sweep s = { .zone = zone, .kinds = MYALLOC_KIND_ALL };
	u64 moves = 0;

	for (sweep_begin(&s); s.stock; sweep_next(&s))
		moves += myalloc_magazines_moves_cpu(s.stock->mags, cpu);
	return moves;
}

/* caches_mutex and cpus_read_lock held. Drains CPUs that did nothing. */
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

/* Is there anything left that may become idle? */
static bool look_after(struct myalloc_zone *zone)
{
	struct myalloc_drainer *d;
	bool any = false;

	myalloc_env_cpus_read_lock();
	mutex_lock(&zone->caches_mutex);
	drain_idle_cpus(zone);
	list_for_each_entry(d, &zone->drainers, link)
		any |= d->ops->tend(d);
	mutex_unlock(&zone->caches_mutex);
	myalloc_env_cpus_read_unlock();

	myalloc_quarantine_poll(zone, QUARANTINE_MOST);
	myalloc_bad_poll(zone, BAD_MOST);
	return any || atomic64_read(&zone->nr_quarantined);
}

static void serve(struct myalloc_zone *zone)
{
	struct myalloc_drainer *d;

	myalloc_env_cpus_read_lock();
	mutex_lock(&zone->caches_mutex);
	list_for_each_entry(d, &zone->drainers, link)
		d->ops->serve(d);
	mutex_unlock(&zone->caches_mutex);
	myalloc_env_cpus_read_unlock();
}

static void work(struct myalloc_env_work *w)
{
	struct myalloc_zone *zone = container_of(w, struct myalloc_zone, work);
	unsigned int ms = MYALLOC_WORK_MS, soon;
	bool asked = READ_ONCE(zone->want_magazines);
	struct myalloc_drainer *d;

	if (asked) {
		WRITE_ONCE(zone->want_magazines, false);
		serve(zone);
	}
	if (READ_ONCE(zone->want_drain)) {
		WRITE_ONCE(zone->want_drain, false);
		WRITE_ONCE(zone->last_drain, myalloc_env_now_ns());
		myalloc_zone_drain(zone);
	} else if (!asked && !look_after(zone)) {
		ms = 0;
	}
	list_for_each_entry(d, &zone->drainers, link) {
		soon = d->ops->settle ? d->ops->settle(d) : 0;
		if (soon)
			ms = soon;
	}
	if (ms)
		myalloc_zone_post(zone, ms);
}

/**
 * myalloc_drain_init() - drainers and worker of a zone that is being made
 * @zone: the zone
 *
 * Context: task, may sleep.
 * Return: 0, -ENOMEM.
 */
int myalloc_drain_init(struct myalloc_zone *zone)
{
	INIT_LIST_HEAD(&zone->drainers);
	myalloc_env_work_init(&zone->work, work);
	zone->seen_cpu = myalloc_env_alloc_percpu(sizeof(u64), sizeof(u64));
	return zone->seen_cpu ? 0 : -ENOMEM;
}

/**
 * myalloc_drain_stop() - the worker will not run again
 * @zone: the zone, which nobody uses any more
 *
 * Context: task, may sleep.
 */
void myalloc_drain_stop(struct myalloc_zone *zone)
{
	/* It posts itself; so from the next run on it must not, or it would escape the stop. */
	WRITE_ONCE(zone->no_worker, true);
	myalloc_env_work_stop(&zone->work);
}

/* Frees what myalloc_drain_init() has taken; the worker is stopped. */
void myalloc_drain_fini(struct myalloc_zone *zone)
{
	myalloc_env_free_percpu(zone->seen_cpu);
}
