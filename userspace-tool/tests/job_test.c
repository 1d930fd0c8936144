// SPDX-License-Identifier: GPL-2.0
/*
 * job_test: a kind of job whose module comes and goes
 *
 *	job_test MYALLOC_BENCH.ko
 *
 * Without the module its commands are refused and nothing else changes; while a job of it lives
 * it cannot be removed; and while it is loaded and removed again and again, commands find it
 * whole or not at all. The module is not loaded when the program begins, nor when it ends.
 * Prints KTAP.
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "guest.h"

#define NAME		"myalloc_bench"
#define RACE_MS		10000
#define RACE_MS_MORE	60000
#define LOADS_LEAST	10
#define CALLERS		3

static const char *module;

static int load(void)
{
	int fd = open(module, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int unload(void)
{
	return syscall(SYS_delete_module, NAME, O_NONBLOCK) < 0 ? -errno : 0;
}

static int open_device(void)
{
	return open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC);
}

static int ask_shape(int fd, __u32 index, __u32 *nr)
{
	struct myalloc_bench_shape s = { .size = sizeof(s), .index = index };
	int err = call(fd, MYALLOC_IOC_BENCH_SHAPE, &s);

	*nr = s.nr_shapes;
	return err;
}

/* Shape 0, for @rounds. */
static int start(int fd, __u32 rounds)
{
	struct myalloc_bench b = {
		.size = sizeof(b), .rounds = rounds, .ops = 100,
		.cpu = MYALLOC_BENCH_ANY_CPU, .shapes = { 1 },
	};

	return call(fd, MYALLOC_IOC_BENCH_START, &b);
}

static int get_result(int fd, struct myalloc_bench_result *r)
{
	*r = (struct myalloc_bench_result) { .size = sizeof(*r) };
	return call(fd, MYALLOC_IOC_BENCH_RESULT, r);
}

static int start_stress(int fd)
{
	struct myalloc_stress s = {
		.size = sizeof(s), .kind = MYALLOC_STRESS_PAGES, .threads = 1, .ops = 1, .seed = 1,
	};

	return call(fd, MYALLOC_IOC_STRESS_START, &s);
}

static void wait_for_end(int fd)
{
	char record[128];

	while (read(fd, record, sizeof(record)) > 0)
		;
}

static void no_commands(int fd)
{
	struct myalloc_bench_result r;
	__u32 nr;
	int err;

	err = ask_shape(fd, 0, &nr);
	EXPECT(err == -EOPNOTSUPP, "BENCH_SHAPE: %s", strerror(-err));
	err = start(fd, 1);
	EXPECT(err == -EOPNOTSUPP, "BENCH_START: %s", strerror(-err));
	err = get_result(fd, &r);
	EXPECT(err == -EOPNOTSUPP, "BENCH_RESULT: %s", strerror(-err));
	err = call(fd, MYALLOC_IOC_BENCH_CANCEL, NULL);
	EXPECT(err == -EOPNOTSUPP, "BENCH_CANCEL: %s", strerror(-err));
}

static void test_without(void)
{
	int fd = open_device(), err;
	char record[128];

	CHECK(fd >= 0, "open: %s", strerror(errno));
	no_commands(fd);
	err = call(fd, _IO(MYALLOC_IOC, 0x5f), NULL);
	EXPECT(err == -EOPNOTSUPP, "a kind that there is not: %s", strerror(-err));
	err = call(fd, _IO(MYALLOC_IOC, 0x3f), NULL);
	EXPECT(err == -ENOTTY, "a number that stress does not have: %s", strerror(-err));
	/* No job: nothing to read. One of a kind that is there works. */
	EXPECT(!read(fd, record, sizeof(record)), "a record of no job");
	err = start_stress(fd);
	EXPECT(!err, "stress: %s", strerror(-err));
	wait_for_end(fd);
	close(fd);
}

static void test_loaded(void)
{
	int fd = open_device(), err = load();
	struct myalloc_bench_result r;
	__u32 nr = 0;

	CHECK(fd >= 0 && !err, "load: %s", strerror(-err));
	err = ask_shape(fd, 0, &nr);
	EXPECT(!err && nr, "BENCH_SHAPE: %s, %u shapes", strerror(-err), nr);
	err = get_result(fd, &r);
	EXPECT(!err && r.state == MYALLOC_STRESS_NONE, "BENCH_RESULT: %s, state %u",
	       strerror(-err), r.state);
	err = call(fd, _IO(MYALLOC_IOC, 0x4f), NULL);
	EXPECT(err == -ENOTTY, "a number that it does not have: %s", strerror(-err));
	err = unload();
	EXPECT(!err, "an open file alone holds the module: %s", strerror(-err));
	no_commands(fd);
	close(fd);
}

