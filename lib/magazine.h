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
 * struct myalloc_magazine - an array of slots
 * @count: slots filled, while it is not the loaded one of a CPU
 * @next: number + 1 of the one below it in the depot, 0 at the bottom
 * @slot: the slots
 */
struct myalloc_magazine {
	u32 count;
	u32 next;
	struct myalloc_slot slot[];
};

/* Bytes of a slot. What is in use of a magazine is counted in bytes: it is an offset. */
#define MYALLOC_SLOT	((u32)sizeof(struct myalloc_slot))

/**
 * struct myalloc_magazine_cpu - what one CPU has
 * @busy: somebody on this CPU is between enter and leave
 * @used: bytes of filled slots in @loaded
 * @limit: bytes of slots in a magazine
 * @slot: @loaded->slot
 * @nr_gets: things taken out
 * @nr_puts: things put in
 * @loaded: the magazine in use
 * @previous: the one before: full or empty, nothing between
 *
 * The members up to @nr_puts are all that a get or put touches; they share a cache line.
 */
struct myalloc_magazine_cpu {
	u32 busy;
	u32 used;
	u32 limit;
	struct myalloc_slot *slot;
	u64 nr_gets;
	u64 nr_puts;
	struct myalloc_magazine *loaded;
	struct myalloc_magazine *previous;
} ____cacheline_aligned;

/**
 * struct myalloc_magazines - per-CPU magazines and their depot
 * @cpu: of every possible CPU; NULL if there are no magazines
 * @capacity: slots in a magazine
 * @batch: slots that the owner refills or flushes at a time, at most @capacity
 * @nr_magazines: of all CPUs and the depot
 * @stride: bytes from one magazine to the next
 * @pool: all magazines, one array
 * @full: stack of full magazines (see magazine.c, Depot)
 * @empty: stack of empty magazines
 */
struct myalloc_magazines {
	struct myalloc_magazine_cpu __percpu *cpu;
	u32 capacity;
	u32 batch;
	u32 nr_magazines;
	u32 stride;
	void *pool;
	atomic64_t full ____cacheline_aligned;
	atomic64_t empty;
};

int myalloc_magazines_init(struct myalloc_magazines *mags, u32 capacity, u32 batch,
			   u32 depot, int node);
void myalloc_magazines_fini(struct myalloc_magazines *mags);
size_t myalloc_magazines_bytes(const struct myalloc_magazines *mags);
u64 myalloc_magazines_count(const struct myalloc_magazines *mags);
u64 myalloc_magazines_gets(const struct myalloc_magazines *mags);
u64 myalloc_magazines_puts(const struct myalloc_magazines *mags);
bool myalloc_magazines_idle(const struct myalloc_magazines *mags);

bool myalloc_magazines_load(struct myalloc_magazines *mags,
			    struct myalloc_magazine_cpu *cpu);
bool myalloc_magazines_room(struct myalloc_magazines *mags,
			    struct myalloc_magazine_cpu *cpu);
/* Takes @nr slots, whose states are all "cached", back to where they came from. */
typedef void (*myalloc_flush_fn)(void *owner, struct myalloc_slot *slot, u32 nr);
void myalloc_magazines_drain(struct myalloc_magazines *mags, myalloc_flush_fn flush,
			     void *owner);
void myalloc_magazines_drain_cpu(struct myalloc_magazines *mags, int cpu,
				 myalloc_flush_fn flush, void *owner);

/* Memory of one magazine. */
static inline size_t myalloc_magazine_bytes(u32 capacity)
{
	return ALIGN(struct_size((struct myalloc_magazine *)NULL, slot, capacity),
		     SMP_CACHE_BYTES);
}

/* Slots filled in the loaded magazine. */
static __always_inline u32 myalloc_magazine_count(const struct myalloc_magazine_cpu *cpu)
{
	return READ_ONCE(cpu->used) / MYALLOC_SLOT;
}

/* Between enter and leave. */
static __always_inline void myalloc_magazine_set_count(struct myalloc_magazine_cpu *cpu,
						       u32 count)
{
	WRITE_ONCE(cpu->used, count * MYALLOC_SLOT);
}

/**
 * myalloc_magazines_begin() - begin work on this CPU's magazines
 * @mags: the magazines
 * @cpu: out: this CPU's part
 *
 * Context: any, also NMI.
 * Return: true with preemption off, to be ended by myalloc_magazines_leave(); false if
 * there are no magazines or the caller interrupted somebody who is at work on them.
 */
static __always_inline bool myalloc_magazines_begin(struct myalloc_magazines *mags,
						    struct myalloc_magazine_cpu **cpu)
{
	preempt_disable();
	*cpu = this_cpu_ptr(mags->cpu);
	myalloc_env_point("magazine-enter");
	if (unlikely(data_race((*cpu)->busy))) {
		preempt_enable();
		return false;
	}
	myalloc_env_point("magazine-not-busy");
	WRITE_ONCE((*cpu)->busy, 1);
	barrier();
	myalloc_env_point("magazine-busy");
	return true;
}

/* As myalloc_magazines_begin(); NULL for false. */
static __always_inline struct myalloc_magazine_cpu *
myalloc_magazines_enter(struct myalloc_magazines *mags)
{
	struct myalloc_magazine_cpu *cpu;

	return myalloc_magazines_begin(mags, &cpu) ? cpu : NULL;
}

/**
 * myalloc_magazines_leave() - end work on this CPU's magazines
 * @cpu: from myalloc_magazines_begin()
 */
static __always_inline void
myalloc_magazines_leave(struct myalloc_magazine_cpu *cpu)
{
	barrier();
	myalloc_env_point("magazine-leave");
	WRITE_ONCE(cpu->busy, 0);
	preempt_enable();
}

#endif /* MYALLOC_MAGAZINE_H */
