/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, under events/myalloc
 *
 * Those of the allocator show what every client does. They lie at its edge, one event for each call
 * of an exported function, and where memory passes between its layers. The statistics count the
 * same things; an event says who and when.
 *
 * Those of the device, session_*, lie where an ioctl is executed. They record numbers that user
 * space knows: handles and ids.
 *
 * Addresses are printed as the kernel prints them, hashed, and lie in the raw record as they are.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM myalloc

#if !defined(MYALLOC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MYALLOC_TRACE_H

#include <linux/tracepoint.h>

#include "env/trace.h"

#define show_myalloc_flags()							\
	(__entry->flags ?							\
	 __print_flags(__entry->flags, "|", { 0x1, "ZERO" }, { 0x2, "TOPDOWN" },	\
		       { 0x4, "MAY_WAIT" }, { 0x8, "LENDABLE" }) : "none")

/*
 * Users' allocations, after they have succeeded, and frees, before they happen: so the events of an
 * address have the order of what they record. A free that is refused is followed by bad_free.
 *
 * page_*: blocks and extents, also those of arenas, rings and heaps. cache_*: objects of caches and
 * object pools. heap_*: memory of heaps, whose caches have no events of their own.
 */
TRACE_EVENT(page_alloc,
	    TP_PROTO(const struct myalloc_env_trace *trace),
	    TP_ARGS(trace),
	    TP_STRUCT__entry(__field(unsigned long, call_site)
			     __field(const void *, ptr)
			     __field(unsigned long, bytes)
			     __field(u32, order)
			     __field(u32, flags)
			     __field(int, node)),
	    TP_fast_assign(__entry->call_site = trace->call_site;
			   __entry->ptr = trace->ptr;
			   __entry->bytes = trace->bytes;
			   __entry->order = trace->order;
			   __entry->flags = trace->flags;
			   __entry->node = trace->node;),
	    TP_printk("call_site=%pS ptr=%p bytes=%lu order=%u flags=%s node=%d",
		      (void *)__entry->call_site, __entry->ptr, __entry->bytes,
		      __entry->order, show_myalloc_flags(), __entry->node)
);

TRACE_EVENT(page_free,
	    TP_PROTO(const struct myalloc_env_trace *trace),
	    TP_ARGS(trace),
	    TP_STRUCT__entry(__field(unsigned long, call_site)
			     __field(const void *, ptr)
			     __field(unsigned long, bytes)
			     __field(u32, order)
			     __field(int, node)),
	    TP_fast_assign(__entry->call_site = trace->call_site;
			   __entry->ptr = trace->ptr;
			   __entry->bytes = trace->bytes;
			   __entry->order = trace->order;
			   __entry->node = trace->node;),
	    TP_printk("call_site=%pS ptr=%p bytes=%lu order=%u node=%d",
		      (void *)__entry->call_site, __entry->ptr, __entry->bytes,
		      __entry->order, __entry->node)
);

TRACE_EVENT(cache_alloc,
	    TP_PROTO(const struct myalloc_env_trace *trace),
	    TP_ARGS(trace),
	    TP_STRUCT__entry(__string(name, trace->name)
			     __field(unsigned long, call_site)
			     __field(const void *, ptr)
			     __field(unsigned long, bytes)
			     __field(u32, flags)
			     __field(int, node)),
	    TP_fast_assign(MYALLOC_ASSIGN_STR(name, trace->name);
			   __entry->call_site = trace->call_site;
			   __entry->ptr = trace->ptr;
			   __entry->bytes = trace->bytes;
			   __entry->flags = trace->flags;
			   __entry->node = trace->node;),
	    TP_printk("call_site=%pS ptr=%p name=%s bytes=%lu flags=%s node=%d",
		      (void *)__entry->call_site, __entry->ptr, __get_str(name),
		      __entry->bytes, show_myalloc_flags(), __entry->node)
);

