// SPDX-License-Identifier: GPL-2.0
/*
 * Exhaustive search: every state of a cache of few slabs with few objects
 *
 * A zone of a few chunks, each as large as a slab, and a cache without magazines. A state consists
 * of which chunks are slabs, which of their slots are live, where each slab is in its list, and its
 * hint. All states that allocations, frees and shrinks reach from the empty cache are visited
 * breadth-first, each by repeating the steps that first led to it. In each, everything is
 * validated, every wrong free of every address nearby is tried, and every correct one; an
 * allocation must return the lowest free slot of a slab of the fullest quarter, of an empty one, or
 * of a new one in the lowest chunk that is no slab, in this order, and fail only if there is none.
 *
 * The expected number of states, without lists and hints: a chunk is no slab or a set of n slots, 1
 * + 2^n; f chunks are independent, (1 + 2^n)^f; but at most MYALLOC_EMPTY_KEEP slabs are empty. The
 * states with e empty slabs number C(f, e) times the states of the others, each no slab or a set
 * that is not empty: (2^n)^(f - e). All of them can be reached: allocate everything, free all
 * objects of the chunks that should be no slab, a few slabs at a time, shrinking after each; then
 * free the other objects that should be free.
 */
#include "env.h"
#include "ktap.h"
#include "program.h"
#include "object/check.h"
#include "zone/validate.h"

#define CHUNKS_MOST	3
#define SLOTS_MOST	8
#define STATES_MOST	0x100000
#define TABLE_BITS	22
#define DEPTH_MOST	128

/**
 * struct shape - a cache to search
 * @chunks: how many
 * @chunk_order: log2 of frames in each
 * @size: of an object, with 4 KiB pages
 * @flags: of the cache, beside MYALLOC_NO_MAGAZINE
 * @full: only with --full
 */
static const struct shape {
	u32 chunks;
	u32 chunk_order;
	u32 size;
	myalloc_cache_flags_t flags;
	bool full;
} shapes[] = {
	{ .chunks = 1, .size = 500 },
	{ .chunks = 1, .size = 64 * 7, .flags = MYALLOC_CHECKS },
	{ .chunks = 2, .size = 1300 },
	{ .chunks = 2, .size = 1300, .flags = MYALLOC_ZERO_FREE },
	{ .chunks = 2, .size = 1000 },
	{ .chunks = 2, .chunk_order = 1, .size = 2700 },
	{ .chunks = 3, .size = 2000 },
	{ .chunks = 3, .size = 3000 },
	{ .chunks = 3, .size = 1800, .flags = MYALLOC_CHECKS },
	{ .chunks = 3, .size = 1300 },
	{ .chunks = 2, .size = 800 },
	{ .chunks = 3, .size = 1000, .full = true },
	{ .chunks = 2, .size = 580, .full = true },
};

enum { ALLOC, FREE, SHRINK };

struct step {
	u32 parent;
	u8 op;
	u8 chunk, slot;
};

/* The part of a state that users and the zone's tags know. */
struct state {
	bool slab[CHUNKS_MOST];
	u32 live[CHUNKS_MOST];
};

static struct {
	const struct shape *shape;
	struct myalloc_zone *zone;
	struct myalloc_cache *cache;
	u8 *arena, *chunk[CHUNKS_MOST];
	u32 slots;
	struct state s;
	u64 *table;
	struct step *step;
	u32 nr, done, projected;
	u8 *seen;	/* projections */
	u64 ops;
	const char *wrong;
	char text[200];
} w;

__printf(1, 2)
static void wrong(const char *fmt, ...)
{
	va_list args;

	if (w.wrong)
		return;
	va_start(args, fmt);
	vsnprintf(w.text, sizeof(w.text), fmt, args);
	va_end(args);
	w.wrong = w.text;
}

static size_t chunk_bytes(void)
{
	return PAGE_SIZE << w.shape->chunk_order;
}

/* As many fit into a page as objects of the shape into 4 KiB, but not two of above half a page. */
static u32 object_bytes(void)
{
	/* Red zones, link and owners of a slot do not grow with the page. */
	u32 checks = w.shape->flags & MYALLOC_CHECKS ?
		     24 + sizeof(struct myalloc_track) * MYALLOC_NR_TRACKS : 0;

	return min_t(u32, (w.shape->size + checks) * (PAGE_SIZE >> 12) - checks,
		     MYALLOC_MAX_OBJECT);
}

static u8 *slot_addr(u32 chunk, u32 slot)
{
	return myalloc_slab_object(w.cache, w.chunk[chunk], slot);
}

