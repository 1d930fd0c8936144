/* SPDX-License-Identifier: GPL-2.0 */
/* The commands of /dev/myalloc, as tables by subject; see ioctl.c. */
#ifndef MYALLOC_COMMAND_H
#define MYALLOC_COMMAND_H

#include "uapi/myalloc.h"

struct myalloc_front_view;
struct myalloc_session;
struct myalloc_zone;

/**
 * struct myalloc_front_test - the test of a kind of front, with random operations
 * @bytes: of its argument in this version
 * @check: checks the argument and replaces zeros by defaults, except the seed. Returns the bytes of
 *	the test's state, or an error
 * @run: runs it. @state and the results in @arg are zeroed before. Returns 0 or an error
 */
struct myalloc_front_test {
	size_t bytes;
	ssize_t (*check)(void *arg, const struct myalloc_zone *zone);
	int (*run)(void *state, void *arg, struct myalloc_zone *zone);
};

/**
 * struct myalloc_command - a command
 * @cmd: its number; 0 ends a table
 * @grows: its struct begins with its size and may grow
 * @fn: copies the argument in, checks it, does it, copies the result out; NULL if the command is
 *	one of the following
 * @view: it reads the statistics of this kind of front
 * @test: it runs this test
 */
struct myalloc_command {
	unsigned int cmd;
	bool grows;
	int (*fn)(struct myalloc_session *session, struct myalloc_zone *zone, void __user *user);
	const struct myalloc_front_view *view;
	const struct myalloc_front_test *test;
};

extern const struct myalloc_command myalloc_look_commands[];	/* look.c */
extern const struct myalloc_command myalloc_reserve_commands[];	/* reserve.c */
extern const struct myalloc_command myalloc_heap_commands[];	/* heap.c */
extern const struct myalloc_command myalloc_pool_commands[];	/* pool.c */
extern const struct myalloc_command myalloc_contract_commands[];	/* contract.c */
extern const struct myalloc_command myalloc_ring_commands[];	/* ring.c */
extern const struct myalloc_command myalloc_ring_file_commands[];	/* ring_file.c */
extern const struct myalloc_command myalloc_arena_commands[];	/* arena.c */
extern const struct myalloc_command myalloc_client_commands[];	/* client.c */

int myalloc_copy_in(void *to, size_t size, const void __user *from);
int myalloc_copy_out(void __user *to, const void *from, size_t size);

int myalloc_front_stat_command(const struct myalloc_front_view *view, struct myalloc_zone *zone,
			       void __user *user);
int myalloc_front_test_command(const struct myalloc_front_test *test, struct myalloc_zone *zone,
			       void __user *user);

__printf(4, 5)
void myalloc_test_error(__u64 *errors, char *first, size_t size, const char *fmt, ...);

/* Report an error of @test in the argument of its command, @test->arg. */
#define myalloc_test_wrong(test, fmt, ...)						\
do {											\
	typeof(test) _test = (test);							\
											\
	myalloc_test_error(&_test->arg->errors, _test->arg->first,			\
			   sizeof(_test->arg->first), fmt, ##__VA_ARGS__);		\
} while (0)

#endif /* MYALLOC_COMMAND_H */
