// SPDX-License-Identifier: GPL-2.0
/*
 * Generic KASAN: writing its shadow memory
 *
 * KASAN's internal interface for this is private to mm/, and the functions that it exports do not
 * use the codes that a report calls use-after-free or slab-out-of-bounds. So this file, which is
 * not instrumented, stores the shadow bytes itself, one for each 8 bytes of memory: 0 if all 8
 * may be accessed; 1 to 7 if only that many; a negative code if none. The shadow is changed only
 * for memory of a zone, which is mapped linearly.
 */
#include "env.h"

#include <linux/kasan.h>

#define GRANULE_SHIFT	3

static_assert(BIT(GRANULE_SHIFT) == MYALLOC_ENV_GRANULE);
static_assert(KASAN_SHADOW_SCALE_SHIFT == GRANULE_SHIFT);

/* Codes from mm/kasan/kasan.h */
static const u8 codes[] = {
	[MYALLOC_ENV_FREE_PAGE] = 0xff,
	[MYALLOC_ENV_FREE_OBJECT] = 0xfb,
	[MYALLOC_ENV_REDZONE] = 0xfc,
};

/* The functions are documented in env.h. */
void myalloc_env_poison_as(const void *addr, size_t size, enum myalloc_env_poison as)
{
	memset(kasan_mem_to_shadow(addr), codes[as], size >> GRANULE_SHIFT);
}

void myalloc_env_unpoison(const void *addr, size_t size)
{
	u8 *shadow = kasan_mem_to_shadow(addr);

	memset(shadow, 0, size >> GRANULE_SHIFT);
	if (size % MYALLOC_ENV_GRANULE)
		shadow[size >> GRANULE_SHIFT] = size % MYALLOC_ENV_GRANULE;
}

bool myalloc_env_is_poisoned(const void *addr)
{
	s8 code = *(s8 *)kasan_mem_to_shadow(addr);

	return code && (s8)((unsigned long)addr % MYALLOC_ENV_GRANULE) >= code;
}

void myalloc_env_raw_memset(void *addr, int c, size_t size)
{
	memset(addr, c, size);
}

u8 myalloc_env_raw_byte(const void *addr)
{
	return *(const u8 *)addr;
}

const void *myalloc_env_raw_memchr_inv(const void *addr, int c, size_t size)
{
	const u8 *p = addr;

	for (; size; size--, p++)
		if (*p != (u8)c)
			return p;
	return NULL;
}