static struct myalloc_frame *frame_of(u32 chunk)
{
	return &w.zone->frames[chunk << w.shape->chunk_order];
}

static u32 all_slots(void)
{
	return BIT(w.slots) - 1;
}

/* --- the world ---------------------------------------------------------------------- */

static void make_world(void)
{
	struct myalloc_zone_args args = {
		.name = "z", .chunks = (void *const *)w.chunk, .nr_chunks = w.shape->chunks,
		.chunk_order = w.shape->chunk_order,
		.nr_pages = w.shape->chunks << w.shape->chunk_order, .node = NUMA_NO_NODE,
		.no_magazines = true,
	};
	struct myalloc_cache_args cache = {
		.name = "c", .object_size = object_bytes(),
		.flags = w.shape->flags | MYALLOC_NO_MAGAZINE,
	};

	w.zone = myalloc_zone_create(&args);
	if (IS_ERR(w.zone))
		host_fatal("no zone");
	w.cache = myalloc_cache_create(w.zone, &cache);
	if (IS_ERR(w.cache))
		host_fatal("no cache");
	if (w.cache->layout.order != w.shape->chunk_order || w.cache->layout.objects > SLOTS_MOST)
		host_fatal("objects of %u bytes: %u in a slab of order %u", object_bytes(),
			   w.cache->layout.objects, w.cache->layout.order);
	w.slots = w.cache->layout.objects;
	memset(&w.s, 0, sizeof(w.s));
}

static void end_world(void)
{
	u32 i, slot;

	for (i = 0; i < w.shape->chunks; i++)
		for (slot = 0; slot < w.slots; slot++)
			if (w.s.live[i] >> slot & 1 &&
			    myalloc_cache_free(w.cache, slot_addr(i, slot)))
				wrong("last free failed");
	if (myalloc_cache_destroy(w.cache) || myalloc_zone_destroy(w.zone))
		wrong("the world does not end");
}

/* Where a slab is in its list, from its head; a list holds at most all of them. */
static u32 position(u32 chunk)
{
	u32 nr = 0, idx;

	for (idx = frame_of(chunk)->prev; idx != MYALLOC_NO_FRAME && nr < w.shape->chunks;
	     idx = w.zone->frames[idx].prev)
		nr++;
	return nr;
}

/* The whole state: 16 bits for each chunk, and not 0. */
static u64 state_key(void)
{
	u64 key = 1;
	u32 i;

	for (i = 0; i < w.shape->chunks; i++) {
		u64 part = 0;

		if (w.s.slab[i])
			part = 1 | w.s.live[i] << 1 | position(i) << 9 |
			       frame_of(i)->hint << 11;
		key = key << 16 | part;
	}
	return key;
}

static u32 projection(void)
{
	u32 n = 0, i;

	for (i = 0; i < w.shape->chunks; i++)
		n = n * (1 + BIT(w.slots)) + (w.s.slab[i] ? 1 + w.s.live[i] : 0);
	return n;
}

static u64 power(u64 base, u32 exponent)
{
	u64 result = 1;

	while (exponent--)
		result *= base;
	return result;
}

static u64 nr_projections(void)
{
	u32 f = w.shape->chunks, e;
	u64 nr = power(1 + BIT(w.slots), f), choose = 1;

	for (e = 1; e <= f; e++) {
		choose = choose * (f - e + 1) / e;
		if (e > MYALLOC_EMPTY_KEEP)
			nr -= choose * power(BIT(w.slots), f - e);
	}
	return nr;
}

/* --- operations, with the model --------------------------------------------------------- */

/* Record which slabs exist now, and check that they appeared and disappeared only as allowed. */
static void look_at_slabs(const char *op, bool may_come, bool may_go)
{
	u32 i, empty = 0;

	for (i = 0; i < w.shape->chunks; i++) {
		bool slab = frame_of(i)->type == MYALLOC_FRAME_SLAB;

		if (!slab && w.s.live[i])
			wrong("%s: a slab with live objects has gone", op);
		if ((slab && !w.s.slab[i] && !may_come) || (!slab && w.s.slab[i] && !may_go))
			wrong("%s: chunk %u is %s slab now", op, i, slab ? "a" : "no");
		w.s.slab[i] = slab;
		empty += slab && !w.s.live[i];
	}
	if (empty > MYALLOC_EMPTY_KEEP)
		wrong("%s: %u slabs are empty", op, empty);
}

/* How full: the quarter of a partial slab. */
static u32 quarter(u32 chunk)
{
	return hweight32(w.s.live[chunk]) * MYALLOC_SLAB_PARTIAL / w.slots;
}

