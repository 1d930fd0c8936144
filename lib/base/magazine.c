// SPDX-License-Identifier: GPL-2.0
/*
 * Magazines and the depot
 *
 * The per-CPU layer of Bonwick and Adams, "Magazines and Vmem" (USENIX 2001). It is used in front
 * of the zone for pages (pages.c) and in front of slabs for objects (object.c). Since Linux 6.18,
 * SLUB has the same structures under the names sheaf and barn.
 *
 * Terms and structures
 *
 *	CPU 0			CPU 1			depot
 *	loaded   [###....]	loaded   [######.]	full  -> [#######] -> [#######]
 *	previous [#######]	previous [.......]	empty -> [.......]
 *
 * A take removes from the loaded magazine. If that is empty and previous is full, the two are
 * swapped. If both are empty, an empty one is exchanged for a full one from the depot. Only if
 * the depot has no full magazine must the owner refill. A give works the other way round. With two
 * magazines per CPU, at least one magazine's worth of takes or gives lies between two visits to
 * the depot, in whatever order they come.
 *
 * The fast path: the purpose of each step
 *	- preemption off: no other task uses this CPU's magazines. Interrupts stay on.
 *	- guard: an interrupt must not see half-done work. If it interrupts work on the magazines,
 *	  it finds the guard busy and takes the owner's slow path. If it comes before the guard is
 *	  set to busy, it has finished its own work when the interrupted code continues, and top
 *	  is read only after that. So plain loads and stores are enough: all code that touches the
 *	  guard runs on this CPU, properly nested. While nobody is at work, the guard holds an
 *	  epoch, so one comparison tells both that the magazines are not busy and that stale slots
 *	  (below) can be trusted. An owner that wants every operation to take the slow path sets
 *	  an epoch that never compares equal.
 *	- top: the stack pointer. Below the lowest and above the highest slot lies a guard slot,
 *	  whose state never equals the expected state. So an empty magazine needs no test of its
 *	  own.
 *	- state: one byte per thing that says whether the user or the allocator owns it. Only the
 *	  current owner writes it, so the write need not be atomic. A give that finds the state not
 *	  "in use" is a double free. A take that finds the state not "cached" catches the one case
 *	  that a plain byte can miss, two concurrent frees of the same thing on two CPUs. It is a
 *	  byte and not a bit because neighbouring things belong to different CPUs; a locked bit
 *	  operation costs more than all the other steps together.
 *	- slot: the address of the thing and of its state, so that a take need not look up
 *	  the state.
 *	- nr_takes, nr_gives: the statistics.
 *	The memory of the thing itself is not touched.
 *
 * Stale slots. A slot that was emptied still holds its last address and state pointer. A thing
 * that is freed is often the one that was allocated last; its stale slot is then at top, and the
 * give need not look up the state from the address either. This is as safe as a lookup, as long as
 * the state byte is still where it was. An owner whose state bytes can go away (slab.c: with
 * their slab) first advances the epoch and then waits for a grace period, which ends every
 * section with preemption off that compared its guard earlier (limbo.c). From then on the first
 * operation on each CPU takes the slow path, which brings the loaded magazine to the new epoch
 * (renew()): it wipes the stale slots, and asks the owner about each filled slot, because a thing
 * that was freed twice concurrently may be in a magazine when its state goes away. A magazine
 * keeps its epoch while it is in the depot or previous, and is renewed when it is loaded. So if
 * an interrupt loads a magazine between the check of the guard and the store of BUSY, that
 * magazine is of the checked epoch or a later one. In NMI, where the owner may be unable to take
 * back what it drops, a magazine that would lose slots is left alone (must_wait()).
 *
 * Hits. A take or give is a hit if the magazines of this CPU or the depot have served it. One for
 * which the owner had to refill or flush takes the lock of the layer below, and is a miss although
 * it goes through the magazine. The fast path counts all takes and gives; misses are counted where
 * they happen, past the fast path, and hits are the difference.
 *
 * Depot: two stacks of magazines, lock-free (Treiber 1986), so an exchange needs neither a lock
 * nor interrupts off. The head is one 64-bit word:
 *
 *	63        32 31     16 15       0
 *	[ tag      ][ depth   ][ top + 1 ]
 *
 * The tag is incremented by every change, so a head that was popped and pushed back in between
 * does not compare equal (the ABA problem). It is harmless to read the next member of a magazine
 * that another CPU has just popped: magazines are not freed while the owner exists, and the
 * compare-and-exchange then fails. A tag repeats only if 2^32 changes are made between a load and
 * its compare-and-exchange.
 *
 * Magazines for new CPUs. No memory can be allocated at the moment when a CPU uses the magazines
 * for the first time. So the owner allocates magazines in advance for a number of CPUs (places),
 * in a stack of pairs. The guard of a CPU without magazines is ABSENT, which equals no epoch. So
 * the CPU takes the slow path, which sets the guard to busy as usual and takes a pair
 * (take_pair()). If no pair is left, the operation bypasses the magazines, and the owner is
 * notified (wanted); it makes more places in a context that may sleep (remake). A CPU keeps its
 * pair until then, even while it is offline. Sets of magazines without capacity may share one
 * per-CPU part (none) and then need no memory.
 *
 * Invariants
 *	M1  Every magazine is in exactly one place: loaded or previous of one CPU, the full stack,
 *	    the empty stack, in a pair in the stack of pairs, or held by code between enter and
 *	    leave (or by a drain).
 *	M2  Magazines in the full stack have count == capacity, in the empty stack count == 0;
 *	    previous has one of the two.
 *	M3  Every slot below count has *state == cached. (A thing that was freed twice
 *	    concurrently may be in two slots; code that finds another state drops the slot.)
 *	M4  The state pointers of guard slots, of slots never used and of wiped slots point to a
 *	    guard byte. Those of stale slots of the current epoch point to the state of the thing
 *	    at addr.
 *
 * Bounds: every step is O(1), except renew(), which visits each slot of one magazine. Only init
 * and remake allocate memory.
 *
 * Readers that only count access a CPU's part with preemption off, because remake frees the part
 * it has replaced after a grace period.
 *
 * Locking: none. NMI-safe where the 64-bit compare-and-exchange is a single instruction.
 */
