// SPDX-License-Identifier: GPL-2.0
/*
 * The zone
 *
 * What it is: a buddy system (buddy.c) with a lock, addresses, books and a descriptor
 * for every frame. It hands out single blocks; pcp.c puts magazines in front of it for
 * page users, slab.c cuts its blocks into objects.
 *
 * Terms
 *	chunk	2^chunk_order frames taken from the system as one block. Chunks lie
 *		anywhere, in ascending order of address.
 *	frame	a page of a chunk. Its index counts through all chunks, so the frames of
 *		two chunks that are not adjacent have adjacent indices; no block crosses
 *		from one to the other, because no order exceeds chunk_order.
 *
 * Structures
 *
 *	address space	[ chunk 0 ][ chunk 1 ]........................[ chunk 2 ]....
 *	buckets		|  bucket 0           |  bucket 1           |  bucket 2
 *	map.first	   0                     2                     2           3
 *	map.chunks	[    0    ][    1    ]                        [    2    ]
 *	frames		[ 0 ... 1023 ][ 1024 ... 2047 ][ 2048 ... 3071 ]
 *
 * The window: the longest run of adjacent chunks, usually all of them. Inside it an address
 * leads to its descriptor by one subtraction and one shift; fast paths know nothing else.
 *
 * The map: all other addresses. Its first level cuts the address space between the first and
 * the last chunk into buckets of equal size, a power of two of chunk sizes, as many as there
 * are chunks or fewer. The second level is the sorted list of chunks: first[b] and first[b + 1]
 * delimit the chunks of bucket b, and a binary search finds the last one that begins at or
 * below the address. An address is foreign if it lies in no bucket, or not in that chunk.
 * A chunk never crosses from one bucket to the next, because both are aligned to the first
 * chunk. The map never changes, so a look-up needs no lock and works in NMI.
 *
 * Its metadata depends on the reserve alone: 12 bytes for each chunk, wherever the chunks lie.
 * A look-up takes at most log2(nr_chunks) + 1 steps, if all chunks but one lie close together,
 * and one or two if they are spread evenly. An array with an entry for each chunk-sized piece of
 * address space would need one step always, but 16 MiB spread over 64 GiB in chunks of 32 KiB
 * would need another 16 MiB for it.
 *
 * A frame that begins a block carries a tag: what it is, of which order, of which cache.
 * One comparison of the tag tells a right free from a wrong one. A free of pages claims the
 * block by one compare-and-exchange of the tag, and owns the tag from then on (pcp.c).
 *
 * Invariants
 *	Z1  A frame has a type other than NONE if and only if an allocated block begins
 *	    there; the order in its tag is the block's order in the buddy (B1).
 *	Z2  free + cached + page + slab + deferred + quarantined + bad == nr_pages, where cached,
 *	    page, slab, deferred, quarantined and bad are the frames of blocks tagged CACHED; PAGE,
 *	    LENT, FREEING, EXTENT or PIECE; SLAB, NEW or LIMBO; DEFERRED; QUARANTINE (lend.c, with
 *	    Q1); and BAD (bad_page.c, with Z9).
 *	Z3  slab_pages = frames of blocks tagged SLAB or NEW.
 *	Z4  The magazines and depots hold exactly the blocks tagged CACHED.
 *	Z5  deferred.nr = frames of blocks tagged DEFERRING, DEFERRED or RECOVERING (D1).
 *	Z6  window, map and frames agree: the descriptor found for the address of a frame is
 *	    the frame's own, with the window and by the map alone; and an address directly
 *	    before or behind a run of adjacent chunks is foreign.
 *	Z7  Descriptors of frames that are in no slab and begin no block are all zero
 *	    in their tag.
 *	Z8  An extent of n pages is the blocks that myalloc_buddy_piece() cuts n frames into,
 *	    all in one chunk: the first is tagged EXTENT and records n, the others PIECE. No
 *	    other block is tagged PIECE. (While an extent is being freed its first block is
 *	    DEFERRING, and the others are given back from the last one on.)
 *
 * Deferred frees: in NMI context the lock is only tried. A free that does not get it defers
 * the block, whose first word is the node of the list (deferred.c). What lies behind a damaged
 * link is found again by the tags when the zone is drained.
 *
 * Bounds: take and give do a bounded number of steps: the buddy's, and at most
 * REAP_MOST deferred frees. The lock is a raw spinlock with interrupts off. A drain
 * frees what is deferred in parts, see deferred.c.
 */
