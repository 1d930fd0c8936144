/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * stat_fields: the one list of the statistics of a zone, of a cache and of the fronts
 *
 * These lists generate the structs of the interface, the copy that the module makes into them,
 * the files in debugfs, the text and the JSON of the tool, its help and its man page. A new
 * statistic is one line here and a member of the same name in the allocator's own struct.
 *
 * The order is that of the structs and therefore part of the ABI: add at the end only.
 *
 * MYALLOC_ZONE_FIELDS(ONE, ORDERS) expands to
 *	ONE(type, name, kind, unit, label, help) for a number,
 *	ORDERS(type, name, kind, unit, label, key, help) for an array of numbers by order,
 * MYALLOC_CACHE_FIELDS(F) to
 *	F(type, name, file, kind, unit, label, key, help), and
 * MYALLOC_HEAP_FIELDS(H) and MYALLOC_RING_FIELDS(H) to
 *	H(type, name, kind, unit, label, help), and MYALLOC_ARENA_FIELDS(A) likewise;
 * so do MYALLOC_POOL_FIELDS(P), MYALLOC_CLIENT_FIELDS(C), and MYALLOC_CONTRACT_FIELDS(C), of one
 * line of a contract.
 *
 * @kind: of a zone:
 *	HOLDER	pages in one place; the holders add up to nr_pages when nothing is in flight
 *	STATE	another value that describes the present state
 *	EVENT	a count since the module was loaded
 *   of a cache or a front:
 *	TRAIT	constant while it exists
 *	SPACE	what it holds at present
 *	USE	a count since it was created
 * @unit: PAGES, BYTES, NUMBER; ORDER: log2 of pages; INDEX: 1/1000; ERROR: a count that
 *	is 0 unless a user made a mistake
 * @label: name in text for people; heading in a table
 * @help: what it counts, in a phrase
 * @key: name in JSON where it differs from @name, such as object_bytes, which includes the unit
 * @file: in debugfs, as SLUB names it: FILE(name) for a file of its own, LINE(name) for a
 *	line of the file "all"
 */
#ifndef _UAPI_MYALLOC_STAT_FIELDS_H
#define _UAPI_MYALLOC_STAT_FIELDS_H

/* The members before "reserved" of struct myalloc_stat, then those after it. */
#define MYALLOC_ZONE_FIELDS_1(ONE, ORDERS)						\
	ONE(__u64, nr_pages, STATE, PAGES, "capacity",					\
	    "pages of the reserve")							\
	ONE(__u64, free_pages, HOLDER, PAGES, "free",					\
	    "pages in free blocks of the buddy")					\
	ONE(__u64, cached_pages, HOLDER, PAGES, "cached",				\
	    "pages in per-CPU page magazines and their depots")				\
	ONE(__u64, page_pages, HOLDER, PAGES, "page users",				\
	    "pages allocated by page users")						\
	ONE(__u64, slab_pages, HOLDER, PAGES, "slabs",					\
	    "pages in slabs")								\
	ONE(__u64, deferred_pages, HOLDER, PAGES, "deferred",				\
	    "pages freed where the lock could not be taken, not yet back in the buddy")	\
	ORDERS(__u64, free_blocks, STATE, NUMBER, "free", free_blocks,			\
	       "free blocks in the buddy")						\
	ORDERS(__u64, cached_blocks, STATE, NUMBER, "cached", cached_blocks,		\
	       "blocks in magazines and depots")					\
	ORDERS(__s32, unusable, STATE, INDEX, "unusable", unusable_permille,		\
	       "unusable free space index as in mm/vmstat.c: the share of free "	\
	       "memory that no block of the order can use")				\
	ORDERS(__s32, extfrag, STATE, INDEX, "extfrag", extfrag_permille,		\
	       "fragmentation index as in mm/vmstat.c: towards 0 an allocation "	\
	       "fails for lack of memory, towards 1 because of fragmentation; -1 "	\
	       "while a block of the order is free")					\
	ONE(__s32, largest_order, STATE, ORDER, "largest order",			\
	    "order of the largest free block, -1 if there is none")

