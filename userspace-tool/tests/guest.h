/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest: what the tests of the real device share: calls, books, memory that faults
 *
 * Between two readings of the books in which everything was given back, a drained
 * zone is the same down to the free blocks of each order, because two free
 * buddies never coexist. So the tests compare exactly. Nothing else may use
 * the zone while they run.
 */
#ifndef MYALLOCCTL_GUEST_H
#define MYALLOCCTL_GUEST_H

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "ktap.h"
#include "myalloc.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define UNUSED		__attribute__((unused))

static UNUSED inline int call(int fd, unsigned long cmd, const void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

static UNUSED inline __u64 addr_of(const void *p)
{
	return (__u64)(unsigned long)p;
}

/* ---- commands ---- */

static UNUSED int get_stat(int fd, struct myalloc_stat *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	return call(fd, MYALLOC_IOC_STAT, s);
}

static UNUSED int get_info(int fd, struct myalloc_info *i)
{
	memset(i, 0, sizeof(*i));
	i->size = sizeof(*i);
	return call(fd, MYALLOC_IOC_INFO, i);
}

static UNUSED int drain(int fd, __u32 flags)
{
	struct myalloc_drain d = { .flags = flags };

	return call(fd, MYALLOC_IOC_DRAIN, &d);
}

static UNUSED int page_alloc(int fd, __u32 order, __u32 count, __u64 *handles,
			     __u32 *done)
{
	struct myalloc_page_alloc a = {
		.order = order,
		.count = count,
		.handles = addr_of(handles),
	};
	int err = call(fd, MYALLOC_IOC_PAGE_ALLOC, &a);

	*done = a.done;
	return err;
}

static UNUSED int free_many(int fd, unsigned long cmd, const __u64 *handles,
			    __u32 count, __u32 *done)
{
	struct myalloc_free f = { .handles = addr_of(handles), .count = count };
	int err = call(fd, cmd, &f);

	*done = f.done;
	return err;
}

static UNUSED int page_free(int fd, __u64 handle)
{
	__u32 done;

	return free_many(fd, MYALLOC_IOC_PAGE_FREE, &handle, 1, &done);
}

static UNUSED int obj_free(int fd, __u64 handle)
{
	__u32 done;

	return free_many(fd, MYALLOC_IOC_OBJ_FREE, &handle, 1, &done);
}

static UNUSED int obj_alloc(int fd, __u64 cache, __u32 count, __u64 *handles,
			    __u32 *done)
{
	struct myalloc_obj_alloc a = {
		.cache = cache,
		.count = count,
		.handles = addr_of(handles),
	};
	int err = call(fd, MYALLOC_IOC_OBJ_ALLOC, &a);

	*done = a.done;
	return err;
}

static UNUSED int cache_create(int fd, const char *name, __u32 size,
			       __u32 flags, __u64 *handle)
{
	struct myalloc_cache_create c = {
		.size = sizeof(c),
		.object_size = size,
		.flags = flags,
	};
	int err;

	strncpy(c.name, name, sizeof(c.name) - 1);
	err = call(fd, MYALLOC_IOC_CACHE_CREATE, &c);
	*handle = c.handle;
	return err;
}

static UNUSED int cache_op(int fd, unsigned long cmd, __u64 handle)
{
	struct myalloc_handle h = { .handle = handle };

	return call(fd, cmd, &h);
}

static UNUSED int stress_result(int fd, struct myalloc_stress_result *r)
{
	memset(r, 0, sizeof(*r));
	r->size = sizeof(*r);
	return call(fd, MYALLOC_IOC_STRESS_RESULT, r);
}

/* ---- the books ---- */

/* Drained, so that equal holdings give equal books. */
static UNUSED int books(int fd, struct myalloc_stat *s)
{
	int err = drain(fd, MYALLOC_DRAIN_FLAGS);

	return err ? err : get_stat(fd, s);
}

/* What differs between two moments that should be the same; NULL if nothing does. */
static UNUSED const char *books_differ(const struct myalloc_stat *a,
				       const struct myalloc_stat *b)
{
	static char text[160];
	int i;

#define SAME(field) do {						\
	if (a->field != b->field) {					\
		snprintf(text, sizeof(text), #field " was %lld, is %lld", \
			 (long long)a->field, (long long)b->field);	\
		return text;						\
	}								\
} while (0)

	SAME(nr_pages);
	SAME(page_pages);
	SAME(slab_pages);
	SAME(deferred_pages);
	SAME(cached_pages);
	SAME(free_pages);
	SAME(nr_caches);
	/* A wrong handle is stopped before the allocator: it must never see one. */
	SAME(bad_frees);
	SAME(corruptions);
#undef SAME
	for (i = 0; i < MYALLOC_ORDERS; i++) {
		if (a->free_blocks[i] == b->free_blocks[i])
			continue;
		snprintf(text, sizeof(text),
			 "free blocks of order %d were %llu, are %llu", i,
			 (unsigned long long)a->free_blocks[i],
			 (unsigned long long)b->free_blocks[i]);
		return text;
	}
	if (b->free_pages + b->cached_pages + b->page_pages + b->slab_pages +
	    b->deferred_pages + b->quarantined_pages + b->bad_pages != b->nr_pages)
		return "the sum of the books is not the capacity";
	return NULL;
}

/* NULL if the structure is sound, else the first finding. */
static UNUSED const char *unsound(int fd)
{
	static char text[200];
	struct myalloc_validate v;
	int err;

	memset(&v, 0, sizeof(v));
	err = call(fd, MYALLOC_IOC_VALIDATE, &v);
	if (err) {
		snprintf(text, sizeof(text), "VALIDATE: %s", strerror(-err));
		return text;
	}
	if (!v.errors)
		return NULL;
	snprintf(text, sizeof(text), "%llu errors: %.*s",
		 (unsigned long long)v.errors,
		 (int)strnlen(v.first, sizeof(v.first)), v.first);
	return text;
}

/* ---- memory that faults ---- */

/*
 * Three pages: the first can be written, the second only read, the third not
 * touched at all.
 */
static UNUSED char *three_pages(void)
{
	static char *at;
	size_t page = getpagesize();

	if (at)
		return at;
	at = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		abort();
	memset(at, 0, 2 * page);
	mprotect(at + page, page, PROT_READ);
	mprotect(at + 2 * page, page, PROT_NONE);
	return at;
}

/* Puts a copy of @what, @size bytes, into memory that can only be read. */
static UNUSED void *read_only(const void *what, size_t size)
{
	size_t page = getpagesize();
	char *at = three_pages() + page;

	mprotect(at, page, PROT_READ | PROT_WRITE);
	memset(at, 0, page);
	memcpy(at, what, size);
	mprotect(at, page, PROT_READ);
	return at;
}

static UNUSED void *unmapped(void)
{
	return three_pages() + 2 * getpagesize();
}

/* ---- chance and time ---- */

/* splitmix64: small, and the same everywhere for a seed. */
static UNUSED __u64 next_random(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static UNUSED __u64 below(__u64 *state, __u64 limit)
{
	return next_random(state) % limit;
}

static UNUSED __u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static UNUSED void sleep_us(__u64 us)
{
	struct timespec ts = {
		.tv_sec = us / 1000000,
		.tv_nsec = us % 1000000 * 1000,
	};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

#endif /* MYALLOCCTL_GUEST_H */
