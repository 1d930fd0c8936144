// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle: random operation streams on every configuration, compared with a model
 *
 * See ops.c for what is compared. A stream is divided into episodes, each on a new zone, and each
 * generated from the seed and the episode's number alone. Each configuration runs in a child
 * process; if an episode fails or crashes, the parent generates it again, shortens it until leaving
 * out any part would make it pass, and prints the result as text for --replay.
 */
#include "env.h"
#include "ktap.h"
#include "ops.h"
#include "program.h"

#include <sys/mman.h>

#define EPISODE		20000	/* operations */
#define TRIAL_SECONDS	60	/* a longer episode counts as hung */

static u64 seed, total_ops = 10000000;
static unsigned int jobs = 2;

/* The result that a child passes to its parent. */
static struct shared {
	u32 at;
	u32 episode;
	bool failed;
	char text[400];
	struct ops_stats stats;
	double seconds;
} *shared;

static struct shared *mine;

static void __noreturn child_fails(const char *text)
{
	mine->failed = true;
	strscpy(mine->text, text, sizeof(mine->text));
	_exit(1);
}

static void make_episode(const struct ops_config *config, u32 episode, struct op *ops)
{
	struct myalloc_random random;

	myalloc_random_init(&random, seed, ((config - ops_configs) + 1ULL) << 32 | episode);
	ops_generate(config, &random, ops, EPISODE);
}

static u32 validate_every(const struct ops_config *config)
{
	return config->nr_pages > 1000 ? 4000 : 400;
}

static void become_child(struct shared *to)
{
	mine = to;
	ops_at = &mine->at;
	ops_fail = child_fails;
	alarm(TRIAL_SECONDS);
}

/* Runs in the child: all episodes of a configuration. */
static void run_config(const struct ops_config *config, u32 episodes)
{
	struct op *ops = malloc(EPISODE * sizeof(*ops));
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (mine->episode = 0; mine->episode < episodes; mine->episode++) {
		alarm(TRIAL_SECONDS);
		make_episode(config, mine->episode, ops);
		ops_run(config, ops, EPISODE, validate_every(config));
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	mine->stats = ops_stats;
	mine->seconds = now.tv_sec - begin.tv_sec + (now.tv_nsec - begin.tv_nsec) / 1e9;
	free(ops);
}

/* --- cutting down -------------------------------------------------------------------- */

#define TRIALS_SECONDS	60	/* limit for shortening a stream */

static struct shared *trial;
static unsigned int trials;
static time_t trials_end;

struct stream {
	const struct ops_config *config;
	const struct op *ops;
	u32 nr;
};

/* Runs in a child process, whose output is discarded. */
static void run_stream(const void *arg)
{
	const struct stream *stream = arg;

	if (!freopen("/dev/null", "w", stderr))
		return;
	become_child(trial);
	ops_run(stream->config, stream->ops, stream->nr, validate_every(stream->config));
}

/* Does the stream fail? */
static bool fails(const struct ops_config *config, const struct op *ops, u32 nr)
{
	const struct stream stream = { config, ops, nr };

	memset(trial, 0, sizeof(*trial));
	trials++;
	if (trials_end && time(NULL) > trials_end)
		return false;
	return program_wait(program_start(run_stream, &stream)) != 0;
}

/* Zeller's delta debugging, without the complements of halves: leave out ever smaller parts. */
static u32 cut(const struct ops_config *config, struct op *ops, u32 nr)
{
	struct op *without = malloc(nr * sizeof(*ops));
	u32 part = nr / 2 ?: 1, at;

	for (;;) {
		bool shorter = false;

		for (at = 0; at < nr; ) {
			u32 len = min(part, nr - at);

			memcpy(without, ops, at * sizeof(*ops));
			memcpy(without + at, ops + at + len, (nr - at - len) * sizeof(*ops));
			if (nr > len && fails(config, without, nr - len)) {
				memcpy(ops, without, (nr - len) * sizeof(*ops));
				nr -= len;
				shorter = true;
			} else {
				at += len;
			}
		}
		if (part == 1 && !shorter)
			break;
		part = max_t(u32, part / 2, 1);
	}
	free(without);
	return nr;
}

/* Replace values by simpler ones where the stream still fails. */
static void plain(const struct ops_config *config, struct op *ops, u32 nr)
{
	u32 i, field;

	for (i = 0; i < nr; i++) {
		for (field = 0; field < 6; field++) {
			struct op old = ops[i];

			switch (field) {
			case 0:
				ops[i].context = OP_TASK;
				break;
			case 1:
				ops[i].nest = 0;
				break;
			case 2:
				ops[i].flags = 0;
				break;
			case 3:
				ops[i].cpu = 0;
				break;
			case 4:
				ops[i].a = 0;
				break;
			case 5:
				ops[i].b = 0;
				break;
			}
			if (memcmp(&old, &ops[i], sizeof(old)) && !fails(config, ops, nr))
				ops[i] = old;
		}
	}
}

static void explain(const struct ops_config *config, const struct shared *how, bool crashed)
{
	struct op *ops = malloc(EPISODE * sizeof(*ops));
	u32 nr = EPISODE, i;
	char text[160];

	ktap_note("%s: episode %u of seed %llu, operation %u: %s", config->name, how->episode, seed,
		  how->at, how->failed ? how->text : "crashed");
	make_episode(config, how->episode, ops);
	for (i = 0; i < nr; i++)
		ops[i].context %= OP_NR_CONTEXTS;
	if (fails(config, ops, min_t(u32, how->at + 8, EPISODE)))
		nr = min_t(u32, how->at + 8, EPISODE);
	else if (!fails(config, ops, nr)) {
		ktap_note("it does not fail alone: memory was damaged earlier?");
		goto out;
	}
	trials_end = time(NULL) + TRIALS_SECONDS;
	nr = cut(config, ops, nr);
	plain(config, ops, nr);
	trials_end = 0;
	fails(config, ops, nr);
	ktap_note("cut down to %u operations in %u trials: %s", nr, trials,
		  trial->failed ? trial->text : "crashes");
	ktap_note("config %s", config->name);
	for (i = 0; i < nr; i++) {
		ops_format(config, &ops[i], text, sizeof(text));
		ktap_note("%s", text);
	}
	ktap_note("save these lines from \"config\" on and run: oracle_test --replay FILE");
out:
	free(ops);
}

/* --- the program ------------------------------------------------------------------------ */

static int replay(const char *path)
{
	const struct ops_config *config = NULL;
	FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
	struct op *ops = malloc(EPISODE * sizeof(*ops));
	char line[256], name[64];
	u32 nr = 0;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 2;
	}
	while (fgets(line, sizeof(line), file)) {
		const char *text = line + strspn(line, "# \t");

		if (sscanf(text, "config %63s", name) == 1)
			config = ops_find_config(name);
		else if (config && nr < EPISODE && ops_parse(config, text, &ops[nr]))
			nr++;
	}
	if (!config || !nr) {
		fprintf(stderr, "%s: no line \"config NAME\" or no operation\n", path);
		return 2;
	}
	host_log_echo(true);
	ktap_plan(1);
	ops_run(config, ops, nr, 1);
	ktap_result(true, "replay of %u operations on %s", nr, config->name);
	free(ops);
	return ktap_end();
}