#define MYALLOC_ZONE_FIELDS_2(ONE, ORDERS)						\
	ORDERS(__u64, page_allocs, EVENT, NUMBER, "allocs", allocs,			\
	       "blocks allocated by page users")					\
	ORDERS(__u64, page_frees, EVENT, NUMBER, "frees", frees,			\
	       "blocks freed by page users")						\
	ORDERS(__u64, page_fails, EVENT, NUMBER, "fails", fails,			\
	       "page allocations that failed")						\
	ORDERS(__u64, page_hits, EVENT, NUMBER, "hits", hits,				\
	       "page allocations served by a magazine, without a refill from the buddy") \
	ONE(__u64, nmi_fails, EVENT, NUMBER, "failed in NMI",				\
	    "allocations that failed because an NMI had interrupted the lock's holder")	\
	ONE(__u64, splits, EVENT, NUMBER, "splits",					\
	    "blocks split in two")							\
	ONE(__u64, merges, EVENT, NUMBER, "merges",					\
	    "pairs of blocks merged")							\
	ONE(__u64, bad_frees, EVENT, ERROR, "wrong frees refused",			\
	    "wrong frees refused, of pages and objects")				\
	ONE(__u64, corruptions, EVENT, ERROR, "corruptions found",			\
	    "damage found in red zones, poison and metadata")				\
	ONE(__u64, deferred_frees, EVENT, NUMBER, "deferred frees",			\
	    "frees that went through the deferred list")				\
	ONE(__u64, drains, EVENT, NUMBER, "drains",					\
	    "times the per-CPU magazines were drained")					\
	ONE(__u64, peak_pages, STATE, PAGES, "most in use at once",			\
	    "most pages out of the buddy at one time")					\
	ONE(__u64, nr_caches, STATE, NUMBER, "caches",					\
	    "slab caches that exist")							\
	ONE(__u64, reports_suppressed, EVENT, NUMBER, "reports suppressed",		\
	    "wrong frees and damage that were counted but not printed in the kernel's log")	\
	ONE(__u64, quarantined_pages, HOLDER, PAGES, "quarantined",			\
	    "pages freed while lent to the kernel, which still has references to them")	\
	ONE(__u64, quarantines, EVENT, NUMBER, "quarantines",				\
	    "blocks that were ever quarantined")					\
	ONE(__u64, bad_pages, HOLDER, PAGES, "bad",					\
	    "pages found marked as bad memory, never allocated again")	\
	ONE(__u64, hole_pages, STATE, PAGES, "not taken",				\
	    "pages that the reserve may still take from the system, up to max_mb")	\
	ONE(__u64, grown, EVENT, NUMBER, "chunks taken",				\
	    "chunks taken from the system after the module was loaded")			\
	ONE(__u64, shrunk, EVENT, NUMBER, "chunks given back",				\
	    "chunks given back to the system")						\
	ONE(__u64, decayed, EVENT, NUMBER, "chunks decayed",				\
	    "of those, chunks given back because nobody had used them for long")	\
	ONE(__u64, grow_fails, EVENT, NUMBER, "chunks refused",				\
	    "times the system had no chunk to spare")

#define MYALLOC_ZONE_FIELDS(ONE, ORDERS)						\
	MYALLOC_ZONE_FIELDS_1(ONE, ORDERS)						\
	MYALLOC_ZONE_FIELDS_2(ONE, ORDERS)

/* The members before "flags" of struct myalloc_cache_stat, then those after it. */
#define MYALLOC_CACHE_FIELDS_1(F)							\
	F(__u32, id, LINE(id), TRAIT, NUMBER, "id", id,					\
	  "number of the cache")							\
	F(__u32, object_size, FILE(object_size), TRAIT, BYTES, "object", object_bytes,	\
	  "bytes that the user asked for")						\
	F(__u32, slot_size, FILE(slab_size), TRAIT, BYTES, "slot", slot_bytes,		\
	  "bytes that an object takes, with red zones and padding")			\
	F(__u32, align, LINE(align), TRAIT, BYTES, "alignment", align_bytes,		\
	  "alignment of objects")							\
	F(__u32, order, FILE(order), TRAIT, ORDER, "order of a slab", order,		\
	  "log2 of the pages in a slab")						\
	F(__u32, objects_per_slab, FILE(objs_per_slab), TRAIT, NUMBER,			\
	  "per slab", objects_per_slab,							\
	  "slots in a slab")

