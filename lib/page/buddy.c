// SPDX-License-Identifier: GPL-2.0
/*
 * The buddy system
 *
 * The classic binary buddy system (Knowlton 1965; Knuth, TAOCP 1, 2.5) on frame indices. It never
 * accesses the frames themselves, so it can manage memory that is not mapped, absent or
 * simulated.
 *
 * Terms: a block of order k is 2^k frames, aligned to 2^k. Its buddy is the block of the same
 * order at idx ^ 2^k. Two free buddies merge into one block of order k + 1, up to top_order. A
 * range is a number of adjacent frames. A chunk is 2^chunk_order frames that lie next to each
 * other in memory.
 *
 * Structures
 *
 *	frame   0   1   2   3   4   5   6   7
 *	        [  allocated  ] [ free] [ a ] [ a ]
 *	head    1   .   .   .   1   .   1   1
 *	free[0]	.   .   .   .   .   .   .   .
 *	free[1]	    .       .       1       .
 *	free[2]	        .               .
 *
 * free[k] is a bitmap tree (bitmap_tree.c): a few find-first-set steps find the lowest free block
 * of an order, and one bit test tells whether a buddy is free. head marks where blocks begin, and
 * thereby records the order of every block: the order of the block at idx is the smallest k for
 * which another block (or the end) begins at idx + 2^k. For smaller k the bit is not set, because
 * idx + 2^k lies inside the block. So one bit per frame is enough to verify the order that a free
 * names.
 *
 * Metadata: 1 bit per frame for head and at most 2 * 64/63 bits per frame for the trees: 3.04
 * bits of 32768, 0.0093 %.
 *
 * Blocks above a chunk: indices count through the chunks, which need not be adjacent in memory.
 * joined->limit says for each chunk how large a block may begin there: as large as the alignment of
 * its address and the adjacent chunks behind it allow (zone.c). Blocks that it allows are nested
 * like all others: a block of order k at a chunk is the lower half of one of order k + 1 if the
 * chunk's limit exceeds k, the upper half if that of the chunk 2^k frames below does, and otherwise
 * has no buddy. The indices of such blocks are multiples of the chunk only, so above chunk_order
 * the trees have one bit for each chunk. Without joined chunks top_order is chunk_order and joined
 * is NULL.
 *
 *	chunk	  0    1    2    3    4    5	chunk 0 at 3 chunks from an aligned address
 *	limit	  0    2    0    1    0    0	above chunk_order; 4 and 5 are not adjacent
 *	block	[  ][                  ][  ]
 *
 * Invariants
 *	B1  Every frame belongs to exactly one block: the blocks marked by head, with orders found
 *	    as above, tile 0 ... nr_frames - 1, each aligned to its size, or above chunk_order
 *	    beginning at a chunk whose limit is at least its order.
 *	B2  free[k] has the bit of a block set if and only if the block begins there (B1), has
 *	    order k and is free.
 *	B3  Two free buddies, which could be one block, do not both exist. (The state is
 *	    canonical: it depends only on which frames are free and how the allocated ones were
 *	    cut, not on the history.)
 *	B4  nr_blocks[k] = bits set in free[k]; bit k of nonempty is set if and only if
 *	    nr_blocks[k] != 0; nr_free = sum of nr_blocks[k] * 2^k.
 *	B5  T1 and T2 hold for every tree.
 *	B6  joined->limit is the limit that follows from the addresses of the chunks.
 *
 * Cost: alloc splits at most top_order times, free merges at most top_order times; each step is a
 * handful of instructions. Only the number of tree levels depends on nr_frames.
 *
 * An exact request may fit into a range of free frames that is not covered by a single block of
 * sufficient order: frames 3 to 7 are five frames in blocks of 1 and 4. The search for such a range
 * examines one chunk at a time. It computes which frames are free from the trees, 64 frames at a
 * time and each 64 once, and takes a step for each range of free frames: at most
 * 2^chunk_order / 64 + 1 words and 2^chunk_order / 2 ranges. A range of n frames contains an
 * aligned 2^j frames with 2^(j+1) - 1 <= n, and so by B3 a free block of order j or above. Chunks
 * without such a block are skipped. A free block above chunk_order is always sufficient.
 *
 * Locking: none; callers serialise. Exception: head may be read without the lock for a frame
 * inside a block that is known to stay allocated, because the bits of its frames do not change
 * and words are written whole (WRITE_ONCE).
 *
 * Alternatives: the links of free lists lie in free memory (where a write after free corrupts the
 * allocator) or take 16 bytes per frame, and lists give neither lowest-address placement nor a
 * double-free check. gpu_buddy uses red-black trees of block structs that it must itself
 * allocate, which can fail; this implementation cannot.
 */
