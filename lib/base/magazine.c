// SPDX-License-Identifier: GPL-2.0
/*
 * Magazines and the depot
 *
 * What it is: the per-CPU layer of Bonwick and Adams, "Magazines and Vmem" (USENIX
 * 2001), used alike in front of the zone for pages (pages.c) and in front of the
 * slabs for objects (object.c). Linux since 6.18 has the same in SLUB under the names
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
 *	  nested. While nobody is at work the guard holds an epoch, and one comparison tells both
 *	  that it is not busy and that stale slots (below) may be believed. Owners who want every
 *	  operation to take the slow path have an epoch that never compares equal.
 *	- top: the stack pointer. Below the lowest and above the highest slot lies a guard, whose
 *	  state is never the one looked for: that the magazine is empty needs no test of its own.
 *	- state: one byte for each thing, that says whether the user or the allocator has it.
 *	  Only the one who has the thing writes it, so it needs no atomic. A put that finds
 *	  it not with the user is a double free; a get that finds it not with the allocator
 *	  stops the one case that a plain byte can miss, two frees of the same thing at the
 *	  same moment on two CPUs. A byte, and not a bit, because neighbours belong to
 *	  different CPUs; a locked bit operation costs more than all the rest together.
 *	- slot: the address and its state. The state need not be found again at a get.
 *	- nr_gets, nr_puts: the statistics.
 *	The thing itself is not touched.
 *
 * Stale slots: a slot that was emptied still says what was in it. What comes back is often
 * what was handed out last, and then lies at top: its state is there and need not be found
 * from the address either. That is as safe as finding it as long as the state is still where
 * it was. Owners whose states can go (slab.c: with their slab) make the epoch grow first, and then
 * wait for a grace period, which ends every section with preemption off that has compared its
 * guard before (limbo.c). From then on the first operation on each CPU takes the slow path,
 * which makes the loaded magazine one of the new epoch (renew()): it wipes the stale slots, and asks
 * the owner about each filled one, because a thing that was freed twice at once may be in a
 * magazine while its state goes. A magazine keeps its epoch in the depot and as previous, and is
 * renewed when it is loaded: so an interrupt that loads one between our look at the guard and
 * BUSY leaves one of our epoch or a later one.
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
 * Magazines for those who come: memory cannot be had where a CPU comes to magazines for the first
 * time, so the owner makes it before, for a number of CPUs (places), in a stack of pairs. A CPU
 * without magazines has a guard that no epoch equals (ABSENT), so it goes to the slow path, which
 * sets it to busy as ever and takes a pair (take_pair()). If there is none, it goes past the
 * magazines, and the owner is told (wanted): he makes more places where he may sleep (remake). A
 * CPU keeps its pair until then, also while it is offline. Magazines without capacity that share
 * their part of each CPU (none) cost no memory.
 *
 * Invariants
 *	M1  Every magazine is in exactly one place: loaded or previous of one CPU, the
 *	    full stack, the empty stack, one of a pair in the stack of pairs, or in the hands of
 *	    somebody between enter and leave (or draining).
 *	M2  Magazines in the full stack have count == capacity, in the empty stack 0;
 *	    previous has one of the two.
 *	M3  Every slot below count has *state == cached. (A thing that was freed twice at once may
 *	    be in two slots; whoever finds the state otherwise drops the slot.)
 *	M4  The states of guards, of slots never used and of wiped ones point to a guard byte.
 *	    Those of stale slots of the current epoch point to the state of the thing at addr.
 *
 * Bounds: every step here is O(1), but for renew(), which passes one magazine. Memory is
 * allocated by init and remake only.
 *
 * Who only looks (counts) reads the part of a CPU with preemption off: remake frees what it has
 * replaced after a grace period.
 *
 * Locking: none. NMI-safe: where the 64-bit compare-exchange is an instruction.
 */
#include "env.h"
#include "base/magazine.h"
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
	cpu->epoch = mag->epoch;
	cpu->end = myalloc_magazine_first(mag) + m->capacity;
	myalloc_magazine_set_count(cpu, mag->count);
}

static u32 depot_depth(const atomic64_t *head)
{
	return ((u64)atomic64_read(head) >> DEPTH_SHIFT) & 0xffff;
}

/* A CPU without magazines. */
static void without(struct myalloc_magazine_cpu *c, u64 guard)
{
	WRITE_ONCE(c->guard, guard);
	c->loaded = NULL;
	WRITE_ONCE(c->previous, NULL);
	WRITE_ONCE(c->top, NULL);
	c->end = NULL;
}

