// SPDX-License-Identifier: GPL-2.0
/*
 * The zone
 *
 * What it is: the blocks (page/block.c) of some chunks, together with everything that the rooms
 * below keep for them: page magazines, caches, limbo and a worker. This file creates the zone,
 * reports its statistics and contents, and destroys it.
 *
 * Terms
 *	chunk	2^chunk_order frames taken from the system as one block. Chunks may lie anywhere,
 *		in ascending order of address.
 *	frame	a page of a chunk. Its index counts through all chunks, so the frames of two
 *		chunks that are not adjacent have adjacent indices.
 *
 * Joined chunks: where chunks are adjacent in memory, blocks may extend over several of them, up
 * to max_order, aligned to their size in memory. They are plain blocks of the buddy (buddy.c). What
 * is bound to one chunk stays so: extents, slabs, and the search for a range of free frames.
 * Without adjacent chunks nothing is allocated for this and top_order is chunk_order.
 *
 * Elastic zones take more chunks from the system when they are short and give them back
 * (elastic.c). Their buddy and descriptors have the size of the largest zone from the beginning.
 *
 * Invariants: Z of block.c, A of frame.c, E of extent.c, P of bad_page.c and V of elastic.c.
 */
#include "env.h"
#include "object/cache_types.h"
#include "object/upkeep.h"
#include "page/drain.h"
#include "page/pages.h"
#include "page/shadow.h"
#include "page/zone_report.h"
#include "zone/elastic.h"
#include "zone/front.h"
#include "zone/zone.h"

