// SPDX-License-Identifier: GPL-2.0
/*
 * stress: the words and values of a stress run, checked before it starts
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cmd/parse.h"
#include "host/mem.h"
#include "host/stop.h"
#include "obj/objects.h"
#include "obj/stress.h"
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
	cmd_wrong_word("kind of stress run", word, names, MYALLOC_STRESS_KINDS);
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
			cmd_usage(c, "--orders '%s': orders are 0 to %d", text,
				  MYALLOC_MAX_ORDER);
		s->order_weights[order] = weight;
		any |= weight;
	} while (*at);
	if (!any)
		cmd_usage(c, "--orders '%s': some order must have a weight above 0",
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
			cmd_usage(c, "--sizes '%s': an object has 1 to %d bytes",
				  text, MYALLOC_OBJECT_MAX);
		if (s->nr_sizes == MYALLOC_STRESS_SIZES_MAX)
			cmd_usage(c, "--sizes '%s': a run takes at most %d sizes",
				  text, MYALLOC_STRESS_SIZES_MAX);
		s->sizes[s->nr_sizes] = size;
		s->size_weights[s->nr_sizes++] = weight;
		any |= weight;
	} while (*at);
	if (!any)
		cmd_usage(c, "--sizes '%s': some size must have a weight above 0",
			  text);
}

enum {
	OPT_TIME = 256, OPT_OPS, OPT_FILL, OPT_ORDERS, OPT_SIZES, OPT_CHECKS,
	OPT_NO_VERIFY,
};

/* What the words alone can tell; what needs the device is in check_device(). */
struct given {
	bool orders, sizes, checks;
};

static void read_options(struct cmd *c, struct myalloc_stress *s,
			 struct given *given)
{
	char *value, *word;
	int id;

	s->kind = MYALLOC_STRESS_MIXED;
	while ((id = cmd_option(c, &value))) {
		switch (id) {
		case 'k':
			s->kind = kind_of(value);
			break;
		case 's':
			s->seed = cmd_number(c, "--seed", value, 0, ~0ull);
			break;
		case 't':
			s->threads = cmd_number(c, "--threads", value, 1,
						MYALLOC_STRESS_THREADS_MAX);
			break;
		case 'c':
			cmd_check(c, "--cpus", value,
				  parse_cpus(value, s->cpus, 256));
			break;
		case OPT_TIME:
			cmd_check(c, "--time", value,
				  parse_duration(value, &s->duration_ms));
			if (!s->duration_ms)
				cmd_usage(c, "--time '%s': the shortest run is 1ms; for one without a limit of time give --ops alone",
					  value);
			break;
		case OPT_OPS:
			s->ops = cmd_number(c, "--ops", value, 1, ~0ull);
			break;
		case OPT_FILL:
			cmd_check(c, "--fill", value,
				  parse_share(value, &s->fill_permille));
			break;
		case OPT_ORDERS:
			read_orders(c, s, value);
			given->orders = true;
			break;
		case OPT_SIZES:
			read_sizes(c, s, value);
			given->sizes = true;
			break;
		case OPT_CHECKS:
			cmd_check(c, "--checks", value,
				  parse_checks(value, &s->checks));
			given->checks = true;
			break;
		case OPT_NO_VERIFY:
			s->flags |= MYALLOC_STRESS_NO_VERIFY;
			break;
		}
	}
	word = cmd_word(c);
	if (word)
		s->kind = kind_of(word);
	cmd_done(c);
}

static void check_words(struct cmd *c, struct myalloc_stress *s,
			const struct given *given)
{
	const struct stress_kind *kind = &stress_kinds[s->kind];

	if (s->kind == MYALLOC_STRESS_CROSS && s->threads % 2)
		cmd_usage(c, "--threads %u: a cross run has pairs of threads, so an even number",
			  s->threads);
	if (given->orders && !kind->pages)
		out_warn("--orders changes nothing in a run of kind %s",
			 kind->name);
	if ((given->sizes || given->checks) && !kind->objects)
		out_warn("--sizes and --checks change nothing in a run of kind %s",
			 kind->name);
	if (!s->duration_ms && !s->ops)
		s->duration_ms = DEFAULT_MS;
}

static int check_device(const struct myalloc_stress *s,
			const struct myalloc_info *info)
{
	unsigned int i;

	for (i = info->max_order + 1; i < MYALLOC_ORDERS; i++)
		if (s->order_weights[i])
			return out_fail(EXIT_USAGE, "order %u is above this zone's largest block, %u",
					i, info->max_order);
	for (i = info->nr_cpus; i < 256; i++)
		if (s->cpus[i / 64] >> (i % 64) & 1)
			return out_fail(EXIT_USAGE, "there is no CPU %u: this machine has CPUs 0 to %u",
					i, info->nr_cpus - 1);
	return EXIT_OK;
}

/* 32 bits: short to type again, and exact in every reader of JSON. */
static __u64 some_seed(void)
{
	__u32 seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed) || !seed)
		seed = stop_now_ms() | 1;
	return seed;
}

static int run(struct cmd *c)
{
	struct stress_run run = { .ask.size = sizeof(run.ask) };
	struct given given = { 0 };
	struct device d;
	int code;

	read_options(c, &run.ask, &given);
	check_words(c, &run.ask, &given);
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

static const struct opt run_opts[] = {
	{ "kind", 'k', "KIND", "pages, objects, mixed, cross or exhaust; mixed if not given" },
	{ "seed", 's', "N", "of every random choice; without it, one is taken and told" },
	{ "threads", 't', "N", "kernel threads; one per CPU if not given" },
	{ "cpus", 'c', "LIST", "CPUs that threads run on, as 0-3,5; all if not given" },
	{ "time", OPT_TIME, "TIME", "how long; 10s if neither this nor --ops is given" },
	{ "seconds", OPT_TIME, "N", "the same" },
	{ "ops", OPT_OPS, "N", "operations of each thread" },
	{ "fill", OPT_FILL, "SHARE", "share of the zone to hold; 50% if not given" },
	{ "orders", OPT_ORDERS, "LIST", "order:weight, as 0:8,1:4; each half as often as the one below if not given" },
	{ "sizes", OPT_SIZES, "LIST", "size:weight, as 64:3,1K:1" },
	{ "checks", OPT_CHECKS, "LETTERS", "of FZPU, for the caches of the run" },
	{ "no-verify", OPT_NO_VERIFY, NULL, "do not fill memory and check it when freed" },
	{ NULL, 0, NULL, NULL }
};

static const struct verb stress_verbs[] = {
	{ "run", run, "[KIND]",
	  "run to the end, or to Ctrl-C, and show what was done; exit 1 if a check found errors",
	  run_opts },
	{ "kinds", kinds, "", "list the kinds of run, each in a sentence", NULL },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object stress_object = {
	"stress", "stress runs in the kernel, verified, with latencies",
	stress_verbs, NULL
};
