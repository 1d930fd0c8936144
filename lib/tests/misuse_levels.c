// SPDX-License-Identifier: GPL-2.0
/* The table of findings of each checking level: the same mistakes, made at each level. */
#include "env.h"
#include "ktap.h"
#include "misuse.h"
#include "object/check.h"

static void *p, *q;
static int err;

/* When a mistake is noticed, in the order of merit. */
enum outcome {
	NEVER,		/* not at all, or only by the harm it does */
	VALIDATED,	/* by validation */
	REPORTED,	/* when the memory is next freed or allocated */
	REFUSED_,	/* at once: the operation returns an error and changes nothing */
};

static const char * const outcome_names[] = {
	[NEVER] = "no", [VALIDATED] = "validate", [REPORTED] = "reported", [REFUSED_] = "refused",
};

static const struct {
	const char *name;
	myalloc_cache_flags_t checks;
} levels[] = {
	{ "none", 0 }, { "F", MYALLOC_SANITY }, { "Z", MYALLOC_REDZONE },
	{ "P", MYALLOC_POISON }, { "U", MYALLOC_OWNER },
};

struct level_case {
	const char *name;
	int (*fn)(void);	/* returns the result of the wrong free, 0 if it makes none */
	enum outcome outcome[ARRAY_SIZE(levels)];
};

static int level_double(void)
{
	p = object(a);
	myalloc_cache_free(a, p);
	return myalloc_cache_free(a, p);
}

/* The address has been allocated to another user: the free is correct but by the wrong owner. */
static int level_stale(void)
{
	p = object(a);
	myalloc_cache_free(a, p);
	q = object(a);
	return p == q ? myalloc_cache_free(a, p) : -EINVAL;
}

static int level_foreign(void)
{
	return myalloc_cache_free(a, &err);
}

static int level_interior(void)
{
	return myalloc_cache_free(a, object(a) + 8);
}

static int level_wrong_cache(void)
{
	return myalloc_cache_free(b, object(a));
}

static int level_wrong_order(void)
{
	return myalloc_pages_free(zone, page(2), 1);
}

static int level_exact_fewer(void)
{
	return myalloc_pages_free_exact(zone, exact(5), 4);
}

static int level_exact_more(void)
{
	p = exact(6);
	exact(1);
	return myalloc_pages_free_exact(zone, p, 7);
}

static int level_exact_as_block(void)
{
	return myalloc_pages_free(zone, exact(5), 2);
}

static void finish(void *o)
{
	myalloc_cache_free(a, o);
	object(a);
}

static int level_over_1(void)
{
	u8 *o = object(a);

	*(u8 *)host_touch(&o[SIZE], 1) ^= 0x55;
	finish(o);
	return 0;
}

static int level_over_8(void)
{
	u8 *o = object(a);

	memset(host_touch(o + SIZE, 8), 0x55, 8);
	finish(o);
	return 0;
}

static int level_over_far(void)
{
	u8 *o = object(a);

	object(a);
	o[SIZE + 40] ^= 0x55;	/* beyond the red zone, into the next object */
	finish(o);
	return 0;
}

static int level_under_1(void)
{
	u8 *o;

	object(a);
	o = object(a);
	*(u8 *)host_touch(&o[-1], 1) ^= 0x55;
	finish(o);
	return 0;
}

static int level_write_after_free(void)
{
	u8 *o = object(a);

	myalloc_cache_free(a, o);
	*(u8 *)host_touch(&o[16], 1) ^= 0x55;
	object(a);
	return 0;
}

static int level_write_after_reuse(void)
{
	u8 *o = object(a);

	myalloc_cache_free(a, o);
	object(a);
	*(u8 *)host_touch(&o[16], 1) ^= 0x55;
	finish(o);
	return 0;
}

static int level_write_after_free_page(void)
{
	u8 *o = page(0);

	myalloc_pages_free(zone, o, 0);
	*(u8 *)host_touch(&o[16], 1) ^= 0x55;
	page(0);
	return 0;
}

static int level_read_after_free(void)
{
	volatile u8 *o = object(a);

	myalloc_cache_free(a, (void *)o);
	host_touch((void *)o, SIZE);
	(void)o[16];
	object(a);
	return 0;
}

