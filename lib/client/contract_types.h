/* SPDX-License-Identifier: GPL-2.0 */
/* The structure of a contract; users include myalloc.h. */
#ifndef MYALLOC_CONTRACT_TYPES_H
#define MYALLOC_CONTRACT_TYPES_H

#include "object/cache_types.h"
#include "page/limit.h"
#include "zone/front.h"

/**
 * struct myalloc_contract_part - one line of a contract, see contract.c
 * @limit: the requests that @zone serves
 * @zone: the zone of the line; NULL while it is under construction
 * @cache: OBJECTS: its cache
 * @kind: enum myalloc_contract_kind
 * @declared: M in pages, or K in objects
 * @id: number of @zone among the children of the parent; MYALLOC_CHILDREN_MAX for none yet
 * @nr_blocks: number of chunks
 * @blocks: their addresses, ascending
 * @plan: the plan that it was created by
 * @digest: of all that does not change once the part is complete (J5)
 * @name: of the zone
 */
struct myalloc_contract_part {
	struct myalloc_limit limit;
	struct myalloc_zone *zone;
	struct myalloc_cache *cache;
	enum myalloc_contract_kind kind;
	u32 declared;
	u32 id;
	u32 nr_blocks;
	void **blocks;
	struct myalloc_contract_line_plan plan;
	u64 digest;
	char name[MYALLOC_CONTRACT_NAME + 4];
};

/**
 * struct myalloc_contract - a contract; see contract.c for the theory
 * @front: registers it with the parent zone
 * @parent: the zone that supplies its memory
 * @flags: MYALLOC_CONTRACT_BEST_EFFORT
 * @pages: pages that all lines take, which count for the client
 * @owner: number of the extents of @parent that serve requests beyond; 0 for none
 * @nr: number of lines
 * @part: the lines
 */
struct myalloc_contract {
	struct myalloc_front front;
	struct myalloc_zone *parent;
	u32 flags;
	u32 pages;
	u32 owner;
	u32 nr;
	struct myalloc_contract_part part[];
};

#endif /* MYALLOC_CONTRACT_TYPES_H */
