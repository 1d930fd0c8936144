/* SPDX-License-Identifier: GPL-2.0 */
/* Magazines and the depot: per-CPU stacks of things that are ready to be allocated */
#ifndef MYALLOC_MAGAZINE_H
#define MYALLOC_MAGAZINE_H

/**
 * struct myalloc_slot - one thing in a magazine
 * @addr: address of the thing, as the user gets it
 * @state: its state byte; stored here so that a take need not look it up by the address
 */
struct myalloc_slot {
	void *addr;
	u8 *state;
};

/**
 * struct myalloc_magazine - an array of slots between two guard slots
 * @count: number of filled slots; valid while it is not the loaded magazine of a CPU
 * @next: number + 1 of the magazine below it in the depot, 0 at the bottom
 * @epoch: epoch of its stale slots; valid while it is not the loaded magazine of a CPU
 * @guard: the byte that the state pointers of guard slots point to: 0, which means neither cached
 *	nor in use
 * @slot: a guard slot, the slots, a guard slot
 */
struct myalloc_magazine {
	u32 count;
	u32 next;
	u64 epoch;
	u32 guard;
	struct myalloc_slot slot[];
};

/**
 * struct myalloc_magazine_cpu - the part of one CPU
 * @guard: BUSY while code on this CPU is at work here, otherwise @epoch
 * @epoch: epoch of the stale slots, which are those from @top on; see magazine.c, Stale slots
 * @top: the place above the last filled slot of @loaded; because of the guard slots, top[-1] and
 *	top[0] may be read however full the magazine is
 * @end: the guard slot above the highest slot of @loaded
 * @nr_takes: number of things taken
 * @nr_gives: number of things given
 * @loaded: the magazine in use; NULL until this CPU uses the magazines for the first time
 * @previous: the magazine used before; either full or empty
 *
 * One cache line.
 */
struct myalloc_magazine_cpu {
	u64 guard;
	u64 epoch;
	struct myalloc_slot *top;
	struct myalloc_slot *end;
	u64 nr_takes;
	u64 nr_gives;
	struct myalloc_magazine *loaded;
	struct myalloc_magazine *previous;
} ____cacheline_aligned;

/* CPUs that magazines are made for at first */
#define MYALLOC_FIRST_PLACES	4U

/* Special values of guards and epochs */
#define MYALLOC_EPOCH_BUSY	0ULL
#define MYALLOC_EPOCH_FIRST	1ULL
/* Guard of a CPU that has no magazines yet and takes a pair when it uses them. */
#define MYALLOC_EPOCH_ABSENT	(U64_MAX - 1)
/* Value of @epoch and @inner_epoch that no guard ever has; forces the slow path. */
#define MYALLOC_EPOCH_NEVER	U64_MAX

/**
 * struct myalloc_magazines - per-CPU magazines and their depot
 * @cpu: per-CPU part; @none while there are no magazines
 * @none: a per-CPU part that is always busy, shared by several sets of magazines; NULL if @cpu is
 *	never shared
 * @prepared: a per-CPU part for the next call of make or remake, which uses or frees it; or NULL
 * @epoch: @age, or MYALLOC_EPOCH_NEVER if every operation must take the slow path
 * @inner_epoch: as @epoch, for an owner that keeps @epoch at MYALLOC_EPOCH_NEVER and has a fast
 *	path of its own
 * @age: advances when the states that stale slots point to may go away; the caller that advances
 *	it excludes others
 * @fresh: is a filled slot of an older epoch still valid? Changes nothing. NULL if it always is
 * @drop: takes back a slot that was not, unless it has become valid: then false. Not called in NMI
 * @missed: notifies the owner that @wanted was set; NULL if the owner does not need to know
 * @used: notifies the owner that a CPU uses the magazines for the first time in an epoch; NULL if
 *	the owner does not need to know
 * @owner: argument of @fresh, @drop, @missed and @used
 * @closed: nobody may enter, because the magazines are being replaced
 * @capacity: slots per magazine
 * @batch: slots that the owner refills or flushes at a time, at most @capacity
 * @nr_magazines: number of magazines of all CPUs and the depot
 * @stride: bytes from one magazine to the next
 * @pool: array of all magazines: two for each of @places, then those of the depot
 * @places: number of CPUs that have or may take a pair of magazines
 * @depot: number of further magazines
 * @wanted: a CPU found no pair; cleared by the owner
 * @past_takes: things taken through per-CPU parts that were replaced
 * @past_gives: things given through per-CPU parts that were replaced
 * @drains: drains begun since the magazines were created
 * @drained: drains completed since then
 * @full: stack of full magazines (see magazine.c, Depot)
 * @empty: stack of empty magazines
 * @pairs: stack of pairs that no CPU has taken, linked by the first magazine of each
 * @refills: takes for which the owner had to fill the loaded magazine; see magazine.c, Hits
 * @flushes: gives for which the owner had to flush the loaded magazine
 *
 * @refills and @flushes lie beside the depot: an operation that counts there has just found that
 * the depot has no magazine for it.
 */