/* Puts the magazines of @m->pool, all empty, where they belong, and @cpu in place of @m->cpu. */
static void distribute(struct myalloc_magazines *m, struct myalloc_magazine_cpu __percpu *cpu)
{
	u32 nr;
	int i;

	for (nr = 0; nr < m->nr_magazines; nr++) {
		struct myalloc_magazine *mag = mag_nr(m, nr);

		wipe(mag, mag->slot, mag->slot + m->capacity + 2);
		mag->epoch = m->age;
	}
	if (cpu != m->none)
		for_each_possible_cpu(i)
			without(per_cpu_ptr(cpu, i),
				m->capacity ? MYALLOC_EPOCH_ABSENT : MYALLOC_EPOCH_BUSY);
	smp_store_release(&m->cpu, cpu);	/* who reads it finds absent CPUs, or busy ones */
	/* The lowest on top. */
	for (nr = m->nr_magazines; nr > 2 * m->places; nr--)
		depot_push(m, &m->empty, mag_nr(m, nr - 1));
	for (; nr; nr -= 2)
		depot_push(m, &m->pairs, mag_nr(m, nr - 2));
}

static int make_pool(const struct myalloc_magazine_shape *shape, int node, void **pool)
{
	u32 nr = myalloc_magazine_shape_nr(shape);

	*pool = NULL;
	if (nr > MAGAZINES_MAX || shape->capacity > MYALLOC_MAGAZINE_MAX)
		return -EINVAL;
	if (nr)
		*pool = myalloc_env_zalloc_charged(myalloc_magazine_shape_bytes(shape), node);
	return nr && !*pool ? -ENOMEM : 0;
}

/* The part of each CPU for such a shape: our own, or what nobody may write. NULL without memory. */
static struct myalloc_magazine_cpu __percpu *
make_cpu(const struct myalloc_magazines *m, const struct myalloc_magazine_shape *shape)
{
	if (m->none && !shape->capacity)
		return m->none;
	if (m->cpu && m->cpu != m->none)
		return m->cpu;
	return myalloc_env_alloc_percpu(sizeof(*m->cpu), __alignof__(*m->cpu));
}

static void free_cpu(const struct myalloc_magazines *m, struct myalloc_magazine_cpu __percpu *cpu)
{
	if (cpu != m->none)
		myalloc_env_free_percpu(cpu);
}

static void set_shape(struct myalloc_magazines *m, const struct myalloc_magazine_shape *shape,
		      void *pool)
{
	m->pool = pool;
	m->capacity = shape->capacity;
	m->batch = shape->batch;
	m->nr_magazines = myalloc_magazine_shape_nr(shape);
	m->places = shape->capacity ? shape->cpus : 0;
	m->depot = shape->capacity ? shape->depot : 0;
	m->stride = myalloc_magazine_bytes(shape->capacity);
	atomic64_set(&m->full, 0);
	atomic64_set(&m->empty, 0);
	atomic64_set(&m->pairs, 0);
}

/**
 * myalloc_magazines_make() - make magazines and a depot
 * @m: to be filled in
 * @shape: what they are to be; without capacity enter always says no
 * @none: the part of each CPU of other magazines, which are without capacity for ever; shared by
 *	these while they are without. NULL: they have their own
 * @node: NUMA node for the memory, or NUMA_NO_NODE
 *
 * Context: task, may sleep.
 * Return: 0, -ENOMEM, -EINVAL if that would be more magazines than 65535, or
 * slots than MYALLOC_MAGAZINE_MAX.
 */
int myalloc_magazines_make(struct myalloc_magazines *m, const struct myalloc_magazine_shape *shape,
			   struct myalloc_magazine_cpu __percpu *none, int node)
{
	struct myalloc_magazine_cpu __percpu *cpu;
	void *pool;
	int err;

	memset(m, 0, sizeof(*m));
	m->epoch = MYALLOC_EPOCH_FIRST;
	m->inner_epoch = MYALLOC_EPOCH_FIRST;
	m->age = MYALLOC_EPOCH_FIRST;
	m->none = none;
	err = make_pool(shape, node, &pool);
	if (err)
		return err;
	cpu = make_cpu(m, shape);
	if (!cpu) {
		myalloc_env_free(pool);
		return -ENOMEM;
	}
	set_shape(m, shape, pool);
	distribute(m, cpu);
	return 0;
}

/**
 * myalloc_magazines_init() - make magazines for as many CPUs as are online, and a depot
 * @m: to be filled in
 * @capacity: slots in a magazine; 0 for no magazines
 * @batch: slots to refill or flush at a time, 1 to @capacity
 * @depot: magazines beside the two of each CPU
 * @node: NUMA node for the memory, or NUMA_NO_NODE
 *
 * Context: task, may sleep.
 * Return: as myalloc_magazines_make().
 */
