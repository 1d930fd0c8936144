// SPDX-License-Identifier: GPL-2.0
/* Misuse of pages, including those of slabs. */
#include "misuse.h"

static void *p, *q;
static int err;

static void free_p(void)
{
	err = myalloc_pages_free(zone, p, 0);
}

static void page_twice(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
}

static void page_twice_order4(void)
{
	p = page(4);
	good(myalloc_pages_free(zone, p, 4));
	REFUSED(myalloc_pages_free(zone, p, 4), FREE);
}

static void page_twice_later(void)
{
	void *others[50];

	p = page(2);
	q = page(2);	/* keeps what is around p from merging */
	good(myalloc_pages_free(zone, p, 2));
	EXPECT(myalloc_pages_alloc_bulk(zone, 0, 0, 50, others) == 50, "no pages");
	EXPECT(myalloc_pages_free_bulk(zone, 0, 50, others) == 50, "pages do not go back");
	REFUSED(myalloc_pages_free(zone, p, 2), FREE);
}

static void page_twice_drained(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	myalloc_zone_drain(zone);
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
}

static void page_twice_reused(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	q = page(0);
	EXPECT(p == q, "not the same page");
	good(myalloc_pages_free(zone, p, 0));		/* again, by its previous owner */
	REFUSED(myalloc_pages_free(zone, q, 0), FREE);	/* by its current owner */
}

/* A stale slot points to the descriptor of a page that now begins a larger block. */
static void page_used_slot(void)
{
	struct myalloc_magazine_cpu *cpu = per_cpu_ptr(zone->pcp[0].cpu, 0);
	void *pages[64];
	u32 nr = 0, i;

	do
		pages[nr++] = page(0);
	while (cpu->top != myalloc_magazine_first(cpu->loaded));
	host_set_cpu(1);
	for (i = 0; i < nr; i++)
		good(myalloc_pages_free(zone, pages[i], 0));
	myalloc_zone_drain(zone);
	host_set_cpu(0);
	p = cpu->top->addr;
	if ((uintptr_t)p & PAGE_SIZE)	/* the pair that it is in begins one page before */
		p -= PAGE_SIZE;
	EXPECT(!myalloc_pages_alloc_range(zone, p, 2, 0), "the pages are not free");
	/* As if they had been allocated as a block. */
	myalloc_map_frame(&zone->map, p)->tag = myalloc_frame_tag(MYALLOC_FRAME_PAGE, 1, 0);
	cpu->top->addr = p;
	cpu->top->state = &myalloc_map_frame(&zone->map, p)->type;
	REFUSED(myalloc_pages_free(zone, p, 0), ORDER);
	good(myalloc_pages_free(zone, p, 1));
}

static void page_twice_other_cpu(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	host_set_cpu(1);
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
}

static void page_twice_irq(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	before();
	in_irq(free_p);
	refused(err, MYALLOC_BAD_FREE);
}

static void page_twice_nmi(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	before();
	in_nmi_locked(&zone->lock, free_p);
	refused(err, MYALLOC_BAD_FREE);
}

static void free_p4(void)
{
	err = myalloc_pages_free(zone, p, 4);
}

static void page_twice_deferred(void)
{
	p = page(4);
	in_nmi_locked(&zone->lock, free_p4);
	good(err);
	REFUSED(myalloc_pages_free(zone, p, 4), FREE);
}

static void page_twice_in_bulk(void)
{
	void *pages[3] = { page(0), page(0) };

	pages[2] = pages[0];
	EXPECT(myalloc_pages_free_bulk(zone, 0, 3, pages) == 2, "three were freed");
}

static void page_twice_bulk_later(void)
{
	void *pages[3] = { page(1), page(1), page(1) };

	good(myalloc_pages_free(zone, pages[1], 1));
	EXPECT(myalloc_pages_free_bulk(zone, 1, 3, pages) == 2, "three were freed");
}

static void page_null(void)
{
	REFUSED(myalloc_pages_free(zone, NULL, 0), FOREIGN);
}

static void page_stack(void)
{
	REFUSED(myalloc_pages_free(zone, &err, 0), FOREIGN);
}

static void page_below(void)
{
	REFUSED(myalloc_pages_free(zone, chunk[0] - PAGE_SIZE, 0), FOREIGN);
}