#include "env.h"
#include "page/bad_page.h"
#include "page/lend.h"
#include "page/pages.h"
#include "zone/reclaim.h"
#include "object/slab.h"
#include "zone/zone.h"

/* Deferred frees that one operation takes along. */
#define REAP_MOST	2

static_assert(sizeof(struct myalloc_frame) == MYALLOC_FRAME_BYTES);

/* Lock held. Keeps the high-water mark; call after taking frames from the buddy. */
void __myalloc_zone_account(struct myalloc_zone *zone)
{
	zone->generation++;
	if (zone->buddy.nr_free < zone->min_free)
		zone->min_free = zone->buddy.nr_free;
}

/*
 * Lock held. Takes a block and tags its first frame. The caller does the books of
 * allocs and fails. NULL if there is none.
 */
struct myalloc_frame *__myalloc_zone_take(struct myalloc_zone *zone, unsigned int order,
					  bool topdown, u32 tag)
{
	struct myalloc_frame *frame;
	u32 idx;

	lockdep_assert_held(&zone->lock);
	idx = myalloc_buddy_alloc(&zone->buddy, order, topdown);
	if (unlikely(idx == MYALLOC_NO_FRAME))
		return NULL;
	frame = &zone->frames[idx];
	WRITE_ONCE(frame->tag, tag);
	__myalloc_zone_account(zone);
	return frame;
}

/*
 * Lock held. Gives the block back that begins at @frame, with the order in its tag. The
 * caller does the books. What can be wrong here is damaged metadata.
 */
enum myalloc_bad __myalloc_zone_give(struct myalloc_zone *zone, struct myalloc_frame *frame)
{
	unsigned int order = frame->order;
	enum myalloc_bad bad;

	lockdep_assert_held(&zone->lock);
	bad = myalloc_buddy_free(&zone->buddy, myalloc_frame_idx(zone, frame), order);
	if (unlikely(bad)) {
		myalloc_zone_crit(zone, "frame %u tagged as block of order %u: %s",
				  myalloc_frame_idx(zone, frame), order,
				  myalloc_bad_name(bad));
		return bad;
	}
	WRITE_ONCE(frame->tag, 0);
	zone->generation++;
	if (unlikely(zone->bad_seen))
		__myalloc_bad_take(zone, myalloc_frame_idx(zone, frame), order);
	return MYALLOC_OK;
}

/* --- deferred blocks; lock held: see deferred.h for the names ------------------- */

static u8 *deferred_find(void *owner, struct llist_node *node)
{
	struct myalloc_zone *zone = owner;
	struct myalloc_frame *frame = myalloc_map_frame(&zone->map, node);

	if (!frame || offset_in_page((unsigned long)node - zone->map.base))
		return NULL;
	return &frame->type;
}

/* Only the block of a slab has a cache in its tag. */
static u32 deferred_give(void *owner, struct llist_node *node, u8 *state)
{
	struct myalloc_frame *frame = container_of(state, struct myalloc_frame, type);
	struct myalloc_zone *zone = owner;
	unsigned int order = frame->order;
	bool page = !frame->cache;

	if (zone->checks & MYALLOC_POISON && !zone->simulated)	/* over the link */
		memset(node, MYALLOC_POISON_FREE, sizeof(*node));
	if (!__myalloc_zone_give(zone, frame) && page)
		zone->frees[order]++;
	return BIT(order);
}

static u32 deferred_states(void *owner, u32 place, u8 **state)
{
	struct myalloc_zone *zone = owner;

	*state = &zone->frames[place].type;
	return 1;
}