TRACE_EVENT(cache_free,
	    TP_PROTO(const struct myalloc_env_trace *trace),
	    TP_ARGS(trace),
	    TP_STRUCT__entry(__string(name, trace->name)
			     __field(unsigned long, call_site)
			     __field(const void *, ptr)
			     __field(unsigned long, bytes)
			     __field(int, node)),
	    TP_fast_assign(MYALLOC_ASSIGN_STR(name, trace->name);
			   __entry->call_site = trace->call_site;
			   __entry->ptr = trace->ptr;
			   __entry->bytes = trace->bytes;
			   __entry->node = trace->node;),
	    TP_printk("call_site=%pS ptr=%p name=%s bytes=%lu node=%d",
		      (void *)__entry->call_site, __entry->ptr, __get_str(name),
		      __entry->bytes, __entry->node)
);

TRACE_EVENT(heap_alloc,
	    TP_PROTO(const struct myalloc_env_trace *trace),
	    TP_ARGS(trace),
	    TP_STRUCT__entry(__string(name, trace->name)
			     __field(unsigned long, call_site)
			     __field(const void *, ptr)
			     __field(unsigned long, bytes_req)
			     __field(unsigned long, bytes)
			     __field(u32, flags)
			     __field(int, node)),
	    TP_fast_assign(MYALLOC_ASSIGN_STR(name, trace->name);
			   __entry->call_site = trace->call_site;
			   __entry->ptr = trace->ptr;
			   __entry->bytes_req = trace->bytes_req;
			   __entry->bytes = trace->bytes;
			   __entry->flags = trace->flags;
			   __entry->node = trace->node;),
	    TP_printk("call_site=%pS ptr=%p name=%s bytes_req=%lu bytes=%lu flags=%s node=%d",
		      (void *)__entry->call_site, __entry->ptr, __get_str(name),
		      __entry->bytes_req, __entry->bytes,
		      show_myalloc_flags(), __entry->node)
);

TRACE_EVENT(heap_free,
	    TP_PROTO(const struct myalloc_env_trace *trace),
	    TP_ARGS(trace),
	    TP_STRUCT__entry(__string(name, trace->name)
			     __field(unsigned long, call_site)
			     __field(const void *, ptr)
			     __field(unsigned long, bytes)
			     __field(int, node)),
	    TP_fast_assign(MYALLOC_ASSIGN_STR(name, trace->name);
			   __entry->call_site = trace->call_site;
			   __entry->ptr = trace->ptr;
			   __entry->bytes = trace->bytes;
			   __entry->node = trace->node;),
	    TP_printk("call_site=%pS ptr=%p name=%s bytes=%lu node=%d",
		      (void *)__entry->call_site, __entry->ptr, __get_str(name),
		      __entry->bytes, __entry->node)
);

/* A request that got no memory: of pages if the name is "-", else of a cache or a heap. */
TRACE_EVENT(fail,
	    TP_PROTO(const struct myalloc_env_trace *trace),
	    TP_ARGS(trace),
	    TP_STRUCT__entry(__string(zone, trace->zone)
			     __string(name, trace->name ?: "-")
			     __field(unsigned long, call_site)
			     __field(unsigned long, bytes)
			     __field(u32, order)
			     __field(u32, flags)
			     __field(int, node)),
	    TP_fast_assign(MYALLOC_ASSIGN_STR(zone, trace->zone);
			   MYALLOC_ASSIGN_STR(name, trace->name ?: "-");
			   __entry->call_site = trace->call_site;
			   __entry->bytes = trace->bytes;
			   __entry->order = trace->order;
			   __entry->flags = trace->flags;
			   __entry->node = trace->node;),
	    TP_printk("zone=%s name=%s call_site=%pS bytes=%lu order=%u flags=%s node=%d",
		      __get_str(zone), __get_str(name), (void *)__entry->call_site,
		      __entry->bytes, __entry->order, show_myalloc_flags(),
		      __entry->node)
);

/* A free that was refused. Its format has no double quotes, as libtraceevent would not parse it. */
TRACE_EVENT(bad_free,
	    TP_PROTO(const struct myalloc_env_trace *trace),
	    TP_ARGS(trace),
	    TP_STRUCT__entry(__string(zone, trace->zone)
			     __string(as, trace->as)
			     __string(reason, trace->bad)
			     __field(unsigned long, call_site)
			     __field(const void *, ptr)
			     __field(int, node)),
	    TP_fast_assign(MYALLOC_ASSIGN_STR(zone, trace->zone);
			   MYALLOC_ASSIGN_STR(as, trace->as);
			   MYALLOC_ASSIGN_STR(reason, trace->bad);
			   __entry->call_site = trace->call_site;
			   __entry->ptr = trace->ptr;
			   __entry->node = trace->node;),
	    TP_printk("zone=%s call_site=%pS ptr=%p as='%s' reason='%s' node=%d",
		      __get_str(zone), (void *)__entry->call_site, __entry->ptr,
		      __get_str(as), __get_str(reason), __entry->node)
);