int myalloc_magazines_init(struct myalloc_magazines *m, u32 capacity, u32 batch,
			   u32 depot, int node)
{
	const struct myalloc_magazine_shape shape = {
		.capacity = capacity, .batch = batch, .depot = depot, .cpus = num_online_cpus(),
	};

	return myalloc_magazines_make(m, &shape, NULL, node);
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
	free_cpu(m, m->cpu);
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
	       (m->cpu != m->none ? sizeof(*m->cpu) * num_possible_cpus() : 0);
}

/* Slots filled in the loaded magazine of a CPU, which may be at work, a moment ago. */
static u32 loaded_count(const struct myalloc_magazines *m, const struct myalloc_magazine_cpu *cpu)
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
	for_each_possible_cpu(cpu)
		count += myalloc_magazines_count_cpu(m, cpu);
	return count;
}

/**
 * myalloc_magazines_look() - what a CPU has cached and done
 * @m: the magazines
 * @cpu: its number
 * @look: out: of a moment ago
 *
 * Context: any.
 */
void myalloc_magazines_look(const struct myalloc_magazines *m, int cpu,
			    struct myalloc_magazine_look *look)
{
	const struct myalloc_magazine_cpu *c;
	const struct myalloc_magazine *previous;

	preempt_disable();	/* a remake waits for us before it frees anything */
	c = per_cpu_ptr(READ_ONCE(m->cpu), cpu);
	previous = READ_ONCE(c->previous);
	look->loaded = previous ? min(loaded_count(m, c), READ_ONCE(m->capacity)) : 0;
	look->previous = previous ? READ_ONCE(previous->count) : 0;
	look->gets = data_race(c->nr_gets);	/* a number of a moment */
	look->puts = data_race(c->nr_puts);
	preempt_enable();
}

/**
 * myalloc_magazines_count_cpu() - how much a CPU has cached
 * @m: the magazines
 * @cpu: its number
 *
 * Return: filled slots, a moment ago.
 */
u32 myalloc_magazines_count_cpu(const struct myalloc_magazines *m, int cpu)
{
	struct myalloc_magazine_look look;

	myalloc_magazines_look(m, cpu, &look);
	return look.loaded + look.previous;
}

/**
 * myalloc_magazines_moves_cpu() - grows with each get and put on a CPU
 * @m: the magazines
 * @cpu: its number
 *
 * Return: a number of a moment ago.
 */
u64 myalloc_magazines_moves_cpu(const struct myalloc_magazines *m, int cpu)
{
	struct myalloc_magazine_look look;

	myalloc_magazines_look(m, cpu, &look);
	return look.gets + look.puts;
}

/**
 * myalloc_magazines_gets() - things ever taken out by a user
 * @m: the magazines
 *
 * Return: the sum over all CPUs.
 */
u64 myalloc_magazines_gets(const struct myalloc_magazines *m)
{
	u64 sum = READ_ONCE(m->past_gets);
	struct myalloc_magazine_look look;
	int cpu;

	for_each_possible_cpu(cpu) {
		myalloc_magazines_look(m, cpu, &look);
		sum += look.gets;
	}
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
	u64 sum = READ_ONCE(m->past_puts);
	struct myalloc_magazine_look look;
	int cpu;

	for_each_possible_cpu(cpu) {
		myalloc_magazines_look(m, cpu, &look);
		sum += look.puts;
	}
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
	bool idle = true;
	int cpu;

	if (!m->capacity)
		return true;
	for_each_possible_cpu(cpu) {
		const struct myalloc_magazine_cpu *c;

		preempt_disable();	/* a remake waits for us */
		c = per_cpu_ptr(READ_ONCE(m->cpu), cpu);
		if (READ_ONCE(c->loaded) && READ_ONCE(c->guard) == MYALLOC_EPOCH_BUSY)
			idle = false;
		preempt_enable();
	}
	return idle && atomic_read(&m->drained) == atomic_read(&m->drains);
}

/*
 * Makes the loaded magazine one of the present epoch: wipes stale slots, and drops the filled ones
 * that the owner does not know any more.
 */
static void renew(struct myalloc_magazines *m, struct myalloc_magazine_cpu *cpu)
{
	u64 age = smp_load_acquire(&m->age);	/* pairs with myalloc_magazines_next_epoch() */
	struct myalloc_slot *slot, *to;

	if (likely(cpu->epoch == age))
		return;
	wipe(cpu->loaded, cpu->top, cpu->end);
	to = myalloc_magazine_first(cpu->loaded);
	for (slot = to; m->fresh && slot < cpu->top; slot++)
		if (likely(m->fresh(m->owner, slot)))
			*to++ = *slot;
	if (unlikely(m->fresh && to != cpu->top)) {
		wipe(cpu->loaded, to, cpu->top);
		WRITE_ONCE(cpu->top, to);
	}
	cpu->epoch = age;
}

