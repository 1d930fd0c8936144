// SPDX-License-Identifier: GPL-2.0
/*
 * Exhaustive search: every state of small buddy systems under every operation
 *
 * A state consists of which frames are free and how the allocated ones are divided. All states
 * reachable from the empty zone are visited breadth-first. In each, every operation is tried with
 * every argument (including those of wrong frees); its result is compared with a model that knows
 * only which frames are free and where allocated blocks begin, and the resulting structure with
 * the one that belongs to the state the model expects: bit for bit, every summary and count. The
 * structure of each new state is validated.
 *
 * The number of states: a block of order 0 is free or allocated, c(0) = 2. A block of order k + 1
 * is free as a whole, allocated as a whole, or divided into halves of which not both are free
 * (they would merge): c(k+1) = 2 + c(k)^2 - 1 = 1 + c(k)^2. So 2, 5, 26, 677, 458330. A zone
 * consists of the largest blocks that its frames form, none above the top order, and these are
 * independent: its number of states is the product of their c. All can be reached: take the
 * largest blocks, smallest first, and allocate the pieces of the state in ascending order; each is
 * the lowest of the smallest sufficient free blocks; then free those that should be free.
 *
 * The second part does the same for whole zones of two chunks, which are not adjacent or may be one
 * block, through the public functions and addresses. The third confirms, by the same search, the amount of memory in
 * which first fit never fails (see robson_test.c for the longer searches).
 */
#include "env.h"
#include "ktap.h"
#include "program.h"
#include "zone/validate.h"

#define FRAMES_MOST	16
#define ORDERS_MOST	5	/* 0 to 4 */

static bool full;

static u64 c_of(unsigned int order)
{
	u64 c = 2;

	while (order--)
		c = 1 + c * c;
	return c;
}

/* Order of the piece at @idx of a range: as large as alignment, length and top order allow. */
static unsigned int greedy(u32 idx, u32 nr, unsigned int top)
{
	unsigned int order = top;

	while (BIT(order) > nr || idx % BIT(order))
		order--;
	return order;
}

static u64 nr_states(u32 nr_frames, unsigned int top)
{
	u64 product = 1;
	u32 idx;

	for (idx = 0; idx < nr_frames; ) {
		unsigned int k = greedy(idx, nr_frames - idx, top);

		product *= c_of(k);
		idx += BIT(k);
	}
	return product;
}

/* --- the model -------------------------------------------------------------------- */

/**
 * struct model - a state
 * @nr: frames
 * @top: order of the largest block
 * @free: bit i is set if frame i is free
 * @head: bit i is set if an allocated block begins at frame i
 */
struct model {
	u32 nr;
	unsigned int top;
	u32 free;
	u32 head;
};

static u32 run_mask(u32 idx, u32 nr)
{
	return (u32)((BIT(nr) - 1) << idx);
}

static bool all_free(const struct model *m, u32 idx, u32 nr)
{
	return idx + nr <= m->nr && !(run_mask(idx, nr) & ~m->free);
}

/* Order of the free block that contains @idx: the largest aligned range that is free. */
static unsigned int free_block(const struct model *m, u32 idx)
{
	unsigned int k = 0;

	while (k < m->top && all_free(m, idx >> (k + 1) << (k + 1), BIT(k + 1)))
		k++;
	return k;
}

/* Frames of the allocated block at @idx: up to the next beginning, free frame or the end. */
static u32 allocated_block(const struct model *m, u32 idx)
{
	u32 end = idx + 1;

	while (end < m->nr && !((m->free | m->head) >> end & 1))
		end++;
	return end - idx;
}

static u32 model_find(const struct model *m, unsigned int order, enum myalloc_policy policy,
		      bool topdown)
{
	u32 idx, best = MYALLOC_NO_FRAME;
	unsigned int best_order = MYALLOC_NR_ORDERS;

	if (order > m->top)
		return MYALLOC_NO_FRAME;
	for (idx = 0; idx < m->nr; ) {
		unsigned int k;

		if (!(m->free >> idx & 1)) {
			idx++;
			continue;
		}
		k = free_block(m, idx);
		if (k >= order && (topdown ? k <= best_order :
				   policy == MYALLOC_FIRST_FIT ? best == MYALLOC_NO_FRAME :
				   k < best_order)) {
			best = idx;
			best_order = k;
		}
		idx += BIT(k);
	}
	if (best != MYALLOC_NO_FRAME && topdown)
		best += BIT(best_order) - BIT(order);
	return best;
}