static struct llist_node *deferred_node(void *owner, u32 place, u32 nr)
{
	return myalloc_frame_addr(owner, place);
}

static void deferred_damaged(void *owner)
{
	myalloc_zone_crit(owner, "a freed block was written to: its link is damaged");
}

static const struct myalloc_deferred_ops deferred_ops = {
	.deferring = MYALLOC_FRAME_DEFERRING,
	.deferred = MYALLOC_FRAME_DEFERRED,
	.recovering = MYALLOC_FRAME_RECOVERING,
	.find = deferred_find,
	.give = deferred_give,
	.states = deferred_states,
	.node = deferred_node,
	.damaged = deferred_damaged,
};

/* Lock held. Frees at most @most deferred blocks. */
void __myalloc_zone_reap(struct myalloc_zone *zone, unsigned int most)
{
	myalloc_deferred_reap(&zone->deferred, &deferred_ops, zone, most);
}

/**
 * myalloc_zone_take() - take a block
 * @zone: the zone
 * @order: log2 of pages, any number
 * @flags: MYALLOC_TOPDOWN or 0
 * @tag: for its first frame: PAGE or LENT with the order, or NEW with order and cache
 *
 * Context: any; in NMI it fails if the lock is held.
 * Return: its first frame, NULL if there is none.
 */
struct myalloc_frame *myalloc_zone_take(struct myalloc_zone *zone, unsigned int order,
					myalloc_flags_t flags, u32 tag)
{
	const struct myalloc_frame of = { .tag = tag };
	struct myalloc_frame *frame;
	unsigned long irq;

	if (unlikely(order > zone->buddy.top_order))
		return NULL;
	if (!myalloc_lock(&zone->lock, &irq)) {
		atomic64_inc(&zone->nmi_fails);
		return NULL;
	}
	__myalloc_zone_reap(zone, REAP_MOST);
	frame = __myalloc_zone_take(zone, order, flags & MYALLOC_TOPDOWN, tag);
	if (!frame)
		zone->fails[order]++;
	else if (!of.cache)
		zone->allocs[order]++;
	else
		atomic64_add(BIT(order), &zone->slab_pages);
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return frame;
}

/* Leaves a block for whoever has the lock next. */
static void defer(struct myalloc_zone *zone, struct myalloc_frame *frame, unsigned int order,
		  bool page)
{
	void *node = myalloc_frame_addr(zone, myalloc_frame_idx(zone, frame));

	myalloc_defer_begin(&zone->deferred, &deferred_ops, &frame->type, BIT(order));
	atomic64_inc(&zone->deferred_frees);
	if (!page)			/* pairs with check_totals() of validate.c */
		atomic64_fetch_sub_release(BIT(order), &zone->slab_pages);
	myalloc_env_point("zone-deferring");
	myalloc_defer_end(&zone->deferred, &deferred_ops, &frame->type,
			  zone->simulated ? NULL : node);
}

/**
 * myalloc_zone_give() - give a block back
 * @zone: the zone
 * @frame: its first frame, which the caller owns: tagged FREEING (pcp.h), PIECE, SLAB or NEW, or
 *	DEFERRING without a cache
 *
 * Context: any; in NMI, if the lock is held, the block goes back later (Deferred frees).
 */
void myalloc_zone_give(struct myalloc_zone *zone, struct myalloc_frame *frame)
{
	unsigned int order = frame->order;
	bool page = !frame->cache;	/* as in reap_one() */
	unsigned long irq;

	if (unlikely(zone->checks) && !page && !in_nmi() && myalloc_lend_hold_slab(zone, frame))
		return;
	if (!myalloc_lock(&zone->lock, &irq)) {
		defer(zone, frame, order, page);
		return;
	}
	__myalloc_zone_reap(zone, REAP_MOST);
	if (!page)	/* with the tag, under the lock: Z3 */
		atomic64_sub(BIT(order), &zone->slab_pages);
	if (!__myalloc_zone_give(zone, frame) && page)
		zone->frees[order]++;
	raw_spin_unlock_irqrestore(&zone->lock, irq);
}