struct myalloc_magazines {
	struct myalloc_magazine_cpu __percpu *cpu;
	u64 epoch;
	u64 inner_epoch;
	u64 age;
	bool (*fresh)(void *owner, const struct myalloc_slot *slot);
	bool (*drop)(void *owner, const struct myalloc_slot *slot);
	void (*missed)(void *owner);
	void (*used)(void *owner);
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
	struct myalloc_magazine_cpu __percpu *prepared;
	u64 past_takes;
	u64 past_gives;
	atomic_t drains;
	atomic_t drained;
	atomic64_t full ____cacheline_aligned;
	atomic64_t empty;
	atomic64_t pairs;
	atomic64_t refills;
	atomic64_t flushes;
};

/**
 * struct myalloc_magazine_shape - number and size of magazines
 * @capacity: slots per magazine, 0 for no magazines
 * @batch: slots to refill or flush at a time, 1 to @capacity
 * @depot: magazines in addition to the two of each CPU
 * @cpus: number of CPUs to make magazines for
 */
struct myalloc_magazine_shape {
	u32 capacity;
	u32 batch;
	u32 depot;
	u32 cpus;
};

/**
 * struct myalloc_magazine_passed - numbers of things that users have moved through magazines
 * @takes: things taken
 * @gives: things given
 */
struct myalloc_magazine_passed {
	u64 takes;
	u64 gives;
};

int myalloc_magazines_init(struct myalloc_magazines *mags, u32 capacity, u32 batch,
			   u32 depot, int node);
struct myalloc_magazine_cpu __percpu *myalloc_magazines_prepare(void);
void myalloc_magazines_unprepare(struct myalloc_magazines *mags);
int myalloc_magazines_make(struct myalloc_magazines *mags,
			   const struct myalloc_magazine_shape *shape,
			   struct myalloc_magazine_cpu __percpu *none, int node);
void myalloc_magazines_fini(struct myalloc_magazines *mags);
size_t myalloc_magazines_bytes(const struct myalloc_magazines *mags);
u64 myalloc_magazines_count(const struct myalloc_magazines *mags);
struct myalloc_magazine_passed myalloc_magazines_passed(const struct myalloc_magazines *mags);
struct myalloc_magazine_passed
myalloc_magazines_hits(const struct myalloc_magazines *mags,
		       const struct myalloc_magazine_passed *passed);
u64 myalloc_magazines_moves(const struct myalloc_magazines *mags);
bool myalloc_magazines_idle(const struct myalloc_magazines *mags);

bool myalloc_magazines_load(struct myalloc_magazines *mags,
			    struct myalloc_magazine_cpu *cpu);
bool myalloc_magazines_room(struct myalloc_magazines *mags,
			    struct myalloc_magazine_cpu *cpu);
/* Returns the things in @nr slots, whose states are all "cached", to the layer below. */
typedef void (*myalloc_flush_fn)(void *owner, struct myalloc_slot *slot, u32 nr);
u32 myalloc_magazines_drain_here(struct myalloc_magazines *mags, u32 most,
				 myalloc_flush_fn flush, void *owner);
