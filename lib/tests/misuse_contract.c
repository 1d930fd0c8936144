// SPDX-License-Identifier: GPL-2.0
/* Misuse of contracts. */
#include "misuse.h"
#include "client/contract.h"
#include "page/extent.h"

static struct myalloc_contract *contract;
static struct myalloc_zone *child;
static void *p;

static void make_contract(const struct myalloc_contract_line *line, unsigned int flags)
{
	struct myalloc_contract_plan plan;

	contract = myalloc_contract_create(zone, "frob", line, 1, flags, &plan);
	EXPECT(!IS_ERR(contract), "no contract");
	child = contract->part[0].zone;
}

static void make_pages(void)
{
	make_contract(&(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 8, .orders = 0x5 }, 0);
	p = myalloc_pages_alloc(child, 2, 0);
	EXPECT(p, "no page");
}

/* The free was refused by the child, for this reason, and its page stays. */
static void refused_by_child(int err, enum myalloc_bad bad)
{
	EXPECT(err == -EINVAL, "not refused: %d", err);
	EXPECT(atomic64_read(&child->bad[bad]) == 1, "not counted as %d", bad);
	valid();
}

static void contract_twice(void)
{
	make_pages();
	good(myalloc_free(zone, p));
	refused_by_child(myalloc_free(zone, p), MYALLOC_BAD_FREE);
}

static void contract_by_parent(void)
{
	make_pages();
	REFUSED(myalloc_pages_free(zone, p, 2), KIND);
	good(myalloc_pages_free(child, p, 2));
}

static void contract_by_parent_exact(void)
{
	make_pages();
	REFUSED(myalloc_pages_free_exact(zone, p, 4), KIND);
	good(myalloc_pages_free(child, p, 2));
}

static void contract_to_cache(void)
{
	make_pages();
	REFUSED(myalloc_cache_free(a, p), KIND);
	good(myalloc_pages_free(child, p, 2));
}

static void contract_of_parent(void)
{
	void *other = page(2);

	make_pages();
	refused_by_child(myalloc_pages_free(child, other, 2), MYALLOC_BAD_FOREIGN);
	good(myalloc_pages_free(zone, other, 2));
}

static void contract_other_order(void)
{
	make_pages();
	refused_by_child(myalloc_pages_free(child, p, 0), MYALLOC_BAD_ORDER);
}

static void contract_inside(void)
{
	make_pages();
	refused_by_child(myalloc_free(zone, p + PAGE_SIZE), MYALLOC_BAD_INTERIOR);
}

static void contract_in_pieces(void)
{
	static const u32 sizes[] = { 5 };

	make_contract(&(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_EXTENTS, .pages = 10, .sizes = sizes, .nr_sizes = 1 }, 0);
	p = myalloc_pages_alloc_exact(child, 5, 0, 0);
	EXPECT(p, "no extent");
	refused_by_child(myalloc_pages_free_exact(child, p, 4), MYALLOC_BAD_LENGTH);
	good(myalloc_free(zone, p));
}

static void contract_topdown(void)
{
	make_pages();
	EXPECT(!myalloc_pages_alloc(child, 2, MYALLOC_TOPDOWN), "served");
	valid();
}

static void contract_undeclared(void)
{
	make_pages();
	EXPECT(!myalloc_pages_alloc(child, 1, 0), "served");
	valid();
}

static void contract_alignment(void)
{
	make_pages();
	EXPECT(!myalloc_pages_alloc_exact(child, 1, 3, 0), "served");
	valid();
}

static void contract_range(void)
{
	make_pages();
	EXPECT(myalloc_pages_alloc_range(child, p + 4 * PAGE_SIZE, 1, 0) == -EINVAL, "served");
	valid();
}

static void contract_cache(void)
{
	make_pages();
	EXPECT(IS_ERR(myalloc_cache_create(child, &(struct myalloc_cache_args){
		.name = "c", .object_size = 8 })), "a cache");
	valid();
}

static void contract_in_contract(void)
{
	struct myalloc_contract_plan plan;

	make_pages();
	EXPECT(IS_ERR(myalloc_contract_create(child, "x", &(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 1, .orders = 1 }, 1, 0, &plan)),
	       "a contract");
	valid();
}

static void contract_end_held(void)
{
	make_pages();
	EXPECT(myalloc_contract_end(contract, 0) == -EBUSY, "ended");
	valid();
	good(myalloc_contract_end(contract, MYALLOC_CONTRACT_RELEASE));
	valid();
}

