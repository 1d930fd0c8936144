// SPDX-License-Identifier: GPL-2.0
/* Misuse of heaps. */
#include "misuse.h"
#include "front/heap.h"

#define LARGE	(12 * PAGE_SIZE)	/* above MYALLOC_MAX_OBJECT */

static struct myalloc_heap *web, *other;
static void *p, *q;
static int err;

static void make_heaps(void)
{
	web = myalloc_heap_create(zone, &(struct myalloc_heap_args){ .name = "web" });
	other = myalloc_heap_create(zone, &(struct myalloc_heap_args){ .name = "other" });
	EXPECT(!IS_ERR(web) && !IS_ERR(other), "no heaps");
}

static void *memory(struct myalloc_heap *heap, size_t size)
{
	void *addr = myalloc_heap_alloc(heap, size, 0);

	EXPECT(addr, "no memory");
	return addr;
}

static void heap_twice(void)
{
	make_heaps();
	p = memory(web, 64);
	good(myalloc_heap_free(web, p));
	REFUSED(myalloc_heap_free(web, p), FREE);
	REFUSED(myalloc_heap_free_sized(web, p, 64), FREE);
}

static void heap_pages_twice(void)
{
	make_heaps();
	p = memory(web, LARGE);
	good(myalloc_heap_free(web, p));
	REFUSED(myalloc_heap_free(web, p), FREE);
}

static void free_p(void)
{
	err = myalloc_heap_free(web, p);
}

static void heap_pages_twice_nmi(void)
{
	make_heaps();
	p = memory(web, LARGE);
	in_nmi_locked(&zone->lock, free_p);
	good(err);
	REFUSED(myalloc_heap_free(web, p), FREE);
	myalloc_zone_drain(zone);
}

static void heap_other_object(void)
{
	make_heaps();
	p = memory(other, 64);
	REFUSED(myalloc_heap_free(web, p), CACHE);
}

static void heap_other_pages(void)
{
	make_heaps();
	p = memory(other, LARGE);
	REFUSED(myalloc_heap_free(web, p), KIND);
	REFUSED(myalloc_heap_free_sized(web, p, LARGE), KIND);
}

static void heap_cache_object(void)
{
	make_heaps();
	p = object(a);
	REFUSED(myalloc_heap_free(web, p), CACHE);
}

static void heap_page(void)
{
	make_heaps();
	p = page(0);
	REFUSED(myalloc_heap_free(web, p), KIND);
}

static void heap_exact(void)
{
	make_heaps();
	p = exact(LARGE / PAGE_SIZE);
	REFUSED(myalloc_heap_free(web, p), KIND);
}

static void heap_pages_as_exact(void)
{
	make_heaps();
	p = memory(web, LARGE);
	REFUSED(myalloc_pages_free_exact(zone, p, LARGE / PAGE_SIZE), KIND);
}

static void heap_interior(void)
{
	make_heaps();
	p = memory(web, LARGE);
	q = memory(web, 64);
	REFUSED(myalloc_heap_free(web, p + PAGE_SIZE), INTERIOR);
	REFUSED(myalloc_heap_free(web, q + 8), INTERIOR);
}

static void heap_wrong_size(void)
{
	make_heaps();
	p = memory(web, LARGE);
	q = memory(web, 64);
	REFUSED(myalloc_heap_free_sized(web, p, LARGE + 1), LENGTH);
	REFUSED(myalloc_heap_free_sized(web, q, 65), CACHE);
}

static void heap_stack(void)
{
	int local;

	make_heaps();
	REFUSED(myalloc_heap_free(web, &local), FOREIGN);
}

static void heap_realloc_freed(void)
{
	make_heaps();
	p = memory(web, 64);
	good(myalloc_heap_free(web, p));
	EXPECT(!myalloc_heap_realloc(web, p, 128, 0), "a freed block was moved");
}

static void heap_ends_in_use(void)
{
	make_heaps();
	p = memory(web, 64);
	q = memory(web, LARGE);
	EXPECT(myalloc_heap_destroy(web) == -EBUSY, "a heap in use ended");
	good(myalloc_heap_free(web, p));
	good(myalloc_heap_free(web, q));
	EXPECT(!myalloc_heap_destroy(web), "an unused heap does not end");
}

static void heap_same_name(void)
{
	make_heaps();
	EXPECT(PTR_ERR(myalloc_heap_create(zone, &(struct myalloc_heap_args){ .name = "web" })) ==
	       -EEXIST, "two heaps have one name");
}

static void heap_zone_ends(void)
{
	make_heaps();
	EXPECT(myalloc_zone_destroy(zone) == -EBUSY, "a zone with a heap ended");
	good(myalloc_heap_destroy(web));
	EXPECT(myalloc_zone_destroy(zone) == -EBUSY, "a zone with a heap ended");
	valid();
}

const struct misuse misuse_heap[] = {
	CASE(heap_twice,
	     "bad free as object of web-64: already free (double free); cache web-64, frame *, slot 0\n"
	     "bad free as object of web-64: already free (double free); cache web-64, frame *, slot 0"),
	CASE(heap_pages_twice,
	     "bad free as memory of heap web: already free (double free); frame *, free, last allocated at *"),
	CASE(heap_pages_twice_nmi,
	     "bad free as memory of heap web: already free (double free); frame *, free, last allocated at *"),
	CASE(heap_other_object,
	     "bad free as memory of heap web: an object of another cache; frame *, a slab"),
	CASE(heap_other_pages,
	     "bad free as memory of heap web: not what it was allocated as; frame *, 12 pages, held by *\n"
	     "bad free as 12 pages: not what it was allocated as; frame *, 12 pages, held by *"),
	CASE(heap_cache_object,
	     "bad free as memory of heap web: an object of another cache; frame *, a slab"),
	CASE(heap_page,
	     "bad free as memory of heap web: not what it was allocated as; frame *, order 0, held by *"),
	CASE(heap_exact,
	     "bad free as memory of heap web: not what it was allocated as; frame *, 12 pages, held by *"),
	CASE(heap_pages_as_exact,
	     "bad free as 12 pages: not what it was allocated as; frame *, 12 pages, held by *"),
	CASE(heap_interior,
	     "bad free as memory of heap web: inside a block, not at its beginning; frame *, 12 pages, held by *\n"
	     "bad free as object of web-64: inside a block, not at its beginning; cache web-64, frame *, slot 0"),
	CASE(heap_wrong_size,
	     "bad free as 13 pages: allocated with another number of pages; frame *, 12 pages, held by *\n"
	     "bad free as object of web-80: an object of another cache; cache web-64, frame *, slot 0"),
	CASE(heap_stack,
	     "bad free as memory of heap web: not memory of this zone"),
	CASE(heap_realloc_freed,
	     "bad free as object of web-64: already free (double free); cache web-64, frame *, slot 0"),
	CASE(heap_ends_in_use,
	     "heap web cannot be destroyed: 1 block of 12 pages is still allocated, first: frame *, held by *\n"
	     "cache web-64 cannot be destroyed: 1 object is still allocated (check U records their owners)\n"
	     "cache web-64: still allocated: frame *, slot 0"),
	CASE(heap_same_name,
	     "heap web: the name is already used by another heap, created at *"),
	CASE(heap_zone_ends,
	     "cannot be destroyed: heap web still exists\n"
	     "cannot be destroyed: heap other still exists"),
	{ }
};