static void model_take(struct model *m, u32 idx, u32 nr)
{
	u32 at;

	m->free &= ~run_mask(idx, nr);
	for (at = 0; at < nr; at += BIT(greedy(idx + at, nr - at, m->top)))
		m->head |= BIT(idx + at);
}

static void model_give(struct model *m, u32 idx, u32 nr)
{
	m->free |= run_mask(idx, nr);
	m->head &= ~run_mask(idx, nr);
}

static u32 model_alloc(struct model *m, unsigned int order, enum myalloc_policy policy,
		       bool topdown)
{
	u32 idx = model_find(m, order, policy, topdown);

	if (idx != MYALLOC_NO_FRAME)
		model_take(m, idx, BIT(order));
	return idx;
}

/* The lowest or highest range of free frames in a slot of the top order. */
static u32 model_find_run(const struct model *m, u32 nr, unsigned int align, bool topdown)
{
	u32 idx, found = MYALLOC_NO_FRAME;

	for (idx = 0; idx < m->nr; idx += BIT(align))
		if (idx >> m->top == (idx + nr - 1) >> m->top && all_free(m, idx, nr) &&
		    (topdown || found == MYALLOC_NO_FRAME))
			found = idx;
	return found;
}

static u32 model_alloc_exact(struct model *m, u32 nr, unsigned int align,
			     enum myalloc_policy policy, bool topdown)
{
	unsigned int order = 0;
	u32 idx;

	if (!nr || nr > BIT(m->top) || align > m->top)
		return MYALLOC_NO_FRAME;
	while (BIT(order) < nr || order < align)
		order++;
	/* The beginning of a free block of that order; if there is none, any free range. */
	idx = model_find(m, order, policy, topdown);
	if (idx == MYALLOC_NO_FRAME)
		idx = model_find_run(m, nr, align, topdown);
	if (idx != MYALLOC_NO_FRAME)
		model_take(m, idx, nr);
	return idx;
}

static int model_alloc_range(struct model *m, u32 idx, u32 nr)
{
	if (!nr || idx >= m->nr || nr > m->nr - idx)
		return -EINVAL;
	if (!all_free(m, idx, nr))
		return -EBUSY;
	model_take(m, idx, nr);
	return 0;
}

static enum myalloc_bad model_check(const struct model *m, u32 idx, unsigned int order)
{
	if (idx >= m->nr)
		return MYALLOC_BAD_FOREIGN;
	if (m->free >> idx & 1)
		return MYALLOC_BAD_FREE;
	if (!(m->head >> idx & 1))
		return MYALLOC_BAD_INTERIOR;
	if (order > 31 || allocated_block(m, idx) != BIT(order))
		return idx % BIT(min(order, 31u)) ? MYALLOC_BAD_MISALIGNED : MYALLOC_BAD_ORDER;
	return MYALLOC_OK;
}

static enum myalloc_bad model_free(struct model *m, u32 idx, unsigned int order)
{
	enum myalloc_bad bad = model_check(m, idx, order);

	if (!bad)
		model_give(m, idx, BIT(order));
	return bad;
}

static enum myalloc_bad model_free_exact(struct model *m, u32 idx, u32 nr)
{
	enum myalloc_bad bad;
	unsigned int order;
	u32 at;

	if (idx >= m->nr)
		return MYALLOC_BAD_FOREIGN;
	if (!nr || nr > m->nr - idx)
		return MYALLOC_BAD_ORDER;
	for (at = 0; at < nr; at += BIT(order)) {
		order = greedy(idx + at, nr - at, m->top);
		bad = model_check(m, idx + at, order);
		if (bad)
			return bad;
	}
	model_give(m, idx, nr);
	return MYALLOC_OK;
}

/* --- a buddy system and its image ---------------------------------------------------- */

#define META_WORDS	(1 + ORDERS_MOST)

struct image {
	struct myalloc_buddy buddy;
	u64 meta[META_WORDS];
};