static void page_above(void)
{
	REFUSED(myalloc_pages_free(zone, chunk[3] + (PAGE_SIZE << CHUNK_ORDER), 0), FOREIGN);
}

static void page_gap(void)
{
	REFUSED(myalloc_pages_free(zone, chunk[2] + (PAGE_SIZE << CHUNK_ORDER), 0), FOREIGN);
}

static void page_beyond_end(void)
{
	nr_pages = NR_PAGES - 10;
	make_world(0, 0);
	REFUSED(myalloc_pages_free(zone, chunk[3] + (PAGE_SIZE << CHUNK_ORDER) - PAGE_SIZE, 0),
		FOREIGN);
}

static void page_other_zone(void)
{
	struct myalloc_zone *mine = zone;

	p = page(0);
	make_world(0, 0);
	REFUSED(myalloc_pages_free(zone, p, 0), FOREIGN);
	good(myalloc_pages_free(mine, p, 0));
}

static void page_misaligned(void)
{
	p = page(0) + 8;
	REFUSED(myalloc_pages_free(zone, p, 0), MISALIGNED);
}

static void page_misaligned_by_one(void)
{
	p = page(5) + PAGE_SIZE + 1;
	REFUSED(myalloc_pages_free(zone, p, 5), MISALIGNED);
}

static void page_interior(void)
{
	p = page(3) + 2 * PAGE_SIZE;
	REFUSED(myalloc_pages_free(zone, p, 1), INTERIOR);
}

static void page_order_above(void)
{
	p = page(1);
	REFUSED(myalloc_pages_free(zone, p, 2), ORDER);
}

static void page_order_below(void)
{
	p = page(2);
	REFUSED(myalloc_pages_free(zone, p, 1), ORDER);
}

static void page_order_absurd(void)
{
	p = page(0);
	REFUSED(myalloc_pages_free(zone, p, 256), ORDER);
}

static void page_as_object(void)
{
	p = page(0);
	REFUSED(myalloc_cache_free(a, p), KIND);
}

static void object_as_page(void)
{
	p = object(a);
	REFUSED(myalloc_pages_free(zone, p, 0), KIND);
}

static void second_object_as_page(void)
{
	object(a);
	p = object(a);
	REFUSED(myalloc_pages_free(zone, p, 0), MISALIGNED);
}

static void object_as_exact(void)
{
	p = object(a);
	REFUSED(myalloc_pages_free_exact(zone, p, 1), KIND);
}

static void any_interior(void)
{
	p = page(3) + 4 * PAGE_SIZE;
	REFUSED(myalloc_free(zone, p), INTERIOR);
}

static void any_twice(void)
{
	p = page(6);
	good(myalloc_free(zone, p));
	REFUSED(myalloc_free(zone, p), FREE);
}

static void exact_too_many(void)
{
	p = exact(5);
	exact(3);
	REFUSED(myalloc_pages_free_exact(zone, p, 6), LENGTH);
}

static void exact_none(void)
{
	p = exact(5);
	REFUSED(myalloc_pages_free_exact(zone, p, 0), LENGTH);
}

static void exact_beyond_chunk(void)
{
	p = exact(5);
	REFUSED(myalloc_pages_free_exact(zone, p, 257), LENGTH);
}

static void exact_twice(void)
{
	p = exact(5);
	good(myalloc_pages_free_exact(zone, p, 5));
	REFUSED(myalloc_pages_free_exact(zone, p, 5), FREE);
}

static void exact_misaligned(void)
{
	p = exact(5) + 16;
	REFUSED(myalloc_pages_free_exact(zone, p, 5), MISALIGNED);
}

static void exact_foreign(void)
{
	REFUSED(myalloc_pages_free_exact(zone, &err, 5), FOREIGN);
}

static void exact_interior(void)
{
	p = exact(6) + PAGE_SIZE;
	REFUSED(myalloc_pages_free_exact(zone, p, 1), INTERIOR);
}

static void exact_as_order(void)
{
	p = exact(5);
	REFUSED(myalloc_pages_free(zone, p, 2), KIND);
}

static void exact_theirs_too(void)
{
	p = exact(6);
	q = exact(1);
	EXPECT(q == p + 6 * PAGE_SIZE, "not behind it");
	REFUSED(myalloc_pages_free_exact(zone, p, 7), LENGTH);
}