static int level_state(void)
{
	p = object(a);
	q = object(a);
	*myalloc_object_state(a, p) = MYALLOC_SLOT_FREE;
	myalloc_cache_free(a, q);
	return 0;
}

static int level_leak(void)
{
	object(a);
	return myalloc_cache_destroy(a);
}

static const struct level_case level_cases[] = {
	/*					 none	   F	     Z	       P	 U */
	{ "double free", level_double,		{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "free of what somebody else has got since", level_stale,
						{ NEVER, NEVER, NEVER, NEVER, NEVER } },
	{ "free of a foreign address", level_foreign,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "free of an address inside an object", level_interior,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "free to the wrong cache", level_wrong_cache,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "free with the wrong order", level_wrong_order,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "exact free with too few pages", level_exact_fewer,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "exact free with too many pages", level_exact_more,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "exact allocation freed as a block", level_exact_as_block,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "leak, when the cache is destroyed", level_leak,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "write one byte behind an object", level_over_1,
						{ NEVER, NEVER, REPORTED, NEVER, NEVER } },
	{ "write eight bytes behind an object", level_over_8,
						{ NEVER, NEVER, REPORTED, NEVER, NEVER } },
	{ "write behind the red zone", level_over_far,
						{ NEVER, NEVER, NEVER, NEVER, NEVER } },
	{ "write one byte before an object", level_under_1,
						{ NEVER, NEVER, REPORTED, NEVER, NEVER } },
	{ "write to a freed object", level_write_after_free,
						{ NEVER, NEVER, NEVER, REPORTED, NEVER } },
	{ "write to an object that somebody else has got since", level_write_after_reuse,
						{ NEVER, NEVER, NEVER, NEVER, NEVER } },
	{ "write to a freed page", level_write_after_free_page,
						{ NEVER, NEVER, NEVER, REPORTED, NEVER } },
	{ "read of a freed object", level_read_after_free,
						{ NEVER, NEVER, NEVER, NEVER, NEVER } },
	{ "damaged state of a slot", level_state,
						{ VALIDATED, REPORTED, VALIDATED, VALIDATED, VALIDATED } },
};

const unsigned int nr_level_cases = ARRAY_SIZE(level_cases);

static unsigned int level_checks;

static void run_level(const void *arg)
{
	const struct level_case *c = arg;
	struct myalloc_zone_stats stats;
	struct myalloc_validation v;
	enum outcome outcome = NEVER;
	int err;

	make_world(level_checks, 0);
	err = c->fn();
	myalloc_zone_stats(zone, &stats);
	if (err)
		outcome = REFUSED_;
	else if (stats.corruptions)
		outcome = REPORTED;
	else if (!myalloc_zone_validate(zone, &v))
		outcome = VALIDATED;
	told->log[0] = outcome;
}

static bool test_level(const struct level_case *c)
{
	bool ok = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		enum outcome got;

		level_checks = levels[i].checks;
		if (!in_child(run_level, c)) {
			ktap_note("%s at level %s: crashed", c->name, levels[i].name);
			ok = false;
			continue;
		}
		got = told->log[0];
		if (got == c->outcome[i])
			continue;
		ktap_note("%s at level %s: the table says \"%s\", it is \"%s\"", c->name,
			  levels[i].name, outcome_names[c->outcome[i]], outcome_names[got]);
		ok = false;
	}
	return ok;
}

void test_levels(void (*result)(bool ok, const char *fmt, ...))
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(level_cases); i++)
		result(test_level(&level_cases[i]), "level: %s", level_cases[i].name);
}

void print_table(void)
{
	unsigned int i, j;

	printf("| mistake |");
	for (j = 0; j < ARRAY_SIZE(levels); j++)
		printf(" %s |", levels[j].name);
	printf("\n|---|");
	for (j = 0; j < ARRAY_SIZE(levels); j++)
		printf("---|");
	putchar('\n');
	for (i = 0; i < ARRAY_SIZE(level_cases); i++) {
		printf("| %s |", level_cases[i].name);
		for (j = 0; j < ARRAY_SIZE(levels); j++)
			printf(" %s |", outcome_names[level_cases[i].outcome[j]]);
		putchar('\n');
	}
}