/* Once for each zone: sizes and pointers, which no operation changes. */
static void init_image(struct image *image, u32 nr, unsigned int top)
{
	memset(image, 0, sizeof(*image));
	myalloc_buddy_init(&image->buddy, nr, top, MYALLOC_BEST_FIT, image->meta);
}

/* The structure that belongs to a state, from the invariants and nothing else. */
static void image_of(struct image *image, const struct model *m)
{
	struct myalloc_buddy *b = &image->buddy;
	u32 idx, order;

	b->nr_free = 0;
	b->nonempty = 0;
	b->nr_splits = 0;
	b->nr_merges = 0;
	memset(b->nr_blocks, 0, sizeof(b->nr_blocks));
	memset(image->meta, 0, sizeof(image->meta));
	image->meta[0] = m->head;
	for (idx = 0; idx < m->nr; ) {
		unsigned int k;

		if (!(m->free >> idx & 1)) {
			idx++;
			continue;
		}
		k = free_block(m, idx);
		image->meta[0] |= BIT(idx);
		b->free[k].level[0][0] |= BIT(idx >> k);
		b->nr_blocks[k]++;
		b->nonempty |= BIT(k);
		b->nr_free += BIT(k);
		idx += BIT(k);
	}
	/* A single bit may be lone or not, depending on the history: try both. */
	for (order = 0; order <= b->top_order; order++) {
		struct myalloc_bitmap_tree *tree = &b->free[order];

		tree->lone = MYALLOC_TREE_NONE;
		if (b->nr_blocks[order] == 1 && hweight32(m->head) & 1)
			tree->lone = __ffs64(tree->level[0][0]);
	}
}

static void copy_state(struct image *to, const struct image *from)
{
	struct myalloc_buddy *b = &to->buddy;
	u32 k;

	b->nr_free = from->buddy.nr_free;
	b->nonempty = from->buddy.nonempty;
	for (k = 0; k <= b->top_order; k++)
		b->free[k].lone = from->buddy.free[k].lone;
	b->nr_splits = 0;
	b->nr_merges = 0;
	memcpy(b->nr_blocks, from->buddy.nr_blocks, sizeof(b->nr_blocks));
	memcpy(to->meta, from->meta, sizeof(to->meta));
}

/* Compare everything except parts that depend on the history. */
static bool same_image(const struct image *a, const struct image *b)
{
	return !memcmp(a->meta, b->meta, sizeof(a->meta)) &&
	       a->buddy.nr_free == b->buddy.nr_free && a->buddy.nonempty == b->buddy.nonempty &&
	       !memcmp(a->buddy.nr_blocks, b->buddy.nr_blocks, sizeof(a->buddy.nr_blocks)) &&
	       a->buddy.nr_frames == b->buddy.nr_frames &&
	       a->buddy.top_order == b->buddy.top_order;
}

/* --- the search ------------------------------------------------------------------------ */

#define TABLE_BITS	21

/* States seen; a key is free | head << 16, and no state has both 0. */
static struct search {
	u32 *table;
	u32 *queue;
	u32 nr, done;
	u64 ops;
	const char *wrong;
	char text[160];
} search;

__printf(1, 2)
static void wrong(const char *fmt, ...)
{
	va_list args;

	if (search.wrong)
		return;
	va_start(args, fmt);
	vsnprintf(search.text, sizeof(search.text), fmt, args);
	va_end(args);
	search.wrong = search.text;
}

static void visit(const struct model *m)
{
	u32 key = m->free | m->head << 16;
	u32 at = key * 0x9e3779b1u >> (32 - TABLE_BITS);

	while (search.table[at]) {
		if (search.table[at] == key)
			return;
		at = (at + 1) % BIT(TABLE_BITS);
	}
	if (search.nr == BIT(TABLE_BITS) / 2) {
		wrong("more states than the table has room for");
		return;
	}
	search.table[at] = key;
	search.queue[search.nr++] = key;
}

/* The state that an operation starts from, and data to try one. */
static struct trial {
	struct model from, to;
	struct image start, got, expected;
} t;

static struct myalloc_buddy *begin(enum myalloc_policy policy)
{
	t.to = t.from;
	copy_state(&t.got, &t.start);
	t.got.buddy.policy = policy;
	search.ops++;
	return &t.got.buddy;
}

