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
 * @era: of struct myalloc_magazines, while it is not the loaded one of a CPU
 * @guard: what the states of guards point to: 0, which is neither cached nor the user's
 * @slot: a guard, the slots, a guard
 */
struct myalloc_magazine {
	u32 count;
	u32 next;
	u64 era;
	u32 guard;
	struct myalloc_slot slot[];
};

/**
 * struct myalloc_magazine_cpu - what one CPU has
 * @guard: BUSY if somebody on this CPU is at work here, else @era
 * @era: that of which the used slots, from @top on, are; see magazine.c, Used slots
 * @top: the place above the last filled slot of @loaded; below the lowest slot and above the
 *	highest is a guard, so that one may look at top[-1] and top[0] whatever the fill
 * @end: the guard above the highest slot of @loaded
 * @nr_gets: things taken out
 * @nr_puts: things put in
 * @loaded: the magazine in use
 * @previous: the one before: full or empty, nothing between
 *
 * One cache line.
 */
struct myalloc_magazine_cpu {
	u64 guard;
	u64 era;
	struct myalloc_slot *top;
	struct myalloc_slot *end;
	u64 nr_gets;
	u64 nr_puts;
	struct myalloc_magazine *loaded;
	struct myalloc_magazine *previous;
} ____cacheline_aligned;

/* Guards and eras that mean something else. */
#define MYALLOC_ERA_BUSY	0ULL
#define MYALLOC_ERA_FIRST	1ULL
/* Of the magazines as a whole: no CPU is ever of it, so that nobody takes the fast path. */
#define MYALLOC_ERA_NEVER	U64_MAX

/**
 * struct myalloc_magazines - per-CPU magazines and their depot
 * @cpu: of every possible CPU; NULL if there are no magazines
 * @era: @age, or MYALLOC_ERA_NEVER if every operation is to take the slow path
 * @age: grows when what the states of used slots point to may go; who makes it grow
 *	excludes others
 * @fresh: is a filled slot of an older era still what it says? NULL if it always is
 * @owner: for @fresh
 * @closed: nobody may enter: the magazines are being made anew
 * @capacity: slots in a magazine
 * @batch: slots that the owner refills or flushes at a time, at most @capacity
 * @nr_magazines: of all CPUs and the depot
 * @stride: bytes from one magazine to the next
 * @pool: all magazines, one array
 * @drains: drains ever begun
 * @drained: drains ever ended
 * @full: stack of full magazines (see magazine.c, Depot)
 * @empty: stack of empty magazines
 */
struct myalloc_magazines {
	struct myalloc_magazine_cpu __percpu *cpu;
	u64 era;
	u64 age;
	bool (*fresh)(void *owner, const struct myalloc_slot *slot);
	void *owner;
	bool closed;
	u32 capacity;
	u32 batch;
	u32 nr_magazines;
	u32 stride;
	void *pool;
	atomic_t drains;
	atomic_t drained;
	atomic64_t full ____cacheline_aligned;
	atomic64_t empty;
};

/**
 * struct myalloc_magazine_shape - how large magazines are to be
 * @capacity: slots in one, 0 for no magazines
 * @batch: slots that are refilled or flushed at a time
 * @depot: magazines beside the two of each CPU
 */
struct myalloc_magazine_shape {
	u32 capacity;
	u32 batch;
	u32 depot;
};

u32 myalloc_magazines_cpus(int coming);
int myalloc_magazines_init(struct myalloc_magazines *mags, u32 capacity, u32 batch,
			   u32 depot, int node);
void myalloc_magazines_fini(struct myalloc_magazines *mags);
size_t myalloc_magazines_bytes(const struct myalloc_magazines *mags);
u64 myalloc_magazines_count(const struct myalloc_magazines *mags);
u32 myalloc_magazines_loaded(const struct myalloc_magazines *mags,
			     const struct myalloc_magazine_cpu *cpu);
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
u64 myalloc_magazines_moves_cpu(const struct myalloc_magazines *mags, int cpu);
u32 myalloc_magazines_count_cpu(const struct myalloc_magazines *mags, int cpu);
int myalloc_magazines_remake(struct myalloc_magazines *mags, u32 capacity, u32 batch,
			     u32 depot, int node, int coming, myalloc_flush_fn flush,
			     void *owner);

/* What myalloc_magazines_drain_here() returns if it interrupted somebody at work there. */
#define MYALLOC_DRAIN_BUSY	U32_MAX

/* Memory of one magazine. */
static inline size_t myalloc_magazine_bytes(u32 capacity)
{
	return ALIGN(struct_size((struct myalloc_magazine *)NULL, slot, capacity + 2),
		     SMP_CACHE_BYTES);
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

/* What states of used slots point to is about to go. The owner excludes others. */
static inline void myalloc_magazines_next_era(struct myalloc_magazines *mags)
{
	u64 age = mags->age + 1;

	smp_store_release(&mags->age, age);	/* pairs with renew() of magazine.c */
	if (mags->era != MYALLOC_ERA_NEVER)
		WRITE_ONCE(mags->era, age);
}

/**
 * __myalloc_magazines_begin() - begin fast work on this CPU's magazines
 * @mags: the magazines
 * @era: &@mags->era, or &@mags->age for who takes the fast path whatever @mags->era is. It is
 *	read with preemption off: a grace period that begins after it has grown waits for us.
 * @cpu: out: this CPU's part
 * @guard: out: for myalloc_magazines_end()
 *
 * Context: any, also NMI.
 * Return: true with preemption off, and what the used slots say may be believed; false if the
 * caller interrupted somebody who is at work there, or the fast path is not to be taken.
 */
static __always_inline bool __myalloc_magazines_begin(struct myalloc_magazines *mags,
						      const u64 *era,
						      struct myalloc_magazine_cpu **cpu,
						      u64 *guard)
{
	preempt_disable();
	*cpu = this_cpu_ptr(mags->cpu);
	myalloc_env_point("magazine-enter");
	*guard = data_race((*cpu)->guard);	/* nobody else writes it */
	if (unlikely(*guard != data_race(*era))) {	/* Used slots */
		preempt_enable();
		return false;
	}
	/* An interrupt may load another magazine here: it makes it one of this era (renew()). */
	myalloc_env_point("magazine-not-busy");
	WRITE_ONCE((*cpu)->guard, MYALLOC_ERA_BUSY);
	barrier();
	myalloc_env_point("magazine-busy");
	return true;
}

/* As __myalloc_magazines_begin(), if the owner lets anybody take the fast path. */
static __always_inline bool myalloc_magazines_begin(struct myalloc_magazines *mags,
						    struct myalloc_magazine_cpu **cpu,
						    u64 *guard)
{
	return __myalloc_magazines_begin(mags, &mags->era, cpu, guard);
}

/**
 * myalloc_magazines_end() - end fast work on this CPU's magazines
 * @cpu: from myalloc_magazines_begin()
 * @guard: from there
 *
 * If what came in between has begun a new era, @guard is of an older one: that is found out by
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
	myalloc_magazines_end(cpu, cpu->era);
}

#endif /* MYALLOC_MAGAZINE_H */
