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

/* Pages beyond the line are freed with their own order, not with an order too large for a shift. */
static void contract_beyond_order(void)
{
	static const unsigned int orders[] = { 7, 9, 31, 32, 40, 63, 72, 200, 264, UINT_MAX };
	u32 i;

	make_contract(&(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 256, .orders = 0x100 },
		MYALLOC_CONTRACT_BEST_EFFORT);
	EXPECT(myalloc_pages_alloc(child, 8, 0), "no pages");
	p = myalloc_pages_alloc(child, 8, 0);
	EXPECT(p, "nothing beyond");
	for (i = 0; i < ARRAY_SIZE(orders); i++)
		EXPECT(myalloc_pages_free(child, p, orders[i]) == -EINVAL, "freed as order %u",
		       orders[i]);
	EXPECT(atomic64_read(&child->bad[MYALLOC_BAD_FOREIGN]) == ARRAY_SIZE(orders),
	       "not counted as foreign");
	valid();
	good(myalloc_pages_free(child, p, 8));
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

/* --- damage ----------------------------------------------------------------------------- */

#define DECLARED_CHANGED	"J5: frob.0: what was declared or planned has changed"

/* A damaged contract does not end and changes nothing; another one of the zone is not affected. */
static void stays_damaged(void)
{
	struct myalloc_zone_stats then, now, child_then, child_now;
	struct myalloc_contract *other;
	struct myalloc_contract_plan plan;

	myalloc_zone_stats(zone, &then);
	myalloc_zone_stats(child, &child_then);
	EXPECT(myalloc_contract_end(contract, MYALLOC_CONTRACT_RELEASE) == -EBUSY, "ended");
	myalloc_zone_stats(zone, &now);
	myalloc_zone_stats(child, &child_now);
	EXPECT(now.free_pages == then.free_pages && child_now.free_pages == child_then.free_pages &&
	       !memcmp(&child_then.page_frees, &child_now.page_frees, sizeof(now.page_frees)),
	       "that gave something back");
	corrupt(1);
	other = myalloc_contract_create(zone, "other", &(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 4, .orders = 0x1 }, 1, 0, &plan);
	EXPECT(!IS_ERR(other), "no other contract");
	good(myalloc_pages_free(myalloc_contract_zone(other, 0),
				myalloc_pages_alloc(myalloc_contract_zone(other, 0), 0, 0), 0));
	good(myalloc_contract_end(other, 0));
}

/* Once repaired, it ends. */
static void ends_mended(void)
{
	valid();
	good(myalloc_free(zone, p));
	good(myalloc_contract_end(contract, 0));
	valid();
}

static void contract_flip_most(void)
{
	make_pages();
	contract->part[0].limit.most ^= 64;
	invalid(DECLARED_CHANGED);
	stays_damaged();
	contract->part[0].limit.most ^= 64;
	ends_mended();
}

static void contract_flip_sizes(void)
{
	make_pages();
	contract->part[0].limit.sizes[0] ^= 4;	/* order 1 */
	invalid(DECLARED_CHANGED);
	stays_damaged();
	contract->part[0].limit.sizes[0] ^= 4;
	ends_mended();
}

/* A bit of each word of the declaration and the plan, one after the other. */
static void contract_flip_each(void)
{
	struct myalloc_contract_part *part;
	struct myalloc_limit *limit;
	u32 i, k;

	make_pages();
	part = &contract->part[0];
	limit = &part->limit;
	{
		const struct {
			void *at;
			size_t bytes;
		} members[] = {
			{ &limit->zone, sizeof(void *) }, { &limit->parent, sizeof(void *) },
			{ &limit->ops, sizeof(void *) }, { &limit->backing, sizeof(void *) },
			{ &limit->owner, 4 }, { &limit->most, 4 },
			{ limit->sizes, sizeof(limit->sizes) }, { &limit->each, 4 },
			{ &limit->order, 4 }, { &limit->waiting, 4 },
			{ &limit->reap_most, 4 },
			{ &limit->stack, sizeof(void *) },
			{ &limit->refill, sizeof(void *) }, { &part->zone, sizeof(void *) },
			{ &part->cache, sizeof(void *) }, { &part->kind, 4 },
			{ &part->declared, 4 }, { &part->id, 4 }, { &part->nr_blocks, 4 },
			{ &part->blocks, sizeof(void *) }, { &part->plan, sizeof(part->plan) },
		};

		for (i = 0; i < ARRAY_SIZE(members); i++)
			for (k = 0; k < members[i].bytes / 4; k++) {
				u32 *word = (u32 *)members[i].at + k;

				*word ^= 1u << (i + k) % 32;
				invalid(DECLARED_CHANGED);
				*word ^= 1u << (i + k) % 32;
			}
	}
	ends_mended();
}

static void contract_flip_blocks(void)
{
	make_pages();
	contract->part[0].blocks[0] += 1ul << 40;
	invalid("J1: frob.0: chunk 0 is not one of its blocks");
	stays_damaged();
	contract->part[0].blocks[0] -= 1ul << 40;
	ends_mended();
}

/* In the parent the block may have another owner by now. */
static void contract_flip_tag(void)
{
	struct myalloc_frame *frame;

	make_pages();
	frame = myalloc_map_frame(&zone->map, contract->part[0].blocks[0]);
	frame->cache ^= 1;
	invalid("Z1: frame 0: a chunk of child 1, which does not exist");
	EXPECT(myalloc_contract_end(contract, MYALLOC_CONTRACT_RELEASE) == -EBUSY, "ended");
	EXPECT(myalloc_free(zone, p) == -EINVAL, "freed by way of no child");
	frame->cache ^= 1;
	ends_mended();
}

static void contract_flip_child(void)
{
	make_pages();
	zone->children->zone[contract->part[0].id] = ERR_PTR(-EAGAIN);
	EXPECT(myalloc_free(zone, p) == -EINVAL, "freed by way of no child");
	EXPECT(myalloc_contract_end(contract, MYALLOC_CONTRACT_RELEASE) == -EBUSY, "ended");
	zone->children->zone[contract->part[0].id] = child;
	ends_mended();
}

static void contract_flip_limit(void)
{
	make_pages();
	child->limit = NULL;
	invalid(DECLARED_CHANGED);
	stays_damaged();
	child->limit = &contract->part[0].limit;
	ends_mended();
}

static void *in_nmi_got[3];

static void alloc_pages_in_nmi(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(in_nmi_got); i++)
		in_nmi_got[i] = myalloc_pages_alloc(child, 2, 0);
}

