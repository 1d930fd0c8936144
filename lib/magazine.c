// SPDX-License-Identifier: GPL-2.0
/*
 * Magazines and the depot
 *
 * What it is: the per-CPU layer of Bonwick and Adams, "Magazines and Vmem" (USENIX
 * 2001), used alike in front of the zone for pages (pcp.c) and in front of the
 * slabs for objects (slab.c). Linux since 6.18 has the same in SLUB under the names
 * sheaf and barn.
 *
 * Terms and structures
 *
 *	CPU 0			CPU 1			depot
 *	loaded   [###....]	loaded   [######.]	full  -> [#######] -> [#######]
 *	previous [#######]	previous [.......]	empty -> [.......]
 *
 * A get takes from loaded. If it is empty and previous is full they change places;
 * if both are empty, a full one comes from the depot for an empty one. Only if there
 * is none must the owner refill. A put is the mirror image. Two magazines a CPU mean
 * that at least a magazine's worth of gets or puts lies between two visits to the
 * depot, whatever their order.
 *
 * The fast path: what each step is for
 *	- preemption off: nobody else gets this CPU's magazines. Interrupts stay on.
 *	- guard: an interrupt that comes in between must not see half-done work. It finds the guard
 *	  busy and goes to the slow path of the owner. One that comes before it is set to busy has
 *	  finished its own work when we go on, and top is read only after that. So plain loads
 *	  and stores are enough: everything that touches the guard runs on this CPU, properly
 *	  nested. While nobody is at work the guard holds an era, and one comparison tells both
 *	  that it is not busy and that used slots (below) may be believed. Owners who want every
 *	  operation to take the slow path have an era that never compares equal.
 *	- top: the stack pointer. Below the lowest and above the highest slot lies a guard, whose
 *	  state is never the one looked for: that the magazine is empty needs no test of its own.
 *	- state: one byte for each thing, that says whether the user or the allocator has it.
 *	  Only the one who has the thing writes it, so it needs no atomic. A put that finds
 *	  it not with the user is a double free; a get that finds it not with the allocator
 *	  stops the one case that a plain byte can miss, two frees of the same thing at the
 *	  same moment on two CPUs. A byte, and not a bit, because neighbours belong to
 *	  different CPUs; a locked bit operation costs more than all the rest together.
 *	- slot: the address and its state. The state need not be found again at a get.
 *	- nr_gets, nr_puts: the books.
 *	The thing itself is not touched.
 *
 * Used slots: a slot that was emptied still says what was in it. What comes back is often
 * what was handed out last, and then lies at top: its state is there and need not be found
 * from the address either. That is as safe as finding it as long as the state is still where
 * it was. Owners whose states can go (slab.c: with their slab) begin a new era first; then the
 * next operation on each CPU takes the slow path, which wipes the used slots. The era of a
 * magazine goes with it through the depot. The check of the state itself is the same either
 * way. Like the check of a slab's tag in the longer way, it is certain for what the user has,
 * and for a wrong free unless that races with the very release of the slab.
 *
 * Depot: two stacks of magazines, lock-free (Treiber 1986), so that an exchange needs
 * no lock and no masking of interrupts. The head is one 64-bit word:
 *
 *	63        32 31     16 15       0
 *	[ tag      ][ depth   ][ top + 1 ]
 *
 * The tag grows with every change, so a head that was popped and pushed back in
 * between does not compare equal (the ABA problem). Reading next of a magazine that
 * somebody else just took is harmless: magazines are never freed while the owner lives,
 * and the exchange then fails. 2^32 changes would have to pass between a load and its
 * compare-exchange for a tag to repeat.
 *
 * Invariants
 *	M1  Every magazine is in exactly one place: loaded or previous of one CPU, the
 *	    full stack, the empty stack, or in the hands of somebody between enter and
 *	    leave (or draining).
 *	M2  Magazines in the full stack have count == capacity, in the empty stack 0;
 *	    previous has one of the two.
 *	M3  Every slot below count has *state == cached.
 *	M4  The states of guards, of slots never used and of wiped ones point to a guard byte.
 *	    Those of used slots of the current era point to the state of the thing at addr.
 *
 * Bounds: every step here is O(1). All memory is allocated by init; nothing is ever
 * allocated or freed later.
 *
 * Locking: none. NMI-safe: where the 64-bit compare-exchange is an instruction.
 */