#define MYALLOC_CACHE_FIELDS_2(F)							\
	F(__u32, magazine, LINE(magazine), TRAIT, NUMBER,				\
	  "objects in a magazine", magazine,						\
	  "objects in a magazine, 0 without magazines")					\
	F(__u64, slabs, FILE(slabs), SPACE, NUMBER, "slabs", slabs,			\
	  "slabs of the cache")								\
	F(__u64, slabs_partial, FILE(partial), SPACE, NUMBER,				\
	  "partly used", slabs_partial,							\
	  "slabs neither full nor empty")						\
	F(__u64, slabs_empty, LINE(empty), SPACE, NUMBER, "empty", slabs_empty,		\
	  "slabs with every slot free")							\
	F(__u64, total_objects, FILE(total_objects), SPACE, NUMBER,			\
	  "total", total_objects,							\
	  "slots in all slabs")								\
	F(__u64, live_objects, FILE(objects), SPACE, NUMBER, "live", live_objects,	\
	  "objects held by users")							\
	F(__u64, cached_objects, LINE(cached_objects), SPACE, NUMBER,			\
	  "cached", cached_objects,							\
	  "objects in magazines and the depot")						\
	F(__u64, deferred_objects, LINE(deferred_objects), SPACE, NUMBER,		\
	  "deferred", deferred_objects,							\
	  "objects freed where the lock could not be taken, not yet back in their "	\
	  "slab")									\
	F(__u64, allocs, LINE(allocs), USE, NUMBER, "allocs", allocs,			\
	  "objects allocated")								\
	F(__u64, frees, LINE(frees), USE, NUMBER, "frees", frees,			\
	  "objects freed")								\
	F(__u64, fails, LINE(fails), USE, NUMBER, "fails", fails,			\
	  "allocations that failed")							\
	F(__u64, alloc_hits, LINE(alloc_fastpath), USE, NUMBER,				\
	  "allocs by magazine", alloc_hits,						\
	  "allocations served by a magazine, without a refill from slabs")		\
	F(__u64, free_hits, LINE(free_fastpath), USE, NUMBER,				\
	  "frees by magazine", free_hits,						\
	  "frees taken by a magazine, without a flush into slabs")			\
	F(__u64, refills, LINE(refills), USE, NUMBER, "refills", refills,		\
	  "batches moved from slabs to magazines, each for an alloc that is no alloc "	\
	  "by magazine")								\
	F(__u64, flushes, LINE(flushes), USE, NUMBER, "flushes", flushes,		\
	  "batches moved from magazines to slabs, by drains or for a free that is no "	\
	  "free by magazine")								\
	F(__u64, bad_frees, LINE(bad_frees), USE, ERROR,				\
	  "wrong frees refused", bad_frees,						\
	  "wrong frees refused")							\
	F(__u64, corruptions, LINE(corruptions), USE, ERROR,				\
	  "corruptions found", corruptions,						\
	  "damage found in red zones and poison")					\
	F(__u64, meta_bytes, LINE(meta_bytes), SPACE, BYTES, "metadata", meta_bytes,	\
	  "memory outside the slabs: the cache itself, its magazines, and its directory "	\
	  "and nine files in debugfs (about 8 kB)")					\
	F(__u64, waste_bytes, LINE(waste_bytes), SPACE, BYTES,				\
	  "unused in slabs", waste_bytes,						\
	  "bytes in slabs that no object uses")

#define MYALLOC_CACHE_FIELDS(F)								\
	MYALLOC_CACHE_FIELDS_1(F)							\
	MYALLOC_CACHE_FIELDS_2(F)