/* A page that a user holds is not given to an NMI handler as well. */
static void contract_flip_stack(void)
{
	unsigned long *stack;

	make_contract(&(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 16, .orders = 0x4, .nmi = 3 }, 0);
	p = myalloc_pages_alloc(child, 2, 0);
	EXPECT(p, "no page");
	stack = contract->part[0].limit.stack;
	stack[0] = myalloc_frame_idx(child, myalloc_map_frame(&child->map, p)) + 1;
	stack[2] += 1ul << 40;
	invalid("J4: frob.0: the stacks hold * things, 2 not kept, counted *");
	EXPECT(myalloc_contract_end(contract, MYALLOC_CONTRACT_RELEASE) == -EBUSY, "ended");
	in_nmi_locked(&child->lock, alloc_pages_in_nmi);
	EXPECT(in_nmi_got[0] && in_nmi_got[0] != p && !in_nmi_got[1] && !in_nmi_got[2],
	       "%p, %p, %p of 3 with 2 damaged", in_nmi_got[0], in_nmi_got[1], in_nmi_got[2]);
	good(myalloc_free(zone, in_nmi_got[0]));
	good(myalloc_free(zone, p));
	valid();
}

static void alloc_objects_in_nmi(void)
{
	struct myalloc_cache *cache = myalloc_contract_cache(contract, 0);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(in_nmi_got); i++)
		in_nmi_got[i] = myalloc_cache_alloc(cache, 0);
}

static void contract_flip_stack_object(void)
{
	unsigned long *stack;

	make_contract(&(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_OBJECTS, .count = 3, .nmi = 3,
		.cache = { .name = "request", .object_size = 64 } }, 0);
	p = myalloc_cache_alloc(myalloc_contract_cache(contract, 0), 0);
	stack = contract->part[0].limit.stack;
	stack[0] = (unsigned long)p;
	stack[2] += 1;
	invalid("J4: frob.0: the stacks hold * things, 2 not kept, counted *");
	in_nmi_locked(&myalloc_contract_cache(contract, 0)->lock, alloc_objects_in_nmi);
	EXPECT(in_nmi_got[0] && in_nmi_got[0] != p && !in_nmi_got[1] && !in_nmi_got[2],
	       "%p, %p, %p of 3 with 2 damaged", in_nmi_got[0], in_nmi_got[1], in_nmi_got[2]);
	good(myalloc_free(zone, in_nmi_got[0]));
	good(myalloc_free(zone, p));
	valid();
}