#include "env.h"
#include "page/buddy.h"

static bool head_test(const struct myalloc_buddy *b, u32 idx)
{
	return READ_ONCE(b->head[idx / 64]) >> (idx % 64) & 1;
}

static void head_set(struct myalloc_buddy *b, u32 idx)
{
	WRITE_ONCE(b->head[idx / 64], b->head[idx / 64] | BIT_ULL(idx % 64));
}

static void head_clear(struct myalloc_buddy *b, u32 idx)
{
	WRITE_ONCE(b->head[idx / 64], b->head[idx / 64] & ~BIT_ULL(idx % 64));
}

/* For orders up to chunk_order. */
static __always_inline void free_insert(struct myalloc_buddy *b, u32 idx, unsigned int order)
{
	myalloc_tree_set(&b->free[order], idx >> order);
	b->nr_blocks[order]++;
	b->nonempty |= BIT(order);
}

static __always_inline void free_remove(struct myalloc_buddy *b, u32 idx, unsigned int order)
{
	myalloc_tree_clear(&b->free[order], idx >> order);
	if (!--b->nr_blocks[order])
		b->nonempty &= ~BIT(order);
}

/* For any order. */
static void any_insert(struct myalloc_buddy *b, u32 idx, unsigned int order)
{
	myalloc_tree_set(myalloc_buddy_tree(b, order), myalloc_buddy_bit(b, idx, order));
	b->nr_blocks[order]++;
	b->nonempty |= BIT(order);
}

static void any_remove(struct myalloc_buddy *b, u32 idx, unsigned int order)
{
	myalloc_tree_clear(myalloc_buddy_tree(b, order), myalloc_buddy_bit(b, idx, order));
	if (!--b->nr_blocks[order])
		b->nonempty &= ~BIT(order);
}

/* Returns the order of the block that begins at @idx (B1); does not use free[]. */
static unsigned int order_at(const struct myalloc_buddy *b, u32 idx)
{
	unsigned int order;

	for (order = 0; order < b->top_order; order++) {
		u32 next = idx + BIT(order);

		if (next >= b->nr_frames || head_test(b, next))
			break;
	}
	return order;
}

/* Order of the largest block that may begin at @idx. */
static unsigned int limit_at(const struct myalloc_buddy *b, u32 idx)
{
	u32 in_chunk = idx & (BIT(b->chunk_order) - 1);

	if (in_chunk)
		return __ffs(in_chunk);
	return b->joined ? b->joined->limit[idx >> b->chunk_order] : b->chunk_order;
}

/*
 * Where does the block of order @order + 1 begin that contains the block of @order at @idx, if
 * @order is at least chunk_order and below top_order? NO_FRAME if there is no such block.
 */
static u32 parent(const struct myalloc_buddy *b, u32 idx, unsigned int order)
{
	if (b->joined->limit[idx >> b->chunk_order] > order)
		return idx;
	if (idx >= BIT(order) && b->joined->limit[(idx - BIT(order)) >> b->chunk_order] > order)
		return idx - BIT(order);
	return MYALLOC_NO_FRAME;
}

/**
 * myalloc_buddy_other() - the buddy of a block
 * @buddy: the buddy system
 * @idx: first frame of the block
 * @order: log2 of its frames, below top_order
 *
 * Context: any.
 * Return: first frame of the buddy, which may be beyond the end; MYALLOC_NO_FRAME if the two cannot
 * be one block.
 */
u32 myalloc_buddy_other(const struct myalloc_buddy *buddy, u32 idx, unsigned int order)
{
	u32 up;

	if (order < buddy->chunk_order)
		return idx ^ BIT(order);
	up = parent(buddy, idx, order);
	return up == idx ? idx + BIT(order) : up;
}

/**
 * myalloc_buddy_meta_size() - size of the metadata of a buddy system
 * @nr_frames: number of frames to manage, less than 2^32 - 1024
 * @top_order: order of the largest block without joined chunks, at most MYALLOC_TOP_ORDER
 *
 * Context: any.
 * Return: bytes.
 */
size_t myalloc_buddy_meta_size(u32 nr_frames, unsigned int top_order)
{
	size_t words = DIV_ROUND_UP((size_t)nr_frames, 64);
	unsigned int k;

	for (k = 0; k <= top_order; k++)
		words += myalloc_tree_words(nr_frames >> k);
	return words * sizeof(u64);
}