#include "env.h"
#include "magazine.h"
#include "myalloc.h"

#define TOP_MASK	0xffffULL
#define DEPTH_SHIFT	16
#define TAG_SHIFT	32

/* The number of a magazine is 16 bits, and 0 means none. */
#define MAGAZINES_MAX	65535

static struct myalloc_magazine *mag_nr(const struct myalloc_magazines *m, u32 nr)
{
	return m->pool + (size_t)nr * m->stride;
}

static u32 nr_mag(const struct myalloc_magazines *m, const struct myalloc_magazine *mag)
{
	return (u32)(((const char *)mag - (const char *)m->pool) / m->stride);
}

static void depot_push(struct myalloc_magazines *m, atomic64_t *head,
		       struct myalloc_magazine *mag)
{
	s64 old = atomic64_read(head);
	u64 new;

	do {
		WRITE_ONCE(mag->next, old & TOP_MASK);
		new = (((u64)old >> TAG_SHIFT) + 1) << TAG_SHIFT |
		      ((((u64)old >> DEPTH_SHIFT) + 1) & 0xffff) << DEPTH_SHIFT |
		      (nr_mag(m, mag) + 1);
		myalloc_env_point("depot-push");
	} while (!atomic64_try_cmpxchg(head, &old, new));
}

static struct myalloc_magazine *depot_pop(struct myalloc_magazines *m, atomic64_t *head)
{
	struct myalloc_magazine *mag;
	s64 old = atomic64_read(head);
	u64 new;

	do {
		if (!(old & TOP_MASK))
			return NULL;
		mag = mag_nr(m, (old & TOP_MASK) - 1);
		new = (((u64)old >> TAG_SHIFT) + 1) << TAG_SHIFT |
		      ((((u64)old >> DEPTH_SHIFT) - 1) & 0xffff) << DEPTH_SHIFT |
		      READ_ONCE(mag->next);
		myalloc_env_point("depot-pop");
	} while (!atomic64_try_cmpxchg(head, &old, new));
	return mag;
}

static void wipe(struct myalloc_magazine *mag, struct myalloc_slot *slot,
		 const struct myalloc_slot *end)
{
	for (; slot < end; slot++) {
		slot->addr = NULL;
		slot->state = (u8 *)&mag->guard;
	}
}

static void set_loaded(struct myalloc_magazines *m, struct myalloc_magazine_cpu *cpu,
		       struct myalloc_magazine *mag)
{
	cpu->loaded = mag;
	cpu->era = mag->era;
	cpu->end = myalloc_magazine_first(mag) + m->capacity;
	myalloc_magazine_set_count(cpu, mag->count);
}

static u32 depot_depth(const atomic64_t *head)
{
	return ((u64)atomic64_read(head) >> DEPTH_SHIFT) & 0xffff;
}

/**
 * myalloc_magazines_init() - make magazines for every possible CPU and a depot
 * @m: to be filled in
 * @capacity: slots in a magazine; 0 for no magazines: enter always says no
 * @batch: slots to refill or flush at a time, 1 to @capacity
 * @depot: magazines beside the two of each CPU
 * @node: NUMA node for the memory, or NUMA_NO_NODE
 *
 * Context: task, may sleep.
 * Return: 0, -ENOMEM, -EINVAL if that would be more magazines than 65535, or
 * slots than MYALLOC_MAGAZINE_MAX.
 */