static bool partial(u32 chunk)
{
	return w.s.slab[chunk] && w.s.live[chunk] && w.s.live[chunk] != all_slots();
}

/* May the next object come from this chunk? */
static bool may_give(u32 chunk)
{
	bool any_partial = false, any_empty = false;
	u32 i, fullest = 0, lowest = w.shape->chunks;

	for (i = w.shape->chunks; i--; ) {
		if (partial(i)) {
			any_partial = true;
			fullest = max(fullest, quarter(i));
		}
		any_empty |= w.s.slab[i] && !w.s.live[i];
		if (!w.s.slab[i])
			lowest = i;
	}
	if (any_partial)
		return partial(chunk) && quarter(chunk) == fullest;
	if (any_empty)
		return w.s.slab[chunk] && !w.s.live[chunk];
	return chunk == lowest;
}

static void do_alloc(void)
{
	u8 *object = myalloc_cache_alloc(w.cache, 0);
	u32 i, slot;

	w.ops++;
	if (!object) {
		for (i = 0; i < w.shape->chunks; i++)
			if (w.s.live[i] != all_slots())
				wrong("an allocation failed and there was room");
		return;
	}
	for (i = 0; i < w.shape->chunks; i++)
		if (object >= w.chunk[i] && object < w.chunk[i] + chunk_bytes())
			break;
	if (i == w.shape->chunks) {
		wrong("an object from nowhere");
		return;
	}
	slot = __ffs(~w.s.live[i]);
	if (slot >= w.slots || object != slot_addr(i, slot))
		wrong("not the lowest free slot of chunk %u", i);
	else if (!may_give(i))
		wrong("not a slab that is next: chunk %u", i);
	memset(object, 0x5a, object_bytes());
	w.s.live[i] |= BIT(slot);
	look_at_slabs("alloc", true, false);
}

static void do_free(u32 chunk, u32 slot)
{
	u8 *object = slot_addr(chunk, slot);

	w.ops++;
	if (memchr_inv(object, 0x5a, object_bytes()))
		wrong("an object changed while it was allocated");
	if (myalloc_cache_free(w.cache, object))
		wrong("a free failed");
	w.s.live[chunk] &= ~BIT(slot);
	look_at_slabs("free", false, !w.s.live[chunk]);
}

static void do_shrink(void)
{
	u32 before = 0, after = 0, i;
	unsigned long pages;

	w.ops++;
	for (i = 0; i < w.shape->chunks; i++)
		before += w.s.slab[i];
	pages = myalloc_cache_shrink(w.cache);
	look_at_slabs("shrink", false, true);
	for (i = 0; i < w.shape->chunks; i++) {
		after += w.s.slab[i];
		if (w.s.slab[i] && !w.s.live[i])
			wrong("an empty slab is left after a shrink");
	}
	if (pages != (before - after) << w.shape->chunk_order)
		wrong("a shrink of %u slabs says %lu pages", before - after, pages);
}

static void do_step(const struct step *step)
{
	switch (step->op) {
	case ALLOC:
		do_alloc();
		break;
	case FREE:
		do_free(step->chunk, step->slot);
		break;
	case SHRINK:
		do_shrink();
		break;
	}
}

/* Every address of a live object is correct; all others must be refused and change nothing. */
static void wrong_frees(void)
{
	struct myalloc_cache_stats before, after;
	u64 key = state_key();
	u32 i, slot;
	size_t off;

	myalloc_cache_stats(w.cache, &before);
	for (i = 0; i < w.shape->chunks; i++) {
		for (slot = 0; slot < w.slots; slot++) {
			u8 *object = slot_addr(i, slot);

			for (off = w.s.live[i] >> slot & 1; off <= 8; off++) {
				w.ops++;
				if (off == object_bytes())
					continue;
				if (myalloc_cache_free(w.cache, object + off) != -EINVAL)
					wrong("a wrong free was taken");
			}
		}
		w.ops += 2;
		if (myalloc_cache_free(w.cache, w.chunk[i] - 8) != -EINVAL ||
		    myalloc_cache_free(w.cache, w.chunk[i] + chunk_bytes()) != -EINVAL)
			wrong("a free outside was taken");
	}
	myalloc_cache_stats(w.cache, &after);
	after.bad_frees = before.bad_frees;
	if (memcmp(&before, &after, sizeof(before)) || key != state_key())
		wrong("wrong frees changed something");
	host_log_reset();
}

