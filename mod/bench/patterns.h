/* SPDX-License-Identifier: GPL-2.0 */
/* Patterns that families of shapes share. Each is inlined with the functions of a side. */
#ifndef MYALLOC_BENCH_PATTERNS_H
#define MYALLOC_BENCH_PATTERNS_H

#include "bench/run.h"

typedef void *(*take_fn)(struct bench_work *w);
typedef void (*give_fn)(struct bench_work *w, void *object);
typedef void (*pattern_fn)(struct bench_work *w, u32 ops, take_fn take, give_fn give);

/* Allocate an object and free it at once. */
static __always_inline void pair(struct bench_work *w, u32 ops, take_fn take, give_fn give)
{
	for (; ops; ops--) {
		void *object = take(w);

		if (likely(object))
			give(w, object);
		else
			w->fails++;
	}
}

/* Allocate shape->batch objects, then free them in the order of w->order. */
static __always_inline void batch(struct bench_work *w, u32 ops, take_fn take, give_fn give)
{
	const u32 nr = w->shape->batch, *order = w->order;
	void **object = w->object;
	u32 n, i;

	for (; ops >= nr; ops -= nr) {
		for (n = 0; n < nr; n++) {
			object[n] = take(w);
			if (unlikely(!object[n]))
				break;
		}
		if (unlikely(n < nr)) {
			w->fails++;
			while (n--)
				give(w, object[n]);
			continue;
		}
		for (i = 0; i < nr; i++)
			give(w, object[order[i]]);
	}
}

#endif /* MYALLOC_BENCH_PATTERNS_H */