void myalloc_magazines_drain_cpu(struct myalloc_magazines *mags, int cpu,
				 myalloc_flush_fn flush, void *owner);
void myalloc_magazines_drain_depot(struct myalloc_magazines *mags, myalloc_flush_fn flush,
				   void *owner);
/**
 * struct myalloc_magazine_look - contents and statistics of a CPU's magazines
 * @loaded: filled slots of the loaded magazine
 * @previous: filled slots of the previous magazine
 * @takes: number of things taken
 * @gives: number of things given
 */
struct myalloc_magazine_look {
	u32 loaded;
	u32 previous;
	u64 takes;
	u64 gives;
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

/* Returned by myalloc_magazines_drain_here() if it interrupted code at work on the magazines */
#define MYALLOC_DRAIN_BUSY	U32_MAX

/**
 * myalloc_magazine_bytes() - size of a magazine
 * @capacity: slots per magazine
 *
 * Context: any.
 * Return: bytes, a multiple of the cache line size.
 */
static inline size_t myalloc_magazine_bytes(u32 capacity)
{
	return ALIGN(struct_size((struct myalloc_magazine *)NULL, slot, capacity + 2),
		     SMP_CACHE_BYTES);
}

/**
 * myalloc_magazine_shape_nr() - number of magazines of a shape
 * @shape: the shape
 *
 * Context: any.
 * Return: the number of magazines of all CPUs and the depot.
 */
static inline u32 myalloc_magazine_shape_nr(const struct myalloc_magazine_shape *shape)
{
	return shape->capacity ? 2 * shape->cpus + shape->depot : 0;
}

/**
 * myalloc_magazine_shape_bytes() - memory of the magazines of a shape
 * @shape: the shape
 *
 * Context: any.
 * Return: bytes, without the per-CPU part.
 */
static inline size_t myalloc_magazine_shape_bytes(const struct myalloc_magazine_shape *shape)
{
	return myalloc_magazine_shape_nr(shape) * myalloc_magazine_bytes(shape->capacity);
}

/**
 * myalloc_magazine_first() - the lowest slot of a magazine
 * @mag: the magazine
 *
 * Context: any.
 * Return: the slot above the lower guard slot.
 */
static __always_inline struct myalloc_slot *
myalloc_magazine_first(struct myalloc_magazine *mag)
{
	return mag->slot + 1;
}

/**
 * myalloc_magazine_count() - number of filled slots in the loaded magazine
 * @cpu: from myalloc_magazines_enter()
 *
 * Context: any, between enter and leave.
 * Return: the number of slots.
 */
static __always_inline u32 myalloc_magazine_count(const struct myalloc_magazine_cpu *cpu)
{
	return cpu->top - myalloc_magazine_first(cpu->loaded);
}

/**
 * myalloc_magazine_set_count() - set the number of filled slots in the loaded magazine
 * @cpu: from myalloc_magazines_enter()
 * @count: the number of slots, at most the capacity
 *
 * Context: any, between enter and leave.
 */
static __always_inline void myalloc_magazine_set_count(struct myalloc_magazine_cpu *cpu,
						       u32 count)
{
	WRITE_ONCE(cpu->top, myalloc_magazine_first(cpu->loaded) + count);
}

/**
 * myalloc_magazines_note_refill() - count a refill by the owner
 * @mags: the magazines
 *
 * To be called before the take for which the magazine was filled. A full barrier, which pairs with
 * myalloc_magazines_hits().
 *
 * Context: any, between enter and leave.
 */
static inline void myalloc_magazines_note_refill(struct myalloc_magazines *mags)
{
	atomic64_inc_return(&mags->refills);
}

/**
 * myalloc_magazines_note_flush() - count a flush by the owner that makes room for a give
 * @mags: the magazines
 *
 * As myalloc_magazines_note_refill(). A flush by a drain is not counted.
 *
 * Context: any, between enter and leave.
 */
static inline void myalloc_magazines_note_flush(struct myalloc_magazines *mags)
{
	atomic64_inc_return(&mags->flushes);
}

/* Set an epoch to @age unless a remake requires the slow path, also if it does so just now. */
static inline void myalloc_magazines_set_epoch(u64 *epoch, u64 age)
{
	u64 old = READ_ONCE(*epoch);

	myalloc_env_point("magazine-epoch");
	if (old != MYALLOC_EPOCH_NEVER)
		cmpxchg(epoch, old, age);
}

/**
 * myalloc_magazines_next_epoch() - begin a new epoch
 * @mags: the magazines
 *
 * To be called before the states that stale slots point to go away.
 *
 * Context: any; the owner excludes concurrent calls, but not a remake.
 */
static inline void myalloc_magazines_next_epoch(struct myalloc_magazines *mags)
{
	u64 age = mags->age + 1;

	smp_store_release(&mags->age, age);	/* pairs with renew() of magazine.c */
	myalloc_magazines_set_epoch(&mags->epoch, age);
	myalloc_magazines_set_epoch(&mags->inner_epoch, age);
}

/**
 * __myalloc_magazines_begin() - begin fast-path work on this CPU's magazines
 * @mags: the magazines
 * @epoch: &@mags->epoch, or &@mags->inner_epoch for an owner that takes the fast path whatever
 *	@mags->epoch is. It is read with preemption off, so a grace period that begins after the
 *	epoch has advanced waits for this section.
 * @cpu: out: this CPU's part
 * @guard: out: to be passed to myalloc_magazines_end()
 *
 * Context: any, also NMI.
 * Return: true, with preemption off, if the stale slots can be trusted; false if the caller
 * interrupted code that is at work on the magazines, or if the slow path is required.
 */
static __always_inline bool __myalloc_magazines_begin(struct myalloc_magazines *mags,
						      const u64 *epoch,
						      struct myalloc_magazine_cpu **cpu,
						      u64 *guard)
{
	preempt_disable();
	*cpu = this_cpu_ptr(data_race(mags->cpu));	/* the old or the new part, see remake */
	myalloc_env_point("magazine-enter");
	*guard = data_race((*cpu)->guard);	/* only this CPU writes it */
	if (unlikely(*guard != data_race(*epoch))) {	/* Stale slots */
		preempt_enable();
		return false;
	}
	/* If an interrupt loads another magazine here, it brings it to this epoch (renew()). */
	myalloc_env_point("magazine-not-busy");
	WRITE_ONCE((*cpu)->guard, MYALLOC_EPOCH_BUSY);
	barrier();
	myalloc_env_point("magazine-busy");
	return true;
}

/**
 * myalloc_magazines_begin() - begin fast-path work unless the owner requires the slow path
 * @mags: the magazines
 * @cpu: out: this CPU's part
 * @guard: out: to be passed to myalloc_magazines_end()
 *
 * Context: any, also NMI.
 * Return: as __myalloc_magazines_begin().
 */
static __always_inline bool myalloc_magazines_begin(struct myalloc_magazines *mags,
						    struct myalloc_magazine_cpu **cpu,
						    u64 *guard)
{
	return __myalloc_magazines_begin(mags, &mags->epoch, cpu, guard);
}

/**
 * myalloc_magazines_end() - end fast-path work on this CPU's magazines
 * @cpu: from myalloc_magazines_begin()
 * @guard: from myalloc_magazines_begin()
 *
 * If an interrupt has begun a new epoch meanwhile, @guard is of an older epoch; the next call of
 * myalloc_magazines_begin() notices that.
 *
 * Context: any; enables preemption.
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
 *
 * Context: any; enables preemption.
 */
static __always_inline void myalloc_magazines_leave(struct myalloc_magazine_cpu *cpu)
{
	myalloc_magazines_end(cpu, cpu->epoch);
}

#endif /* MYALLOC_MAGAZINE_H */