/**
 * myalloc_buddy_piece() - order of the first block of a range of frames
 * @buddy: the buddy system
 * @idx: first frame of the range
 * @nr: number of frames in the range, at least 1
 *
 * A range that is not one block is cut into blocks greedily from its beginning, each as large as
 * its alignment and the rest of the range allow. Allocation and free of exact sizes cut alike, so a
 * free can check every piece.
 *
 * Context: any.
 * Return: log2 of the frames in the first piece.
 */
unsigned int myalloc_buddy_piece(const struct myalloc_buddy *buddy, u32 idx, u32 nr)
{
	return min_t(unsigned int, fls(nr) - 1, limit_at(buddy, idx));
}

/* Turns @nr frames from @idx on, which have no state yet, into free blocks. */
static void insert_run(struct myalloc_buddy *b, u32 idx, u32 nr)
{
	while (nr) {
		unsigned int order = myalloc_buddy_piece(b, idx, nr);

		head_set(b, idx);
		any_insert(b, idx, order);
		idx += BIT(order);
		nr -= BIT(order);
	}
}

/**
 * myalloc_buddy_init() - initialise a buddy system with all frames free
 * @buddy: the buddy system
 * @nr_frames: number of frames, at least 1
 * @top_order: order of a chunk, and of the largest block as long as no chunks are joined; at most
 *	MYALLOC_TOP_ORDER
 * @policy: where new blocks are placed
 * @meta: zeroed memory of myalloc_buddy_meta_size() bytes, aligned to 8 bytes; it must stay valid
 *	for as long as the buddy system is in use
 *
 * Context: any.
 */
void myalloc_buddy_init(struct myalloc_buddy *buddy, u32 nr_frames,
			unsigned int top_order, enum myalloc_policy policy,
			void *meta)
{
	u64 *words = meta;
	unsigned int k;

	memset(buddy, 0, sizeof(*buddy));
	buddy->nr_frames = nr_frames;
	buddy->chunk_order = top_order;
	buddy->top_order = top_order;
	buddy->policy = policy;
	buddy->head = words;
	words += DIV_ROUND_UP((size_t)nr_frames, 64);
	for (k = 0; k <= top_order; k++) {
		myalloc_tree_init(&buddy->free[k], nr_frames >> k, words);
		words += myalloc_tree_words(nr_frames >> k);
	}
	insert_run(buddy, 0, nr_frames);
	buddy->nr_free = nr_frames;
}

/**
 * myalloc_buddy_join_size() - size of the metadata that joined chunks need in addition
 * @nr_frames: number of frames
 * @chunk_order: log2 of frames in a chunk
 * @top_order: order of the largest block, at most MYALLOC_TOP_ORDER
 *
 * Context: any.
 * Return: bytes.
 */
size_t myalloc_buddy_join_size(u32 nr_frames, unsigned int chunk_order,
			       unsigned int top_order)
{
	u32 nr_chunks = DIV_ROUND_UP((u64)nr_frames, BIT(chunk_order));

	return ALIGN(sizeof(struct myalloc_joined) + nr_chunks, sizeof(u64)) +
	       (top_order - chunk_order) * myalloc_tree_words(nr_frames >> chunk_order) *
	       sizeof(u64);
}

/**
 * myalloc_buddy_join() - allow blocks of several chunks
 * @buddy: the buddy system, with all frames free
 * @top_order: order of the largest block, above chunk_order and at most MYALLOC_TOP_ORDER
 * @joined: memory of myalloc_buddy_join_size() bytes, zeroed but for @joined->limit, aligned to 8
 *	bytes; it must stay valid for as long as the buddy system is in use. The limit of each chunk
 *	is chunk_order to @top_order, and that of a chunk within a larger block allows what lies
 *	within
 *
 * Context: any; the caller serialises. Takes time in proportion to the number of chunks.
 */
void myalloc_buddy_join(struct myalloc_buddy *buddy, unsigned int top_order,
			struct myalloc_joined *joined)
{
	u32 nr_chunks = buddy->nr_frames >> buddy->chunk_order, idx;
	unsigned int k = buddy->chunk_order + 1;
	u64 *words;

	words = (void *)joined + myalloc_buddy_join_size(buddy->nr_frames, buddy->chunk_order,
							 buddy->chunk_order);
	buddy->joined = joined;
	for (; k <= top_order; k++, words += myalloc_tree_words(nr_chunks))
		myalloc_tree_init(myalloc_buddy_tree(buddy, k), nr_chunks, words);
	for (idx = 0; idx < nr_chunks << buddy->chunk_order; idx += BIT(buddy->chunk_order)) {
		free_remove(buddy, idx, buddy->chunk_order);
		head_clear(buddy, idx);
	}
	buddy->top_order = top_order;
	insert_run(buddy, 0, nr_chunks << buddy->chunk_order);
}