const struct misuse misuse_contract[] = {
	CASE(contract_twice,
	     "myalloc: frob.0: bad free as pages of order 0: already free (double free); frame 0, order 2, free, last allocated at *"),
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
	     "myalloc: frob.0: request for 1 page from * refused: a contract does not serve an alignment above the size that is not declared: declare a larger size"),
	CASE(contract_range,
	     "myalloc: frob.0: request for 1 page from * refused: a contract does not serve particular pages"),
	CASE(contract_cache,
	     "myalloc: frob.0: cache c: the zone of a contract serves what its line states, and no caches: state a line of objects"),
	CASE(contract_in_contract,
	     "myalloc: frob.0: a contract has no contracts itself: make it in the parent zone"),
	CASE(contract_end_held,
	     "myalloc: frob.0: cannot be destroyed: 4 pages in use, first: frame 0, 4 pages, held by *"),
	CASE(contract_end_held_object,
	     "myalloc: frob.0: cache request cannot be destroyed: 1 object is still allocated (check U records their owners)\n"
	     "myalloc: frob.0: cache request: still allocated: frame 0, slot 0"),
	CASE(contract_end_beyond,
	     "contract frob cannot end: 1 page beyond it is in use"),
	CASE(contract_beyond_order,
	     "myalloc: frob.0: bad free as pages of order 7: not memory of this zone\n"
	     "myalloc: frob.0: bad free as pages of order 9: not memory of this zone\n"
	     "myalloc: frob.0: bad free as pages of order 31: not memory of this zone\n"
	     "myalloc: frob.0: bad free as pages of order 32: not memory of this zone\n"
	     "myalloc: frob.0: bad free as pages of order 40: not memory of this zone\n"
	     "myalloc: frob.0: bad free as pages of order 63: not memory of this zone\n"
	     "myalloc: frob.0: bad free as pages of order 72: not memory of this zone\n"
	     "myalloc: frob.0: bad free as pages of order 200: not memory of this zone\n"
	     "myalloc: frob.0: bad free as pages of order 264: not memory of this zone\n"
	     "myalloc: frob.0: bad free as pages of order 4294967295: not memory of this zone"),
	CASE(contract_zone_destroy,
	     "cannot be destroyed: contract frob still exists"),
	CASE(contract_short,
	     "contract x refused: it takes 1024 pages; 1 page and 1 block of order 8 are short"),
	CASE(contract_flip_most,
	     "contract frob is damaged and stays: " DECLARED_CHANGED),
	CASE(contract_flip_sizes,
	     "contract frob is damaged and stays: " DECLARED_CHANGED),
	CASE(contract_flip_each, ""),
	CASE(contract_flip_blocks,
	     "contract frob is damaged and stays: J1: frob.0: chunk 0 is not one of its blocks"),
	CASE(contract_flip_tag,
	     "contract frob is damaged and stays: J1: frob.0: chunk 0 is not one of its blocks\n*"),
	CASE(contract_flip_child,
	     "bad free as pages of order 2: not what it was allocated as; frame 0, order 2, of contract line (none)\n"
	     "contract frob is damaged and stays: J1: frob.0: child 0 of its parent is another zone"),
	CASE(contract_flip_limit,
	     "contract frob is damaged and stays: " DECLARED_CHANGED),
	CASE(contract_flip_stack,
	     "contract frob is damaged and stays: J4: frob.0: the stacks hold * things, 2 not kept, counted *\n"
	     "myalloc: frob.0: the stack for NMI handlers of CPU 0 holds 0x*, which is not kept there: damaged, it is dropped\n"
	     "myalloc: frob.0: the stack for NMI handlers of CPU 0 holds 0x*, which is not kept there: damaged, it is dropped"),
	CASE(contract_flip_stack_object,
	     "myalloc: frob.0: the stack for NMI handlers of CPU 0 holds 0x*, which is not kept there: damaged, it is dropped\n"
	     "myalloc: frob.0: the stack for NMI handlers of CPU 0 holds 0x*, which is not kept there: damaged, it is dropped"),
	{ }
};
