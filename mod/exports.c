// SPDX-License-Identifier: GPL-2.0
/*
 * Symbols exported to other modules
 *
 * There are three namespaces. MYALLOC is the interface: lib/myalloc.h and mod/myalloc_client.h.
 * MYALLOC_JOB is for modules that register a kind of job with the device: mod/device/job.h,
 * mod/budget.h. MYALLOC_INTERNAL lets the KUnit tests test the parts one by one; it exists only
 * on kernels with KUnit and changes without notice.
 *
 * A module that uses one of these symbols pins myalloc.ko. myalloc_zone_get() takes a module
 * reference in addition: a client that forgets to put it leaves myalloc.ko loaded, rather than
 * using memory that has gone back to the system.
 */
#include "env.h"

#include <linux/io.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "base/histogram.h"
#include "base/pattern.h"
#include "base/sort.h"
#include "client/contract.h"
#include "client/plan.h"
#include "client/client.h"
#include "client/makers.h"
#include "client/sites.h"
#include "client/within.h"
#include "front/arena.h"
#include "front/heap.h"
#include "front/pool.h"
#include "front/ring.h"
#include "object/cache.h"
#include "object/check.h"
#include "object/limbo.h"
#include "object/object.h"
#include "object/upkeep.h"
#include "page/bad_page.h"
#include "page/drain.h"
#include "page/extent.h"
#include "page/lend.h"
#include "page/pages.h"
#include "zone/elastic.h"
#include "zone/front.h"
#include "zone/nodes.h"
#include "zone/validate.h"
#include "zone/zone.h"
#include "budget.h"
#include "compat.h"
#include "exports.h"
#include "myalloc_client.h"

static struct myalloc_nodes *the_nodes;

/**
 * myalloc_exports_init() - make the zones available to other modules
 * @nodes: the zones
 *
 * Context: task, while the module is loaded.
 */
void myalloc_exports_init(struct myalloc_nodes *nodes)
{
	WRITE_ONCE(the_nodes, nodes);
}

/**
 * myalloc_exports_exit() - make the zones unavailable to other modules
 *
 * Context: task, while the module is removed.
 */
void myalloc_exports_exit(void)
{
	WRITE_ONCE(the_nodes, NULL);
	rcu_barrier();	/* callbacks of rcu.c that a client has not waited for */
}

/**
 * myalloc_nodes_get() - get the module's zones, with a reference
 *
 * While the reference is held myalloc.ko cannot be removed. Put it with myalloc_nodes_put() after
 * everything allocated from the zones has been freed.
 *
 * Context: any.
 * Return: a set of one zone, or of one for each node that the parameter node names; NULL while the
 * module is being removed.
 */
struct myalloc_nodes *myalloc_nodes_get(void)
{
	struct myalloc_nodes *nodes = READ_ONCE(the_nodes);

	return nodes && try_module_get(THIS_MODULE) ? nodes : NULL;
}

/**
 * myalloc_nodes_put() - put the reference of myalloc_nodes_get()
 * @nodes: from myalloc_nodes_get(); NULL is allowed
 *
 * Context: any.
 */
void myalloc_nodes_put(struct myalloc_nodes *nodes)
{
	if (nodes)
		module_put(THIS_MODULE);
}

/**
 * myalloc_zone_get() - get the module's zone, with a reference
 *
 * If there is a zone for each of several nodes, this is that of the lowest one.
 *
 * While the reference is held myalloc.ko cannot be removed. Put it with myalloc_zone_put() after
 * everything allocated from the zone has been freed.
 *
 * Context: any.
 * Return: the zone, NULL while the module is being removed.
 */
struct myalloc_zone *myalloc_zone_get(void)
{
	struct myalloc_nodes *nodes = myalloc_nodes_get();

	return nodes ? nodes->zone[0].zone : NULL;
}

/**
 * myalloc_zone_put() - put the reference of myalloc_zone_get()
 * @zone: from myalloc_zone_get(); NULL is allowed
 *
 * Context: any.
 */
void myalloc_zone_put(struct myalloc_zone *zone)
{
	if (zone)
		module_put(THIS_MODULE);
}