#include "env.h"
#include "base/magazine.h"
#include "myalloc.h"

#define TOP_MASK	0xffffULL
#define DEPTH_SHIFT	16
#define TAG_SHIFT	32

/* Magazine numbers have 16 bits, and 0 means none. */
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
	WRITE_ONCE(cpu->loaded, mag);	/* for myalloc_magazines_idle() */
	cpu->epoch = mag->epoch;
	cpu->end = myalloc_magazine_first(mag) + m->capacity;
	myalloc_magazine_set_count(cpu, mag->count);
}

static u32 depot_depth(const atomic64_t *head)
{
	return ((u64)atomic64_read(head) >> DEPTH_SHIFT) & 0xffff;
}

/* Initialises the part of a CPU that has no magazines. */
static void without(struct myalloc_magazine_cpu *c, u64 guard)
{
	WRITE_ONCE(c->guard, guard);
	c->loaded = NULL;
	WRITE_ONCE(c->previous, NULL);
	WRITE_ONCE(c->top, NULL);
	c->end = NULL;
}

/*
 * Puts all magazines of @m->pool, which are empty, on their stacks, and replaces @m->cpu by @cpu.
 */
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
	smp_store_release(&m->cpu, cpu);	/* readers of it find all CPUs absent or busy */
	/* Pushed last, the lowest number ends up on top. */
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

/**
 * myalloc_magazines_prepare() - allocate a per-CPU part for magazines ahead of their creation
 *
 * A task that may not wait for file systems may find no per-CPU memory. A caller that makes
 * magazines in such a section allocates the part before it, and sets @prepared to it.
 *
 * Context: task, may sleep.
 * Return: the part; NULL if out of memory.
 */
struct myalloc_magazine_cpu __percpu *myalloc_magazines_prepare(void)
{
	return myalloc_env_alloc_percpu(sizeof(struct myalloc_magazine_cpu),
					__alignof__(struct myalloc_magazine_cpu));
}

