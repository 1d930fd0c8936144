/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernel versions, 6.1 to 7.x. This is the only file with version
 * checks.
 */
#ifndef MYALLOC_COMPAT_H
#define MYALLOC_COMPAT_H

#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/version.h>
#include <linux/workqueue.h>

/* Is this kernel version major.minor or later? */
#define MYALLOC_KERNEL(major, minor)						\
	(LINUX_VERSION_MAJOR * 1000 + LINUX_VERSION_PATCHLEVEL >= (major) * 1000 + (minor))

/* Caches of page fragments have a header of their own since 6.13. */
#if MYALLOC_KERNEL(6, 13)
#include <linux/page_frag_cache.h>
#endif

/*
 * Largest order of alloc_pages(): MAX_ORDER - 1 before 6.4, MAX_ORDER before 6.8, then
 * MAX_PAGE_ORDER. This expression is correct in all of them.
 */
#define MYALLOC_KERNEL_MAX_ORDER	ilog2(MAX_ORDER_NR_PAGES)

/**
 * myalloc_compat_module_text() - find the code of a module
 * @mod: the module
 * @init: find its init code instead
 * @base: out: where it begins
 *
 * Context: any.
 * Return: bytes; 0 if it has none.
 */
static inline unsigned long myalloc_compat_module_text(const struct module *mod, bool init,
						       unsigned long *base)
{
#if MYALLOC_KERNEL(6, 4)
	const struct module_memory *mem = &mod->mem[init ? MOD_INIT_TEXT : MOD_TEXT];

	*base = (unsigned long)mem->base;
	return mem->size;
#else
	const struct module_layout *layout = init ? &mod->init_layout : &mod->core_layout;

	*base = (unsigned long)layout->base;
	return layout->text_size;
#endif
}

/* Symbol namespaces are strings since 6.13 and were bare words before. */
#if MYALLOC_KERNEL(6, 13)
#define MYALLOC_EXPORT_NS(symbol, ns)	EXPORT_SYMBOL_NS_GPL(symbol, #ns)
#define MYALLOC_IMPORT_NS(ns)		MODULE_IMPORT_NS(#ns)
#else
#define MYALLOC_EXPORT_NS(symbol, ns)	EXPORT_SYMBOL_NS_GPL(symbol, ns)
#define MYALLOC_IMPORT_NS(ns)		MODULE_IMPORT_NS(ns)
#endif

/* The queue for work on any CPU has another name since 6.17; the old one is deprecated. */
#if MYALLOC_KERNEL(6, 17)
#define MYALLOC_COMPAT_UNBOUND_WQ	system_dfl_wq
#else
#define MYALLOC_COMPAT_UNBOUND_WQ	system_unbound_wq
#endif

/* Since 6.10 __assign_str() takes the string that __string() has named. */
#if MYALLOC_KERNEL(6, 10)
#define MYALLOC_ASSIGN_STR(field, ...)	__assign_str(field)
#else
#define MYALLOC_ASSIGN_STR(field, text)	__assign_str(field, text)
#endif

/**
 * myalloc_compat_hrtimer_setup() - initialise a timer
 * @timer: the timer
 * @fn: its function
 * @clock: its clock
 * @mode: its mode
 *
 * hrtimer_setup() appeared in 6.13; 6.15 removed hrtimer_init() with a store to ->function.
 *
 * Context: any.
 */
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
 * Do not merge a cache with others: SLAB_NO_MERGE appeared in 6.5. Before that, a flag that
 * has no other effect without kmemleak also prevents merging.
 */
#ifndef SLAB_NO_MERGE
#define SLAB_NO_MERGE	SLAB_NOLEAKTRACE
#endif

/**
 * myalloc_compat_vm_flags() - change the flags of a mapping
 * @vma: the mapping
 * @set: flags to set
 * @clear: flags to clear
 *
 * Setters exist since 6.3, and are the only way since 6.5.
 *
 * Context: mmap_lock held for writing.
 */
static inline void myalloc_compat_vm_flags(struct vm_area_struct *vma, unsigned long set,
					   unsigned long clear)
{
#if MYALLOC_KERNEL(6, 3)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

/* Are page table entries of 2 MiB marked as special, so that get_user_pages() fails on them? */
#if defined(CONFIG_TRANSPARENT_HUGEPAGE) && defined(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP)
#define MYALLOC_COMPAT_PMD_PFNMAP	1

/* vmf_insert_pfn_pmd() takes a plain number since 6.17. */
#if !MYALLOC_KERNEL(6, 17)
#include <linux/pfn_t.h>
#endif

/**
 * myalloc_compat_insert_pmd() - map a huge page
 * @vmf: the fault
 * @pfn: its first frame
 *
 * Context: as vmf_insert_pfn_pmd().
 * Return: the same.
 */
static inline vm_fault_t myalloc_compat_insert_pmd(struct vm_fault *vmf, unsigned long pfn)
{
	bool write = vmf->flags & FAULT_FLAG_WRITE;

#if MYALLOC_KERNEL(6, 17)
	return vmf_insert_pfn_pmd(vmf, pfn, write);
#else
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, 0), write);
#endif
}
#else
#define MYALLOC_COMPAT_PMD_PFNMAP	0
#endif