static void exact_first_pieces(void)
{
	p = exact(7);
	REFUSED(myalloc_pages_free_exact(zone, p, 6), LENGTH);
}

static void exact_last_piece(void)
{
	p = exact(7) + 6 * PAGE_SIZE;
	REFUSED(myalloc_pages_free(zone, p, 0), INTERIOR);
}

static void exact_any_interior(void)
{
	p = exact(7) + 5 * PAGE_SIZE;
	REFUSED(myalloc_free(zone, p), INTERIOR);
}

static void exact_as_object(void)
{
	p = exact(7);
	REFUSED(myalloc_cache_free(a, p), KIND);
}

static void exact_any_twice(void)
{
	p = exact(7);
	good(myalloc_free(zone, p));
	REFUSED(myalloc_free(zone, p), FREE);
}

static void page_as_exact(void)
{
	p = page(3);
	REFUSED(myalloc_pages_free_exact(zone, p, 8), KIND);
}

/* A block that has merged with its neighbours; the page itself tells who had it. */
static void page_twice_merged(void)
{
	page(2);
	p = exact(3);
	q = page(0);
	EXPECT(q == p + 3 * PAGE_SIZE, "not behind it");
	good(myalloc_pages_free(zone, q, 0));
	good(myalloc_pages_free_exact(zone, p, 3));
	myalloc_zone_drain(zone);
	REFUSED(myalloc_pages_free(zone, q, 0), FREE);
	REFUSED(myalloc_pages_free_exact(zone, p, 3), FREE);
	REFUSED(myalloc_pages_free(zone, p + PAGE_SIZE, 0), FREE);	/* never began there */
}

/* The free is known, too. */
static void page_twice_owner(void)
{
	p = page(0);
	free_block(p, 0);
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
	myalloc_zone_drain(zone);
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
}

/* Every page of a block is known to have been in it. */
static void page_interior_owner(void)
{
	page(1);	/* another block has begun where the middle of this one is */
	page(1);
	p = page(1);
	good(myalloc_pages_free(zone, p - 4 * PAGE_SIZE, 1));
	good(myalloc_pages_free(zone, p - 2 * PAGE_SIZE, 1));
	myalloc_zone_drain(zone);
	q = exact(4);
	EXPECT(q == p - 4 * PAGE_SIZE, "not the same pages");
	good(myalloc_pages_free_exact(zone, q, 4));
	REFUSED(myalloc_pages_free(zone, q + 2 * PAGE_SIZE, 1), FREE);
	REFUSED(myalloc_pages_free(zone, q + 3 * PAGE_SIZE, 0), FREE);
}

/* No call stack is saved in NMI, and that of the allocation is not taken for it. */
static void page_twice_deferred_owner(void)
{
	p = page(4);
	in_nmi_locked(&zone->lock, free_p4);
	good(err);
	REFUSED(myalloc_pages_free(zone, p, 4), FREE);
}

/* In quarantine the link to the next block has taken the place of the call stack. */
static void page_twice_quarantined(void)
{
	q = page(0);
	p = page(0);
	host_page_set_referenced(q, true);
	host_page_set_referenced(p, true);
	good(myalloc_pages_free(zone, q, 0));
	good(myalloc_pages_free(zone, p, 0));
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
	host_page_set_referenced(q, false);
	host_page_set_referenced(p, false);
	myalloc_zone_drain(zone);
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
}

/* Another free has claimed the block and has not recorded itself yet. */
static void page_twice_claimed_owner(void)
{
	p = page(0);
	myalloc_map_frame(&zone->map, p)->type = MYALLOC_FRAME_FREEING;
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
	myalloc_map_frame(&zone->map, p)->type = MYALLOC_FRAME_PAGE;
	good(myalloc_pages_free(zone, p, 0));
}