/**
 * myalloc_magazines_unprepare() - free a per-CPU part that was prepared and is not needed
 * @m: the magazines
 *
 * Context: task, may sleep.
 */
void myalloc_magazines_unprepare(struct myalloc_magazines *m)
{
	myalloc_env_free_percpu(m->prepared);
	m->prepared = NULL;
}

/*
 * Returns the per-CPU part for a shape: a new or the present one, or the shared read-only one.
 * NULL if out of memory.
 */
static struct myalloc_magazine_cpu __percpu *
make_cpu(struct myalloc_magazines *m, const struct myalloc_magazine_shape *shape)
{
	struct myalloc_magazine_cpu __percpu *cpu;

	if (m->none && !shape->capacity)
		return m->none;
	if (m->cpu && m->cpu != m->none)
		return m->cpu;
	cpu = m->prepared;
	m->prepared = NULL;
	return cpu ?: myalloc_magazines_prepare();
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
 * myalloc_magazines_make() - create magazines and a depot
 * @m: the structure to initialise, zeroed but for @prepared
 * @shape: their shape; without capacity, myalloc_magazines_enter() always returns NULL
 * @none: per-CPU part of another set of magazines that never has capacity; it is shared while
 *	these magazines have no capacity. NULL: they always have a part of their own
 * @node: NUMA node for the memory, or NUMA_NO_NODE
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM if out of memory; -EINVAL if the shape has more than 65535 magazines or more
 * than MYALLOC_MAGAZINE_MAX slots per magazine.
 */
int myalloc_magazines_make(struct myalloc_magazines *m, const struct myalloc_magazine_shape *shape,
			   struct myalloc_magazine_cpu __percpu *none, int node)
{
	struct myalloc_magazine_cpu __percpu *cpu = NULL;
	void *pool;
	int err;

	m->epoch = MYALLOC_EPOCH_FIRST;
	m->inner_epoch = MYALLOC_EPOCH_FIRST;
	m->age = MYALLOC_EPOCH_FIRST;
	m->none = none;
	err = make_pool(shape, node, &pool);
	if (!err) {
		cpu = make_cpu(m, shape);
		err = cpu ? 0 : -ENOMEM;
	}
	myalloc_magazines_unprepare(m);
	if (err) {
		myalloc_env_free(pool);
		return err;
	}
	set_shape(m, shape, pool);
	distribute(m, cpu);
	return 0;
}

/**
 * myalloc_magazines_init() - create magazines for the CPUs online, and a depot
 * @m: the structure to initialise
 * @capacity: slots per magazine; 0 for no magazines
 * @batch: slots to refill or flush at a time, 1 to @capacity
 * @depot: magazines in addition to the two of each CPU
 * @node: NUMA node for the memory, or NUMA_NO_NODE
 *
 * Context: task, may sleep.
 * Return: 0, -ENOMEM or -EINVAL, as myalloc_magazines_make().
 */
int myalloc_magazines_init(struct myalloc_magazines *m, u32 capacity, u32 batch,
			   u32 depot, int node)
{
	const struct myalloc_magazine_shape shape = {
		.capacity = capacity, .batch = batch, .depot = depot, .cpus = num_online_cpus(),
	};

	memset(m, 0, sizeof(*m));
	return myalloc_magazines_make(m, &shape, NULL, node);
}

/**
 * myalloc_magazines_fini() - free the memory of magazines
 * @m: the magazines, drained; or zeroed memory
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
 * myalloc_magazines_bytes() - memory used by magazines
 * @m: the magazines
 *
 * Context: any.
 * Return: bytes, without *@m itself.
 */
size_t myalloc_magazines_bytes(const struct myalloc_magazines *m)
{
	return (size_t)m->nr_magazines * m->stride +
	       (m->cpu != m->none ? sizeof(*m->cpu) * num_possible_cpus() : 0);
}

/* Number of filled slots in the loaded magazine of a CPU, which may be changing it. */
static u32 loaded_count(const struct myalloc_magazines *m, const struct myalloc_magazine_cpu *cpu)
{
	/* Derived from the single word top, because loaded may have changed already. */
	u32 offset = (u32)((char *)READ_ONCE(cpu->top) - (char *)m->pool) % m->stride;

	return (offset - offsetof(struct myalloc_magazine, slot[1])) /
	       sizeof(struct myalloc_slot);
}

/**
 * myalloc_magazines_count() - number of things cached
 * @m: the magazines
 *
 * Exact while nobody uses the magazines. Otherwise each CPU is counted at a different moment.
 *
 * Context: any.
 * Return: filled slots of all CPUs and of the depot.
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
 * myalloc_magazines_look() - contents and statistics of a CPU's magazines
 * @m: the magazines
 * @cpu: number of the CPU
 * @look: out: a snapshot
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
	look->takes = data_race(c->nr_takes);	/* a snapshot */
	look->gives = data_race(c->nr_gives);
	preempt_enable();
}

