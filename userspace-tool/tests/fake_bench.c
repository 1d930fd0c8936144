// SPDX-License-Identifier: GPL-2.0
/*
 * fake_bench: benchmarks of the fake device: three shapes, with figures that are easy to check
 *
 * Medians in ns: object/64/pair 5 (ours), 16 (slub), 4 (floor), 1 (cost);
 * page/0/pair 100 (ours), 120 (alloc_pages). cross/64/ring cannot be done here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "host/mem.h"

struct fake_side {
	const char *name;
	__u32 flags;
	__u64 ns;
};

static const struct {
	const char *name;
	const char *what;
	__u32 bytes;
	__u32 nr_sides;
	struct fake_side side[4];
} shapes[] = {
	{ "object/64/pair", "64-byte objects, allocated and freed at once", 64, 4, {
		{ "myalloc", MYALLOC_BENCH_OURS, 5 }, { "slub", 0, 16 },
		{ "array", MYALLOC_BENCH_FLOOR, 4 },
		{ "loop", MYALLOC_BENCH_COST, 1 } } },
	{ "page/0/pair", "single pages, allocated and freed at once", 0, 2, {
		{ "myalloc", MYALLOC_BENCH_OURS, 100 },
		{ "alloc_pages", 0, 120 } } },
	{ "cross/64/ring", "64-byte objects, freed on another CPU", 64, 0, { { 0 } } },
};

static struct myalloc_bench asked;

int fake_bench_shape(struct myalloc_bench_shape *s)
{
	__u32 i, index = s->index;

	if (s->size != sizeof(*s) || s->pad)
		return -EINVAL;
	if (index >= ARRAY_SIZE(shapes))
		return -ENOENT;
	s->nr_shapes = ARRAY_SIZE(shapes);
	s->nr_sides = shapes[index].nr_sides;
	s->bytes = shapes[index].bytes;
	s->batch = 1;
	strcpy(s->name, shapes[index].name);
	strcpy(s->what, shapes[index].what);
	for (i = 0; i < s->nr_sides; i++) {
		strcpy(s->side[i].name, shapes[index].side[i].name);
		s->side[i].flags = shapes[index].side[i].flags;
	}
	return 0;
}

int fake_bench_start(struct myalloc_bench *b)
{
	char text[160];

	snprintf(text, sizeof(text), "shapes=%llx rounds=%u ops=%u cpu=%d seed=%llu",
		 (unsigned long long)b->shapes[0], b->rounds, b->ops, (int)b->cpu,
		 (unsigned long long)b->seed);
	fake_log("ASKED", text);
	if (b->size != sizeof(*b) || b->flags || b->pad || !b->shapes[0] ||
	    b->shapes[0] >> ARRAY_SIZE(shapes))
		return -EINVAL;
	asked = *b;
	fake_run.started = true;
	return 0;
}

static void figures(struct myalloc_bench_figures *f, __u64 median)
{
	f->min = median - median / 10;
	f->p50 = median;
	f->p99 = median * 2;
	f->max = median * 3;
}

int fake_bench_result(struct myalloc_bench_result *r)
{
	struct myalloc_bench_round *round = (void *)(unsigned long)r->round;
	const struct fake_side *side;
	__u64 ns;
	__u32 i;

	if (r->size != sizeof(*r) || r->pad)
		return -EINVAL;
	if (r->shape >= ARRAY_SIZE(shapes) || r->side >= shapes[r->shape].nr_sides)
		return -ENOENT;
	side = &shapes[r->shape].side[r->side];
	ns = side->flags & MYALLOC_BENCH_COST && SET(cost) ? (__u64)SET(cost) : side->ns;
	r->state = fake_run.cancelled ? MYALLOC_STRESS_CANCELLED : MYALLOC_STRESS_DONE;
	r->seed = asked.seed ? asked.seed : 77;
	r->kernel = SET(debug_kernel) ? MYALLOC_BENCH_KASAN : MYALLOC_BENCH_HARDENED;
	r->clock_ns = 20;
	r->error = SET(unprepared) && !side->flags ? ENOMEM : 0;
	r->rounds = SET(idle) || r->error ? 0 : asked.rounds ? asked.rounds : 20;
	r->fails = SET(fails);
	r->room = r->room < r->rounds ? r->room : r->rounds;
	for (i = 0; i < r->room; i++) {
		round[i].ns = ns * 1000;
		round[i].cycles = ns * 3000;
		round[i].ops = 1000;
	}
	if (r->rounds) {
		figures(&r->time, ns * 1000);
		figures(&r->cycles, ns * 3000);
	}
	return 0;
}

int dev_read_bench(int fd, struct myalloc_bench_progress *p)
{
	int err = fake_called("READ", "");

	if (fd != FAKE_FD)
		return -EBADF;
	if (err)
		return err;
	if (fake_run.read >= SET(records))
		return 0;
	memset(p, 0, sizeof(*p));
	p->id = 1;
	p->total_rounds = SET(records) * 10;
	p->rounds = ++fake_run.read * 10;
	p->elapsed_ms = fake_run.read * 1000;
	p->state = fake_next_state();
	return 1;
}