/* @what and its arguments: for the message. */
static void end(bool same_result, const char *what, u32 a, u32 b, u32 c, u32 d)
{
	const struct image *expected = &t.start;
	long heads;

	if (t.to.free != t.from.free || t.to.head != t.from.head) {
		image_of(&t.expected, &t.to);
		expected = &t.expected;
		visit(&t.to);
	}
	if (!same_result || !same_image(&t.got, expected))
		wrong("%s(%u, %u, %u, %u) with free 0x%04x, heads 0x%04x: %s", what, a, b, c, d,
		      t.from.free, t.from.head, same_result ? "wrong state" : "wrong result");
	/* Each split makes a block, each merge removes one; ranges are cut without counting. */
	heads = (long)hweight64(t.got.meta[0]) - (long)hweight64(t.start.meta[0]);
	if (what[0] != 'r' && heads != (long)(t.got.buddy.nr_splits - t.got.buddy.nr_merges))
		wrong("%s(%u, %u, %u, %u) with free 0x%04x, heads 0x%04x: wrong count of splits",
		      what, a, b, c, d, t.from.free, t.from.head);
}

static void try_allocs(void)
{
	unsigned int order, policy, topdown;

	for (order = 0; order <= t.from.top + 2; order++)
		for (policy = 0; policy < MYALLOC_NR_POLICIES; policy++)
			for (topdown = 0; topdown < 2; topdown++) {
				u32 idx = myalloc_buddy_alloc(begin(policy), order, topdown);

				end(idx == model_alloc(&t.to, order, policy, topdown), "alloc",
				    order, policy, topdown, 0);
			}
}

static void try_frees(void)
{
	unsigned int order;
	u32 idx;

	for (idx = 0; idx <= t.from.nr + 1; idx++)
		for (order = 0; order <= t.from.top + 2; order++) {
			enum myalloc_bad bad = myalloc_buddy_free(begin(0), idx, order);

			end(bad == model_free(&t.to, idx, order), "free", idx, order, 0, 0);
		}
}

/* As extent.c does it. @searched: found by the search, not in a free block large enough. */
static u32 alloc_exact(struct myalloc_buddy *b, u32 nr, unsigned int align, bool topdown,
		       bool *searched)
{
	u32 idx = myalloc_buddy_alloc_exact(b, nr, align, topdown), i;
	u32 slots = DIV_ROUND_UP(b->nr_frames, BIT(b->top_order));

	*searched = false;
	if (!myalloc_buddy_may_hold(b, nr, align))
		return idx;
	for (i = 0; idx == MYALLOC_NO_FRAME && i < slots; i++) {
		*searched = true;
		idx = myalloc_buddy_alloc_exact_in(b, topdown ? slots - 1 - i : i, nr, align,
						   topdown);
	}
	return idx;
}

static void try_exact(void)
{
	unsigned int align, policy, topdown;
	bool searched;
	u32 nr;

	for (nr = 0; nr <= BIT(t.from.top) + 1; nr++)
		for (align = 0; align <= t.from.top + 1; align++)
			for (policy = 0; policy < MYALLOC_NR_POLICIES; policy++)
				for (topdown = 0; topdown < 2; topdown++) {
					u32 idx = alloc_exact(begin(policy), nr, align, topdown,
							      &searched);

					/* It is cut like an extent at a given place. */
					end(idx == model_alloc_exact(&t.to, nr, align, policy,
								     topdown),
					    searched ? "range, exact" : "exact", nr, align, policy,
					    topdown);
				}
}

static void try_runs(void)
{
	u32 idx, nr;

	for (idx = 0; idx <= t.from.nr; idx++)
		for (nr = 0; nr <= t.from.nr + 1; nr++) {
			enum myalloc_bad bad;
			int err;

			err = myalloc_buddy_alloc_range(begin(0), idx, nr);
			end(err == model_alloc_range(&t.to, idx, nr), "range", idx, nr, 0, 0);
			bad = myalloc_buddy_free_exact(begin(0), idx, nr);
			end(bad == model_free_exact(&t.to, idx, nr), "free_exact", idx, nr, 0, 0);
		}
}