int myalloc_magazines_init(struct myalloc_magazines *m, u32 capacity, u32 batch,
			   u32 depot, int node)
{
	u32 nr;
	int cpu;

	memset(m, 0, sizeof(*m));
	m->era = MYALLOC_ERA_FIRST;
	m->capacity = capacity;
	m->batch = batch;
	m->stride = myalloc_magazine_bytes(capacity);
	if (capacity)
		m->nr_magazines = 2 * num_possible_cpus() + depot;
	if (m->nr_magazines > MAGAZINES_MAX || capacity > MYALLOC_MAGAZINE_MAX)
		return -EINVAL;
	m->cpu = myalloc_env_alloc_percpu(sizeof(*m->cpu), __alignof__(*m->cpu));
	if (!m->cpu)
		return -ENOMEM;
	if (!capacity) {
		for_each_possible_cpu(cpu)
			per_cpu_ptr(m->cpu, cpu)->guard = MYALLOC_ERA_BUSY;
		return 0;
	}
	m->pool = myalloc_env_zalloc((size_t)m->nr_magazines * m->stride, node);
	if (!m->pool) {
		myalloc_env_free_percpu(m->cpu);
		m->cpu = NULL;
		return -ENOMEM;
	}
	for (nr = 0; nr < m->nr_magazines; nr++) {
		struct myalloc_magazine *mag = mag_nr(m, nr);

		wipe(mag, mag->slot, mag->slot + capacity + 2);
		mag->era = MYALLOC_ERA_FIRST;
	}
	nr = 0;
	for_each_possible_cpu(cpu) {
		struct myalloc_magazine_cpu *c = per_cpu_ptr(m->cpu, cpu);

		set_loaded(m, c, mag_nr(m, nr++));
		c->guard = c->era;
		c->previous = mag_nr(m, nr++);
	}
	while (nr < m->nr_magazines)
		depot_push(m, &m->empty, mag_nr(m, nr++));
	return 0;
}

/**
 * myalloc_magazines_fini() - free the memory of magazines
 * @m: the magazines, drained, or as memset() to zero
 *
 * Context: task, may sleep.
 */
void myalloc_magazines_fini(struct myalloc_magazines *m)
{
	myalloc_env_free(m->pool);
	myalloc_env_free_percpu(m->cpu);
	memset(m, 0, sizeof(*m));
}

/**
 * myalloc_magazines_bytes() - memory that the magazines take
 * @m: the magazines
 *
 * Return: bytes, beside *@m itself.
 */
size_t myalloc_magazines_bytes(const struct myalloc_magazines *m)
{
	return (size_t)m->nr_magazines * m->stride +
	       (m->cpu ? sizeof(*m->cpu) * num_possible_cpus() : 0);
}

/**
 * myalloc_magazines_loaded() - how much is in the loaded magazine of a CPU
 * @m: the magazines, not without capacity
 * @cpu: a CPU's part, which may be at work
 *
 * Return: slots filled a moment ago.
 */
u32 myalloc_magazines_loaded(const struct myalloc_magazines *m,
			     const struct myalloc_magazine_cpu *cpu)
{
	/* From one word: loaded may be another magazine already. */
	u32 offset = (u32)((char *)READ_ONCE(cpu->top) - (char *)m->pool) % m->stride;

	return (offset - offsetof(struct myalloc_magazine, slot[1])) /
	       sizeof(struct myalloc_slot);
}

/**
 * myalloc_magazines_count() - how much is cached
 * @m: the magazines
 *
 * Exact while nobody uses them, else a sum of moments.
 *
 * Return: filled slots of all CPUs and the depot.
 */
u64 myalloc_magazines_count(const struct myalloc_magazines *m)
{
	u64 count = (u64)depot_depth(&m->full) * m->capacity;
	int cpu;

	if (!m->capacity)
		return 0;
	for_each_possible_cpu(cpu) {
		const struct myalloc_magazine_cpu *c = per_cpu_ptr(m->cpu, cpu);

		count += myalloc_magazines_loaded(m, c);
		count += READ_ONCE(READ_ONCE(c->previous)->count);
	}
	return count;
}

/**
 * myalloc_magazines_gets() - things ever taken out by a user
 * @m: the magazines
 *
 * Return: the sum over all CPUs.
 */
u64 myalloc_magazines_gets(const struct myalloc_magazines *m)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += data_race(per_cpu_ptr(m->cpu, cpu)->nr_gets);	/* a sum of moments */
	return sum;
}