/* --- constant properties of a zone and its caches ----------------------------- */

/**
 * myalloc_zone_info() - read the constant properties of a zone
 * @zone: the zone
 * @info: out
 *
 * Context: any.
 */
void myalloc_zone_info(const struct myalloc_zone *zone, struct myalloc_zone_info *info)
{
	info->nr_pages = zone->buddy.nr_frames;
	info->chunk_order = zone->chunk_order;
	info->max_order = zone->buddy.top_order;
	info->checks = zone->checks;
	info->node = zone->node;
	info->meta_bytes = zone->meta_bytes;
	info->buddy_bytes = myalloc_buddy_meta_size(zone->buddy.nr_frames, zone->chunk_order);
	if (zone->buddy.joined)
		info->buddy_bytes += myalloc_buddy_join_size(zone->buddy.nr_frames,
							     zone->chunk_order,
							     zone->buddy.top_order);
	info->last_phys = virt_to_phys(myalloc_zone_last(zone));
}

/* A CPU can use its own two magazines and all of the depot. */
static void magazine_info(const struct myalloc_magazines *mags,
			  struct myalloc_magazine_info *info)
{
	info->capacity = mags->capacity;
	info->batch = mags->batch;
	info->magazines = mags->capacity ? mags->depot + 2 : 0;
}

/**
 * myalloc_pages_magazines() - read how many blocks of an order a CPU can keep
 * @zone: the zone
 * @order: log2 of pages
 * @info: out; all 0 for orders without magazines
 *
 * Context: any. The values may change when a CPU comes online for the first time.
 */
void myalloc_pages_magazines(const struct myalloc_zone *zone, unsigned int order,
			     struct myalloc_magazine_info *info)
{
	unsigned int list;

	*info = (struct myalloc_magazine_info){ };
	for (list = 0; list < MYALLOC_PCP_LISTS; list++)
		if (myalloc_pcp_order(list) == order)
			magazine_info(&zone->pcp[list], info);
}

/**
 * myalloc_cache_magazines() - read how many objects a CPU can keep
 * @cache: the cache
 * @info: out
 *
 * Context: any. The zone's worker and myalloc_cache_resize() may change the values.
 */
void myalloc_cache_magazines(const struct myalloc_cache *cache,
			     struct myalloc_magazine_info *info)
{
	magazine_info(&cache->mags, info);
}

#define EXPORT(symbol)	MYALLOC_EXPORT_NS(symbol, MYALLOC)

EXPORT(myalloc_zone_get);
EXPORT(myalloc_zone_put);
EXPORT(myalloc_nodes_get);
EXPORT(myalloc_nodes_put);
EXPORT(myalloc_nodes_zone);
EXPORT(myalloc_nodes_zone_at);
EXPORT(myalloc_nodes_pages_alloc);
EXPORT(myalloc_nodes_pages_free);
EXPORT(myalloc_nodes_free);

EXPORT(myalloc_pages_alloc);
EXPORT(myalloc_pages_free);
EXPORT(myalloc_pages_alloc_bulk);
EXPORT(myalloc_pages_free_bulk);
EXPORT(myalloc_pages_alloc_exact);
EXPORT(myalloc_pages_free_exact);
EXPORT(myalloc_pages_alloc_range);

EXPORT(myalloc_cache_create);
EXPORT(myalloc_cache_destroy);
EXPORT(myalloc_cache_alloc);
EXPORT(myalloc_cache_free);
EXPORT(myalloc_cache_alloc_bulk);
EXPORT(myalloc_cache_free_bulk);
EXPORT(myalloc_cache_drain);
EXPORT(myalloc_cache_shrink);
EXPORT(myalloc_cache_resize);
EXPORT(myalloc_cache_free_rcu);
EXPORT(myalloc_cache_prefill);
EXPORT(myalloc_prefill_return);

