/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: the reserve, which grows and shrinks if max_mb is above reserve_mb.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 */
#ifndef _UAPI_MYALLOC_RESERVE_H
#define _UAPI_MYALLOC_RESERVE_H

/**
 * struct myalloc_reserve_stat - the reserve at one moment
 * @size: sizeof(struct myalloc_reserve_stat) of the caller
 * @chunk_order: out: log2 of the pages in a chunk
 * @floor_pages: out: pages that it always has (reserve_mb)
 * @max_pages: out: pages that it may have (max_mb)
 * @nr_pages: out: pages that it has
 * @free_pages: out: of those, free in the buddy
 * @surplus_pages: out: pages that could be given back now at most
 * @low_pages: out: with fewer free pages it grows
 * @grown: out: chunks taken from the system since the module was loaded
 * @shrunk: out: chunks given back to it
 * @decayed: out: of those, given back because nobody used them
 * @grow_fails: out: how often the system had no chunk
 * @decay_ms: out: time in which half of the surplus is given back, 0 for never
 * @decay_mb: out: MiB given back at most in an eighth of that time
 */
struct myalloc_reserve_stat {
	__u32 size;
	__u32 chunk_order;
	__u64 floor_pages;
	__u64 max_pages;
	__u64 nr_pages;
	__u64 free_pages;
	__u64 surplus_pages;
	__u64 low_pages;
	__u64 grown;
	__u64 shrunk;
	__u64 decayed;
	__u64 grow_fails;
	__u32 decay_ms;
	__u32 decay_mb;
};

/**
 * struct myalloc_reserve_change - grow or shrink the reserve
 * @pages: in: how much, rounded up to whole chunks; out: how much it was
 * @pad: zero
 *
 * A command that could do a part of it succeeds. Otherwise GROW returns -ENOSPC if the reserve has
 * all that max_mb allows, and -ENOMEM if the system has no chunk to spare; SHRINK returns 0 with
 * @pages 0 if no chunk above the floor is free.
 */
struct myalloc_reserve_change {
	__u64 pages;
	__u64 pad;
};

#define MYALLOC_IOC_RESERVE_STAT	_IOWR(MYALLOC_IOC, 0xd0, struct myalloc_reserve_stat)
#define MYALLOC_IOC_RESERVE_GROW	_IOWR(MYALLOC_IOC, 0xd1, struct myalloc_reserve_change)
#define MYALLOC_IOC_RESERVE_SHRINK	_IOWR(MYALLOC_IOC, 0xd2, struct myalloc_reserve_change)

#endif /* _UAPI_MYALLOC_RESERVE_H */
