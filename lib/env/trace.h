/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events of the allocator: what both environments share
 *
 * Code of lib/ says that something has happened by
 *
 *	myalloc_env_trace(refill, .zone = zone->name, .name = c->name, .nr = n, .wanted = batch);
 *
 * In a kernel each event is a tracepoint (mod/trace.h), and the line is one nop, where the kernel
 * has jump labels, until somebody listens; natively it is a call of host_trace_hook. Arguments are
 * evaluated only if somebody listens. Events may occur in any context, also NMI.
 *
 * The structure would take room on the stack of a fast path. A fast path asks
 * myalloc_env_trace_on() at its beginning, and leaves all else to a function of its own, which
 * calls __myalloc_env_trace().
 */
#ifndef MYALLOC_ENV_TRACE_H
#define MYALLOC_ENV_TRACE_H

/**
 * struct myalloc_env_trace - what an event says; each event uses some of it
 * @zone: name of the zone
 * @name: name of the cache, or of the heap; NULL for pages
 * @ptr: the address
 * @call_site: address of the user's code that asked
 * @bytes: bytes at @ptr; bytes that were asked for if there is no @ptr
 * @bytes_req: bytes that were asked for
 * @order: log2 of pages, rounded up
 * @nr: number of things that have moved
 * @wanted: number that would have been right
 * @flags: flags of the request
 * @node: NUMA node of the zone
 * @bad: why a free was refused, in words
 * @as: what the address was freed as, in words
 */
struct myalloc_env_trace {
	const char *zone;
	const char *name;
	const void *ptr;
	unsigned long call_site;
	unsigned long bytes;
	unsigned long bytes_req;
	unsigned int order;
	unsigned int nr;
	unsigned int wanted;
	unsigned int flags;
	int node;
	const char *bad;
	const char *as;
};

/* One for each event. Context: any. */
void myalloc_env_trace_page_alloc(const struct myalloc_env_trace *trace);
void myalloc_env_trace_page_free(const struct myalloc_env_trace *trace);
void myalloc_env_trace_cache_alloc(const struct myalloc_env_trace *trace);
void myalloc_env_trace_cache_free(const struct myalloc_env_trace *trace);
void myalloc_env_trace_heap_alloc(const struct myalloc_env_trace *trace);
void myalloc_env_trace_heap_free(const struct myalloc_env_trace *trace);
void myalloc_env_trace_fail(const struct myalloc_env_trace *trace);
void myalloc_env_trace_bad_free(const struct myalloc_env_trace *trace);
void myalloc_env_trace_refill(const struct myalloc_env_trace *trace);
void myalloc_env_trace_flush(const struct myalloc_env_trace *trace);
void myalloc_env_trace_grow(const struct myalloc_env_trace *trace);
void myalloc_env_trace_shrink(const struct myalloc_env_trace *trace);

/**
 * __myalloc_env_trace() - record an event to which somebody listens
 * @event: name of the event
 * @...: initialisers of &struct myalloc_env_trace
 *
 * Context: any.
 */
#define __myalloc_env_trace(event, ...) \
	myalloc_env_trace_##event(&(const struct myalloc_env_trace){ __VA_ARGS__ })

/**
 * myalloc_env_trace() - record an event if somebody listens
 * @event: name of the event
 * @...: initialisers of &struct myalloc_env_trace
 *
 * Context: any.
 */
#define myalloc_env_trace(event, ...)						\
	do {									\
		if (unlikely(myalloc_env_trace_on(event)))			\
			__myalloc_env_trace(event, __VA_ARGS__);		\
	} while (0)

#endif /* MYALLOC_ENV_TRACE_H */
