/* SPDX-License-Identifier: GPL-2.0 */
/* Statistics in the structs of uapi/myalloc.h, for ioctl and debugfs alike. */
#ifndef MYALLOC_STAT_H
#define MYALLOC_STAT_H

#include "uapi/myalloc.h"

struct myalloc_arena;
struct myalloc_cache;
struct myalloc_client;
struct myalloc_client_extents;
struct myalloc_contract;
struct myalloc_front;
struct myalloc_front_kind;
struct myalloc_heap;
struct myalloc_pool;
struct myalloc_ring;
struct myalloc_zone;

void myalloc_info_fill(struct myalloc_info *info, const struct myalloc_zone *zone);
int myalloc_stat_fill(struct myalloc_stat *stat, struct myalloc_zone *zone);
void myalloc_cache_stat_fill(struct myalloc_cache_stat *stat, struct myalloc_cache *cache);
int myalloc_cache_stat_find(struct myalloc_cache_stat *stat, struct myalloc_zone *zone,
			    u32 id, bool or_next);
void myalloc_heap_stat_fill(struct myalloc_heap_stat *stat, struct myalloc_heap *heap);
void myalloc_ring_stat_fill(struct myalloc_ring_stat *stat, struct myalloc_ring *ring);
void myalloc_pool_stat_fill(struct myalloc_pool_stat *stat, struct myalloc_pool *pool);
void myalloc_client_stat_fill(struct myalloc_client_stat *stat, struct myalloc_client *client,
			      const struct myalloc_client_extents *extents);
void myalloc_arena_stat_fill(struct myalloc_arena_stat *stat, struct myalloc_arena *arena);

/**
 * struct myalloc_front_view - the statistics of a kind of front
 * @kind: the kind
 * @bytes: size of the struct of its statistics
 * @fill: fills in that struct, except for the members that select the front. Called under
 *	fronts_mutex; may sleep
 */
struct myalloc_front_view {
	const struct myalloc_front_kind *kind;
	size_t bytes;
	void (*fill)(void *stat, struct myalloc_front *front);
};

extern const struct myalloc_front_view myalloc_heap_view, myalloc_pool_view;
extern const struct myalloc_front_view myalloc_ring_view, myalloc_arena_view;

void myalloc_contract_stat_fill(struct myalloc_contract_stat *stat,
				struct myalloc_contract *contract, unsigned int line);
int myalloc_contract_stat_find(struct myalloc_contract_stat *stat, struct myalloc_zone *zone,
			       u64 id, bool or_next);

int myalloc_front_stat_find(void *stat, const struct myalloc_front_view *view,
			    struct myalloc_zone *zone, u64 id, bool or_next);

#endif /* MYALLOC_STAT_H */
