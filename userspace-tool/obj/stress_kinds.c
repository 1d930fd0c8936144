// SPDX-License-Identifier: GPL-2.0
/*
 * stress_kinds: the kinds of stress run, by enum myalloc_stress_kind
 */
#include "obj/stress.h"

const struct stress_kind stress_kinds[MYALLOC_STRESS_KINDS] = {
	[MYALLOC_STRESS_PAGES] = { "pages", true, false,
		"allocate and free blocks of mixed orders at random, up to the target fill" },
	[MYALLOC_STRESS_OBJECTS] = { "objects", false, true,
		"allocate and free objects of several caches and sizes at random" },
	[MYALLOC_STRESS_MIXED] = { "mixed", true, true,
		"blocks and objects at the same time, so that slabs and page users compete for the zone" },
	[MYALLOC_STRESS_CROSS] = { "cross", true, true,
		"one thread allocates and its partner on another CPU frees" },
	[MYALLOC_STRESS_EXHAUST] = { "exhaust", true, true,
		"allocate everything to the last page and free it, again and again" },
	[MYALLOC_STRESS_HEAP] = { "heap", false, true,
		"allocate, resize and free blocks of any size in one heap" },
};
