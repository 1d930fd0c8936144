// SPDX-License-Identifier: GPL-2.0
/*
 * The rest of the environment, without malloc(): metadata, per-CPU memory, the log, the clock
 *
 * Metadata of up to half a mapping comes in powers of two, cut from mappings one after another and
 * kept in lists when it is free; what is larger has a mapping of its own. Per-CPU memory is a row
 * of areas like that of env/host/env.c. All of it is zero when it is free, so that what was never
 * used is never touched.
 */
#include "env.h"
#include "host_malloc.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* --- mappings --------------------------------------------------------------------- */

/* Zeroed memory that takes no pages until it is touched; NULL if there is no address space left. */
void *host_map(size_t size, size_t align)
{
	size_t lead, more = align > PAGE_SIZE ? align - PAGE_SIZE : 0;
	void *p;

	if (size + more < size)
		return NULL;
	p = mmap(NULL, size + more, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (!more)
		return p;
	lead = ALIGN((uintptr_t)p, align) - (uintptr_t)p;
	if (lead)
		munmap(p, lead);
	if (more - lead)
		munmap(p + lead + size, more - lead);
	return p + lead;
}

void host_unmap(void *addr, size_t size)
{
	munmap(addr, size);
}

/* --- metadata ----------------------------------------------------------------------- */

#define META_MAPPING	(1UL << 20)
#define META_HEAD	L1_CACHE_BYTES

struct meta {
	size_t size;		/* with this head */
	struct meta *next;	/* while it is free */
};

static struct {
	struct hidden_lock lock;
	char *at, *end;
	struct meta *free[BITS_PER_LONG];
} metas;

bool myalloc_env_should_fail(void)
{
	return false;
}

void *myalloc_env_zalloc(size_t size, int node)
{
	size_t all = size_add(size, META_HEAD);
	struct meta *m = NULL;
	unsigned int order;

	if (all > META_MAPPING / 2) {
		m = all == SIZE_MAX ? NULL : host_map(PAGE_ALIGN(all), PAGE_SIZE);
		if (!m)
			return NULL;
		m->size = PAGE_ALIGN(all);
		return (char *)m + META_HEAD;
	}
	order = order_base_2(all);
	all = BIT(order);
	hidden_acquire(&metas.lock);
	if (metas.free[order]) {
		m = metas.free[order];
		metas.free[order] = m->next;
	} else {
		if (metas.end - metas.at < all) {
			metas.at = host_map(META_MAPPING, PAGE_SIZE);
			metas.end = metas.at ? metas.at + META_MAPPING : NULL;
		}
		if (metas.at) {
			m = (struct meta *)metas.at;
			metas.at += all;
		}
	}
	hidden_release(&metas.lock);
	if (!m)
		return NULL;
	m->size = all;
	return (char *)m + META_HEAD;
}

void myalloc_env_free(const void *ptr)
{
	struct meta *m = (struct meta *)((char *)ptr - META_HEAD);
	unsigned int order;

	if (!ptr)
		return;
	if (m->size > META_MAPPING / 2) {
		host_unmap(m, m->size);
		return;
	}
	order = order_base_2(m->size);
	memset((void *)ptr, 0, m->size - META_HEAD);
	hidden_acquire(&metas.lock);
	m->next = metas.free[order];
	metas.free[order] = m;
	hidden_release(&metas.lock);
}

/* --- per-CPU memory ------------------------------------------------------------------- */

#define GRAINS	(HOST_PERCPU_UNIT / L1_CACHE_BYTES)

static struct {
	struct hidden_lock lock;
	char *base;
	u16 size[GRAINS];	/* grains of what begins here */
	bool used[GRAINS];
} percpu;

static size_t percpu_find(size_t grains, size_t step)
{
	size_t at, n;

	for (at = 0; at + grains <= GRAINS; at += step) {
		for (n = 0; n < grains && !percpu.used[at + n]; n++)
			;
		if (n == grains)
			return at;
	}
	return GRAINS;
}

void __percpu *myalloc_env_alloc_percpu(size_t size, size_t align)
{
	size_t grains = DIV_ROUND_UP(size, L1_CACHE_BYTES);
	size_t step = align > L1_CACHE_BYTES ? align / L1_CACHE_BYTES : 1, at = GRAINS;

	hidden_acquire(&percpu.lock);
	if (!percpu.base)
		percpu.base = host_map(HOST_SLOTS * HOST_PERCPU_UNIT, HOST_PERCPU_UNIT);
	if (percpu.base)
		at = percpu_find(grains, step);
	if (at < GRAINS) {
		memset(&percpu.used[at], true, grains);
		percpu.size[at] = grains;
	}
	hidden_release(&percpu.lock);
	return at < GRAINS ? percpu.base + at * L1_CACHE_BYTES : NULL;
}

void myalloc_env_free_percpu(void __percpu *ptr)
{
	size_t at = ((char *)ptr - percpu.base) / L1_CACHE_BYTES;
	unsigned int cpu;

	if (!ptr)
		return;
	for (cpu = 0; cpu < HOST_SLOTS; cpu++)
		memset(per_cpu_ptr(ptr, cpu), 0, percpu.size[at] * L1_CACHE_BYTES);
	hidden_acquire(&percpu.lock);
	memset(&percpu.used[at], false, percpu.size[at]);
	hidden_release(&percpu.lock);
}

/* For fork(). */
void host_memory_lock(void)
{
	hidden_acquire(&metas.lock);
	hidden_acquire(&percpu.lock);
}

void host_memory_unlock(void)
{
	hidden_release(&percpu.lock);
	hidden_release(&metas.lock);
}

/* --- the log ------------------------------------------------------------------------------- */

static void say(const char *text, size_t len)
{
	ssize_t unused = write(STDERR_FILENO, text, len);

	(void)unused;
}

void host_printk(const char *fmt, ...)
{
	char line[1024];
	va_list args;

	va_start(args, fmt);
	say(line, vscnprintf(line, sizeof(line), fmt, args));
	va_end(args);
}

/* A warning of the allocator is a fault of it: the program ends. */
void host_warn(const char *file, int line, const char *func, const char *fmt, ...)
{
	host_printk("myalloc: WARNING: at %s:%d %s()\n", file, line, func);
	abort();
}

void host_fatal(const char *fmt, ...)
{
	char line[1024];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vscnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	line[n] = '\n';
	say(line, n + 1);
	abort();
}

void myalloc_env_print_init(struct myalloc_env_print *print,
			    void (*fn)(struct myalloc_env_print *print))
{
	print->fn = fn;
}

/* At once: what is printed from within a section holds no lock but that section. */
void myalloc_env_defer_print(struct myalloc_env_print *print)
{
	print->fn(print);
}

void myalloc_env_print_sync(struct myalloc_env_print *print)
{
}

bool myalloc_env_ratelimit(void)
{
	return true;
}

/* --- what nobody needs here ------------------------------------------------------------------ */

int myalloc_env_stack_init(void)
{
	return 0;
}

u32 myalloc_env_stack_save(unsigned long caller)
{
	return 0;
}

unsigned long myalloc_env_stack_first(u32 handle)
{
	return 0;
}

void myalloc_env_stack_print(u32 handle)
{
}

bool myalloc_env_page_referenced(const void *addr)
{
	return false;
}

bool myalloc_env_page_bad(const void *addr)
{
	return false;
}

int myalloc_env_symbol(char *buf, size_t size, unsigned long ip)
{
	Dl_info info;

	if (dladdr((void *)ip, &info) && info.dli_fname)
		return scnprintf(buf, size, "%s+0x%lx", info.dli_fname,
				 ip - (unsigned long)info.dli_fbase);
	return scnprintf(buf, size, "0x%lx", ip);
}

u32 myalloc_env_pid(void)
{
	return (u32)syscall(SYS_gettid);
}

void myalloc_env_who(char *buf, size_t size)
{
	scnprintf(buf, size, "pid %u in a task", myalloc_env_pid());
}

/* A process that is killed runs no more code, so nobody has to ask. */
bool myalloc_env_fatal_signal(void)
{
	return false;
}

u64 myalloc_env_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

u64 myalloc_env_seed(void)
{
	static u64 state;
	u64 x = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15ULL, __ATOMIC_RELAXED);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

u32 myalloc_env_random(void)
{
	return myalloc_env_seed() >> 32;
}