/* Operations that only read. */
static void try_queries(void)
{
	const struct myalloc_buddy *b = &t.start.buddy;
	u32 idx, blocks[ORDERS_MOST] = { 0 }, nr = 0, k, j, suitable;
	int largest = -1;

	for (idx = 0; idx < t.from.nr + 2; idx++) {
		struct myalloc_block block, right = { 0 };
		bool found = myalloc_buddy_lookup(b, idx, &block);

		if (idx >= t.from.nr) {
			if (found)
				wrong("lookup(%u) found something", idx);
			continue;
		}
		right.free = t.from.free >> idx & 1;
		if (right.free) {
			right.order = free_block(&t.from, idx);
			right.idx = idx >> right.order << right.order;
		} else {
			for (right.idx = idx; !(t.from.head >> right.idx & 1); right.idx--)
				;
			right.order = ilog2(allocated_block(&t.from, right.idx));
		}
		if (!found || block.idx != right.idx || block.order != right.order ||
		    block.free != right.free)
			wrong("lookup(%u) with free 0x%04x, heads 0x%04x", idx, t.from.free,
			      t.from.head);
		if (right.free && right.idx == idx) {
			blocks[right.order]++;
			nr++;
			largest = max_t(int, largest, right.order);
		}
	}
	if (myalloc_buddy_largest(b) != largest)
		wrong("largest with free 0x%04x, heads 0x%04x", t.from.free, t.from.head);
	for (k = 0; k <= t.from.top; k++) {
		u32 frames = hweight32(t.from.free);
		int unusable = 1000, extfrag = 0;

		for (suitable = 0, j = k; j <= t.from.top; j++)
			suitable += blocks[j] << j;
		if (frames)
			unusable = (frames - suitable) * 1000 / frames;
		if (suitable)
			extfrag = -1000;
		else if (nr)
			extfrag = 1000 - (int)((1000 + frames * 1000 / BIT(k)) / nr);
		if (myalloc_buddy_unusable(b, k) != unusable || myalloc_buddy_extfrag(b, k) != extfrag)
			wrong("fragmentation of order %u with free 0x%04x, heads 0x%04x", k,
			      t.from.free, t.from.head);
	}
}

/*
 * Search a zone of @nr frames. Allocations and frees of blocks are tried in every state; exact
 * sizes and ranges, which lead to no further states, in every @sample-th.
 */
static bool search_zone(u32 nr, unsigned int top, u32 sample)
{
	struct myalloc_validation v;

	memset(&search, 0, offsetof(struct search, text));
	search.table = calloc(BIT(TABLE_BITS), sizeof(u32));
	search.queue = calloc(BIT(TABLE_BITS), sizeof(u32));
	t.from = (struct model){ .nr = nr, .top = top, .free = run_mask(0, nr) };
	init_image(&t.start, nr, top);
	init_image(&t.got, nr, top);
	init_image(&t.expected, nr, top);
	image_of(&t.expected, &t.from);
	if (myalloc_buddy_meta_size(nr, top) > sizeof(t.got.meta) ||
	    !same_image(&t.got, &t.expected))
		wrong("init is wrong");
	visit(&t.from);
	while (search.done < search.nr && !search.wrong) {
		u32 key = search.queue[search.done++];

		t.from.free = key & 0xffff;
		t.from.head = key >> 16;
		image_of(&t.start, &t.from);
		memset(&v, 0, sizeof(v));
		if (!myalloc_buddy_validate(&t.start.buddy, &v) || v.frames != nr)
			wrong("validation: %s", v.first);
		try_allocs();
		try_frees();
		try_queries();
		if (search.done % sample)
			continue;
		try_exact();
		try_runs();
	}
	if (!search.wrong && search.nr != nr_states(nr, top))
		wrong("%u states, there should be %llu", search.nr, nr_states(nr, top));
	free(search.table);
	free(search.queue);
	if (search.wrong)
		ktap_note("%s", search.wrong);
	return !search.wrong;
}

static void test_buddy(u32 nr, unsigned int top, u32 sample)
{
	bool ok = search_zone(nr, top, full ? 1 : sample);

	ktap_result(ok, "%u frames, top order %u: %u states, %llu operations", nr, top, search.nr,
		    search.ops);
}

/* --- whole zones of two chunks ------------------------------------------------------------ */

#define DEPTH_MOST	24

/* How a state was first reached: a parent and the operation from there. */
struct step {
	u32 parent;
	u8 order;
	bool free;
	bool topdown;
	u8 idx;
};

