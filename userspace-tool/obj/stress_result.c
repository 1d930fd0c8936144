// SPDX-License-Identifier: GPL-2.0
/*
 * stress_result: describes the result of a run and decides whether it passed
 */
#include <stdlib.h>
#include <string.h>

#include "obj/stats.h"
#include "host/mem.h"
#include "out/out.h"
#include "cmd/parse.h"
#include "host/stop.h"
#include "obj/stress_parts.h"

static const char *const states[] = {
	[MYALLOC_STRESS_NONE] = "none",
	[MYALLOC_STRESS_RUNNING] = "running",
	[MYALLOC_STRESS_DONE] = "done",
	[MYALLOC_STRESS_CANCELLED] = "cancelled",
};

static __u64 operations(const struct myalloc_stress_result *r)
{
	return r->page_allocs + r->page_frees + r->obj_allocs + r->obj_frees;
}

/* ---- what was asked ---- */

static void describe_cpus(struct out *o, const struct myalloc_stress *s)
{
	int i;

	out_list(o, "cpus", "CPUs asked for");
	for (i = 0; i < 256; i++)
		if (s->cpus[i / 64] >> (i % 64) & 1)
			out_s64(o, NULL, NULL, OUT_PLAIN, i);
	out_end(o);
}

static void describe_weights(struct out *o, const struct myalloc_stress *s)
{
	unsigned int i;

	out_list(o, "order_weights", NULL);
	for (i = 0; i < MYALLOC_ORDERS; i++)
		out_u64(o, NULL, NULL, OUT_PLAIN, s->order_weights[i]);
	out_end(o);
	out_list(o, "size_weights", NULL);
	for (i = 0; i < s->nr_sizes; i++) {
		out_item(o);
		out_u64(o, "size", NULL, OUT_PLAIN, s->sizes[i]);
		out_u64(o, "weight", NULL, OUT_PLAIN, s->size_weights[i]);
		out_end(o);
	}
	out_end(o);
}

static void describe_run(struct out *o, const struct stress_run *run)
{
	const struct myalloc_stress_result *r = &run->result;
	const struct myalloc_stress *s = &run->ask;
	bool done = r->state == MYALLOC_STRESS_DONE;
	char letters[8];

	out_group(o, "run", "Run");
	out_str(o, "kind", "kind", OUT_PLAIN, stress_kinds[s->kind].name);
	out_str(o, "state", "state", done ? OUT_GOOD : OUT_WARN,
		r->state < ARRAY_SIZE(states) ? states[r->state] : "unknown");
	out_u64(o, "seed", "seed", OUT_PLAIN, r->seed);
	out_u64(o, "threads", "threads", OUT_PLAIN, r->threads);
	out_u64(o, "elapsed_ms", "time", OUT_MS, r->elapsed_ms);
	out_u64(o, "asked_ms", NULL, OUT_MS, s->duration_ms);
	out_u64(o, "asked_ops_per_thread", NULL, OUT_PLAIN, s->ops);
	out_u64(o, "fill_permille", "target fill", OUT_PERMILLE,
		s->fill_permille ? s->fill_permille : 500);
	out_bool(o, "verify", "memory verified", OUT_PLAIN,
		 !(s->flags & MYALLOC_STRESS_NO_VERIFY));
	out_str(o, "checks", "checks", OUT_PLAIN,
		checks_letters(s->checks, letters));
	describe_cpus(o, s);
	describe_weights(o, s);
	out_end(o);
}

/* ---- what was done ---- */

/*
 * An older module does not say when the operations ended. There is a record each second and one at
 * the end of all, so this is right to a second.
 */
static __u64 rate_by_records(const struct stress_run *run)
{
	const struct myalloc_stress_result *r = &run->result;
	__u64 ops = operations(r), ms = r->elapsed_ms;
	size_t i;

	for (i = run->nr_records; i-- > 0; ) {
		if (i + 1 < run->nr_records &&
		    run->record[i].ops < run->record[i + 1].ops)
			break;
		ops = run->record[i].ops;
		ms = run->record[i].elapsed_ms;
	}
	return ms ? (__u64)((double)ops * 1000 / ms) : 0;
}

/* The last record has the operations without the frees at the end, as the time is. */
static __u64 rate(const struct stress_run *run)
{
	__u64 ns = run->result.ops_ns;

	if (!ns || !run->nr_records)
		return rate_by_records(run);
	return (__u64)((double)run->record[run->nr_records - 1].ops * 1e9 / ns);
}

