/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fake: what the files of the fake device share; fake_dev.c says what it is
 */
#ifndef MYALLOCCTL_FAKE_H
#define MYALLOCCTL_FAKE_H

#include <stdbool.h>

#include "dev/dev.h"

#define FAKE_FD		100
#define FAKE_RING_FD	101	/* of a ring */

/* The run of this file: a stress run or a benchmark. */
struct fake_run {
	bool started, cancelled;
	int read;		/* records that were read */
};

extern struct fake_run fake_run;

/* A setting of the script, by its name. */
__s64 *fake_setting(const char *name);
#define SET(name)	(*fake_setting(#name))

/* Logs a call and does what the script has for it: 0 or the error it is to have. */
int fake_called(const char *call, const char *more);
void fake_log(const char *call, const char *more);

/* State of the next record; the run ends with the last of the script, or when cancelled. */
__u32 fake_next_state(void);

/* fake_bench.c */
int fake_bench_shape(struct myalloc_bench_shape *s);
int fake_bench_start(struct myalloc_bench *b);
int fake_bench_result(struct myalloc_bench_result *r);

/* fake_client.c */
int fake_client_stat(struct myalloc_client_stat *s);
int fake_client_sites(struct myalloc_client_sites *a);
int fake_client_release(const struct myalloc_client_release *a);
int fake_pool_stat(struct myalloc_pool_stat *s);
int fake_pool_test(struct myalloc_pool_test *t);
/* fake_ring.c */
int fake_ring_create(struct myalloc_ring_file *f);
int fake_ring_open(struct myalloc_ring_file *f);
int fake_ring_release(const struct myalloc_ring_release *r);
int fake_ring_produce(struct myalloc_ring_produce *p);
int fake_ring_wait(void);
void fake_ring_close(void);
bool fake_ring_unmap(void *at);

/* fake_contract.c */
int fake_contract_make(struct myalloc_contract_make *m, bool create);
int fake_contract_end(const struct myalloc_contract_finish *f);
int fake_contract_stat(struct myalloc_contract_stat *s);
int fake_contract_sites(struct myalloc_contract_sites *s);
int fake_contract_test(struct myalloc_contract_test *t);
int fake_contract_tested(struct myalloc_contract_test_result *r);

#endif /* MYALLOCCTL_FAKE_H */
