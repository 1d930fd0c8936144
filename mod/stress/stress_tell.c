// SPDX-License-Identifier: GPL-2.0
/* Errors that a thread of a stress run finds: all counted, the first described. See stress.c. */
#include "env.h"

#include "stress/stress_run.h"

/**
 * myalloc_stress_tell() - count an error, and keep the message of the first of a run
 * @t: the thread that found it
 * @which: the count
 * @fmt: format of the message
 *
 * Context: the thread.
 */
void myalloc_stress_tell(struct stress_thread *t, enum stress_count which, const char *fmt, ...)
{
	struct myalloc_stress_run *run = t->run;
	va_list args;

	stress_count(t, which);
	if (atomic_xchg(&run->error_claimed, 1))
		return;
	va_start(args, fmt);
	vscnprintf(run->error, sizeof(run->error), fmt, args);
	va_end(args);
	smp_store_release(&run->error_told, true);	/* pairs with sum_result() */
	pr_err_ratelimited("stress run %llu: %s\n", run->job.id, run->error);
}

static void name_what(char *buf, size_t size, const struct stress_what *what)
{
	if (what->cache)
		scnprintf(buf, size, "%u-byte object", what->bytes);
	else if (what->any)
		scnprintf(buf, size, "allocation of any size");
	else
		scnprintf(buf, size, "order %u block", what->order);
}

/* Can this run have such an allocation, and is it large enough for a word of this index? */
static bool plausible(u64 identity, size_t index, const void *arg)
{
	const struct myalloc_stress_run *run = arg;
	u32 thread = stress_identity_thread(identity), what = stress_identity_what(identity);
	u64 number = stress_identity_number(identity);

	return what < STRESS_WHATS && index < run->what[what].bytes / sizeof(u64) &&
	       thread < run->nr_threads && number &&
	       number <= READ_ONCE(run->thread[thread]->number);
}

/* Describe the word that was found in the wrong place. */
static void name_found(struct stress_thread *t, char *buf, size_t size,
		       const struct myalloc_damage *damage)
{
	struct myalloc_stress_run *run = t->run;
	size_t largest = 0, index;
	u64 identity;
	char name[24];
	u32 i;

	for (i = 0; i < STRESS_WHATS; i++)
		largest = max_t(size_t, largest, run->what[i].bytes / sizeof(u64));
	if (damage->found &&
	    myalloc_pattern_trace(damage->found, run->params.seed, largest, plausible, run,
				  &identity, &index)) {
		name_what(name, sizeof(name), &run->what[stress_identity_what(identity)]);
		scnprintf(buf, size, "those of %s #%llu of thread %u", name,
			  stress_identity_number(identity), stress_identity_thread(identity));
	} else {
		scnprintf(buf, size, "%016llx, not %016llx", damage->found, damage->expected);
	}
}

static u32 frame_of(struct stress_thread *t, const void *addr)
{
	struct myalloc_zone *zone = t->run->job.zone;

	return myalloc_frame_idx(zone, myalloc_map_frame(&zone->map, addr));
}

/**
 * myalloc_stress_tell_damage() - report that an allocation does not hold its pattern
 * @t: the thread that found it
 * @item: the allocation
 * @damage: where it differs
 * @when: the occasion, for the message
 *
 * Context: the thread.
 */
void myalloc_stress_tell_damage(struct stress_thread *t, const struct stress_item *item,
				const struct myalloc_damage *damage, const char *when)
{
	char name[24], found[64];

	name_what(name, sizeof(name), &t->run->what[stress_identity_what(item->identity)]);
	name_found(t, found, sizeof(found), damage);
	myalloc_stress_tell(t, STRESS_VERIFY_ERRORS,
			    "%s #%llu of thread %u, frame %u, %s: %zu of %zu words wrong from 0x%zx on: %s",
			    name, stress_identity_number(item->identity),
			    stress_identity_thread(item->identity), frame_of(t, item->addr), when,
			    damage->words, damage->of, damage->offset, found);
}

/**
 * myalloc_stress_tell_free() - report that a free was refused
 * @t: the thread that freed
 * @identity: of the allocation
 * @err: the error
 *
 * Context: the thread.
 */
void myalloc_stress_tell_free(struct stress_thread *t, u64 identity, int err)
{
	char name[24];

	name_what(name, sizeof(name), &t->run->what[stress_identity_what(identity)]);
	myalloc_stress_tell(t, STRESS_FREE_ERRORS,
			    "free of %s #%llu of thread %u was refused: error %d", name,
			    stress_identity_number(identity), stress_identity_thread(identity),
			    err);
}