/* The members behind "name" of struct myalloc_heap_stat. */
#define MYALLOC_HEAP_FIELDS(H)								\
	H(__u64, id, TRAIT, NUMBER, "id",						\
	  "number of the heap")								\
	H(__u32, classes, TRAIT, NUMBER, "size classes",				\
	  "size classes; each is a cache called NAME-BYTES")				\
	H(__u32, max_object, TRAIT, BYTES, "largest class",				\
	  "bytes of the largest class; larger blocks are whole pages")			\
	H(__u64, live_objects, SPACE, NUMBER, "live objects",				\
	  "live blocks of a size class")						\
	H(__u64, live_extents, SPACE, NUMBER, "live extents",				\
	  "live blocks of whole pages")							\
	H(__u64, object_bytes, SPACE, BYTES, "in live objects",				\
	  "bytes of live blocks of a size class")					\
	H(__u64, extent_bytes, SPACE, BYTES, "in live extents",				\
	  "bytes of live blocks of whole pages")					\
	H(__u64, slack_bytes, SPACE, BYTES, "of these at most unused",			\
	  "upper bound of the bytes of live blocks beyond the sizes asked for, which "	\
	  "are not recorded; without requests for an alignment")			\
	H(__u64, held_bytes, SPACE, BYTES, "held",					\
	  "bytes of slabs and extents")							\
	H(__u64, cached_bytes, SPACE, BYTES, "cached",					\
	  "bytes of objects in magazines and depots")					\
	H(__u64, waste_bytes, SPACE, BYTES, "unused in slabs",				\
	  "bytes in slabs that no object uses")						\
	H(__u64, meta_bytes, SPACE, BYTES, "metadata",					\
	  "memory outside the slabs: the heap itself, its caches and their magazines")	\
	H(__u64, allocs, USE, NUMBER, "allocs",						\
	  "blocks allocated")								\
	H(__u64, frees, USE, NUMBER, "frees",						\
	  "blocks freed")								\
	H(__u64, fails, USE, NUMBER, "fails",						\
	  "allocations that failed")							\
	H(__u64, alloc_hits, USE, NUMBER, "allocs by magazine",				\
	  "allocations served by a magazine, without a refill from slabs")		\
	H(__u64, free_hits, USE, NUMBER, "frees by magazine",				\
	  "frees taken by a magazine, without a flush into slabs")			\
	H(__u64, bad_frees, USE, ERROR, "wrong frees refused",				\
	  "wrong frees of objects refused; the zone counts those of pages")		\
	H(__u64, corruptions, USE, ERROR, "corruptions found",				\
	  "damage found in red zones and poison")

/* The members behind "name" of struct myalloc_ring_stat. */
#define MYALLOC_RING_FIELDS(H)								\
	H(__u64, id, TRAIT, NUMBER, "id",						\
	  "number of the ring")								\
	H(__u32, mode, TRAIT, NUMBER, "mode",						\
	  "0: one producer, 1: several, 2: a part for each CPU that overwrites")	\
	H(__u32, parts, TRAIT, NUMBER, "parts",						\
	  "parts: 1, or one for each possible CPU")					\
	H(__u64, part_bytes, TRAIT, BYTES, "bytes of a part",				\
	  "bytes of a part")								\
	H(__u64, used_bytes, SPACE, BYTES, "used",					\
	  "bytes of records and their headers that are not released")			\
	H(__u64, records, USE, NUMBER, "reserved",					\
	  "records reserved")								\
	H(__u64, read, USE, NUMBER, "read",						\
	  "records released, or copied")						\
	H(__u64, skipped, USE, NUMBER, "discarded",					\
	  "discarded records that the reader has passed")				\
	H(__u64, lost, USE, NUMBER, "lost",						\
	  "records overwritten before they were copied, as far as the reader has come")	\
	H(__u64, full, USE, NUMBER, "full",						\
	  "reservations that failed because there was no room")				\
	H(__u64, too_long, USE, NUMBER, "too long",					\
	  "reservations that failed because the record was longer than a part")		\
	H(__u64, nmi_fails, USE, NUMBER, "failed in NMI",				\
	  "reservations that failed because an NMI had interrupted the lock's holder")	\
	H(__u64, refused, USE, ERROR, "wrong uses refused",				\
	  "wrong commits, discards, peeks and releases refused")			\
	H(__u64, shared, TRAIT, NUMBER, "shared",					\
	  "1 if its reader is in user space")						\
	H(__u64, wakes, USE, NUMBER, "wake-ups",					\
	  "times that the reader in user space was woken up")

/* The members behind "name" of struct myalloc_arena_stat. */
#define MYALLOC_ARENA_FIELDS(A)								\
	A(__u64, id, TRAIT, NUMBER, "id",						\
	  "number of the arena")							\
	A(__u32, percpu, TRAIT, NUMBER, "per CPU",					\
	  "1 if each context of each CPU has blocks of its own")			\
	A(__u32, poison, TRAIT, NUMBER, "poisons",					\
	  "1 if memory thrown away is filled with a pattern")				\
	A(__u64, block_bytes, TRAIT, BYTES, "block",					\
	  "bytes of a block")								\
	A(__u64, limit_bytes, TRAIT, BYTES, "limit",					\
	  "most bytes that its blocks may have, 0 for none")				\
	A(__u64, used_bytes, SPACE, BYTES, "used",					\
	  "bytes in use, with the gaps of alignment and unused ends of blocks")		\
	A(__u64, peak_bytes, SPACE, BYTES, "most used at once",				\
	  "most bytes in use at one time; of a per-CPU arena, summed over contexts")	\
	A(__u64, held_bytes, SPACE, BYTES, "held",					\
	  "bytes of its blocks")							\
	A(__u64, allocs, USE, NUMBER, "allocs",						\
	  "pieces allocated")								\
	A(__u64, fails, USE, NUMBER, "fails",						\
	  "allocations that failed")							\
	A(__u64, zone_calls, USE, NUMBER, "zone calls",					\
	  "blocks asked of the zone or given back to it")				\
	A(__u64, rewinds, USE, NUMBER, "rewinds",					\
	  "rewinds to a mark")								\
	A(__u64, resets, USE, NUMBER, "resets",						\
	  "resets")									\
	A(__u64, busy, USE, NUMBER, "busy",						\
	  "operations refused because they had interrupted another one of the same "	\
	  "context")									\
	A(__u64, bad_marks, USE, ERROR, "wrong marks refused",				\
	  "marks refused because they were stale or foreign")