/* This CPU has no magazines, and there are none for it. */
static noinline void miss(struct myalloc_magazines *m)
{
	if (!m->missed || READ_ONCE(m->wanted))
		return;
	WRITE_ONCE(m->wanted, true);
	m->missed(m->owner);
}

/* This CPU, which is busy, comes for the first time and takes a pair. False if there is none. */
static noinline bool take_pair(struct myalloc_magazines *m, struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_magazine *mag = depot_pop(m, &m->pairs);

	if (!mag)
		return false;
	set_loaded(m, cpu, mag);
	WRITE_ONCE(cpu->previous, (struct myalloc_magazine *)((char *)mag + m->stride));
	return true;
}

/**
 * myalloc_magazines_enter() - begin work on this CPU's magazines
 * @m: the magazines
 *
 * Context: any, also NMI.
 * Return: this CPU's part, with preemption off, for myalloc_magazines_leave(); NULL if there
 * are no magazines for it or the caller interrupted somebody who is at work on them.
 */
struct myalloc_magazine_cpu *myalloc_magazines_enter(struct myalloc_magazines *m)
{
	struct myalloc_magazine_cpu *cpu;

	preempt_disable();
	cpu = this_cpu_ptr(READ_ONCE(m->cpu));
	myalloc_env_point("magazine-enter");
	/* Nobody else writes the guard. */
	if (unlikely(READ_ONCE(m->closed) || data_race(cpu->guard) == MYALLOC_EPOCH_BUSY))
		goto none;
	myalloc_env_point("magazine-not-busy");
	WRITE_ONCE(cpu->guard, MYALLOC_EPOCH_BUSY);
	barrier();
	myalloc_env_point("magazine-busy");
	if (unlikely(!cpu->loaded && !take_pair(m, cpu))) {
		WRITE_ONCE(cpu->guard, MYALLOC_EPOCH_ABSENT);
		goto none;
	}
	renew(m, cpu);
	return cpu;

none:
	if (!data_race(cpu->loaded))	/* nobody else writes it, but for a remake */
		miss(m);
	preempt_enable();
	return NULL;
}

/* The loaded magazine, whose count is final, becomes the previous one. */
static void retire_loaded(struct myalloc_magazine_cpu *cpu)
{
	WRITE_ONCE(cpu->loaded->count, myalloc_magazine_count(cpu));
	cpu->loaded->epoch = cpu->epoch;
	WRITE_ONCE(cpu->previous, cpu->loaded);
}

static void swap_magazines(struct myalloc_magazines *m, struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_magazine *previous = cpu->previous;

	retire_loaded(cpu);
	set_loaded(m, cpu, previous);
	renew(m, cpu);
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
		return myalloc_magazine_count(cpu);
	}
	full = depot_pop(m, &m->full);
	if (!full)
		return false;
	depot_push(m, &m->empty, cpu->previous);
	retire_loaded(cpu);
	set_loaded(m, cpu, full);
	renew(m, cpu);
	return myalloc_magazine_count(cpu);
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
	renew(m, cpu);
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

/**
 * myalloc_magazines_drain_here() - give back what this CPU has cached
 * @m: the magazines
 * @most: do nothing if that is more than so many
 * @flush: where to
 * @owner: its argument
 *
 * Context: any but NMI, preemption off.
 * Return: how many there were; MYALLOC_DRAIN_BUSY if somebody is at work on them, who was
 * interrupted.
 */
u32 myalloc_magazines_drain_here(struct myalloc_magazines *m, u32 most,
				 myalloc_flush_fn flush, void *owner)
{
	struct myalloc_magazine_cpu *c;
	u32 nr;

	if (!this_cpu_ptr(m->cpu)->loaded)
		return 0;
	c = myalloc_magazines_enter(m);
	if (!c)
		return READ_ONCE(m->closed) ? 0 : MYALLOC_DRAIN_BUSY;
	nr = myalloc_magazine_count(c) + c->previous->count;
	if (nr <= most) {
		atomic_inc_return(&m->drains);
		drain_cpu(c, flush, owner);
		atomic_inc_return(&m->drained);
	}
	myalloc_magazines_leave(c);
	return nr;
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
	struct myalloc_magazine_cpu *c = per_cpu_ptr(m->cpu, cpu);

	if (!c->loaded)
		return;
	atomic_inc_return(&m->drains);
	preempt_disable();	/* as flushes expect it */
	drain_cpu(c, flush, owner);
	preempt_enable();
	atomic_inc_return(&m->drained);
}

