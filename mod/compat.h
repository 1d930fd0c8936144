/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernel versions, 6.1 to 7.x. Version checks are here and nowhere
 * else.
 */
#ifndef MYALLOC_COMPAT_H
#define MYALLOC_COMPAT_H

#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/log2.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/version.h>

/* Is this kernel of that version or a later one? */
#define MYALLOC_KERNEL(major, minor)						\
	(LINUX_VERSION_MAJOR * 1000 + LINUX_VERSION_PATCHLEVEL >= (major) * 1000 + (minor))

/*
 * Largest order of alloc_pages(): MAX_ORDER - 1 before 6.4, MAX_ORDER before 6.8, then
 * MAX_PAGE_ORDER. This means the same in all of them.
 */
#define MYALLOC_KERNEL_MAX_ORDER	ilog2(MAX_ORDER_NR_PAGES)

/* Namespaces of symbols are strings since 6.13, and were bare words before. */
#if MYALLOC_KERNEL(6, 13)
#define MYALLOC_EXPORT_NS(symbol, ns)	EXPORT_SYMBOL_NS_GPL(symbol, #ns)
#define MYALLOC_IMPORT_NS(ns)		MODULE_IMPORT_NS(#ns)
#else
#define MYALLOC_EXPORT_NS(symbol, ns)	EXPORT_SYMBOL_NS_GPL(symbol, ns)
#define MYALLOC_IMPORT_NS(ns)		MODULE_IMPORT_NS(ns)
#endif

/* hrtimer_setup() came with 6.13; hrtimer_init() and a store are gone since 6.15. */
static inline void myalloc_compat_hrtimer_setup(struct hrtimer *timer,
						enum hrtimer_restart (*fn)(struct hrtimer *),
						clockid_t clock, enum hrtimer_mode mode)
{
#if MYALLOC_KERNEL(6, 13)
	hrtimer_setup(timer, fn, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
#endif
}

/*
 * A cache that is not merged with others: SLAB_NO_MERGE came with 6.5. Before, a flag that
 * does nothing without kmemleak has this effect too.
 */
#ifndef SLAB_NO_MERGE
#define SLAB_NO_MERGE	SLAB_NOLEAKTRACE
#endif

/* Can a kmem_cache be asked for sheaves, its per-CPU arrays? Since 6.18. */
#define MYALLOC_COMPAT_SHEAVES	MYALLOC_KERNEL(6, 18)

static inline struct kmem_cache *
myalloc_compat_sheaf_cache(const char *name, unsigned int size, unsigned int capacity)
{
#if MYALLOC_COMPAT_SHEAVES
	struct kmem_cache_args args = { .sheaf_capacity = capacity };

	return kmem_cache_create(name, size, &args, SLAB_NO_MERGE);
#else
	return NULL;
#endif
}

/*
 * The cycle counter, 0 if there is none. get_cycles() knows of none in user mode Linux,
 * whose processor has one all the same.
 */
static inline u64 myalloc_compat_cycles(void)
{
#if defined(CONFIG_UML) && defined(CONFIG_X86_64)
	return __builtin_ia32_rdtsc();
#else
	return get_cycles();
#endif
}

/* gen_pool is there only if something in the kernel uses it. */
#define MYALLOC_COMPAT_GENPOOL	IS_ENABLED(CONFIG_GENERIC_ALLOCATOR)

/* alloc_pages_bulk_array() became alloc_pages_bulk() with 6.14. */
static inline unsigned long
myalloc_compat_pages_bulk(gfp_t gfp, unsigned long nr, struct page **pages)
{
#if MYALLOC_KERNEL(6, 14)
	return alloc_pages_bulk(gfp, nr, pages);
#else
	return alloc_pages_bulk_array(gfp, nr, pages);
#endif
}

#endif /* MYALLOC_COMPAT_H */