/* As split(), down to chunk_order or @to, whichever is larger; changes @from to that. */
static noinline u32 split_large(struct myalloc_buddy *b, u32 idx, unsigned int *from,
				unsigned int to, bool topdown)
{
	while (*from > max_t(unsigned int, to, b->chunk_order)) {
		u32 upper = idx + BIT(--*from);

		head_set(b, upper);
		any_insert(b, topdown ? idx : upper, *from);
		if (topdown)
			idx = upper;
	}
	return idx;
}

/*
 * Splits the block at @idx from order @from down to @to and keeps the lower or, with @topdown,
 * the upper part. The block is no longer in free[]. Returns the part kept.
 */
static u32 split(struct myalloc_buddy *b, u32 idx, unsigned int from,
		 unsigned int to, bool topdown)
{
	b->nr_splits += from - to;
	if (unlikely(from > b->chunk_order))
		idx = split_large(b, idx, &from, to, topdown);
	while (from > to) {
		u32 upper = idx + BIT(--from);

		head_set(b, upper);
		if (topdown) {
			free_insert(b, idx, from);
			idx = upper;
		} else {
			free_insert(b, upper, from);
		}
	}
	return idx;
}

/* Returns the free block that the policy selects for a request of @order, or NO_FRAME. */
static u32 choose(const struct myalloc_buddy *b, unsigned int order, bool topdown,
		  unsigned int *found)
{
	u32 orders = b->nonempty >> order << order;
	u32 best = MYALLOC_NO_FRAME;

	if (!orders)
		return MYALLOC_NO_FRAME;
	if (topdown || b->policy == MYALLOC_BEST_FIT) {
		*found = __ffs(orders);
		return (topdown ? myalloc_tree_last(myalloc_buddy_tree(b, *found)) :
				  myalloc_tree_first(myalloc_buddy_tree(b, *found)))
		       << min_t(unsigned int, *found, b->chunk_order);
	}
	for (; orders; orders &= orders - 1) {
		unsigned int k = __ffs(orders);
		u32 idx = myalloc_tree_first(myalloc_buddy_tree(b, k))
			  << min_t(unsigned int, k, b->chunk_order);

		if (idx < best) {
			best = idx;
			*found = k;
		}
	}
	return best;
}

/**
 * myalloc_buddy_alloc() - allocate a block
 * @buddy: the buddy system
 * @order: log2 of frames, any value
 * @topdown: take the highest address of the smallest sufficient order, whatever the policy is
 *
 * Context: any; the caller serialises.
 * Return: index of the first frame; MYALLOC_NO_FRAME if there is no free block of the order or
 * above.
 */
u32 myalloc_buddy_alloc(struct myalloc_buddy *buddy, unsigned int order,
			bool topdown)
{
	unsigned int from;
	u32 idx;

	if (unlikely(order > buddy->top_order))
		return MYALLOC_NO_FRAME;
	idx = choose(buddy, order, topdown, &from);
	if (unlikely(idx == MYALLOC_NO_FRAME))
		return MYALLOC_NO_FRAME;
	if (likely(from <= buddy->chunk_order))
		free_remove(buddy, idx, from);
	else
		any_remove(buddy, idx, from);
	buddy->nr_free -= BIT(order);
	return split(buddy, idx, from, order, topdown);
}

/**
 * myalloc_buddy_alloc_exact() - allocate a number of frames that need not be a power of two
 * @buddy: the buddy system
 * @nr: number of frames, 1 to 2^chunk_order
 * @align_order: the first frame is a multiple of 2^@align_order; at most chunk_order
 * @topdown: as for myalloc_buddy_alloc()
 *
 * Takes the smallest block that holds the frames with that alignment, and frees the rest at once.
 * The frames form several blocks, cut as by myalloc_buddy_piece(). They may be freed together by
 * myalloc_buddy_free_exact(), or block by block.
 *
 * This is the fast way. It fails if no single block is large enough, although several adjacent
 * ones may be: myalloc_buddy_alloc_exact_in(), called for every chunk, finds those.
 *
 * Context: any; the caller serialises.
 * Return: index of the first frame; MYALLOC_NO_FRAME if there is no such block.
 */
