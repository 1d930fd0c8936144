/* SPDX-License-Identifier: GPL-2.0 */
/* Magazines and the depot: per-CPU stacks of things ready to hand out. */
#ifndef MYALLOC_MAGAZINE_H
#define MYALLOC_MAGAZINE_H

/**
 * struct myalloc_slot - one thing in a magazine
 * @addr: what the user gets
 * @state: the byte that says who has it; kept here so that a get need not find
 *	it again from the address
 */
struct myalloc_slot {
	void *addr;
	u8 *state;
};

/**
 * struct myalloc_magazine - an array of slots between two guards
 * @count: slots filled, while it is not the loaded one of a CPU
 * @next: number + 1 of the one below it in the depot, 0 at the bottom
 * @epoch: of struct myalloc_magazines, while it is not the loaded one of a CPU
 * @guard: what the states of guards point to: 0, which is neither cached nor the user's
 * @slot: a guard, the slots, a guard
 */
struct myalloc_magazine {
	u32 count;
	u32 next;
	u64 epoch;
	u32 guard;
	struct myalloc_slot slot[];
};

/**
 * struct myalloc_magazine_cpu - what one CPU has
 * @guard: BUSY if somebody on this CPU is at work here, else @epoch
 * @epoch: that of which the stale slots, from @top on, are; see magazine.c, Stale slots
 * @top: the place above the last filled slot of @loaded; below the lowest slot and above the
 *	highest is a guard, so that one may look at top[-1] and top[0] whatever the fill
 * @end: the guard above the highest slot of @loaded
 * @nr_gets: things taken out
 * @nr_puts: things put in
 * @loaded: the magazine in use; NULL until this CPU comes for the first time
 * @previous: the one before: full or empty, nothing between
 *
 * One cache line.
 */
struct myalloc_magazine_cpu {
	u64 guard;
	u64 epoch;
	struct myalloc_slot *top;
	struct myalloc_slot *end;
	u64 nr_gets;
	u64 nr_puts;
	struct myalloc_magazine *loaded;
	struct myalloc_magazine *previous;
} ____cacheline_aligned;

/* CPUs for which there are places before anybody has come. */
#define MYALLOC_FIRST_PLACES	4U

/* Guards and epochs that mean something else. */
#define MYALLOC_EPOCH_BUSY	0ULL
#define MYALLOC_EPOCH_FIRST	1ULL
/* Guard of a CPU that has not come yet, and may take a pair of magazines when it does. */
#define MYALLOC_EPOCH_ABSENT	(U64_MAX - 1)
/* Of the magazines as a whole: no CPU is ever of it, so that nobody takes the fast path. */
#define MYALLOC_EPOCH_NEVER	U64_MAX

/**
 * struct myalloc_magazines - per-CPU magazines and their depot
 * @cpu: of every possible CPU; @none while there are no magazines
 * @none: a part of each CPU that says busy for ever, shared by many; NULL if @cpu is always ours
 * @epoch: @age, or MYALLOC_EPOCH_NEVER if every operation is to take the slow path
 * @inner_epoch: as @epoch, for who has @epoch at MYALLOC_EPOCH_NEVER for good and a fast path of his own
 * @age: grows when what the states of stale slots point to may go; who makes it grow
 *	excludes others
 * @fresh: is a filled slot of an older epoch still what it says? NULL if it always is
 * @missed: tells the owner that @wanted is set now; NULL if he does not care
 * @owner: for @fresh and @missed
 * @closed: nobody may enter: the magazines are being made anew
 * @capacity: slots in a magazine
 * @batch: slots that the owner refills or flushes at a time, at most @capacity
 * @nr_magazines: of all CPUs and the depot
 * @stride: bytes from one magazine to the next
 * @pool: all magazines, one array: two for each of @places, then the depot's
 * @places: CPUs that there are magazines for
 * @depot: magazines beside those
 * @wanted: a CPU came and got none; the owner clears it
 * @past_gets: things taken out through parts of CPUs that are no more
 * @past_puts: things put in through them
 * @drains: drains ever begun
 * @drained: drains ever ended
 * @full: stack of full magazines (see magazine.c, Depot)
 * @empty: stack of empty magazines
 * @pairs: stack of places that no CPU has taken, by the first magazine of each
 */