struct part {
	unsigned int config;
	u32 episodes;
};

static void run_part(const void *arg)
{
	const struct part *part = arg;

	become_child(&shared[part->config]);
	run_config(&ops_configs[part->config], part->episodes);
}

static pid_t start(unsigned int i, u32 episodes)
{
	const struct part part = { i, episodes };

	return program_start(run_part, &part);
}

static void report(unsigned int i, int status, u32 episodes)
{
	const struct ops_stats *s = &shared[i].stats;

	if (status) {
		explain(&ops_configs[i], &shared[i], !shared[i].failed);
		ktap_result(false, "%s", ops_configs[i].name);
		return;
	}
	ktap_result(true, "%s", ops_configs[i].name);
	ktap_note("%u operations in %.1f s: %llu allocations, %llu frees, %llu justified failures, %llu wrong frees refused, %llu operations inside others, %llu validations",
		  episodes * EPISODE, shared[i].seconds, s->allocs, s->frees, s->fails, s->bad_frees,
		  s->nested, s->validations);
}

static const struct ops_config *find_config(const char *name)
{
	const struct ops_config *config = ops_find_config(name);
	unsigned int i;

	if (config)
		return config;
	for (i = 0; i < ops_nr_configs; i++)
		printf("%s\n", ops_configs[i].name);
	exit(2);
}

int main(int argc, char **argv)
{
	const char *config = NULL, *file = NULL;
	const struct program_option options[] = {
		{ "seed", PROGRAM_U64, &seed, "repeat a run" },
		{ "ops", PROGRAM_U64, &total_ops, "operations in all" },
		{ "config", PROGRAM_STRING, &config,
		  "only this one; without a name that exists: list them" },
		{ "jobs", PROGRAM_U32, &jobs, "processes at once" },
		{ "replay", PROGRAM_STRING, &file, "run the sequence in a file that a failed run printed" },
		{ }
	};
	const struct ops_config *only = NULL;
	unsigned int i, running = 0, next = 0, shares = 0;
	pid_t pid[64];
	u32 episodes[64];
	int c, status;

	seed = program_seed();
	program_options(argc, argv,
			"Random operations on several zones, compared with a model after each.",
			options);
	jobs = max_t(u32, jobs, 1);
	if (config)
		only = find_config(config);
	if (file)
		return replay(file);
	shared = mmap(NULL, (ops_nr_configs + 1) * sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		host_fatal("mmap: %s", strerror(errno));
	trial = &shared[ops_nr_configs];

	for (i = 0; i < ops_nr_configs; i++)
		shares += only && only != &ops_configs[i] ? 0 : ops_configs[i].share;
	for (i = 0; i < ops_nr_configs; i++)
		episodes[i] = DIV_ROUND_UP(total_ops * ops_configs[i].share, EPISODE * shares);
	ktap_plan(only ? 1 : ops_nr_configs);
	ktap_note("seed %llu, %llu operations in episodes of %u", seed, total_ops, EPISODE);
	memset(pid, 0, sizeof(pid));
	while (next < ops_nr_configs || running) {
		if (next < ops_nr_configs && running < jobs) {
			if (!only || only == &ops_configs[next]) {
				pid[next] = start(next, episodes[next]);
				running++;
			}
			next++;
			continue;
		}
		c = wait(&status);
		for (i = 0; i < ops_nr_configs; i++)
			if (pid[i] == c) {
				report(i, status, episodes[i]);
				running--;
			}
	}
	return ktap_end();
}