u32 myalloc_buddy_alloc_exact(struct myalloc_buddy *buddy, u32 nr,
			      unsigned int align_order, bool topdown)
{
	unsigned int order;
	u32 idx, at;

	if (unlikely(!nr || nr > BIT(buddy->chunk_order) || align_order > buddy->chunk_order))
		return MYALLOC_NO_FRAME;
	order = max_t(unsigned int, fls(nr - 1), align_order);
	idx = myalloc_buddy_alloc(buddy, order, topdown);
	if (unlikely(idx == MYALLOC_NO_FRAME))
		return MYALLOC_NO_FRAME;

	buddy->nr_free += BIT(order) - nr;
	for (at = idx; nr != BIT(order); ) {
		u32 upper = at + BIT(--order);

		head_set(buddy, upper);
		buddy->nr_splits++;
		if (nr <= BIT(order)) {
			free_insert(buddy, upper, order);
		} else {
			at = upper;
			nr -= BIT(order);
		}
	}
	return idx;
}

/*
 * Returns the order of the free block that contains @idx, and in @first where it begins; -1 if the
 * frame is not free.
 */
static int free_order(const struct myalloc_buddy *b, u32 idx, u32 *first)
{
	unsigned int k;

	for (k = 0; k <= b->chunk_order; k++) {
		*first = idx >> k << k;
		if (myalloc_tree_test(&b->free[k], idx >> k))
			return k;
	}
	for (k = b->chunk_order; k < b->top_order; ) {
		*first = parent(b, *first, k++);
		if (*first == MYALLOC_NO_FRAME)
			break;
		if (myalloc_buddy_is_free(b, *first, k))
			return k;
	}
	return -1;
}

/**
 * myalloc_buddy_alloc_range() - allocate particular frames
 * @buddy: the buddy system
 * @idx: first frame
 * @nr: number of frames, at least 1
 *
 * The frames form blocks, cut as by myalloc_buddy_piece().
 *
 * Context: any; the caller serialises.
 * Return: 0; -EINVAL if the range is empty or not inside the zone; -EBUSY if one of the frames is
 * not free, then nothing was allocated.
 */
int myalloc_buddy_alloc_range(struct myalloc_buddy *buddy, u32 idx, u32 nr)
{
	u32 end, at, first;
	int k;

	if (!nr || idx >= buddy->nr_frames || nr > buddy->nr_frames - idx)
		return -EINVAL;
	end = idx + nr;
	for (at = idx; at < end; at = first + BIT(k)) {
		k = free_order(buddy, at, &first);
		if (k < 0)
			return -EBUSY;
	}
	/* Remove each free block in the range, and insert its parts outside the range again. */
	for (at = idx; at < end; ) {
		u32 next;

		k = free_order(buddy, at, &first);
		next = first + BIT(k);
		any_remove(buddy, first, k);
		head_clear(buddy, first);
		insert_run(buddy, first, at - first);
		if (next > end)
			insert_run(buddy, end, next - end);
		at = next;
	}
	for (at = idx; at < end; at += BIT(k)) {
		k = myalloc_buddy_piece(buddy, at, end - at);
		head_set(buddy, at);
	}
	buddy->nr_free -= nr;
	return 0;
}

/* --- ranges of free frames ---------------------------------------------------- */

/* State of a search: which frames are free, 64 at a time */
struct scan {
	const struct myalloc_buddy *b;
	u32 word;	/* number of the word in @free, U32_MAX for none */
	u64 free;
};

/* Returns a word in which bit i is set if frame @word * 64 + i is free. */
static u64 free_word(struct scan *s, u32 word)
{
	unsigned int k;

	if (s->word == word)
		return s->free;
	myalloc_env_point("buddy-word");
	s->word = word;
	s->free = 0;
	for (k = 0; k <= s->b->chunk_order; k++) {
		u32 bit = word * 64 >> k, width = min_t(u32, 64, BIT(k));
		u64 blocks;

		if (bit >= s->b->free[k].nr_bits)
			break;
		blocks = s->b->free[k].level[0][bit / 64] >> (bit % 64);
		for (blocks &= ~0ULL >> (64 - 64 / width); blocks; blocks &= blocks - 1)
			s->free |= ~0ULL >> (64 - width) << __ffs64(blocks) * width;
	}
	return s->free;
}

/*
 * Returns the lowest frame at or above @from that is free or, with @flip ~0, that is not free;
 * @end if there is none.
 */
static u32 scan_up(struct scan *s, u32 from, u32 end, u64 flip)
{
	while (from < end) {
		u64 bits = (free_word(s, from / 64) ^ flip) >> (from % 64);

		if (bits)
			return min_t(u32, from + __ffs64(bits), end);
		from = (from / 64 + 1) * 64;
	}
	return end;
}

/*
 * As scan_up(), but returns the frame after the highest such frame below @end; @from if there is
 * none.
 */