static struct {
	struct myalloc_zone *zone;
	u8 *arena, *chunk[2];
	u32 order, nr;
	u32 top;		/* order + 1: the chunks are adjacent and may be one block */
	unsigned int policy;
	struct model m;
} z;

static u8 *z_addr(u32 idx)
{
	return z.chunk[idx >> z.order] + ((idx & (BIT(z.order) - 1)) << PAGE_SHIFT);
}

static void make_zone(void)
{
	struct myalloc_zone_args args = {
		.name = "z", .chunks = (void *const *)z.chunk, .nr_chunks = 2,
		.chunk_order = z.order, .max_order = z.top, .nr_pages = z.nr, .node = NUMA_NO_NODE,
		.policy = z.policy, .no_magazines = true,
	};

	z.zone = myalloc_zone_create(&args);
	if (IS_ERR(z.zone))
		host_fatal("no zone");
	z.m = (struct model){ .nr = z.nr, .top = z.top, .free = run_mask(0, z.nr) };
}

static void end_zone(void)
{
	u32 idx;

	for (idx = 0; idx < z.nr; idx++)
		if (z.m.head >> idx & 1) {
			u32 size = allocated_block(&z.m, idx);

			if (myalloc_pages_free(z.zone, z_addr(idx), ilog2(size)))
				wrong("last free of frame %u failed", idx);
			model_give(&z.m, idx, size);
		}
	if (myalloc_zone_destroy(z.zone))
		wrong("zone does not end");
}

static void z_alloc(unsigned int order, bool topdown)
{
	u8 *addr = myalloc_pages_alloc(z.zone, order, topdown ? MYALLOC_TOPDOWN : 0);
	u32 idx = model_alloc(&z.m, order, z.policy, topdown);

	search.ops++;
	if (addr != (idx == MYALLOC_NO_FRAME ? NULL : z_addr(idx)))
		wrong("alloc of order %u with free 0x%x, heads 0x%x", order, z.m.free, z.m.head);
}

static void z_free(u32 idx, unsigned int order)
{
	enum myalloc_bad bad = model_free(&z.m, idx, order);

	search.ops++;
	if (myalloc_pages_free(z.zone, z_addr(idx), order) != (bad ? -EINVAL : 0))
		wrong("free of order %u at frame %u with free 0x%x, heads 0x%x", order, idx, z.m.free,
		      z.m.head);
}

static void go_to(const struct step *steps, u32 state)
{
	u32 path[DEPTH_MOST * 2], n = 0;

	make_zone();
	for (; state; state = steps[state].parent)
		path[n++] = state;
	while (n--) {
		const struct step *step = &steps[path[n]];

		if (step->free)
			z_free(step->idx, step->order);
		else
			z_alloc(step->order, step->topdown);
	}
}

static bool z_new(struct step *steps, u32 parent, const struct step *step)
{
	u32 before = search.nr;

	visit(&z.m);
	if (search.nr == before)
		return false;
	steps[before] = *step;
	steps[before].parent = parent;
	return true;
}

/* Wrong frees of every address around, in the current state: nothing may change. */
static void z_wrong_frees(void)
{
	struct myalloc_zone_stats before, after;
	size_t size = PAGE_SIZE << z.order, off;
	unsigned int order;

	myalloc_zone_stats(z.zone, &before);
	for (off = 0; off < 5 * size; off += PAGE_SIZE / 2) {
		u8 *addr = z.arena + off;
		bool first = addr >= z.chunk[0] && addr < z.chunk[0] + size;
		bool second = addr >= z.chunk[1] && addr < z.chunk[1] + size;
		u32 idx = first ? (u32)((addr - z.chunk[0]) >> PAGE_SHIFT) :
			  second ? BIT(z.order) + ((addr - z.chunk[1]) >> PAGE_SHIFT) : z.nr;
		bool page = !((uintptr_t)addr & ~PAGE_MASK);

		for (order = 0; order <= z.top + 2; order++) {
			if (page && !model_check(&z.m, idx, order))
				continue;
			search.ops++;
			if (myalloc_pages_free(z.zone, addr, order) != -EINVAL)
				wrong("wrong free of order %u at %zu was taken", order, off);
		}
	}
	myalloc_zone_stats(z.zone, &after);
	after.bad_frees = before.bad_frees;
	memcpy(after.bad, before.bad, sizeof(after.bad));
	if (memcmp(&before, &after, sizeof(before)))
		wrong("wrong frees changed the statistics");
	host_log_reset();
}