static int check_args(const struct myalloc_zone_args *args)
{
	unsigned long size = PAGE_SIZE << args->chunk_order;
	u32 i;

	if (args->chunk_order > MYALLOC_TOP_ORDER) {
		pr_err("%s: chunk order %u is above %u\n", args->name, args->chunk_order,
		       MYALLOC_TOP_ORDER);
		return -EINVAL;
	}
	if (!args->nr_chunks || !args->nr_pages ||
	    args->nr_chunks > (U32_MAX - 1024) >> args->chunk_order ||
	    args->nr_pages > args->nr_chunks << args->chunk_order ||
	    args->nr_pages <= (args->nr_chunks - 1) << args->chunk_order) {
		pr_err("%s: %u pages do not fill %u chunks of %lu pages\n", args->name,
		       args->nr_pages, args->nr_chunks, BIT(args->chunk_order));
		return -EINVAL;
	}
	for (i = 1; i < args->nr_chunks; i++) {
		unsigned long off = (unsigned long)args->chunks[i] -
				    (unsigned long)args->chunks[0];

		if (args->chunks[i] <= args->chunks[i - 1] || off % size) {
			pr_err("%s: chunk %u is not above chunk %u by a multiple of its size\n",
			       args->name, i, i - 1);
			return -EINVAL;
		}
	}
	if (args->checks & ~MYALLOC_CHECKS || args->policy >= MYALLOC_NR_POLICIES) {
		pr_err("%s: unknown checks or policy\n", args->name);
		return -EINVAL;
	}
	return 0;
}

static void init_window(struct myalloc_zone *zone)
{
	unsigned long chunk_bytes = PAGE_SIZE << zone->chunk_order;
	u32 first = 0, next;

	for (next = 1; next <= zone->nr_chunks; next++) {
		unsigned long bytes = (next - first) * chunk_bytes;

		if (next < zone->nr_chunks && zone->chunks[next] == zone->chunks[first] + bytes)
			continue;
		if (bytes > zone->window.bytes) {
			zone->window.base = zone->chunks[first];
			zone->window.bytes = bytes;
			zone->window.frames = zone->frames +
					      ((size_t)first << zone->chunk_order);
		}
		first = next;
	}
}

/* The window and the chunks are known. */
static int init_map(struct myalloc_zone *zone)
{
	struct myalloc_map *map = &zone->map;
	unsigned long span;
	size_t size;
	u32 i;

	map->window = zone->window;
	map->base = zone->chunks[0];
	map->chunks = zone->chunks;
	map->frames = zone->frames;
	map->shift = zone->chunk_order + PAGE_SHIFT;
	map->bucket_shift = map->shift;
	span = zone->chunks[zone->nr_chunks - 1] - map->base;
	while (span >> map->bucket_shift >= zone->nr_chunks)
		map->bucket_shift++;
	map->nr_buckets = (span >> map->bucket_shift) + 1;
	size = ((size_t)map->nr_buckets + 1) * sizeof(*map->first);
	map->first = myalloc_env_zalloc(size, zone->node);
	if (!map->first)
		return -ENOMEM;
	zone->meta_bytes += size;
	/* Count the chunks of each bucket, then add up. */
	for (i = 0; i < zone->nr_chunks; i++)
		map->first[((zone->chunks[i] - map->base) >> map->bucket_shift) + 1]++;
	for (i = 1; i <= map->nr_buckets; i++)
		map->first[i] += map->first[i - 1];
	return 0;
}

/**
 * myalloc_map_search() - look an address up in the map
 * @map: the zone's map, or a copy
 * @addr: any number
 *
 * For addresses outside the window: see myalloc_map_frame().
 *
 * Context: any. At most log2(chunks) + 1 steps.
 * Return: NULL if the address is not in a chunk.
 */