static int check_args(const struct myalloc_zone_args *args)
{
	unsigned long size = PAGE_SIZE << args->chunk_order;
	u32 i;

	if (args->chunk_order > MYALLOC_CHUNK_MAX || args->max_order > MYALLOC_TOP_ORDER) {
		pr_err("%s: chunk order %u is above %u, or largest order %u above %u\n", args->name,
		       args->chunk_order, MYALLOC_CHUNK_MAX, args->max_order, MYALLOC_TOP_ORDER);
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
	if (args->max_chunks && (args->max_chunks <= args->nr_chunks || !args->chunk_ops ||
				 args->nr_pages != args->nr_chunks << args->chunk_order ||
				 args->max_chunks > (U32_MAX - 1024) >> args->chunk_order ||
				 args->span.begin >= args->span.end)) {
		pr_err("%s: cannot grow from %u pages in %u chunks to %u chunks\n", args->name,
		       args->nr_pages, args->nr_chunks, args->max_chunks);
		return -EINVAL;
	}
	if (args->checks & ~MYALLOC_CHECKS || args->policy >= MYALLOC_NR_POLICIES) {
		pr_err("%s: unknown checks or policy\n", args->name);
		return -EINVAL;
	}
	return 0;
}

/**
 * myalloc_chunks_limit() - order of the largest block that may begin at a chunk
 * @chunks: address of each chunk, ascending
 * @nr_chunks: number of chunks that are whole
 * @chunk: number of the chunk; one at the end that is not whole is allowed
 * @chunk_order: log2 of pages in a chunk
 * @max_order: largest order of a block
 *
 * The block must be aligned to its size in memory and consist of adjacent whole chunks.
 *
 * Context: any.
 * Return: the order, at least @chunk_order.
 */
unsigned int myalloc_chunks_limit(const unsigned long *chunks, u32 nr_chunks, u32 chunk,
				  unsigned int chunk_order, unsigned int max_order)
{
	unsigned long size = PAGE_SIZE << chunk_order;
	unsigned int order = chunk_order;

	/* Twice as large as before if the address allows it and the second half is adjacent. */
	for (; order < max_order; order++, size *= 2) {
		u32 last = chunk + BIT(order + 1 - chunk_order) - 1;

		if (chunks[chunk] & size || last >= nr_chunks ||
		    chunks[last] - chunks[chunk] != 2 * size - (PAGE_SIZE << chunk_order))
			break;
	}
	return order;
}

/* Allow blocks of several chunks where chunks are adjacent. Returns 0, -ENOMEM. */
static int join_chunks(struct myalloc_zone *zone, u32 nr_pages, unsigned int max_order)
{
	u32 whole = min(nr_pages >> zone->chunk_order, zone->nr_fixed), i;
	unsigned int top = zone->chunk_order;
	struct myalloc_joined *joined;
	size_t size;

	for (i = 0; i < whole; i++)
		top = max(top, myalloc_chunks_limit(zone->chunks, whole, i, zone->chunk_order,
						    max_order));
	if (top == zone->chunk_order)
		return 0;
	size = myalloc_buddy_join_size(nr_pages, zone->chunk_order, top);
	joined = myalloc_env_zalloc(size, zone->node);
	if (!joined)
		return -ENOMEM;
	zone->meta_bytes += size;
	for (i = 0; i < zone->nr_chunks; i++)
		joined->limit[i] = myalloc_chunks_limit(zone->chunks, whole, i, zone->chunk_order,
							top);
	myalloc_buddy_join(&zone->buddy, top, joined);
	return 0;
}

/* Pages of the zone when it is as large as it may become. */
static u32 most_pages(const struct myalloc_zone_args *args)
{
	return args->max_chunks ? args->max_chunks << args->chunk_order : args->nr_pages;
}

/* Bytes of the map of a zone with all its chunks. */
static u64 map_size(const struct myalloc_zone_args *args, u64 nr_chunks)
{
	unsigned int shift = args->chunk_order + PAGE_SHIFT + MYALLOC_LEAF_SHIFT;
	u64 buckets, leaves;

	if (!args->max_chunks)
		return (nr_chunks + 1) * sizeof(u32);
	buckets = ((args->span.end - args->span.begin) >> shift) + 1;
	leaves = min(buckets, nr_chunks);
	return buckets * sizeof(u32 *) + (leaves * sizeof(u32) << MYALLOC_LEAF_SHIFT);
}

/**
 * myalloc_zone_meta_size() - memory needed for the metadata of the pages of a zone
 * @args: its arguments; the chunks need not exist yet
 *
 * With the map of as many chunks as the zone may have at a time, and without magazines, which are
 * bounded by a share of the zone.
 *
 * Context: any.
 * Return: the largest number of bytes that it can be.
 */
u64 myalloc_zone_meta_size(const struct myalloc_zone_args *args)
{
	u32 nr_pages = most_pages(args);
	u64 nr_chunks = args->max_chunks ?: args->nr_chunks;
	u64 size = sizeof(struct myalloc_zone) + nr_chunks * sizeof(unsigned long) +
		   (nr_chunks << args->chunk_order) * sizeof(struct myalloc_frame) +
		   myalloc_buddy_meta_size(nr_pages, args->chunk_order) +
		   map_size(args, nr_chunks);

	if (args->max_order > args->chunk_order)
		size += myalloc_buddy_join_size(nr_pages, args->chunk_order, args->max_order);
	if (args->max_chunks)
		size += sizeof(struct myalloc_elastic) +
			myalloc_tree_words(nr_chunks) * sizeof(u64);
	return size;
}

static void init_fields(struct myalloc_zone *zone, const struct myalloc_zone_args *args)
{
	zone->name = args->name;
	zone->node = args->node;
	zone->checks = args->checks;
	zone->simulated = args->simulated;
	zone->no_worker = args->no_worker;
	zone->ops = args->ops;
	zone->nr_chunks = args->max_chunks ?: args->nr_chunks;
	zone->nr_fixed = args->nr_chunks;
	zone->chunk_order = args->chunk_order;
	zone->min_free = most_pages(args);
	raw_spin_lock_init(&zone->lock);
	myalloc_reports_init(&zone->reports, args->name);
	mutex_init(&zone->fronts_mutex);
	INIT_LIST_HEAD(&zone->fronts);
	mutex_init(&zone->walk_mutex);
	mutex_init(&zone->caches_mutex);
	myalloc_env_mutex_in_reclaim(&zone->caches_mutex);
	myalloc_deferred_init(&zone->deferred, zone->min_free);
}

static int init_drain(struct myalloc_zone *zone, const struct myalloc_zone_args *args)
{
	return myalloc_drain_init(zone);
}

/* Memory for metadata, whose size a user may choose. */
static void *zalloc(const struct myalloc_zone_args *args, size_t size)
{
	return args->charged ? myalloc_env_zalloc_charged(size, args->node) :
			       myalloc_env_zalloc(size, args->node);
}

/* Chunks, frames, buddy and map. */
static int make_metadata(struct myalloc_zone *zone, const struct myalloc_zone_args *args)
{
	u32 nr_chunks = zone->nr_chunks, nr_pages = most_pages(args), i;
	size_t nr_frames, size;
	long bytes;

	zone->chunks = zalloc(args, nr_chunks * sizeof(*zone->chunks));
	if (!zone->chunks)
		return -ENOMEM;
	for (i = 0; i < args->nr_chunks; i++)
		zone->chunks[i] = (unsigned long)args->chunks[i];

	/* Whole chunks: the map does not know where the last chunk ends, but the tags do. */
	nr_frames = (size_t)nr_chunks << args->chunk_order;
	zone->frames = zalloc(args, nr_frames * sizeof(*zone->frames));
	if (!zone->frames)
		return -ENOMEM;

	size = myalloc_buddy_meta_size(nr_pages, args->chunk_order);
	zone->buddy_meta = zalloc(args, size);
	if (!zone->buddy_meta)
		return -ENOMEM;
	myalloc_buddy_init(&zone->buddy, nr_pages, args->chunk_order, args->policy,
			   zone->buddy_meta);
	zone->meta_bytes = sizeof(*zone) + size + nr_frames * sizeof(*zone->frames) +
			   nr_chunks * sizeof(*zone->chunks);
	if (join_chunks(zone, nr_pages, args->max_order))
		return -ENOMEM;

	if (args->max_chunks)
		bytes = myalloc_map_init_leaves(&zone->map, &args->span, zone->chunks,
						args->nr_chunks, zone->chunk_order, zone->frames,
						zone->node);
	else
		bytes = myalloc_map_init(&zone->map, zone->chunks, zone->nr_chunks,
					 zone->chunk_order, zone->frames, zone->node);
	if (bytes < 0)
		return bytes;
	zone->meta_bytes += bytes;
	zone->linear = zone->map.linear;
	return 0;
}

static void free_metadata(struct myalloc_zone *zone)
{
	myalloc_map_fini(&zone->map);
	myalloc_env_free(zone->buddy.joined);
	myalloc_env_free(zone->buddy_meta);
	myalloc_env_free(zone->frames);
	myalloc_env_free(zone->chunks);
}

static int init_elastic(struct myalloc_zone *zone, const struct myalloc_zone_args *args)
{
	return args->max_chunks ? myalloc_elastic_init(zone, args) : 0;
}

static void free_elastic(struct myalloc_zone *zone)
{
	myalloc_env_free(zone->elastic);
}

static int init_pages(struct myalloc_zone *zone, const struct myalloc_zone_args *args)
{
	return myalloc_pcp_init(zone, args->no_magazines);
}

static int init_objects(struct myalloc_zone *zone, const struct myalloc_zone_args *args)
{
	myalloc_upkeep_init(zone);
	return 0;
}

/* Everything is free from here on. */
static int begin_content(struct myalloc_zone *zone, const struct myalloc_zone_args *args)
{
	u32 i;

	if (zone->checks & MYALLOC_POISON && !zone->simulated)
		for (i = 0; i < args->nr_pages; i++)	/* the others are holes */
			memset(myalloc_frame_addr(zone, i), MYALLOC_POISON_FREE, PAGE_SIZE);
	myalloc_shadow_zone_begin(zone);
	return 0;
}

/**
 * struct layer - a part of a zone
 * @init: begins it. Returns 0 or an error
 * @fini: frees its memory, also after an error of its own @init, or if an earlier one has failed;
 *	NULL if it has none
 *
 * A layer may use those above it in the table. A new one needs a line there.
 */
struct layer {
	int (*init)(struct myalloc_zone *zone, const struct myalloc_zone_args *args);
	void (*fini)(struct myalloc_zone *zone);
};

static const struct layer layers[] = {
	{ init_drain, myalloc_drain_fini },
	{ make_metadata, free_metadata },
	{ init_elastic, free_elastic },
	{ init_pages, myalloc_pcp_fini },
	{ init_objects },
	{ begin_content },
};

static void free_zone(struct myalloc_zone *zone)
{
	unsigned int i = ARRAY_SIZE(layers);

	myalloc_drain_stop(zone);
	myalloc_drainers_fini(zone);
	while (i--)
		if (layers[i].fini)
			layers[i].fini(zone);
	if (zone->children) {
		mutex_destroy(&zone->children->mutex);
		mutex_destroy(&zone->children->visit);
	}
	myalloc_env_free(zone->children);
	myalloc_env_free(zone->clients);
	myalloc_reports_fini(&zone->reports);
	myalloc_env_free(zone);
}

/**
 * myalloc_zone_create() - create a zone from chunks
 * @args: name, chunks, policy and checks of the zone. The chunks remain the caller's, who frees
 *	them after myalloc_zone_destroy()
 *
 * Context: task, may sleep.
 * Return: the zone; ERR_PTR(-EINVAL) if the arguments are invalid, which also prints a message;
 * ERR_PTR(-ENOMEM).
 */
struct myalloc_zone *myalloc_zone_create(const struct myalloc_zone_args *args)
{
	struct myalloc_zone *zone;
	unsigned int i;
	int err;

	err = check_args(args);
	if (err)
		return ERR_PTR(err);
	zone = zalloc(args, sizeof(*zone));
	if (!zone)
		return ERR_PTR(-ENOMEM);
	if (args->checks & MYALLOC_OWNER)
		myalloc_env_stack_init();	/* if this fails, every stack handle is 0 */
	init_fields(zone, args);
	for (i = 0; i < ARRAY_SIZE(layers); i++) {
		err = layers[i].init(zone, args);
		if (err) {
			free_zone(zone);
			return ERR_PTR(err);
		}
	}
	return zone;
}

/* Find the first block in use, or the first one in quarantine; NULL if there is none. */
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

/**
 * myalloc_zone_report_held() - report why a zone cannot be destroyed
 * @zone: the zone
 * @out: pages in use
 *
 * Context: task.
 * Return: -EBUSY.
 */
int myalloc_zone_report_held(struct myalloc_zone *zone, u32 out)
{
	const struct myalloc_frame *held = find_held(zone, false);
	const struct myalloc_frame *frame = held ?: find_held(zone, true);
	struct myalloc_report *report;
	unsigned long irq;

	if (!frame) {
		myalloc_zone_err(zone, "cannot be destroyed: %u page%s in use, owner unknown", out,
				 myalloc_s(out));
		return -EBUSY;
	}
	report = myalloc_report_begin(&zone->reports, &irq);
	if (!report)
		return -EBUSY;
	myalloc_report_add(report,
			   "cannot be destroyed: %u page%s %s, first: frame %u, %u page%s, %s by ",
			   out, myalloc_s(out), held ? "in use" : "still lent to the kernel",
			   myalloc_frame_idx(zone, frame), myalloc_frame_pages(frame),
			   myalloc_s(myalloc_frame_pages(frame)), held ? "held" : "allocated");
	myalloc_report_symbol(report, frame->caller);
	myalloc_report_end(&zone->reports, report, irq);
	return -EBUSY;
}

/**
 * myalloc_zone_destroy() - destroy a zone
 * @zone: the zone
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: 0; -EBUSY if the zone has clients, fronts, caches, pages in use or blocks in quarantine.
 * The first of them is reported, with its owner if known, and the zone remains usable.
 */
int myalloc_zone_destroy(struct myalloc_zone *zone)
{
	const struct myalloc_front *front;
	unsigned long irq;
	u32 out;

	myalloc_zone_drain(zone);
	if (zone->clients && !list_empty(&zone->clients->list)) {
		myalloc_zone_err(zone, "cannot be destroyed: client %s still exists",
				 list_first_entry(&zone->clients->list, struct myalloc_client,
						  link)->name);
		return -EBUSY;
	}
	front = myalloc_front_first(zone);
	if (front) {
		myalloc_zone_err(zone, "cannot be destroyed: %s %s still exists", front->kind->name,
				 front->name);
		return -EBUSY;
	}
	if (!list_empty(&zone->caches)) {
		myalloc_zone_err(zone, "cannot be destroyed: cache %s still exists",
				 list_first_entry(&zone->caches, struct myalloc_cache,
						  link)->name);
		return -EBUSY;
	}
	raw_spin_lock_irqsave(&zone->lock, irq);	/* the worker may be growing the zone */
	out = myalloc_zone_present(zone) - zone->buddy.nr_free - atomic64_read(&zone->nr_bad);
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	if (out)
		return myalloc_zone_report_held(zone, out);
	myalloc_drain_stop(zone);
	myalloc_shadow_zone_end(zone);
	myalloc_elastic_end(zone);
	free_zone(zone);
	return 0;
}

/**
 * myalloc_zone_abandon() - stop all activity of a zone that cannot be destroyed
 * @zone: the zone, for which myalloc_zone_destroy() returned -EBUSY
 *
 * Afterwards neither its worker nor its deferred printing runs, so the code may be unloaded. The
 * zone's memory and its metadata stay allocated.
 *
 * Context: task, may sleep.
 */
void myalloc_zone_abandon(struct myalloc_zone *zone)
{
	myalloc_drain_stop(zone);
	myalloc_reports_fini(&zone->reports);
}

/**
 * myalloc_zone_chunk_held() - count the pages of a chunk that are not free
 * @zone: the zone
 * @chunk: number of the chunk
 *
 * Pages count as held while they are in use, in a magazine, a slab or quarantine. Pages known to be
 * bad do not. A block of several chunks counts in each of them.
 *
 * Context: any; the caller holds zone->lock, or nothing else uses the zone.
 * Return: their number; 0 for a hole. Where the metadata are damaged, pages count as held.
 */
u32 myalloc_zone_chunk_held(const struct myalloc_zone *zone, u32 chunk)
{
	u32 idx = chunk << zone->chunk_order, held = 0, nr;
	u32 end = min_t(u32, idx + BIT(zone->chunk_order), zone->buddy.nr_frames);
	struct myalloc_block block;

	if (!zone->chunks[chunk])
		return 0;
	for (; idx < end; idx += nr) {
		if (!myalloc_buddy_lookup(&zone->buddy, idx, &block))
			return held + end - idx;
		nr = min_t(u32, block.idx + BIT(block.order), end) - idx;
		if (!block.free && zone->frames[block.idx].type != MYALLOC_FRAME_BAD)
			held += nr;
	}
	return held;
}

/**
 * myalloc_zone_salvage() - give back the chunks in which nothing is left
 * @zone: the zone, abandoned; afterwards only its memory in the other chunks may be accessed
 * @give: called for each such chunk, with its pages; it may sleep
 * @salvage: out: the numbers of chunks that were given back and kept
 *
 * Context: task, may sleep.
 */
void myalloc_zone_salvage(struct myalloc_zone *zone, myalloc_salvage_fn give,
			  struct myalloc_salvage *salvage)
{
	u32 chunk, held, pages;

	memset(salvage, 0, sizeof(*salvage));
	for (chunk = 0; chunk < zone->nr_chunks; chunk++) {
		if (!zone->chunks[chunk])
			continue;
		cond_resched();
		held = myalloc_zone_chunk_held(zone, chunk);
		pages = min_t(u32, BIT(zone->chunk_order),
			      zone->buddy.nr_frames - (chunk << zone->chunk_order));
		if (held) {
			salvage->kept_chunks++;
			salvage->kept_pages += pages;
			salvage->held_pages += held;
			continue;
		}
		salvage->pages += pages;
		myalloc_shadow_extent_alloc(zone, (void *)zone->chunks[chunk], pages);
		give(zone, (void *)zone->chunks[chunk], pages);
	}
}

/**
 * myalloc_zone_last() - the highest address of a zone's memory
 * @zone: the zone
 *
 * It visits every chunk: those of an elastic zone are in no order.
 *
 * Context: any.
 * Return: the address of the last byte; of an elastic zone, of the chunks that it has now.
 */
void *myalloc_zone_last(const struct myalloc_zone *zone)
{
	unsigned long last = 0;
	u32 i;

	for (i = 0; i < zone->nr_chunks; i++) {
		unsigned long chunk = READ_ONCE(zone->chunks[i]);
		u32 pages = min_t(u32, zone->buddy.nr_frames - (i << zone->chunk_order),
				  BIT(zone->chunk_order));

		/* The address of a hole is 0, which is below all. */
		last = max(last, chunk + ((unsigned long)pages << PAGE_SHIFT) - 1);
	}
	return (void *)last;
}

/**
 * myalloc_zone_stats() - read the statistics of a zone
 * @zone: the zone
 * @stats: out; exact while no operation is in progress
 *
 * Context: task, may sleep.
 */
void myalloc_zone_stats(struct myalloc_zone *zone, struct myalloc_zone_stats *stats)
{
	const struct myalloc_buddy *buddy = &zone->buddy;
	const struct myalloc_elastic *e = zone->elastic;
	unsigned long irq;
	unsigned int k, i;
	u64 out;

	memset(stats, 0, sizeof(*stats));

	raw_spin_lock_irqsave(&zone->lock, irq);
	stats->nr_pages = myalloc_zone_present(zone);
	stats->hole_pages = buddy->nr_frames - stats->nr_pages;
	stats->free_pages = buddy->nr_free;
	stats->slab_pages = atomic64_read(&zone->slab_pages);
	stats->peak_pages = buddy->nr_frames - zone->min_free;
	if (e) {
		stats->peak_pages = e->peak;
		stats->grown = e->grown;
		stats->shrunk = e->shrunk;
		stats->decayed = atomic64_read(&e->decayed);
		stats->grow_fails = atomic64_read(&e->refused);
	}
	stats->splits = buddy->nr_splits;
	stats->merges = buddy->nr_merges;
	stats->largest_order = myalloc_buddy_largest(buddy);
	for (k = 0; k <= buddy->top_order; k++) {
		stats->free_blocks[k] = buddy->nr_blocks[k];
		stats->unusable[k] = myalloc_buddy_unusable(buddy, k);
		stats->extfrag[k] = myalloc_buddy_extfrag(buddy, k);
		stats->page_allocs[k] = zone->allocs[k];
		stats->page_frees[k] = zone->frees[k];
		stats->page_fails[k] = zone->fails[k];
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);

	for (i = 0; i < MYALLOC_PCP_LISTS; i++) {
		const struct myalloc_magazines *mags = &zone->pcp[i];
		struct myalloc_magazine_passed passed = myalloc_magazines_passed(mags);

		k = myalloc_pcp_order(i);
		stats->cached_blocks[k] = myalloc_magazines_count(mags);
		stats->cached_pages += stats->cached_blocks[k] << k;
		stats->page_hits[k] = myalloc_magazines_hits(mags, &passed).takes;
		stats->page_allocs[k] += passed.takes;
		stats->page_frees[k] += passed.gives;
	}
	stats->deferred_pages = atomic64_read(&zone->deferred.nr);
	stats->quarantined_pages = atomic64_read(&zone->nr_quarantined);
	stats->bad_pages = atomic64_read(&zone->nr_bad);
	out = stats->free_pages + stats->slab_pages + stats->cached_pages +
	      stats->deferred_pages + stats->quarantined_pages + stats->bad_pages;
	stats->page_pages = stats->nr_pages > out ? stats->nr_pages - out : 0;
	stats->nmi_fails = atomic64_read(&zone->nmi_fails);
	for (i = 0; i < MYALLOC_NR_BAD; i++) {
		stats->bad[i] = atomic64_read(&zone->bad[i]);
		stats->bad_frees += stats->bad[i];
	}
	stats->corruptions = atomic64_read(&zone->corruptions);
	stats->deferred_frees = atomic64_read(&zone->deferred_frees);
	stats->quarantines = atomic64_read(&zone->quarantines);
	stats->drains = atomic64_read(&zone->drains);
	stats->reports_suppressed = atomic64_read(&zone->reports.suppressed);
	stats->nr_caches = READ_ONCE(zone->nr_caches);
}

/**
 * myalloc_zone_walk_part() - visit every block in use that begins in a part of a zone
 * @zone: the zone
 * @from: first frame
 * @to: the frame after the last one
 * @fn: as for myalloc_zone_walk_blocks()
 * @arg: argument for @fn
 *
 * Context: that of @fn.
 * Return: false if @fn has ended the walk.
 */
bool myalloc_zone_walk_part(struct myalloc_zone *zone, u32 from, u32 to, myalloc_frame_fn fn,
			    void *arg)
{
	u32 idx;

	for (idx = from; idx < to; idx++) {
		struct myalloc_frame frame;

		/*
		 * May be state bytes of a slab. The tag is read before and after stack and caller,
		 * so that they belong to it.
		 */
		frame.tag = smp_load_acquire(&zone->frames[idx].tag);
		if (frame.type < MYALLOC_FRAME_PAGE || frame.type == MYALLOC_FRAME_PIECE ||
		    frame.type == MYALLOC_FRAME_HOLE ||
		    frame.order > zone->buddy.top_order)
			continue;
		frame.stack = smp_load_acquire(&zone->frames[idx].stack);	/* after tag */
		frame.caller = smp_load_acquire(&zone->frames[idx].caller);	/* nor after it */
		myalloc_env_point("zone-walk");
		if (READ_ONCE(zone->frames[idx].tag) != frame.tag)
			continue;
		if (!fn(zone, idx, &frame, arg))
			return false;
	}
	return true;
}

/**
 * myalloc_zone_walk_blocks() - visit every block in use
 * @zone: the zone
 * @fn: called without a lock, with a copy of the descriptor of the first frame; once for an extent.
 *	False ends the walk
 * @arg: argument for @fn
 *
 * Blocks that are allocated or freed meanwhile may or may not be visited.
 *
 * Context: task, may sleep.
 */
void myalloc_zone_walk_blocks(struct myalloc_zone *zone, myalloc_frame_fn fn, void *arg)
{
	u32 nr = zone->buddy.nr_frames, idx = 0, end;

	for (; idx < nr; idx = end) {
		end = idx + min_t(u32, nr - idx, MYALLOC_WALK_PART);
		cond_resched();
		if (!myalloc_zone_walk_part(zone, idx, end, fn, arg))
			return;
	}
}
