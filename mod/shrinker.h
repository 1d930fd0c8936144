/* SPDX-License-Identifier: GPL-2.0 */
/* The elastic part of the reserve: the kernel's shrinker, and the parameters of the decay. */
#ifndef MYALLOC_SHRINKER_H
#define MYALLOC_SHRINKER_H

#include <linux/types.h>

struct myalloc_zone;

int myalloc_shrinker_init(struct myalloc_zone *zone);
void myalloc_shrinker_exit(void);
int myalloc_decay_set(u32 half_life_ms, u32 most_mb);
void myalloc_decay_get(u32 *half_life_ms, u32 *most_mb);

#endif /* MYALLOC_SHRINKER_H */