noinline struct myalloc_frame *myalloc_map_search(const struct myalloc_map *map,
						  const void *addr)
{
	unsigned long off, bucket = ((unsigned long)addr - map->base) >> map->bucket_shift;
	u32 low, high;

	if (bucket >= map->nr_buckets)
		return NULL;
	low = map->first[bucket];
	high = map->first[bucket + 1];
	if (low == high)
		return NULL;
	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		myalloc_env_step("map-step");
		if (map->chunks[middle] <= (unsigned long)addr)
			low = middle;
		else
			high = middle;
	}
	/* Also if the address is below the first chunk of the bucket: then it wraps around. */
	off = (unsigned long)addr - map->chunks[low];
	if (off >> map->shift)
		return NULL;
	return map->frames + ((size_t)low << (map->shift - PAGE_SHIFT)) + (off >> PAGE_SHIFT);
}

static void free_zone(struct myalloc_zone *zone)
{
	myalloc_reclaim_stop(zone);
	myalloc_pcp_fini(zone);
	myalloc_env_free_percpu(zone->seen_cpu);
	myalloc_env_free(zone->map.first);
	myalloc_env_free(zone->buddy_meta);
	myalloc_env_free(zone->frames);
	myalloc_env_free(zone->chunks);
	myalloc_reports_fini(&zone->reports);
	myalloc_env_free(zone);
}

/**
 * myalloc_zone_create() - make a zone out of chunks
 * @args: what it is to be; the chunks stay the caller's, who frees them after
 *	myalloc_zone_destroy()
 *
 * Context: task, may sleep.
 * Return: the zone, ERR_PTR(-EINVAL) if the arguments contradict each other (a
 * sentence was printed), ERR_PTR(-ENOMEM).
 */
struct myalloc_zone *myalloc_zone_create(const struct myalloc_zone_args *args)
{
	size_t nr_frames, size;
	struct myalloc_zone *zone;
	u32 i;
	int err;

	err = check_args(args);
	if (err)
		return ERR_PTR(err);
	zone = myalloc_env_zalloc(sizeof(*zone), args->node);
	if (!zone)
		return ERR_PTR(-ENOMEM);
	if (args->checks & MYALLOC_OWNER)
		myalloc_env_stack_init();	/* without it every stack is 0 */
	zone->name = args->name;
	zone->node = args->node;
	zone->checks = args->checks;
	zone->simulated = args->simulated;
	zone->no_worker = args->no_worker;
	zone->ops = args->ops;
	zone->nr_chunks = args->nr_chunks;
	zone->chunk_order = args->chunk_order;
	zone->min_free = args->nr_pages;
	raw_spin_lock_init(&zone->lock);
	myalloc_reports_init(&zone->reports, args->name);
	mutex_init(&zone->walk_mutex);
	mutex_init(&zone->caches_mutex);
	INIT_LIST_HEAD(&zone->caches);
	myalloc_deferred_init(&zone->deferred, args->nr_pages);
	myalloc_reclaim_init(zone);

	err = -ENOMEM;
	zone->seen_cpu = myalloc_env_alloc_percpu(sizeof(u64), sizeof(u64));
	if (!zone->seen_cpu)
		goto err_free;
	zone->chunks = myalloc_env_zalloc(args->nr_chunks * sizeof(*zone->chunks), args->node);
	if (!zone->chunks)
		goto err_free;
	for (i = 0; i < args->nr_chunks; i++)
		zone->chunks[i] = (unsigned long)args->chunks[i];

	/* Whole chunks: the map does not know where a partial one ends, the tags do. */
	nr_frames = (size_t)args->nr_chunks << args->chunk_order;
	zone->frames = myalloc_env_zalloc(nr_frames * sizeof(*zone->frames), args->node);
	if (!zone->frames)
		goto err_free;

	size = myalloc_buddy_meta_size(args->nr_pages, args->chunk_order);
	zone->buddy_meta = myalloc_env_zalloc(size, args->node);
	if (!zone->buddy_meta)
		goto err_free;
	myalloc_buddy_init(&zone->buddy, args->nr_pages, args->chunk_order, args->policy,
			   zone->buddy_meta);
	zone->meta_bytes = sizeof(*zone) + size + nr_frames * sizeof(*zone->frames) +
			   args->nr_chunks * sizeof(*zone->chunks);