struct myalloc_magazines {
	struct myalloc_magazine_cpu __percpu *cpu;
	u64 epoch;
	u64 inner_epoch;
	u64 age;
	bool (*fresh)(void *owner, const struct myalloc_slot *slot);
	void (*missed)(void *owner);
	void *owner;
	bool closed;
	u32 capacity;
	u32 batch;
	u32 nr_magazines;
	u32 stride;
	void *pool;
	u32 places;
	u32 depot;
	bool wanted;
	struct myalloc_magazine_cpu __percpu *none;
	u64 past_gets;
	u64 past_puts;
	atomic_t drains;
	atomic_t drained;
	atomic64_t full ____cacheline_aligned;
	atomic64_t empty;
	atomic64_t pairs;
};

/**
 * struct myalloc_magazine_shape - how large magazines are to be
 * @capacity: slots in one, 0 for no magazines
 * @batch: slots that are refilled or flushed at a time, 1 to @capacity
 * @depot: magazines beside the two of each CPU
 * @cpus: CPUs that there are to be magazines for
 */
struct myalloc_magazine_shape {
	u32 capacity;
	u32 batch;
	u32 depot;
	u32 cpus;
};

int myalloc_magazines_init(struct myalloc_magazines *mags, u32 capacity, u32 batch,
			   u32 depot, int node);
int myalloc_magazines_make(struct myalloc_magazines *mags,
			   const struct myalloc_magazine_shape *shape,
			   struct myalloc_magazine_cpu __percpu *none, int node);
void myalloc_magazines_fini(struct myalloc_magazines *mags);
size_t myalloc_magazines_bytes(const struct myalloc_magazines *mags);
u64 myalloc_magazines_count(const struct myalloc_magazines *mags);
u64 myalloc_magazines_gets(const struct myalloc_magazines *mags);
u64 myalloc_magazines_puts(const struct myalloc_magazines *mags);
u64 myalloc_magazines_moves(const struct myalloc_magazines *mags);
bool myalloc_magazines_idle(const struct myalloc_magazines *mags);

bool myalloc_magazines_load(struct myalloc_magazines *mags,
			    struct myalloc_magazine_cpu *cpu);
bool myalloc_magazines_room(struct myalloc_magazines *mags,
			    struct myalloc_magazine_cpu *cpu);
/* Takes @nr slots, whose states are all "cached", back to where they came from. */
typedef void (*myalloc_flush_fn)(void *owner, struct myalloc_slot *slot, u32 nr);
u32 myalloc_magazines_drain_here(struct myalloc_magazines *mags, u32 most,
				 myalloc_flush_fn flush, void *owner);
void myalloc_magazines_drain_cpu(struct myalloc_magazines *mags, int cpu,
				 myalloc_flush_fn flush, void *owner);
void myalloc_magazines_drain_depot(struct myalloc_magazines *mags, myalloc_flush_fn flush,
				   void *owner);
/**
 * struct myalloc_magazine_look - what a CPU has cached and done
 * @loaded: slots filled in the magazine in use
 * @previous: in the one before
 * @gets: things taken out
 * @puts: things put in
 */
struct myalloc_magazine_look {
	u32 loaded;
	u32 previous;
	u64 gets;
	u64 puts;
};

void myalloc_magazines_look(const struct myalloc_magazines *mags, int cpu,
			    struct myalloc_magazine_look *look);
u64 myalloc_magazines_moves_cpu(const struct myalloc_magazines *mags, int cpu);
u32 myalloc_magazines_count_cpu(const struct myalloc_magazines *mags, int cpu);
bool myalloc_magazines_places_left(const struct myalloc_magazines *mags);
u32 myalloc_magazines_more_places(const struct myalloc_magazines *mags);
int myalloc_magazines_remake(struct myalloc_magazines *mags,
			     const struct myalloc_magazine_shape *shape, int node,
			     myalloc_flush_fn flush, void *owner);

/* What myalloc_magazines_drain_here() returns if it interrupted somebody at work there. */
#define MYALLOC_DRAIN_BUSY	U32_MAX

/* Memory of one magazine. */
static inline size_t myalloc_magazine_bytes(u32 capacity)
{
	return ALIGN(struct_size((struct myalloc_magazine *)NULL, slot, capacity + 2),
		     SMP_CACHE_BYTES);
}

/* Magazines of such a shape, and their memory. */
static inline u32 myalloc_magazine_shape_nr(const struct myalloc_magazine_shape *shape)
{
	return shape->capacity ? 2 * shape->cpus + shape->depot : 0;
}