/**
 * myalloc_magazines_count_cpu() - number of things a CPU has cached
 * @m: the magazines
 * @cpu: number of the CPU
 *
 * Context: any.
 * Return: filled slots, a snapshot.
 */
u32 myalloc_magazines_count_cpu(const struct myalloc_magazines *m, int cpu)
{
	struct myalloc_magazine_look look;

	myalloc_magazines_look(m, cpu, &look);
	return look.loaded + look.previous;
}

/**
 * myalloc_magazines_moves_cpu() - a number that grows with each take and give on a CPU
 * @m: the magazines
 * @cpu: number of the CPU
 *
 * Context: any.
 * Return: the number, a snapshot.
 */
u64 myalloc_magazines_moves_cpu(const struct myalloc_magazines *m, int cpu)
{
	struct myalloc_magazine_look look;

	myalloc_magazines_look(m, cpu, &look);
	return look.takes + look.gives;
}

/**
 * myalloc_magazines_passed() - count the things that users have taken and given
 * @m: the magazines
 *
 * Context: any.
 * Return: the sums over all CPUs since the magazines were created.
 */
struct myalloc_magazine_passed myalloc_magazines_passed(const struct myalloc_magazines *m)
{
	struct myalloc_magazine_passed sum = {
		.takes = READ_ONCE(m->past_takes), .gives = READ_ONCE(m->past_gives),
	};
	struct myalloc_magazine_look look;
	int cpu;

	for_each_possible_cpu(cpu) {
		myalloc_magazines_look(m, cpu, &look);
		sum.takes += look.takes;
		sum.gives += look.gives;
	}
	return sum;
}

static u64 less(u64 all, const atomic64_t *misses)
{
	u64 nr = atomic64_read(misses);

	return all > nr ? all - nr : 0;
}

/**
 * myalloc_magazines_hits() - count the takes and gives that needed neither a refill nor a flush
 * @m: the magazines
 * @passed: what myalloc_magazines_passed() has just returned
 *
 * Exact while nobody uses the magazines. Otherwise hits are never too many, because each miss is
 * counted before its take or give, and read after it. They are too few by the misses that were
 * counted since @passed was read, or whose take or give was still to come, of which each CPU has
 * at most one. So they may even go back by that number, and are 0 if it is greater than them. A
 * miss stays without its take or give if the magazine was filled with damaged things only, or if
 * the thing to be given turned out not to be allocated.
 *
 * Context: any.
 * Return: the numbers, each at most the one in @passed.
 */
struct myalloc_magazine_passed
myalloc_magazines_hits(const struct myalloc_magazines *m,
		       const struct myalloc_magazine_passed *passed)
{
	smp_rmb();	/* pairs with myalloc_magazines_note_refill() and _note_flush() */
	return (struct myalloc_magazine_passed) {
		.takes = less(passed->takes, &m->refills),
		.gives = less(passed->gives, &m->flushes),
	};
}

/**
 * myalloc_magazines_moves() - a number that grows with each take, give and drain
 * @m: the magazines
 *
 * Context: any.
 * Return: the number; each CPU is read at a different moment.
 */
u64 myalloc_magazines_moves(const struct myalloc_magazines *m)
{
	struct myalloc_magazine_passed sum = myalloc_magazines_passed(m);

	return sum.takes + sum.gives + atomic_read(&m->drains);
}