/* The members behind "name" of struct myalloc_pool_stat. */
#define MYALLOC_POOL_FIELDS(P)								\
	P(__u64, id, TRAIT, NUMBER, "id",						\
	  "number of the pool")								\
	P(__u32, object_size, TRAIT, BYTES, "object size",				\
	  "usable bytes in an object")							\
	P(__u32, align, TRAIT, BYTES, "alignment",					\
	  "alignment of objects")							\
	P(__u32, flags, TRAIT, NUMBER, "flags",						\
	  "flags of its cache; 65536: takes no pages but those set aside")		\
	P(__u32, nmi, TRAIT, NUMBER, "spares",						\
	  "objects for NMI handlers that cannot get a lock")				\
	P(__u32, nr, SPACE, NUMBER, "objects set aside",				\
	  "no allocation fails while fewer objects are live")				\
	P(__u32, magazine, SPACE, NUMBER, "magazine size",				\
	  "objects in a per-CPU magazine")						\
	P(__u64, held, SPACE, NUMBER, "for magazines",					\
	  "objects that all magazines together can hold back, set aside in addition")	\
	P(__u64, slots, SPACE, NUMBER, "slots set aside",				\
	  "slots of the slabs set aside")						\
	P(__u64, slabs_set_aside, SPACE, NUMBER, "slabs set aside",			\
	  "slabs that the pool keeps until it is destroyed")				\
	P(__u64, slabs, SPACE, NUMBER, "slabs",						\
	  "all its slabs")								\
	P(__u64, pages, SPACE, PAGES, "pages",						\
	  "pages of all its slabs")							\
	P(__u64, live_objects, SPACE, NUMBER, "live objects",				\
	  "allocated objects")								\
	P(__u64, cached_objects, SPACE, NUMBER, "cached objects",			\
	  "free objects in magazines")							\
	P(__u64, deferred_objects, SPACE, NUMBER, "deferred frees",			\
	  "freed in NMI, not yet back in their slab")					\
	P(__u64, spares, SPACE, NUMBER, "spares in the pool",				\
	  "spares that are not allocated")						\
	P(__u64, allocs, USE, NUMBER, "allocs",						\
	  "objects allocated")								\
	P(__u64, frees, USE, NUMBER, "frees",						\
	  "objects freed")								\
	P(__u64, fails, USE, NUMBER, "fails",						\
	  "allocations that failed")							\
	P(__u64, spare_allocs, USE, NUMBER, "allocs by spare",				\
	  "allocations in NMI that a spare served")					\
	P(__u64, bad_frees, USE, ERROR, "wrong frees refused",				\
	  "wrong frees refused")

/* A line of a contract. The number comes from its front, the others from the contract. */
#define MYALLOC_CONTRACT_FIELDS(C)							\
	C(__u64, id, TRAIT, NUMBER, "id",						\
	  "number of the contract * 16 + number of the line")				\
	MYALLOC_CONTRACT_FIELDS_OWN(C)

