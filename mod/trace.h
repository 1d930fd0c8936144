/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, under events/myalloc. They lie at the edge of the module, where an ioctl is
 * executed, and not in the allocator's fast path, which the statistics cover. They record numbers
 * only, so that they read the same on every kernel.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM myalloc

#if !defined(MYALLOC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MYALLOC_TRACE_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(myalloc_pages,
		    TP_PROTO(u64 handle, u32 nr_pages),
		    TP_ARGS(handle, nr_pages),
		    TP_STRUCT__entry(__field(u64, handle)
				     __field(u32, nr_pages)),
		    TP_fast_assign(__entry->handle = handle;
				   __entry->nr_pages = nr_pages;),
		    TP_printk("handle=%llu nr_pages=%u",
			      __entry->handle, __entry->nr_pages)
);

DEFINE_EVENT(myalloc_pages, myalloc_page_alloc,
	     TP_PROTO(u64 handle, u32 nr_pages),
	     TP_ARGS(handle, nr_pages)
);

DEFINE_EVENT(myalloc_pages, myalloc_page_free,
	     TP_PROTO(u64 handle, u32 nr_pages),
	     TP_ARGS(handle, nr_pages)
);

DECLARE_EVENT_CLASS(myalloc_object,
		    TP_PROTO(u64 handle, u32 cache),
		    TP_ARGS(handle, cache),
		    TP_STRUCT__entry(__field(u64, handle)
				     __field(u32, cache)),
		    TP_fast_assign(__entry->handle = handle;
				   __entry->cache = cache;),
		    TP_printk("handle=%llu cache=%u",
			      __entry->handle, __entry->cache)
);

DEFINE_EVENT(myalloc_object, myalloc_obj_alloc,
	     TP_PROTO(u64 handle, u32 cache),
	     TP_ARGS(handle, cache)
);

DEFINE_EVENT(myalloc_object, myalloc_obj_free,
	     TP_PROTO(u64 handle, u32 cache),
	     TP_ARGS(handle, cache)
);

/* The zone had too little memory; cache 0 stands for pages. */
TRACE_EVENT(myalloc_fail,
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

TRACE_EVENT(myalloc_cache_create,
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

TRACE_EVENT(myalloc_cache_destroy,
	    TP_PROTO(u32 cache),
	    TP_ARGS(cache),
	    TP_STRUCT__entry(__field(u32, cache)),
	    TP_fast_assign(__entry->cache = cache;),
	    TP_printk("cache=%u",
		      __entry->cache)
);

TRACE_EVENT(myalloc_drain,
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
TRACE_EVENT(myalloc_client_quota,
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