static u32 scan_down(struct scan *s, u32 from, u32 end, u64 flip)
{
	while (from < end) {
		u64 bits = (free_word(s, (end - 1) / 64) ^ flip) << (63 - (end - 1) % 64);

		if (bits)
			return max_t(u32, end - (64 - fls64(bits)), from);
		end = (end - 1) / 64 * 64;
	}
	return from;
}

/* Returns the lowest range of @nr free frames in [@at, @end), at a multiple of @align. */
static u32 lowest_range(const struct myalloc_buddy *b, u32 at, u32 end, u32 nr, u32 align)
{
	struct scan s = { .b = b, .word = U32_MAX };

	for (;;) {
		u32 busy;

		at = round_up(scan_up(&s, at, end, 0), align);
		if (at >= end || nr > end - at)
			return MYALLOC_NO_FRAME;
		busy = scan_up(&s, at, at + nr, ~0ULL);
		if (busy == at + nr)
			return at;
		at = busy + 1;
	}
}

/* Returns the highest such range; @first is a multiple of @align. */
static u32 highest_range(const struct myalloc_buddy *b, u32 first, u32 end, u32 nr, u32 align)
{
	struct scan s = { .b = b, .word = U32_MAX };

	for (;;) {
		u32 at, busy;

		end = scan_down(&s, first, end, 0);
		if (end - first < nr)
			return MYALLOC_NO_FRAME;
		at = round_down(end - nr, align);
		busy = scan_down(&s, at, at + nr, ~0ULL);
		if (busy == at)
			return at;
		end = busy - 1;
	}
}

/* A range of @nr free frames with that alignment contains a free block of at least this order. */
static unsigned int least_order(u32 nr, unsigned int align_order)
{
	return max_t(unsigned int, fls(nr + 1) - 2, min_t(unsigned int, fls(nr) - 1, align_order));
}

/**
 * myalloc_buddy_may_hold() - test whether an exact request can possibly succeed
 * @buddy: the buddy system
 * @nr: number of frames, any value
 * @align_order: any value
 *
 * Context: any; the caller serialises.
 * Return: false if there is certainly no room, so that no chunk need be searched.
 */
bool myalloc_buddy_may_hold(const struct myalloc_buddy *buddy, u32 nr,
			    unsigned int align_order)
{
	return nr && nr <= BIT(buddy->chunk_order) && align_order <= buddy->chunk_order &&
	       nr <= buddy->nr_free && buddy->nonempty >> least_order(nr, align_order);
}

/* Is a block of @order or above free in [@first, @end)? */
static bool has_block(const struct myalloc_buddy *b, u32 first, u32 end, unsigned int order)
{
	unsigned int k;

	for (k = order; k <= b->chunk_order; k++)
		if ((u64)myalloc_tree_next(&b->free[k], first >> k) << k < end)
			return true;
	return false;
}

/**
 * myalloc_buddy_alloc_exact_in() - allocate a number of frames anywhere in a chunk
 * @buddy: the buddy system
 * @chunk: number of the 2^chunk_order frames to search, counted from 0
 * @nr: as for myalloc_buddy_alloc_exact()
 * @align_order: as for myalloc_buddy_alloc_exact()
 * @topdown: take the highest such range instead of the lowest
 *
 * Finds every range of free frames of that length and alignment, even one that consists of parts of
 * several blocks. Examines the frames of the chunk 64 at a time, each 64 once, and takes a step
 * for each range of free frames. If a block above chunk_order has become free, takes the frames as
 * myalloc_buddy_alloc_exact() does. To be called only if myalloc_buddy_may_hold() returns true.
 *
 * Context: any; the caller serialises.
 * Return: index of the first frame; MYALLOC_NO_FRAME if the chunk has no such range.
 */
u32 myalloc_buddy_alloc_exact_in(struct myalloc_buddy *buddy, u32 chunk, u32 nr,
				 unsigned int align_order, bool topdown)
{
	u32 first = chunk << buddy->chunk_order, at;
	u32 end = min_t(u32, first + BIT(buddy->chunk_order), buddy->nr_frames);

	if (unlikely(buddy->nonempty >> buddy->chunk_order > 1))
		return myalloc_buddy_alloc_exact(buddy, nr, align_order, topdown);
	if (!has_block(buddy, first, end, least_order(nr, align_order)))
		return MYALLOC_NO_FRAME;
	at = topdown ? highest_range(buddy, first, end, nr, BIT(align_order)) :
		       lowest_range(buddy, first, end, nr, BIT(align_order));
	if (at != MYALLOC_NO_FRAME)
		myalloc_buddy_alloc_range(buddy, at, nr);
	return at;
}