	init_window(zone);
	err = init_map(zone);
	if (err)
		goto err_free;
	err = myalloc_pcp_init(zone, args->no_magazines);
	if (err)
		goto err_free;
	if (zone->checks & MYALLOC_POISON && !zone->simulated)
		for (i = 0; i < args->nr_pages; i++)
			memset(myalloc_frame_addr(zone, i), MYALLOC_POISON_FREE, PAGE_SIZE);
	return zone;

err_free:
	free_zone(zone);
	return ERR_PTR(err);
}

/**
 * myalloc_zone_reap_all() - all deferred frees back to the buddy
 * @zone: the zone
 *
 * Context: task, may sleep.
 */
void myalloc_zone_reap_all(struct myalloc_zone *zone)
{
	myalloc_deferred_drain(&zone->deferred, &deferred_ops, zone, &zone->lock);
}

/* The first block that a user has, or one in quarantine; NULL if there is none. */
static const struct myalloc_frame *find_held(const struct myalloc_zone *zone, bool quarantine)
{
	u32 idx;

	for (idx = 0; idx < zone->buddy.nr_frames; idx++) {
		u8 type = zone->frames[idx].type;

		if (quarantine ? type == MYALLOC_FRAME_QUARANTINE : myalloc_frame_is_users(type))
			return &zone->frames[idx];
	}
	return NULL;
}

/* Says who is in the way of the end. */
static int report_held(struct myalloc_zone *zone, u32 out)
{
	const struct myalloc_frame *held = find_held(zone, false);
	const struct myalloc_frame *frame = held ?: find_held(zone, true);
	struct myalloc_report *report;
	unsigned long irq;

	if (!frame) {
		myalloc_zone_err(zone, "cannot end: %u pages out, held by nobody known", out);
		return -EBUSY;
	}
	report = myalloc_report_begin(&zone->reports, &irq);
	if (!report)
		return -EBUSY;
	myalloc_report_add(report, "cannot end: %u pages %s, first: frame %u, %u pages, %s by ",
			   out, held ? "out" : "still lent to the kernel",
			   myalloc_frame_idx(zone, frame), myalloc_frame_pages(frame),
			   held ? "held" : "allocated");
	myalloc_report_symbol(report, frame->caller);
	myalloc_report_end(&zone->reports, report, irq);
	return -EBUSY;
}

/**
 * myalloc_zone_destroy() - end a zone
 * @zone: the zone
 *
 * Context: task, may sleep.
 * Return: 0; -EBUSY if it has caches, pages are out, or blocks are in quarantine, which is
 * reported with who holds them, and nothing has changed.
 */
int myalloc_zone_destroy(struct myalloc_zone *zone)
{
	u32 out;

	myalloc_zone_drain(zone);
	if (!list_empty(&zone->caches)) {
		myalloc_zone_err(zone, "cannot end: cache %s still exists",
				 list_first_entry(&zone->caches, struct myalloc_cache,
						  link)->name);
		return -EBUSY;
	}
	out = zone->buddy.nr_frames - zone->buddy.nr_free - atomic64_read(&zone->nr_bad);
	if (out)
		return report_held(zone, out);
	free_zone(zone);
	return 0;
}

/**
 * myalloc_zone_abandon() - leave a zone that cannot end as it is
 * @zone: the zone, for which myalloc_zone_destroy() returned -EBUSY
 *
 * Nothing of it runs by itself from here on, neither its worker nor a print, so that the code may
 * go away. Its memory and the books of it stay.
 *
 * Context: task, may sleep.
 */
void myalloc_zone_abandon(struct myalloc_zone *zone)
{
	myalloc_reclaim_stop(zone);
	myalloc_reports_fini(&zone->reports);
}

/**
 * myalloc_zone_books() - the zone's books
 * @zone: the zone
 * @books: out; exact while nothing is in flight
 *
 * Context: task.
 */