EXPORT(myalloc_heap_create);
EXPORT(myalloc_heap_destroy);
EXPORT(myalloc_heap_alloc);
EXPORT(myalloc_heap_alloc_aligned);
EXPORT(myalloc_heap_realloc);
EXPORT(myalloc_heap_free);
EXPORT(myalloc_heap_free_sized);
EXPORT(myalloc_heap_alloc_bulk);
EXPORT(myalloc_heap_free_bulk);
EXPORT(myalloc_heap_usable_size);
EXPORT(myalloc_heap_good_size);
EXPORT(myalloc_ring_create);
EXPORT(myalloc_ring_destroy);
EXPORT(myalloc_ring_reserve);
EXPORT(myalloc_ring_commit);
EXPORT(myalloc_ring_discard);
EXPORT(myalloc_ring_peek);
EXPORT(myalloc_ring_release);
EXPORT(myalloc_ring_copy);

EXPORT(myalloc_contract_plan);
EXPORT(myalloc_contract_create);
EXPORT(myalloc_client_contract_create);
EXPORT(myalloc_contract_end);
EXPORT(myalloc_contract_zone);
EXPORT(myalloc_contract_cache);
EXPORT(myalloc_contract_stats);
EXPORT(myalloc_pool_create);
EXPORT(myalloc_pool_destroy);
EXPORT(myalloc_pool_resize);
EXPORT(myalloc_pool_alloc);
EXPORT(myalloc_pool_free);
EXPORT(myalloc_arena_create);
EXPORT(myalloc_arena_destroy);
EXPORT(myalloc_arena_alloc);
EXPORT(myalloc_arena_zalloc);
EXPORT(myalloc_arena_mark);
EXPORT(myalloc_arena_rewind);
EXPORT(myalloc_arena_keep);
EXPORT(myalloc_arena_reset);
EXPORT(myalloc_arena_shrink);
EXPORT(myalloc_frames_create);
EXPORT(myalloc_frames_destroy);
EXPORT(myalloc_frames_alloc);
EXPORT(myalloc_frames_zalloc);
EXPORT(myalloc_frames_swap);
EXPORT(myalloc_frames_now);

EXPORT(myalloc_client_create);
EXPORT(myalloc_client_end);
EXPORT(myalloc_client_pages_alloc);
EXPORT(myalloc_client_pages_free);
EXPORT(myalloc_free);
EXPORT(myalloc_usable_size);
EXPORT(myalloc_zone_drain);

EXPORT(myalloc_stat_fill);
EXPORT(myalloc_cache_stat_fill);
EXPORT(myalloc_heap_stat_fill);
EXPORT(myalloc_ring_stat_fill);
EXPORT(myalloc_arena_stat_fill);
EXPORT(myalloc_pool_stat_fill);
EXPORT(myalloc_zone_info);
EXPORT(myalloc_pages_magazines);
EXPORT(myalloc_cache_magazines);

/* device/job.c exports more of MYALLOC_JOB. */
MYALLOC_EXPORT_NS(myalloc_budget_check, MYALLOC_JOB);
MYALLOC_EXPORT_NS(myalloc_budget_zalloc, MYALLOC_JOB);

#if IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_INTERNAL(symbol)	MYALLOC_EXPORT_NS(symbol, MYALLOC_INTERNAL)

#ifdef CONFIG_KASAN_GENERIC
EXPORT_INTERNAL(myalloc_env_poison_as);
EXPORT_INTERNAL(myalloc_env_unpoison);
EXPORT_INTERNAL(myalloc_env_is_poisoned);
EXPORT_INTERNAL(myalloc_env_raw_memset);
EXPORT_INTERNAL(myalloc_env_raw_memchr_inv);
#endif

EXPORT_INTERNAL(myalloc_tree_words);
EXPORT_INTERNAL(myalloc_tree_init);
EXPORT_INTERNAL(myalloc_tree_next);
EXPORT_INTERNAL(myalloc_tree_last);

EXPORT_INTERNAL(myalloc_buddy_meta_size);
EXPORT_INTERNAL(myalloc_buddy_init);
EXPORT_INTERNAL(myalloc_buddy_join_size);
EXPORT_INTERNAL(myalloc_buddy_alloc);
EXPORT_INTERNAL(myalloc_buddy_alloc_exact);
EXPORT_INTERNAL(myalloc_buddy_may_hold);
EXPORT_INTERNAL(myalloc_buddy_alloc_exact_in);
EXPORT_INTERNAL(myalloc_buddy_alloc_range);
EXPORT_INTERNAL(myalloc_buddy_free);
EXPORT_INTERNAL(myalloc_buddy_free_exact);
EXPORT_INTERNAL(myalloc_buddy_piece);
EXPORT_INTERNAL(myalloc_buddy_lookup);
EXPORT_INTERNAL(myalloc_buddy_unusable);
EXPORT_INTERNAL(myalloc_buddy_extfrag);

