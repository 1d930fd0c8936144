/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: the interface of /dev/myalloc
 *
 * The device
 *	/dev/myalloc, mode 0600; open needs CAP_SYS_ADMIN. All control goes
 *	through it: the files in /sys/kernel/debug/myalloc are read-only.
 *
 * Resources of an open file
 *	Pages, caches and objects are named by 64-bit handles.
 *	A handle is never an address, is valid only on the open file
 *	description that created it (dup() and fork() share one), is never
 *	reused, and ends with it: the last close frees everything, also
 *	after SIGKILL.
 *
 *	One open file can hold at most session_quota percent of the reserve, a
 *	module parameter (default 94), so that it cannot starve the users in
 *	the kernel. An object counts as its share of a slab. Stress runs and
 *	benchmarks do not count.
 *
 * The descriptor is the capability
 *	Only open() checks CAP_SYS_ADMIN. A process with the descriptor, after
 *	setuid(), by fork() or from another process, can use every command of
 *	this file, as with other files that only open() guards. A program that
 *	drops its privileges should close it, unless it means to keep this one.
 *
 * Rules for every command
 *	unknown flag bits, nonzero padding, a count of 0 or above
 *	MYALLOC_BULK_MAX, an order above MYALLOC_MAX_ORDER	-EINVAL
 *	a command that is not in this file			-ENOTTY
 *	a job (stress, benchmarks ...) whose module is not
 *	loaded; stress is in myalloc.ko, benchmarks are in
 *	myalloc_bench.ko					-EOPNOTSUPP
 *	a pointer that cannot be read or written		-EFAULT
 *	a handle that is stale, of another kind or another file's	-ENOENT
 *	out of memory						-ENOMEM
 *	the object of the command is still in use		-EBUSY
 *	more handles than MYALLOC_HANDLES_MAX on one file	-ENOSPC
 *	a signal that came during a bulk allocation		-EINTR
 *	more of the reserve than one file may hold		-EDQUOT
 *
 *	Structs that begin with a @size member may grow at the end. The
 *	caller sets it to sizeof() of its own version; an older kernel
 *	refuses nonzero bytes that it does not know with -E2BIG, a newer one
 *	takes missing bytes as zero. On return @size is unchanged and at
 *	most @size bytes were written. Every other struct is fixed; an
 *	extension gets a new number.
 *
 *	Bulk commands process handles in order and store in @done how many
 *	succeeded. They return 0 if all did, otherwise the error of the first
 *	that failed; @done and the handles before it are valid.
 */
#ifndef _UAPI_MYALLOC_H
#define _UAPI_MYALLOC_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "stat_fields.h"

#define MYALLOC_DEVICE		"/dev/myalloc"

/* Largest order of a block: log2 of pages. Arrays by order have one entry more. */
#define MYALLOC_MAX_ORDER	14
#define MYALLOC_ORDERS		(MYALLOC_MAX_ORDER + 1)

#define MYALLOC_NAME_MAX	32	/* bytes of a cache's name, including the NUL */
#define MYALLOC_BULK_MAX	4096	/* handles in one bulk command */
#define MYALLOC_HANDLES_MAX	(1u << 20)	/* handles on one open file */

/* Checking levels, with the letters of SLUB's slab_debug= option. */
#define MYALLOC_CHECK_SANITY	(1u << 0)	/* F: whole-slab consistency on every slow path */
#define MYALLOC_CHECK_REDZONE	(1u << 1)	/* Z: red zones around each object */
#define MYALLOC_CHECK_POISON	(1u << 2)	/* P: free memory holds a pattern */
#define MYALLOC_CHECK_OWNER	(1u << 3)	/* U: call stack of the last alloc and free */
#define MYALLOC_CHECK_ALL	0xfu

#define MYALLOC_IOC	0xb5

/* Command numbers of jobs (work in the background): a block of 16 for each kind. */
#define MYALLOC_IOC_JOBS	0x30
#define MYALLOC_IOC_JOBS_END	0x5f

#include "zone.h"
#include "look.h"
#include "reserve.h"
#include "node.h"
#include "page.h"
#include "cache.h"
#include "heap.h"
#include "pool.h"
#include "client.h"
#include "arena.h"
#include "ring.h"
#include "contract.h"
#include "stress.h"
#include "bench.h"

#endif /* _UAPI_MYALLOC_H */
