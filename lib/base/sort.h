/* SPDX-License-Identifier: GPL-2.0 */
/* Sorting arrays of any length without occupying the CPU: see sort.c. */
#ifndef MYALLOC_SORT_H
#define MYALLOC_SORT_H

void myalloc_sort(void *base, size_t nr, size_t size, int (*compare)(const void *a, const void *b));

#endif /* MYALLOC_SORT_H */
