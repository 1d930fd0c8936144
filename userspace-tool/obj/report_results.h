/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report_results: draws results of benchmarks and stress runs on the page of 'report'
 */
#ifndef MYALLOCCTL_REPORT_RESULTS_H
#define MYALLOCCTL_REPORT_RESULTS_H

#include <stddef.h>
#include <stdio.h>

/* The results of a page, in the order of the words. */
struct results {
	struct result_kept *kept;
	size_t nr;
};

/* Returns an exit code, and prints a message if it is not EXIT_OK. */
int results_load(struct results *r, const char *file);
void results_draw(const struct results *r, FILE *page);
void results_free(struct results *r);

#endif /* MYALLOCCTL_REPORT_RESULTS_H */
