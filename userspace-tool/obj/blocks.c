// SPDX-License-Identifier: GPL-2.0
/*
 * blocks: pages or objects held through one descriptor, any number of them
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "obj/blocks.h"
#include "host/mem.h"
#include "out/out.h"
#include "host/stop.h"

static __u64 *room_for(struct handles *h, __u32 nr)
{
	__u64 *more;

	if (h->room - h->nr >= nr)
		return h->handle + h->nr;
	h->room = (h->nr + nr) * 2;
	more = xcalloc(h->room, sizeof(*more));
	if (h->nr)
		memcpy(more, h->handle, h->nr * sizeof(*more));
	free(h->handle);
	h->handle = more;
	return h->handle + h->nr;
}

static int get_bulk(int fd, const struct ask *ask, __u64 *to, __u32 count,
		    __u32 *done)
{
	struct myalloc_page_alloc pages = {
		.order = ask->order,
		.nr_pages = ask->nr_pages,
		.align_order = ask->align_order,
		.flags = ask->flags,
		.count = count,
		.handles = (__u64)(unsigned long)to,
	};
	struct myalloc_obj_alloc objects = {
		.cache = ask->cache,
		.flags = ask->flags,
		.count = count,
		.handles = (__u64)(unsigned long)to,
	};
	int err;

	stop_unblock();
	if (ask->objects)
		err = dev_call(fd, MYALLOC_IOC_OBJ_ALLOC, &objects);
	else
		err = dev_call(fd, MYALLOC_IOC_PAGE_ALLOC, &pages);
	stop_block();
	*done = ask->objects ? objects.done : pages.done;
	if (*done > count)
		*done = count;
	return err;
}

int handles_get(int fd, const struct ask *ask, __u64 count, struct handles *h)
{
	__u32 bulk, done;
	int err = 0;

	while (count && !err) {
		if (stop_signal())
			return -EINTR;
		bulk = count < MYALLOC_BULK_MAX ? count : MYALLOC_BULK_MAX;
		err = get_bulk(fd, ask, room_for(h, bulk), bulk, &done);
		h->nr += done;
		count -= done;
		if (!err && !done)
			break;
	}
	return err;
}

int handles_stopped(int err)
{
	return err == -EINTR && stop_signal() ? 128 + stop_signal() : 0;
}

size_t handles_put(int fd, bool objects, struct handles *h, int *err)
{
	unsigned long cmd = objects ? MYALLOC_IOC_OBJ_FREE : MYALLOC_IOC_PAGE_FREE;
	size_t at = 0, freed = 0, left;
	__u32 done;
	int e;

	*err = 0;
	while (at < h->nr) {
		left = h->nr - at;
		if (left > MYALLOC_BULK_MAX)
			left = MYALLOC_BULK_MAX;
		e = dev_free(fd, cmd, h->handle + at, left, &done);
		if (e && !*err)
			*err = e;
		freed += done;
		/* Skip the one that could not be freed, and go on with the next. */
		at += done + (e ? 1 : 0);
		if (!e && !done)
			break;
	}
	h->nr = 0;
	return freed;
}

void handles_free(struct handles *h)
{
	free(h->handle);
	memset(h, 0, sizeof(*h));
}

/* The first and the last handle, or all of them. */
void handles_describe(struct out *o, const struct handles *h, bool all)
{
	size_t i;

	if (!all && h->nr) {
		out_handle(o, "first_handle", "first handle", h->handle[0]);
		out_handle(o, "last_handle", "last handle",
			   h->handle[h->nr - 1]);
	}
	if (!all)
		return;
	out_list(o, "handles", "handles");
	for (i = 0; i < h->nr; i++)
		out_handle(o, NULL, NULL, h->handle[i]);
	out_end(o);
}

/* Ctrl-C is the normal end of 'forever', and an interruption of a fixed time. */
int hold(__u64 ms, const char *what)
{
	if (!ms)
		return EXIT_OK;
	if (ms == STOP_NEVER)
		out_note("holding %s until Ctrl-C", what);
	else
		out_note("holding %s for %llu.%03llu s; Ctrl-C ends it sooner",
			 what, (unsigned long long)ms / 1000,
			 (unsigned long long)ms % 1000);
	if (!stop_signal())
		stop_wait(-1, ms);
	if (stop_signal() && ms != STOP_NEVER)
		return 128 + stop_signal();
	return EXIT_OK;
}