/* Links and states of a slab lay where callers lie. */
static void page_of_old_slab(void)
{
	struct myalloc_cache_args args = {
		.name = "s", .object_size = min_t(u32, PAGE_SIZE, MYALLOC_MAX_OBJECT),
	};
	struct myalloc_cache *s = myalloc_cache_create(zone, &args);
	void *pages[16];
	u32 last;

	EXPECT(!IS_ERR(s), "no cache");
	EXPECT(myalloc_pages_alloc_bulk(zone, 0, 0, 16, pages) == 16, "no pages");
	EXPECT(myalloc_pages_free_bulk(zone, 0, 16, pages) == 16, "pages do not go back");
	myalloc_zone_drain(zone);
	p = object(s);
	EXPECT(p == pages[0], "not the same page");
	last = BIT(s->layout.order) - 1;
	good(myalloc_cache_free(s, p));
	good(myalloc_cache_destroy(s));
	myalloc_zone_drain(zone);
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
	REFUSED(myalloc_pages_free(zone, p + min(last, 1u) * PAGE_SIZE, 0), FREE);
	REFUSED(myalloc_pages_free(zone, p + last * PAGE_SIZE, 0), FREE);
}

static void take_while_reported(const char *where)
{
	if (strcmp(where, "zone-past"))
		return;
	host_preempt_point = NULL;
	q = myalloc_pages_alloc(zone, 8, 0);
}

/* Somebody allocates the page while the report is written. */
static void page_taken_while_reported(void)
{
	q = page(6);
	p = page(6);
	good(myalloc_pages_free(zone, q, 6));
	good(myalloc_pages_free(zone, p, 6));
	q = NULL;
	host_preempt_point = take_while_reported;
	EXPECT(myalloc_pages_free(zone, p, 6) == -EINVAL, "freed twice");
	EXPECT(q == p - 64 * PAGE_SIZE, "it was not taken");
	/* The page is the first of the block. */
	good(myalloc_pages_free(zone, q, 8));
	host_preempt_point = take_while_reported;
	EXPECT(myalloc_pages_free(zone, q, 8) == -EINVAL, "freed twice");
}

static void range_of_used(void)
{
	p = page(0);
	before();
	EXPECT(myalloc_pages_alloc_range(zone, p, 1, 0) == -EBUSY, "a page in use was given");
}