static void describe_operations(struct out *o, const struct stress_run *run)
{
	const struct myalloc_stress_result *r = &run->result;

	out_group(o, "operations", "Operations");
	out_u64(o, "total", "all", OUT_PLAIN, operations(r));
	if (r->ops_ns)
		out_u64(o, "ops_ns", "until the last one", OUT_NS, r->ops_ns);
	else
		out_null(o, "ops_ns", NULL);
	out_u64(o, "per_sec", "per second", OUT_RATE, rate(run));
	out_u64(o, "page_allocs", "blocks allocated", OUT_PLAIN, r->page_allocs);
	out_u64(o, "page_frees", "blocks freed", OUT_PLAIN, r->page_frees);
	out_u64(o, "obj_allocs", "objects allocated", OUT_PLAIN, r->obj_allocs);
	out_u64(o, "obj_frees", "objects freed", OUT_PLAIN, r->obj_frees);
	out_u64(o, "fail_nomem", "failed, no block free", OUT_PLAIN,
		r->fail_nomem);
	out_u64(o, "fail_target", "not tried, target reached", OUT_PLAIN,
		r->fail_target);
	out_u64(o, "exhausted", "times exhausted", OUT_PLAIN, r->exhausted);
	out_end(o);
}

static void latency(struct out *o, const char *key, const char *label,
		    __u64 count, __u64 ns)
{
	if (count)
		out_u64(o, key, label, OUT_NS, ns);
	else
		out_null(o, key, label);
}

static void latency_row(struct out *o, const char *operation,
			const struct myalloc_latency *l)
{
	out_item(o);
	out_str(o, "operation", "operation", OUT_PLAIN, operation);
	out_u64(o, "count", "count", OUT_PLAIN, l->count);
	latency(o, "min_ns", "min", l->count, l->min);
	latency(o, "p50_ns", "median", l->count, l->p50);
	out_rank(o, OUT_KEY);
	latency(o, "p99_ns", "p99", l->count, l->p99);
	out_rank(o, OUT_KEY);
	latency(o, "p999_ns", "p99.9", l->count, l->p999);
	latency(o, "max_ns", "max", l->count, l->max);
	out_rank(o, OUT_KEY);
	out_end(o);
}

static void describe_latency(struct out *o,
			     const struct myalloc_stress_result *r)
{
	out_list(o, "latency", "Latency");
	latency_row(o, "page alloc", &r->page_alloc_ns);
	latency_row(o, "page free", &r->page_free_ns);
	latency_row(o, "object alloc", &r->obj_alloc_ns);
	latency_row(o, "object free", &r->obj_free_ns);
	out_end(o);
}

static void describe_memory(struct out *o, const struct myalloc_stress_result *r)
{
	out_group(o, "memory", "Memory");
	out_u64(o, "start_pages", "in use before", OUT_PAGES, r->start_pages);
	out_u64(o, "peak_pages", "most in use", OUT_PAGES, r->peak_pages);
	out_u64(o, "end_pages", "in use after", OUT_PAGES, r->end_pages);
	out_bool(o, "balanced", "balanced",
		 r->balanced ? OUT_GOOD : r->shared ? OUT_WARN : OUT_BAD,
		 r->balanced);
	out_bool(o, "shared", "others used the zone", OUT_PLAIN, r->shared);
	out_end(o);
}

static void describe_checks(struct out *o, const struct myalloc_stress_result *r)
{
	out_group(o, "checks", "Checks");
	out_u64(o, "verify_errors", "damaged patterns",
		r->verify_errors ? OUT_BAD : OUT_PLAIN, r->verify_errors);
	out_u64(o, "free_errors", "frees refused",
		r->free_errors ? OUT_BAD : OUT_PLAIN, r->free_errors);
	out_u64(o, "validate_errors", "broken invariants",
		r->validate_errors ? OUT_BAD : OUT_PLAIN, r->validate_errors);
	if (r->first_error[0])
		out_strn(o, "first_error", "first error", OUT_BAD,
			 r->first_error, sizeof(r->first_error));
	else
		out_null(o, "first_error", NULL);
	out_end(o);
}