/**
 * myalloc_magazines_idle() - test whether nobody is at work on the magazines
 * @m: the magazines
 *
 * If this returns true twice and myalloc_magazines_moves() was the same both times, the magazines
 * have not changed in between, except by a refill or flush for a take or give that then failed.
 *
 * Context: any.
 * Return: true if no CPU is between enter and leave and no drain is under way.
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

static void use(const struct myalloc_magazines *m)
{
	if (m->used)
		m->used(m->owner);
}

static u64 current_age(const struct myalloc_magazines *m)
{
	return smp_load_acquire(&m->age);	/* pairs with myalloc_magazines_next_epoch() */
}

/* Would a magazine with @count filled slots lose one of them? */
static bool would_lose(const struct myalloc_magazines *m, struct myalloc_magazine *mag, u32 count)
{
	const struct myalloc_slot *slot = myalloc_magazine_first(mag);

	while (count && m->fresh(m->owner, slot)) {
		slot++;
		count--;
	}
	return count;
}

/*
 * Must a magazine of @epoch, with @count filled slots, wait for another context? In NMI the owner's
 * lock may be the one that was interrupted, and it could not take back what it drops.
 */
static bool must_wait(const struct myalloc_magazines *m, struct myalloc_magazine *mag, u64 epoch,
		      u32 count, u64 age)
{
	return unlikely(epoch != age) && in_nmi() && m->fresh && would_lose(m, mag, count);
}

static bool keep(const struct myalloc_magazines *m, const struct myalloc_slot *slot)
{
	return likely(m->fresh(m->owner, slot)) || !m->drop(m->owner, slot);
}

/*
 * Brings the loaded magazine to the epoch @age: wipes the stale slots, and drops the filled slots
 * that the owner no longer recognises. In NMI must_wait() has found none of these.
 */
static void renew(struct myalloc_magazines *m, struct myalloc_magazine_cpu *cpu, u64 age)
{
	struct myalloc_slot *slot, *to;

	if (likely(cpu->epoch == age))
		return;
	wipe(cpu->loaded, cpu->top, cpu->end);
	to = myalloc_magazine_first(cpu->loaded);
	if (!m->fresh || in_nmi())
		to = cpu->top;
	for (slot = to; slot < cpu->top; slot++)
		if (keep(m, slot))
			*to++ = *slot;
	if (unlikely(to != cpu->top)) {
		wipe(cpu->loaded, to, cpu->top);
		WRITE_ONCE(cpu->top, to);
	}
	cpu->epoch = age;
	use(m);
}

/* This CPU has no magazines, and no pair is left for it. */
static noinline void miss(struct myalloc_magazines *m)
{
	void (*missed)(void *owner) = READ_ONCE(m->missed);

	if (!missed || READ_ONCE(m->wanted))
		return;
	WRITE_ONCE(m->wanted, true);
	missed(m->owner);
}

/*
 * Takes a pair for this CPU, which is busy and uses the magazines for the first time. Returns
 * false if no pair is left.
 */
static noinline bool take_pair(struct myalloc_magazines *m, struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_magazine *mag = depot_pop(m, &m->pairs);

	if (!mag)
		return false;
	set_loaded(m, cpu, mag);
	WRITE_ONCE(cpu->previous, (struct myalloc_magazine *)((char *)mag + m->stride));
	use(m);
	return true;
}

/**
 * myalloc_magazines_enter() - begin work on this CPU's magazines
 * @m: the magazines
 *
 * Context: any, also NMI.
 * Return: this CPU's part, with preemption off, to be passed to myalloc_magazines_leave(); NULL
 * if this CPU has no magazines, or if the caller interrupted code that is at work on them, or in
 * NMI if the loaded magazine would lose slots.
 */
struct myalloc_magazine_cpu *myalloc_magazines_enter(struct myalloc_magazines *m)
{
	struct myalloc_magazine_cpu *cpu;
	u64 age;

