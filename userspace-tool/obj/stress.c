// SPDX-License-Identifier: GPL-2.0
/*
 * stress: the command line of a stress run, checked before it starts
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cmd/parse.h"
#include "host/mem.h"
#include "host/stop.h"
#include "obj/objects.h"
#include "obj/stress_parts.h"
#include "out/out.h"

#define DEFAULT_MS	10000	/* without --time and --ops */

static __u32 kind_of(const char *word)
{
	const char *names[MYALLOC_STRESS_KINDS];
	int i;

	for (i = 0; i < MYALLOC_STRESS_KINDS; i++) {
		if (!strcmp(word, stress_kinds[i].name))
			return i;
		names[i] = stress_kinds[i].name;
	}
	cmd_wrong_word("stress kind", word, names, MYALLOC_STRESS_KINDS);
}

static void read_orders(struct cmd *c, struct myalloc_stress *s,
			const char *text)
{
	const char *at = text;
	bool any = false;
	__u32 weight;
	__u64 order;

	memset(s->order_weights, 0, sizeof(s->order_weights));
	do {
		cmd_check(c, "--orders", text, parse_weight(&at, &order, &weight));
		if (order > MYALLOC_MAX_ORDER)
			cmd_usage(c, "--orders '%s': an order must be from 0 to %d", text,
				  MYALLOC_MAX_ORDER);
		s->order_weights[order] = weight;
		any |= weight;
	} while (*at);
	if (!any)
		cmd_usage(c, "--orders '%s': at least one weight must be above 0",
			  text);
}

static void read_sizes(struct cmd *c, struct myalloc_stress *s, const char *text)
{
	const char *at = text;
	bool any = false;
	__u32 weight;
	__u64 size;

	s->nr_sizes = 0;
	do {
		cmd_check(c, "--sizes", text, parse_weight(&at, &size, &weight));
		if (!size || size > MYALLOC_OBJECT_MAX)
			cmd_usage(c, "--sizes '%s': a size must be from 1 to %d bytes",
				  text, MYALLOC_OBJECT_MAX);
		if (s->nr_sizes == MYALLOC_STRESS_SIZES_MAX)
			cmd_usage(c, "--sizes '%s': at most %d sizes are possible",
				  text, MYALLOC_STRESS_SIZES_MAX);
		s->sizes[s->nr_sizes] = size;
		s->size_weights[s->nr_sizes++] = weight;
		any |= weight;
	} while (*at);
	if (!any)
		cmd_usage(c, "--sizes '%s': at least one weight must be above 0",
			  text);
}

#define NO_CHECKS	(~0u)	/* none were given */

/* Options that are not copied into the request unchanged. */
struct wish {
	struct myalloc_stress ask;
	char *kind;
	char *orders;
	char *sizes;
	__u32 checks;
};

static void read_options(struct cmd *c, struct wish *w)
{
	struct myalloc_stress *s = &w->ask;
	char *word;

	w->checks = NO_CHECKS;
	cmd_options(c, w);
	word = cmd_word(c);
	if (!word)
		word = w->kind;
	s->kind = word ? kind_of(word) : MYALLOC_STRESS_MIXED;
	cmd_done(c);
	if (w->orders)
		read_orders(c, s, w->orders);
	if (w->sizes)
		read_sizes(c, s, w->sizes);
	if (w->checks != NO_CHECKS)
		s->checks = w->checks;
}

/* Check what does not depend on the device; see check_device() for the rest. */
static void check_words(struct cmd *c, struct wish *w)
{
	struct myalloc_stress *s = &w->ask;
	const struct stress_kind *kind = &stress_kinds[s->kind];

	if (s->kind == MYALLOC_STRESS_CROSS && s->threads % 2)
		cmd_usage(c, "--threads '%u': a cross run has pairs of threads: give an even number",
			  s->threads);
	if (s->kind == MYALLOC_STRESS_RING && s->threads == 1)
		cmd_usage(c, "--threads 1: a ring run has a thread that reads and others that write: give at least 2");
	if (w->orders && !kind->pages)
		out_warn("--orders has no effect in a run of kind %s", kind->name);
	if ((w->sizes || w->checks != NO_CHECKS) && !kind->objects)
		out_warn("--sizes and --checks have no effect in a run of kind %s",
			 kind->name);
	else if (w->sizes && !kind->sizes)
		out_warn("--sizes has no effect in a run of kind %s", kind->name);
	else if (s->nr_sizes > kind->sizes)
		cmd_usage(c, "--sizes '%s': a run of kind %s has one size", w->sizes, kind->name);
	if (!s->duration_ms && !s->ops)
		s->duration_ms = DEFAULT_MS;
}