/* --- frees -------------------------------------------------------------------- */

/* As is_allocated(), for an order above chunk_order. */
static noinline bool large_is_allocated(const struct myalloc_buddy *b, u32 idx,
					unsigned int order)
{
	return order <= b->top_order && idx < b->nr_frames && limit_at(b, idx) >= order &&
	       head_test(b, idx) && order_at(b, idx) == order &&
	       !myalloc_buddy_is_free(b, idx, order);
}

/*
 * Is a block of @order allocated at @idx? The order is right (B1) if a block begins at idx +
 * 2^order and none begins at idx + 2^k for any smaller k. The bits for k < 6 lie in one word.
 */
static bool is_allocated(const struct myalloc_buddy *b, u32 idx, unsigned int order)
{
	const u64 powers = BIT_ULL(1) | BIT_ULL(2) | BIT_ULL(4) | BIT_ULL(8) | BIT_ULL(16) |
			   BIT_ULL(32);
	const u64 *word = &b->head[idx / 64];
	u32 next, k;
	u64 heads;

	if (unlikely(order > b->chunk_order))
		return large_is_allocated(b, idx, order);
	if (unlikely(idx >= b->nr_frames || idx & (BIT(order) - 1)))
		return false;
	next = idx + BIT(order);
	if (unlikely(next > b->nr_frames))
		return false;
	heads = *word >> (idx % 64);
	if (order < 6)
		heads &= BIT_ULL(BIT(order)) - 1;
	if (unlikely((heads & (powers | 1)) != 1))
		return false;
	for (k = 6; k < order; k++)
		if (unlikely(word[BIT(k - 6)] & 1))
			return false;
	if (unlikely(order < b->top_order && next != b->nr_frames && !head_test(b, next)))
		return false;
	return !myalloc_tree_test(&b->free[order], idx >> order);
}

/* May a block of @order, any value, begin at @idx, as far as its alignment matters? */
static bool is_aligned(const struct myalloc_buddy *b, u32 idx, unsigned int order)
{
	if (b->joined && order > b->chunk_order)
		return limit_at(b, idx) >= min_t(unsigned int, order, b->top_order);
	return !(idx & (BIT(min_t(unsigned int, order, 31)) - 1));
}

/* Returns the reason why no block of @order is allocated at @idx. */
static noinline enum myalloc_bad why_not(const struct myalloc_buddy *b, u32 idx,
					 unsigned int order)
{
	u32 first;

	if (idx >= b->nr_frames)
		return MYALLOC_BAD_FOREIGN;
	if (!head_test(b, idx))
		return free_order(b, idx, &first) < 0 ? MYALLOC_BAD_INTERIOR : MYALLOC_BAD_FREE;
	if (myalloc_buddy_is_free(b, idx, order_at(b, idx)))
		return MYALLOC_BAD_FREE;
	return is_aligned(b, idx, order) ? MYALLOC_BAD_ORDER : MYALLOC_BAD_MISALIGNED;
}

/*
 * Merges the block of @order at @idx, which is in no tree, with its buddies as long as they are
 * free and their order is at least chunk_order. Returns the new order.
 */
static noinline unsigned int merge_large(struct myalloc_buddy *b, u32 *idx, unsigned int order)
{
	for (; order < b->top_order; order++) {
		u32 other = myalloc_buddy_other(b, *idx, order);

		if (!myalloc_buddy_is_free(b, other, order))
			break;
		any_remove(b, other, order);
		head_clear(b, max(*idx, other));
		*idx = min(*idx, other);
	}
	return order;
}

/* Frees a block for which is_allocated() is true. */
static void merge(struct myalloc_buddy *b, u32 idx, unsigned int order)
{
	unsigned int from = order;

	b->nr_free += BIT(order);
	while (order < b->chunk_order) {
		u32 other = idx ^ BIT(order);

		if (!myalloc_tree_test(&b->free[order], other >> order))
			break;
		free_remove(b, other, order);
		head_clear(b, idx | BIT(order));
		idx &= ~BIT(order);
		order++;
	}
	if (unlikely(order >= b->chunk_order && b->joined)) {
		order = merge_large(b, &idx, order);
		any_insert(b, idx, order);
	} else {
		free_insert(b, idx, order);
	}
	b->nr_merges += order - from;
}

/**
 * myalloc_buddy_free() - free a block
 * @buddy: the buddy system
 * @idx: its first frame, any value
 * @order: the order it was allocated with, any value
 *
 * Context: any; the caller serialises.
 * Return: MYALLOC_OK, or the reason for refusing the free; then nothing has changed.
 */