static void describe_rates(struct out *o, const struct stress_run *run)
{
	const struct myalloc_stress_progress *p;
	size_t i;

	out_list(o, "progress", NULL);
	for (i = 0; i < run->nr_records; i++) {
		p = &run->record[i];
		out_item(o);
		out_u64(o, "elapsed_ms", NULL, OUT_PLAIN, p->elapsed_ms);
		out_u64(o, "ops", NULL, OUT_PLAIN, p->ops);
		out_u64(o, "ops_per_sec", NULL, OUT_PLAIN, p->ops_per_sec);
		out_u64(o, "fails", NULL, OUT_PLAIN, p->fails);
		out_u64(o, "errors", NULL, OUT_PLAIN, p->errors);
		out_u64(o, "live_pages", NULL, OUT_PLAIN, p->live_pages);
		out_end(o);
	}
	out_end(o);
}

/* ---- whether it was good ---- */

static bool unbalanced(const struct myalloc_stress_result *r)
{
	return !r->balanced && !r->shared;
}

static int complain(const struct myalloc_stress_result *r)
{
	int code = EXIT_OK;

	if (r->verify_errors)
		code = out_fail(EXIT_FAILED, "%llu damaged pattern%s found: %.*s",
				(unsigned long long)r->verify_errors, out_s(r->verify_errors),
				(int)strnlen(r->first_error,
					     sizeof(r->first_error)),
				r->first_error);
	if (r->free_errors)
		code = out_fail(EXIT_FAILED, "%llu free%s of the run's own memory %s refused",
				(unsigned long long)r->free_errors, out_s(r->free_errors),
				r->free_errors == 1 ? "was" : "were");
	if (r->validate_errors)
		code = out_fail(EXIT_FAILED, "%u invariant%s broken; 'myallocctl validate' shows the first",
				r->validate_errors, r->validate_errors == 1 ? " is" : "s are");
	if (unbalanced(r))
		code = out_fail(EXIT_FAILED, "pages in use: %llu before the run and %llu after it, although nothing else used the zone",
				(unsigned long long)r->start_pages,
				(unsigned long long)r->end_pages);
	if (r->state != MYALLOC_STRESS_DONE &&
	    r->state != MYALLOC_STRESS_CANCELLED)
		code = out_fail(EXIT_FAILED, "the module reports that the run has not ended");
	else if (r->state == MYALLOC_STRESS_CANCELLED && !stop_signal())
		code = out_fail(EXIT_FAILED, "something other than this command ended the run");
	return code;
}

const char stress_form[] =
	"^seed:uint run:{ kind:text state:text seed:uint threads:uint elapsed_ms:uint "
	"asked_ms:uint asked_ops_per_thread:uint fill_permille:uint verify:bool "
	"checks:text cpus:[uint] order_weights:[uint] "
	"size_weights:[{ size:uint weight:uint }] } "
	"operations:{ total:uint ops_ns:uint|null per_sec:uint page_allocs:uint page_frees:uint "
	"obj_allocs:uint obj_frees:uint fail_nomem:uint fail_target:uint "
	"exhausted:uint } "
	"latency:[{ operation:text count:uint min_ns:uint|null p50_ns:uint|null "
	"p99_ns:uint|null p999_ns:uint|null max_ns:uint|null }] "
	"memory:{ start_pages:uint peak_pages:uint end_pages:uint balanced:bool "
	"shared:bool } "
	"checks:{ verify_errors:uint free_errors:uint validate_errors:uint "
	"first_error:text|null } "
	"progress:[{ elapsed_ms:uint ops:uint ops_per_sec:uint fails:uint errors:uint "
	"live_pages:uint }] verdict:'ok'|'failed'";

int stress_print(const struct device *d, const struct stress_run *run)
{
	const struct myalloc_stress_result *r = &run->result;
	struct out *o = out_new("stress run");
	int code = complain(r);

	out_seed(o, r->seed);
	out_page_size(o, d->info.page_size);
	out_show_system(o);
	describe_run(o, run);
	describe_operations(o, run);
	describe_latency(o, r);
	describe_memory(o, r);
	describe_checks(o, r);
	describe_rates(o, run);
	out_str(o, "verdict", "Verdict", code ? OUT_BAD : OUT_GOOD,
		code ? "failed" : "ok");
	if (!operations(r))
		out_warn("the run did no operation: is the zone full?");
	if (!code && stop_signal())
		code = 128 + stop_signal();
	return out_finish(o, code);
}