/**
 * myalloc_magazines_drain_depot() - give back what the depot has
 * @m: the magazines
 * @flush: where to
 * @owner: its argument
 *
 * Context: task, may sleep.
 */
void myalloc_magazines_drain_depot(struct myalloc_magazines *m, myalloc_flush_fn flush,
				   void *owner)
{
	struct myalloc_magazine *mag;

	if (!m->capacity)
		return;
	atomic_inc_return(&m->drains);
	while ((mag = depot_pop(m, &m->full))) {
		preempt_disable();
		flush(owner, myalloc_magazine_first(mag), mag->count);
		preempt_enable();
		WRITE_ONCE(mag->count, 0);
		depot_push(m, &m->empty, mag);
		cond_resched();
	}
	atomic_inc_return(&m->drained);
}

/**
 * myalloc_magazines_places_left() - would a CPU that comes find magazines?
 * @m: the magazines
 *
 * Return: true if one would.
 */
bool myalloc_magazines_places_left(const struct myalloc_magazines *m)
{
	return depot_depth(&m->pairs);
}

/**
 * myalloc_magazines_more_places() - for how many CPUs there are to be magazines next
 * @m: the magazines
 *
 * Context: task; the caller holds myalloc_env_cpus_read_lock() and excludes remakes.
 * Return: twice as many as have come and are online, MYALLOC_FIRST_PLACES if that is more, at most
 * as many as are online.
 */
u32 myalloc_magazines_more_places(const struct myalloc_magazines *m)
{
	u32 come = 0;
	int cpu;

	for_each_online_cpu(cpu)
		come += !!READ_ONCE(per_cpu_ptr(m->cpu, cpu)->loaded);
	return min(num_online_cpus(), max(MYALLOC_FIRST_PLACES, 2 * come));
}

/* What went through the parts of CPUs that are about to go. */
static void note_past(struct myalloc_magazines *m)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct myalloc_magazine_cpu *c = per_cpu_ptr(m->cpu, cpu);

		WRITE_ONCE(m->past_gets, m->past_gets + c->nr_gets);
		WRITE_ONCE(m->past_puts, m->past_puts + c->nr_puts);
		WRITE_ONCE(c->nr_gets, 0);
		WRITE_ONCE(c->nr_puts, 0);
	}
}

/**
 * myalloc_magazines_remake() - magazines of another shape
 * @m: the magazines, which others may use; the caller excludes other drains and remakes
 * @shape: as for myalloc_magazines_make()
 * @node: the same
 * @flush: where to give back what is cached
 * @owner: its argument
 *
 * Closes the magazines, waits until nobody is at work on them, changes them and opens them again.
 * Meanwhile everybody goes past them. Both epochs are left at MYALLOC_EPOCH_NEVER: the owner sets them
 * to the age again, where nobody lets that grow at the same moment.
 *
 * Context: task, may sleep; the caller holds myalloc_env_cpus_read_lock().
 * Return: 0; -ENOMEM or -EINVAL: then nothing has changed.
 */
int myalloc_magazines_remake(struct myalloc_magazines *m,
			     const struct myalloc_magazine_shape *shape, int node,
			     myalloc_flush_fn flush, void *owner)
{
	struct myalloc_magazine_cpu __percpu *cpu, *before = m->cpu;
	void *pool, *old = m->pool;
	int i, err;

	err = make_pool(shape, node, &pool);
	if (err)
		return err;
	cpu = make_cpu(m, shape);
	if (!cpu) {
		myalloc_env_free(pool);
		return -ENOMEM;
	}
	WRITE_ONCE(m->epoch, MYALLOC_EPOCH_NEVER);
	WRITE_ONCE(m->inner_epoch, MYALLOC_EPOCH_NEVER);
	WRITE_ONCE(m->closed, true);
	myalloc_env_gp_wait();
	for_each_possible_cpu(i)
		myalloc_magazines_drain_cpu(m, i, flush, owner);
	myalloc_magazines_drain_depot(m, flush, owner);
	if (before != m->none && before != cpu)
		note_past(m);
	set_shape(m, shape, pool);
	distribute(m, cpu);
	/* Every CPU sees all of it before it may enter, and nothing of the old. */
	myalloc_env_gp_wait();
	WRITE_ONCE(m->closed, false);
	myalloc_env_free(old);
	if (before != cpu)
		free_cpu(m, before);
	return 0;
}