enum myalloc_bad myalloc_buddy_free(struct myalloc_buddy *buddy, u32 idx,
				    unsigned int order)
{
	if (unlikely(!is_allocated(buddy, idx, order)))
		return why_not(buddy, idx, order);
	merge(buddy, idx, order);
	return MYALLOC_OK;
}

/**
 * myalloc_buddy_free_exact() - free a range of frames
 * @buddy: the buddy system
 * @idx: its first frame, any value
 * @nr: the number of frames it was allocated with, any value
 *
 * Context: any; the caller serialises.
 * Return: MYALLOC_OK, or the reason for refusing the free; then nothing has changed.
 */
enum myalloc_bad myalloc_buddy_free_exact(struct myalloc_buddy *buddy, u32 idx,
					  u32 nr)
{
	unsigned int order;
	u32 at, end;

	if (idx >= buddy->nr_frames)
		return MYALLOC_BAD_FOREIGN;
	if (!nr || nr > buddy->nr_frames - idx)
		return MYALLOC_BAD_ORDER;
	end = idx + nr;
	for (at = idx; at < end; at += BIT(order)) {
		order = myalloc_buddy_piece(buddy, at, end - at);
		if (!is_allocated(buddy, at, order))
			return why_not(buddy, at, order);
	}
	for (at = idx; at < end; at += BIT(order)) {
		order = myalloc_buddy_piece(buddy, at, end - at);
		merge(buddy, at, order);
	}
	return MYALLOC_OK;
}

/**
 * myalloc_buddy_lookup() - find the block that contains a frame
 * @buddy: the buddy system
 * @idx: index of the frame, any value
 * @block: out: the block
 *
 * Searches back through at most 2^top_order / 64 + 1 words. Without the lock the result is
 * correct for a frame of a block that stays allocated.
 *
 * Context: any.
 * Return: false if the index is out of range, or if (seen without the lock, or in damaged
 * metadata) no block contains the frame.
 */
bool myalloc_buddy_lookup(const struct myalloc_buddy *buddy, u32 idx,
			  struct myalloc_block *block)
{
	u32 word = idx / 64, left = (BIT(buddy->top_order) + 63) / 64;
	u64 bits;

	if (idx >= buddy->nr_frames)
		return false;
	bits = READ_ONCE(buddy->head[word]) & (~0ULL >> (63 - idx % 64));
	while (!bits) {
		if (!word || !left--)
			return false;
		bits = READ_ONCE(buddy->head[--word]);
	}
	block->idx = word * 64 + fls64(bits) - 1;
	block->order = order_at(buddy, block->idx);
	block->free = myalloc_buddy_is_free(buddy, block->idx, block->order);
	return idx - block->idx < BIT(block->order);
}

/**
 * myalloc_buddy_unusable() - unusable free space index of an order
 * @buddy: the buddy system
 * @order: log2 of frames, at most top_order
 *
 * The share of free memory that lies in blocks too small for the order. The formula is that of
 * unusable_free_index() in mm/vmstat.c (Gorman 2005).
 *
 * Context: any; the caller serialises.
 * Return: the share in 1/1000; 1000 if nothing is free.
 */
int myalloc_buddy_unusable(const struct myalloc_buddy *buddy, unsigned int order)
{
	u64 suitable = 0;
	unsigned int k;

	if (!buddy->nr_free)
		return 1000;
	for (k = order; k <= buddy->top_order; k++)
		suitable += (u64)buddy->nr_blocks[k] << k;
	return div_u64((buddy->nr_free - suitable) * 1000, buddy->nr_free);
}

/**
 * myalloc_buddy_extfrag() - fragmentation index of an order
 * @buddy: the buddy system
 * @order: log2 of frames, at most top_order
 *
 * Tells why an allocation of the order would fail: a value near 0 means lack of memory, a value
 * near 1000 means fragmentation. The formula is that of __fragmentation_index() in mm/vmstat.c.
 *
 * Context: any; the caller serialises.
 * Return: the index in 1/1000; -1000 if the allocation would succeed; 0 if nothing is free.
 */
int myalloc_buddy_extfrag(const struct myalloc_buddy *buddy, unsigned int order)
{
	u64 blocks = 0;
	unsigned int k;

	if (buddy->nonempty >> order)
		return -1000;
	for (k = 0; k <= buddy->top_order; k++)
		blocks += buddy->nr_blocks[k];
	if (!blocks)
		return 0;
	return 1000 - (int)div_u64(1000 + div_u64((u64)buddy->nr_free * 1000,
						  BIT(order)), blocks);
}
