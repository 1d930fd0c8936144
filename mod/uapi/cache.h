/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: slab caches and their objects.
 * Include myalloc.h, which has the rules for all.
 */
#ifndef _UAPI_MYALLOC_CACHE_H
#define _UAPI_MYALLOC_CACHE_H

/* myalloc_cache_create.flags beside the MYALLOC_CHECK_* bits */
#define MYALLOC_CACHE_ZERO_ALLOC	(1u << 8)	/* objects read as zero when allocated */
#define MYALLOC_CACHE_ZERO_FREE		(1u << 9)	/* every object is cleared when freed */
#define MYALLOC_CACHE_RANDOM		(1u << 10)	/* slots are handed out in random order */
#define MYALLOC_CACHE_NO_MAGAZINE	(1u << 11)	/* no per-CPU magazines */
#define MYALLOC_CACHE_CERTAIN		(1u << 12)	/* of two racing frees one is refused */
#define MYALLOC_CACHE_TRUSTING		(1u << 13)	/* a free looks at the address only */
#define MYALLOC_CACHE_FLAGS	(MYALLOC_CHECK_ALL | MYALLOC_CACHE_ZERO_ALLOC | \
				 MYALLOC_CACHE_ZERO_FREE | MYALLOC_CACHE_RANDOM | \
				 MYALLOC_CACHE_NO_MAGAZINE | MYALLOC_CACHE_CERTAIN | \
				 MYALLOC_CACHE_TRUSTING)

/**
 * struct myalloc_cache_create - make a slab cache
 * @size: sizeof(struct myalloc_cache_create) of the caller
 * @object_size: bytes the user wants, 1 to MYALLOC_OBJECT_MAX
 * @align: alignment in bytes, a power of two up to the page size; 0 for 8
 * @flags: MYALLOC_CHECK_* and MYALLOC_CACHE_*
 * @magazine: objects in a magazine, 0 for the default
 * @reserved: zero
 * @handle: out: the cache's handle
 * @id: out: the cache's number, as in slabinfo and MYALLOC_IOC_CACHE_STAT
 * @pad: zero
 * @name: NUL-terminated, unique in the zone: ASCII letters, digits, '-', '_', '.'
 */
struct myalloc_cache_create {
	__u32 size;
	__u32 object_size;
	__u32 align;
	__u32 flags;
	__u32 magazine;
	__u32 reserved;
	__u64 handle;
	__u32 id;
	__u32 pad;
	char name[MYALLOC_NAME_MAX];
};

#define MYALLOC_OBJECT_MAX	32768

/**
 * struct myalloc_handle - a command that takes one cache handle
 * @handle: the cache
 * @result: out: pages given back (shrink, drain), 0 otherwise
 */
struct myalloc_handle {
	__u64 handle;
	__u64 result;
};

/**
 * struct myalloc_obj_alloc - allocate objects
 * @cache: handle of the cache
 * @handles: user address of @count __u64
 * @count: 1 to MYALLOC_BULK_MAX
 * @flags: MYALLOC_ALLOC_ZERO or 0
 * @done: out: objects allocated
 * @pad: zero
 */
struct myalloc_obj_alloc {
	__u64 cache;
	__u64 handles;
	__u32 count;
	__u32 flags;
	__u32 done;
	__u32 pad;
};

/* myalloc_cache_stat.how */
#define MYALLOC_BY_HANDLE	0	/* @handle names one of this file's caches */
#define MYALLOC_BY_ID		1	/* @id names any cache; -ENOENT if there is none */
#define MYALLOC_NEXT_ID		2	/* the first with a number >= @id; -ENOENT at the end */

/**
 * struct myalloc_cache_stat - one cache's books
 * @size: sizeof(struct myalloc_cache_stat) of the caller
 * @how: MYALLOC_BY_HANDLE, MYALLOC_BY_ID or MYALLOC_NEXT_ID
 * @handle: in, with MYALLOC_BY_HANDLE
 * @id: in or out: the cache's number
 * @object_size: bytes the user asked for
 * @slot_size: bytes an object takes, with red zones and padding
 * @align: alignment of objects, bytes
 * @order: log2 of pages in a slab
 * @objects_per_slab: slots in a slab
 * @flags: MYALLOC_CHECK_* and MYALLOC_CACHE_*
 * @magazine: objects in a magazine, 0 if none
 * @slabs: slabs held
 * @slabs_partial: of them, neither full nor empty
 * @slabs_empty: of them, with every slot free
 * @total_objects: slots in all slabs
 * @live_objects: held by users
 * @cached_objects: in magazines and the depot
 * @deferred_objects: freed where the lock could not be had, not yet back
 * @allocs: objects handed out
 * @frees: objects that came back
 * @fails: allocations that failed
 * @alloc_hits: of @allocs, served by a magazine
 * @free_hits: of @frees, taken by a magazine
 * @refills: magazines filled from slabs
 * @flushes: magazines emptied into slabs
 * @bad_frees: wrong frees refused
 * @corruptions: red zone and poison damage found
 * @meta_bytes: memory beside the slabs: the cache itself and its magazines. Not in it: a
 *	directory and nine files in debugfs, about 8 kB of the kernel's dentries and inodes
 * @waste_bytes: bytes in slabs that no object uses
 * @name: NUL-terminated
 */
struct myalloc_cache_stat {
	__u32 size;
	__u32 how;
	__u64 handle;
	__u32 id;
	__u32 object_size;
	__u32 slot_size;
	__u32 align;
	__u32 order;
	__u32 objects_per_slab;
	__u32 flags;
	__u32 magazine;
	__u64 slabs;
	__u64 slabs_partial;
	__u64 slabs_empty;
	__u64 total_objects;
	__u64 live_objects;
	__u64 cached_objects;
	__u64 deferred_objects;
	__u64 allocs;
	__u64 frees;
	__u64 fails;
	__u64 alloc_hits;
	__u64 free_hits;
	__u64 refills;
	__u64 flushes;
	__u64 bad_frees;
	__u64 corruptions;
	__u64 meta_bytes;
	__u64 waste_bytes;
	char name[MYALLOC_NAME_MAX];
};

#define MYALLOC_IOC_CACHE_CREATE	_IOWR(MYALLOC_IOC, 0x20, struct myalloc_cache_create)
#define MYALLOC_IOC_CACHE_DESTROY	_IOWR(MYALLOC_IOC, 0x21, struct myalloc_handle)
#define MYALLOC_IOC_CACHE_SHRINK	_IOWR(MYALLOC_IOC, 0x22, struct myalloc_handle)
#define MYALLOC_IOC_CACHE_DRAIN		_IOWR(MYALLOC_IOC, 0x23, struct myalloc_handle)
#define MYALLOC_IOC_CACHE_STAT		_IOWR(MYALLOC_IOC, 0x24, struct myalloc_cache_stat)
#define MYALLOC_IOC_OBJ_ALLOC		_IOWR(MYALLOC_IOC, 0x28, struct myalloc_obj_alloc)
#define MYALLOC_IOC_OBJ_FREE		_IOWR(MYALLOC_IOC, 0x29, struct myalloc_free)

#endif /* _UAPI_MYALLOC_CACHE_H */
