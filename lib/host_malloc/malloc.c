// SPDX-License-Identifier: GPL-2.0
/*
 * The heap as malloc() of real programs
 *
 *	LD_PRELOAD=libmyalloc_malloc.so program
 *
 * What it is for: a soak by programs that nobody here wrote, and a measurement beside other malloc
 * libraries (vm/programs.sh). It is not a product: what is freed stays with the process, a program
 * that allocates nothing does not run the allocator's worker, and the reserve has one size.
 *
 * The reserve is one anonymous mapping: address space; pages take memory when they are touched. It
 * is as large as the machine's memory, or MYALLOC_MALLOC_MB. Blocks above a chunk (4 MiB), which is
 * the heap's largest, are mappings of their own (large.c). When the reserve is full, a request
 * first drains everything, then fails with ENOMEM: another reserve is not added.
 *
 * Sizes above 8 bytes are rounded up to multiples of 16, the alignment that compilers expect of
 * malloc().
 *
 * A wrong free is reported on standard error, and the program is aborted, as by glibc.
 *
 * Upkeep: in the kernel a worker does it. Here the threads of the program do: whoever has taken
 * UPKEEP_LOCKS locks of the allocator runs the worker if it is due, with no lock of the allocator
 * held and from the end of a call, where the allocator could be entered anew. It also gives
 * magazines to the classes that work past theirs, without waiting for the worker, which thinks in
 * half seconds: most programs are over by then.
 *
 * Begin: the first call makes the reserve and its heap, of memory that memory.c maps. Nothing of it
 * calls malloc(), so there is no early call to be served from elsewhere. fork(): all of the
 * allocator stands still while the process is copied (threads.c).
 *
 * With MYALLOC_MALLOC_VALIDATE=1 the process validates the zone at its exit, and aborts if anything
 * is wrong. MYALLOC_MALLOC_SLOTS is the most threads with a CPU of their own, at most 56.
 */
#include "env.h"
#include "front/heap.h"
#include "host_malloc.h"
#include "object/upkeep.h"
#include "zone/validate.h"
#include "zone/zone.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#define UPKEEP_LOCKS	64
/* Operations of a class without magazines before it gets some. */
#define UPKEEP_OPS	64
#define CHUNK		(PAGE_SIZE << MYALLOC_CHUNK_MAX)
#define ALIGNMENT	16UL

#define EXPORT		__attribute__((__visibility__("default")))

static struct myalloc_zone *zone;
static struct myalloc_heap *heap;
static unsigned long base, bytes;
/* 0 until the first call, 1 while that call makes the heap, 2 */
static int state;

/* Held while anything works on all of the zone: worker, magazines, drains, fork. */
static struct hidden_lock upkeep_lock;
static struct myalloc_env_work *posted;
static u64 due;
static u32 fed;		/* classes with magazines, or that shall have none */
static bool has_fed[MYALLOC_HEAP_CLASSES + 1];

/* --- upkeep --------------------------------------------------------------------------- */

/* A work that is posted already keeps its time unless the new one is earlier. */
void myalloc_env_work_post(struct myalloc_env_work *w, unsigned int ms)
{
	u64 at;

	if (READ_ONCE(posted) && ms)
		return;
	at = myalloc_env_now_ns() + ms * 1000000ULL;
	if (!READ_ONCE(posted) || at < READ_ONCE(due))
		WRITE_ONCE(due, at);
	WRITE_ONCE(posted, w);
}

/* Gives magazines to classes that are used; upkeep_lock held. */
static void feed(void)
{
	u32 class;

	for (class = 1; class <= heap->nr_classes && fed < heap->nr_classes; class++) {
		struct myalloc_cache *c = heap->cache[class];

		if (has_fed[class] || data_race(c->allocs + c->frees) < UPKEEP_OPS)	/* a hint */
			continue;
		has_fed[class] = true;
		fed++;
		if (!c->mags.capacity)
			myalloc_cache_resize(c, myalloc_cache_default_magazine(c));
	}
}

static noinline void upkeep(void)
{
	struct myalloc_env_work *work = NULL;
	int error = errno;

	host_self.slow = 0;
	if (!hidden_try(&upkeep_lock))
		return;
	feed();
	if (READ_ONCE(posted) && myalloc_env_now_ns() >= READ_ONCE(due))
		work = xchg(&posted, NULL);
	if (work)
		work->fn(work);
	hidden_release(&upkeep_lock);
	host_self.slow = 0;
	errno = error;
}

