/* SPDX-License-Identifier: GPL-2.0 */
/*
 * closest: the valid word that a mistyped one was probably meant to be
 */
#ifndef MYALLOCCTL_CLOSEST_H
#define MYALLOCCTL_CLOSEST_H

const char *closest(const char *word, const char *const *right, int nr);

#endif /* MYALLOCCTL_CLOSEST_H */