#define MYALLOC_CONTRACT_FIELDS_OWN(C)							\
	C(__u32, kind, TRAIT, NUMBER, "kind",						\
	  "0: blocks, 1: extents, 2: objects")						\
	C(__u32, nmi, TRAIT, NUMBER, "for NMIs",					\
	  "blocks or objects that each CPU keeps for NMI handlers")			\
	C(__u64, declared, TRAIT, NUMBER, "declared",					\
	  "pages or objects that are live at most")					\
	C(__u64, needed, TRAIT, PAGES, "needed",					\
	  "pages within which no request of the line fails")				\
	C(__u64, set_aside, TRAIT, PAGES, "set aside",					\
	  "pages taken from the zone")							\
	C(__u64, live, SPACE, NUMBER, "live",						\
	  "pages or objects that users hold")						\
	C(__u64, peak, SPACE, NUMBER, "peak",						\
	  "most pages or objects that were live")					\
	C(__u64, highest_end, SPACE, PAGES, "highest end",				\
	  "pages up to the end of the highest block ever allocated")			\
	C(__u64, beyond, USE, NUMBER, "beyond",						\
	  "requests beyond the declared amount")						\
	C(__u64, best_effort, USE, NUMBER, "best effort",				\
	  "those of them that the zone has served")					\
	C(__u64, refused, USE, NUMBER, "refused",					\
	  "requests of a kind that was not declared, or for a particular place")	\
	C(__u64, failed_within, USE, ERROR, "failed within",				\
	  "requests that failed and were certainly within the declared amount: must be 0")	\
	C(__u64, nmi_allocs, USE, NUMBER, "allocs in NMI",				\
	  "allocations that the stack of a CPU has served")				\
	C(__u64, nmi_misses, USE, NUMBER, "misses in NMI",				\
	  "allocations that found neither the lock nor anything in the stack")		\
	C(__u64, refills, USE, NUMBER, "refills",					\
	  "times that stacks were filled up")						\
	C(__u64, nmi_frees_beyond, USE, NUMBER, "frees in NMI beyond",			\
	  "frees that waited for the lock beyond those that each CPU may have waiting")

/* The members behind "owner" of struct myalloc_client_stat. */
#define MYALLOC_CLIENT_FIELDS(C)							\
	C(__u64, id, TRAIT, NUMBER, "id",						\
	  "number of the client")							\
	C(__u64, parent, TRAIT, NUMBER, "parent",					\
	  "number of the client above it, 0 if there is none")				\
	C(__u64, soft_pages, TRAIT, PAGES, "soft quota",				\
	  "pages above which what it takes is counted and traced; 0 for no such quota")	\
	C(__u64, hard_pages, TRAIT, PAGES, "hard quota",				\
	  "pages above which it gets no more; 0 for no such quota")			\
	C(__u64, age_ms, SPACE, NUMBER, "age",						\
	  "milliseconds since it was created")						\
	C(__u64, pages, SPACE, PAGES, "pages",						\
	  "pages that it and the clients below it hold, which the quotas limit")	\
	C(__u64, slab_pages, SPACE, PAGES, "in slabs",					\
	  "pages in slabs of its caches, empty slabs included")				\
	C(__u64, extent_pages, SPACE, PAGES, "in extents",				\
	  "pages in its extents and those of its heaps")				\
	C(__u64, front_pages, SPACE, PAGES, "in arenas and rings",			\
	  "pages in its arenas and rings")						\
	C(__u64, below_pages, SPACE, PAGES, "of clients below",				\
	  "pages of the clients directly below it")					\
	C(__u32, caches, SPACE, NUMBER, "caches",					\
	  "its caches, those of its fronts included")					\
	C(__u32, fronts, SPACE, NUMBER, "fronts",					\
	  "its heaps, object pools, arenas and rings")					\
	C(__u32, children, SPACE, NUMBER, "clients below",				\
	  "clients directly below it")							\
	C(__u32, gone, SPACE, NUMBER, "owner is gone",					\
	  "1 if its owner went away without ending it")					\
	C(__u64, peak_pages, USE, PAGES, "peak",					\
	  "most pages held at one time")						\
	C(__u64, over, USE, NUMBER, "over soft quota",					\
	  "requests for pages that ended above the soft quota")				\
	C(__u64, refused, USE, NUMBER, "refused",					\
	  "requests for pages that the hard quota refused")

/* Members of a struct. */
#define MYALLOC_STAT_MEMBER(type, name, ...)	type name;
#define MYALLOC_STAT_ARRAY(type, name, ...)	type name[MYALLOC_ORDERS];

/* Statements that copy the fields from *from to *stat; k is an unsigned int. */
#define MYALLOC_STAT_COPY(type, name, ...)	stat->name = from->name;
#define MYALLOC_STAT_COPY_ARRAY(type, name, ...)					\
	for (k = 0; k < MYALLOC_ORDERS; k++)						\
		stat->name[k] = from->name[k];

#endif /* _UAPI_MYALLOC_STAT_FIELDS_H */