static void contract_end_held_object(void)
{
	make_contract(&(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_OBJECTS, .count = 3,
		.cache = { .name = "request", .object_size = 64 } }, 0);
	p = myalloc_cache_alloc(myalloc_contract_cache(contract, 0), 0);
	EXPECT(myalloc_contract_end(contract, 0) == -EBUSY, "ended");
	valid();
	good(myalloc_free(zone, p));
	good(myalloc_contract_end(contract, 0));
	valid();
}

static void contract_end_beyond(void)
{
	make_contract(&(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 1, .orders = 1 },
		MYALLOC_CONTRACT_BEST_EFFORT);
	p = myalloc_pages_alloc(child, 0, 0);
	EXPECT(myalloc_pages_alloc(child, 0, 0), "nothing beyond");
	good(myalloc_pages_free(child, p, 0));
	EXPECT(myalloc_contract_end(contract, 0) == -EBUSY, "ended");
	valid();
}

static void contract_zone_destroy(void)
{
	make_pages();
	EXPECT(myalloc_zone_destroy(zone) == -EBUSY, "destroyed");
	valid();
}

static void contract_short(void)
{
	struct myalloc_contract_plan plan;

	page(0);
	EXPECT(PTR_ERR(myalloc_contract_create(zone, "x", &(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_PAGES, .pages = NR_PAGES, .orders = 1 << CHUNK_ORDER },
		1, 0, &plan)) == -ENOSPC, "made");
	EXPECT(plan.pages_short == 1 && plan.blocks_short == 1 &&
	       plan.short_order == CHUNK_ORDER, "%u pages, %u blocks of order %u are short",
	       plan.pages_short, plan.blocks_short, plan.short_order);
	valid();
}

const struct misuse misuse_contract[] = {
	CASE(contract_twice,
	     "myalloc: frob.0: bad free as pages of order 0: already free (double free); frame 0, order 2, free"),
	CASE(contract_by_parent,
	     "bad free as pages of order 2: not what it was allocated as; frame 0, order 2, of contract line frob.0"),
	CASE(contract_by_parent_exact,
	     "bad free as 4 pages: not what it was allocated as; frame 0, order 2, of contract line frob.0"),
	CASE(contract_to_cache,
	     "bad free as object of a: not what it was allocated as; frame 0, order 2, of contract line frob.0"),
	CASE(contract_of_parent,
	     "myalloc: frob.0: bad free as pages of order 2: not memory of this zone"),
	CASE(contract_other_order,
	     "myalloc: frob.0: bad free as pages of order 0: allocated with another order; frame 0, order 2, held by *"),
	CASE(contract_inside,
	     "myalloc: frob.0: bad free as pages of order 2: inside a block, not at its beginning; frame 0, order 2, held by *"),
	CASE(contract_in_pieces,
	     "myalloc: frob.0: bad free as 4 pages: allocated with another number of pages; frame 0, 5 pages, held by *"),
	CASE(contract_topdown,
	     "myalloc: frob.0: request for 4 pages from * refused: a contract does not serve the highest address (MYALLOC_TOPDOWN)"),
	CASE(contract_undeclared,
	     "myalloc: frob.0: request for 2 pages from * refused: a contract does not serve a size that is not declared"),
	CASE(contract_alignment,
	     "myalloc: frob.0: request for 1 pages from * refused: a contract does not serve an alignment above the size that is not declared: declare a larger size"),
	CASE(contract_range,
	     "myalloc: frob.0: request for 1 pages from * refused: a contract does not serve particular pages"),
	CASE(contract_cache,
	     "myalloc: frob.0: cache c: the zone of a contract serves what its line states, and no caches: state a line of objects"),
	CASE(contract_in_contract,
	     "myalloc: frob.0: a contract has no contracts itself: make it in the parent zone"),
	CASE(contract_end_held,
	     "myalloc: frob.0: cannot be destroyed: 4 pages in use, first: frame 0, 4 pages, held by *"),
	CASE(contract_end_held_object,
	     "myalloc: frob.0: cache request: still allocated: frame 0, slot 0\n"
	     "myalloc: frob.0: cache request cannot be destroyed: 1 objects are still allocated (check U records their owners)"),
	CASE(contract_end_beyond,
	     "contract frob cannot end: 1 pages beyond it are in use"),
	CASE(contract_zone_destroy,
	     "cannot be destroyed: contract frob still exists"),
	CASE(contract_short,
	     "contract x refused: it takes 1024 pages; 1 pages are short, and 1 blocks of order 8"),
	{ }
};
