/* SPDX-License-Identifier: GPL-2.0 */
/*
 * parse: numbers, sizes, durations, shares and lists as people write them
 *
 * Every function returns NULL if @text is valid, otherwise a message that describes valid text.
 */
#ifndef MYALLOCCTL_PARSE_H
#define MYALLOCCTL_PARSE_H

#include <linux/types.h>

const char *parse_number(const char *text, __u64 *value);
const char *parse_size(const char *text, __u64 *bytes);
const char *parse_duration(const char *text, __u64 *ms);
const char *parse_share(const char *text, __u32 *permille);
const char *parse_cpus(const char *text, __u64 *mask, unsigned int cpus);
const char *parse_checks(const char *text, __u32 *checks);

/* One "value:weight" of a list, 1 if no weight is given; *@text moves behind it. */
const char *parse_weight(const char **text, __u64 *value, __u32 *weight);

/* @checks as letters, "-" if there are none; @buf has at least 8 bytes. */
const char *checks_letters(__u32 checks, char *buf);

#endif /* MYALLOCCTL_PARSE_H */