static int check_device(const struct myalloc_stress *s,
			const struct myalloc_info *info)
{
	unsigned int i;

	for (i = info->max_order + 1; i < MYALLOC_ORDERS; i++)
		if (s->order_weights[i])
			return out_fail(EXIT_USAGE, "order %u is above that of the largest block, %u",
					i, info->max_order);
	for (i = info->nr_cpus; i < 256; i++)
		if (s->cpus[i / 64] >> (i % 64) & 1)
			return out_fail(EXIT_USAGE, "no CPU %u: this machine has CPUs 0 to %u",
					i, info->nr_cpus - 1);
	return EXIT_OK;
}

/* 32 bits, so that it is short to type and every reader of JSON keeps it exact. */
static __u64 some_seed(void)
{
	__u32 seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed) || !seed)
		seed = stop_now_ms() | 1;
	return seed;
}

static int run(struct cmd *c)
{
	struct wish w = { .ask.size = sizeof(w.ask) };
	struct stress_run run = { 0 };
	struct device d;
	int code;

	read_options(c, &w);
	check_words(c, &w);
	run.ask = w.ask;
	if (!run.ask.seed)
		run.ask.seed = some_seed();
	code = device_open(&d);
	if (code)
		return code;
	code = check_device(&run.ask, &d.info);
	if (!code)
		code = stress_run(&d, &run);
	if (!code)
		code = stress_print(&d, &run);
	device_close(&d);
	free(run.record);
	return code;
}

static int kinds(struct cmd *c)
{
	struct out *o;
	int i;

	cmd_done(c);
	o = out_new("stress kinds");
	out_list(o, "kinds", "");
	for (i = 0; i < MYALLOC_STRESS_KINDS; i++) {
		out_item(o);
		out_str(o, "name", "kind", OUT_PLAIN, stress_kinds[i].name);
		out_str(o, "help", "what it does", OUT_PLAIN,
			stress_kinds[i].help);
		out_end(o);
	}
	out_end(o);
	return out_finish(o, EXIT_OK);
}

#define TARGET(member)	OPT_TARGET(struct wish, member)

#define FIRST_WORD(number, word, ...)	"one of " word
#define NEXT_WORD(number, word, ...)	", " word

static const struct opt run_opts[] = {
	{ "kind", 'k', OPT_STRING, "KIND", TARGET(kind), .otherwise = "mixed",
	  .help = STRESS_KINDS(FIRST_WORD, NEXT_WORD) },
	{ "seed", 's', OPT_NUMBER, "N", TARGET(ask.seed), .otherwise = "random, and printed",
	  .help = "seed of every random choice" },
	{ "threads", 't', OPT_NUMBER, "N", TARGET(ask.threads),
	  .min = 1, .max = MYALLOC_STRESS_THREADS_MAX, .otherwise = "one per CPU",
	  .help = "number of kernel threads" },
	{ "cpus", 'c', OPT_CPUS, "LIST", TARGET(ask.cpus), .otherwise = "all",
	  .help = "CPUs that the threads run on, as 0-3,5" },
	{ "time", 0, OPT_TIME, "TIME", TARGET(ask.duration_ms), .min = 1,
	  .otherwise = "10s, or no limit with --ops", .help = "how long to run" },
	{ "seconds", 0, OPT_TIME, "N", TARGET(ask.duration_ms), .min = 1,
	  .help = "the same as --time" },
	{ "ops", 0, OPT_NUMBER, "N", TARGET(ask.ops), .min = 1, .otherwise = "no limit",
	  .help = "operations of each thread" },
	{ "fill", 0, OPT_SHARE, "SHARE", TARGET(ask.fill_permille), .otherwise = "50%",
	  .help = "share of the zone to hold" },
	{ "orders", 0, OPT_STRING, "LIST", TARGET(orders),
	  .otherwise = "each half as often as the one below",
	  .help = "how often each order is allocated, order:weight, as 0:8,1:4" },
	{ "sizes", 0, OPT_STRING, "LIST", TARGET(sizes), .otherwise = "a mix",
	  .help = "sizes of objects, size:weight, as 64:3,1K:1; at most 16" },
	{ "checks", 0, OPT_CHECKS, "LETTERS", TARGET(checks),
	  .help = "checks of the run's caches: letters of FZPU, or none" },
	{ "no-verify", 0, OPT_FLAG, TARGET(ask.flags), .bits = MYALLOC_STRESS_NO_VERIFY,
	  .help = "do not fill memory with patterns and check them when it is freed" },
	{ NULL }
};

static const struct verb stress_verbs[] = {
	{ "run", run, "[KIND]",
	  "run to the end or to Ctrl-C, and show the result; exit 1 if a check found errors",
	  run_opts, .form = stress_form },
	{ "kinds", kinds, "", "list the kinds of run", NULL,
	  .form = "kinds:[{ name:text help:text }]" },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object stress_object = {
	"stress", "stress runs in the kernel, verified, with latencies",
	stress_verbs, NULL
};