static inline size_t myalloc_magazine_shape_bytes(const struct myalloc_magazine_shape *shape)
{
	return myalloc_magazine_shape_nr(shape) * myalloc_magazine_bytes(shape->capacity);
}

/* The lowest slot. */
static __always_inline struct myalloc_slot *
myalloc_magazine_first(struct myalloc_magazine *mag)
{
	return mag->slot + 1;
}

/* Slots filled in the loaded magazine. Between enter and leave. */
static __always_inline u32 myalloc_magazine_count(const struct myalloc_magazine_cpu *cpu)
{
	return cpu->top - myalloc_magazine_first(cpu->loaded);
}

/* Between enter and leave. */
static __always_inline void myalloc_magazine_set_count(struct myalloc_magazine_cpu *cpu,
						       u32 count)
{
	WRITE_ONCE(cpu->top, myalloc_magazine_first(cpu->loaded) + count);
}

/* What states of stale slots point to is about to go. The owner excludes others. */
static inline void myalloc_magazines_next_epoch(struct myalloc_magazines *mags)
{
	u64 age = mags->age + 1;

	smp_store_release(&mags->age, age);	/* pairs with renew() of magazine.c */
	if (mags->epoch != MYALLOC_EPOCH_NEVER)
		WRITE_ONCE(mags->epoch, age);
	if (mags->inner_epoch != MYALLOC_EPOCH_NEVER)
		WRITE_ONCE(mags->inner_epoch, age);
}

/**
 * __myalloc_magazines_begin() - begin fast work on this CPU's magazines
 * @mags: the magazines
 * @epoch: &@mags->epoch, or &@mags->inner_epoch for who takes the fast path whatever @mags->epoch is. It is
 *	read with preemption off: a grace period that begins after it has grown waits for us.
 * @cpu: out: this CPU's part
 * @guard: out: for myalloc_magazines_end()
 *
 * Context: any, also NMI.
 * Return: true with preemption off, and what the stale slots say may be believed; false if the
 * caller interrupted somebody who is at work there, or the fast path is not to be taken.
 */
static __always_inline bool __myalloc_magazines_begin(struct myalloc_magazines *mags,
						      const u64 *epoch,
						      struct myalloc_magazine_cpu **cpu,
						      u64 *guard)
{
	preempt_disable();
	*cpu = this_cpu_ptr(data_race(mags->cpu));	/* one of them or the other: see remake */
	myalloc_env_point("magazine-enter");
	*guard = data_race((*cpu)->guard);	/* nobody else writes it */
	if (unlikely(*guard != data_race(*epoch))) {	/* Stale slots */
		preempt_enable();
		return false;
	}
	/* An interrupt may load another magazine here: it makes it one of this epoch (renew()). */
	myalloc_env_point("magazine-not-busy");
	WRITE_ONCE((*cpu)->guard, MYALLOC_EPOCH_BUSY);
	barrier();
	myalloc_env_point("magazine-busy");
	return true;
}

/* As __myalloc_magazines_begin(), if the owner lets anybody take the fast path. */
static __always_inline bool myalloc_magazines_begin(struct myalloc_magazines *mags,
						    struct myalloc_magazine_cpu **cpu,
						    u64 *guard)
{
	return __myalloc_magazines_begin(mags, &mags->epoch, cpu, guard);
}

/**
 * myalloc_magazines_end() - end fast work on this CPU's magazines
 * @cpu: from myalloc_magazines_begin()
 * @guard: from there
 *
 * If what came in between has begun a new epoch, @guard is of an older one: that is found out by
 * the next who begins.
 */
static __always_inline void myalloc_magazines_end(struct myalloc_magazine_cpu *cpu, u64 guard)
{
	barrier();
	myalloc_env_point("magazine-leave");
	WRITE_ONCE(cpu->guard, guard);
	preempt_enable();
}

struct myalloc_magazine_cpu *myalloc_magazines_enter(struct myalloc_magazines *mags);

/**
 * myalloc_magazines_leave() - end work on this CPU's magazines
 * @cpu: from myalloc_magazines_enter()
 */
static __always_inline void myalloc_magazines_leave(struct myalloc_magazine_cpu *cpu)
{
	myalloc_magazines_end(cpu, cpu->epoch);
}

#endif /* MYALLOC_MAGAZINE_H */