EXPORT_INTERNAL(myalloc_magazines_init);
EXPORT_INTERNAL(myalloc_magazines_fini);
EXPORT_INTERNAL(myalloc_magazines_bytes);
EXPORT_INTERNAL(myalloc_magazines_idle);
EXPORT_INTERNAL(myalloc_magazines_count);
EXPORT_INTERNAL(myalloc_magazines_count_cpu);
EXPORT_INTERNAL(myalloc_magazines_enter);
EXPORT_INTERNAL(myalloc_magazines_passed);
EXPORT_INTERNAL(myalloc_magazines_hits);
EXPORT_INTERNAL(myalloc_magazines_load);
EXPORT_INTERNAL(myalloc_magazines_make);
EXPORT_INTERNAL(myalloc_magazines_remake);
EXPORT_INTERNAL(myalloc_magazines_places_left);
EXPORT_INTERNAL(myalloc_magazines_more_places);
EXPORT_INTERNAL(myalloc_magazines_room);
EXPORT_INTERNAL(myalloc_magazines_drain_here);
EXPORT_INTERNAL(myalloc_magazines_drain_depot);
EXPORT_INTERNAL(myalloc_magazines_drain_cpu);

EXPORT_INTERNAL(myalloc_map_search);
EXPORT_INTERNAL(myalloc_extent_alloc);
EXPORT_INTERNAL(myalloc_extent_resize);
EXPORT_INTERNAL(myalloc_owner_add);
EXPORT_INTERNAL(myalloc_owner_remove);
EXPORT_INTERNAL(myalloc_zone_create);
EXPORT_INTERNAL(myalloc_zone_meta_size);
EXPORT_INTERNAL(myalloc_zone_destroy);
EXPORT_INTERNAL(myalloc_zone_abandon);
EXPORT_INTERNAL(myalloc_zone_chunk_held);
EXPORT_INTERNAL(myalloc_zone_salvage);
EXPORT_INTERNAL(myalloc_zone_take);
EXPORT_INTERNAL(myalloc_zone_give);
EXPORT_INTERNAL(myalloc_zone_stats);
EXPORT_INTERNAL(myalloc_zone_last);
EXPORT_INTERNAL(myalloc_zone_reclaim);
EXPORT_INTERNAL(myalloc_zone_grow);
EXPORT_INTERNAL(myalloc_zone_shrink);
EXPORT_INTERNAL(myalloc_zone_surplus);
EXPORT_INTERNAL(myalloc_zone_set_decay);
EXPORT_INTERNAL(myalloc_map_set);
EXPORT_INTERNAL(myalloc_zone_last_report);
EXPORT_INTERNAL(myalloc_zone_crit);
EXPORT_INTERNAL(myalloc_report_begin);
EXPORT_INTERNAL(myalloc_report_add);
EXPORT_INTERNAL(myalloc_report_symbol);
EXPORT_INTERNAL(myalloc_report_end);
EXPORT_INTERNAL(myalloc_zone_walk_blocks);
EXPORT_INTERNAL(myalloc_zone_walk_caches);
EXPORT_INTERNAL(myalloc_drain_stop);
EXPORT_INTERNAL(myalloc_drainer_add);
EXPORT_INTERNAL(myalloc_zone_drain_cpu);
EXPORT_INTERNAL(myalloc_zone_drain_kinds);
EXPORT_INTERNAL(myalloc_limbo_harvest);
EXPORT_INTERNAL(myalloc_bad_poll);
EXPORT_INTERNAL(myalloc_quarantine_poll);
EXPORT_INTERNAL(myalloc_quarantine_abandon);
EXPORT_INTERNAL(myalloc_bad_name);