/* At the end of each call. A call from a signal handler inside another one does nothing here. */
static __always_inline void end_call(void)
{
	if (unlikely(host_self.slow >= UPKEEP_LOCKS) && likely(!host_self.pins))
		upkeep();
}

/* --- begin, fork, exit -------------------------------------------------------------------- */

static void before_fork(void)
{
	hidden_acquire(&upkeep_lock);
	host_threads_stop();
	host_memory_lock();
	host_large_lock();
}

static void after_fork(void)
{
	host_large_unlock();
	host_memory_unlock();
}

static void fork_parent(void)
{
	after_fork();
	host_threads_parent();
	hidden_release(&upkeep_lock);
}

static void fork_child(void)
{
	after_fork();
	host_threads_child();
	hidden_release(&upkeep_lock);
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *text = environ ? getenv(name) : NULL;

	return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

/* The zone with its heap in as much address space as there is, down to a chunk. */
static bool make(unsigned long mb)
{
	static const struct myalloc_heap_args heap_args = { .name = "malloc" };
	struct myalloc_zone_args args = {
		.name = "malloc", .chunk_order = MYALLOC_CHUNK_MAX, .node = NUMA_NO_NODE,
	};
	unsigned long size = min(mb, 1UL << 20) << 20, i;
	void **chunks, *memory = NULL;
	struct myalloc_heap *made;

	for (size = max(ALIGN_DOWN(size, CHUNK), CHUNK); size >= CHUNK;
	     size = ALIGN_DOWN(size / 2, CHUNK)) {
		memory = host_map(size, CHUNK);
		if (memory)
			break;
	}
	if (!memory)
		return false;
	args.nr_chunks = size / CHUNK;
	args.nr_pages = size / PAGE_SIZE;
	chunks = host_map(PAGE_ALIGN(args.nr_chunks * sizeof(*chunks)), PAGE_SIZE);
	if (!chunks)
		return false;
	for (i = 0; i < args.nr_chunks; i++)
		chunks[i] = memory + i * CHUNK;
	args.chunks = chunks;
	zone = myalloc_zone_create(&args);
	host_unmap(chunks, PAGE_ALIGN(args.nr_chunks * sizeof(*chunks)));
	if (IS_ERR(zone))
		return false;
	made = myalloc_heap_create(zone, &heap_args);
	if (IS_ERR(made))
		return false;
	base = (unsigned long)memory;
	bytes = size;
	smp_store_release(&heap, made);	/* whoever sees it sees the rest, too */
	return true;
}

static unsigned long machine_mb(void)
{
	unsigned long pages = sysconf(_SC_PHYS_PAGES);

	return max(pages >> (20 - PAGE_SHIFT), 1024UL);
}

/* True when there is a heap. */
static noinline bool begin(void)
{
	int none = 0;

	if (!__atomic_compare_exchange_n(&state, &none, 1, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_ACQUIRE)) {
		while (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == 1)
			cpu_relax();
		return heap;
	}
	host_threads_init(setting("MYALLOC_MALLOC_SLOTS", HOST_SLOTS));
	if (!make(setting("MYALLOC_MALLOC_MB", machine_mb())))
		host_fatal("myalloc: no address space for the reserve");
	__atomic_store_n(&state, 2, __ATOMIC_RELEASE);
	pthread_atfork(before_fork, fork_parent, fork_child);
	return true;
}

static __attribute__((__constructor__)) void at_load(void)
{
	if (!READ_ONCE(heap))
		begin();
}

static __attribute__((__destructor__)) void at_exit(void)
{
	struct myalloc_validation v = { 0 };

	if (!heap || !setting("MYALLOC_MALLOC_VALIDATE", 0))
		return;
	hidden_acquire(&upkeep_lock);
	if (!myalloc_zone_validate(zone, &v))
		host_fatal("myalloc: %llu invariants are violated, first: %s", v.errors, v.first);
	hidden_release(&upkeep_lock);
}

/* --- the family ------------------------------------------------------------------------------ */

static __always_inline size_t round_size(size_t size)
{
	return size <= 8 ? size : ALIGN(size, ALIGNMENT);
}

static void *failed(void)
{
	errno = ENOMEM;
	return NULL;
}

/* Too large for the heap, aligned, or the heap has no more; or there is no heap yet. */
static noinline void *alloc_slow(size_t size, size_t align, myalloc_flags_t flags)
{
	int error = errno;
	void *p;

	if (unlikely(!READ_ONCE(heap)) && !begin())
		return failed();
	if (size > CHUNK || align > CHUNK) {
		p = host_large_alloc(size, align);
	} else {
		size = round_size(max(size, (size_t)1));
		p = myalloc_heap_alloc_aligned(heap, size, align, flags);
		if (unlikely(!p)) {
			hidden_acquire(&upkeep_lock);
			p = myalloc_heap_alloc_aligned(heap, size, align, flags | MYALLOC_MAY_WAIT);
			hidden_release(&upkeep_lock);
		}
	}
	errno = error;
	return p ?: failed();
}

static __always_inline void *alloc(size_t size, myalloc_flags_t flags)
{
	void *p = NULL;

	if (likely(size <= CHUNK && heap))
		p = myalloc_heap_alloc(heap, round_size(size), flags);
	if (unlikely(!p))
		p = alloc_slow(size, 1, flags);
	end_call();
	return p;
}

static void *alloc_aligned(size_t size, size_t align)
{
	void *p = alloc_slow(size, max(align, ALIGNMENT), 0);

	end_call();
	return p;
}

static noinline void free_outside(void *p)
{
	if (!host_large_free(p))
		host_fatal("myalloc: bad free of %p: it is not allocated", p);
}

EXPORT void *malloc(size_t size)
{
	return alloc(size, 0);
}

EXPORT void *calloc(size_t nr, size_t size)
{
	size_t all;

	if (check_mul_overflow(nr, size, &all))
		return failed();
	return alloc(all, MYALLOC_ZERO);
}

EXPORT void free(void *p)
{
	if (unlikely((unsigned long)p - base >= bytes)) {
		if (p)
			free_outside(p);
		return;
	}
	if (unlikely(myalloc_heap_free(heap, p)))
		abort();	/* it was reported */
	end_call();
}

static size_t usable(void *p)
{
	return (unsigned long)p - base < bytes ? myalloc_heap_usable_size(heap, p) :
						 host_large_usable(p);
}

EXPORT size_t malloc_usable_size(void *p)
{
	return p ? usable(p) : 0;
}

/* To another block, where the heap alone cannot do it. */
static void *move(void *p, size_t old, size_t size)
{
	void *to = alloc(size, 0);

	if (!to)
		return NULL;
	memcpy(to, p, min(old, size));
	free(p);
	return to;
}

/* Like glibc's, realloc(p, 0) frees. A block that is to be smaller stays if there is no other. */
EXPORT void *realloc(void *p, size_t size)
{
	size_t old;
	void *to;

	if (!p)
		return alloc(size, 0);
	if (!size) {
		free(p);
		return NULL;
	}
	if (likely((unsigned long)p - base < bytes && size <= CHUNK)) {
		to = myalloc_heap_realloc(heap, p, round_size(size), 0);
		end_call();
		if (likely(to))
			return to;
	}
	old = usable(p);
	if (!old)
		host_fatal("myalloc: realloc of %p, which is not allocated", p);
	if ((unsigned long)p - base >= bytes && size > CHUNK)
		to = host_large_resize(p, size);
	else
		to = move(p, old, size);
	if (!to && size <= old)
		return p;
	return to ?: failed();
}

EXPORT void *reallocarray(void *p, size_t nr, size_t size)
{
	size_t all;

	if (check_mul_overflow(nr, size, &all))
		return failed();
	return realloc(p, all);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	int error = errno;
	void *p;

	if (align % sizeof(void *) || !is_power_of_2(align))
		return EINVAL;
	p = alloc_aligned(size, align);
	errno = error;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

/* Like glibc's, any alignment: rounded up to a power of two. */
EXPORT void *memalign(size_t align, size_t size)
{
	if (align > PTRDIFF_MAX / 2) {
		errno = EINVAL;
		return NULL;
	}
	return alloc_aligned(size, roundup_pow_of_two(max(align, ALIGNMENT)));
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	if (!is_power_of_2(align)) {
		errno = EINVAL;
		return NULL;
	}
	return alloc_aligned(size, align);
}

EXPORT void *valloc(size_t size)
{
	return alloc_aligned(size, PAGE_SIZE);
}

EXPORT void *pvalloc(size_t size)
{
	return size > PTRDIFF_MAX ? failed() : alloc_aligned(PAGE_ALIGN(size), PAGE_SIZE);
}
