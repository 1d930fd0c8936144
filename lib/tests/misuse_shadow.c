// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses to free memory, or beside an object: ASan reports each where it happens, as KASAN does
 * in a kernel. The functions run in a child process, which the report ends.
 */
#include "misuse.h"

#ifdef HOST_ASAN

#define REPORT	"AddressSanitizer: use-after-poison"

static volatile u8 *o;

static void read_first(void *arg)
{
	(void)o[0];
}

static void write_first(void *arg)
{
	o[0] = 1;
}

static void write_behind(void *arg)
{
	o[*(u32 *)arg] = 1;
}

static void write_before(void *arg)
{
	o[-1] = 1;
}

static void read_object_freed(void)
{
	o = object(a);
	good(myalloc_cache_free(a, (void *)o));
	EXPECT(host_dies(read_first, NULL, REPORT), "not reported");
	host_log_reset();
}

static void write_object_freed(void)
{
	o = object(a);
	good(myalloc_cache_free(a, (void *)o));
	EXPECT(host_dies(write_first, NULL, REPORT), "not reported");
	host_log_reset();
}

static void write_page_freed(void)
{
	o = page(0);
	good(myalloc_pages_free(zone, (void *)o, 0));
	EXPECT(host_dies(write_first, NULL, REPORT), "not reported");
	host_log_reset();
}

/* Into a slot that is free. */
static void write_behind_object(void)
{
	u32 at = SIZE;

	o = object(a);
	EXPECT(host_dies(write_behind, &at, REPORT), "not reported");
	host_log_reset();
}

/* Into the padding of an object to a multiple of 8, with the next object in use. */
static void write_behind_odd(void)
{
	const struct myalloc_cache_args args = { .name = "odd", .object_size = 13 };
	struct myalloc_cache *odd = myalloc_cache_create(zone, &args);
	u32 at = 13;

	o = object(odd);
	object(odd);
	EXPECT(host_dies(write_behind, &at, "AddressSanitizer"), "not reported");
	host_log_reset();
}

static void write_behind_red(void)
{
	u32 at = SIZE;

	o = object(a);
	object(a);
	EXPECT(host_dies(write_behind, &at, REPORT), "not reported");
	host_log_reset();
}

static void write_before_red(void)
{
	object(a);
	o = object(a);
	EXPECT(host_dies(write_before, NULL, REPORT), "not reported");
	host_log_reset();
}

#endif

const struct misuse misuse_shadow[] = {
#ifdef HOST_ASAN
	CASE(read_object_freed, ""),
	CASE(write_object_freed, ""),
	CASE(write_page_freed, ""),
	CASE(write_behind_object, ""),
	CASE(write_behind_odd, ""),
	CASE_WITH(MYALLOC_REDZONE, write_behind_red, ""),
	CASE_WITH(MYALLOC_REDZONE, write_before_red, ""),
#endif
	{ }
};