	preempt_disable();
	cpu = this_cpu_ptr(READ_ONCE(m->cpu));
	myalloc_env_point("magazine-enter");
	/* Only this CPU writes its guard. */
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
	age = current_age(m);
	if (must_wait(m, cpu->loaded, cpu->epoch, myalloc_magazine_count(cpu), age)) {
		myalloc_magazines_leave(cpu);
		return NULL;
	}
	renew(m, cpu, age);
	return cpu;

none:
	if (!data_race(cpu->loaded))	/* only this CPU and a remake write it */
		miss(m);
	preempt_enable();
	return NULL;
}

/* Makes the loaded magazine, whose count is final, the previous one. */
static void retire_loaded(struct myalloc_magazine_cpu *cpu)
{
	WRITE_ONCE(cpu->loaded->count, myalloc_magazine_count(cpu));
	cpu->loaded->epoch = cpu->epoch;
	WRITE_ONCE(cpu->previous, cpu->loaded);
}

/* Returns false, and changes nothing, if the previous magazine must wait for another context. */
static bool swap_magazines(struct myalloc_magazines *m, struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_magazine *previous = cpu->previous;
	u64 age = current_age(m);

	if (must_wait(m, previous, previous->epoch, previous->count, age))
		return false;
	retire_loaded(cpu);
	set_loaded(m, cpu, previous);
	renew(m, cpu, age);
	return true;
}

/**
 * myalloc_magazines_load() - replace an empty loaded magazine
 * @m: the magazines
 * @cpu: from myalloc_magazines_enter(), with an empty loaded magazine
 *
 * Context: any.
 * Return: true if the loaded magazine is no longer empty; false if neither previous nor the depot
 * has a filled magazine, or in NMI if that would lose slots. The owner may then refill the loaded
 * one, which is empty.
 */
bool myalloc_magazines_load(struct myalloc_magazines *m,
			    struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_magazine *full;
	u64 age;

	if (cpu->previous->count)
		return swap_magazines(m, cpu) && myalloc_magazine_count(cpu);
	full = depot_pop(m, &m->full);
	if (!full)
		return false;
	age = current_age(m);
	if (must_wait(m, full, full->epoch, full->count, age)) {
		depot_push(m, &m->full, full);
		return false;
	}
	depot_push(m, &m->empty, cpu->previous);
	retire_loaded(cpu);
	set_loaded(m, cpu, full);
	renew(m, cpu, age);
	return myalloc_magazine_count(cpu);
}

/**
 * myalloc_magazines_room() - replace a full loaded magazine
 * @m: the magazines
 * @cpu: from myalloc_magazines_enter(), with a full loaded magazine
 *
 * Context: any.
 * Return: true if the loaded magazine has room now. False if the depot has no empty magazine:
 * both magazines are full and were swapped, unless this is NMI and the previous one would lose
 * slots, and the owner should flush from the top of the loaded one, the less recently used.
 * True in that case, too, if the loaded one was of an older epoch and has lost slots.
 */
bool myalloc_magazines_room(struct myalloc_magazines *m,
			    struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_magazine *empty;

	if (!cpu->previous->count)
		return swap_magazines(m, cpu);	/* which never fails: there is nothing to check */
	empty = depot_pop(m, &m->empty);
	if (!empty)
		return swap_magazines(m, cpu) && cpu->top != cpu->end;
	depot_push(m, &m->full, cpu->previous);
	retire_loaded(cpu);
	set_loaded(m, cpu, empty);
	renew(m, cpu, current_age(m));
	return true;
}

/*
 * Returns everything that a CPU has cached to the owner. Between enter and leave, or for a CPU
 * that is offline.
 */
static void drain_cpu(struct myalloc_magazine_cpu *c, myalloc_flush_fn flush, void *owner)
{
	flush(owner, myalloc_magazine_first(c->loaded), myalloc_magazine_count(c));
	myalloc_magazine_set_count(c, 0);
	flush(owner, myalloc_magazine_first(c->previous), c->previous->count);
	WRITE_ONCE(c->previous->count, 0);
}

