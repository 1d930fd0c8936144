// SPDX-License-Identifier: GPL-2.0
/*
 * stress_kinds: the kinds of stress run, by enum myalloc_stress_kind
 */
#include "obj/stress_parts.h"

#define KIND(number, ...) [MYALLOC_STRESS_##number] = { __VA_ARGS__ },

const struct stress_kind stress_kinds[MYALLOC_STRESS_KINDS] = { STRESS_KINDS(KIND, KIND) };
