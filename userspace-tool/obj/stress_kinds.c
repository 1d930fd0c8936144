// SPDX-License-Identifier: GPL-2.0
/*
 * stress_kinds: the kinds of stress run, by enum myalloc_stress_kind
 */
#include "obj/stress_parts.h"

const struct stress_kind stress_kinds[MYALLOC_STRESS_KINDS] = {
	[MYALLOC_STRESS_PAGES] = { "pages", true, false, 0,
		"allocate and free blocks of mixed orders at random, up to the target fill" },
	[MYALLOC_STRESS_OBJECTS] = { "objects", false, true, MYALLOC_STRESS_SIZES_MAX,
		"allocate and free objects of several caches and sizes at random" },
	[MYALLOC_STRESS_MIXED] = { "mixed", true, true, MYALLOC_STRESS_SIZES_MAX,
		"blocks and objects at the same time, so that slabs and page users compete for the zone" },
	[MYALLOC_STRESS_CROSS] = { "cross", true, true, MYALLOC_STRESS_SIZES_MAX,
		"one thread allocates and its partner on another CPU frees" },
	[MYALLOC_STRESS_EXHAUST] = { "exhaust", true, true, MYALLOC_STRESS_SIZES_MAX,
		"allocate everything to the last page and free it, again and again" },
	[MYALLOC_STRESS_HEAP] = { "heap", false, true, 0,
		"allocate, resize and free blocks of any size in one heap" },
	[MYALLOC_STRESS_ARENA] = { "arena", false, true, 0,
		"each thread fills an arena of its own, with marks, rewinds and resets" },
	[MYALLOC_STRESS_RING] = { "ring", false, true, 0,
		"all threads but the first write records into one ring, and the first reads them" },
	[MYALLOC_STRESS_POOL] = { "pool", true, true, 1,
		"objects of a pool, which must not fail, while blocks take the rest of the zone" },
};
