/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dev: the only caller of /dev/myalloc
 *
 * dev.c makes the system calls and nothing else; the tests replace it with
 * tests/fake_dev.c. Errors are negative errno.
 */
#ifndef MYALLOCCTL_DEV_H
#define MYALLOCCTL_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "myalloc.h"

int dev_open(void);
void dev_close(int fd);
int dev_call(int fd, unsigned long cmd, void *arg);
/* Loads a module with modprobe; false if modprobe finds none. */
bool dev_load(const char *module);
/* 1 if readable, 0 after @ms, -EINTR after a signal that stop.h catches */
int dev_wait(int fd, __u64 ms);
/*
 * Map and unmap the block that @handle names, of @size bytes; 0 or the error. The address is a
 * multiple of 2 MiB or, with @apart, a page behind one, so that no entry of 2 MiB fits.
 */
int dev_map(int fd, __u64 handle, __u64 page_size, size_t size, bool apart, void **at);
void dev_unmap(void *at, size_t size);
/* Maps the ring with descriptor @fd for reading; 0 or the error */
int dev_map_ring(int fd, size_t size, void **at);
/* Can the ring be mapped for writing? Then the kernel has a bug. */
bool dev_can_write_ring(int fd, size_t size);
/* Number of records read, 0 after the last, -EAGAIN if there is none yet */
int dev_read_progress(int fd, struct myalloc_stress_progress *p, int nr);
/* The same of a benchmark: 1 record or none */
int dev_read_bench(int fd, struct myalloc_bench_progress *p);
/* The same of a test of a contract */
int dev_read_contract(int fd, struct myalloc_contract_progress *p);

static inline int dev_info(int fd, struct myalloc_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return dev_call(fd, MYALLOC_IOC_INFO, info);
}

static inline int dev_stat(int fd, struct myalloc_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	return dev_call(fd, MYALLOC_IOC_STAT, stat);
}

static inline int dev_validate(int fd, struct myalloc_validate *v)
{
	memset(v, 0, sizeof(*v));
	return dev_call(fd, MYALLOC_IOC_VALIDATE, v);
}

static inline int dev_drain(int fd, __u32 flags, __u64 *pages)
{
	struct myalloc_drain drain = { .flags = flags };
	int err = dev_call(fd, MYALLOC_IOC_DRAIN, &drain);

	*pages = drain.pages;
	return err;
}

/* Reads @count cells of @pages pages from @first on; *@done is the number of cells read. */
static inline int dev_cells(int fd, __u64 first, __u64 pages, __u32 count,
			    struct myalloc_cell *cells, __u32 *done)
{
	struct myalloc_cells arg = {
		.first = first,
		.pages = pages,
		.count = count,
		.cells = (__u64)(unsigned long)cells,
	};
	int err = dev_call(fd, MYALLOC_IOC_CELLS, &arg);

	*done = arg.done < count ? arg.done : count;
	return err;
}

static inline int dev_look(int fd, __u32 how, __u64 key, __u32 pid, __u32 slot,
			   struct myalloc_look *look)
{
	memset(look, 0, sizeof(*look));
	look->size = sizeof(*look);
	look->how = how;
	look->key = key;
	look->pid = pid;
	look->slot = slot;
	return dev_call(fd, MYALLOC_IOC_LOOK, look);
}

static inline int dev_cache_stat(int fd, __u32 how, __u64 handle, __u32 id,
				 struct myalloc_cache_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	stat->how = how;
	stat->handle = handle;
	stat->id = id;
	return dev_call(fd, MYALLOC_IOC_CACHE_STAT, stat);
}

static inline int dev_cache_op(int fd, unsigned long cmd, __u64 handle,
			       __u64 *result)
{
	struct myalloc_handle h = { .handle = handle };
	int err = dev_call(fd, cmd, &h);

	*result = h.result;
	return err;
}

static inline int dev_free(int fd, unsigned long cmd, const __u64 *handles,
			   __u32 count, __u32 *done)
{
	struct myalloc_free f = {
		.handles = (__u64)(unsigned long)handles,
		.count = count,
	};
	int err = dev_call(fd, cmd, &f);

	*done = f.done < count ? f.done : count;
	return err;
}

static inline int dev_stress_result(int fd, struct myalloc_stress_result *r)
{
	memset(r, 0, sizeof(*r));
	r->size = sizeof(*r);
	return dev_call(fd, MYALLOC_IOC_STRESS_RESULT, r);
}

#endif /* MYALLOCCTL_DEV_H */