/* What lives is a job, also when it has ended: its result can be read. */
static void test_busy(void)
{
	int fd = open_device(), err = load();
	struct myalloc_bench_result r;

	CHECK(fd >= 0 && !err, "load: %s", strerror(-err));
	err = start(fd, MYALLOC_BENCH_ROUNDS_MAX);
	EXPECT(!err, "BENCH_START: %s", strerror(-err));
	err = unload();
	EXPECT(err == -EWOULDBLOCK, "removed with a job at work: %s", strerror(-err));
	err = call(fd, MYALLOC_IOC_BENCH_CANCEL, NULL);
	EXPECT(!err, "BENCH_CANCEL: %s", strerror(-err));
	wait_for_end(fd);
	err = unload();
	EXPECT(err == -EWOULDBLOCK, "removed with a result to be read: %s", strerror(-err));
	err = get_result(fd, &r);
	EXPECT(!err && r.id, "BENCH_RESULT: %s", strerror(-err));
	/* A job of another kind takes its place. */
	err = start_stress(fd);
	EXPECT(!err, "stress: %s", strerror(-err));
	err = unload();
	EXPECT(!err, "not removed though no job is left: %s", strerror(-err));
	no_commands(fd);
	wait_for_end(fd);

	err = load();
	EXPECT(!err, "load: %s", strerror(-err));
	err = start(fd, MYALLOC_BENCH_ROUNDS_MAX);
	EXPECT(!err, "BENCH_START: %s", strerror(-err));
	close(fd);
	err = unload();
	EXPECT(!err, "not removed though the file is closed: %s", strerror(-err));
}

/* ---- the race ---- */

static bool over;

struct caller {
	pthread_t thread;
	unsigned long worked, refused;
	int wrong;
};

static void note(struct caller *c, int err)
{
	if (!err)
		c->worked++;
	else if (err == -EOPNOTSUPP)
		c->refused++;
	else
		c->wrong = err;
}

static void *hammer(void *arg)
{
	struct caller *c = arg;
	__u64 random = 1 + (c->thread & 0xffff), round;
	struct myalloc_bench_result r;
	__u32 nr;
	int fd, i;

	/* With pauses, for the module to find moments without a user. */
	for (round = 0; !__atomic_load_n(&over, __ATOMIC_RELAXED); round++) {
		fd = open_device();
		if (fd < 0) {
			c->wrong = -errno;
			break;
		}
		for (i = 0; i < 20; i++)
			note(c, ask_shape(fd, i, &nr));
		if (round % 8 == 0)
			note(c, start(fd, 1));
		note(c, get_result(fd, &r));
		close(fd);
		sleep_us(below(&random, 4000));
	}
	return NULL;
}

static void test_race(void)
{
	static struct caller callers[CALLERS];
	unsigned long loads = 0, busy = 0, worked = 0, refused = 0;
	int fd = open_device(), err = 0, i;
	__u64 end = now_ms() + RACE_MS, last = end + RACE_MS_MORE;
	const char *wrong;

	CHECK(fd >= 0, "open: %s", strerror(errno));
	for (i = 0; i < CALLERS; i++)
		pthread_create(&callers[i].thread, NULL, hammer, &callers[i]);
	/* On a slow machine, until they have met. */
	while (!err && (now_ms() < end || (loads <= LOADS_LEAST && now_ms() < last))) {
		err = load();
		EXPECT(!err, "load: %s", strerror(-err));
		loads++;
		if (loads % 4 == 0)
			sleep_us(5000);
		while (!err && (err = unload()) == -EWOULDBLOCK) {
			busy++;
			err = 0;
			sleep_us(100);
		}
		EXPECT(!err, "unload: %s", strerror(-err));
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	for (i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		EXPECT(!callers[i].wrong, "a command: %s", strerror(-callers[i].wrong));
		worked += callers[i].worked;
		refused += callers[i].refused;
	}
	printf("# %lu loads, %lu removals refused, %lu commands worked, %lu found no module\n", loads,
	       busy, worked, refused);
	EXPECT(worked && refused && loads > LOADS_LEAST, "they have not met");
	wrong = unsound(fd);
	EXPECT(!wrong, "%s", wrong);
	no_commands(fd);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct table_test tests[] = {
		{ "without the module its commands are refused", test_without },
		{ "with it they work, until it is removed", test_loaded },
		{ "a job holds the module", test_busy },
		{ "commands while it comes and goes", test_race },
	};

	if (argc != 2) {
		fprintf(stderr, "usage: job_test MYALLOC_BENCH.ko\n");
		return 2;
	}
	module = argv[1];
	return table_run(tests, ARRAY_SIZE(tests));
}