/**
 * myalloc_magazines_drain_here() - empty the magazines of this CPU
 * @m: the magazines
 * @most: limit; if more things than this are cached, does nothing
 * @flush: returns things to the layer below
 * @owner: argument of @flush
 *
 * Context: any but NMI, preemption off.
 * Return: the number of things that were cached; MYALLOC_DRAIN_BUSY if the caller interrupted
 * code that is at work on the magazines.
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
 * myalloc_magazines_drain_cpu() - empty the magazines of an offline CPU
 * @m: the magazines
 * @cpu: number of the CPU, which stays offline during the call
 * @flush: returns things to the layer below
 * @owner: argument of @flush
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
	preempt_disable();	/* required by @flush */
	drain_cpu(c, flush, owner);
	preempt_enable();
	atomic_inc_return(&m->drained);
}

/**
 * myalloc_magazines_drain_depot() - empty the magazines of the depot
 * @m: the magazines
 * @flush: returns things to the layer below
 * @owner: argument of @flush
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
 * myalloc_magazines_places_left() - test whether a new CPU would get magazines
 * @m: the magazines
 *
 * Context: any.
 * Return: true if a pair is left.
 */
bool myalloc_magazines_places_left(const struct myalloc_magazines *m)
{
	return depot_depth(&m->pairs);
}

/**
 * myalloc_magazines_more_places() - number of CPUs to make magazines for next
 * @m: the magazines
 *
 * Context: task; the caller holds myalloc_env_cpus_read_lock() and excludes remakes.
 * Return: twice the number of online CPUs that have magazines, but at least MYALLOC_FIRST_PLACES
 * and at most the number of online CPUs.
 */
u32 myalloc_magazines_more_places(const struct myalloc_magazines *m)
{
	u32 come = 0;
	int cpu;

	for_each_online_cpu(cpu)
		come += !!READ_ONCE(per_cpu_ptr(m->cpu, cpu)->loaded);
	return min(num_online_cpus(), max(MYALLOC_FIRST_PLACES, 2 * come));
}

/*
 * Adds the statistics of the per-CPU parts that are about to be replaced to past_takes and
 * past_gives.
 */
static void note_past(struct myalloc_magazines *m)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct myalloc_magazine_cpu *c = per_cpu_ptr(m->cpu, cpu);

		WRITE_ONCE(m->past_takes, m->past_takes + c->nr_takes);
		WRITE_ONCE(m->past_gives, m->past_gives + c->nr_gives);
		WRITE_ONCE(c->nr_takes, 0);
		WRITE_ONCE(c->nr_gives, 0);
	}
}

/**
 * myalloc_magazines_remake() - change the shape of magazines
 * @m: the magazines, which may be in use; the caller excludes other drains and remakes
 * @shape: the new shape, as for myalloc_magazines_make()
 * @node: NUMA node for the memory, or NUMA_NO_NODE
 * @flush: returns the cached things to the layer below
 * @owner: argument of @flush
 *
 * Closes the magazines, waits until nobody is at work on them, replaces them and opens them
 * again. Meanwhile all operations bypass them. Both epochs are left at MYALLOC_EPOCH_NEVER: the
 * owner sets them to the age again, at a moment when the age cannot advance.
 *
 * Context: task, may sleep; the caller holds myalloc_env_cpus_read_lock().
 * Return: 0; -ENOMEM or -EINVAL as myalloc_magazines_make(), then nothing has changed.
 */
int myalloc_magazines_remake(struct myalloc_magazines *m,
			     const struct myalloc_magazine_shape *shape, int node,
			     myalloc_flush_fn flush, void *owner)
{
	struct myalloc_magazine_cpu __percpu *cpu, *before = m->cpu;
	void *pool, *old = m->pool;
	int i, err;

	err = make_pool(shape, node, &pool);
	cpu = err ? NULL : make_cpu(m, shape);
	myalloc_magazines_unprepare(m);
	if (!cpu) {
		myalloc_env_free(pool);
		return err ?: -ENOMEM;
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
	/* Every CPU sees the new magazines, and no part of the old ones, before it may enter. */
	myalloc_env_gp_wait();
	WRITE_ONCE(m->closed, false);
	myalloc_env_free(old);
	if (before != cpu)
		free_cpu(m, before);
	return 0;
}