const struct misuse misuse_pages[] = {
	CASE(page_twice,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free, last allocated at page+*"),
	CASE(page_twice_order4,
	     "bad free as pages of order 4: already free (double free); frame 0, order 8, free, last allocated at page+*"),
	CASE(page_twice_later,
	     "bad free as pages of order 2: already free (double free); frame 0, order 2, free, last allocated at page+*"),
	CASE(page_twice_drained,
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free, last allocated at page+*"),
	CASE(page_twice_reused,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free, last allocated at page+*"),
	CASE(page_used_slot,
	     "bad free as pages of order 0: allocated with another order; frame *, order 1, held by *"),
	CASE(page_twice_other_cpu,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free, last allocated at page+*"),
	CASE(page_twice_irq,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free, last allocated at page+*"),
	CASE(page_twice_nmi,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free, last allocated at page+*"),
	CASE(page_twice_deferred,
	     "bad free as pages of order 4: already free (double free); frame 0, order 4, free, last allocated at page+*"),
	CASE(page_twice_in_bulk,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free, last allocated at page+*"),
	CASE(page_twice_bulk_later,
	     "bad free as pages of order 1: already free (double free); frame 2, order 1, free, last allocated at page+*"),
	CASE(page_null,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_stack,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_below,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_above,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_gap,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_beyond_end,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_other_zone,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_misaligned,
	     "bad free as pages of order 0: misaligned: nothing begins at this address; frame 0, order 0, held by *"),
	CASE(page_misaligned_by_one,
	     "bad free as pages of order 5: misaligned: nothing begins at this address; frame 0, order 5, held by *"),
	CASE(page_interior,
	     "bad free as pages of order 1: inside a block, not at its beginning; frame 0, order 3, held by *"),
	CASE(page_order_above,
	     "bad free as pages of order 2: allocated with another order; frame 0, order 1, held by *"),
	CASE(page_order_below,
	     "bad free as pages of order 1: allocated with another order; frame 0, order 2, held by *"),
	CASE(page_order_absurd,
	     "bad free as pages of order 256: allocated with another order; frame 0, order 0, held by *"),
	CASE(page_as_object,
	     "bad free as object of a: not what it was allocated as; frame 0, order 0, held by *"),
	CASE(object_as_page,
	     "bad free as pages of order 0: not what it was allocated as; frame 0, order 0, a slab"),
	CASE(second_object_as_page,
	     "bad free as pages of order 0: misaligned: nothing begins at this address; frame 0, order 0, a slab"),
	CASE(object_as_exact,
	     "bad free as 1 page: not what it was allocated as; frame 0, order 0, a slab"),
	CASE(any_interior,
	     "bad free as pages of order 3: inside a block, not at its beginning; frame 0, order 3, held by *"),
	CASE(any_twice,
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free, last allocated at page+*"),
	CASE(exact_too_many,
	     "bad free as 6 pages: allocated with another number of pages; frame 0, 5 pages, held by *"),
	CASE(exact_none,
	     "bad free as 0 pages: allocated with another number of pages; frame 0, 5 pages, held by *"),
	CASE(exact_beyond_chunk,
	     "bad free as 257 pages: allocated with another number of pages; frame 0, 5 pages, held by *"),
	CASE(exact_twice,
	     "bad free as 5 pages: already free (double free); frame 0, order 8, free, last allocated at exact+*"),
	CASE(exact_misaligned,
	     "bad free as 5 pages: misaligned: nothing begins at this address; frame 0, 5 pages, held by *"),
	CASE(exact_foreign,
	     "bad free as 5 pages: not memory of this zone"),
	CASE(exact_interior,
	     "bad free as 1 page: inside a block, not at its beginning; frame 0, 6 pages, held by *"),
	CASE(exact_as_order,
	     "bad free as pages of order 2: not what it was allocated as; frame 0, 5 pages, held by *"),
	CASE(exact_theirs_too,
	     "bad free as 7 pages: allocated with another number of pages; frame 0, 6 pages, held by *"),
	CASE(exact_first_pieces,
	     "bad free as 6 pages: allocated with another number of pages; frame 0, 7 pages, held by *"),
	CASE(exact_last_piece,
	     "bad free as pages of order 0: inside a block, not at its beginning; frame 6, order 0, part of an extent, held by *"),
	CASE(exact_any_interior,
	     "bad free as pages of order 1: inside a block, not at its beginning; frame 4, order 1, part of an extent, held by *"),
	CASE(exact_as_object,
	     "bad free as object of a: not what it was allocated as; frame 0, 7 pages, held by *"),
	CASE(exact_any_twice,
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free, last allocated at exact+*"),
	CASE(page_as_exact,
	     "bad free as 8 pages: not what it was allocated as; frame 0, order 3, held by *"),
	CASE(page_twice_merged,
	     "bad free as pages of order 0: already free (double free); frame 16, order 4, free, frame 19 last allocated at page+*\n"
	     "bad free as 3 pages: already free (double free); frame 16, order 4, free, last allocated at exact+*\n"
	     "bad free as pages of order 0: already free (double free); frame 16, order 4, free"),
	CASE_ZONE(MYALLOC_OWNER, page_twice_owner,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free, last allocated at page+*, freed at free_block+*\n"
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free, last allocated at page+*, freed at free_block+*"),
	CASE_ZONE(MYALLOC_OWNER, page_interior_owner,
	     "bad free as pages of order 1: already free (double free); frame 0, order 2, free, frame 2 last allocated at exact+*, freed at 0x*\n"
	     "bad free as pages of order 0: already free (double free); frame 0, order 2, free, frame 3 last allocated at exact+*, freed at 0x*"),
	CASE_ZONE(MYALLOC_OWNER, page_twice_deferred_owner,
	     "bad free as pages of order 4: already free (double free); frame 0, order 4, free, last allocated at page+*"),
	CASE_ZONE(MYALLOC_OWNER, page_twice_quarantined,
	     "frame 0, order 0, was freed while lent, and is not lendable; allocated by page+*\n"
	     "frame 1, order 0, was freed while lent, and is not lendable; allocated by page+*\n"
	     "bad free as pages of order 0: already free (double free); frame 1, order 0, free, last allocated at page+*\n"
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free, frame 1 last allocated at page+*"),
	CASE_ZONE(MYALLOC_OWNER, page_twice_claimed_owner,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free, last allocated at page+*"),
	CASE(page_of_old_slab,
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free\n"
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free\n"
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free"),
	CASE(page_taken_while_reported,
	     "bad free as pages of order 6: already free (double free); frame 0, order 8, free\n"
	     "bad free as pages of order 8: already free (double free); frame 0, order 8, free"),
	CASE(range_of_used, ""),
	{ }
};