/**
 * myalloc_magazines_puts() - things ever put in by a user
 * @m: the magazines
 *
 * Return: the sum over all CPUs.
 */
u64 myalloc_magazines_puts(const struct myalloc_magazines *m)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += data_race(per_cpu_ptr(m->cpu, cpu)->nr_puts);	/* a sum of moments */
	return sum;
}

/**
 * myalloc_magazines_moves() - grows with each get, put and drain
 * @m: the magazines
 *
 * Return: a sum of moments.
 */
u64 myalloc_magazines_moves(const struct myalloc_magazines *m)
{
	return myalloc_magazines_gets(m) + myalloc_magazines_puts(m) + atomic_read(&m->drains);
}

/**
 * myalloc_magazines_idle() - is nobody at work on the magazines?
 * @m: the magazines
 *
 * If this is so at two moments, and the moves are the same, nothing has changed in the
 * magazines between them but by a refill or flush for a get or put that then failed.
 *
 * Return: true if no CPU is between enter and leave, and no drain under way.
 */
bool myalloc_magazines_idle(const struct myalloc_magazines *m)
{
	int cpu;

	if (!m->capacity)
		return true;
	for_each_possible_cpu(cpu)
		if (READ_ONCE(per_cpu_ptr(m->cpu, cpu)->guard) == MYALLOC_ERA_BUSY)
			return false;
	return atomic_read(&m->drained) == atomic_read(&m->drains);
}

/* Wipes used slots of an older era, at most a magazine of them. */
static void renew(struct myalloc_magazines *m, struct myalloc_magazine_cpu *cpu)
{
	u64 era = READ_ONCE(m->era);

	if (likely(cpu->era == era || era == MYALLOC_ERA_NEVER))
		return;
	wipe(cpu->loaded, cpu->top, cpu->end);
	cpu->era = era;
}

/**
 * myalloc_magazines_enter() - begin work on this CPU's magazines
 * @m: the magazines
 *
 * Context: any, also NMI.
 * Return: this CPU's part, with preemption off, for myalloc_magazines_leave(); NULL if there
 * are no magazines or the caller interrupted somebody who is at work on them.
 */
struct myalloc_magazine_cpu *myalloc_magazines_enter(struct myalloc_magazines *m)
{
	struct myalloc_magazine_cpu *cpu;

	preempt_disable();
	cpu = this_cpu_ptr(m->cpu);
	myalloc_env_point("magazine-enter");
	if (unlikely(data_race(cpu->guard) == MYALLOC_ERA_BUSY)) {	/* nobody else writes it */
		preempt_enable();
		return NULL;
	}
	myalloc_env_point("magazine-not-busy");
	WRITE_ONCE(cpu->guard, MYALLOC_ERA_BUSY);
	barrier();
	myalloc_env_point("magazine-busy");
	renew(m, cpu);
	return cpu;
}

/* The loaded magazine, whose count is final, becomes the previous one. */
static void retire_loaded(struct myalloc_magazine_cpu *cpu)
{
	WRITE_ONCE(cpu->loaded->count, myalloc_magazine_count(cpu));
	cpu->loaded->era = cpu->era;
	WRITE_ONCE(cpu->previous, cpu->loaded);
}

static void swap_magazines(struct myalloc_magazines *m, struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_magazine *previous = cpu->previous;

	retire_loaded(cpu);
	set_loaded(m, cpu, previous);
}

/**
 * myalloc_magazines_load() - have something in the loaded magazine
 * @m: the magazines
 * @cpu: from myalloc_magazines_enter(), with nothing in the loaded one
 *
 * Context: any.
 * Return: true if the loaded magazine is not empty now; false if neither previous
 * nor the depot had anything, and the owner may refill the (empty) loaded one.
 */
bool myalloc_magazines_load(struct myalloc_magazines *m,
			    struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_magazine *full;

	if (cpu->previous->count) {
		swap_magazines(m, cpu);
		return true;
	}
	full = depot_pop(m, &m->full);
	if (!full)
		return false;
	depot_push(m, &m->empty, cpu->previous);
	retire_loaded(cpu);
	set_loaded(m, cpu, full);
	return true;
}

