/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: slab caches and their objects.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 */
#ifndef _UAPI_MYALLOC_CACHE_H
#define _UAPI_MYALLOC_CACHE_H

/* myalloc_cache_create.flags beside the MYALLOC_CHECK_* bits */
#define MYALLOC_CACHE_ZERO_ALLOC	(1u << 8)	/* objects read as zero when allocated */
#define MYALLOC_CACHE_ZERO_FREE		(1u << 9)	/* every object is cleared when freed */
#define MYALLOC_CACHE_RANDOM		(1u << 10)	/* one of two racing frees is refused */
#define MYALLOC_CACHE_NO_MAGAZINE	(1u << 11)	/* a free checks the address only */
#define MYALLOC_CACHE_CERTAIN		(1u << 12)	/* of two racing frees one is refused */
#define MYALLOC_CACHE_TRUSTING		(1u << 13)	/* a free looks at the address only */
#define MYALLOC_CACHE_TYPESAFE_RCU	(1u << 14)	/* free objects keep their content */
#define MYALLOC_CACHE_FLAGS	(MYALLOC_CHECK_ALL | MYALLOC_CACHE_ZERO_ALLOC | \
				 MYALLOC_CACHE_ZERO_FREE | MYALLOC_CACHE_RANDOM | \
				 MYALLOC_CACHE_NO_MAGAZINE | MYALLOC_CACHE_CERTAIN | \
				 MYALLOC_CACHE_TRUSTING | MYALLOC_CACHE_TYPESAFE_RCU)

/**
 * struct myalloc_cache_create - create a slab cache
 * @size: sizeof(struct myalloc_cache_create) of the caller
 * @object_size: usable bytes in an object, 1 to MYALLOC_OBJECT_MAX
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
 * struct myalloc_handle - argument of a command on one cache
 * @handle: the cache
 * @result: out: pages returned to the buddy (shrink, drain), 0 otherwise
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
#define MYALLOC_NEXT_ID		2	/* first cache with a number >= @id, or -ENOENT */

/*
 * struct myalloc_cache_stat - the statistics of one cache at one moment
 * @size: sizeof(struct myalloc_cache_stat) of the caller
 * @how: MYALLOC_BY_HANDLE, MYALLOC_BY_ID or MYALLOC_NEXT_ID
 * @handle: in, with MYALLOC_BY_HANDLE
 * @flags: MYALLOC_CHECK_* and MYALLOC_CACHE_*
 * @name: NUL-terminated
 *
 * stat_fields.h lists the other members in the order of the struct; @id is also an input.
 */
struct myalloc_cache_stat {
	__u32 size;
	__u32 how;
	__u64 handle;

	MYALLOC_CACHE_FIELDS_1(MYALLOC_STAT_MEMBER)

	__u32 flags;

	MYALLOC_CACHE_FIELDS_2(MYALLOC_STAT_MEMBER)

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