static void test_chunks(u32 order, u32 nr, bool joined, unsigned int policy)
{
	u64 states = nr_states(nr, order + joined);
	struct step *steps = calloc(states + 1, sizeof(*steps));
	struct myalloc_validation v;
	unsigned int k, topdown;
	u32 idx;

	memset(&search, 0, offsetof(struct search, text));
	search.table = calloc(BIT(TABLE_BITS), sizeof(u32));
	search.queue = calloc(BIT(TABLE_BITS), sizeof(u32));
	z.order = order;
	z.top = order + joined;
	z.nr = nr;
	z.policy = policy;
	z.arena = host_chunk_alloc(order + 3);
	z.chunk[0] = z.arena + (joined ? 2 : 1) * (PAGE_SIZE << order);
	z.chunk[1] = z.arena + 3 * (PAGE_SIZE << order);

	make_zone();
	visit(&z.m);
	end_zone();
	while (search.done < search.nr && !search.wrong) {
		u32 state = search.done++;

		go_to(steps, state);
		if (!myalloc_zone_validate(z.zone, &v))
			wrong("validation: %s", v.first);
		z_wrong_frees();
		end_zone();
		for (k = 0; k <= z.top + 1; k++)
			for (topdown = 0; topdown < 2; topdown++) {
				struct step step = { .order = k, .topdown = topdown };

				go_to(steps, state);
				z_alloc(k, topdown);
				z_new(steps, state, &step);
				end_zone();
			}
		for (idx = 0; idx < nr; idx++) {
			struct step step = { .free = true, .idx = idx };

			go_to(steps, state);
			if (z.m.head >> idx & 1) {
				step.order = ilog2(allocated_block(&z.m, idx));
				z_free(idx, step.order);
				z_new(steps, state, &step);
			}
			end_zone();
		}
	}
	if (!search.wrong && search.nr != states)
		wrong("%u states, there should be %llu", search.nr, states);
	host_chunk_free(z.arena, order + 3);
	free(search.table);
	free(search.queue);
	free(steps);
	if (search.wrong)
		ktap_note("%s", search.wrong);
	ktap_result(!search.wrong && !host_live_allocs(),
		    "zone of %u frames in two %schunks of order %u, %s: %u states, %llu operations",
		    nr, joined ? "joined " : "", order, policy ? "first fit" : "best fit", search.nr, search.ops);
}

/* --- the program ---------------------------------------------------------------------------- */

static void test_buddies(void)
{
	u32 nr;

	ktap_result(c_of(4) == 458330, "c(4) == 458330");
	for (nr = 1; nr < FRAMES_MOST; nr++)
		test_buddy(nr, 4, nr < 13 ? 1 : 20);
	test_buddy(16, 4, 100);
	test_buddy(16, 3, 100);
	test_buddy(16, 2, 100);
	test_buddy(13, 1, 20);
	test_buddy(16, 0, 20);
}

int main(int argc, char **argv)
{
	bool zones = false;
	const struct program_option options[] = {
		{ "zones", PROGRAM_FLAG, &zones, "zones alone; the buddy does not know the size of a page" },
		{ "full", PROGRAM_FLAG, &full, "exact sizes and ranges in every state, too (about 5 minutes)" },
		{ }
	};
	unsigned int policy;
	u32 nr;

	program_options(argc, argv,
			"Every state of small zones under every operation, compared with a model.",
			options);
	host_set_nr_cpus(1);
	ktap_plan((zones ? 0 : 1 + 15 + 5) + MYALLOC_NR_POLICIES * (7 + 3));
	if (!zones)
		test_buddies();
	for (policy = 0; policy < MYALLOC_NR_POLICIES; policy++) {
		test_chunks(0, 2, false, policy);
		for (nr = 3; nr <= 4; nr++)
			test_chunks(1, nr, false, policy);
		for (nr = 5; nr <= 8; nr++)
			test_chunks(2, nr, false, policy);
		for (nr = 0; nr <= 2; nr++)
			test_chunks(nr, 2 << nr, true, policy);
	}
	return ktap_end();
}
