// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks above a chunk: a mapping each
 *
 * The first page of a mapping is its record, in a table by the address of the block, so an address
 * that is none of them is found without a look at what lies there.
 */
#include "env.h"
#include "host_malloc.h"

#include <sys/mman.h>

#define BUCKETS	4096

struct large {
	struct large *next;
	void *addr;	/* of the block, behind this record */
	size_t size;	/* of the block */
};

static struct {
	struct hidden_lock lock;
	struct large *bucket[BUCKETS];
} larges;

static struct large **bucket_of(const void *addr)
{
	return &larges.bucket[((uintptr_t)addr * 0x9e3779b97f4a7c15ULL) >> 52];
}

static void add(struct large *l)
{
	struct large **b;

	hidden_acquire(&larges.lock);
	b = bucket_of(l->addr);
	l->next = *b;
	*b = l;
	hidden_release(&larges.lock);
}

static struct large *take_out(const void *addr)
{
	struct large **p, *l;

	hidden_acquire(&larges.lock);
	for (p = bucket_of(addr); (l = *p); p = &l->next)
		if (l->addr == addr)
			break;
	if (l)
		*p = l->next;
	hidden_release(&larges.lock);
	return l;
}

/* The record is the page before the block, so that a mapping begins with it and can be moved. */
void *host_large_alloc(size_t size, size_t align)
{
	struct large *l;
	char *p;

	if (size > PTRDIFF_MAX - PAGE_SIZE || align > PTRDIFF_MAX / 2)
		return NULL;
	size = PAGE_ALIGN(size ?: 1);
	if (align <= PAGE_SIZE) {
		p = host_map(size + PAGE_SIZE, PAGE_SIZE);
		if (!p)
			return NULL;
	} else {
		/* The record is the page before an aligned address. */
		p = host_map(size_add(size, align), align);
		if (!p)
			return NULL;
		if (align - PAGE_SIZE)
			host_unmap(p, align - PAGE_SIZE);
		p += align - PAGE_SIZE;
	}
	l = (struct large *)p;
	l->addr = p + PAGE_SIZE;
	l->size = size;
	add(l);
	return l->addr;
}

/* False if no large block begins there. */
bool host_large_free(void *addr)
{
	struct large *l = take_out(addr);

	if (!l)
		return false;
	host_unmap(l, l->size + PAGE_SIZE);
	return true;
}

/* Bytes; 0 if no large block begins there. */
size_t host_large_usable(const void *addr)
{
	struct large *l;

	hidden_acquire(&larges.lock);
	for (l = *bucket_of(addr); l && l->addr != addr; l = l->next)
		;
	hidden_release(&larges.lock);
	return l ? l->size : 0;
}

/* The block with another size above a chunk, perhaps elsewhere; NULL as host_large_alloc(). */
void *host_large_resize(void *addr, size_t size)
{
	struct large *l = take_out(addr);
	char *p;

	p = size > PTRDIFF_MAX - PAGE_SIZE ? MAP_FAILED :
	    mremap(l, l->size + PAGE_SIZE, PAGE_ALIGN(size) + PAGE_SIZE, MREMAP_MAYMOVE);
	if (p != MAP_FAILED) {
		l = (struct large *)p;
		l->addr = p + PAGE_SIZE;
		l->size = PAGE_ALIGN(size);
	}
	add(l);
	return p != MAP_FAILED ? l->addr : NULL;
}

/* For fork(). */
void host_large_lock(void)
{
	hidden_acquire(&larges.lock);
}

void host_large_unlock(void)
{
	hidden_release(&larges.lock);
}