void myalloc_zone_books(struct myalloc_zone *zone, struct myalloc_zone_books *books)
{
	const struct myalloc_buddy *buddy = &zone->buddy;
	unsigned long irq;
	unsigned int k, i;
	u64 out;

	memset(books, 0, sizeof(*books));
	books->nr_pages = buddy->nr_frames;

	raw_spin_lock_irqsave(&zone->lock, irq);
	books->free_pages = buddy->nr_free;
	books->slab_pages = atomic64_read(&zone->slab_pages);
	books->peak_pages = buddy->nr_frames - zone->min_free;
	books->splits = buddy->nr_splits;
	books->merges = buddy->nr_merges;
	books->largest_order = myalloc_buddy_largest(buddy);
	for (k = 0; k <= buddy->top_order; k++) {
		books->free_blocks[k] = buddy->nr_blocks[k];
		books->unusable[k] = myalloc_buddy_unusable(buddy, k);
		books->extfrag[k] = myalloc_buddy_extfrag(buddy, k);
		books->page_allocs[k] = zone->allocs[k];
		books->page_frees[k] = zone->frees[k];
		books->page_fails[k] = zone->fails[k];
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);

	for (i = 0; i < MYALLOC_PCP_LISTS; i++) {
		const struct myalloc_magazines *mags = &zone->pcp[i];

		k = myalloc_pcp_order(i);
		books->cached_blocks[k] = myalloc_magazines_count(mags);
		books->cached_pages += books->cached_blocks[k] << k;
		books->page_hits[k] = myalloc_magazines_gets(mags);
		books->page_allocs[k] += books->page_hits[k];
		books->page_frees[k] += myalloc_magazines_puts(mags);
	}
	books->deferred_pages = atomic64_read(&zone->deferred.nr);
	books->quarantined_pages = atomic64_read(&zone->nr_quarantined);
	books->bad_pages = atomic64_read(&zone->nr_bad);
	out = books->free_pages + books->slab_pages + books->cached_pages +
	      books->deferred_pages + books->quarantined_pages + books->bad_pages;
	books->page_pages = books->nr_pages > out ? books->nr_pages - out : 0;
	books->nmi_fails = atomic64_read(&zone->nmi_fails);
	for (i = 0; i < MYALLOC_NR_BAD; i++) {
		books->bad[i] = atomic64_read(&zone->bad[i]);
		books->bad_frees += books->bad[i];
	}
	books->corruptions = atomic64_read(&zone->corruptions);
	books->deferred_frees = atomic64_read(&zone->deferred_frees);
	books->quarantines = atomic64_read(&zone->quarantines);
	books->drains = atomic64_read(&zone->drains);
	books->reports_suppressed = atomic64_read(&zone->reports.suppressed);
	mutex_lock(&zone->caches_mutex);
	books->nr_caches = zone->nr_caches;
	mutex_unlock(&zone->caches_mutex);
}

/**
 * myalloc_zone_walk_blocks() - look at every block in use
 * @zone: the zone
 * @fn: called with a copy of the descriptor of the first frame, no lock held; once for an
 *	extent
 * @arg: its argument
 *
 * Blocks taken or given meanwhile may or may not be seen.
 *
 * Context: task, may sleep.
 */
void myalloc_zone_walk_blocks(struct myalloc_zone *zone, myalloc_frame_fn fn, void *arg)
{
	u32 idx;

	for (idx = 0; idx < zone->buddy.nr_frames; idx++) {
		struct myalloc_frame frame;

		if (!(idx % 1024))
			cond_resched();
		/* Or states of a slab. Before and behind the others, so that they belong to it. */
		frame.tag = smp_load_acquire(&zone->frames[idx].tag);
		if (frame.type < MYALLOC_FRAME_PAGE || frame.type == MYALLOC_FRAME_PIECE ||
		    frame.order > zone->buddy.top_order)
			continue;
		frame.stack = smp_load_acquire(&zone->frames[idx].stack);
		frame.caller = smp_load_acquire(&zone->frames[idx].caller);
		myalloc_env_point("zone-walk");
		if (READ_ONCE(zone->frames[idx].tag) != frame.tag)
			continue;
		if (!fn(zone, idx, &frame, arg))
			return;
	}
}