/* An empty magazine was filled from the slabs of its cache; name "-": from the zone. */
TRACE_EVENT(refill,
	    TP_PROTO(const struct myalloc_env_trace *trace),
	    TP_ARGS(trace),
	    TP_STRUCT__entry(__string(zone, trace->zone)
			     __string(name, trace->name ?: "-")
			     __field(u32, order)
			     __field(u32, nr)
			     __field(u32, wanted)
			     __field(int, node)),
	    TP_fast_assign(MYALLOC_ASSIGN_STR(zone, trace->zone);
			   MYALLOC_ASSIGN_STR(name, trace->name ?: "-");
			   __entry->order = trace->order;
			   __entry->nr = trace->nr;
			   __entry->wanted = trace->wanted;
			   __entry->node = trace->node;),
	    TP_printk("zone=%s name=%s order=%u nr=%u wanted=%u node=%d",
		      __get_str(zone), __get_str(name), __entry->order,
		      __entry->nr, __entry->wanted, __entry->node)
);

/* What magazines held went back to the slabs of the cache; name "-": to the zone. */
TRACE_EVENT(flush,
	    TP_PROTO(const struct myalloc_env_trace *trace),
	    TP_ARGS(trace),
	    TP_STRUCT__entry(__string(zone, trace->zone)
			     __string(name, trace->name ?: "-")
			     __field(u32, order)
			     __field(u32, nr)
			     __field(int, node)),
	    TP_fast_assign(MYALLOC_ASSIGN_STR(zone, trace->zone);
			   MYALLOC_ASSIGN_STR(name, trace->name ?: "-");
			   __entry->order = trace->order;
			   __entry->nr = trace->nr;
			   __entry->node = trace->node;),
	    TP_printk("zone=%s name=%s order=%u nr=%u node=%d",
		      __get_str(zone), __get_str(name), __entry->order, __entry->nr,
		      __entry->node)
);

/* An elastic reserve has taken a chunk from the system, or gives one back. */
DECLARE_EVENT_CLASS(myalloc_chunk,
		    TP_PROTO(const struct myalloc_env_trace *trace),
		    TP_ARGS(trace),
		    TP_STRUCT__entry(__string(zone, trace->zone)
				     __field(const void *, ptr)
				     __field(unsigned long, bytes)
				     __field(u32, order)
				     __field(int, node)),
		    TP_fast_assign(MYALLOC_ASSIGN_STR(zone, trace->zone);
				   __entry->ptr = trace->ptr;
				   __entry->bytes = trace->bytes;
				   __entry->order = trace->order;
				   __entry->node = trace->node;),
		    TP_printk("zone=%s ptr=%p bytes=%lu order=%u node=%d",
			      __get_str(zone), __entry->ptr, __entry->bytes, __entry->order,
			      __entry->node)
);

DEFINE_EVENT(myalloc_chunk, grow,
	     TP_PROTO(const struct myalloc_env_trace *trace),
	     TP_ARGS(trace)
);

DEFINE_EVENT(myalloc_chunk, shrink,
	     TP_PROTO(const struct myalloc_env_trace *trace),
	     TP_ARGS(trace)
);

/* --- the device ------------------------------------------------------------------ */

DECLARE_EVENT_CLASS(session_pages,
		    TP_PROTO(u64 handle, u32 nr_pages),
		    TP_ARGS(handle, nr_pages),
		    TP_STRUCT__entry(__field(u64, handle)
				     __field(u32, nr_pages)),
		    TP_fast_assign(__entry->handle = handle;
				   __entry->nr_pages = nr_pages;),
		    TP_printk("handle=%llu nr_pages=%u",
			      __entry->handle, __entry->nr_pages)
);

