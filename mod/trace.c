// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints: the events of the environment (lib/env/trace.h) and of the device (trace.h)
 *
 * lib/ has no header of the kernel's tracing. It tests the static key of an event by itself, and
 * calls the function here if the event is enabled.
 */
#include "env.h"

#include "compat.h"
#include "myalloc.h"
#define CREATE_TRACE_POINTS
#include "trace.h"

/* Formats of events contain these as numbers, because tools do not know the names. */
#define FLAG_IS(flag, number)	static_assert((__force u32)(flag) == (number))
FLAG_IS(MYALLOC_ZERO, 0x1);
FLAG_IS(MYALLOC_TOPDOWN, 0x2);
FLAG_IS(MYALLOC_MAY_WAIT, 0x4);
FLAG_IS(MYALLOC_LENDABLE, 0x8);
static_assert((__force u32)MYALLOC_PAGES_FLAGS_ALL == 0xf, "trace.h does not name a flag");

#define EMIT(event)								\
	void myalloc_env_trace_##event(const struct myalloc_env_trace *trace)	\
	{									\
		trace_##event(trace);						\
	}
EMIT(page_alloc)
EMIT(page_free)
EMIT(cache_alloc)
EMIT(cache_free)
EMIT(heap_alloc)
EMIT(heap_free)
EMIT(fail)
EMIT(bad_free)
EMIT(refill)
EMIT(flush)
EMIT(grow)
EMIT(shrink)