static void check_state(void)
{
	struct myalloc_cache_stats stats;
	struct myalloc_validation v;
	u32 live = 0, slabs = 0, i;

	if (!myalloc_zone_validate(w.zone, &v))
		wrong("validation: %s", v.first);
	for (i = 0; i < w.shape->chunks; i++) {
		live += hweight32(w.s.live[i]);
		slabs += w.s.slab[i];
	}
	myalloc_cache_stats(w.cache, &stats);
	if (stats.live_objects != live || stats.slabs != slabs ||
	    stats.allocs - stats.frees != live || stats.corruptions)
		wrong("%u live in %u slabs, the statistics say %llu in %llu", live, slabs,
		      stats.live_objects, stats.slabs);
}

/* --- the search ----------------------------------------------------------------------------- */

static void go_to(u32 state)
{
	u32 path[DEPTH_MOST], n = 0;

	make_world();
	for (; state; state = w.step[state].parent) {
		if (n == DEPTH_MOST)
			host_fatal("a state is deeper than %d", DEPTH_MOST);
		path[n++] = state;
	}
	while (n--)
		do_step(&w.step[path[n]]);
}

static void visit(const struct step *step)
{
	u64 key = state_key(), at = key * 0x9e3779b97f4a7c15ULL >> (64 - TABLE_BITS);
	u32 which = projection();

	for (; w.table[at]; at = (at + 1) % BIT(TABLE_BITS))
		if (w.table[at] == key)
			return;
	if (w.nr == STATES_MOST) {
		wrong("more than %d states", STATES_MOST);
		return;
	}
	w.table[at] = key;
	w.step[w.nr++] = *step;
	w.projected += !(w.seen[which / 8] >> which % 8 & 1);
	w.seen[which / 8] |= 1 << which % 8;
}

/* Make one more step from the state with this number. */
static void try_step(u32 from, const struct step *step)
{
	go_to(from);
	do_step(step);
	if (!w.wrong)
		visit(step);
	end_world();
}

static void expand(u32 from)
{
	struct state here;
	u32 i, slot;

	go_to(from);
	here = w.s;
	check_state();
	wrong_frees();
	end_world();
	try_step(from, &(struct step){ .parent = from, .op = ALLOC });
	try_step(from, &(struct step){ .parent = from, .op = SHRINK });
	for (i = 0; i < w.shape->chunks; i++)
		for (slot = 0; slot < w.slots; slot++)
			if (here.live[i] >> slot & 1)
				try_step(from, &(struct step){
					.parent = from, .op = FREE, .chunk = i, .slot = slot,
				});
}

static void search(const struct shape *shape)
{
	size_t bytes = PAGE_SIZE << shape->chunk_order;
	u64 expected;
	u32 i;

	memset(&w, 0, sizeof(w));
	w.shape = shape;
	w.table = calloc(BIT(TABLE_BITS), sizeof(*w.table));
	w.step = calloc(STATES_MOST, sizeof(*w.step));
	w.arena = host_chunk_alloc(shape->chunk_order + 3);
	for (i = 0; i < shape->chunks; i++)
		w.chunk[i] = w.arena + (2 * i + 1) * bytes;
	make_world();
	w.seen = calloc(power(1 + BIT(w.slots), shape->chunks) / 8 + 1, 1);
	visit(&(struct step){ });
	end_world();
	while (w.done < w.nr && !w.wrong)
		expand(w.done++);
	expected = nr_projections();
	if (w.projected != expected)
		wrong("%u sets of live objects, there should be %llu", w.projected, expected);
	if (w.wrong)
		ktap_note("%s", w.wrong);
	host_chunk_free(w.arena, shape->chunk_order + 3);
	free(w.table);
	free(w.step);
	free(w.seen);
	ktap_result(!w.wrong && !host_live_allocs(),
		    "%u slabs of %u objects of %u bytes, flags 0x%x: %u sets of live objects, %u states, %llu operations",
		    shape->chunks, w.slots, shape->size, shape->flags, w.projected, w.nr, w.ops);
}

int main(int argc, char **argv)
{
	bool full = false;
	const struct program_option options[] = {
		{ "full", PROGRAM_FLAG, &full, "larger ones, too (about 3 minutes)" },
		{ }
	};
	u32 i, nr = 0;

	program_options(argc, argv, "Every state of caches with few slabs and few objects.",
			options);
	host_set_nr_cpus(1);
	for (i = 0; i < ARRAY_SIZE(shapes); i++)
		nr += full || !shapes[i].full;
	ktap_plan(nr);
	for (i = 0; i < ARRAY_SIZE(shapes); i++)
		if (full || !shapes[i].full)
			search(&shapes[i]);
	return ktap_end();
}