DEFINE_EVENT(session_pages, session_page_alloc,
	     TP_PROTO(u64 handle, u32 nr_pages),
	     TP_ARGS(handle, nr_pages)
);

DEFINE_EVENT(session_pages, session_page_free,
	     TP_PROTO(u64 handle, u32 nr_pages),
	     TP_ARGS(handle, nr_pages)
);

DECLARE_EVENT_CLASS(session_object,
		    TP_PROTO(u64 handle, u32 cache),
		    TP_ARGS(handle, cache),
		    TP_STRUCT__entry(__field(u64, handle)
				     __field(u32, cache)),
		    TP_fast_assign(__entry->handle = handle;
				   __entry->cache = cache;),
		    TP_printk("handle=%llu cache=%u",
			      __entry->handle, __entry->cache)
);

DEFINE_EVENT(session_object, session_obj_alloc,
	     TP_PROTO(u64 handle, u32 cache),
	     TP_ARGS(handle, cache)
);

DEFINE_EVENT(session_object, session_obj_free,
	     TP_PROTO(u64 handle, u32 cache),
	     TP_ARGS(handle, cache)
);

/* The zone had too little memory; cache 0 stands for pages. */
TRACE_EVENT(session_fail,
	    TP_PROTO(u32 cache, u32 nr_pages, u32 wanted, u32 got),
	    TP_ARGS(cache, nr_pages, wanted, got),
	    TP_STRUCT__entry(__field(u32, cache)
			     __field(u32, nr_pages)
			     __field(u32, wanted)
			     __field(u32, got)),
	    TP_fast_assign(__entry->cache = cache;
			   __entry->nr_pages = nr_pages;
			   __entry->wanted = wanted;
			   __entry->got = got;),
	    TP_printk("cache=%u nr_pages=%u wanted=%u got=%u",
		      __entry->cache, __entry->nr_pages,
		      __entry->wanted, __entry->got)
);

TRACE_EVENT(session_cache_create,
	    TP_PROTO(u32 cache, u32 object_size, u32 slot_size, u32 order,
		     u32 flags),
	    TP_ARGS(cache, object_size, slot_size, order, flags),
	    TP_STRUCT__entry(__field(u32, cache)
			     __field(u32, object_size)
			     __field(u32, slot_size)
			     __field(u32, order)
			     __field(u32, flags)),
	    TP_fast_assign(__entry->cache = cache;
			   __entry->object_size = object_size;
			   __entry->slot_size = slot_size;
			   __entry->order = order;
			   __entry->flags = flags;),
	    TP_printk("cache=%u object_size=%u slot_size=%u order=%u flags=0x%x",
		      __entry->cache, __entry->object_size,
		      __entry->slot_size, __entry->order, __entry->flags)
);

TRACE_EVENT(session_cache_destroy,
	    TP_PROTO(u32 cache),
	    TP_ARGS(cache),
	    TP_STRUCT__entry(__field(u32, cache)),
	    TP_fast_assign(__entry->cache = cache;),
	    TP_printk("cache=%u",
		      __entry->cache)
);

TRACE_EVENT(session_drain,
	    TP_PROTO(u32 flags, u64 pages),
	    TP_ARGS(flags, pages),
	    TP_STRUCT__entry(__field(u32, flags)
			     __field(u64, pages)),
	    TP_fast_assign(__entry->flags = flags;
			   __entry->pages = pages;),
	    TP_printk("flags=0x%x pages=%llu",
		      __entry->flags, __entry->pages)
);

/* A client got pages above its soft quota, or was refused them because of its hard one. */
TRACE_EVENT(client_quota,
	    TP_PROTO(u64 client, u32 pages, u64 held, bool refused),
	    TP_ARGS(client, pages, held, refused),
	    TP_STRUCT__entry(__field(u64, client)
			     __field(u64, held)
			     __field(u32, pages)
			     __field(bool, refused)),
	    TP_fast_assign(__entry->client = client;
			   __entry->held = held;
			   __entry->pages = pages;
			   __entry->refused = refused;),
	    TP_printk("client=%llu pages=%u held=%llu refused=%d",
		      __entry->client, __entry->pages, __entry->held, __entry->refused)
);

#endif /* MYALLOC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace

#include <trace/define_trace.h>
