/* SPDX-License-Identifier: GPL-2.0 */
/*
 * closest: which of the right words a wrong one was probably meant to be
 */
#ifndef MYALLOCCTL_CLOSEST_H
#define MYALLOCCTL_CLOSEST_H

const char *closest(const char *word, const char *const *right, int nr);

#endif /* MYALLOCCTL_CLOSEST_H */