/*
 * A socket takes a page itself by MSG_SPLICE_PAGES since 6.5, before by kernel_sendpage(). Later
 * releases of 6.1 have the flag, and ignore it.
 */
#define MYALLOC_COMPAT_SPLICE_PAGES	MYALLOC_KERNEL(6, 5)

/* Does kmem_cache_create() accept sheaves (per-CPU arrays)? Since 6.18. */
#define MYALLOC_COMPAT_SHEAVES	MYALLOC_KERNEL(6, 18)

/**
 * myalloc_compat_sheaf_cache() - create a kmem_cache with sheaves
 * @name: its name
 * @size: bytes of an object
 * @capacity: objects in a sheaf
 *
 * Context: task, may sleep.
 * Return: the cache; NULL if the kernel has no sheaves, or out of memory.
 */
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

/**
 * myalloc_compat_cycles() - read the cycle counter
 *
 * In user mode Linux get_cycles() returns 0 although the processor has a counter.
 *
 * Context: any.
 * Return: the counter; 0 if there is none.
 */
static inline u64 myalloc_compat_cycles(void)
{
#if defined(CONFIG_UML) && defined(CONFIG_X86_64)
	return __builtin_ia32_rdtsc();
#else
	return get_cycles();
#endif
}

/* gen_pool is present only if another part of the kernel selects it. */
#define MYALLOC_COMPAT_GENPOOL	IS_ENABLED(CONFIG_GENERIC_ALLOCATOR)

/**
 * myalloc_compat_pages_bulk() - allocate several pages
 * @gfp: flags
 * @nr: number of pages
 * @pages: out: the pages
 *
 * alloc_pages_bulk_array() was renamed to alloc_pages_bulk() in 6.14.
 *
 * Context: as for @gfp.
 * Return: the number of pages.
 */
static inline unsigned long
myalloc_compat_pages_bulk(gfp_t gfp, unsigned long nr, struct page **pages)
{
#if MYALLOC_KERNEL(6, 14)
	return alloc_pages_bulk(gfp, nr, pages);
#else
	return alloc_pages_bulk_array(gfp, nr, pages);
#endif
}

/**
 * myalloc_compat_frag_drain() - give back the block of a cache of page fragments
 * @nc: the cache
 *
 * page_frag_cache_drain() appeared in 6.10.
 *
 * Context: any.
 */
static inline void myalloc_compat_frag_drain(struct page_frag_cache *nc)
{
#if MYALLOC_KERNEL(6, 10)
	page_frag_cache_drain(nc);
#else
	if (nc->va)
		__page_frag_cache_drain(virt_to_head_page(nc->va), nc->pagecnt_bias);
	nc->va = NULL;
#endif
}

/* objpool appeared in 6.7. */
#define MYALLOC_COMPAT_OBJPOOL	MYALLOC_KERNEL(6, 7)

/* Shrinkers are allocated since 6.7, and were embedded before. */
struct myalloc_compat_shrinker {
#if MYALLOC_KERNEL(6, 7)
	struct shrinker *shrinker;
#else
	struct shrinker shrinker;
#endif
};

typedef unsigned long (*myalloc_compat_shrink_fn)(struct shrinker *, struct shrink_control *);

/**
 * myalloc_compat_shrinker_begin() - register a shrinker
 * @s: the shrinker
 * @name: its name
 * @count: counts objects
 * @scan: frees objects
 * @batch: objects freed by one call
 *
 * Context: task, may sleep.
 * Return: 0, -ENOMEM.
 */
static inline int myalloc_compat_shrinker_begin(struct myalloc_compat_shrinker *s, const char *name,
						myalloc_compat_shrink_fn count,
						myalloc_compat_shrink_fn scan, long batch)
{
#if MYALLOC_KERNEL(6, 7)
	s->shrinker = shrinker_alloc(0, "%s", name);
	if (!s->shrinker)
		return -ENOMEM;
	s->shrinker->count_objects = count;
	s->shrinker->scan_objects = scan;
	s->shrinker->batch = batch;
	s->shrinker->seeks = DEFAULT_SEEKS;
	shrinker_register(s->shrinker);
	return 0;
#else
	s->shrinker = (struct shrinker){
		.count_objects = count, .scan_objects = scan, .batch = batch,
		.seeks = DEFAULT_SEEKS,
	};
	return register_shrinker(&s->shrinker, "%s", name);
#endif
}

/**
 * myalloc_compat_shrinker_end() - unregister a shrinker, and wait for its calls
 * @s: the shrinker
 *
 * Context: task, may sleep.
 */
static inline void myalloc_compat_shrinker_end(struct myalloc_compat_shrinker *s)
{
#if MYALLOC_KERNEL(6, 7)
	shrinker_free(s->shrinker);
#else
	unregister_shrinker(&s->shrinker);
#endif
}

/* Cleanup at the end of a scope appeared in 6.5. */
#if MYALLOC_KERNEL(6, 5)
#include <linux/cleanup.h>
#define MYALLOC_CLEANUP
#endif

#endif /* MYALLOC_COMPAT_H */
