/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-ins for the stress and benchmark engines: runs that go on when they are told to. */
#ifndef MYALLOC_FUZZ_RUNS_H
#define MYALLOC_FUZZ_RUNS_H

/* Lets each run that has not ended make a record; the third is its last. */
void fuzz_runs_go_on(void);

/* The two kinds are registered, and are there no more. */
void fuzz_runs_begin(void);
void fuzz_runs_end(void);

/* Runs that exist. */
u32 fuzz_runs(void);

#endif /* MYALLOC_FUZZ_RUNS_H */
