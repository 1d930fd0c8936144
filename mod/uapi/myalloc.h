/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: the interface of /dev/myalloc
 *
 * The device
 *	/dev/myalloc, mode 0600; open needs CAP_SYS_ADMIN. The one channel of
 *	control: the files in /sys/kernel/debug/myalloc only show.
 *
 * What an open file holds
 *	Pages, caches and objects are named by 64-bit handles.
 *	A handle is never an address, is valid only on the open file
 *	description that made it (dup() and fork() share one), is never used
 *	twice, and ends with it: the last close gives everything back, also
 *	after SIGKILL.
 *
 *	All of it together, an object as its share of a slab, is at most
 *	session_quota percent of the reserve, a parameter of the module (94 if
 *	not given): one file cannot take all from those who work in the kernel.
 *	Stress runs and benchmarks are not in it.
 *
 * The descriptor is the capability
 *	CAP_SYS_ADMIN is looked at by open() and not again. Whoever has the
 *	descriptor, after setuid(), by fork() or from another process, can do
 *	all that this file says, as with other files that only open() guards.
 *	A program that gives up its privileges closes it, or keeps it as the
 *	one it wants.
 *
 * Rules for every command
 *	Unknown flag bits, nonzero padding, a count of 0 or above
 *	MYALLOC_BULK_MAX, an order above MYALLOC_MAX_ORDER	-EINVAL
 *	a command that is not in this file			-ENOTTY
 *	a job (stress, benchmarks ...) whose module is not
 *	loaded; stress is in myalloc.ko, benchmarks are in
 *	myalloc_bench.ko					-EOPNOTSUPP
 *	a pointer that cannot be read or written		-EFAULT
 *	a handle that is stale, of another kind or another file's	-ENOENT
 *	memory that is not to be had				-ENOMEM
 *	something that still holds what the command would end	-EBUSY
 *	more handles than MYALLOC_HANDLES_MAX on one file	-ENOSPC
 *	a signal that came during a bulk allocation		-EINTR
 *	more of the reserve than one file may hold		-EDQUOT
 *
 *	Structs that begin with a @size member may grow at the end. The
 *	caller sets it to sizeof() of its own version; an older kernel
 *	refuses nonzero bytes it does not know with -E2BIG, a newer one
 *	takes missing bytes as zero. On return @size is unchanged and no more
 *	than @size bytes were written. Every other struct is fixed; a new
 *	need is a new number.
 *
 *	Bulk commands process handles in order, store how many were done in
 *	@done, and return 0 if all were, otherwise the error of the first one
 *	that was not (with @done and the handles before it valid).
 */
#ifndef _UAPI_MYALLOC_H
#define _UAPI_MYALLOC_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "stat_fields.h"

#define MYALLOC_DEVICE		"/dev/myalloc"

/* Largest order of a block: log2 of pages. Arrays by order have one more. */
#define MYALLOC_MAX_ORDER	10
#define MYALLOC_ORDERS		(MYALLOC_MAX_ORDER + 1)

#define MYALLOC_NAME_MAX	32	/* bytes of a cache's name, with its NUL */
#define MYALLOC_BULK_MAX	4096	/* handles in one bulk command */
#define MYALLOC_HANDLES_MAX	(1u << 20)	/* handles on one open file */

/* Checking levels; the letters are those of SLUB's slab_debug= option. */
#define MYALLOC_CHECK_SANITY	(1u << 0)	/* F: whole-slab consistency on every slow path */
#define MYALLOC_CHECK_REDZONE	(1u << 1)	/* Z: red zones around each object */
#define MYALLOC_CHECK_POISON	(1u << 2)	/* P: free memory holds a pattern */
#define MYALLOC_CHECK_OWNER	(1u << 3)	/* U: call stack of the last alloc and free */
#define MYALLOC_CHECK_ALL	0xfu

#define MYALLOC_IOC	0xb5

/* Numbers of jobs, work in the background, in blocks of 16 for each kind. */
#define MYALLOC_IOC_JOBS	0x30
#define MYALLOC_IOC_JOBS_END	0x6f

#include "zone.h"
#include "page.h"
#include "cache.h"
#include "stress.h"
#include "bench.h"

#endif /* _UAPI_MYALLOC_H */