/**
 * myalloc_magazines_room() - have room in the loaded magazine
 * @m: the magazines
 * @cpu: from myalloc_magazines_enter(), with the loaded one full
 *
 * Context: any.
 * Return: true if the loaded magazine has room now. If the depot had no empty one:
 * false, both magazines are full and have changed places, and the owner is to flush
 * from the top of the loaded one, the one used less recently.
 */
bool myalloc_magazines_room(struct myalloc_magazines *m,
			    struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_magazine *empty;

	if (!cpu->previous->count) {
		swap_magazines(m, cpu);
		return true;
	}
	empty = depot_pop(m, &m->empty);
	if (!empty) {
		swap_magazines(m, cpu);
		return false;
	}
	depot_push(m, &m->full, cpu->previous);
	retire_loaded(cpu);
	set_loaded(m, cpu, empty);
	return true;
}

/* Everything of one CPU back to the owner. Between enter and leave, or of a dead CPU. */
static void drain_cpu(struct myalloc_magazine_cpu *c, myalloc_flush_fn flush, void *owner)
{
	flush(owner, myalloc_magazine_first(c->loaded), myalloc_magazine_count(c));
	myalloc_magazine_set_count(c, 0);
	flush(owner, myalloc_magazine_first(c->previous), c->previous->count);
	WRITE_ONCE(c->previous->count, 0);
}

struct drain {
	struct myalloc_magazines *mags;
	myalloc_flush_fn flush;
	void *owner;
	bool done;
};

static void drain_this_cpu(void *arg)
{
	struct drain *drain = arg;
	struct myalloc_magazine_cpu *c = myalloc_magazines_enter(drain->mags);

	if (!c)
		return;
	drain_cpu(c, drain->flush, drain->owner);
	myalloc_magazines_leave(c);
	drain->done = true;
}

/**
 * myalloc_magazines_drain_cpu() - give back what a CPU that is gone has cached
 * @m: the magazines
 * @cpu: number of a CPU that is offline and stays so meanwhile
 * @flush: where to
 * @owner: its argument
 *
 * Context: task.
 */
void myalloc_magazines_drain_cpu(struct myalloc_magazines *m, int cpu,
				 myalloc_flush_fn flush, void *owner)
{
	if (!m->capacity)
		return;
	atomic_inc_return(&m->drains);
	drain_cpu(per_cpu_ptr(m->cpu, cpu), flush, owner);
	atomic_inc_return(&m->drained);
}

/**
 * myalloc_magazines_drain() - give back what all CPUs and the depot have cached
 * @m: the magazines
 * @flush: where to; called with preemption off, also in interrupts
 * @owner: its argument
 *
 * Each CPU does its own part in an inter-processor interrupt: nobody else may touch
 * it. If that interrupts somebody at work on the magazines, it is sent again.
 *
 * Context: task, may sleep; the caller holds myalloc_env_cpus_read_lock().
 */
void myalloc_magazines_drain(struct myalloc_magazines *m, myalloc_flush_fn flush,
			     void *owner)
{
	struct drain drain = { .mags = m, .flush = flush, .owner = owner };
	struct myalloc_magazine *mag;
	int cpu;

	if (!m->capacity)
		return;
	atomic_inc_return(&m->drains);
	for_each_possible_cpu(cpu) {
		if (!cpu_online(cpu)) {
			myalloc_magazines_drain_cpu(m, cpu, flush, owner);
			continue;
		}
		for (drain.done = false; !drain.done; cond_resched())
			if (myalloc_env_call_on_cpu(cpu, drain_this_cpu, &drain))
				break;
	}
	while ((mag = depot_pop(m, &m->full))) {
		flush(owner, myalloc_magazine_first(mag), mag->count);
		WRITE_ONCE(mag->count, 0);
		depot_push(m, &m->empty, mag);
		cond_resched();
	}
	atomic_inc_return(&m->drained);
}