EXPORT_INTERNAL(myalloc_slab_layout);
EXPORT_INTERNAL(myalloc_cache_stats);
EXPORT_INTERNAL(myalloc_cache_walk_live);
EXPORT_INTERNAL(myalloc_cache_trim);
EXPORT_INTERNAL(myalloc_cache_flush);
EXPORT_INTERNAL(myalloc_cache_drop);
EXPORT_INTERNAL(myalloc_cache_fresh);
EXPORT_INTERNAL(myalloc_object_claim);
EXPORT_INTERNAL(myalloc_object_free_claimed);
EXPORT_INTERNAL(myalloc_cache_default_magazine);
EXPORT_INTERNAL(myalloc_cache_fix_magazines);
EXPORT_INTERNAL(myalloc_zone_magazines_short);
EXPORT_INTERNAL(myalloc_track);
EXPORT_INTERNAL(myalloc_pool_stats);
EXPORT_INTERNAL(myalloc_plan_blocks);
EXPORT_INTERNAL(myalloc_plan_extents);
EXPORT_INTERNAL(myalloc_limit_beyond);
EXPORT_INTERNAL(myalloc_limit_empty);
EXPORT_INTERNAL(myalloc_limit_fill);
EXPORT_INTERNAL(myalloc_zone_child_at);
EXPORT_INTERNAL(myalloc_nodes_create);
EXPORT_INTERNAL(myalloc_nodes_destroy);
EXPORT_INTERNAL(myalloc_nodes_order);
EXPORT_INTERNAL(myalloc_nodes_stats);

EXPORT_INTERNAL(myalloc_heap_stats);
EXPORT_INTERNAL(myalloc_client_walk);
EXPORT_INTERNAL(myalloc_client_extents);
EXPORT_INTERNAL(myalloc_client_stats);
EXPORT_INTERNAL(myalloc_client_orphan);
EXPORT_INTERNAL(myalloc_client_free_extents);
EXPORT_INTERNAL(myalloc_within_name);
EXPORT_INTERNAL(myalloc_within_walk);
EXPORT_INTERNAL(myalloc_makers_report);
EXPORT_INTERNAL(myalloc_sites_collect);
EXPORT_INTERNAL(myalloc_no_client);
EXPORT_INTERNAL(myalloc_sites_free);
EXPORT_INTERNAL(myalloc_sites_print);
EXPORT_INTERNAL(myalloc_front_add);
EXPORT_INTERNAL(myalloc_front_remove);
EXPORT_INTERNAL(myalloc_front_first);
EXPORT_INTERNAL(myalloc_front_walk_from);
EXPORT_INTERNAL(myalloc_arena_stats);
EXPORT_INTERNAL(myalloc_ring_attach);
EXPORT_INTERNAL(myalloc_ring_detach);
EXPORT_INTERNAL(myalloc_ring_kind);
EXPORT_INTERNAL(myalloc_ring_stats);
EXPORT_INTERNAL(myalloc_ring_may_sleep);
EXPORT_INTERNAL(myalloc_ring_release_to);

EXPORT_INTERNAL(myalloc_finding);
EXPORT_INTERNAL(myalloc_buddy_validate);
EXPORT_INTERNAL(myalloc_cache_validate);
EXPORT_INTERNAL(myalloc_zone_validate);

EXPORT_INTERNAL(myalloc_histogram_init);
EXPORT_INTERNAL(myalloc_histogram_add);
EXPORT_INTERNAL(myalloc_histogram_merge);
EXPORT_INTERNAL(myalloc_histogram_count);
EXPORT_INTERNAL(myalloc_histogram_quantile);
EXPORT_INTERNAL(myalloc_histogram_bucket);
EXPORT_INTERNAL(myalloc_histogram_upper);
EXPORT_INTERNAL(myalloc_sort);
EXPORT_INTERNAL(myalloc_pattern_key);
EXPORT_INTERNAL(myalloc_pattern_identity);
EXPORT_INTERNAL(myalloc_pattern_fill);
EXPORT_INTERNAL(myalloc_pattern_check);
EXPORT_INTERNAL(myalloc_pattern_check_zero);
EXPORT_INTERNAL(myalloc_pattern_trace);
#endif
