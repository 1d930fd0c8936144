/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest: what the tests of the real device share: calls, statistics, memory that faults
 *
 * When everything was given back and the zone is drained, its statistics are the same as
 * before, down to the free blocks of each order, because two free buddies never coexist.
 * So the tests compare exactly. Nothing else may use the zone while they run.
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

#include "table.h"
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

/* ---- statistics ---- */

/* Drained, so that equal holdings give equal numbers. */
static UNUSED int drained_stat(int fd, struct myalloc_stat *s)
{
	int err = drain(fd, MYALLOC_DRAIN_FLAGS);

	return err ? err : get_stat(fd, s);
}

/* Pages that the kinds of holder account for together. */
static UNUSED __u64 holders_sum(const struct myalloc_stat *s)
{
#define ADD_HOLDER(name)	+ s->name
#define ADD_STATE(name)
#define ADD_EVENT(name)
#define ADD(type, name, kind, ...)	ADD_##kind(name)
#define NOTHING(...)
	return 0 MYALLOC_ZONE_FIELDS(ADD, NOTHING);
#undef NOTHING
}

/*
 * What differs between two moments that should be the same; NULL if nothing does. The same
 * must be the holders of pages, the number of caches, and the errors: a wrong handle is
 * stopped before the allocator, which must never see one.
 */
static UNUSED const char *stats_differ(const struct myalloc_stat *a,
				       const struct myalloc_stat *b)
{
	static char text[160];
	int i;

#define SAME(name) do {							\
	if (a->name != b->name) {					\
		snprintf(text, sizeof(text), #name " was %lld, is %lld", \
			 (long long)a->name, (long long)b->name);	\
		return text;						\
	}								\
} while (0);
#define SAME_HOLDER(name, unit)	SAME(name)
#define SAME_STATE(name, unit)
#define SAME_EVENT(name, unit)	SAME_IF_##unit(name)
#define SAME_IF_ERROR(name)	SAME(name)
#define SAME_IF_NUMBER(name)
#define COMPARE(type, name, kind, unit, ...)	SAME_##kind(name, unit)
#define NOTHING(...)
	MYALLOC_ZONE_FIELDS(COMPARE, NOTHING)
	SAME(nr_pages)
	SAME(nr_caches)
#undef NOTHING
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
	if (holders_sum(b) != b->nr_pages)
		return "the holders of pages do not add up to the capacity";
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
