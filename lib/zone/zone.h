/* SPDX-License-Identifier: GPL-2.0 */
/* The zone as a whole: creating, inspecting and destroying it. Users include myalloc.h. */
#ifndef MYALLOC_ZONE_H
#define MYALLOC_ZONE_H

#include "page/block.h"
#include "page/zone_report.h"

struct myalloc_zone *myalloc_zone_create(const struct myalloc_zone_args *args);
u64 myalloc_zone_meta_size(const struct myalloc_zone_args *args);
int myalloc_zone_destroy(struct myalloc_zone *zone);
unsigned int myalloc_chunks_limit(const unsigned long *chunks, u32 nr_chunks, u32 chunk,
				  unsigned int chunk_order, unsigned int max_order);
void myalloc_zone_abandon(struct myalloc_zone *zone);
u32 myalloc_zone_chunk_held(const struct myalloc_zone *zone, u32 chunk);

/**
 * struct myalloc_salvage - the fate of the chunks of a zone that was abandoned
 * @pages: pages given back
 * @kept_chunks: chunks in which something is left
 * @kept_pages: their pages
 * @held_pages: those among them that are not free
 */
struct myalloc_salvage {
	u32 pages;
	u32 kept_chunks;
	u32 kept_pages;
	u32 held_pages;
};

typedef void (*myalloc_salvage_fn)(struct myalloc_zone *zone, void *chunk, u32 pages);
void myalloc_zone_salvage(struct myalloc_zone *zone, myalloc_salvage_fn give,
			  struct myalloc_salvage *salvage);
int myalloc_zone_report_held(struct myalloc_zone *zone, u32 out);
int myalloc_free_for(struct myalloc_zone *zone, void *addr, unsigned long caller);
struct myalloc_zone *myalloc_zone_child_at(struct myalloc_zone *zone, const void *addr);

/* Statistics of a zone. The members are documented in uapi/myalloc.h, by the same names. */
struct myalloc_zone_stats {
	u64 nr_pages;
	u64 free_pages;
	u64 cached_pages;
	u64 page_pages;
	u64 slab_pages;
	u64 deferred_pages;
	u64 quarantined_pages;
	u64 bad_pages;
	u64 free_blocks[MYALLOC_NR_ORDERS];
	u64 cached_blocks[MYALLOC_NR_ORDERS];
	s32 unusable[MYALLOC_NR_ORDERS];
	s32 extfrag[MYALLOC_NR_ORDERS];
	s32 largest_order;
	u64 page_allocs[MYALLOC_NR_ORDERS];
	u64 page_frees[MYALLOC_NR_ORDERS];
	u64 page_fails[MYALLOC_NR_ORDERS];
	u64 page_hits[MYALLOC_NR_ORDERS];
	u64 nmi_fails;
	u64 splits;
	u64 merges;
	u64 bad_frees;
	u64 bad[MYALLOC_NR_BAD];
	u64 corruptions;
	u64 deferred_frees;
	u64 quarantines;
	u64 drains;
	u64 reports_suppressed;
	u64 peak_pages;
	u64 nr_caches;
	u64 hole_pages;
	u64 grown;
	u64 shrunk;
	u64 decayed;
	u64 grow_fails;
};

void myalloc_zone_stats(struct myalloc_zone *zone, struct myalloc_zone_stats *stats);
void *myalloc_zone_last(const struct myalloc_zone *zone);

/* Called without a lock for each block in use; false ends the walk. */
typedef bool (*myalloc_frame_fn)(struct myalloc_zone *zone, u32 idx,
				 const struct myalloc_frame *frame, void *arg);
bool myalloc_zone_walk_part(struct myalloc_zone *zone, u32 from, u32 to, myalloc_frame_fn fn,
			    void *arg);
void myalloc_zone_walk_blocks(struct myalloc_zone *zone, myalloc_frame_fn fn,
			      void *arg);

#endif /* MYALLOC_ZONE_H */
